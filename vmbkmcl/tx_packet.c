// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet objects: what a client allocates, and sends by tx_send.c.
 *
 * An object has the memory for all that sending it can need, so that a send never
 * fails for want of it: room for a copy of the payload, in case it is queued, and
 * for a description of external data. A channel keeps some that were freed.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "channel.h"
#include "tx_gpa_direct.h"
#include "tx_packet.h"

/* Freed objects that a channel keeps. */
#define KMCL_CACHE_MAX		64

static VOID kmcl_free_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer,
				UINT32 length)
{
	VmbPacketFree(packet);
}

static void kmcl_packet_init(struct kmcl_packet *packet,
			     struct kmcl_channel *ch)
{
	const struct kmcl_packet_layout *layout = &ch->packets.layout;

	memset(packet, 0, sizeof(*packet));
	INIT_LIST_HEAD(&packet->link);
	packet->ch = ch;
	packet->magic = KMCL_PACKET_MAGIC;
	packet->layout = *layout;
	kmcl_gpa_direct_init(&packet->gpa_direct,
			     (void *)packet->data + layout->payload,
			     kmcl_gpa_direct_room(&ch->set));
	if (layout->inline_context)
		packet->inline_context = memset((void *)packet + layout->size -
							layout->inline_context,
						0, layout->inline_context);
	INIT_LIST_HEAD(&packet->entry.link);
}

/* The freed ones */

static struct kmcl_packet *kmcl_cache_pop(struct kmcl_channel *ch)
{
	struct kmcl_packets *packets = &ch->packets;
	struct kmcl_packet *packet;

	spin_lock_bh(&packets->lock);
	packet = list_first_entry_or_null(&packets->free, struct kmcl_packet,
					  link);
	if (packet) {
		list_del(&packet->link);
		packets->count--;
	}
	spin_unlock_bh(&packets->lock);
	return packet;
}

static bool kmcl_cache_push(struct kmcl_channel *ch, struct kmcl_packet *packet)
{
	struct kmcl_packets *packets = &ch->packets;
	bool keep;

	spin_lock_bh(&packets->lock);
	keep = packets->count < KMCL_CACHE_MAX;
	if (keep) {
		list_add(&packet->link, &packets->free);
		packets->count++;
	}
	spin_unlock_bh(&packets->lock);
	return keep;
}

/* After each change of the settings: objects made before are then told by it. */
void kmcl_packets_lay_out(struct kmcl_channel *ch)
{
	struct kmcl_packet_layout *layout = &ch->packets.layout;
	const struct kmcl_settings *set = &ch->set;

	layout->payload = kmcl_channel_framing(ch) +
			  ALIGN(set->max_packet_size, sizeof(u64));
	layout->gpa_direct = kmcl_gpa_direct_room(set);
	layout->inline_context = ALIGN(set->inline_size, sizeof(u64));
	layout->size = sizeof(struct kmcl_packet) + layout->payload +
		       layout->gpa_direct + layout->inline_context;
}

void kmcl_packets_init(struct kmcl_channel *ch)
{
	struct kmcl_packets *packets = &ch->packets;

	kmcl_packets_lay_out(ch);
	spin_lock_init(&packets->lock);
	INIT_LIST_HEAD(&packets->free);
	INIT_LIST_HEAD(&packets->completed);
}

void kmcl_packets_free(struct kmcl_channel *ch)
{
	struct kmcl_packet *packet;

	while ((packet = kmcl_cache_pop(ch)))
		kfree(packet);
}

/* A client that is gone has left some: they hold its channel no more. */
void kmcl_packets_abandon(struct kmcl_channel *ch)
{
	int lent = atomic_xchg(&ch->packets.lent, 0);

	while (lent--)
		kmcl_channel_put(ch);
}

/**
 * VmbChannelSizeofPacket() - memory that a packet object takes
 * @channel: a channel with all its settings
 *
 * Context: any.
 * Return: bytes, for VmbPacketInitialize(); 0 without a channel.
 * Source: Microsoft's VmbChannelSizeofPacket documentation.
 */
UINT32 VmbChannelSizeofPacket(VMBCHANNEL channel)
{
	return channel ? channel->packets.layout.size : 0;
}
EXPORT_SYMBOL_GPL(VmbChannelSizeofPacket);

/**
 * VmbPacketAllocate() - make a packet object
 * @channel: a channel with all its settings; it has to outlive the object
 *
 * Its completion routine frees it, until another one is set.
 *
 * Context: any but hard interrupts.
 * Return: the object, freed by VmbPacketFree(); NULL without memory.
 * Source: Microsoft's VmbPacketAllocate documentation.
 */
VMBPACKET VmbPacketAllocate(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	struct kmcl_packet *packet;

	if (!ch)
		return NULL;
	packet = kmcl_cache_pop(ch);
	if (packet && !kmcl_packet_fits(packet, &ch->packets)) {
		kfree(packet);
		packet = NULL;
	}
	if (!packet)
		packet = kmalloc(ch->packets.layout.size, GFP_ATOMIC);
	if (!packet)
		return NULL;
	kmcl_packet_init(packet, ch);
	packet->allocated = true;
	packet->routine = kmcl_free_completed;
	atomic_inc(&ch->packets.lent);
	kmcl_channel_get(ch);
	return packet;
}
EXPORT_SYMBOL_GPL(VmbPacketAllocate);

