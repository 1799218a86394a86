// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel object, and what its client asks of it: allocate, enable, disable,
 * clean up. What then happens is in channel_state.c.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/device.h>
#include <linux/instruction_pointer.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "bus.h"
#include "channel.h"
#include "channel_clients.h"
#include "channel_state.h"
#include "compat.h"
#include "debugfs.h"
#include "hostwait.h"
#include "passive.h"
#include "poll.h"
#include "status.h"

#define KMCL_DEFAULT_PACKET_SIZE	4096
#define KMCL_DEFAULT_EXTERNAL_SIZE	SZ_1M
#define KMCL_DEFAULT_CHAIN		16
#define KMCL_DEFAULT_RING_PAGES		16

static atomic_t kmcl_next_id = ATOMIC_INIT(1);

/* This is a callback, and what waits for the channel would wait for it. */
static bool kmcl_channel_calls(struct kmcl_channel *ch)
{
	return kmcl_channel_runs(ch) || kmcl_subs_call(ch);
}

/* With ch->api held. */
static int kmcl_channel_enable(struct kmcl_channel *ch)
{
	int err;

	if (READ_ONCE(ch->state) != KMCL_DISABLED)
		return -ENOTCONN;
	/*
	 * Left from before a rescind; asking anew finds what is there by now.
	 * Before the wish, or a device could come and be taken away by this.
	 */
	kmcl_bus_unlisten(ch);

	if (!kmcl_channel_request(ch, true))
		return -ENOTCONN;
	/* Its devices come by way of its primary. */
	if (ch->subs.primary)
		return 0;
	err = kmcl_bus_listen(ch);
	if (err)
		kmcl_channel_request(ch, false);
	return err == -ENODEV || err == -ENOENT ? -ENXIO : err;
}

/**
 * VmbChannelEnable() - connect a channel to its device
 * @channel: a disabled channel with a target
 *
 * Returns at once, whether the device is there or comes later; the callbacks of
 * VmbChannelInitSetStateChangeCallbacks() tell how it goes on. The device may be on
 * any bus. Where no bus is registered, vmbkmcl_hv is asked for, once; if it does not
 * come, a line in the log says that the channel waits for a bus.
 *
 * Context: may sleep. Not from a state-change callback of @channel.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel;
 * %STATUS_INVALID_DEVICE_STATE when it is enabled already, has no target or is
 * called from a callback; %STATUS_INSUFFICIENT_RESOURCES;
 * %STATUS_DEVICE_NOT_CONNECTED when a bus that is registered is not usable.
 * Source: Microsoft's VmbChannelEnable documentation; the statuses are ours.
 */
NTSTATUS VmbChannelEnable(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	int err;

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (kmcl_channel_calls(ch))
		return STATUS_INVALID_DEVICE_STATE;

	mutex_lock(&ch->api);
	err = kmcl_channel_enable(ch);
	mutex_unlock(&ch->api);
	return kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelEnable);

/* With ch->api held. */
static void kmcl_channel_disable(struct kmcl_channel *ch)
{
	struct kmcl_hostwait watch;

	mutex_lock(&ch->lock);
	WRITE_ONCE(ch->wanted, false);
	kmcl_tx_refuse(ch);
	kmcl_channel_kick(ch);
	wake_up_all(&ch->changed);
	mutex_unlock(&ch->lock);

	/* A callback may wait for the host in a synchronous request. */
	kmcl_tx_cancel(ch, -ENODEV);
	kmcl_hostwait_start(&watch, ch, "disable", 0);
	wait_event(ch->changed, READ_ONCE(ch->state) == KMCL_DISABLED);
	kmcl_hostwait_stop(&watch);

	kmcl_bus_unlisten(ch);
}

/**
 * VmbChannelDisable() - close a channel and let its device go
 * @channel: any channel; nothing happens to a disabled one
 *
 * When it returns, every callback has ended and none comes again until the
 * channel is enabled.
 *
 * Context: may sleep, as long as the client's callbacks and the host take; the
 * log names a wait of more than a few seconds. Not from a state-change callback
 * of @channel: refused with a log line.
 * Source: Microsoft's VmbChannelDisable documentation.
 */
VOID VmbChannelDisable(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch)
		return;
	if (kmcl_channel_calls(ch)) {
		kmcl_warn(ch, "disable from a callback of its own refused\n");
		return;
	}

	mutex_lock(&ch->api);
	kmcl_channel_disable(ch);
	mutex_unlock(&ch->api);
}
EXPORT_SYMBOL_GPL(VmbChannelDisable);

