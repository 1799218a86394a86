/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Types of Windows that the KMCL API itself does not use, and keywords of
 * declarations. LONG and ULONG have 32 bits on Windows, as int has on Linux.
 */
#ifndef _VMBKMCL_WINDOWS_TYPES_H
#define _VMBKMCL_WINDOWS_TYPES_H

#include <linux/compiler.h>
#include <linux/types.h>

#include <vmbkmcl/mdl.h>
#include <vmbkmcl/sal.h>
#include <vmbkmcl/types.h>

typedef char CHAR, *PCHAR, *PSTR, *LPSTR;
typedef const char *PCSTR, *LPCSTR, *PCCH, *PCSZ;
typedef unsigned char UCHAR, *PUCHAR;
typedef unsigned char BYTE, *PBYTE, *LPBYTE;
typedef short SHORT, *PSHORT;
typedef unsigned short WORD, *PWORD;
typedef int BOOL, *PBOOL;
typedef int INT, *PINT;
typedef unsigned int UINT, *PUINT;
typedef int LONG, *PLONG;
typedef unsigned int DWORD, *PDWORD, *LPDWORD;
typedef long long LONGLONG, *PLONGLONG;
typedef unsigned long long ULONGLONG, *PULONGLONG;
typedef unsigned long long DWORD64, *PDWORD64, DWORDLONG;

typedef signed char INT8, *PINT8;
typedef short INT16, *PINT16;
typedef int INT32, *PINT32;
typedef long long INT64, *PINT64;
typedef int LONG32, *PLONG32;
typedef long long LONG64, *PLONG64;
typedef unsigned int ULONG32, *PULONG32;
typedef unsigned long long ULONG64, *PULONG64;

typedef long INT_PTR, *PINT_PTR;
typedef unsigned long UINT_PTR, *PUINT_PTR;
typedef long LONG_PTR, *PLONG_PTR;
typedef unsigned long ULONG_PTR, *PULONG_PTR;
typedef unsigned long DWORD_PTR, *PDWORD_PTR;
typedef SIZE_T *PSIZE_T;
typedef long SSIZE_T, *PSSIZE_T;

typedef UINT8 *PUINT8;
typedef UINT64 *PUINT64;
typedef USHORT *PUSHORT;
typedef BOOLEAN *PBOOLEAN;
typedef PVOID *PPVOID;
typedef const void *PCVOID, *LPCVOID;
typedef NTSTATUS *PNTSTATUS;
typedef CCHAR *PCCHAR;

typedef WCHAR *PWCHAR, *LPWSTR, *PWCH, *NTSTRSAFE_PWSTR;
typedef const WCHAR *PCWSTR, *LPCWSTR, *PCWCH, *NTSTRSAFE_PCWSTR;
typedef char *NTSTRSAFE_PSTR;
typedef const char *NTSTRSAFE_PCSTR;

/* In C these are pointers, on Windows as well. */
#define REFGUID		const GUID *
#define REFIID		const GUID *
#define REFCLSID	const GUID *

/**
 * union _ULARGE_INTEGER - unsigned 64-bit integer
 * @LowPart: the lower half, also as u.LowPart
 * @HighPart: the upper half, also as u.HighPart
 * @u: the halves
 * @QuadPart: the whole number
 */
typedef union _ULARGE_INTEGER {
	struct {
		ULONG LowPart;
		ULONG HighPart;
	};
	struct {
		ULONG LowPart;
		ULONG HighPart;
	} u;
	ULONGLONG QuadPart;
} ULARGE_INTEGER, *PULARGE_INTEGER;

typedef LARGE_INTEGER PHYSICAL_ADDRESS, *PPHYSICAL_ADDRESS;

/**
 * struct _STRING - counted string of bytes
 * @Length: size of the string in bytes, without a terminator
 * @MaximumLength: size of @Buffer in bytes
 * @Buffer: the characters
 */
typedef struct _STRING {
	USHORT Length;
	USHORT MaximumLength;
	PCHAR Buffer;
} STRING, *PSTRING, ANSI_STRING, *PANSI_STRING;
typedef const STRING *PCSTRING, *PCANSI_STRING;

typedef unsigned char KIRQL, *PKIRQL;
typedef LONG KPRIORITY;
typedef PDEVICE_OBJECT *PPDEVICE_OBJECT;

/* Keywords that Linux spells differently or does not have. */
#define CONST			const
#define ANYSIZE_ARRAY		1	/* for the last member of a structure */
#define FASTCALL
#define NTAPI
#define NTSYSAPI
#define NTKERNELAPI
#define CALLBACK
#define WINAPI
#define __cdecl
#define __stdcall
#define __fastcall
#define EXTERN_C		extern
#define EXTERN_C_START
#define EXTERN_C_END
#define DECLSPEC_ALIGN(bytes)	__aligned(bytes)
#define DECLSPEC_NOINLINE	noinline
#define DECLSPEC_NORETURN	__noreturn
#define DECLARE_HANDLE(name)	typedef struct name ## __ *name

/*
 * FORCEINLINE functions are in headers, and every file that includes the header
 * gets a copy, so they must be static. __forceinline functions are already
 * declared static.
 */
#define FORCEINLINE		static __always_inline
#define __forceinline		__always_inline

#endif /* _VMBKMCL_WINDOWS_TYPES_H */
