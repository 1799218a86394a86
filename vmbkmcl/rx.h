/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the ring: see rx.c. */
#ifndef _KMCL_RX_H
#define _KMCL_RX_H

#include <linux/interrupt.h>
#include <linux/types.h>

#include "ring.h"

struct kmcl_channel;

/**
 * struct kmcl_rx - the reading side of a channel
 * @running: the ring may be read
 * @ring: the incoming ring, while the channel is open
 * @poll: reads the ring
 * @copy: of the completion whose routine runs in the poll, as the host can change
 *	what is in the ring; there while the channel is open
 * @room: bytes of @copy
 * @starved: it left a packet in the ring for want of memory to copy it to
 * @polls: times it ran
 * @received: packets read
 * @dropped: packets nobody is there for
 * @corrupt: times the ring was found corrupt
 * @failed: it was, and is not read any more
 */
struct kmcl_rx {
	bool running;
	struct kmcl_ring ring;
	struct tasklet_struct poll;
	void *copy;
	u32 room;
	bool starved;

	u64 polls;
	u64 received;
	u64 dropped;
	u64 corrupt;
	bool failed;
};

/* Count packets that are not given to the client. */
static inline void kmcl_rx_count_dropped(struct kmcl_rx *rx, u32 count)
{
	rx->dropped += count;
}

void kmcl_rx_init(struct kmcl_rx *rx);
int kmcl_rx_open(struct kmcl_channel *ch);
void kmcl_rx_close(struct kmcl_channel *ch);
void kmcl_rx_start(struct kmcl_channel *ch);
void kmcl_rx_stop(struct kmcl_channel *ch);

#endif /* _KMCL_RX_H */
