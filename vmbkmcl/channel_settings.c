// SPDX-License-Identifier: GPL-2.0-only
/* The settings of a channel, and the values that a client can get from it. */

#include <linux/cpumask.h>
#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "channel.h"
#include "channel_settings.h"
#include "channel_sub.h"
#include "debugfs.h"
#include "ring_size.h"
#include "status.h"
#include "tx.h"
#include "tx_gpa_direct.h"

/*
 * Lock the settings, or return false if they can not be changed: they are
 * constant while the channel is enabled. ch->lock keeps VmbChannelEnable() out.
 */
bool kmcl_settings_lock(struct kmcl_channel *ch)
{
	if (!ch)
		return false;
	mutex_lock(&ch->lock);
	if (ch->state == KMCL_DISABLED)
		return true;
	mutex_unlock(&ch->lock);
	return false;
}

void kmcl_settings_unlock(struct kmcl_channel *ch)
{
	kmcl_packets_lay_out(ch);
	mutex_unlock(&ch->lock);
}

/**
 * VmbChannelInitSetFlags() - choose the kind of a channel
 * @channel: a disabled channel
 * @flags: 0, the default, or %VMBUS_CHANNEL_INIT_FLAG_IS_PIPE
 *
 * In a pipe each packet is one message, and its length arrives in bytes.
 * Otherwise the length of a packet is a multiple of 8. The library adds the
 * pipe header to packets that are sent and removes it from packets that are
 * received, but not for completions. The host must treat the channel as a pipe,
 * too. A packet from the host that has no valid pipe header, or claims to be
 * longer than it is, is dropped and counted.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 *
 * Source: Microsoft's VmbChannelInitSetFlags documentation.
 */
NTSTATUS VmbChannelInitSetFlags(VMBCHANNEL channel, UINT32 flags)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (flags & ~VMBUS_CHANNEL_INIT_FLAGS)
		return ch ? STATUS_INVALID_PARAMETER_2 :
			    STATUS_INVALID_PARAMETER_1;
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	ch->set.is_pipe = flags & VMBUS_CHANNEL_INIT_FLAG_IS_PIPE;
	kmcl_settings_unlock(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFlags);

/**
 * VmbChannelInitSetFriendlyName() - set the name of a channel for logs and debugfs
 * @channel: a disabled channel
 * @name: the name, which is copied. Only the first 20 characters are used.
 *	Characters other than ASCII letters, digits, dots and dashes are
 *	replaced with underscores.
 *
 * A number is added to the name, so that names of channels are unique.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @name is %NULL, empty, or has an odd length
 *   in bytes
 *
 * Source: Microsoft's VmbChannelInitSetFriendlyName documentation; the changes
 * to the name are ours.
 */
NTSTATUS VmbChannelInitSetFriendlyName(VMBCHANNEL channel, PCUNICODE_STRING name)
{
	struct kmcl_channel *ch = channel;
	char clean[21];
	unsigned int i, n;

	might_sleep();
	if (!name || !name->Buffer || !name->Length || name->Length % 2)
		return ch ? STATUS_INVALID_PARAMETER_2 :
			    STATUS_INVALID_PARAMETER_1;
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;

	n = min_t(unsigned int, name->Length / 2, sizeof(clean) - 1);
	for (i = 0; i < n; i++) {
		u16 c = name->Buffer[i];

		clean[i] = c < 0x80 && (isalnum(c) || c == '.' || c == '-') ?
			   c : '_';
	}
	clean[n] = '\0';

	snprintf(ch->name, sizeof(ch->name), "%s-%u", clean, ch->id);
	kmcl_settings_unlock(ch);
	kmcl_debugfs_rename(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFriendlyName);

/**
 * VmbChannelInitSetMaximumExternalData() - limit the external data of packets
 * @channel: a disabled channel
 * @data_size: most bytes of external data in a packet, 1 to 33,546,240 (8190
 *	pages of 4 KiB); the default is 1 MiB
 * @chain_length: most MDLs that describe the external data of a packet, 1 to
 *	512; the default is 16
 *
 * The outgoing ring is made large enough for two such packets.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @data_size is out of range
 * * %STATUS_INVALID_PARAMETER_3 - @chain_length is out of range
 *
 * Source: Microsoft's VmbChannelInitSetMaximumExternalData documentation; the
 * upper limits are ours.
 */
NTSTATUS VmbChannelInitSetMaximumExternalData(VMBCHANNEL channel,
					      UINT32 data_size,
					      UINT32 chain_length)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = STATUS_SUCCESS;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (!data_size || data_size > KMCL_GPA_DIRECT_SIZE_MAX) {
		status = STATUS_INVALID_PARAMETER_2;
	} else if (!chain_length || chain_length > KMCL_CHAIN_MAX) {
		status = STATUS_INVALID_PARAMETER_3;
	} else {
		ch->set.max_gpa_direct_size = data_size;
		ch->set.max_chain = chain_length;
	}
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumExternalData);

