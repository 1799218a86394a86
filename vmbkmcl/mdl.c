// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory Descriptor Lists: making them.
 *
 * An MDL describes memory and has room for the page numbers of that memory. Its
 * MdlFlags say whether the page numbers are filled in, and by which function.
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
 * MmSizeOfMdl() - get the size of an MDL
 * @base: address of the memory that the MDL will describe
 * @length: size of that memory in bytes
 *
 * Context: any.
 * Return: size of the MDL in bytes, with room for one number for each page of 4
 * KiB.
 *
 * Source: Microsoft's MmSizeOfMdl documentation.
 */
SIZE_T MmSizeOfMdl(PVOID base, SIZE_T length)
{
	return sizeof(MDL) + sizeof(PFN_NUMBER) *
	       ADDRESS_AND_SIZE_TO_SPAN_PAGES(base, length);
}
EXPORT_SYMBOL_GPL(MmSizeOfMdl);

/**
 * MmInitializeMdl() - make an MDL in memory of the caller
 * @mdl: memory of the caller of MmSizeOfMdl() bytes, which becomes the MDL
 * @base_va: address of the memory to describe, of a process or of the kernel
 * @length: size of that memory in bytes, below 4 GiB
 *
 * The MDL has no page numbers yet.
 *
 * Context: any.
 *
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
 * @virtual_address: address of the memory to describe, of a process or of the
 *	kernel
 * @length: size of that memory in bytes
 * @secondary_buffer: no effect, as there is no IRP to add the MDL to
 * @charge_quota: no effect
 * @irp: must be %NULL
 *
 * Context: any but hard interrupts.
 * Return: the MDL, without page numbers, which IoFreeMdl() frees; %NULL without
 * memory, or if @irp is not %NULL.
 *
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
 * @mdl: MDL from IoAllocateMdl(), or %NULL. An MDL whose pages are still locked
 *	is not freed, with a log line.
 *
 * This function frees only @mdl, and not the other MDLs of its chain. If
 * IoBuildPartialMdl() made @mdl and it is mapped, it is unmapped.
 *
 * Context: may sleep if @mdl is a part of another MDL and was mapped; otherwise any
 * but hard interrupts.
 *
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

/* The allocated page at a kernel address, or NULL if there is none. */
static struct page *kmcl_mdl_kernel_page(const void *va)
{
	unsigned long start = (unsigned long)va;
	struct page *page = NULL;

	if (is_vmalloc_addr(va) || kmcl_in_module(start, start + 1))
		page = kmcl_has_no_page(va) ? NULL : vmalloc_to_page(va);
	else if (virt_addr_valid(va))
		page = virt_to_page(va);
	return page && !kmcl_page_check(page, NULL) ? page : NULL;
}

/*
 * Number of the page @i of 4 KiB of an MDL, or 0 if there is no such page. The page
 * allocator never allocates page 0.
 */
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
 * @mdl: an MDL that describes memory of kmalloc(), vmalloc() or the page
 *	allocator. All kernel memory is nonpaged on Linux.
 *
 * The owner has to keep the memory until nothing uses the MDL any more. If @mdl
 * describes something else, such as MMIO or the caller's stack, or has not enough room,
 * it gets no page numbers, with a log line, and functions that need page numbers refuse the
 * MDL. If the kernel may only read the memory, the MDL does not have
 * %MDL_WRITE_OPERATION, and can not become a writable GPADL.
 *
 * Context: any.
 *
 * Source: Microsoft's MmBuildMdlForNonPagedPool documentation.
 */
VOID MmBuildMdlForNonPagedPool(PMDL mdl)
{
	PVOID va = MmGetMdlVirtualAddress(mdl);
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 count = kmcl_mdl_pages(mdl), i;
	bool writable = true;

	if (!kmcl_mdl_has_room(mdl))
		count = 0;
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

/*
 * True if *@len bytes from @va are a part of @source. A length of 0 is replaced by
 * the length from @va to the end of @source.
 */
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
 * IoBuildPartialMdl() - describe a part of the memory of another MDL
 * @source_mdl: an MDL with page numbers, which it must keep until @target_mdl
 *	is freed
 * @target_mdl: an MDL with room for the page numbers of the part; becomes the
 *	description of the part
 * @virtual_address: start of the part, at or behind MmGetMdlVirtualAddress() of
 *	@source_mdl
 * @length: size of the part in bytes, or 0 for all up to the end of @source_mdl
 *
 * If this is not a part of @source_mdl, or has too many pages for @target_mdl, then
 * @target_mdl is not changed, with a log line.
 *
 * Context: any; may sleep if @target_mdl was mapped.
 *
 * Source: Microsoft's IoBuildPartialMdl documentation.
 */
VOID IoBuildPartialMdl(PMDL source_mdl, PMDL target_mdl, PVOID virtual_address,
		       ULONG length)
{
	u32 room = target_mdl->Size, len = length;
	ptrdiff_t skip = virtual_address - MmGetMdlVirtualAddress(source_mdl);
	struct _MDL *next = target_mdl->Next;
	USHORT flags;
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
	/* Another thread may just be mapping the source: pairs with kmcl_mdl_map(). */
	flags = smp_load_acquire(&source_mdl->MdlFlags);
	target_mdl->MdlFlags = MDL_PARTIAL |
			       (flags & (MDL_SOURCE_IS_NONPAGED_POOL |
					 MDL_MAPPED_TO_SYSTEM_VA |
					 MDL_WRITE_OPERATION | MDL_PINNED_SHORT));
	if (flags & (MDL_SOURCE_IS_NONPAGED_POOL | MDL_MAPPED_TO_SYSTEM_VA))
		target_mdl->MappedSystemVa = source_mdl->MappedSystemVa + skip;
	first = (source_mdl->ByteOffset + skip) >> MDL_PAGE_SHIFT;
	memcpy(MmGetMdlPfnArray(target_mdl), MmGetMdlPfnArray(source_mdl) + first,
	       kmcl_mdl_pages(target_mdl) * sizeof(PFN_NUMBER));
}
EXPORT_SYMBOL_GPL(IoBuildPartialMdl);
