// SPDX-License-Identifier: GPL-2.0-only
/* A client that is unloaded, or fails to load, with its channel enabled. */

#include <linux/module.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "host/protocol.h"

static bool fail;
module_param(fail, bool, 0);
MODULE_PARM_DESC(fail, "Fail to load");

static VMBCHANNEL channel;

static VOID forgetful_closed(VMBCHANNEL ch)
{
	pr_warn("forgetful: called after it was gone\n");
}

static int __init forgetful_init(void)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	guid_t type, instance;

	if (guid_parse(TESTDEV_TYPE_GUID, &type) ||
	    guid_parse(TESTDEV_INSTANCE_GUID, &instance) ||
	    VmbChannelAllocate(NULL, FALSE, &channel))
		return -EINVAL;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelClosed = forgetful_closed;
	VmbChannelInitSetStateChangeCallbacks(channel, &evt);
	VmbClientChannelInitSetTargetPnp(channel, &type, &instance, NULL);
	if (VmbChannelEnable(channel))
		pr_warn("forgetful: not enabled\n");
	return fail ? -EINVAL : 0;
}

static void __exit forgetful_exit(void)
{
}

module_init(forgetful_init);
module_exit(forgetful_exit);

MODULE_DESCRIPTION("A client that leaves its channel behind, for the tests");
MODULE_LICENSE("GPL");
