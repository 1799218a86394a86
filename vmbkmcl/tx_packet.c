// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packet objects, which a client allocates here and sends with the functions of
 * tx_send.c.
 *
 * An object contains all the memory that a send can need, so that a send never
 * fails for lack of memory: room for a copy of the payload, which is needed if
 * the packet is queued, and room for a description of external data. A channel
 * keeps some of the objects that were freed.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>

#include "channel.h"
#include "tx_gpa_direct.h"
#include "tx_packet.h"

/* The largest number of freed objects that a channel keeps. */
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

/* The cache of freed objects */

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

/*
 * Compute the layout after each change of the settings. kmcl_packet_fits()
 * recognises objects that were made before by their old layout.
 */
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

/*
 * The client's module is gone and has not freed these objects. Drop the
 * references that they hold to the channel.
 */
void kmcl_packets_abandon(struct kmcl_channel *ch)
{
	int lent = atomic_xchg(&ch->packets.lent, 0);

	while (lent--)
		kmcl_channel_put(ch);
}

/**
 * VmbChannelSizeofPacket() - get the size of a packet object
 * @channel: a channel with all its settings
 *
 * Context: any.
 * Return: number of bytes that VmbPacketInitialize() needs; 0 if @channel is
 * %NULL.
 *
 * Source: Microsoft's VmbChannelSizeofPacket documentation.
 */
UINT32 VmbChannelSizeofPacket(VMBCHANNEL channel)
{
	return channel ? channel->packets.layout.size : 0;
}
EXPORT_SYMBOL_GPL(VmbChannelSizeofPacket);

/**
 * VmbPacketAllocate() - allocate a packet object
 * @channel: a channel with all its settings. It must outlive the object.
 *
 * The completion routine of the new object frees it, unless the client sets
 * another routine.
 *
 * Context: process or softirq, with interrupts enabled.
 * Return: the object, which is freed with VmbPacketFree(); %NULL if @channel is
 * %NULL or there is no memory.
 *
 * Source: Microsoft's VmbPacketAllocate documentation.
 */
