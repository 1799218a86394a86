/* SPDX-License-Identifier: GPL-2.0-only */
/* The MMIO space of a device: see channel_mmio.c. */
#ifndef _KMCL_CHANNEL_MMIO_H
#define _KMCL_CHANNEL_MMIO_H

struct kmcl_channel;

void kmcl_mmio_get(struct kmcl_channel *ch);
void kmcl_mmio_put(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_MMIO_H */
