/* SPDX-License-Identifier: GPL-2.0-only */
/* Delivering the host's packets to the client: see rx_deliver.c. */
#ifndef _KMCL_RX_DELIVER_H
#define _KMCL_RX_DELIVER_H

#include <linux/atomic.h>
#include <linux/kfifo.h>
#include <linux/llist.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct kmcl_budget;
struct kmcl_channel;
struct kmcl_pool;
struct kmcl_rx_packet;

/*
 * The default and the upper limit of the number of packets that a client may
 * hold.
 */
#define KMCL_QUOTA_DEFAULT	64
#define KMCL_QUOTA_MAX		1024

/*
 * Packets that may wait in the backlog beyond the quota: the poll reads on, to
 * reach completions behind them.
 */
#define KMCL_BACKLOG		64

/**
 * struct kmcl_delivery - delivery of the host's packets to the client
 * @on: packets may be delivered
 * @passive: the client wants its callbacks in a context that may sleep
 * @refused: the client has called VmbChannelPacketFail(). No more packets are
 *	delivered until the channel is opened again.
 * @quota: the largest number of packets that the client wants to hold
 * @pool: memory for packets; %NULL while the channel is closed or if the client
 *	has no ProcessPacket callback
 * @backlog: packets that were read from the ring and not delivered yet. The
 *	poll adds packets, the holder of @delivering removes them.
 * @delivering: bit 0 is a lock that is held while packets are delivered
 * @deferred: a packet that is delivered before @backlog, in a context that may
 *	sleep
 * @current_packet: the packet whose ProcessPacket callback is running
 * @sleeps: that callback may sleep. @deferred, @current_packet and @sleeps are
 *	written by the holder of @delivering.
 * @lent: number of times a packet was given to the client, including packets
 *	that were delivered again after they were deferred. Written by the
 *	holder of @delivering.
 * @returned: number of times a packet came back from the client or was orphaned
 * @stalled: the poll or the delivery waits for a packet to be returned
 * @unmapping: packets that the server has completed and whose external data must be
 *	unmapped, by @work, before the completion is sent
 * @external_pending: if not 0, VmbChannelPacketGetExternalData() returns
 *	%STATUS_PENDING for each packet of so many, once; set in debugfs
 * @external_calls: number of packets that could have been pending
 * @work: work item that calls the client in a context that may sleep
 * @worker: task that runs @work, while @work runs
 * @delivered: number of packets that were delivered
 * @deferrals: number of packets that the client has deferred
 * @orphaned: number of packets that the client still had when its channel was
 *	closed because the device was removed or suspended
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
	struct llist_head unmapping;
	u32 external_pending;
	u32 external_calls;
	struct work_struct work;
	struct task_struct *worker;

	u64 delivered;
	u64 deferrals;
	u64 orphaned;
};

/* The number of packets that the client holds. */
static inline u32 kmcl_delivery_held(const struct kmcl_delivery *to)
{
	/*
	 * Read ->returned before ->lent. If the values change in between, the
	 * result is too large rather than too small.
	 */
	u32 returned = atomic_read_acquire(&to->returned);

	return READ_ONCE(to->lent) - returned;
}

/* Called by the poll alone. ->backlog has room for every packet of the pool. */
static inline void kmcl_delivery_enqueue(struct kmcl_delivery *to,
					 struct kmcl_rx_packet *packet)
{
	kfifo_put(&to->backlog, packet);
}

/*
 * Called when there is no free packet, or the client has reached its quota. The
 * caller then checks again, because a packet that was returned in between may
 * have missed the flag.
 */
static inline void kmcl_stall(struct kmcl_delivery *to)
{
	WRITE_ONCE(to->stalled, true);
	/*
	 * Pairs with the full barriers in kmcl_pool_push() and
	 * kmcl_packet_returned().
	 */
	smp_mb();
}

/*
 * Called by the poll before it looks for free packets and checks the quota
 * again.
 */
static inline void kmcl_stall_clear(struct kmcl_delivery *to)
{
	WRITE_ONCE(to->stalled, false);
}

void kmcl_delivery_init(struct kmcl_channel *ch);
int kmcl_delivery_open(struct kmcl_channel *ch);
void kmcl_delivery_close(struct kmcl_channel *ch);

void kmcl_delivery_start(struct kmcl_channel *ch);
void kmcl_delivery_stop(struct kmcl_channel *ch);
void kmcl_delivery_finish(struct kmcl_channel *ch);
void kmcl_delivery_orphan(struct kmcl_channel *ch);
void kmcl_delivery_forget_held(struct kmcl_channel *ch);

void kmcl_delivery_unmap(struct kmcl_channel *ch);

bool kmcl_delivery_is_due(struct kmcl_channel *ch, bool may_sleep);
void kmcl_deliver(struct kmcl_channel *ch, struct kmcl_budget *budget);
void kmcl_deliver_all(struct kmcl_channel *ch, bool may_sleep,
		      struct kmcl_budget *budget);

#endif /* _KMCL_RX_DELIVER_H */
