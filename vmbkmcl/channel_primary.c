// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a primary channel does for its sub-channels: it lets them have what the host
 * offers while it is open, and takes them down with it. channel_sub.c has the
 * sub-channels' side.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "bus.h"
#include "channel.h"
#include "channel_primary.h"
#include "channel_sub.h"
#include "compat.h"
#include "hostwait.h"

/* The channel is open: from here on its sub-channels may be. */
void kmcl_subs_accept_offers(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_subs_lock);
	ch->subs.phase = KMCL_SUBS_ACCEPTED;
	mutex_unlock(&kmcl_subs_lock);
}

/*
 * The channel is about to be closed. When it returns, nothing uses the rings of
 * its sub-channels, and nobody waits for the host on one.
 */
void kmcl_subs_park(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_hostwait wait;

	mutex_lock(&kmcl_subs_lock);
	ch->subs.phase = KMCL_SUBS_PARKING;
	list_for_each_entry(sub, &ch->subs.list, subs.node)
		if (sub->subs.state != KMCL_SUB_OUT)
			kmcl_channel_lose(sub, sub->endpoint);
	mutex_unlock(&kmcl_subs_lock);

	kmcl_hostwait_start(&wait, ch, "sub-channels' rest", 0);
	wait_event(ch->changed, !atomic_read(&ch->subs.nr_active));
	kmcl_hostwait_stop(&wait);
}

/* The channel is closed. When it returns, its sub-channels are disabled. */
void kmcl_subs_release(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_hostwait wait;

	mutex_lock(&kmcl_subs_lock);
	/* Pairs with kmcl_sub_park(): what came of the close is there. */
	smp_store_release(&ch->subs.phase, KMCL_SUBS_REFUSED);
	list_for_each_entry(sub, &ch->subs.list, subs.node)
		wake_up_all(&sub->changed);
	mutex_unlock(&kmcl_subs_lock);

	kmcl_hostwait_start(&wait, ch, "sub-channels' end", 0);
	wait_event(ch->changed, !atomic_read(&ch->subs.in));
	kmcl_hostwait_stop(&wait);
}

/**
 * kmcl_sub_offer - offer a device to the sub-channels of a channel
 * @primary: the channel; the caller holds a reference
 * @endpoint: as for kmcl_channel_attach(); on the primary's bus
 * @instance: the device's instance GUID, the same for all channels of a device
 * @owner: set to the sub-channel before that can know of @endpoint
 *
 * Context: may sleep.
 * Return: false when none of them takes it; @owner is NULL then.
 */
bool kmcl_sub_offer(struct kmcl_channel *primary, void *endpoint,
		    const guid_t *instance, struct kmcl_channel **owner)
{
	struct kmcl_channel *sub;
	bool taken = false;

	mutex_lock(&kmcl_subs_lock);
	list_for_each_entry(sub, &primary->subs.list, subs.node) {
		*owner = sub;
		taken = kmcl_channel_attach(sub, primary->bus, endpoint,
					    instance);
		if (taken)
			break;
	}
	mutex_unlock(&kmcl_subs_lock);
	if (!taken) {
		*owner = NULL;
		kmcl_warn(primary, "no channel waits for a sub-channel that the host offers\n");
	}
	return taken;
}
KMCL_EXPORT_TO_BUSES(kmcl_sub_offer);
