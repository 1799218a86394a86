// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending packet objects, and calling the client back for each.
 *
 * A completion routine runs where its packet is found to be complete. One that is
 * complete as soon as it is sent is kept while routines are called, so that a
 * routine that sends again is never called within itself.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/export.h>

#include "channel.h"
#include "hot.h"
#include "mdl_range.h"
#include "poll.h"
#include "status.h"
#include "tx.h"
#include "tx_gpa_direct.h"
#include "tx_packet.h"

/* The object is the client's again before its routine runs: it may send it. */
static void __kmcl_hot kmcl_packet_call_routine(struct kmcl_packet *packet,
						NTSTATUS status, void *data,
						u32 len)
{
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine = packet->routine;
	PFN_VMB_PACKET_COMPLETION_ROUTINE_EX ex = packet->routine_ex;
	bool abandoned = READ_ONCE(packet->ch->abandoned);
	void *context = packet->context;

	atomic_set_release(&packet->in_flight, 0);
	if (abandoned) {
		if (packet->allocated)
			VmbPacketFree(packet);
	} else if (ex) {
		ex(packet, context, status, data, len);
	} else {
		routine(packet, status, data, len);
	}
}

/* Its routine is called later; what it is to be told is kept in the object. */
static void kmcl_packet_defer_routine(struct kmcl_packet *packet,
				      NTSTATUS status, const void *data,
				      u32 len)
{
	struct kmcl_packets *packets = &packet->ch->packets;

	packet->status = status;
	packet->len = len;
	memcpy(packet->data, data, len);
	spin_lock_bh(&packets->lock);
	list_add_tail(&packet->link, &packets->completed);
	spin_unlock_bh(&packets->lock);
}

static void __kmcl_hot kmcl_packet_done(struct kmcl_tx_entry *entry, int err,
					const void *data, u32 len)
{
	struct kmcl_packet *packet =
		container_of(entry, struct kmcl_packet, entry);
	struct kmcl_channel *ch = packet->ch;

	/* From here on its owner may give the memory away. */
	if (err == -ETIMEDOUT && kmcl_tx_entry_is_gpa_direct(entry))
		kmcl_gpa_direct_kept(
			ch, kmcl_gpa_direct_hold(&packet->gpa_direct, NULL));
	if (!READ_ONCE(ch->delivery.passive)) {
		/* Not to the object: its routine may send it, and read on. */
		if (len)
			data = memcpy(ch->rx.copy, data, len);
		kmcl_packet_call_routine(packet, kmcl_status(err), (void *)data,
					 len);
		return;
	}
	kmcl_packet_defer_routine(packet, kmcl_status(err), data, len);
	kmcl_passive_schedule(ch);
}

static bool kmcl_packets_try_completing(struct kmcl_packets *packets)
{
	return !atomic_cmpxchg_acquire(&packets->completing, 0, 1);
}

/*
 * Call the routines of packets that were kept for it. A routine may send again,
 * and that may be complete at once: it is left to the loop there is, so that the
 * stack does not grow with the packets.
 */
void kmcl_packets_call_routines(struct kmcl_channel *ch, bool may_sleep)
{
	struct kmcl_packets *packets = &ch->packets;
	struct kmcl_packet *packet;

	spin_lock_bh(&packets->lock);
	/* Pairs with the one in kmcl_packet_sent(). */
	smp_mb();
	if (!kmcl_packets_try_completing(packets))
		goto unlock;
	while (may_sleep == READ_ONCE(ch->delivery.passive)) {
		packet = list_first_entry_or_null(&packets->completed,
						  struct kmcl_packet, link);
		if (!packet)
			break;
		list_del_init(&packet->link);
		spin_unlock_bh(&packets->lock);
		kmcl_packet_call_routine(packet, packet->status, packet->data,
					 packet->len);
		spin_lock_bh(&packets->lock);
	}
	atomic_set_release(&packets->completing, 0);
	if (!list_empty(&packets->completed))
		kmcl_passive_schedule(ch);
unlock:
	spin_unlock_bh(&packets->lock);
}

