/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets whose data are in a buffer of the client: see rx_transfer_pages.c. */
#ifndef _KMCL_RX_TRANSFER_PAGES_H
#define _KMCL_RX_TRANSFER_PAGES_H

#include <linux/types.h>

struct kmcl_ring_packet;
struct kmcl_rx_packet;

/**
 * struct kmcl_transfer_pages - what a transfer-page packet of the ring says
 * @set: number of the page set
 * @count: number of ranges; all of them are within the packet
 */
struct kmcl_transfer_pages {
	u16 set;
	u32 count;
};

bool kmcl_transfer_pages_read(const struct kmcl_ring_packet *packet,
			      struct kmcl_transfer_pages *pages);
bool kmcl_transfer_pages_fit(const struct kmcl_transfer_pages *pages, u32 len,
			     u32 room);
void kmcl_transfer_pages_copy(struct kmcl_rx_packet *copy,
			      const struct kmcl_ring_packet *packet,
			      const struct kmcl_transfer_pages *pages);

#endif /* _KMCL_RX_TRANSFER_PAGES_H */
