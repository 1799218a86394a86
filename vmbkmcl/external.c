// SPDX-License-Identifier: GPL-2.0-only
/*
 * External data: pages that a packet refers to and the host reads and writes in
 * place. They are described by ranges, each of a length, an offset into its first
 * page, and page numbers; pages have 4 KiB, whatever the guest's have.
 *
 * Each page is referenced, where it can be, from the description on until the
 * host is done with it: if its owner gives it away all the same, nobody else gets
 * it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/mm.h>

#include "buffer.h"
#include "channel.h"
#include "extent.h"
#include "external.h"
#include "mdl_pages.h"

#define KMCL_RANGES	offsetof(struct vmbus_packet_mpb_array, range)

/* Bytes of a description of @bytes in @pieces. */
static u32 kmcl_external_size(u32 bytes, u32 pieces)
{
	/* Each piece may begin and end within a page. */
	u32 pfns = bytes / HV_HYP_PAGE_SIZE + 2 * pieces;

	return KMCL_RANGES + pieces * sizeof(struct hv_mpb_array) +
	       pfns * sizeof(u64);
}

/* Bytes of a description of the most that the settings allow. */
u32 kmcl_external_room(const struct kmcl_settings *set)
{
	return kmcl_external_size(set->max_external_size, set->max_chain);
}

u32 kmcl_external_room_for(const struct kmcl_extent *extent)
{
	return kmcl_external_size(extent->len, extent->mdls);
}

/* Memory for a description of so many bytes, and for what goes with it. */
u32 kmcl_external_bytes(u32 room)
{
	return room + BITS_TO_LONGS(room / sizeof(u64)) * sizeof(long);
}

/* @memory: kmcl_external_bytes() of it, aligned to 8 bytes. */
void kmcl_external_init(struct kmcl_external *ext, void *memory, u32 room)
{
	/* Every part of a description has a multiple of 8 bytes. */
	BUILD_BUG_ON(KMCL_RANGES % sizeof(u64) ||
		     sizeof(struct hv_mpb_array) % sizeof(u64));
	ext->desc = memory;
	ext->room = room;
	ext->held = memory + room;
}

static void kmcl_external_reset(struct kmcl_external *ext)
{
	ext->desc->rangecount = 0;
	ext->size = KMCL_RANGES;
	bitmap_zero(ext->held, ext->room / sizeof(u64));
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

static bool kmcl_external_hold(u64 pfn)
{
	unsigned long guest_pfn = kmcl_mdl_guest_pfn(pfn);
	struct page *page;

	if (!pfn_valid(guest_pfn))
		return false;
	page = pfn_to_page(guest_pfn);
	return kmcl_page_usable(page) && kmcl_page_reference(page);
}

static void kmcl_external_fill(struct kmcl_external *ext,
			       struct hv_mpb_array *range,
			       const PFN_NUMBER *pfns)
{
	u32 count = DIV_ROUND_UP(range->offset + range->len, HV_HYP_PAGE_SIZE);
	size_t word = range->pfn_array - (u64 *)ext->desc;
	u32 i;

	for (i = 0; i < count; i++) {
		range->pfn_array[i] = pfns[i];
		if (kmcl_external_hold(pfns[i]))
			__set_bit(word + i, ext->held);
	}
}

/* Whole pages. -EMSGSIZE: more than there is room for. */
int kmcl_external_set_pfns(struct kmcl_external *ext, const PFN_NUMBER *pfns,
			   u32 count)
{
	struct hv_mpb_array *range;

	kmcl_external_reset(ext);
	if (count > ext->room / sizeof(u64))
		return -EMSGSIZE;
	range = kmcl_external_add(ext, 0, count * HV_HYP_PAGE_SIZE);
	if (!range)
		return -EMSGSIZE;
	kmcl_external_fill(ext, range, pfns);
	return 0;
}

/* A checked extent, a range for each of its MDLs. -EMSGSIZE as above. */
int kmcl_external_set_extent(struct kmcl_external *ext,
			     const struct kmcl_extent *extent)
{
	struct kmcl_extent rest = *extent;
	struct hv_mpb_array *range;
	struct kmcl_piece piece;

	kmcl_external_reset(ext);
	if (kmcl_external_room_for(extent) > ext->room)
		return -EMSGSIZE;
	while (kmcl_extent_next(&rest, &piece)) {
		range = kmcl_external_add(ext, piece.offset, piece.len);
		kmcl_external_fill(ext, range, piece.pfns);
	}
	return 0;
}

/**
 * kmcl_external_release - the host is done with a packet's external data
 * @ch: the packet's channel
 * @ext: what describes it
 * @err: what came of the packet; -ETIMEDOUT: the host was never told that the ring
 *	is closed, and may not be done. The pages are then nobody's for good.
 *
 * Context: any but hard interrupts.
 */
void kmcl_external_release(struct kmcl_channel *ch, struct kmcl_external *ext,
			   int err)
{
	u32 words = ext->size / sizeof(u64);
	const u64 *pfns = (u64 *)ext->desc;
	unsigned int i;

	if (err == -ETIMEDOUT) {
		pr_err_ratelimited("%s: %u pages of external data are kept for good\n",
				   ch->name, bitmap_weight(ext->held, words));
		return;
	}
	for_each_set_bit(i, ext->held, words)
		put_page(pfn_to_page(kmcl_mdl_guest_pfn(pfns[i])));
}