/*
 * In the ring, and nothing more to wait for. Mostly nobody is calling a routine
 * and none is to be called: then this one's is, without a lock. Who finds @busy
 * taken in that time leaves its packet in the list, which is looked at after it.
 */
static __always_inline void kmcl_packet_sent(struct kmcl_packet *packet)
{
	struct kmcl_channel *ch = packet->ch;
	struct kmcl_packets *packets = &ch->packets;

	if (!READ_ONCE(ch->delivery.passive) &&
	    list_empty(&packets->completed) &&
	    kmcl_packets_try_completing(packets)) {
		kmcl_packet_call_routine(packet, STATUS_SUCCESS, packet->data,
					 0);
		/* A full barrier: pairs with the one in kmcl_packets_call_routines(). */
		atomic_xchg(&packets->completing, 0);
		if (list_empty(&packets->completed))
			return;
	} else {
		kmcl_packet_defer_routine(packet, STATUS_SUCCESS, NULL, 0);
	}
	kmcl_packets_call_routines(ch, false);
}

/* What is wrong with the arguments that every send has; success: nothing. */
static __always_inline NTSTATUS
kmcl_packet_check(const struct kmcl_packet *packet, const void *buffer, u32 len)
{
	if (!packet || packet->magic != KMCL_PACKET_MAGIC ||
	    (!packet->routine && !packet->routine_ex))
		return STATUS_INVALID_PARAMETER_1;
	if (!buffer && len)
		return STATUS_INVALID_PARAMETER_2;
	if (!kmcl_packet_fits(packet, &packet->ch->packets))
		return STATUS_INVALID_PARAMETER_1;
	if (len > packet->ch->set.max_packet_size)
		return STATUS_INVALID_PARAMETER_3;
	return STATUS_SUCCESS;
}

/* From here to its completion the object is not the client's. */
static bool kmcl_packet_claim(struct kmcl_packet *packet)
{
	return !atomic_cmpxchg(&packet->in_flight, 0, 1);
}

/* Two copies: a call for each packet costs more than these. */
static __always_inline NTSTATUS kmcl_packet_send(struct kmcl_packet *packet,
						 void *buffer, u32 len,
						 bool gpa_direct,
						 bool completion)
{
	struct kmcl_tx_entry *entry = &packet->entry;
	struct kmcl_ring_packet *wire = &entry->wire;
	struct kmcl_channel *ch = packet->ch;
	int result;

	entry->done = kmcl_packet_done;
	entry->copy = packet->data;
	wire->data = buffer;
	wire->len = len;
	if (ch->set.is_pipe) {
		wire->len = kmcl_pipe_frame(packet->data, buffer, len);
		wire->data = packet->data;
		entry->copy = NULL;
	}
	wire->type = gpa_direct ? KMCL_PKT_GPA_DIRECT : KMCL_PKT_INBAND;
	wire->flags = completion ? KMCL_PKT_FLAG_COMPLETION_REQUESTED : 0;
	wire->id = 0;
	wire->head = gpa_direct ? packet->gpa_direct.desc : NULL;
	wire->head_len = gpa_direct ? packet->gpa_direct.size : 0;

	/* When its routine has run, the channel may be cleaned up: not before this. */
	local_bh_disable();
	result = kmcl_tx_submit(ch, entry, true);
	if (result < 0)
		atomic_set_release(&packet->in_flight, 0);
	/* After a completion was asked for, the object may be gone by now. */
	if (result == KMCL_TX_SENT)
		kmcl_packet_sent(packet);
	local_bh_enable();
	return result < 0 ? kmcl_status(result) : STATUS_SUCCESS;
}

static noinline NTSTATUS __kmcl_hot
kmcl_packet_send_gpa_direct(struct kmcl_packet *packet, void *buffer, u32 len)
{
	return kmcl_packet_send(packet, buffer, len, true, true);
}

