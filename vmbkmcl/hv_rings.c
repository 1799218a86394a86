// SPDX-License-Identifier: GPL-2.0-only
/* The rings that hv_vmbus allocates, and when their memory may be freed. */

#include <linux/hyperv.h>

#include "gpadl.h"
#include "hv_rings.h"

/* The structures of wire.h and ring.h are those of hv_vmbus. */
static_assert(HV_HYP_PAGE_SIZE == KMCL_HV_PAGE_SIZE);
static_assert(offsetof(struct hv_ring_buffer, write_index) ==
	      offsetof(struct kmcl_ring_control, write_index));
static_assert(offsetof(struct hv_ring_buffer, read_index) ==
	      offsetof(struct kmcl_ring_control, read_index));
static_assert(offsetof(struct hv_ring_buffer, interrupt_mask) ==
	      offsetof(struct kmcl_ring_control, interrupt_mask));
static_assert(offsetof(struct hv_ring_buffer, pending_send_sz) ==
	      offsetof(struct kmcl_ring_control, pending_send_size));
static_assert(offsetof(struct hv_ring_buffer, feature_bits) ==
	      offsetof(struct kmcl_ring_control, features));
static_assert(sizeof(struct vmpacket_descriptor) ==
	      sizeof(struct kmcl_descriptor));
static_assert(offsetof(struct vmpacket_descriptor, type) ==
	      offsetof(struct kmcl_descriptor, type));
static_assert(offsetof(struct vmpacket_descriptor, offset8) ==
	      offsetof(struct kmcl_descriptor, offset8));
static_assert(offsetof(struct vmpacket_descriptor, len8) ==
	      offsetof(struct kmcl_descriptor, len8));
static_assert(offsetof(struct vmpacket_descriptor, flags) ==
	      offsetof(struct kmcl_descriptor, flags));
static_assert(offsetof(struct vmpacket_descriptor, trans_id) ==
	      offsetof(struct kmcl_descriptor, id));
static_assert(offsetof(struct vmbus_packet_mpb_array, range) ==
	      sizeof(struct kmcl_descriptor) + sizeof(struct kmcl_gpa_direct));
static_assert(offsetof(struct vmbus_packet_mpb_array, rangecount) ==
	      sizeof(struct kmcl_descriptor) +
	      offsetof(struct kmcl_gpa_direct, range_count));
static_assert(offsetof(struct hv_mpb_array, len) ==
	      offsetof(struct kmcl_gpa_range, len));
static_assert(offsetof(struct hv_mpb_array, offset) ==
	      offsetof(struct kmcl_gpa_range, offset));
static_assert(offsetof(struct hv_mpb_array, pfn_array) ==
	      offsetof(struct kmcl_gpa_range, pfn));
static_assert(offsetof(struct vmtransfer_page_packet_header, xfer_pageset_id) ==
	      sizeof(struct kmcl_descriptor) +
	      offsetof(struct kmcl_xfer_pages, set));
static_assert(offsetof(struct vmtransfer_page_packet_header, range_cnt) ==
	      sizeof(struct kmcl_descriptor) +
	      offsetof(struct kmcl_xfer_pages, range_count));
static_assert(offsetof(struct vmtransfer_page_packet_header, ranges) ==
	      sizeof(struct kmcl_descriptor) +
	      offsetof(struct kmcl_xfer_pages, ranges));
static_assert(offsetof(struct vmtransfer_page_range, byte_count) ==
	      offsetof(struct kmcl_xfer_range, len));
static_assert(offsetof(struct vmtransfer_page_range, byte_offset) ==
	      offsetof(struct kmcl_xfer_range, offset));
static_assert((int)VM_PKT_DATA_INBAND == KMCL_PKT_INBAND);
static_assert((int)VM_PKT_DATA_USING_XFER_PAGES == KMCL_PKT_XFER_PAGES);
static_assert((int)VM_PKT_DATA_USING_GPA_DIRECT == KMCL_PKT_GPA_DIRECT);
static_assert((int)VM_PKT_COMP == KMCL_PKT_COMPLETION);
static_assert(VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED ==
	      KMCL_PKT_FLAG_COMPLETION_REQUESTED);

