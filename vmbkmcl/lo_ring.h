/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of rings between two ends in this kernel: see lo_ring.c. */
#ifndef _KMCL_LO_RING_H
#define _KMCL_LO_RING_H

#include "ring.h"

struct page;

/**
 * struct kmcl_lo_ring - a ring between two ends in this kernel
 * @memory: the ring, as both ends see it
 * @pages: its pages, each data page twice
 * @nr_pages: number of pages, each counted once
 */
struct kmcl_lo_ring {
	struct kmcl_ring_memory memory;
	struct page **pages;
	u32 nr_pages;
};

int kmcl_lo_ring_alloc(struct kmcl_lo_ring *ring, u32 bytes);
void kmcl_lo_ring_free(struct kmcl_lo_ring *ring);

#endif /* _KMCL_LO_RING_H */
