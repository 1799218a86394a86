// SPDX-License-Identifier: GPL-2.0-only
/* MDLs: their fields, the pages that they hold, and where they are mapped. */

#include <linux/cred.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "../vmbkmcl/mdl_pages.h"
#include "lib/failing.h"
#include "lib/fake_bus.h"
#include "host/protocol.h"
#include "lib/job.h"
#include "lib/log.h"
#include "lib/mdls.h"
#include "lib/owner.h"
#include "lib/user_memory.h"
#include "suites.h"

#define PAGES		4
#define BYTES		(PAGES * PAGE_SIZE)
#define READ_WRITE	(PROT_READ | PROT_WRITE)
#define ANONYMOUS	(MAP_ANONYMOUS | MAP_PRIVATE)

/* The lock fails, and the MDL is unchanged. */
static void lock_fails(struct kunit *test, void *va, u32 len,
		       KPROCESSOR_MODE mode, LOCK_OPERATION operation,
		       NTSTATUS status)
{
	PMDL mdl = get_mdl(test, va, len);
	MDL before = *mdl;
	long pins = pins_held(test);

	KUNIT_EXPECT_EQ(test, MmProbeAndLockPages(mdl, mode, operation),
			status);
	KUNIT_EXPECT_MEMEQ(test, mdl, &before, sizeof(before));
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	if (current->mm)
		KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl,
							     NormalPagePriority));
}

/* Fields */

static void sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(NULL, 1), 1);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(NULL, 4096), 1);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(NULL, 4097), 2);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(4095, 2), 2);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(4095, 4097), 2);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(4095, 4098), 3);
	KUNIT_EXPECT_EQ(test, ADDRESS_AND_SIZE_TO_SPAN_PAGES(4095, U32_MAX),
			0x100001);
	KUNIT_EXPECT_EQ(test, MmSizeOfMdl((void *)8191, 2),
			sizeof(MDL) + 2 * sizeof(PFN_NUMBER));
}

static void new_mdl(struct kunit *test)
{
	void *va = (void *)0xffff888000012345;
	PMDL mdl = get_mdl(test, va, 5000);

	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 5000);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteOffset(mdl), 0x345);
	KUNIT_EXPECT_PTR_EQ(test, MmGetMdlVirtualAddress(mdl), va);
	KUNIT_EXPECT_PTR_EQ(test, mdl->StartVa, va - 0x345);
	KUNIT_EXPECT_EQ(test, mdl->Size, MmSizeOfMdl(va, 5000));
	KUNIT_EXPECT_NULL(test, mdl->Next);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(NULL, 0));
}

static void no_mdl(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(test, 8, FALSE, FALSE,
					      (PIRP)test));
	/* Eight megabytes of page numbers, in one allocation */
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, U32_MAX, FALSE, FALSE,
					      NULL));
	IoFreeMdl(NULL);
}

/* Kernel memory */

static void describes(struct kunit *test, PMDL mdl, void *va)
{
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	unsigned int i;

	for (i = 0; i < ADDRESS_AND_SIZE_TO_SPAN_PAGES(va, mdl->ByteCount); i++) {
		void *page = mdl->StartVa + i * 4096;
		u64 pa = is_vmalloc_addr(page) ?
			 PFN_PHYS(vmalloc_to_pfn(page)) + offset_in_page(page) :
			 virt_to_phys(page);

		KUNIT_EXPECT_EQ(test, pfns[i], pa >> 12);
	}
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, 0), va);
	KUNIT_EXPECT_PTR_EQ(test,
			    MmMapLockedPagesSpecifyCache(mdl, KernelMode,
							 MmCached, NULL, FALSE,
							 NormalPagePriority),
			    va);
	MmUnmapLockedPages(va, mdl);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, 0), va);
}

static char static_memory[8192];

static void kernel_memory(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	void *slab = kunit_kzalloc(test, 3 * 4096, GFP_KERNEL);
	PMDL mdl;

	mdl = get_mdl(test, va + 100, BYTES - 200);
	MmBuildMdlForNonPagedPool(mdl);
	describes(test, mdl, va + 100);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);

	mdl = get_mdl(test, slab + 8, 5000);
	MmBuildMdlForNonPagedPool(mdl);
	describes(test, mdl, slab + 8);

	/* Static memory of a module is vmalloc memory, in a range of its own. */
	mdl = get_mdl(test, static_memory, sizeof(static_memory));
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, 0),
			    (void *)static_memory);
	KUNIT_EXPECT_EQ(test, *MmGetMdlPfnArray(mdl),
			vmalloc_to_pfn(static_memory));
}

