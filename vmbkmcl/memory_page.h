/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of single pages of kernel memory: see memory_page.c. */
#ifndef _KMCL_MEMORY_PAGE_H
#define _KMCL_MEMORY_PAGE_H

#include <linux/types.h>

struct page;

bool kmcl_has_no_page(const void *va);
bool kmcl_is_mapped_writable(const void *va);
int kmcl_page_check(struct page *page, const struct page *known);
bool kmcl_page_is_user(struct page *page);
bool kmcl_page_has_one_owner(struct page *page, unsigned int refs);
struct page *kmcl_page_reference(struct page *page);

#endif /* _KMCL_MEMORY_PAGE_H */
