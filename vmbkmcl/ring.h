/* SPDX-License-Identifier: GPL-2.0-only */
/* A VMBus ring: see ring.c. */
#ifndef _KMCL_RING_H
#define _KMCL_RING_H

#include <linux/align.h>
#include <linux/types.h>

#include "wire.h"

/**
 * struct kmcl_ring_memory - where a ring is
 * @control: its control page
 * @data: its data, mapped twice in a row, so that no packet is in two pieces
 * @size: bytes of the data, counted once; a multiple of 8
 */
struct kmcl_ring_memory {
	struct kmcl_ring_control *control;
	void *data;
	u32 size;
};

/**
 * struct kmcl_ring - a ring, as one of its two ends sees it
 * @memory: shared with the other end, which can write anything to it at any time
 * @index: where the next packet is put or read. The index in the control page is
 *	a copy for the other end and never read back.
 * @published: what of @index the other end was told
 *
 * The owner serialises the calls of ring.c for one ring.
 */
struct kmcl_ring {
	struct kmcl_ring_memory memory;
	u32 index;
	u32 published;
};

/**
 * struct kmcl_ring_packet - a packet to be put in a ring, or in it
 * @type: enum kmcl_packet_type; any value in one that was read
 * @flags: %KMCL_PKT_FLAG_COMPLETION_REQUESTED
 * @id: transaction id
 * @head: what is between the descriptor and the payload, a multiple of 8 bytes
 * @head_len: bytes of @head
 * @data: the payload
 * @len: bytes of @data; in a packet that was read a multiple of 8
 *
 * In a packet that was read @head and @data point into the ring, where the other
 * end can change them. The reader copies what it needs once, and looks only at the
 * copy.
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

/* Bytes that a packet takes in the ring, with descriptor, padding and trailer. */
static inline u32 kmcl_ring_packet_size(u32 head_len, u32 len)
{
	return sizeof(struct kmcl_descriptor) + head_len +
	       ALIGN(len, sizeof(u64)) + KMCL_PACKET_TRAILER;
}

/* As far as @index is less than twice the ring's size. */
static inline u32 kmcl_ring_wrap(const struct kmcl_ring *ring, u32 index)
{
	return index < ring->memory.size ? index : index - ring->memory.size;
}

void kmcl_ring_init(struct kmcl_ring *ring,
		    const struct kmcl_ring_memory *memory);

/* The producer's */
int kmcl_ring_put(struct kmcl_ring *ring,
		  const struct kmcl_ring_packet *packet);
bool kmcl_ring_publish(struct kmcl_ring *ring);
void kmcl_ring_want_room(struct kmcl_ring *ring, u32 bytes);

/* The consumer's */
int kmcl_ring_peek(const struct kmcl_ring *ring,
		   struct kmcl_ring_packet *packet);
bool kmcl_ring_release(struct kmcl_ring *ring);
void kmcl_ring_mask(struct kmcl_ring *ring);
bool kmcl_ring_unmask(struct kmcl_ring *ring);

/**
 * kmcl_ring_skip - be done with the packet that kmcl_ring_peek() found
 * @ring: the consumer's end
 * @packet: as kmcl_ring_peek() filled it in
 *
 * Its room is the producer's when kmcl_ring_release() is called.
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