VMBPACKET VmbPacketAllocate(VMBCHANNEL channel)
{
	struct kmcl_channel *ch = channel;
	struct kmcl_packet *packet;

	kmcl_assert_interrupts_on();
	if (!ch)
		return NULL;
	packet = kmcl_cache_pop(ch);
	if (packet && !kmcl_packet_fits(packet, &ch->packets)) {
		kfree(packet);
		packet = NULL;
	}
	if (!packet)
		packet = kmalloc(ch->packets.layout.size,
				 GFP_ATOMIC | __GFP_NOWARN);
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
 * VmbPacketInitialize() - make a packet object in memory of the caller
 * @channel: a channel with all its settings. It must outlive the object.
 * @buffer: memory of the caller, aligned to 8 bytes. It becomes the object, and
 *	must stay valid as long as a packet is sent with the object.
 * @byte_count: size of @buffer in bytes
 *
 * The client must set a completion routine before it sends the packet.
 *
 * Context: any.
 * Return:
 * * %STATUS_SUCCESS - @buffer is a packet object
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @buffer is %NULL or not aligned to 8 bytes
 * * %STATUS_INVALID_PARAMETER_3 - @byte_count is less than
 *   VmbChannelSizeofPacket()
 *
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

/*
 * Returns NULL if the caller may free the object, or why it may not. The object can
 * not be sent any more then, nor freed by anyone else.
 */
static const char *kmcl_packet_claim_to_free(struct kmcl_packet *packet)
{
	if (!packet->allocated)
		return "not allocated";
	switch (atomic_cmpxchg(&packet->in_flight, 0, KMCL_PACKET_FREED)) {
	case 0:
		packet->magic = 0;
		return NULL;
	case KMCL_PACKET_FREED:
		return "freed already";
	default:
		return "sent and is not complete";
	}
}

/**
 * VmbPacketFree() - free a packet object
 * @packet: an object from VmbPacketAllocate(), or %NULL. An object that was
 *	sent may be freed only in its completion routine or later.
 *
 * A call for an object that is being sent, or that was made with
 * VmbPacketInitialize(), is refused with a log line. So is a second call for an object
 * as long as the channel keeps the object: it keeps 64 of those that were freed, until
 * VmbPacketAllocate() returns them again.
 *
 * Context: process or softirq, with interrupts enabled.
 *
 * Source: Microsoft's VmbPacketFree documentation.
 */
VOID VmbPacketFree(VMBPACKET packet)
{
	struct kmcl_channel *ch;
	const char *why;

	kmcl_assert_interrupts_on();
	if (!packet)
		return;
	ch = packet->ch;
	why = kmcl_packet_claim_to_free(packet);
	if (why) {
		kmcl_warn(ch, "a packet that was %s is not freed\n", why);
		return;
	}
	if (!kmcl_cache_push(ch, packet))
		kfree(packet);
	atomic_dec(&ch->packets.lent);
	kmcl_channel_put(ch);
}
EXPORT_SYMBOL_GPL(VmbPacketFree);

/**
 * VmbPacketSetCompletionRoutine() - set the completion routine of a packet object
 * @packet: an object that is not being sent
 * @completion_routine: called once for each send that was accepted
 *
 * The library holds no lock while it calls the routine. The routine may send
 * and free packets, including its own packet. By default the routine may not sleep:
 * it is called in softirq context, in a send of its own packet, or in a work item
 * with bottom halves off. Its buffer is valid until the routine returns.
 *
 * After VmbChannelSetIncomingProcessingAtPassive() has requested a context that
 * may sleep, the routine may sleep. Its buffer is then in the packet object,
 * and is valid only until the packet is sent again or freed.
 *
 * Context: any.
 *
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
 * VmbPacketSetCompletionRoutineEx() - set a completion routine with a context
 * @packet: an object that is not being sent
 * @completion_routine: as for VmbPacketSetCompletionRoutine(). It replaces a
 *	routine that was set with that function.
 * @context: passed to @completion_routine. The library never dereferences it.
 *
 * Context: any.
 *
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
 * VmbPacketGetInlinePacketContextPointer() - get a packet object's inline context
 * @packet: a packet object
 *
 * The room has as many bytes as VmbChannelInitSetInlinePacketContextSize() has
 * requested, rounded up to a multiple of 8. It belongs to the client until the
 * object is freed. It is zeroed when the object is made.
 *
 * Context: any.
 * Return: the address of the room; %NULL if the client has requested none.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
PVOID VmbPacketGetInlinePacketContextPointer(VMBPACKET packet)
{
	return packet->inline_context;
}
EXPORT_SYMBOL_GPL(VmbPacketGetInlinePacketContextPointer);

/**
 * VmbPacketSetPointer() - store a pointer of the client in a packet object
 * @packet: a packet object
 * @pointer: any value. The library never dereferences it.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbPacketSetPointer documentation.
 */
VOID VmbPacketSetPointer(VMBPACKET packet, PVOID pointer)
{
	packet->pointer = pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketSetPointer);

/**
 * VmbPacketGetPointer() - get the pointer of the client from a packet object
 * @packet: a packet object
 *
 * Context: any.
 * Return: the pointer last stored with VmbPacketSetPointer(); %NULL if there is
 * none.
 *
 * Source: Microsoft's VmbPacketGetPointer documentation.
 */
PVOID VmbPacketGetPointer(VMBPACKET packet)
{
	return packet->pointer;
}
EXPORT_SYMBOL_GPL(VmbPacketGetPointer);

/**
 * VmbPacketGetChannel() - get the channel of a packet object
 * @packet: a packet object
 *
 * Context: any.
 * Return: the channel the object was made for.
 *
 * Source: Microsoft's VmbPacketGetChannel documentation.
 */
VMBCHANNEL VmbPacketGetChannel(VMBPACKET packet)
{
	return packet->ch;
}
EXPORT_SYMBOL_GPL(VmbPacketGetChannel);
