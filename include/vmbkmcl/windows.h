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

#include <linux/build_bug.h>
#include <linux/completion.h>
#include <linux/container_of.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>

typedef int LONG;
typedef long long LONGLONG;
typedef unsigned long long ULONGLONG;
typedef char *PCHAR;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned long ULONG_PTR;
typedef const WCHAR *PCWSTR;
typedef unsigned char KIRQL;

#define PASSIVE_LEVEL	0	/* may sleep */
#define APC_LEVEL	1	/* the same */
#define DISPATCH_LEVEL	2	/* softirq */

#define PAGED_CODE()			might_sleep()
#define UNREFERENCED_PARAMETER(P)	((void)(P))
#define C_ASSERT(condition)		static_assert(condition)
#define NT_ASSERT(condition)		WARN_ON_ONCE(!(condition))
#define FIELD_OFFSET(type, field)	((LONG)offsetof(type, field))
#define CONTAINING_RECORD(address, type, field)	\
	container_of(address, type, field)

#define RtlZeroMemory(to, bytes)	memset(to, 0, bytes)
#define RtlFillMemory(to, bytes, value)	memset(to, value, bytes)
#define RtlCopyMemory(to, from, bytes)	memcpy(to, from, bytes)
#define RtlMoveMemory(to, from, bytes)	memmove(to, from, bytes)
#define RtlEqualMemory(a, b, bytes)	(!memcmp(a, b, bytes))

/* A line ends where it says so, as on Windows. */
#define DbgPrint(format, ...)	printk(KERN_INFO format, ##__VA_ARGS__)
#define KdPrint(arguments)	DbgPrint arguments

#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	static const GUID name __maybe_unused =				\
		GUID_INIT(l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)
#define IsEqualGUID(a, b)	guid_equal(a, b)

/* From an L"..." literal. */
#define DECLARE_CONST_UNICODE_STRING(name, literal)			\
	static WCHAR name ## _buffer[] = literal;			\
	const UNICODE_STRING name = {					\
		.Length = sizeof(literal) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(literal),			\
		.Buffer = name ## _buffer,				\
	}

static inline VOID RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source)
{
	USHORT length = 0;

	while (Source && Source[length])
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

/* Events */

typedef LONG KPRIORITY;

#define IO_NO_INCREMENT	0	/* nobody's priority is raised here */

typedef enum _EVENT_TYPE {
	NotificationEvent,	/* lets everybody go, until it is cleared */
	SynchronizationEvent,	/* lets one go */
} EVENT_TYPE;

typedef struct _KEVENT {
	struct completion Done;
	EVENT_TYPE Type;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef enum _KWAIT_REASON {
	Executive,
	UserRequest = 6,
} KWAIT_REASON;

static inline VOID KeClearEvent(PRKEVENT Event)
{
	reinit_completion(&Event->Done);
}

static inline LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment,
			      BOOLEAN Wait)
{
	LONG before = completion_done(&Event->Done);

	if (Event->Type == NotificationEvent)
		complete_all(&Event->Done);
	else if (!before)
		complete(&Event->Done);
	return before;
}

static inline VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type,
				     BOOLEAN State)
{
	init_completion(&Event->Done);
	Event->Type = Type;
	if (State)
		KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
}

/* Only for events, and with a relative timeout or none. */
static inline NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason,
					     KPROCESSOR_MODE WaitMode,
					     BOOLEAN Alertable,
					     PLARGE_INTEGER Timeout)
{
	PRKEVENT event = Object;

	if (!Timeout) {
		wait_for_completion(&event->Done);
		return STATUS_SUCCESS;
	}
	if (Timeout->QuadPart > 0)
		return STATUS_INVALID_PARAMETER_5;
	if (!Timeout->QuadPart)
		return try_wait_for_completion(&event->Done) ? STATUS_SUCCESS :
							       STATUS_TIMEOUT;
	return wait_for_completion_timeout(&event->Done,
					   nsecs_to_jiffies(-Timeout->QuadPart *
							    100) + 1) ?
	       STATUS_SUCCESS : STATUS_TIMEOUT;
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
	return vmbkmcl_query_interface(Fdo, InterfaceType, Interface, Size,
				       Version, InterfaceSpecificData);
}

static inline NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget,
						    LPCGUID InterfaceType,
						    PINTERFACE Interface,
						    USHORT Size, USHORT Version,
						    PVOID InterfaceSpecificData)
{
	return vmbkmcl_query_interface(IoTarget, InterfaceType, Interface, Size,
				       Version, InterfaceSpecificData);
}

#endif /* _VMBKMCL_WINDOWS_H */
