/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmark tells the profile (profile.c): instructions that do nothing,
 * nopl with a displacement that stands nowhere else.
 */
#ifndef _PROFILE_MARKS_H
#define _PROFILE_MARKS_H

#define PROFILE_MARK	0x4b4d4300

/* The first three of the driver by hand; plus 1, of KMCL. */
#define PROFILE_START	0	/* what follows is timed */
#define PROFILE_STOP	2	/* not any more */
#define PROFILE_OP	4	/* one operation more was timed */
#define PROFILE_END	6	/* of a job */

#define profile_mark(mark)						\
({									\
	asm volatile(".byte 0x0f, 0x1f, 0x80\n\t.long %c0"		\
		     : : "i" (PROFILE_MARK + (mark)) : "memory");	\
})

#endif /* _PROFILE_MARKS_H */
