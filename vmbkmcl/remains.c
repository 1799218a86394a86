// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is left of a request that nobody waits for any more.
 *
 * When a request's time is over its caller goes on, and the request is no more;
 * but the host can read and write the external data until it has completed the
 * packet, or the ring is closed. So a second packet, made together with the
 * request, takes its place in the transaction table and holds the pages until
 * then.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include "remains.h"

static void kmcl_remains_done(struct kmcl_packet *packet, int err,
			      const void *data, u32 len)
{
	kmcl_remains_free(container_of(packet, struct kmcl_remains, packet),
			  err);
}

/* With the description of a checked extent; NULL without memory. */
struct kmcl_remains *kmcl_remains_alloc(struct kmcl_channel *ch,
					const struct kmcl_extent *extent)
{
	u32 room = kmcl_external_room_for(extent);
	struct kmcl_remains *remains;

	/* Less than one page for each 8 bytes of the description. */
	remains = kvzalloc(sizeof(*remains) + room +
			   room / sizeof(u64) * sizeof(*remains->pages),
			   GFP_KERNEL);
	if (!remains)
		return NULL;
	kmcl_external_init(&remains->external, remains->memory, room);
	/* There is room for it. */
	kmcl_external_set_extent(&remains->external, extent);
	remains->pages = (void *)remains->memory + room;
	remains->held = kmcl_external_hold(&remains->external, remains->pages);
	remains->ch = ch;
	INIT_LIST_HEAD(&remains->packet.link);
	remains->packet.wire.type = KMCL_PKT_GPA_DIRECT;
	remains->packet.wire.flags = KMCL_PKT_FLAG_COMPLETION_REQUESTED;
	remains->packet.wire.head = remains->external.desc;
	remains->packet.wire.head_len = remains->external.size;
	remains->packet.done = kmcl_remains_done;
	return remains;
}

/* @err: what came of the packet; -ETIMEDOUT: the host may still have the pages. */
void kmcl_remains_free(struct kmcl_remains *remains, int err)
{
	u32 i;

	if (err == -ETIMEDOUT)
		kmcl_external_kept(remains->ch, remains->held);
	else
		for (i = 0; i < remains->held; i++)
			put_page(remains->pages[i]);
	kvfree(remains);
}
