// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending packet objects, and calling their completion routines.
 *
 * The routine of a packet that the host has completed is called in the poll, where
 * the completion is read. A packet that wants no completion is complete as soon as it
 * is in the ring, so its routine is called in the send, which calls no other routine.
 * All other routines are deferred: the poll calls them, within its budget. So are those
 * of packets that are complete at once while a routine is running on this CPU, so that
 * a routine which sends again is never called recursively. For a passive client, all
 * routines are deferred to the work item of passive.c.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/export.h>
#include <linux/percpu.h>

#include "budget.h"
#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "mdl_range.h"
#include "poll.h"
#include "status.h"
#include "tx.h"
#include "tx_gpa_direct.h"
#include "tx_packet.h"

/*
 * The number of routines that are running on this CPU. It may be above 1 on PREEMPT_RT,
 * where a task with bottom halves off can be preempted. Used with bottom halves off,
 * so that the task stays on its CPU.
 */
static DEFINE_PER_CPU(unsigned int, kmcl_routines);

/*
 * The object belongs to the client again before the routine is called, so that
 * the routine may send it. Nothing may be read from the object afterwards.
 */
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

/* Call the routine in the poll, which never interrupts a routine. */
static void __kmcl_hot kmcl_packet_call_in_poll(struct kmcl_packet *packet,
						NTSTATUS status, void *data,
						u32 len)
{
	this_cpu_inc(kmcl_routines);
	kmcl_packet_call_routine(packet, status, data, len);
	this_cpu_dec(kmcl_routines);
}

/* Call the routine in the send. Returns false if this send is in a routine itself. */
static __always_inline bool kmcl_packet_call_in_send(struct kmcl_packet *packet)
{
	bool outermost = this_cpu_inc_return(kmcl_routines) == 1;

	if (likely(outermost))
		kmcl_packet_call_routine(packet, STATUS_SUCCESS, packet->data,
					 0);
	this_cpu_dec(kmcl_routines);
	return outermost;
}

/*
 * Call the deferred routines soon. If the poll does not run, because the channel is
 * about to be opened or is closed, the work item calls them.
 */
static void kmcl_packets_schedule(struct kmcl_channel *ch)
{
	if (READ_ONCE(ch->delivery.passive) || !READ_ONCE(ch->rx.running)) {
		kmcl_passive_schedule(ch);
		return;
	}
	/*
	 * Pairs with the barrier in kmcl_ring_unmask() that kmcl_poll_is_done()
	 * relies on: either the poll sees the routine, or it is seen here that the
	 * poll does not look for routines any more.
	 */
	smp_mb();
	if (!READ_ONCE(ch->rx.polling))
		kmcl_poll_schedule(ch);
}

/*
 * Let kmcl_packets_call_routines() call the routine later. Its arguments are
 * kept in the object. Bottom halves are off, so a close waits for this function,
 * and the channel stays valid.
 */
static void kmcl_packet_defer_routine(struct kmcl_packet *packet,
				      NTSTATUS status, const void *data,
				      u32 len)
{
	struct kmcl_channel *ch = packet->ch;
	struct kmcl_packets *packets = &ch->packets;

	packet->status = status;
	packet->len = len;
	memcpy(packet->data, data, len);
	spin_lock(&packets->lock);
	list_add_tail(&packet->link, &packets->completed);
	spin_unlock(&packets->lock);
	kmcl_packets_schedule(ch);
}

/*
 * The host may still access the external data, but the client may free the memory
 * once its routine was called. So the pages are kept for good.
 */
static void kmcl_packet_keep_pages(const struct kmcl_packet *packet)
{
	u32 held;

	kmcl_gpa_direct_hold(&packet->gpa_direct, NULL, &held);
	kmcl_gpa_direct_kept(packet->ch, held);
}

/*
 * Without @data, the host has not completed the packet. This may then be a call of
 * the client, for example to disable the channel, so no routine is called in it.
 */
static void __kmcl_hot kmcl_packet_done(struct kmcl_tx_entry *entry, int err,
					const void *data, u32 len)
{
	struct kmcl_packet *packet =
		container_of(entry, struct kmcl_packet, entry);
	struct kmcl_channel *ch = packet->ch;

	if (err == -ETIMEDOUT && kmcl_tx_entry_is_gpa_direct(entry))
		kmcl_packet_keep_pages(packet);
	if (!data || READ_ONCE(ch->delivery.passive)) {
		kmcl_packet_defer_routine(packet, kmcl_status(err), data, len);
		return;
	}
	/*
	 * Copy the payload to ->rx.copy, not to the object: the routine may send
	 * the object while it still reads the payload.
	 */
	if (len)
		data = memcpy(ch->rx.copy, data, len);
	kmcl_packet_call_in_poll(packet, kmcl_status(err), (void *)data, len);
}

