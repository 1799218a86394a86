// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of VMBus rings: a control page and the data, which is mapped twice in a row.
 * Behind it nothing is mapped, so that a write past the end is found.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "rings.h"

static void *ring_map(u32 bytes)
{
	u32 data = bytes / PAGE_SIZE - 1, count = 1 + 2 * data, i;
	struct page **pages = kcalloc(count, sizeof(*pages), GFP_KERNEL);
	void *va = NULL;

	if (!pages)
		return NULL;
	for (i = 0; i <= data; i++) {
		pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!pages[i])
			goto free_pages;
		if (i)
			pages[i + data] = pages[i];
	}
	va = vmap(pages, count, VM_MAP, PAGE_KERNEL);
free_pages:
	/* With a mapping they are found through that. */
	for (; !va && i; i--)
		if (pages[i - 1])
			__free_page(pages[i - 1]);
	kfree(pages);
	return va;
}

void ring_free(const struct kmcl_ring_memory *memory)
{
	u32 count = memory->size / PAGE_SIZE + 1, i;
	struct page **pages = kcalloc(count, sizeof(*pages),
				      GFP_KERNEL | __GFP_NOFAIL);

	for (i = 0; i < count; i++)
		pages[i] = vmalloc_to_page((void *)memory->control +
					   i * PAGE_SIZE);
	vunmap(memory->control);
	for (i = 0; i < count; i++)
		__free_page(pages[i]);
	kfree(pages);
}

int ring_make(struct kmcl_ring_memory *memory, u32 bytes)
{
	memory->control = ring_map(bytes);
	if (!memory->control)
		return -ENOMEM;
	memory->data = (void *)memory->control + PAGE_SIZE;
	memory->size = bytes - PAGE_SIZE;
	/* Both ends know what it is. */
	memory->control->features = KMCL_RING_PENDING_SEND_SIZE;
	return 0;
}