/**
 * VmbPacketInitialize() - make a packet object in one's own memory
 * @channel: a channel with all its settings; it has to outlive the object
 * @buffer: the caller's, aligned to 8 bytes; becomes the object, and stays until
 *	nothing is sent with it any more
 * @byte_count: bytes of it
 *
 * A completion routine must be set before it is sent.
 *
 * Context: any.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel;
 * %STATUS_INVALID_PARAMETER_2 without memory, or when it is not aligned;
 * %STATUS_INVALID_PARAMETER_3 when it is less than VmbChannelSizeofPacket().
 * Source: Microsoft's VmbPacketInitialize documentation.
 */
NTSTATUS VmbPacketInitialize(VMBCHANNEL channel, VMBPACKET buffer,
			     UINT32 byte_count)
{
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	if (!buffer || !IS_ALIGNED((unsigned long)buffer, sizeof(u64)))
		return STATUS_INVALID_PARAMETER_2;
	if (byte_count < channel->packets.layout.size)
		return STATUS_INVALID_PARAMETER_3;
	kmcl_packet_init(buffer, channel);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbPacketInitialize);

/**
 * VmbPacketFree() - free a packet object
 * @packet: from VmbPacketAllocate(), or NULL; one that was sent only from its
 *	completion routine on. Any other is refused with a log line.
 *
 * Context: any but hard interrupts.
 * Source: Microsoft's VmbPacketFree documentation.
 */
VOID VmbPacketFree(VMBPACKET packet)
{
	struct kmcl_channel *ch;

	if (!packet)
		return;
	ch = packet->ch;
	if (!packet->allocated || atomic_read(&packet->in_flight)) {
		kmcl_warn(ch, "a packet that was %s is not freed\n",
			  packet->allocated ? "sent and is not complete" :
					      "not allocated");
		return;
	}
	if (!kmcl_cache_push(ch, packet))
		kfree(packet);
	atomic_dec(&ch->packets.lent);
	kmcl_channel_put(ch);
}
EXPORT_SYMBOL_GPL(VmbPacketFree);

/**
 * VmbPacketSetCompletionRoutine() - say what a completed packet calls
 * @packet: an object that is not being sent
 * @completion_routine: called once for each send that was accepted, with nothing
 *	of the library's held. It may send and free packets, this one too. Its
 *	buffer is valid until it returns. It may not sleep: it runs in softirq
 *	context or, within a send or a close, with bottom halves off; unless
 *	VmbChannelSetIncomingProcessingAtPassive() has asked for a context where
 *	it may. There the buffer is the packet's, and valid only until that is sent
 *	or freed.
 *
 * Context: any.
 * Source: Microsoft's VmbPacketSetCompletionRoutine documentation.
 */
VOID VmbPacketSetCompletionRoutine(VMBPACKET packet,
				   PFN_VMB_PACKET_COMPLETION_ROUTINE
				   completion_routine)
{
	packet->routine = completion_routine;
	packet->routine_ex = NULL;
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutine);

/**
 * VmbPacketSetCompletionRoutineEx() - the same, with a pointer for the routine
 * @packet: an object that is not being sent
 * @completion_routine: as for VmbPacketSetCompletionRoutine(), which it takes the
 *	place of
 * @context: given to @completion_routine; the client's, never followed
 *
 * Context: any.
 * Source: the name is Microsoft's, the prototype ours.
 */
VOID VmbPacketSetCompletionRoutineEx(VMBPACKET packet,
				     PFN_VMB_PACKET_COMPLETION_ROUTINE_EX
				     completion_routine, PVOID context)
{
	packet->routine = NULL;
	packet->routine_ex = completion_routine;
	packet->context = context;
}
EXPORT_SYMBOL_GPL(VmbPacketSetCompletionRoutineEx);

/**
 * VmbPacketGetInlinePacketContextPointer() - the client's room in a packet object
 * @packet: an object
 *
 * Context: any.
 * Return: as many bytes as VmbChannelInitSetInlinePacketContextSize() asked for,
 * aligned to 8, the client's until the object is freed; all zero in a new object.
 * NULL when it asked for none.
 * Source: the name is Microsoft's, the prototype ours.
 */
PVOID VmbPacketGetInlinePacketContextPointer(VMBPACKET packet)
{
	return packet->inline_context;
}
EXPORT_SYMBOL_GPL(VmbPacketGetInlinePacketContextPointer);

/**
 * VmbPacketSetPointer() - keep a pointer of the client's with a packet object
 * @packet: an object
 * @pointer: the client's; never followed
 *
 * Context: any.
 * Source: Microsoft's VmbPacketSetPointer documentation.
 */
VOID VmbPacketSetPointer(VMBPACKET packet, PVOID pointer)
{
	packet->pointer = pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketSetPointer);

/**
 * VmbPacketGetPointer() - the client's own pointer
 * @packet: an object
 *
 * Context: any.
 * Return: what VmbPacketSetPointer() was given last, NULL before.
 * Source: Microsoft's VmbPacketGetPointer documentation.
 */
PVOID VmbPacketGetPointer(VMBPACKET packet)
{
	return packet->pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketGetPointer);

/**
 * VmbPacketGetChannel() - the channel a packet object was made for
 * @packet: an object
 *
 * Context: any.
 * Return: the channel.
 * Source: Microsoft's VmbPacketGetChannel documentation.
 */
VMBCHANNEL VmbPacketGetChannel(VMBPACKET packet)
{
	return packet->ch;
}
EXPORT_SYMBOL_GPL(VmbPacketGetChannel);
