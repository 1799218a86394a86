/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for what another thread brings about. */
#ifndef _KUNIT_EVENTUALLY_H
#define _KUNIT_EVENTUALLY_H

#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/jiffies.h>

/* Wait up to 10 s until the condition holds; returns whether it does. */
#define eventually(cond)						\
({									\
	unsigned long __end = jiffies + 10 * HZ;			\
									\
	while (!(cond) && time_before(jiffies, __end))			\
		msleep(1);						\
	(cond);								\
})

/*
 * Expect or assert the condition within 10 s. KUNIT_EXPECT_TRUE(test, eventually(...))
 * would print the whole expansion of eventually() when it fails.
 */
#define EXPECT_EVENTUALLY(test, cond)					\
do {									\
	if (!eventually(cond))						\
		KUNIT_FAIL(test, "not within 10 s: %s", #cond);		\
} while (0)

#define ASSERT_EVENTUALLY(test, cond)					\
do {									\
	if (!eventually(cond))						\
		KUNIT_FAIL_AND_ABORT(test, "not within 10 s: %s", #cond); \
} while (0)

#endif /* _KUNIT_EVENTUALLY_H */
