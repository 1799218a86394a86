/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that is not there. */
#ifndef _KUNIT_FAILING_H
#define _KUNIT_FAILING_H

#include <linux/sched.h>

/* More than any call makes. */
#define MOST_ALLOCATIONS	1000

void fail_nth(unsigned int nth);

/* This task's are those that fail where there is a task-filter. */
static inline void fail_by_filter(bool fail)
{
#ifdef CONFIG_FAULT_INJECTION
	current->make_it_fail = fail;
#endif
}

static inline bool has_failed(void)
{
#ifdef CONFIG_FAULT_INJECTION
	return !READ_ONCE(current->fail_nth);
#else
	return false;
#endif
}

#endif /* _KUNIT_FAILING_H */