static void no_kernel_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	void *va = get_vmalloc(test, BYTES);
	void *nobodys[] = {
		NULL, (void *)addr, (void *)-4096, &addr, va + BYTES,
	};
	unsigned int i;
	PMDL mdl;

	log_record(test);
	for (i = 0; i < ARRAY_SIZE(nobodys); i++) {
		mdl = get_mdl(test, nobodys[i], 100);
		MmBuildMdlForNonPagedPool(mdl);
		KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
		KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));
	}
	/* The first page is valid. */
	mdl = get_mdl(test, va, BYTES + 1);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	mdl = get_mdl(test, va, 0);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	is_logged(test, "no kernel memory to share");
}

/* A client has changed the MDL: there is no room for the numbers of all pages. */
static void no_room(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = get_mdl(test, va, PAGE_SIZE);

	mdl->ByteCount = BYTES;
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(mdl, KernelMode, IoReadAccess),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_NULL(test, mdl->Locked);
}

/* Addresses of a PC: in a gap of its memory, behind it, and far behind. */
static const phys_addr_t mmio_places[] = { 0xa0000, 0xfee00000, 0xc000000000 };

static void mmio_place(const phys_addr_t *place, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%pa", place);
}

KUNIT_ARRAY_PARAM(mmio, mmio_places, mmio_place);

static void mmio_is_refused(struct kunit *test)
{
	const phys_addr_t *place = test->param_value;
	void __iomem *mapped = ioremap(*place, PAGE_SIZE);
	void *va = (__force void *)mapped;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, va);
	mdl = IoAllocateMdl(va, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	log_record(test);
	MmBuildMdlForNonPagedPool(mdl);
	is_logged(test, "builds an MDL of what is no kernel memory to share");
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));
	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(mdl, KernelMode, IoModifyAccess),
			STATUS_ACCESS_DENIED);
	IoFreeMdl(mdl);
	iounmap(mapped);
}

static void locked_kernel_memory(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	struct page *page = vmalloc_to_page(va + PAGE_SIZE);
	PMDL mdl;

	mdl = lock_mdl(test, va + PAGE_SIZE - 1, 2, KernelMode, IoModifyAccess);
	describes(test, mdl, va + PAGE_SIZE - 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 2);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va + 2 * PAGE_SIZE)),
			1);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));
}

/* Its pages are found in several page tables, from within one of them. */
static void locked_in_many_tables(struct kunit *test)
{
	size_t size = 2 * PMD_SIZE + BYTES;
	void *va = get_vmalloc(test, size);

	if (IS_ALIGNED((unsigned long)va, PMD_SIZE)) {
		va += PAGE_SIZE;
		size -= PAGE_SIZE;
	}
	describes(test, lock_mdl(test, va, size, KernelMode, IoWriteAccess), va);
}

#ifdef CONFIG_X86
/* They are in no table at all, where one entry is for 2 MiB. */
static void locked_huge_pages(struct kunit *test)
{
	void *va = get_huge_vmalloc(test, 2 * PMD_SIZE);
	unsigned int level = PG_LEVEL_NONE;

	KUNIT_ASSERT_NOT_NULL(test, lookup_address((unsigned long)va, &level));
	KUNIT_ASSERT_EQ(test, level, PG_LEVEL_2M);
	describes(test, lock_mdl(test, va, 2 * PMD_SIZE, KernelMode,
				 IoWriteAccess), va);
}
#endif

/* A slab page has no reference to take; nothing else of it is touched. */
static void locked_slab_memory(struct kunit *test)
{
	u64 *words = kunit_kzalloc(test, 512, GFP_KERNEL);
	struct page *page = virt_to_page(words);
	int count = page_count(page);
	PMDL mdl;

	mdl = lock_mdl(test, words + 1, 100, KernelMode, IoWriteAccess);
	describes(test, mdl, words + 1);
	KUNIT_EXPECT_EQ(test, page_count(page), count);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, page_count(page), count);
}

