/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets from the host: see incoming.c. */
#ifndef _KMCL_INCOMING_H
#define _KMCL_INCOMING_H

#include <linux/atomic.h>
#include <linux/interrupt.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "packet.h"

struct kmcl_channel;
struct kmcl_rx_pool;

/* Packets a channel can have taken from its ring at one time. */
#define KMCL_RX_PACKETS		64

enum kmcl_incoming_owner {
	KMCL_OWNER_POOL,	/* free, parked, or on its way back */
	KMCL_OWNER_CLIENT,	/* until it completes it */
	KMCL_OWNER_NOBODY,	/* the client's still, but its channel is gone */
};

/**
 * struct kmcl_incoming - a packet of the host's, copied out of the ring
 * @link: in the pool's free list or in the channel's backlog
 * @pool: where it belongs
 * @owner: enum kmcl_incoming_owner; whoever moves it away from
 *	%KMCL_OWNER_CLIENT alone may go on with it
 * @answer: its completion
 * @wants_answer: the host has asked for one
 * @len: bytes of payload
 * @data: payload, then the completion's; behind it the client's context
 */
struct kmcl_incoming {
	struct list_head link;
	struct kmcl_rx_pool *pool;
	atomic_t owner;
	struct kmcl_packet answer;
	bool wants_answer;
	u32 len;
	u8 data[] __aligned(sizeof(u64));
};

/**
 * struct kmcl_rx_pool - memory for the packets of one opening of a channel
 * @ref: the channel's, and one for each packet that belongs to nobody
 * @ch: the channel; not to be followed for a packet that belongs to nobody
 * @room: bytes of payload each packet has room for
 * @stride: bytes from one packet to the next
 * @lock: guards @free and @starved
 * @free: packets there are
 * @starved: the ring is not read on for want of one
 * @packets: all of them
 */
struct kmcl_rx_pool {
	struct kref ref;
	struct kmcl_channel *ch;
	u32 room;
	u32 stride;
	spinlock_t lock;
	struct list_head free;
	bool starved;
	u8 packets[] __aligned(sizeof(u64));
};

/**
 * struct kmcl_rx - the receiving side of a channel
 * @lock: guards @running, and that nothing is scheduled once it is false
 * @running: the ring may be read
 * @delivering: the client may be given packets
 * @poll: reads the ring and delivers
 * @pool: memory for packets; NULL while closed, or without a ProcessPacket
 *	callback
 * @backlog: packets taken from the ring and not delivered; @poll's alone while
 *	it can run
 * @held: packets the client has and did not complete
 * @polls: times @poll ran
 * @received: packets read
 * @delivered: packets the client was given
 * @dropped: packets nobody is there for
 * @orphaned: packets a client still had when its channel was taken away
 * @failed: the ring was found corrupt; nothing is read from it any more
 */
struct kmcl_rx {
	spinlock_t lock;
	bool running;
	bool delivering;
	struct tasklet_struct poll;
	struct kmcl_rx_pool *pool;
	struct list_head backlog;
	atomic_t held;

	u64 polls;
	u64 received;
	u64 delivered;
	u64 dropped;
	u64 orphaned;
	bool failed;
};

void kmcl_rx_init(struct kmcl_rx *rx);
int kmcl_rx_open(struct kmcl_channel *ch);
void kmcl_rx_release(struct kmcl_channel *ch);

void kmcl_rx_start(struct kmcl_channel *ch);
void kmcl_rx_stop(struct kmcl_channel *ch);
void kmcl_rx_deliver(struct kmcl_channel *ch);
void kmcl_rx_hold_back(struct kmcl_channel *ch);
void kmcl_rx_orphan(struct kmcl_channel *ch);

void kmcl_poll_schedule(struct kmcl_channel *ch);

#endif /* _KMCL_INCOMING_H */