/**
 * VmbChannelInitSetMaximumPacketSize() - limit the size of packets
 * @channel: a disabled channel
 * @packet_size: most bytes of payload in a packet of either direction, 1 to
 *	65536; the default is 4096
 *
 * Both rings are made large enough for two such packets.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @packet_size is out of range
 *
 * Source: Microsoft's VmbChannelInitSetMaximumPacketSize documentation; the
 * upper limit is ours.
 */
NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL channel,
					    UINT32 packet_size)
{
	bool valid = packet_size && packet_size <= KMCL_PACKET_SIZE_MAX;
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid)
		ch->set.max_packet_size = packet_size;
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketSize);

/**
 * VmbChannelInitSetMaximumPacketCount() - limit the packets under way
 * @channel: a disabled channel
 * @packet_count: most packets of the client that wait for a completion of the
 *	host, 1 to 4096; the default is 256. Further packets are queued.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @packet_count is out of range
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory; the setting is
 *   unchanged
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetMaximumPacketCount(VMBCHANNEL channel,
					     UINT32 packet_count)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (packet_count && packet_count <= KMCL_TX_SLOTS_MAX)
		status = kmcl_status(kmcl_tx_resize(&ch->tx, packet_count));
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketCount);

/**
 * VmbChannelInitSetBounceBufferSizes() - set how much memory may be bounce buffers
 * @channel: a disabled channel
 * @incoming_size: bytes for data from the host
 * @outgoing_size: bytes for data to the host
 *
 * The bounce buffers that a client has at a time may have the sum of both sizes. On
 * Linux the same buffer serves both directions. The default is 0.
 *
 * On Windows external data is copied through these buffers. Here the client copies
 * its data, to and from memory of VmbChannelAllocateBounceBuffer().
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_3 - the sum is 4 GiB or more
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetBounceBufferSizes(VMBCHANNEL channel,
					    UINT32 incoming_size,
					    UINT32 outgoing_size)
{
	struct kmcl_channel *ch = channel;
	u64 sum = (u64)incoming_size + outgoing_size;
	bool valid = sum <= U32_MAX;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid)
		ch->set.bounce_size = sum;
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetBounceBufferSizes);

/**
 * VmbChannelInitSetInlinePacketContextSize() - enlarge packet objects
 * @channel: a disabled channel
 * @context_size: bytes reserved in each packet object, 0 to 65536; the default is 0
 *
 * VmbPacketGetInlinePacketContextPointer() returns the address of the memory.
 * VmbChannelSizeofPacket() grows by this size. Packet objects that exist
 * already do not change.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @context_size is out of range
 *
 * Source: the name is Microsoft's, the prototype and the limit are ours.
 */
NTSTATUS VmbChannelInitSetInlinePacketContextSize(VMBCHANNEL channel,
						  UINT32 context_size)
{
	struct kmcl_channel *ch = channel;
	bool valid = context_size <= KMCL_CONTEXT_SIZE_MAX;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid)
		ch->set.inline_size = context_size;
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetInlinePacketContextSize);

/**
 * VmbClientChannelInitSetTargetProcessorIndex() - set the CPU to interrupt
 * @channel: a disabled channel
 * @processor_index: number of the CPU, as Linux counts them
 *
 * The host is told of the CPU when the channel is opened. The packets of the
 * host are then read on that CPU. If the CPU is offline at that time, the
 * channel opens nevertheless, on the CPU that hv_vmbus has chosen, with a log
 * line.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - such a CPU can not exist
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbClientChannelInitSetTargetProcessorIndex(VMBCHANNEL channel,
						     UINT32 processor_index)
{
	struct kmcl_channel *ch = channel;
	bool valid = processor_index < nr_cpu_ids &&
		     cpu_possible(processor_index);

	might_sleep();
	if (ch && ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid) {
		ch->set.has_cpu = true;
		ch->set.cpu = processor_index;
	}
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetProcessorIndex);

/**
 * VmbChannelInitSetClientContextSize() - reserve memory with received packets
 * @channel: a disabled channel
 * @context_size: bytes reserved for each received packet, 0 to 65536; the
 *	default is 0
 *
 * VmbChannelPacketGetClientContext() returns the address of the memory. An open
 * channel has memory for 64 packets more than its transaction quota, which
 * makes 128 packets with the default quota.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @context_size is out of range
 *
 * Source: Microsoft's VmbChannelInitSetClientContextSize documentation; the
 * limit is ours.
 */
