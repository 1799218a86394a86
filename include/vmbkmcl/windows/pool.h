/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pools and lookaside lists. All memory is nonpaged. Memory of a page or more is
 * page-aligned, so that it can become a GPADL.
 */
#ifndef _VMBKMCL_WINDOWS_POOL_H
#define _VMBKMCL_WINDOWS_POOL_H

#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/lock.h>
#include <vmbkmcl/windows/types.h>

typedef UINT64 POOL_FLAGS;

#define POOL_FLAG_REQUIRED_START	0x0000000000000001ULL
#define POOL_FLAG_USE_QUOTA		0x0000000000000001ULL
#define POOL_FLAG_UNINITIALIZED		0x0000000000000002ULL
#define POOL_FLAG_SESSION		0x0000000000000004ULL
#define POOL_FLAG_CACHE_ALIGNED		0x0000000000000008ULL
#define POOL_FLAG_RAISE_ON_FAILURE	0x0000000000000020ULL
#define POOL_FLAG_NON_PAGED		0x0000000000000040ULL
#define POOL_FLAG_NON_PAGED_EXECUTE	0x0000000000000080ULL
#define POOL_FLAG_PAGED			0x0000000000000100ULL
#define POOL_FLAG_OPTIONAL_START	0x0000000100000000ULL

/* Flags of lookaside lists, and of pool types of older clients; no effect */
#define POOL_NX_ALLOCATION		512
#define POOL_RAISE_IF_ALLOCATION_FAILURE	16

typedef enum _POOL_TYPE {
	NonPagedPool,
	NonPagedPoolExecute = NonPagedPool,
	PagedPool,
	NonPagedPoolCacheAligned = 4,
	PagedPoolCacheAligned,
	NonPagedPoolNx = 512,
	NonPagedPoolNxCacheAligned = 516,
} POOL_TYPE;

#define MEMORY_ALLOCATION_ALIGNMENT	16

/* kmalloc() aligns memory to its size if the size is a power of two. */
static inline SIZE_T kmcl_pool_align(SIZE_T bytes)
{
	return roundup_pow_of_two(max_t(SIZE_T, bytes, SMP_CACHE_BYTES));
}

/* As on Windows, a size of 0 allocates the smallest amount of memory. */
static inline void *kmcl_pool_allocate(SIZE_T bytes, gfp_t flags, bool aligned)
{
	bool atomic = KeGetCurrentIrql() > APC_LEVEL;

	bytes = max_t(SIZE_T, bytes, 1);
	flags |= __GFP_NOWARN | (atomic ? GFP_ATOMIC : GFP_KERNEL);
	if (bytes >= PAGE_SIZE && !atomic)
		return __vmalloc(bytes, flags);
	if (bytes > KMALLOC_MAX_SIZE)
		return NULL;
	if (bytes >= PAGE_SIZE || aligned)
		bytes = kmcl_pool_align(bytes);
	return kmalloc(bytes, flags);
}

/**
 * ExAllocatePool2() - allocate memory
 * @Flags: %POOL_FLAG_NON_PAGED or %POOL_FLAG_PAGED, which have the same effect.
 *	With %POOL_FLAG_UNINITIALIZED the memory is not zeroed.
 *	%POOL_FLAG_RAISE_ON_FAILURE and %POOL_FLAG_USE_QUOTA have no effect, as
 *	there are no exceptions and no quotas.
 * @NumberOfBytes: size in bytes
 * @Tag: must not be 0; not used
 *
 * Context: any but hard interrupts.
 * Return: the memory, which ExFreePool() frees; %NULL without memory, if @Flags has
 * neither of the two pools, or if @Tag is 0.
 *
 * Source: Microsoft's ExAllocatePool2 documentation.
 */
static inline PVOID ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes,
				    ULONG Tag)
{
	if (!Tag || !(Flags & (POOL_FLAG_NON_PAGED | POOL_FLAG_PAGED)))
		return NULL;
	return kmcl_pool_allocate(NumberOfBytes,
				  Flags & POOL_FLAG_UNINITIALIZED ? 0 :
				  __GFP_ZERO, Flags & POOL_FLAG_CACHE_ALIGNED);
}

