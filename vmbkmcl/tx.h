/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets to the host: see tx.c. */
#ifndef _KMCL_TX_H
#define _KMCL_TX_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "ring.h"

struct kmcl_channel;
struct kmcl_tx_entry;

/* Packets that may wait for a completion at one time: at first, and at most. */
#define KMCL_TX_SLOTS		256
#define KMCL_TX_SLOTS_MAX	4096

/**
 * enum kmcl_tx_result - what kmcl_tx_submit() did with a packet it accepted
 * @KMCL_TX_PENDING: The packet is queued, or in the ring and waits for its
 *	completion. &kmcl_tx_entry.done is called later.
 * @KMCL_TX_SENT: The packet is in the ring and wants no completion. The caller
 *	owns the entry again, and &kmcl_tx_entry.done is not called.
 */
enum kmcl_tx_result {
	KMCL_TX_PENDING	= 0,
	KMCL_TX_SENT	= 1,
};

typedef void (*kmcl_tx_entry_done)(struct kmcl_tx_entry *entry, int err,
				   const void *data, u32 len);

/**
 * struct kmcl_tx_entry - one packet on its way to the host
 * @link: in &kmcl_tx.queue or &kmcl_tx.completions while it waits for the ring; else
 *	empty, as its owner makes it
 * @wire: what goes into the ring. Its id is the host's in a completion of one of
 *	the host's packets, @id in a packet that wants a completion, else 0. Its head
 *	describes external data, if there is some.
 * @copy: where the payload is copied to when the packet has to be queued; NULL when
 *	it stays as it is until @done
 * @id: transaction id while the host owes a completion, else 0
 * @successor: takes over @id when nobody waits for the packet any more although the
 *	host has its external data; its own @done is called then. NULL: there is
 *	none, or it has taken over.
 * @done: called exactly once, without locks, in softirq context or as in it.
 *	@err is 0 with the completion's data, -ENOBUFS with a part of it, or says
 *	why there is none. The host can change the data: it is copied, and once.
 *
 * A packet has one owner at a time: the queue, the transaction table, or
 * whoever took it from there under &kmcl_tx.lock, who alone may call @done.
 */
struct kmcl_tx_entry {
	struct list_head link;
	struct kmcl_ring_packet wire;
	void *copy;
	u64 id;
	struct kmcl_tx_entry *successor;
	kmcl_tx_entry_done done;
};

/* It completes one of the host's packets. */
static inline bool
kmcl_tx_entry_is_completion(const struct kmcl_tx_entry *entry)
{
	return entry->wire.type == KMCL_PKT_COMPLETION;
}

/* The host is to complete it. */
static inline bool kmcl_tx_entry_waits(const struct kmcl_tx_entry *entry)
{
	return entry->wire.flags & KMCL_PKT_FLAG_COMPLETION_REQUESTED;
}

/* The host reads and writes memory that it refers to. */
static inline bool
kmcl_tx_entry_is_gpa_direct(const struct kmcl_tx_entry *entry)
{
	return entry->wire.type == KMCL_PKT_GPA_DIRECT;
}

struct kmcl_tx_slot {
	struct kmcl_tx_entry *entry;	/* NULL: free */
	u32 generation;			/* never 0, so neither is an id */
	u32 next_free;
};

/**
 * struct kmcl_tx - the sending side of a channel
 * @lock: guards all of it; a packet is copied to the ring under it
 * @ring: the outgoing ring, while @open
 * @open: the ring is there
 * @closing: it will not be for long: only completions are welcome
 * @waiting: how many packets @queue and @completions have; read without @lock, too
 * @queue: packets waiting for the ring or for a slot, in order
 * @completions: completions of the host's packets waiting for the ring, in order;
 *	they go first, as a slot of @queue's may become free by them alone
 * @slots: packets whose completion the host owes
 * @count: how many @slots are
 * @free: first free slot, @count when there is none
 * @batch: bytes of room worth a wake-up for packets of @queue
 * @asked: the host was asked for a wake-up; read without @lock, too
 * @full: the ring had no room for the packet tried last
 * @signal: the host is to be signalled for packets that were published already
 * @sent: packets put in the ring
 * @queued: packets that had to wait first
 * @ring_full: times the ring had no room
 * @ids_full: times no slot was free
 * @completed: completions matched with a packet
 * @bad_ids: completions that named no packet
 */
struct kmcl_tx {
	spinlock_t lock;
	struct kmcl_ring ring;
	bool open;
	bool closing;
	bool asked;
	bool full;
	bool signal;
	u32 waiting;
	struct list_head queue;
	struct list_head completions;
	struct kmcl_tx_slot *slots;
	u32 count;
	u32 free;
	u32 batch;

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

void kmcl_tx_open(struct kmcl_channel *ch);
void kmcl_tx_refuse(struct kmcl_channel *ch);
void kmcl_tx_cancel(struct kmcl_channel *ch, int err);
void kmcl_tx_stop(struct kmcl_channel *ch, int err);
void kmcl_tx_finish(struct kmcl_channel *ch, int err);

int kmcl_tx_submit(struct kmcl_channel *ch, struct kmcl_tx_entry *entry,
		   bool may_queue);
bool kmcl_tx_withdraw(struct kmcl_channel *ch, struct kmcl_tx_entry *entry);
void kmcl_tx_flush(struct kmcl_channel *ch);
void kmcl_tx_complete(struct kmcl_channel *ch, u64 id, const void *data,
		      u32 len);

#endif /* _KMCL_TX_H */