static void freed_early(struct kunit *test)
{
	void *va = (void *)__get_free_page(GFP_KERNEL);
	struct page *page = virt_to_page(va);
	PMDL mdl = lock_mdl(test, va, 8, KernelMode, IoWriteAccess);

	free_page((unsigned long)va);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	MmUnlockPages(mdl);
}

/* User memory */

static void tagged_user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl;
	u8 *va;

	user_memory_write_pattern(test, addr, BYTES, 3);
	addr = user_memory_tagged(test, addr);
	mdl = lock_mdl(test, (void *)addr + 5000, BYTES - 6000, UserMode,
		       IoModifyAccess);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_TRUE(test, has_pattern(va, BYTES - 6000, 3, 5000));
}

static void user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	long pins = pins_held(test);
	PMDL mdl;
	u8 *va;

	user_memory_write_pattern(test, addr, BYTES, 3);
	mdl = lock_mdl(test, (void *)addr + 5000, BYTES - 6000, UserMode,
		       IoModifyAccess);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 3);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins + 3);

	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_PTR_EQ(test,
			    MmGetSystemAddressForMdlSafe(mdl, LowPagePriority),
			    (void *)va);
	KUNIT_EXPECT_TRUE(test, has_pattern(va, BYTES - 6000, 3, 5000));
	fill_pattern(va, BYTES - 6000, 4, 5000);
	/* An MDL that is mapped is not mapped again. */
	KUNIT_EXPECT_NULL(test,
			  MmMapLockedPagesSpecifyCache(mdl, KernelMode,
						       MmCached, NULL, FALSE,
						       0));
	MmUnmapLockedPages(va, mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, 0);
	KUNIT_EXPECT_NOT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));

	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_NULL(test, mdl->MappedSystemVa);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	/* Through the mapping, and nowhere else. */
	va = kunit_kmalloc(test, BYTES, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test,
			copy_from_user(va, (void __user *)addr, BYTES), 0);
	KUNIT_EXPECT_TRUE(test, has_pattern(va, 5000, 3, 0));
	KUNIT_EXPECT_TRUE(test, has_pattern(va + 5000, BYTES - 6000, 4, 5000));
	KUNIT_EXPECT_TRUE(test, has_pattern(va + BYTES - 1000, 1000, 3,
					    BYTES - 1000));
}

#ifdef CONFIG_X86
static bool is_writable(void *va)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return pte && pte_write(*pte);
}

static void read_only_mappings(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl = lock_mdl(test, (void *)addr, BYTES, UserMode, IoReadAccess);
	void *va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_FALSE(test, is_writable(va));
	MmUnlockPages(mdl);

	KUNIT_ASSERT_EQ(test, MmProbeAndLockPages(mdl, UserMode, IoWriteAccess),
			STATUS_SUCCESS);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority |
					       MdlMappingNoWrite);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_FALSE(test, is_writable(va));
	MmUnmapLockedPages(va, mdl);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_TRUE(test, is_writable(va));
}

#endif

static void memory_not_to_be_written(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, PROT_READ,
					     ANONYMOUS);

	lock_fails(test, (void *)addr, BYTES, UserMode, IoWriteAccess,
		   STATUS_ACCESS_DENIED);
	lock_fails(test, (void *)addr, BYTES, KernelMode, IoModifyAccess,
		   STATUS_ACCESS_DENIED);
	lock_mdl(test, (void *)addr, BYTES, UserMode, IoReadAccess);
}

