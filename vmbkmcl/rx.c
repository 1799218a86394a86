// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading the ring.
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

#include <linux/mm.h>
#include <linux/rcupdate.h>

#include "bus.h"
#include "channel.h"
#include "hot.h"
#include "rx.h"
#include "rx_deliver.h"
#include "rx_packet.h"
#include "trace.h"

#define KMCL_POLL_BUDGET	64

/**
 * kmcl_rx_open - get the memory that completions will need
 * @ch: a channel about to be opened
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
	kvfree(ch->rx.copy);
	ch->rx.copy = NULL;
}

/* From a packet to its message; false: it is none that the client is to have. */
static bool kmcl_rx_message(struct kmcl_channel *ch, const void **data,
			    u32 *len)
{
	struct kmcl_delivery *to = &ch->delivery;

	return to->pool && !READ_ONCE(to->refused) &&
	       (!ch->set.is_pipe || kmcl_pipe_unframe(data, len)) &&
	       *len <= to->pool->room;
}

/* False: there is no memory to copy the packet to, it stays in the ring. */
static bool kmcl_rx_enqueue(struct kmcl_channel *ch,
			    const struct kmcl_ring_packet *packet)
{
	const void *data = packet->data;
	struct kmcl_rx_packet *copy;
	u32 len = packet->len;

	if (!kmcl_rx_message(ch, &data, &len)) {
		kmcl_rx_count_dropped(&ch->rx, 1);
		return true;
	}
	copy = kmcl_pool_pop(ch);
	if (!copy)
		return false;
	memcpy(copy->data, data, len);
	copy->len = len;
	copy->completion.wire.id = packet->id;
	copy->wants_completion = packet->flags &
				 KMCL_PKT_FLAG_COMPLETION_REQUESTED;
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
	case KMCL_PKT_INBAND:
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
 * A ring that lies once is not believed again: no completion comes any more, so
 * nobody shall wait for one.
 */
static void kmcl_rx_fail(struct kmcl_channel *ch)
{
	ch->rx.failed = true;
	ch->rx.corrupt++;
	kmcl_warn(ch, "corrupt incoming ring: the channel receives nothing more\n");
	kmcl_tx_refuse(ch);
	kmcl_tx_cancel(ch, -ENODEV);
}

static unsigned int kmcl_rx_read(struct kmcl_channel *ch)
{
	struct kmcl_ring_packet packet;
	unsigned int done = 0;
	int found = 0;

	ch->rx.starved = false;
	if (ch->rx.failed)
		return 0;
	while (done < KMCL_POLL_BUDGET) {
		found = kmcl_ring_peek(&ch->rx.ring, &packet);
		if (found <= 0)
			break;
		if (!kmcl_rx_handle(ch, &packet)) {
			ch->rx.starved = true;
			break;
		}
		kmcl_ring_skip(&ch->rx.ring, &packet);
		done++;
	}
	if (found < 0)
		kmcl_rx_fail(ch);
	else if (kmcl_ring_release(&ch->rx.ring))
		ch->bus->signal(ch, KMCL_SIGNAL_ROOM);
	return done;
}

static void __kmcl_hot kmcl_poll(struct tasklet_struct *t)
{
	struct kmcl_rx *rx = container_of(t, struct kmcl_rx, poll);
	struct kmcl_channel *ch = container_of(rx, struct kmcl_channel, rx);
	unsigned int spent = 0;

	rx->polls++;
	/* What is found to wait for a completion below, waits for one after this. */
	kmcl_stall_clear(&ch->delivery);
	do {
		/* A host that only promises packets has its turn, too. */
		spent += max(kmcl_rx_read(ch), 1U);
		kmcl_deliver(ch);
		/* The wake-up may have been for room in the other ring. */
		kmcl_tx_flush(ch);
		if (spent >= KMCL_POLL_BUDGET) {
			kmcl_poll_schedule(ch);
			return;
		}
		/*
		 * Also when packets were left for want of memory: a host signals
		 * a ring that was empty, so this costs nothing, and a wake-up
		 * for room in the other ring still comes.
		 */
	} while (kmcl_ring_unmask(&rx->ring) && !rx->starved && !rx->failed);
}

void kmcl_rx_init(struct kmcl_rx *rx)
{
	tasklet_setup(&rx->poll, kmcl_poll);
}

/*
 * Read the ring. It may hold packets whose wake-up came before anyone listened.
 * Completions are followed from here on; requests wait for
 * kmcl_delivery_start().
 */
void kmcl_rx_start(struct kmcl_channel *ch)
{
	ch->rx.failed = false;
	/* Pairs with kmcl_poll_schedule(), which then uses the ring. */
	smp_store_release(&ch->rx.running, true);
	kmcl_poll_schedule(ch);
}

/* When it returns nothing touches the ring, and nothing will. */
void kmcl_rx_stop(struct kmcl_channel *ch)
{
	WRITE_ONCE(ch->rx.running, false);
	/* Pairs with kmcl_poll_schedule(), which may still see it running. */
	synchronize_rcu_expedited();
	tasklet_kill(&ch->rx.poll);
}
