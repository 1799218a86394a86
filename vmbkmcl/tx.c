// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sending packets to the host.
 *
 * A send never waits and never allocates memory. A packet that does not fit in
 * the ring is queued in order, and the host is asked to signal when the ring
 * has room. That signal schedules the poll, which flushes the queue. A packet
 * that awaits its completion has a slot in the transaction table. Its
 * transaction id consists of the index and the generation of the slot, so that
 * a stale, repeated, zero or invented id names no packet. Packets that leave
 * the queue together are published with at most one signal to the host.
 *
 * A packet that was removed from the queue or the table can not be found by
 * anyone else until its done() has returned. Bottom halves stay disabled until
 * then. This is an RCU read section, which kmcl_tx_stop() and kmcl_tx_finish()
 * wait for, and it gives each done() the same context as in the poll.
 */

#include <linux/bottom_half.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "budget.h"
#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "trace.h"
#include "tx.h"
#include "tx_gpa_direct.h"

#define KMCL_ID(generation, slot)	((u64)(generation) << 32 | (slot))

/*
 * Bytes that must stay free behind the packet. The client's own packets leave room for
 * the largest completion of a packet of the host. If both ends of a channel fill the ring
 * with packets and hold all that they can hold, neither reads the ring any more before it
 * has sent a completion.
 */
static __always_inline u32 kmcl_tx_keep(const struct kmcl_tx *tx,
					const struct kmcl_tx_entry *entry)
{
	return kmcl_tx_entry_is_completion(entry) ? 0 : tx->keep;
}

/*
 * Room that is enough for the packet. It is larger than the packet, because a
 * ring may not be filled to the last byte: it would look empty.
 */
static u32 kmcl_tx_entry_room(const struct kmcl_tx *tx,
			      const struct kmcl_tx_entry *entry)
{
	return kmcl_ring_packet_size(entry->wire.head_len, entry->wire.len) +
	       kmcl_tx_keep(tx, entry) + sizeof(u64);
}

static struct kmcl_tx_slot *kmcl_tx_slots_alloc(u32 count)
{
	struct kmcl_tx_slot *slots = kvcalloc(count, sizeof(*slots),
					      GFP_KERNEL);
	u32 i;

	if (!slots)
		return NULL;
	for (i = 0; i < count; i++) {
		slots[i].generation = 1;
		slots[i].next_free = i + 1;
	}
	return slots;
}

int kmcl_tx_init(struct kmcl_tx *tx)
{
	tx->slots = kmcl_tx_slots_alloc(KMCL_TX_SLOTS);
	if (!tx->slots)
		return -ENOMEM;
	tx->count = KMCL_TX_SLOTS;
	spin_lock_init(&tx->lock);
	INIT_LIST_HEAD(&tx->queue);
	INIT_LIST_HEAD(&tx->completions);
	return 0;
}

/**
 * kmcl_tx_resize - set how many packets may await their completion
 * @tx: the sending side of a disabled channel, so no slot is in use
 * @count: new number of slots, greater than 0
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM, and then nothing has changed.
 */
int kmcl_tx_resize(struct kmcl_tx *tx, u32 count)
{
	struct kmcl_tx_slot *slots = kmcl_tx_slots_alloc(count);

	if (!slots)
		return -ENOMEM;
	spin_lock_bh(&tx->lock);
	swap(tx->slots, slots);
	tx->count = count;
	tx->free = 0;
	spin_unlock_bh(&tx->lock);
	kvfree(slots);
	return 0;
}

void kmcl_tx_destroy(struct kmcl_tx *tx)
{
	kvfree(tx->slots);
}

static bool kmcl_tx_alloc_slot(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	struct kmcl_tx_slot *slot;
	u32 i = tx->free;

	if (i == tx->count)
		return false;
	slot = &tx->slots[i];
	tx->free = slot->next_free;
	slot->entry = entry;
	entry->id = KMCL_ID(slot->generation, i);
	entry->wire.id = entry->id;
	return true;
}

