// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of MDLs that stays in place while the host uses it.
 *
 * The owner of the memory has to keep its pages. The pages are referenced
 * nevertheless, as those of a kernel buffer are. They are mapped contiguously,
 * as hv_vmbus makes a GPADL only of contiguous memory that begins at the start
 * of a page.
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
 * Set page @i of 4 KiB of the memory to @pfn. A page of the guest that is
 * larger than 4 KiB must be complete and in order.
 */
static int kmcl_memory_set_pfn(struct kmcl_memory *mem, u32 i, PFN_NUMBER pfn)
{
	struct page **page = &mem->pages[i / KMCL_PFNS_A_PAGE];
	unsigned long guest_pfn = kmcl_mdl_guest_pfn(pfn);
	int err;

	if (pfn % KMCL_PFNS_A_PAGE != i % KMCL_PFNS_A_PAGE)
		return i ? -EINVAL : -ERANGE;
	if (!pfn_valid(guest_pfn))
		return -EPERM;
	err = kmcl_page_check(pfn_to_page(guest_pfn), NULL);
	if (err)
		return err;
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
		/*
		 * Each segment must begin at the start of a page, and so the
		 * segment before must end at the end of a page.
		 */
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
 * An MDL does not have MDL_WRITE_OPERATION if it was locked for reading, if it
 * describes memory that the kernel may not write, or if it is a part of such an
 * MDL.
 */
static int kmcl_mdl_range_may_be_held(const struct kmcl_mdl_range *range,
				      bool read_only)
{
	CSHORT all, any = kmcl_mdl_range_flags(range, &all);

	if (!read_only && !(all & MDL_WRITE_OPERATION))
		return -EACCES;
	return any & MDL_PINNED_SHORT ? -EOPNOTSUPP : 0;
}

/*
 * True if an MDL of the range describes a task's stack. MmBuildMdlForNonPagedPool() finds
 * only the caller's, as it must be fast.
 */
static bool kmcl_mdl_range_is_stack(const struct kmcl_mdl_range *range)
{
	struct kmcl_mdl_range left = *range;
	struct kmcl_mdl_segment segment;
	unsigned long start;

	while (kmcl_mdl_range_next(&left, &segment)) {
		if (!(left.mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL))
			continue;
		start = (unsigned long)MmGetMdlVirtualAddress(left.mdl);
		if (kmcl_on_stack(start, start + left.mdl->ByteCount))
			return true;
	}
	return false;
}

/**
 * kmcl_memory_hold_mdl_range - keep memory of MDLs in place for a GPADL
 * @mem: filled in; kmcl_memory_release() releases it
 * @range: a checked range. The host gets its last page as a whole.
 * @read_only: the host will only read
 *
 * Context: may sleep.
 * Return:
 * * %0 - success
 * * %-EACCES - the memory may only be read, and @read_only is not set
 * * %-EOPNOTSUPP - the memory is user memory that can not be pinned for long
 * * %-ERANGE - the range does not begin at the start of a page
 * * %-EINVAL - the range has a gap within a page between two MDLs, or is stack memory
 * * %-EPERM - the pages do not belong to the page allocator, or have no memory
 * * %-EHWPOISON - the hardware reported an error of a page
 * * %-EMSGSIZE - a part of the last page may belong to somebody else
 * * %-ENOMEM - there is not enough memory
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
	err = kmcl_memory_alloc_pages(mem, DIV_ROUND_UP(mem->size, PAGE_SIZE));
	if (err)
		return err;
	err = kmcl_memory_set_pages(mem, *range);
	if (err)
		goto free;
	err = kmcl_mdl_range_may_be_held(range, read_only);
	if (err)
		goto free;
	err = -EINVAL;
	if (kmcl_mdl_range_is_stack(range))
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
