// SPDX-License-Identifier: GPL-2.0-only
/* The seam's hv_vmbus side. Only what hv_vmbus exports is used. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/hyperv.h>
#include <linux/sizes.h>
#include <asm/mshyperv.h>

#include "channel.h"
#include "compat.h"
#include "hot.h"
#include "subchannel_hv.h"
#include "target.h"

static struct kmcl_hv_endpoint *kmcl_hv_endpoint(struct kmcl_channel *ch)
{
	return ch->endpoint;
}

static struct vmbus_channel *kmcl_hv_channel(struct kmcl_channel *ch)
{
	return kmcl_hv_endpoint(ch)->chan;
}

/* The same while it is open, for each packet: one thing less to be fetched. */
static struct vmbus_channel *kmcl_hv_ring(struct kmcl_channel *ch)
{
	return ch->ring;
}

/* Called in hard interrupt context, the ring's memory is there. */
static void __kmcl_hot kmcl_hv_event(void *context)
{
	kmcl_poll_schedule(context);
}

static void kmcl_hv_no_memory(struct kmcl_channel *ch, u32 tx, u32 rx)
{
	u32 pages = (tx + rx) / HV_HYP_PAGE_SIZE;

	if (pages > ch->set.tx_pages + ch->set.rx_pages)
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

/* hv_vmbus names it to the host in the open message. */
static void kmcl_hv_set_cpu(struct kmcl_channel *ch)
{
	if (!ch->set.has_cpu)
		return;
	if (cpu_online(ch->set.cpu))
		kmcl_hv_channel(ch)->target_cpu = ch->set.cpu;
	else
		kmcl_warn(ch, "CPU %u is offline, the channel interrupts CPU %u\n",
			  ch->set.cpu, kmcl_hv_channel(ch)->target_cpu);
}

/*
 * hv_vmbus says 0 also when a teardown was never posted; then the host may write
 * to the rings for good.
 */
int kmcl_hv_free_rings(struct vmbus_channel *chan)
{
	if (chan->ringbuffer_gpadlhandle.gpadl_handle &&
	    !READ_ONCE(chan->rescind))
		return -EIO;
	vmbus_free_ring(chan);
	return 0;
}

static void kmcl_hv_opened(struct kmcl_channel *ch)
{
	if (ch->subs.primary)
		kmcl_hv_sub_opened(ch->endpoint);
	else
		kmcl_hv_subs_take(ch->endpoint);
}

/*
 * An open that failed leaves the callback behind, which the host could have called
 * when this channel is long gone.
 */
static void kmcl_hv_not_opened(struct kmcl_channel *ch)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);

	if (ch->subs.primary)
		kmcl_hv_sub_not_opened(ch->endpoint);
	else
		vmbus_disconnect_ring(chan);
	if (kmcl_hv_free_rings(chan))
		kmcl_warn(ch, "the host may still have the rings: their memory is kept for good\n");
}

static int kmcl_hv_open(struct kmcl_channel *ch)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	u32 tx = kmcl_channel_tx_bytes(ch);
	u32 rx = kmcl_channel_rx_bytes(ch);
	int err;

	/* Not offered again after a hibernation: the host would never answer. */
	if (chan->offermsg.child_relid == INVALID_RELID)
		return -ENODEV;

	/*
	 * Transaction ids are this module's. A driver that had the device
	 * before may have left hv_vmbus's requestor behind, freed, and with a
	 * size of 0 the next close would free it again.
	 */
	chan->rqstor_size = 0;
	memset(&chan->requestor, 0, sizeof(chan->requestor));
	chan->next_request_id_callback = NULL;
	chan->request_addr_callback = NULL;

	/* hv_vmbus has memory for a copy of a packet, which is not made. */
	chan->max_pkt_size = sizeof(struct vmpacket_descriptor);
	chan->low_latency = false;
	set_channel_read_mode(chan, HV_CALL_ISR);
	kmcl_hv_set_cpu(ch);
	ch->ring = chan;
	err = vmbus_alloc_ring(chan, tx, rx);
	if (err) {
		kmcl_hv_no_memory(ch, tx, rx);
		return err;
	}
	err = vmbus_connect_ring(chan, kmcl_hv_event, ch);
	if (err)
		kmcl_hv_not_opened(ch);
	else
		kmcl_hv_opened(ch);
	return err;
}

