/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory held for the host: see memory.c. */
#ifndef _KMCL_MEMORY_H
#define _KMCL_MEMORY_H

#include <linux/types.h>

struct kmcl_extent;
struct mm_struct;
struct page;

enum kmcl_memory {
	KMCL_MEMORY_USER,
	KMCL_MEMORY_VMALLOC,
	KMCL_MEMORY_LINEAR,
	KMCL_MEMORY_MDL,
};

/**
 * struct kmcl_buffer - memory that stays where it is while the host may use it
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
struct kmcl_buffer {
	void *va;
	u32 size;
	enum kmcl_memory kind;
	bool held;
	bool pinned_short;
	bool read_only;
	unsigned int nr_pages;
	struct page **pages;
	struct mm_struct *mm;
};

int kmcl_buffer_lock(struct kmcl_buffer *buf, void *addr, u32 bytes,
		     bool read_only);
int kmcl_buffer_hold(struct kmcl_buffer *buf, void *addr, u32 bytes,
		     bool read_only);
int kmcl_buffer_hold_extent(struct kmcl_buffer *buf,
			    const struct kmcl_extent *extent, bool read_only);
void kmcl_buffer_release(struct kmcl_buffer *buf);
struct page *kmcl_buffer_page(const struct kmcl_buffer *buf, unsigned int i);
const char *kmcl_buffer_kind(const struct kmcl_buffer *buf);
const char *kmcl_buffer_holder(const struct kmcl_buffer *buf);
void kmcl_buffer_reference(struct kmcl_buffer *buf);

bool kmcl_in_module(unsigned long start, unsigned long end);

#endif /* _KMCL_MEMORY_H */
