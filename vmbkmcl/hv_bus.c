// SPDX-License-Identifier: GPL-2.0-only
/* The operations of the bus of hv_vmbus, made of functions that hv_vmbus exports. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/hyperv.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include <asm/mshyperv.h>

#include "channel.h"
#include "compat.h"
#include "hot.h"
#include "hv_bind.h"
#include "hv_bus.h"
#include "hv_rings.h"
#include "hv_sub.h"

static struct kmcl_hv_endpoint *kmcl_hv_endpoint(struct kmcl_channel *ch)
{
	return ch->endpoint;
}

static struct vmbus_channel *kmcl_hv_channel(struct kmcl_channel *ch)
{
	return kmcl_hv_endpoint(ch)->chan;
}

/* hv_vmbus calls this in hard interrupt context while the rings exist. */
static void __kmcl_hot kmcl_hv_event(void *context)
{
	kmcl_poll_schedule(context);
}

/* Bytes of a ring of @pages, which has a control page of PAGE_SIZE. */
static u32 kmcl_hv_ring_bytes(u32 pages)
{
	return PAGE_SIZE + PAGE_ALIGN((pages - 1) * HV_HYP_PAGE_SIZE);
}

static void kmcl_hv_no_memory(struct kmcl_channel *ch, u32 tx, u32 rx)
{
	if (tx > kmcl_hv_ring_bytes(ch->set.tx_pages) ||
	    rx > kmcl_hv_ring_bytes(ch->set.rx_pages))
		kmcl_warn(ch, "no memory for rings of %u KiB in one piece: they are that large for the largest packet, see VmbChannelInitSetMaximumPacketSize() and VmbChannelInitSetMaximumExternalData()\n",
			  (tx + rx) / SZ_1K);
	else
		kmcl_warn(ch, "no memory for rings of %u KiB in one piece: fewer pages with VmbClientChannelInitSetRingBufferPageCount(), %u + %u for instance, are easier to get\n",
			  (tx + rx) / SZ_1K, ch->set.rx_pages / 2,
			  ch->set.tx_pages / 2);
}

static struct device *kmcl_hv_device(struct kmcl_channel *ch)
{
	return &kmcl_hv_endpoint(ch)->hdev->device;
}

/* hv_vmbus puts target_cpu into the open message. */
static void kmcl_hv_set_cpu(struct kmcl_channel *ch,
			    const struct kmcl_bus_rings *rings)
{
	bool online;

	if (!rings->has_cpu)
		return;
	/* A CPU that goes offline keeps cpus_read_lock() out and looks for its channels. */
	cpus_read_lock();
	online = cpu_online(rings->cpu);
	if (online)
		kmcl_hv_channel(ch)->target_cpu = rings->cpu;
	cpus_read_unlock();
	if (!online)
		kmcl_warn(ch, "CPU %u is offline, the channel interrupts CPU %u\n",
			  rings->cpu, kmcl_hv_channel(ch)->target_cpu);
}

static void kmcl_hv_opened(struct kmcl_channel *ch)
{
	if (kmcl_hv_endpoint(ch)->is_sub)
		kmcl_hv_sub_opened(ch->endpoint);
	else
		kmcl_hv_endpoint(ch)->is_open = true;
}

/*
 * A failed vmbus_connect_ring() leaves the callback set. Clear it, or a signal of
 * the host could call it after @ch is freed: vmbus_disconnect_ring() does so, and
 * kmcl_hv_sub_not_opened() for a sub-channel, which cannot be disconnected alone.
 */
static void kmcl_hv_not_opened(struct kmcl_channel *ch, int err)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	LIST_HEAD(unused);

	if (kmcl_hv_endpoint(ch)->is_sub) {
		kmcl_hv_sub_not_opened(ch->endpoint);
	} else {
		kmcl_hv_subs_refuse_offers(ch->endpoint, &unused);
		vmbus_disconnect_ring(chan);
		kmcl_hv_subs_free(&unused);
	}
	if (kmcl_hv_free_unopened_rings(chan, err))
		kmcl_warn_always(ch,
				 "the host may still have the rings: their memory is kept for good\n");
}

static int kmcl_hv_open(struct kmcl_channel *ch, struct kmcl_bus_rings *rings)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	u32 tx = rings->tx_bytes;
	u32 rx = rings->rx_bytes;
	int err;

	if (kmcl_hv_endpoint(ch)->gone)
		return -ENODEV;
	/* The host did not offer the device again after a hibernation: no response comes. */
	if (chan->offermsg.child_relid == INVALID_RELID)
		return -ENODEV;

	/*
	 * hv_vmbus has no requestor for the channel since kmcl_hv_take_over(): tx.c hands
	 * out the transaction ids.
	 *
	 * hv_vmbus allocates a buffer of this size to copy packets to; it is not used.
	 */
	chan->max_pkt_size = sizeof(struct vmpacket_descriptor);
	chan->low_latency = false;
	set_channel_read_mode(chan, HV_CALL_ISR);
	kmcl_hv_set_cpu(ch, rings);
	err = vmbus_alloc_ring(chan, tx, rx);
	if (err) {
		kmcl_hv_no_memory(ch, tx, rx);
		return err;
	}
	/* The host may offer a sub-channel before the open has returned. */
	if (kmcl_hv_endpoint(ch)->is_sub)
		kmcl_hv_sub_opens(ch->endpoint);
	else
		kmcl_hv_subs_accept_offers(ch->endpoint);
	err = kmcl_hv_connect_rings(chan, kmcl_hv_event, ch);
	if (err) {
		kmcl_hv_not_opened(ch, err);
		return err;
	}
	rings->tx = kmcl_hv_ring_memory(&chan->outbound);
	rings->rx = kmcl_hv_ring_memory(&chan->inbound);
	kmcl_hv_opened(ch);
	return 0;
}

