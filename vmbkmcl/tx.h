/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending packets to the host: see tx.c. */
#ifndef _KMCL_TX_H
#define _KMCL_TX_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "ring.h"

struct kmcl_budget;
struct kmcl_channel;
struct kmcl_tx_entry;

/*
 * The default and the largest number of packets that may await a completion.
 */
#define KMCL_TX_SLOTS		256
#define KMCL_TX_SLOTS_MAX	4096

/**
 * enum kmcl_tx_result - what kmcl_tx_submit() did with a packet it accepted
 * @KMCL_TX_PENDING: the packet is queued, or it is in the ring and awaits its
 *	completion. &kmcl_tx_entry.done is called, possibly before
 *	kmcl_tx_submit() returns.
 * @KMCL_TX_SENT: the packet is in the ring and wants no completion. The caller
 *	owns the entry again, and &kmcl_tx_entry.done is not called.
 */
enum kmcl_tx_result {
	KMCL_TX_PENDING	= 0,
	KMCL_TX_SENT	= 1,
};

/**
 * enum kmcl_tx_queueing - when kmcl_tx_submit() may queue a packet
 * @KMCL_TX_NEVER: never
 * @KMCL_TX_IF_OPEN: while the channel has a ring
 * @KMCL_TX_ALWAYS: also while the channel is enabled and has no ring
 */
enum kmcl_tx_queueing {
	KMCL_TX_NEVER,
	KMCL_TX_IF_OPEN,
	KMCL_TX_ALWAYS,
};

typedef void (*kmcl_tx_entry_done)(struct kmcl_tx_entry *entry, int err,
				   const void *data, u32 len);

/**
 * struct kmcl_tx_entry - one packet on its way to the host
 * @link: in &kmcl_tx.queue or &kmcl_tx.completions while the packet is queued.
 *	The owner initialises it; it is an empty list head while the packet is
 *	not queued.
 * @wire: what is written to the ring. @wire.id is the host's id in a completion
 *	of a packet of the host, @id in a packet that wants a completion, and 0
 *	otherwise. @wire.head describes the external data of a GPA-direct
 *	packet.
 * @copy: where kmcl_tx_submit() copies the payload when it queues the packet.
 *	%NULL if the payload stays valid until @done is called.
 * @id: transaction id while the packet awaits its completion in &kmcl_tx.slots,
 *	otherwise 0
 * @successor: entry that takes over @id when the sender stops waiting for a
 *	GPA-direct packet that the host may still access. @successor->done is
 *	called instead of @done then. %NULL if there is no successor, or if it
 *	has taken over already.
 * @is_request: a thread waits for @done, and takes the external data for its own
 *	whatever the error is
 * @done: called exactly once for a packet that is queued or awaits its
 *	completion, unless kmcl_tx_withdraw() takes the packet back. Called in
 *	softirq context or with bottom halves off. No spinlock is held.
 *
 *	If the host has completed the packet, @done is called in the poll. @data
 *	is not %NULL then, and @err is 0, or -ENOBUFS if @data is only the first
 *	part of a payload that is too large. The host can change the payload at
 *	any time, so @done copies it once and reads only the copy.
 *
 *	Otherwise @data is %NULL. The packet wanted no completion and was moved
 *	from the queue to the ring, or @err is the reason why it was not sent or
 *	not completed. @done is called in the poll, or by any function that
 *	closes the channel: locks that are no spinlocks may be held then, so
 *	@done may not call the client.
 *
 * A packet has one owner at a time: the queue, the transaction table, or the
 * function that removed it from one of them under &kmcl_tx.lock. Only the owner
 * may call @done.
 */
struct kmcl_tx_entry {
	struct list_head link;
	struct kmcl_ring_packet wire;
	void *copy;
	u64 id;
	struct kmcl_tx_entry *successor;
	bool is_request;
	kmcl_tx_entry_done done;
};

/* True if the packet is the completion of a packet of the host. */
static inline bool
kmcl_tx_entry_is_completion(const struct kmcl_tx_entry *entry)
{
	return entry->wire.type == KMCL_PKT_COMPLETION;
}

/* True if the packet asks the host for a completion. */
static inline bool
kmcl_tx_entry_wants_completion(const struct kmcl_tx_entry *entry)
{
	return entry->wire.flags & KMCL_PKT_FLAG_COMPLETION_REQUESTED;
}

