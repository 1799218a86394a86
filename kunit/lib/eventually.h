/* SPDX-License-Identifier: GPL-2.0-only */
/* Waiting for what another thread brings about. */
#ifndef _KUNIT_EVENTUALLY_H
#define _KUNIT_EVENTUALLY_H

#include <linux/delay.h>
#include <linux/jiffies.h>

/* False: 10 s were over and the condition does not hold. */
#define eventually(cond)						\
({									\
	unsigned long __end = jiffies + 10 * HZ;			\
									\
	while (!(cond) && time_before(jiffies, __end))			\
		msleep(1);						\
	(cond);								\
})

#endif /* _KUNIT_EVENTUALLY_H */
