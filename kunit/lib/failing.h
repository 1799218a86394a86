/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocations that fail: failing.c. */
#ifndef _KUNIT_FAILING_H
#define _KUNIT_FAILING_H

#include <linux/sched.h>

/* More allocations than any call makes */
#define MOST_ALLOCATIONS	1000

void fail_nth(unsigned int nth);

/**
 * struct fail_pause - what fails in this task, put off for a while
 * @nth: as fail_nth() set it
 * @by_filter: as fail_by_filter() did
 */
struct fail_pause {
	unsigned int nth;
	bool by_filter;
};

struct fail_pause fail_put_off(void);
void fail_go_on(const struct fail_pause *pause);

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
