// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a channel, and the work item that moves a channel between them.
 *
 * The API functions record under ch->lock what the client wants (wanted,
 * paused), and the bus records there what happens to the device (endpoint,
 * lost, asleep). Both then queue the channel's work item, which takes one step
 * after the other until the state agrees with what is recorded. Every
 * state-change callback runs in this work item, so two callbacks of a channel
 * never overlap, and no channel is opened from within the probe function of a
 * driver.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "bus.h"
#include "channel.h"
#include "channel_device.h"
#include "channel_mmio.h"
#include "channel_primary.h"
#include "channel_state.h"
#include "gpadl.h"
#include "hostwait.h"
#include "poll.h"
#include "ring_size.h"
#include "server_gpadl.h"
#include "status.h"
#include "trace.h"

static unsigned int removal_wait_ms = 5000;
module_param(removal_wait_ms, uint, 0644);
MODULE_PARM_DESC(removal_wait_ms,
		 "Milliseconds that a device which goes waits for packets its client has (default 5000)");

static void kmcl_channel_set_state(struct kmcl_channel *ch,
				   enum kmcl_state state)
{
	lockdep_assert_held(&ch->lock);
	trace_vmbkmcl_channel_state(ch, ch->state, state);
	ch->state = state;
	wake_up_all(&ch->changed);
}

/*
 * The client enables the channel again when it wants to, and the channel is active
 * then: a pause ends with the opening that it was for. A server has to start its channel
 * each time.
 */
static void kmcl_channel_set_disabled(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->paused, ch->is_server);
	kmcl_channel_set_state(ch, KMCL_DISABLED);
}

/*
 * True if the device is being removed or suspended, which must not wait for ever, or
 * if it is of no use, because the ring is corrupt.
 */
static bool kmcl_channel_going_away(const struct kmcl_channel *ch)
{
	return READ_ONCE(ch->lost) || READ_ONCE(ch->asleep) ||
	       READ_ONCE(ch->rx.failed);
}

/* True if there is no reason to close the channel. */
static bool kmcl_channel_keep_up(const struct kmcl_channel *ch)
{
	return READ_ONCE(ch->wanted) && !kmcl_channel_going_away(ch);
}

/* Record a fact. Unlike kmcl_channel_advance() this is unconditional. */
static void kmcl_channel_enter(struct kmcl_channel *ch, enum kmcl_state state)
{
	mutex_lock(&ch->lock);
	kmcl_channel_set_state(ch, state);
	/*
	 * kmcl_tx_open() must be called under ch->lock: whoever clears ->wanted or
	 * sets ->lost does so under the lock, too, and then calls kmcl_tx_refuse(),
	 * which must not be overtaken.
	 */
	if (state == KMCL_OPENED && kmcl_channel_keep_up(ch))
		kmcl_tx_open(ch);
	if (state == KMCL_OPENED)
		ch->latency = KMCL_LATENCY_DEFAULT;
	if (state == KMCL_CLOSED)
		kmcl_tx_wait(ch);
	mutex_unlock(&ch->lock);
}

/* Enter a state, unless the channel has to be closed: then return false. */
static bool kmcl_channel_advance(struct kmcl_channel *ch, enum kmcl_state state)
{
	bool go_on;

	mutex_lock(&ch->lock);
	go_on = kmcl_channel_keep_up(ch);
	if (go_on)
		kmcl_channel_set_state(ch, state);
	mutex_unlock(&ch->lock);
	return go_on;
}

/* Like kmcl_channel_advance(), but also return false unless ->paused is @paused. */
static bool kmcl_channel_advance_if(struct kmcl_channel *ch,
				    enum kmcl_state state, bool paused)
{
	bool go_on;

	mutex_lock(&ch->lock);
	go_on = kmcl_channel_keep_up(ch) && ch->paused == paused;
	if (go_on)
		kmcl_channel_set_state(ch, state);
	mutex_unlock(&ch->lock);
	return go_on;
}

/*
 * All that needs the device happens under ch->control: kmcl_channel_detach() takes it
 * to cut the channel off, whose device is gone afterwards.
 */
