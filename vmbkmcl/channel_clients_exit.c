// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cleanup of channels whose module is unloaded.
 *
 * A client's module can be unloaded although it forgot to clean up a channel. The
 * next callback would then run code that is not there any more. So each channel
 * records the module that allocated it. A module notifier runs after the module's
 * exit function and before the module's memory is freed. It names such channels in
 * the log and cleans them up without calling the client.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "channel.h"
#include "channel_clients.h"
#include "channel_clients_exit.h"

static int kmcl_client_going(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	const struct module *mod = data;
	struct kmcl_channel *ch;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	kmcl_clients_abandon(mod);
	while ((ch = kmcl_client_pop(mod))) {
		kmcl_err(ch, "the module %s is gone and left the channel %s: a bug in it. The channel is cleaned up here\n",
			 mod->name, kmcl_state_name(READ_ONCE(ch->state)));
		kmcl_channel_abandon(ch);
	}
	return NOTIFY_OK;
}

static struct notifier_block kmcl_client_notifier = {
	.notifier_call = kmcl_client_going,
};

int kmcl_clients_init(void)
{
	return register_module_notifier(&kmcl_client_notifier);
}

void kmcl_clients_exit(void)
{
	unregister_module_notifier(&kmcl_client_notifier);
}
