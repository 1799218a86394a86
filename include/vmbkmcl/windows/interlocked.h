/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Atomic operations. As on Windows, all of them are full barriers. The variants
 * NoFence, Acquire and Release are full barriers, too, which is stronger than
 * required.
 */
#ifndef _VMBKMCL_WINDOWS_INTERLOCKED_H
#define _VMBKMCL_WINDOWS_INTERLOCKED_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <asm/processor.h>

#include <vmbkmcl/windows/types.h>

static_assert(sizeof(LONG) == sizeof(atomic_t));
static_assert(sizeof(LONG64) == sizeof(atomic64_t));

/* Increment, Decrement and Add return the new value, the others the old value. */
#define KMCL_INTERLOCKED(suffix, type, prefix)				\
static inline type InterlockedIncrement ## suffix(type volatile *Addend) \
{									\
	return prefix ## _inc_return((prefix ## _t *)Addend);		\
}									\
									\
static inline type InterlockedDecrement ## suffix(type volatile *Addend) \
{									\
	return prefix ## _dec_return((prefix ## _t *)Addend);		\
}									\
									\
static inline type InterlockedAdd ## suffix(type volatile *Addend,	\
					    type Value)			\
{									\
	return prefix ## _add_return(Value, (prefix ## _t *)Addend);	\
}									\
									\
static inline type InterlockedExchangeAdd ## suffix(type volatile *Addend, \
						    type Value)		\
{									\
	return prefix ## _fetch_add(Value, (prefix ## _t *)Addend);	\
}									\
									\
static inline type InterlockedAnd ## suffix(type volatile *Destination,	\
					    type Value)			\
{									\
	return prefix ## _fetch_and(Value, (prefix ## _t *)Destination); \
}									\
									\
static inline type InterlockedOr ## suffix(type volatile *Destination,	\
					   type Value)			\
{									\
	return prefix ## _fetch_or(Value, (prefix ## _t *)Destination);	\
}									\
									\
static inline type InterlockedXor ## suffix(type volatile *Destination,	\
					    type Value)			\
{									\
	return prefix ## _fetch_xor(Value, (prefix ## _t *)Destination); \
}									\
									\
static inline type InterlockedExchange ## suffix(type volatile *Target,	\
						 type Value)		\
{									\
	return prefix ## _xchg((prefix ## _t *)Target, Value);		\
}									\
									\
static inline type							\
InterlockedCompareExchange ## suffix(type volatile *Destination,	\
				     type ExChange, type Comperand)	\
{									\
	return prefix ## _cmpxchg((prefix ## _t *)Destination,		\
				  Comperand, ExChange);			\
}

KMCL_INTERLOCKED(, LONG, atomic)
KMCL_INTERLOCKED(64, LONG64, atomic64)

static inline PVOID InterlockedExchangePointer(PVOID volatile *Target,
					       PVOID Value)
{
	return xchg((PVOID *)Target, Value);
}

static inline PVOID
InterlockedCompareExchangePointer(PVOID volatile *Destination, PVOID ExChange,
				  PVOID Comperand)
{
	return cmpxchg((PVOID *)Destination, Comperand, ExChange);
}

/* Returns whether the bit was set before. */
static inline UCHAR InterlockedBitTestAndSet(LONG volatile *Base, LONG Bit)
{
	return !!(InterlockedOr(Base + (Bit >> 5), BIT(Bit & 31)) &
		  BIT(Bit & 31));
}

static inline UCHAR InterlockedBitTestAndReset(LONG volatile *Base, LONG Bit)
{
	return !!(InterlockedAnd(Base + (Bit >> 5), ~BIT(Bit & 31)) &
		  BIT(Bit & 31));
}

