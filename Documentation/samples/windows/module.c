// SPDX-License-Identifier: GPL-2.0-only
/* What Linux needs around the client: a module that adds its one device. */

#include <linux/module.h>

#include "ring.h"

static int __init ring_init(void)
{
	return NT_SUCCESS(RingEvtDeviceAdd(NULL)) ? 0 : -ENODEV;
}

static void __exit ring_exit(void)
{
	RingEvtDeviceRemove();
}

module_init(ring_init);
module_exit(ring_exit);

MODULE_DESCRIPTION("Sample client of vmbkmcl, as written for Windows");
MODULE_LICENSE("GPL");
