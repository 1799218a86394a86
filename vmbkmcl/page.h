/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages of kernel memory: see page.c. */
#ifndef _KMCL_PAGE_H
#define _KMCL_PAGE_H

#include <linux/pgtable.h>
#include <linux/types.h>

struct page;

/**
 * struct kmcl_vmalloc_walk - the pages of vmalloc memory, one after the other
 * @va: address of the next one
 * @pte: the entry of the one before it; NULL: there is no table to go on in
 */
struct kmcl_vmalloc_walk {
	void *va;
	pte_t *pte;
};

struct page *kmcl_vmalloc_next(struct kmcl_vmalloc_walk *walk);
bool kmcl_has_no_page(const void *va);
bool kmcl_is_mapped_writable(const void *va);
bool kmcl_page_usable(struct page *page, const struct page *known);
bool kmcl_page_has_one_owner(struct page *page, unsigned int refs);
struct page *kmcl_page_reference(struct page *page);

#endif /* _KMCL_PAGE_H */
