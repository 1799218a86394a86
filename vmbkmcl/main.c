// SPDX-License-Identifier: GPL-2.0-only
/* Load and unload. Unloading is impossible while a channel lives: each holds the module. */

#include <linux/module.h>

#include "client.h"
#include "debugfs.h"
#include "delivery.h"
#include "gpadl.h"
#include "life.h"
#include "watch.h"

static int __init vmbkmcl_init(void)
{
	int err;

	err = kmcl_life_init();
	if (err)
		return err;
	err = kmcl_delivery_init();
	if (err)
		goto exit_life;
	err = kmcl_clients_init();
	if (err)
		goto exit_delivery;
	kmcl_debugfs_init();
	return 0;

exit_delivery:
	kmcl_delivery_exit();
exit_life:
	kmcl_life_exit();
	return err;
}

static void __exit vmbkmcl_exit(void)
{
	kmcl_debugfs_exit();
	kmcl_quarantine_abandon();
	kmcl_clients_exit();
	kmcl_delivery_exit();
	kmcl_life_exit();
	kmcl_watch_exit();
}

module_init(vmbkmcl_init);
module_exit(vmbkmcl_exit);

MODULE_DESCRIPTION("VMBus Kernel Mode Client Library");
MODULE_AUTHOR("The vmbkmcl maintainers");
MODULE_VERSION(KMCL_VERSION);
MODULE_LICENSE("GPL");