static int kmcl_channel_open_rings(struct kmcl_channel *ch)
{
	struct kmcl_bus_rings rings = {
		.tx_bytes = kmcl_channel_tx_bytes(ch),
		.rx_bytes = kmcl_channel_rx_bytes(ch),
		.has_cpu = ch->set.has_cpu,
		.cpu = ch->set.cpu,
	};
	struct kmcl_hostwait wait;
	int err;

	lockdep_assert_held(&ch->control);
	if (READ_ONCE(ch->lost))
		return -ENODEV;
	kmcl_hostwait_start(&wait, ch, "open", 0);
	err = kmcl_host_error(ch->bus->open(ch, &rings));
	kmcl_hostwait_stop(&wait);
	if (err)
		return err;
	ch->connected = true;
	kmcl_ring_init(&ch->tx.ring, &rings.tx);
	kmcl_ring_init(&ch->rx.ring, &rings.rx);
	kmcl_mmio_get(ch);
	return 0;
}

static int kmcl_channel_open(struct kmcl_channel *ch)
{
	int err;

	err = kmcl_rx_open(ch);
	if (err)
		return err;
	err = kmcl_delivery_open(ch);
	if (err)
		goto close_rx;
	mutex_lock(&ch->control);
	err = kmcl_channel_open_rings(ch);
	mutex_unlock(&ch->control);
	if (err)
		goto close_delivery;
	return 0;

close_delivery:
	kmcl_delivery_close(ch);
close_rx:
	kmcl_rx_close(ch);
	return err;
}

/* Stop using the rings, and tear down the GPADLs that the close would lose. */
static void kmcl_channel_stop(struct kmcl_channel *ch)
{
	kmcl_gpadl_lock_for_close(ch);
	kmcl_channel_stop_rings(ch);
	if (ch->bus->gpadls_before_close(ch))
		kmcl_gpadl_disconnect_all(ch);
	mutex_unlock(&ch->control);
}

/*
 * Returns -ETIMEDOUT if the host may continue to use the rings and the external
 * data of packets, as it may not have got the close message.
 */
static int kmcl_channel_close(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;
	bool lost;
	int err;

	kmcl_gpadl_lock_for_close(ch);
	kmcl_subs_lock_control(ch);
	kmcl_hostwait_start(&wait, ch, "close", 0);
	err = ch->bus->close(ch);
	kmcl_hostwait_stop(&wait);
	kmcl_subs_unlock_control(ch);
	lost = err && !ch->bus->rescinded(ch);
	mutex_unlock(&ch->control);
	if (lost && err == -EBUSY && ch->subs.primary)
		kmcl_info(ch, "the host has it open until %s is closed\n",
			  ch->subs.primary->name);
	else if (lost)
		kmcl_err(ch, "the host may not know of the close: error %d\n",
			 err);
	return lost ? -ETIMEDOUT : 0;
}

#define KMCL_WHAT_MAX	96

static bool kmcl_channel_holds_none(const struct kmcl_channel *ch)
{
	return !kmcl_delivery_held(&ch->delivery);
}

static void kmcl_hostwait_start_held(struct kmcl_hostwait *wait,
				     struct kmcl_channel *ch, char *what,
				     size_t size)
{
	snprintf(what, size, "completion of %u packets by %s",
		 kmcl_delivery_held(&ch->delivery), ch->client);
	kmcl_hostwait_start(wait, ch, what, 0);
}

/*
 * Wait until the client has completed the packets that it holds. Returns false
 * if the channel has to be closed before.
 */
static bool kmcl_channel_wait_held(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;
	char what[KMCL_WHAT_MAX];

	if (kmcl_channel_holds_none(ch))
		return true;
	kmcl_hostwait_start_held(&wait, ch, what, sizeof(what));
	kmcl_hostwait_event(ch->changed,
			    kmcl_channel_holds_none(ch) || !kmcl_channel_keep_up(ch));
	kmcl_hostwait_stop(&wait);
	return kmcl_channel_holds_none(ch);
}

/*
 * A server is waited for without a limit: its client has not got its memory back
 * before, and nothing but this client waits. If the server's module goes meanwhile,
 * nobody completes the packets.
 */
static void kmcl_server_wait_held(struct kmcl_channel *ch)
{
	kmcl_hostwait_event(ch->changed,
			    kmcl_channel_holds_none(ch) ||
			    READ_ONCE(ch->abandoned));
	if (!kmcl_channel_holds_none(ch))
		kmcl_delivery_forget_held(ch);
}