#define InterlockedIncrementNoFence	InterlockedIncrement
#define InterlockedIncrementAcquire	InterlockedIncrement
#define InterlockedIncrementRelease	InterlockedIncrement
#define InterlockedIncrementNoFence64	InterlockedIncrement64
#define InterlockedIncrementAcquire64	InterlockedIncrement64
#define InterlockedIncrementRelease64	InterlockedIncrement64
#define InterlockedDecrementNoFence	InterlockedDecrement
#define InterlockedDecrementAcquire	InterlockedDecrement
#define InterlockedDecrementRelease	InterlockedDecrement
#define InterlockedDecrementNoFence64	InterlockedDecrement64
#define InterlockedDecrementAcquire64	InterlockedDecrement64
#define InterlockedDecrementRelease64	InterlockedDecrement64
#define InterlockedAddNoFence	InterlockedAdd
#define InterlockedAddAcquire	InterlockedAdd
#define InterlockedAddRelease	InterlockedAdd
#define InterlockedAddNoFence64	InterlockedAdd64
#define InterlockedAddAcquire64	InterlockedAdd64
#define InterlockedAddRelease64	InterlockedAdd64
#define InterlockedExchangeAddNoFence	InterlockedExchangeAdd
#define InterlockedExchangeAddAcquire	InterlockedExchangeAdd
#define InterlockedExchangeAddRelease	InterlockedExchangeAdd
#define InterlockedExchangeAddNoFence64	InterlockedExchangeAdd64
#define InterlockedExchangeAddAcquire64	InterlockedExchangeAdd64
#define InterlockedExchangeAddRelease64	InterlockedExchangeAdd64
#define InterlockedAndNoFence	InterlockedAnd
#define InterlockedAndAcquire	InterlockedAnd
#define InterlockedAndRelease	InterlockedAnd
#define InterlockedAndNoFence64	InterlockedAnd64
#define InterlockedAndAcquire64	InterlockedAnd64
#define InterlockedAndRelease64	InterlockedAnd64
#define InterlockedOrNoFence	InterlockedOr
#define InterlockedOrAcquire	InterlockedOr
#define InterlockedOrRelease	InterlockedOr
#define InterlockedOrNoFence64	InterlockedOr64
#define InterlockedOrAcquire64	InterlockedOr64
#define InterlockedOrRelease64	InterlockedOr64
#define InterlockedXorNoFence	InterlockedXor
#define InterlockedXorAcquire	InterlockedXor
#define InterlockedXorRelease	InterlockedXor
#define InterlockedXorNoFence64	InterlockedXor64
#define InterlockedXorAcquire64	InterlockedXor64
#define InterlockedXorRelease64	InterlockedXor64
#define InterlockedExchangeNoFence	InterlockedExchange
#define InterlockedExchangeAcquire	InterlockedExchange
#define InterlockedExchangeRelease	InterlockedExchange
#define InterlockedExchangeNoFence64	InterlockedExchange64
#define InterlockedExchangeAcquire64	InterlockedExchange64
#define InterlockedExchangeRelease64	InterlockedExchange64
#define InterlockedCompareExchangeNoFence	InterlockedCompareExchange
#define InterlockedCompareExchangeAcquire	InterlockedCompareExchange
#define InterlockedCompareExchangeRelease	InterlockedCompareExchange
#define InterlockedCompareExchangeNoFence64	InterlockedCompareExchange64
#define InterlockedCompareExchangeAcquire64	InterlockedCompareExchange64
#define InterlockedCompareExchangeRelease64	InterlockedCompareExchange64
#define InterlockedExchangePointerNoFence	InterlockedExchangePointer
#define InterlockedExchangePointerAcquire	InterlockedExchangePointer
#define InterlockedExchangePointerRelease	InterlockedExchangePointer
#define InterlockedCompareExchangePointerNoFence	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerAcquire	InterlockedCompareExchangePointer
#define InterlockedCompareExchangePointerRelease	InterlockedCompareExchangePointer

/* Single accesses, which the compiler does not split, repeat or remove. */
#define KMCL_ACCESS(suffix, type)					\
static inline type Read ## suffix ## NoFence(type const volatile *Source) \
{									\
	return READ_ONCE(*Source);					\
}									\
									\
static inline type Read ## suffix ## Acquire(type const volatile *Source) \
{									\
	return smp_load_acquire(Source);				\
}									\
									\
static inline VOID Write ## suffix ## NoFence(type volatile *Destination, \
					      type Value)		\
{									\
	WRITE_ONCE(*Destination, Value);				\
}									\
									\
static inline VOID Write ## suffix ## Release(type volatile *Destination, \
					      type Value)		\
{									\
	smp_store_release(Destination, Value);				\
}

KMCL_ACCESS(, LONG)
KMCL_ACCESS(Boolean, BOOLEAN)
KMCL_ACCESS(UChar, UCHAR)
KMCL_ACCESS(UShort, USHORT)
KMCL_ACCESS(ULong, ULONG)
KMCL_ACCESS(ULong64, ULONG64)
KMCL_ACCESS(ULongPtr, ULONG_PTR)
KMCL_ACCESS(Pointer, PVOID)

/* The names for LONG64 end with the width. */
static inline LONG64 ReadNoFence64(LONG64 const volatile *Source)
{
	return READ_ONCE(*Source);
}

static inline LONG64 ReadAcquire64(LONG64 const volatile *Source)
{
	return smp_load_acquire(Source);
}

static inline VOID WriteNoFence64(LONG64 volatile *Destination, LONG64 Value)
{
	WRITE_ONCE(*Destination, Value);
}

static inline VOID WriteRelease64(LONG64 volatile *Destination, LONG64 Value)
{
	smp_store_release(Destination, Value);
}

#define MemoryBarrier()		smp_mb()
#define KeMemoryBarrier()	smp_mb()
#define YieldProcessor()	cpu_relax()

#endif /* _VMBKMCL_WINDOWS_INTERLOCKED_H */
