// SPDX-License-Identifier: GPL-2.0-only
/*
 * A part of the memory that a chain of MDLs describes: external data of a packet,
 * or what becomes a GPADL. A client's numbers are judged once, here.
 */

#include <linux/kernel.h>

#include "mdl_pages.h"
#include "mdl_range.h"
#include "status.h"

static int kmcl_extent_check_forced(struct kmcl_extent *extent, u32 most)
{
	const MDL *mdl = extent->mdl;
	u64 bytes;

	if (!mdl || !kmcl_mdl_has_pages(mdl))
		return -EINVAL;
	bytes = (u64)kmcl_mdl_pages(mdl) * MDL_PAGE_SIZE - mdl->ByteOffset;
	if (extent->skip >= bytes)
		return -ERANGE;
	if (!extent->len || extent->len > bytes - extent->skip)
		return -EOVERFLOW;
	extent->mdls = 1;
	return extent->len > most ? -EMSGSIZE : 0;
}

/**
 * kmcl_extent_check - judge what a client asked for
 * @extent: that; complete when it is good
 * @most: bytes it may have
 * @chain: MDLs the chain may have up to its end
 *
 * Context: any.
 * Return: 0. -EINVAL when there is no MDL, too many, one without page numbers, or
 * no byte in them; -ERANGE when it begins behind all; -EOVERFLOW when it ends
 * there; -EMSGSIZE when it is too large.
 */
int kmcl_extent_check(struct kmcl_extent *extent, u32 most, u32 chain)
{
	u64 end = extent->len ? (u64)extent->skip + extent->len : U64_MAX;
	const MDL *mdl;
	u64 bytes = 0;

	if (extent->forced)
		return kmcl_extent_check_forced(extent, most);

	extent->mdls = 0;
	for (mdl = extent->mdl; mdl && bytes < end; mdl = mdl->Next) {
		/* This also ends a chain that bites its tail. */
		if (++extent->mdls > chain || !kmcl_mdl_has_pages(mdl))
			return -EINVAL;
		bytes += mdl->ByteCount;
	}
	if (!bytes)
		return -EINVAL;
	if (extent->skip >= bytes)
		return -ERANGE;
	if (extent->len && bytes < end)
		return -EOVERFLOW;
	bytes = extent->len ?: bytes - extent->skip;
	if (bytes > most)
		return -EMSGSIZE;
	extent->len = bytes;
	return 0;
}

/**
 * kmcl_extent_next - take the first piece off an extent
 * @rest: a checked extent, of which the piece is then no part any more
 * @piece: filled in
 *
 * Context: any.
 * Return: false when nothing is left.
 */
bool kmcl_extent_next(struct kmcl_extent *rest, struct kmcl_piece *piece)
{
	u32 offset;

	if (!rest->len)
		return false;
	while (!rest->forced && rest->skip >= rest->mdl->ByteCount) {
		rest->skip -= rest->mdl->ByteCount;
		rest->mdl = rest->mdl->Next;
	}
	offset = rest->mdl->ByteOffset + rest->skip;
	piece->pfns = MmGetMdlPfnArray(rest->mdl) + (offset >> MDL_PAGE_SHIFT);
	piece->offset = offset & (MDL_PAGE_SIZE - 1);
	piece->len = rest->forced ? rest->len :
		     min(rest->len, rest->mdl->ByteCount - rest->skip);
	rest->skip += piece->len;
	rest->len -= piece->len;
	return true;
}

/**
 * kmcl_extent_flags - what is true of all of it, and of a part
 * @extent: a checked extent
 * @all: the ``MDL_...`` flags that each of its MDLs has
 *
 * Context: any.
 * Return: the flags that one of them has.
 */
CSHORT kmcl_extent_flags(const struct kmcl_extent *extent, CSHORT *all)
{
	struct kmcl_extent rest = *extent;
	struct kmcl_piece piece;
	CSHORT any = 0;

	*all = ~0;
	/* The next piece is looked for when it is asked for: the MDL is this one's. */
	while (kmcl_extent_next(&rest, &piece)) {
		*all &= rest.mdl->MdlFlags;
		any |= rest.mdl->MdlFlags;
	}
	return any;
}

/* @mdl: which parameter that is; the offset and the length are the next two. */
NTSTATUS kmcl_extent_status(int err, unsigned int mdl)
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
