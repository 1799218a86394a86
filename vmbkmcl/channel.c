// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API functions that allocate, enable, disable, pause, start and free a
 * channel.
 *
 * They note what the client wants and wait for the work item in channel_state.c,
 * which does it.
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
#include "channel_primary.h"
#include "channel_state.h"
#include "compat.h"
#include "debugfs.h"
#include "gpadl.h"
#include "gpadl_bounce.h"
#include "hostwait.h"
#include "lo_bus.h"
#include "passive.h"
#include "poll.h"
#include "status.h"

#define KMCL_DEFAULT_PACKET_SIZE	4096
#define KMCL_DEFAULT_GPA_DIRECT_SIZE	SZ_1M
#define KMCL_DEFAULT_CHAIN		16
#define KMCL_DEFAULT_RING_PAGES		16

static atomic_t kmcl_next_id = ATOMIC_INIT(1);

/*
 * True in a callback of the channel that runs in a work item, or in one of a
 * sub-channel of the same device. A wait for a state of @ch would then wait for
 * this callback to return.
 */
static bool kmcl_channel_in_callback(struct kmcl_channel *ch)
{
	return kmcl_channel_runs(ch) || kmcl_subs_in_callback(ch);
}

static int kmcl_channel_enable(struct kmcl_channel *ch)
{
	int err;

	lockdep_assert_held(&ch->api);
	if (READ_ONCE(ch->state) != KMCL_DISABLED)
		return -ENOTCONN;
	/*
	 * A channel whose device was rescinded still listens. Listening anew finds
	 * the devices that are there by now. The channel must not be enabled before
	 * kmcl_bus_unlisten(), which would take a device away that a bus attaches
	 * meanwhile.
	 */
	kmcl_bus_unlisten(ch);

	if (!kmcl_channel_request(ch, true))
		return -ENOTCONN;
	/* A sub-channel's devices are offered through its primary channel. */
	if (ch->subs.primary) {
		kmcl_subs_match(ch->subs.primary);
		return 0;
	}
	err = kmcl_bus_listen(ch);
	if (err)
		kmcl_channel_request(ch, false);
	if (err == -EBUSY && ch->is_server)
		return err;
	/* What else a bus may say has no status of its own. */
	return !err || err == -ENOMEM ? err : -ENXIO;
}

/**
 * VmbChannelEnable() - connect a channel to its device
 * @channel: a disabled channel with a target
 *
 * This function does not wait for the device. It returns at once, and when the
 * device is there, the callbacks of VmbChannelInitSetStateChangeCallbacks() are
 * called. The device may be on any bus. If no bus is registered, the module
 * vmbkmcl_hv is requested, once. If there is no bus then either, a line in the
 * log says that the channel waits for one.
 *
 * A server's channel is offered, to the clients in this kernel, and is paused
 * until VmbChannelStart().
 *
 * Context: may sleep. Not from a callback of @channel, nor from one of a
 * sub-channel of the same device.
 * Return:
 * * %STATUS_SUCCESS - the channel is enabled
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_DEVICE_STATE - @channel is not disabled or has no target, or a
 *   callback called this function; or a server has not said that it is offered
 *   in this kernel, see VmbServerChannelInitSetFlags()
 * * %STATUS_DEVICE_BUSY - another server offers the same instance
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 * * %STATUS_DEVICE_NOT_CONNECTED - a bus is registered but not usable
 *
 * Source: Microsoft's VmbChannelEnable documentation; the statuses are ours.
 */
NTSTATUS VmbChannelEnable(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	int err;

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (kmcl_channel_in_callback(ch))
		return STATUS_INVALID_DEVICE_STATE;

	mutex_lock(&ch->api);
	err = kmcl_channel_enable(ch);
	mutex_unlock(&ch->api);
	return kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelEnable);

