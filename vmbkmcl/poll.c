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
 * Run the work item that changes the state: the client has requested another
 * state, or the device of the channel has changed.
 */
void kmcl_channel_kick(struct kmcl_channel *ch)
{
	queue_work(ch->wq, &ch->work);
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
	queue_work(ch->wq, &ch->delivery.work);
}

/*
 * The queue is not WQ_MEM_RECLAIM: its items call the client, which may flush work on
 * an ordinary queue, and the kernel warns of that on a WQ_MEM_RECLAIM queue.
 */
int kmcl_poll_init(struct kmcl_channel *ch)
{
	ch->wq = alloc_workqueue("vmbkmcl-%u", WQ_UNBOUND, 0, ch->id);
	return ch->wq ? 0 : -ENOMEM;
}

/* Called when neither work item is queued any more. May sleep. */
void kmcl_poll_exit(struct kmcl_channel *ch)
{
	destroy_workqueue(ch->wq);
}
