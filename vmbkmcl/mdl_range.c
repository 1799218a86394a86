// SPDX-License-Identifier: GPL-2.0-only
/*
 * A part of the memory that a chain of MDLs describes: external data of a packet,
 * or what becomes a GPADL. A client's numbers are judged once, here.
 */

#include <linux/kernel.h>

#include "mdl_pages.h"
#include "mdl_range.h"
#include "status.h"

static int kmcl_mdl_range_check_forced(struct kmcl_mdl_range *range, u32 most)
{
	const MDL *mdl = range->mdl;
	u64 bytes;

	if (!mdl || !kmcl_mdl_has_pages(mdl))
		return -EINVAL;
	bytes = (u64)kmcl_mdl_pages(mdl) * MDL_PAGE_SIZE - mdl->ByteOffset;
	if (range->skip >= bytes)
		return -ERANGE;
	if (!range->len || range->len > bytes - range->skip)
		return -EOVERFLOW;
	range->mdls = 1;
	return range->len > most ? -EMSGSIZE : 0;
}

/**
 * kmcl_mdl_range_check - judge what a client asked for
 * @range: that; complete when it is good
 * @most: bytes it may have
 * @chain: MDLs the chain may have up to its end
 *
 * Context: any.
 * Return: 0. -EINVAL when there is no MDL, too many, one without page numbers, or
 * no byte in them; -ERANGE when it begins behind all; -EOVERFLOW when it ends
 * there; -EMSGSIZE when it is too large.
 */
int kmcl_mdl_range_check(struct kmcl_mdl_range *range, u32 most, u32 chain)
{
	u64 end = range->len ? (u64)range->skip + range->len : U64_MAX;
	const MDL *mdl;
	u64 bytes = 0;

	if (range->forced)
		return kmcl_mdl_range_check_forced(range, most);

	range->mdls = 0;
	for (mdl = range->mdl; mdl && bytes < end; mdl = mdl->Next) {
		/* This also ends a chain that bites its tail. */
		if (++range->mdls > chain || !kmcl_mdl_has_pages(mdl))
			return -EINVAL;
		bytes += mdl->ByteCount;
	}
	if (!bytes)
		return -EINVAL;
	if (range->skip >= bytes)
		return -ERANGE;
	if (range->len && bytes < end)
		return -EOVERFLOW;
	bytes = range->len ?: bytes - range->skip;
	if (bytes > most)
		return -EMSGSIZE;
	range->len = bytes;
	return 0;
}

/**
 * kmcl_mdl_range_next - take the first piece off an extent
 * @left: a checked extent, of which the piece is then no part any more
 * @segment: filled in
 *
 * Context: any.
 * Return: false when nothing is left.
 */
bool kmcl_mdl_range_next(struct kmcl_mdl_range *left,
			 struct kmcl_mdl_segment *segment)
{
	u32 offset;

	if (!left->len)
		return false;
	while (!left->forced && left->skip >= left->mdl->ByteCount) {
		left->skip -= left->mdl->ByteCount;
		left->mdl = left->mdl->Next;
	}
	offset = left->mdl->ByteOffset + left->skip;
	segment->pfns =
		MmGetMdlPfnArray(left->mdl) + (offset >> MDL_PAGE_SHIFT);
	segment->offset = offset & (MDL_PAGE_SIZE - 1);
	segment->len = left->forced ? left->len :
				      min(left->len,
					  left->mdl->ByteCount - left->skip);
	left->skip += segment->len;
	left->len -= segment->len;
	return true;
}

/**
 * kmcl_mdl_range_flags - what is true of all of it, and of a part
 * @range: a checked extent
 * @all: the ``MDL_...`` flags that each of its MDLs has
 *
 * Context: any.
 * Return: the flags that one of them has.
 */
CSHORT kmcl_mdl_range_flags(const struct kmcl_mdl_range *range, CSHORT *all)
{
	struct kmcl_mdl_range left = *range;
	struct kmcl_mdl_segment segment;
	CSHORT any = 0;

	*all = ~0;
	/* The next piece is looked for when it is asked for: the MDL is this one's. */
	while (kmcl_mdl_range_next(&left, &segment)) {
		*all &= left.mdl->MdlFlags;
		any |= left.mdl->MdlFlags;
	}
	return any;
}

/* @mdl: which parameter that is; the offset and the length are the next two. */
NTSTATUS kmcl_mdl_range_status(int err, unsigned int mdl)
{
	NTSTATUS bad = STATUS_INVALID_PARAMETER_1 + mdl - 1;

	switch (err) {
	case -EINVAL:
		return bad;
	case -ERANGE:
		return bad + 1;
	case -EOVERFLOW:
		return bad + 2;
	default:
		return kmcl_status(err);
	}
}
