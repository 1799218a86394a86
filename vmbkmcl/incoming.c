// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets from the host.
 *
 * The bus's callback only masks the ring's wake-ups and schedules the poll. The
 * poll reads up to a budget, and either runs again or unmasks and looks once
 * more: the shape of NAPI. So a flood leaves the CPU to others, and an idle ring
 * costs nothing.
 *
 * Completions and requests share the ring. Completions are always followed;
 * requests are copied to packets of a pool and wait in the backlog until the
 * client may have them. Only without a free packet is the ring left alone, until
 * the client completes one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "channel.h"
#include "compat.h"
#include "incoming.h"

#define KMCL_POLL_BUDGET	64

static struct kmcl_incoming *kmcl_pool_packet(struct kmcl_rx_pool *pool,
					      unsigned int i)
{
	return (struct kmcl_incoming *)(pool->packets + i * pool->stride);
}

static void kmcl_pool_free(struct kref *ref)
{
	kvfree(container_of(ref, struct kmcl_rx_pool, ref));
}

static struct kmcl_incoming *kmcl_pool_take(struct kmcl_rx_pool *pool)
{
	struct kmcl_incoming *packet;

	spin_lock_bh(&pool->lock);
	packet = list_first_entry_or_null(&pool->free, struct kmcl_incoming,
					  link);
	if (packet)
		list_del(&packet->link);
	/* In the lock: the next packet that is given back reads on. */
	pool->starved = !packet;
	spin_unlock_bh(&pool->lock);
	return packet;
}

static void kmcl_pool_give(struct kmcl_incoming *packet)
{
	struct kmcl_rx_pool *pool = packet->pool;
	bool starved;

	spin_lock_bh(&pool->lock);
	list_add(&packet->link, &pool->free);
	starved = pool->starved;
	pool->starved = false;
	spin_unlock_bh(&pool->lock);
	if (starved)
		kmcl_poll_schedule(pool->ch);
}

static void kmcl_answer_done(struct kmcl_packet *answer, int err,
			     const void *data, u32 len)
{
	kmcl_pool_give(container_of(answer, struct kmcl_incoming, answer));
}

/**
 * kmcl_rx_open - get the memory that packets of the host's will need
 * @ch: a channel about to be opened
 *
 * All of it now, so that a packet is never lost for memory later.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_rx_open(struct kmcl_channel *ch)
{
	u32 room = ALIGN(ch->set.max_packet_size, sizeof(u64));
	u32 stride = sizeof(struct kmcl_incoming) + room +
		     ALIGN(ch->set.context_size, sizeof(u64));
	struct kmcl_rx_pool *pool;
	unsigned int i;

	if (!ch->set.process_packet)
		return 0;
	pool = kvzalloc(sizeof(*pool) + KMCL_RX_PACKETS * stride, GFP_KERNEL);
	if (!pool)
		return -ENOMEM;
	kref_init(&pool->ref);
	pool->ch = ch;
	pool->room = room;
	pool->stride = stride;
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->free);
	for (i = 0; i < KMCL_RX_PACKETS; i++) {
		struct kmcl_incoming *packet = kmcl_pool_packet(pool, i);

		packet->pool = pool;
		packet->answer.done = kmcl_answer_done;
		list_add_tail(&packet->link, &pool->free);
	}
	ch->rx.pool = pool;
	return 0;
}

/* The ring is gone, and so is who could answer what the client did not see. */
void kmcl_rx_release(struct kmcl_channel *ch)
{
	struct kmcl_rx_pool *pool = ch->rx.pool;

	if (!pool)
		return;
	ch->rx.dropped += list_count_nodes(&ch->rx.backlog);
	INIT_LIST_HEAD(&ch->rx.backlog);
	ch->rx.pool = NULL;
	kref_put(&pool->ref, kmcl_pool_free);
}

/* False: there is no memory to copy the packet to, it stays in the ring. */
static bool kmcl_rx_park(struct kmcl_channel *ch,
			 const struct vmpacket_descriptor *desc,
			 const void *data, u32 len)
{
	struct kmcl_rx_pool *pool = ch->rx.pool;
	struct kmcl_incoming *packet;

	if (!pool || len > pool->room) {
		ch->rx.dropped++;
		return true;
	}
	packet = kmcl_pool_take(pool);
	if (!packet)
		return false;
	memcpy(packet->data, data, len);
	packet->len = len;
	packet->answer.answers = desc->trans_id;
	packet->wants_answer = desc->flags &
			       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED;
	list_add_tail(&packet->link, &ch->rx.backlog);
	return true;
}

