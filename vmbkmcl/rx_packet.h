/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory for the host's packets: see rx_packet.c. */
#ifndef _KMCL_RX_PACKET_H
#define _KMCL_RX_PACKET_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/types.h>

#include "bus.h"
#include "channel.h"

enum kmcl_rx_owner {
	KMCL_OWNER_POOL,	/* free, in the backlog, or on its way back */
	KMCL_OWNER_CLIENT,	/* until it completes it */
	KMCL_OWNER_NOBODY,	/* the client's still, but its channel is gone */
};

/**
 * struct kmcl_rx_packet - a packet of the host's, copied out of the ring
 * @free: in the pool's list
 * @pool: where it belongs
 * @owner: enum kmcl_rx_owner; whoever moves it away from
 *	%KMCL_OWNER_CLIENT alone may go on with it
 * @completion: its completion
 * @wants_completion: the host has asked for one
 * @len: bytes of payload
 * @data: payload, then the completion's; behind it the client's context
 */
struct kmcl_rx_packet {
	struct llist_node free;
	struct kmcl_pool *pool;
	atomic_t owner;
	struct kmcl_tx_entry completion;
	bool wants_completion;
	u32 len;
	u8 data[] __aligned(sizeof(u64));
};

/**
 * struct kmcl_pool - memory for the packets of one opening of a channel
 * @ref: the channel's, and one for each packet that belongs to nobody
 * @ch: the channel; not to be followed for a packet that belongs to nobody
 * @room: bytes of payload each packet has room for
 * @stride: bytes from one packet to the next
 * @count: packets
 * @quota: of them, how many the client may hold at most
 * @free: those that were given back since the poll looked last
 * @spare: those it found then
 * @packets: all of them
 */
struct kmcl_pool {
	struct kref ref;
	struct kmcl_channel *ch;
	u32 room;
	u32 stride;
	u32 count;
	u32 quota;
	struct llist_head free;
	struct llist_node *spare;
	u8 packets[] __aligned(sizeof(u64));
};

/* NULL without memory; the caller says so. */
struct kmcl_pool *kmcl_pool_alloc(struct kmcl_channel *ch);
void kmcl_pool_put(struct kmcl_pool *pool);

struct kmcl_rx_packet *kmcl_pool_packet(struct kmcl_pool *pool, unsigned int i);
struct kmcl_rx_packet *kmcl_pool_pop(struct kmcl_channel *ch);
void kmcl_pool_push(struct kmcl_rx_packet *packet);

/* Run the poll again if something waits for a packet that was returned. */
static inline void kmcl_unstall(struct kmcl_channel *ch)
{
	if (READ_ONCE(ch->delivery.stalled))
		kmcl_poll_schedule(ch);
}

#endif /* _KMCL_RX_PACKET_H */
