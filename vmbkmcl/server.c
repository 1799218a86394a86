// SPDX-License-Identifier: GPL-2.0-only
/* The settings of a server's channel: what it offers, and to whom. */

#include <linux/export.h>
#include <linux/kernel.h>

#include "channel.h"
#include "channel_settings.h"

/*
 * Lock the settings of a server. Returns STATUS_SUCCESS, or the status of a channel
 * whose settings can not be changed.
 */
static NTSTATUS kmcl_server_lock(struct kmcl_channel *ch)
{
	might_sleep();
	if (ch && !ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
	return kmcl_settings_lock(ch) ? STATUS_SUCCESS :
					STATUS_INVALID_PARAMETER_1;
}

/**
 * VmbServerChannelInitSetTargetInterfaceId() - choose what a server offers
 * @channel: a disabled server channel
 * @interface_type: type GUID of the device
 * @interface_instance: instance GUID of the device, which no other server of this
 *	type may offer at the same time
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 *
 * Source: Microsoft's VmbServerChannelInitSetTargetInterfaceId documentation.
 */
NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL channel,
						  GUID interface_type,
						  GUID interface_instance)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = kmcl_server_lock(ch);

	if (!NT_SUCCESS(status))
		return status;
	ch->set.has_type = true;
	ch->set.type = interface_type;
	ch->set.has_instance = true;
	ch->set.instance = interface_instance;
	kmcl_settings_unlock(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetInterfaceId);

static NTSTATUS kmcl_server_check_flags(u32 flags)
{
	if (flags & ~VMBUS_SERVER_CHANNEL_INIT_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (flags & VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER)
		return STATUS_NOT_SUPPORTED;
	return STATUS_SUCCESS;
}

/* A pipe of VmbChannelInitSetFlags() stays one. */
static void kmcl_server_set_flags(struct kmcl_channel *ch, u32 flags)
{
	if ((ch->set.server_flags ^ flags) &
	    VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE)
		ch->set.is_pipe = flags &
				  VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	ch->set.server_flags = flags;
}

/**
 * VmbServerChannelInitSetFlags() - choose how a channel is offered
 * @channel: a disabled server channel
 * @flags: flags of %VMBUS_SERVER_CHANNEL_INIT_FLAGS; the default is 0
 *
 * A channel that is to be enabled needs
 * %VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER, or the handle
 * %KMCL_VMBUS_HANDLE_LOOPBACK of VmbServerChannelInitSetVmbusHandle(): it is
 * offered to the clients in this kernel.
 * %VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE makes the channel a pipe, as
 * %VMBUS_CHANNEL_INIT_FLAG_IS_PIPE of VmbChannelInitSetFlags() does; the client
 * must do that, too. %VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE
 * and %VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL have no effect: Linux
 * has no device interfaces, and no offer outlives its channel.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 * * %STATUS_NOT_SUPPORTED - @flags has
 *   %VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER
 *
 * Source: Microsoft's VmbServerChannelInitSetFlags documentation; what the
 * flags mean is ours.
 */
NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL channel, UINT32 flags)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = kmcl_server_lock(ch);

	if (!NT_SUCCESS(status))
		return status;
	status = kmcl_server_check_flags(flags);
	if (NT_SUCCESS(status))
		kmcl_server_set_flags(ch, flags);
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetFlags);

/**
 * VmbServerChannelInitSetMmioMegabytes() - suggest MMIO space for the client
 * @channel: a disabled server channel
 * @mmio_megabytes: MiB that the client needs
 * @mmio_megabytes_optional: further MiB that the client can use
 *
 * The numbers are shown in debugfs. A client in this kernel gets no MMIO space:
 * there is none that belongs to a server.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER - both numbers are 0
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 *
 * Source: Microsoft's VmbServerChannelInitSetMmioMegabytes documentation; that the
 * client gets none is ours.
 */
NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL channel,
					      UINT16 mmio_megabytes,
					      UINT16 mmio_megabytes_optional)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = kmcl_server_lock(ch);

	if (!NT_SUCCESS(status))
		return status;
	if (mmio_megabytes || mmio_megabytes_optional) {
		ch->set.mmio_megabytes = mmio_megabytes;
		ch->set.mmio_megabytes_optional = mmio_megabytes_optional;
	} else {
		status = STATUS_INVALID_PARAMETER;
	}
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetMmioMegabytes);

/**
 * VmbServerChannelInitSetTargetVtl() - choose the trust level of the clients
 * @channel: a disabled server channel
 * @target_vtl: virtual trust level that the channel is offered to. Clients in this
 *	kernel have the level 0, which is the default.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the level is the one of the clients
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @target_vtl is not 0
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 *
 * Source: Microsoft's VmbServerChannelInitSetTargetVtl documentation.
 */
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL channel, UINT8 target_vtl)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = kmcl_server_lock(ch);

	if (!NT_SUCCESS(status))
		return status;
	kmcl_settings_unlock(ch);
	return target_vtl ? STATUS_INVALID_PARAMETER_2 : STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

/**
 * VmbServerChannelInitSetVmbusHandle() - choose whose clients a server serves
 * @channel: a disabled server channel
 * @vmbus_handle: %KMCL_VMBUS_HANDLE_LOOPBACK, for the clients in this kernel
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @vmbus_handle is another one
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 *
 * Source: Microsoft's VmbServerChannelInitSetVmbusHandle documentation; the
 * handle is ours.
 */
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL channel,
					    HANDLE vmbus_handle)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = kmcl_server_lock(ch);

	if (!NT_SUCCESS(status))
		return status;
	if (vmbus_handle == KMCL_VMBUS_HANDLE_LOOPBACK)
		ch->set.server_loopback = true;
	else
		status = STATUS_INVALID_PARAMETER_2;
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);
