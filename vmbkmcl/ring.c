// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMBus ring, written at one end and read at the other.
 *
 * A producer puts packets in and publishes them, several with one write of its
 * index. A consumer looks at the oldest packet, skips it when it is done with it,
 * and releases what it skipped, again with one write. Both learn from that whether
 * the other end is to be signalled; how that is done is the bus's affair.
 *
 * The other end may be hostile. Each value that it writes is read once, and judged
 * before it is used; this end's own index is kept where the other cannot write it.
 *
 * The rules are those of the host. Linux follows them in drivers/hv/ring_buffer.c,
 * whose functions are named below as of 6.12.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "compat.h"
#include "hot.h"
#include "ring.h"

/**
 * kmcl_ring_init - take one end of an empty ring
 * @ring: that end
 * @memory: where the ring is; both indices in its control page are 0
 *
 * The other end may use the ring already.
 *
 * Context: any.
 */
void kmcl_ring_init(struct kmcl_ring *ring,
		    const struct kmcl_ring_memory *memory)
{
	ring->memory = *memory;
	ring->index = 0;
	ring->published = 0;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_init);

/* The other end's index; false: no end of this ring can have written it. */
static __always_inline bool kmcl_ring_is_sane(const struct kmcl_ring *ring,
					      u32 index)
{
	return index < ring->memory.size && IS_ALIGNED(index, sizeof(u64));
}

/* Bytes from one index forward to another; 0 when they are equal. */
static __always_inline u32 kmcl_ring_bytes(const struct kmcl_ring *ring,
					   u32 from, u32 to)
{
	return to >= from ? to - from : ring->memory.size - from + to;
}

/*
 * @at: room for the packet, which the other end does not look at yet. The padding
 * is part of the last word, so that word is cleared before the payload is copied.
 */
static __always_inline void
kmcl_ring_write(void *at, u32 total, u32 index,
		const struct kmcl_ring_packet *packet)
{
	u32 len = total - KMCL_PACKET_TRAILER;
	struct kmcl_descriptor *desc = at;

	*(u64 *)(at + len - sizeof(u64)) = 0;
	desc->type = packet->type;
	desc->offset8 = (sizeof(*desc) + packet->head_len) / 8;
	desc->len8 = len / 8;
	desc->flags = packet->flags;
	desc->id = packet->id;
	if (packet->head_len)
		memcpy(desc + 1, packet->head, packet->head_len);
	memcpy((void *)(desc + 1) + packet->head_len, packet->data, packet->len);
	*(u64 *)(at + len) = (u64)index << 32;
}

/**
 * kmcl_ring_put - put a packet in a ring
 * @ring: the producer's end
 * @packet: what to put; copied
 *
 * The consumer sees it when kmcl_ring_publish() is called.
 *
 * Context: any.
 * Return: 0; -EAGAIN without room for it; -EMSGSIZE when its length cannot be told;
 * -EIO when the consumer's index makes no sense.
 * Source: hv_ringbuffer_write().
 */
int __kmcl_hot kmcl_ring_put(struct kmcl_ring *ring,
			     const struct kmcl_ring_packet *packet)
{
	const struct kmcl_ring_memory *memory = &ring->memory;
	u32 total = kmcl_ring_packet_size(packet->head_len, packet->len);
	u32 read, room;

	/*
	 * Pairs with kmcl_ring_release(): what is overwritten below was read before
	 * the consumer said so.
	 */
	read = virt_load_acquire(&memory->control->read_index);
	if (unlikely(!kmcl_ring_is_sane(ring, read)))
		return -EIO;
	if (unlikely(total - KMCL_PACKET_TRAILER > KMCL_PACKET_MAX))
		return -EMSGSIZE;
	/* A ring filled to the last byte would look empty. */
	room = memory->size - kmcl_ring_bytes(ring, read, ring->index);
	if (room <= total)
		return -EAGAIN;
	kmcl_ring_write(memory->data + ring->index, total, ring->index, packet);
	ring->index = kmcl_ring_wrap(ring, ring->index + total);
	return 0;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_put);

/**
 * kmcl_ring_publish - let the consumer see what was put
 * @ring: the producer's end
 *
 * Context: any.
 * Return: true when the consumer is to be signalled: it had read all there was, so
 * it may sleep, and it does not say that it reads.
 * Source: hv_signal_on_write().
 */
bool __kmcl_hot kmcl_ring_publish(struct kmcl_ring *ring)
{
	struct kmcl_ring_control *control = ring->memory.control;
	u32 before = ring->published;

	if (ring->index == before)
		return false;
	ring->published = ring->index;
	/* Pairs with kmcl_ring_peek(): the packets are there before the index. */
	virt_store_release(&control->write_index, ring->index);
	/*
	 * Pairs with the barrier in kmcl_ring_unmask(): either the consumer sees the
	 * index after it has unmasked, or the mask is seen to be off here.
	 */
	virt_mb();
	if (READ_ONCE(control->interrupt_mask))
		return false;
	/* The mask is read first, as hv_signal_on_write() does. */
	virt_rmb();
	return READ_ONCE(control->read_index) == before;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_publish);