/* Or overruled, or without a ring to be started or paused. */
static bool kmcl_channel_settled(const struct kmcl_channel *ch, bool paused)
{
	enum kmcl_state state = READ_ONCE(ch->state);

	return READ_ONCE(ch->paused) != paused || state <= KMCL_ENABLED ||
	       state == (paused ? KMCL_PAUSED : KMCL_ACTIVE);
}

/*
 * Without ch->api: a client's callback may take its time, and Disable must be
 * able to end what that waits for.
 */
static void kmcl_channel_set_paused(struct kmcl_channel *ch, bool paused)
{
	const char *what = paused ? "pause" : "start";
	struct kmcl_hostwait watch;

	if (kmcl_channel_calls(ch)) {
		kmcl_warn(ch, "%s from a callback of its own refused\n", what);
		return;
	}
	kmcl_channel_request_paused(ch, paused);
	kmcl_hostwait_start(&watch, ch, what, 0);
	wait_event(ch->changed, kmcl_channel_settled(ch, paused));
	kmcl_hostwait_stop(&watch);
}

/**
 * VmbChannelPause() - have a channel quiet
 * @channel: any channel
 *
 * An active channel is suspended: when this returns EvtChannelSuspend was called,
 * the client has completed all packets it had, and it is given no more until
 * VmbChannelStart(). Packets of the client's own go on, and so do their
 * completions. A channel that is not open comes up paused: EvtChannelOpened is
 * then all that is called. It stays so through VmbChannelDisable() and
 * VmbChannelEnable().
 *
 * Context: may sleep, as long as the client takes to complete its packets; the
 * log names a wait of more than a few seconds. Not from a state-change callback
 * of @channel: refused with a log line.
 * Source: Microsoft's VmbChannelPause documentation.
 */
VOID VmbChannelPause(VMBCHANNEL channel)
{
	might_sleep();
	if (channel)
		kmcl_channel_set_paused(channel, true);
}
EXPORT_SYMBOL_GPL(VmbChannelPause);

/**
 * VmbChannelStart() - end what VmbChannelPause() began
 * @channel: any channel
 *
 * A paused channel is active again when this returns: EvtChannelStarted and
 * EvtChannelPostStarted were called. One that is not open comes up active, as it
 * does without any call.
 *
 * Context: may sleep, as long as the callbacks take. Not from a state-change
 * callback of @channel: refused with a log line.
 * Source: Microsoft's VmbChannelStart documentation.
 */
VOID VmbChannelStart(VMBCHANNEL channel)
{
	might_sleep();
	if (channel)
		kmcl_channel_set_paused(channel, false);
}
EXPORT_SYMBOL_GPL(VmbChannelStart);

static void kmcl_channel_free(struct kref *ref)
{
	struct kmcl_channel *ch = container_of(ref, struct kmcl_channel, ref);

	kmcl_packets_free(ch);
	kmcl_tx_destroy(&ch->tx);
	kfree(ch->client);
	if (ch->borrowed) {
		/* The last touch: who waits for it gives the memory back. */
		complete(&ch->released);
		return;
	}
	/* A packet's completion may be on its way out: kmcl_packet_returned(). */
	kfree_rcu(ch, rcu);
}

static int kmcl_channel_init(struct kmcl_channel *ch,
			     const struct kmcl_bus_ops *pinned,
			     struct device *parent, unsigned long client)
{
	/* Now: a module's init functions are soon forgotten. */
	ch->client = kasprintf(GFP_KERNEL, "%ps", (void *)client);
	if (!ch->client)
		return -ENOMEM;
	if (kmcl_tx_init(&ch->tx)) {
		kfree(ch->client);
		return -ENOMEM;
	}

