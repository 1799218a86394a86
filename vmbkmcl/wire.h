/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layout of a VMBus ring in memory, which both ends of a channel agree on.
 *
 * This is the ABI of the host. linux/hyperv.h has the same structures, but it
 * compiles only where Linux can be a guest of Hyper-V. hv_rings.c asserts that
 * both are the same. All numbers are little-endian, and so are all machines
 * that Hyper-V runs on.
 */
#ifndef _KMCL_WIRE_H
#define _KMCL_WIRE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* A page of the host, whatever the page size of the guest is. */
#define KMCL_HV_PAGE_SHIFT	12
#define KMCL_HV_PAGE_SIZE	BIT(KMCL_HV_PAGE_SHIFT)

/**
 * struct kmcl_ring_control - the control page, which precedes the data of a ring
 * @write_index: where the producer writes the next packet. Written by the
 *	producer only.
 * @read_index: where the oldest packet begins that the consumer has not read.
 *	Written by the consumer only.
 * @interrupt_mask: if not 0, the consumer does not want a signal for new
 *	packets
 * @pending_send_size: if not 0, the producer wants a signal when more than this
 *	many bytes are free
 * @reserved: 0
 * @features: bit 0 means that the producer uses @pending_send_size
 */
struct kmcl_ring_control {
	u32 write_index;
	u32 read_index;
	u32 interrupt_mask;
	u32 pending_send_size;
	u32 reserved[12];
	u32 features;
};

#define KMCL_RING_PENDING_SEND_SIZE	BIT(0)

/*
 * Types of packets, with the values of enum vmbus_packet_type in
 * linux/hyperv.h.
 */
enum kmcl_packet_type {
	KMCL_PKT_INBAND		= 6,
	KMCL_PKT_XFER_PAGES	= 7,
	KMCL_PKT_GPA_DIRECT	= 9,
	KMCL_PKT_COMPLETION	= 11,
};

/* In &kmcl_descriptor.flags: the receiver must complete the packet. */
#define KMCL_PKT_FLAG_COMPLETION_REQUESTED	1

/**
 * struct kmcl_descriptor - the first bytes of each packet
 * @type: enum kmcl_packet_type
 * @offset8: where the payload begins, in units of 8 bytes
 * @len8: where the payload ends, in units of 8 bytes. The trailer follows.
 * @flags: %KMCL_PKT_FLAG_COMPLETION_REQUESTED, or 0
 * @id: transaction id of the sender. In a completion, the id of the packet that
 *	is completed.
 */
struct kmcl_descriptor {
	u16 type;
	u16 offset8;
	u16 len8;
	u16 flags;
	u64 id;
};

/* The largest packet whose length fits in &kmcl_descriptor.len8, in bytes. */
#define KMCL_PACKET_MAX		(8 * (u32)U16_MAX)

/*
 * The word behind each packet. Its upper half is the offset of the packet in
 * the ring, its lower half is 0.
 */
#define KMCL_PACKET_TRAILER	sizeof(u64)

/**
 * struct kmcl_gpa_range - a range of the sender's memory
 * @len: length of the range in bytes
 * @offset: where the range begins in its first page
 * @pfn: numbers of its pages of 4 KiB
 */
struct kmcl_gpa_range {
	u32 len;
	u32 offset;
	u64 pfn[];
};

/**
 * struct kmcl_gpa_direct - description of external data
 * @reserved: 0
 * @range_count: number of ranges
 * @ranges: the ranges, a struct kmcl_gpa_range each, one right behind the other
 *
 * In a packet of type %KMCL_PKT_GPA_DIRECT this is between the descriptor and
 * the payload.
 */
struct kmcl_gpa_direct {
	u32 reserved;
	u32 range_count;
	u8 ranges[] __aligned(sizeof(u64));
};

/**
 * struct kmcl_xfer_range - a range of the receiver's buffer
 * @len: length of the range in bytes
 * @offset: where the range begins in the buffer
 */
struct kmcl_xfer_range {
	u32 len;
	u32 offset;
};

/**
 * struct kmcl_xfer_pages - where in the receiver's buffer the data of a packet are
 * @set: number of the page set, by which both ends name the buffer
 * @sender_owns_set: not used
 * @reserved: 0
 * @range_count: number of @ranges
 * @ranges: the ranges
 *
 * In a packet of type %KMCL_PKT_XFER_PAGES this is between the descriptor and the
 * payload.
 */
struct kmcl_xfer_pages {
	u16 set;
	u8 sender_owns_set;
	u8 reserved;
	u32 range_count;
	struct kmcl_xfer_range ranges[];
};

static_assert(sizeof(struct kmcl_descriptor) == 16);
static_assert(sizeof(struct kmcl_gpa_range) == 8);
static_assert(sizeof(struct kmcl_gpa_direct) == 8);
static_assert(sizeof(struct kmcl_xfer_range) == 8);
static_assert(sizeof(struct kmcl_xfer_pages) == 8);

#endif /* _KMCL_WIRE_H */
