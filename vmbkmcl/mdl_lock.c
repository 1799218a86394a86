// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory Descriptor Lists: locking their pages, and mapping them.
 *
 * User memory is pinned and charged like the memory of a GPADL (memory.c).
 * Kernel memory is never paged on Linux, and is already mapped: its pages are
 * referenced where that is possible, and the functions that map an MDL return
 * the address that the memory has.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdl_pages.h"
#include "memory.h"
#include "status.h"

/*
 * Number of guest pages of an MDL. A guest page that is larger than 4 KiB may begin
 * before the first page of the MDL.
 */
static u32 kmcl_mdl_guest_pages(const MDL *mdl)
{
	unsigned long offset = (*MmGetMdlPfnArray(mdl) << MDL_PAGE_SHIFT) &
			       ~PAGE_MASK;

	return DIV_ROUND_UP(offset + mdl->ByteOffset + mdl->ByteCount,
			    PAGE_SIZE);
}

static void kmcl_mdl_fill(PMDL mdl, const struct kmcl_memory *mem)
{
	unsigned long va = (unsigned long)mdl->StartVa;
	unsigned long first = va >> PAGE_SHIFT;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 i;

	for (i = 0; i < kmcl_mdl_pages(mdl); i++, va += MDL_PAGE_SIZE) {
		struct page *page = mem->pages[(va >> PAGE_SHIFT) - first];

		pfns[i] = (page_to_pfn(page) << (PAGE_SHIFT - MDL_PAGE_SHIFT)) +
			  (offset_in_page(va) >> MDL_PAGE_SHIFT);
	}
}

static int kmcl_mdl_lock(PMDL mdl, bool read_only)
{
	struct kmcl_memory *mem;
	int err;

	mem = kmalloc(sizeof(*mem), GFP_KERNEL_ACCOUNT);
	if (!mem)
		return -ENOMEM;
	err = kmcl_memory_lock(mem, MmGetMdlVirtualAddress(mdl), mdl->ByteCount,
			       read_only);
	if (err) {
		kfree(mem);
		return err;
	}
	kmcl_mdl_fill(mdl, mem);
	mdl->Locked = mem;
	mdl->MdlFlags |= MDL_PAGES_LOCKED;
	if (!read_only)
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
	if (mem->pinned_short)
		mdl->MdlFlags |= MDL_PINNED_SHORT;
	if (mem->va) {
		mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
		mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	}
	return 0;
}

/**
 * MmProbeAndLockPages() - lock the memory that an MDL describes, and find its pages
 * @mdl: an MDL without page numbers. Other MDLs of its chain are not locked.
 * @access_mode: %UserMode: the memory must belong to the calling process.
 *	%KernelMode: the memory may belong to the process or to the kernel. Use
 *	%UserMode for an address that came from a process.
 * @operation: %IoReadAccess: a device will read the memory, so it need only be
 *	readable. Others: a device will write the memory.
 *
 * User memory is pinned and charged to RLIMIT_MEMLOCK of the process until
 * MmUnlockPages(), even if the process has ended. User memory that can not be
 * pinned for long (shared mappings of files on disk) can be used for packets,
 * but not for a GPADL. Such memory should be unlocked when the packet is
 * complete.
 *
 * Pages of vmalloc and of the page allocator are referenced, so that freeing
 * them early does no harm. Slab memory can not be referenced, and neither can
 * the pages of a non-compound block after the first: their owner has to keep
 * them.
 *
 * On Windows this function returns nothing and raises an exception on failure.
 * Here it returns a status, and on failure has changed nothing.
 *
 * Context: may sleep. For user memory: in the context of the process that owns it.
 * Return:
 * * %STATUS_SUCCESS - the pages are locked
 * * %STATUS_INVALID_PARAMETER_1 - @mdl is %NULL, has page numbers already or no
 *   room for them, or describes no bytes, memory that wraps around, or stack memory
 * * %STATUS_INVALID_PARAMETER_2 - @access_mode is not valid
 * * %STATUS_INVALID_PARAMETER_3 - @operation is not valid
 * * %STATUS_ACCESS_VIOLATION - nothing is mapped at a part of the memory,
 *   @access_mode is %UserMode for kernel memory, or the caller has no process
 *   for a user address
 * * %STATUS_ACCESS_DENIED - the memory may not be written, or is the kernel's or a
 *   module's image, or MMIO
 * * %STATUS_NOT_SUPPORTED - the memory can not be pinned (devices, secret memory)
 * * %STATUS_THREAD_IS_TERMINATING - the process was killed meanwhile
 * * %STATUS_IN_PAGE_ERROR - the hardware reported an error of a page
 * * %STATUS_QUOTA_EXCEEDED - RLIMIT_MEMLOCK would be exceeded
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
 * Source: Microsoft's MmProbeAndLockPages documentation; the statuses are ours.
 */
