/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory and strings: Rtl functions and the functions of ntstrsafe.h. */
#ifndef _VMBKMCL_WINDOWS_STRING_H
#define _VMBKMCL_WINDOWS_STRING_H

#include <linux/compiler.h>
#include <linux/ctype.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/format.h>
#include <vmbkmcl/windows/guid.h>
#include <vmbkmcl/windows/types.h>

/*
 * Structures of Windows often end with an array of one element that stands for
 * any number of elements. Hide the size of such an array from FORTIFY_SOURCE,
 * which would warn of each access behind the first element.
 */
static inline void *kmcl_unfortified(const volatile void *memory)
{
	OPTIMIZER_HIDE_VAR(memory);
	return (void *)memory;
}

#define RtlZeroMemory(to, bytes)	\
	((void)memset(kmcl_unfortified(to), 0, bytes))
#define RtlFillMemory(to, bytes, value)	\
	((void)memset(kmcl_unfortified(to), value, bytes))
#define RtlCopyMemory(to, from, bytes)	\
	((void)memcpy(kmcl_unfortified(to), kmcl_unfortified(from), bytes))
#define RtlMoveMemory(to, from, bytes)	\
	((void)memmove(kmcl_unfortified(to), kmcl_unfortified(from), bytes))
#define RtlEqualMemory(a, b, bytes)	\
	(!memcmp(kmcl_unfortified(a), kmcl_unfortified(b), bytes))
#define ZeroMemory			RtlZeroMemory
#define CopyMemory			RtlCopyMemory
#define FillMemory			RtlFillMemory
#define MoveMemory			RtlMoveMemory

/* The compiler does not optimise this away. */
static inline PVOID RtlSecureZeroMemory(PVOID ptr, SIZE_T cnt)
{
	memzero_explicit(ptr, cnt);
	return ptr;
}

/* Returns the number of bytes before the first difference. */
static inline SIZE_T RtlCompareMemory(const VOID *Source1, const VOID *Source2,
				      SIZE_T Length)
{
	const u8 *a = Source1, *b = Source2;
	SIZE_T same = 0;

	while (same < Length && a[same] == b[same])
		same++;
	return same;
}

/* Counted strings */

#define UNICODE_NULL			((WCHAR)0)
#define ANSI_NULL			((CHAR)0)
#define UNICODE_STRING_MAX_BYTES	((USHORT)65534)
#define UNICODE_STRING_MAX_CHARS	(UNICODE_STRING_MAX_BYTES / 2)

/* A constant string from an L"..." literal */
#define DECLARE_CONST_UNICODE_STRING(name, literal)			\
	static WCHAR name ## _buffer[] = literal;			\
	const UNICODE_STRING name = {					\
		.Length = sizeof(literal) - sizeof(WCHAR),		\
		.MaximumLength = sizeof(literal),			\
		.Buffer = name ## _buffer,				\
	}

/* An empty string with a buffer */
#define DECLARE_UNICODE_STRING_SIZE(name, characters)			\
	WCHAR name ## _buffer[characters];				\
	UNICODE_STRING name = {						\
		.MaximumLength = (characters) * sizeof(WCHAR),		\
		.Buffer = name ## _buffer,				\
	}

/* An initialiser from a literal of CHAR or WCHAR */
#define RTL_CONSTANT_STRING(literal)					\
{									\
	.Length = sizeof(literal) - sizeof((literal)[0]),		\
	.MaximumLength = sizeof(literal),				\
	.Buffer = (typeof(&(literal)[0]))(literal),			\
}

/*
 * A string that is too long is cut, so that MaximumLength can include a
 * terminator.
 */
static inline VOID RtlInitUnicodeString(PUNICODE_STRING String, PCWSTR Source)
{
	USHORT length = 0;

	while (Source && length < UNICODE_STRING_MAX_CHARS - 1 && Source[length])
		length++;
	String->Length = length * sizeof(WCHAR);
	String->MaximumLength = Source ? String->Length + sizeof(WCHAR) : 0;
	String->Buffer = (PWSTR)Source;
}

static inline VOID RtlInitAnsiString(PANSI_STRING String, PCSZ Source)
{
	String->Length = Source ? strnlen(Source, 65534) : 0;
	String->MaximumLength = Source ? String->Length + 1 : 0;
	String->Buffer = (PCHAR)Source;
}

#define RtlInitString	RtlInitAnsiString

static inline VOID RtlInitEmptyUnicodeString(PUNICODE_STRING String,
					     PWCHAR Buffer, USHORT BufferSize)
{
	*String = (UNICODE_STRING) {
		.MaximumLength = BufferSize,
		.Buffer = Buffer,
	};
}