NTSTATUS VmbChannelInitSetClientContextSize(VMBCHANNEL channel,
					    UINT32 context_size)
{
	struct kmcl_channel *ch = channel;
	bool valid = context_size <= KMCL_CONTEXT_SIZE_MAX;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid)
		ch->set.context_size = context_size;
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetClientContextSize);

/**
 * VmbChannelInitSetProcessPacketCallbacks() - set the packet callbacks
 * @channel: a disabled channel
 * @process_packet_callback: called for each packet, in softirq context by
 *	default, and never twice at a time. %NULL, the default, drops the
 *	packets of the host.
 * @processing_complete_callback: called after each batch with the number of
 *	packets; may be %NULL
 *
 * The callbacks are called only between EvtChannelStarted and EvtChannelSuspend.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_3 - @processing_complete_callback is set, but
 *   @process_packet_callback is not
 *
 * Source: Microsoft's VmbChannelInitSetProcessPacketCallbacks documentation.
 */
NTSTATUS VmbChannelInitSetProcessPacketCallbacks(VMBCHANNEL channel,
						 PFN_VMB_CHANNEL_PROCESS_PACKET
						 process_packet_callback,
						 PFN_VMB_CHANNEL_PROCESSING_COMPLETE
						 processing_complete_callback)
{
	bool valid = process_packet_callback || !processing_complete_callback;
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid) {
		ch->set.process_packet = process_packet_callback;
		ch->set.processing_complete = processing_complete_callback;
		ch->set.process_packet_ex = NULL;
		ch->set.processing_complete_ex = NULL;
	}
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacks);

/**
 * VmbChannelInitSetProcessPacketCallbacksEx() - set the callbacks, with a context
 * @channel: a disabled channel
 * @process_packet_callback: as for VmbChannelInitSetProcessPacketCallbacks(), whose
 *	callbacks are replaced
 * @processing_complete_callback: as for VmbChannelInitSetProcessPacketCallbacks()
 * @context: passed to both callbacks; never dereferenced by the library
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_3 - @processing_complete_callback is set, but
 *   @process_packet_callback is not
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetProcessPacketCallbacksEx(VMBCHANNEL channel,
						   PFN_VMB_CHANNEL_PROCESS_PACKET_EX
						   process_packet_callback,
						   PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX
						   processing_complete_callback,
						   PVOID context)
{
	bool valid = process_packet_callback || !processing_complete_callback;
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (valid) {
		ch->set.process_packet = NULL;
		ch->set.processing_complete = NULL;
		ch->set.process_packet_ex = process_packet_callback;
		ch->set.processing_complete_ex = processing_complete_callback;
		ch->set.context = context;
	}
	kmcl_settings_unlock(ch);
	return valid ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER_3;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetProcessPacketCallbacksEx);

/**
 * VmbChannelInitSetStateChangeCallbacks() - set the callbacks for state changes
 * @channel: a disabled channel
 * @state_change_callbacks: structure that
 *	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT() has initialised; it is copied
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @state_change_callbacks is %NULL or has an
 *   unknown version or size
 *
 * Source: Microsoft's VmbChannelInitSetStateChangeCallbacks documentation.
 */
NTSTATUS VmbChannelInitSetStateChangeCallbacks(VMBCHANNEL channel,
					       PVMB_CHANNEL_STATE_CHANGE_CALLBACKS
					       state_change_callbacks)
{
	const VMB_CHANNEL_STATE_CHANGE_CALLBACKS *evt = state_change_callbacks;
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (evt && evt->Version == 1 && evt->Size == sizeof(*evt)) {
		ch->set.evt = *evt;
		kmcl_settings_unlock(ch);
		return STATUS_SUCCESS;
	}
	kmcl_settings_unlock(ch);
	return STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetStateChangeCallbacks);

static bool kmcl_ring_pages_valid(u32 pages)
{
	return pages >= KMCL_RING_PAGES_MIN && pages <= KMCL_RING_PAGES_MAX;
}

