// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device's MMIO space: addresses that its offer asks for, taken from what the
 * firmware gave VMBus, for as long as the channel is open.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "channel.h"
#include "channel_mmio.h"

/* A device may do without, so it is the client that has to look. */
void kmcl_mmio_get(struct kmcl_channel *ch)
{
	u64 start = 0, size = 0;
	int err;

	err = ch->bus->mmio_get(ch, &start, &size);
	if (err)
		pr_warn("%s: no MMIO space: %d\n", ch->name, err);
	mutex_lock(&ch->lock);
	ch->mmio_start = err ? 0 : start;
	ch->mmio_size = err ? 0 : size;
	mutex_unlock(&ch->lock);
}

void kmcl_mmio_put(struct kmcl_channel *ch)
{
	u64 start = ch->mmio_start, size = ch->mmio_size;

	mutex_lock(&ch->lock);
	ch->mmio_start = 0;
	ch->mmio_size = 0;
	mutex_unlock(&ch->lock);
	if (size)
		ch->bus->mmio_put(ch, start, size);
}

/**
 * VmbChannelGetMmioSpace() - where the device's MMIO space is
 * @channel: a channel from EvtChannelOpened to EvtChannelClosed
 * @mmio_address: the caller's; its guest physical address, to be given to
 *	ioremap() or ioremap_wc()
 * @mmio_size: the caller's; bytes of it, as many megabytes as the offer says
 *
 * Both are 0 when the channel is not open, when the device has no such space, or
 * when there was none left, which the log then says. The client undoes its
 * mappings in EvtChannelClosed at the latest: after that the addresses may become
 * another device's.
 *
 * Context: may sleep.
 * Source: Microsoft's VmbChannelGetMmioSpace documentation.
 */
VOID VmbChannelGetMmioSpace(VMBCHANNEL channel, UINT64 *mmio_address,
			    UINT64 *mmio_size)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch || !mmio_address || !mmio_size)
		return;
	mutex_lock(&ch->lock);
	*mmio_address = ch->mmio_start;
	*mmio_size = ch->mmio_size;
	mutex_unlock(&ch->lock);
}
EXPORT_SYMBOL_GPL(VmbChannelGetMmioSpace);
