// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels of hv_vmbus.
 *
 * hv_vmbus calls the driver of the primary channel when the host offers a sub-channel,
 * in a context that may sleep. It tells the driver nothing after that: it refuses to
 * close a sub-channel alone, and when the host rescinds one it only sets
 * channel->rescind. The close of the primary closes the open sub-channels and frees
 * those that were rescinded.
 *
 * A reference to the kobject of the sub-channel keeps struct vmbus_channel. The
 * kobject also keeps a name in sysfs that the next offer of the host may need. So
 * the reference is dropped when the channel releases the sub-channel, after
 * EvtChannelClosed, or by the close of the primary if the channel was disabled
 * alone before. A sub-channel that no channel has taken keeps its reference until the
 * primary is closed, too.
 *
 * vmbus_disconnect_ring() of the primary waits for rescind_event of each sub-channel that
 * is rescinded, which hv_vmbus completes only for one that is open or being opened. So
 * rescind_event is completed for good for every other one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hyperv.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bus.h"
#include "channel.h"
#include "hv_bind.h"
#include "hv_handover.h"
#include "hv_rings.h"
#include "hv_sub.h"

/* Poll interval: hv_vmbus does not notify us of a sub-channel's rescind. */
#define KMCL_SUB_POLL_RESCIND_MS	1000

/**
 * struct kmcl_hv_sub - a sub-channel that the host has offered for an open primary
 * @endpoint: channel->endpoint points here. @endpoint.ch is NULL when that channel went
 *	away while hv_vmbus and the host have the sub-channel open.
 * @err: result of the close, once @endpoint.is_open is false again
 * @rings: memory of the rings while hv_vmbus closes the primary, see
 *	kmcl_hv_sub_hide_rings()
 * @waits: no channel of ours has taken the sub-channel yet: it is in kmcl_hv_waiting
 * @poll_rescind: work item that polls for a rescind
 */
struct kmcl_hv_sub {
	struct kmcl_hv_endpoint endpoint;
	int err;
	struct page *rings;
	bool waits;
	struct delayed_work poll_rescind;
};

/*
 * Guards the lists, and whether a sub-channel is open and has a channel of ours: the
 * channel may release it while the primary is closed, when the host has rescinded the
 * device.
 */
static DEFINE_MUTEX(kmcl_hv_lock);
/*
 * Endpoints of primary channels that are open or about to be, of open sub-channels, and
 * of sub-channels that wait for a channel of ours, under kmcl_hv_lock.
 */
static LIST_HEAD(kmcl_hv_primaries);
static LIST_HEAD(kmcl_hv_subs);
static LIST_HEAD(kmcl_hv_waiting);

static struct kmcl_hv_sub *to_sub(struct kmcl_hv_endpoint *endpoint)
{
	return container_of(endpoint, struct kmcl_hv_sub, endpoint);
}

static void kmcl_hv_sub_start_polling(struct kmcl_hv_sub *sub)
{
	kmcl_target_queue(&sub->poll_rescind, KMCL_SUB_POLL_RESCIND_MS);
}

static void kmcl_hv_sub_poll_rescind(struct work_struct *work);

static struct kmcl_hv_sub *
kmcl_hv_sub_alloc(const struct kmcl_hv_endpoint *primary,
		  struct vmbus_channel *chan)
{
	struct kmcl_hv_sub *sub = kzalloc(sizeof(*sub), GFP_KERNEL);

	if (!sub)
		return NULL;
	sub->endpoint.hdev = primary->hdev;
	sub->endpoint.instance = primary->instance;
	sub->endpoint.chan = chan;
	sub->endpoint.is_sub = true;
	sub->endpoint.cpu = kmcl_hv_take_over(chan);
	INIT_LIST_HEAD(&sub->endpoint.node);
	INIT_DELAYED_WORK(&sub->poll_rescind, kmcl_hv_sub_poll_rescind);
	kobject_get(&chan->kobj);
	return sub;
}

