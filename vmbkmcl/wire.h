/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a VMBus ring looks like in memory, as both ends of a channel agree on it.
 *
 * This is the host's ABI. The kernel has the same structures in linux/hyperv.h,
 * which compiles only where Linux can be a guest of Hyper-V; hv_bus.c asserts that
 * those and these are the same. All numbers are little-endian, as every machine is
 * that Hyper-V runs on.
 */
#ifndef _KMCL_WIRE_H
#define _KMCL_WIRE_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/types.h>

/* A page of the host's, whatever the size of the guest's pages is. */
#define KMCL_HV_PAGE_SHIFT	12
#define KMCL_HV_PAGE_SIZE	BIT(KMCL_HV_PAGE_SHIFT)

/**
 * struct kmcl_ring_control - the control page, in front of a ring's data
 * @write_index: where the producer puts the next packet; only the producer writes
 *	it
 * @read_index: where the oldest packet begins that the consumer has not read; only
 *	the consumer writes it
 * @interrupt_mask: not 0: the consumer is reading and wants no signal
 * @pending_send_size: not 0: the producer wants a signal when more than this many
 *	bytes are free
 * @reserved: 0
 * @features: bit 0: the producer uses @pending_send_size
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

/* Types of packets: enum vmbus_packet_type of linux/hyperv.h. */
enum kmcl_packet_type {
	KMCL_PKT_INBAND		= 6,
	KMCL_PKT_XFER_PAGES	= 7,
	KMCL_PKT_GPA_DIRECT	= 9,
	KMCL_PKT_COMPLETION	= 11,
};

/* In &kmcl_descriptor.flags: the receiver is to complete the packet. */
#define KMCL_PKT_FLAG_COMPLETION_REQUESTED	1

/**
 * struct kmcl_descriptor - the first bytes of each packet
 * @type: enum kmcl_packet_type
 * @offset8: where the payload begins, in units of 8 bytes
 * @len8: where it ends, in units of 8 bytes; behind it is the trailer
 * @flags: %KMCL_PKT_FLAG_COMPLETION_REQUESTED, or 0
 * @id: of the sender's transaction; in a completion, of the receiver's
 */
struct kmcl_descriptor {
	u16 type;
	u16 offset8;
	u16 len8;
	u16 flags;
	u64 id;
};

/* Bytes of the largest packet whose length fits &kmcl_descriptor.len8. */
#define KMCL_PACKET_MAX		(8 * (u32)U16_MAX)

/*
 * Behind each packet: its own offset in the ring in the upper half, and 0 in the
 * lower one.
 */
#define KMCL_PACKET_TRAILER	sizeof(u64)

/**
 * struct kmcl_gpa_range - memory of the sender's, as its physical addresses
 * @len: bytes
 * @offset: where they begin in the first page
 * @pfn: its pages of 4 KiB
 */
struct kmcl_gpa_range {
	u32 len;
	u32 offset;
	u64 pfn[];
};

/**
 * struct kmcl_gpa_direct - between the descriptor of a packet of type
 *	%KMCL_PKT_GPA_DIRECT and its payload
 * @reserved: 0
 * @range_count: how many ranges follow, one right behind the other
 * @ranges: the first begins here
 */
struct kmcl_gpa_direct {
	u32 reserved;
	u32 range_count;
	u8 ranges[] __aligned(sizeof(u64));
};

static_assert(sizeof(struct kmcl_descriptor) == 16);
static_assert(sizeof(struct kmcl_gpa_range) == 8);
static_assert(sizeof(struct kmcl_gpa_direct) == 8);

#endif /* _KMCL_WIRE_H */
