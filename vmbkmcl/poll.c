// SPDX-License-Identifier: GPL-2.0-only
/*
 * Scheduling what runs for a channel: the work item that changes its state
 * (channel_state.c), the poll, which is a tasklet (rx.c), and the work item
 * that calls the client in a context that may sleep (passive.c).
 */

#include <linux/rcupdate.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"
#include "hot.h"
#include "poll.h"

/*
 * These are two queues, because a work item of kmcl_channel_wq waits for one of
 * kmcl_passive_wq in kmcl_delivery_flush(). On a single queue, many waiting items could
 * leave no place for the items that they wait for. Neither queue is WQ_MEM_RECLAIM:
 * both call the client, which may flush work on an ordinary queue, and the kernel warns
 * of that on a WQ_MEM_RECLAIM queue.
 */
static struct workqueue_struct *kmcl_channel_wq;
static struct workqueue_struct *kmcl_passive_wq;

/*
 * Run the work item that changes the state: the client has requested another
 * state, or the device of the channel has changed.
 */
void kmcl_channel_kick(struct kmcl_channel *ch)
{
	queue_work(kmcl_channel_wq, &ch->work);
}

/**
 * kmcl_poll_schedule - schedule the poll
 * @ch: the channel
 *
 * The bus calls this function when the other end has signalled. It takes no
 * lock, because a bus may call it in hard interrupt context, where a spinlock
 * may not sleep on PREEMPT_RT. kmcl_rx_stop() waits for callers that have still
 * seen ->running set.
 *
 * Context: any, including hard interrupts.
 */
void __kmcl_hot kmcl_poll_schedule(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	rcu_read_lock();
	/*
	 * Pairs with kmcl_rx_start(): the ring is initialised before ->running
	 * is set.
	 */
	if (smp_load_acquire(&rx->running)) {
		kmcl_ring_mask(&rx->ring);
		tasklet_schedule(&rx->poll);
	}
	rcu_read_unlock();
}
KMCL_EXPORT_TO_BUSES(kmcl_poll_schedule);

/* Wait until the poll is not running. It may be scheduled again afterwards. */
void kmcl_poll_wait(struct kmcl_channel *ch)
{
	tasklet_disable(&ch->rx.poll);
	tasklet_enable(&ch->rx.poll);
}

/* Schedule the work item that calls the client in a context that may sleep. */
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
