/* SPDX-License-Identifier: GPL-2.0-only */
/* Definition and comparison of GUIDs. */
#ifndef _VMBKMCL_WINDOWS_GUID_H
#define _VMBKMCL_WINDOWS_GUID_H

#include <linux/string.h>

#include <vmbkmcl/windows/types.h>

#if !__has_include(<ntddk.h>)
#error "a Windows source needs include/windows in its include path"
#endif

/*
 * On Windows DEFINE_GUID() is a definition in the source file that includes
 * initguid.h, and a declaration in the others. Here it is a static definition
 * in every source file.
 */
#define DEFINE_GUID(name, l, w1, w2, b1, b2, b3, b4, b5, b6, b7, b8)	\
	static const GUID name __maybe_unused = {			\
		l, w1, w2, { b1, b2, b3, b4, b5, b6, b7, b8 }		\
	}

#define IsEqualGUID(a, b)		(!memcmp(a, b, sizeof(GUID)))
#define InlineIsEqualGUID(a, b)		IsEqualGUID(a, b)
#define IsEqualIID(a, b)		IsEqualGUID(a, b)
#define IsEqualCLSID(a, b)		IsEqualGUID(a, b)

#endif /* _VMBKMCL_WINDOWS_GUID_H */