/* Copies as much as fits. Without a source the destination becomes empty. */
static inline VOID RtlCopyUnicodeString(PUNICODE_STRING Destination,
					PCUNICODE_STRING Source)
{
	USHORT bytes = 0;

	if (Source) {
		bytes = min(Source->Length, Destination->MaximumLength);
		memmove(Destination->Buffer, Source->Buffer, bytes);
	}
	Destination->Length = bytes;
	if (bytes + sizeof(WCHAR) <= Destination->MaximumLength)
		Destination->Buffer[bytes / sizeof(WCHAR)] = 0;
}

/* Only ASCII letters are converted. */
static inline WCHAR RtlUpcaseUnicodeChar(WCHAR SourceCharacter)
{
	return SourceCharacter < 0x80 ? toupper(SourceCharacter) :
					SourceCharacter;
}

static inline LONG RtlCompareUnicodeString(PCUNICODE_STRING String1,
					   PCUNICODE_STRING String2,
					   BOOLEAN CaseInSensitive)
{
	USHORT length = min(String1->Length, String2->Length) / sizeof(WCHAR), i;

	for (i = 0; i < length; i++) {
		WCHAR a = String1->Buffer[i], b = String2->Buffer[i];

		if (CaseInSensitive) {
			a = RtlUpcaseUnicodeChar(a);
			b = RtlUpcaseUnicodeChar(b);
		}
		if (a != b)
			return a - b;
	}
	return String1->Length - String2->Length;
}

static inline BOOLEAN RtlEqualUnicodeString(PCUNICODE_STRING String1,
					    PCUNICODE_STRING String2,
					    BOOLEAN CaseInSensitive)
{
	return !RtlCompareUnicodeString(String1, String2, CaseInSensitive);
}

/* ntstrsafe.h: Cb functions have sizes in bytes, Cch functions in characters. */

#define NTSTRSAFE_MAX_CCH	2147483647
#define STRSAFE_MAX_CCH		NTSTRSAFE_MAX_CCH

static inline NTSTATUS kmcl_print(struct kmcl_text to, struct kmcl_text from,
				  va_list args)
{
	struct kmcl_format format = { .to = to, .from = from };
	size_t used;

	if (!to.room || to.room > NTSTRSAFE_MAX_CCH)
		return STATUS_INVALID_PARAMETER;
	va_copy(format.args, args);
	used = kmcl_format(&format);
	va_end(format.args);
	return used < to.room ? STATUS_SUCCESS : STATUS_BUFFER_OVERFLOW;
}

static inline NTSTATUS RtlStringCchVPrintfA(NTSTRSAFE_PSTR pszDest,
					    SIZE_T cchDest,
					    NTSTRSAFE_PCSTR pszFormat,
					    va_list argList)
{
	return kmcl_print((struct kmcl_text) { .narrow = pszDest,
					       .room = cchDest },
			  (struct kmcl_text) { .narrow = (char *)pszFormat },
			  argList);
}

static inline NTSTATUS RtlStringCchVPrintfW(NTSTRSAFE_PWSTR pszDest,
					    SIZE_T cchDest,
					    NTSTRSAFE_PCWSTR pszFormat,
					    va_list argList)
{
	return kmcl_print((struct kmcl_text) { .wide = pszDest,
					       .room = cchDest },
			  (struct kmcl_text) { .wide = (WCHAR *)pszFormat },
			  argList);
}

#define KMCL_PRINTF(name, vname, char_type, size)			\
static __maybe_unused NTSTATUS name(char_type *pszDest, SIZE_T Size,	\
				    const char_type *pszFormat, ...)	\
{									\
	NTSTATUS status;						\
	va_list args;							\
									\
	va_start(args, pszFormat);					\
	status = vname(pszDest, Size / (size), pszFormat, args);	\
	va_end(args);							\
	return status;							\
}

KMCL_PRINTF(RtlStringCchPrintfA, RtlStringCchVPrintfA, CHAR, 1)
KMCL_PRINTF(RtlStringCbPrintfA, RtlStringCchVPrintfA, CHAR, 1)
KMCL_PRINTF(RtlStringCchPrintfW, RtlStringCchVPrintfW, WCHAR, 1)
KMCL_PRINTF(RtlStringCbPrintfW, RtlStringCchVPrintfW, WCHAR, sizeof(WCHAR))

#define RtlStringCbVPrintfA(dest, bytes, format, args)	\
	RtlStringCchVPrintfA(dest, bytes, format, args)
#define RtlStringCbVPrintfW(dest, bytes, format, args)	\
	RtlStringCchVPrintfW(dest, (bytes) / sizeof(WCHAR), format, args)

/* Functions to measure, copy and append strings. */
#define KMCL_STRING(suffix, char_type)					\
static inline NTSTATUS RtlStringCchLength ## suffix(const char_type *psz, \
						    SIZE_T cchMax,	\
						    SIZE_T *pcchLength)	\
{									\
	SIZE_T length = 0;						\
									\
	while (psz && length < cchMax && psz[length])			\
		length++;						\
	if (!psz || cchMax > NTSTRSAFE_MAX_CCH || length == cchMax)	\
		return STATUS_INVALID_PARAMETER;			\
	if (pcchLength)							\
		*pcchLength = length;					\
	return STATUS_SUCCESS;						\
}									\
									\
