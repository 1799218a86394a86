// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory Descriptor Lists: making them.
 *
 * An MDL says what its memory is; which of the functions here and in mdl_lock.c
 * it went through says what its page numbers are worth.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "mdl_pages.h"
#include "memory.h"
#include "memory_page.h"

/**
 * MmSizeOfMdl() - memory that an MDL takes
 * @base: address of the memory it is to describe
 * @length: bytes of that
 *
 * Context: any.
 * Return: bytes, with a number for each page of 4 KiB.
 * Source: Microsoft's MmSizeOfMdl documentation.
 */
SIZE_T MmSizeOfMdl(PVOID base, SIZE_T length)
{
	return sizeof(MDL) + sizeof(PFN_NUMBER) *
	       ADDRESS_AND_SIZE_TO_SPAN_PAGES(base, length);
}
EXPORT_SYMBOL_GPL(MmSizeOfMdl);

/**
 * MmInitializeMdl() - make an MDL in one's own memory
 * @mdl: MmSizeOfMdl() bytes of the caller's, which become the MDL
 * @base_va: address of the memory it is to describe, of a process or the kernel's
 * @length: bytes of that, below 4 GiB
 *
 * It has no page numbers yet.
 *
 * Context: any.
 * Source: Microsoft's MmInitializeMdl documentation.
 */
VOID MmInitializeMdl(PMDL mdl, PVOID base_va, SIZE_T length)
{
	*mdl = (MDL) {
		.Size = MmSizeOfMdl(base_va, length),
		.StartVa = base_va - BYTE_OFFSET(base_va),
		.ByteCount = length,
		.ByteOffset = BYTE_OFFSET(base_va),
	};
}
EXPORT_SYMBOL_GPL(MmInitializeMdl);

/**
 * IoAllocateMdl() - allocate an MDL
 * @virtual_address: of the memory it is to describe, of a process or the kernel's
 * @length: bytes of that
 * @secondary_buffer: no effect, as there is no IRP whose chain it could be put in
 * @charge_quota: no effect
 * @irp: must be NULL
 *
 * Context: any but hard interrupts.
 * Return: the MDL, without page numbers, freed by IoFreeMdl(); NULL without
 * memory, or with an IRP.
 * Source: Microsoft's IoAllocateMdl documentation.
 */
PMDL IoAllocateMdl(PVOID virtual_address, ULONG length,
		   BOOLEAN secondary_buffer, BOOLEAN charge_quota, PIRP irp)
{
	SIZE_T size = MmSizeOfMdl(virtual_address, length);
	PMDL mdl;

	if (irp)
		return NULL;
	mdl = kmalloc(size, GFP_ATOMIC | __GFP_NOWARN);
	if (mdl)
		MmInitializeMdl(mdl, virtual_address, length);
	return mdl;
}
EXPORT_SYMBOL_GPL(IoAllocateMdl);

/**
 * IoFreeMdl() - free an MDL
 * @mdl: from IoAllocateMdl(), or NULL. Its pages must be unlocked: one that holds
 *	some is kept, with a log line.
 *
 * Frees this one of a chain. Unmaps what IoBuildPartialMdl() made.
 *
 * Context: may sleep if it is part of another MDL and was mapped; else any but
 * hard interrupts.
 * Source: Microsoft's IoFreeMdl documentation.
 */
VOID IoFreeMdl(PMDL mdl)
{
	if (!mdl)
		return;
	if (mdl->Locked) {
		pr_warn_ratelimited("%ps frees an MDL of locked pages: refused\n",
				    (void *)_RET_IP_);
		return;
	}
	kmcl_mdl_unmap(mdl);
	kfree(mdl);
}
EXPORT_SYMBOL_GPL(IoFreeMdl);

/* The page of the kernel's that an address is in; NULL: nobody's, or no memory. */
static struct page *kmcl_mdl_kernel_page(const void *va)
{
	unsigned long start = (unsigned long)va;
	struct page *page = NULL;

	if (is_vmalloc_addr(va) || kmcl_in_module(start, start + 1))
		page = kmcl_has_no_page(va) ? NULL : vmalloc_to_page(va);
	else if (virt_addr_valid(va))
		page = virt_to_page(va);
	return page && kmcl_page_usable(page, NULL) ? page : NULL;
}

/* Number @i of the pages of 4 KiB; 0, which nobody is given: there is none. */
static PFN_NUMBER kmcl_mdl_kernel_pfn(const MDL *mdl, unsigned int i)
{
	const void *va = mdl->StartVa + i * MDL_PAGE_SIZE;
	struct page *page = kmcl_mdl_kernel_page(va);

	if (!page)
		return 0;
	return (page_to_pfn(page) << (PAGE_SHIFT - MDL_PAGE_SHIFT)) +
	       (offset_in_page(va) >> MDL_PAGE_SHIFT);
}