static void kmcl_hv_sub_free(struct kmcl_hv_sub *sub)
{
	if (sub->endpoint.gone || READ_ONCE(sub->endpoint.chan->rescind))
		kmcl_gpadl_device_gone(&sub->endpoint);
	else
		kmcl_gpadl_device_unbound(&sub->endpoint, sub->endpoint.hdev);
	kmcl_hv_hand_back(sub->endpoint.chan, sub->endpoint.cpu);
	kobject_put(&sub->endpoint.chan->kobj);
	kfree(sub);
}

static void kmcl_hv_sub_start_waiting(struct kmcl_hv_sub *sub)
{
	lockdep_assert_held(&kmcl_hv_lock);
	sub->waits = true;
	list_add_tail(&sub->endpoint.node, &kmcl_hv_waiting);
}

static void kmcl_hv_sub_stop_waiting(struct kmcl_hv_sub *sub)
{
	lockdep_assert_held(&kmcl_hv_lock);
	sub->waits = false;
	list_del_init(&sub->endpoint.node);
}

/* hv_vmbus does not tell of a rescind, nor that it would free the sub-channel. */
static void kmcl_hv_sub_rescinded(struct kmcl_hv_sub *sub)
{
	struct kmcl_channel *ch;
	bool waits;

	mutex_lock(&kmcl_hv_lock);
	waits = sub->waits;
	ch = sub->endpoint.ch;
	if (waits)
		kmcl_hv_sub_stop_waiting(sub);
	else if (ch)
		kmcl_channel_get(ch);
	mutex_unlock(&kmcl_hv_lock);
	if (waits) {
		kmcl_hv_sub_free(sub);
		return;
	}
	if (ch)
		kmcl_channel_lose(ch, &sub->endpoint);
	/* A create may wait for this although the channel was disabled alone. */
	kmcl_gpadl_device_gone(&sub->endpoint);
	if (ch)
		kmcl_channel_put(ch);
}

static void kmcl_hv_sub_poll_rescind(struct work_struct *work)
{
	struct kmcl_hv_sub *sub = container_of(to_delayed_work(work),
					       struct kmcl_hv_sub,
					       poll_rescind);

	if (READ_ONCE(sub->endpoint.chan->rescind))
		kmcl_hv_sub_rescinded(sub);
	else
		kmcl_hv_sub_start_polling(sub);
}

static struct kmcl_hv_endpoint *
kmcl_hv_find_primary(const struct vmbus_channel *chan)
{
	struct kmcl_hv_endpoint *endpoint;

	lockdep_assert_held(&kmcl_hv_lock);
	list_for_each_entry(endpoint, &kmcl_hv_primaries, node)
		if (endpoint->chan == chan)
			return endpoint;
	return NULL;
}

/* Offer the sub-channels of @primary that wait to the channels of ours that do. */
static void kmcl_hv_match(struct kmcl_hv_endpoint *primary)
{
	struct kmcl_hv_sub *sub, *next;

	lockdep_assert_held(&kmcl_hv_lock);
	list_for_each_entry_safe(sub, next, &kmcl_hv_waiting, endpoint.node)
		if (sub->endpoint.chan->primary_channel == primary->chan &&
		    !READ_ONCE(sub->endpoint.chan->rescind) &&
		    kmcl_sub_offer(primary->ch, &sub->endpoint,
				   &primary->instance, &sub->endpoint.ch))
			kmcl_hv_sub_stop_waiting(sub);
}

/* kmcl_bus_ops.match_subs: one of our sub-channels waits, or the primary is open. */
void kmcl_hv_match_subs(struct kmcl_channel *ch)
{
	struct kmcl_hv_endpoint *primary;

	mutex_lock(&kmcl_hv_lock);
	list_for_each_entry(primary, &kmcl_hv_primaries, node)
		if (primary->ch == ch)
			kmcl_hv_match(primary);
	mutex_unlock(&kmcl_hv_lock);
}

/*
 * hv_vmbus calls this in a work item, once for each sub-channel. The host may offer one
 * before the open of the primary has returned, or before the client has enabled a
 * channel for it.
 */
