/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory Descriptor Lists, which describe memory and its pages.
 *
 * The page numbers behind the structure are those of pages of 4 KiB, as VMBus
 * counts them, even if the guest's own pages are larger. The functions are
 * documented at their definitions in vmbkmcl/mdl.c and vmbkmcl/mdl_lock.c.
 */
#ifndef _VMBKMCL_MDL_H
#define _VMBKMCL_MDL_H

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/types.h>

typedef short CSHORT;
typedef signed char CCHAR;
typedef unsigned long SIZE_T;

/* Always NULL: Linux has no I/O request packets. */
typedef struct _IRP *PIRP;

typedef CCHAR KPROCESSOR_MODE;
typedef enum _MODE {
	KernelMode,
	UserMode,
	MaximumMode,
} MODE;

/* How the device will access the memory. */
typedef enum _LOCK_OPERATION {
	IoReadAccess,
	IoWriteAccess,
	IoModifyAccess,
} LOCK_OPERATION;

typedef enum _MEMORY_CACHING_TYPE {
	MmNonCached,
	MmCached,
	MmWriteCombined,
} MEMORY_CACHING_TYPE;

/* Priority of a mapping. It has no effect, except for MdlMappingNoWrite. */
typedef enum _MM_PAGE_PRIORITY {
	LowPagePriority = 0,
	NormalPagePriority = 16,
	HighPagePriority = 32,
} MM_PAGE_PRIORITY;

#define MdlMappingNoWrite		0x80000000
#define MdlMappingNoExecute		0x40000000

/* MdlFlags */
#define MDL_MAPPED_TO_SYSTEM_VA		0x0001
#define MDL_PAGES_LOCKED		0x0002
#define MDL_SOURCE_IS_NONPAGED_POOL	0x0004
#define MDL_PARTIAL			0x0010
#define MDL_PARTIAL_HAS_BEEN_MAPPED	0x0020
#define MDL_WRITE_OPERATION		0x0080
/* Flag of this library: pinned only for a packet, and not usable for a GPADL */
#define MDL_PINNED_SHORT		0x0400

/**
 * struct _MDL - description of memory and of its pages
 * @Next: next MDL of a chain, or NULL; set by the client
 * @Size: size in bytes of this structure and its page numbers; has 16 bits on
 *	Windows
 * @MdlFlags: flags (``MDL_...``), which say which functions were called for the MDL
 * @Process: NULL, as no function needs to know which process owns the memory
 * @MappedSystemVa: kernel address of the memory, with %MDL_MAPPED_TO_SYSTEM_VA or
 *	%MDL_SOURCE_IS_NONPAGED_POOL
 * @StartVa: address of the first page
 * @ByteCount: size of the memory in bytes
 * @ByteOffset: offset of the memory in the first page
 * @Locked: private to this library: memory that MmProbeAndLockPages() holds
 *
 * The page numbers follow the structure: see MmGetMdlPfnArray().
 */
typedef struct _MDL {
	struct _MDL *Next;
	ULONG Size;
	CSHORT MdlFlags;
	struct _EPROCESS *Process;
	PVOID MappedSystemVa;
	PVOID StartVa;
	ULONG ByteCount;
	ULONG ByteOffset;
	struct kmcl_memory *Locked;
} MDL, *PMDL;

#define MDL_PAGE_SHIFT			12
#define MDL_PAGE_SIZE			4096UL

/* Offset of an address in its page of 4 KiB. */
#define BYTE_OFFSET(Va)	((ULONG)((unsigned long)(Va) & (MDL_PAGE_SIZE - 1)))

/* Number of pages of 4 KiB that @Size bytes at @Va are in. */
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)			\
	((ULONG)((BYTE_OFFSET(Va) + (SIZE_T)(Size) + MDL_PAGE_SIZE - 1) >> \
		 MDL_PAGE_SHIFT))

#define MmGetMdlByteCount(Mdl)		((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)		((Mdl)->ByteOffset)

/*
 * Address that the MDL was made for. For user memory it is an address of the
 * process.
 */
static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return (char *)Mdl->StartVa + Mdl->ByteOffset;
}

/* Array of ADDRESS_AND_SIZE_TO_SPAN_PAGES() page numbers. */
#define MmGetMdlPfnArray(Mdl)		((PPFN_NUMBER)((Mdl) + 1))

/* Making MDLs (vmbkmcl/mdl.c) */
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length);
VOID MmInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length);
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
VOID IoFreeMdl(PMDL Mdl);
VOID MmBuildMdlForNonPagedPool(PMDL Mdl);
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length);

/* Locking and mapping the pages (vmbkmcl/mdl_lock.c) */
NTSTATUS MmProbeAndLockPages(PMDL Mdl, KPROCESSOR_MODE AccessMode,
			     LOCK_OPERATION Operation);
VOID MmUnlockPages(PMDL Mdl);
PVOID MmMapLockedPagesSpecifyCache(PMDL Mdl, KPROCESSOR_MODE AccessMode,
				   MEMORY_CACHING_TYPE CacheType,
				   PVOID RequestedAddress,
				   ULONG BugCheckOnFailure, ULONG Priority);
VOID MmUnmapLockedPages(PVOID BaseAddress, PMDL Mdl);
PVOID MmGetSystemAddressForMdlSafe(PMDL Mdl, ULONG Priority);

#endif /* _VMBKMCL_MDL_H */