/*
 * Wait before the close until the client has completed the packets that it holds.
 * If the client disables the channel, this waits for as long as the client takes.
 * If the device is removed or suspended, this waits for removal_wait_ms at most, as
 * an unbind or a suspend waits for it. The same is true for a sub-channel whose
 * primary channel closes. The packets that are left are then
 * detached from the channel, and stay valid until the client completes them.
 */
static void kmcl_channel_wait_held_going_down(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;
	char what[KMCL_WHAT_MAX];
	long left;

	if (kmcl_channel_holds_none(ch))
		return;
	if (READ_ONCE(ch->abandoned)) {
		/* The client's module is gone, so nobody completes the packets. */
		kmcl_delivery_forget_held(ch);
		return;
	}
	kmcl_hostwait_start_held(&wait, ch, what, sizeof(what));
	if (ch->is_server) {
		kmcl_server_wait_held(ch);
		kmcl_hostwait_stop(&wait);
		return;
	}
	kmcl_hostwait_event(ch->changed,
			    kmcl_channel_holds_none(ch) || kmcl_channel_going_away(ch));
	left = wait_event_idle_timeout(ch->changed, kmcl_channel_holds_none(ch),
				       msecs_to_jiffies(READ_ONCE(removal_wait_ms)));
	kmcl_hostwait_stop(&wait);
	if (!left) {
		kmcl_warn_always(ch, "the device goes, %s has not completed %u packets\n",
				 ch->client,
				 kmcl_delivery_held(&ch->delivery));
		kmcl_delivery_orphan(ch);
	}
}

static void kmcl_call(struct kmcl_channel *ch, void (*callback)(VMBCHANNEL ch))
{
	if (callback && !READ_ONCE(ch->abandoned))
		callback(ch);
}

/* Stop the delivery of packets, then tell the client. */
static void kmcl_channel_suspend(struct kmcl_channel *ch)
{
	kmcl_delivery_stop(ch);
	kmcl_call(ch, ch->set.evt.EvtChannelSuspend);
}

/* How often to look for a rescind: if the device was unbound before, nothing tells. */
#define KMCL_POLL_RESCIND_MS	1000

/* How often to look whether the host has completed a packet: nothing tells. */
#define KMCL_POLL_OWNED_MS	20

/* True if a synchronous request of a sub-channel must not return yet. */
static bool kmcl_sub_has_owned_request(struct kmcl_channel *ch)
{
	return kmcl_sub_closes_alone(ch) && !ch->bus->rescinded(ch) &&
	       kmcl_tx_has_owned_data(ch, true);
}

/*
 * A sub-channel that is disabled alone stays open for the host, which may access the
 * external data of a packet until it has completed the packet. The caller of a synchronous
 * request takes data that only its owner holds for its own when the request returns, so this
 * waits while completions are still received. When the primary channel closes, the host
 * is told to let go.
 */
static void kmcl_sub_wait_for_owned_requests(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;

	if (!kmcl_sub_has_owned_request(ch))
		return;
	kmcl_hostwait_start(&wait, ch,
			    "completion, for external data that only its owner holds,",
			    0);
	/* A completion may be behind packets for which nobody makes room any more. */
	WRITE_ONCE(ch->delivery.refused, true);
	kmcl_poll_schedule(ch);
	while (kmcl_sub_has_owned_request(ch))
		wait_event_timeout(ch->changed, !kmcl_sub_closes_alone(ch),
				   msecs_to_jiffies(KMCL_POLL_OWNED_MS));
	kmcl_hostwait_stop(&wait);
}

/*
 * The close has failed with @err, so the host may still access the external data of
 * packets. Data that only its owner holds must not be returned before the host has
 * rescinded the device. A sub-channel that is disabled alone stays open for the host, and
 * the status of its packets tells that the data are not returned.
 */
static int kmcl_channel_wait_for_owned_data(struct kmcl_channel *ch, int err)
{
	struct kmcl_hostwait wait;

	if (!err || ch->subs.state == KMCL_SUB_IN ||
	    !kmcl_tx_has_owned_data(ch, false))
		return err;
	kmcl_hostwait_start(&wait, ch,
			    "rescind, for external data that only its owner holds,",
			    0);
	while (!ch->bus->rescinded(ch))
		wait_event_timeout(ch->changed, ch->bus->rescinded(ch),
				   msecs_to_jiffies(KMCL_POLL_RESCIND_MS));
	kmcl_hostwait_stop(&wait);
	return 0;
}

