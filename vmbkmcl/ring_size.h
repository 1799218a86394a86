/* SPDX-License-Identifier: GPL-2.0-only */
/* The sizes of a channel's rings and of its largest packet: see ring_size.c. */
#ifndef _KMCL_RING_SIZE_H
#define _KMCL_RING_SIZE_H

#include <linux/types.h>

struct kmcl_channel;

u32 kmcl_channel_wire_size(const struct kmcl_channel *ch);
u32 kmcl_channel_rx_bytes(const struct kmcl_channel *ch);
u32 kmcl_channel_tx_bytes(const struct kmcl_channel *ch);

#endif /* _KMCL_RING_SIZE_H */
