// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMBus ring, with a producer at one end and a consumer at the other.
 *
 * The producer writes packets to the ring and publishes them, possibly several
 * at once, with one write of its index. The consumer peeks at the oldest
 * packet, skips it when it has finished with it, and releases the packets that
 * it has skipped, again with one write of its index. The functions that publish
 * and release return whether the other end must be signalled. The bus sends the
 * signal.
 *
 * The other end may be hostile. Each value that the other end writes is read
 * once and checked before it is used. This end keeps its own index where the
 * other end can not write it.
 *
 * The rules are those of the host. Linux follows them in
 * drivers/hv/ring_buffer.c. The names of its functions below are those of 6.12.
 */

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/string.h>
#include <asm/barrier.h>

#include "compat.h"
#include "hot.h"
#include "ring.h"

/**
 * kmcl_ring_init - initialise one end of an empty ring
 * @ring: the end
 * @memory: the memory of the ring. Both indices in its control page are 0,
 *	unless the other end uses the ring already.
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

/* False if @index, read from the control page, can not be an index of this ring. */
static __always_inline bool kmcl_ring_is_sane(const struct kmcl_ring *ring,
					      u32 index)
{
	return index < ring->memory.size && IS_ALIGNED(index, sizeof(u64));
}

/*
 * The number of bytes from one index forward to another; 0 if the indices are
 * equal.
 */
static __always_inline u32 kmcl_ring_bytes(const struct kmcl_ring *ring,
					   u32 from, u32 to)
{
	return to >= from ? to - from : ring->memory.size - from + to;
}

/*
 * @at is in the part of the ring that the other end does not read yet. The padding
 * is in the last word of the packet: clear this word before the payload is copied,
 * so that the padding holds no old bytes.
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
 * kmcl_ring_put - write a packet to a ring
 * @ring: the producer's end
 * @packet: the packet, which is copied
 * @keep: bytes of the ring that must be free afterwards
 *
 * The consumer sees the packet only when kmcl_ring_publish() is called.
 *
 * Context: any.
 * Return:
 * * 0 - the packet is in the ring
 * * -EAGAIN - the ring has not enough room, or would have less than @keep then
 * * -EMSGSIZE - the length of the packet does not fit in its descriptor
 * * -EIO - the index of the consumer is invalid
 *
 * Source: hv_ringbuffer_write().
 */
int __kmcl_hot kmcl_ring_put(struct kmcl_ring *ring,
			     const struct kmcl_ring_packet *packet, u32 keep)
{
	const struct kmcl_ring_memory *memory = &ring->memory;
	u32 total = kmcl_ring_packet_size(packet->head_len, packet->len);
	u32 read, room;

	/*
	 * Pairs with kmcl_ring_release(): the consumer has read the memory that
	 * is overwritten below before it has written this index.
	 */
	read = virt_load_acquire(&memory->control->read_index);
	if (unlikely(!kmcl_ring_is_sane(ring, read)))
		return -EIO;
	if (unlikely(total - KMCL_PACKET_TRAILER > KMCL_PACKET_MAX))
		return -EMSGSIZE;
	/* A ring that is filled to the last byte would look empty. */
	room = memory->size - kmcl_ring_bytes(ring, read, ring->index);
	if (room <= total + keep)
		return -EAGAIN;
	kmcl_ring_write(memory->data + ring->index, total, ring->index, packet);
	ring->index = kmcl_ring_wrap(ring, ring->index + total);
	return 0;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_put);

/**
 * kmcl_ring_publish - let the consumer see the packets that were written
 * @ring: the producer's end
 *
 * Context: any.
 * Return: true if the consumer must be signalled. This is so if it has read all
 * packets published before, so that it may sleep, and has not masked signals.
 *
 * Source: hv_signal_on_write().
 */
bool __kmcl_hot kmcl_ring_publish(struct kmcl_ring *ring)
{
	struct kmcl_ring_control *control = ring->memory.control;
	u32 before = ring->published;

	if (ring->index == before)
		return false;
	ring->published = ring->index;
	/*
	 * Pairs with kmcl_ring_peek(): the packets are written before the
	 * index.
	 */
	virt_store_release(&control->write_index, ring->index);
	/*
	 * Pairs with the barrier in kmcl_ring_unmask(): either the consumer
	 * sees the new index after it has unmasked signals, or the mask is seen
	 * to be off here.
	 */
	virt_mb();
	if (READ_ONCE(control->interrupt_mask))
		return false;
	/* The mask is read before the index, as in hv_signal_on_write(). */
	virt_rmb();
	return READ_ONCE(control->read_index) == before;
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_publish);

