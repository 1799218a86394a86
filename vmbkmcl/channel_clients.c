// SPDX-License-Identifier: GPL-2.0-only
/* The list of all channels, and the module that each channel belongs to. */

#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>

#include "channel.h"
#include "channel_clients.h"

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

/* True if a callback of the channel is a function of @mod. */
static bool kmcl_client_calls(const struct kmcl_channel *ch,
			      const struct module *mod)
{
	const struct kmcl_settings *set = &ch->set;
	const void *callbacks[] = {
		set->pnp_failure,
		set->evt.EvtChannelOpened,
		set->evt.EvtChannelClosed,
		set->evt.EvtChannelSuspend,
		set->evt.EvtChannelStarted,
		set->evt.EvtChannelPostStarted,
		set->process_packet,
		set->processing_complete,
		set->process_packet_ex,
		set->processing_complete_ex,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(callbacks); i++)
		if (within_module((unsigned long)callbacks[i], mod))
			return true;
	return false;
}

/* True if @mod allocated the channel. ch->client is "function [module]". */
static bool kmcl_client_allocated(const struct kmcl_channel *ch,
				  const struct module *mod)
{
	const char *name = strrchr(ch->client, '[');
	size_t len = strlen(mod->name);

	return name && !strncmp(name + 1, mod->name, len) &&
	       name[len + 1] == ']';
}

/*
 * True if the channel is a client's in @mod. The caller of VmbChannelAllocate() does not
 * always tell: a function that ends with the call has left its place to its own caller,
 * such as the kernel for the init function of a module. What must not be called any
 * more tells, too.
 */
static bool kmcl_client_is(const struct kmcl_channel *ch,
			   const struct module *mod)
{
	return kmcl_client_allocated(ch, mod) || kmcl_client_calls(ch, mod);
}

/*
 * Call none of the module's callbacks any more. This is for all its channels before the
 * first is cleaned up, because a client waits for its server, which may be the same
 * module's.
 */
void kmcl_clients_abandon(const struct module *mod)
{
	struct kmcl_channel *ch;

	mutex_lock(&kmcl_channels_lock);
	list_for_each_entry(ch, &kmcl_channels, node) {
		if (!kmcl_client_is(ch, mod))
			continue;
		WRITE_ONCE(ch->abandoned, true);
		wake_up_all(&ch->changed);
	}
	mutex_unlock(&kmcl_channels_lock);
}

/*
 * Remove a channel of a module from the list and return it, or NULL if the
 * module has none. Sub-channels hold a reference of their primary channel, so
 * they come first.
 */
struct kmcl_channel *kmcl_client_pop(const struct module *mod)
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