/**
 * VmbClientChannelInitSetRingBufferPageCount() - set the size of the rings
 * @channel: a disabled channel
 * @incoming_page_count: pages of 4 KiB for packets from the host, 2 to 512,
 *	including the control page; the default is 16
 * @outgoing_page_count: pages of 4 KiB for packets to the host, with the same
 *	limits and default
 *
 * Both rings are one contiguous allocation, which can fail if it is large. The
 * rings always have room for two of the largest packets, and so may get larger
 * than asked for here.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @incoming_page_count is out of range
 * * %STATUS_INVALID_PARAMETER_3 - @outgoing_page_count is out of range
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 *
 * Source: Microsoft's VmbClientChannelInitSetRingBufferPageCount documentation;
 * the limits are ours.
 */
NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL channel,
						    UINT32 incoming_page_count,
						    UINT32 outgoing_page_count)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = STATUS_SUCCESS;

	might_sleep();
	if (ch && ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (!kmcl_ring_pages_valid(incoming_page_count)) {
		status = STATUS_INVALID_PARAMETER_2;
	} else if (!kmcl_ring_pages_valid(outgoing_page_count)) {
		status = STATUS_INVALID_PARAMETER_3;
	} else {
		ch->set.rx_pages = incoming_page_count;
		ch->set.tx_pages = outgoing_page_count;
	}
	kmcl_settings_unlock(ch);
	return status;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetRingBufferPageCount);

/**
 * VmbClientChannelInitSetTargetPnp() - choose the device that a channel is for
 * @channel: a disabled channel
 * @interface_type: type GUID of the device; copied
 * @interface_instance: instance GUID of the device, or %NULL for any device of
 *	the type; copied
 * @pnp_failure_callback: called if a device was found but the channel could not be
 *	opened, or was closed because its incoming ring was found corrupt; may be %NULL
 *
 * @pnp_failure_callback may sleep. It must not call VmbChannelEnable(),
 * VmbChannelDisable() or VmbChannelCleanup() for @channel.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the setting is changed
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL or not disabled
 * * %STATUS_INVALID_PARAMETER_2 - @interface_type is %NULL or all zeros
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 *
 * Source: Microsoft's VmbClientChannelInitSetTargetPnp documentation; that a type of
 * all zeros is refused is ours.
 */
NTSTATUS VmbClientChannelInitSetTargetPnp(VMBCHANNEL channel,
					  LPCGUID interface_type,
					  LPCGUID interface_instance,
					  PFN_VMB_CHANNEL_PNP_FAILURE
					  pnp_failure_callback)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (ch && ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	/* A table of device ids ends with a type of zeros: it would match no device. */
	if (!interface_type || guid_is_null(interface_type)) {
		kmcl_settings_unlock(ch);
		return STATUS_INVALID_PARAMETER_2;
	}
	ch->set.has_type = true;
	ch->set.type = *interface_type;
	ch->set.has_instance = interface_instance;
	if (interface_instance)
		ch->set.instance = *interface_instance;
	ch->set.pnp_failure = pnp_failure_callback;
	kmcl_settings_unlock(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbClientChannelInitSetTargetPnp);

/**
 * VmbChannelGetInterfaceInstance() - get the instance GUID of the device
 * @channel: a channel
 * @interface_instance: set to the GUID of the device that the channel was bound
 *	to last, or to zeros if it was not bound yet
 *
 * The GUID does not change from EvtChannelOpened until EvtChannelClosed returns.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelGetInterfaceInstance documentation.
 */
VOID VmbChannelGetInterfaceInstance(VMBCHANNEL channel,
				    LPGUID interface_instance)
{
	if (channel && interface_instance)
		*interface_instance = channel->instance;
}
EXPORT_SYMBOL_GPL(VmbChannelGetInterfaceInstance);

/**
 * VmbChannelSetInterruptLatency() - set how soon the host is told of packets
 * @channel: an open channel: from EvtChannelOpened to EvtChannelSuspend
 * @latency: latency in units of 100 ns; 0: the host is told at once
 * @original_latency: set to the latency before, may be %NULL. The latency of a
 *	channel that opens is 1000 (100 us).
 *
 * This is an approximation, as hv_vmbus does not set the latency in the monitor
 * page for any device. With a latency of 0 the host is signalled at once. With
 * any other latency hv_vmbus may use the monitor page, if the host has offered
 * one. The host then looks for packets as often as it likes, about every 100
 * us.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the latency is set
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_DEVICE_STATE - @channel is not open
 *
 * Source: Microsoft's VmbChannelSetInterruptLatency documentation; the
 * approximation is ours.
 */
NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL channel, UINT16 latency,
				       PUINT16 original_latency)
{
	struct kmcl_channel *ch = channel;
	bool open;

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	mutex_lock(&ch->lock);
	open = ch->state >= KMCL_OPENED && ch->state <= KMCL_ACTIVE;
	if (open) {
		ch->bus->set_low_latency(ch, !latency);
		if (original_latency)
			*original_latency = ch->latency;
		ch->latency = latency;
	}
	mutex_unlock(&ch->lock);
	return open ? STATUS_SUCCESS : STATUS_INVALID_DEVICE_STATE;
}
EXPORT_SYMBOL_GPL(VmbChannelSetInterruptLatency);