/**
 * MmBuildMdlForNonPagedPool() - fill in the page numbers of kernel memory
 * @mdl: an MDL that describes memory of kmalloc(), vmalloc(), or the page
 *	allocator; all of it is nonpaged here
 *
 * The memory is its owner's to keep until nobody uses the MDL any more. For
 * anything else, as MMIO, and for the caller's stack, the MDL stays without page
 * numbers, with a log line, and is refused by everything that needs them. Of memory
 * that the kernel may only read there is no writable GPADL: the MDL has no
 * %MDL_WRITE_OPERATION.
 *
 * Context: any.
 * Source: Microsoft's MmBuildMdlForNonPagedPool documentation.
 */
VOID MmBuildMdlForNonPagedPool(PMDL mdl)
{
	PVOID va = MmGetMdlVirtualAddress(mdl);
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 count = kmcl_mdl_pages(mdl), i;
	bool writable = true;

	for (i = 0; i < count && (unsigned long)va >= TASK_SIZE; i++) {
		pfns[i] = kmcl_mdl_kernel_pfn(mdl, i);
		if (!pfns[i])
			break;
		writable &= kmcl_is_mapped_writable(mdl->StartVa +
						    i * MDL_PAGE_SIZE);
	}
	if (!count || i < count || mdl->Locked || object_is_on_stack(va)) {
		pr_warn_ratelimited("%ps builds an MDL of what is no kernel memory to share: refused\n",
				    (void *)_RET_IP_);
		return;
	}
	mdl->MappedSystemVa = va;
	mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
	if (writable)
		mdl->MdlFlags |= MDL_WRITE_OPERATION;
}
EXPORT_SYMBOL_GPL(MmBuildMdlForNonPagedPool);

/* Bytes of a part of @source; false: it has no such part. */
static bool kmcl_mdl_part(const MDL *source, const void *va, u32 *len)
{
	size_t skip = va - MmGetMdlVirtualAddress(source);

	if (va < MmGetMdlVirtualAddress(source) || skip >= source->ByteCount)
		return false;
	if (!*len)
		*len = source->ByteCount - skip;
	return *len <= source->ByteCount - skip;
}

/**
 * IoBuildPartialMdl() - describe a part of what another MDL describes
 * @source_mdl: an MDL with page numbers, which stays so until the other is freed
 * @target_mdl: an MDL with room for as many as it needs; becomes the description
 * @virtual_address: where the part begins: MmGetMdlVirtualAddress() of the source,
 *	or behind it
 * @length: bytes of the part, 0 for all to the end
 *
 * What is no part of the source, or has too many pages for the target, leaves the
 * target without page numbers, with a log line.
 *
 * Context: any; may sleep if the target was mapped.
 * Source: Microsoft's IoBuildPartialMdl documentation.
 */
VOID IoBuildPartialMdl(PMDL source_mdl, PMDL target_mdl, PVOID virtual_address,
		       ULONG length)
{
	u32 room = target_mdl->Size, len = length;
	ptrdiff_t skip = virtual_address - MmGetMdlVirtualAddress(source_mdl);
	struct _MDL *next = target_mdl->Next;
	u32 first;

	if (target_mdl->Locked || !kmcl_mdl_has_pages(source_mdl) ||
	    !kmcl_mdl_part(source_mdl, virtual_address, &len) ||
	    MmSizeOfMdl(virtual_address, len) > room) {
		pr_warn_ratelimited("%ps builds an MDL of no part of another: refused\n",
				    (void *)_RET_IP_);
		return;
	}
	kmcl_mdl_unmap(target_mdl);
	MmInitializeMdl(target_mdl, virtual_address, len);
	target_mdl->Next = next;
	target_mdl->Size = room;
	target_mdl->MdlFlags = MDL_PARTIAL |
			       (source_mdl->MdlFlags &
				(MDL_SOURCE_IS_NONPAGED_POOL |
				 MDL_MAPPED_TO_SYSTEM_VA | MDL_WRITE_OPERATION |
				 MDL_PINNED_SHORT));
	if (source_mdl->MappedSystemVa)
		target_mdl->MappedSystemVa = source_mdl->MappedSystemVa + skip;
	first = (source_mdl->ByteOffset + skip) >> MDL_PAGE_SHIFT;
	memcpy(MmGetMdlPfnArray(target_mdl), MmGetMdlPfnArray(source_mdl) + first,
	       kmcl_mdl_pages(target_mdl) * sizeof(PFN_NUMBER));
}
EXPORT_SYMBOL_GPL(IoBuildPartialMdl);
