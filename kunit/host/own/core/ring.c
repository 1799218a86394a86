// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both rings of a channel. All that is in them can be changed by the guest at any
 * time: each number is read once, checked, and used from there on as it was read.
 * That goes for the numbers that the host wrote itself, too.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* One word stays free: a full ring would look empty. */
#define SPARE	8u

static struct wire_ring *head(struct ring *ring)
{
	return (struct wire_ring *)ring->page[0];
}

static uint32_t read_once(const uint32_t *field)
{
	return __atomic_load_n(field, __ATOMIC_ACQUIRE);
}

static void write_once(uint32_t *field, uint32_t value)
{
	__atomic_store_n(field, value, __ATOMIC_RELEASE);
}

static void full_barrier(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

void ring_unmap(struct ring *ring)
{
	uint32_t i;

	if (!ring->page)
		return;
	for (i = 0; i <= ring->len / WIRE_PAGE; i++)
		if (ring->page[i])
			machine_unmap(ring->page[i]);
	free(ring->page);
	memset(ring, 0, sizeof(*ring));
}

bool ring_map(struct ring *ring, const uint64_t *pfn, uint32_t pages)
{
	uint32_t i;

	if (pages < 2)
		return false;
	ring->page = calloc(pages, sizeof(*ring->page));
	if (!ring->page)
		return false;
	ring->len = (pages - 1) * WIRE_PAGE;
	ring->at = 0;
	for (i = 0; i < pages; i++) {
		ring->page[i] = machine_map(pfn[i]);
		if (!ring->page[i]) {
			ring_unmap(ring);
			return false;
		}
	}
	return true;
}

void ring_promise(struct ring *ring)
{
	head(ring)->features |= WIRE_RING_PENDING_SEND;
}

/* Copies out of the data, or with @write into it; @at may be behind its end. */
static void copy(struct ring *ring, uint32_t at, void *buf, uint32_t len, bool write)
{
	uint32_t n;
	uint8_t *data;

	for (; len; len -= n) {
		at %= ring->len;
		data = ring->page[1 + at / WIRE_PAGE] + at % WIRE_PAGE;
		n = WIRE_PAGE - at % WIRE_PAGE;
		if (n > len)
			n = len;
		if (write)
			memcpy(data, buf, n);
		else
			memcpy(buf, data, n);
		buf = (uint8_t *)buf + n;
		at += n;
	}
}

static bool is_index(const struct ring *ring, uint32_t index)
{
	return index < ring->len && !(index % 8);
}

/* What the reader has not read yet; 0 also where the index is not one. */
static uint32_t unread(struct ring *ring)
{
	uint32_t write = read_once(&head(ring)->write);

	return is_index(ring, write) ? (write + ring->len - ring->at) % ring->len : 0;
}

bool ring_has_data(struct ring *ring)
{
	return unread(ring) != 0;
}

/* As Windows does: no signals while the ring is being read. */
void ring_read_begin(struct ring *ring)
{
	write_once(&head(ring)->mask, 1);
	full_barrier();
}

/* Bytes that the writer may use. */
static uint32_t writable(const struct ring *ring, uint32_t used)
{
	return ring->len - used;
}

/*
 * The writer is signalled once, when this pass brings about the room that it
 * waits for. Linux wants strictly more of it.
 */
static void signal_room(struct channel *ch, uint32_t freed)
{
	struct ring *ring = &ch->in;
	uint32_t pending = read_once(&head(ring)->pending_send);
	uint32_t room = writable(ring, unread(ring));

	if (pending && room > pending && room - freed <= pending)
		machine_signal(ch);
}

bool ring_read_end(struct channel *ch)
{
	struct ring *ring = &ch->in;
	uint32_t freed = (ring->at + ring->len - read_once(&head(ring)->read)) % ring->len;

	write_once(&head(ring)->read, ring->at);
	full_barrier();
	if (freed)
		signal_room(ch, freed);
	write_once(&head(ring)->mask, 0);
	full_barrier();
	return ring_has_data(ring);
}

static bool make_buffer(struct channel *ch, uint32_t len)
{
	uint8_t *buffer;

	if (len <= ch->buffer_len)
		return true;
	buffer = realloc(ch->buffer, len);
	if (!buffer)
		return false;
	ch->buffer = buffer;
	ch->buffer_len = len;
	return true;
}

static void judge_packet(struct channel *ch, const struct wire_packet *packet)
{
	struct ring *ring = &ch->in;
	uint64_t trailer;

	copy(ring, ring->at + packet->len8 * 8, &trailer, sizeof(trailer), false);
	judge(ch->host, trailer == (uint64_t)ring->at << 32,
	      "channel %u: a trailer of %#llx behind a packet at %#x", ch->relid,
	      (unsigned long long)trailer, ring->at);
	judge(ch->host, !(packet->flags & ~WIRE_PACKET_ASKS),
	      "channel %u: a packet with the flags %#x", ch->relid, packet->flags);
}

static bool is_guests(const struct wire_packet *packet)
{
	return packet->type == WIRE_PACKET_INBAND ||
	       packet->type == WIRE_PACKET_GPA_DIRECT ||
	       packet->type == WIRE_PACKET_COMPLETION;
}

enum ring_status ring_read(struct channel *ch, struct packet *packet)
{
	const uint32_t header8 = sizeof(struct wire_packet) / 8;
	struct ring *ring = &ch->in;
	uint32_t write = read_once(&head(ring)->write), have;
	struct wire_packet wire;

	if (!judge(ch->host, is_index(ring, write), "channel %u: a write index of %#x",
		   ch->relid, write))
		return RING_BROKEN;
	have = (write + ring->len - ring->at) % ring->len;
	if (!have)
		return RING_EMPTY;
	if (!judge(ch->host, have >= sizeof(wire) + WIRE_TRAILER,
		   "channel %u: %u bytes are no packet", ch->relid, have))
		return RING_BROKEN;
	copy(ring, ring->at, &wire, sizeof(wire), false);
	if (!judge(ch->host, wire.len8 >= header8 && wire.len8 * 8 + WIRE_TRAILER <= have,
		   "channel %u: a packet of %u words in %u bytes", ch->relid, wire.len8,
		   have))
		return RING_BROKEN;
	judge_packet(ch, &wire);
	if (!make_buffer(ch, wire.len8 * 8))
		return RING_BROKEN;
	copy(ring, ring->at, ch->buffer, wire.len8 * 8, false);
	ring->at = (ring->at + wire.len8 * 8 + WIRE_TRAILER) % ring->len;

	ch->last_id = wire.id;
	*packet = (struct packet){
		.type = wire.type,
		.asks = wire.flags & WIRE_PACKET_ASKS,
		.id = wire.id,
		.refused = !judge(ch->host, is_guests(&wire) && wire.offset8 >= header8 &&
				  wire.offset8 <= wire.len8,
				  "channel %u: a packet of type %u with its payload at %u of %u words",
				  ch->relid, wire.type, wire.offset8, wire.len8),
	};
	if (packet->refused)
		wire.offset8 = header8;
	packet->descriptor = ch->buffer + sizeof(wire);
	packet->descriptor_len = (wire.offset8 - header8) * 8;
	packet->payload = ch->buffer + wire.offset8 * 8;
	packet->len = (wire.len8 - wire.offset8) * 8;
	return RING_OK;
}

/* Bytes that can be written now, in a ring whose indices are sound. */
uint32_t ring_room(struct ring *ring)
{
	uint32_t write = read_once(&head(ring)->write);
	uint32_t read = read_once(&head(ring)->read);

	if (!is_index(ring, write) || !is_index(ring, read))
		return 0;
	return writable(ring, (write + ring->len - read) % ring->len) - SPARE;
}

/*
 * If there is no room, the reader is asked for a signal when there is more than so
 * much. It may have made the room before it saw this.
 */
static bool has_room(struct ring *ring, uint32_t total)
{
	if (ring_room(ring) >= total) {
		if (read_once(&head(ring)->pending_send))
			write_once(&head(ring)->pending_send, 0);
		return true;
	}
	write_once(&head(ring)->pending_send, total);
	full_barrier();
	return ring_room(ring) >= total;
}

/* There is no room in a ring whose indices are none. */
enum ring_status ring_write_raw(struct channel *ch, const struct wire_packet *packet,
				const void *body)
{
	struct ring *ring = &ch->out;
	uint32_t at = read_once(&head(ring)->write), len = packet->len8 * 8;
	uint64_t trailer = (uint64_t)at << 32;

	if (ring_room(ring) < len + WIRE_TRAILER)
		return RING_FULL;
	copy(ring, at, (void *)packet, sizeof(*packet), true);
	copy(ring, at + sizeof(*packet), (void *)body, len - sizeof(*packet), true);
	copy(ring, at + len, &trailer, sizeof(trailer), true);
	write_once(&head(ring)->write, (at + len + WIRE_TRAILER) % ring->len);
	return RING_OK;
}

enum ring_status ring_write(struct channel *ch, uint16_t type, bool asks, uint64_t id,
			    const void *descriptor, uint32_t descriptor_len,
			    const void *payload, uint32_t len)
{
	struct ring *ring = &ch->out;
	uint32_t at = read_once(&head(ring)->write), padding = -len % 8;
	uint32_t offset = sizeof(struct wire_packet) + descriptor_len;
	struct wire_packet wire = {
		.type = type,
		.offset8 = offset / 8,
		.len8 = (offset + len + padding) / 8,
		.flags = asks ? WIRE_PACKET_ASKS : 0,
		.id = id,
	};
	uint32_t total = wire.len8 * 8 + WIRE_TRAILER;
	uint64_t trailer = (uint64_t)at << 32, zero = 0;

	if (!is_index(ring, at))
		return RING_BROKEN;
	if (!has_room(ring, total))
		return RING_FULL;
	copy(ring, at, &wire, sizeof(wire), true);
	copy(ring, at + sizeof(wire), (void *)descriptor, descriptor_len, true);
	copy(ring, at + offset, (void *)payload, len, true);
	copy(ring, at + offset + len, &zero, padding, true);
	copy(ring, at + wire.len8 * 8, &trailer, sizeof(trailer), true);
	write_once(&head(ring)->write, (at + total) % ring->len);
	full_barrier();
	/* The reader found it empty, or is about to, and wants a signal. */
	if (!read_once(&head(ring)->mask) && read_once(&head(ring)->read) == at)
		machine_signal(ch);
	return RING_OK;
}