static inline NTSTATUS RtlStringCchCopyN ## suffix(char_type *pszDest,	\
						   SIZE_T cchDest,	\
						   const char_type *pszSrc, \
						   SIZE_T cchToCopy)	\
{									\
	SIZE_T i = 0;							\
									\
	if (!cchDest || cchDest > NTSTRSAFE_MAX_CCH)			\
		return STATUS_INVALID_PARAMETER;			\
	for (; i < cchDest - 1 && i < cchToCopy && pszSrc[i]; i++)	\
		pszDest[i] = pszSrc[i];					\
	pszDest[i] = 0;							\
	return i == cchToCopy || !pszSrc[i] ? STATUS_SUCCESS :		\
					      STATUS_BUFFER_OVERFLOW;	\
}									\
									\
static inline NTSTATUS RtlStringCchCopy ## suffix(char_type *pszDest,	\
						  SIZE_T cchDest,	\
						  const char_type *pszSrc) \
{									\
	return RtlStringCchCopyN ## suffix(pszDest, cchDest, pszSrc,	\
					   NTSTRSAFE_MAX_CCH);		\
}									\
									\
static inline NTSTATUS RtlStringCchCat ## suffix(char_type *pszDest,	\
						 SIZE_T cchDest,	\
						 const char_type *pszSrc) \
{									\
	SIZE_T used;							\
									\
	if (RtlStringCchLength ## suffix(pszDest, cchDest, &used))	\
		return STATUS_INVALID_PARAMETER;			\
	return RtlStringCchCopy ## suffix(pszDest + used,		\
					  cchDest - used, pszSrc);	\
}

KMCL_STRING(A, CHAR)
KMCL_STRING(W, WCHAR)

#define RtlStringCbCopyA(dest, bytes, src)	\
	RtlStringCchCopyA(dest, bytes, src)
#define RtlStringCbCopyW(dest, bytes, src)	\
	RtlStringCchCopyW(dest, (bytes) / sizeof(WCHAR), src)
#define RtlStringCbCatA(dest, bytes, src)	\
	RtlStringCchCatA(dest, bytes, src)
#define RtlStringCbCatW(dest, bytes, src)	\
	RtlStringCchCatW(dest, (bytes) / sizeof(WCHAR), src)

static inline NTSTATUS RtlStringCbLengthW(const WCHAR *psz, SIZE_T cbMax,
					  SIZE_T *pcbLength)
{
	NTSTATUS status;

	status = RtlStringCchLengthW(psz, cbMax / sizeof(WCHAR), pcbLength);
	if (!status && pcbLength)
		*pcbLength *= sizeof(WCHAR);
	return status;
}

#define RtlStringCbLengthA(psz, bytes, length)	\
	RtlStringCchLengthA(psz, bytes, length)

/* GUIDs as "{525074DC-8985-46E2-8057-A307DC18A502}" */

static inline VOID RtlFreeUnicodeString(PUNICODE_STRING UnicodeString)
{
	kfree(UnicodeString->Buffer);
	*UnicodeString = (UNICODE_STRING) {};
}

/* May sleep. RtlFreeUnicodeString() frees the string. */
static inline NTSTATUS RtlStringFromGUID(REFGUID Guid,
					 PUNICODE_STRING GuidString)
{
	static const size_t chars = UUID_STRING_LEN + 3;
	char text[UUID_STRING_LEN + 3];
	PWSTR buffer;
	size_t i;

	buffer = kmalloc_array(chars, sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return STATUS_NO_MEMORY;
	snprintf(text, sizeof(text), "{%pUL}", Guid);
	for (i = 0; i < chars; i++)
		buffer[i] = text[i];
	RtlInitUnicodeString(GuidString, buffer);
	return STATUS_SUCCESS;
}

static inline NTSTATUS RtlGUIDFromString(PCUNICODE_STRING GuidString,
					 PGUID Guid)
{
	char text[UUID_STRING_LEN + 1];
	size_t i;

	if (GuidString->Length != (UUID_STRING_LEN + 2) * sizeof(WCHAR) ||
	    GuidString->Buffer[0] != '{' ||
	    GuidString->Buffer[UUID_STRING_LEN + 1] != '}')
		return STATUS_INVALID_PARAMETER;
	for (i = 0; i < UUID_STRING_LEN; i++) {
		WCHAR c = GuidString->Buffer[i + 1];

		text[i] = c < 0x80 ? c : '?';
	}
	text[i] = 0;
	return guid_parse(text, (guid_t *)Guid) ? STATUS_INVALID_PARAMETER :
						  STATUS_SUCCESS;
}

#endif /* _VMBKMCL_WINDOWS_STRING_H */