static void memory_of_nobody(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	void *va = get_vmalloc(test, BYTES);
	u64 on_stack = 0;

	KUNIT_ASSERT_EQ(test, vm_munmap(addr + BYTES - PAGE_SIZE, PAGE_SIZE),
			0);
	lock_fails(test, (void *)addr, BYTES, UserMode, IoWriteAccess,
		   STATUS_ACCESS_VIOLATION);
	lock_fails(test, (void *)TASK_SIZE - 8, 16, UserMode, IoWriteAccess,
		   STATUS_ACCESS_VIOLATION);
	lock_fails(test, va, BYTES, UserMode, IoReadAccess,
		   STATUS_ACCESS_VIOLATION);
	lock_fails(test, va + BYTES, 1, KernelMode, IoReadAccess,
		   STATUS_ACCESS_VIOLATION);
	lock_fails(test, va, BYTES + 1, KernelMode, IoReadAccess,
		   STATUS_ACCESS_VIOLATION);
	lock_fails(test, &on_stack, 8, KernelMode, IoReadAccess,
		   STATUS_INVALID_PARAMETER_1);
	lock_fails(test, static_memory, 8, KernelMode, IoReadAccess,
		   STATUS_ACCESS_DENIED);
}

static void bad_arguments(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl;

	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(NULL, KernelMode, IoReadAccess),
			STATUS_INVALID_PARAMETER_1);
	lock_fails(test, va, 0, KernelMode, IoReadAccess,
		   STATUS_INVALID_PARAMETER_1);
	lock_fails(test, (void *)-8, 16, KernelMode, IoReadAccess,
		   STATUS_INVALID_PARAMETER_1);
	lock_fails(test, va, 8, MaximumMode, IoReadAccess,
		   STATUS_INVALID_PARAMETER_2);
	lock_fails(test, va, 8, -1, IoReadAccess, STATUS_INVALID_PARAMETER_2);
	lock_fails(test, va, 8, KernelMode, IoModifyAccess + 1,
		   STATUS_INVALID_PARAMETER_3);

	/* The client has changed where the MDL begins. */
	mdl = get_mdl(test, va, 8);
	mdl->StartVa += 8;
	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(mdl, KernelMode, IoReadAccess),
			STATUS_INVALID_PARAMETER_1);
	if (mdl->Locked)
		MmUnlockPages(mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);

	/* An MDL that is locked, and one whose pages were filled in otherwise */
	mdl = lock_mdl(test, va, BYTES, KernelMode, IoReadAccess);
	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(mdl, KernelMode, IoReadAccess),
			STATUS_INVALID_PARAMETER_1);
	MmUnlockPages(mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test,
			MmProbeAndLockPages(mdl, KernelMode, IoReadAccess),
			STATUS_INVALID_PARAMETER_1);
}

static void over_the_limit(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	struct rlimit *limit = &current->signal->rlim[RLIMIT_MEMLOCK];
	PMDL mdl = get_mdl(test, (void *)addr, BYTES - PAGE_SIZE);
	unsigned long was = limit->rlim_cur;
	const struct cred *old;
	struct cred *user;

	user = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, user);
	cap_lower(user->cap_effective, CAP_IPC_LOCK);
	old = override_creds(user);
	limit->rlim_cur = (PAGES - 1) * PAGE_SIZE;
	lock_fails(test, (void *)addr, BYTES, UserMode, IoWriteAccess,
		   STATUS_QUOTA_EXCEEDED);
	KUNIT_EXPECT_EQ(test, MmProbeAndLockPages(mdl, UserMode, IoWriteAccess),
			STATUS_SUCCESS);
	if (mdl->Locked)
		MmUnlockPages(mdl);
	limit->rlim_cur = was;
	revert_creds(old);
	put_cred(user);
}

/* Two threads that map the same MDL */

#define MAP_ROUNDS	50

struct mapper {
	PMDL mdl;
	atomic_t *ready;
	PVOID va;
};

static void do_map(void *data)
{
	struct mapper *mapper = data;

	atomic_dec(mapper->ready);
	while (atomic_read(mapper->ready) > 0)
		cond_resched();
	mapper->va = MmGetSystemAddressForMdlSafe(mapper->mdl, 0);
}

static void mapped_by_two_threads(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl = lock_mdl(test, (void *)addr, BYTES, UserMode, IoWriteAccess);
	struct mapper mappers[2];
	struct job *jobs[2];
	unsigned int round, i, twice = 0;
	atomic_t ready;

	for (round = 0; round < MAP_ROUNDS; round++) {
		atomic_set(&ready, 2);
		for (i = 0; i < 2; i++) {
			mappers[i] = (struct mapper) { mdl, &ready };
			jobs[i] = job_start(test, do_map, &mappers[i]);
		}
		for (i = 0; i < 2; i++)
			job_join(test, jobs[i]);
		KUNIT_EXPECT_NOT_NULL(test, mappers[0].va);
		if (mappers[0].va == mappers[1].va) {
			MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
			continue;
		}
		/* One of the mappings has been lost. */
		twice++;
		for (i = 0; i < 2; i++)
			if (mappers[i].va && mappers[i].va != mdl->MappedSystemVa)
				vunmap(mappers[i].va);
		MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
	}
	KUNIT_EXPECT_EQ(test, twice, 0);
}