/* The id of the packet becomes invalid here, because the generation changes. */
static void kmcl_tx_free_slot(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	u32 i = lower_32_bits(entry->id);
	struct kmcl_tx_slot *slot = &tx->slots[i];

	slot->entry = NULL;
	if (!++slot->generation)
		slot->generation = 1;
	slot->next_free = tx->free;
	tx->free = i;
	entry->id = 0;
}

/*
 * The sender stops waiting, but the host may still access the external data.
 * The successor takes over the slot and the id of the packet.
 */
static void kmcl_tx_hand_over(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	tx->slots[lower_32_bits(entry->id)].entry = entry->successor;
	entry->successor->id = entry->id;
	entry->successor = NULL;
	entry->id = 0;
}

static struct kmcl_tx_entry *kmcl_tx_find(struct kmcl_tx *tx, u64 id)
{
	u32 i = lower_32_bits(id);

	if (i >= tx->count || tx->slots[i].generation != upper_32_bits(id))
		return NULL;
	return tx->slots[i].entry;
}

/* Count a full ring here, and in the statistics that hv_vmbus keeps. */
static void kmcl_tx_count_full(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;

	tx->ring_full++;
	ch->bus->ring_full(ch, !tx->full);
	tx->full = true;
}

/*
 * Write the packet to the ring. The caller publishes the packet and then
 * signals the host.
 */
static __always_inline int kmcl_tx_put(struct kmcl_channel *ch,
				       struct kmcl_tx_entry *entry)
{
	int err = kmcl_ring_put(&ch->tx.ring, &entry->wire,
				kmcl_tx_keep(&ch->tx, entry));

	if (unlikely(err)) {
		if (err == -EAGAIN)
			kmcl_tx_count_full(ch);
		return err;
	}
	ch->tx.sent++;
	ch->tx.full = false;
	trace_vmbkmcl_send(ch, entry->wire.type, entry->wire.id,
			   entry->wire.len);
	return 0;
}

/*
 * Allocate a slot if the packet wants a completion, and write the packet to the
 * ring. -EAGAIN: the ring has no room. -EBUSY: no slot is free. Any other error
 * is final.
 *
 * Inlined at each of its callers, because a function call for each packet costs
 * more than the larger code.
 */
static __always_inline int kmcl_tx_send(struct kmcl_channel *ch,
					struct kmcl_tx_entry *entry)
{
	struct kmcl_tx *tx = &ch->tx;
	int err;

	if (kmcl_tx_entry_wants_completion(entry) &&
	    !kmcl_tx_alloc_slot(tx, entry)) {
		tx->ids_full++;
		return -EBUSY;
	}
	err = kmcl_tx_put(ch, entry);
	if (unlikely(err) && kmcl_tx_entry_wants_completion(entry))
		kmcl_tx_free_slot(tx, entry);
	return err;
}

/*
 * Signal the host that the ring has new packets. Called without kmcl_tx.lock,
 * and with bottom halves off: that is an RCU read section, which the grace
 * period in kmcl_tx_stop() waits for.
 */
static __always_inline void kmcl_tx_signal(struct kmcl_channel *ch, bool signal)
{
	if (signal)
		ch->bus->signal(ch, KMCL_SIGNAL_PACKETS);
}

static struct kmcl_tx_entry *kmcl_tx_queue_head(struct kmcl_tx *tx)
{
	return list_first_entry_or_null(&tx->queue, struct kmcl_tx_entry, link);
}

/*
 * Free bytes that are worth a signal for a packet of the queue. This is usually
 * enough for several packets, because a wake-up costs more than a send.
 */
static u32 kmcl_tx_batch(const struct kmcl_tx *tx,
			 const struct kmcl_tx_entry *entry)
{
	return max(kmcl_tx_entry_room(tx, entry), tx->batch);
}

