// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loopback bus: channels between a client and a server in this kernel.
 *
 * The client's end is that of a guest on VMBus. The rings have the layout of
 * VMBus, so both ends meet the same sizes, the same back-pressure and the same
 * signals as with a host. The server's end is attached to its offer all the
 * time, and is opened when a client opens the offer.
 */

#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/vmalloc.h>

#include "channel.h"
#include "hot.h"
#include "lo_bus.h"
#include "lo_gpadl.h"
#include "lo_offer.h"
#include "ring_size.h"

static struct kmcl_lo_offer *kmcl_lo_offer(struct kmcl_channel *ch)
{
	return ch->endpoint;
}

static int kmcl_lo_listen(struct kmcl_channel *ch)
{
	return ch->is_server ? kmcl_lo_make_offer(ch) : kmcl_lo_seek_offer(ch);
}

/* The offer of a server was revoked and released before. */
static void kmcl_lo_unlisten(struct kmcl_channel *ch)
{
	if (!ch->is_server)
		kmcl_lo_stop_seeking(ch);
}

static void kmcl_lo_release(struct kmcl_channel *ch, void *endpoint)
{
	if (ch->is_server)
		kmcl_lo_release_offer(endpoint);
	else
		kmcl_lo_give_back(endpoint);
}

static struct device *kmcl_lo_device(struct kmcl_channel *ch)
{
	return &kmcl_lo_offer(ch)->dev;
}

static int kmcl_lo_open_client(struct kmcl_channel *ch,
			       struct kmcl_bus_rings *rings)
{
	struct kmcl_lo_offer *offer = kmcl_lo_offer(ch);
	int err;

	err = kmcl_lo_ring_alloc(&offer->to_server, rings->tx_bytes);
	if (err)
		return err;
	err = kmcl_lo_ring_alloc(&offer->to_client, rings->rx_bytes);
	if (err)
		goto free_to_server;
	err = kmcl_lo_connect(offer);
	if (err)
		goto free_to_client;
	rings->tx = offer->to_server.memory;
	rings->rx = offer->to_client.memory;
	return 0;

free_to_client:
	kmcl_lo_ring_free(&offer->to_client);
free_to_server:
	kmcl_lo_ring_free(&offer->to_server);
	return err;
}

/*
 * The client chooses the sizes of the rings. As in kmcl_ring_bytes(), the ring has to hold
 * two packets: one that does not fit in an empty ring, beside the room that is kept for a
 * completion, would never be sent.
 */
static int kmcl_lo_open_server(struct kmcl_channel *ch,
			       struct kmcl_bus_rings *rings)
{
	struct kmcl_lo_offer *offer = kmcl_lo_offer(ch);

	if (2 * kmcl_channel_wire_size(ch) + sizeof(u64) >=
	    offer->to_client.memory.size) {
		kmcl_warn(ch, "packets of up to %u bytes do not fit in the client's incoming ring of %u bytes: see VmbChannelInitSetMaximumPacketSize() here, and VmbClientChannelInitSetRingBufferPageCount() there\n",
			  ch->set.max_packet_size,
			  offer->to_client.memory.size);
		return -EMSGSIZE;
	}
	rings->tx = offer->to_client.memory;
	rings->rx = offer->to_server.memory;
	return 0;
}

static int kmcl_lo_open(struct kmcl_channel *ch, struct kmcl_bus_rings *rings)
{
	return ch->is_server ? kmcl_lo_open_server(ch, rings) :
			       kmcl_lo_open_client(ch, rings);
}

static int kmcl_lo_close(struct kmcl_channel *ch)
{
	struct kmcl_lo_offer *offer = kmcl_lo_offer(ch);

	if (ch->is_server)
		return 0;
	kmcl_lo_disconnect(offer);
	kmcl_lo_ring_free(&offer->to_client);
	kmcl_lo_ring_free(&offer->to_server);
	return 0;
}

/* An end that is not open does not poll, whoever schedules it. */
static void __kmcl_hot kmcl_lo_signal(struct kmcl_channel *ch,
				      enum kmcl_signal why)
{
	struct kmcl_lo_offer *offer = kmcl_lo_offer(ch);
	struct kmcl_channel *peer;

