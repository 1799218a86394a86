/* SPDX-License-Identifier: GPL-2.0-only */
/* A range of the memory that a chain of MDLs describes: see mdl_range.c. */
#ifndef _KMCL_MDL_RANGE_H
#define _KMCL_MDL_RANGE_H

#include <vmbkmcl/mdl.h>

/**
 * struct kmcl_mdl_range - a range of the memory of a chain of MDLs
 * @mdl: first MDL of the chain
 * @skip: offset of the range in the memory of the chain, in bytes
 * @len: size in bytes. 0 from the caller means up to the end;
 *	kmcl_mdl_range_check() then fills it in. Not 0 with @forced.
 * @forced: the range uses the first MDL only, and may exceed its ByteCount up to
 *	the end of its last page
 * @mdls: number of MDLs from the first to the end of the range; set by
 *	kmcl_mdl_range_check()
 */
struct kmcl_mdl_range {
	PMDL mdl;
	u32 skip;
	u32 len;
	bool forced;
	u32 mdls;
};

/**
 * struct kmcl_mdl_segment - the part of a range that is in one MDL
 * @pfns: numbers of its pages of 4 KiB
 * @offset: offset of its first byte in the first page
 * @len: size in bytes
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
