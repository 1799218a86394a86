// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks of single pages of kernel memory: does a page exist, can it be
 * referenced?
 */

#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pgtable.h>
#include <linux/vmalloc.h>

#include "memory_page.h"

/*
 * Take a reference of a page and return the page, or return NULL. A page with a
 * count of zero (the tail pages of a non-compound block) can not be referenced,
 * as its owner frees it whatever the count is. A reference of a slab page would
 * confuse the slab allocator. The owner may break the rules and free the block
 * meanwhile, so the folio is looked at again once it can not change.
 */
struct page *kmcl_page_reference(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (folio_test_slab(folio) || !folio_try_get(folio))
		return NULL;
	if (page_folio(page) != folio || folio_test_slab(folio)) {
		folio_put(folio);
		return NULL;
	}
	return page;
}

/*
 * True if one owner has the whole page: the page has one reference, or none as
 * a part of a larger block. Slabs, page fragments and pinned memory may be
 * shared with others.
 * @refs: number of references that the caller itself holds.
 */
bool kmcl_page_has_one_owner(struct page *page, unsigned int refs)
{
	struct folio *folio = page_folio(page);

	return !folio_test_slab(folio) &&
	       folio_ref_count(folio) - (int)refs <= 1;
}

/*
 * True if the page belongs to a process or a file, and so a part of the page may belong
 * to somebody else.
 */
bool kmcl_page_is_user(struct page *page)
{
	struct folio *folio = page_folio(page);

	return folio_test_anon(folio) || folio_mapping(folio);
}

/*
 * True if @page has a struct page. If @known is in the same memory subsection,
 * which has either all or none, this is known without the slower pfn_valid().
 */
static bool kmcl_page_exists(const struct page *page, const struct page *known)
{
	unsigned long pfn = page_to_pfn(page);

#ifdef PAGES_PER_SUBSECTION
	if (known && (pfn ^ page_to_pfn(known)) < PAGES_PER_SUBSECTION)
		return true;
#endif
	return pfn_valid(pfn);
}

/*
 * True if the page is free. A free page has no reference, but not every page
 * without a reference is free.
 */
static bool kmcl_page_is_free(struct page *page)
{
	return !page_count(page) && is_free_buddy_page(page);
}

/*
 * Returns -EPERM for pages that the page allocator never had (kernel image, MMIO), for
 * free pages, and for pages without memory behind them, which a balloon has given to the
 * host. Free pages in the per-CPU lists can not be recognised: 0 for them, too. Returns
 * -EHWPOISON for a page of which the hardware has reported an error.
 *
 * @known: another page that is usable, or NULL. It makes the check faster if
 *	both pages are in the same memory subsection.
 */
int kmcl_page_check(struct page *page, const struct page *known)
{
	if (!kmcl_page_exists(page, known) || PageReserved(page) ||
	    PageOffline(page) || kmcl_page_is_free(page))
		return -EPERM;
	/* Of a huge page, only the first page says so. */
	return is_page_hwpoison(page) ? -EHWPOISON : 0;
}

/*
 * True if the kernel may write at @va. A client must not be able to write
 * through the host what it can not write itself.
 */
bool kmcl_is_mapped_writable(const void *va)
{
#ifdef CONFIG_X86
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return !pte || pte_write(*pte);
#elif defined(CONFIG_ARM64)
	unsigned long flags;
	u64 result;

	/* The instruction translates an address as a write by the kernel would. */
	local_irq_save(flags);
	asm volatile("at s1e1w, %0" : : "r" (va));
	isb();
	result = read_sysreg_par();
	local_irq_restore(flags);
	return !(result & SYS_PAR_EL1_F);
#else
#error "kmcl_is_mapped_writable() is not written for this architecture"
#endif
}

/*
 * True if the memory at @va has no struct page. On configurations without a
 * virtual memory map not even the address of a missing struct page can be
 * computed, so this must be checked before vmalloc_to_page().
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
