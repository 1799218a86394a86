/* SPDX-License-Identifier: GPL-2.0-only */
/* The page numbers of Memory Descriptor Lists: see mdl.c and mdl_lock.c. */
#ifndef _KMCL_MDL_PAGES_H
#define _KMCL_MDL_PAGES_H

#include <linux/math.h>
#include <asm/page.h>
#include <vmbkmcl/mdl.h>

/* Number of pages of 4 KiB that the memory of an MDL is in. */
static inline u32 kmcl_mdl_pages(const MDL *mdl)
{
	return DIV_ROUND_UP((u64)mdl->ByteOffset + mdl->ByteCount,
			    MDL_PAGE_SIZE);
}

/*
 * True if the MDL has room for the numbers of all of its pages, the first of which begins
 * at StartVa. A client can change an MDL.
 */
static inline bool kmcl_mdl_has_room(const MDL *mdl)
{
	return !BYTE_OFFSET(mdl->StartVa) && mdl->ByteOffset < MDL_PAGE_SIZE &&
	       mdl->Size >= sizeof(*mdl) +
			    (u64)kmcl_mdl_pages(mdl) * sizeof(PFN_NUMBER);
}

/* True if the page numbers of the MDL are filled in. */
static inline bool kmcl_mdl_has_pages(const MDL *mdl)
{
	return mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
				MDL_PARTIAL) &&
	       kmcl_mdl_has_room(mdl);
}

/* Number of the guest's own page that contains a page of 4 KiB. */
static inline unsigned long kmcl_mdl_guest_pfn(PFN_NUMBER pfn)
{
	return pfn >> (PAGE_SHIFT - MDL_PAGE_SHIFT);
}

/*
 * True if the memory of @count pages of 4 KiB can be mapped with pages of @page_size: they
 * fill each such page in order, from the start of all but the first to the end of all but
 * the last. Otherwise a mapping would have memory that the numbers do not name.
 */
static inline bool kmcl_mdl_pfns_fill_pages(const PFN_NUMBER *pfns, u32 count,
					    unsigned long page_size)
{
	const PFN_NUMBER mask = page_size / MDL_PAGE_SIZE - 1;
	u32 i;

	for (i = 1; i < count; i++) {
		PFN_NUMBER next = pfns[i - 1] + 1;

		if (next & mask ? pfns[i] != next : pfns[i] & mask)
			return false;
	}
	return true;
}

void kmcl_mdl_unmap(PMDL mdl);

#endif /* _KMCL_MDL_PAGES_H */
