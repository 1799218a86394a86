// SPDX-License-Identifier: GPL-2.0-only
/*
 * Giving the host's packets to the client, and getting them back.
 *
 * The poll delivers what it has read, in softirq context, or a work item does
 * where the client may sleep; never both at once, and always in order. A client
 * that holds as many packets as its quota is given no more until it completes
 * one. Each packet has room for its completion, so completing never fails.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bottom_half.h>
#include <linux/export.h>

#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "poll.h"
#include "rx_deliver.h"
#include "rx_packet.h"

/* Packets from one ProcessingComplete callback to the next. */
#define KMCL_BATCH	64

#define KMCL_DELIVERING	0

/**
 * kmcl_delivery_open - get the memory that packets of the host's will need
 * @ch: a channel about to be opened
 *
 * All of it now, so that a packet is never lost for memory later.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_delivery_open(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;
	struct kmcl_pool *pool;

	if (!ch->set.process_packet && !ch->set.process_packet_ex)
		return 0;
	pool = kmcl_pool_alloc(ch);
	if (!pool)
		return -ENOMEM;
	if (kfifo_alloc(&to->backlog, pool->count, GFP_KERNEL)) {
		kmcl_pool_put(pool);
		return -ENOMEM;
	}
	to->pool = pool;
	to->refused = false;
	return 0;
}

/* The ring is gone, and so is who could answer what the client did not see. */
void kmcl_delivery_close(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;

	if (!to->pool)
		return;
	kmcl_rx_count_dropped(&ch->rx,
			      kfifo_len(&to->backlog) + !!to->deferred);
	to->deferred = NULL;
	kfifo_free(&to->backlog);
	kmcl_pool_put(to->pool);
	to->pool = NULL;
}

/* Delivering */

static bool kmcl_has_quota(const struct kmcl_delivery *to)
{
	u32 quota = min(READ_ONCE(to->quota), to->pool->quota);

	return kmcl_delivery_held(to) < quota;
}

static bool kmcl_has_packet(struct kmcl_delivery *to)
{
	return READ_ONCE(to->deferred) || !kfifo_is_empty(&to->backlog);
}

/* There is a packet, and the client would take it in this context. */
static __always_inline bool kmcl_is_due(struct kmcl_channel *ch, bool may_sleep)
{
	struct kmcl_delivery *to = &ch->delivery;

	if (!READ_ONCE(to->on) || READ_ONCE(to->refused) ||
	    READ_ONCE(ch->abandoned))
		return false;
	if (may_sleep != (READ_ONCE(to->passive) || READ_ONCE(to->deferred)))
		return false;
	if (!kmcl_has_packet(to))
		return false;
	if (kmcl_has_quota(to))
		return true;
	kmcl_stall(to);
	return kmcl_has_quota(to);
}

static struct kmcl_rx_packet *kmcl_next(struct kmcl_delivery *to)
{
	struct kmcl_rx_packet *packet = to->deferred;

	if (packet)
		WRITE_ONCE(to->deferred, NULL);
	else if (!kfifo_get(&to->backlog, &packet))
		packet = NULL;
	return packet;
}

static void kmcl_process(struct kmcl_channel *ch, struct kmcl_rx_packet *packet)
{
	const struct kmcl_settings *set = &ch->set;

	if (set->process_packet_ex)
		set->process_packet_ex(ch, set->context, packet, packet->data,
				       packet->len, 0);
	else
		set->process_packet(ch, packet, packet->data, packet->len, 0);
}

static void kmcl_processed(struct kmcl_channel *ch, u32 count)
{
	const struct kmcl_settings *set = &ch->set;

	if (set->processing_complete_ex)
		set->processing_complete_ex(ch, set->context, count);
	else if (set->processing_complete)
		set->processing_complete(ch, count);
}

static u32 kmcl_deliver_batch(struct kmcl_channel *ch, bool may_sleep)
{
	struct kmcl_delivery *to = &ch->delivery;
	struct kmcl_rx_packet *packet;
	u32 given = 0;

	while (given < KMCL_BATCH && kmcl_is_due(ch, may_sleep)) {
		packet = kmcl_next(to);
		WRITE_ONCE(to->lent, to->lent + 1);
		atomic_set(&packet->owner, KMCL_OWNER_CLIENT);
		to->current_packet = packet;
		kmcl_process(ch, packet);
		to->current_packet = NULL;
		if (!to->deferred)
			given++;
	}
	to->delivered += given;
	if (given)
		kmcl_processed(ch, given);
	return given;
}