/*
 * Free bytes to ask the host for on behalf of @entry. The host signals only
 * once, when that much is free. A completion may be sent before the queue, but may
 * not ask for less than the queue needs: if kmcl_tx_ask() then finds room for
 * the completion after all, the host would not signal when there is room for
 * the first packet of the queue. If the poll has no memory for a packet of the
 * host, kmcl_tx_first() returns completions as long as there are any. The host may
 * have to receive one before it makes room for more.
 */
static u32 kmcl_tx_room(struct kmcl_channel *ch,
			const struct kmcl_tx_entry *entry)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *first;

	if (!kmcl_tx_entry_is_completion(entry))
		return kmcl_tx_batch(tx, entry);
	first = kmcl_tx_queue_head(tx);
	if (!first || READ_ONCE(ch->rx.starved))
		return kmcl_tx_entry_room(tx, entry);
	return max(kmcl_tx_entry_room(tx, entry), kmcl_tx_batch(tx, first));
}

/* True if the packet can be sent later: the ring was full, or no slot was free. */
static bool kmcl_tx_may_queue(int err)
{
	return err == -EAGAIN || err == -EBUSY;
}

/*
 * The ring had no room. Ask the host for a signal, and try again.
 *
 * The host computes the free room from the published index, so the packets that
 * were written before are published first. The ring is tried again after the
 * request, because the host may have made room in between and would then not
 * signal.
 *
 * There is no such request for a slot. This side frees the slots, and flushes
 * the queue afterwards.
 */
static int kmcl_tx_ask(struct kmcl_channel *ch, struct kmcl_tx_entry *entry)
{
	WRITE_ONCE(ch->tx.asked, true);
	ch->tx.signal |= kmcl_ring_publish(&ch->tx.ring);
	kmcl_ring_want_room(&ch->tx.ring, kmcl_tx_room(ch, entry));
	return kmcl_tx_send(ch, entry);
}

/*
 * Returns true if the host must be signalled, for the packets published here or
 * for those that kmcl_tx_ask() published.
 */
static __always_inline bool kmcl_tx_publish(struct kmcl_tx *tx)
{
	bool signal = kmcl_ring_publish(&tx->ring) | tx->signal;

	tx->signal = false;
	return signal;
}

/*
 * If no packet is queued any more, the host need not signal that the ring has
 * room.
 */
static void kmcl_tx_settle(struct kmcl_tx *tx)
{
	if (!tx->asked || tx->nr_queued || !tx->open)
		return;
	WRITE_ONCE(tx->asked, false);
	kmcl_ring_want_room(&tx->ring, 0);
}

static void kmcl_tx_queue(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	if (entry->copy) {
		memcpy(entry->copy, entry->wire.data, entry->wire.len);
		entry->wire.data = entry->copy;
	}
	list_add_tail(&entry->link, kmcl_tx_entry_is_completion(entry) ?
					    &tx->completions :
					    &tx->queue);
	WRITE_ONCE(tx->nr_queued, tx->nr_queued + 1);
	tx->queued++;
}

static void kmcl_tx_unqueue(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	list_del_init(&entry->link);
	WRITE_ONCE(tx->nr_queued, tx->nr_queued - 1);
}

/*
 * True if @queue can not go on before the host has completed a packet. The host
 * may wait for a completion of one of its own packets before it does so.
 */
static bool kmcl_tx_waits_for_slot(struct kmcl_tx *tx)
{
	const struct kmcl_tx_entry *head = kmcl_tx_queue_head(tx);

	return head && kmcl_tx_entry_wants_completion(head) &&
	       tx->free == tx->count;
}

/*
 * True if the packet need not be queued behind others. Nothing may overtake
 * @queue, except that a completion overtakes packets that wait for a slot.
 */
static bool kmcl_tx_is_next(struct kmcl_tx *tx,
			    const struct kmcl_tx_entry *entry)
{
	if (!list_empty(&tx->completions))
		return false;
	return list_empty(&tx->queue) ||
	       (kmcl_tx_entry_is_completion(entry) &&
		kmcl_tx_waits_for_slot(tx));
}

