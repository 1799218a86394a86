// SPDX-License-Identifier: GPL-2.0-only
/*
 * Delivering the host's packets to the client, and getting them back.
 *
 * Either the poll delivers the packets that it has read, in softirq context, or
 * a work item does so in a context that may sleep. They never deliver at the
 * same time, and the order of the packets is kept. A client that holds as many
 * packets as its quota gets no more until it completes one. Each packet has
 * room for its completion, so completing a packet never fails.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/rcupdate.h>

#include "budget.h"
#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "poll.h"
#include "rx_deliver.h"
#include "rx_gpa_direct.h"
#include "rx_packet.h"

/* The bit in kmcl_delivery.delivering that is used as a lock. */
#define KMCL_DELIVERING	0

/**
 * kmcl_delivery_open - allocate the memory for the packets of the host
 * @ch: a channel that is about to be opened
 *
 * All memory is allocated here, so that no packet is lost later because memory
 * is short.
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

/*
 * Let go of the external data of packets that nobody completes: the server was not given
 * them, or its module is gone.
 */
static void kmcl_delivery_let_go(struct kmcl_pool *pool)
{
	unsigned int i;

	for (i = 0; pool->mdl_room && i < pool->count; i++)
		kmcl_rx_gpa_direct_let_go(kmcl_pool_packet(pool, i));
}

/*
 * The ring is closed: packets still in the backlog can no longer be completed.
 */
void kmcl_delivery_close(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;

	if (!to->pool)
		return;
	kmcl_rx_count_dropped(&ch->rx,
			      kfifo_len(&to->backlog) + !!to->deferred);
	to->deferred = NULL;
	kmcl_delivery_let_go(to->pool);
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

/*
 * True if there is a packet that may be delivered now, and in this context. A
 * deferred packet, and every packet of a passive client, is delivered where the
 * client may sleep.
 */
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

bool kmcl_delivery_is_due(struct kmcl_channel *ch, bool may_sleep)
{
	return kmcl_is_due(ch, may_sleep);
}

static struct kmcl_rx_packet *kmcl_next(struct kmcl_delivery *to)
{
	struct kmcl_rx_packet *packet = to->deferred;

	if (packet) {
		WRITE_ONCE(to->deferred, NULL);
		return packet;
	}
	/*
	 * Pairs with smp_wmb() in kfifo_put(): kmcl_has_packet() has seen the index, so
	 * the packet must be read after it. kfifo_get() does not order the two reads.
	 */
	smp_rmb();
	return kfifo_get(&to->backlog, &packet) ? packet : NULL;
}

static void kmcl_process(struct kmcl_channel *ch, struct kmcl_rx_packet *packet)
{
	u32 flags = packet->mdl ?
		    VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA : 0;
	const struct kmcl_settings *set = &ch->set;

	if (set->process_packet_ex)
		set->process_packet_ex(ch, set->context, packet, packet->data,
				       packet->len, flags);
	else
		set->process_packet(ch, packet, packet->data, packet->len,
				    flags);
}

static void kmcl_processed(struct kmcl_channel *ch, u32 count)
{
	const struct kmcl_settings *set = &ch->set;

	if (set->processing_complete_ex)
		set->processing_complete_ex(ch, set->context, count);
	else if (set->processing_complete)
		set->processing_complete(ch, count);
}

/* Returns false if the client has deferred the packet. */
static bool kmcl_deliver_one(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;
	struct kmcl_rx_packet *packet = kmcl_next(to);

	WRITE_ONCE(to->lent, to->lent + 1);
	atomic_set(&packet->owner, KMCL_OWNER_CLIENT);
	to->current_packet = packet;
	kmcl_process(ch, packet);
	to->current_packet = NULL;
	return !to->deferred;
}

/**
 * kmcl_deliver_all - deliver all packets that are due in this context
 * @ch: the channel
 * @may_sleep: the context
 * @budget: the budget of the run. The client is told how many packets it got when the
 *	function returns, so this is also the largest number of packets between two
 *	ProcessingComplete callbacks.
 *
 * If another context is delivering, the function just returns: after that one has
 * finished, kmcl_deliver() and kmcl_passive_work() check whether packets are due in the
 * other context.
 *
 * Context: the poll, or the passive work item.
 */
void __kmcl_hot kmcl_deliver_all(struct kmcl_channel *ch, bool may_sleep,
				 struct kmcl_budget *budget)
{
	struct kmcl_delivery *to = &ch->delivery;
	u32 given = 0;

	if (test_and_set_bit_lock(KMCL_DELIVERING, &to->delivering))
		return;
	to->sleeps = may_sleep;
	while (!kmcl_budget_is_spent(budget) && kmcl_is_due(ch, may_sleep)) {
		given += kmcl_deliver_one(ch);
		kmcl_budget_spend(budget);
		if (may_sleep)
			cond_resched();
	}
	to->delivered += given;
	if (given)
		kmcl_processed(ch, given);
	clear_bit_unlock(KMCL_DELIVERING, &to->delivering);
}

/**
 * kmcl_deliver - deliver packets in the poll, or schedule the work item for them
 * @ch: the channel
 * @budget: the budget of the poll
 *
 * Context: the poll.
 */
void __kmcl_hot kmcl_deliver(struct kmcl_channel *ch,
			     struct kmcl_budget *budget)
{
	/* Fast path: usually only completions were read. */
	if (!ch->delivery.pool || !kmcl_has_packet(&ch->delivery))
		return;
	kmcl_deliver_all(ch, false, budget);
	if (kmcl_delivery_is_due(ch, true))
		kmcl_passive_schedule(ch);
}

/* Packets are delivered to the client from here on. */
void kmcl_delivery_start(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->delivery.on, true);
	kmcl_poll_schedule(ch);
}