/*
 * Give the client packets, unless somebody else is doing it: whoever queued the
 * packet schedules the poll again, so this just returns then.
 */
void __kmcl_hot kmcl_deliver_all(struct kmcl_channel *ch, bool may_sleep)
{
	struct kmcl_delivery *to = &ch->delivery;

	if (test_and_set_bit_lock(KMCL_DELIVERING, &to->delivering))
		return;
	to->sleeps = may_sleep;
	/* In the poll this ends: nobody else takes packets out of the ring. */
	while (kmcl_deliver_batch(ch, may_sleep))
		if (may_sleep)
			cond_resched();
	clear_bit_unlock(KMCL_DELIVERING, &to->delivering);
}

/**
 * kmcl_deliver - give the client what is there, as far as it takes it
 * @ch: the channel
 *
 * Context: the poll.
 */
void __kmcl_hot kmcl_deliver(struct kmcl_channel *ch)
{
	/* Mostly all that came were completions. */
	if (!ch->delivery.pool || !kmcl_has_packet(&ch->delivery))
		return;
	kmcl_deliver_all(ch, false);
	if (kmcl_is_due(ch, true))
		kmcl_passive_schedule(ch);
}

/* From here on the client is given packets. */
void kmcl_delivery_start(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->delivery.on, true);
	kmcl_poll_schedule(ch);
}

/* When it returns no ProcessPacket callback runs, and none will. */
void kmcl_delivery_stop(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->delivery.on, false);
	/* Wait for a poll that still saw ->on set. */
	kmcl_poll_wait(ch);
	kmcl_delivery_flush(ch);
}

/* When it returns, all that is to be called where it may sleep was called. */
void kmcl_delivery_flush(struct kmcl_channel *ch)
{
	flush_work(&ch->delivery.work);
}

/* Getting back */

/* The client is done with a packet, or will never be. */
static void __kmcl_hot kmcl_packet_returned(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;

	/* Who waits for the last one may free the channel right after. */
	rcu_read_lock();
	if ((u32)atomic_inc_return(&to->returned) == READ_ONCE(to->lent) &&
	    /* A full barrier is before it: a waiter sees it, or is seen here. */
	    waitqueue_active(&ch->changed))
		wake_up_all(&ch->changed);
	kmcl_unstall(ch);
	rcu_read_unlock();
}

/**
 * kmcl_delivery_orphan - take the channel away from the packets its client has
 * @ch: a channel whose device is gone; it delivers nothing
 *
 * Each keeps its memory until the client completes it, which then does nothing.
 *
 * Context: may sleep, for as long as a VmbChannelPacketComplete() takes.
 */
void kmcl_delivery_orphan(struct kmcl_channel *ch)
{
	struct kmcl_pool *pool = ch->delivery.pool;
	unsigned int i;

	for (i = 0; i < pool->count; i++) {
		struct kmcl_rx_packet *packet = kmcl_pool_packet(pool, i);

		kref_get(&pool->ref);
		if (atomic_cmpxchg(&packet->owner, KMCL_OWNER_CLIENT,
				   KMCL_OWNER_NOBODY) == KMCL_OWNER_CLIENT) {
			ch->delivery.orphaned++;
			kmcl_packet_returned(ch);
		} else {
			kmcl_pool_put(pool);
		}
	}
	wait_event(ch->changed, !kmcl_delivery_held(&ch->delivery));
}

/**
 * kmcl_delivery_forget_held - count every packet the client has as returned
 * @ch: a channel whose client's module is gone, so nobody completes them
 *
 * The packets are freed together with the pool.
 *
 * Context: the work item of the channel's state.
 */
void kmcl_delivery_forget_held(struct kmcl_channel *ch)
{
	atomic_set(&ch->delivery.returned, ch->delivery.lent);
}