/* hv_vmbus maps the data of a ring twice in a row, as struct kmcl_ring needs it. */
struct kmcl_ring_memory
kmcl_hv_ring_memory(const struct hv_ring_buffer_info *info)
{
	return (struct kmcl_ring_memory) {
		.control = (void *)info->ring_buffer,
		.data = info->ring_buffer->buffer,
		.size = info->ring_datasize,
	};
}

/*
 * The channel whose rings have the GPADL with the handle 0. hv_vmbus gives that handle after
 * 4 billion others and then takes it for no GPADL, so its close does not tear it down.
 */
static struct vmbus_channel *kmcl_hv_zero_chan;

/* True if the rings of @chan have the handle 0. They do not have it any more. */
static bool kmcl_hv_take_zero(struct vmbus_channel *chan)
{
	return cmpxchg(&kmcl_hv_zero_chan, chan, NULL) == chan;
}

/**
 * kmcl_hv_keep_rings - leave the memory of rings to the host
 * @chan: a channel that is not open for this guest any more
 *
 * The pages are never freed. hv_vmbus's mappings of them, and its buffer for packets, are
 * of no use to the host and are freed: the next open of the channel would lose them.
 *
 * Context: may sleep.
 */
void kmcl_hv_keep_rings(struct vmbus_channel *chan)
{
	chan->ringbuffer_page = NULL;
	vmbus_free_ring(chan);
}

/*
 * True if the host may have the rings of a channel that is closed. hv_vmbus's functions
 * return 0 even when the teardown of the rings' GPADL was never posted, but then the handle
 * is left. That does not tell for the handle 0: only a lack of memory is known there.
 */
static bool kmcl_hv_host_has_rings(struct vmbus_channel *chan)
{
	struct vmbus_gpadl *gpadl = &chan->ringbuffer_gpadlhandle;
	bool is_zero = kmcl_hv_take_zero(chan);

	if (READ_ONCE(chan->rescind))
		return false;
	if (is_zero && vmbus_teardown_gpadl(chan, gpadl))
		return true;
	return gpadl->gpadl_handle;
}

/*
 * Free the rings of a channel that is closed, or return -EIO and keep their memory for
 * good if the host may still write to them.
 */
int kmcl_hv_free_rings(struct vmbus_channel *chan)
{
	if (kmcl_hv_host_has_rings(chan)) {
		kmcl_hv_keep_rings(chan);
		return -EIO;
	}
	vmbus_free_ring(chan);
	return 0;
}

/* Call vmbus_connect_ring(). If it fails, kmcl_hv_free_unopened_rings() is due. */
int kmcl_hv_connect_rings(struct vmbus_channel *chan,
			  void (*event)(void *context), void *context)
{
	int err;

	kmcl_hv_take_zero(chan);
	/* hv_vmbus sets the size only when the host has accepted the GPADL. */
	chan->ringbuffer_gpadlhandle.size = 0;
	err = vmbus_connect_ring(chan, event, context);
	if (!err && !chan->ringbuffer_gpadlhandle.gpadl_handle)
		WRITE_ONCE(kmcl_hv_zero_chan, chan);
	return err;
}

/*
 * Free the rings after kmcl_hv_connect_rings() has failed with @err, unless the host
 * may have them. If the host had accepted the GPADL, hv_vmbus has tried to tear it
 * down, and the handle tells the result. If not, there is no handle, but the host may
 * have got a part of the GPADL.
 */
int kmcl_hv_free_unopened_rings(struct vmbus_channel *chan, int err)
{
	if (!chan->ringbuffer_gpadlhandle.size && !READ_ONCE(chan->rescind) &&
	    !kmcl_gpadl_is_unsent(chan->ringbuffer_pagecount << PAGE_SHIFT, err)) {
		kmcl_hv_keep_rings(chan);
		return -EIO;
	}
	return kmcl_hv_free_rings(chan);
}
