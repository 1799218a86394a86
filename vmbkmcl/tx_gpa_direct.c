// SPDX-License-Identifier: GPL-2.0-only
/*
 * The description of external data in GPA-direct packets.
 *
 * External data, as the API calls it, are pages that a packet refers to, and
 * that the host reads and writes in place. The packet describes them as ranges.
 * A range has a length, an offset into its first page, and page numbers. The
 * pages have 4 KiB, whatever the page size of the guest is.
 *
 * The owner of a page must keep it until the packet is complete. Where the
 * owner may free the page before the host has finished with it, this module
 * holds a reference, so that nobody else gets the page.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/mm.h>

#include "channel.h"
#include "hot.h"
#include "mdl_pages.h"
#include "mdl_range.h"
#include "memory_page.h"
#include "tx_gpa_direct.h"

/*
 * The largest description, in bytes, of @bytes of memory in @segments segments.
 */
static u32 kmcl_gpa_direct_size(u32 bytes, u32 segments)
{
	/* Each segment may begin and end in the middle of a page. */
	u32 pfns = bytes / KMCL_HV_PAGE_SIZE + 2 * segments;

	return sizeof(struct kmcl_gpa_direct) +
	       segments * sizeof(struct kmcl_gpa_range) + pfns * sizeof(u64);
}

/* The largest description, in bytes, that the settings of a channel allow. */
u32 kmcl_gpa_direct_room(const struct kmcl_settings *set)
{
	return kmcl_gpa_direct_size(set->max_gpa_direct_size, set->max_chain);
}

/* @mdl_range has passed kmcl_mdl_range_check(). */
u32 kmcl_gpa_direct_room_for(const struct kmcl_mdl_range *mdl_range)
{
	return kmcl_gpa_direct_size(mdl_range->len, mdl_range->mdls);
}

/* @memory has @room bytes and is aligned to 8 bytes. */
void kmcl_gpa_direct_init(struct kmcl_gpa_direct_desc *gpa, void *memory,
			  u32 room)
{
	gpa->desc = memory;
	gpa->room = room;
}

static void kmcl_gpa_direct_reset(struct kmcl_gpa_direct_desc *gpa)
{
	gpa->desc->reserved = 0;
	gpa->desc->range_count = 0;
	gpa->size = sizeof(struct kmcl_gpa_direct);
}

/* The number of pages that a range with this offset and length is in. */
static u32 kmcl_gpa_direct_pfns(u32 offset, u32 len)
{
	return DIV_ROUND_UP(offset + len, KMCL_HV_PAGE_SIZE);
}

/* Append a range without its page numbers. Returns NULL if there is no room. */
static struct kmcl_gpa_range *
kmcl_gpa_direct_add(struct kmcl_gpa_direct_desc *gpa, u32 offset, u32 len)
{
	u32 pfns = kmcl_gpa_direct_pfns(offset, len);
	struct kmcl_gpa_range *range = (void *)gpa->desc + gpa->size;
	u32 size = struct_size(range, pfn, pfns);

	if (size > gpa->room - gpa->size)
		return NULL;
	range->offset = offset;
	range->len = len;
	gpa->desc->range_count++;
	gpa->size += size;
	return range;
}

static void __kmcl_hot kmcl_gpa_direct_fill(struct kmcl_gpa_range *range,
					    const PFN_NUMBER *pfns)
{
	memcpy(range->pfn, pfns,
	       kmcl_gpa_direct_pfns(range->offset, range->len) * sizeof(*pfns));
}

/*
 * Describe @count whole pages. Returns -EMSGSIZE if there is not enough room.
 */
int __kmcl_hot kmcl_gpa_direct_set_pfns(struct kmcl_gpa_direct_desc *gpa,
					const PFN_NUMBER *pfns, u32 count)
{
	struct kmcl_gpa_range *range;

	kmcl_gpa_direct_reset(gpa);
	if (count > gpa->room / sizeof(u64))
		return -EMSGSIZE;
	range = kmcl_gpa_direct_add(gpa, 0, count * KMCL_HV_PAGE_SIZE);
	if (!range)
		return -EMSGSIZE;
	kmcl_gpa_direct_fill(range, pfns);
	return 0;
}

