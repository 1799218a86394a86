/* SPDX-License-Identifier: GPL-2.0-only */
/* A part of the memory that a chain of MDLs describes: see mdl_range.c. */
#ifndef _KMCL_MDL_RANGE_H
#define _KMCL_MDL_RANGE_H

#include <vmbkmcl/mdl.h>

/**
 * struct kmcl_mdl_range - a part of a chain of MDLs
 * @mdl: the chain
 * @skip: bytes of it before the part
 * @len: bytes of the part; before it is checked 0 for all to the end
 * @forced: @len may go past the first MDL's end, to the end of its last page,
 *	instead of on to the next MDL
 * @mdls: how many of the chain it takes at most; once it is checked
 */
struct kmcl_mdl_range {
	PMDL mdl;
	u32 skip;
	u32 len;
	bool forced;
	u32 mdls;
};

/**
 * struct kmcl_mdl_segment - what of an extent is in one MDL
 * @pfns: numbers of its pages of 4 KiB
 * @offset: where it begins in the first
 * @len: bytes
 */
struct kmcl_mdl_segment {
	const PFN_NUMBER *pfns;
	u32 offset;
	u32 len;
};

int kmcl_mdl_range_check(struct kmcl_mdl_range *range, u32 most, u32 chain);
bool kmcl_mdl_range_next(struct kmcl_mdl_range *left,
			 struct kmcl_mdl_segment *segment);
CSHORT kmcl_mdl_range_flags(const struct kmcl_mdl_range *range, CSHORT *all);
NTSTATUS kmcl_mdl_range_status(int err, unsigned int mdl);

#endif /* _KMCL_MDL_RANGE_H */
