// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel's life.
 *
 * What the client wants (wanted) and what the bus has (endpoint, lost) is noted
 * under the channel's lock by whoever learns of it; one work item per channel
 * then brings the channel up or down until the state agrees. Every state-change
 * callback runs in that item, which is why no two of them ever overlap, and why
 * nothing opens a channel from inside a driver's probe.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "channel.h"
#include "compat.h"
#include "gpadl.h"
#include "life.h"
#include "status.h"
#include "trace.h"
#include "watch.h"

static struct workqueue_struct *kmcl_wq;

/* Have the state looked at, in a context of its own. */
void kmcl_life_kick(struct kmcl_channel *ch)
{
	queue_work(kmcl_wq, &ch->work);
}

const char *kmcl_state_name(enum kmcl_state state)
{
	static const char * const names[] = {
		[KMCL_DISABLED]	= "disabled",
		[KMCL_ENABLED]	= "enabled",
		[KMCL_OPENED]	= "opened",
		[KMCL_STARTED]	= "started",
		[KMCL_ACTIVE]	= "active",
		[KMCL_CLOSED]	= "closed",
	};

	return names[state];
}

static void kmcl_channel_set_state(struct kmcl_channel *ch,
				   enum kmcl_state state)
{
	lockdep_assert_held(&ch->lock);
	trace_vmbkmcl_channel_state(ch, ch->state, state);
	ch->state = state;
	wake_up_all(&ch->changed);
}

/* The ring is open, or gone again: true whatever the client or the bus wants. */
static void kmcl_channel_enter(struct kmcl_channel *ch, enum kmcl_state state)
{
	mutex_lock(&ch->lock);
	kmcl_channel_set_state(ch, state);
	/* In the lock: whoever ends the wish stops the sends after this. */
	if (state == KMCL_OPENED && ch->wanted && !ch->lost)
		kmcl_tx_open(ch);
	mutex_unlock(&ch->lock);
}

/* False when the device is going or the client changed its mind meanwhile. */
static bool kmcl_channel_advance(struct kmcl_channel *ch, enum kmcl_state state)
{
	bool go_on;

	mutex_lock(&ch->lock);
	go_on = ch->wanted && !ch->lost;
	if (go_on)
		kmcl_channel_set_state(ch, state);
	mutex_unlock(&ch->lock);
	return go_on;
}

static int kmcl_channel_open(struct kmcl_channel *ch)
{
	struct kmcl_watch watch;
	int err;

	mutex_lock(&ch->control);
	kmcl_watch_start(&watch, ch, "open", 0);
	err = ch->bus->open(ch);
	kmcl_watch_stop(&watch);
	ch->connected = !err;
	mutex_unlock(&ch->control);
	return err;
}

static void kmcl_channel_close(struct kmcl_channel *ch)
{
	struct kmcl_watch watch;

	mutex_lock(&ch->control);
	if (ch->bus->gpadls_before_close(ch))
		kmcl_gpadl_disconnect_all(ch);
	kmcl_watch_start(&watch, ch, "close", 0);
	ch->bus->close(ch);
	kmcl_watch_stop(&watch);
	/* From here on no GPADL is made, so what is left below is all. */
	ch->connected = false;
	mutex_unlock(&ch->control);
}

/* The channel is done with its device, and disabled. */
static void kmcl_channel_finish(struct kmcl_channel *ch)
{
	ch->bus->release(ch);

	mutex_lock(&ch->lock);
	ch->endpoint = NULL;
	ch->wanted = false;
	/* Of that device: the next wish must not be taken for lost as well. */
	ch->lost = false;
	kmcl_channel_set_state(ch, KMCL_DISABLED);
	mutex_unlock(&ch->lock);
}

/*
 * Nothing new is sent, then nothing new is received; only then is the ring
 * closed, and only when the host has let go of it is memory given back.
 */
static void kmcl_channel_shut(struct kmcl_channel *ch, bool opened)
{
	const VMB_CHANNEL_STATE_CHANGE_CALLBACKS *evt = &ch->set.evt;

	kmcl_tx_stop(ch, -ENODEV);
	if (ch->state >= KMCL_STARTED && evt->EvtChannelSuspend)
		evt->EvtChannelSuspend(ch);
	kmcl_rx_stop(ch);
	kmcl_channel_close(ch);

	kmcl_channel_enter(ch, KMCL_CLOSED);
	if (opened && evt->EvtChannelClosed)
		evt->EvtChannelClosed(ch);
	kmcl_gpadl_delete_leftovers(ch);
}

static void kmcl_channel_down(struct kmcl_channel *ch)
{
	/* It may never have been opened. */
	if (ch->state != KMCL_ENABLED)
		kmcl_channel_shut(ch, true);
	kmcl_channel_finish(ch);
}

/* The last the client hears before the channel is disabled again. */
static void kmcl_channel_failed(struct kmcl_channel *ch, const char *step,
				NTSTATUS status)
{
	kmcl_warn(ch, "%s failed: status %#x\n", step, status);
	if (ch->set.pnp_failure)
		ch->set.pnp_failure(ch, status);
	kmcl_channel_finish(ch);
}

