// SPDX-License-Identifier: GPL-2.0-only
/* A client that is unloaded, or fails to load, with its channel enabled. */

#include <linux/module.h>
#include <linux/workqueue.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "../host/protocol.h"

static bool fail;
module_param(fail, bool, 0);
MODULE_PARM_DESC(fail, "Fail to load");

static bool tail;
module_param(tail, bool, 0);
MODULE_PARM_DESC(tail, "End the init function with the allocation");

static VMBCHANNEL channel;

static VOID forgetful_closed(VMBCHANNEL ch)
{
	pr_warn("forgetful: called after it was gone\n");
}

static VOID forgetful_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer,
				UINT32 length)
{
	pr_warn("forgetful: called after it was gone\n");
}

/* A packet is on its way when the module goes. */
static VOID forgetful_post_started(VMBCHANNEL ch)
{
	struct testdev_request delay = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_DELAY, .length = 60000,
	};
	VMBPACKET packet = VmbPacketAllocate(ch);

	if (!packet)
		return;
	VmbPacketSetCompletionRoutine(packet, forgetful_completed);
	/* The channel may be on its way down already, when loading failed. */
	if (VmbPacketSend(packet, &delay, sizeof(delay), NULL,
			  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))
		VmbPacketFree(packet);
}

static int forgetful_start(void)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	guid_t type, instance;

	if (guid_parse(TESTDEV_TYPE_GUID, &type) ||
	    guid_parse(TESTDEV_INSTANCE_GUID, &instance))
		return -EINVAL;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelPostStarted = forgetful_post_started;
	evt.EvtChannelClosed = forgetful_closed;
	VmbChannelInitSetStateChangeCallbacks(channel, &evt);
	VmbClientChannelInitSetTargetPnp(channel, &type, &instance, NULL);
	if (VmbChannelEnable(channel))
		pr_warn("forgetful: not enabled\n");
	return 0;
}

static void forgetful_start_later(struct work_struct *work)
{
	forgetful_start();
}

static DECLARE_DELAYED_WORK(start_later, forgetful_start_later);

/* The compiler may make the last call a jump, so that it comes from the kernel. */
static int __init forgetful_init(void)
{
	if (!tail) {
		if (VmbChannelAllocate(NULL, FALSE, &channel) ||
		    forgetful_start())
			return -EINVAL;
		return fail ? -EINVAL : 0;
	}
	schedule_delayed_work(&start_later, HZ);
	return VmbChannelAllocate(NULL, FALSE, &channel);
}

static void __exit forgetful_exit(void)
{
	flush_delayed_work(&start_later);
}

module_init(forgetful_init);
module_exit(forgetful_exit);

MODULE_DESCRIPTION("A client that leaves its channel behind, for the tests");
MODULE_LICENSE("GPL");
