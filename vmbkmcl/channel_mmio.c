// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO space of a device.
 *
 * The offer of a device says how much MMIO space the device needs. While the
 * channel is open, the bus reserves as much of the range that the firmware
 * assigned to VMBus.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>

#include "channel.h"
#include "channel_mmio.h"

/*
 * A failure does not stop the channel from opening: some devices work without their
 * MMIO space. VmbChannelGetMmioSpace() tells the client.
 */
void kmcl_mmio_get(struct kmcl_channel *ch)
{
	u64 start = 0, size = 0;
	int err;

	err = ch->bus->mmio_get(ch, &start, &size);
	if (err)
		kmcl_warn_always(ch, "no MMIO space: %d\n", err);
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
 * VmbChannelGetMmioSpace() - get the MMIO space of the device
 * @channel: an open channel: from EvtChannelOpened to EvtChannelClosed
 * @mmio_address: set to the guest physical address of the MMIO space, which the
 *	client can map with ioremap() or ioremap_wc()
 * @mmio_size: set to the size of the MMIO space in bytes, as the offer says
 *
 * Both are set to 0 if the channel is not open, if the device has no MMIO
 * space, or if the bus could not reserve it. The log has a line in the last
 * case. The client must unmap the space in EvtChannelClosed at the latest, as
 * another device may get the addresses after that.
 *
 * Context: may sleep.
 *
 * Source: Microsoft's VmbChannelGetMmioSpace documentation.
 */
VOID VmbChannelGetMmioSpace(VMBCHANNEL channel, UINT64 *mmio_address,
			    UINT64 *mmio_size)
{
	struct kmcl_channel *ch = channel;

	might_sleep();
	if (!ch || !mmio_address || !mmio_size)
		return;
	if (ch->is_server)
		kmcl_warn(ch, "a server has no MMIO space\n");
	mutex_lock(&ch->lock);
	*mmio_address = ch->mmio_start;
	*mmio_size = ch->mmio_size;
	mutex_unlock(&ch->lock);
}
EXPORT_SYMBOL_GPL(VmbChannelGetMmioSpace);
