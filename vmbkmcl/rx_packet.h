/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for the packets of the host: see rx_packet.c. */
#ifndef _KMCL_RX_PACKET_H
#define _KMCL_RX_PACKET_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "bus.h"
#include "channel.h"

/* The owner of a packet of the pool. Values of &kmcl_rx_packet.owner. */
enum kmcl_rx_owner {
	KMCL_OWNER_POOL,	/* free, not delivered yet, or being completed */
	KMCL_OWNER_CLIENT,	/* until the client completes the packet */
	KMCL_OWNER_NOBODY,	/* orphaned: see kmcl_delivery_orphan() */
};

/**
 * struct kmcl_rx_packet - a packet of the host, copied out of the ring
 * @free: in &kmcl_pool.free or &kmcl_pool.spare
 * @pool: the pool the packet belongs to
 * @owner: enum kmcl_rx_owner. A function that takes the packet away from
 *	%KMCL_OWNER_CLIENT does so with an atomic exchange, and only the one
 *	that succeeds may use the packet.
 * @completion: entry that sends the completion
 * @wants_completion: the host has asked for a completion
 * @mdl: the external data, a chain of MDLs behind the client's context; or %NULL
 * @pages: pages of @mdl that are referenced, behind the MDLs
 * @held: number of @pages
 * @was_pending: the server was told once that the external data is not there yet
 * @len: number of bytes of payload in @data
 * @page_set: number of the page set of a transfer-page packet
 * @nr_ranges: number of @ranges
 * @ranges: ranges of a transfer-page packet, behind the payload in @data; %NULL for any
 *	other packet
 * @data: the payload of the packet, later the payload of the completion. The
 *	client's context is behind it.
 */
struct kmcl_rx_packet {
	struct llist_node free;
	struct kmcl_pool *pool;
	atomic_t owner;
	struct kmcl_tx_entry completion;
	bool wants_completion;
	bool was_pending;
	PMDL mdl;
	struct page **pages;
	u32 held;
	u32 len;
	u16 page_set;
	u32 nr_ranges;
	struct kmcl_xfer_range *ranges;
	u8 data[] __aligned(sizeof(u64));
};

/**
 * struct kmcl_pool - memory for the packets of one opening of a channel
 * @ref: one reference of the channel, and one for each packet that is owned by
 *	%KMCL_OWNER_NOBODY
 * @ch: the channel; may be gone for a packet that is owned by
 *	%KMCL_OWNER_NOBODY
 * @room: bytes of payload that each packet has room for
 * @stride: distance from one packet to the next in bytes
 * @mdl_room: bytes for MDLs and their pages at the end of each packet
 * @count: number of packets
 * @quota: the largest number of packets that the client may hold
 * @free: packets that were returned since the poll last refilled @spare
 * @spare: free packets, used by the poll alone
 * @packets: all packets
 */
struct kmcl_pool {
	struct kref ref;
	struct kmcl_channel *ch;
	u32 room;
	u32 stride;
	u32 mdl_room;
	u32 count;
	u32 quota;
	struct llist_head free;
	struct llist_node *spare;
	u8 packets[] __aligned(sizeof(u64));
};

/* Returns NULL without memory. The caller logs the failure. */
struct kmcl_pool *kmcl_pool_alloc(struct kmcl_channel *ch);
void kmcl_pool_put(struct kmcl_pool *pool);

struct kmcl_rx_packet *kmcl_pool_packet(struct kmcl_pool *pool, unsigned int i);
struct kmcl_rx_packet *kmcl_pool_pop(struct kmcl_channel *ch);
void kmcl_pool_push(struct kmcl_rx_packet *packet);
void kmcl_rx_packet_complete(struct kmcl_channel *ch,
			     struct kmcl_rx_packet *packet, u32 len);

/* Room for the MDLs of the external data. */
static inline PMDL kmcl_rx_packet_mdls(struct kmcl_rx_packet *packet)
{
	const struct kmcl_pool *pool = packet->pool;

	return (void *)packet + pool->stride - pool->mdl_room;
}

/* Return a packet to the pool. The caller then calls kmcl_unstall(). */
static inline void kmcl_pool_return(struct kmcl_rx_packet *packet)
{
	llist_add(&packet->free, &packet->pool->free);
}

/* A packet was returned: schedule the poll if it waits for one. */
static inline void kmcl_unstall(struct kmcl_channel *ch)
{
	if (READ_ONCE(ch->delivery.stalled))
		kmcl_poll_schedule(ch);
}

#endif /* _KMCL_RX_PACKET_H */
