/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * GUID, with the same 16 bytes for Linux and for Windows source code.
 *
 * Source code that is written for Linux uses guid_t. Source code that is
 * written for Windows accesses the members Data1 to Data4, so it needs a
 * structure that has them. Only the latter has include/windows in its include
 * path, and so the include path decides what GUID is. The order of includes has
 * no influence.
 */
#ifndef _VMBKMCL_GUID_H
#define _VMBKMCL_GUID_H

#include <linux/build_bug.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/uuid.h>

/* sparse does not support __has_include(), and checks no Windows source code. */
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
