// SPDX-License-Identifier: GPL-2.0-only
/* Pages of kernel memory: which there are, and which can be held. */

#include <linux/mm.h>

#include "page.h"

/*
 * A page with a count of zero belongs to somebody who frees it without looking
 * at the count (slab, tails of non-compound blocks): there is no reference to
 * take, and a slab page's would confuse its owner.
 */
struct page *kmcl_page_reference(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (folio_test_slab(folio) || !folio_try_get(folio))
		return NULL;
	return page;
}

/* Pages that never were the page allocator's to give: kernel image, MMIO. */
bool kmcl_page_usable(struct page *page)
{
	return pfn_valid(page_to_pfn(page)) && !PageReserved(page);
}

/*
 * Where page structures are no array of their own, not even the address of one
 * can be asked for that does not exist.
 */
bool kmcl_has_no_page(const void *va)
{
#if defined(CONFIG_X86) && !defined(CONFIG_SPARSEMEM_VMEMMAP)
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return pte && pte_present(*pte) &&
	       !pfn_valid(PHYS_PFN(slow_virt_to_phys((void *)va)));
#else
	return false;
#endif
}
