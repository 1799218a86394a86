// SPDX-License-Identifier: GPL-2.0-only
/* Pages of kernel memory: which there are, and which can be held. */

#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include "memory_page.h"

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

/*
 * A page with one reference, or with none as part of a larger block, is one owner's.
 * Slabs, page fragments and pinned memory may be shared with others. @refs: how many
 * of its references are the caller's own.
 */
bool kmcl_page_has_one_owner(struct page *page, unsigned int refs)
{
	struct folio *folio = page_folio(page);

	return !folio_test_slab(folio) &&
	       folio_ref_count(folio) - (int)refs <= 1;
}

/* A page's structure is there when that of another of its subsection is. */
static bool kmcl_page_exists(const struct page *page, const struct page *known)
{
	unsigned long pfn = page_to_pfn(page);

#ifdef PAGES_PER_SUBSECTION
	if (known && (pfn ^ page_to_pfn(known)) < PAGES_PER_SUBSECTION)
		return true;
#endif
	return pfn_valid(pfn);
}

/* A free page has no reference; only some of those that have none are free. */
static bool kmcl_page_is_free(struct page *page)
{
	return !page_count(page) && is_free_buddy_page(page);
}

/*
 * False for pages that never were the page allocator's to give (kernel image, MMIO),
 * and for those that it has not given to anybody. The allocator's lists for each CPU
 * cannot be asked. @known: another page that was usable, or NULL; it saves time where
 * it is near.
 */
bool kmcl_page_usable(struct page *page, const struct page *known)
{
	return kmcl_page_exists(page, known) && !PageReserved(page) &&
	       !kmcl_page_is_free(page);
}

/*
 * Nobody may write through the host what he may not write himself. Only x86 lets a
 * module ask; elsewhere the answer is always yes.
 */
bool kmcl_is_mapped_writable(const void *va)
{
#ifdef CONFIG_X86
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return !pte || pte_write(*pte);
#else
	return true;
#endif
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