static bool kmcl_rx_packet(struct kmcl_channel *ch,
			   const struct vmpacket_descriptor *desc)
{
	const void *data = (const u8 *)desc + (desc->offset8 << 3);
	u32 len = (desc->len8 - desc->offset8) << 3;

	switch (desc->type) {
	case VM_PKT_COMP:
		kmcl_tx_complete(ch, desc->trans_id, data, len);
		break;
	case VM_PKT_DATA_INBAND:
		if (!kmcl_rx_park(ch, desc, data, len))
			return false;
		break;
	default:
		ch->rx.dropped++;
	}
	ch->rx.received++;
	return true;
}

/* A ring that lies once is not believed again. */
static void kmcl_rx_fail(struct kmcl_channel *ch)
{
	ch->rx.failed = true;
	kmcl_warn(ch, "corrupt incoming ring: the channel receives nothing more\n");
}

static unsigned int kmcl_rx_read(struct kmcl_channel *ch)
{
	struct vmpacket_descriptor *desc;
	unsigned int done = 0;

	desc = ch->bus->rx_first(ch);
	while (!IS_ERR_OR_NULL(desc) && kmcl_rx_packet(ch, desc)) {
		desc = ch->bus->rx_next(ch, desc);
		if (++done == KMCL_POLL_BUDGET)
			break;
	}
	if (IS_ERR(desc))
		kmcl_rx_fail(ch);
	else if (done)
		ch->bus->rx_done(ch);
	return done;
}

static struct kmcl_incoming *kmcl_rx_next_parked(struct kmcl_rx *rx)
{
	if (!READ_ONCE(rx->delivering))
		return NULL;
	return list_first_entry_or_null(&rx->backlog, struct kmcl_incoming,
					link);
}

static void kmcl_rx_give_out(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;
	struct kmcl_incoming *packet;
	u32 given = 0;

	while ((packet = kmcl_rx_next_parked(rx))) {
		list_del(&packet->link);
		atomic_inc(&rx->held);
		atomic_set(&packet->owner, KMCL_OWNER_CLIENT);
		given++;
		ch->set.process_packet(ch, packet, packet->data, packet->len, 0);
	}
	rx->delivered += given;
	if (given && ch->set.processing_complete)
		ch->set.processing_complete(ch, given);
}

static void kmcl_poll(struct tasklet_struct *t)
{
	struct kmcl_rx *rx = container_of(t, struct kmcl_rx, poll);
	struct kmcl_channel *ch = container_of(rx, struct kmcl_channel, rx);

	if (rx->failed)
		return;
	rx->polls++;
	do {
		unsigned int done = kmcl_rx_read(ch);

		kmcl_rx_give_out(ch);
		/* The wake-up may have been for room in the other ring. */
		kmcl_tx_flush(ch);
		if (rx->failed)
			return;
		if (done == KMCL_POLL_BUDGET) {
			kmcl_poll_schedule(ch);
			return;
		}
		/*
		 * Also when packets were left for want of memory: a host signals
		 * a ring that was empty, so this costs nothing, and a wake-up
		 * for room in the other ring still comes.
		 */
	} while (ch->bus->rx_unmask(ch) && !(rx->pool && rx->pool->starved));
}

/**
 * kmcl_poll_schedule - the ring has news
 * @ch: the channel
 *
 * Context: any, hard interrupts among them.
 */
void kmcl_poll_schedule(struct kmcl_channel *ch)
{
	struct kmcl_rx *rx = &ch->rx;
	unsigned long flags;

	spin_lock_irqsave(&rx->lock, flags);
	if (rx->running) {
		ch->bus->rx_mask(ch);
		tasklet_schedule(&rx->poll);
	}
	spin_unlock_irqrestore(&rx->lock, flags);
}
KMCL_EXPORT_TO_BUSES(kmcl_poll_schedule);

void kmcl_rx_init(struct kmcl_rx *rx)
{
	spin_lock_init(&rx->lock);
	tasklet_setup(&rx->poll, kmcl_poll);
	INIT_LIST_HEAD(&rx->backlog);
}

/*
 * Read the ring. It may hold packets whose wake-up came before anyone listened.
 * Completions are followed from here on; requests wait for kmcl_rx_deliver().
 */
