// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which buses there are, and which channels look for their device on them.
 *
 * A channel that is enabled listens on every bus that takes it. A bus that registers
 * later is told of the channels that listen already, so the modules of a bus and of
 * a client can be loaded in any order. The module of a bus stays as long as a
 * channel listens on it.
 *
 * A bus that does not take a channel is named in the log and left out; the other
 * buses keep the channel. So nothing has to be undone here: a bus may have attached
 * a device to the channel already, and taking that away would wait for the client.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/async.h>
#include <linux/bits.h>
#include <linux/kmod.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"

#define KMCL_BUSES_MAX	5

/* The alias of the module that has the bus of hv_vmbus. */
#define KMCL_BUS_MODULE	"vmbkmcl-bus-hv"

/*
 * Guards all below. The listen() and unlisten() of a bus run under this lock. They may
 * wait for the driver core, and so for the probe of another driver, but not for the
 * callback of a client.
 */
static DEFINE_MUTEX(kmcl_buses_lock);
/* A bus keeps its place, which is its bit in &kmcl_channel.buses. NULL: free. */
static const struct kmcl_bus_ops *kmcl_buses[KMCL_BUSES_MAX];
/* Buses that have a host. */
static unsigned int kmcl_bus_count;
/* Channels that listen, whether there is a bus or not. */
static LIST_HEAD(kmcl_listeners);

/*
 * True if there is a bus; its module is held then. False for an empty place, and
 * for a bus whose module is being unloaded.
 */
static bool kmcl_bus_hold(const struct kmcl_bus_ops *bus)
{
	return bus && try_module_get(bus->owner);
}

/* Gives up the module of @bus, which the caller holds, if @bus does not listen. */
static int kmcl_bus_tell(const struct kmcl_bus_ops *bus,
			 struct kmcl_channel *ch)
{
	int err = bus->listen(ch);

	if (err) {
		kmcl_warn_always(ch, "the bus %s does not %s: error %d\n",
				 bus->name, ch->is_server ? "offer the device" :
				 "look for the device", err);
		module_put(bus->owner);
	}
	return err;
}

static void kmcl_bus_untell(const struct kmcl_bus_ops *bus,
			    struct kmcl_channel *ch)
{
	bus->unlisten(ch);
	module_put(bus->owner);
}

/*
 * Tell the buses that have a host, or those without. Returns the error of a bus that
 * did not take the channel.
 */
static int kmcl_bus_tell_some(struct kmcl_channel *ch, bool in_kernel)
{
	const struct kmcl_bus_ops *bus;
	unsigned int i;
	int err, failed = 0;

	for (i = 0; i < KMCL_BUSES_MAX; i++) {
		bus = kmcl_buses[i];
		if (!bus || bus->in_kernel != in_kernel || !kmcl_bus_hold(bus))
			continue;
		err = kmcl_bus_tell(bus, ch);
		if (err)
			failed = err;
		else
			ch->buses |= BIT(i);
	}
	return failed;
}

/*
 * The error of a bus, unless another bus took the channel or no bus is there. A
 * channel that every bus with a host has refused is not offered what is in the
 * kernel either: the client has to know that its host's device will not come.
 */
static int kmcl_bus_tell_all(struct kmcl_channel *ch)
{
	int failed;

	ch->buses = 0;
	failed = kmcl_bus_tell_some(ch, false);
	if (!failed || ch->buses)
		failed = kmcl_bus_tell_some(ch, true);
	if (failed && !ch->buses)
		return failed;
	list_add_tail(&ch->listener, &kmcl_listeners);
	return 0;
}

static void kmcl_bus_untell_all(struct kmcl_channel *ch)
{
	unsigned int i;

	list_del(&ch->listener);
	for (i = 0; i < KMCL_BUSES_MAX; i++)
		if (ch->buses & BIT(i))
			kmcl_bus_untell(kmcl_buses[i], ch);
}

/* The bus's module was asked for, and no bus has gone since. */
static atomic_t kmcl_bus_asked;

