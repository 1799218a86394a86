/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GUID, the same 16 bytes for everybody.
 *
 * A source written for Linux has guid_t. One written for Windows initialises and
 * reads Data1 to Data4, so it needs a structure that has them. What tells the two
 * apart is whether include/windows is in the include path: only the latter needs
 * it. The order of the includes does not matter, then.
 */
#ifndef _VMBKMCL_GUID_H
#define _VMBKMCL_GUID_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/uuid.h>

/* sparse does not know __has_include(), and sees no source of Windows. */
#ifdef __CHECKER__
#elif __has_include(<ntddk.h>)
#define KMCL_GUID_HAS_MEMBERS
#endif

#ifdef KMCL_GUID_HAS_MEMBERS
typedef struct _GUID {
	u32 Data1;
	u16 Data2;
	u16 Data3;
	u8 Data4[8];
} GUID;

static_assert(sizeof(GUID) == sizeof(guid_t));
static_assert(offsetof(GUID, Data2) == 4 && offsetof(GUID, Data3) == 6 &&
	      offsetof(GUID, Data4) == 8);
#else
typedef guid_t GUID;
#endif

typedef GUID *LPGUID, *PGUID;
typedef const GUID *LPCGUID;

#endif /* _VMBKMCL_GUID_H */
