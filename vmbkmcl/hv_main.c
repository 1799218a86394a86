// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load and unload vmbkmcl_hv. A channel that listens on the bus keeps it loaded, and a
 * GPADL of the bus that is in quarantine.
 */

#include <linux/module.h>
#include <asm/mshyperv.h>

#include "compat.h"
#include "hv_bind.h"
#include "hv_bus.h"

static int __init vmbkmcl_hv_init(void)
{
	int err;

	/* hv_vmbus may be built into a kernel that does not run on Hyper-V. */
	if (!hv_is_hyperv_initialized())
		return -ENODEV;
	err = kmcl_target_init(&kmcl_hv_bus);
	if (err)
		return err;
	err = kmcl_bus_register(&kmcl_hv_bus);
	if (err)
		kmcl_target_exit();
	return err;
}

static void __exit vmbkmcl_hv_exit(void)
{
	kmcl_bus_unregister(&kmcl_hv_bus);
	kmcl_target_exit();
}

module_init(vmbkmcl_hv_init);
module_exit(vmbkmcl_hv_exit);

KMCL_IMPORT_BUS_NS;
MODULE_ALIAS("vmbkmcl-bus-hv");
MODULE_DESCRIPTION("VMBus Kernel Mode Client Library, the bus of hv_vmbus");
MODULE_AUTHOR("The vmbkmcl maintainers");
MODULE_VERSION(KMCL_VERSION);
MODULE_LICENSE("GPL");
