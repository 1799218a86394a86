/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory held for the host: see memory.c. */
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
 * struct kmcl_memory - memory that stays where it is while the host may use it
 * @va: kernel address of all of its pages, contiguous; NULL for user memory that
 *	was only locked
 * @size: bytes, whole Hyper-V pages; only when it is held for the host
 * @kind: where it came from, which decides how it is let go
 * @held: the module holds a pin or a reference of every page; else the memory is
 *	its owner's to keep
 * @pinned_short: user memory that cannot be pinned for long
 * @read_only: the host promised not to write; the pages are not dirtied
 * @nr_pages: of PAGE_SIZE
 * @pages: those this buffer holds a pin or a reference of, else NULL
 * @mm: the address space charged for it; only for user memory
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
struct page *kmcl_memory_get_page(const struct kmcl_memory *mem,
				  unsigned int i);
const char *kmcl_memory_kind_name(const struct kmcl_memory *mem);
const char *kmcl_memory_holder(const struct kmcl_memory *mem);
void kmcl_memory_reference(struct kmcl_memory *mem);

bool kmcl_in_module(unsigned long start, unsigned long end);

#endif /* _KMCL_MEMORY_H */
