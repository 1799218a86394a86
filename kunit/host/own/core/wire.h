/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMBus on the wire: control messages and rings, as a host sees them. This is
 * written from the protocol and apart from QEMU's headers and the module's, so
 * that each of them checks the other. Everything is little-endian, as the
 * machines it runs on are.
 */
#ifndef _OWN_WIRE_H
#define _OWN_WIRE_H

#include <stdint.h>

#define WIRE_PAGE_SHIFT		12
#define WIRE_PAGE		(1u << WIRE_PAGE_SHIFT)

#define WIRE_SINT		2
#define WIRE_MESSAGE_MAX	240
#define WIRE_RELID_MAX		2047
#define WIRE_NO_VP		UINT32_MAX	/* a channel without interrupts */

/* The connections that a guest knows without having been told. */
#define WIRE_CONNECTION_OLD	1
#define WIRE_CONNECTION_NEW	4	/* INITIATE_CONTACT from 5.0 on */

#define WIRE_VERSION(major, minor)	((uint32_t)(major) << 16 | (minor))

#define WIRE_UNSUCCESSFUL	0xc0000001u
#define WIRE_UNEXPECTED		0x8000ffffu

enum wire_type {
	WIRE_OFFERCHANNEL		= 1,
	WIRE_RESCIND			= 2,
	WIRE_REQUESTOFFERS		= 3,
	WIRE_ALLOFFERS_DELIVERED	= 4,
	WIRE_OPENCHANNEL		= 5,
	WIRE_OPENCHANNEL_RESULT		= 6,
	WIRE_CLOSECHANNEL		= 7,
	WIRE_GPADL_HEADER		= 8,
	WIRE_GPADL_BODY			= 9,
	WIRE_GPADL_CREATED		= 10,
	WIRE_GPADL_TEARDOWN		= 11,
	WIRE_GPADL_TORNDOWN		= 12,
	WIRE_RELID_RELEASED		= 13,
	WIRE_INITIATE_CONTACT		= 14,
	WIRE_VERSION_RESPONSE		= 15,
	WIRE_UNLOAD			= 16,
	WIRE_UNLOAD_RESPONSE		= 17,
	WIRE_TL_CONNECT			= 21,
	WIRE_MODIFYCHANNEL		= 22,
	WIRE_TL_CONNECT_RESULT		= 23,
	WIRE_MODIFYCHANNEL_RESPONSE	= 24,
	WIRE_TYPE_END			= 32,
};

struct wire_header {
	uint32_t type;
	uint32_t padding;
};

struct wire_initiate_contact {
	struct wire_header header;
	uint32_t version;
	uint32_t target_vp;
	uint64_t interrupt_page;	/* from 5.0 on: SINT, VTL, and 32 bits of features */
	uint64_t monitor_page[2];
};

struct wire_version_response {
	struct wire_header header;
	uint8_t supported;
	uint8_t state;
	uint16_t padding;
	uint32_t connection;		/* of all messages that follow, from 5.0 on */
	uint32_t features;		/* this field exists from 6.0 on */
};

struct wire_offer {
	struct wire_header header;
	uint8_t type[16];
	uint8_t instance[16];
	uint64_t reserved[2];
	uint16_t flags;
	uint16_t mmio_mb;
	uint8_t user_data[120];
	uint16_t sub_index;
	uint16_t padding;
	uint32_t relid;
	uint8_t monitor_id;
	uint8_t monitor_allocated;
	uint16_t dedicated_interrupt;
	uint32_t connection;		/* that the guest signals */
};

#define WIRE_OFFER_ENUMERATE	1u

struct wire_relid {			/* RESCIND, CLOSECHANNEL, RELID_RELEASED */
	struct wire_header header;
	uint32_t relid;
};

struct wire_open {
	struct wire_header header;
	uint32_t relid;
	uint32_t open_id;
	uint32_t ring_gpadl;
	uint32_t target_vp;
	uint32_t out_page;		/* where the ring to the guest begins */
	uint8_t user_data[120];
};

struct wire_open_result {
	struct wire_header header;
	uint32_t relid;
	uint32_t open_id;
	uint32_t status;
};

struct wire_range {
	uint32_t bytes;
	uint32_t offset;
	uint64_t pfn[];
};

/*
 * The range begins at the 20th byte, and so do 64-bit numbers: it is not
 * aligned.
 */
struct wire_gpadl_header {
	struct wire_header header;
	uint32_t relid;
	uint32_t gpadl;
	uint16_t ranges_len;		/* bytes of all ranges, in this message and bodies */
	uint16_t nr_ranges;
	uint32_t bytes;
	uint32_t offset;
	uint64_t pfn[];
} __attribute__((packed));

struct wire_gpadl_body {
	struct wire_header header;
	uint32_t number;
	uint32_t gpadl;
	uint64_t pfn[];
};

#define WIRE_HEADER_PFNS	26
#define WIRE_BODY_PFNS		28

struct wire_gpadl_created {
	struct wire_header header;
	uint32_t relid;
	uint32_t gpadl;
	uint32_t status;
};

struct wire_gpadl_teardown {
	struct wire_header header;
	uint32_t relid;
	uint32_t gpadl;
};

struct wire_gpadl_torndown {
	struct wire_header header;
	uint32_t gpadl;
};

struct wire_modify {
	struct wire_header header;
	uint32_t relid;
	uint32_t target_vp;
};

struct wire_modify_response {
	struct wire_header header;
	uint32_t relid;
	uint32_t status;
};

struct wire_tl_connect {
	struct wire_header header;
	uint8_t endpoint[16];
	uint8_t service[16];
};

struct wire_tl_connect_result {
	struct wire_header header;
	uint8_t endpoint[16];
	uint8_t service[16];
	uint32_t status;
};

/* The page in front of a ring's data. */
struct wire_ring {
	uint32_t write;
	uint32_t read;
	uint32_t mask;			/* the reader wants no signals */
	uint32_t pending_send;		/* the writer wants one for more room than this */
	uint32_t reserved[12];
	uint32_t features;
};

#define WIRE_RING_PENDING_SEND	1u	/* of features: the reader heeds pending_send */

enum wire_packet_type {
	WIRE_PACKET_INBAND	= 6,
	WIRE_PACKET_XFER_PAGES	= 7,
	WIRE_PACKET_GPA_DIRECT	= 9,
	WIRE_PACKET_COMPLETION	= 11,
};

struct wire_packet {
	uint16_t type;
	uint16_t offset8;		/* to the payload, in words */
	uint16_t len8;			/* without the trailer */
	uint16_t flags;
	uint64_t id;
};

#define WIRE_PACKET_ASKS	1u	/* of flags: for a completion */
#define WIRE_TRAILER		8u

struct wire_gpa_direct {		/* behind a packet's header */
	uint32_t reserved;
	uint32_t nr_ranges;
};

#endif /* _OWN_WIRE_H */