static void kmcl_hv_sub_offered(struct vmbus_channel *chan)
{
	struct kmcl_hv_endpoint *primary;
	struct kmcl_hv_sub *sub = NULL;

	/* Also for one that is not kept: the primary may just be closing. */
	complete_all(&chan->rescind_event);
	mutex_lock(&kmcl_hv_lock);
	primary = kmcl_hv_find_primary(chan->primary_channel);
	if (primary)
		sub = kmcl_hv_sub_alloc(primary, chan);
	if (sub) {
		kmcl_hv_sub_start_waiting(sub);
		kmcl_hv_sub_start_polling(sub);
		kmcl_hv_match(primary);
	}
	if (primary && !sub)
		kmcl_warn(primary->ch, "no memory for a sub-channel\n");
	else if (sub && sub->waits)
		kmcl_info(primary->ch, "no channel waits yet for a sub-channel that the host offers\n");
	mutex_unlock(&kmcl_hv_lock);
}

/* Called before the open of the primary: take the offers of its sub-channels. */
void kmcl_hv_subs_accept_offers(struct kmcl_hv_endpoint *primary)
{
	mutex_lock(&kmcl_hv_lock);
	list_add(&primary->node, &kmcl_hv_primaries);
	mutex_unlock(&kmcl_hv_lock);
	vmbus_set_sc_create_callback(primary->chan, kmcl_hv_sub_offered);
}

/*
 * No sub-channel of the primary waits any more, and none is offered. Those that have
 * waited are moved to @unused, for kmcl_hv_subs_free(): hv_vmbus looks at them, without a
 * lock, while it closes the primary.
 */
void kmcl_hv_subs_refuse_offers(struct kmcl_hv_endpoint *primary,
				struct list_head *unused)
{
	struct kmcl_hv_sub *sub, *next;

	mutex_lock(&kmcl_hv_lock);
	list_del_init(&primary->node);
	list_for_each_entry_safe(sub, next, &kmcl_hv_waiting, endpoint.node) {
		if (sub->endpoint.chan->primary_channel != primary->chan)
			continue;
		kmcl_hv_sub_stop_waiting(sub);
		list_add(&sub->endpoint.node, unused);
	}
	mutex_unlock(&kmcl_hv_lock);
}

void kmcl_hv_subs_free(struct list_head *unused)
{
	struct kmcl_hv_sub *sub, *next;

	list_for_each_entry_safe(sub, next, unused, endpoint.node) {
		cancel_delayed_work_sync(&sub->poll_rescind);
		kmcl_hv_sub_free(sub);
	}
}

/*
 * The close of the primary frees the rings of a sub-channel even when the host could
 * not be told to let go of them. So the rings are hidden from hv_vmbus meanwhile.
 */
static void kmcl_hv_sub_hide_rings(struct kmcl_hv_sub *sub)
{
	sub->rings = sub->endpoint.chan->ringbuffer_page;
	sub->endpoint.chan->ringbuffer_page = NULL;
}

static void kmcl_hv_sub_closed(struct kmcl_hv_sub *sub)
{
	struct vmbus_channel *chan = sub->endpoint.chan;
	bool nobodys;

	mutex_lock(&kmcl_hv_lock);
	list_del_init(&sub->endpoint.node);
	chan->ringbuffer_page = sub->rings;
	sub->err = kmcl_hv_free_rings(chan);
	sub->endpoint.is_open = false;
	nobodys = !sub->endpoint.ch;
	complete_all(&chan->rescind_event);
	mutex_unlock(&kmcl_hv_lock);
	if (nobodys) {
		cancel_delayed_work_sync(&sub->poll_rescind);
		kmcl_hv_sub_free(sub);
	}
}

/*
 * Close the primary and its sub-channels. Nothing uses their rings: each is parked or cut
 * off by a rescind, or has no channel of ours.
 */
