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

#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "channel.h"
#include "client.h"

static LIST_HEAD(kmcl_channels);
static DEFINE_MUTEX(kmcl_channels_lock);

void kmcl_client_add(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_channels_lock);
	list_add_tail(&ch->node, &kmcl_channels);
	mutex_unlock(&kmcl_channels_lock);
}

void kmcl_client_remove(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_channels_lock);
	list_del(&ch->node);
	mutex_unlock(&kmcl_channels_lock);
}

static bool kmcl_client_is(const struct kmcl_channel *ch,
			   const struct module *mod)
{
	const char *name = strrchr(ch->client, '[');
	size_t len = strlen(mod->name);

	return name && !strncmp(name + 1, mod->name, len) &&
	       name[len + 1] == ']';
}

/* Off the list, so that nobody else finds it. Sub-channels refer to others. */
static struct kmcl_channel *kmcl_client_take(const struct module *mod)
{
	struct kmcl_channel *ch, *found = NULL;

	mutex_lock(&kmcl_channels_lock);
	list_for_each_entry(ch, &kmcl_channels, node) {
		if (!kmcl_client_is(ch, mod))
			continue;
		found = ch;
		if (ch->subs.primary)
			break;
	}
	if (found)
		list_del(&found->node);
	mutex_unlock(&kmcl_channels_lock);
	return found;
}

static int kmcl_client_goes(struct notifier_block *nb, unsigned long event,
			    void *data)
{
	const struct module *mod = data;
	struct kmcl_channel *ch;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	while ((ch = kmcl_client_take(mod))) {
		pr_err("%s: the module %s is gone and left the channel %s: a bug in it. The channel is cleaned up here\n",
		       ch->name, mod->name,
		       kmcl_state_name(READ_ONCE(ch->state)));
		kmcl_channel_abandon(ch);
	}
	return NOTIFY_OK;
}

static struct notifier_block kmcl_client_notifier = {
	.notifier_call = kmcl_client_goes,
};

int kmcl_clients_init(void)
{
	return register_module_notifier(&kmcl_client_notifier);
}

void kmcl_clients_exit(void)
{
	unregister_module_notifier(&kmcl_client_notifier);
}
