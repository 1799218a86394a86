// SPDX-License-Identifier: GPL-2.0-only
/*
 * A range of the memory that a chain of MDLs describes: the external data of a
 * packet, or the memory of a GPADL. kmcl_mdl_range_check() checks the numbers
 * that a client passed; the other functions rely on that.
 */

#include <linux/kernel.h>

#include "mdl_pages.h"
#include "mdl_range.h"
#include "status.h"

/* With &kmcl_mdl_range.forced the range is in the first MDL's pages alone. */
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
 * kmcl_mdl_range_check - check a range that a client passed
 * @range: the range; its len and mdls are filled in on success
 * @most: most bytes that the range may have
 * @chain: most MDLs that the chain may have up to the end of the range
 *
 * Context: any.
 * Return:
 * * %0 - the range is valid
 * * %-EINVAL - the chain has no MDL, too many MDLs, an MDL without page
 *   numbers, or no bytes
 * * %-ERANGE - the range begins behind the end of the memory
 * * %-EOVERFLOW - the range ends behind the end of the memory
 * * %-EMSGSIZE - the range is too large
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
		/* The limit also ends a chain that is circular. */
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
 * kmcl_mdl_range_next - split the first segment off a range
 * @left: a checked range; on return without the segment
 * @segment: filled in
 *
 * Context: any.
 * Return: false if the range is empty.
 */
bool kmcl_mdl_range_next(struct kmcl_mdl_range *left,
			 struct kmcl_mdl_segment *segment)
{
	u64 offset;

	if (!left->len)
		return false;
	while (!left->forced && left->skip >= left->mdl->ByteCount) {
		left->skip -= left->mdl->ByteCount;
		left->mdl = left->mdl->Next;
	}
	/* The sum may exceed 32 bits. */
	offset = (u64)left->mdl->ByteOffset + left->skip;
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
 * kmcl_mdl_range_flags - get the flags of the MDLs of a range
 * @range: a checked range
 * @all: set to the ``MDL_...`` flags that all of the MDLs have
 *
 * Context: any.
 * Return: the flags that at least one of the MDLs has.
 */
CSHORT kmcl_mdl_range_flags(const struct kmcl_mdl_range *range, CSHORT *all)
{
	struct kmcl_mdl_range left = *range;
	struct kmcl_mdl_segment segment;
	CSHORT any = 0;

	*all = ~0;
	/*
	 * left.mdl is the MDL of the segment: only the next call moves to the
	 * next MDL.
	 */
	while (kmcl_mdl_range_next(&left, &segment)) {
		*all &= left.mdl->MdlFlags;
		any |= left.mdl->MdlFlags;
	}
	return any;
}

/*
 * The status for an error of kmcl_mdl_range_check(). @mdl: number of the API
 * function's parameter that is the MDL. The offset and the length must be the
 * next two parameters.
 */
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
