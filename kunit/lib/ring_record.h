/* SPDX-License-Identifier: GPL-2.0-only */
/* The packets that a channel has put in the ring of a fake bus: ring_record.c. */
#ifndef _KUNIT_RING_RECORD_H
#define _KUNIT_RING_RECORD_H

#include <kunit/test.h>

#include "fake_bus.h"

/**
 * struct ring_record - the packets that a fake bus has read from the ring
 * @count: how many; the first 1000 are kept
 * @words: the first word of each, or what there is of it
 * @ids: the transaction id of each
 */
struct ring_record {
	unsigned int count;
	u64 words[1000];
	u64 ids[1000];
};

/* From here on; the channel's pointer leads to the record. */
struct ring_record *ring_record_start(struct kunit *test, struct fake_bus *bus);

#endif /* _KUNIT_RING_RECORD_H */