static void kmcl_channel_disable(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;

	lockdep_assert_held(&ch->api);
	/* First, so that the client of a server need not wait for the server. */
	if (ch->is_server && ch->endpoint)
		ch->bus->revoke(ch);
	kmcl_channel_request_disable(ch);
	/* A callback may wait for the host in a synchronous request. */
	kmcl_tx_cancel(ch, -ENODEV, NULL);
	kmcl_hostwait_start(&wait, ch, "disable", 0);
	kmcl_hostwait_event(ch->changed, READ_ONCE(ch->state) == KMCL_DISABLED);
	/* Routines of packets that were queued while there was no device. */
	kmcl_delivery_finish(ch);
	kmcl_hostwait_stop(&wait);

	kmcl_bus_unlisten(ch);
}

/**
 * VmbChannelDisable() - close a channel and release its device
 * @channel: a channel in any state; a disabled channel stays as it is
 *
 * When this function returns, every callback has returned, and no callback is
 * called until the channel is enabled again.
 *
 * The offer of a server is revoked. This does not wait for the client that has it.
 *
 * Context: may sleep, until the client's callbacks and the host are done; the log
 * names a wait of more than a few seconds. A synchronous request of @channel that a
 * callback waits for is ended, unless its external data can not be referenced: see
 * VmbChannelSendSynchronousRequest(). A call from a callback of @channel, or
 * of a sub-channel of the same device, is refused with a log line.
 *
 * Source: Microsoft's VmbChannelDisable documentation.
 */
VOID VmbChannelDisable(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch)
		return;
	if (kmcl_channel_in_callback(ch)) {
		kmcl_warn(ch, "disable from a callback of its own refused\n");
		return;
	}

	mutex_lock(&ch->api);
	kmcl_channel_disable(ch);
	mutex_unlock(&ch->api);
}
EXPORT_SYMBOL_GPL(VmbChannelDisable);

/*
 * True if VmbChannelPause() or VmbChannelStart() need not wait any longer: the
 * channel is paused or active, the other of the two functions was called
 * meanwhile, or no ring is open that could be paused or started.
 */
static bool kmcl_channel_settled(const struct kmcl_channel *ch, bool paused)
{
	enum kmcl_state state = READ_ONCE(ch->state);

	return READ_ONCE(ch->paused) != paused || state <= KMCL_ENABLED ||
	       state == (paused ? KMCL_PAUSED : KMCL_ACTIVE);
}

/*
 * This must not hold ch->api: a callback of the client may block, for instance in a
 * synchronous request, and VmbChannelDisable() must be able to cancel that request.
 */
static void kmcl_channel_set_paused(struct kmcl_channel *ch, bool paused)
{
	const char *what = paused ? "pause" : "start";
	struct kmcl_hostwait wait;

	if (kmcl_channel_in_callback(ch)) {
		kmcl_warn(ch, "%s from a callback of its own refused\n", what);
		return;
	}
	if (!kmcl_channel_request_paused(ch, paused)) {
		kmcl_warn(ch, "start of a server that is not enabled refused\n");
		return;
	}
	kmcl_hostwait_start(&wait, ch, what, 0);
	kmcl_hostwait_event(ch->changed, kmcl_channel_settled(ch, paused));
	kmcl_hostwait_stop(&wait);
}

