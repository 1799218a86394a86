// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calling the client in a context that may sleep.
 *
 * Each channel has one work item for this, which calls the completion routines of
 * packets and the ProcessPacket callback of a passive client, so that these
 * never run at the same time. A client that is not passive and defers a packet
 * gets only that packet here. Its completion routines are called in softirq
 * context, possibly at the same time.
 */

#include <linux/bottom_half.h>

#include "budget.h"
#include "bus.h"
#include "channel.h"
#include "passive.h"
#include "poll.h"
#include "rx_deliver.h"

static void kmcl_passive_call(struct kmcl_channel *ch)
{
	struct kmcl_budget budget;

	kmcl_budget_start_untimed(&budget);
	kmcl_packets_call_routines(ch, true, &budget);
	/*
	 * Routines that were deferred before the client switched back to
	 * softirq context, or for which the poll does not run, are called with
	 * bottom halves off.
	 */
	local_bh_disable();
	kmcl_budget_start(&budget);
	kmcl_packets_call_routines(ch, false, &budget);
	local_bh_enable();

	kmcl_budget_start_untimed(&budget);
	kmcl_deliver_all(ch, true, &budget);
}

/*
 * Routines and deliveries have a budget each, so that neither waits for the other,
 * and kmcl_delivery_stop() does not wait for a client that always has more to do.
 */
static void kmcl_passive_work(struct work_struct *work)
{
	struct kmcl_delivery *to = container_of(work, struct kmcl_delivery,
						work);
	struct kmcl_channel *ch = container_of(to, struct kmcl_channel,
					       delivery);

	WRITE_ONCE(to->worker, current);
	kmcl_delivery_unmap(ch);
	kmcl_passive_call(ch);
	WRITE_ONCE(to->worker, NULL);
	if (kmcl_packets_have_routines(&ch->packets) ||
	    kmcl_delivery_is_due(ch, true))
		kmcl_passive_schedule(ch);
	/*
	 * The deferred packet is done, or the client has switched back to
	 * softirq context. The poll continues with the backlog.
	 */
	if (!READ_ONCE(to->passive))
		kmcl_poll_schedule(ch);
}

void kmcl_passive_init(struct kmcl_channel *ch)
{
	INIT_WORK(&ch->delivery.work, kmcl_passive_work);
}