/*
 * Ask for the module once: a machine without it is not asked again and again. A
 * driver's asynchronous probe must not wait for a module to load.
 */
static void kmcl_bus_request_module(void)
{
	if (READ_ONCE(kmcl_bus_count) || atomic_xchg(&kmcl_bus_asked, 1))
		return;
	if (!current_is_async())
		request_module(KMCL_BUS_MODULE);
	else if (request_module_nowait(KMCL_BUS_MODULE))
		atomic_set(&kmcl_bus_asked, 0);
}

/**
 * kmcl_bus_listen - have the buses look for a channel's device
 * @ch: a channel that does not listen; with &kmcl_channel.api held
 *
 * Context: may sleep.
 * Return: 0, or an error of a bus when no bus looks for the device.
 */
int kmcl_bus_listen(struct kmcl_channel *ch)
{
	int err;

	lockdep_assert_held(&ch->api);
	if (!ch->pinned)
		kmcl_bus_request_module();

	mutex_lock(&kmcl_buses_lock);
	if (!ch->pinned)
		err = kmcl_bus_tell_all(ch);
	else
		err = kmcl_bus_hold(ch->pinned) ?
		      kmcl_bus_tell(ch->pinned, ch) : -ENODEV;
	if (!err && !ch->pinned && !kmcl_bus_count && !ch->endpoint)
		kmcl_info(ch, "no bus is there: the channel waits for one (in a guest of Hyper-V: vmbkmcl_hv)\n");
	mutex_unlock(&kmcl_buses_lock);
	ch->listening = !err;
	return err;
}

/**
 * kmcl_bus_unlisten - undo kmcl_bus_listen()
 * @ch: a channel without a device; with &kmcl_channel.api held
 *
 * A channel that does not listen is left as it is.
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

static int kmcl_bus_find_place(const struct kmcl_bus_ops *bus)
{
	unsigned int i;

	for (i = 0; i < KMCL_BUSES_MAX; i++)
		if (kmcl_buses[i] == bus)
			return i;
	return -ENOSPC;
}

/**
 * kmcl_bus_register - make a bus known
 * @bus: the bus, which may be called before this returns
 *
 * When this returns, the channels that listen already listen on @bus, too. A channel
 * that @bus does not take is named in the log; it listens on @bus after it was disabled
 * and enabled again.
 *
 * Context: may sleep.
 * Return: 0, or -ENOSPC when there are too many buses.
 */
int kmcl_bus_register(const struct kmcl_bus_ops *bus)
{
	struct kmcl_channel *ch;
	int place;

	mutex_lock(&kmcl_buses_lock);
	place = kmcl_bus_find_place(NULL);
	if (place < 0)
		goto unlock;
	kmcl_buses[place] = bus;
	kmcl_bus_count += !bus->in_kernel;
	list_for_each_entry(ch, &kmcl_listeners, listener)
		if (kmcl_bus_hold(bus) && !kmcl_bus_tell(bus, ch))
			ch->buses |= BIT(place);
unlock:
	mutex_unlock(&kmcl_buses_lock);
	return place < 0 ? place : 0;
}
KMCL_EXPORT_TO_BUSES(kmcl_bus_register);

/**
 * kmcl_bus_unregister - forget a bus
 * @bus: a registered bus on which no channel listens: one that does holds the
 *	bus's module
 *
 * Context: may sleep.
 */
void kmcl_bus_unregister(const struct kmcl_bus_ops *bus)
{
	int place;

	mutex_lock(&kmcl_buses_lock);
	place = kmcl_bus_find_place(bus);
	if (!WARN_ON_ONCE(place < 0)) {
		kmcl_buses[place] = NULL;
		kmcl_bus_count -= !bus->in_kernel;
	}
	atomic_set(&kmcl_bus_asked, 0);
	mutex_unlock(&kmcl_buses_lock);
}
KMCL_EXPORT_TO_BUSES(kmcl_bus_unregister);