	kref_init(&ch->ref);
	ch->free = kmcl_channel_free;
	ch->id = atomic_inc_return(&kmcl_next_id) - 1;
	snprintf(ch->name, sizeof(ch->name), "channel-%u", ch->id);
	ch->parent = get_device(parent);
	ch->pinned = pinned;
	ch->set.max_packet_size = KMCL_DEFAULT_PACKET_SIZE;
	ch->set.max_gpa_direct_size = KMCL_DEFAULT_EXTERNAL_SIZE;
	ch->set.max_chain = KMCL_DEFAULT_CHAIN;
	ch->set.rx_pages = KMCL_DEFAULT_RING_PAGES;
	ch->set.tx_pages = KMCL_DEFAULT_RING_PAGES;
	init_completion(&ch->released);
	mutex_init(&ch->api);
	kmcl_channel_state_init(ch);
	kmcl_subs_init(&ch->subs);
	spin_lock_init(&ch->gpadls_lock);
	hash_init(ch->gpadls);
	kmcl_rx_init(&ch->rx);
	kmcl_delivery_init(ch);
	kmcl_passive_init(ch);
	kmcl_packets_init(ch);

	__module_get(THIS_MODULE);
	kmcl_debugfs_add(ch);
	kmcl_client_add(ch);
	return 0;
}

/**
 * kmcl_channel_allocate - make a channel
 * @pinned: the only bus that it looks for its device on, and which stays until the
 *	channel is cleaned up; NULL for all that are registered
 * @parent: device the client belongs to, or NULL; a reference is held
 * @client: an address in the client's module
 * @channel: the new channel, freed by VmbChannelCleanup()
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS or %STATUS_INSUFFICIENT_RESOURCES.
 */
NTSTATUS kmcl_channel_allocate(const struct kmcl_bus_ops *pinned,
			       struct device *parent, unsigned long client,
			       VMBCHANNEL *channel)
{
	struct kmcl_channel *ch;

	ch = kzalloc(sizeof(*ch), GFP_KERNEL);
	if (!ch)
		return STATUS_INSUFFICIENT_RESOURCES;
	if (kmcl_channel_init(ch, pinned, parent, client)) {
		kfree(ch);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*channel = ch;
	return STATUS_SUCCESS;
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_allocate);

/**
 * VmbChannelAllocate() - make a channel with default settings
 * @parent_device_object: device the caller drives, or NULL; a reference is held
 *	until VmbChannelCleanup()
 * @is_server: must be 0: there is no server endpoint in a guest
 * @channel: where the new channel goes; untouched on failure
 *
 * Defaults: packets of up to 4096 bytes, external data of up to 1 MiB in 16
 * MDLs, rings of 16 pages each, no client context, no callbacks, no target, named
 * "channel-N"; active when enabled.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_3 without @channel;
 * %STATUS_NOT_SUPPORTED for a server; %STATUS_INSUFFICIENT_RESOURCES.
 * Source: Microsoft's VmbChannelAllocate documentation; the defaults are ours.
 */
NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT parent_device_object,
			    BOOLEAN is_server, VMBCHANNEL *channel)
{
	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_3;
	if (is_server)
		return STATUS_NOT_SUPPORTED;
	return kmcl_channel_allocate(NULL, parent_device_object, _RET_IP_,
				     channel);
}
EXPORT_SYMBOL_GPL(VmbChannelAllocate);

/**
 * VmbSizeofChannel() - memory that a channel takes
 *
 * Context: any.
 * Return: bytes, for VmbChannelInitialize(). They are this module's version's:
 * ask each time.
 * Source: the name is Microsoft's, the prototype ours.
 */
UINT32 VmbSizeofChannel(void)
{
	return sizeof(struct kmcl_channel);
}
EXPORT_SYMBOL_GPL(VmbSizeofChannel);

/**
 * VmbChannelInitialize() - make a channel in one's own memory
 * @parent_device_object: as for VmbChannelAllocate()
 * @is_server: must be 0: there is no server endpoint in a guest
 * @channel: the caller's memory, aligned to 8 bytes and not on a stack; becomes
 *	the channel, and is the caller's again when VmbChannelCleanup() returns
 * @byte_count: bytes of it
 *
 * Otherwise it is like VmbChannelAllocate(). VmbChannelCleanup() then waits until
 * the client has freed all its packet objects and cleaned up its sub-channels, as
 * they refer to the channel; the log names a wait of more than a few seconds.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_3 without memory, or when it
 * is not aligned; %STATUS_INVALID_PARAMETER_4 when it is less than
 * VmbSizeofChannel(); %STATUS_NOT_SUPPORTED for a server;
 * %STATUS_INSUFFICIENT_RESOURCES.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitialize(PDEVICE_OBJECT parent_device_object,
			      BOOLEAN is_server, VMBCHANNEL channel,
			      UINT32 byte_count)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch || !IS_ALIGNED((unsigned long)ch, __alignof__(*ch)))
		return STATUS_INVALID_PARAMETER_3;
	if (byte_count < sizeof(*ch))
		return STATUS_INVALID_PARAMETER_4;
	if (is_server)
		return STATUS_NOT_SUPPORTED;
	memset(ch, 0, sizeof(*ch));
	ch->borrowed = true;
	return kmcl_status(kmcl_channel_init(ch, NULL, parent_device_object,
					     _RET_IP_));
}
EXPORT_SYMBOL_GPL(VmbChannelInitialize);

/* Its memory goes back to the client: nobody may know of it any more. */
static void kmcl_channel_give_back(struct kmcl_channel *ch)
{
	struct kmcl_hostwait watch;

	kmcl_hostwait_start(
		&watch, ch,
		"cleanup, for packet objects and sub-channels to go,", 0);
	wait_for_completion(&ch->released);
	kmcl_hostwait_stop(&watch);
	/* A packet's completion may be on its way out: kmcl_packet_returned(). */
	synchronize_rcu();
}

