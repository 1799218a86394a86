/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * printf() with the formats of Windows: %ld and %lu have 32 bits, %I64d has 64
 * bits, %ws is a string of WCHAR, %wZ a UNICODE_STRING and %Z an ANSI_STRING.
 * The functions of the Linux kernel can not be used, as they would read
 * arguments of other sizes.
 */
#ifndef _VMBKMCL_WINDOWS_FORMAT_H
#define _VMBKMCL_WINDOWS_FORMAT_H

#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include <vmbkmcl/windows/types.h>

/**
 * struct kmcl_text - text of CHAR or WCHAR that is being written or read
 * @narrow: the text if it is of CHAR
 * @wide: the text if it is of WCHAR; otherwise NULL
 * @room: number of characters that fit
 * @used: when writing: number of characters, including those that did not fit; when
 *	reading: index of the next character
 */
struct kmcl_text {
	char *narrow;
	WCHAR *wide;
	size_t room;
	size_t used;
};

/**
 * struct kmcl_conversion - one conversion specification of a format
 * @flags: flags for snprintf(), without "-"
 * @width: minimum number of characters; below 0: left-adjusted
 * @precision: maximum number of characters of a text; below 0: no maximum
 * @bytes: size of an integer argument
 * @wide: the text argument is of WCHAR
 * @sized: the format says whether the text is of CHAR or WCHAR
 * @type: conversion character in the dialect of Linux
 */
struct kmcl_conversion {
	char flags[8];
	int width;
	int precision;
	int bytes;
	bool wide;
	bool sized;
	char type;
};

/* A character that does not fit in a CHAR is written as a question mark. */
static inline void kmcl_text_put(struct kmcl_text *to, WCHAR c)
{
	if (to->used < to->room) {
		if (to->wide)
			to->wide[to->used] = c;
		else
			to->narrow[to->used] = c < 0x80 ? c : '?';
	}
	to->used++;
}

static inline WCHAR kmcl_text_at(const struct kmcl_text *from, size_t i)
{
	return from->wide ? from->wide[i] : (unsigned char)from->narrow[i];
}

static inline WCHAR kmcl_text_next(struct kmcl_text *from)
{
	WCHAR c = kmcl_text_at(from, from->used);

	if (c)
		from->used++;
	return c;
}

static inline void kmcl_text_fill(struct kmcl_text *to, int count)
{
	while (count-- > 0)
		kmcl_text_put(to, ' ');
}

/* Write a text of at most @room characters, which may end with a 0 before. */
static inline void kmcl_format_text(struct kmcl_text *to,
				    const struct kmcl_conversion *conv,
				    const struct kmcl_text *text)
{
	size_t length = 0, i;

	while (length < text->room &&
	       (conv->precision < 0 || length < conv->precision) &&
	       kmcl_text_at(text, length))
		length++;
	kmcl_text_fill(to, conv->width - (int)length);
	for (i = 0; i < length; i++)
		kmcl_text_put(to, kmcl_text_at(text, i));
	kmcl_text_fill(to, -conv->width - (int)length);
}

static inline void kmcl_format_string(struct kmcl_text *to,
				      const struct kmcl_conversion *conv,
				      void *string)
{
	struct kmcl_text text = { .room = SIZE_MAX };

	if (!string)
		text.narrow = "(null)";
	else if (conv->wide)
		text.wide = string;
	else
		text.narrow = string;
	kmcl_format_text(to, conv, &text);
}

static inline void kmcl_format_counted(struct kmcl_text *to,
				       const struct kmcl_conversion *conv,
				       const void *string)
{
	const UNICODE_STRING *wide = string;
	const STRING *narrow = string;
	struct kmcl_text text = {};

	if (string && conv->wide) {
		text.wide = wide->Buffer;
		text.room = wide->Length / sizeof(WCHAR);
	} else if (string) {
		text.narrow = narrow->Buffer;
		text.room = narrow->Length;
	}
	kmcl_format_text(to, conv, &text);
}

static inline void kmcl_format_number(struct kmcl_text *to,
				      const struct kmcl_conversion *conv,
				      u64 value)
{
	char spec[32], digits[80];
	struct kmcl_text text = { .narrow = digits, .room = sizeof(digits) };
	struct kmcl_conversion all = { .precision = -1 };

	/* The caller passed only conv->bytes bytes; ignore the others. */
	if (conv->type == 'd')
		value = sign_extend64(value, conv->bytes * 8 - 1);
	else
		value &= GENMASK_ULL(conv->bytes * 8 - 1, 0);
	snprintf(spec, sizeof(spec), "%%%s%s*.*ll%c", conv->flags,
		 conv->width < 0 ? "-" : "", conv->type);
	snprintf(digits, sizeof(digits), spec, min(abs(conv->width), 64),
		 min(conv->precision, 64), value);
	kmcl_format_text(to, &all, &text);
}

/* Terminate the text with a 0, unless there is no room at all. */
static inline void kmcl_text_end(struct kmcl_text *to)
{
	size_t end = min(to->used, to->room - 1);

	if (!to->room)
		return;
	if (to->wide)
		to->wide[end] = 0;
	else
		to->narrow[end] = 0;
}

/**
 * struct kmcl_format - state of one formatted print
 * @to: the text that is written
 * @from: the format
 * @args: the arguments that are not used yet
 */
struct kmcl_format {
	struct kmcl_text to;
	struct kmcl_text from;
	va_list args;
};

static inline WCHAR kmcl_format_flags(struct kmcl_format *format,
				      struct kmcl_conversion *conv, bool *left)
{
	size_t used = 0;
	WCHAR c;

