// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking a device away from a channel.
 *
 * A device that an administrator unbinds is still there for the host, so the channel
 * is closed in the usual order, and the caller waits for the client. A device that the
 * host has rescinded has nothing left to wait for: the host holds no memory of it. And
 * hv_vmbus handles the rescinds of all devices one after another, and loses a device
 * that the host offers again before the old one is freed. So a channel that is not
 * closed in a moment is cut off: its rings are stopped and the bus forgets the device,
 * whatever the client does. The channel's work item later tells the client, who may
 * take its time.
 */

#include "bus.h"
#include "channel.h"
#include "channel_device.h"
#include "channel_primary.h"
#include "compat.h"
#include "gpadl.h"
#include "hostwait.h"

/*
 * How long a channel whose device was rescinded may take to close in the usual order,
 * and how often it is checked during an unbind whether the host rescinds the device.
 */
#define KMCL_DETACH_POLL_MS	20

static bool kmcl_channel_is_rescinded(struct kmcl_channel *ch, void *endpoint)
{
	bool rescinded;

	mutex_lock(&ch->lock);
	rescinded = ch->endpoint == endpoint && ch->bus->rescinded(ch);
	mutex_unlock(&ch->lock);
	return rescinded;
}

/*
 * Nothing uses the device of @endpoint afterwards. ch->control waits for the host at
 * most, whose rescind ends that wait. A callback may wait for the rescind in the create of
 * a GPADL, and the bus may tell of it only when the channel has released the device.
 */
static void kmcl_channel_sever(struct kmcl_channel *ch, void *endpoint)
{
	LIST_HEAD(gone);
	bool attached;

	kmcl_gpadl_lock_for_close(ch);
	mutex_lock(&ch->lock);
	attached = ch->endpoint == endpoint;
	if (attached)
		ch->severed = true;
	mutex_unlock(&ch->lock);
	if (attached) {
		kmcl_channel_stop_rings(ch);
		ch->bus->forget(ch);
		kmcl_gpadl_prove_all(endpoint, &gone);
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}

/* The bus closes the sub-channels together with their primary channel. */
static void kmcl_channel_sever_subs(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	void *endpoint;

	while ((sub = kmcl_subs_next_to_sever(ch))) {
		endpoint = READ_ONCE(sub->endpoint);
		if (endpoint) {
			kmcl_channel_lose(sub, endpoint);
			kmcl_channel_sever(sub, endpoint);
		}
		kmcl_channel_put(sub);
	}
}

/**
 * kmcl_channel_detach - take a device away from a channel
 * @ch: the channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach()
 *
 * When this function returns, the channel does not access the device any more, and the
 * same is true of its sub-channels. If the host has rescinded the device, or rescinds
 * it meanwhile, this takes a moment: the client may not have been told yet, and the
 * channel keeps @endpoint until the release() operation. Otherwise the channel is
 * closed, and has released @endpoint or is about to.
 *
 * Context: may sleep; waits for the client's callbacks unless the device is
 * rescinded, so it must not be called from one.
 */
void kmcl_channel_detach(struct kmcl_channel *ch, void *endpoint)
{
	struct kmcl_hostwait wait;

	kmcl_channel_lose(ch, endpoint);
	if (READ_ONCE(ch->endpoint) != endpoint)
		return;
	kmcl_hostwait_start(&wait, ch, "device removal", 0);
	while (!wait_event_idle_timeout(ch->changed,
					READ_ONCE(ch->endpoint) != endpoint,
					msecs_to_jiffies(KMCL_DETACH_POLL_MS))) {
		if (!kmcl_channel_is_rescinded(ch, endpoint))
			continue;
		/* Once more: packets with external data can be finished now. */
		kmcl_channel_lose(ch, endpoint);
		kmcl_channel_sever_subs(ch);
		kmcl_channel_sever(ch, endpoint);
		break;
	}
	kmcl_hostwait_stop(&wait);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_detach);
