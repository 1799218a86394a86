// SPDX-License-Identifier: GPL-2.0-only
/*
 * External data: pages that a packet refers to and the host reads and writes in
 * place. They are described by ranges, each of a length, an offset into its first
 * page, and page numbers; pages have 4 KiB, whatever the guest's have.
 */

#include "channel.h"
#include "external.h"

#define KMCL_RANGES	offsetof(struct vmbus_packet_mpb_array, range)

/* Bytes of a description of the most that the settings allow. */
u32 kmcl_external_room(const struct kmcl_settings *set)
{
	/* Each piece may begin and end within a page. */
	u32 pfns = set->max_external_size / HV_HYP_PAGE_SIZE +
		   2 * set->max_chain;

	return KMCL_RANGES + set->max_chain * sizeof(struct hv_mpb_array) +
	       pfns * sizeof(u64);
}

static void kmcl_external_reset(struct kmcl_external *ext)
{
	ext->desc->rangecount = 0;
	ext->size = KMCL_RANGES;
}

/* One more range, whose page numbers are to be filled in; NULL: too many. */
static struct hv_mpb_array *kmcl_external_add(struct kmcl_external *ext,
					      u32 offset, u32 len)
{
	u32 pfns = DIV_ROUND_UP(offset + len, HV_HYP_PAGE_SIZE);
	struct hv_mpb_array *range = (void *)ext->desc + ext->size;
	u32 size = struct_size(range, pfn_array, pfns);

	if (size > ext->room - ext->size)
		return NULL;
	range->offset = offset;
	range->len = len;
	ext->desc->rangecount++;
	ext->size += size;
	return range;
}

/* Whole pages. -EMSGSIZE: more than there is room for. */
int kmcl_external_set_pfns(struct kmcl_external *ext, const PFN_NUMBER *pfns,
			   u32 count)
{
	struct hv_mpb_array *range;
	u32 i;

	kmcl_external_reset(ext);
	if (count > ext->room / sizeof(u64))
		return -EMSGSIZE;
	range = kmcl_external_add(ext, 0, count * HV_HYP_PAGE_SIZE);
	if (!range)
		return -EMSGSIZE;
	for (i = 0; i < count; i++)
		range->pfn_array[i] = pfns[i];
	return 0;
}
