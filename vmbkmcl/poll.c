// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waking what runs for a channel: the work item that brings it up and down
 * (channel_state.c), the poll, which is a tasklet (rx.c), and the work item that calls
 * the client where it may sleep (passive.c).
 */

#include <linux/rcupdate.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"
#include "hot.h"
#include "poll.h"

static struct workqueue_struct *kmcl_channel_wq;
/*
 * Not the queue that channels go up and down in: they wait for this one's work. Not
 * WQ_MEM_RECLAIM either: a callback may then flush no ordinary queue.
 */
static struct workqueue_struct *kmcl_passive_wq;

/* Something is wanted of the channel, or its device has changed. */
void kmcl_channel_kick(struct kmcl_channel *ch)
{
	queue_work(kmcl_channel_wq, &ch->work);
}

/**
 * kmcl_poll_schedule - the ring has news
 * @ch: the channel
 *
 * It takes no lock: a bus calls it in hard interrupts, where PREEMPT_RT may not
 * sleep for one. kmcl_rx_stop() waits for callers that still saw the ring.
 *
 * Context: any, hard interrupts among them.
 */
void __kmcl_hot kmcl_poll_schedule(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	rcu_read_lock();
	/* Pairs with kmcl_rx_start(): where the ring is comes before this. */
	if (smp_load_acquire(&rx->running)) {
		kmcl_ring_mask(&rx->ring);
		tasklet_schedule(&rx->poll);
	}
	rcu_read_unlock();
}
KMCL_EXPORT_TO_BUSES(kmcl_poll_schedule);

/* When it returns, a poll that was under way is over. */
void kmcl_poll_wait(struct kmcl_channel *ch)
{
	tasklet_disable(&ch->rx.poll);
	tasklet_enable(&ch->rx.poll);
}

/* Have the client called where it may sleep. */
void kmcl_passive_schedule(struct kmcl_channel *ch)
{
	queue_work(kmcl_passive_wq, &ch->delivery.work);
}

int kmcl_poll_init(void)
{
	kmcl_channel_wq = alloc_workqueue("vmbkmcl", WQ_UNBOUND, 0);
	if (!kmcl_channel_wq)
		return -ENOMEM;
	kmcl_passive_wq = alloc_workqueue("vmbkmcl_passive", WQ_UNBOUND, 0);
	if (!kmcl_passive_wq)
		goto destroy_channel_wq;
	return 0;

destroy_channel_wq:
	destroy_workqueue(kmcl_channel_wq);
	return -ENOMEM;
}

void kmcl_poll_exit(void)
{
	destroy_workqueue(kmcl_passive_wq);
	destroy_workqueue(kmcl_channel_wq);
}