static void kmcl_channel_up(struct kmcl_channel *ch)
{
	const VMB_CHANNEL_STATE_CHANGE_CALLBACKS *evt = &ch->set.evt;
	NTSTATUS status = STATUS_SUCCESS;
	int err;

	err = kmcl_channel_open(ch);
	if (err) {
		kmcl_channel_failed(ch, "open", kmcl_status(err));
		return;
	}

	kmcl_channel_enter(ch, KMCL_OPENED);
	if (evt->EvtChannelOpened)
		status = evt->EvtChannelOpened(ch);
	if (!NT_SUCCESS(status)) {
		kmcl_channel_shut(ch, false);
		kmcl_channel_failed(ch, "EvtChannelOpened", status);
		return;
	}

	if (!kmcl_channel_advance(ch, KMCL_STARTED))
		return;
	if (evt->EvtChannelStarted)
		evt->EvtChannelStarted(ch);
	kmcl_rx_start(ch);
	if (evt->EvtChannelPostStarted)
		evt->EvtChannelPostStarted(ch);
	kmcl_channel_advance(ch, KMCL_ACTIVE);
}

enum kmcl_step { KMCL_STEP_NONE, KMCL_STEP_UP, KMCL_STEP_DOWN };

static enum kmcl_step kmcl_channel_next_step(struct kmcl_channel *ch)
{
	enum kmcl_step step = KMCL_STEP_NONE;
	bool stay;

	mutex_lock(&ch->lock);
	stay = ch->wanted && !ch->lost;
	if (ch->endpoint && !stay)
		step = KMCL_STEP_DOWN;
	else if (ch->endpoint && ch->state == KMCL_ENABLED)
		step = KMCL_STEP_UP;
	else if (!ch->endpoint && !stay && ch->state == KMCL_ENABLED)
		kmcl_channel_set_state(ch, KMCL_DISABLED);
	mutex_unlock(&ch->lock);
	return step;
}

static void kmcl_channel_work(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(work, struct kmcl_channel, work);
	enum kmcl_step step;

	WRITE_ONCE(ch->worker, current);
	while ((step = kmcl_channel_next_step(ch)) != KMCL_STEP_NONE) {
		if (step == KMCL_STEP_UP)
			kmcl_channel_up(ch);
		else
			kmcl_channel_down(ch);
	}
	WRITE_ONCE(ch->worker, NULL);
}

/**
 * kmcl_channel_wants - would the channel take a device of this instance?
 * @ch: the channel
 * @instance: the device's instance GUID
 *
 * Context: may sleep.
 * Return: true when it waits for one like it.
 */
bool kmcl_channel_wants(struct kmcl_channel *ch, const guid_t *instance)
{
	bool wants;

	mutex_lock(&ch->lock);
	wants = ch->wanted && !ch->endpoint && ch->state == KMCL_ENABLED &&
		(!ch->set.has_instance ||
		 guid_equal(&ch->set.instance, instance));
	mutex_unlock(&ch->lock);
	return wants;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_wants);

/**
 * kmcl_channel_attach - offer a device to a channel
 * @ch: a channel that listens
 * @endpoint: what the bus wants to find in channel->endpoint; its own, and to
 *	stay until the bus's release() has run
 * @instance: the device's instance GUID
 *
 * The channel opens it later, in a context of its own.
 *
 * Context: may sleep.
 * Return: false when the channel does not want it.
 */
bool kmcl_channel_attach(struct kmcl_channel *ch, void *endpoint,
			 const guid_t *instance)
{
	bool attached = false;

	mutex_lock(&ch->lock);
	if (ch->wanted && !ch->endpoint && ch->state == KMCL_ENABLED) {
		ch->endpoint = endpoint;
		ch->instance = *instance;
		ch->lost = false;
		kmcl_life_kick(ch);
		attached = true;
	}
	mutex_unlock(&ch->lock);
	return attached;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_attach);

/**
 * kmcl_channel_detach - take a device away from a channel
 * @ch: the channel; the caller holds a reference
 * @endpoint: as given to kmcl_channel_attach()
 *
 * When it returns the channel is closed, disabled, and has forgotten @endpoint.
 *
 * Context: may sleep; waits for the client's callbacks. Not from one of them.
 */
void kmcl_channel_detach(struct kmcl_channel *ch, void *endpoint)
{
	struct kmcl_watch watch;
	bool attached;

	mutex_lock(&ch->lock);
	attached = ch->endpoint == endpoint;
	if (attached) {
		ch->lost = true;
		kmcl_life_kick(ch);
	}
	mutex_unlock(&ch->lock);
	if (!attached)
		return;

	/* A callback may wait for the host in a synchronous request. */
	kmcl_tx_stop(ch, -ENODEV);
	kmcl_watch_start(&watch, ch, "device removal", 0);
	wait_event(ch->changed, READ_ONCE(ch->endpoint) != endpoint);
	kmcl_watch_stop(&watch);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_detach);

/* The client's wish for a device, or its end; true when it changes anything. */
bool kmcl_channel_wish(struct kmcl_channel *ch, bool wanted)
{
	enum kmcl_state from = wanted ? KMCL_DISABLED : KMCL_ENABLED;
	bool changed;

	mutex_lock(&ch->lock);
	changed = ch->state == from && ch->set.has_type;
	if (changed) {
		ch->wanted = wanted;
		kmcl_channel_set_state(ch, wanted ? KMCL_ENABLED :
						    KMCL_DISABLED);
	}
	mutex_unlock(&ch->lock);
	return changed;
}

void kmcl_life_init_channel(struct kmcl_channel *ch)
{
	mutex_init(&ch->lock);
	mutex_init(&ch->control);
	init_waitqueue_head(&ch->changed);
	INIT_WORK(&ch->work, kmcl_channel_work);
}

int kmcl_life_init(void)
{
	kmcl_wq = alloc_workqueue("vmbkmcl", WQ_UNBOUND, 0);
	return kmcl_wq ? 0 : -ENOMEM;
}

void kmcl_life_exit(void)
{
	destroy_workqueue(kmcl_wq);
}
