// SPDX-License-Identifier: GPL-2.0-only
/*
 * The primary channel's part in the shutdown of its sub-channels, which
 * channel_sub.c describes, and the offers of sub-channels.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "bus.h"
#include "channel.h"
#include "channel_primary.h"
#include "channel_sub.h"
#include "compat.h"
#include "hostwait.h"

/*
 * A sub-channel of @ch may get a device now: have the bus offer those that the host has
 * offered before. The bus of @ch does not go meanwhile, as its module is held.
 */
void kmcl_subs_match(struct kmcl_channel *ch)
{
	const struct kmcl_bus_ops *bus;

	mutex_lock(&ch->lock);
	bus = ch->bus;
	if (bus && (!bus->match_subs || !try_module_get(bus->owner)))
		bus = NULL;
	mutex_unlock(&ch->lock);
	if (!bus)
		return;
	bus->match_subs(ch);
	module_put(bus->owner);
}

/*
 * Called when the primary channel is open: its sub-channels may get devices now. If the
 * device is being cut off, kmcl_subs_next_to_sever() has come first or comes later.
 */
void kmcl_subs_accept_offers(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_subs_lock);
	if (!READ_ONCE(ch->lost))
		ch->subs.phase = KMCL_SUBS_ACCEPTED;
	mutex_unlock(&kmcl_subs_lock);
	kmcl_subs_match(ch);
}

/*
 * Called before the primary channel is closed. When this function returns, nothing
 * accesses the rings of the sub-channels.
 */
void kmcl_subs_park(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_hostwait wait;

	mutex_lock(&kmcl_subs_lock);
	ch->subs.phase = KMCL_SUBS_PARKING;
	list_for_each_entry(sub, &ch->subs.list, subs.node)
		if (sub->subs.state != KMCL_SUB_OUT)
			kmcl_channel_lose(sub, READ_ONCE(sub->endpoint));
	mutex_unlock(&kmcl_subs_lock);

	kmcl_hostwait_start(&wait, ch, "sub-channels' rest", 0);
	kmcl_hostwait_event(ch->changed, !atomic_read(&ch->subs.nr_active));
	kmcl_hostwait_stop(&wait);
}

/*
 * Called around the close of the primary channel, which closes the sub-channels, too.
 * A client that deletes a GPADL of a sub-channel must not wait for the host at the
 * same time, as a rescind wakes only one waiter. The list of parked sub-channels does
 * not change before kmcl_subs_release(), and ch->control serialises the callers.
 */
void kmcl_subs_lock_control(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;

	lockdep_assert_held(&ch->control);
	list_for_each_entry(sub, &ch->subs.parked, subs.park_node)
		mutex_lock_nest_lock(&sub->control, &ch->control);
}

void kmcl_subs_unlock_control(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;

	list_for_each_entry(sub, &ch->subs.parked, subs.park_node)
		mutex_unlock(&sub->control);
}

/*
 * Called when the primary channel is closed. When this function returns, the
 * sub-channels that had a device are disabled. The others still wait for an offer.
 */
void kmcl_subs_release(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_hostwait wait;

	mutex_lock(&kmcl_subs_lock);
	/*
	 * Pairs with kmcl_subs_parking(): a sub-channel that sees this phase also
	 * sees the result of the close.
	 */
	smp_store_release(&ch->subs.phase, KMCL_SUBS_REFUSED);
	while ((sub = list_first_entry_or_null(&ch->subs.parked,
					       struct kmcl_channel,
					       subs.park_node))) {
		list_del_init(&sub->subs.park_node);
		wake_up_all(&sub->changed);
	}
	mutex_unlock(&kmcl_subs_lock);

	kmcl_hostwait_start(&wait, ch, "sub-channels' end", 0);
	kmcl_hostwait_event(ch->changed, !atomic_read(&ch->subs.nr_in));
	kmcl_hostwait_stop(&wait);
}

/*
 * Called again and again when the device is rescinded: returns each sub-channel that
 * has a device once, with a reference, and then NULL. No sub-channel gets a device
 * any more.
 */
struct kmcl_channel *kmcl_subs_next_to_sever(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub, *found = NULL;

	mutex_lock(&kmcl_subs_lock);
	if (ch->subs.phase == KMCL_SUBS_ACCEPTED)
		ch->subs.phase = KMCL_SUBS_REFUSED;
	list_for_each_entry(sub, &ch->subs.list, subs.node) {
		if (sub->subs.state == KMCL_SUB_OUT || sub->subs.severing)
			continue;
		sub->subs.severing = true;
		kmcl_channel_get(sub);
		found = sub;
		break;
	}
	mutex_unlock(&kmcl_subs_lock);
	return found;
}

/**
 * kmcl_sub_offer - offer the host's sub-channel to the sub-channels of a channel
 * @primary: the primary channel; the caller holds a reference
 * @endpoint: as for kmcl_channel_attach(), on the bus of @primary
 * @instance: the device's instance GUID, which all channels of a device share
 * @owner: part of @endpoint; set to a sub-channel before @endpoint is attached
 *	to that sub-channel, which may use @endpoint at once
 *
 * Context: may sleep.
 * Return: false if no sub-channel waits for a device; *@owner is %NULL then. The bus
 * may keep @endpoint until match_subs() is called.
 */
bool kmcl_sub_offer(struct kmcl_channel *primary, void *endpoint,
		    const guid_t *instance, struct kmcl_channel **owner)
{
	struct kmcl_channel *sub;
	bool attached = false;

	mutex_lock(&kmcl_subs_lock);
	list_for_each_entry(sub, &primary->subs.list, subs.node) {
		*owner = sub;
		attached = kmcl_channel_attach(sub, primary->bus, endpoint,
					       instance);
		if (attached)
			break;
	}
	mutex_unlock(&kmcl_subs_lock);
	if (!attached)
		*owner = NULL;
	return attached;
}
KMCL_EXPORT_TO_BUSES(kmcl_sub_offer);
