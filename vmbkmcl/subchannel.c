// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels: channels that come and go with another one, their primary.
 *
 * A host offers them for a device while its channel is open, and takes them back
 * with it. VMBus knows no close of one alone: the primary's closes them all. So a
 * sub-channel lives within one opening of its primary. When that is about to
 * close, each goes down by itself as far as the close, and rests there; when the
 * primary is closed they are, too, and go on; and only then does the primary.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/seq_file.h>

#include "channel.h"
#include "compat.h"
#include "subchannel.h"
#include "watch.h"

/* Who is whose sub-channel, and where each stands. */
DEFINE_MUTEX(kmcl_subs_lock);

void kmcl_subs_init(struct kmcl_subs *subs)
{
	INIT_LIST_HEAD(&subs->node);
	INIT_LIST_HEAD(&subs->list);
}

/* The caller has the lock, and then the reference. */
static struct kmcl_channel *kmcl_subs_part(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	list_del_init(&ch->subs.node);
	ch->subs.primary = NULL;
	return primary;
}

/* It is being cleaned up, and has no device any more. */
void kmcl_subs_forget(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary;

	mutex_lock(&kmcl_subs_lock);
	primary = kmcl_subs_part(ch);
	mutex_unlock(&kmcl_subs_lock);
	if (primary)
		kmcl_channel_put(primary);
}

/*
 * This is a callback of a sub-channel of the same device. The close of that waits
 * for it, and so may anything that waits for @ch.
 */
bool kmcl_subs_call(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary, *sub;
	bool calls = false;

	mutex_lock(&kmcl_subs_lock);
	primary = ch->subs.primary ?: ch;
	list_for_each_entry(sub, &primary->subs.list, subs.node)
		calls |= kmcl_channel_runs(sub);
	mutex_unlock(&kmcl_subs_lock);
	return calls;
}

void kmcl_subs_show(struct kmcl_channel *ch, struct seq_file *m)
{
	mutex_lock(&kmcl_subs_lock);
	if (ch->subs.primary)
		seq_printf(m, "primary: %s\n", ch->subs.primary->name);
	mutex_unlock(&kmcl_subs_lock);
}

/* The channel is open: from here on its sub-channels may be. */
void kmcl_subs_take(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_subs_lock);
	ch->subs.phase = KMCL_SUBS_TAKEN;
	mutex_unlock(&kmcl_subs_lock);
}

/*
 * The channel is about to be closed. When it returns, nothing uses the rings of
 * its sub-channels, and nobody waits for the host on one.
 */
void kmcl_subs_rest(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_watch watch;

	mutex_lock(&kmcl_subs_lock);
	ch->subs.phase = KMCL_SUBS_RESTING;
	list_for_each_entry(sub, &ch->subs.list, subs.node)
		if (sub->subs.state != KMCL_SUB_OUT)
			kmcl_channel_lose(sub, sub->endpoint);
	mutex_unlock(&kmcl_subs_lock);

	kmcl_watch_start(&watch, ch, "sub-channels' rest", 0);
	wait_event(ch->changed, !atomic_read(&ch->subs.busy));
	kmcl_watch_stop(&watch);
}

/* The channel is closed. When it returns, its sub-channels are disabled. */
void kmcl_subs_release(struct kmcl_channel *ch)
{
	struct kmcl_channel *sub;
	struct kmcl_watch watch;

	mutex_lock(&kmcl_subs_lock);
	/* Pairs with kmcl_sub_rest(): what came of the close is there. */
	smp_store_release(&ch->subs.phase, KMCL_SUBS_REFUSED);
	list_for_each_entry(sub, &ch->subs.list, subs.node)
		wake_up_all(&sub->changed);
	mutex_unlock(&kmcl_subs_lock);

	kmcl_watch_start(&watch, ch, "sub-channels' end", 0);
	wait_event(ch->changed, !atomic_read(&ch->subs.in));
	kmcl_watch_stop(&watch);
}

/* False: it is a sub-channel, and its primary is not open. */
bool kmcl_sub_join(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return true;
	lockdep_assert_held(&kmcl_subs_lock);
	if (primary->subs.phase != KMCL_SUBS_TAKEN)
		return false;
	ch->subs.state = KMCL_SUB_IN;
	atomic_inc(&primary->subs.in);
	atomic_inc(&primary->subs.busy);
	return true;
}