/*
 * Describe an MDL range that has passed kmcl_mdl_range_check(), with one range
 * for each of its segments. Returns -EMSGSIZE if there may not be enough room.
 */
int kmcl_gpa_direct_set_mdl_range(struct kmcl_gpa_direct_desc *gpa,
				  const struct kmcl_mdl_range *mdl_range)
{
	struct kmcl_mdl_range left = *mdl_range;
	struct kmcl_gpa_range *range;
	struct kmcl_mdl_segment segment;

	kmcl_gpa_direct_reset(gpa);
	if (kmcl_gpa_direct_room_for(mdl_range) > gpa->room)
		return -EMSGSIZE;
	while (kmcl_mdl_range_next(&left, &segment)) {
		/* Can not fail: the room was checked above. */
		range = kmcl_gpa_direct_add(gpa, segment.offset, segment.len);
		kmcl_gpa_direct_fill(range, segment.pfns);
	}
	return 0;
}

/* The page of a number in a description, or NULL if it is none that could be freed. */
static struct page *kmcl_gpa_direct_page(u64 pfn)
{
	unsigned long guest_pfn = kmcl_mdl_guest_pfn(pfn);
	struct page *page;

	if (!pfn_valid(guest_pfn))
		return NULL;
	page = pfn_to_page(guest_pfn);
	return kmcl_page_check(page, NULL) ? NULL : page;
}

/**
 * kmcl_gpa_direct_hold - take references to the pages of a description
 * @gpa: the description
 * @pages: array to which the pages are written, with one element for every 8
 *	bytes of the description; %NULL if the references will never be dropped
 * @held: set to the number of references that were taken
 *
 * Pages that can not be referenced are skipped.
 *
 * Context: any but hard interrupts.
 * Return: false if there is a page that only its owner holds.
 */
bool kmcl_gpa_direct_hold(const struct kmcl_gpa_direct_desc *gpa,
			  struct page **pages, u32 *held)
{
	const struct kmcl_gpa_range *range = (void *)gpa->desc->ranges;
	u32 ranges, count, i;
	struct page *page;
	bool all = true;

	*held = 0;
	for (ranges = gpa->desc->range_count; ranges; ranges--) {
		count = kmcl_gpa_direct_pfns(range->offset, range->len);
		for (i = 0; i < count; i++) {
			page = kmcl_gpa_direct_page(range->pfn[i]);
			if (!page)
				continue;
			if (!kmcl_page_reference(page)) {
				all = false;
				continue;
			}
			if (pages)
				pages[*held] = page;
			(*held)++;
		}
		range = (const void *)&range->pfn[count];
	}
	return all;
}

/* True if the page can not be referenced, so that only its owner holds it. */
static bool kmcl_gpa_direct_is_owned(u64 pfn)
{
	struct page *page = kmcl_gpa_direct_page(pfn);

	if (!page)
		return false;
	if (!kmcl_page_reference(page))
		return true;
	put_page(page);
	return false;
}

/* True if a page of the description can not be referenced. */
bool kmcl_gpa_direct_has_owned(const struct kmcl_gpa_direct *desc)
{
	const struct kmcl_gpa_range *range = (void *)desc->ranges;
	u32 ranges, count, i;

	for (ranges = desc->range_count; ranges; ranges--) {
		count = kmcl_gpa_direct_pfns(range->offset, range->len);
		for (i = 0; i < count; i++)
			if (kmcl_gpa_direct_is_owned(range->pfn[i]))
				return true;
		range = (const void *)&range->pfn[count];
	}
	return false;
}

/*
 * Log that @pages pages are never freed. The host may not know that the ring is
 * closed, and may still access them.
 */
void kmcl_gpa_direct_kept(struct kmcl_channel *ch, u32 pages)
{
	pr_err_ratelimited("%s: %u pages of external data are kept for good\n",
			   ch->name, pages);
}