/*
 * When this function returns, no ProcessPacket callback is running or will run.
 */
void kmcl_delivery_stop(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->delivery.on, false);
	/* Wait for a poll and for a work item that still saw ->on set. */
	kmcl_poll_wait(ch);
	flush_work(&ch->delivery.work);
}

/*
 * When this function returns, all completion routines have returned. The channel
 * accepts no packets any more, and the poll does not run any more: it may have left
 * routines behind.
 */
void kmcl_delivery_finish(struct kmcl_channel *ch)
{
	do {
		kmcl_passive_schedule(ch);
		flush_work(&ch->delivery.work);
	} while (kmcl_packets_have_routines(&ch->packets));
}

/* Returning packets */

static __always_inline void kmcl_count_returned(struct kmcl_channel *ch)
{
	struct kmcl_delivery *to = &ch->delivery;

	if ((u32)atomic_inc_return(&to->returned) == READ_ONCE(to->lent) &&
	    /*
	     * atomic_inc_return() is a full barrier: either the waiter sees the new
	     * value, or the waiter is seen here.
	     */
	    waitqueue_active(&ch->changed))
		wake_up_all(&ch->changed);
	kmcl_unstall(ch);
}

/*
 * Count a packet that is no longer the client's (completed, failed, deferred, or
 * orphaned). Wake the task that waits for the last one, and restart a stalled poll.
 *
 * That task may free the channel as soon as ->returned is increased. The channel is
 * freed after an RCU grace period, and softirq context is an RCU read section already.
 */
static void __kmcl_hot kmcl_packet_returned(struct kmcl_channel *ch)
{
	if (likely(in_softirq())) {
		kmcl_count_returned(ch);
		return;
	}
	rcu_read_lock();
	kmcl_count_returned(ch);
	rcu_read_unlock();
}

/**
 * kmcl_delivery_orphan - separate the client's packets from the channel
 * @ch: a channel that delivers nothing any more, and whose device is being removed
 *	or suspended. After a resume the channel is opened again, with a new pool.
 *
 * The memory of each packet stays valid until the client completes the packet.
 * The completion then does nothing else than free the memory.
 *
 * Context: may sleep, for as long as a concurrent VmbChannelPacketComplete()
 * takes.
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
 * kmcl_delivery_forget_held - count all packets that the client holds as returned
 * @ch: a channel whose client's module is gone, so that nobody completes the
 *	packets
 *
 * The packets are freed together with the pool.
 *
 * Context: the work item that changes the state of the channel.
 */
void kmcl_delivery_forget_held(struct kmcl_channel *ch)
{
	/* Packets that were completed before are counted by the work item. */
	kmcl_delivery_finish(ch);
	atomic_set(&ch->delivery.returned, ch->delivery.lent);
}

