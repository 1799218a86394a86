/* SPDX-License-Identifier: GPL-2.0-only */
/* Pages without an address, and addresses of the machine: around MDLs. */
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

/* Windows stops the machine where there is no memory to map it: here NULL tells. */
#define MmGetSystemAddressForMdl(Mdl)	\
	MmGetSystemAddressForMdlSafe(Mdl, HighPagePriority)

/* 0 for what is no memory of the kernel's. */
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

/* Unmaps it, so that it can be described anew; its pages stay. */
static inline VOID MmPrepareMdlForReuse(PMDL Mdl)
{
	if (Mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA &&
	    (!(Mdl->MdlFlags & MDL_PARTIAL) ||
	     Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED))
		MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
}

/* The guest's pages of an MDL that MmAllocatePagesForMdlEx() filled. */
static inline void kmcl_free_pages(PMDL mdl, ULONG bytes)
{
	const ULONG each = PAGE_SIZE / MDL_PAGE_SIZE;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	ULONG i;

	for (i = 0; i < bytes / PAGE_SIZE; i++)
		__free_page(pfn_to_page(pfns[i * each] / each));
}

/* Returns bytes that there are pages for. */
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
 * MmAllocatePagesForMdlEx() - allocate pages that have no address yet
 * @LowAddress: must be 0
 * @HighAddress: the highest address that the pages may have: 4 GiB - 1 or more
 * @SkipBytes: no effect: only with the addresses it would have one
 * @TotalBytes: bytes, below 4 GiB, which are rounded up to whole pages
 * @CacheType: must be %MmCached
 * @Flags: flags (``MM_...``). Without %MM_ALLOCATE_FULLY_REQUIRED there may be
 *	fewer bytes than that
 *
 * Context: may sleep; with %MM_ALLOCATE_NO_WAIT any but hard interrupts.
 * Return: an MDL, whose pages MmFreePagesFromMdl() frees and itself ExFreePool();
 * NULL without memory, or for an argument that is another one.
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

/* May sleep. Nobody has them mapped, or gave them to the host, any more. */
static inline VOID MmFreePagesFromMdl(PMDL MemoryDescriptorList)
{
	MmPrepareMdlForReuse(MemoryDescriptorList);
	kmcl_free_pages(MemoryDescriptorList, MemoryDescriptorList->ByteCount);
	MemoryDescriptorList->ByteCount = 0;
	MemoryDescriptorList->MdlFlags &= ~(MDL_PAGES_LOCKED |
					    MDL_WRITE_OPERATION);
}

#endif /* _VMBKMCL_WINDOWS_MEMORY_H */
