/* SPDX-License-Identifier: GPL-2.0-only */
/* MDLs and memory for them, given back with the case: mdls.c. */
#ifndef _KUNIT_MDLS_H
#define _KUNIT_MDLS_H

#include <kunit/test.h>
#include <vmbuskernelmodeclientlibapi.h>

void *get_vmalloc(struct kunit *test, size_t size);
void *get_huge_vmalloc(struct kunit *test, size_t size);

/* Without page numbers. */
PMDL get_mdl(struct kunit *test, void *va, u32 len);

/* With those of kernel memory. */
PMDL kernel_mdl(struct kunit *test, void *va, u32 len);

/* Locked; unlocked with the case, if it still is by then. */
PMDL lock_mdl(struct kunit *test, void *va, u32 len, KPROCESSOR_MODE mode,
	      LOCK_OPERATION operation);

/* Bytes @from to @from + @size of the pattern of @seed. */
void fill_pattern(void *va, size_t size, u32 seed, size_t from);
bool has_pattern(const void *va, size_t size, u32 seed, size_t from);

#endif /* _KUNIT_MDLS_H */
