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

#include <linux/seq_file.h>

#include "channel.h"
#include "channel_sub.h"

/* Who is whose sub-channel, and where each stands. */
DEFINE_MUTEX(kmcl_subs_lock);

void kmcl_subs_init(struct kmcl_subs *subs)
{
	INIT_LIST_HEAD(&subs->node);
	INIT_LIST_HEAD(&subs->list);
}

/* The caller has the lock, and then the reference. */
static struct kmcl_channel *kmcl_sub_unlink(struct kmcl_channel *ch)
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
	primary = kmcl_sub_unlink(ch);
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

/* False: it is a sub-channel, and its primary is not open. */
bool kmcl_sub_join(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return true;
	lockdep_assert_held(&kmcl_subs_lock);
	if (primary->subs.phase != KMCL_SUBS_ACCEPTED)
		return false;
	ch->subs.state = KMCL_SUB_IN;
	atomic_inc(&primary->subs.in);
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
	/* Pairs with kmcl_subs_release(). */
	return smp_load_acquire(&primary->subs.phase) == KMCL_SUBS_PARKING;
}

/*
 * All is done before the close. If the primary closes this waits until it has; if
 * not, the close is this channel's own affair. Called with ch->control held, so
 * that nobody else waits for the host on it meanwhile.
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
		kmcl_sub_count_down(primary, &primary->subs.nr_active);
	}
	mutex_unlock(&kmcl_subs_lock);
	if (parks)
		wait_event(ch->changed, !kmcl_subs_parking(primary));
}

/* It has no device any more: the primary need not care for it. */
void kmcl_sub_leave(struct kmcl_channel *ch)
{
	struct kmcl_channel *primary = ch->subs.primary;

	if (!primary)
		return;
	lockdep_assert_held(&kmcl_subs_lock);
	if (ch->subs.state == KMCL_SUB_IN)
		kmcl_sub_count_down(primary, &primary->subs.nr_active);
	ch->subs.state = KMCL_SUB_OUT;
	kmcl_sub_count_down(primary, &primary->subs.in);
}

/* With kmcl_subs_lock held. The caller puts the former primary that it returns. */
struct kmcl_channel *kmcl_sub_set_primary(struct kmcl_channel *ch,
					  struct kmcl_channel *primary)
{
	struct kmcl_channel *former = kmcl_sub_unlink(ch);

	lockdep_assert_held(&kmcl_subs_lock);
	kmcl_channel_get(primary);
	ch->subs.primary = primary;
	list_add_tail(&ch->subs.node, &primary->subs.list);
	return former;
}
