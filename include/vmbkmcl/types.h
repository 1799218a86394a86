/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Windows types in the signatures of the KMCL API.
 *
 * Widths follow Windows on 64 bit (ULONG has 32 bits). The names that ACPICA
 * also defines are typedefs of the same types there, so that a client may
 * include this and <linux/acpi.h> in any order.
 */
#ifndef _VMBKMCL_TYPES_H
#define _VMBKMCL_TYPES_H

#include <linux/types.h>

#include <vmbkmcl/guid.h>

struct device;

typedef void VOID;
typedef void *PVOID;
typedef unsigned char BOOLEAN;
typedef unsigned char UINT8;
typedef unsigned short UINT16;
typedef unsigned short USHORT;
typedef unsigned int UINT32;
typedef unsigned int ULONG;
typedef unsigned long long UINT64;
typedef UINT16 *PUINT16;
typedef UINT32 *PUINT32;
typedef ULONG *PULONG;
typedef unsigned long PFN_NUMBER;
typedef PFN_NUMBER *PPFN_NUMBER;
typedef void *HANDLE;
typedef HANDLE *PHANDLE;
typedef u16 WCHAR;
typedef WCHAR *PWSTR;

typedef struct device *PDEVICE_OBJECT;

/* A channel, as VmbChannelAllocate() hands it out. */
typedef struct kmcl_channel *VMBCHANNEL;

/* A packet of the host's, from its delivery to VmbChannelPacketComplete(). */
typedef struct kmcl_rx_packet *VMBPACKETCOMPLETION;

/* A packet of the client's, as VmbPacketAllocate() hands it out. */
typedef struct kmcl_packet *VMBPACKET;

/**
 * struct _UNICODE_STRING - counted UTF-16 string
 * @Length: bytes in use, without a terminator
 * @MaximumLength: bytes that @Buffer has room for
 * @Buffer: the characters; kernel code is compiled with -fshort-wchar, so an
 *	L"..." literal has this type's width
 */
typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

/**
 * union _LARGE_INTEGER - 64-bit integer; as a timeout in units of 100 ns
 * @LowPart: its lower half, also as u.LowPart
 * @HighPart: its upper half, also as u.HighPart
 * @u: the halves
 * @QuadPart: below 0 a time from now, 0 no waiting at all, above 0 a point in
 *	time counted from 1 January 1601 UTC
 */
typedef union _LARGE_INTEGER {
	struct {
		ULONG LowPart;
		s32 HighPart;
	};
	struct {
		ULONG LowPart;
		s32 HighPart;
	} u;
	s64 QuadPart;
} LARGE_INTEGER, *PLARGE_INTEGER;

#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

#endif /* _VMBKMCL_TYPES_H */
