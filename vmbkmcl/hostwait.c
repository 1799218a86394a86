// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits that may take long, for the host or for the client.
 *
 * The control operations of hv_vmbus have no timeout. Abandoning one would free
 * memory that the host may still write to, so the wait continues. The waits for
 * a client's callbacks, packets and sub-channels continue, too; only the wait
 * for packets of a client whose device goes away ends after removal_wait_ms.
 * These waits are made visible: debugfs shows each from the start, and a line is
 * logged after a few seconds and then every minute. A synchronous request is such a
 * wait only if neither its timeout nor VmbChannelDisable() ends it.
 *
 * All waits share one timer, because nearly all waits are short. The end of a
 * wait does not stop the timer. When the timer expires and there is no wait, it
 * is not started again.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/timer.h>

#include "channel.h"
#include "compat.h"
#include "hostwait.h"

static unsigned int wait_warn_ms = 5000;
module_param(wait_warn_ms, uint, 0644);
MODULE_PARM_DESC(wait_warn_ms,
		 "Milliseconds after which a wait on the host is named in the log (default 5000)");

static unsigned int wait_warn_again_ms = 60000;
module_param(wait_warn_again_ms, uint, 0644);
MODULE_PARM_DESC(wait_warn_again_ms,
		 "Milliseconds from one such line to the next, 0 for no other (default 60000)");

/* All waits in progress, guarded by kmcl_hostwait_lock. */
static LIST_HEAD(kmcl_hostwaits);
static DEFINE_SPINLOCK(kmcl_hostwait_lock);

static s64 kmcl_hostwait_ms(const struct kmcl_hostwait *wait)
{
	return ktime_ms_delta(ktime_get(), wait->since);
}

static unsigned long kmcl_hostwait_again(void)
{
	unsigned int ms = READ_ONCE(wait_warn_again_ms);

	return ms ? msecs_to_jiffies(ms) : MAX_JIFFY_OFFSET;
}

static void kmcl_hostwait_warn(struct kmcl_hostwait *wait)
{
	atomic_inc(&wait->ch->long_waits);
	if (wait->handle)
		pr_warn("%s: %s (GPADL %#x) has waited for %lld ms\n",
			wait->ch->name, wait->what, wait->handle,
			kmcl_hostwait_ms(wait));
	else
		pr_warn("%s: %s has waited for %lld ms\n", wait->ch->name,
			wait->what, kmcl_hostwait_ms(wait));
	wait->warn_at = jiffies + kmcl_hostwait_again();
}

static void kmcl_hostwait_timeout(struct timer_list *timer)
{
	struct kmcl_hostwait *wait;

	spin_lock(&kmcl_hostwait_lock);
	list_for_each_entry(wait, &kmcl_hostwaits, node) {
		if (time_after_eq(jiffies, wait->warn_at))
			kmcl_hostwait_warn(wait);
		timer_reduce(timer, wait->warn_at);
	}
	spin_unlock(&kmcl_hostwait_lock);
}

static DEFINE_TIMER(kmcl_hostwait_timer, kmcl_hostwait_timeout);

void kmcl_hostwait_start(struct kmcl_hostwait *wait, struct kmcl_channel *ch,
			 const char *what, u32 handle)
{
	wait->ch = ch;
	wait->what = what;
	wait->handle = handle;
	wait->since = ktime_get();
	wait->warn_at = jiffies + msecs_to_jiffies(READ_ONCE(wait_warn_ms));

	spin_lock_bh(&kmcl_hostwait_lock);
	list_add_tail(&wait->node, &kmcl_hostwaits);
	timer_reduce(&kmcl_hostwait_timer, wait->warn_at);
	spin_unlock_bh(&kmcl_hostwait_lock);
}

void kmcl_hostwait_stop(struct kmcl_hostwait *wait)
{
	spin_lock_bh(&kmcl_hostwait_lock);
	list_del(&wait->node);
	spin_unlock_bh(&kmcl_hostwait_lock);
}

void kmcl_hostwait_show(struct kmcl_channel *ch, struct seq_file *m)
{
	struct kmcl_hostwait *wait;

	spin_lock_bh(&kmcl_hostwait_lock);
	list_for_each_entry(wait, &kmcl_hostwaits, node)
		if (wait->ch == ch)
			seq_printf(m, "waiting: %s handle %#x for %lld ms\n",
				   wait->what, wait->handle,
				   kmcl_hostwait_ms(wait));
	spin_unlock_bh(&kmcl_hostwait_lock);
}

/*
 * Called when there are no waits any more. Only the timer may still be pending.
 */
void kmcl_hostwait_exit(void)
{
	kmcl_timer_delete_sync(&kmcl_hostwait_timer);
}