void kmcl_rx_start(struct kmcl_channel *ch)
{
	ch->rx.failed = false;
	spin_lock_irq(&ch->rx.lock);
	ch->rx.running = true;
	spin_unlock_irq(&ch->rx.lock);
	kmcl_poll_schedule(ch);
}

/* When it returns nothing touches the ring, and nothing will. */
void kmcl_rx_stop(struct kmcl_channel *ch)
{
	spin_lock_irq(&ch->rx.lock);
	ch->rx.running = false;
	spin_unlock_irq(&ch->rx.lock);
	tasklet_kill(&ch->rx.poll);
}

/* From here on the client is given packets. */
void kmcl_rx_deliver(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.delivering, true);
	kmcl_poll_schedule(ch);
}

/* When it returns no ProcessPacket callback runs, and none will. */
void kmcl_rx_hold_back(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.delivering, false);
	/* Waits for the poll that may have read the flag before. */
	tasklet_disable(&ch->rx.poll);
	tasklet_enable(&ch->rx.poll);
}

/* The client is done with a packet, or will never be. */
static void kmcl_rx_let_go(struct kmcl_channel *ch)
{
	/* Who waits for the last one may free the channel right after. */
	rcu_read_lock();
	/* The decrement is a full barrier: a waiter sees it, or is seen here. */
	if (atomic_dec_and_test(&ch->rx.held) && waitqueue_active(&ch->changed))
		wake_up_all(&ch->changed);
	rcu_read_unlock();
}

/**
 * kmcl_rx_orphan - take the channel away from the packets its client still has
 * @ch: a channel whose device is gone; it delivers nothing
 *
 * Each keeps its memory until the client completes it, which then does nothing.
 *
 * Context: may sleep, for as long as a VmbChannelPacketComplete() takes.
 */
void kmcl_rx_orphan(struct kmcl_channel *ch)
{
	struct kmcl_rx_pool *pool = ch->rx.pool;
	unsigned int i;

	for (i = 0; i < KMCL_RX_PACKETS; i++) {
		struct kmcl_incoming *packet = kmcl_pool_packet(pool, i);

		kref_get(&pool->ref);
		if (atomic_cmpxchg(&packet->owner, KMCL_OWNER_CLIENT,
				   KMCL_OWNER_NOBODY) == KMCL_OWNER_CLIENT) {
			ch->rx.orphaned++;
			kmcl_rx_let_go(ch);
		} else {
			kref_put(&pool->ref, kmcl_pool_free);
		}
	}
	wait_event(ch->changed, !atomic_read(&ch->rx.held));
}

static void kmcl_rx_answer(struct kmcl_channel *ch,
			   struct kmcl_incoming *packet, const void *data,
			   u32 len)
{
	struct kmcl_packet *answer = &packet->answer;

	/* The client may answer with a part of the packet itself. */
	memmove(packet->data, data, len);
	answer->type = VM_PKT_COMP;
	answer->data = packet->data;
	answer->len = len;
	answer->completion = false;
	if (kmcl_tx_submit(ch, answer, true))
		kmcl_pool_give(packet);
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
	struct kmcl_incoming *packet = packet_completion;
	struct kmcl_rx_pool *pool = packet->pool;
	struct kmcl_channel *ch;

	switch (atomic_xchg(&packet->owner, KMCL_OWNER_POOL)) {
	case KMCL_OWNER_CLIENT:
		break;
	case KMCL_OWNER_NOBODY:
		kref_put(&pool->ref, kmcl_pool_free);
		return;
	default:
		pr_warn_ratelimited("a packet was completed that its client did not have\n");
		return;
	}

	ch = pool->ch;
	if (!completion_buffer)
		buffer_size = 0;
	if (buffer_size > pool->room) {
		kmcl_warn(ch, "completion of %u bytes does not fit, sent without\n",
			  buffer_size);
		buffer_size = 0;
	}
	if (packet->wants_answer)
		kmcl_rx_answer(ch, packet, completion_buffer, buffer_size);
	else
		kmcl_pool_give(packet);
	kmcl_rx_let_go(ch);
}
EXPORT_SYMBOL_GPL(VmbChannelPacketComplete);

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
	struct kmcl_rx_pool *pool = packet_completion->pool;

	if (pool->stride == sizeof(*packet_completion) + pool->room)
		return NULL;
	return packet_completion->data + pool->room;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetClientContext);
