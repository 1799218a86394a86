// SPDX-License-Identifier: GPL-2.0-only
/* MDLs and memory for them, given back with the case. */

#include <linux/vmalloc.h>

#include "../host/protocol.h"
#include "mdls.h"

static void free_vmalloc(void *va)
{
	vfree(va);
}

static void *kept(struct kunit *test, void *va)
{
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_vmalloc, va),
			0);
	return va;
}

void *get_vmalloc(struct kunit *test, size_t size)
{
	return kept(test, vmalloc(size));
}
EXPORT_TO_TESTS(get_vmalloc);

void *get_huge_vmalloc(struct kunit *test, size_t size)
{
	return kept(test, vmalloc_huge(size, GFP_KERNEL));
}

static void free_mdl(void *mdl)
{
	IoFreeMdl(mdl);
}

PMDL get_mdl(struct kunit *test, void *va, u32 len)
{
	PMDL mdl = IoAllocateMdl(va, len, FALSE, FALSE, NULL);

	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_mdl, mdl),
			0);
	return mdl;
}

PMDL kernel_mdl(struct kunit *test, void *va, u32 len)
{
	PMDL mdl = get_mdl(test, va, len);

	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_ASSERT_NE(test, mdl->MdlFlags, 0);
	return mdl;
}

static void unlock_mdl(void *data)
{
	PMDL mdl = data;

	if (mdl->Locked)
		MmUnlockPages(mdl);
}

PMDL lock_mdl(struct kunit *test, void *va, u32 len, KPROCESSOR_MODE mode,
	      LOCK_OPERATION operation)
{
	PMDL mdl = get_mdl(test, va, len);

	KUNIT_ASSERT_EQ(test, MmProbeAndLockPages(mdl, mode, operation),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unlock_mdl, mdl),
			0);
	return mdl;
}

void fill_pattern(void *va, size_t size, u32 seed, size_t from)
{
	size_t i;

	for (i = 0; i < size; i++)
		((u8 *)va)[i] = testdev_pattern(seed, from + i);
}
EXPORT_TO_TESTS(fill_pattern);

bool has_pattern(const void *va, size_t size, u32 seed, size_t from)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (((const u8 *)va)[i] != testdev_pattern(seed, from + i))
			return false;
	return true;
}
EXPORT_TO_TESTS(has_pattern);
