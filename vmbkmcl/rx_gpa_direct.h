/* SPDX-License-Identifier: GPL-2.0-only */
/* The external data of received packets: see rx_gpa_direct.c. */
#ifndef _KMCL_RX_GPA_DIRECT_H
#define _KMCL_RX_GPA_DIRECT_H

#include <linux/types.h>

struct kmcl_channel;
struct kmcl_ring_packet;
struct kmcl_rx_packet;

u32 kmcl_rx_gpa_direct_room(const struct kmcl_channel *ch);
bool kmcl_rx_gpa_direct_read(struct kmcl_channel *ch,
			     struct kmcl_rx_packet *copy,
			     const struct kmcl_ring_packet *packet);
bool kmcl_rx_gpa_direct_mapped(const struct kmcl_rx_packet *packet);
void kmcl_rx_gpa_direct_let_go(struct kmcl_rx_packet *packet);

#endif /* _KMCL_RX_GPA_DIRECT_H */