/* @range: what the client said. */
static NTSTATUS kmcl_packet_send_mdl_range(struct kmcl_packet *packet,
					   void *buffer, u32 len,
					   struct kmcl_mdl_range range)
{
	const struct kmcl_settings *set = &packet->ch->set;
	int err;

	err = kmcl_mdl_range_check(&range, set->max_gpa_direct_size,
				   set->max_chain);
	if (err)
		return kmcl_mdl_range_status(err, 4);
	if (!kmcl_packet_claim(packet))
		return STATUS_DEVICE_BUSY;
	/* There is room for what is within the settings. */
	kmcl_gpa_direct_set_mdl_range(&packet->gpa_direct, &range);
	return kmcl_packet_send_gpa_direct(packet, buffer, len);
}

/**
 * VmbPacketSend() - send a packet
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload, the caller's again when this returns; NULL only with
 *	@buffer_length 0
 * @buffer_length: bytes of it, at most the channel's maximum packet size
 * @external_data_mdl: NULL, or memory that the server reads and writes until the
 *	packet is complete: a chain of MDLs with page numbers, all of it. The chain
 *	is the caller's again when this returns, the memory when the packet is
 *	complete.
 * @flags: %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION to have the packet
 *	complete when the server has completed it; without, when it is in the
 *	ring. With external data it must be given. The other flags have no effect.
 *
 * Packets go in the order of the calls. One that finds the ring full, or as many
 * packets waiting for completions as there can be, is copied and queued; no send
 * fails for memory. The routine is called exactly once for a send that returns
 * success, perhaps before it returns: with %STATUS_SUCCESS, with
 * %STATUS_DEVICE_REMOVED when the channel closed first, or, with external data,
 * with %STATUS_IO_TIMEOUT as VmbPacketSendWithExternalPfns() says.
 *
 * Context: any but hard interrupts.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without an object, when it
 * has no routine, or when the channel had other settings as it was made;
 * %STATUS_INVALID_PARAMETER_2, _3 or _5 for that argument;
 * %STATUS_INVALID_PARAMETER_4 when an MDL has no page numbers, there are more than
 * VmbChannelInitSetMaximumExternalData() allows, or no byte in them;
 * %STATUS_INVALID_BUFFER_SIZE for more external data than that allows;
 * %STATUS_DEVICE_BUSY when it is being sent; %STATUS_INVALID_DEVICE_STATE when the
 * channel is not open; %STATUS_DEVICE_REMOVED when it is going down.
 * Source: Microsoft's VmbPacketSend documentation; what is wrong with an MDL and
 * its status are ours.
 */
NTSTATUS VmbPacketSend(VMBPACKET packet, PVOID buffer, UINT32 buffer_length,
		       PMDL external_data_mdl, UINT32 flags)
{
	NTSTATUS status = kmcl_packet_check(packet, buffer, buffer_length);
	bool wait = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;

	if (!NT_SUCCESS(status))
		return status;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS || (external_data_mdl && !wait))
		return STATUS_INVALID_PARAMETER_5;
	if (external_data_mdl)
		return kmcl_packet_send_mdl_range(
			packet, buffer, buffer_length,
			(struct kmcl_mdl_range){
				.mdl = external_data_mdl,
			});
	if (!kmcl_packet_claim(packet))
		return STATUS_DEVICE_BUSY;
	return kmcl_packet_send(packet, buffer, buffer_length, false, wait);
}
EXPORT_SYMBOL_GPL(VmbPacketSend);