/* Take the oldest packet whose routine was deferred, if it is due in this context. */
static struct kmcl_packet *kmcl_packets_pop(struct kmcl_channel *ch,
					    bool may_sleep)
{
	struct kmcl_packets *packets = &ch->packets;
	struct kmcl_packet *packet = NULL;

	spin_lock_bh(&packets->lock);
	if (may_sleep == READ_ONCE(ch->delivery.passive))
		packet = list_first_entry_or_null(&packets->completed,
						  struct kmcl_packet, link);
	if (packet)
		list_del_init(&packet->link);
	spin_unlock_bh(&packets->lock);
	return packet;
}

/**
 * kmcl_packets_call_routines - call the completion routines that were deferred
 * @ch: the channel
 * @may_sleep: the context: false with bottom halves off, true otherwise. If it is not
 *	the one that the client wants, nothing is called.
 * @budget: the budget of the run
 *
 * Context: the poll, or the passive work item. No locks held.
 */
void __kmcl_hot kmcl_packets_call_routines(struct kmcl_channel *ch,
					   bool may_sleep,
					   struct kmcl_budget *budget)
{
	struct kmcl_packet *packet;

	while (kmcl_packets_have_routines(&ch->packets) &&
	       !kmcl_budget_is_spent(budget)) {
		packet = kmcl_packets_pop(ch, may_sleep);
		if (!packet) {
			/* The client has chosen the other context meanwhile. */
			kmcl_packets_schedule(ch);
			break;
		}
		if (may_sleep)
			kmcl_packet_call_routine(packet, packet->status,
						 packet->data, packet->len);
		else
			kmcl_packet_call_in_poll(packet, packet->status,
						 packet->data, packet->len);
		kmcl_budget_spend(budget);
	}
}

/*
 * The packet is in the ring and wants no completion. Its routine is not called before
 * those that were deferred earlier.
 */
static __always_inline void kmcl_packet_sent(struct kmcl_packet *packet)
{
	struct kmcl_channel *ch = packet->ch;

	if (unlikely(READ_ONCE(ch->delivery.passive) ||
		     kmcl_packets_have_routines(&ch->packets) ||
		     !kmcl_packet_call_in_send(packet)))
		kmcl_packet_defer_routine(packet, STATUS_SUCCESS, NULL, 0);
}

/* Check the arguments that all sends have in common. */
static __always_inline NTSTATUS
kmcl_packet_check(const struct kmcl_packet *packet, const void *buffer, u32 len)
{
	kmcl_assert_interrupts_on();
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

/*
 * The object belongs to the library from here until its completion routine is
 * called. Returns false if it is being sent already.
 */
static bool kmcl_packet_claim(struct kmcl_packet *packet)
{
	return !atomic_cmpxchg(&packet->in_flight, 0, 1);
}

/* Inlined twice, because a call for each packet costs more than the larger code. */
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

	/*
	 * After the routine has run, the client may clean up the channel. The
	 * close waits for this section, so the channel stays valid in it.
	 */
	local_bh_disable();
	result = kmcl_tx_submit(ch, entry, KMCL_TX_ALWAYS);
	if (result < 0)
		atomic_set_release(&packet->in_flight, 0);
	/*
	 * KMCL_TX_SENT: the packet is done. After KMCL_TX_PENDING the object
	 * must not be touched, because the client may have freed it by now.
	 */
	if (result > KMCL_TX_PENDING)
		kmcl_packet_sent(packet);
	local_bh_enable();
	return result < 0 ? kmcl_status(result) : STATUS_SUCCESS;
}

static noinline NTSTATUS __kmcl_hot
kmcl_packet_send_gpa_direct(struct kmcl_packet *packet, void *buffer, u32 len,
			    bool completion)
{
	return kmcl_packet_send(packet, buffer, len, true, completion);
}

/* @range: as the client has passed it, not checked yet. */
static NTSTATUS kmcl_packet_send_mdl_range(struct kmcl_packet *packet,
					   void *buffer, u32 len,
					   struct kmcl_mdl_range range,
					   bool completion)
{
	const struct kmcl_settings *set = &packet->ch->set;
	int err;

	if (packet->ch->is_server)
		return STATUS_INVALID_PARAMETER_4;
	err = kmcl_mdl_range_check(&range, set->max_gpa_direct_size,
				   set->max_chain);
	if (err)
		return kmcl_mdl_range_status(err, 4);
	if (!kmcl_packet_claim(packet))
		return STATUS_DEVICE_BUSY;
	/*
	 * Can not fail: kmcl_mdl_range_check() has limited the range to the
	 * settings, and the object has room for as much as they allow.
	 */
	kmcl_gpa_direct_set_mdl_range(&packet->gpa_direct, &range);
	return kmcl_packet_send_gpa_direct(packet, buffer, len, completion);
}

