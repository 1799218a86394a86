// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a bus tells a channel of its device: it is there, it goes, it is away for a
 * while. The channel's work item does the rest, in channel_state.c.
 */

#include "bus.h"
#include "channel.h"
#include "channel_sub.h"
#include "compat.h"
#include "hostwait.h"
#include "poll.h"
#include "tx.h"

/**
 * kmcl_channel_accepts - would the channel take a device of this instance?
 * @ch: the channel
 * @instance: the device's instance GUID
 *
 * Context: may sleep.
 * Return: true when it waits for one like it.
 */
bool kmcl_channel_accepts(struct kmcl_channel *ch, const guid_t *instance)
{
	bool wants;

	mutex_lock(&ch->lock);
	wants = ch->wanted && !ch->endpoint && ch->state == KMCL_ENABLED &&
		(!ch->set.has_instance ||
		 guid_equal(&ch->set.instance, instance));
	mutex_unlock(&ch->lock);
	return wants;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_accepts);

/**
 * kmcl_channel_attach - offer a device to a channel
 * @ch: a channel that listens
 * @bus: the one that has the device
 * @endpoint: what the bus wants to find in channel->endpoint; its own, and to
 *	stay until the bus's release() has run
 * @instance: the device's instance GUID
 *
 * The channel opens it later, in a context of its own.
 *
 * Context: may sleep.
 * Return: false when the channel does not want it.
 */
bool kmcl_channel_attach(struct kmcl_channel *ch,
			 const struct kmcl_bus_ops *bus, void *endpoint,
			 const guid_t *instance)
{
	bool attached = false;

	mutex_lock(&ch->lock);
	if (ch->wanted && !ch->endpoint && ch->state == KMCL_ENABLED &&
	    kmcl_sub_join(ch)) {
		WRITE_ONCE(ch->bus, bus);
		ch->endpoint = endpoint;
		ch->instance = *instance;
		ch->lost = false;
		ch->asleep = false;
		kmcl_channel_kick(ch);
		attached = true;
	}
	mutex_unlock(&ch->lock);
	return attached;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_attach);

/* Note something of the device the channel is attached to, if it still is. */
static bool kmcl_channel_mark(struct kmcl_channel *ch, void *endpoint,
			      bool *mark, bool value)
{
	bool attached;

	mutex_lock(&ch->lock);
	attached = ch->endpoint == endpoint;
	if (attached) {
		WRITE_ONCE(*mark, value);
		/* In the lock: it must not reach the next opening. */
		if (value)
			kmcl_tx_refuse(ch);
		kmcl_channel_kick(ch);
		wake_up_all(&ch->changed);
	}
	mutex_unlock(&ch->lock);
	return attached;
}

/**
 * kmcl_channel_lose - a channel's device goes
 * @ch: the channel; the caller sees to it that it stays
 * @endpoint: as given to kmcl_channel_attach()
 *
 * The channel goes down, in a context of its own.
 *
 * Context: may sleep.
 */
void kmcl_channel_lose(struct kmcl_channel *ch, void *endpoint)
{
	/* A callback may wait for the host in a synchronous request. */
	if (kmcl_channel_mark(ch, endpoint, &ch->lost, true))
		kmcl_tx_cancel(ch, -ENODEV);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_lose);

/**
 * kmcl_channel_detach - take a device away from a channel
 * @ch: the channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach()
 *
 * When it returns the channel is closed, disabled, and has forgotten @endpoint; and
 * so have its sub-channels theirs.
 *
 * Context: may sleep; waits for the client's callbacks. Not from one of them.
 */
void kmcl_channel_detach(struct kmcl_channel *ch, void *endpoint)
{
	struct kmcl_hostwait wait;

	kmcl_channel_lose(ch, endpoint);
	if (READ_ONCE(ch->endpoint) != endpoint)
		return;
	kmcl_hostwait_start(&wait, ch, "device removal", 0);
	wait_event(ch->changed, READ_ONCE(ch->endpoint) != endpoint);
	kmcl_hostwait_stop(&wait);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_detach);

/**
 * kmcl_channel_suspend_device - the device will be away, and come back
 * @ch: the channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach()
 *
 * When it returns the channel is closed, and waits for kmcl_channel_resume_device() with
 * everything else as it was; or it is disabled, if that was wanted meanwhile.
 *
 * Context: may sleep; waits for the client's callbacks. Not from one of them.
 */
void kmcl_channel_suspend_device(struct kmcl_channel *ch, void *endpoint)
{
	struct kmcl_hostwait wait;

	if (!kmcl_channel_mark(ch, endpoint, &ch->asleep, true))
		return;

	/* A callback may wait for the host in a synchronous request. */
	kmcl_tx_cancel(ch, -ENODEV);
	kmcl_hostwait_start(&wait, ch, "suspend", 0);
	flush_work(&ch->work);
	kmcl_hostwait_stop(&wait);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_suspend_device);

/**
 * kmcl_channel_resume_device - the device is back
 * @ch: the channel
 * @endpoint: as given to kmcl_channel_attach()
 *
 * The channel opens it later, in a context of its own.
 *
 * Context: may sleep.
 */
void kmcl_channel_resume_device(struct kmcl_channel *ch, void *endpoint)
{
	kmcl_channel_mark(ch, endpoint, &ch->asleep, false);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_resume_device);
