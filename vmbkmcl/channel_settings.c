// SPDX-License-Identifier: GPL-2.0-only
/* A channel's settings, and what a client keeps with it. */

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

/* Settings hold still from Enable on; the lock keeps them apart from it. */
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
 * VmbChannelInitSetFlags() - choose what kind of channel it is
 * @channel: a disabled channel
 * @flags: 0, the default, or %VMBUS_CHANNEL_INIT_FLAG_IS_PIPE
 *
 * A packet of a pipe is one message, whose length in bytes arrives; without, it
 * is counted in units of 8. The header for it is added and removed here, but not
 * on completions. The host must take the channel for a pipe, too. A packet of the
 * host's that is none, or says it is longer than it is, is dropped and counted.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 with an unknown flag.
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
 * VmbChannelInitSetFriendlyName() - name a channel for logs and debugfs
 * @channel: a disabled channel
 * @name: the caller's string; copied. Cut after 20 characters; what is not an
 *	ASCII letter, digit, dot or dash becomes an underscore.
 *
 * A number behind the name keeps two channels of one name apart.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 without a name, or when it is
 * empty or has an odd length.
 * Source: Microsoft's VmbChannelInitSetFriendlyName documentation; what is done
 * to the name is ours.
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

	kmcl_debugfs_remove(ch);
	snprintf(ch->name, sizeof(ch->name), "%s-%u", clean, ch->id);
	kmcl_debugfs_add(ch);
	kmcl_settings_unlock(ch);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetFriendlyName);

/**
 * VmbChannelInitSetMaximumExternalData() - bound the external data of packets
 * @channel: a disabled channel
 * @data_size: bytes of one packet's external data, 1 to 33,546,240 (8190 pages of
 *	4 KiB); the default is 1 MiB
 * @chain_length: MDLs they may be in, 1 to 512; the default is 16
 *
 * The outgoing ring grows to hold two such packets.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 or %STATUS_INVALID_PARAMETER_3
 * when that number is out of bounds.
 * Source: Microsoft's VmbChannelInitSetMaximumExternalData documentation; the
 * upper bounds are ours.
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
 * VmbChannelInitSetMaximumPacketSize() - bound the packets of a channel
 * @channel: a disabled channel
 * @packet_size: bytes of payload, 1 to 65536, either way; the default is 4096.
 *	Rings grow to hold two such packets.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 outside the bounds.
 * Source: Microsoft's VmbChannelInitSetMaximumPacketSize documentation; the
 * upper bound is ours.
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
 * VmbChannelInitSetMaximumPacketCount() - bound the packets that are under way
 * @channel: a disabled channel
 * @packet_count: packets of the client's that may be with the host and not yet
 *	completed by it, 1 to 4096; the default is 256. More of them are queued.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 outside the bounds;
 * %STATUS_INSUFFICIENT_RESOURCES, and nothing changed.
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
 * VmbChannelInitSetInlinePacketContextSize() - have room in each packet object
 * @channel: a disabled channel
 * @context_size: bytes in each packet object, 0 to 65536; the default is 0
 *
 * VmbPacketGetInlinePacketContextPointer() finds it. VmbChannelSizeofPacket()
 * grows by as much; packet objects made before do not.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 when it is too much.
 * Source: the name is Microsoft's, the prototype and the bound are ours.
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
 * VmbClientChannelInitSetTargetProcessorIndex() - say which CPU is interrupted
 * @channel: a disabled channel
 * @processor_index: number of the CPU, as Linux counts them
 *
 * The host is told when the channel is opened, and its packets are then read
 * there. If the CPU is offline at that time the channel opens all the same, on
 * the one that hv_vmbus has chosen, with a log line.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 when there can be no such CPU.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbClientChannelInitSetTargetProcessorIndex(VMBCHANNEL channel,
						     UINT32 processor_index)
{
	struct kmcl_channel *ch = channel;
	bool valid = processor_index < nr_cpu_ids &&
		     cpu_possible(processor_index);

	might_sleep();
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
 * VmbChannelInitSetClientContextSize() - have room of one's own on each packet
 * @channel: a disabled channel
 * @context_size: bytes on each incoming packet, 0 to 65536; the default is 0
 *
 * VmbChannelPacketGetClientContext() finds it. While it is open, a channel has
 * memory for 64 packets more than its transaction quota, so for 128 at first.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 when it is too much.
 * Source: Microsoft's VmbChannelInitSetClientContextSize documentation; the
 * bound is ours.
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
 * VmbChannelInitSetProcessPacketCallbacks() - be given the host's packets
 * @channel: a disabled channel
 * @process_packet_callback: called for each, in softirq context and never twice
 *	at once; NULL: the host's packets are dropped, which is the default
 * @processing_complete_callback: called after each batch, with how many they
 *	were; may be NULL
 *
 * Both are called between EvtChannelStarted and EvtChannelSuspend only.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_3 with only the second callback.
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
 * VmbChannelInitSetProcessPacketCallbacksEx() - the same, with a pointer for them
 * @channel: a disabled channel
 * @process_packet_callback: as for VmbChannelInitSetProcessPacketCallbacks(),
 *	whose callbacks these take the place of
 * @processing_complete_callback: as there
 * @context: given to both; the client's, never followed
 *
 * Context: may sleep.
 * Return: as VmbChannelInitSetProcessPacketCallbacks().
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
 * VmbChannelInitSetStateChangeCallbacks() - hear of a channel's state changes
 * @channel: a disabled channel
 * @state_change_callbacks: the caller's set, made with
 *	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(); copied
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 without a set, or when its
 * version or size is another one.
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
 * VmbClientChannelInitSetRingBufferPageCount() - size a channel's rings
 * @channel: a disabled channel
 * @incoming_page_count: pages of 4 KiB for packets from the host, 2 to 512, the
 *	control page among them; the default is 16
 * @outgoing_page_count: the same for packets to the host
 *
 * Both rings are one contiguous allocation, which can fail at high orders. Two
 * of the largest packets always fit, whatever is asked for here.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 or %STATUS_INVALID_PARAMETER_3
 * when that count is out of bounds.
 * Source: Microsoft's VmbClientChannelInitSetRingBufferPageCount documentation;
 * the bounds are ours.
 */
NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL channel,
						    UINT32 incoming_page_count,
						    UINT32 outgoing_page_count)
{
	struct kmcl_channel *ch = channel;
	NTSTATUS status = STATUS_SUCCESS;

	might_sleep();
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
 * VmbClientChannelInitSetTargetPnp() - say which device a channel is for
 * @channel: a disabled channel
 * @interface_type: type GUID of the device; copied
 * @interface_instance: its instance GUID, copied; NULL for any of the type
 * @pnp_failure_callback: called when a device was found and connecting to it
 *	failed all the same; may be NULL
 *
 * Context: may sleep. So may @pnp_failure_callback, which may not call
 * VmbChannelEnable(), VmbChannelDisable() or VmbChannelCleanup() for @channel.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 without a type.
 * Source: Microsoft's VmbClientChannelInitSetTargetPnp documentation.
 */
NTSTATUS VmbClientChannelInitSetTargetPnp(VMBCHANNEL channel,
					  LPCGUID interface_type,
					  LPCGUID interface_instance,
					  PFN_VMB_CHANNEL_PNP_FAILURE
					  pnp_failure_callback)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (!interface_type) {
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
 * VmbChannelGetInterfaceInstance() - instance GUID of the bound device
 * @channel: a channel
 * @interface_instance: the caller's; filled with that of the device bound last,
 *	all zero before the first
 *
 * Context: any; steady from EvtChannelOpened to the end of EvtChannelClosed.
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
 * VmbChannelSetInterruptLatency() - how soon the host hears of packets
 * @channel: an open channel: from EvtChannelOpened to EvtChannelSuspend
 * @latency: in units of 100 ns; 0: at once
 * @original_latency: the caller's, or NULL; what it was before. A channel opens
 *	with 1000 (100 us).
 *
 * An approximation: hv_vmbus writes the latency of a device's monitor page for
 * nobody. 0 makes each signal an immediate one. Anything else lets hv_vmbus use
 * the monitor page, if the host has offered one, and the host then looks as
 * often as it wants to, about every 100 us.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel;
 * %STATUS_INVALID_DEVICE_STATE when it is not open.
 * Source: Microsoft's VmbChannelSetInterruptLatency documentation; what is
 * approximated is ours.
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
 * VmbChannelGetPointer() - the client's own pointer
 * @channel: a channel
 *
 * Context: any.
 * Return: what VmbChannelSetPointer() was given last, NULL before.
 * Source: Microsoft's VmbChannelGetPointer documentation.
 */
PVOID VmbChannelGetPointer(VMBCHANNEL channel)
{
	return READ_ONCE(channel->pointer);
}
EXPORT_SYMBOL_GPL(VmbChannelGetPointer);

/**
 * VmbChannelSetPointer() - keep a pointer of the client's with the channel
 * @channel: a channel
 * @pointer: the client's; never followed
 *
 * Context: any.
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
 * @primary_channel: the device's channel, in any state; it may not be a sub-channel
 *	itself. A reference is held until VmbChannelCleanup() of @channel.
 *
 * Once enabled, @channel waits for a sub-channel that the host offers for the
 * primary's device, while the primary is open. Hosts do so when they are asked
 * to: enable @channel first, as an offer that no channel waits for is lost. What
 * VmbClientChannelInitSetTargetPnp() says of a device has no meaning for @channel,
 * its PnP failure callback has.
 *
 * The close of the primary, whatever its reason, closes @channel, too, and leaves
 * it disabled. EvtChannelSuspend is called for the primary first, EvtChannelClosed
 * for it last. Packets of the host's on @channel that the client has are waited for
 * as when a device goes.
 *
 * VmbChannelDisable() of @channel alone ends it for the client only: VMBus has no
 * such close, so the host has it open, with its rings, until the primary is closed.
 * External data of packets that are under way then is lost for good, their routines
 * get %STATUS_IO_TIMEOUT. Disable the primary, or send no such packet.
 *
 * If the host takes @channel back, that is noticed within about a second.
 *
 * A callback of a sub-channel may not call VmbChannelDisable(),
 * VmbChannelCleanup(), VmbChannelPause(), VmbChannelStart() or VmbChannelEnable()
 * for its primary, nor for another sub-channel of that: refused as for its own.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, when it
 * is not disabled or has sub-channels; %STATUS_INVALID_PARAMETER_2 without a
 * primary, or when that is @channel or a sub-channel.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL channel,
					 VMBCHANNEL primary_channel)
{
	struct kmcl_channel *primary = primary_channel, *former = NULL;
	NTSTATUS status = STATUS_INVALID_PARAMETER_1;
	struct kmcl_channel *ch = channel;

	might_sleep();
	mutex_lock(&kmcl_subs_lock);
	if (!kmcl_settings_lock(ch))
		goto unlock;
	if (!list_empty(&ch->subs.list))
		goto unlock_settings;
	status = STATUS_INVALID_PARAMETER_2;
	if (!primary || primary == ch || primary->subs.primary)
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