static NTSTATUS kmcl_packet_send_mdl(struct kmcl_packet *packet, void *buffer,
				     u32 len, PMDL mdl, bool completion)
{
	struct kmcl_mdl_range all = { .mdl = mdl };

	return kmcl_packet_send_mdl_range(packet, buffer, len, all, completion);
}

/**
 * VmbPacketSend() - send a packet
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload. The caller may reuse it when the function returns. May
 *	be %NULL only if @buffer_length is 0.
 * @buffer_length: length of @buffer in bytes, at most the channel's maximum
 *	packet size
 * @external_data_mdl: %NULL, or a chain of MDLs with page numbers, whose whole
 *	memory is the packet's external data. The server reads and writes it
 *	until the packet is complete. The caller may reuse the MDLs when the
 *	function returns, and the memory when the packet is complete. Must be
 *	%NULL for the channel of a server.
 * @flags: with %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, the packet is
 *	complete when the server has completed it; without it, when the packet
 *	is in the ring. The other flags have no effect.
 *
 * External data without %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION are allowed, but
 * then nothing tells the library when the server has finished with the memory. The
 * client must learn this by its own protocol, and must keep the memory until then or
 * until EvtChannelClosed is called.
 *
 * Packets are sent in the order of the calls. If the ring is full, or as many
 * packets wait for a completion as the channel allows, the packet is copied and
 * queued. So it is if the channel is enabled and not open: before EvtChannelOpened, and
 * from EvtChannelClosed on until the channel is opened again or disabled. A send never
 * fails for lack of memory.
 *
 * The completion routine is called exactly once for each send that returns
 * %STATUS_SUCCESS. Before the send returns, it can be called only if no completion
 * was asked for, and the send calls no routine of another packet. A routine is not
 * called inside another routine: if a routine sends, the routine of that packet is
 * called later. The status it is called with is
 *
 * * %STATUS_SUCCESS - the packet is complete
 * * %STATUS_BUFFER_OVERFLOW - the payload of the completion was larger than the
 *   maximum packet size, and was cut
 * * %STATUS_DEVICE_REMOVED - the channel was closed, or its incoming ring was
 *   found corrupt, before the packet was complete
 * * %STATUS_IO_TIMEOUT - the host may not know of the close, see
 *   VmbPacketSendWithExternalPfns(). For packets with external data only.
 * * %STATUS_UNSUCCESSFUL - the packet was queued, and then the host wrote an
 *   invalid index to the ring
 *
 * Context: process or softirq, with interrupts enabled.
 * Return:
 * * %STATUS_SUCCESS - the packet was accepted
 * * %STATUS_INVALID_PARAMETER_1 - @packet is %NULL or not a packet object, it
 *   has no completion routine, or the settings of the channel have changed
 *   since it was made
 * * %STATUS_INVALID_PARAMETER_2 - @buffer is %NULL, and @buffer_length is not 0
 * * %STATUS_INVALID_PARAMETER_3 - @buffer_length is more than the maximum
 *   packet size
 * * %STATUS_INVALID_PARAMETER_4 - an MDL has no page numbers, the chain has
 *   more MDLs than VmbChannelInitSetMaximumExternalData() allows, the MDLs
 *   describe no byte, or the channel is a server's
 * * %STATUS_INVALID_PARAMETER_5 - @flags has an unknown flag
 * * %STATUS_INVALID_BUFFER_SIZE - there is more external data than
 *   VmbChannelInitSetMaximumExternalData() allows
 * * %STATUS_DEVICE_BUSY - @packet is being sent
 * * %STATUS_INVALID_DEVICE_STATE - the channel is disabled
 * * %STATUS_DEVICE_REMOVED - the channel is going down, or its incoming ring was
 *   found corrupt
 * * %STATUS_UNSUCCESSFUL - the host has written an invalid index to the ring
 *
 * Source: Microsoft's VmbPacketSend documentation; the checks of an MDL and
 * their statuses are ours.
 */
NTSTATUS VmbPacketSend(VMBPACKET packet, PVOID buffer, UINT32 buffer_length,
		       PMDL external_data_mdl, UINT32 flags)
{
	NTSTATUS status = kmcl_packet_check(packet, buffer, buffer_length);
	bool wait = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;

	if (!NT_SUCCESS(status))
		return status;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS)
		return STATUS_INVALID_PARAMETER_5;
	if (external_data_mdl)
		return kmcl_packet_send_mdl(packet, buffer, buffer_length,
					    external_data_mdl, wait);
	if (!kmcl_packet_claim(packet))
		return STATUS_DEVICE_BUSY;
	return kmcl_packet_send(packet, buffer, buffer_length, false, wait);
}
EXPORT_SYMBOL_GPL(VmbPacketSend);

