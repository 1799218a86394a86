// SPDX-License-Identifier: GPL-2.0-only
/* A function run in a thread of its own. */

#include <linux/kthread.h>
#include <linux/slab.h>

#include "job.h"

static int job_thread(void *data)
{
	struct job *job = data;

	job->run(job->arg);
	complete_all(&job->done);
	return 0;
}

struct job *job_start(struct kunit *test, void (*run)(void *arg), void *arg)
{
	struct job *job = kunit_kzalloc(test, sizeof(*job), GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, job);
	job->run = run;
	job->arg = arg;
	init_completion(&job->done);
	task = kthread_create(job_thread, job, "kmcl-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	job->task = get_task_struct(task);
	wake_up_process(task);
	return job;
}
EXPORT_TO_TESTS(job_start);

bool job_done(struct job *job)
{
	return completion_done(&job->done);
}
EXPORT_TO_TESTS(job_done);

bool job_returns(struct job *job)
{
	return wait_for_completion_timeout(&job->done, 10 * HZ);
}

void job_end(struct job *job)
{
	wait_for_completion(&job->done);
	kthread_stop_put(job->task);
}

void job_join(struct kunit *test, struct job *job)
{
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&job->done, 90 * HZ));
	/* The thread uses memory that is freed with the case, so the case can not end. */
	job_end(job);
}
EXPORT_TO_TESTS(job_join);
