// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API functions of a server endpoint that are not supported: those that save and
 * restore the state of a channel, and the one that finds a virtual machine. Servers
 * are in server*.c.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/printk.h>

#include <vmbuskernelmodeclientlibapi.h>

/* Functions that return nothing can report only in the log that they do nothing. */
static void kmcl_not_saved(const char *function)
{
	pr_warn_ratelimited("%s: channels can not be saved\n", function);
}

/**
 * VmbChannelSaveBegin() - begin to save a channel's state
 * @channel: a paused server channel
 *
 * Channels can not be saved.
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
 * Channels can not be saved.
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
 * Channels can not be saved: this function only logs a line.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelSaveEnd documentation.
 */
VOID VmbChannelSaveEnd(VMBCHANNEL channel)
{
	kmcl_not_saved(__func__);
}
EXPORT_SYMBOL_GPL(VmbChannelSaveEnd);

/**
 * VmbChannelRestoreFromBuffer() - restore a channel's state
 * @channel: a paused server channel
 * @buffer: data that VmbChannelSaveContinue() has saved
 * @buffer_size: size of the data in bytes
 *
 * Channels can not be saved.
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
 * Channels can not be saved.
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
 * There are no virtual machines that a server could be offered to.
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
 * VmbServerChannelInitSetSaveRestorePacketCallbacks() - set the save callbacks
 * @channel: a disabled server channel
 * @save_packet_callback: saves a packet; may be %NULL
 * @restore_packet_callback: restores a packet; may be %NULL
 *
 * Channels can not be saved.
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
 * Channels can not be saved.
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