/* The packet's channel; NULL when there is nothing to be done with it. */
static struct kmcl_channel *kmcl_reclaim(struct kmcl_rx_packet *packet)
{
	switch (atomic_xchg(&packet->owner, KMCL_OWNER_POOL)) {
	case KMCL_OWNER_CLIENT:
		return packet->pool->ch;
	case KMCL_OWNER_NOBODY:
		kmcl_pool_put(packet->pool);
		return NULL;
	default:
		pr_warn_ratelimited("a packet was given back that its client did not have\n");
		return NULL;
	}
}

static void kmcl_send_completion(struct kmcl_channel *ch,
				 struct kmcl_rx_packet *packet,
				 const void *data, u32 len)
{
	struct kmcl_tx_entry *completion = &packet->completion;

	if (len > packet->pool->room) {
		kmcl_warn(ch, "completion of %u bytes does not fit, sent without\n",
			  len);
		len = 0;
	}
	/* The client may answer with a part of the packet itself. */
	memmove(packet->data, data, len);
	completion->wire.len = len;
	local_bh_disable();
	if (kmcl_tx_submit(ch, completion, true) != KMCL_TX_PENDING)
		kmcl_pool_push(packet);
	local_bh_enable();
}

/**
 * VmbChannelPacketComplete() - give an incoming packet back
 * @packet_completion: from the ProcessPacket callback, in it or later
 * @completion_buffer: payload of the completion, the caller's; may lie within
 *	the packet, and be NULL with @buffer_size 0
 * @buffer_size: bytes of it, at most the channel's maximum packet size
 *
 * The packet's buffer and context are not the caller's any more. A completion
 * is sent if the host asked for one: in any order, and without fail, as each
 * packet has memory for it. More than fits is not sent: the completion is then
 * empty, with a log line. On a channel that was taken away it only frees memory.
 *
 * Context: any but hard interrupts.
 * Source: Microsoft's VmbChannelPacketComplete documentation; what happens to a
 * completion that is too large or to a second one is ours.
 */
VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION packet_completion,
			      PVOID completion_buffer, UINT32 buffer_size)
{
	struct kmcl_rx_packet *packet = packet_completion;
	struct kmcl_channel *ch = kmcl_reclaim(packet);

	if (!ch)
		return;
	if (packet->wants_completion)
		kmcl_send_completion(ch, packet, completion_buffer,
				     completion_buffer ? buffer_size : 0);
	else
		kmcl_pool_push(packet);
	kmcl_packet_returned(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

/**
 * VmbChannelPacketDeferToPassive() - have a packet delivered where one may sleep
 * @packet_completion: the packet whose ProcessPacket callback this is called in,
 *	which then returns without completing it
 *
 * The callback is called again with the same packet, in a context that may sleep,
 * and before any later packet. In such a context it is refused with a log line,
 * and the packet stays with the client, and so it does outside its callback.
 *
 * Context: the ProcessPacket callback.
 * Source: Microsoft's VmbChannelPacketDeferToPassive documentation.
 */
VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION packet_completion)
{
	struct kmcl_rx_packet *packet = packet_completion;
	struct kmcl_channel *ch = packet->pool->ch;
	struct kmcl_delivery *to = &ch->delivery;

	if (READ_ONCE(to->current_packet) != packet || to->sleeps) {
		kmcl_warn(ch, "a packet is deferred only in its callback, and only from where that may not sleep\n");
		return;
	}
	if (!kmcl_reclaim(packet))
		return;
	to->deferrals++;
	WRITE_ONCE(to->deferred, packet);
	kmcl_packet_returned(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketDeferToPassive);

/**
 * VmbChannelPacketFail() - give back a packet that is malformed beyond repair
 * @packet_completion: from the ProcessPacket callback, in it or later
 *
 * The packet is not completed to the host, which is not to be trusted any more:
 * until the channel is opened again the client is given no packet. Completions of
 * its own packets still arrive.
 *
 * Context: any but hard interrupts.
 * Source: Microsoft's VmbChannelPacketFail documentation; what still works
 * afterwards is ours.
 */
VOID VmbChannelPacketFail(VMBPACKETCOMPLETION packet_completion)
{
	struct kmcl_rx_packet *packet = packet_completion;
	struct kmcl_channel *ch = kmcl_reclaim(packet);

	if (!ch)
		return;
	kmcl_warn(ch, "%s finds a packet malformed: it is given no more\n",
		  ch->client);
	WRITE_ONCE(ch->delivery.refused, true);
	kmcl_pool_push(packet);
	kmcl_packet_returned(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);

/**
 * VmbChannelPacketGetExternalData() - the pages a packet of the host's refers to
 * @packet_completion: a packet the client has
 * @flags: 0 or %VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY
 * @mdl: where the pages are to be described; untouched
 *
 * A host never sends such a packet to a guest: external data are the guest's
 * pages, and go with the guest's packets. So this is for servers.
 *
 * Context: any.
 * Return: %STATUS_INVALID_PARAMETER_1, _2 or _3 for that argument, otherwise
 * %STATUS_INVALID_DEVICE_REQUEST: the packet has none.
 * Source: Microsoft's VmbChannelPacketGetExternalData documentation; the status
 * is ours.
 */
NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION packet_completion,
					 UINT32 flags, PMDL *mdl)
{
	if (!packet_completion)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!mdl)
		return STATUS_INVALID_PARAMETER_3;
	return STATUS_INVALID_DEVICE_REQUEST;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetExternalData);

/**
 * VmbChannelPacketGetClientContext() - the client's room on an incoming packet
 * @packet_completion: a packet the client has
 *
 * Context: any.
 * Return: as many bytes as VmbChannelInitSetClientContextSize() asked for,
 * aligned to 8; NULL when it asked for none. Their contents are the client's,
 * and undefined when a packet is delivered.
 * Source: the name is Microsoft's, the prototype ours.
 */
PVOID VmbChannelPacketGetClientContext(VMBPACKETCOMPLETION packet_completion)
{
	struct kmcl_pool *pool = packet_completion->pool;

	if (pool->stride == sizeof(*packet_completion) + pool->room)
		return NULL;
	return packet_completion->data + pool->room;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetClientContext);

/* How the client wants it */

/**
 * VmbChannelSetTransactionQuota() - say how many packets a client will hold
 * @channel: the channel
 * @quota: most packets it is given before it completes one, above 0; 64 unless
 *	this is called, and at most 1024
 *
 * At the quota delivery stops, and goes on when a packet is completed: so a
 * larger quota is seen at the next completion. Completions of the client's own
 * packets go on, and 64 packets more are read meanwhile; a host that sends still
 * more waits, and what it completes then waits behind. Opening a channel takes
 * memory for as many packets as the quota is then: a larger one is in full effect
 * from the next opening on.
 *
 * Context: any.
 * Source: Microsoft's VmbChannelSetTransactionQuota documentation; the default
 * and the limits are ours.
 */
VOID VmbChannelSetTransactionQuota(VMBCHANNEL channel, UINT32 quota)
{
	struct kmcl_channel *ch = channel;

	if (!ch)
		return;
	if (!quota) {
		kmcl_warn(ch, "a transaction quota of 0 is refused\n");
		return;
	}
	WRITE_ONCE(ch->delivery.quota, quota);
}
EXPORT_SYMBOL_GPL(VmbChannelSetTransactionQuota);

/**
 * VmbChannelSetIncomingProcessingAtPassive() - choose the callbacks' context
 * @channel: the channel
 * @require_passive: true: ProcessPacket, ProcessingComplete and the completion
 *	routines of packets are called where they may sleep; false, as it is at
 *	first: in softirq context, which is faster
 *
 * At any time, also while packets come: callbacks that begin after it returns
 * follow it, one that runs is not waited for.
 *
 * Context: any.
 * Source: Microsoft's VmbChannelSetIncomingProcessingAtPassive documentation.
 */
VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL channel,
					      BOOLEAN require_passive)
{
	struct kmcl_channel *ch = channel;

	if (!ch)
		return;
	WRITE_ONCE(ch->delivery.passive, require_passive);
	/* What is due was so in the other context. */
	kmcl_poll_schedule(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelSetIncomingProcessingAtPassive);

void kmcl_delivery_init(struct kmcl_channel *ch)
{
	ch->delivery.quota = KMCL_QUOTA_DEFAULT;
}