/* Pages of the guest that are larger than the 4 KiB of a page number */

static const struct fill {
	const char *name;
	unsigned long page_size;
	PFN_NUMBER pfns[8];
	u32 count;
	bool fills;
} fills[] = {
	{ "small pages in any order", SZ_4K, { 7, 3, 3, 9 }, 4, true },
	{ "one number", SZ_64K, { 5 }, 1, true },
	{ "a part of a page", SZ_64K, { 5, 6, 7 }, 3, true },
	{ "the end of a page and the start of another", SZ_64K,
	  { 0x1e, 0x1f, 0x50, 0x51 }, 4, true },
	{ "a gap in a page", SZ_64K, { 5, 7 }, 2, false },
	{ "one page twice", SZ_64K, { 5, 5 }, 2, false },
	{ "backwards", SZ_64K, { 6, 5 }, 2, false },
	{ "another page before the end of the first", SZ_64K,
	  { 0x1d, 0x1e, 0x50 }, 3, false },
	{ "not from the start of the second", SZ_64K,
	  { 0x1f, 0x51 }, 2, false },
	{ "a small page in the middle", SZ_16K,
	  { 0x10, 0x11, 0x12, 0x13, 0x24, 0x17, 0x18 }, 7, false },
	{ "middle pages", SZ_16K,
	  { 0x13, 0x28, 0x29, 0x2a, 0x2b, 0x14 }, 6, true },
};

KUNIT_ARRAY_PARAM_DESC(fill, fills, name);

static void pages_to_map(struct kunit *test)
{
	const struct fill *fill = test->param_value;

	KUNIT_EXPECT_EQ(test, kmcl_mdl_pfns_fill_pages(fill->pfns, fill->count,
						       fill->page_size),
			fill->fills);
}

/* Misuse */

static void mapping_refused(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl = lock_mdl(test, (void *)addr, BYTES, UserMode, IoWriteAccess);
	void *va;

	KUNIT_EXPECT_NULL(test,
			  MmMapLockedPagesSpecifyCache(mdl, UserMode, MmCached,
						       NULL, FALSE, 0));
	KUNIT_EXPECT_NULL(test,
			  MmMapLockedPagesSpecifyCache(mdl, KernelMode,
						       MmNonCached, NULL, FALSE,
						       0));
	KUNIT_EXPECT_NULL(test,
			  MmMapLockedPagesSpecifyCache(mdl, KernelMode,
						       MmCached, test, FALSE,
						       0));
	KUNIT_EXPECT_NULL(test,
			  MmMapLockedPagesSpecifyCache(NULL, KernelMode,
						       MmCached, NULL, FALSE,
						       0));
	va = MmGetSystemAddressForMdlSafe(mdl, 0);
	log_record(test);
	MmUnmapLockedPages(va + 1, mdl);
	is_logged(test, "unmaps an MDL from where it is not mapped");
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(mdl, 0), va);
}

/* A client that fills in the numbers itself, wrongly. */
static void numbers_of_no_memory(struct kunit *test)
{
	PMDL mdl = get_mdl(test, (void *)4096, 4096);

	*MmGetMdlPfnArray(mdl) = 1UL << 50;
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	KUNIT_EXPECT_NULL(test, MmGetSystemAddressForMdlSafe(mdl, 0));
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, MDL_PAGES_LOCKED);
}

static void locked_mdl_is_not_freed(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = lock_mdl(test, va, BYTES, KernelMode, IoWriteAccess);

	log_record(test);
	IoFreeMdl(mdl);
	is_logged(test, "frees an MDL of locked pages");
	KUNIT_EXPECT_NOT_NULL(test, mdl->Locked);
	MmUnlockPages(mdl);
	MmUnlockPages(mdl);
	is_logged(test, "unlocks an MDL that is not locked");
}

