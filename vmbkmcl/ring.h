/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMBus ring: see ring.c. */
#ifndef _KMCL_RING_H
#define _KMCL_RING_H

#include <linux/align.h>
#include <linux/types.h>

#include "wire.h"

/**
 * struct kmcl_ring_memory - the memory of a ring
 * @control: the control page
 * @data: the data of the ring. It is mapped twice in a row, so that every
 *	packet is contiguous.
 * @size: size of the data, counted once, in bytes; a multiple of 8
 */
struct kmcl_ring_memory {
	struct kmcl_ring_control *control;
	void *data;
	u32 size;
};

/**
 * struct kmcl_ring - one end of a ring
 * @memory: shared with the other end, which can write anything to it at any
 *	time
 * @index: where the next packet is written or read. The index in the control
 *	page is only a copy for the other end, and is never read back.
 * @published: value of @index that was last written to the control page
 *
 * The functions of ring.c do not lock. The owner of the end serialises them.
 */
struct kmcl_ring {
	struct kmcl_ring_memory memory;
	u32 index;
	u32 published;
};

/**
 * struct kmcl_ring_packet - a packet that is written to a ring or read from it
 * @type: enum kmcl_packet_type. In a packet that was read, any value.
 * @flags: 0 or %KMCL_PKT_FLAG_COMPLETION_REQUESTED. In a packet that was read,
 *	any value.
 * @id: transaction id
 * @head: data between the descriptor and the payload
 * @head_len: length of @head in bytes, a multiple of 8
 * @data: the payload
 * @len: length of @data in bytes. In a packet that was read, a multiple of 8.
 *
 * In a packet that was read, @head and @data point into the ring, where the
 * other end can change them. The reader copies what it needs once, and uses
 * only the copy.
 */
struct kmcl_ring_packet {
	u16 type;
	u16 flags;
	u64 id;
	const void *head;
	u32 head_len;
	const void *data;
	u32 len;
};

/*
 * Bytes of a packet in the ring, including its descriptor, padding and trailer.
 */
static inline u32 kmcl_ring_packet_size(u32 head_len, u32 len)
{
	return sizeof(struct kmcl_descriptor) + head_len +
	       ALIGN(len, sizeof(u64)) + KMCL_PACKET_TRAILER;
}

/* @index must be less than twice the size of the ring. */
static inline u32 kmcl_ring_wrap(const struct kmcl_ring *ring, u32 index)
{
	return index < ring->memory.size ? index : index - ring->memory.size;
}

void kmcl_ring_init(struct kmcl_ring *ring,
		    const struct kmcl_ring_memory *memory);

/* For the producer */
int kmcl_ring_put(struct kmcl_ring *ring,
		  const struct kmcl_ring_packet *packet, u32 keep);
bool kmcl_ring_publish(struct kmcl_ring *ring);
void kmcl_ring_want_room(struct kmcl_ring *ring, u32 bytes);

/* For the consumer */
int kmcl_ring_peek(const struct kmcl_ring *ring,
		   struct kmcl_ring_packet *packet);
bool kmcl_ring_release(struct kmcl_ring *ring);
void kmcl_ring_mask(struct kmcl_ring *ring);
bool kmcl_ring_unmask(struct kmcl_ring *ring);

/**
 * kmcl_ring_skip - advance past the packet that kmcl_ring_peek() has found
 * @ring: the consumer's end
 * @packet: as filled in by kmcl_ring_peek()
 *
 * The producer gets the room of the packet only when kmcl_ring_release() is
 * called.
 *
 * Context: any.
 */
static inline void kmcl_ring_skip(struct kmcl_ring *ring,
				  const struct kmcl_ring_packet *packet)
{
	u32 total = sizeof(struct kmcl_descriptor) + packet->head_len +
		    packet->len + KMCL_PACKET_TRAILER;

	ring->index = kmcl_ring_wrap(ring, ring->index + total);
}

#endif /* _KMCL_RING_H */
