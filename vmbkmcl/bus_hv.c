// SPDX-License-Identifier: GPL-2.0-only
/* The seam's hv_vmbus side. Only what hv_vmbus exports is used. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/hyperv.h>
#include <linux/sizes.h>
#include <asm/mshyperv.h>

#include "channel.h"
#include "compat.h"
#include "subchannel_hv.h"
#include "target.h"

/* Room for a completion's headers beyond those of a plain packet. */
#define KMCL_HV_HEADER_SLACK	64

static struct kmcl_hv_endpoint *kmcl_hv_endpoint(struct kmcl_channel *ch)
{
	return ch->endpoint;
}

static struct vmbus_channel *kmcl_hv_channel(struct kmcl_channel *ch)
{
	return kmcl_hv_endpoint(ch)->chan;
}

/* Called in hard interrupt context, the ring's memory is there. */
static void kmcl_hv_event(void *context)
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
	u32 wire = kmcl_channel_wire_size(ch);
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

	chan->max_pkt_size = min_t(u32, wire + KMCL_HV_HEADER_SLACK,
				   rx - sizeof(struct hv_ring_buffer));
	chan->low_latency = false;
	set_channel_read_mode(chan, HV_CALL_ISR);
	kmcl_hv_set_cpu(ch);
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

int kmcl_hv_send(struct kmcl_channel *ch, void *data, u32 len, u64 id,
		 enum vmbus_packet_type type, u32 flags)
{
	return vmbus_sendpacket(kmcl_hv_channel(ch), data, len, id, type, flags);
}

int kmcl_hv_send_external(struct kmcl_channel *ch,
			  struct vmbus_packet_mpb_array *desc, u32 desc_size,
			  void *data, u32 len, u64 id)
{
	if (desc->rangecount > 1 && !kmcl_hv_sends_ranges())
		return -EOPNOTSUPP;
	return vmbus_sendpacket_mpb_desc(kmcl_hv_channel(ch), desc, desc_size,
					 data, len, id);
}

static void kmcl_hv_want_room(struct kmcl_channel *ch, u32 bytes)
{
	set_channel_pending_send_size(kmcl_hv_channel(ch), bytes);
	/* The host sees the wish before the ring is looked at again. */
	virt_mb();
}

/*
 * hv_pkt_iter_first() clamps what the host wrote to something harmless and would
 * then walk on by the clamped length, out of step with the host. So the packet at
 * @index is judged before: its length in *@len, 0 when there is none, or -EIO.
 */
static int kmcl_hv_judge(const struct hv_ring_buffer_info *ring, u32 index,
			 u32 *len)
{
	const struct vmpacket_descriptor *desc;
	u32 avail, offset, write;

	*len = 0;
	/* Pairs with the host's release: the packet is there before its index. */
	write = virt_load_acquire(&ring->ring_buffer->write_index);
	if (write >= ring->ring_datasize)
		return -EIO;
	avail = write >= index ? write - index :
				 ring->ring_datasize - index + write;
	if (!avail)
		return 0;
	if (avail < sizeof(*desc) + KMCL_PACKET_TRAILER)
		return -EIO;

	/* The ring is mapped twice in a row: a packet never wraps here. */
	desc = (void *)(ring->ring_buffer->buffer + index);
	*len = READ_ONCE(desc->len8) << 3;
	offset = READ_ONCE(desc->offset8) << 3;
	if (*len > avail - KMCL_PACKET_TRAILER || offset < sizeof(*desc) ||
	    offset > *len || offset > ring->pkt_buffer_size)
		return -EIO;
	return 0;
}

/*
 * @desc is hv_vmbus's copy, cut to the channel's largest packet; the host may
 * have changed its mind after @len.
 */
static struct vmpacket_descriptor *
kmcl_hv_judged(const struct hv_ring_buffer_info *ring,
	       struct vmpacket_descriptor *desc, u32 len)
{
	if (!len)
		return NULL;
	len = min(len, ring->pkt_buffer_size);
	return desc && desc->len8 << 3 == len ? desc : ERR_PTR(-EIO);
}

struct vmpacket_descriptor *kmcl_hv_rx_first(struct kmcl_channel *ch)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	struct hv_ring_buffer_info *ring = &chan->inbound;
	u32 len;

	if (kmcl_hv_judge(ring, ring->priv_read_index, &len))
		return ERR_PTR(-EIO);
	return len ? kmcl_hv_judged(ring, hv_pkt_iter_first(chan), len) : NULL;
}

struct vmpacket_descriptor *kmcl_hv_rx_next(struct kmcl_channel *ch,
					    struct vmpacket_descriptor *desc)
{
	struct vmbus_channel *chan = kmcl_hv_channel(ch);
	struct hv_ring_buffer_info *ring = &chan->inbound;
	u32 index, len;

	/* How long it is in the ring: the copy may be shorter. */
	if (kmcl_hv_judge(ring, ring->priv_read_index, &len) || !len)
		return ERR_PTR(-EIO);
	desc->len8 = len >> 3;
	index = ring->priv_read_index + len + KMCL_PACKET_TRAILER;
	if (index >= ring->ring_datasize)
		index -= ring->ring_datasize;
	if (kmcl_hv_judge(ring, index, &len))
		return ERR_PTR(-EIO);
	return kmcl_hv_judged(ring, __hv_pkt_iter_next(chan, desc), len);
}

void kmcl_hv_rx_done(struct kmcl_channel *ch)
{
	hv_pkt_iter_close(kmcl_hv_channel(ch));
}

void kmcl_hv_rx_mask(struct kmcl_channel *ch)
{
	hv_begin_read(&kmcl_hv_channel(ch)->inbound);
}

bool kmcl_hv_rx_unmask(struct kmcl_channel *ch)
{
	return hv_end_read(&kmcl_hv_channel(ch)->inbound);
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
	.rx_first = kmcl_hv_rx_first,
	.rx_next = kmcl_hv_rx_next,
	.rx_done = kmcl_hv_rx_done,
	.rx_mask = kmcl_hv_rx_mask,
	.rx_unmask = kmcl_hv_rx_unmask,
};