NTSTATUS MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE access_mode,
			     LOCK_OPERATION operation)
{
	unsigned long start;
	int err;

	might_sleep();
	if (!mdl || kmcl_mdl_has_pages(mdl) || mdl->Locked || !mdl->ByteCount ||
	    !kmcl_mdl_has_room(mdl))
		return STATUS_INVALID_PARAMETER_1;
	if (access_mode != KernelMode && access_mode != UserMode)
		return STATUS_INVALID_PARAMETER_2;
	if (operation < IoReadAccess || operation > IoModifyAccess)
		return STATUS_INVALID_PARAMETER_3;
	start = (unsigned long)MmGetMdlVirtualAddress(mdl);
	if (start + mdl->ByteCount - 1 < start)
		return STATUS_INVALID_PARAMETER_1;
	if (access_mode == UserMode &&
	    (unsigned long)kmcl_memory_untag((void *)start) >= TASK_SIZE)
		return STATUS_ACCESS_VIOLATION;

	err = kmcl_mdl_lock(mdl, operation == IoReadAccess);
	return err == -EINVAL ? STATUS_INVALID_PARAMETER_1 : kmcl_status(err);
}
EXPORT_SYMBOL_GPL(MmProbeAndLockPages);

/**
 * MmUnlockPages() - undo MmProbeAndLockPages()
 * @mdl: an MDL that MmProbeAndLockPages() has locked. Any other MDL is left
 *	unchanged, with a log line.
 *
 * The MDL has no page numbers afterwards and is not mapped any more. Pages that
 * were locked for writing are marked dirty. The external data of a packet must
 * stay locked until the packet is complete.
 *
 * Context: may sleep; in any process.
 *
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

/*
 * True if the mapping belongs to this MDL. Kernel memory is mapped by its
 * owner, and a partial MDL may use the mapping of the MDL that it is a part of.
 */
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

/* Map the @count guest pages of an MDL. Returns NULL on failure. */
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

/*
 * Map an MDL that has page numbers, and return its address; NULL on failure. Another
 * thread may map it at the same time, and may use its mapping already.
 */
static void *kmcl_mdl_map(PMDL mdl, ULONG priority)
{
	pgprot_t prot = PAGE_KERNEL;
	void *va, *first;

	might_sleep();
	if (!kmcl_mdl_pfns_fill_pages(MmGetMdlPfnArray(mdl),
				      kmcl_mdl_pages(mdl), PAGE_SIZE))
		return NULL;
	if (priority & MdlMappingNoWrite ||
	    !(mdl->MdlFlags & MDL_WRITE_OPERATION))
		prot = PAGE_KERNEL_RO;
	va = kmcl_mdl_vmap(mdl, kmcl_mdl_guest_pages(mdl), prot);
	if (!va)
		return NULL;
	va += ((*MmGetMdlPfnArray(mdl) << MDL_PAGE_SHIFT) & ~PAGE_MASK) +
	      mdl->ByteOffset;
	/* The address is there before the flag: see MmGetSystemAddressForMdlSafe(). */
	first = cmpxchg(&mdl->MappedSystemVa, NULL, va);
	if (first) {
		vunmap((void *)((unsigned long)va & PAGE_MASK));
		return first;
	}
	WRITE_ONCE(mdl->MdlFlags, mdl->MdlFlags | MDL_MAPPED_TO_SYSTEM_VA |
				  (mdl->MdlFlags & MDL_PARTIAL ?
				   MDL_PARTIAL_HAS_BEEN_MAPPED : 0));
	return va;
}