	while ((c = kmcl_text_next(&format->from)) && c < 0x80 &&
	       strchr("-+ #0", c)) {
		*left |= c == '-';
		if (c != '-' && used < sizeof(conv->flags) - 1)
			conv->flags[used++] = c;
	}
	return c;
}

/*
 * Parse a number, which may be a "*" for an argument. Returns the character
 * after the number.
 */
static inline WCHAR kmcl_format_int(struct kmcl_format *format, WCHAR c,
				    int *value)
{
	*value = 0;
	if (c == '*') {
		*value = clamp(va_arg(format->args, int), -4096, 4096);
		c = kmcl_text_next(&format->from);
	}
	for (; c >= '0' && c <= '9'; c = kmcl_text_next(&format->from))
		*value = min(*value * 10 + c - '0', 4096);
	return c;
}

static inline bool kmcl_format_digits(struct kmcl_text *from, char a, char b)
{
	if (kmcl_text_at(from, from->used) != a ||
	    kmcl_text_at(from, from->used + 1) != b)
		return false;
	from->used += 2;
	return true;
}

/* Size of the argument for the characters that follow an "I". */
static inline int kmcl_format_size_of_i(struct kmcl_text *from)
{
	if (kmcl_format_digits(from, '3', '2'))
		return 4;
	if (kmcl_format_digits(from, '6', '4'))
		return 8;
	return sizeof(void *);
}

/*
 * Parse the size of an integer, or the kind of characters of a text. Returns the
 * character after it.
 */
static inline WCHAR kmcl_format_size(struct kmcl_format *format, WCHAR c,
				     struct kmcl_conversion *conv)
{
	struct kmcl_text *from = &format->from;

	switch (c) {
	case 'h':
		conv->bytes = kmcl_text_at(from, from->used) == 'h' ? 1 : 2;
		from->used += conv->bytes == 1;
		conv->sized = true;
		conv->wide = false;
		return kmcl_text_next(from);
	case 'l':
	case 'w':
		conv->sized = true;
		conv->wide = true;
		c = kmcl_text_next(from);
		if (c != 'l')
			return c;
		conv->bytes = 8;
		return kmcl_text_next(from);
	case 'I':
		conv->bytes = kmcl_format_size_of_i(from);
		return kmcl_text_next(from);
	case 'z':
	case 't':
	case 'j':
		conv->bytes = 8;
		return kmcl_text_next(from);
	}
	return c;
}

static inline u64 kmcl_format_integer(struct kmcl_format *format,
				      const struct kmcl_conversion *conv)
{
	return conv->bytes == 8 ? va_arg(format->args, u64) :
				  va_arg(format->args, unsigned int);
}

/* The address is hashed, as by printk(). */
static inline void kmcl_format_pointer(struct kmcl_text *to,
				       struct kmcl_conversion *conv,
				       void *pointer)
{
	char address[24];

	snprintf(address, sizeof(address), "%p", pointer);
	conv->wide = false;
	kmcl_format_string(to, conv, address);
}

static inline void kmcl_format_argument(struct kmcl_format *format,
					struct kmcl_conversion *conv)
{
	struct kmcl_text *to = &format->to;

	switch (conv->type) {
	case 's':
		kmcl_format_string(to, conv, va_arg(format->args, void *));
		break;
	case 'Z':
		kmcl_format_counted(to, conv, va_arg(format->args, void *));
		break;
	case 'c':
		kmcl_text_put(to, va_arg(format->args, int));
		break;
	case 'p':
		kmcl_format_pointer(to, conv, va_arg(format->args, void *));
		break;
	case 'd':
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		kmcl_format_number(to, conv, kmcl_format_integer(format, conv));
		break;
	default:
		kmcl_text_put(to, conv->type);
	}
}

/*
 * Convert the conversion character to the dialect of Linux. A text without a
 * size is of the same kind as the format (CHAR or WCHAR) for %s, and of the
 * other kind for %S. A counted string without a size is of CHAR.
 */
static inline char kmcl_format_type(const struct kmcl_format *format, WCHAR c,
				    struct kmcl_conversion *conv)
{
	bool wide = format->from.wide;

	switch (c) {
	case 'S':
		if (!conv->sized)
			conv->wide = !wide;
		return 's';
	case 's':
		if (!conv->sized)
			conv->wide = wide;
		return 's';
	case 'C':
		return 'c';
	case 'i':
		return 'd';
	}
	return c < 0x80 ? c : '?';
}

static inline void kmcl_format_conversion(struct kmcl_format *format)
{
	struct kmcl_conversion conv = { .precision = -1, .bytes = 4 };
	bool left = false;
	WCHAR c;

	c = kmcl_format_flags(format, &conv, &left);
	c = kmcl_format_int(format, c, &conv.width);
	if (left)
		conv.width = -abs(conv.width);
	if (c == '.')
		c = kmcl_format_int(format, kmcl_text_next(&format->from),
				    &conv.precision);
	c = kmcl_format_size(format, c, &conv);
	conv.type = kmcl_format_type(format, c, &conv);
	if (conv.type)
		kmcl_format_argument(format, &conv);
}

/* Returns the length of the text if there was room for all, without the 0. */
static inline size_t kmcl_format(struct kmcl_format *format)
{
	WCHAR c;

	while ((c = kmcl_text_next(&format->from))) {
		if (c == '%')
			kmcl_format_conversion(format);
		else
			kmcl_text_put(&format->to, c);
	}
	kmcl_text_end(&format->to);
	return format->to.used;
}

#endif /* _VMBKMCL_WINDOWS_FORMAT_H */
