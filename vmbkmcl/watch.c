// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waits on the host that must not be abandoned.
 *
 * hv_vmbus's control operations have no timeout, and giving up on one would free
 * memory that the host may still write. So the wait goes on, but not in silence:
 * after a few seconds, and then each minute, a log line names it, and debugfs
 * shows it from the start.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "channel.h"
#include "watch.h"

static unsigned int wait_warn_ms = 5000;
module_param(wait_warn_ms, uint, 0644);
MODULE_PARM_DESC(wait_warn_ms,
		 "Milliseconds after which a wait on the host is named in the log (default 5000)");

static unsigned int wait_warn_again_ms = 60000;
module_param(wait_warn_again_ms, uint, 0644);
MODULE_PARM_DESC(wait_warn_again_ms,
		 "Milliseconds from one such line to the next (default 60000)");

static s64 kmcl_watch_ms(const struct kmcl_watch *watch)
{
	return ktime_ms_delta(ktime_get(), watch->since);
}

static void kmcl_watch_warn(struct work_struct *work)
{
	struct kmcl_watch *watch = container_of(to_delayed_work(work),
						struct kmcl_watch, warn);

	atomic_inc(&watch->ch->long_waits);
	if (watch->handle)
		pr_warn("%s: %s (GPADL %#x) has waited for %lld ms\n",
			watch->ch->name, watch->what, watch->handle,
			kmcl_watch_ms(watch));
	else
		pr_warn("%s: %s has waited for %lld ms\n", watch->ch->name,
			watch->what, kmcl_watch_ms(watch));
	schedule_delayed_work(&watch->warn,
			      msecs_to_jiffies(READ_ONCE(wait_warn_again_ms)));
}

void kmcl_watch_start(struct kmcl_watch *watch, struct kmcl_channel *ch,
		      const char *what, u32 handle)
{
	watch->ch = ch;
	watch->what = what;
	watch->handle = handle;
	watch->since = ktime_get();
	INIT_DELAYED_WORK_ONSTACK(&watch->warn, kmcl_watch_warn);

	spin_lock(&ch->watch_lock);
	list_add_tail(&watch->node, &ch->watches);
	spin_unlock(&ch->watch_lock);
	schedule_delayed_work(&watch->warn,
			      msecs_to_jiffies(READ_ONCE(wait_warn_ms)));
}

void kmcl_watch_stop(struct kmcl_watch *watch)
{
	cancel_delayed_work_sync(&watch->warn);
	destroy_delayed_work_on_stack(&watch->warn);
	spin_lock(&watch->ch->watch_lock);
	list_del(&watch->node);
	spin_unlock(&watch->ch->watch_lock);
}

void kmcl_watch_show(struct kmcl_channel *ch, struct seq_file *m)
{
	struct kmcl_watch *watch;

	spin_lock(&ch->watch_lock);
	list_for_each_entry(watch, &ch->watches, node)
		seq_printf(m, "waiting: %s handle %#x for %lld ms\n",
			   watch->what, watch->handle, kmcl_watch_ms(watch));
	spin_unlock(&ch->watch_lock);
}