/* The older functions. The memory is not zeroed. */
static inline PVOID ExAllocatePoolWithTag(POOL_TYPE PoolType,
					  SIZE_T NumberOfBytes, ULONG Tag)
{
	return kmcl_pool_allocate(NumberOfBytes, 0, PoolType & 4);
}

#define ExAllocatePoolUninitialized(PoolType, NumberOfBytes, Tag)	\
	ExAllocatePoolWithTag(PoolType, NumberOfBytes, Tag)

static inline PVOID ExAllocatePoolZero(POOL_TYPE PoolType,
				       SIZE_T NumberOfBytes, ULONG Tag)
{
	return kmcl_pool_allocate(NumberOfBytes, __GFP_ZERO, PoolType & 4);
}

/* Context: any but hard interrupts. */
static inline VOID ExFreePoolWithTag(PVOID P, ULONG Tag)
{
	kvfree(P);
}

#define ExFreePool(P)			ExFreePoolWithTag(P, 0)
#define ExFreePool2(P, Tag, Parameters, Count)	ExFreePoolWithTag(P, Tag)

/* Lookaside lists: memory of one size */

typedef PVOID ALLOCATE_FUNCTION(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
				ULONG Tag);
typedef ALLOCATE_FUNCTION *PALLOCATE_FUNCTION;
typedef VOID FREE_FUNCTION(PVOID Buffer);
typedef FREE_FUNCTION *PFREE_FUNCTION;

typedef struct _LOOKASIDE_LIST_EX LOOKASIDE_LIST_EX, *PLOOKASIDE_LIST_EX;
typedef PVOID ALLOCATE_FUNCTION_EX(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
				   ULONG Tag, PLOOKASIDE_LIST_EX Lookaside);
typedef ALLOCATE_FUNCTION_EX *PALLOCATE_FUNCTION_EX;
typedef VOID FREE_FUNCTION_EX(PVOID Buffer, PLOOKASIDE_LIST_EX Lookaside);
typedef FREE_FUNCTION_EX *PFREE_FUNCTION_EX;

/**
 * struct _LOOKASIDE_LIST_EX - allocator of memory of one size
 * @Cache: the kernel's cache; NULL if @Allocate is set, or if there was no
 *	memory for it
 * @Size: size of each allocation in bytes
 * @Tag: argument for @Allocate
 * @Type: argument for @Allocate
 * @Allocate: the client's function for allocations, or NULL
 * @Free: the client's function that frees, or NULL
 */
struct _LOOKASIDE_LIST_EX {
	struct kmem_cache *Cache;
	SIZE_T Size;
	ULONG Tag;
	POOL_TYPE Type;
	PALLOCATE_FUNCTION_EX Allocate;
	PFREE_FUNCTION_EX Free;
};

/*
 * SLUB does not allow two caches of one name, so the name has a number, not the
 * tag.
 */
static inline struct kmem_cache *kmcl_lookaside_cache(SIZE_T size)
{
	static atomic_t count;
	struct kmem_cache *cache;
	char *name;

	name = kasprintf(GFP_KERNEL, "%s-%s-%u", KBUILD_MODNAME,
			 kbasename(__FILE__), atomic_inc_return(&count));
	if (!name)
		return NULL;
	cache = kmem_cache_create(name, size, MEMORY_ALLOCATION_ALIGNMENT, 0,
				  NULL);
	kfree(name);
	return cache;
}

/**
 * ExInitializeLookasideListEx() - initialise a lookaside list
 * @Lookaside: structure of the caller
 * @Allocate: the caller's function for allocations, or %NULL
 * @Free: the caller's function that frees, or %NULL
 * @PoolType: argument for @Allocate
 * @Flags: no effect
 * @Size: size of each allocation in bytes
 * @Tag: argument for @Allocate
 * @Depth: no effect, 0
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the list can be used
 * * %STATUS_INVALID_PARAMETER_3 - only one of @Allocate and @Free is %NULL
 * * %STATUS_INVALID_PARAMETER_6 - @Size is 0
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
 * Source: Microsoft's ExInitializeLookasideListEx documentation.
 */
