// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device that a channel is attached to.
 *
 * A bus calls these functions when a device appears, is lost, suspended or resumed.
 * They record that under ch->lock and queue the channel's work item, which opens or
 * closes the channel (channel_state.c).
 */

#include <linux/device.h>

#include "bus.h"
#include "channel.h"
#include "channel_device.h"
#include "channel_sub.h"
#include "compat.h"
#include "hostwait.h"
#include "poll.h"
#include "tx.h"

/* True if the channel is enabled and has no device yet. */
static bool kmcl_channel_needs_device(const struct kmcl_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	return ch->wanted && !ch->endpoint && ch->state == KMCL_ENABLED;
}

/**
 * kmcl_channel_accepts - ask whether a channel waits for a device
 * @ch: the channel
 * @instance: the device's instance GUID
 *
 * Context: may sleep.
 * Return: true if the channel waits for a device of this instance, or of any.
 */
bool kmcl_channel_accepts(struct kmcl_channel *ch, const guid_t *instance)
{
	bool accepts;

	mutex_lock(&ch->lock);
	accepts = kmcl_channel_needs_device(ch) &&
		  (!ch->set.has_instance ||
		   guid_equal(&ch->set.instance, instance));
	mutex_unlock(&ch->lock);
	return accepts;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_accepts);

static void kmcl_channel_take_device(struct kmcl_channel *ch,
				     const struct kmcl_bus_ops *bus,
				     void *endpoint, const guid_t *instance)
{
	lockdep_assert_held(&ch->lock);
	WRITE_ONCE(ch->bus, bus);
	ch->endpoint = endpoint;
	ch->instance = *instance;
	ch->lost = false;
	ch->severed = false;
	ch->asleep = false;
}

/**
 * kmcl_channel_attach - attach a device to a channel
 * @ch: a channel that listens on @bus
 * @bus: the bus that has the device
 * @endpoint: the bus's own structure for the device, which becomes
 *	ch->endpoint. The bus keeps the structure until its release() operation
 *	was called, which may be long after the device is gone.
 * @instance: the device's instance GUID
 *
 * The channel's work item opens the channel later.
 *
 * Context: may sleep.
 * Return: false if the channel does not wait for a device any more.
 */
bool kmcl_channel_attach(struct kmcl_channel *ch,
			 const struct kmcl_bus_ops *bus, void *endpoint,
			 const guid_t *instance)
{
	bool attached = false;

	mutex_lock(&ch->lock);
	if (kmcl_channel_needs_device(ch) && kmcl_sub_join(ch)) {
		kmcl_channel_take_device(ch, bus, endpoint, instance);
		kmcl_channel_kick(ch);
		attached = true;
	}
	mutex_unlock(&ch->lock);
	return attached;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_attach);

/**
 * kmcl_channel_attach_server - attach an offer to the channel of a server
 * @ch: a server's channel in &kmcl_bus_ops.listen, which is called only for a
 *	channel that is enabled and has no offer
 * @bus: the bus that makes the offer
 * @endpoint: the bus's own structure for the offer, as for kmcl_channel_attach()
 *
 * While no client has opened the offer, the channel is asleep. It is opened after
 * kmcl_channel_resume_device(), and closed by kmcl_channel_close_server().
 *
 * Context: may sleep.
 */
void kmcl_channel_attach_server(struct kmcl_channel *ch,
				const struct kmcl_bus_ops *bus, void *endpoint)
{
	mutex_lock(&ch->lock);
	kmcl_channel_take_device(ch, bus, endpoint, &ch->set.instance);
	ch->asleep = true;
	mutex_unlock(&ch->lock);
}

/*
 * Forget the device, and what is recorded of it: a removal of this device must not be
 * taken for one of the next. The caller hands the endpoint back to the bus afterwards,
 * so that nobody who holds ch->lock finds an endpoint that may be freed.
 */
void kmcl_channel_drop_device(struct kmcl_channel *ch)
{
	lockdep_assert_held(&ch->control);
	mutex_lock(&ch->lock);
	WRITE_ONCE(ch->endpoint, NULL);
	WRITE_ONCE(ch->bus, NULL);
	WRITE_ONCE(ch->wanted, false);
	ch->lost = false;
	ch->severed = false;
	ch->asleep = false;
	wake_up_all(&ch->changed);
	mutex_unlock(&ch->lock);
}

/* The client may not use the device any more that it asked for. */
void kmcl_channel_unpin_target(struct kmcl_channel *ch)
{
	struct device *target;

	mutex_lock(&ch->lock);
	target = ch->target;
	ch->target = NULL;
	mutex_unlock(&ch->lock);
	put_device(target);
}

/*
 * When this function returns, nothing of this module accesses the rings, and no GPADL
 * is created any more. So kmcl_gpadl_delete_leftovers(), which is called later, finds
 * all of them.
 */
