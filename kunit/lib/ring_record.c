// SPDX-License-Identifier: GPL-2.0-only
/* The packets that a channel has put in the ring of a fake bus. */

#include <linux/minmax.h>
#include <linux/string.h>

#include "ring_record.h"

static void record_packet(struct fake_bus *bus,
			  const struct kmcl_ring_packet *packet)
{
	struct ring_record *rec = VmbChannelGetPointer(bus->ch);
	u64 word = 0;

	if (rec->count < ARRAY_SIZE(rec->words)) {
		memcpy(&word, packet->data, min_t(u32, packet->len, sizeof(word)));
		rec->words[rec->count] = word;
		rec->ids[rec->count] = packet->id;
	}
	WRITE_ONCE(rec->count, rec->count + 1);
}

struct ring_record *ring_record_start(struct kunit *test, struct fake_bus *bus)
{
	struct ring_record *rec = kunit_kzalloc(test, sizeof(*rec), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rec);
	VmbChannelSetPointer(bus->ch, rec);
	bus->seen = record_packet;
	return rec;
}
