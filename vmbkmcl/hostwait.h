/* SPDX-License-Identifier: GPL-2.0-only */
/* Waits that may take long, for the host or the client: see hostwait.c. */
#ifndef _KMCL_HOSTWAIT_H
#define _KMCL_HOSTWAIT_H

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/wait.h>

struct kmcl_channel;
struct seq_file;

/**
 * struct kmcl_hostwait - a wait in progress, on the stack of the waiting task
 * @node: in the list of all waits
 * @ch: the channel that waits
 * @what: name of the operation, for log lines
 * @handle: the GPADL; 0 if the operation has none
 * @since: when the wait began
 * @warn_at: when the next line is logged, in jiffies
 */
struct kmcl_hostwait {
	struct list_head node;
	struct kmcl_channel *ch;
	const char *what;
	u32 handle;
	ktime_t since;
	unsigned long warn_at;
};

/*
 * State of a task that waits between kmcl_hostwait_start() and kmcl_hostwait_stop(). The
 * log names the wait, so the hung task detector need not: it leaves TASK_IDLE out. A
 * process that waits in this state does not keep the machine from hibernating. Freezing
 * it is safe although it may hold &kmcl_channel.api, which nothing takes on the way into
 * hibernation.
 */
#define KMCL_HOSTWAIT_STATE	(TASK_IDLE | TASK_FREEZABLE_UNSAFE)

/*
 * Wait for a condition. The wait is named only if the caller, or the function that waits
 * for the caller's end, has called kmcl_hostwait_start().
 */
#define kmcl_hostwait_event(head, condition)				\
do {									\
	might_sleep();							\
	if (!(condition))						\
		(void)___wait_event(head, condition,			\
				    KMCL_HOSTWAIT_STATE, 0, 0,		\
				    schedule());			\
} while (0)

void kmcl_hostwait_start(struct kmcl_hostwait *wait, struct kmcl_channel *ch,
			 const char *what, u32 handle);
void kmcl_hostwait_stop(struct kmcl_hostwait *wait);
void kmcl_hostwait_show(struct kmcl_channel *ch, struct seq_file *m);
void kmcl_hostwait_exit(void);

#endif /* _KMCL_HOSTWAIT_H */
