// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets through QEMU's VMBus: its functions, and what they leave out. It gets
 * past no packet that it does not know, and does not always wake a guest that
 * waits for room.
 */
#include "qemu.h"

void packets_work(VMBusChannel *chan)
{
	struct qemu_channel *ch = channel_by(chan);

	if (!ch->woke_itself)
		ch->dev.wakeups++;
	ch->woke_itself = false;
	request_work(&ch->dev);
}

void host_wake(struct testdev *dev)
{
	struct qemu_channel *ch = channel_of(dev);

	ch->woke_itself = true;
	vmbus_channel_notify_host(ch->chan);
}

/* Reserve and send belong together: QEMU asserts on a reservation between. */
int host_send(struct testdev *dev, uint16_t type, uint64_t id, void *data, uint32_t len,
	      bool need_comp)
{
	VMBusChannel *chan = channel_of(dev)->chan;
	ssize_t ret = vmbus_channel_reserve(chan, 0, len);

	if (ret >= 0)
		ret = vmbus_channel_send(chan, type, NULL, 0, data, len, need_comp, id);
	return ret < 0 ? ret : 0;
}

/* The head of the request ring, as the guest has it now. */
static bool read_ring_head(struct qemu_channel *ch, vmbus_ring_buffer *ring)
{
	if (dma_memory_read(ch->vdev->dma_as,
			    ch->request_ring[0] << VMBUS_PAGE_SHIFT, ring,
			    offsetof(vmbus_ring_buffer, _reserved1),
			    MEMTXATTRS_UNSPECIFIED) != MEMTX_OK)
		return false;
	return ring->write_index < ch->request_ring_len &&
	       ring->read_index < ch->request_ring_len;
}

static uint32_t ring_used(struct qemu_channel *ch, const vmbus_ring_buffer *ring)
{
	return (ring->write_index + ch->request_ring_len - ring->read_index) %
	       ch->request_ring_len;
}

/*
 * The guest wants to hear when more than pending_send_sz bytes are free. It is
 * told once, when a pass that began to read at @from brings that about: a guest
 * that counts on more would wait for ever with others. (QEMU tells it only
 * sometimes: not when the ring has become empty, and at equality when it is too
 * early for Linux.)
 */
static void wake_guest(struct qemu_channel *ch, uint32_t from)
{
	HvSintRoute *route = chan_route(ch);
	vmbus_ring_buffer ring;
	int64_t room, read;

	if (!route || !read_ring_head(ch, &ring))
		return;
	if (!ring.pending_send_sz || ring.interrupt_mask)
		return;
	room = ch->request_ring_len - ring_used(ch, &ring);
	read = (ring.read_index + ch->request_ring_len - from) % ch->request_ring_len;
	if (room > ring.pending_send_sz && room - read <= ring.pending_send_sz)
		hyperv_set_event_flag(route, chan_relid(ch->chan));
}

/*
 * QEMU does not get past a packet of a type it does not know, or with a bad
 * descriptor. Such a packet is turned, where it lies, into an in-band one, to
 * be read and refused. Returns false where that is not what stops QEMU.
 * Only for a packet QEMU has been offered and has not read.
 */
static bool make_readable(struct qemu_channel *ch)
{
	AddressSpace *as = ch->vdev->dma_as;
	struct {
		uint16_t type;
		uint16_t offset_qwords;
		uint16_t len_qwords;
		uint16_t flags;
	} head;
	const uint16_t head_qwords = sizeof(vmbus_packet_hdr) / 8;
	vmbus_ring_buffer ring;
	uint64_t addr;

	if (ch->out_of_step || !read_ring_head(ch, &ring) || !ring_used(ch, &ring))
		return false;
	addr = (ch->request_ring[1 + (ring.read_index >> VMBUS_PAGE_SHIFT)]
		<< VMBUS_PAGE_SHIFT) + ring.read_index % VMBUS_PAGE_SIZE;
	if (addr % sizeof(head) ||
	    dma_memory_read(as, addr, &head, sizeof(head), MEMTXATTRS_UNSPECIFIED))
		goto lost;
	if (head.len_qwords < head_qwords ||
	    (head.len_qwords + 1u) * 8 > ring_used(ch, &ring))
		goto lost;
	if (head.type == VMBUS_PACKET_DATA_INBAND && head.offset_qwords == head_qwords)
		return false;
	testdev_log(&ch->dev, "packet of type %u, header %u and length %u words: refused",
		    head.type, head.offset_qwords, head.len_qwords);
	head.type = VMBUS_PACKET_DATA_INBAND;
	head.offset_qwords = head_qwords;
	if (dma_memory_write(as, addr, &head, sizeof(head), MEMTXATTRS_UNSPECIFIED))
		goto lost;
	ch->refuse_next = true;
	return true;

lost:
	testdev_log(&ch->dev, "request ring out of step at %u: not read any more",
		    ring.read_index);
	ch->out_of_step = true;
	return false;
}