/* Returns 0 if the packet may be sent or queued. */
static int kmcl_tx_accepts(const struct kmcl_tx *tx,
			   const struct kmcl_tx_entry *entry, enum kmcl_tx_queueing queueing)
{
	if (kmcl_tx_entry_is_completion(entry))
		return tx->open ? 0 : -ENOTCONN;
	if (tx->open)
		return tx->closing ? -ENODEV : 0;
	return tx->waiting && queueing == KMCL_TX_ALWAYS ? 0 : -ENOTCONN;
}

/* The result of kmcl_tx_submit() for a packet that is in the ring. */
static __always_inline int kmcl_tx_outcome(const struct kmcl_tx_entry *entry)
{
	return kmcl_tx_entry_wants_completion(entry) ? KMCL_TX_PENDING :
						       KMCL_TX_SENT;
}

/*
 * kmcl_tx_send() failed with @err for a packet that nothing has to precede:
 * queue the packet, or report the error.
 */
static noinline int kmcl_tx_not_sent(struct kmcl_channel *ch,
				     struct kmcl_tx_entry *entry, int err,
				     enum kmcl_tx_queueing queueing)
{
	struct kmcl_tx *tx = &ch->tx;

	if (queueing == KMCL_TX_NEVER)
		return kmcl_tx_may_queue(err) ? -ENOBUFS : err;
	if (err == -EAGAIN)
		err = kmcl_tx_ask(ch, entry);
	if (kmcl_tx_may_queue(err)) {
		kmcl_tx_queue(tx, entry);
		return KMCL_TX_PENDING;
	}
	kmcl_tx_settle(tx);
	return err ?: kmcl_tx_outcome(entry);
}

static __always_inline int kmcl_tx_send_next(struct kmcl_channel *ch,
					     struct kmcl_tx_entry *entry,
					     enum kmcl_tx_queueing queueing)
{
	int err = kmcl_tx_send(ch, entry);

	if (unlikely(err))
		return kmcl_tx_not_sent(ch, entry, err, queueing);
	return kmcl_tx_outcome(entry);
}

/* The slow path: other packets are queued, or the channel refuses packets. */
static noinline int kmcl_tx_submit_behind(struct kmcl_channel *ch,
					  struct kmcl_tx_entry *entry,
					  enum kmcl_tx_queueing queueing)
{
	struct kmcl_tx *tx = &ch->tx;
	int err = kmcl_tx_accepts(tx, entry, queueing);

	if (err)
		return err;
	if (tx->open && kmcl_tx_is_next(tx, entry))
		return kmcl_tx_send_next(ch, entry, queueing);
	if (queueing == KMCL_TX_NEVER)
		return -ENOBUFS;
	kmcl_tx_queue(tx, entry);
	return KMCL_TX_PENDING;
}

/**
 * kmcl_tx_submit - send a packet or queue it
 * @ch: the channel
 * @entry: the packet. It has no id and is in no list. On an error the caller
 *	owns the entry again.
 * @queueing: when to queue the packet instead of failing
 *
 * Context: bottom halves off. The caller keeps them off until it has finished
 * with an entry that was sent, so that a close waits for the caller.
 * Return:
 * * %KMCL_TX_PENDING - @entry->done() will be called, or has been called
 *   already
 * * %KMCL_TX_SENT - the packet is in the ring, and the caller owns @entry again
 * * -ENOTCONN - the channel has no ring, and @queueing or the state of the
 *   channel do not allow to wait for one
 * * -ENODEV - the channel refuses packets, see kmcl_tx_refuse()
 * * -ENOBUFS - the packet can not be sent now, and @queueing is %KMCL_TX_NEVER
 * * -EMSGSIZE - the length of the packet does not fit in its descriptor
 * * -EIO - the host has written an invalid index to the ring
 */
int __kmcl_hot kmcl_tx_submit(struct kmcl_channel *ch,
			      struct kmcl_tx_entry *entry, enum kmcl_tx_queueing queueing)
{
	struct kmcl_tx *tx = &ch->tx;
	bool signal = false;
	int err;