/**
 * kmcl_ring_want_room - ask the consumer for a signal once there is more room
 * @ring: the producer's end
 * @bytes: it signals when more than this many become free; 0: it need not
 *
 * The producer then has to look at the ring again: the consumer may have made the
 * room before it saw this.
 *
 * Context: any.
 * Source: hv_pkt_iter_close() has the consumer's side.
 */
void kmcl_ring_want_room(struct kmcl_ring *ring, u32 bytes)
{
	WRITE_ONCE(ring->memory.control->pending_send_size, bytes);
	/* Pairs with the barrier in kmcl_ring_release(). */
	virt_mb();
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_want_room);

/**
 * kmcl_ring_peek - look at the oldest packet in a ring
 * @ring: the consumer's end
 * @packet: what is there; all of it is in the ring, whatever the producer does
 *
 * Context: any.
 * Return: 1 with a packet, 0 without; -EIO when what the producer wrote makes no
 * sense.
 * Source: hv_pkt_iter_first(), which makes something harmless of what makes no
 * sense, and then walks on by that, out of step with the producer.
 */
int __kmcl_hot kmcl_ring_peek(const struct kmcl_ring *ring,
			      struct kmcl_ring_packet *packet)
{
	const struct kmcl_ring_memory *memory = &ring->memory;
	const struct kmcl_descriptor *desc;
	u32 write, filled, offset, len;

	/* Pairs with kmcl_ring_publish(): the packet is there before the index. */
	write = virt_load_acquire(&memory->control->write_index);
	if (write == ring->index)
		return 0;
	if (!kmcl_ring_is_sane(ring, write))
		return -EIO;
	filled = kmcl_ring_bytes(ring, ring->index, write);
	if (filled < sizeof(*desc) + KMCL_PACKET_TRAILER)
		return -EIO;

	desc = memory->data + ring->index;
	offset = READ_ONCE(desc->offset8) * 8;
	len = READ_ONCE(desc->len8) * 8;
	if (offset < sizeof(*desc) || offset > len ||
	    len > filled - KMCL_PACKET_TRAILER)
		return -EIO;

	packet->type = READ_ONCE(desc->type);
	packet->flags = READ_ONCE(desc->flags);
	packet->id = READ_ONCE(desc->id);
	packet->head = desc + 1;
	packet->head_len = offset - sizeof(*desc);
	packet->data = (const void *)desc + offset;
	packet->len = len - offset;
	return 1;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_peek);

/* The producer's wish for room was not fulfilled before, and is now. */
static bool kmcl_ring_made_room(const struct kmcl_ring *ring, u32 before)
{
	const struct kmcl_ring_control *control = ring->memory.control;
	u32 wanted = READ_ONCE(control->pending_send_size);
	u32 write, room, made;

	if (!wanted)
		return false;
	/* The producer wrote its last packet before it asked. */
	virt_rmb();
	write = READ_ONCE(control->write_index);
	if (!kmcl_ring_is_sane(ring, write))
		return false;
	room = ring->memory.size - kmcl_ring_bytes(ring, ring->index, write);
	made = kmcl_ring_bytes(ring, before, ring->index);
	return room > wanted && room - made <= wanted;
}

/**
 * kmcl_ring_release - give the producer the room of what was skipped
 * @ring: the consumer's end
 *
 * Context: any.
 * Return: true when the producer is to be signalled: it asked for room, and this
 * made it.
 * Source: hv_pkt_iter_close().
 */
bool __kmcl_hot kmcl_ring_release(struct kmcl_ring *ring)
{
	struct kmcl_ring_control *control = ring->memory.control;
	u32 before = ring->published;

	if (ring->index == before)
		return false;
	ring->published = ring->index;
	/* Pairs with kmcl_ring_put(): the packets were read before that. */
	virt_store_release(&control->read_index, ring->index);
	/* Hosts before Windows 8 look for room themselves. */
	if (!(READ_ONCE(control->features) & KMCL_RING_PENDING_SEND_SIZE))
		return false;
	/*
	 * Pairs with the barrier in kmcl_ring_want_room(): either the producer's
	 * wish is seen here, or it sees the room.
	 */
	virt_mb();
	return kmcl_ring_made_room(ring, before);
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_release);

/**
 * kmcl_ring_mask - tell the producer that signals are not needed
 * @ring: the consumer's end, which is about to read it
 *
 * The producer may still signal that it made room in a ring of the other direction,
 * for which there is no mask.
 *
 * Context: any; may be called beside the consumer's other functions.
 * Source: hv_begin_read().
 */
void __kmcl_hot kmcl_ring_mask(struct kmcl_ring *ring)
{
	WRITE_ONCE(ring->memory.control->interrupt_mask, 1);
	/* The mask is on before the ring is read. */
	virt_mb();
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_mask);

/**
 * kmcl_ring_unmask - have the producer signal again
 * @ring: the consumer's end, which has read all there was
 *
 * Context: any.
 * Return: true when more came meanwhile, for which there may be no signal.
 * Source: hv_end_read().
 */
bool __kmcl_hot kmcl_ring_unmask(struct kmcl_ring *ring)
{
	struct kmcl_ring_control *control = ring->memory.control;

	WRITE_ONCE(control->interrupt_mask, 0);
	/* Pairs with the barrier in kmcl_ring_publish(). */
	virt_mb();
	return READ_ONCE(control->write_index) != ring->index;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_unmask);
