/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of a process, and what the kernel counts of it: user_memory.c. */
#ifndef _KUNIT_USER_MEMORY_H
#define _KUNIT_USER_MEMORY_H

#include <kunit/test.h>
#include <linux/mm.h>

struct file;

/*
 * Give the case's thread the address space of the process that loads the tests.
 * A suite that uses it has user_memory_suite_init and user_memory_suite_exit.
 */
int user_memory_suite_init(struct kunit_suite *suite);
void user_memory_suite_exit(struct kunit_suite *suite);
void user_memory_use(struct kunit *test);

/* mmap(), undone at the end of the case; @file may be NULL. */
unsigned long user_memory_map(struct kunit *test, struct file *file, size_t size,
			      unsigned long prot, unsigned long flags);

/* The same address with a tag, where this process's addresses can have one. */
unsigned long user_memory_tagged(struct kunit *test, unsigned long addr);

/* A file of the guest's, with @size bytes of pattern; closed with the case. */
struct file *user_memory_file(struct kunit *test, const char *path, size_t size);

void user_memory_write_pattern(struct kunit *test, unsigned long addr,
			       size_t size, u32 seed);
bool user_memory_has_pattern(unsigned long addr, size_t size, u32 seed);
u32 user_memory_crc32(struct kunit *test, unsigned long addr, size_t size);

/* A line of /proc/vmstat, exact. */
long vm_counter(struct kunit *test, const char *name);

/* Long-term pins that exist now. */
long pins_held(struct kunit *test);

/* Pages that are charged to an address space because they are pinned. */
static inline s64 pinned_pages(struct mm_struct *mm)
{
	return atomic64_read(&mm->pinned_vm);
}

#endif /* _KUNIT_USER_MEMORY_H */
