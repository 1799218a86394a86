/* SPDX-License-Identifier: GPL-2.0-only */
/* A function run in a thread of its own: job.c. */
#ifndef _KUNIT_JOB_H
#define _KUNIT_JOB_H

#include <kunit/test.h>
#include <linux/completion.h>

/**
 * struct job - a function run in a thread of its own
 * @task: the thread
 * @run: the function
 * @arg: its argument
 * @done: completed when @run has returned
 */
struct job {
	struct task_struct *task;
	void (*run)(void *arg);
	void *arg;
	struct completion done;
};

/* The case must end the job with job_join() or job_end(). */
struct job *job_start(struct kunit *test, void (*run)(void *arg), void *arg);

/* The function has returned. */
bool job_done(struct job *job);

/* Wait up to 10 s; says whether the function has returned. */
bool job_returns(struct job *job);

/* Wait for the function and for its thread; job_join() expects that within 90 s. */
void job_join(struct kunit *test, struct job *job);
void job_end(struct job *job);

#endif /* _KUNIT_JOB_H */
