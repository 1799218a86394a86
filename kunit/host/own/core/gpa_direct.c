// SPDX-License-Identifier: GPL-2.0-only
/* The description of a GPA-direct packet's external data. */
#include "host.h"

#include <string.h>

/* The guest may write to the ring at any time, so this is a copy. */
static bool take(const uint8_t **from, uint32_t *left, void *to, uint32_t len)
{
	if (*left < len)
		return false;
	memcpy(to, *from, len);
	*from += len;
	*left -= len;
	return true;
}

static bool walk_range(const uint8_t **at, uint32_t *left,
		       void (*piece)(void *arg, uint64_t address, uint32_t len), void *arg)
{
	struct wire_range range;
	uint32_t n, offset;
	uint64_t pfn;

	if (!take(at, left, &range, sizeof(range)) || range.offset >= WIRE_PAGE)
		return false;
	offset = range.offset;
	while (range.bytes) {
		if (!take(at, left, &pfn, sizeof(pfn)))
			return false;
		n = WIRE_PAGE - offset;
		if (n > range.bytes)
			n = range.bytes;
		piece(arg, (pfn << WIRE_PAGE_SHIFT) + offset, n);
		range.bytes -= n;
		offset = 0;
	}
	return true;
}

bool gpa_direct_walk(const struct packet *packet,
		     void (*piece)(void *arg, uint64_t address, uint32_t len), void *arg)
{
	const uint8_t *at = packet->descriptor;
	uint32_t left = packet->descriptor_len, i;
	struct wire_gpa_direct head;

	if (!take(&at, &left, &head, sizeof(head)) || !head.nr_ranges)
		return false;
	for (i = 0; i < head.nr_ranges; i++)
		if (!walk_range(&at, &left, piece, arg))
			return false;
	return !left;
}