static void kmcl_sub_count_down(struct kmcl_channel *primary, atomic_t *count)
{
	if (atomic_dec_and_test(count))
		wake_up_all(&primary->changed);
}

static bool kmcl_subs_resting(const struct kmcl_channel *primary)
{
	/* Pairs with kmcl_subs_release(). */
	return smp_load_acquire(&primary->subs.phase) == KMCL_SUBS_RESTING;
}

/*
 * All is done before the close. If the primary closes this waits until it has; if
 * not, the close is this channel's own affair. Called with ch->control held, so
 * that nobody else waits for the host on it meanwhile.
 */
void kmcl_sub_rest(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;
	bool rests;

	if (!primary)
		return;
	mutex_lock(&kmcl_subs_lock);
	rests = primary->subs.phase == KMCL_SUBS_RESTING;
	if (rests) {
		ch->subs.state = KMCL_SUB_RESTS;
		kmcl_sub_count_down(primary, &primary->subs.busy);
	}
	mutex_unlock(&kmcl_subs_lock);
	if (rests)
		wait_event(ch->changed, !kmcl_subs_resting(primary));
}

/* It has no device any more: the primary need not care for it. */
void kmcl_sub_leave(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return;
	lockdep_assert_held(&kmcl_subs_lock);
	if (ch->subs.state == KMCL_SUB_IN)
		kmcl_sub_count_down(primary, &primary->subs.busy);
	ch->subs.state = KMCL_SUB_OUT;
	kmcl_sub_count_down(primary, &primary->subs.in);
}

/**
 * kmcl_sub_offer - offer a device to the sub-channels of a channel
 * @primary: the channel; the caller holds a reference
 * @endpoint: as for kmcl_channel_attach()
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
		taken = kmcl_channel_attach(sub, endpoint, instance);
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

/**
 * VmbChannelInitSetPrimaryChannel() - make a channel a sub-channel of another
 * @channel: a disabled channel that has no sub-channels
 * @primary_channel: the device's channel, in any state; it may not be a sub-channel
 *	itself. A reference is held until VmbChannelCleanup() of @channel.
 *
 * Once enabled, @channel waits for a sub-channel that the host offers for the
 * primary's device, while the primary is open. Hosts do so when they are asked
 * to: enable @channel first, as an offer that no channel waits for is lost. What
 * VmbClientChannelInitSetTargetPnp() says of a device has no meaning for @channel,
 * its PnP failure callback has.
 *
 * The close of the primary, whatever its reason, closes @channel, too, and leaves
 * it disabled. EvtChannelSuspend is called for the primary first, EvtChannelClosed
 * for it last. Packets of the host's on @channel that the client has are waited for
 * as when a device goes.
 *
 * VmbChannelDisable() of @channel alone ends it for the client only: VMBus has no
 * such close, so the host has it open, with its rings, until the primary is closed.
 * External data of packets that are under way then is lost for good, their routines
 * get %STATUS_IO_TIMEOUT. Disable the primary, or send no such packet.
 *
 * If the host takes @channel back, that is noticed within about a second.
 *
 * A callback of a sub-channel may not call VmbChannelDisable(),
 * VmbChannelCleanup(), VmbChannelPause(), VmbChannelStart() or VmbChannelEnable()
 * for its primary, nor for another sub-channel of that: refused as for its own.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, when it
 * is not disabled or has sub-channels; %STATUS_INVALID_PARAMETER_2 without a
 * primary, or when that is @channel or a sub-channel.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL channel,
					 VMBCHANNEL primary_channel)
{
	struct kmcl_channel *primary = primary_channel, *former = NULL;
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct kmcl_channel *ch = channel;

	might_sleep();
	mutex_lock(&kmcl_subs_lock);
	if (!kmcl_settings_lock(ch))
		goto unlock;
	if (!list_empty(&ch->subs.list))
		goto unlock_settings;
	status = STATUS_INVALID_PARAMETER_2;
	if (!primary || primary == ch || primary->subs.primary)
		goto unlock_settings;
	kmcl_channel_get(primary);
	former = kmcl_subs_part(ch);
	ch->subs.primary = primary;
	list_add_tail(&ch->subs.node, &primary->subs.list);
	status = STATUS_SUCCESS;
unlock_settings:
	kmcl_settings_unlock(ch);
unlock:
	mutex_unlock(&kmcl_subs_lock);
	if (former)
		kmcl_channel_put(former);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetPrimaryChannel);
