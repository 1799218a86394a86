// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API functions of a server endpoint.
 *
 * hv_vmbus gives a guest only the client endpoint of a channel. So
 * VmbChannelAllocate() allocates no server channel, and these functions have no
 * channel to work on. A bus (see bus.h) that has both endpoints of a channel in
 * one kernel could support them.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/printk.h>

#include <vmbuskernelmodeclientlibapi.h>

/* Functions that return nothing can report only in the log that they do nothing. */
static void kmcl_no_server(const char *function)
{
	pr_warn_ratelimited("%s: there is no server endpoint in a guest\n",
			    function);
}

/**
 * VmbChannelMapGpadl() - map a GPADL of a guest
 * @channel: an open server channel
 * @flags: 0 or %VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
 * @gpadl_handle: handle of the GPADL
 * @mdl: would be set to the mapping; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbChannelMapGpadl documentation.
 */
NTSTATUS VmbChannelMapGpadl(VMBCHANNEL channel, UINT32 flags,
			    UINT32 gpadl_handle, PMDL *mdl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

/**
 * VmbChannelUnmapGpadl() - unmap a GPADL of a guest
 * @channel: an open server channel
 * @gpadl_handle: handle of the GPADL that was mapped
 *
 * A guest has no server endpoint: this function only logs a line.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelUnmapGpadl documentation.
 */
VOID VmbChannelUnmapGpadl(VMBCHANNEL channel, UINT32 gpadl_handle)
{
	kmcl_no_server(__func__);
}
EXPORT_SYMBOL_GPL(VmbChannelUnmapGpadl);

/**
 * VmbChannelSaveBegin() - begin to save a channel's state
 * @channel: a paused server channel
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbChannelSaveBegin documentation.
 */
NTSTATUS VmbChannelSaveBegin(VMBCHANNEL channel)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveBegin);

/**
 * VmbChannelSaveContinue() - save the next part of a channel's state
 * @channel: a server channel that is being saved
 * @save_buffer: buffer of the caller; untouched
 * @save_buffer_size: size of @save_buffer in bytes
 * @bytes_filled: would be set to the bytes used in @save_buffer; untouched
 * @bytes_required: would be set to the size of the next part; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbChannelSaveContinue documentation.
 */
NTSTATUS VmbChannelSaveContinue(VMBCHANNEL channel, PVOID save_buffer,
				ULONG save_buffer_size, PULONG bytes_filled,
				PULONG bytes_required)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSaveContinue);

/**
 * VmbChannelSaveEnd() - end the saving of a channel's state
 * @channel: a server channel that was being saved
 *
 * A guest has no server endpoint: this function only logs a line.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelSaveEnd documentation.
 */
VOID VmbChannelSaveEnd(VMBCHANNEL channel)
{
	kmcl_no_server(__func__);
}
EXPORT_SYMBOL_GPL(VmbChannelSaveEnd);

/**
 * VmbChannelRestoreFromBuffer() - restore a channel's state
 * @channel: a paused server channel
 * @buffer: data that VmbChannelSaveContinue() has saved
 * @buffer_size: size of the data in bytes
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbChannelRestoreFromBuffer documentation.
 */
NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL channel, PVOID buffer,
				     ULONG buffer_size)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);

/**
 * VmbPacketRestore() - restore a packet that was not complete at the save
 * @packet_object: a packet object of the server
 * @buffer: data that was saved for the packet
 * @buffer_size: size of the data in bytes
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbPacketRestore documentation.
 */
NTSTATUS VmbPacketRestore(VMBPACKET packet_object, PVOID buffer,
			  ULONG buffer_size)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbPacketRestore);

/**
 * VmbConvertVmbusHandleToKernelHandle() - convert a handle of a process
 * @vmbus_handle: the calling process's handle of the VMBus of a virtual machine
 * @kernel_handle: would be set to a handle for the kernel; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbConvertVmbusHandleToKernelHandle documentation.
 */
NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE vmbus_handle,
					     PHANDLE kernel_handle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbConvertVmbusHandleToKernelHandle);

/**
 * VmbServerChannelInitSetFlags() - choose how a channel is offered
 * @channel: a disabled server channel
 * @flags: flags of %VMBUS_SERVER_CHANNEL_INIT_FLAGS
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetFlags documentation.
 */
NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL channel, UINT32 flags)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetFlags);

/**
 * VmbServerChannelInitSetMmioMegabytes() - offer MMIO space with a channel
 * @channel: a disabled server channel
 * @mmio_megabytes: MiB that the device needs
 * @mmio_megabytes_optional: further MiB that the device can use
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetMmioMegabytes documentation.
 */
NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL channel,
					      UINT16 mmio_megabytes,
					      UINT16 mmio_megabytes_optional)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetMmioMegabytes);

/**
 * VmbServerChannelInitSetSaveRestorePacketCallbacks() - set the save callbacks
 * @channel: a disabled server channel
 * @save_packet_callback: saves a packet; may be %NULL
 * @restore_packet_callback: restores a packet; may be %NULL
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetSaveRestorePacketCallbacks
 * documentation.
 */
NTSTATUS VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL channel,
							   PFN_VMB_CHANNEL_SAVE_PACKET
							   save_packet_callback,
							   PFN_VMB_CHANNEL_RESTORE_PACKET
							   restore_packet_callback)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacks);

/**
 * VmbServerChannelInitSetSaveRestorePacketCallbacksEx() - with a context
 * @channel: a disabled server channel
 * @save_packet_callback: saves a packet; may be %NULL
 * @restore_packet_callback: restores a packet; may be %NULL
 * @context: passed to both callbacks
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbServerChannelInitSetSaveRestorePacketCallbacksEx(VMBCHANNEL channel,
							     PFN_VMB_CHANNEL_SAVE_PACKET_EX
							     save_packet_callback,
							     PFN_VMB_CHANNEL_RESTORE_PACKET_EX
							     restore_packet_callback,
							     PVOID context)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetSaveRestorePacketCallbacksEx);

/**
 * VmbServerChannelInitSetTargetInterfaceId() - choose the device of a channel
 * @channel: a disabled server channel
 * @interface_type: type GUID of the device
 * @interface_instance: instance GUID of the device
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetTargetInterfaceId documentation.
 */
NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL channel,
						  GUID interface_type,
						  GUID interface_instance)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetInterfaceId);

/**
 * VmbServerChannelInitSetTargetVtl() - choose the trust level of a channel
 * @channel: a disabled server channel
 * @target_vtl: virtual trust level that the channel is offered to, from 0
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetTargetVtl documentation.
 */
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL channel, UINT8 target_vtl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

/**
 * VmbServerChannelInitSetVmbusHandle() - choose the virtual machine of a channel
 * @channel: a disabled server channel
 * @vmbus_handle: from VmbConvertVmbusHandleToKernelHandle()
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: Microsoft's VmbServerChannelInitSetVmbusHandle documentation.
 */
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL channel,
					    HANDLE vmbus_handle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);
