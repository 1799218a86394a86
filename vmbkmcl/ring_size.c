// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sizes of a channel's rings and of its largest packet, computed from its
 * settings.
 */

#include "channel.h"
#include "compat.h"
#include "ring_size.h"
#include "tx_gpa_direct.h"

/*
 * The size of a ring of @pages pages, but at least of a ring that holds two
 * packets of @wire_size bytes. Linux uses a page of its own size as the control
 * page, of which the host sees the first 4 KiB.
 */
static u32 kmcl_ring_bytes(u32 pages, u32 wire_size)
{
	/* One word stays free, because a full ring would look empty. */
	u32 data = max_t(u32, (pages - 1) * KMCL_HV_PAGE_SIZE,
			 2 * wire_size + sizeof(u64));

	return PAGE_ALIGN(PAGE_SIZE + data);
}

/*
 * Bytes in the ring of the largest packet without external data, including its
 * descriptor and trailer.
 */
u32 kmcl_channel_wire_size(const struct kmcl_channel *ch)
{
	return kmcl_ring_packet_size(0, kmcl_channel_framing(ch) +
					ch->set.max_packet_size);
}

u32 kmcl_channel_rx_bytes(const struct kmcl_channel *ch)
{
	return kmcl_ring_bytes(ch->set.rx_pages, kmcl_channel_wire_size(ch));
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_rx_bytes);

u32 kmcl_channel_tx_bytes(const struct kmcl_channel *ch)
{
	return kmcl_ring_bytes(ch->set.tx_pages,
			       kmcl_channel_wire_size(ch) +
				       kmcl_gpa_direct_room(&ch->set));
}
KMCL_EXPORT_TO_BUSES(kmcl_channel_tx_bytes);
