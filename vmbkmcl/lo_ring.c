// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of the rings between a client and a server in this kernel.
 *
 * A ring has the layout that hv_vmbus gives it: a control page, then the data,
 * mapped twice in a row. Both ends use the same mapping. The pages need not be
 * contiguous, because no host has to be told where they are.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lo_ring.h"

static void kmcl_lo_ring_free_pages(struct kmcl_lo_ring *ring)
{
	u32 i;

	for (i = 0; i < ring->nr_pages; i++)
		__free_page(ring->pages[i]);
	kvfree(ring->pages);
}

/* @data: number of data pages */
static int kmcl_lo_ring_alloc_pages(struct kmcl_lo_ring *ring, u32 data)
{
	ring->nr_pages = 0;
	ring->pages = kvcalloc(1 + 2 * data, sizeof(*ring->pages), GFP_KERNEL);
	if (!ring->pages)
		return -ENOMEM;
	while (ring->nr_pages <= data) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			goto free_pages;
		ring->pages[ring->nr_pages] = page;
		if (ring->nr_pages)
			ring->pages[ring->nr_pages + data] = page;
		ring->nr_pages++;
	}
	return 0;

free_pages:
	kmcl_lo_ring_free_pages(ring);
	return -ENOMEM;
}

/**
 * kmcl_lo_ring_alloc - allocate an empty ring
 * @ring: filled in; kmcl_lo_ring_free() frees it
 * @bytes: size of the control page and the data, whole pages, at least two
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_lo_ring_alloc(struct kmcl_lo_ring *ring, u32 bytes)
{
	u32 data = bytes / PAGE_SIZE - 1;
	void *va;

	if (kmcl_lo_ring_alloc_pages(ring, data))
		return -ENOMEM;
	va = vmap(ring->pages, 1 + 2 * data, VM_MAP, PAGE_KERNEL);
	if (!va) {
		kmcl_lo_ring_free_pages(ring);
		return -ENOMEM;
	}
	ring->memory.control = va;
	ring->memory.data = va + PAGE_SIZE;
	ring->memory.size = data * PAGE_SIZE;
	/* Both ends ask for room and signal that there is room. */
	ring->memory.control->features = KMCL_RING_PENDING_SEND_SIZE;
	return 0;
}

/* Neither end may access the ring any more. */
void kmcl_lo_ring_free(struct kmcl_lo_ring *ring)
{
	vunmap(ring->memory.control);
	kmcl_lo_ring_free_pages(ring);
}
