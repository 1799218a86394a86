// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels: further channels of a device beside its primary channel.
 *
 * A host offers sub-channels while the primary channel is open. VMBus can not
 * close a sub-channel alone: the close of the primary channel closes all of
 * them. So a sub-channel is open only while its primary channel is, and both
 * close together:
 *
 * 1. Before the primary channel closes, each sub-channel shuts down up to its own
 *    close, and parks there.
 * 2. The primary channel closes, which closes the sub-channels, too.
 * 3. The sub-channels finish their shutdown and are disabled.
 * 4. The primary channel finishes its own shutdown.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/seq_file.h>

#include "channel.h"
#include "channel_sub.h"
#include "hostwait.h"

/* Guards struct kmcl_subs of all channels. */
DEFINE_MUTEX(kmcl_subs_lock);

void kmcl_subs_init(struct kmcl_subs *subs)
{
	INIT_LIST_HEAD(&subs->node);
	INIT_LIST_HEAD(&subs->park_node);
	INIT_LIST_HEAD(&subs->list);
	INIT_LIST_HEAD(&subs->parked);
}

/* Returns the primary channel, or NULL. The caller must put its reference. */
static struct kmcl_channel *kmcl_sub_unlink(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	lockdep_assert_held(&kmcl_subs_lock);
	list_del_init(&ch->subs.node);
	WRITE_ONCE(ch->subs.primary, NULL);
	return primary;
}

/* Called when a channel is cleaned up. The channel is disabled. */
void kmcl_subs_forget(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary;

	mutex_lock(&kmcl_subs_lock);
	primary = kmcl_sub_unlink(ch);
	mutex_unlock(&kmcl_subs_lock);
	if (primary)
		kmcl_channel_put(primary);
}

/*
 * True if the calling task runs a callback of a sub-channel of the same device. The
 * close of the sub-channel waits for that callback, and the close of the primary
 * channel waits for the sub-channel. So a wait for @ch could deadlock.
 */
bool kmcl_subs_in_callback(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary, *sub;
	bool in_callback = false;

	mutex_lock(&kmcl_subs_lock);
	primary = ch->subs.primary ?: ch;
	list_for_each_entry(sub, &primary->subs.list, subs.node)
		in_callback |= kmcl_channel_runs(sub);
	mutex_unlock(&kmcl_subs_lock);
	return in_callback;
}

/*
 * For debugfs, which must not wait for a lock that somebody holds who waits for debugfs.
 * A channel is freed after a grace period.
 */
void kmcl_subs_show(struct kmcl_channel *ch, struct seq_file *m)
{
	struct kmcl_channel *primary;

	rcu_read_lock();
	primary = READ_ONCE(ch->subs.primary);
	if (primary)
		seq_printf(m, "primary: %s\n", primary->name);
	rcu_read_unlock();
}

/*
 * Called when a device is attached to a channel. Returns false if the channel is a
 * sub-channel whose primary channel is not open.
 */
bool kmcl_sub_join(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return true;
	lockdep_assert_held(&kmcl_subs_lock);
	if (primary->subs.phase != KMCL_SUBS_ACCEPTED)
		return false;
	ch->subs.state = KMCL_SUB_IN;
	ch->subs.severing = false;
	atomic_inc(&primary->subs.nr_in);
	atomic_inc(&primary->subs.nr_active);
	return true;
}

static void kmcl_sub_count_down(struct kmcl_channel *primary, atomic_t *count)
{
	if (atomic_dec_and_test(count))
		wake_up_all(&primary->changed);
}

static bool kmcl_subs_parking(const struct kmcl_channel *primary)
{
	/* Pairs with the store in kmcl_subs_release(). */
	return smp_load_acquire(&primary->subs.phase) == KMCL_SUBS_PARKING;
}

/*
 * True while a sub-channel that shuts down does so alone. Then the host has it open until
 * its primary channel is closed.
 */
bool kmcl_sub_closes_alone(const struct kmcl_channel *ch)
{
	const struct kmcl_channel *primary = ch->subs.primary;

	return primary && !kmcl_subs_parking(primary);
}

/*
 * Called in the shutdown of a channel directly before its close. If @ch is a
 * sub-channel and its primary channel is closing, wait until the primary channel is
 * closed. Otherwise only @ch closes, and this does nothing. The rings of @ch are
 * stopped. The caller does not hold ch->control: the primary channel takes it for its
 * close.
 */
void kmcl_sub_park(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;
	bool parks;

	if (!primary)
		return;
	mutex_lock(&kmcl_subs_lock);
	parks = primary->subs.phase == KMCL_SUBS_PARKING;
	if (parks) {
		ch->subs.state = KMCL_SUB_PARKED;
		list_add_tail(&ch->subs.park_node, &primary->subs.parked);
		kmcl_sub_count_down(primary, &primary->subs.nr_active);
	}
	mutex_unlock(&kmcl_subs_lock);
	if (parks)
		kmcl_hostwait_event(ch->changed, !kmcl_subs_parking(primary));
}

/* Called when a channel has released its device. Its primary need not wait for it. */
void kmcl_sub_leave(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return;
	lockdep_assert_held(&kmcl_subs_lock);
	if (ch->subs.state == KMCL_SUB_IN)
		kmcl_sub_count_down(primary, &primary->subs.nr_active);
	ch->subs.state = KMCL_SUB_OUT;
	kmcl_sub_count_down(primary, &primary->subs.nr_in);
}

/*
 * Lockdep's class of &kmcl_channel.control of sub-channels: the close of a primary channel
 * takes that of all its sub-channels inside its own.
 */
static struct lock_class_key kmcl_sub_control_key;

/*
 * Returns the former primary channel, or NULL. The caller must put its
 * reference.
 */
struct kmcl_channel *kmcl_sub_set_primary(struct kmcl_channel *ch,
					  struct kmcl_channel *primary)
{
	struct kmcl_channel *former = kmcl_sub_unlink(ch);

	lockdep_set_class(&ch->control, &kmcl_sub_control_key);
	kmcl_channel_get(primary);
	WRITE_ONCE(ch->subs.primary, primary);
	list_add_tail(&ch->subs.node, &primary->subs.list);
	return former;
}