/*
 * Refuse the client's sends, stop the delivery, and wait for the packets that the
 * client holds: their completions are still sent. Then stop the poll, stop all sends
 * and close the ring, unless kmcl_channel_detach() has done so already. Memory that the
 * host may still use is not freed; if the close fails, it stays with the host. @opened:
 * EvtChannelOpened succeeded, so EvtChannelClosed is due.
 */
static void kmcl_channel_shut_down(struct kmcl_channel *ch, bool opened)
{
	int err;

	kmcl_tx_refuse(ch);
	kmcl_tx_cancel(ch, -ENODEV, NULL);
	if (ch->state >= KMCL_STARTED)
		kmcl_channel_suspend(ch);
	kmcl_channel_wait_held_going_down(ch);
	kmcl_sub_wait_for_owned_requests(ch);
	kmcl_channel_stop(ch);
	kmcl_subs_park(ch);
	kmcl_sub_park(ch);
	err = kmcl_channel_close(ch);
	kmcl_subs_release(ch);
	err = kmcl_channel_wait_for_owned_data(ch, err);
	/*
	 * The error of the close tells the client that it does not get the external
	 * data of its packets back.
	 */
	kmcl_tx_finish(ch, err ?: -ENODEV);
	kmcl_delivery_finish(ch);
	kmcl_delivery_close(ch);
	kmcl_rx_close(ch);

	kmcl_channel_enter(ch, KMCL_CLOSED);
	if (opened)
		kmcl_call(ch, ch->set.evt.EvtChannelClosed);
	kmcl_gpadl_delete_leftovers(ch);
	kmcl_server_unmap_leftovers(ch);
	kmcl_mmio_put(ch);
	kmcl_channel_unpin_target(ch);
}

/*
 * Finish the packets that the client has sent while the channel had no ring. Nothing is
 * accepted from here on.
 */
static void kmcl_channel_finish_queued(struct kmcl_channel *ch)
{
	kmcl_tx_refuse(ch);
	kmcl_tx_cancel(ch, -ENODEV, NULL);
	/*
	 * kmcl_channel_lose(), on another CPU, may have removed a packet from the queue
	 * whose done() still runs.
	 */
	synchronize_rcu_expedited();
	kmcl_delivery_finish(ch);
}

/*
 * Release the device of a channel that is closed, was not opened, or could not be opened,
 * and disable the channel.
 */
static void kmcl_channel_finish(struct kmcl_channel *ch)
{
	const struct kmcl_bus_ops *bus = ch->bus;
	void *endpoint = ch->endpoint;

	kmcl_channel_finish_queued(ch);
	mutex_lock(&ch->control);
	kmcl_channel_drop_device(ch);
	mutex_unlock(&ch->control);
	kmcl_channel_unpin_target(ch);
	bus->release(ch, endpoint);

	mutex_lock(&kmcl_subs_lock);
	mutex_lock(&ch->lock);
	kmcl_channel_set_disabled(ch);
	mutex_unlock(&ch->lock);
	/*
	 * VmbChannelDisable() may return from here on. kmcl_subs_lock is held since the
	 * state changed: the client can enable the channel again, but before the channel
	 * has left its primary it gets neither a device of it nor another primary.
	 */
	kmcl_sub_leave(ch);
	mutex_unlock(&kmcl_subs_lock);
}

static void kmcl_channel_down(struct kmcl_channel *ch)
{
	/*
	 * In KMCL_ENABLED the channel was not opened, or was closed for a
	 * suspend.
	 */
	if (ch->state != KMCL_ENABLED)
		kmcl_channel_shut_down(ch, true);
	kmcl_channel_finish(ch);
}

/*
 * Close the channel but keep the device. After a resume the channel is opened
 * again.
 */
static void kmcl_channel_sleep(struct kmcl_channel *ch)
{
	kmcl_channel_shut_down(ch, true);
	kmcl_channel_enter(ch, KMCL_ENABLED);
}