	spin_lock(&tx->lock);
	if (unlikely(!tx->open || tx->closing || tx->nr_queued))
		err = kmcl_tx_submit_behind(ch, entry, queueing);
	else
		err = kmcl_tx_send_next(ch, entry, queueing);
	if (likely(tx->open))
		signal = kmcl_tx_publish(tx);
	spin_unlock(&tx->lock);
	kmcl_tx_signal(ch, signal);
	return err;
}

/**
 * struct kmcl_tx_batch - packets that left the queue together
 * @done: packets whose done() is to be called now: they want no completion, or
 *	were not sent
 * @count: number of packets in @done
 * @err: why the last packet of @done was not sent, or 0
 * @more: the queue may have more packets that can be sent
 */
struct kmcl_tx_batch {
	struct kmcl_tx_entry *done[KMCL_BUDGET_PACKETS];
	unsigned int count;
	int err;
	bool more;
};

/*
 * The queued packet that is sent next, or NULL. If the poll has no memory for a packet of
 * the host, a completion gives some back, and the host may have to send a completion in
 * turn before it reads the ring again.
 */
static struct kmcl_tx_entry *kmcl_tx_first(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *completion, *head = kmcl_tx_queue_head(tx);

	completion = list_first_entry_or_null(&tx->completions,
					      struct kmcl_tx_entry, link);
	if (!completion)
		return head;
	if (!head || !tx->queues_turn || READ_ONCE(ch->rx.starved) ||
	    kmcl_tx_waits_for_slot(tx))
		return completion;
	return head;
}

/*
 * Write the oldest queued packet to the ring. Returns false if there is none,
 * or if it must stay in the queue.
 */
static bool kmcl_tx_drain_one(struct kmcl_channel *ch,
			      struct kmcl_tx_batch *batch,
			      struct kmcl_budget *budget)
{
	struct kmcl_tx_entry *entry = kmcl_tx_first(ch);
	int err;

	if (!entry)
		return false;
	err = kmcl_tx_send(ch, entry);
	if (err == -EAGAIN)
		err = kmcl_tx_ask(ch, entry);
	if (kmcl_tx_may_queue(err))
		return false;
	kmcl_tx_unqueue(&ch->tx, entry);
	ch->tx.queues_turn = kmcl_tx_entry_is_completion(entry);
	if (err || !kmcl_tx_entry_wants_completion(entry))
		batch->done[batch->count++] = entry;
	batch->err = err;
	kmcl_budget_spend_copy(budget, entry->wire.head_len + entry->wire.len);
	return true;
}

/*
 * Send as many queued packets as the budget allows. An error ends the batch,
 * because struct kmcl_tx_batch keeps only one error.
 */
static void kmcl_tx_drain(struct kmcl_channel *ch, struct kmcl_tx_batch *batch,
			  struct kmcl_budget *budget)
{
	batch->count = 0;
	batch->err = 0;
	batch->more = ch->tx.open;
	while (batch->more && !batch->err && !kmcl_budget_is_spent(budget))
		batch->more = kmcl_tx_drain_one(ch, batch, budget);
}

static void kmcl_tx_batch_done(const struct kmcl_tx_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		batch->done[i]->done(batch->done[i],
				     i + 1 < batch->count ? 0 : batch->err,
				     NULL, 0);
}

/**
 * kmcl_tx_flush - send queued packets while the ring has room
 * @ch: the channel
 * @budget: the budget of the poll
 *
 * Context: the poll.
 */
void __kmcl_hot kmcl_tx_flush(struct kmcl_channel *ch,
			      struct kmcl_budget *budget)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_batch batch;
	bool signal;

	/*
	 * Nothing is queued, and no sender is about to queue a packet because
	 * the ring is full: such a sender sets ->asked before it asks the host
	 * for the signal that may have caused this flush. A sender that found
	 * no free slot has increased ->nr_queued before the slot was freed that
	 * this flush is for.
	 */
	if (!READ_ONCE(tx->nr_queued) && !READ_ONCE(tx->asked))
		return;
	do {
		spin_lock(&tx->lock);
		kmcl_tx_drain(ch, &batch, budget);
		kmcl_tx_settle(tx);
		signal = tx->open && kmcl_tx_publish(tx);
		spin_unlock(&tx->lock);
		kmcl_tx_signal(ch, signal);
		kmcl_tx_batch_done(&batch);
	} while (batch.more && !kmcl_budget_is_spent(budget));
}

