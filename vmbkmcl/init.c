// SPDX-License-Identifier: GPL-2.0-only
/* A channel's settings, and what a client keeps with it. */

#include <linux/ctype.h>
#include <linux/export.h>
#include <linux/slab.h>

#include "channel.h"
#include "debugfs.h"

/* Settings hold still from Enable on; the lock keeps them apart from it. */
static bool kmcl_settings_lock(struct kmcl_channel *ch)
{
	if (!ch)
		return false;
	mutex_lock(&ch->lock);
	if (ch->state == KMCL_DISABLED)
		return true;
	mutex_unlock(&ch->lock);
	return false;
}

static void kmcl_settings_unlock(struct kmcl_channel *ch)
{
	mutex_unlock(&ch->lock);
}

/* Bytes of a ring that has room for @pages or for two of the largest packets. */
u32 kmcl_channel_ring_bytes(u32 pages, u32 wire_size)
{
	u32 bytes = max_t(u32, (pages - 1) * HV_HYP_PAGE_SIZE, 2 * wire_size);

	return VMBUS_RING_SIZE(bytes);
}

/* Bytes in the ring of the largest packet, its descriptor and trailer. */
u32 kmcl_channel_wire_size(const struct kmcl_channel *ch)
{
	return ALIGN(sizeof(struct vmpacket_descriptor) +
		     ch->set.max_packet_size, sizeof(u64)) + KMCL_PACKET_TRAILER;
}

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
 * Source: Microsoft's header; what is done to the name is ours.
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
 * VmbChannelInitSetMaximumPacketSize() - bound the packets of a channel
 * @channel: a disabled channel
 * @packet_size: bytes of payload, 1 to 65536, either way; the default is 4096.
 *	Rings grow to hold two such packets.
 *
 * Context: may sleep.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel or when
 * it is not disabled; %STATUS_INVALID_PARAMETER_2 outside the bounds.
 * Source: Microsoft's header; the upper bound is ours.
 */
NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL channel,
					    UINT32 packet_size)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!kmcl_settings_lock(ch))
		return STATUS_INVALID_PARAMETER_1;
	if (packet_size && packet_size <= KMCL_PACKET_SIZE_MAX) {
		ch->set.max_packet_size = packet_size;
		kmcl_settings_unlock(ch);
		return STATUS_SUCCESS;
	}
	kmcl_settings_unlock(ch);
	return STATUS_INVALID_PARAMETER_2;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetMaximumPacketSize);

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
 * Source: Microsoft's header.
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
 * Source: Microsoft's header; the bounds are ours.
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
 * Source: Microsoft's header.
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
