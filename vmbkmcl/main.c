// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload vmbkmcl. Each channel holds the module, so it stays while one lives. */

#include <linux/module.h>

#include "channel_clients_exit.h"
#include "debugfs.h"
#include "gpadl.h"
#include "hostwait.h"

static int __init vmbkmcl_init(void)
{
	int err;

	err = kmcl_clients_init();
	if (err)
		return err;
	kmcl_debugfs_init();
	return 0;
}

static void __exit vmbkmcl_exit(void)
{
	kmcl_debugfs_exit();
	kmcl_quarantine_abandon();
	kmcl_clients_exit();
	kmcl_hostwait_exit();
}

module_init(vmbkmcl_init);
module_exit(vmbkmcl_exit);

/* For initramfs tools; at run time kmcl_bus_listen() asks for the module. */
MODULE_SOFTDEP("post: vmbkmcl_hv");
MODULE_DESCRIPTION("VMBus Kernel Mode Client Library");
MODULE_AUTHOR("The vmbkmcl maintainers");
MODULE_VERSION(KMCL_VERSION);
MODULE_LICENSE("GPL");
