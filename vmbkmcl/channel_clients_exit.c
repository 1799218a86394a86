// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients that go and leave their channels.
 *
 * A client's module may be unloaded although it forgot to clean a channel up.
 * The next callback would then run code that is not there any more. So each
 * channel knows the module that allocated it, and when that goes, after the
 * module's exit and before its memory is freed, the channel is named in the log
 * and cleaned up, without another call to the client.
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
	while ((ch = kmcl_client_pop(mod))) {
		pr_err("%s: the module %s is gone and left the channel %s: a bug in it. The channel is cleaned up here\n",
		       ch->name, mod->name,
		       kmcl_state_name(READ_ONCE(ch->state)));
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
