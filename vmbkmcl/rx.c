// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the incoming ring.
 *
 * The callback of the bus only masks the signals of the ring and schedules the
 * poll. The poll reads packets, delivers them, sends packets that were queued, and
 * calls completion routines that were deferred, until nothing is left or its budget is
 * used up. Then it either unmasks the signals and checks the ring once more, or it
 * schedules itself again. This works like NAPI: a flood of packets leaves the CPU to
 * others from time to time, and an idle ring costs nothing.
 *
 * Completions of the client's packets and packets of the host share the ring.
 * Completions are always processed. Other packets are copied to packets of a pool
 * and wait in the backlog until they can be delivered to the client. Only if the
 * pool is empty, the poll leaves the next of them, and everything behind it, in the
 * ring until a packet is returned to the pool.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "budget.h"
#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "poll.h"
#include "rx.h"
#include "rx_deliver.h"
#include "rx_gpa_direct.h"
#include "rx_packet.h"
#include "rx_transfer_pages.h"
#include "trace.h"

/**
 * kmcl_rx_open - allocate the memory for the payload of completions
 * @ch: a channel that is about to be opened
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_rx_open(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	rx->room = ALIGN(ch->set.max_packet_size, sizeof(u64));
	rx->copy = kvmalloc(rx->room, GFP_KERNEL | __GFP_NOWARN);
	return rx->copy ? 0 : -ENOMEM;
}

void kmcl_rx_close(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.failed, false);
	kvfree(ch->rx.copy);
}

/*
 * True if the client is given packets: it has a ProcessPacket callback, and has not
 * called VmbChannelPacketFail().
 */
static bool kmcl_rx_is_wanted(const struct kmcl_delivery *to)
{
	return to->pool && !READ_ONCE(to->refused);
}

/*
 * Find the message in a packet of the ring, and its ranges if it is a transfer-page
 * packet. Returns false if it is malformed, or larger than the client's packets.
 */
static bool kmcl_rx_message(struct kmcl_channel *ch,
			    const struct kmcl_ring_packet *packet,
			    const void **data, u32 *len,
			    struct kmcl_transfer_pages *pages)
{
	u32 room = ch->delivery.pool->room;

	if (ch->set.is_pipe && !kmcl_pipe_unframe(data, len))
		return false;
	if (*len > room)
		return false;
	return packet->type != KMCL_PKT_XFER_PAGES ||
	       (kmcl_transfer_pages_read(packet, pages) &&
		kmcl_transfer_pages_fit(pages, *len, room));
}

static void kmcl_rx_complain(struct kmcl_channel *ch, bool external)
{
	if (ch->rx.complained)
		return;
	ch->rx.complained = true;
	if (external)
		kmcl_warn_always(ch, "malformed external data, or more than %u bytes: dropped\n",
				 ch->set.max_gpa_direct_size);
	else
		kmcl_warn_always(ch, "malformed packets, or larger than %u bytes: not delivered\n",
				 ch->delivery.pool->room);
}

/*
 * The packet can not be delivered. The other end may wait for its completion, so send
 * one that is empty. @copy: packet of the pool, if the external data is at fault;
 * otherwise NULL. Returns false if the pool is empty and the packet must stay in the
 * ring.
 */
static noinline bool kmcl_rx_reject(struct kmcl_channel *ch,
				    const struct kmcl_ring_packet *packet,
				    struct kmcl_rx_packet *copy)
{
	bool external = copy;

	if (packet->flags & KMCL_PKT_FLAG_COMPLETION_REQUESTED) {
		if (!copy)
			copy = kmcl_pool_pop(ch);
		if (!copy)
			return false;
		copy->completion.wire.id = packet->id;
		kmcl_rx_packet_complete(ch, copy, 0);
	} else if (copy) {
		kmcl_pool_push(copy);
	}
	kmcl_rx_count_dropped(&ch->rx, 1);
	kmcl_rx_complain(ch, external);
	return true;
}

/*
 * Copy the packet to the backlog. Returns false if the pool is empty and the
 * packet must stay in the ring.
 */