/* Parts */

static void part_of_kernel_memory(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	PMDL whole = get_mdl(test, va + 10, BYTES - 20);
	PMDL part = get_mdl(test, va + 4000, 5000);

	MmBuildMdlForNonPagedPool(whole);
	part->Next = whole;
	IoBuildPartialMdl(whole, part, va + 4000, 5000);
	describes(test, part, va + 4000);
	KUNIT_EXPECT_EQ(test, part->ByteCount, 5000);
	KUNIT_EXPECT_PTR_EQ(test, part->Next, whole);

	/* Another one in the same place, to the end. */
	IoBuildPartialMdl(whole, part, va + BYTES - 100, 0);
	KUNIT_EXPECT_EQ(test, part->ByteCount, 90);
	describes(test, part, va + BYTES - 100);
}

static void part_of_user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	void *start = (void *)addr + PAGE_SIZE + 10;
	PMDL part, whole;
	u8 *va;

	user_memory_write_pattern(test, addr, BYTES, 9);
	whole = lock_mdl(test, (void *)addr, BYTES, UserMode, IoWriteAccess);
	part = get_mdl(test, start, 100);
	IoBuildPartialMdl(whole, part, start, 100);
	KUNIT_EXPECT_EQ(test, *MmGetMdlPfnArray(part),
			MmGetMdlPfnArray(whole)[PAGE_SIZE / 4096]);
	/* A mapping of its own: the whole has none. */
	va = MmGetSystemAddressForMdlSafe(part, 0);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, va[0], testdev_pattern(9, PAGE_SIZE + 10));
	KUNIT_EXPECT_EQ(test, whole->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, 0);
	KUNIT_EXPECT_NE(test, part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED, 0);

	/* Used again while it is mapped; now the whole's. */
	va = MmGetSystemAddressForMdlSafe(whole, 0);
	IoBuildPartialMdl(whole, part, start, 50);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdlSafe(part, 0),
			    (void *)va + PAGE_SIZE + 10);
	KUNIT_EXPECT_EQ(test, part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED, 0);

	/* Freed while it is mapped: kmemleak would report the mapping. */
	MmUnmapLockedPages(va, whole);
	IoBuildPartialMdl(whole, part, start, 50);
	KUNIT_EXPECT_NOT_NULL(test, MmGetSystemAddressForMdlSafe(part, 0));
}

static void no_part(struct kunit *test)
{
	void *va = get_vmalloc(test, BYTES);
	PMDL whole = get_mdl(test, va + 10, BYTES - 20);
	PMDL part = get_mdl(test, va + 4000, 5000);
	MDL before = *part;
	static const struct {
		unsigned int start;
		unsigned int len;
	} parts[] = {
		{ 9, 100 }, { 10, BYTES - 19 }, { BYTES - 10, 0 },
		{ BYTES - 10, 1 }, { 100, U32_MAX }, { 0, 0 },
		/* More pages than there is room for. */
		{ 4095, 8195 }, { 10, 0 },
	};
	unsigned int i;

	log_record(test);
	IoBuildPartialMdl(whole, part, va + 4000, 5000);
	is_logged(test, "builds an MDL of no part of another");
	MmBuildMdlForNonPagedPool(whole);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		IoBuildPartialMdl(whole, part, va + parts[i].start,
				  parts[i].len);
		KUNIT_EXPECT_MEMEQ_MSG(test, part, &before, sizeof(before),
				       "part %u", i);
	}
}

/* No long-term pins for it, so no GPADL; but a packet is no longer than direct I/O. */
static void shared_file_for_writing(struct kunit *test)
{
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", BYTES);
	unsigned long addr = user_memory_map(test, file, BYTES, READ_WRITE,
					     MAP_SHARED);
	VMBCHANNEL ch = fake_bus_start(test)->ch;
	long pins = pins_held(test);
	u32 handle = 0x5eed;
	PMDL mdl, part;
	void *va;

	mdl = lock_mdl(test, (void *)addr, BYTES, UserMode, IoModifyAccess);
	part = get_mdl(test, (void *)addr, BYTES);
	IoBuildPartialMdl(mdl, part, (void *)addr, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(ch, 0, mdl, 0, 0, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(ch, 0, part, 0, 0,
						     &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	fill_pattern(va, BYTES, 5, 0);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
	KUNIT_EXPECT_TRUE(test, user_memory_has_pattern(addr, BYTES, 5));
}

/* Its pages and its account stay until the MDL is unlocked, by anybody. */
static void owner_is_gone(struct kunit *test)
{
	long pins = pins_held(test);
	struct owner *owner = owner_start(test, NULL);
	PMDL mdl = owner->mdl;
	u8 *va;

	KUNIT_ASSERT_EQ(test, owner->status, STATUS_SUCCESS);
	owner_kill(test, owner);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), OWNER_BYTES / PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pins_held(test),
			pins + (long)(OWNER_BYTES / PAGE_SIZE));
	va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_EXPECT_NOT_NULL(test, va);
	if (va)
		memset(va, 0xa5, OWNER_BYTES);
	MmUnlockPages(mdl);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), 0);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	IoFreeMdl(mdl);
}

/* Every allocation fails once. */
static void allocations_fail(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl = get_mdl(test, (void *)addr, BYTES);
	unsigned int nth, failures = 0;
	long pins = pins_held(test);
	bool failed = true;

	user_memory_write_pattern(test, addr, BYTES, 1);
	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		NTSTATUS status;
		void *va = NULL;

		fail_nth(nth);
		status = MmProbeAndLockPages(mdl, UserMode, IoWriteAccess);
		if (NT_SUCCESS(status))
			va = MmGetSystemAddressForMdlSafe(mdl, 0);
		failed = has_failed();
		fail_nth(0);
		if (!NT_SUCCESS(status)) {
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_EQ(test, mdl->MdlFlags, 0);
		} else {
			MmUnlockPages(mdl);
		}
		if (!va) {
			KUNIT_EXPECT_TRUE(test, failed);
			failures++;
		}
		KUNIT_EXPECT_EQ(test, pins_held(test), pins);
		KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
	}
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_GE(test, failures, 4);

	fail_nth(1);
	KUNIT_EXPECT_NULL(test, IoAllocateMdl(NULL, 1, FALSE, FALSE, NULL));
	fail_nth(0);
}

static struct kunit_case mdl_cases[] = {
	KUNIT_CASE(sizes),
	KUNIT_CASE(new_mdl),
	KUNIT_CASE(no_mdl),
	KUNIT_CASE(kernel_memory),
	KUNIT_CASE(no_kernel_memory),
	KUNIT_CASE_PARAM(mmio_is_refused, mmio_gen_params),
	KUNIT_CASE(locked_kernel_memory),
	KUNIT_CASE(locked_in_many_tables),
#ifdef CONFIG_X86
	KUNIT_CASE(locked_huge_pages),
#endif
	KUNIT_CASE(locked_slab_memory),
	KUNIT_CASE(freed_early),
	KUNIT_CASE(user_memory),
	KUNIT_CASE(tagged_user_memory),
#ifdef CONFIG_X86
	KUNIT_CASE(read_only_mappings),
#endif
	KUNIT_CASE(memory_not_to_be_written),
	KUNIT_CASE(memory_of_nobody),
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(over_the_limit),
	KUNIT_CASE(mapped_by_two_threads),
	KUNIT_CASE_PARAM(pages_to_map, fill_gen_params),
	KUNIT_CASE(mapping_refused),
	KUNIT_CASE(numbers_of_no_memory),
	KUNIT_CASE(locked_mdl_is_not_freed),
	KUNIT_CASE(part_of_kernel_memory),
	KUNIT_CASE(part_of_user_memory),
	KUNIT_CASE(no_part),
	KUNIT_CASE(shared_file_for_writing),
	KUNIT_CASE(owner_is_gone),
	/* Not next to others that fill the log, whose lines are rate limited. */
	KUNIT_CASE(no_room),
	KUNIT_CASE_SLOW(allocations_fail),
	{}
};

struct kunit_suite vmbkmcl_mdl_suite = {
	.name = "vmbkmcl_mdl",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = mdl_cases,
};
