// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory for the packets of the host, allocated when the channel is opened.
 *
 * A packet that is read from the ring is copied to a packet of the pool, which
 * is returned to the pool when its completion has been sent, or when it is
 * known that no completion is sent for it. If the pool is empty, the poll stops
 * and is scheduled again when a packet is returned.
 */

#include <linux/bottom_half.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "channel.h"
#include "hot.h"
#include "rx_deliver.h"
#include "rx_gpa_direct.h"
#include "rx_packet.h"

struct kmcl_rx_packet *kmcl_pool_packet(struct kmcl_pool *pool, unsigned int i)
{
	return (struct kmcl_rx_packet *)(pool->packets + i * pool->stride);
}

static void kmcl_pool_free(struct kref *ref)
{
	kvfree(container_of(ref, struct kmcl_pool, ref));
}

void kmcl_pool_put(struct kmcl_pool *pool)
{
	kref_put(&pool->ref, kmcl_pool_free);
}

/*
 * Take all packets that were returned, with one atomic operation for all of
 * them.
 */
static struct llist_node *kmcl_pool_refill(struct kmcl_channel *ch)
{
	struct llist_head *free = &ch->delivery.pool->free;
	struct llist_node *nodes = llist_del_all(free);

	if (!nodes) {
		kmcl_stall(&ch->delivery);
		nodes = llist_del_all(free);
	}
	return nodes;
}

/*
 * Called by the poll alone. Returns NULL if the pool is empty. The poll is then
 * scheduled when a packet is returned.
 */
__kmcl_hot struct kmcl_rx_packet *kmcl_pool_pop(struct kmcl_channel *ch)
{
	struct kmcl_pool *pool = ch->delivery.pool;
	struct llist_node *node = pool->spare ?: kmcl_pool_refill(ch);

	if (!node)
		return NULL;
	pool->spare = node->next;
	return llist_entry(node, struct kmcl_rx_packet, free);
}

void __kmcl_hot kmcl_pool_push(struct kmcl_rx_packet *packet)
{
	struct kmcl_channel *ch = packet->pool->ch;

	kmcl_pool_return(packet);
	kmcl_unstall(ch);
}

static void kmcl_completion_sent(struct kmcl_tx_entry *completion, int err,
				 const void *data, u32 len)
{
	struct kmcl_rx_packet *packet = container_of(completion,
						     struct kmcl_rx_packet,
						     completion);

	kmcl_pool_push(packet);
}

/*
 * Send the completion of the packet, with the first @len bytes of its data, and return
 * the packet to the pool.
 */
void __kmcl_hot kmcl_rx_packet_complete(struct kmcl_channel *ch,
					struct kmcl_rx_packet *packet, u32 len)
{
	packet->completion.wire.len = len;
	local_bh_disable();
	if (kmcl_tx_submit(ch, &packet->completion, KMCL_TX_IF_OPEN) !=
	    KMCL_TX_PENDING)
		kmcl_pool_push(packet);
	local_bh_enable();
}

struct kmcl_pool *kmcl_pool_alloc(struct kmcl_channel *ch)
{
	u32 room = ALIGN(ch->set.max_packet_size, sizeof(u64));
	u32 mdl_room = kmcl_rx_gpa_direct_room(ch);
	u32 stride = sizeof(struct kmcl_rx_packet) + room +
		     ALIGN(ch->set.context_size, sizeof(u64)) + mdl_room;
	u32 quota = min_t(u32, READ_ONCE(ch->delivery.quota), KMCL_QUOTA_MAX);
	u32 count = quota + KMCL_BACKLOG;
	struct kmcl_pool *pool;
	u32 i;

	/* No warning: the function that opens the channel logs the failure. */
	pool = kvzalloc(sizeof(*pool) + array_size(count, stride),
			GFP_KERNEL | __GFP_NOWARN);
	if (!pool)
		return NULL;
	kref_init(&pool->ref);
	pool->ch = ch;
	pool->room = room;
	pool->stride = stride;
	pool->mdl_room = mdl_room;
	pool->count = count;
	pool->quota = quota;
	init_llist_head(&pool->free);
	for (i = 0; i < count; i++) {
		struct kmcl_rx_packet *packet = kmcl_pool_packet(pool, i);

		packet->pool = pool;
		INIT_LIST_HEAD(&packet->completion.link);
		packet->completion.wire.type = KMCL_PKT_COMPLETION;
		packet->completion.wire.data = packet->data;
		packet->completion.done = kmcl_completion_sent;
		llist_add(&packet->free, &pool->free);
	}
	return pool;
}