	rcu_read_lock();
	peer = ch->is_server ? rcu_dereference(offer->client) :
			       rcu_dereference(offer->server);
	if (peer)
		kmcl_poll_schedule(peer);
	rcu_read_unlock();
}

static void kmcl_lo_ring_full(struct kmcl_channel *ch, bool first)
{
}

/* No machine has MMIO space that a server in its kernel could give away. */
static int kmcl_lo_mmio_get(struct kmcl_channel *ch, u64 *start, u64 *size)
{
	return 0;
}

static void kmcl_lo_mmio_put(struct kmcl_channel *ch, u64 start, u64 size)
{
}

/* Signals are never left for later. */
static void kmcl_lo_set_low_latency(struct kmcl_channel *ch, bool low)
{
}

/*
 * A server that is disabled releases its offer when it has nothing of the
 * client's.
 */
static bool kmcl_lo_rescinded(struct kmcl_channel *ch)
{
	return !rcu_access_pointer(kmcl_lo_offer(ch)->server);
}

static bool kmcl_lo_no(struct kmcl_channel *ch)
{
	return false;
}

static int kmcl_lo_alloc_bounce(struct kmcl_channel *ch,
				struct kmcl_bus_bounce *bounce)
{
	bounce->va = vzalloc(bounce->size);
	return bounce->va ? 0 : -ENOMEM;
}

static void kmcl_lo_free_bounce(struct kmcl_bus_bounce *bounce)
{
	vfree(bounce->va);
}

static int kmcl_lo_establish(struct kmcl_channel *ch,
			     struct kmcl_bus_gpadl *gpadl)
{
	if (kmcl_lo_rescinded(ch))
		return -ENODEV;
	return kmcl_lo_establish_gpadl(kmcl_lo_offer(ch), gpadl);
}

static int kmcl_lo_teardown(struct kmcl_channel *ch,
			    struct kmcl_bus_gpadl *gpadl)
{
	kmcl_lo_teardown_gpadl(kmcl_lo_offer(ch), gpadl);
	return 0;
}

static void kmcl_lo_opened(struct kmcl_channel *ch, int err)
{
	kmcl_lo_answer(kmcl_lo_offer(ch), err);
}

static int kmcl_lo_map(struct kmcl_channel *ch, u32 handle, bool write,
		       const struct kmcl_bus_gpadl **gpadl)
{
	return kmcl_lo_map_gpadl(kmcl_lo_offer(ch), handle, write, gpadl);
}

static void kmcl_lo_unmap(struct kmcl_channel *ch, u32 handle)
{
	kmcl_lo_unmap_gpadl(kmcl_lo_offer(ch), handle);
}

const struct kmcl_bus_ops kmcl_lo_bus = {
	.name = "loopback",
	.owner = THIS_MODULE,
	.in_kernel = true,
	.listen = kmcl_lo_listen,
	.unlisten = kmcl_lo_unlisten,
	.release = kmcl_lo_release,
	.device = kmcl_lo_device,
	.open = kmcl_lo_open,
	.close = kmcl_lo_close,
	.signal = kmcl_lo_signal,
	.ring_full = kmcl_lo_ring_full,
	.mmio_get = kmcl_lo_mmio_get,
	.mmio_put = kmcl_lo_mmio_put,
	.set_low_latency = kmcl_lo_set_low_latency,
	.rescinded = kmcl_lo_rescinded,
	.confidential = kmcl_lo_no,
	.gpadls_before_close = kmcl_lo_no,
	.alloc_bounce = kmcl_lo_alloc_bounce,
	.free_bounce = kmcl_lo_free_bounce,
	.establish_gpadl = kmcl_lo_establish,
	.teardown_gpadl = kmcl_lo_teardown,
	.opened = kmcl_lo_opened,
	.revoke = kmcl_lo_revoke_offer,
	.map_gpadl = kmcl_lo_map,
	.unmap_gpadl = kmcl_lo_unmap,
};