/* As vmbus_close(), but with the error of a close message that was not posted. */
static int kmcl_hv_close(struct kmcl_channel *ch)
{
	struct vmbus_channel *chan;
	int err;

	if (kmcl_hv_endpoint(ch)->is_sub)
		return kmcl_hv_sub_close(ch->endpoint);
	/* Not open any more: kmcl_hv_forget() has closed it. */
	if (!kmcl_hv_endpoint(ch)->is_open)
		return 0;
	chan = kmcl_hv_channel(ch);
	err = kmcl_hv_subs_close(ch->endpoint);
	if (!err || READ_ONCE(chan->rescind))
		return kmcl_hv_free_rings(chan);
	kmcl_hv_keep_rings(chan);
	return err;
}

/*
 * The close of the primary closes its sub-channels, too. Its result does not matter, as the
 * host holds no memory of the device any more.
 */
static void kmcl_hv_forget(struct kmcl_channel *ch)
{
	if (!kmcl_hv_endpoint(ch)->is_sub)
		kmcl_hv_close(ch);
	WRITE_ONCE(kmcl_hv_endpoint(ch)->gone, true);
}

static void kmcl_hv_release(struct kmcl_channel *ch, void *data)
{
	struct kmcl_hv_endpoint *endpoint = data;

	if (endpoint->is_sub)
		kmcl_hv_sub_release(endpoint);
	else
		kmcl_target_release(ch, endpoint);
}

static int kmcl_hv_mmio_get(struct kmcl_channel *ch, u64 *start, u64 *size)
{
	struct kmcl_hv_endpoint *endpoint = kmcl_hv_endpoint(ch);
	struct hv_device *hdev = endpoint->hdev;
	u64 bytes = (u64)hdev->channel->offermsg.offer.mmio_megabytes * SZ_1M;
	struct resource *res;
	int err;

	/* The MMIO space of a device belongs to its primary channel. */
	if (!bytes || endpoint->is_sub)
		return 0;
	err = vmbus_allocate_mmio(&res, hdev, 0, (resource_size_t)-1, bytes,
				  SZ_1M, false);
	if (err)
		return err;
	/* The client may keep the space for longer than hv_vmbus keeps the device. */
	strscpy(endpoint->mmio_name, res->name, sizeof(endpoint->mmio_name));
	WRITE_ONCE(res->name, endpoint->mmio_name);
	*start = res->start;
	*size = bytes;
	return 0;
}

static void kmcl_hv_mmio_put(struct kmcl_channel *ch, u64 start, u64 size)
{
	vmbus_free_mmio(start, size);
}

static void kmcl_hv_set_low_latency(struct kmcl_channel *ch, bool low)
{
	struct kmcl_hv_endpoint *endpoint = kmcl_hv_endpoint(ch);

	rcu_read_lock();
	if (!READ_ONCE(endpoint->gone))
		WRITE_ONCE(endpoint->chan->low_latency, low);
	rcu_read_unlock();
}

/* The host holds no memory of a sub-channel either when it has rescinded the device. */
static bool kmcl_hv_chan_rescinded(const struct vmbus_channel *chan)
{
	return READ_ONCE(chan->rescind) ||
	       (chan->primary_channel &&
		READ_ONCE(chan->primary_channel->rescind));
}

static bool kmcl_hv_rescinded(struct kmcl_channel *ch)
{
	struct kmcl_hv_endpoint *endpoint = kmcl_hv_endpoint(ch);
	bool rescinded;

	rcu_read_lock();
	rescinded = READ_ONCE(endpoint->gone) ||
		    kmcl_hv_chan_rescinded(endpoint->chan);
	rcu_read_unlock();
	return rescinded;
}

static bool kmcl_hv_confidential(struct kmcl_channel *ch)
{
	return hv_is_isolation_supported() &&
	       !kmcl_channel_uses_plain_memory(kmcl_hv_channel(ch));
}

/*
 * True for a host before Windows 10, which loses the GPADLs at the close. hv_netvsc
 * does the same.
 */
static bool kmcl_hv_gpadls_before_close(struct kmcl_channel *ch)
{
	return vmbus_proto_version < VERSION_WIN10;
}

/* The same GPADL as a structure of hv_vmbus. */
static struct vmbus_gpadl kmcl_hv_gpadl(const struct kmcl_bus_gpadl *gpadl)
{
	return (struct vmbus_gpadl) {
		.gpadl_handle = gpadl->handle,
		.size = gpadl->size,
		.buffer = gpadl->va,
		.decrypted = gpadl->decrypted,
	};
}