/* vmbus_close(), which keeps to itself that the host was not told. */
static int kmcl_hv_close(struct kmcl_channel *ch)
{
	if (ch->subs.primary)
		return kmcl_hv_sub_close(ch->endpoint);
	return kmcl_hv_subs_close(ch->endpoint) ?:
	       kmcl_hv_free_rings(kmcl_hv_channel(ch));
}

static void kmcl_hv_release(struct kmcl_channel *ch)
{
	if (ch->subs.primary)
		kmcl_hv_sub_release(ch->endpoint);
	else
		kmcl_target_release(ch);
}

static int kmcl_hv_mmio_get(struct kmcl_channel *ch, u64 *start, u64 *size)
{
	struct hv_device *hdev = kmcl_hv_endpoint(ch)->hdev;
	u64 bytes = (u64)hdev->channel->offermsg.offer.mmio_megabytes * SZ_1M;
	struct resource *res;
	int err;

	/* The device's space goes with its own channel. */
	if (!bytes || ch->subs.primary)
		return 0;
	err = vmbus_allocate_mmio(&res, hdev, 0, (resource_size_t)-1, bytes,
				  SZ_1M, false);
	if (err)
		return err;
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
	WRITE_ONCE(kmcl_hv_channel(ch)->low_latency, low);
}

static bool kmcl_hv_rescinded(struct kmcl_channel *ch)
{
	return READ_ONCE(kmcl_hv_channel(ch)->rescind);
}

static bool kmcl_hv_confidential(struct kmcl_channel *ch)
{
	return hv_is_isolation_supported() &&
	       !kmcl_channel_uses_plain_memory(kmcl_hv_channel(ch));
}

/* netvsc's rule: older hosts drop the ring's GPADL with the channel. */
static bool kmcl_hv_gpadls_before_close(struct kmcl_channel *ch)
{
	return vmbus_proto_version < VERSION_WIN10;
}

static int kmcl_hv_establish_gpadl(struct kmcl_channel *ch, void *va, u32 size,
				   struct vmbus_gpadl *gpadl)
{
	return vmbus_establish_gpadl(kmcl_hv_channel(ch), va, size, gpadl);
}

static int kmcl_hv_teardown_gpadl(struct kmcl_channel *ch,
				  struct vmbus_gpadl *gpadl)
{
	return vmbus_teardown_gpadl(kmcl_hv_channel(ch), gpadl);
}

/*
 * The host can write both indices of the ring to it, and older kernels' hv_vmbus
 * would follow one out of the ring.
 */
static bool kmcl_hv_is_astray(struct kmcl_channel *ch)
{
	const struct hv_ring_buffer_info *ring = &kmcl_hv_ring(ch)->outbound;

	return READ_ONCE(ring->ring_buffer->read_index) >= ring->ring_datasize ||
	       READ_ONCE(ring->ring_buffer->write_index) >= ring->ring_datasize;
}

int __kmcl_hot kmcl_hv_send(struct kmcl_channel *ch, void *data, u32 len,
			    u64 id, enum vmbus_packet_type type, u32 flags)
{
	if (unlikely(kmcl_hv_is_astray(ch)))
		return -EIO;
	return vmbus_sendpacket(kmcl_hv_ring(ch), data, len, id, type, flags);
}

int __kmcl_hot kmcl_hv_send_external(struct kmcl_channel *ch,
				     struct vmbus_packet_mpb_array *desc,
				     u32 desc_size, void *data, u32 len, u64 id)
{
	if (desc->rangecount > 1 && !kmcl_hv_sends_ranges())
		return -EOPNOTSUPP;
	if (unlikely(kmcl_hv_is_astray(ch)))
		return -EIO;
	return vmbus_sendpacket_mpb_desc(kmcl_hv_ring(ch), desc, desc_size,
					 data, len, id);
}

static void kmcl_hv_want_room(struct kmcl_channel *ch, u32 bytes)
{
	set_channel_pending_send_size(kmcl_hv_ring(ch), bytes);
	/* The host sees the wish before the ring is looked at again. */
	virt_mb();
}