static bool kmcl_rx_enqueue(struct kmcl_channel *ch,
			    const struct kmcl_ring_packet *packet)
{
	const void *data = packet->data;
	struct kmcl_transfer_pages pages;
	struct kmcl_rx_packet *copy;
	u32 len = packet->len;

	if (!kmcl_rx_is_wanted(&ch->delivery)) {
		kmcl_rx_count_dropped(&ch->rx, 1);
		return true;
	}
	if (!kmcl_rx_message(ch, packet, &data, &len, &pages))
		return kmcl_rx_reject(ch, packet, NULL);
	copy = kmcl_pool_pop(ch);
	if (!copy)
		return false;
	memcpy(copy->data, data, len);
	copy->len = len;
	copy->completion.wire.id = packet->id;
	copy->wants_completion = packet->flags &
				 KMCL_PKT_FLAG_COMPLETION_REQUESTED;
	copy->ranges = NULL;
	copy->was_pending = false;
	copy->mdl = NULL;
	if (packet->type == KMCL_PKT_GPA_DIRECT &&
	    !kmcl_rx_gpa_direct_read(ch, copy, packet))
		return kmcl_rx_reject(ch, packet, copy);
	if (packet->type == KMCL_PKT_XFER_PAGES)
		kmcl_transfer_pages_copy(copy, packet, &pages);
	kmcl_delivery_enqueue(&ch->delivery, copy);
	return true;
}

static bool kmcl_rx_handle(struct kmcl_channel *ch,
			   const struct kmcl_ring_packet *packet)
{
	switch (packet->type) {
	case KMCL_PKT_COMPLETION:
		kmcl_tx_complete(ch, packet->id, packet->data, packet->len);
		break;
	case KMCL_PKT_GPA_DIRECT:
		/* A host refers to no memory of the guest. */
		if (!ch->is_server) {
			kmcl_rx_count_dropped(&ch->rx, 1);
			break;
		}
		fallthrough;
	case KMCL_PKT_INBAND:
	case KMCL_PKT_XFER_PAGES:
		if (!kmcl_rx_enqueue(ch, packet))
			return false;
		break;
	default:
		kmcl_rx_count_dropped(&ch->rx, 1);
	}
	ch->rx.received++;
	trace_vmbkmcl_receive(ch, packet->type, packet->id, packet->len);
	return true;
}

/*
 * A corrupt ring is not read again until the channel is opened again. No completion
 * can arrive any more, so kmcl_rx_read() then finishes the packets that await one, except
 * those with external data that the host may still access. A client that only receives
 * would not notice that, so the work item closes the channel.
 */
static void kmcl_rx_fail(struct kmcl_channel *ch, struct kmcl_budget *budget)
{
	WRITE_ONCE(ch->rx.failed, true);
	ch->rx.corrupt++;
	kmcl_warn(ch, "corrupt incoming ring: the channel is closed\n");
	kmcl_tx_refuse(ch);
	/* What was read before is good, and nothing is delivered once it is closing. */
	kmcl_deliver(ch, budget);
	kmcl_channel_kick(ch);
	wake_up_all(&ch->changed);
}

static void kmcl_rx_read_packets(struct kmcl_channel *ch,
				 struct kmcl_budget *budget)
{
	struct kmcl_ring_packet packet;
	int found = 0;

	WRITE_ONCE(ch->rx.starved, false);
	while (!kmcl_budget_is_spent(budget)) {
		found = kmcl_ring_peek(&ch->rx.ring, &packet);
		if (found <= 0)
			break;
		if (!kmcl_rx_handle(ch, &packet)) {
			WRITE_ONCE(ch->rx.starved, true);
			break;
		}
		kmcl_ring_skip(&ch->rx.ring, &packet);
		/* A completion may have called the client, other packets have not. */
		if (packet.type == KMCL_PKT_COMPLETION)
			kmcl_budget_spend(budget);
		else
			kmcl_budget_spend_copy(budget, packet.len);
	}
	if (found < 0)
		kmcl_rx_fail(ch, budget);
	else if (kmcl_ring_release(&ch->rx.ring))
		ch->bus->signal(ch, KMCL_SIGNAL_ROOM);
}

static void kmcl_rx_read(struct kmcl_channel *ch, struct kmcl_budget *budget)
{
	if (likely(!ch->rx.failed))
		kmcl_rx_read_packets(ch, budget);
	/* The work item may be in a callback that waits for one of the packets. */
	if (unlikely(ch->rx.failed))
		kmcl_tx_cancel(ch, -ENODEV, budget);
}

