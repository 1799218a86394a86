// SPDX-License-Identifier: GPL-2.0-only
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "compat.h"
#include "failing.h"

/* Enough to overflow what each CPU keeps for itself (64 or 128). */
#define STORE	512

/*
 * Debugobjects refills its store of objects, when it runs low, in whoever arms a
 * timer or queues a work item next: that would be the allocation which fails.
 * Objects that were used and are not any more go back to the store.
 */
static void fill_debugobjects(void)
{
	struct rcu_head *heads;
	unsigned int i;

	heads = kcalloc(STORE, sizeof(*heads), GFP_ATOMIC);
	if (!heads)
		return;
	for (i = 0; i < STORE; i++)
		init_rcu_head(&heads[i]);
	for (i = 0; i < STORE; i++)
		destroy_rcu_head(&heads[i]);
	kfree(heads);
}

/* The nth allocation of this task from now on fails; 0: none does. */
void fail_nth(unsigned int nth)
{
	if (nth)
		fill_debugobjects();
#ifdef CONFIG_FAULT_INJECTION
	WRITE_ONCE(current->fail_nth, nth);
#endif
}
EXPORT_TO_TESTS(fail_nth);

/* What this task allocates until fail_go_on() is not counted, and does not fail. */
struct fail_pause fail_put_off(void)
{
	struct fail_pause pause = {};

#ifdef CONFIG_FAULT_INJECTION
	pause.nth = READ_ONCE(current->fail_nth);
	pause.by_filter = current->make_it_fail;
	WRITE_ONCE(current->fail_nth, 0);
	current->make_it_fail = false;
#endif
	return pause;
}

void fail_go_on(const struct fail_pause *pause)
{
#ifdef CONFIG_FAULT_INJECTION
	WRITE_ONCE(current->fail_nth, pause->nth);
	current->make_it_fail = pause->by_filter;
#endif
}
