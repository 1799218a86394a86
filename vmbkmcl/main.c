// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload vmbkmcl. Each channel holds the module, so it stays while one lives. */

#include <linux/module.h>

#include "bus.h"
#include "channel_clients_exit.h"
#include "debugfs.h"
#include "gpadl.h"
#include "hostwait.h"
#include "lo_bus.h"
#include "lo_offer.h"

static int __init vmbkmcl_init(void)
{
	int err;

	err = kmcl_clients_init();
	if (err)
		return err;
	err = kmcl_lo_offers_init(&kmcl_lo_bus);
	if (err)
		goto exit_clients;
	err = kmcl_bus_register(&kmcl_lo_bus);
	if (err)
		goto exit_offers;
	kmcl_debugfs_init();
	return 0;

exit_offers:
	kmcl_lo_offers_exit();
exit_clients:
	kmcl_clients_exit();
	return err;
}

static void __exit vmbkmcl_exit(void)
{
	kmcl_debugfs_exit();
	kmcl_bus_unregister(&kmcl_lo_bus);
	kmcl_lo_offers_exit();
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