/**
 * VmbPacketSendWithExternalMdl() - send a packet that refers to part of a chain
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload, the caller's again when this returns; NULL only with
 *	@buffer_length 0
 * @buffer_length: bytes of it, at most the channel's maximum packet size
 * @mdl: a chain of MDLs with page numbers, the caller's again when this returns;
 *	the memory is when the packet is complete
 * @mdl_offset: bytes of the chain's memory before the external data
 * @mdl_length: bytes of external data; 0 for all to the end
 * @flags: %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION at least. With
 *	%VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH the data is in the first MDL
 *	only, and may go past its end, to the end of its last page of 4 KiB.
 *	%VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER has no effect: the payload is
 *	copied at once, and no kernel memory is paged.
 *
 * As VmbPacketSend(). When the channel closes, the routine is called when the
 * ring is closed, and so the server has the memory no more.
 *
 * Context: any but hard interrupts.
 * Return: as VmbPacketSend(); %STATUS_INVALID_PARAMETER_4 also without @mdl;
 * %STATUS_INVALID_PARAMETER_5 when @mdl_offset is behind the memory;
 * %STATUS_INVALID_PARAMETER_6 when @mdl_length goes behind it, or is 0 where it is
 * forced; %STATUS_INVALID_PARAMETER_7 with an unknown flag or without the one.
 * Source: Microsoft's VmbPacketSendWithExternalMdl documentation; the statuses
 * are ours.
 */
NTSTATUS VmbPacketSendWithExternalMdl(VMBPACKET packet, PVOID buffer,
				      UINT32 buffer_length, PMDL mdl,
				      UINT32 mdl_offset, UINT32 mdl_length,
				      UINT32 flags)
{
	NTSTATUS status = kmcl_packet_check(packet, buffer, buffer_length);
	struct kmcl_mdl_range range = {
		.mdl = mdl,
		.skip = mdl_offset,
		.len = mdl_length,
		.forced = flags & VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH,
	};

	if (!NT_SUCCESS(status))
		return status;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS ||
	    !(flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))
		return STATUS_INVALID_PARAMETER_7;
	return kmcl_packet_send_mdl_range(packet, buffer, buffer_length, range);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalMdl);

/**
 * VmbPacketSendWithExternalPfns() - send a packet that refers to whole pages
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload, the caller's again when this returns; NULL only with
 *	@buffer_length 0
 * @buffer_length: bytes of it, at most the channel's maximum packet size
 * @pfns: numbers of pages of 4 KiB, whatever the size of the guest's; the array
 *	is the caller's again when this returns, the pages stay until the packet is
 *	complete: the server reads and writes them
 * @pfn_length: how many; at most what VmbChannelInitSetMaximumExternalData()
 *	allows
 * @flags: %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION at least
 *
 * As VmbPacketSend(). When the channel closes, the routine is called when the
 * ring is closed, and so the server has the pages no more; with
 * %STATUS_IO_TIMEOUT, and a line in the log, when the host could not be told of
 * the close: it may then write to the pages for good, and they are not to be freed.
 *
 * Context: any but hard interrupts.
 * Return: as VmbPacketSend(); %STATUS_INVALID_PARAMETER_4 without @pfns;
 * %STATUS_INVALID_PARAMETER_5 when there are none or too many;
 * %STATUS_INVALID_PARAMETER_6 with an unknown flag or without the one.
 * Source: Microsoft's VmbPacketSendWithExternalPfns documentation.
 */
NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET packet, PVOID buffer,
				       UINT32 buffer_length, PPFN_NUMBER pfns,
				       UINT32 pfn_length, UINT32 flags)
{
	NTSTATUS status = kmcl_packet_check(packet, buffer, buffer_length);

	if (!NT_SUCCESS(status))
		return status;
	if (!pfns)
		return STATUS_INVALID_PARAMETER_4;
	if (!pfn_length || pfn_length > packet->ch->set.max_gpa_direct_size /
						KMCL_HV_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_5;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS ||
	    !(flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION))
		return STATUS_INVALID_PARAMETER_6;
	if (!kmcl_packet_claim(packet))
		return STATUS_DEVICE_BUSY;
	if (kmcl_gpa_direct_set_pfns(&packet->gpa_direct, pfns, pfn_length)) {
		atomic_set_release(&packet->in_flight, 0);
		return STATUS_INVALID_PARAMETER_5;
	}
	return kmcl_packet_send_gpa_direct(packet, buffer, buffer_length);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalPfns);
