// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample client of vmbkmcl: a process shares memory with a server outside of
 * the guest, by way of /dev/vmbkmcl-share (see share.h; demo.c is such a
 * process).
 *
 * The channel is set up at the bottom, in share_init(). What happens on it from
 * then on, its callbacks tell: they stand above. The interesting part, the
 * buffers, comes first.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>

/* What the server understands. A client of another server has its own. */
#include "protocol.h"
#include "share.h"

/* Timeouts count in units of 100 ns; below 0 they count from now. */
#define SHARE_TIMEOUT	(-10 * 10000000LL)

/**
 * struct share_buffer - what an open file has
 * @node: in share_buffers
 * @memory: SHARE_MEMORY_SIZE bytes of vmalloc memory
 * @shared: there is a GPADL, and its handle is @handle
 * @handle: what the server knows the buffer by
 */
struct share_buffer {
	struct list_head node;
	void *memory;
	bool shared;
	u32 handle;
};

static VMBCHANNEL share_channel;

/* Held while a GPADL is made, used or deleted: the channel may close meanwhile. */
static DEFINE_MUTEX(share_lock);
static LIST_HEAD(share_buffers);

/* Every function of the API that can fail returns an NTSTATUS. */
static int share_check(const char *what, NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return 0;
	pr_err_ratelimited("%s: status %#x\n", what, status);
	return -EIO;
}

/* One question to the server, and its answer. */
static int share_ask(enum testdev_op op, u32 handle, u32 seed, u64 *value)
{
	struct testdev_request request = {
		.magic = TESTDEV_MAGIC,
		.op = op,
		.handle = handle,
		.seed = seed,
	};
	struct testdev_response answer;
	u32 length = sizeof(answer);	/* in: room, a multiple of 8; out: used */
	LARGE_INTEGER timeout = { .QuadPart = SHARE_TIMEOUT };
	NTSTATUS status;
	int err;

	status = VmbChannelSendSynchronousRequest(share_channel, &request,
						  sizeof(request), NULL,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  &answer, &length, &timeout);
	err = share_check("request", status);
	if (err)
		return err;
	/* The server is another machine's program: look before you believe. */
	if (length < sizeof(answer) || answer.magic != TESTDEV_MAGIC ||
	    answer.op != op || answer.status != TESTDEV_OK)
		return -EPROTO;
	*value = answer.value;
	return 0;
}

/*
 * From here until the delete the server can map the buffer: it sees what the
 * guest writes, and the guest sees what the server writes. Nothing is copied.
 */
static int share_create(struct share_buffer *buffer, struct share_args *args)
{
	void __user *user = u64_to_user_ptr(args->address);
	void *memory = buffer->memory;
	NTSTATUS status;
	int err;

	if (buffer->shared)
		return -EBUSY;
	if (args->flags & ~SHARE_READ_ONLY)
		return -EINVAL;
	if (args->address) {
		/*
		 * The API takes kernel addresses too. Without this check a
		 * process could share the kernel's own memory.
		 */
		if (!access_ok(user, args->length))
			return -EFAULT;
		memory = (__force void *)user;
	} else if (args->length > SHARE_MEMORY_SIZE) {
		return -EINVAL;
	}

	status = VmbChannelCreateGpadlFromBuffer(share_channel,
						 args->flags & SHARE_READ_ONLY ?
						 VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY : 0,
						 memory, args->length,
						 &buffer->handle);
	err = share_check("create", status);
	if (err)
		return err;
	buffer->shared = true;
	args->handle = buffer->handle;
	return 0;
}

/*
 * Memory is the guest's alone again when this returns. The server is told, and
 * if it has the buffer mapped just now, this waits until it has not.
 */
static void share_delete(struct share_buffer *buffer)
{
	lockdep_assert_held(&share_lock);
	if (!buffer->shared)
		return;
	VmbChannelDeleteGpadl(share_channel, buffer->handle);
	buffer->shared = false;
}

static int share_do(struct share_buffer *buffer, unsigned int cmd,
		    struct share_args *args)
{
	if (cmd == SHARE_CREATE)
		return share_create(buffer, args);
	if (!buffer->shared)
		return -ENXIO;

	switch (cmd) {
	case SHARE_LENGTH:
		return share_ask(TESTDEV_GPADL_LENGTH, buffer->handle, 0,
				 &args->value);
	case SHARE_CRC32:
		return share_ask(TESTDEV_GPADL_CRC32, buffer->handle, 0,
				 &args->value);
	case SHARE_FILL:
		return share_ask(TESTDEV_GPADL_FILL, buffer->handle,
				 args->seed, &args->value);
	case SHARE_DELETE:
		share_delete(buffer);
		return 0;
	default:
		return -ENOTTY;
	}
}

/* The device file */