/**
 * VmbChannelPause() - stop the delivery of packets to the client
 * @channel: a channel in any state
 *
 * An active channel is suspended. When this function returns, EvtChannelSuspend was
 * called and the client has completed all packets that it held. No packet is
 * delivered until VmbChannelStart(). The client can still send packets, and gets
 * their completions. The function returns earlier if VmbChannelStart() is called
 * meanwhile, and when the channel is closed.
 *
 * A channel that is not open is paused as soon as it opens: EvtChannelOpened is
 * then the only callback. This also holds for a disabled channel, and a later
 * VmbChannelEnable(). A channel stays paused through a suspend of the device. A pause
 * ends when the channel is disabled, whatever disables it.
 *
 * Context: may sleep, until the client has completed its packets; the log names a
 * wait of more than a few seconds. A call from a callback of @channel, or of a
 * sub-channel of the same device, is refused with a log line.
 *
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
 * VmbChannelStart() - undo VmbChannelPause()
 * @channel: a channel in any state
 *
 * When this function returns, a paused channel is active again: EvtChannelStarted
 * and EvtChannelPostStarted were called. A channel that is not open becomes active
 * when it opens, which is also the default. The function returns earlier if
 * VmbChannelPause() is called meanwhile, and when the channel is closed.
 *
 * A server calls this function after each VmbChannelEnable(); before that the
 * call is refused with a log line. The server stays started when its client
 * closes the channel and opens it again.
 *
 * Context: may sleep, until the callbacks have returned. A call from a callback of
 * @channel, or of a sub-channel of the same device, is refused with a log line.
 *
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
		/*
		 * kmcl_channel_wait_released() waits for this and returns the
		 * memory to the client, so nothing may access @ch after
		 * complete().
		 */
		complete(&ch->released);
		return;
	}
	/* kmcl_packet_returned() may still access @ch in its RCU read section. */
	kfree_rcu(ch, rcu);
}

static int kmcl_channel_init(struct kmcl_channel *ch,
			     const struct kmcl_bus_ops *pinned,
			     struct device *parent, unsigned long client)
{
	/*
	 * The symbol has to be resolved now: if @client is in an init function, the
	 * kernel frees that function after the module's init.
	 */
	ch->client = kasprintf(GFP_KERNEL, "%ps", (void *)client);
	if (!ch->client)
		return -ENOMEM;
	if (kmcl_tx_init(&ch->tx))
		goto free_client;
	ch->id = atomic_inc_return(&kmcl_next_id) - 1;
	if (kmcl_poll_init(ch))
		goto destroy_tx;

	kref_init(&ch->ref);
	ch->free = kmcl_channel_free;
	snprintf(ch->name, sizeof(ch->name), "channel-%u", ch->id);
	ch->parent = get_device(parent);
	ch->pinned = ch->is_server ? &kmcl_lo_bus : pinned;
	ch->paused = ch->is_server;
	ch->set.max_packet_size = KMCL_DEFAULT_PACKET_SIZE;
	ch->set.max_gpa_direct_size = KMCL_DEFAULT_GPA_DIRECT_SIZE;
	ch->set.max_chain = KMCL_DEFAULT_CHAIN;
	ch->set.rx_pages = KMCL_DEFAULT_RING_PAGES;
	ch->set.tx_pages = KMCL_DEFAULT_RING_PAGES;
	init_completion(&ch->released);
	mutex_init(&ch->api);
	kmcl_channel_state_init(ch);
	kmcl_subs_init(&ch->subs);
	kmcl_gpadl_init(ch);
	INIT_LIST_HEAD(&ch->mappings);
	kmcl_rx_init(&ch->rx);
	kmcl_delivery_init(ch);
	kmcl_passive_init(ch);
	kmcl_packets_init(ch);

	__module_get(THIS_MODULE);
	kmcl_debugfs_add(ch);
	kmcl_client_add(ch);
	return 0;

destroy_tx:
	kmcl_tx_destroy(&ch->tx);
free_client:
	kfree(ch->client);
	return -ENOMEM;
}