static void kmcl_channel_dismiss(struct kmcl_channel *ch)
{
	bool borrowed = ch->borrowed;

	mutex_lock(&ch->api);
	kmcl_channel_disable(ch);
	mutex_unlock(&ch->api);

	/* It may have reported the state and not returned yet. */
	flush_work(&ch->work);
	kmcl_delivery_flush(ch);
	kmcl_debugfs_remove(ch);
	kmcl_subs_forget(ch);
	/* Now: the last reference may be a packet object's, in softirq context. */
	put_device(ch->parent);
	if (READ_ONCE(ch->abandoned))
		kmcl_packets_abandon(ch);
	kmcl_channel_put(ch);
	if (borrowed)
		kmcl_channel_give_back(ch);
	module_put(THIS_MODULE);
}

/* Clean up what a client left that is gone. Its code is there, its data is not. */
void kmcl_channel_abandon(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->abandoned, true);
	kmcl_delivery_stop(ch);
	kmcl_channel_dismiss(ch);
}

/**
 * VmbChannelCleanup() - free a channel
 * @channel: a disabled channel from VmbChannelAllocate() or
 *	VmbChannelInitialize(), or NULL
 *
 * A channel that is still enabled is disabled first, with a log line. The memory
 * of one from VmbChannelInitialize() is the client's again when this returns.
 *
 * Context: may sleep. Not from a state-change callback of @channel: refused with
 * a log line, and the channel stays.
 * Source: Microsoft's VmbChannelCleanup documentation; what happens to a channel
 * that is not disabled is ours.
 */
VOID VmbChannelCleanup(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch)
		return;
	if (kmcl_channel_calls(ch)) {
		kmcl_warn(ch, "cleanup from a callback of its own refused\n");
		return;
	}

	if (READ_ONCE(ch->state) != KMCL_DISABLED)
		kmcl_warn(ch, "cleanup of a channel that is not disabled, allocated by %s\n",
			  ch->client);
	kmcl_client_remove(ch);
	kmcl_channel_dismiss(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelCleanup);

/**
 * VmbChannelGetParentDeviceObject() - the device that a channel's client named
 * @channel: a channel
 *
 * Context: any.
 * Return: what VmbChannelAllocate() was given, NULL for NULL; valid until
 * VmbChannelCleanup(), without a reference for the caller.
 * Source: the name is Microsoft's, the prototype ours.
 */
PDEVICE_OBJECT VmbChannelGetParentDeviceObject(VMBCHANNEL channel)
{
	return channel ? channel->parent : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetParentDeviceObject);

/**
 * VmbChannelGetTargetDeviceObject() - the VMBus device that a channel is bound to
 * @channel: a channel
 *
 * Context: may sleep.
 * Return: the &struct device within the &struct hv_device; NULL while there is
 * none. Valid from EvtChannelOpened to the end of EvtChannelClosed; who wants it
 * for longer takes a reference there.
 * Source: the name is Microsoft's, the prototype ours.
 */
PDEVICE_OBJECT VmbChannelGetTargetDeviceObject(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	struct device *device = NULL;

	might_sleep();
	if (!ch)
		return NULL;
	mutex_lock(&ch->lock);
	if (ch->endpoint)
		device = ch->bus->device(ch);
	mutex_unlock(&ch->lock);
	return device;
}
EXPORT_SYMBOL_GPL(VmbChannelGetTargetDeviceObject);
