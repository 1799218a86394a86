/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Windows types in the signatures of the KMCL API.
 *
 * The types have the sizes that they have on 64-bit Windows: ULONG has 32 bits.
 * Names that ACPICA also defines are typedefs of the same types as there, so
 * that a client can include this header and <linux/acpi.h> in any order.
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

/* A channel from VmbChannelAllocate() or VmbChannelInitialize(). */
typedef struct kmcl_channel *VMBCHANNEL;

/* A packet from the host, valid until VmbChannelPacketComplete(). */
typedef struct kmcl_rx_packet *VMBPACKETCOMPLETION;

/* A packet object from VmbPacketAllocate() or VmbPacketInitialize(). */
typedef struct kmcl_packet *VMBPACKET;

/**
 * struct _UNICODE_STRING - counted UTF-16 string
 * @Length: size of the string in bytes, without a terminator
 * @MaximumLength: size of @Buffer in bytes
 * @Buffer: the characters. Kernel code is compiled with -fshort-wchar, so the
 *	characters of an L"..." literal have this type, too.
 */
typedef struct _UNICODE_STRING {
	USHORT Length;
	USHORT MaximumLength;
	PWSTR Buffer;
} UNICODE_STRING, *PUNICODE_STRING;
typedef const UNICODE_STRING *PCUNICODE_STRING;

/**
 * union _LARGE_INTEGER - 64-bit integer; a timeout is in units of 100 ns
 * @LowPart: the lower half, also as u.LowPart
 * @HighPart: the upper half, also as u.HighPart
 * @u: the halves
 * @QuadPart: the whole number. As a timeout: below 0 a time from now, 0 no wait
 *	at all, above 0 a point in time counted from 1 January 1601 UTC.
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