static void kmcl_poll_do(struct kmcl_channel *ch, enum kmcl_poll_stage stage,
			 struct kmcl_budget *budget)
{
	switch (stage) {
	case KMCL_POLL_READ:
		kmcl_rx_read(ch, budget);
		break;
	case KMCL_POLL_DELIVER:
		kmcl_deliver(ch, budget);
		break;
	case KMCL_POLL_FLUSH:
		/*
		 * The signal may have meant that the outgoing ring has room.
		 * There is no flag that tells, so every poll flushes.
		 */
		kmcl_tx_flush(ch, budget);
		break;
	default:
		kmcl_packets_call_routines(ch, false, budget);
	}
}

/*
 * Go through the stages. If one of them uses up the budget, return false: the next poll
 * begins with the stage after it, so that no stage keeps the others from being reached.
 */
static bool kmcl_poll_round(struct kmcl_channel *ch, struct kmcl_budget *budget)
{
	enum kmcl_poll_stage stage = ch->rx.stage;

	for (; stage < KMCL_POLL_STAGES; stage++) {
		kmcl_poll_do(ch, stage, budget);
		ch->rx.stage = (stage + 1) % KMCL_POLL_STAGES;
		if (kmcl_budget_is_spent(budget))
			return false;
	}
	return true;
}

/* True if there is nothing left to do. */
static bool kmcl_poll_is_done(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;

	WRITE_ONCE(rx->polling, false);
	/*
	 * Unmask even if a packet was left in the ring. The host signals new
	 * packets only when the ring was empty, so this causes no extra signals.
	 *
	 * The mask does not apply to signals for room in the outgoing ring, which
	 * the host sends at any time. Each of them schedules the poll, also while
	 * the poll runs, and the poll flushes the queue. So there is no need to
	 * flush again after unmasking.
	 */
	if (kmcl_ring_unmask(&rx->ring) && !rx->starved && !rx->failed)
		return false;
	/* Those of a passive client are called by the work item. */
	return !kmcl_packets_have_routines(&ch->packets) ||
	       READ_ONCE(ch->delivery.passive);
}

static void __kmcl_hot kmcl_poll(struct tasklet_struct *t)
{
	struct kmcl_rx *rx = container_of(t, struct kmcl_rx, poll);
	struct kmcl_channel *ch = container_of(rx, struct kmcl_channel, rx);
	struct kmcl_budget budget;
	bool whole;

	rx->polls++;
	kmcl_budget_start(&budget);
	/*
	 * Clear the flag first. If reading or delivering below has to wait for
	 * a packet that the client holds, kmcl_stall() sets the flag again, and
	 * the return of that packet schedules the next poll.
	 */
	kmcl_stall_clear(&ch->delivery);
	while (!kmcl_budget_is_spent(&budget)) {
		WRITE_ONCE(rx->polling, true);
		whole = rx->stage == KMCL_POLL_READ;
		if (!kmcl_poll_round(ch, &budget))
			break;
		if (whole && kmcl_poll_is_done(ch))
			return;
		/*
		 * A round counts, so that the loop also ends if the host keeps
		 * changing its index, but there is never a packet to read.
		 */
		kmcl_budget_spend(&budget);
	}
	WRITE_ONCE(rx->polling, false);
	kmcl_poll_schedule(ch);
}

void kmcl_rx_init(struct kmcl_rx *rx)
{
	tasklet_setup(&rx->poll, kmcl_poll);
}

/*
 * Start reading the ring. The ring may already hold packets that were signalled
 * before the poll was allowed to run, so schedule the poll at once. Completions are
 * processed from here on; other packets wait for kmcl_delivery_start().
 */
void kmcl_rx_start(struct kmcl_channel *ch)
{
	ch->rx.stage = KMCL_POLL_READ;
	ch->rx.complained = false;
	/*
	 * Pairs with smp_load_acquire() in kmcl_poll_schedule(), which then
	 * uses the ring.
	 */
	smp_store_release(&ch->rx.running, true);
	kmcl_poll_schedule(ch);
}

/* When this function returns, nothing accesses the ring any more. */
void kmcl_rx_stop(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.running, false);
	/* Wait for a kmcl_poll_schedule() that has still seen ->running set. */
	synchronize_rcu_expedited();
	tasklet_kill(&ch->rx.poll);
	/*
	 * The last poll may have left completion routines to the next one. A callback
	 * of the client may wait for one of them, so the other work item calls them.
	 */
	if (kmcl_packets_have_routines(&ch->packets))
		kmcl_passive_schedule(ch);
}
