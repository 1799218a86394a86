/* SPDX-License-Identifier: GPL-2.0-only */
/* Allocation of pages as MDLs, and physical addresses. */
#ifndef _VMBKMCL_WINDOWS_MEMORY_H
#define _VMBKMCL_WINDOWS_MEMORY_H

#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <vmbkmcl/mdl.h>
#include <vmbkmcl/windows/types.h>

#define MM_DONT_ZERO_ALLOCATION			0x00000001
#define MM_ALLOCATE_FROM_LOCAL_NODE_ONLY	0x00000002
#define MM_ALLOCATE_FULLY_REQUIRED		0x00000004
#define MM_ALLOCATE_NO_WAIT			0x00000008
#define MM_ALLOCATE_PREFER_CONTIGUOUS		0x00000010

/*
 * Windows stops the machine if the MDL can not be mapped. Here the result is
 * NULL.
 */
#define MmGetSystemAddressForMdl(Mdl)	\
	MmGetSystemAddressForMdlSafe(Mdl, HighPagePriority)

/* Returns 0 if this is not an address of kernel memory. */
static inline PHYSICAL_ADDRESS MmGetPhysicalAddress(PVOID BaseAddress)
{
	PHYSICAL_ADDRESS address = {};

	if (is_vmalloc_addr(BaseAddress))
		address.QuadPart = page_to_phys(vmalloc_to_page(BaseAddress)) +
				   offset_in_page(BaseAddress);
	else if (virt_addr_valid(BaseAddress))
		address.QuadPart = virt_to_phys(BaseAddress);
	return address;
}

/* Unmap the MDL so that it can be used for another mapping. The pages are kept. */
static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA &&
	    (!(Mdl->MdlFlags & MDL_PARTIAL) ||
	     Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED))
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

/* Free the guest's pages of an MDL from MmAllocatePagesForMdlEx(). */
static inline void kmcl_free_pages(PMDL mdl, ULONG bytes)
{
	const ULONG each = PAGE_SIZE / MDL_PAGE_SIZE;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	ULONG i;

	for (i = 0; i < bytes / PAGE_SIZE; i++)
		__free_page(pfn_to_page(pfns[i * each] / each));
}

/* Returns the number of bytes that pages were allocated for. */
static inline ULONG kmcl_allocate_pages(PMDL mdl, gfp_t gfp)
{
	const ULONG each = PAGE_SIZE / MDL_PAGE_SIZE;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	ULONG done, i;

	for (done = 0; done < mdl->ByteCount; done += PAGE_SIZE) {
		struct page *page = alloc_page(gfp);

		if (!page)
			break;
		for (i = 0; i < each; i++)
			*pfns++ = page_to_pfn(page) * each + i;
	}
	return done;
}

/**
 * MmAllocatePagesForMdlEx() - allocate pages without a mapping
 * @LowAddress: must be 0
 * @HighAddress: highest physical address that the pages may have: 4 GiB - 1 or more
 * @SkipBytes: no effect, as @LowAddress is 0
 * @TotalBytes: size in bytes, below 4 GiB; rounded up to whole pages
 * @CacheType: must be %MmCached
 * @Flags: flags (``MM_...``). Without %MM_ALLOCATE_FULLY_REQUIRED fewer bytes than
 *	@TotalBytes may be allocated.
 *
 * Context: may sleep; with %MM_ALLOCATE_NO_WAIT any but hard interrupts.
 * Return: an MDL, whose pages MmFreePagesFromMdl() frees, and which
 * ExFreePool() frees; %NULL without memory, or if an argument is not as
 * described.
 *
 * Source: Microsoft's MmAllocatePagesForMdlEx documentation.
 */
static inline PMDL MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
					   PHYSICAL_ADDRESS HighAddress,
					   PHYSICAL_ADDRESS SkipBytes,
					   SIZE_T TotalBytes,
					   MEMORY_CACHING_TYPE CacheType,
					   ULONG Flags)
{
	gfp_t gfp = Flags & MM_ALLOCATE_NO_WAIT ? GFP_ATOMIC : GFP_KERNEL;
	SIZE_T bytes = ALIGN(TotalBytes, PAGE_SIZE);
	ULONG done;
	PMDL mdl;

	if (!TotalBytes || bytes > U32_MAX || LowAddress.QuadPart ||
	    CacheType != MmCached || (u64)HighAddress.QuadPart < U32_MAX)
		return NULL;
	gfp |= __GFP_NOWARN;
	if ((u64)HighAddress.QuadPart == U32_MAX)
		gfp |= GFP_DMA32;
	if (!(Flags & MM_DONT_ZERO_ALLOCATION))
		gfp |= __GFP_ZERO;
	mdl = IoAllocateMdl(NULL, bytes, FALSE, FALSE, NULL);
	if (!mdl)
		return NULL;
	done = kmcl_allocate_pages(mdl, gfp);
	if (!done || (done < bytes && Flags & MM_ALLOCATE_FULLY_REQUIRED)) {
		kmcl_free_pages(mdl, done);
		IoFreeMdl(mdl);
		return NULL;
	}
	mdl->ByteCount = done;
	mdl->MdlFlags |= MDL_PAGES_LOCKED | MDL_WRITE_OPERATION;
	return mdl;
}

#define MmAllocatePagesForMdl(Low, High, Skip, Bytes)	\
	MmAllocatePagesForMdlEx(Low, High, Skip, Bytes, MmCached, 0)

/* May sleep. The pages must not be mapped, or used by the host, any more. */
static inline VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
	MmPrepareMdlForReuse(MemoryDescriptorList);
	kmcl_free_pages(MemoryDescriptorList, MemoryDescriptorList->ByteCount);
	MemoryDescriptorList->ByteCount = 0;
	MemoryDescriptorList->MdlFlags &= ~(MDL_PAGES_LOCKED |
					    MDL_WRITE_OPERATION);
}

#endif /* _VMBKMCL_WINDOWS_MEMORY_H */