static NTSTATUS kmcl_channel_new(const struct kmcl_bus_ops *pinned,
				 struct device *parent, bool is_server,
				 unsigned long client, VMBCHANNEL *channel)
{
	struct kmcl_channel *ch;

	ch = kzalloc(sizeof(*ch), GFP_KERNEL);
	if (!ch)
		return STATUS_INSUFFICIENT_RESOURCES;
	ch->is_server = is_server;
	if (kmcl_channel_init(ch, pinned, parent, client)) {
		kfree(ch);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	*channel = ch;
	return STATUS_SUCCESS;
}

/**
 * kmcl_channel_allocate - allocate a client's channel
 * @pinned: the only bus to look for the device on, or %NULL for all registered
 *	buses. The bus must exist until the channel is cleaned up.
 * @parent: device that the client belongs to, or %NULL; the channel holds a
 *	reference
 * @client: an address in the client's module
 * @channel: set to the new channel; VmbChannelCleanup() frees it
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS, or %STATUS_INSUFFICIENT_RESOURCES without memory.
 */
NTSTATUS kmcl_channel_allocate(const struct kmcl_bus_ops *pinned,
			       struct device *parent, unsigned long client,
			       VMBCHANNEL *channel)
{
	return kmcl_channel_new(pinned, parent, false, client, channel);
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_allocate);

/**
 * VmbChannelAllocate() - allocate a channel with default settings
 * @parent_device_object: device that the caller drives, or %NULL; the channel
 *	holds a reference until VmbChannelCleanup()
 * @is_server: 0: the channel is a client's endpoint. Otherwise it is a server's,
 *	which is offered to clients in this kernel.
 * @channel: set to the new channel; untouched on failure
 *
 * The default settings are: packets of up to 4096 bytes, external data of up to
 * 1 MiB in 16 MDLs, rings of 16 pages each, no client context, no callbacks, no
 * target, the name "channel-N", not paused. A server is paused: it calls
 * VmbChannelStart() after each VmbChannelEnable().
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the channel exists
 * * %STATUS_INVALID_PARAMETER_3 - @channel is %NULL
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
 * Source: Microsoft's VmbChannelAllocate documentation; the defaults are ours.
 */
NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT parent_device_object,
			    BOOLEAN is_server, VMBCHANNEL *channel)
{
	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_3;
	return kmcl_channel_new(NULL, parent_device_object, is_server, _RET_IP_,
				channel);
}
EXPORT_SYMBOL_GPL(VmbChannelAllocate);

/**
 * VmbSizeofChannel() - size of a channel
 *
 * Context: any.
 * Return: number of bytes that VmbChannelInitialize() needs. It differs between
 * versions of this module, so a client must not keep it as a constant.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
UINT32 VmbSizeofChannel(void)
{
	return sizeof(struct kmcl_channel);
}
EXPORT_SYMBOL_GPL(VmbSizeofChannel);

/**
 * VmbChannelInitialize() - make a channel in memory of the caller
 * @parent_device_object: as for VmbChannelAllocate()
 * @is_server: as for VmbChannelAllocate()
 * @channel: memory of the caller, aligned to 8 bytes and not on a stack. The
 *	memory becomes the channel and is the caller's again when
 *	VmbChannelCleanup() returns.
 * @byte_count: size of that memory in bytes
 *
 * Otherwise this function is like VmbChannelAllocate(). VmbChannelCleanup() of
 * such a channel waits until the client has freed all its packet objects and
 * has cleaned up its sub-channels, as they refer to the channel; the log names
 * a wait of more than a few seconds.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the memory is a channel
 * * %STATUS_INVALID_PARAMETER_3 - @channel is %NULL or not aligned
 * * %STATUS_INVALID_PARAMETER_4 - @byte_count is less than VmbSizeofChannel()
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
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
	memset(ch, 0, sizeof(*ch));
	ch->borrowed = true;
	ch->is_server = is_server;
	return kmcl_status(kmcl_channel_init(ch, NULL, parent_device_object,
					     _RET_IP_));
}
EXPORT_SYMBOL_GPL(VmbChannelInitialize);

/* Wait until nothing refers to a channel in the client's memory any more. */
static void kmcl_channel_wait_released(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;

	kmcl_hostwait_start(&wait, ch,
			    "cleanup, for packet objects and sub-channels to go,",
			    0);
	wait_for_completion_state(&ch->released, TASK_IDLE);
	kmcl_hostwait_stop(&wait);
	/* kmcl_packet_returned() may still access @ch in its RCU read section. */
	synchronize_rcu();
}

