// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets of the host whose data are in a buffer of the client.
 *
 * A client can share a buffer with its server as a GPADL, and agree with the server on
 * a number for it, in packets of their own protocol. The server then writes data to the
 * buffer, and sends a packet that names the buffer by this number, the page set, and
 * lists the ranges that it has written. Hyper-V's network service hands over received
 * frames in this way. The client owns the ranges until it completes the packet.
 *
 * The ranges are kept with the payload, in memory of the packet that has room for the
 * largest payload. The module does not know the buffer, so the client says how large
 * it is when it asks for the ranges.
 */

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/string.h>
#include <vmbkmcl/linux.h>

#include "rx_packet.h"
#include "rx_transfer_pages.h"
#include "wire.h"

/* The API's type for a range has the layout of a range in the ring. */
static_assert(sizeof(VMB_TRANSFER_PAGE_RANGE) ==
	      sizeof(struct kmcl_xfer_range));
static_assert(offsetof(VMB_TRANSFER_PAGE_RANGE, ByteCount) ==
	      offsetof(struct kmcl_xfer_range, len));
static_assert(offsetof(VMB_TRANSFER_PAGE_RANGE, ByteOffset) ==
	      offsetof(struct kmcl_xfer_range, offset));

/*
 * Read the header of a transfer-page packet in the ring, where the host can change it,
 * once. Returns false if the packet is malformed: the header, or a range, is not within
 * it.
 */
bool kmcl_transfer_pages_read(const struct kmcl_ring_packet *packet,
			      struct kmcl_transfer_pages *pages)
{
	const struct kmcl_xfer_pages *header = packet->head;

	if (packet->head_len < sizeof(*header))
		return false;
	pages->set = READ_ONCE(header->set);
	pages->count = READ_ONCE(header->range_count);
	return pages->count <= (packet->head_len - sizeof(*header)) /
				       sizeof(header->ranges[0]);
}

/*
 * True if a packet that has room for @room bytes, a multiple of 8, can hold a payload of
 * @len bytes and the ranges. @len is at most @room.
 */
bool kmcl_transfer_pages_fit(const struct kmcl_transfer_pages *pages, u32 len,
			     u32 room)
{
	return pages->count <= (room - ALIGN(len, sizeof(u64))) /
				       sizeof(struct kmcl_xfer_range);
}

/* Copy the ranges behind the payload, whose length is set already. */
void kmcl_transfer_pages_copy(struct kmcl_rx_packet *copy,
			      const struct kmcl_ring_packet *packet,
			      const struct kmcl_transfer_pages *pages)
{
	const struct kmcl_xfer_pages *header = packet->head;

	copy->ranges = (void *)copy->data + ALIGN(copy->len, sizeof(u64));
	copy->nr_ranges = pages->count;
	copy->page_set = pages->set;
	memcpy(copy->ranges, header->ranges,
	       pages->count * sizeof(copy->ranges[0]));
}

static bool kmcl_range_is_within(const struct kmcl_xfer_range *range, u32 size)
{
	return range->len <= size && range->offset <= size - range->len;
}

/**
 * VmbChannelPacketGetTransferPages() - get the ranges of a transfer-page packet
 * @packet_completion: a packet that the client has
 * @buffer_size: size in bytes of the buffer that the page set stands for. If the client
 *	has several page sets, the size of the smallest buffer, or call the function again
 *	when the page set is known.
 * @page_set: the number of the page set is written to it
 * @ranges: the address of the ranges is written to it. They belong to the packet, as its
 *	payload does.
 * @range_count: the number of ranges is written to it; may become 0
 *
 * The server has written data to these ranges of the buffer, and does not write to them
 * again until the client completes the packet. The host is not trusted: each range that
 * the client gets is within @buffer_size bytes. But the host can write to all of the
 * buffer at any time.
 *
 * A payload and its ranges, of 8 bytes each, must together fit in the channel's maximum
 * packet size.
 *
 * Context: any.
 * Return:
 * * %STATUS_SUCCESS - the three values are written
 * * %STATUS_INVALID_PARAMETER_1 - @packet_completion is %NULL
 * * %STATUS_INVALID_PARAMETER_3 - @page_set is %NULL
 * * %STATUS_INVALID_PARAMETER_4 - @ranges is %NULL
 * * %STATUS_INVALID_PARAMETER_5 - @range_count is %NULL
 * * %STATUS_INVALID_DEVICE_REQUEST - the packet is no transfer-page packet
 * * %STATUS_INVALID_BUFFER_SIZE - a range is not within the buffer. Only @page_set is
 *   written.
 *
 * Source: ours. Microsoft's KMCL has no such function.
 */
NTSTATUS
VmbChannelPacketGetTransferPages(VMBPACKETCOMPLETION packet_completion,
				 UINT32 buffer_size, PUINT16 page_set,
				 PCVMB_TRANSFER_PAGE_RANGE *ranges,
				 PUINT32 range_count)
{
	const struct kmcl_rx_packet *packet = packet_completion;
	u32 i;

	if (!packet)
		return STATUS_INVALID_PARAMETER_1;
	if (!page_set)
		return STATUS_INVALID_PARAMETER_3;
	if (!ranges)
		return STATUS_INVALID_PARAMETER_4;
	if (!range_count)
		return STATUS_INVALID_PARAMETER_5;
	if (!packet->ranges)
		return STATUS_INVALID_DEVICE_REQUEST;
	*page_set = packet->page_set;
	for (i = 0; i < packet->nr_ranges; i++)
		if (!kmcl_range_is_within(&packet->ranges[i], buffer_size))
			return STATUS_INVALID_BUFFER_SIZE;
	*ranges = (PCVMB_TRANSFER_PAGE_RANGE)packet->ranges;
	*range_count = packet->nr_ranges;
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelPacketGetTransferPages);