/**
 * kmcl_ring_want_room - ask the consumer for a signal when the ring has more room
 * @ring: the producer's end
 * @bytes: the consumer signals when more than this many bytes are free; 0
 *	cancels the request
 *
 * The caller must check for room again afterwards, because the consumer may
 * have made room before it has seen the request.
 *
 * Context: any.
 *
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
 * kmcl_ring_peek - find the oldest packet in a ring
 * @ring: the consumer's end
 * @packet: filled in. All of the packet is within the ring, whatever the
 *	producer writes.
 *
 * Context: any.
 * Return:
 * * 1 - there is a packet
 * * 0 - the ring is empty
 * * -EIO - the index of the producer or the descriptor of the packet is invalid
 *
 * Source: hv_pkt_iter_first(). That function replaces an invalid length with a
 * valid one and goes on, and may then be out of step with the producer.
 */
int __kmcl_hot kmcl_ring_peek(const struct kmcl_ring *ring,
			      struct kmcl_ring_packet *packet)
{
	const struct kmcl_ring_memory *memory = &ring->memory;
	const struct kmcl_descriptor *desc;
	u32 write, filled, offset, len;

	/*
	 * Pairs with kmcl_ring_publish(): the packet was written before the
	 * index.
	 */
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

/*
 * True if the room that the producer has asked for is there now, and was not
 * there before the release.
 */
static bool kmcl_ring_made_room(const struct kmcl_ring *ring, u32 before)
{
	const struct kmcl_ring_control *control = ring->memory.control;
	u32 wanted = READ_ONCE(control->pending_send_size);
	u32 write, room, made;

	if (!wanted)
		return false;
	/*
	 * The producer has published its last packet before it has asked for
	 * room.
	 */
	virt_rmb();
	write = READ_ONCE(control->write_index);
	if (!kmcl_ring_is_sane(ring, write))
		return false;
	room = ring->memory.size - kmcl_ring_bytes(ring, ring->index, write);
	made = kmcl_ring_bytes(ring, before, ring->index);
	return room > wanted && room - made <= wanted;
}

/**
 * kmcl_ring_release - give the room of skipped packets to the producer
 * @ring: the consumer's end
 *
 * Context: any.
 * Return: true if the producer must be signalled, because it has asked for room
 * and this call has made the room.
 *
 * Source: hv_pkt_iter_close().
 */
bool __kmcl_hot kmcl_ring_release(struct kmcl_ring *ring)
{
	struct kmcl_ring_control *control = ring->memory.control;
	u32 before = ring->published;

	if (ring->index == before)
		return false;
	ring->published = ring->index;
	/*
	 * Pairs with kmcl_ring_put(): the packets were read before the index is
	 * written.
	 */
	virt_store_release(&control->read_index, ring->index);
	/* Hosts before Windows 8 poll for room and need no signal. */
	if (!(READ_ONCE(control->features) & KMCL_RING_PENDING_SEND_SIZE))
		return false;
	/*
	 * Pairs with the barrier in kmcl_ring_want_room(): either the request
	 * is seen here, or the producer sees the room.
	 */
	virt_mb();
	return kmcl_ring_made_room(ring, before);
}
KMCL_EXPORT_TO_BUSES(kmcl_ring_release);

/**
 * kmcl_ring_mask - tell the producer not to signal new packets
 * @ring: the consumer's end, which is about to read the ring
 *
 * The mask does not apply to signals that a ring of the other direction has
 * room. There is no mask for those.
 *
 * Context: any. May be called concurrently with the other functions of the
 * consumer.
 *
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
 * kmcl_ring_unmask - ask the producer to signal new packets again
 * @ring: the consumer's end
 *
 * Context: any.
 * Return: true if the ring is not empty. There may be no signal for packets
 * that were published while signals were masked.
 *
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
