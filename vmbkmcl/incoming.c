// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets from the host.
 *
 * The bus's callback only masks the ring's wake-ups and schedules the poll. The
 * poll reads up to a budget, and either runs again or unmasks and looks once
 * more: the shape of NAPI. So a flood leaves the CPU to others, and an idle ring
 * costs nothing.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include "channel.h"
#include "compat.h"
#include "incoming.h"

#define KMCL_POLL_BUDGET	64

static void kmcl_rx_packet(struct kmcl_channel *ch,
			   const struct vmpacket_descriptor *desc)
{
	const void *data = (const u8 *)desc + (desc->offset8 << 3);
	u32 len = (desc->len8 - desc->offset8) << 3;

	ch->rx.received++;
	if (desc->type == VM_PKT_COMP)
		kmcl_tx_complete(ch, desc->trans_id, data, len);
	else
		ch->rx.dropped++;
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
	while (!IS_ERR_OR_NULL(desc)) {
		kmcl_rx_packet(ch, desc);
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

static void kmcl_poll(struct tasklet_struct *t)
{
	struct kmcl_rx *rx = container_of(t, struct kmcl_rx, poll);
	struct kmcl_channel *ch = container_of(rx, struct kmcl_channel, rx);

	if (rx->failed)
		return;
	rx->polls++;
	do {
		unsigned int done = kmcl_rx_read(ch);

		/* The wake-up may have been for room in the other ring. */
		kmcl_tx_flush(ch);
		if (rx->failed)
			return;
		if (done == KMCL_POLL_BUDGET) {
			kmcl_poll_schedule(ch);
			return;
		}
	} while (ch->bus->rx_unmask(ch));
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
}

/* The ring may hold packets whose wake-up came before anyone listened. */
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
