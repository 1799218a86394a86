/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory Descriptor Lists: a piece of memory, and the pages it lies in.
 *
 * The page numbers behind the structure count pages of 4 KiB, as VMBus does, also
 * where the guest's own pages are larger. Everything is documented where it is
 * defined, in vmbkmcl/mdl.c and vmbkmcl/mdl_lock.c.
 */
#ifndef _VMBKMCL_MDL_H
#define _VMBKMCL_MDL_H

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/types.h>

typedef short CSHORT;
typedef signed char CCHAR;
typedef unsigned long SIZE_T;

/* Always NULL: there are no I/O request packets here. */
typedef struct _IRP *PIRP;

typedef CCHAR KPROCESSOR_MODE;
typedef enum _MODE {
	KernelMode,
	UserMode,
	MaximumMode,
} MODE;

/* What is done to the memory, as seen from the device. */
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

/* Priority of a mapping: no effect, but for the flag that makes it read-only. */
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
/* The library's: pinned for a packet's time, and no memory for a GPADL */
#define MDL_PINNED_SHORT		0x0400

/**
 * struct _MDL - memory that is contiguous at its address, and its pages
 * @Next: of a chain, or NULL; the client's to set
 * @Size: bytes of this structure with its page numbers; 16 bits on Windows
 * @MdlFlags: flags (``MDL_...``); which of the functions were called for it
 * @Process: NULL: nothing here needs to know whose memory it is
 * @MappedSystemVa: kernel address of the memory, with %MDL_MAPPED_TO_SYSTEM_VA or
 *	%MDL_SOURCE_IS_NONPAGED_POOL
 * @StartVa: address of the first page
 * @ByteCount: bytes of memory
 * @ByteOffset: where they begin in the first page
 * @Locked: the library's: what MmProbeAndLockPages() holds
 *
 * The page numbers follow: see MmGetMdlPfnArray().
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

/* Where in its page of 4 KiB an address is. */
#define BYTE_OFFSET(Va)	((ULONG)((unsigned long)(Va) & (MDL_PAGE_SIZE - 1)))

/* Pages of 4 KiB that @Size bytes from @Va lie in. */
#define ADDRESS_AND_SIZE_TO_SPAN_PAGES(Va, Size)			\
	((ULONG)((BYTE_OFFSET(Va) + (SIZE_T)(Size) + MDL_PAGE_SIZE - 1) >> \
		 MDL_PAGE_SHIFT))

#define MmGetMdlByteCount(Mdl)		((Mdl)->ByteCount)
#define MmGetMdlByteOffset(Mdl)		((Mdl)->ByteOffset)

/* The address the MDL was made for: the process's own for user memory. */
static inline PVOID MmGetMdlVirtualAddress(const MDL *Mdl)
{
	return (char *)Mdl->StartVa + Mdl->ByteOffset;
}

/* The first page number of ADDRESS_AND_SIZE_TO_SPAN_PAGES() many. */
#define MmGetMdlPfnArray(Mdl)		((PPFN_NUMBER)((Mdl) + 1))

/* Descriptions (vmbkmcl/mdl.c) */
SIZE_T MmSizeOfMdl(PVOID Base, SIZE_T Length);
VOID MmInitializeMdl(PMDL Mdl, PVOID BaseVa, SIZE_T Length);
PMDL IoAllocateMdl(PVOID VirtualAddress, ULONG Length, BOOLEAN SecondaryBuffer,
		   BOOLEAN ChargeQuota, PIRP Irp);
VOID IoFreeMdl(PMDL Mdl);
VOID MmBuildMdlForNonPagedPool(PMDL Mdl);
VOID IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl, PVOID VirtualAddress,
		       ULONG Length);

/* Pages held, and mapped (vmbkmcl/mdl_lock.c) */
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
