/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic with a check for overflow, as in ntintsafe.h. On overflow the
 * result is -1 converted to the type, as on Windows.
 */
#ifndef _VMBKMCL_WINDOWS_INTSAFE_H
#define _VMBKMCL_WINDOWS_INTSAFE_H

#include <linux/overflow.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/types.h>

#define KMCL_SAFE(name, type, operation)				\
static inline NTSTATUS name(type Left, type Right, type *Result)	\
{									\
	if (!check_ ## operation ## _overflow(Left, Right, Result))	\
		return STATUS_SUCCESS;					\
	*Result = (type)-1;						\
	return STATUS_INTEGER_OVERFLOW;					\
}

#define KMCL_SAFE_ALL(name, type)					\
	KMCL_SAFE(Rtl ## name ## Add, type, add)			\
	KMCL_SAFE(Rtl ## name ## Sub, type, sub)			\
	KMCL_SAFE(Rtl ## name ## Mult, type, mul)

KMCL_SAFE_ALL(UInt8, UINT8)
KMCL_SAFE_ALL(UShort, USHORT)
KMCL_SAFE_ALL(UInt16, UINT16)
KMCL_SAFE_ALL(UInt, UINT)
KMCL_SAFE_ALL(UInt32, UINT32)
KMCL_SAFE_ALL(ULong, ULONG)
KMCL_SAFE_ALL(DWord, DWORD)
KMCL_SAFE_ALL(UInt64, UINT64)
KMCL_SAFE_ALL(ULongLong, ULONGLONG)
KMCL_SAFE_ALL(ULong64, ULONG64)
KMCL_SAFE_ALL(SizeT, SIZE_T)
KMCL_SAFE_ALL(SIZET, SIZE_T)
KMCL_SAFE_ALL(UIntPtr, UINT_PTR)
KMCL_SAFE_ALL(ULongPtr, ULONG_PTR)
KMCL_SAFE_ALL(Long, LONG)
KMCL_SAFE_ALL(LongLong, LONGLONG)

/* Conversions, which fail if the narrower type can not represent the value. */
#define KMCL_NARROW(name, from, to)					\
static inline NTSTATUS Rtl ## name(from Operand, to *Result)		\
{									\
	if (!kmcl_overflows(Operand, to)) {				\
		*Result = (to)Operand;					\
		return STATUS_SUCCESS;					\
	}								\
	*Result = (to)-1;						\
	return STATUS_INTEGER_OVERFLOW;					\
}

#define kmcl_overflows(value, type)					\
({									\
	type __narrow;							\
									\
	check_add_overflow(value, (typeof(value))0, &__narrow);		\
})

KMCL_NARROW(SizeTToULong, SIZE_T, ULONG)
KMCL_NARROW(SIZETToULong, SIZE_T, ULONG)
KMCL_NARROW(SizeTToUInt32, SIZE_T, UINT32)
KMCL_NARROW(SizeTToUShort, SIZE_T, USHORT)
KMCL_NARROW(ULongLongToULong, ULONGLONG, ULONG)
KMCL_NARROW(ULongLongToUInt, ULONGLONG, UINT)
KMCL_NARROW(UInt64ToUInt32, UINT64, UINT32)
KMCL_NARROW(ULongToUShort, ULONG, USHORT)
KMCL_NARROW(ULongToUInt8, ULONG, UINT8)
KMCL_NARROW(UInt32ToUInt16, UINT32, UINT16)
KMCL_NARROW(ULongToLong, ULONG, LONG)
KMCL_NARROW(LongToULong, LONG, ULONG)
KMCL_NARROW(LongLongToULong, LONGLONG, ULONG)

#endif /* _VMBKMCL_WINDOWS_INTSAFE_H */