int kmcl_hv_subs_close(struct kmcl_hv_endpoint *primary)
{
	struct kmcl_hv_sub *sub, *next;
	LIST_HEAD(closing);
	LIST_HEAD(unused);
	int err;

	kmcl_hv_subs_refuse_offers(primary, &unused);
	mutex_lock(&kmcl_hv_lock);
	primary->is_open = false;
	list_for_each_entry_safe(sub, next, &kmcl_hv_subs, endpoint.node) {
		if (sub->endpoint.chan->primary_channel != primary->chan)
			continue;
		list_move_tail(&sub->endpoint.node, &closing);
		kmcl_hv_sub_hide_rings(sub);
	}
	mutex_unlock(&kmcl_hv_lock);

	err = vmbus_disconnect_ring(primary->chan);
	list_for_each_entry_safe(sub, next, &closing, endpoint.node)
		kmcl_hv_sub_closed(sub);
	kmcl_hv_subs_free(&unused);
	return err;
}

void kmcl_hv_sub_opened(struct kmcl_hv_endpoint *endpoint)
{
	struct kmcl_hv_sub *sub = to_sub(endpoint);

	mutex_lock(&kmcl_hv_lock);
	list_add_tail(&endpoint->node, &kmcl_hv_subs);
	endpoint->is_open = true;
	mutex_unlock(&kmcl_hv_lock);
	kmcl_hv_sub_start_polling(sub);
}

/* hv_vmbus does not call the channel after this has returned. */
static void kmcl_hv_sub_silence_callback(struct vmbus_channel *chan)
{
	spin_lock_irq(&chan->sched_lock);
	chan->onchannel_callback = NULL;
	spin_unlock_irq(&chan->sched_lock);
}

/* From here on, hv_vmbus completes rescind_event if the sub-channel is rescinded. */
void kmcl_hv_sub_opens(struct kmcl_hv_endpoint *endpoint)
{
	reinit_completion(&endpoint->chan->rescind_event);
}

/*
 * Called after a failed open. hv_vmbus completes rescind_event once if the sub-channel
 * was rescinded meanwhile, and keeps the sub-channel: each close of the primary would
 * wait again.
 */
void kmcl_hv_sub_not_opened(struct kmcl_hv_endpoint *endpoint)
{
	kmcl_hv_sub_silence_callback(endpoint->chan);
	complete_all(&endpoint->chan->rescind_event);
}

/* -EBUSY: the sub-channel stays open until its primary is closed. */
int kmcl_hv_sub_close(struct kmcl_hv_endpoint *endpoint)
{
	struct kmcl_hv_sub *sub = to_sub(endpoint);
	int err = -EBUSY;

	cancel_delayed_work_sync(&sub->poll_rescind);
	mutex_lock(&kmcl_hv_lock);
	if (endpoint->is_open)
		kmcl_hv_sub_silence_callback(endpoint->chan);
	else
		err = sub->err;
	mutex_unlock(&kmcl_hv_lock);
	return err;
}

/*
 * An open sub-channel is freed by the close of its primary. It is still looked at whether
 * it is rescinded. One that did not open waits for another channel, as hv_vmbus tells of it
 * only once.
 */
void kmcl_hv_sub_release(struct kmcl_hv_endpoint *endpoint)
{
	struct kmcl_hv_sub *sub = to_sub(endpoint);
	struct kmcl_hv_endpoint *primary;
	bool is_over;

	mutex_lock(&kmcl_hv_lock);
	endpoint->ch = NULL;
	primary = kmcl_hv_find_primary(endpoint->chan->primary_channel);
	is_over = !endpoint->is_open &&
		  (!primary || endpoint->gone || READ_ONCE(endpoint->chan->rescind));
	if (!is_over)
		kmcl_hv_sub_start_polling(sub);
	if (!endpoint->is_open && !is_over) {
		kmcl_hv_sub_start_waiting(sub);
		kmcl_hv_match(primary);
	}
	mutex_unlock(&kmcl_hv_lock);
	if (is_over) {
		cancel_delayed_work_sync(&sub->poll_rescind);
		kmcl_hv_sub_free(sub);
	}
}
