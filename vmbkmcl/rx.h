/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading the incoming ring: see rx.c. */
#ifndef _KMCL_RX_H
#define _KMCL_RX_H

#include <linux/interrupt.h>
#include <linux/types.h>

#include "ring.h"

struct kmcl_channel;

/* What a poll does, in this order. */
enum kmcl_poll_stage {
	KMCL_POLL_READ,		/* read the incoming ring */
	KMCL_POLL_DELIVER,	/* deliver the packets that were read */
	KMCL_POLL_FLUSH,	/* send packets that were queued */
	KMCL_POLL_ROUTINES,	/* call completion routines that were deferred */
	KMCL_POLL_STAGES,
};

/**
 * struct kmcl_rx - the reading side of a channel
 * @running: the poll may read the ring
 * @ring: the incoming ring, valid while the channel is open
 * @poll: tasklet that reads the ring
 * @copy: copy of the payload of a completion while the completion routine runs
 *	in the poll, because the host can change the ring. Allocated while the
 *	channel is open.
 * @room: size of @copy in bytes
 * @starved: the poll has left a packet in the ring because the pool was empty. Also
 *	read without the poll's exclusion.
 * @polling: the poll is running, and will look for deferred completion routines
 *	before it ends
 * @stage: where the next poll begins: %KMCL_POLL_READ, unless the last one has used up
 *	its budget in an earlier stage
 * @polls: number of times the poll ran
 * @received: number of packets read
 * @dropped: number of packets that were not given to the client
 * @corrupt: number of times the ring was found corrupt
 * @complained: a line was logged about packets that can not be delivered, since the
 *	channel was opened
 * @failed: the ring was found corrupt and is not read any more. Set by the poll, and
 *	cleared when the ring is closed, which the work item of the channel then does.
 */
struct kmcl_rx {
	bool running;
	struct kmcl_ring ring;
	struct tasklet_struct poll;
	void *copy;
	u32 room;
	bool starved;
	bool polling;
	enum kmcl_poll_stage stage;

	u64 polls;
	u64 received;
	u64 dropped;
	u64 corrupt;
	bool complained;
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
