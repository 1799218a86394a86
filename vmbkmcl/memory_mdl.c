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
static int kmcl_buffer_set_pfn(struct kmcl_buffer *buf, u32 i, PFN_NUMBER pfn)
{
	struct page **page = &buf->pages[i / KMCL_PFNS_A_PAGE];
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

static int kmcl_buffer_set_pages(struct kmcl_buffer *buf,
				 struct kmcl_extent rest)
{
	struct kmcl_piece piece;
	u32 done = 0, i, count;
	int err;

	while (kmcl_extent_next(&rest, &piece)) {
		/* Each begins where a page does, and so the one before ends there. */
		if (piece.offset || !IS_ALIGNED(done, KMCL_HV_PAGE_SIZE))
			return done ? -EINVAL : -ERANGE;
		count = DIV_ROUND_UP(piece.len, KMCL_HV_PAGE_SIZE);
		for (i = 0; i < count; i++) {
			err = kmcl_buffer_set_pfn(buf, done / KMCL_HV_PAGE_SIZE +
						       i, piece.pfns[i]);
			if (err)
				return err;
		}
		done += piece.len;
	}
	return 0;
}

/*
 * An MDL that was locked for reading, or that describes memory which the kernel may
 * not write, or a part of such an MDL, has no MDL_WRITE_OPERATION.
 */
static int kmcl_extent_may_be_held(const struct kmcl_extent *extent,
				   bool read_only)
{
	CSHORT all, any = kmcl_extent_flags(extent, &all);

	if (!read_only && !(all & MDL_WRITE_OPERATION))
		return -EACCES;
	return any & MDL_PINNED_SHORT ? -EOPNOTSUPP : 0;
}

/**
 * kmcl_buffer_hold_extent - keep memory of MDLs in place for the host
 * @buf: filled in; kmcl_buffer_release() undoes it
 * @extent: which; checked. Its last page is shared as a whole.
 * @read_only: the host will only read
 *
 * Context: may sleep.
 * Return: 0. -EACCES for memory that may only be read, unless @read_only, -EOPNOTSUPP
 * for user memory that cannot be pinned for long, -ERANGE
 * when it does not begin with a page, -EINVAL when there is a gap in it, -EPERM for
 * pages that are not the page allocator's, -EMSGSIZE for
 * a part of a page whose rest may be somebody else's, -ENOMEM.
 */
int kmcl_buffer_hold_extent(struct kmcl_buffer *buf,
			    const struct kmcl_extent *extent, bool read_only)
{
	int err;

	memset(buf, 0, sizeof(*buf));
	buf->kind = KMCL_MEMORY_MDL;
	buf->read_only = read_only;
	buf->size = ALIGN(extent->len, KMCL_HV_PAGE_SIZE);
	buf->nr_pages = DIV_ROUND_UP(buf->size, PAGE_SIZE);
	buf->pages = kvcalloc(buf->nr_pages, sizeof(*buf->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!buf->pages)
		return -ENOMEM;

	err = kmcl_buffer_set_pages(buf, *extent);
	if (err)
		goto free;
	err = kmcl_extent_may_be_held(extent, read_only);
	if (err)
		goto free;
	err = -EMSGSIZE;
	if (extent->len != buf->size &&
	    !kmcl_page_has_one_owner(buf->pages[buf->nr_pages - 1], 0))
		goto free;
	err = -ENOMEM;
	buf->va = vmap(buf->pages, buf->nr_pages, VM_MAP,
		       read_only ? PAGE_KERNEL_RO : PAGE_KERNEL);
	if (!buf->va)
		goto free;
	kmcl_buffer_reference(buf);
	return 0;

free:
	kvfree(buf->pages);
	return err;
}
