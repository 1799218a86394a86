// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of MDLs, held for the host.
 *
 * Its owner keeps the pages. They are referenced here nevertheless, as those of a
 * kernel buffer are, and mapped one behind the other, as hv_vmbus describes what
 * is contiguous at its address and begins with a page.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdl_pages.h"
#include "mdl_range.h"
#include "memory.h"
#include "memory_page.h"
#include "wire.h"

#define KMCL_PFNS_A_PAGE	(PAGE_SIZE / KMCL_HV_PAGE_SIZE)

/*
 * Page @i of 4 KiB of the buffer is @pfn. A larger page of the guest's has to be
 * there in one piece.
 */
static int kmcl_memory_set_pfn(struct kmcl_memory *mem, u32 i, PFN_NUMBER pfn)
{
	struct page **page = &mem->pages[i / KMCL_PFNS_A_PAGE];
	unsigned long guest_pfn = kmcl_mdl_guest_pfn(pfn);

	if (pfn % KMCL_PFNS_A_PAGE != i % KMCL_PFNS_A_PAGE)
		return i ? -EINVAL : -ERANGE;
	if (!pfn_valid(guest_pfn) ||
	    !kmcl_page_usable(pfn_to_page(guest_pfn), NULL))
		return -EPERM;
	if (!*page)
		*page = pfn_to_page(guest_pfn);
	return *page == pfn_to_page(guest_pfn) ? 0 : -EINVAL;
}

static int kmcl_memory_set_pages(struct kmcl_memory *mem,
				 struct kmcl_mdl_range left)
{
	struct kmcl_mdl_segment segment;
	u32 done = 0, i, count;
	int err;

	while (kmcl_mdl_range_next(&left, &segment)) {
		/* Each begins where a page does, and so the one before ends there. */
		if (segment.offset || !IS_ALIGNED(done, KMCL_HV_PAGE_SIZE))
			return done ? -EINVAL : -ERANGE;
		count = DIV_ROUND_UP(segment.len, KMCL_HV_PAGE_SIZE);
		for (i = 0; i < count; i++) {
			err = kmcl_memory_set_pfn(mem,
						  done / KMCL_HV_PAGE_SIZE + i,
						  segment.pfns[i]);
			if (err)
				return err;
		}
		done += segment.len;
	}
	return 0;
}

/*
 * An MDL that was locked for reading, or that describes memory which the kernel may
 * not write, or a part of such an MDL, has no MDL_WRITE_OPERATION.
 */
static int kmcl_mdl_range_may_be_held(const struct kmcl_mdl_range *range,
				      bool read_only)
{
	CSHORT all, any = kmcl_mdl_range_flags(range, &all);

	if (!read_only && !(all & MDL_WRITE_OPERATION))
		return -EACCES;
	return any & MDL_PINNED_SHORT ? -EOPNOTSUPP : 0;
}

/**
 * kmcl_memory_hold_mdl_range - keep memory of MDLs in place for the host
 * @mem: filled in; kmcl_memory_release() undoes it
 * @range: which; checked. Its last page is shared as a whole.
 * @read_only: the host will only read
 *
 * Context: may sleep.
 * Return: 0. -EACCES for memory that may only be read, unless @read_only, -EOPNOTSUPP
 * for user memory that cannot be pinned for long, -ERANGE
 * when it does not begin with a page, -EINVAL when there is a gap in it, -EPERM for
 * pages that are not the page allocator's, -EMSGSIZE for
 * a part of a page whose rest may be somebody else's, -ENOMEM.
 */
int kmcl_memory_hold_mdl_range(struct kmcl_memory *mem,
			       const struct kmcl_mdl_range *range,
			       bool read_only)
{
	int err;

	memset(mem, 0, sizeof(*mem));
	mem->kind = KMCL_MEMORY_MDL;
	mem->read_only = read_only;
	mem->size = ALIGN(range->len, KMCL_HV_PAGE_SIZE);
	mem->nr_pages = DIV_ROUND_UP(mem->size, PAGE_SIZE);
	mem->pages = kvcalloc(mem->nr_pages, sizeof(*mem->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!mem->pages)
		return -ENOMEM;

	err = kmcl_memory_set_pages(mem, *range);
	if (err)
		goto free;
	err = kmcl_mdl_range_may_be_held(range, read_only);
	if (err)
		goto free;
	err = -EMSGSIZE;
	if (range->len != mem->size &&
	    !kmcl_page_has_one_owner(mem->pages[mem->nr_pages - 1], 0))
		goto free;
	err = -ENOMEM;
	mem->va = vmap(mem->pages, mem->nr_pages, VM_MAP,
		       read_only ? PAGE_KERNEL_RO : PAGE_KERNEL);
	if (!mem->va)
		goto free;
	kmcl_memory_reference(mem);
	return 0;

free:
	kvfree(mem->pages);
	return err;
}
