// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits on the host that must not be abandoned.
 *
 * hv_vmbus's control operations have no timeout, and giving up on one would free
 * memory that the host may still write. So the wait goes on, but not in silence:
 * after a few seconds, and then each minute, a log line names it, and debugfs
 * shows it from the start.
 *
 * Nearly all waits are short. So there is one timer for all of them, and the end of
 * a wait leaves it: it runs out, finds none, and is not set again.
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

/* All waits in progress. */
static LIST_HEAD(kmcl_watches);
static DEFINE_SPINLOCK(kmcl_watch_lock);

static s64 kmcl_watch_ms(const struct kmcl_watch *watch)
{
	return ktime_ms_delta(ktime_get(), watch->since);
}

static unsigned long kmcl_watch_again(void)
{
	unsigned int ms = READ_ONCE(wait_warn_again_ms);

	return ms ? msecs_to_jiffies(ms) : MAX_JIFFY_OFFSET;
}

static void kmcl_watch_warn(struct kmcl_watch *watch)
{
	atomic_inc(&watch->ch->long_waits);
	if (watch->handle)
		pr_warn("%s: %s (GPADL %#x) has waited for %lld ms\n",
			watch->ch->name, watch->what, watch->handle,
			kmcl_watch_ms(watch));
	else
		pr_warn("%s: %s has waited for %lld ms\n", watch->ch->name,
			watch->what, kmcl_watch_ms(watch));
	watch->warn_at = jiffies + kmcl_watch_again();
}

static void kmcl_watch_look(struct timer_list *timer)
{
	struct kmcl_watch *watch;

	spin_lock(&kmcl_watch_lock);
	list_for_each_entry(watch, &kmcl_watches, node) {
		if (time_after_eq(jiffies, watch->warn_at))
			kmcl_watch_warn(watch);
		timer_reduce(timer, watch->warn_at);
	}
	spin_unlock(&kmcl_watch_lock);
}

static DEFINE_TIMER(kmcl_watch_timer, kmcl_watch_look);

void kmcl_watch_start(struct kmcl_watch *watch, struct kmcl_channel *ch,
		      const char *what, u32 handle)
{
	watch->ch = ch;
	watch->what = what;
	watch->handle = handle;
	watch->since = ktime_get();
	watch->warn_at = jiffies + msecs_to_jiffies(READ_ONCE(wait_warn_ms));

	spin_lock_bh(&kmcl_watch_lock);
	list_add_tail(&watch->node, &kmcl_watches);
	timer_reduce(&kmcl_watch_timer, watch->warn_at);
	spin_unlock_bh(&kmcl_watch_lock);
}

void kmcl_watch_stop(struct kmcl_watch *watch)
{
	spin_lock_bh(&kmcl_watch_lock);
	list_del(&watch->node);
	spin_unlock_bh(&kmcl_watch_lock);
}

void kmcl_watch_show(struct kmcl_channel *ch, struct seq_file *m)
{
	struct kmcl_watch *watch;

	spin_lock_bh(&kmcl_watch_lock);
	list_for_each_entry(watch, &kmcl_watches, node)
		if (watch->ch == ch)
			seq_printf(m, "waiting: %s handle %#x for %lld ms\n",
				   watch->what, watch->handle,
				   kmcl_watch_ms(watch));
	spin_unlock_bh(&kmcl_watch_lock);
}

/* Nobody waits any more. */
void kmcl_watch_exit(void)
{
	kmcl_timer_delete_sync(&kmcl_watch_timer);
}