/**
 * kmcl_tx_send_queued - send a queued packet if nothing has to precede it
 * @ch: the channel
 * @entry: a packet that wants no completion, and that kmcl_tx_submit() accepted as
 *	%KMCL_TX_PENDING
 *
 * The host was asked to signal when the ring has room for several packets. So a
 * packet may be queued although the ring has room for it by now.
 *
 * Context: softirq or process.
 * Return: true if the packet was sent and the caller owns it again.
 */
bool kmcl_tx_send_queued(struct kmcl_channel *ch, struct kmcl_tx_entry *entry)
{
	struct kmcl_tx *tx = &ch->tx;
	bool signal = false;
	bool sent = false;

	spin_lock_bh(&tx->lock);
	if (tx->open && !list_empty(&entry->link) &&
	    kmcl_tx_first(ch) == entry && !kmcl_tx_send(ch, entry)) {
		kmcl_tx_unqueue(tx, entry);
		kmcl_tx_settle(tx);
		signal = kmcl_tx_publish(tx);
		sent = true;
	}
	spin_unlock(&tx->lock);
	kmcl_tx_signal(ch, signal);
	/* Packets behind this one may fit, too. */
	if (sent)
		kmcl_poll_schedule(ch);
	local_bh_enable();
	return sent;
}

/**
 * kmcl_tx_withdraw - take back a packet whose sender stops waiting
 * @ch: the channel
 * @entry: a packet that kmcl_tx_submit() accepted as %KMCL_TX_PENDING
 *
 * The host may have received the packet already. Its completion then names no
 * packet, or the successor of the packet.
 *
 * Context: softirq or process.
 * Return: true if the caller owns the packet again; false if its done() has
 * been called or is about to be called, or if the host may access external data of
 * the packet and there is no successor. Then done() is called when the host has
 * completed the packet or can not access the data any more.
 */
bool kmcl_tx_withdraw(struct kmcl_channel *ch, struct kmcl_tx_entry *entry)
{
	struct kmcl_tx *tx = &ch->tx;
	bool mine = true;

	spin_lock_bh(&tx->lock);
	if (!list_empty(&entry->link))
		kmcl_tx_unqueue(tx, entry);
	else if (entry->id && entry->successor)
		kmcl_tx_hand_over(tx, entry);
	else if (entry->id && !kmcl_tx_entry_is_gpa_direct(entry))
		kmcl_tx_free_slot(tx, entry);
	else
		mine = false;
	kmcl_tx_settle(tx);
	spin_unlock_bh(&tx->lock);

	/*
	 * Packets behind this one may fit in less room, or use the slot that is
	 * free now. They belong to others, so the poll sends them.
	 */
	if (mine)
		kmcl_poll_schedule(ch);
	return mine;
}

/**
 * kmcl_tx_complete - handle a completion from the host
 * @ch: the channel
 * @id: transaction id in the completion. Not trusted.
 * @data: payload of the completion, in the ring, where the host can change it
 * @len: bytes of @data. A payload that is larger than the channel's maximum
 *	packet size is cut.
 *
 * Context: softirq.
 */
void __kmcl_hot kmcl_tx_complete(struct kmcl_channel *ch, u64 id,
				 const void *data, u32 len)
{
	u32 most = ALIGN(ch->set.max_packet_size, sizeof(u64));
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *entry;
	int err = 0;

	if (len > most) {
		len = most;
		err = -ENOBUFS;
	}
	spin_lock(&tx->lock);
	entry = kmcl_tx_find(tx, id);
	if (entry) {
		kmcl_tx_free_slot(tx, entry);
		tx->completed++;
	} else {
		tx->bad_ids++;
	}
	spin_unlock(&tx->lock);
	trace_vmbkmcl_complete(ch, id, len, entry);

	if (entry)
		entry->done(entry, err, data, len);
}

