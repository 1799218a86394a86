// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets to the host.
 *
 * A send never waits and never needs memory: what does not fit in the ring is
 * queued in order, the host is asked for a wake-up, and the poll it causes
 * flushes the queue. A packet whose completion is awaited stands in a table;
 * its transaction id is slot and generation, so that a stale, doubled, zero or
 * invented id names nothing. Packets that leave the queue together are published
 * together, with one signal at most.
 *
 * A packet taken from the queue or the table is out of sight until its done() has
 * run. Bottom halves stay off for so long, which is an RCU reader that a close
 * waits for, and makes the context of each done() that of the poll.
 */

#include <linux/bottom_half.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "channel.h"
#include "hot.h"
#include "trace.h"
#include "tx.h"

#define KMCL_ID(generation, slot)	((u64)(generation) << 32 | (slot))

/* Packets that leave the queue at most under one hold of &kmcl_tx.lock. */
#define KMCL_TX_BATCH	64

/* More than the packet takes: a ring with just that room is full. */
static u32 kmcl_tx_entry_room(const struct kmcl_tx_entry *entry)
{
	return kmcl_ring_packet_size(entry->wire.head_len, entry->wire.len) +
	       sizeof(u64);
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
 * kmcl_tx_resize - have as many packets as that wait for completions
 * @tx: of a disabled channel: no slot is taken
 * @count: above 0
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM and nothing changed.
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

/* From here on the packet's id names nothing. */
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

/* The host may still use the packet's external data: another stands for it. */
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

/* The ring has no room for a packet: hv_vmbus's statistics count that, too. */
static void kmcl_tx_count_full(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;

	tx->ring_full++;
	ch->bus->ring_full(ch, !tx->full);
	tx->full = true;
}

/* The packet is to be published, and then the host to be signalled. */
static __always_inline int kmcl_tx_put(struct kmcl_channel *ch,
				       struct kmcl_tx_entry *entry)
{
	int err = kmcl_ring_put(&ch->tx.ring, &entry->wire);

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
 * -EAGAIN: no room; -EBUSY: no slot. Any other error is final. A call for each
 * packet costs more than the copies of this.
 */
static __always_inline int kmcl_tx_send(struct kmcl_channel *ch,
					struct kmcl_tx_entry *entry)
{
	struct kmcl_tx *tx = &ch->tx;
	int err;

	if (kmcl_tx_entry_waits(entry) && !kmcl_tx_alloc_slot(tx, entry)) {
		tx->ids_full++;
		return -EBUSY;
	}
	err = kmcl_tx_put(ch, entry);
	if (unlikely(err) && kmcl_tx_entry_waits(entry))
		kmcl_tx_free_slot(tx, entry);
	return err;
}

/* Let the host see what was put in the ring. Without the lock, bottom halves off. */
static __always_inline void kmcl_tx_signal(struct kmcl_channel *ch, bool signal)
{
	if (signal)
		ch->bus->signal(ch, KMCL_SIGNAL_PACKETS);
}

/* So much that several can go at once: to be woken costs more than to send. */
static u32 kmcl_tx_batch(const struct kmcl_tx *tx,
			 const struct kmcl_tx_entry *entry)
{
	return max(kmcl_tx_entry_room(entry), tx->batch);
}

/*
 * A host says it once, when the ring gets that much room. So an answer that goes
 * before the queue must not ask for less than the queue does: if it then finds its
 * room after all, nobody would be woken for the queue's first packet.
 */
static u32 kmcl_tx_room(struct kmcl_tx *tx, const struct kmcl_tx_entry *entry)
{
	struct kmcl_tx_entry *first = list_first_entry_or_null(
		&tx->queue, struct kmcl_tx_entry, link);

	if (!kmcl_tx_entry_is_completion(entry))
		return kmcl_tx_batch(tx, entry);
	return max(kmcl_tx_entry_room(entry),
		   first ? kmcl_tx_batch(tx, first) : 0);
}

static bool kmcl_tx_may_queue(int err)
{
	return err == -EAGAIN || err == -EBUSY;
}

/*
 * There was no room. The host counts the room from what it was told of, so what was
 * put in before is published first. Then the wish for room comes, and the ring is
 * looked at again after it: the host may have made room in between and would then
 * never say so.
 * Slots are freed on this side, where the queue is flushed afterwards.
 */
static int kmcl_tx_ask(struct kmcl_channel *ch, struct kmcl_tx_entry *entry)
{
	WRITE_ONCE(ch->tx.asked, true);
	ch->tx.signal |= kmcl_ring_publish(&ch->tx.ring);
	kmcl_ring_want_room(&ch->tx.ring, kmcl_tx_room(&ch->tx, entry));
	return kmcl_tx_send(ch, entry);
}

/* True: the host is to be signalled, now or for what kmcl_tx_ask() published. */
static __always_inline bool kmcl_tx_publish(struct kmcl_tx *tx)
{
	bool signal = kmcl_ring_publish(&tx->ring) | tx->signal;

	tx->signal = false;
	return signal;
}

/* Nothing waits any more: the host need not wake anybody. */
static void kmcl_tx_settle(struct kmcl_tx *tx)
{
	if (!tx->asked || tx->waiting || !tx->open)
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
	WRITE_ONCE(tx->waiting, tx->waiting + 1);
	tx->queued++;
}

static void kmcl_tx_unqueue(struct kmcl_tx *tx, struct kmcl_tx_entry *entry)
{
	list_del_init(&entry->link);
	WRITE_ONCE(tx->waiting, tx->waiting - 1);
}

/*
 * Nothing overtakes what is queued, but answers do: the host may wait for one
 * before it completes any of the packets that the queue needs a slot of.
 */
static bool kmcl_tx_is_next(const struct kmcl_tx *tx,
			    const struct kmcl_tx_entry *entry)
{
	return list_empty(&tx->completions) &&
	       (kmcl_tx_entry_is_completion(entry) || list_empty(&tx->queue));
}

/* 0 when the packet may go into the ring, or wait for it. */
static int kmcl_tx_accepts(const struct kmcl_tx *tx,
			   const struct kmcl_tx_entry *entry)
{
	if (!tx->open)
		return -ENOTCONN;
	return tx->closing && !kmcl_tx_entry_is_completion(entry) ? -ENODEV : 0;
}

/* The result of kmcl_tx_submit() for a packet that is in the ring. */
static __always_inline int kmcl_tx_outcome(const struct kmcl_tx_entry *entry)
{
	return kmcl_tx_entry_waits(entry) ? KMCL_TX_PENDING : KMCL_TX_SENT;
}

/* @err: why kmcl_tx_send() did not send it, while nothing goes before it. */
static noinline int kmcl_tx_not_sent(struct kmcl_channel *ch,
				     struct kmcl_tx_entry *entry, int err,
				     bool may_queue)
{
	struct kmcl_tx *tx = &ch->tx;

	if (!may_queue)
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
					     bool may_queue)
{
	int err = kmcl_tx_send(ch, entry);

	if (unlikely(err))
		return kmcl_tx_not_sent(ch, entry, err, may_queue);
	return kmcl_tx_outcome(entry);
}

/* Packets wait, or are refused. */
static noinline int kmcl_tx_submit_behind(struct kmcl_channel *ch,
					  struct kmcl_tx_entry *entry,
					  bool may_queue)
{
	struct kmcl_tx *tx = &ch->tx;
	int err = kmcl_tx_accepts(tx, entry);

	if (err)
		return err;
	if (kmcl_tx_is_next(tx, entry))
		return kmcl_tx_send_next(ch, entry, may_queue);
	if (!may_queue)
		return -ENOBUFS;
	kmcl_tx_queue(tx, entry);
	return KMCL_TX_PENDING;
}

/**
 * kmcl_tx_submit - send a packet, or queue it
 * @ch: the channel
 * @entry: what to send; its owner's again on an error. It has no id, and is in no
 *	list.
 * @may_queue: false: give up when it can not go now
 *
 * Context: bottom halves off; until the caller is through with a packet that is
 * done, so that a close waits for it.
 * Return:
 * * %KMCL_TX_PENDING - @entry->done() will be called
 * * %KMCL_TX_SENT - the packet is in the ring, and @entry is the caller's again
 * * -ENOTCONN - the channel has no ring
 * * -ENODEV - the channel is closing
 * * -ENOBUFS - the packet can not go now, and @may_queue is false
 * * -EMSGSIZE - the packet is longer than its descriptor can say
 * * -EIO - the host has corrupted the ring
 */
int __kmcl_hot kmcl_tx_submit(struct kmcl_channel *ch,
			      struct kmcl_tx_entry *entry, bool may_queue)
{
	struct kmcl_tx *tx = &ch->tx;
	bool signal = false;
	int err;

	spin_lock(&tx->lock);
	if (unlikely(!tx->open || tx->closing || tx->waiting))
		err = kmcl_tx_submit_behind(ch, entry, may_queue);
	else
		err = kmcl_tx_send_next(ch, entry, may_queue);
	if (likely(tx->open))
		signal = kmcl_tx_publish(tx);
	spin_unlock(&tx->lock);
	kmcl_tx_signal(ch, signal);
	return err;
}

/**
 * struct kmcl_tx_batch - packets that left the queue together
 * @done: those with nothing more to wait for
 * @count: how many
 * @err: why the last of them was not sent, or 0
 * @more: the next one may be sent, too
 */
struct kmcl_tx_batch {
	struct kmcl_tx_entry *done[KMCL_TX_BATCH];
	unsigned int count;
	int err;
	bool more;
};

static struct kmcl_tx_entry *kmcl_tx_first(struct kmcl_tx *tx)
{
	return list_first_entry_or_null(
		list_empty(&tx->completions) ? &tx->queue : &tx->completions,
		struct kmcl_tx_entry, link);
}

/* Put the oldest queued packet in the ring. False: it has to wait. */
static bool kmcl_tx_drain_one(struct kmcl_channel *ch,
			      struct kmcl_tx_batch *batch)
{
	struct kmcl_tx_entry *entry = kmcl_tx_first(&ch->tx);
	int err;

	if (!entry)
		return false;
	err = kmcl_tx_send(ch, entry);
	if (err == -EAGAIN)
		err = kmcl_tx_ask(ch, entry);
	if (kmcl_tx_may_queue(err))
		return false;
	kmcl_tx_unqueue(&ch->tx, entry);
	if (err || !kmcl_tx_entry_waits(entry))
		batch->done[batch->count++] = entry;
	batch->err = err;
	return true;
}

/* The same with as many as make a batch; an error ends it. */
static void kmcl_tx_drain(struct kmcl_channel *ch, struct kmcl_tx_batch *batch)
{
	unsigned int n;

	batch->count = 0;
	batch->err = 0;
	batch->more = ch->tx.open;
	for (n = 0; n < KMCL_TX_BATCH && batch->more && !batch->err; n++)
		batch->more = kmcl_tx_drain_one(ch, batch);
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
 * kmcl_tx_flush - send what is queued, as far as the ring has room
 * @ch: the channel
 *
 * Context: softirq or process; no locks held, as packets may be done.
 */
void __kmcl_hot kmcl_tx_flush(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_batch batch;
	bool signal;

	/*
	 * Nothing is queued, and no sender is about to queue a packet for want of
	 * room: it says so in ->asked before it asks the host, whose answer this may
	 * be. A sender that wants a slot takes one that was freed before this.
	 */
	if (!READ_ONCE(tx->waiting) && !READ_ONCE(tx->asked))
		return;
	do {
		local_bh_disable();
		spin_lock(&tx->lock);
		kmcl_tx_drain(ch, &batch);
		kmcl_tx_settle(tx);
		signal = tx->open && kmcl_tx_publish(tx);
		spin_unlock(&tx->lock);
		kmcl_tx_signal(ch, signal);
		kmcl_tx_batch_done(&batch);
		local_bh_enable();
	} while (batch.more);
}

/**
 * kmcl_tx_withdraw - take a packet back that nobody waits for any more
 * @ch: the channel
 * @entry: submitted before
 *
 * The host may have seen it, and its completion will then name nothing, or the
 * packet's heir.
 *
 * Context: softirq or process.
 * Return: true when the caller owns it again; false when its done() has been
 * called or is about to be.
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
	else if (entry->id)
		kmcl_tx_free_slot(tx, entry);
	else
		mine = false;
	kmcl_tx_settle(tx);
	spin_unlock_bh(&tx->lock);

	/* What waited behind it, for a smaller room or for its slot, may go. */
	if (mine)
		kmcl_tx_flush(ch);
	return mine;
}

/**
 * kmcl_tx_complete - the host's completion of a packet
 * @ch: the channel
 * @id: the transaction it names; not to be trusted
 * @data: what it carries, in the ring: the host can change it
 * @len: bytes of it; more than the channel's packets may have are cut off
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
 * kmcl_tx_open - there is a ring: packets are sent from here on
 * @ch: the channel; its bus has opened it and filled in the ring
 *
 * Context: softirq or process.
 */
void kmcl_tx_open(struct kmcl_channel *ch)
{
	struct kmcl_tx *tx = &ch->tx;

	spin_lock_bh(&tx->lock);
	tx->batch = tx->ring.memory.size / 4;
	tx->open = true;
	tx->closing = false;
	tx->asked = false;
	tx->full = false;
	tx->signal = false;
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
 * The host may read and write external data until the ring is closed, so only
 * then is a packet that has some given back, unless it has an heir.
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
 * kmcl_tx_refuse - from here on the client's packets are refused
 * @ch: the channel, until kmcl_tx_open() is called for it
 *
 * Completions still go to the host, as long as there is a ring.
 *
 * Context: softirq or process.
 */
void kmcl_tx_refuse(struct kmcl_channel *ch)
{
	spin_lock_bh(&ch->tx.lock);
	ch->tx.closing = true;
	spin_unlock_bh(&ch->tx.lock);
}

/**
 * kmcl_tx_cancel - complete the packets there are
 * @ch: a channel that refuses more; nothing happens when it was opened again
 * @err: what they are told
 *
 * Without external data, all of a packet is in the ring or in memory of this
 * module, so the host holds nothing of its owner's and none needs to wait for the
 * close. Nor does one whose heir waits instead.
 *
 * Context: softirq or process; no spinlock held, as packets are done.
 */
void kmcl_tx_cancel(struct kmcl_channel *ch, int err)
{
	struct kmcl_tx *tx = &ch->tx;
	struct kmcl_tx_entry *entry;

	do {
		entry = NULL;
		local_bh_disable();
		spin_lock(&tx->lock);
		if (tx->closing)
			entry = kmcl_tx_pop_queued(tx, &tx->queue) ?:
					kmcl_tx_pop_sent(tx, false);
		spin_unlock(&tx->lock);
		if (entry)
			entry->done(entry, err, NULL, 0);
		local_bh_enable();
	} while (entry);
}

/**
 * kmcl_tx_stop - nothing is sent any more
 * @ch: the channel; when it returns, the ring is not written to
 * @err: what packets are told that were not sent
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
	 * A sender may still be signalling the host, with bottom halves off.
	 * Expedited: channels close one after another.
	 */
	synchronize_rcu_expedited();
}

/**
 * kmcl_tx_finish - the ring is closed: complete what the host had until then
 * @ch: the channel
 * @err: what packets are told that were not completed
 *
 * When it returns, every packet is done.
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
	/* Others took theirs before. */
	synchronize_rcu_expedited();
}