static inline NTSTATUS
ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
			    PALLOCATE_FUNCTION_EX Allocate,
			    PFREE_FUNCTION_EX Free, POOL_TYPE PoolType,
			    ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
	*Lookaside = (LOOKASIDE_LIST_EX) {
		.Size = Size,
		.Tag = Tag,
		.Type = PoolType,
		.Allocate = Allocate,
		.Free = Free,
	};
	if (!Allocate != !Free)
		return STATUS_INVALID_PARAMETER_3;
	if (!Size)
		return STATUS_INVALID_PARAMETER_6;
	if (Allocate)
		return STATUS_SUCCESS;
	Lookaside->Cache = kmcl_lookaside_cache(Size);
	return Lookaside->Cache ? STATUS_SUCCESS :
				  STATUS_INSUFFICIENT_RESOURCES;
}

/* Context: any but hard interrupts. Returns NULL without memory. */
static inline PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	if (Lookaside->Allocate)
		return Lookaside->Allocate(Lookaside->Type, Lookaside->Size,
					   Lookaside->Tag, Lookaside);
	if (!Lookaside->Cache)
		return NULL;
	return kmem_cache_alloc(Lookaside->Cache,
				KeGetCurrentIrql() > APC_LEVEL ?
				GFP_ATOMIC | __GFP_NOWARN :
				GFP_KERNEL | __GFP_NOWARN);
}

static inline VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside,
					   PVOID Entry)
{
	if (Lookaside->Free)
		Lookaside->Free(Entry, Lookaside);
	else
		kmem_cache_free(Lookaside->Cache, Entry);
}

/* May sleep. All memory of the list must have been freed. */
static inline VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
	kmem_cache_destroy(Lookaside->Cache);
	Lookaside->Cache = NULL;
}

/*
 * The older functions. The initialisation can not report a failure; allocations
 * return NULL then.
 */

typedef struct _NPAGED_LOOKASIDE_LIST {
	LOOKASIDE_LIST_EX L;
	PALLOCATE_FUNCTION Allocate;
	PFREE_FUNCTION Free;
} NPAGED_LOOKASIDE_LIST, *PNPAGED_LOOKASIDE_LIST,
	PAGED_LOOKASIDE_LIST, *PPAGED_LOOKASIDE_LIST;

static inline VOID
ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside,
				PALLOCATE_FUNCTION Allocate,
				PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size,
				ULONG Tag, USHORT Depth)
{
	Lookaside->Allocate = Allocate;
	Lookaside->Free = Free;
	Lookaside->L = (LOOKASIDE_LIST_EX) { .Size = Size, .Tag = Tag };
	if (!Allocate)
		Lookaside->L.Cache = kmcl_lookaside_cache(Size);
}

static inline PVOID
ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	if (Lookaside->Allocate)
		return Lookaside->Allocate(NonPagedPoolNx, Lookaside->L.Size,
					   Lookaside->L.Tag);
	return ExAllocateFromLookasideListEx(&Lookaside->L);
}

static inline VOID
ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
	if (Lookaside->Free)
		Lookaside->Free(Entry);
	else
		ExFreeToLookasideListEx(&Lookaside->L, Entry);
}

static inline VOID
ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
	ExDeleteLookasideListEx(&Lookaside->L);
}

#define ExInitializePagedLookasideList		ExInitializeNPagedLookasideList
#define ExAllocateFromPagedLookasideList	ExAllocateFromNPagedLookasideList
#define ExFreeToPagedLookasideList		ExFreeToNPagedLookasideList
#define ExDeletePagedLookasideList		ExDeleteNPagedLookasideList

#endif /* _VMBKMCL_WINDOWS_POOL_H */