/**
 * kmcl_tx_wait - queue the client's packets until kmcl_tx_open() is called
 * @ch: an enabled channel without a ring. The caller makes sure that
 *	kmcl_tx_refuse() and kmcl_tx_cancel() are called before the channel is
 *	disabled.
 *
 * Context: softirq or process.
 */
void kmcl_tx_wait(struct kmcl_channel *ch)
{
	spin_lock_bh(&ch->tx.lock);
	ch->tx.waiting = true;
	ch->tx.closing = false;
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_open - send packets
 * @ch: the channel. Its bus has opened it, and &kmcl_tx.ring is initialised.
 *	Packets that are queued already are sent by the next poll.
 *
 * Context: softirq or process.
 */
void kmcl_tx_open(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;

	spin_lock_bh(&tx->lock);
	tx->batch = tx->ring.memory.size / 4;
	tx->keep = ch->delivery.pool ?
		   kmcl_ring_packet_size(0, ch->set.max_packet_size) : 0;
	tx->open = true;
	tx->waiting = false;
	tx->closing = false;
	tx->rescinded = false;
	tx->asked = false;
	tx->full = false;
	tx->signal = false;
	tx->queues_turn = false;
	spin_unlock_bh(&tx->lock);
}

static struct kmcl_tx_entry *kmcl_tx_pop_queued(struct kmcl_tx *tx,
						struct list_head *queue)
{
	struct kmcl_tx_entry *entry;

	entry = list_first_entry_or_null(queue, struct kmcl_tx_entry, link);
	if (entry)
		kmcl_tx_unqueue(tx, entry);
	return entry;
}

/*
 * Remove one packet from the transaction table and return it; NULL if none may be
 * removed. Until the ring is closed or the device rescinded (@closed), the host may
 * access external data, so a GPA-direct packet stays, unless it has a successor: that
 * takes over the slot and holds the pages.
 */
static struct kmcl_tx_entry *kmcl_tx_pop_sent(struct kmcl_tx *tx, bool closed)
{
	struct kmcl_tx_entry *entry;
	u32 i;

	for (i = 0; i < tx->count; i++) {
		entry = tx->slots[i].entry;
		if (!entry)
			continue;
		if (closed || !kmcl_tx_entry_is_gpa_direct(entry))
			kmcl_tx_free_slot(tx, entry);
		else if (entry->successor)
			kmcl_tx_hand_over(tx, entry);
		else
			continue;
		return entry;
	}
	return NULL;
}

/**
 * kmcl_tx_refuse - refuse the client's packets until kmcl_tx_open() is called
 * again
 * @ch: the channel
 *
 * Completions are still sent to the host as long as the ring exists.
 *
 * Context: softirq or process. The caller holds &kmcl_channel.lock, or is the poll or
 * the channel's work item, so that the device stays.
 */
void kmcl_tx_refuse(struct kmcl_channel *ch)
{
	bool rescinded = ch->bus && ch->bus->rescinded(ch);

	spin_lock_bh(&ch->tx.lock);
	ch->tx.waiting = false;
	ch->tx.closing = true;
	ch->tx.rescinded = rescinded;
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_cancel - complete the pending packets of a channel that refuses more
 * @ch: a channel for which kmcl_tx_refuse() was called. If it was opened again
 *	since, nothing happens.
 * @err: error that done() is called with
 * @budget: the budget of the poll, or %NULL for all packets
 *
 * A packet without external data was copied to the ring or to memory of this
 * module. The host has nothing that belongs to the owner of such a packet, so
 * the packet is completed before the ring is closed. The same is true of a
 * synchronous request with external data, whose successor takes over. Other
 * GPA-direct packets wait for kmcl_tx_finish(), unless the host has rescinded the
 * device and so accesses nothing any more.
 *
 * Context: softirq or process. No spinlock held, because done() of packets is
 * called.
 */
void kmcl_tx_cancel(struct kmcl_channel *ch, int err,
		    struct kmcl_budget *budget)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *entry;
	bool removed = false;

	while (!budget || !kmcl_budget_is_spent(budget)) {
		entry = NULL;
		local_bh_disable();
		spin_lock(&tx->lock);
		if (tx->closing)
			entry = kmcl_tx_pop_queued(tx, &tx->queue) ?:
					kmcl_tx_pop_sent(tx, tx->rescinded);
		spin_unlock(&tx->lock);
		if (entry)
			entry->done(entry, err, NULL, 0);
		local_bh_enable();
		if (!entry)
			break;
		removed = true;
		if (budget)
			kmcl_budget_spend(budget);
	}
	/* Completions may still wait for the room that the queue had asked for. */
	if (removed && !budget)
		kmcl_poll_schedule(ch);
}

/**
 * kmcl_tx_stop - stop sending
 * @ch: the channel. When this function returns, nothing writes to the ring any
 *	more.
 * @err: error that done() of queued packets is called with
 *
 * Context: may sleep.
 */
void kmcl_tx_stop(struct kmcl_channel *ch, int err)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *entry;

	do {
		local_bh_disable();
		spin_lock(&tx->lock);
		tx->open = false;
		entry = kmcl_tx_pop_queued(tx, &tx->completions) ?:
				kmcl_tx_pop_queued(tx, &tx->queue);
		spin_unlock(&tx->lock);
		if (entry)
			entry->done(entry, err, NULL, 0);
		local_bh_enable();
	} while (entry);
	/*
	 * A sender may still be signalling the host with bottom halves off. The
	 * expedited variant is used because channels are closed one after
	 * another.
	 */
	synchronize_rcu_expedited();
}

