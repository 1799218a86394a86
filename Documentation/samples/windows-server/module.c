// SPDX-License-Identifier: GPL-2.0-only
/* What Linux needs around the server: a module that adds its one device. */

#include <linux/module.h>

#include "server.h"

static int __init server_init(void)
{
	return NT_SUCCESS(ShareEvtDeviceAdd(NULL)) ? 0 : -ENODEV;
}

static void __exit server_exit(void)
{
	ShareEvtDeviceRemove();
}

module_init(server_init);
module_exit(server_exit);

MODULE_DESCRIPTION("Sample server of vmbkmcl, as written for Windows");
MODULE_LICENSE("GPL");