void kmcl_channel_stop_rings(struct kmcl_channel *ch)
{
	lockdep_assert_held(&ch->control);
	if (!ch->connected)
		return;
	kmcl_rx_stop(ch);
	kmcl_tx_stop(ch, -ENODEV);
	ch->connected = false;
}

/*
 * True if the channel is asleep already. It may be closed by now, and queue packets for
 * its next opening. A second loss is no such repetition: the device may be rescinded now.
 */
static bool kmcl_channel_sleeps(const struct kmcl_channel *ch, const bool *mark)
{
	lockdep_assert_held(&ch->lock);
	return mark == &ch->asleep && ch->asleep;
}

/*
 * Set or clear ->lost or ->asleep, to which @mark points. Returns false, and
 * changes nothing, if @endpoint is not the device of the channel any more, or NULL.
 */
static bool kmcl_channel_mark(struct kmcl_channel *ch, void *endpoint,
			      bool *mark, bool value)
{
	bool attached, refuse;

	mutex_lock(&ch->lock);
	attached = endpoint && ch->endpoint == endpoint;
	if (attached) {
		refuse = value && !kmcl_channel_sleeps(ch, mark);
		WRITE_ONCE(*mark, value);
		/*
		 * Refuse sends while ch->lock is held. After the unlock the channel
		 * may be closed and opened again, and this would refuse its sends.
		 */
		if (refuse)
			kmcl_tx_refuse(ch);
		kmcl_channel_kick(ch);
		wake_up_all(&ch->changed);
	}
	mutex_unlock(&ch->lock);
	return attached;
}

/**
 * kmcl_channel_lose - tell a channel that its device is being removed
 * @ch: the channel; the caller makes sure that it is not freed meanwhile
 * @endpoint: as given to kmcl_channel_attach()
 *
 * The channel's work item closes the channel later.
 *
 * Context: may sleep.
 */
void kmcl_channel_lose(struct kmcl_channel *ch, void *endpoint)
{
	/* A callback may wait for the host in a synchronous request. */
	if (kmcl_channel_mark(ch, endpoint, &ch->lost, true))
		kmcl_tx_cancel(ch, -ENODEV, NULL);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_lose);

/**
 * kmcl_channel_suspend_device - tell a channel that its device is suspended
 * @ch: the channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach()
 *
 * When this function returns, the channel is closed. It keeps the device and
 * waits for kmcl_channel_resume_device(). If the client disabled the channel
 * meanwhile, the channel is disabled instead and has no device.
 *
 * Context: may sleep; waits for the client's callbacks, so it must not be
 * called from one.
 */
void kmcl_channel_suspend_device(struct kmcl_channel *ch, void *endpoint)
{
	struct kmcl_hostwait wait;

	if (!kmcl_channel_mark(ch, endpoint, &ch->asleep, true))
		return;

	/* A callback may wait for the host in a synchronous request. */
	kmcl_tx_cancel(ch, -ENODEV, NULL);
	kmcl_hostwait_start(&wait, ch, "suspend", 0);
	flush_work(&ch->work);
	kmcl_hostwait_stop(&wait);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_suspend_device);

/**
 * kmcl_channel_resume_device - tell a channel that its device is resumed
 * @ch: the channel
 * @endpoint: as given to kmcl_channel_attach()
 *
 * The channel's work item opens the channel later. Nothing happens if the client
 * has disabled the channel meanwhile.
 *
 * Context: may sleep.
 */
void kmcl_channel_resume_device(struct kmcl_channel *ch, void *endpoint)
{
	kmcl_channel_mark(ch, endpoint, &ch->asleep, false);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_resume_device);

/* True if a server has let go of everything that belonged to its client. */
static bool kmcl_server_is_closed(const struct kmcl_channel *ch,
				  const void *endpoint)
{
	return READ_ONCE(ch->endpoint) != endpoint ||
	       READ_ONCE(ch->state) <= KMCL_ENABLED;
}

/**
 * kmcl_channel_close_server - close a server's channel, because its client closes
 * @ch: the server's channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach_server(), which the client had opened
 *
 * When this function returns, the channel is closed and does not access the rings
 * or the memory of the client any more. It is offered still, unless the server has
 * disabled it.
 *
 * Context: may sleep; waits for the server's callbacks and until the server has
 * completed the packets that it holds, so it must not be called from a callback.
 */
void kmcl_channel_close_server(struct kmcl_channel *ch, void *endpoint)
{
	if (!kmcl_channel_mark(ch, endpoint, &ch->asleep, true))
		return;

	/* A callback may wait for the completion of a packet. */
	kmcl_tx_cancel(ch, -ENODEV, NULL);
	kmcl_hostwait_event(ch->changed, kmcl_server_is_closed(ch, endpoint));
}