static void kmcl_channel_dismiss(struct kmcl_channel *ch)
{
	bool borrowed = ch->borrowed;

	mutex_lock(&ch->api);
	kmcl_channel_disable(ch);
	mutex_unlock(&ch->api);

	/* The work item may have set KMCL_DISABLED and not have returned yet. */
	flush_work(&ch->work);
	kmcl_delivery_finish(ch);
	kmcl_poll_exit(ch);
	kmcl_debugfs_remove(ch);
	kmcl_subs_forget(ch);
	kmcl_bounces_free(ch);
	/*
	 * put_device() may sleep. kmcl_channel_free() can not call it, as a packet
	 * object may drop the last reference in softirq context.
	 */
	put_device(ch->parent);
	if (READ_ONCE(ch->abandoned))
		kmcl_packets_abandon(ch);
	kmcl_channel_put(ch);
	if (borrowed)
		kmcl_channel_wait_released(ch);
	module_put(THIS_MODULE);
}

/*
 * Clean up a channel that a client left behind when its module was unloaded. No
 * callback may be called: the module has freed the data that they use.
 */
void kmcl_channel_abandon(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->abandoned, true);
	kmcl_delivery_stop(ch);
	kmcl_channel_dismiss(ch);
}

/**
 * VmbChannelCleanup() - free a channel
 * @channel: a disabled channel from VmbChannelAllocate() or
 *	VmbChannelInitialize(), or %NULL
 *
 * A channel that is not disabled is disabled first, with a log line. When this
 * function returns, memory that was given to VmbChannelInitialize() is the client's
 * again.
 *
 * Context: may sleep. A call from a callback of @channel, or of a sub-channel of
 * the same device, is refused with a log line, and the channel continues to exist.
 *
 * Source: Microsoft's VmbChannelCleanup documentation; that a channel which is not
 * disabled is disabled first is ours.
 */
VOID VmbChannelCleanup(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch)
		return;
	if (kmcl_channel_in_callback(ch)) {
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
 * VmbChannelGetParentDeviceObject() - get the parent device of a channel
 * @channel: a channel, or %NULL
 *
 * Context: any.
 * Return: the device that VmbChannelAllocate() or VmbChannelInitialize() was given;
 * %NULL if that was %NULL or @channel is %NULL. The pointer is valid until
 * VmbChannelCleanup(); the caller gets no reference.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
PDEVICE_OBJECT VmbChannelGetParentDeviceObject(VMBCHANNEL channel)
{
	return channel ? channel->parent : NULL;
}
EXPORT_SYMBOL_GPL(VmbChannelGetParentDeviceObject);

/**
 * VmbChannelGetTargetDeviceObject() - get the VMBus device of a channel
 * @channel: a channel, or %NULL
 *
 * Context: may sleep.
 * Return: the &struct device within the &struct hv_device, or that of the offer
 * of a server in this kernel; %NULL if the channel is not bound to a device, if
 * the host has rescinded the device and the function was not called before, or if
 * @channel is %NULL. The channel holds a reference until EvtChannelClosed has
 * returned, or the channel is disabled. A client that needs the device for longer
 * takes a reference of its own within that time. As long as there is a reference,
 * hv_vmbus ignores an offer of the same device by the host.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
PDEVICE_OBJECT VmbChannelGetTargetDeviceObject(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	struct device *device;

	might_sleep();
	if (!ch)
		return NULL;
	mutex_lock(&ch->lock);
	if (!ch->target && ch->endpoint && !ch->severed)
		ch->target = get_device(ch->bus->device(ch));
	device = ch->target;
	mutex_unlock(&ch->lock);
	return device;
}
EXPORT_SYMBOL_GPL(VmbChannelGetTargetDeviceObject);
