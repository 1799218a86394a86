/* SPDX-License-Identifier: GPL-2.0-only */
/* Macros of Windows headers: assertions, sizes, limits, classes of statuses. */
#ifndef _VMBKMCL_WINDOWS_MACROS_H
#define _VMBKMCL_WINDOWS_MACROS_H

#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/container_of.h>
#include <linux/kernel.h>
#include <linux/limits.h>
#include <linux/mm.h>

#include <vmbkmcl/windows/types.h>

#define PAGED_CODE()			might_sleep()
#define PAGED_CODE_LOCKED()		do { } while (0)
#define UNREFERENCED_PARAMETER(P)	((void)(P))
#define DBG_UNREFERENCED_PARAMETER(P)	((void)(P))
#define DBG_UNREFERENCED_LOCAL_VARIABLE(V)	((void)(V))
#define C_ASSERT(condition)		static_assert(condition)
#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define UFIELD_OFFSET(type, field)	((ULONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field)	\
	container_of(address, type, field)
#define ARGUMENT_PRESENT(pointer)	((PVOID)(pointer) != NULL)

/* A failed assertion is a warning with a backtrace; the client continues. */
#ifndef ASSERT
#define ASSERT(condition)		((void)WARN_ON_ONCE(!(condition)))
#endif
#define ASSERTMSG(message, condition)	\
	((void)WARN_ONCE(!(condition), "%s\n", message))
#define NT_ASSERTMSG(message, condition)				\
({									\
	bool __holds = (condition);					\
									\
	WARN_ONCE(!__holds, "%s\n", message);				\
	__holds;							\
})
#define NT_ASSERT(condition)		NT_ASSERTMSG(#condition, condition)
#define NT_VERIFY(condition)		NT_ASSERT(condition)
#define NT_FRE_ASSERT(condition)	NT_ASSERT(condition)

/* The upper two bits of a status are its severity. */
#define NT_INFORMATION(status)		((u32)(status) >> 30 == 1)
#define NT_WARNING(status)		((u32)(status) >> 30 == 2)
#define NT_ERROR(status)		((u32)(status) >> 30 == 3)

#define RTL_NUMBER_OF(array)		ARRAY_SIZE(array)
#define ARRAYSIZE(array)		RTL_NUMBER_OF(array)
#define RTL_FIELD_SIZE(type, field)	sizeof(((type *)0)->field)
#define RTL_FIELD_TYPE(type, field)	typeof(((type *)0)->field)
#define RTL_SIZEOF_THROUGH_FIELD(type, field)	offsetofend(type, field)
#define RTL_CONTAINS_FIELD(pointer, size, field)			\
	((char *)(&(pointer)->field) + sizeof((pointer)->field) <=	\
	 (char *)(pointer) + (size))

#define ALIGN_DOWN_BY(length, by)	((ULONG_PTR)(length) & ~((ULONG_PTR)(by) - 1))
#define ALIGN_UP_BY(length, by)		\
	ALIGN_DOWN_BY((ULONG_PTR)(length) + (by) - 1, by)
#define ALIGN_DOWN_POINTER_BY(va, by)	((PVOID)ALIGN_DOWN_BY(va, by))
#define ALIGN_UP_POINTER_BY(va, by)	((PVOID)ALIGN_UP_BY(va, by))
/* These are in pages of PAGE_SIZE; MDLs have pages of MDL_PAGE_SIZE. */
#define ROUND_TO_PAGES(size)		ALIGN_UP_BY(size, PAGE_SIZE)
#define BYTES_TO_PAGES(size)		\
	((ULONG)(((size) >> PAGE_SHIFT) + (((size) & (PAGE_SIZE - 1)) != 0)))

#define UInt32x32To64(a, b)		((ULONGLONG)(ULONG)(a) * (ULONG)(b))
#define Int32x32To64(a, b)		((LONGLONG)(LONG)(a) * (LONG)(b))

#define LOBYTE(w)			((UCHAR)(w))
#define HIBYTE(w)			((UCHAR)((w) >> 8))
#define LOWORD(l)			((USHORT)(l))
#define HIWORD(l)			((USHORT)((l) >> 16))
#define MAKEWORD(low, high)		((USHORT)((UCHAR)(low) | (UCHAR)(high) << 8))
#define MAKELONG(low, high)		((LONG)((USHORT)(low) | (ULONG)(USHORT)(high) << 16))

#define MINCHAR				((CHAR)0x80)
#define MAXCHAR				((CHAR)0x7f)
#define MAXUCHAR			((UCHAR)0xff)
#define MAXBYTE				((UCHAR)0xff)
#define MINSHORT			((SHORT)0x8000)
#define MAXSHORT			((SHORT)0x7fff)
#define MAXUSHORT			((USHORT)0xffff)
#define MAXWORD				((USHORT)0xffff)
#define MINLONG				((LONG)0x80000000)
#define MAXLONG				((LONG)0x7fffffff)
#define MAXULONG			((ULONG)0xffffffff)
#define MAXDWORD			((ULONG)0xffffffff)
#define MAXUINT				((UINT)0xffffffff)
#define MAXUINT8			((UINT8)0xff)
#define MAXUINT16			((UINT16)0xffff)
#define MAXUINT32			((UINT32)0xffffffff)
#define MAXUINT64			((UINT64)~0ULL)
#define MAXINT32			((INT32)0x7fffffff)
#define MAXINT64			((INT64)(~0ULL >> 1))
#define MAXLONGLONG			((LONGLONG)(~0ULL >> 1))
#define MINLONGLONG			((LONGLONG)~MAXLONGLONG)
#define MAXULONGLONG			((ULONGLONG)~0ULL)
#define MAXLONG64			MAXLONGLONG
#define MAXULONG64			MAXULONGLONG
#define MAXULONG_PTR			((ULONG_PTR)~0UL)
#define MAXLONG_PTR			((LONG_PTR)(~0UL >> 1))
#define MAXUINT_PTR			((UINT_PTR)~0UL)
#define MAXSIZE_T			((SIZE_T)~0UL)

/*
 * PAGE_ALIGN() rounds down on Windows and up on Linux. To avoid mistakes, a
 * call is a compile-time error. Linux headers that use it in macros can still
 * be included.
 */
#undef PAGE_ALIGN
unsigned long kmcl_page_align_is_ambiguous(void)
	__compiletime_error("PAGE_ALIGN() rounds down on Windows, up on Linux: say PAGE_ALIGN_DOWN() or ROUND_TO_PAGES()");
#define PAGE_ALIGN(va)	((typeof(va))kmcl_page_align_is_ambiguous())
#ifndef PAGE_ALIGN_DOWN	/* since Linux 6.5 */
#define PAGE_ALIGN_DOWN(va)	ALIGN_DOWN(va, PAGE_SIZE)
#endif

#endif /* _VMBKMCL_WINDOWS_MACROS_H */