/**
 * MmMapLockedPagesSpecifyCache() - map the pages of an MDL into the kernel
 * @mdl: an MDL with page numbers, not mapped yet
 * @access_mode: must be %KernelMode
 * @cache_type: must be %MmCached, as all other mappings of the memory are cached
 * @requested_address: must be %NULL
 * @bug_check_on_failure: no effect: on failure this function returns
 * @priority: %MdlMappingNoWrite makes the mapping read-only. Other values, such
 *	as %NormalPagePriority, have no effect. The mapping is also read-only if
 *	the MDL does not have %MDL_WRITE_OPERATION, as its pages were locked
 *	only for reading.
 *
 * Kernel memory is not mapped again: the address is the one that it already has. If the
 * guest's own pages are larger than 4 KiB, the page numbers must name all of each such page
 * in order; the first and the last of them may be named in part.
 *
 * Context: may sleep; for kernel memory any.
 * Return: address of the first byte, valid until MmUnmapLockedPages() or
 * MmUnlockPages(); %NULL without memory, or if an argument is not as described.
 *
 * Source: Microsoft's MmMapLockedPagesSpecifyCache documentation.
 */
PVOID MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE access_mode,
				   MEMORY_CACHING_TYPE cache_type,
				   PVOID requested_address,
				   ULONG bug_check_on_failure, ULONG priority)
{
	if (!mdl || !kmcl_mdl_has_pages(mdl) || !mdl->ByteCount ||
	    access_mode != KernelMode || cache_type != MmCached ||
	    requested_address)
		return NULL;
	if (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
		return mdl->MappedSystemVa;
	if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)
		return NULL;
	return kmcl_mdl_map(mdl, priority);
}
EXPORT_SYMBOL_GPL(MmMapLockedPagesSpecifyCache);

/**
 * MmUnmapLockedPages() - undo MmMapLockedPagesSpecifyCache()
 * @base_address: address that MmMapLockedPagesSpecifyCache() returned
 * @mdl: the same MDL. If @base_address is not where the MDL is mapped, the MDL
 *	stays mapped, with a log line.
 *
 * Context: may sleep; for kernel memory, which is not unmapped, any.
 *
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
 * MmGetSystemAddressForMdlSafe() - get the kernel address of the memory of an MDL
 * @mdl: an MDL with page numbers. Several threads may call this function for it at the
 *	same time.
 * @priority: as for MmMapLockedPagesSpecifyCache(); no effect if the MDL is mapped already
 *
 * Context: any for kernel memory and for an MDL that is mapped; otherwise may
 * sleep.
 * Return: address of the first byte, valid until MmUnlockPages(); %NULL without
 * memory, or if @mdl has no page numbers.
 *
 * Source: Microsoft's MmGetSystemAddressForMdlSafe documentation.
 */
PVOID MmGetSystemAddressForMdlSafe(PMDL mdl, ULONG priority)
{
	if (!mdl)
		return NULL;
	/* Pairs with cmpxchg() in kmcl_mdl_map(). */
	if (smp_load_acquire(&mdl->MdlFlags) & MDL_MAPPED_TO_SYSTEM_VA)
		return mdl->MappedSystemVa;
	if (!kmcl_mdl_has_pages(mdl) || !mdl->ByteCount)
		return NULL;
	if (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)
		return mdl->MappedSystemVa;
	return kmcl_mdl_map(mdl, priority);
}
EXPORT_SYMBOL_GPL(MmGetSystemAddressForMdlSafe);