static long share_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct share_args __user *user = (struct share_args __user *)arg;
	struct share_args args;
	int err;

	if (copy_from_user(&args, user, sizeof(args)))
		return -EFAULT;
	mutex_lock(&share_lock);
	err = share_do(file->private_data, cmd, &args);
	mutex_unlock(&share_lock);
	if (!err && copy_to_user(user, &args, sizeof(args)))
		return -EFAULT;
	return err;
}

/* A mapping holds the file open, so the memory outlives it. */
static int share_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct share_buffer *buffer = file->private_data;

	return remap_vmalloc_range(vma, buffer->memory, vma->vm_pgoff);
}

static int share_open(struct inode *inode, struct file *file)
{
	struct share_buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return -ENOMEM;
	buffer->memory = vmalloc_user(SHARE_MEMORY_SIZE);
	if (!buffer->memory) {
		kfree(buffer);
		return -ENOMEM;
	}

	mutex_lock(&share_lock);
	list_add(&buffer->node, &share_buffers);
	mutex_unlock(&share_lock);
	file->private_data = buffer;
	return 0;
}

/* Also when the process died: first the server lets go, then memory is freed. */
static int share_release(struct inode *inode, struct file *file)
{
	struct share_buffer *buffer = file->private_data;

	mutex_lock(&share_lock);
	share_delete(buffer);
	list_del(&buffer->node);
	mutex_unlock(&share_lock);

	vfree(buffer->memory);
	kfree(buffer);
	return 0;
}

static const struct file_operations share_fops = {
	.owner = THIS_MODULE,
	.open = share_open,
	.release = share_release,
	.mmap = share_mmap,
	.unlocked_ioctl = share_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice share_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmbkmcl-share",
	.fops = &share_fops,
	.mode = 0600,
};

/* The channel's life. These may sleep, and never run two at a time. */

static bool share_registered;

/* Packets flow both ways from here on, so processes may come. */
static VOID share_post_started(VMBCHANNEL channel)
{
	int err = misc_register(&share_misc);

	share_registered = !err;
	if (err)
		pr_err("no device file: %d\n", err);
}

/* The device goes, or share_exit() runs: nobody new is let in. */
static VOID share_suspend(VMBCHANNEL channel)
{
	if (share_registered)
		misc_deregister(&share_misc);
	share_registered = false;
}

/*
 * The ring is gone. This is the time to delete the GPADLs there are, whoever
 * still has the file open; what a client forgets is deleted for it with a
 * warning.
 */
static VOID share_closed(VMBCHANNEL channel)
{
	struct share_buffer *buffer;

	mutex_lock(&share_lock);
	list_for_each_entry(buffer, &share_buffers, node)
		share_delete(buffer);
	mutex_unlock(&share_lock);
}

static VOID share_pnp_failure(VMBCHANNEL channel, NTSTATUS status)
{
	pr_err("cannot connect to the server: status %#x\n", status);
}

/* What the channel is to be. All of it is said before Enable. */
static int share_configure(VMBCHANNEL channel)
{
	static WCHAR name[] = L"share";
	UNICODE_STRING friendly = {
		.Length = sizeof(name) - sizeof(name[0]),
		.MaximumLength = sizeof(name),
		.Buffer = name,
	};
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	guid_t type, instance;
	int err;

	err = guid_parse(TESTDEV_TYPE_GUID, &type) ?:
	      guid_parse(TESTDEV_INSTANCE_GUID, &instance);
	if (err)
		return err;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelPostStarted = share_post_started;
	callbacks.EvtChannelSuspend = share_suspend;
	callbacks.EvtChannelClosed = share_closed;

	return share_check("name", VmbChannelInitSetFriendlyName(channel,
								 &friendly)) ?:
	       share_check("callbacks",
			   VmbChannelInitSetStateChangeCallbacks(channel,
								 &callbacks)) ?:
	       share_check("target",
			   VmbClientChannelInitSetTargetPnp(channel, &type,
							    &instance,
							    share_pnp_failure));
}

static int __init share_init(void)
{
	int err;

	err = share_check("allocate", VmbChannelAllocate(NULL, FALSE,
							 &share_channel));
	if (err)
		return err;
	err = share_configure(share_channel);
	if (err)
		goto cleanup;
	/*
	 * Returns at once. The callbacks come when the host offers the device,
	 * which may have been long ago or may be much later.
	 */
	err = share_check("enable", VmbChannelEnable(share_channel));
	if (err)
		goto cleanup;
	return 0;

cleanup:
	VmbChannelCleanup(share_channel);
	return err;
}

/* No file is open any more: each holds the module. */
static void __exit share_exit(void)
{
	VmbChannelDisable(share_channel);	/* Suspend and Closed run in here */
	VmbChannelCleanup(share_channel);
}

module_init(share_init);
module_exit(share_exit);

MODULE_DESCRIPTION("Sample client of vmbkmcl: share memory with a VMBus server");
MODULE_LICENSE("GPL");