/**
 * VmbChannelGetPointer() - get the client's pointer
 * @channel: a channel
 *
 * Context: any.
 * Return: the pointer of the last VmbChannelSetPointer(), or %NULL.
 *
 * Source: Microsoft's VmbChannelGetPointer documentation.
 */
PVOID VmbChannelGetPointer(VMBCHANNEL channel)
{
	return READ_ONCE(channel->pointer);
}
EXPORT_SYMBOL_GPL(VmbChannelGetPointer);

/**
 * VmbChannelSetPointer() - store a pointer of the client in the channel
 * @channel: a channel
 * @pointer: the pointer; never dereferenced by the library
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelSetPointer documentation.
 */
VOID VmbChannelSetPointer(VMBCHANNEL channel, PVOID pointer)
{
	WRITE_ONCE(channel->pointer, pointer);
}
EXPORT_SYMBOL_GPL(VmbChannelSetPointer);

/**
 * VmbChannelInitSetPrimaryChannel() - make a channel a sub-channel of another
 * @channel: a disabled channel that has no sub-channels
 * @primary_channel: the primary channel of the device, in any state. It must
 *	not be a sub-channel itself. @channel holds a reference until
 *	VmbChannelCleanup().
 *
 * When it is enabled, @channel waits for a sub-channel that the host offers for
 * the device of the primary channel, while the primary channel is open. A host
 * offers sub-channels when it is asked to. An offer that no channel waits for is
 * kept until the primary channel closes. Of the arguments of
 * VmbClientChannelInitSetTargetPnp() only the PnP failure callback has a
 * meaning for @channel.
 *
 * When the primary channel closes for any reason, @channel is closed, too, and
 * then is disabled. EvtChannelSuspend is called for the primary channel first,
 * EvtChannelClosed for the primary channel last. If the client holds packets of
 * @channel, the close waits for them as if the device was removed.
 *
 * VmbChannelDisable() of @channel alone has an effect only in the guest. VMBus
 * can not close a sub-channel alone, so for the host @channel and its rings
 * stay open until the primary channel is closed. The external data of packets
 * that the host has not completed at that time is never returned to the client,
 * and the completion routines of these packets get %STATUS_IO_TIMEOUT. To avoid
 * this, disable the primary channel, or send no packets with external data.
 *
 * If the host rescinds only @channel, this is noticed within about a second.
 *
 * A callback of a sub-channel must not call VmbChannelDisable(),
 * VmbChannelCleanup(), VmbChannelPause(), VmbChannelStart() or
 * VmbChannelEnable() for its primary channel or for another sub-channel of it.
 * These calls are refused as those for its own channel are.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - @channel is a sub-channel of @primary_channel
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL, not disabled, or has
 *   sub-channels
 * * %STATUS_INVALID_PARAMETER_2 - @primary_channel is %NULL, @channel, a
 *   sub-channel, or a server's
 * * %STATUS_NOT_SUPPORTED - @channel is a server's
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL channel,
					 VMBCHANNEL primary_channel)
{
	struct kmcl_channel *primary = primary_channel, *former = NULL;
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (ch && ch->is_server)
		return STATUS_NOT_SUPPORTED;
	mutex_lock(&kmcl_subs_lock);
	if (!kmcl_settings_lock(ch))
		goto unlock;
	if (!list_empty(&ch->subs.list))
		goto unlock_settings;
	status = STATUS_INVALID_PARAMETER_2;
	if (!primary || primary == ch || primary->is_server ||
	    primary->subs.primary)
		goto unlock_settings;
	former = kmcl_sub_set_primary(ch, primary);
	status = STATUS_SUCCESS;
unlock_settings:
	kmcl_settings_unlock(ch);
unlock:
	mutex_unlock(&kmcl_subs_lock);
	if (former)
		kmcl_channel_put(former);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetPrimaryChannel);
