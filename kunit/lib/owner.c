// SPDX-License-Identifier: GPL-2.0-only
/*
 * A process that shares its memory and can be killed.
 *
 * The process is the guest's dd. It writes to a device of this file, which
 * creates the GPADL or locks the MDL over dd's buffer, in dd's context, and does
 * not return.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/kmod.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/umh.h>
#include <linux/wait.h>

#include "owner.h"

#define OWNER_DEVICE	"vmbkmcl-owner"

static struct {
	VMBCHANNEL ch;
	struct owner *owner;
	struct completion ready;
} starting;

static DECLARE_WAIT_QUEUE_HEAD(for_ever);

static void owner_shares(struct owner *owner, void *start)
{
	if (starting.ch) {
		owner->status =
			VmbChannelCreateGpadlFromBuffer(starting.ch, 0, start,
							OWNER_BYTES,
							&owner->handle);
		return;
	}
	owner->status = STATUS_INSUFFICIENT_RESOURCES;
	owner->mdl = IoAllocateMdl(start, OWNER_BYTES, FALSE, FALSE, NULL);
	if (owner->mdl)
		owner->status = MmProbeAndLockPages(owner->mdl, UserMode,
						    IoModifyAccess);
}

static ssize_t owner_write(struct file *file, const char __user *buf,
			   size_t len, loff_t *pos)
{
	unsigned long start = PAGE_ALIGN((unsigned long)buf);
	struct owner *owner = starting.owner;

	if (!owner || len < OWNER_BYTES + PAGE_SIZE)
		return -EINVAL;
	owner_shares(owner, (void *)start);
	owner->task = get_task_struct(current);
	owner->mm = current->mm;
	mmgrab(owner->mm);
	complete(&starting.ready);
	return wait_event_killable(for_ever, false);
}

static const struct file_operations owner_fops = {
	.owner = THIS_MODULE,
	.write = owner_write,
};

static struct miscdevice owner_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = OWNER_DEVICE,
	.fops = &owner_fops,
};

static void owner_stop(void *data)
{
	struct owner *owner = data;

	if (owner->task) {
		send_sig(SIGKILL, owner->task, 1);
		while (!READ_ONCE(owner->task->exit_state))
			msleep(1);
		put_task_struct(owner->task);
		mmdrop(owner->mm);
	}
	starting.owner = NULL;
	misc_deregister(&owner_device);
}

struct owner *owner_start(struct kunit *test, VMBCHANNEL ch)
{
	static char *envp[] = { "PATH=/bin", NULL };
	static char *argv[] = { "/bin/dd", "if=/dev/zero", "of=/dev/" OWNER_DEVICE,
			 "bs=128k", "count=1", NULL };
	struct owner *owner = kunit_kzalloc(test, sizeof(*owner), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, owner);
	starting.ch = ch;
	starting.owner = owner;
	init_completion(&starting.ready);
	KUNIT_ASSERT_EQ(test, misc_register(&owner_device), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, owner_stop,
							owner), 0);
	/* devtmpfs makes the node in a thread of its own. */
	msleep(100);
	KUNIT_ASSERT_EQ(test, call_usermodehelper(argv[0], argv, envp,
						  UMH_WAIT_EXEC), 0);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&starting.ready,
							  20 * HZ), 0);
	return owner;
}

void owner_kill(struct kunit *test, struct owner *owner)
{
	unsigned long end = jiffies + 20 * HZ;

	send_sig(SIGKILL, owner->task, 1);
	while (!READ_ONCE(owner->task->exit_state) && time_before(jiffies, end))
		msleep(1);
	KUNIT_ASSERT_NE(test, READ_ONCE(owner->task->exit_state), 0);
}