/*
 * The open of a server's channel fails, and so does its client's, which waits for it; or
 * the channel fails later, and the client loses it. The channel is offered still. The
 * caller enters KMCL_ENABLED afterwards: a client that closes waits for that state, and the
 * next client would be told otherwise.
 */
static void kmcl_server_tell_failure(struct kmcl_channel *ch)
{
	mutex_lock(&ch->lock);
	WRITE_ONCE(ch->asleep, true);
	mutex_unlock(&ch->lock);
	ch->bus->opened(ch, -ECONNREFUSED);
}

/* Disable the channel after a failure. The PnP failure callback is the last one. */
static void kmcl_channel_failed(struct kmcl_channel *ch, const char *step,
				NTSTATUS status)
{
	kmcl_warn(ch, "%s failed: status %#x\n", step, status);
	if (ch->is_server) {
		kmcl_server_tell_failure(ch);
		kmcl_channel_enter(ch, KMCL_ENABLED);
		return;
	}
	kmcl_channel_finish_queued(ch);
	if (ch->set.pnp_failure && !READ_ONCE(ch->abandoned))
		ch->set.pnp_failure(ch, status);
	kmcl_channel_finish(ch);
}

/*
 * The incoming ring is corrupt: close the channel as if the device were gone. The client
 * of a server does not wait until the server has completed its packets.
 */
static void kmcl_channel_ring_failed(struct kmcl_channel *ch)
{
	if (ch->is_server) {
		kmcl_server_tell_failure(ch);
		kmcl_channel_sleep(ch);
		return;
	}
	kmcl_channel_shut_down(ch, true);
	kmcl_channel_failed(ch, "the incoming ring", kmcl_status(-EIO));
}

static void kmcl_channel_start(struct kmcl_channel *ch)
{
	if (!kmcl_channel_advance_if(ch, KMCL_STARTED, false))
		return;
	kmcl_call(ch, ch->set.evt.EvtChannelStarted);
	if (!kmcl_channel_keep_up(ch))
		return;
	kmcl_delivery_start(ch);
	kmcl_call(ch, ch->set.evt.EvtChannelPostStarted);
	kmcl_channel_advance(ch, KMCL_ACTIVE);
}

/* kmcl_channel_detach() stops the poll after it has set ->lost. */
static void kmcl_channel_start_poll(struct kmcl_channel *ch)
{
	mutex_lock(&ch->lock);
	if (!ch->lost)
		kmcl_rx_start(ch);
	mutex_unlock(&ch->lock);
}

static void kmcl_channel_up(struct kmcl_channel *ch)
{
	NTSTATUS status = STATUS_SUCCESS;
	int err;

	err = kmcl_channel_open(ch);
	if (err) {
		kmcl_channel_failed(ch, "open", kmcl_status(err));
		return;
	}

	kmcl_channel_enter(ch, KMCL_OPENED);
	kmcl_subs_accept_offers(ch);
	/*
	 * The poll runs before the callback, which may wait for the completion of
	 * a packet.
	 */
	kmcl_channel_start_poll(ch);
	if (ch->set.evt.EvtChannelOpened && !READ_ONCE(ch->abandoned))
		status = ch->set.evt.EvtChannelOpened(ch);
	if (!NT_SUCCESS(status)) {
		kmcl_channel_shut_down(ch, false);
		kmcl_channel_failed(ch, "EvtChannelOpened", status);
	} else if (ch->is_server) {
		ch->bus->opened(ch, 0);
	}
}

/* The client paused the channel before it was open. There is nothing to suspend. */
static void kmcl_channel_come_up_paused(struct kmcl_channel *ch)
{
	kmcl_channel_advance(ch, KMCL_PAUSED);
}

static void kmcl_channel_pause(struct kmcl_channel *ch)
{
	/*
	 * Leave ACTIVE first, or a concurrent VmbChannelStart() would return at
	 * once.
	 */
	if (!kmcl_channel_advance_if(ch, KMCL_PAUSING, true))
		return;
	kmcl_channel_suspend(ch);
	if (kmcl_channel_wait_held(ch))
		kmcl_channel_advance(ch, KMCL_PAUSED);
}

typedef void (*kmcl_step)(struct kmcl_channel *ch);

