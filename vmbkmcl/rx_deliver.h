/* SPDX-License-Identifier: GPL-2.0-only */
/* Giving the host's packets to the client: see rx_deliver.c. */
#ifndef _KMCL_RX_DELIVER_H
#define _KMCL_RX_DELIVER_H

#include <linux/atomic.h>
#include <linux/kfifo.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct kmcl_channel;
struct kmcl_rx_packet;
struct kmcl_pool;

/* Most packets a client may hold at one time, unless it says otherwise. */
#define KMCL_QUOTA_DEFAULT	64
#define KMCL_QUOTA_MAX		1024

/* Packets that are read besides, so that completions behind them are found. */
#define KMCL_BACKLOG		64

/**
 * struct kmcl_delivery - what a client gets, and how
 * @on: the client may be given packets
 * @passive: its callbacks want a context that may sleep
 * @refused: it found a packet malformed and is given no more
 * @quota: most packets it wants to hold at one time
 * @pool: memory for packets; NULL while closed, or without a ProcessPacket
 *	callback
 * @backlog: packets taken from the ring and not yet delivered; the poll puts
 *	in, the holder of @delivering takes out
 * @delivering: bit 0 is held by who delivers
 * @deferred: a packet to be delivered before @backlog, where it may sleep
 * @current_packet: the one whose callback runs
 * @sleeps: that callback may; all three under @delivering
 * @lent: packets given to the client, also twice; by the holder of @delivering
 * @returned: of those, how many came back
 * @stalled: something waits for a packet to be completed
 * @work: calls the client where it may sleep
 * @worker: the task @work runs in, while it does
 * @delivered: packets the client was given
 * @deferrals: times it wanted to be given one where it may sleep
 * @orphaned: packets it still had when its channel was taken away
 */
struct kmcl_delivery {
	bool on;
	bool passive;
	bool refused;
	u32 quota;
	struct kmcl_pool *pool;
	DECLARE_KFIFO_PTR(backlog, struct kmcl_rx_packet *);
	unsigned long delivering;
	struct kmcl_rx_packet *deferred;
	struct kmcl_rx_packet *current_packet;
	bool sleeps;
	u32 lent;
	atomic_t returned;
	bool stalled;
	struct work_struct work;
	struct task_struct *worker;

	u64 delivered;
	u64 deferrals;
	u64 orphaned;
};

/* Packets the client has and did not complete. */
static inline u32 kmcl_delivery_held(const struct kmcl_delivery *to)
{
	/* First, so that what is lent meanwhile is counted too much, not too little. */
	u32 returned = atomic_read_acquire(&to->returned);

	return READ_ONCE(to->lent) - returned;
}

/* For the poll alone. @to->backlog has room for every packet of the pool. */
static inline void kmcl_delivery_enqueue(struct kmcl_delivery *to,
					 struct kmcl_rx_packet *packet)
{
	kfifo_put(&to->backlog, packet);
}

/*
 * The caller has found no free packet, or no quota left. It calls this and checks
 * again, because a packet that was returned in between may have missed the flag.
 */
static inline void kmcl_stall(struct kmcl_delivery *to)
{
	WRITE_ONCE(to->stalled, true);
	/* Pairs with the full barriers of kmcl_pool_push(), kmcl_packet_returned(). */
	smp_mb();
}

/* For the poll, which is about to look for packets and quota again. */
static inline void kmcl_stall_clear(struct kmcl_delivery *to)
{
	WRITE_ONCE(to->stalled, false);
}

void kmcl_delivery_init(struct kmcl_channel *ch);
int kmcl_delivery_open(struct kmcl_channel *ch);
void kmcl_delivery_close(struct kmcl_channel *ch);

void kmcl_delivery_start(struct kmcl_channel *ch);
void kmcl_delivery_stop(struct kmcl_channel *ch);
void kmcl_delivery_flush(struct kmcl_channel *ch);
void kmcl_delivery_orphan(struct kmcl_channel *ch);
void kmcl_delivery_forget_held(struct kmcl_channel *ch);

void kmcl_deliver(struct kmcl_channel *ch);
void kmcl_deliver_all(struct kmcl_channel *ch, bool may_sleep);

#endif /* _KMCL_RX_DELIVER_H */
