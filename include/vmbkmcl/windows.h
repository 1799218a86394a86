/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a Windows client uses of its kernel around the KMCL API: as much as the
 * sample in Documentation/samples/windows needs, and its neighbours. All of it is
 * Linux under another name; porting.rst lists it.
 *
 * A client written for Linux does not include this.
 */
#ifndef _VMBKMCL_WINDOWS_H
#define _VMBKMCL_WINDOWS_H

#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>
#include <vmbkmcl/windows/guid.h>
#include <vmbkmcl/windows/macros.h>
#include <vmbkmcl/windows/time.h>
#include <vmbkmcl/windows/types.h>
#include <vmbkmcl/windows/wait.h>

#define RtlZeroMemory(to, bytes)	memset(to, 0, bytes)
#define RtlFillMemory(to, bytes, value)	memset(to, value, bytes)
#define RtlCopyMemory(to, from, bytes)	memcpy(to, from, bytes)
#define RtlMoveMemory(to, from, bytes)	memmove(to, from, bytes)
#define RtlEqualMemory(a, b, bytes)	(!memcmp(a, b, bytes))

/* A line ends where it says so, as on Windows. */
#define DbgPrint(format, ...)	printk(KERN_INFO format, ##__VA_ARGS__)
#define KdPrint(arguments)	DbgPrint arguments

/* From an L"..." literal. */
#define DECLARE_CONST_UNICODE_STRING(name, literal)			\
	static WCHAR name ## _buffer[] = literal;			\
	const UNICODE_STRING name = {					\
		.Length = sizeof(literal) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(literal),			\
		.Buffer = name ## _buffer,				\
	}

#define UNICODE_STRING_MAX_BYTES	((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS	(UNICODE_STRING_MAX_BYTES / 2)

/* A longer string is cut, so that its terminator counts in MaximumLength. */
static inline VOID RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source)
{
	USHORT length = 0;

	while (Source && length < UNICODE_STRING_MAX_CHARS - 1 && Source[length])
		length++;
	String->Length = length * sizeof(WCHAR);
	String->MaximumLength = Source ? String->Length + sizeof(WCHAR) : 0;
	String->Buffer = (PWSTR)Source;
}

/* Pool: zeroed, and from a page on page-aligned, so that it can be a GPADL. */
#define POOL_FLAG_NON_PAGED	0x0000000000000040ULL
#define POOL_FLAG_PAGED		0x0000000000000100ULL

/* Unlike on Windows only where one may sleep. */
static inline PVOID ExAllocatePool2(UINT64 Flags, SIZE_T NumberOfBytes,
				    ULONG Tag)
{
	return NumberOfBytes < PAGE_SIZE ? kzalloc(NumberOfBytes, GFP_KERNEL) :
					   vzalloc(NumberOfBytes);
}

#define ExFreePoolWithTag(P, Tag)	kvfree(P)
#define ExFreePool(P)			kvfree(P)

static inline LONG InterlockedIncrement(LONG volatile *Addend)
{
	return atomic_inc_return((atomic_t *)Addend);
}

static inline LONG InterlockedDecrement(LONG volatile *Addend)
{
	return atomic_dec_return((atomic_t *)Addend);
}

/* The two ways to ask for an interface. */

typedef PDEVICE_OBJECT WDFDEVICE;
typedef PDEVICE_OBJECT WDFIOTARGET;

static inline NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo,
					       LPCGUID InterfaceType,
					       PINTERFACE Interface,
					       USHORT Size, USHORT Version,
					       PVOID InterfaceSpecificData)
{
	return vmbkmcl_query_interface(Fdo, (const guid_t *)InterfaceType,
				       Interface, Size, Version,
				       InterfaceSpecificData);
}

static inline NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget,
						    LPCGUID InterfaceType,
						    PINTERFACE Interface,
						    USHORT Size, USHORT Version,
						    PVOID InterfaceSpecificData)
{
	return vmbkmcl_query_interface(IoTarget, (const guid_t *)InterfaceType,
				       Interface, Size, Version,
				       InterfaceSpecificData);
}

#endif /* _VMBKMCL_WINDOWS_H */
