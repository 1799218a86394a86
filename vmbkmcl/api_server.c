// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions that only a server endpoint has.
 *
 * hv_vmbus gives a guest the client's end of a channel and nothing else, so
 * VmbChannelAllocate() makes no server and there is no channel for these to work
 * on. They are the next step: a bus behind the seam (bus.h) that has both ends of
 * a channel in one kernel would carry them out.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/printk.h>

#include <vmbuskernelmodeclientlibapi.h>

/* For those that return nothing: a caller that waits for an effect is told. */
static void kmcl_no_server(const char *function)
{
	pr_warn_ratelimited("%s: there is no server endpoint in a guest\n",
			    function);
}

/**
 * VmbChannelMapGpadl() - map memory that the guest shares
 * @channel: an open server channel
 * @flags: 0 or %VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
 * @gpadl_handle: what the guest knows the memory by
 * @mdl: where the mapping goes; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbChannelMapGpadl documentation.
 */
NTSTATUS VmbChannelMapGpadl(VMBCHANNEL channel, UINT32 flags,
			    UINT32 gpadl_handle, PMDL *mdl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

/**
 * VmbChannelUnmapGpadl() - let memory go that the guest shares
 * @channel: an open server channel
 * @gpadl_handle: what was mapped
 *
 * Nothing but a line in the log: a guest has no server endpoint.
 *
 * Context: any.
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
 * Return: %STATUS_NOT_SUPPORTED.
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
 * @save_buffer: the caller's; untouched
 * @save_buffer_size: bytes of it
 * @bytes_filled: bytes that were used; untouched
 * @bytes_required: bytes that the next part needs; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * Nothing but a line in the log: a guest has no server endpoint.
 *
 * Context: any.
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
 * @buffer: what VmbChannelSaveContinue() has saved
 * @buffer_size: bytes of it
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbChannelRestoreFromBuffer documentation.
 */
NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL channel, PVOID buffer,
				     ULONG buffer_size)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelRestoreFromBuffer);

/**
 * VmbPacketRestore() - restore a packet that was under way
 * @packet_object: an object of the server's
 * @buffer: what was saved of the packet
 * @buffer_size: bytes of it
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbPacketRestore documentation.
 */
NTSTATUS VmbPacketRestore(VMBPACKET packet_object, PVOID buffer,
			  ULONG buffer_size)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbPacketRestore);

/**
 * VmbConvertVmbusHandleToKernelHandle() - make a process's handle the kernel's
 * @vmbus_handle: of a virtual machine's VMBus, the calling process's
 * @kernel_handle: where the kernel's goes; untouched
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbConvertVmbusHandleToKernelHandle documentation.
 */
NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE vmbus_handle,
					     PHANDLE kernel_handle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbConvertVmbusHandleToKernelHandle);

/**
 * VmbServerChannelInitSetFlags() - say how a channel is offered
 * @channel: a disabled server channel
 * @flags: of %VMBUS_SERVER_CHANNEL_INIT_FLAGS
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * @mmio_megabytes: MiB that it needs
 * @mmio_megabytes_optional: MiB that it can use besides
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * VmbServerChannelInitSetSaveRestorePacketCallbacks() - be asked to save and restore packets
 * @channel: a disabled server channel
 * @save_packet_callback: saves one; may be NULL
 * @restore_packet_callback: restores one; may be NULL
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * VmbServerChannelInitSetSaveRestorePacketCallbacksEx() - the same, with a pointer
 * @channel: a disabled server channel
 * @save_packet_callback: saves one; may be NULL
 * @restore_packet_callback: restores one; may be NULL
 * @context: given to both; the server's
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * VmbServerChannelInitSetTargetInterfaceId() - say which device a channel is
 * @channel: a disabled server channel
 * @interface_type: type of the device
 * @interface_instance: its instance
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
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
 * VmbServerChannelInitSetTargetVtl() - say which trust level a channel is offered to
 * @channel: a disabled server channel
 * @target_vtl: the virtual trust level, 0 upwards
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbServerChannelInitSetTargetVtl documentation.
 */
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL channel, UINT8 target_vtl)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetTargetVtl);

/**
 * VmbServerChannelInitSetVmbusHandle() - say which virtual machine a channel is offered to
 * @channel: a disabled server channel
 * @vmbus_handle: from VmbConvertVmbusHandleToKernelHandle()
 *
 * A guest has no server endpoint.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: Microsoft's VmbServerChannelInitSetVmbusHandle documentation.
 */
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL channel,
					    HANDLE vmbus_handle)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbServerChannelInitSetVmbusHandle);
