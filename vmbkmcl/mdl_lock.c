// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory Descriptor Lists: holding their pages, and mapping them.
 *
 * User memory is pinned and charged as a GPADL's is (memory.c). Kernel memory is
 * not paged here and has its address already: its pages are referenced where they
 * can be, and "mapping" them is to tell that address.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdl_pages.h"
#include "memory.h"
#include "status.h"

/* Guest pages; the first may begin before the MDL's first page. */
static u32 kmcl_mdl_guest_pages(const MDL *mdl)
{
	unsigned long offset = (*MmGetMdlPfnArray(mdl) << MDL_PAGE_SHIFT) &
			       ~PAGE_MASK;

	return DIV_ROUND_UP(offset + mdl->ByteOffset + mdl->ByteCount,
			    PAGE_SIZE);
}

static void kmcl_mdl_fill(PMDL mdl, const struct kmcl_memory *buf)
{
	unsigned long va = (unsigned long)mdl->StartVa, first = va >> PAGE_SHIFT;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 i;

	for (i = 0; i < kmcl_mdl_pages(mdl); i++, va += MDL_PAGE_SIZE) {
		struct page *page =
			kmcl_memory_get_page(buf, (va >> PAGE_SHIFT) - first);

		pfns[i] = (page_to_pfn(page) << (PAGE_SHIFT - MDL_PAGE_SHIFT)) +
			  (offset_in_page(va) >> MDL_PAGE_SHIFT);
	}
}

static int kmcl_mdl_lock(PMDL mdl, bool read_only)
{
	struct kmcl_memory *buf;
	int err;

	buf = kmalloc(sizeof(*buf), GFP_KERNEL_ACCOUNT);
	if (!buf)
		return -ENOMEM;
	err = kmcl_memory_lock(buf, MmGetMdlVirtualAddress(mdl), mdl->ByteCount,
			       read_only);
	if (err) {
		kfree(buf);
		return err;
	}
	kmcl_mdl_fill(mdl, buf);
	mdl->Locked = buf;
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (!read_only)
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
	if (buf->pinned_short)
		mdl->MdlFlags |= MDL_PINNED_SHORT;
	if (buf->va) {
		mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
		mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	}
	return 0;
}

/**
 * MmProbeAndLockPages() - hold the memory an MDL describes, and find its pages
 * @mdl: an MDL without page numbers; of a chain this one only
 * @access_mode: %UserMode: the memory must be the calling process's; %KernelMode:
 *	it may be. An address that came from a process wants %UserMode.
 * @operation: %IoReadAccess: a device reads the memory, which needs only be
 *	readable; anything else: it writes to it
 *
 * User memory is pinned and charged to RLIMIT_MEMLOCK of the process until
 * MmUnlockPages(), also when that is gone. Where it cannot be pinned for long (shared
 * mappings of files on disk) it is good for packets, and not for a GPADL: unlock it
 * when the packet is complete. vmalloc and page allocator pages
 * are referenced, so that freeing them early does no harm; slab memory and the
 * pages of a non-compound block after the first can not be, and their owner keeps
 * them.
 *
 * On Windows this returns nothing and raises an exception on failure. Here it
 * returns a status, and has changed nothing then.
 *
 * Context: may sleep. For user memory the owning process's context.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without an MDL, when it has
 * page numbers, no bytes, or wraps around, or describes stack memory;
 * %STATUS_INVALID_PARAMETER_2 or _3 for that argument; %STATUS_ACCESS_VIOLATION
 * where nothing is mapped, for kernel memory in %UserMode, or for a user address
 * without a process; %STATUS_ACCESS_DENIED for memory that may not be written, or
 * of the kernel's or a module's image; %STATUS_NOT_SUPPORTED for memory that can
 * not be pinned (devices, secret memory); %STATUS_THREAD_IS_TERMINATING for a process
 * that is killed meanwhile; %STATUS_IN_PAGE_ERROR for a page that the hardware
 * reported; %STATUS_QUOTA_EXCEEDED over RLIMIT_MEMLOCK;
 * %STATUS_INSUFFICIENT_RESOURCES.
 * Source: Microsoft's MmProbeAndLockPages documentation; the statuses are ours.
 */
NTSTATUS MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE access_mode,
			     LOCK_OPERATION operation)
{
	unsigned long start;
	int err;

	might_sleep();
	if (!mdl || kmcl_mdl_has_pages(mdl) || mdl->Locked || !mdl->ByteCount)
		return STATUS_INVALID_PARAMETER_1;
	if (access_mode != KernelMode && access_mode != UserMode)
		return STATUS_INVALID_PARAMETER_2;
	if (operation < IoReadAccess || operation > IoModifyAccess)
		return STATUS_INVALID_PARAMETER_3;
	start = (unsigned long)MmGetMdlVirtualAddress(mdl);
	if (start + mdl->ByteCount - 1 < start)
		return STATUS_INVALID_PARAMETER_1;
	if (access_mode == UserMode && start >= TASK_SIZE)
		return STATUS_ACCESS_VIOLATION;

	err = kmcl_mdl_lock(mdl, operation == IoReadAccess);
	return err == -EINVAL ? STATUS_INVALID_PARAMETER_1 : kmcl_status(err);
}
EXPORT_SYMBOL_GPL(MmProbeAndLockPages);

/**
 * MmUnlockPages() - undo MmProbeAndLockPages()
 * @mdl: an MDL whose pages that has locked; nothing happens to any other, but a
 *	log line. It has no page numbers then.
 *
 * Also unmaps it. Pages that were locked for writing are marked dirty. External
 * data of a packet must stay locked until that is complete.
 *
 * Context: may sleep; any process.
 * Source: Microsoft's MmUnlockPages documentation.
 */
VOID MmUnlockPages(PMDL mdl)
{
	might_sleep();
	if (!mdl->Locked) {
		pr_warn_ratelimited("%ps unlocks an MDL that is not locked\n",
				    (void *)_RET_IP_);
		return;
	}
	kmcl_mdl_unmap(mdl);
	kmcl_memory_release(mdl->Locked);
	kfree(mdl->Locked);
	mdl->Locked = NULL;
	mdl->MappedSystemVa = NULL;
	mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION |
			   MDL_PINNED_SHORT | MDL_SOURCE_IS_NONPAGED_POOL);
}
EXPORT_SYMBOL_GPL(MmUnlockPages);

/* The mapping is this MDL's own, and not its owner's or another MDL's. */
static bool kmcl_mdl_is_mapped(const MDL *mdl)
{
	if (mdl->MdlFlags & MDL_PARTIAL)
		return mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED;
	return mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA;
}

void kmcl_mdl_unmap(PMDL mdl)
{
	if (!kmcl_mdl_is_mapped(mdl))
		return;
	vunmap((void *)((unsigned long)mdl->MappedSystemVa & PAGE_MASK));
	mdl->MappedSystemVa = NULL;
	mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA |
			   MDL_PARTIAL_HAS_BEEN_MAPPED);
}

/* Kernel address of the first of @count guest pages; NULL without memory. */
static void *kmcl_mdl_vmap(const MDL *mdl, u32 count, pgprot_t prot)
{
	unsigned long pfn = kmcl_mdl_guest_pfn(*MmGetMdlPfnArray(mdl)), i;
	unsigned long skip = *MmGetMdlPfnArray(mdl) -
			     (pfn << (PAGE_SHIFT - MDL_PAGE_SHIFT));
	struct page **pages;
	void *va = NULL;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return NULL;
	for (i = 0; i < count; i++) {
		if (i)
			pfn = kmcl_mdl_guest_pfn(MmGetMdlPfnArray(mdl)
				[(i << (PAGE_SHIFT - MDL_PAGE_SHIFT)) - skip]);
		if (!pfn_valid(pfn))
			goto free;
		pages[i] = pfn_to_page(pfn);
	}
	va = vmap(pages, count, VM_MAP, prot);
free:
	kvfree(pages);
	return va;
}

/**
 * MmMapLockedPagesSpecifyCache() - map the pages of an MDL into the kernel
 * @mdl: an MDL with page numbers, not mapped yet
 * @access_mode: must be %KernelMode
 * @cache_type: must be %MmCached: the memory is mapped like that elsewhere
 * @requested_address: must be NULL
 * @bug_check_on_failure: no effect: a failure returns
 * @priority: %NormalPagePriority and the like: no effect; with %MdlMappingNoWrite
 *	the mapping is read-only. So it is in any case for an MDL without
 *	%MDL_WRITE_OPERATION: its pages were locked to be read.
 *
 * Kernel memory is not mapped again: the address is the one it has.
 *
 * Context: may sleep; for kernel memory any.
 * Return: address of the first byte, until MmUnmapLockedPages() or
 * MmUnlockPages(); NULL without memory, or when an argument is another one.
 * Source: Microsoft's MmMapLockedPagesSpecifyCache documentation.
 */
PVOID MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE access_mode,
				   MEMORY_CACHING_TYPE cache_type,
				   PVOID requested_address,
				   ULONG bug_check_on_failure, ULONG priority)
{
	pgprot_t prot = PAGE_KERNEL;
	void *va;

	if (!mdl || !kmcl_mdl_has_pages(mdl) || !mdl->ByteCount ||
	    access_mode != KernelMode || cache_type != MmCached ||
	    requested_address)
		return NULL;
	if (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
		return mdl->MappedSystemVa;
	if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		return NULL;

	might_sleep();
	if (priority & MdlMappingNoWrite ||
	    !(mdl->MdlFlags & MDL_WRITE_OPERATION))
		prot = PAGE_KERNEL_RO;
	va = kmcl_mdl_vmap(mdl, kmcl_mdl_guest_pages(mdl), prot);
	if (!va)
		return NULL;
	va += ((*MmGetMdlPfnArray(mdl) << MDL_PAGE_SHIFT) & ~PAGE_MASK) +
	      mdl->ByteOffset;
	mdl->MappedSystemVa = va;
	mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	if (mdl->MdlFlags & MDL_PARTIAL)
		mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
	return va;
}
EXPORT_SYMBOL_GPL(MmMapLockedPagesSpecifyCache);

/**
 * MmUnmapLockedPages() - undo MmMapLockedPagesSpecifyCache()
 * @base_address: what that returned
 * @mdl: the same MDL; with another address it stays as it is, with a log line
 *
 * Context: may sleep; for kernel memory, where nothing is to be done, any.
 * Source: Microsoft's MmUnmapLockedPages documentation.
 */
VOID MmUnmapLockedPages(PVOID base_address, PMDL mdl)
{
	if (!base_address || base_address != mdl->MappedSystemVa) {
		pr_warn_ratelimited("%ps unmaps an MDL from where it is not mapped\n",
				    (void *)_RET_IP_);
		return;
	}
	kmcl_mdl_unmap(mdl);
}
EXPORT_SYMBOL_GPL(MmUnmapLockedPages);

/**
 * MmGetSystemAddressForMdlSafe() - kernel address of the memory of an MDL
 * @mdl: an MDL with page numbers
 * @priority: as for MmMapLockedPagesSpecifyCache(), which maps it if need be
 *
 * Context: any for kernel memory and for an MDL that is mapped; else may sleep.
 * Return: address of the first byte, until MmUnlockPages(); NULL without memory,
 * or without page numbers.
 * Source: Microsoft's MmGetSystemAddressForMdlSafe documentation.
 */
PVOID MmGetSystemAddressForMdlSafe(PMDL mdl, ULONG priority)
{
	if (mdl && mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		return mdl->MappedSystemVa;
	return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL,
					    FALSE, priority);
}
EXPORT_SYMBOL_GPL(MmGetSystemAddressForMdlSafe);