bool host_read_begin(struct testdev *dev)
{
	struct qemu_channel *ch = channel_of(dev);
	vmbus_ring_buffer ring;

	if (!read_ring_head(ch, &ring))
		return false;
	ch->pass_from = ring.read_index;
	ch->pass_packets = 0;
	ch->pass_stuck = false;
	ch->pass_had_data = ring_used(ch, &ring);
	return !vmbus_channel_recv_start(ch->chan);
}

static void free_packet(struct qemu_channel *ch)
{
	if (ch->packet)
		vmbus_free_req(ch->packet);
	ch->packet = NULL;
}

bool host_read(struct testdev *dev, struct host_packet *packet)
{
	struct qemu_channel *ch = channel_of(dev);
	VMBusChanReq *req;

	free_packet(ch);
	req = vmbus_channel_recv_peek(ch->chan, sizeof(*req));
	if (!req) {
		ch->pass_stuck = !ch->pass_packets;
		return false;
	}
	vmbus_channel_recv_pop(ch->chan);
	ch->packet = req;
	ch->pass_packets++;
	*packet = (struct host_packet){
		.type = req->pkt_type,
		.need_comp = req->need_comp,
		.refused = ch->refuse_next,
		.transaction_id = req->transaction_id,
		.msg = req->msg,
		.msglen = req->msglen,
		.raw = req,
	};
	ch->refuse_next = false;
	return true;
}

bool host_read_end(struct testdev *dev)
{
	struct qemu_channel *ch = channel_of(dev);

	free_packet(ch);
	vmbus_channel_recv_done(ch->chan);
	if (ch->pass_packets)
		wake_guest(ch, ch->pass_from);
	return ch->pass_stuck && ch->pass_had_data && make_readable(ch);
}

struct guest_memory *host_packet_memory(struct testdev *dev,
					const struct host_packet *packet)
{
	const QEMUSGList *sgl = &((const VMBusChanReq *)packet->raw)->sgl;
	size_t i, nr = sgl->sg ? sgl->nsg : 0;
	struct guest_memory *mem = memory_new(channel_of(dev)->vdev->dma_as, nr);

	for (i = 0; i < nr; i++)
		memory_add(mem, sgl->sg[i].base, sgl->sg[i].len);
	return mem;
}

/* The GPADL with a reference, or NULL for a handle that is not the guest's now. */
void *host_gpadl_get(struct testdev *dev, uint32_t handle)
{
	VMBusGpadl *gpadl = vmbus_get_gpadl(channel_of(dev)->chan, handle);

	if (gpadl && !gpadl_is_alive(gpadl, handle)) {
		vmbus_put_gpadl(gpadl);
		return NULL;
	}
	return gpadl;
}

void host_gpadl_put(struct testdev *dev, void *gpadl)
{
	(void)dev;
	vmbus_put_gpadl(gpadl);
}

struct guest_memory *host_gpadl_memory(struct testdev *dev, uint32_t handle, bool write)
{
	VMBusGpadl *gpadl = host_gpadl_get(dev, handle);
	struct guest_memory *mem;
	uint32_t i, pages;

	(void)write;
	if (!gpadl)
		return NULL;
	pages = vmbus_gpadl_len(gpadl) >> VMBUS_PAGE_SHIFT;
	mem = memory_new(channel_of(dev)->vdev->dma_as, pages);
	for (i = 0; i < pages; i++)
		memory_add(mem, gpadl_gfns(gpadl)[i] << VMBUS_PAGE_SHIFT, VMBUS_PAGE_SIZE);
	vmbus_put_gpadl(gpadl);
	return mem;
}