/* The next step of a channel that has a device; NULL if nothing is to be done. */
static kmcl_step kmcl_channel_step(const struct kmcl_channel *ch)
{
	if (!ch->wanted || ch->lost)
		return kmcl_channel_down;
	if (ch->asleep)
		return ch->state == KMCL_ENABLED ? NULL : kmcl_channel_sleep;
	if (READ_ONCE(ch->rx.failed))
		return kmcl_channel_ring_failed;
	if (ch->state == KMCL_ENABLED)
		return kmcl_channel_up;
	if (ch->state == KMCL_OPENED)
		return ch->paused ? kmcl_channel_come_up_paused :
				    kmcl_channel_start;
	if (ch->state == KMCL_ACTIVE && ch->paused)
		return kmcl_channel_pause;
	if (ch->state == KMCL_PAUSED && !ch->paused)
		return kmcl_channel_start;
	return NULL;
}

static kmcl_step kmcl_channel_next_step(struct kmcl_channel *ch)
{
	kmcl_step step = NULL;

	mutex_lock(&ch->lock);
	if (ch->endpoint)
		step = kmcl_channel_step(ch);
	else if (!ch->wanted && ch->state == KMCL_ENABLED)
		kmcl_channel_set_disabled(ch);
	mutex_unlock(&ch->lock);
	return step;
}

static void kmcl_channel_work(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(work, struct kmcl_channel, work);
	kmcl_step step;

	WRITE_ONCE(ch->worker, current);
	while ((step = kmcl_channel_next_step(ch)))
		step(ch);
	WRITE_ONCE(ch->worker, NULL);
}

/*
 * The client pauses the channel, or undoes that. Returns false, and changes nothing,
 * for a server that starts before it is enabled.
 */
bool kmcl_channel_request_paused(struct kmcl_channel *ch, bool paused)
{
	bool too_early;

	mutex_lock(&ch->lock);
	too_early = ch->is_server && !paused && ch->state == KMCL_DISABLED;
	if (!too_early) {
		WRITE_ONCE(ch->paused, paused);
		kmcl_channel_kick(ch);
		wake_up_all(&ch->changed);
	}
	mutex_unlock(&ch->lock);
	return !too_early;
}

/*
 * The client disables the channel. If the channel has a device, ch->work closes the
 * channel and releases the device.
 */
void kmcl_channel_request_disable(struct kmcl_channel *ch)
{
	mutex_lock(&ch->lock);
	WRITE_ONCE(ch->wanted, false);
	kmcl_tx_refuse(ch);
	kmcl_channel_kick(ch);
	wake_up_all(&ch->changed);
	mutex_unlock(&ch->lock);
}

/* A server can be offered only to clients in this kernel. */
static bool kmcl_channel_has_target(const struct kmcl_channel *ch)
{
	lockdep_assert_held(&ch->lock);
	if (ch->is_server)
		return ch->set.has_type &&
		       (ch->set.server_loopback || ch->set.server_flags &
			VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER);
	return ch->set.has_type || ch->subs.primary;
}

/*
 * The client enables the channel, or undoes that before a device is attached.
 * Returns false, and changes nothing, if the channel is not in a state for
 * that.
 */
bool kmcl_channel_request(struct kmcl_channel *ch, bool wanted)
{
	enum kmcl_state from = wanted ? KMCL_DISABLED : KMCL_ENABLED;
	bool changed;

	mutex_lock(&ch->lock);
	changed = ch->state == from && kmcl_channel_has_target(ch);
	if (changed) {
		ch->wanted = wanted;
		if (wanted)
			kmcl_tx_wait(ch);
		else
			kmcl_tx_refuse(ch);
		/* Each VmbChannelEnable() of a server needs a VmbChannelStart(). */
		if (ch->is_server)
			WRITE_ONCE(ch->paused, true);
		kmcl_channel_set_state(ch, wanted ? KMCL_ENABLED :
						    KMCL_DISABLED);
	}
	mutex_unlock(&ch->lock);
	if (changed && !wanted)
		kmcl_channel_finish_queued(ch);
	return changed;
}

void kmcl_channel_state_init(struct kmcl_channel *ch)
{
	mutex_init(&ch->lock);
	mutex_init(&ch->control);
	init_waitqueue_head(&ch->changed);
	INIT_WORK(&ch->work, kmcl_channel_work);
}