/*
 * hv_pkt_iter_first() makes something harmless of what the host wrote, and would
 * then walk on by that, out of step with the host; and it copies the packet, which
 * its receiver would have to copy again. So the ring is read here. All that is
 * believed of the head is read once.
 */
int __kmcl_hot kmcl_hv_rx_peek(struct kmcl_channel *ch,
			       struct kmcl_rx_packet *packet)
{
	const struct hv_ring_buffer_info *ring = &kmcl_hv_ring(ch)->inbound;
	u32 read = ring->priv_read_index, write, avail, len, offset;
	const struct vmpacket_descriptor *desc;

	/* Pairs with the host's release: the packet is there before its index. */
	write = virt_load_acquire(&ring->ring_buffer->write_index);
	if (write == read)
		return 0;
	if (write >= ring->ring_datasize)
		return -EIO;
	avail = write > read ? write - read : ring->ring_datasize - read + write;
	if (avail < sizeof(*desc) + KMCL_PACKET_TRAILER)
		return -EIO;

	/* The ring is mapped twice in a row: a packet never wraps here. */
	desc = (void *)(ring->ring_buffer->buffer + read);
	len = READ_ONCE(desc->len8) << 3;
	offset = READ_ONCE(desc->offset8) << 3;
	if (offset < sizeof(*desc) || offset > sizeof(*desc) + ch->rx.room ||
	    offset > len || len > avail - KMCL_PACKET_TRAILER)
		return -EIO;

	packet->type = READ_ONCE(desc->type);
	packet->flags = READ_ONCE(desc->flags);
	packet->id = READ_ONCE(desc->trans_id);
	packet->data = (const u8 *)desc + offset;
	packet->len = len - offset;
	packet->size = len + KMCL_PACKET_TRAILER;
	return 1;
}

/* The host is told by hv_pkt_iter_close() alone. */
void __kmcl_hot kmcl_hv_rx_skip(struct kmcl_channel *ch,
				const struct kmcl_rx_packet *packet)
{
	struct hv_ring_buffer_info *ring = &kmcl_hv_ring(ch)->inbound;

	ring->priv_read_index += packet->size;
	if (ring->priv_read_index >= ring->ring_datasize)
		ring->priv_read_index -= ring->ring_datasize;
}

void __kmcl_hot kmcl_hv_rx_done(struct kmcl_channel *ch)
{
	hv_pkt_iter_close(kmcl_hv_ring(ch));
}

void __kmcl_hot kmcl_hv_rx_mask(struct kmcl_channel *ch)
{
	hv_begin_read(&kmcl_hv_ring(ch)->inbound);
}

bool __kmcl_hot kmcl_hv_rx_unmask(struct kmcl_channel *ch)
{
	return hv_end_read(&kmcl_hv_ring(ch)->inbound);
}

const struct kmcl_bus_ops kmcl_hv_bus = {
	.name = "hv_vmbus",
	.listen = kmcl_target_listen,
	.unlisten = kmcl_target_unlisten,
	.release = kmcl_hv_release,
	.device = kmcl_hv_device,
	.open = kmcl_hv_open,
	.close = kmcl_hv_close,
	.mmio_get = kmcl_hv_mmio_get,
	.mmio_put = kmcl_hv_mmio_put,
	.set_low_latency = kmcl_hv_set_low_latency,
	.rescinded = kmcl_hv_rescinded,
	.confidential = kmcl_hv_confidential,
	.gpadls_before_close = kmcl_hv_gpadls_before_close,
	.establish_gpadl = kmcl_hv_establish_gpadl,
	.teardown_gpadl = kmcl_hv_teardown_gpadl,
	.send = kmcl_hv_send,
	.send_external = kmcl_hv_send_external,
	.want_room = kmcl_hv_want_room,
	.rx_peek = kmcl_hv_rx_peek,
	.rx_skip = kmcl_hv_rx_skip,
	.rx_done = kmcl_hv_rx_done,
	.rx_mask = kmcl_hv_rx_mask,
	.rx_unmask = kmcl_hv_rx_unmask,
};
