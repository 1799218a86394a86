/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that stays in place while the host uses it: see memory.c. */
#ifndef _KMCL_MEMORY_H
#define _KMCL_MEMORY_H

#include <linux/types.h>

struct kmcl_mdl_range;
struct mm_struct;
struct page;

enum kmcl_memory_kind {
	KMCL_MEMORY_USER,
	KMCL_MEMORY_VMALLOC,
	KMCL_MEMORY_LINEAR,
	KMCL_MEMORY_MDL,
};

/**
 * struct kmcl_memory - memory that stays in place while the host uses it
 * @va: address of a contiguous kernel mapping of all pages; NULL for user
 *	memory from kmcl_memory_lock()
 * @size: size in bytes, whole Hyper-V pages; 0 after kmcl_memory_lock()
 * @kind: kind of the memory, which decides how it is released
 * @held: the module holds a pin or a reference of every page; otherwise the
 *	owner has to keep the memory
 * @pinned_short: user memory, pinned without FOLL_LONGTERM, for packets only
 * @read_only: the host will not write, so the pages are not marked dirty
 * @nr_pages: number of pages of PAGE_SIZE
 * @pages: all pages, an array of @nr_pages
 * @referenced: bitmap of the pages that the module holds a reference of; empty for
 *	user memory, whose pages are all pinned
 * @mm: address space that the pages are charged to; only for user memory
 */
struct kmcl_memory {
	void *va;
	u32 size;
	enum kmcl_memory_kind kind;
	bool held;
	bool pinned_short;
	bool read_only;
	unsigned int nr_pages;
	struct page **pages;
	unsigned long *referenced;
	struct mm_struct *mm;
};

int kmcl_memory_lock(struct kmcl_memory *mem, void *addr, u32 bytes,
		     bool read_only);
int kmcl_memory_hold(struct kmcl_memory *mem, void *addr, u32 bytes,
		     bool read_only);
int kmcl_memory_hold_mdl_range(struct kmcl_memory *mem,
			       const struct kmcl_mdl_range *range,
			       bool read_only);
void kmcl_memory_release(struct kmcl_memory *mem);
const char *kmcl_memory_kind_name(const struct kmcl_memory *mem);
const char *kmcl_memory_holder(const struct kmcl_memory *mem);
int kmcl_memory_alloc_pages(struct kmcl_memory *mem, unsigned int nr_pages);
void kmcl_memory_reference(struct kmcl_memory *mem);

void *kmcl_memory_untag(void *addr);
bool kmcl_on_stack(unsigned long start, unsigned long end);
bool kmcl_in_module(unsigned long start, unsigned long end);

#endif /* _KMCL_MEMORY_H */