static bool kmcl_tx_entry_has_owned_data(const struct kmcl_tx_entry *entry)
{
	return kmcl_tx_entry_is_gpa_direct(entry) &&
	       kmcl_gpa_direct_has_owned(entry->wire.head);
}

/**
 * kmcl_tx_has_owned_data - find out whether the host may access external data that
 * only its owner holds
 * @ch: a channel for which kmcl_tx_refuse() and kmcl_tx_cancel() were called
 * @requests: look at synchronous requests only
 *
 * Context: softirq or process.
 * Return: true if a packet that the host has not completed has such data.
 */
bool kmcl_tx_has_owned_data(struct kmcl_channel *ch, bool requests)
{
	struct kmcl_tx *tx = &ch->tx;
	const struct kmcl_tx_entry *entry;
	bool owned = false;
	u32 i;

	spin_lock_bh(&tx->lock);
	for (i = 0; i < tx->count && !owned; i++) {
		entry = tx->slots[i].entry;
		if (entry && (entry->is_request || !requests))
			owned = kmcl_tx_entry_has_owned_data(entry);
	}
	spin_unlock_bh(&tx->lock);
	return owned;
}

/**
 * kmcl_tx_finish - complete the packets that the host has not completed
 * @ch: a channel whose ring is closed, so that the host has no access to
 *	external data
 * @err: error that done() is called with; -ETIMEDOUT if the host may not know
 *	of the close and may still access the external data
 *
 * When this function returns, done() of every packet has returned.
 *
 * Context: may sleep.
 */
void kmcl_tx_finish(struct kmcl_channel *ch, int err)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *entry;

	do {
		local_bh_disable();
		spin_lock(&tx->lock);
		entry = kmcl_tx_pop_sent(tx, true);
		spin_unlock(&tx->lock);
		if (entry)
			entry->done(entry, err, NULL, 0);
		local_bh_enable();
	} while (entry);
	/*
	 * kmcl_tx_cancel() or kmcl_tx_complete() may have removed a packet
	 * before, and its done() may still run.
	 */
	synchronize_rcu_expedited();
}
