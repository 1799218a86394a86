// SPDX-License-Identifier: GPL-2.0-only
/*
 * The external data of the packets that a server receives.
 *
 * A GPA-direct packet describes ranges of the client's memory. They are read
 * from the ring once, checked, and turned into a chain of MDLs, for which each
 * packet of the pool has room.
 *
 * The client has to keep the memory until the packet is completed, or until the server
 * has closed the channel. A client that does not must not make the server write to
 * somebody else's memory. So each page is referenced from here until the server gives
 * the packet back. Slab memory and the pages of a non-compound block after the first
 * have no reference to take, and are kept by the client alone.
 */

#include <linux/mm.h>

#include "channel.h"
#include "mdl_pages.h"
#include "memory_page.h"
#include "rx_gpa_direct.h"
#include "rx_packet.h"

/* A description in the ring, of which @left bytes at @at are not read yet. */
struct kmcl_description {
	const void *at;
	u32 left;
};

/*
 * Bytes of the MDLs of a packet, and of the array of their pages behind them; 0 for the
 * channel of a client.
 */
u32 kmcl_rx_gpa_direct_room(const struct kmcl_channel *ch)
{
	const struct kmcl_settings *set = &ch->set;
	u32 pages;

	if (!ch->is_server)
		return 0;
	/* Each range may begin and end in the middle of a page. */
	pages = set->max_gpa_direct_size / MDL_PAGE_SIZE + 2 * set->max_chain;
	return set->max_chain * sizeof(MDL) +
	       pages * (sizeof(PFN_NUMBER) + sizeof(struct page *));
}

/*
 * Map the MDL for as long as it exists, if the kernel has its pages in a row. A
 * server can then use the memory also where it may not sleep.
 */
static void kmcl_rx_use_linear_map(PMDL mdl)
{
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	struct page *page = pfn_to_page(kmcl_mdl_guest_pfn(*pfns));
	u32 i;

	for (i = 1; i < kmcl_mdl_pages(mdl); i++)
		if (pfns[i] != pfns[0] + i)
			return;
	if (PageHighMem(page))
		return;
	mdl->MappedSystemVa = page_address(page) +
			      ((*pfns << MDL_PAGE_SHIFT) & ~PAGE_MASK) +
			      mdl->ByteOffset;
	mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

/* False for a page that no client can have: MMIO, the kernel image, free memory. */
static bool kmcl_rx_pfn_usable(u64 pfn)
{
	return pfn <= ULONG_MAX && pfn_valid(kmcl_mdl_guest_pfn(pfn)) &&
	       !kmcl_page_check(pfn_to_page(kmcl_mdl_guest_pfn(pfn)), NULL);
}

/*
 * Turn the next range into an MDL. The client can change the ring meanwhile, so
 * each number is read once. @most: bytes that the range may have.
 */
static bool kmcl_rx_read_range(struct kmcl_description *from, PMDL mdl,
			       u32 most)
{
	const struct kmcl_gpa_range *range = from->at;
	PPFN_NUMBER pfns = MmGetMdlPfnArray(mdl);
	u32 len, offset, count, i;

	if (from->left < sizeof(*range))
		return false;
	len = READ_ONCE(range->len);
	offset = READ_ONCE(range->offset);
	if (!len || len > most || offset >= MDL_PAGE_SIZE)
		return false;
	MmInitializeMdl(mdl, (void *)(unsigned long)offset, len);
	count = kmcl_mdl_pages(mdl);
	if ((from->left - sizeof(*range)) / sizeof(u64) < count)
		return false;
	for (i = 0; i < count; i++) {
		u64 pfn = READ_ONCE(range->pfn[i]);

		if (!kmcl_rx_pfn_usable(pfn))
			return false;
		pfns[i] = pfn;
	}
	mdl->MdlFlags |= MDL_PARTIAL;
	kmcl_rx_use_linear_map(mdl);
	from->at = &range->pfn[count];
	from->left -= struct_size(range, pfn, count);
	return true;
}

/*
 * Reference the pages of the MDLs. The numbers in an MDL can be changed by the server, so
 * @pages records what was referenced.
 */
static void kmcl_rx_gpa_direct_hold(struct kmcl_rx_packet *copy,
				    struct page **pages)
{
	struct page *page;
	PPFN_NUMBER pfns;
	const MDL *mdl;
	u32 i;

	copy->pages = pages;
	for (mdl = copy->mdl; mdl; mdl = mdl->Next) {
		pfns = MmGetMdlPfnArray(mdl);
		for (i = 0; i < kmcl_mdl_pages(mdl); i++) {
			page = pfn_to_page(kmcl_mdl_guest_pfn(pfns[i]));
			if (kmcl_page_reference(page))
				pages[copy->held++] = page;
		}
	}
}

static bool kmcl_rx_gpa_direct_describe(struct kmcl_channel *ch,
					struct kmcl_rx_packet *copy,
					const struct kmcl_ring_packet *packet)
{
	const struct kmcl_gpa_direct *head = packet->head;
	struct kmcl_description from = {
		.at = head->ranges,
		.left = packet->head_len - sizeof(*head),
	};
	u32 most = ch->set.max_gpa_direct_size, count;
	PMDL mdl = kmcl_rx_packet_mdls(copy), *link = &copy->mdl;

	if (!ch->is_server || ch->set.is_pipe ||
	    packet->head_len < sizeof(*head))
		return false;
	count = READ_ONCE(head->range_count);
	if (!count || count > ch->set.max_chain)
		return false;
	while (count--) {
		if (!kmcl_rx_read_range(&from, mdl, most))
			return false;
		most -= mdl->ByteCount;
		*link = mdl;
		link = &mdl->Next;
		mdl = (void *)mdl + mdl->Size;
	}
	kmcl_rx_gpa_direct_hold(copy, (struct page **)mdl);
	return true;
}

/**
 * kmcl_rx_gpa_direct_read - read the description of a packet's external data
 * @ch: channel of a server
 * @copy: packet of the pool without external data. Gets a chain of MDLs, and the pages
 *	are referenced until kmcl_rx_gpa_direct_let_go().
 * @packet: GPA-direct packet in the ring
 *
 * Context: the poll.
 * Return: false, and @copy has no external data, if the description is malformed,
 * describes more than the server takes, or names pages that the client can not have.
 */
bool kmcl_rx_gpa_direct_read(struct kmcl_channel *ch,
			     struct kmcl_rx_packet *copy,
			     const struct kmcl_ring_packet *packet)
{
	bool described = kmcl_rx_gpa_direct_describe(ch, copy, packet);

	if (!described)
		copy->mdl = NULL;
	return described;
}

/* True if the server has mapped memory that is not mapped anyway. */
bool kmcl_rx_gpa_direct_mapped(const struct kmcl_rx_packet *packet)
{
	const MDL *mdl;

	for (mdl = packet->mdl; mdl; mdl = mdl->Next)
		if (mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED)
			return true;
	return false;
}

/*
 * The server has no access to the external data any more. The references are dropped
 * before the client is told: it may check that nobody else has its pages.
 *
 * Context: may sleep if kmcl_rx_gpa_direct_mapped() returns true.
 */
void kmcl_rx_gpa_direct_let_go(struct kmcl_rx_packet *packet)
{
	PMDL mdl;

	for (mdl = packet->mdl; mdl; mdl = mdl->Next)
		kmcl_mdl_unmap(mdl);
	packet->mdl = NULL;
	while (packet->held)
		put_page(packet->pages[--packet->held]);
}