/*
 * Take a packet back from the client. Returns the channel, or NULL if the caller
 * has nothing to do: the packet was orphaned, or the client did not have the
 * packet.
 */
static __always_inline struct kmcl_channel *
kmcl_reclaim(struct kmcl_rx_packet *packet)
{
	kmcl_assert_interrupts_on();
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

/*
 * The client has given the packet back. Send the completion that is in its data, or none
 * if the host wants none.
 */
static __always_inline void kmcl_packet_finish(struct kmcl_channel *ch,
					       struct kmcl_rx_packet *packet)
{
	if (packet->wants_completion)
		kmcl_rx_packet_complete(ch, packet, packet->len);
	else
		kmcl_pool_return(packet);
	/* This calls kmcl_unstall(). */
	kmcl_packet_returned(ch);
}

/*
 * Memory can be unmapped only where the caller may sleep. A work item that runs already
 * may take the packet at once, and whoever waits for the last packet may free the channel
 * then: after an RCU grace period, as in kmcl_packet_returned().
 */
static __always_inline void kmcl_packet_give_back(struct kmcl_channel *ch,
						  struct kmcl_rx_packet *packet)
{
	if (likely(!packet->mdl)) {
		kmcl_packet_finish(ch, packet);
		return;
	}
	if (!kmcl_rx_gpa_direct_mapped(packet)) {
		kmcl_rx_gpa_direct_let_go(packet);
		kmcl_packet_finish(ch, packet);
		return;
	}
	rcu_read_lock();
	llist_add(&packet->free, &ch->delivery.unmapping);
	kmcl_passive_schedule(ch);
	rcu_read_unlock();
}

/**
 * kmcl_delivery_unmap - finish the packets whose external data must be unmapped first
 * @ch: channel of a server
 *
 * Context: the work item that calls the client in a context that may sleep.
 */
void kmcl_delivery_unmap(struct kmcl_channel *ch)
{
	struct llist_node *nodes = llist_del_all(&ch->delivery.unmapping);
	struct kmcl_rx_packet *packet, *next;

	llist_for_each_entry_safe(packet, next, llist_reverse_order(nodes), free) {
		kmcl_rx_gpa_direct_let_go(packet);
		kmcl_packet_finish(ch, packet);
	}
}

/* Keep the payload of the completion in the packet. */
static void kmcl_packet_answer(struct kmcl_channel *ch,
			       struct kmcl_rx_packet *packet, const void *data,
			       u32 len)
{
	if (unlikely(len > packet->pool->room)) {
		kmcl_warn(ch, "completion of %u bytes does not fit, sent without\n",
			  len);
		len = 0;
	}
	/* memmove(): the client may pass a part of the packet itself. */
	if (len)
		memmove(packet->data, data, len);
	packet->len = len;
}

/**
 * VmbChannelPacketComplete() - complete a packet of the host
 * @packet_completion: from the ProcessPacket callback. May be called in that
 *	callback or later.
 * @completion_buffer: payload of the completion. May be a part of the packet's
 *	buffer. May be %NULL if there is no payload.
 * @buffer_size: length of @completion_buffer in bytes, at most the channel's
 *	maximum packet size
 *
 * The client must not access the packet's buffer and context any more. A completion
 * is sent if the host has asked for one. Packets can be completed in any order.
 * Completing never fails, because each packet has memory for its completion. If the
 * payload is too large, an empty completion is sent, and a line is logged. If the
 * channel was closed before this call, because its device was removed or suspended,
 * the function only frees memory. A second call for the same packet is refused with
 * a log line, as long as the channel has not given the packet's memory to the client
 * again with another packet, and is not closed.
 *
 * Context: process or softirq, with interrupts enabled.
 *
 * Source: Microsoft's VmbChannelPacketComplete documentation; what happens with
 * a completion that is too large, and with a second one, is ours.
 */
VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION packet_completion,
			      PVOID completion_buffer, UINT32 buffer_size)
{
	struct kmcl_rx_packet *packet = packet_completion;
	struct kmcl_channel *ch = kmcl_reclaim(packet);

	if (!ch)
		return;
	if (packet->wants_completion)
		kmcl_packet_answer(ch, packet, completion_buffer,
				   completion_buffer ? buffer_size : 0);
	kmcl_packet_give_back(ch, packet);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

/*
 * True in the ProcessPacket callback of the packet, unless that may sleep already.
 * Elsewhere, the packet may be orphaned, and its channel gone. The channel of a packet
 * that is the client's is not freed within an RCU read section: see
 * kmcl_packet_returned().
 */
static bool kmcl_may_defer(const struct kmcl_rx_packet *packet)
{
	const struct kmcl_delivery *to;
	bool may = false;

	rcu_read_lock();
	if (atomic_read(&packet->owner) == KMCL_OWNER_CLIENT) {
		to = &packet->pool->ch->delivery;
		may = READ_ONCE(to->current_packet) == packet && !to->sleeps;
	}
	rcu_read_unlock();
	return may;
}

/**
 * VmbChannelPacketDeferToPassive() - defer a packet to a context that may sleep
 * @packet_completion: the packet whose ProcessPacket callback is running. The
 *	callback returns without completing the packet.
 *
 * The ProcessPacket callback is called again for the same packet in a context
 * that may sleep, and before it is called for any later packet.
 *
 * The callback can tell the second call from the first with KeGetCurrentIrql() of
 * vmbkmcl/windows.h: it returns %DISPATCH_LEVEL in the first and %PASSIVE_LEVEL in the
 * second. The client context of the packet keeps what the first call has written to it.
 *
 * A call outside the ProcessPacket callback of the packet, or in a callback
 * that may sleep already, is refused with a log line. The client then keeps the
 * packet.
 *
 * Context: the ProcessPacket callback, with interrupts enabled.
 *
 * Source: Microsoft's VmbChannelPacketDeferToPassive documentation.
 */
VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION packet_completion)
{
	struct kmcl_rx_packet *packet = packet_completion;
	struct kmcl_channel *ch;

	if (!kmcl_may_defer(packet)) {
		pr_warn_ratelimited("a packet is deferred only in its callback, and only from where that may not sleep\n");
		return;
	}
	ch = kmcl_reclaim(packet);
	if (!ch)
		return;
	ch->delivery.deferrals++;
	WRITE_ONCE(ch->delivery.deferred, packet);
	kmcl_packet_returned(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketDeferToPassive);

/**
 * VmbChannelPacketFail() - report a malformed packet
 * @packet_completion: from the ProcessPacket callback. May be called in that
 *	callback or later.
 *
 * The packet is not completed, because the host is not to be trusted any more.
 * The client gets no more packets until the channel is opened again.
 * Completions of the client's own packets still arrive.
 *
 * Context: process or softirq, with interrupts enabled.
 *
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
	packet->wants_completion = false;
	kmcl_packet_give_back(ch, packet);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketFail);

/*
 * A server has to cope with data that is not there yet, which never happens here by
 * itself: the switch in debugfs lets it happen. The packet is delivered again.
 */
static bool kmcl_external_data_pending(struct kmcl_rx_packet *packet)
{
	struct kmcl_channel *ch = packet->pool->ch;
	struct kmcl_delivery *to = &ch->delivery;
	u32 every = READ_ONCE(to->external_pending);

	if (!every || packet->was_pending ||
	    READ_ONCE(to->current_packet) != packet)
		return false;
	packet->was_pending = true;
	if (++to->external_calls % every || !kmcl_reclaim(packet))
		return false;
	WRITE_ONCE(to->deferred, packet);
	kmcl_packet_returned(ch);
	return true;
}

/**
 * VmbChannelPacketGetExternalData() - get the external data of a packet
 * @packet_completion: a packet that the server has, whose ProcessPacket callback got
 *	%VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA
 * @flags: 0, or %VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY if the server will
 *	only read
 * @mdl: set to a chain of MDLs, one for each range of the client's memory; untouched
 *	unless the status is %STATUS_SUCCESS
 *
 * The client keeps the memory until the packet is completed. If the client frees pages
 * once the packet was read, or its module goes away, the library's references keep them:
 * nobody else gets them until VmbChannelPacketComplete() or VmbChannelPacketFail(). Slab
 * memory, and the pages of a non-compound block after the first, can not be referenced.
 *
 * The MDLs belong to the library, and are not valid any more after the completion, which
 * also unmaps them.
 * MmGetSystemAddressForMdlSafe() maps the memory. It can be called in any context for
 * a range whose pages are next to each other. Otherwise it may sleep: then the server
 * needs VmbChannelPacketDeferToPassive().
 *
 * Packets of a host have no external data: the function is for servers.
 *
 * Context: any but hard interrupts.
 * Return:
 * * %STATUS_SUCCESS - the memory is described
 * * %STATUS_PENDING - the data is not there yet. The ProcessPacket callback must return
 *   without completing the packet, and is called again with the same packet, possibly
 *   in another context. This happens only if ``external_pending`` in debugfs is set.
 * * %STATUS_INVALID_PARAMETER_1 - @packet_completion is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @flags has an unknown flag
 * * %STATUS_INVALID_PARAMETER_3 - @mdl is %NULL
 * * %STATUS_INVALID_DEVICE_REQUEST - the packet has no external data
 *
 * Source: Microsoft's VmbChannelPacketGetExternalData documentation; the statuses
 * of failures are ours, and when the data is pending.
 */
NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION packet_completion,
					 UINT32 flags, PMDL *mdl)
{
	struct kmcl_rx_packet *packet = packet_completion;
	PMDL each;

	if (!packet)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!packet->mdl)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (kmcl_external_data_pending(packet))
		return STATUS_PENDING;
	/* Another thread of the server may map an MDL, which also changes its flags. */
	for (each = packet->mdl; each; each = each->Next)
		if (!(flags & VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY) &&
		    !(each->MdlFlags & MDL_WRITE_OPERATION))
			each->MdlFlags |= MDL_WRITE_OPERATION;
	*mdl = packet->mdl;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetExternalData);