/* The memory of a bounce buffer is decrypted, and stays so. */
static int kmcl_hv_send_gpadl(struct vmbus_channel *chan,
			      const struct kmcl_bus_gpadl *gpadl,
			      struct vmbus_gpadl *wire)
{
	if (gpadl->in_bounce)
		return kmcl_establish_bounce_gpadl(chan, gpadl->va,
						   gpadl->size, wire);
	return vmbus_establish_gpadl(chan, gpadl->va, gpadl->size, wire);
}

/*
 * hv_vmbus counts handles up and reaches 0 after 4 billion of them. Its teardown sets
 * the handle to 0 when the host was told, so a GPADL with the handle 0 could not be
 * torn down safely. It is torn down at once, and the next handle is used. If that fails,
 * the teardown may have failed for the same reason, whatever it has returned.
 */
static int kmcl_hv_replace_gpadl(struct vmbus_channel *chan,
				 const struct kmcl_bus_gpadl *gpadl,
				 struct vmbus_gpadl *wire)
{
	if (vmbus_teardown_gpadl(chan, wire) ||
	    kmcl_hv_send_gpadl(chan, gpadl, wire))
		return -EUCLEAN;
	return 0;
}

static int kmcl_hv_establish_gpadl(struct kmcl_channel *ch,
				   struct kmcl_bus_gpadl *gpadl)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	struct vmbus_gpadl wire = {};
	int err;

	if (kmcl_hv_endpoint(ch)->gone)
		return -ENODEV;
	err = kmcl_hv_send_gpadl(chan, gpadl, &wire);
	if (!err && !wire.gpadl_handle)
		err = kmcl_hv_replace_gpadl(chan, gpadl, &wire);
	gpadl->handle = wire.gpadl_handle;
	gpadl->decrypted = wire.decrypted;
	return err;
}

/* vmbus_teardown_gpadl() may return 0 when no message was posted; the handle is kept. */
static int kmcl_hv_teardown_gpadl(struct kmcl_channel *ch,
				  struct kmcl_bus_gpadl *gpadl)
{
	struct vmbus_gpadl wire = kmcl_hv_gpadl(gpadl);
	int err;

	if (kmcl_hv_endpoint(ch)->gone)
		return 0;
	err = vmbus_teardown_gpadl(kmcl_hv_channel(ch), &wire);
	gpadl->handle = wire.gpadl_handle;
	gpadl->decrypted = wire.decrypted;
	return wire.gpadl_handle ? err ?: -EIO : 0;
}

static int kmcl_hv_alloc_bounce(struct kmcl_channel *ch,
				struct kmcl_bus_bounce *bounce)
{
	if (!KMCL_HAS_BOUNCE && kmcl_hv_confidential(ch))
		return -EOPNOTSUPP;
	bounce->va = kmcl_alloc_bounce_buffer(kmcl_hv_channel(ch), bounce->size,
					      &bounce->chunks, &bounce->count);
	return bounce->va ? 0 : -ENOMEM;
}

static void kmcl_hv_free_bounce(struct kmcl_bus_bounce *bounce)
{
	kmcl_free_bounce_buffer(bounce->va, bounce->chunks, bounce->count);
}

static void __kmcl_hot kmcl_hv_signal(struct kmcl_channel *ch,
				      enum kmcl_signal why)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);

	/* hv_vmbus counts its own signals like this: without a lock. */
	if (why == KMCL_SIGNAL_PACKETS)
		chan->intr_out_empty++;
	else
		chan->intr_in_full++;
	vmbus_setevent(chan);
}

static void kmcl_hv_ring_full(struct kmcl_channel *ch, bool first)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);

	chan->out_full_total++;
	if (first)
		chan->out_full_first++;
}

const struct kmcl_bus_ops kmcl_hv_bus = {
	.name = "hv_vmbus",
	.owner = THIS_MODULE,
	.listen = kmcl_target_listen,
	.unlisten = kmcl_target_unlisten,
	.release = kmcl_hv_release,
	.forget = kmcl_hv_forget,
	.match_subs = kmcl_hv_match_subs,
	.device = kmcl_hv_device,
	.open = kmcl_hv_open,
	.close = kmcl_hv_close,
	.signal = kmcl_hv_signal,
	.ring_full = kmcl_hv_ring_full,
	.mmio_get = kmcl_hv_mmio_get,
	.mmio_put = kmcl_hv_mmio_put,
	.set_low_latency = kmcl_hv_set_low_latency,
	.rescinded = kmcl_hv_rescinded,
	.confidential = kmcl_hv_confidential,
	.gpadls_before_close = kmcl_hv_gpadls_before_close,
	.alloc_bounce = kmcl_hv_alloc_bounce,
	.free_bounce = kmcl_hv_free_bounce,
	.establish_gpadl = kmcl_hv_establish_gpadl,
	.teardown_gpadl = kmcl_hv_teardown_gpadl,
};