/**
 * VmbPacketSendWithExternalMdl() - send a packet with part of an MDL chain
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload. The caller may reuse it when the function returns. May
 *	be %NULL only if @buffer_length is 0.
 * @buffer_length: length of @buffer in bytes, at most the channel's maximum
 *	packet size
 * @mdl: a chain of MDLs with page numbers. The caller may reuse the MDLs when
 *	the function returns, and their memory when the packet is complete.
 * @mdl_offset: number of bytes in the chain before the external data
 * @mdl_length: length of the external data in bytes; 0 means up to the end of
 *	the chain
 * @flags: must have %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION. With
 *	%VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH only the first MDL is used,
 *	and the external data may extend beyond the end of the MDL up to the end
 *	of its last page of 4 KiB. %VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER has
 *	no effect: the payload is copied at once, and kernel memory is not
 *	paged.
 *
 * Works like VmbPacketSend(), which also lists the statuses that the completion
 * routine is called with. When the channel is closed, the routine is called
 * only after the ring is closed, so that the server has no access to the memory
 * any more. For %STATUS_IO_TIMEOUT see VmbPacketSendWithExternalPfns().
 *
 * Context: process or softirq, with interrupts enabled.
 * Return: the statuses of VmbPacketSend(), except for these:
 *
 * * %STATUS_INVALID_PARAMETER_4 - @mdl is %NULL, an MDL has no page numbers,
 *   the chain has more MDLs than VmbChannelInitSetMaximumExternalData() allows,
 *   the MDLs describe no byte, or the channel is a server's
 * * %STATUS_INVALID_PARAMETER_5 - @mdl_offset is not less than the length of
 *   the memory
 * * %STATUS_INVALID_PARAMETER_6 - @mdl_length goes beyond the end of the
 *   memory, or is 0 together with %VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH
 * * %STATUS_INVALID_PARAMETER_7 - @flags has an unknown flag, or lacks
 *   %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
 *
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
	return kmcl_packet_send_mdl_range(packet, buffer, buffer_length, range,
					  true);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalMdl);

/**
 * VmbPacketSendWithExternalPfns() - send a packet that refers to whole pages
 * @packet: an object with a completion routine, not being sent
 * @buffer: the payload. The caller may reuse it when the function returns. May
 *	be %NULL only if @buffer_length is 0.
 * @buffer_length: length of @buffer in bytes, at most the channel's maximum
 *	packet size
 * @pfns: numbers of pages of 4 KiB, whatever the page size of the guest is. The
 *	server reads and writes the pages. The caller may reuse the array when
 *	the function returns, and the pages when the packet is complete.
 * @pfn_length: number of pages in @pfns, at most as many as
 *	VmbChannelInitSetMaximumExternalData() allows
 * @flags: must have %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION. The other
 *	flags have no effect.
 *
 * Works like VmbPacketSend(), which also lists the statuses that the completion
 * routine is called with. When the channel is closed, the routine is called
 * only after the ring is closed, so that the server has no access to the pages
 * any more.
 *
 * %STATUS_IO_TIMEOUT is the exception. The routine is called with it, and a
 * line is logged, if the host could not be told of the close. The host may then
 * write to the pages at any later time, so the client must not free them.
 *
 * Context: process or softirq, with interrupts enabled.
 * Return: the statuses of VmbPacketSend() without %STATUS_INVALID_BUFFER_SIZE,
 * except for these:
 *
 * * %STATUS_INVALID_PARAMETER_4 - @pfns is %NULL, or the channel is a server's
 * * %STATUS_INVALID_PARAMETER_5 - @pfn_length is 0 or too large
 * * %STATUS_INVALID_PARAMETER_6 - @flags has an unknown flag, or lacks
 *   %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
 *
 * Source: Microsoft's VmbPacketSendWithExternalPfns documentation.
 */
NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET packet, PVOID buffer,
				       UINT32 buffer_length, PPFN_NUMBER pfns,
				       UINT32 pfn_length, UINT32 flags)
{
	NTSTATUS status = kmcl_packet_check(packet, buffer, buffer_length);

	if (!NT_SUCCESS(status))
		return status;
	if (!pfns || packet->ch->is_server)
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
	return kmcl_packet_send_gpa_direct(packet, buffer, buffer_length, true);
}
EXPORT_SYMBOL_GPL(VmbPacketSendWithExternalPfns);
