// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which buses there are, and which channels look for their device on them.
 *
 * A channel that is enabled listens on all buses, those that come later among them;
 * so a bus's module and a client's can be loaded in any order. A bus's module stays
 * as long as a channel listens on it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kmod.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"

#define KMCL_BUSES_MAX	4

/* Modules of buses that are not part of this one. They have this as an alias. */
#define KMCL_BUS_MODULE	"vmbkmcl-bus-hv"

/*
 * Guards all below. A bus's listen() and unlisten() run under it; neither waits for
 * a client.
 */
static DEFINE_MUTEX(kmcl_buses_lock);
static const struct kmcl_bus_ops *kmcl_buses[KMCL_BUSES_MAX];
static unsigned int kmcl_bus_count;
static LIST_HEAD(kmcl_listeners);

static int kmcl_bus_tell(const struct kmcl_bus_ops *bus,
			 struct kmcl_channel *ch)
{
	int err;

	if (!try_module_get(bus->owner))
		return -ENODEV;
	err = bus->listen(ch);
	if (err)
		module_put(bus->owner);
	return err;
}

static void kmcl_bus_untell(const struct kmcl_bus_ops *bus,
			    struct kmcl_channel *ch)
{
	bus->unlisten(ch);
	module_put(bus->owner);
}

static int kmcl_bus_tell_all(struct kmcl_channel *ch)
{
	unsigned int i;
	int err;

	for (i = 0; i < kmcl_bus_count; i++) {
		err = kmcl_bus_tell(kmcl_buses[i], ch);
		if (err)
			goto untell;
	}
	list_add_tail(&ch->listener, &kmcl_listeners);
	return 0;

untell:
	while (i--)
		kmcl_bus_untell(kmcl_buses[i], ch);
	return err;
}

static void kmcl_bus_untell_all(struct kmcl_channel *ch)
{
	unsigned int i = kmcl_bus_count;

	list_del(&ch->listener);
	while (i--)
		kmcl_bus_untell(kmcl_buses[i], ch);
}

/* The bus's module was asked for, and has not been there and gone since. */
static atomic_t kmcl_bus_asked;

/* Once: a machine without it is not asked again and again. */
static void kmcl_bus_request_module(void)
{
	if (!READ_ONCE(kmcl_bus_count) && !atomic_xchg(&kmcl_bus_asked, 1))
		request_module(KMCL_BUS_MODULE);
}

/**
 * kmcl_bus_listen - have buses look for a channel's device
 * @ch: a channel that does not listen; with &kmcl_channel.api held
 *
 * Context: may sleep.
 * Return: 0, or an error of one of the buses, and none looks.
 */
int kmcl_bus_listen(struct kmcl_channel *ch)
{
	int err;

	lockdep_assert_held(&ch->api);
	if (!ch->pinned)
		kmcl_bus_request_module();

	mutex_lock(&kmcl_buses_lock);
	err = ch->pinned ? kmcl_bus_tell(ch->pinned, ch) : kmcl_bus_tell_all(ch);
	if (!err && !ch->pinned && !kmcl_bus_count)
		kmcl_info(ch, "no bus is there: the channel waits for one, as vmbkmcl_hv is in a guest of Hyper-V\n");
	mutex_unlock(&kmcl_buses_lock);
	ch->listening = !err;
	return err;
}

/**
 * kmcl_bus_unlisten - the opposite of kmcl_bus_listen()
 * @ch: a channel without a device; with &kmcl_channel.api held
 *
 * Nothing happens to a channel that does not listen.
 *
 * Context: may sleep.
 */
void kmcl_bus_unlisten(struct kmcl_channel *ch)
{
	lockdep_assert_held(&ch->api);
	if (!ch->listening)
		return;
	ch->listening = false;
	mutex_lock(&kmcl_buses_lock);
	if (ch->pinned)
		kmcl_bus_untell(ch->pinned, ch);
	else
		kmcl_bus_untell_all(ch);
	mutex_unlock(&kmcl_buses_lock);
}

/* Channels that listened before there was the bus. */
static int kmcl_bus_tell_listeners(const struct kmcl_bus_ops *bus)
{
	struct kmcl_channel *ch;
	int err;

	list_for_each_entry(ch, &kmcl_listeners, listener) {
		err = kmcl_bus_tell(bus, ch);
		if (err)
			goto untell;
	}
	return 0;

untell:
	list_for_each_entry_continue_reverse(ch, &kmcl_listeners, listener)
		kmcl_bus_untell(bus, ch);
	return err;
}

/**
 * kmcl_bus_register - there is one more bus
 * @bus: the bus, which may be called before this returns
 *
 * Context: may sleep.
 * Return: 0; -ENOSPC when there are too many; or why the bus does not take the
 * channels that listen already.
 */
int kmcl_bus_register(const struct kmcl_bus_ops *bus)
{
	int err = -ENOSPC;

	mutex_lock(&kmcl_buses_lock);
	if (kmcl_bus_count < KMCL_BUSES_MAX)
		err = kmcl_bus_tell_listeners(bus);
	if (!err)
		kmcl_buses[kmcl_bus_count++] = bus;
	mutex_unlock(&kmcl_buses_lock);
	return err;
}
KMCL_EXPORT_TO_BUSES(kmcl_bus_register);

/**
 * kmcl_bus_unregister - a bus goes
 * @bus: the bus; no channel listens on it, as its module could not go otherwise
 *
 * Context: may sleep.
 */
void kmcl_bus_unregister(const struct kmcl_bus_ops *bus)
{
	unsigned int i = 0;

	mutex_lock(&kmcl_buses_lock);
	while (kmcl_buses[i] != bus)
		i++;
	kmcl_bus_count--;
	for (; i < kmcl_bus_count; i++)
		kmcl_buses[i] = kmcl_buses[i + 1];
	atomic_set(&kmcl_bus_asked, 0);
	mutex_unlock(&kmcl_buses_lock);
}
KMCL_EXPORT_TO_BUSES(kmcl_bus_unregister);
