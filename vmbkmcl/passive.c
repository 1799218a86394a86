// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calling the client where it may sleep: completion routines of its packets, and
 * ProcessPacket, in one work item a channel, so that they never overlap.
 */

#include <linux/bottom_half.h>

#include "bus.h"
#include "channel.h"
#include "passive.h"
#include "rx_deliver.h"

static void kmcl_passive_work(struct work_struct *work)
{
	struct kmcl_delivery *to = container_of(work, struct kmcl_delivery,
						work);
	struct kmcl_channel *ch = container_of(to, struct kmcl_channel,
					       delivery);

	WRITE_ONCE(to->worker, current);
	kmcl_packets_call_routines(ch, true);
	/* Packets kept while the client wanted to sleep, which it does no more. */
	local_bh_disable();
	kmcl_packets_call_routines(ch, false);
	local_bh_enable();
	kmcl_deliver_all(ch, true);
	WRITE_ONCE(to->worker, NULL);
	/*
	 * The deferred packet is done, or the client switched back to softirq
	 * context: the poll goes on with the backlog.
	 */
	if (!READ_ONCE(to->passive))
		kmcl_poll_schedule(ch);
}

void kmcl_passive_init(struct kmcl_channel *ch)
{
	INIT_WORK(&ch->delivery.work, kmcl_passive_work);
}
