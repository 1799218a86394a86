/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages in the log, breakpoints and bug checks. */
#ifndef _VMBKMCL_WINDOWS_DEBUG_H
#define _VMBKMCL_WINDOWS_DEBUG_H

#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/panic.h>
#include <linux/printk.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/format.h>
#include <vmbkmcl/windows/types.h>

#define DPFLTR_ERROR_LEVEL	0
#define DPFLTR_WARNING_LEVEL	1
#define DPFLTR_TRACE_LEVEL	2
#define DPFLTR_INFO_LEVEL	3
#define DPFLTR_MASK		0x80000000

#define DPFLTR_DEFAULT_ID	101
#define DPFLTR_IHVDRIVER_ID	77
#define DPFLTR_IHVBUS_ID	80
#define DPFLTR_IHVNETWORK_ID	85

/* Longest message in bytes, as on Windows. */
#define KMCL_DEBUG_BYTES	512

static inline char kmcl_debug_level(ULONG level)
{
	switch (level) {
	case DPFLTR_ERROR_LEVEL:
		return '3';
	case DPFLTR_WARNING_LEVEL:
		return '4';
	case DPFLTR_TRACE_LEVEL:
		return '7';
	}
	return '6';
}

/*
 * Messages are not filtered by component; the console's log level applies to
 * all.
 */
static __maybe_unused ULONG DbgPrintEx(ULONG ComponentId, ULONG Level,
				       PCSTR Format, ...)
{
	char line[KMCL_DEBUG_BYTES];
	struct kmcl_format format = {
		.to = { .narrow = line, .room = sizeof(line) },
		.from = { .narrow = (char *)Format },
	};

	va_start(format.args, Format);
	kmcl_format(&format);
	va_end(format.args);
	/* printk() takes the level of a message from its first two bytes */
	printk(KERN_SOH "%c%s", kmcl_debug_level(Level), line);
	return STATUS_SUCCESS;
}

/* As on Windows, no newline is added to the message. */
#define DbgPrint(format, ...)						\
	DbgPrintEx(DPFLTR_DEFAULT_ID, DPFLTR_INFO_LEVEL, format, ##__VA_ARGS__)
#define KdPrint(arguments)	DbgPrint arguments
#define KdPrintEx(arguments)	DbgPrintEx arguments

/*
 * There is no kernel debugger to stop in, so a breakpoint is a warning with a
 * backtrace.
 */
#define DbgBreakPoint()			WARN(1, "DbgBreakPoint()\n")
#define DbgBreakPointWithStatus(Status)	\
	WARN(1, "DbgBreakPoint(): status %#x\n", Status)
#define KdBreakPoint()			DbgBreakPoint()

#define KeBugCheckEx(Code, P1, P2, P3, P4)				\
	panic("%s: bug check %#x (%#lx, %#lx, %#lx, %#lx)\n",		\
	      KBUILD_MODNAME, (ULONG)(Code), (ULONG_PTR)(P1),		\
	      (ULONG_PTR)(P2), (ULONG_PTR)(P3), (ULONG_PTR)(P4))
#define KeBugCheck(Code)	KeBugCheckEx(Code, 0, 0, 0, 0)

#endif /* _VMBKMCL_WINDOWS_DEBUG_H */