/**
 * VmbChannelPacketGetClientContext() - get the client context of a packet
 * @packet_completion: a packet that the client has
 *
 * The context has as many bytes as VmbChannelInitSetClientContextSize() has
 * requested, rounded up to a multiple of 8. It belongs to the client. Its
 * contents are undefined when a packet is delivered.
 *
 * Context: any.
 * Return: the address of the context; %NULL if the client has requested none.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
PVOID VmbChannelPacketGetClientContext(VMBPACKETCOMPLETION packet_completion)
{
	struct kmcl_pool *pool = packet_completion->pool;

	if (pool->stride - pool->mdl_room ==
	    sizeof(*packet_completion) + pool->room)
		return NULL;
	return packet_completion->data + pool->room;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetClientContext);

/* Settings of the delivery, which may change at any time */

/**
 * VmbChannelSetTransactionQuota() - set how many packets the client may hold
 * @channel: the channel
 * @quota: the largest number of packets that the client holds at one time,
 *	above 0. The default is 64, the upper limit is 1024.
 *
 * When the client holds as many packets as the quota, delivery stops until it
 * completes one. A larger quota therefore takes effect at the next completion.
 * Meanwhile the completions of the client's own packets are still processed,
 * and up to 64 more packets are read from the ring. If the host sends even more
 * packets, they stay in the ring, and completions behind them wait, too.
 *
 * The memory for packets is allocated when the channel is opened, for the quota
 * at that time. A larger quota takes full effect when the channel is opened the
 * next time.
 *
 * Context: any.
 *
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
 * VmbChannelSetIncomingProcessingAtPassive() - choose the context of callbacks
 * @channel: the channel
 * @require_passive: if true, ProcessPacket, ProcessingComplete and the
 *	completion routines of packets are called in a context that may sleep.
 *	If false, the default, they are called in softirq context, which is
 *	faster.
 *
 * May be called at any time, also while packets arrive. The function does not wait for
 * a callback that is running, nor for a poll on another CPU that is about to call one:
 * one more callback may begin in the old context after the function has returned. A
 * client that can not have that calls the function while the channel is disabled, or
 * while it is paused and no packet of the client's is being sent.
 *
 * Context: any.
 *
 * Source: Microsoft's VmbChannelSetIncomingProcessingAtPassive documentation.
 */
VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL channel,
					      BOOLEAN require_passive)
{
	struct kmcl_channel *ch = channel;

	if (!ch)
		return;
	WRITE_ONCE(ch->delivery.passive, require_passive);
	/* Queued packets may now have to be delivered in the other context. */
	kmcl_poll_schedule(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelSetIncomingProcessingAtPassive);

void kmcl_delivery_init(struct kmcl_channel *ch)
{
	ch->delivery.quota = KMCL_QUOTA_DEFAULT;
	init_llist_head(&ch->delivery.unmapping);
}