/* True if the packet refers to memory that the host reads and writes. */
static inline bool
kmcl_tx_entry_is_gpa_direct(const struct kmcl_tx_entry *entry)
{
	return entry->wire.type == KMCL_PKT_GPA_DIRECT;
}

/*
 * One slot of the transaction table. A transaction id is made of the index of
 * the slot and its generation.
 */
struct kmcl_tx_slot {
	struct kmcl_tx_entry *entry;	/* NULL if the slot is free */
	u32 generation;			/* never 0, so that no id is 0 */
	u32 next_free;
};

/**
 * struct kmcl_tx - the sending side of a channel
 * @lock: guards all fields. A packet is copied into the ring with @lock held.
 * @ring: the outgoing ring, valid while @open is set
 * @open: packets may be written to the ring. Set by kmcl_tx_open(), which is
 *	not called if the channel has to be closed again already; cleared by
 *	kmcl_tx_stop() before the close.
 * @waiting: there is no ring, but there may be one later: packets are queued. Set by
 *	kmcl_tx_wait().
 * @closing: the channel is going down, or its incoming ring is corrupt. Only
 *	completions are accepted.
 * @rescinded: the host had rescinded the device when @closing was set last
 * @asked: the host was asked for a signal when the ring has room. Also read
 *	without @lock.
 * @full: the ring had no room for the last packet that was tried
 * @signal: the host must be signalled for packets that were published already
 * @nr_queued: number of packets in @queue and @completions. Also read without
 *	@lock.
 * @queue: packets that wait for room in the ring or for a slot, in order
 * @completions: completions of the host's packets that wait for room in the
 *	ring, in order. They take turns with @queue, but do not wait for a @queue
 *	that waits for a slot: the host may free a slot only after it has received
 *	one of them.
 * @queues_turn: if both @queue and @completions have a packet that can be sent,
 *	@queue is next
 * @slots: transaction table: packets that await their completion
 * @count: number of @slots
 * @free: index of the first free slot; @count if there is none
 * @batch: minimum room to ask the host for on behalf of @queue, in bytes
 * @keep: bytes of the ring that are left to completions
 * @sent: number of packets written to the ring
 * @queued: number of packets that were queued first
 * @ring_full: number of times the ring had no room
 * @ids_full: number of times there was no free slot
 * @completed: number of completions that named a packet in @slots
 * @bad_ids: number of completions that named no packet
 */
struct kmcl_tx {
	spinlock_t lock;
	struct kmcl_ring ring;
	bool open;
	bool waiting;
	bool closing;
	bool rescinded;
	bool asked;
	bool full;
	bool signal;
	u32 nr_queued;
	struct list_head queue;
	struct list_head completions;
	bool queues_turn;
	struct kmcl_tx_slot *slots;
	u32 count;
	u32 free;
	u32 batch;
	u32 keep;

	u64 sent;
	u64 queued;
	u64 ring_full;
	u64 ids_full;
	u64 completed;
	u64 bad_ids;
};

int kmcl_tx_init(struct kmcl_tx *tx);
int kmcl_tx_resize(struct kmcl_tx *tx, u32 count);
void kmcl_tx_destroy(struct kmcl_tx *tx);

void kmcl_tx_wait(struct kmcl_channel *ch);
void kmcl_tx_open(struct kmcl_channel *ch);
void kmcl_tx_refuse(struct kmcl_channel *ch);
void kmcl_tx_cancel(struct kmcl_channel *ch, int err,
		    struct kmcl_budget *budget);
void kmcl_tx_stop(struct kmcl_channel *ch, int err);
bool kmcl_tx_has_owned_data(struct kmcl_channel *ch, bool requests);
void kmcl_tx_finish(struct kmcl_channel *ch, int err);

int kmcl_tx_submit(struct kmcl_channel *ch, struct kmcl_tx_entry *entry,
		   enum kmcl_tx_queueing queueing);
bool kmcl_tx_send_queued(struct kmcl_channel *ch, struct kmcl_tx_entry *entry);
bool kmcl_tx_withdraw(struct kmcl_channel *ch, struct kmcl_tx_entry *entry);
void kmcl_tx_flush(struct kmcl_channel *ch, struct kmcl_budget *budget);
void kmcl_tx_complete(struct kmcl_channel *ch, u64 id, const void *data,
		      u32 len);

#endif /* _KMCL_TX_H */
