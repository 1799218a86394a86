// SPDX-License-Identifier: GPL-2.0-only
/* Synchronous requests, on the fake bus and with the server. */

#include <linux/ktime.h>
#include <linux/slab.h>

#include "../vmbkmcl/rx_packet.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/job.h"
#include "lib/log.h"
#include "lib/ring_record.h"
#include "lib/server.h"
#include "suites.h"

#define WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Timeouts are in units of 100 ns. */
#define MS		10000LL
#define LONG		(-20000 * MS)

/* From 1 January 1601 to 1 January 1970. */
#define UNIX_EPOCH	116444736000000000LL

#define MANY		8

/* On the bus under test control */

static void set_room(struct fake_bus *bus, int packets)
{
	fake_bus_set_room(bus, packets);
	kmcl_poll_schedule(bus->ch);
}

/* Leave a channel @n of its transaction slots; the rest is never used again. */
static void leave_slots(struct fake_bus *bus, unsigned int n)
{
	struct kmcl_tx *tx = &bus->ch->tx;
	u32 *last = &tx->free;

	spin_lock_bh(&tx->lock);
	while (n--)
		last = &tx->slots[*last].next_free;
	*last = KMCL_TX_SLOTS;
	spin_unlock_bh(&tx->lock);
}

static NTSTATUS request(VMBCHANNEL ch, void *buf, u32 len, u32 flags,
			void *room, u32 *size, s64 timeout)
{
	LARGE_INTEGER time = { .QuadPart = timeout };

	return VmbChannelSendSynchronousRequest(ch, buf, len, NULL, flags, room,
						size, &time);
}

static NTSTATUS request_word(struct fake_bus *bus, u32 flags, s64 timeout)
{
	u64 word = 0;

	return request(bus->ch, &word, sizeof(word), flags, NULL, NULL,
		       timeout);
}

/**
 * struct sender - a request made in another thread
 * @ch: on this channel
 * @data: the payload
 * @len: bytes of it
 * @flags: the request's
 * @timeout: in units of 100 ns; 0 for none
 * @discard: pass no room for the completion
 * @room: for the completion
 * @size: bytes of @room, then of what came
 * @status: what came of it
 * @job: makes it
 */
struct sender {
	VMBCHANNEL ch;
	u8 data[3000];
	u32 len;
	u32 flags;
	s64 timeout;
	bool discard;
	u64 room[8];
	u32 size;
	NTSTATUS status;
	struct job *job;
};

static void do_send(void *arg)
{
	struct sender *s = arg;
	LARGE_INTEGER time = { .QuadPart = s->timeout };

	s->status = VmbChannelSendSynchronousRequest(s->ch, s->data, s->len,
						     NULL, s->flags,
						     s->discard ? NULL : s->room,
						     s->discard ? NULL : &s->size,
						     s->timeout ? &time : NULL);
}

static void sender_start(struct kunit *test, struct sender *s)
{
	s->status = STATUS_PENDING;
	s->job = job_start(test, do_send, s);
}

static struct sender *senders_alloc(struct kunit *test, VMBCHANNEL ch,
				    unsigned int n, s64 timeout)
{
	struct sender *s = kunit_kcalloc(test, n, sizeof(*s), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, s);
	for (i = 0; i < n; i++) {
		s[i].ch = ch;
		s[i].data[0] = i + 1;
		s[i].len = 8;
		s[i].flags = WAIT;
		s[i].timeout = timeout;
		s[i].size = sizeof(s[i].room);
	}
	return s;
}

static void senders_end(struct kunit *test, struct sender *s, unsigned int n,
			NTSTATUS status)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		job_join(test, s[i].job);
		KUNIT_EXPECT_EQ(test, s[i].status, status);
	}
}

static bool queued(struct fake_bus *bus, unsigned int n)
{
	return eventually(READ_ONCE(bus->ch->tx.queued) == n);
}

static bool sent(struct fake_bus *bus, unsigned int n)
{
	return eventually(atomic_read(&bus->sends) == n);
}

/* One after the other, so that the order is known. */
static struct sender *senders_queue(struct kunit *test, struct fake_bus *bus,
				    unsigned int n, s64 timeout)
{
	struct sender *s = senders_alloc(test, bus->ch, n, timeout);
	unsigned int before = bus->ch->tx.queued;
	unsigned int i;

	for (i = 0; i < n; i++) {
		sender_start(test, &s[i]);
		KUNIT_ASSERT_TRUE(test, queued(bus, before + i + 1));
	}
	return s;
}

/* A request that is not complete; its id is the first in the ring record. */
static struct sender *request_in_flight(struct kunit *test,
					struct fake_bus *bus)
{
	struct sender *s = senders_alloc(test, bus->ch, 1, LONG);

	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, sent(bus, 1));
	return s;
}

/* Bad input */

static void bad_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u64 out = 0, in = 0x5eed;
	u32 size = sizeof(in);
	u32 flag;

	KUNIT_EXPECT_EQ(test, request(NULL, &out, 8, WAIT, &in, &size, LONG),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, request(bus->ch, NULL, 8, WAIT, &in, &size, LONG),
			STATUS_INVALID_PARAMETER_2);
	for (flag = 8; flag; flag <<= 1)
		KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, WAIT | flag,
					      &in, &size, LONG),
				STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			request(bus->ch, &out, 8, WAIT, NULL, &size, LONG),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, size, sizeof(in));
	KUNIT_EXPECT_EQ(test, in, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

static void payload_too_large(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u32 max = bus->ch->set.max_packet_size;
	u8 *buf = kunit_kzalloc(test, max + 1, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, request(bus->ch, buf, max + 1, 0, NULL, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, request(bus->ch, buf, U32_MAX, 0, NULL, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, buf, max, 0, NULL, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
}

static void completion_size_not_in_words(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u64 out = 0, in[2];
	u32 size, bad;

	for (bad = 1; bad < 16; bad++) {
		size = bad;
		if (bad % 8)
			KUNIT_EXPECT_EQ(test,
					request(bus->ch, &out, 8, WAIT, in,
						&size, LONG),
					STATUS_INVALID_PARAMETER);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

static void channel_not_open(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_INVALID_DEVICE_STATE);
	bus->present = false;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, 0),
			STATUS_INVALID_DEVICE_STATE);
}

static void channel_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, 0),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* Completions */

struct completion_case {
	const char *name;
	u32 room;
	u32 comes;
	NTSTATUS status;
	u32 size;
};

static const struct completion_case completions[] = {
	{ "as large as its room", 16, 16, STATUS_SUCCESS, 16 },
	{ "smaller than its room", 64, 8, STATUS_SUCCESS, 8 },
	{ "empty", 16, 0, STATUS_SUCCESS, 0 },
	{ "not in whole words", 16, 13, STATUS_SUCCESS, 16 },
	{ "one word too large", 16, 24, STATUS_BUFFER_OVERFLOW, 16 },
	{ "much too large", 8, 64, STATUS_BUFFER_OVERFLOW, 8 },
	{ "for no room", 0, 8, STATUS_BUFFER_OVERFLOW, 0 },
};

KUNIT_ARRAY_PARAM_DESC(completion, completions, name);

static void completion_size(struct kunit *test)
{
	const struct completion_case *c = test->param_value;
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = senders_alloc(test, bus->ch, 1, LONG);
	u8 data[64], expected[64];

	memset(data, 0xda, sizeof(data));
	memset(expected, 0x11, sizeof(expected));
	memcpy(expected, data, min(c->comes, c->size));
	memset(expected + min(c->comes, c->size), 0,
	       c->size - min(c->comes, c->size));
	memset(s->room, 0x11, sizeof(s->room));
	s->size = c->room;
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, sent(bus, 1));
	fake_bus_complete(bus, rec->ids[0], data, c->comes);
	senders_end(test, s, 1, c->status);
	KUNIT_EXPECT_EQ(test, s->size, c->size);
	KUNIT_EXPECT_MEMEQ(test, s->room, expected, sizeof(expected));
}

static void completion_nobody_wants(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = senders_alloc(test, bus->ch, 1, LONG);

	s->discard = true;
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, sent(bus, 1));
	fake_bus_complete(bus, rec->ids[0], "unread", 7);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

static void request_without_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u64 out = 0, in = 0x5eed;
	u32 size = sizeof(in);

	KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, 0, &in, &size, LONG),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_EQ(test, in, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
	KUNIT_EXPECT_EQ(test, bus->last_id, 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, NULL, 0, 0, NULL, NULL, 0),
			STATUS_SUCCESS);
}

/* DEBUG_ATOMIC_SLEEP reports a sleep here. */
static void request_in_atomic_context(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct server *srv = server_open(test);
	NTSTATUS fake, real;
	u64 word = 0;

	local_bh_disable();
	fake = request(bus->ch, &word, 8, 0, NULL, NULL, 0);
	real = request(srv->ch, &word, 8, 0, NULL, NULL, 0);
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, fake, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, real, STATUS_SUCCESS);
}

static void send_fails(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	fake_bus_fail_sends(bus, true);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, 0), STATUS_UNSUCCESSFUL);
}

static void failed_send_needs_no_slot(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s;

	leave_slots(bus, 1);
	fake_bus_fail_sends(bus, true);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_UNSUCCESSFUL);
	fake_bus_fail_sends(bus, false);
	s = request_in_flight(test, bus);
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

static void queued_send_fails(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s;

	fake_bus_set_room(bus, 0);
	s = senders_queue(test, bus, 2, LONG);
	fake_bus_fail_sends(bus, true);
	kmcl_poll_schedule(bus->ch);
	senders_end(test, s, 2, STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

/* Time */

static s64 now_100ns(void)
{
	return div_s64(ktime_get_real_ns(), 100) + UNIX_EPOCH;
}

static void timeout_from_now(struct kunit *test)
{
	static const u64 ms[] = { 1, 5, 30, 200 };
	struct fake_bus *bus = fake_bus_start(test);
	ktime_t start;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ms); i++) {
		start = ktime_get();
		KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -ms[i] * MS),
				STATUS_CANCELLED);
		KUNIT_EXPECT_GE(test, ktime_us_delta(ktime_get(), start),
				ms[i] * 1000);
	}
}

static void timeout_between_two_ticks(struct kunit *test)
{
	static const s64 time = 2 * 1000 * MS / HZ - MS / 10;
	struct fake_bus *bus = fake_bus_start(test);
	ktime_t start;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		start = ktime_get();
		KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -time),
				STATUS_CANCELLED);
		KUNIT_EXPECT_GE(test, ktime_to_ns(ktime_sub(ktime_get(), start)),
				time * 100);
	}
}

static void timeout_below_a_tick(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -1), STATUS_CANCELLED);
}

static void timeout_of_zero(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	ktime_t start = ktime_get();

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, 0), STATUS_CANCELLED);
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), start), 5000);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
}

static void timeout_at_a_point_in_time(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	s64 end = now_100ns() + 200 * MS;

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, end), STATUS_CANCELLED);
	KUNIT_EXPECT_GE(test, now_100ns(), end);
	KUNIT_EXPECT_LT(test, now_100ns(), end + 5000 * MS);
}

static void timeout_in_the_past(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	ktime_t start = ktime_get();

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, now_100ns() - MS),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, 1), STATUS_CANCELLED);
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), start), 5000);
}

static void timeout_of_an_age(struct kunit *test)
{
	static const s64 ages[] = { S64_MIN, S64_MIN + 1, S64_MAX, 0 };
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ages); i++) {
		s = senders_alloc(test, bus->ch, 1, ages[i]);
		sender_start(test, s);
		KUNIT_ASSERT_TRUE(test, sent(bus, i + 1));
		msleep(50);
		KUNIT_EXPECT_FALSE(test, job_done(s->job));
		fake_bus_complete(bus, rec->ids[i], NULL, 0);
		senders_end(test, s, 1, STATUS_SUCCESS);
	}
}

static void completion_after_the_timeout(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	u64 out = 0, in = 0x5eed;
	u32 size = sizeof(in);

	KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, WAIT, &in, &size,
				      -20 * MS), STATUS_CANCELLED);
	fake_bus_complete(bus, rec->ids[0], "too late", 8);
	EXPECT_EVENTUALLY(test, bus->ch->tx.bad_ids);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 1);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.completed, 0);
	KUNIT_EXPECT_EQ(test, in, 0x5eed);
	KUNIT_EXPECT_EQ(test, size, 0);
}

/* Whatever the reason is: nothing was written to the caller's buffer. */
static void nothing_has_no_size(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u64 out = 0, in = 0x5eed;
	u32 size;

	fake_bus_set_room(bus, 0);
	size = sizeof(in);
	KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, WAIT, &in, &size, 0),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, size, 0);
	size = sizeof(in);
	KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, WAIT, &in, &size,
				      -20 * MS), STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, size, 0);
	VmbChannelDisable(bus->ch);
	size = sizeof(in);
	KUNIT_EXPECT_EQ(test, request(bus->ch, &out, 8, WAIT, &in, &size,
				      LONG), STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_EQ(test, in, 0x5eed);
}

/* A full ring */

static void ring_full_and_no_time(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned int flags;

	fake_bus_set_room(bus, 0);
	for (flags = 0; flags <= WAIT; flags += WAIT) {
		KUNIT_EXPECT_EQ(test, request_word(bus, flags, 0),
				STATUS_BUFFER_OVERFLOW);
		KUNIT_EXPECT_TRUE(test, list_empty(&bus->ch->tx.queue));
	}
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
	set_room(bus, 10);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

static void ring_full_keeps_the_order(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s;
	unsigned int i;

	fake_bus_set_room(bus, 0);
	s = senders_queue(test, bus, MANY, LONG);
	set_room(bus, 3);
	KUNIT_EXPECT_TRUE(test, sent(bus, 3));
	msleep(20);
	KUNIT_EXPECT_EQ(test, rec->count, 3);
	set_room(bus, MANY);
	KUNIT_EXPECT_TRUE(test, sent(bus, MANY));
	for (i = 0; i < MANY; i++) {
		KUNIT_EXPECT_EQ(test, rec->words[i], i + 1);
		fake_bus_complete(bus, rec->ids[i], NULL, 0);
	}
	senders_end(test, s, MANY, STATUS_SUCCESS);
}

static void nothing_overtakes_the_queue(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s;

	fake_bus_set_room(bus, 0);
	s = senders_queue(test, bus, 1, LONG);
	/* There is room by now, but the host has not signalled yet. */
	fake_bus_set_room(bus, 10);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, 0), STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, rec->count, 0);
	kmcl_poll_schedule(bus->ch);
	KUNIT_ASSERT_TRUE(test, sent(bus, 1));
	KUNIT_EXPECT_EQ(test, rec->words[0], 1);
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

/* The guest has asked the host to signal when there is more room. */
static void there_is_room_in_the_end(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s = senders_alloc(test, bus->ch, 1, -300 * MS);

	s->flags = 0;
	fake_bus_set_room(bus, 0);
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, queued(bus, 1));
	fake_bus_set_room(bus, 1);
	senders_end(test, s, 1, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);

	/* No caller waits for the completion of this request. */
	s = senders_alloc(test, bus->ch, 1, -300 * MS);
	fake_bus_set_room(bus, 0);
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, queued(bus, 2));
	fake_bus_set_room(bus, 1);
	senders_end(test, s, 1, STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
}

static void queued_without_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s = senders_alloc(test, bus->ch, 1, LONG);

	s->flags = 0;
	fake_bus_set_room(bus, 0);
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, queued(bus, 1));
	KUNIT_EXPECT_FALSE(test, job_done(s->job));
	set_room(bus, 1);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

/* A packet must leave at least one word of the ring free. */
static void room_asked_for(struct kunit *test)
{
	static const u32 lengths[] = { 0, 1, 64, 1000, 2000, 2030, 3000 };
	struct fake_bus *bus = fake_bus_create(test);
	u32 packet, quarter;
	struct sender *s;
	unsigned int i;

	VmbClientChannelInitSetRingBufferPageCount(bus->ch, 2, 2);
	VmbChannelInitSetMaximumPacketSize(bus->ch, 3000);
	VmbChannelInitSetMaximumExternalData(bus->ch, PAGE_SIZE, 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);
	quarter = (kmcl_channel_tx_bytes(bus->ch) - PAGE_SIZE) / 4;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		packet = kmcl_ring_packet_size(0, lengths[i]);
		s = senders_alloc(test, bus->ch, 1, LONG);
		s->flags = 0;
		s->len = lengths[i];
		fake_bus_set_room(bus, 0);
		sender_start(test, s);
		KUNIT_ASSERT_TRUE(test, queued(bus, i + 1));
		KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus),
				max(packet + 8, quarter));
		set_room(bus, 1);
		senders_end(test, s, 1, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
	}
	KUNIT_EXPECT_GT(test, packet, quarter);
}

/* Called with the lock of the guest's end, which is about to ask for room. */
static void get_room(struct kmcl_channel *ch, bool first)
{
	struct fake_bus *bus = container_of(ch->pinned, struct fake_bus, ops);

	fake_bus_make_room(bus, 1);
}

/* The host has not seen pending_send_sz, so it will not signal. */
static void room_comes_while_asked_for(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	bus->ops.ring_full = get_room;
	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, -2000 * MS), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

static void withdrawn_from_the_queue(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -30 * MS),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, -30 * MS), STATUS_CANCELLED);
	KUNIT_EXPECT_TRUE(test, list_empty(&bus->ch->tx.queue));
	set_room(bus, 10);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* Otherwise the host would go on signalling a guest that waits for nothing. */
static void withdrawn_with_its_wanted_room(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -30 * MS),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

static void withdrawn_from_among_others(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = senders_alloc(test, bus->ch, 3, LONG);
	unsigned int i;

	fake_bus_set_room(bus, 0);
	s[1].timeout = -300 * MS;
	for (i = 0; i < 3; i++) {
		sender_start(test, &s[i]);
		KUNIT_ASSERT_TRUE(test, queued(bus, i + 1));
	}
	senders_end(test, &s[1], 1, STATUS_CANCELLED);
	set_room(bus, 10);
	KUNIT_ASSERT_TRUE(test, sent(bus, 2));
	KUNIT_EXPECT_EQ(test, rec->words[0], 1);
	KUNIT_EXPECT_EQ(test, rec->words[1], 3);
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	fake_bus_complete(bus, rec->ids[1], NULL, 0);
	senders_end(test, &s[0], 1, STATUS_SUCCESS);
	senders_end(test, &s[2], 1, STATUS_SUCCESS);
}

/* The transaction table */

static void table_size(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct kmcl_tx *tx = &bus->ch->tx;
	unsigned int n = 0;
	u32 i;

	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, 0), STATUS_CANCELLED);
	for (i = tx->free; i != KMCL_TX_SLOTS && n <= KMCL_TX_SLOTS; n++)
		i = tx->slots[i].next_free;
	KUNIT_EXPECT_EQ(test, n, KMCL_TX_SLOTS);
}

/* As many threads as the table has slots would take long to start. */
static void table_full(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = senders_alloc(test, bus->ch, MANY + 1, 0);
	unsigned int i;

	leave_slots(bus, MANY);
	for (i = 0; i < MANY; i++)
		sender_start(test, &s[i]);
	KUNIT_ASSERT_TRUE(test, sent(bus, MANY));
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, 0),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, request_word(bus, 0, 0), STATUS_SUCCESS);
	sender_start(test, &s[MANY]);
	KUNIT_ASSERT_TRUE(test, queued(bus, 1));
	KUNIT_EXPECT_EQ(test, rec->count, MANY + 1);

	for (i = 0; i < MANY; i++)
		fake_bus_complete(bus, rec->ids[i], NULL, 0);
	KUNIT_ASSERT_TRUE(test, sent(bus, MANY + 2));
	fake_bus_complete(bus, rec->ids[MANY + 1], NULL, 0);
	senders_end(test, s, MANY + 1, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.completed, MANY + 1);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);
}

/* The host does not signal, so no poll runs. */
static void slot_freed_by_a_timeout(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = senders_alloc(test, bus->ch, 2, LONG);

	leave_slots(bus, 1);
	s[0].timeout = -300 * MS;
	sender_start(test, &s[0]);
	KUNIT_ASSERT_TRUE(test, sent(bus, 1));
	sender_start(test, &s[1]);
	KUNIT_ASSERT_TRUE(test, queued(bus, 1));
	senders_end(test, &s[0], 1, STATUS_CANCELLED);
	KUNIT_EXPECT_TRUE(test, sent(bus, 2));
	fake_bus_complete(bus, rec->ids[1], NULL, 0);
	senders_end(test, &s[1], 1, STATUS_SUCCESS);
}

/* To ask the host for room would not help, and would make it signal. */
static void full_table_is_no_full_ring(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	leave_slots(bus, 0);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, -30 * MS),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.ring_full, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

static void ids_differ(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	unsigned int i, j;

	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, 0),
				STATUS_CANCELLED);
	KUNIT_ASSERT_EQ(test, rec->count, 10);
	for (i = 0; i < 10; i++) {
		KUNIT_EXPECT_NE(test, rec->ids[i], 0);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_NE(test, rec->ids[i], rec->ids[j]);
	}
}

static void bad_ids(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = request_in_flight(test, bus);
	u64 id = rec->ids[0];

	fake_bus_complete(bus, 0, NULL, 0);
	fake_bus_complete(bus, U64_MAX, NULL, 0);
	fake_bus_complete(bus,
			  (u64)upper_32_bits(id) << 32 | KMCL_TX_SLOTS,
			  NULL, 0);
	fake_bus_complete(bus, id + (1ULL << 32), NULL, 0);
	fake_bus_complete(bus, id ^ 1, NULL, 0);
	fake_bus_complete(bus, lower_32_bits(id), NULL, 0);
	EXPECT_EVENTUALLY(test, bus->ch->tx.bad_ids == 6);
	KUNIT_EXPECT_FALSE(test, job_done(s->job));
	fake_bus_complete(bus, id, NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
	fake_bus_complete(bus, id, NULL, 0);
	EXPECT_EVENTUALLY(test, bus->ch->tx.bad_ids == 7);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.completed, 1);
}

static void id_from_before_the_channel_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = request_in_flight(test, bus);

	VmbChannelDisable(bus->ch);
	senders_end(test, s, 1, STATUS_DEVICE_REMOVED);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);

	s = senders_alloc(test, bus->ch, 1, LONG);
	sender_start(test, s);
	KUNIT_ASSERT_TRUE(test, sent(bus, 2));
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	EXPECT_EVENTUALLY(test, bus->ch->tx.bad_ids == 1);
	KUNIT_EXPECT_FALSE(test, job_done(s->job));
	fake_bus_complete(bus, rec->ids[1], NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

/* Receiving */

static void packets_nobody_is_there_for(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s = request_in_flight(test, bus);
	unsigned int i;

	for (i = 0; i < 10; i++)
		fake_bus_deliver(bus, i % 2 ? KMCL_PKT_INBAND : 0x77,
				 rec->ids[0], "data", 4);
	EXPECT_EVENTUALLY(test, bus->ch->rx.dropped == 10);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);
	KUNIT_EXPECT_FALSE(test, job_done(s->job));
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->rx.received) == 11);
}

/* More than one poll reads, and the host does not signal again. */
static void packets_from_before_the_start(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	unsigned int i;

	for (i = 0; i < 150; i++)
		fake_bus_deliver(bus, KMCL_PKT_INBAND, 0, NULL, 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, bus->ch->rx.dropped == 150);
}

static void corrupt_ring(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s;

	ring_record_start(test, bus);
	s = request_in_flight(test, bus);
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(bus->ch);
	/* The ring is corrupt, so no request waits for its completion. */
	senders_end(test, s, 1, STATUS_DEVICE_REMOVED);
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, bus->ch->rx.received, 0);
	KUNIT_EXPECT_EQ(test, bus->ch->rx.corrupt, 1);
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_INVALID_DEVICE_STATE);
}

/* Refused at once, also while something holds up the close. */
static void corrupt_ring_refuses_requests(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	bus->withhold = true;
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(bus->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->waiting));
	KUNIT_EXPECT_EQ(test, request_word(bus, WAIT, LONG),
			STATUS_INVALID_DEVICE_STATE);
	fake_bus_let_complete(bus);
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->state) == KMCL_DISABLED);
}

static void corrupt_ring_is_good_again_after_an_open(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct sender *s;

	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(bus->ch);
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->state) == KMCL_DISABLED);
	fake_bus_corrupt(bus, false);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);
	s = request_in_flight(test, bus);
	fake_bus_complete(bus, rec->ids[0], NULL, 0);
	senders_end(test, s, 1, STATUS_SUCCESS);
}

/* Closing: half of them in flight, half of them queued. */

static struct sender *senders_stuck(struct kunit *test, struct fake_bus *bus)
{
	struct sender *s = senders_alloc(test, bus->ch, MANY, 0);
	unsigned int i;

	fake_bus_set_room(bus, MANY / 2);
	for (i = 0; i < MANY; i++)
		sender_start(test, &s[i]);
	KUNIT_ASSERT_TRUE(test, sent(bus, MANY / 2));
	KUNIT_ASSERT_TRUE(test, queued(bus, MANY / 2));
	return s;
}

static void disable_ends_requests(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s = senders_stuck(test, bus);

	VmbChannelDisable(bus->ch);
	senders_end(test, s, MANY, STATUS_DEVICE_REMOVED);
}

static void rescind_ends_requests(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct sender *s = senders_stuck(test, bus);

	fake_bus_rescind(bus);
	senders_end(test, s, MANY, STATUS_DEVICE_REMOVED);
}

/* With the server */

/* Reconnect with rings of two pages, for packets of up to @bytes. */
static struct server *server_small(struct kunit *test, u32 bytes)
{
	struct server *srv = server_open(test);

	VmbChannelDisable(srv->ch);
	reinit_completion(&srv->up);
	VmbChannelInitSetMaximumPacketSize(srv->ch, bytes);
	VmbClientChannelInitSetRingBufferPageCount(srv->ch, 2, 2);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(srv->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&srv->up, 30 * HZ),
			0);
	return srv;
}

/* Room for a request with @len bytes of pattern, and for its response. */
struct echo {
	struct testdev_request req;
	u8 payload[TESTDEV_MAX_PAYLOAD];
	struct testdev_response rsp;
	u8 back[TESTDEV_MAX_PAYLOAD];
};

static void echo_prepare(struct echo *echo, u32 len, u32 seed)
{
	u32 i;

	memset(echo, 0, sizeof(*echo));
	echo->req.magic = TESTDEV_MAGIC;
	echo->req.op = TESTDEV_ECHO;
	echo->req.payload_len = len;
	for (i = 0; i < len; i++)
		echo->payload[i] = testdev_pattern(seed, i);
}

static NTSTATUS echo_send(VMBCHANNEL ch, struct echo *echo, u32 *size)
{
	u32 len = sizeof(echo->req) + echo->req.payload_len;

	return request(ch, &echo->req, len, WAIT, &echo->rsp, size, LONG);
}

static bool echo_is_intact(const struct echo *echo, u32 size)
{
	u32 len = echo->req.payload_len;

	return size == ALIGN(sizeof(echo->rsp) + len, 8) &&
	       echo->rsp.magic == TESTDEV_MAGIC &&
	       echo->rsp.op == TESTDEV_ECHO && echo->rsp.status == TESTDEV_OK &&
	       echo->rsp.payload_len == len &&
	       !memcmp(echo->payload, echo->back, len);
}

static void echo_of_every_kind_of_size(struct kunit *test)
{
	static const u32 sizes[] = {
		0, 1, 2, 7, 8, 9, 15, 16, 17, 100, 255, 256, 1000, 1023, 2048,
		3001, 4056, 4087, 4088, 4089, 4095, TESTDEV_MAX_PAYLOAD,
	};
	struct echo *echo = kunit_kzalloc(test, sizeof(*echo), GFP_KERNEL);
	struct server *srv = server_open(test);
	unsigned int i;
	u32 size;

	KUNIT_ASSERT_NOT_NULL(test, echo);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		echo_prepare(echo, sizes[i], i);
		size = sizeof(echo->rsp) + sizeof(echo->back);
		KUNIT_EXPECT_EQ(test, echo_send(srv->ch, echo, &size),
				STATUS_SUCCESS);
		KUNIT_EXPECT_TRUE_MSG(test, echo_is_intact(echo, size),
				      "%u bytes", sizes[i]);
	}
}

/* The rings wrap at every offset. */
static void echo_all_around_the_ring(struct kunit *test)
{
	struct echo *echo = kunit_kzalloc(test, sizeof(*echo), GFP_KERNEL);
	struct server *srv = server_small(test, 256);
	u32 i, size;

	KUNIT_ASSERT_NOT_NULL(test, echo);
	for (i = 0; i < 200; i++) {
		echo_prepare(echo, i, i);
		size = 256;
		KUNIT_ASSERT_EQ(test, echo_send(srv->ch, echo, &size),
				STATUS_SUCCESS);
		KUNIT_ASSERT_TRUE_MSG(test, echo_is_intact(echo, size),
				      "%u bytes", i);
	}
}

/* Rings of two pages, as asked for, would not hold it. */
static void echo_of_the_largest_packet(struct kunit *test)
{
	struct echo *echo = kunit_kzalloc(test, sizeof(*echo), GFP_KERNEL);
	u32 size = sizeof(echo->rsp) + TESTDEV_MAX_PAYLOAD;
	struct server *srv;

	KUNIT_ASSERT_NOT_NULL(test, echo);
	srv = server_small(test, sizeof(echo->req) + TESTDEV_MAX_PAYLOAD);
	echo_prepare(echo, TESTDEV_MAX_PAYLOAD, 1);
	KUNIT_EXPECT_EQ(test, echo_send(srv->ch, echo, &size), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, echo_is_intact(echo, size));
}

static void echo_cut_to_its_room(struct kunit *test)
{
	struct echo *echo = kunit_kzalloc(test, sizeof(*echo), GFP_KERNEL);
	struct server *srv = server_open(test);
	u32 size = sizeof(echo->rsp) + 8;

	KUNIT_ASSERT_NOT_NULL(test, echo);
	echo_prepare(echo, 100, 1);
	KUNIT_EXPECT_EQ(test, echo_send(srv->ch, echo, &size),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, size, sizeof(echo->rsp) + 8);
	KUNIT_EXPECT_EQ(test, echo->rsp.payload_len, 100);
	KUNIT_EXPECT_MEMEQ(test, echo->back, echo->payload, 8);
	KUNIT_EXPECT_EQ(test, echo->back[8], 0);
}

static void server_need_not_complete(struct kunit *test)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
	};
	struct server *srv = server_open(test);
	u64 before = server_report(test, srv->ch).consumed;

	KUNIT_EXPECT_EQ(test, request(srv->ch, &req, sizeof(req), 0, NULL, NULL,
				      LONG), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_report(test, srv->ch).consumed,
			before + 1);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.bad_ids, 0);
}

static void server_completes_after_the_timeout(struct kunit *test)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_DELAY, .length = 400,
	};
	struct server *srv = server_open(test);
	struct testdev_response rsp = {};
	u32 size = sizeof(rsp);
	ktime_t start;

	start = ktime_get();
	KUNIT_EXPECT_EQ(test, request(srv->ch, &req, sizeof(req), WAIT, &rsp,
				      &size, -100 * MS), STATUS_CANCELLED);
	KUNIT_EXPECT_GE(test, ktime_us_delta(ktime_get(), start), 100000);
	EXPECT_EVENTUALLY(test, srv->ch->tx.bad_ids);
	KUNIT_EXPECT_EQ(test, rsp.magic, 0);
	server_does(test, srv->ch, .op = TESTDEV_ECHO);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.bad_ids, 1);
}

static void server_is_waited_for(struct kunit *test)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_DELAY, .length = 300,
	};
	struct server *srv = server_open(test);
	struct testdev_response rsp = {};
	u32 size = sizeof(rsp);

	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(srv->ch, &req,
							 sizeof(req), NULL,
							 WAIT, &rsp, &size,
							 NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, size, sizeof(rsp));
	KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
}

static void server_completes_twice(struct kunit *test)
{
	struct server *srv = server_open(test);

	server_does(test, srv->ch, .op = TESTDEV_FORGE,
		    .seed = TESTDEV_FORGE_RELATIVE);
	EXPECT_EVENTUALLY(test, srv->ch->tx.bad_ids);
	server_does(test, srv->ch, .op = TESTDEV_ECHO);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.bad_ids, 1);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.completed, 2);
}

static void server_sends_unasked(struct kunit *test)
{
	struct server *srv = server_open(test);

	server_does(test, srv->ch, .op = TESTDEV_PUSH, .length = 200);
	EXPECT_EVENTUALLY(test, srv->ch->rx.dropped == 200);
	server_does(test, srv->ch, .op = TESTDEV_ECHO);
	KUNIT_EXPECT_EQ(test, srv->ch->rx.dropped, 200);
	KUNIT_EXPECT_FALSE(test, srv->ch->rx.failed);
}

/**
 * struct echoer - a job that has many payloads echoed
 * @ch: the channel
 * @rounds: how many
 * @len: bytes of the payload; 0 for one that changes
 * @seed: of the first pattern
 * @good: those that came back intact
 * @job: makes it
 */
struct echoer {
	VMBCHANNEL ch;
	unsigned int rounds;
	u32 len;
	u32 seed;
	unsigned int good;
	struct job *job;
};

static void do_echo(void *arg)
{
	struct echo *echo = kmalloc(sizeof(*echo), GFP_KERNEL);
	struct echoer *e = arg;
	unsigned int i;
	u32 size;

	for (i = 0; echo && i < e->rounds; i++) {
		echo_prepare(echo, e->len ?: 1 + i % 100, e->seed + i);
		size = sizeof(echo->rsp) + sizeof(echo->back);
		if (echo_send(e->ch, echo, &size) ||
		    !echo_is_intact(echo, size))
			break;
		e->good++;
	}
	kfree(echo);
}

static struct echoer *echoers_start(struct kunit *test, VMBCHANNEL ch,
				    unsigned int n, unsigned int rounds,
				    u32 len)
{
	struct echoer *e = kunit_kcalloc(test, n, sizeof(*e), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, e);
	for (i = 0; i < n; i++) {
		e[i].ch = ch;
		e[i].rounds = rounds;
		e[i].len = len;
		e[i].seed = i * rounds;
		e[i].job = job_start(test, do_echo, &e[i]);
	}
	return e;
}

static void echoers_end(struct kunit *test, struct echoer *e, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		job_join(test, e[i].job);
		KUNIT_EXPECT_EQ(test, e[i].good, e[i].rounds);
	}
}

static void many_threads_through_small_rings(struct kunit *test)
{
	struct server *srv = server_small(test, 256);
	struct echoer *e = echoers_start(test, srv->ch, 4, 500, 0);

	echoers_end(test, e, 4);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.completed, 2000);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.bad_ids, 0);
}

static void server_reads_nothing_for_a_while(struct kunit *test)
{
	struct server *srv = server_small(test, 1064);
	struct echoer *e;

	server_does(test, srv->ch, .op = TESTDEV_STALL, .length = 500);
	e = echoers_start(test, srv->ch, MANY, 2, 1000);
	echoers_end(test, e, MANY);
	KUNIT_EXPECT_GT(test, srv->ch->tx.queued, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&srv->ch->tx.queue));
}

static void disable_ends_requests_to_the_server(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct sender *s = senders_alloc(test, srv->ch, MANY, 0);
	u64 before = READ_ONCE(srv->ch->tx.sent);
	unsigned int i;

	for (i = 0; i < MANY; i++) {
		struct testdev_request *req = (void *)s[i].data;

		memset(req, 0, sizeof(*req));
		req->magic = TESTDEV_MAGIC;
		req->op = TESTDEV_DELAY;
		req->length = 60000;
		s[i].len = sizeof(*req);
		sender_start(test, &s[i]);
	}
	ASSERT_EVENTUALLY(test, READ_ONCE(srv->ch->tx.sent) == before + MANY);
	VmbChannelDisable(srv->ch);
	senders_end(test, s, MANY, STATUS_DEVICE_REMOVED);
}

/*
 * With interrupts off: each function is called so that it would be refused, and the
 * kernel reports the caller nevertheless.
 */

/* Nobody has it, so it is not taken back. */
static struct kmcl_rx_packet no_packet;

static void sends(void)
{
	VmbPacketSend(NULL, NULL, 0, NULL, 0);
}

static void sends_mdl(void)
{
	VmbPacketSendWithExternalMdl(NULL, NULL, 0, NULL, 0, 0, 0);
}

static void sends_pfns(void)
{
	VmbPacketSendWithExternalPfns(NULL, NULL, 0, NULL, 0, 0);
}

static void requests(void)
{
	request(NULL, NULL, 0, 0, NULL, NULL, 0);
}

static void allocates(void)
{
	VmbPacketAllocate(NULL);
}

static void frees(void)
{
	VmbPacketFree(NULL);
}

static void completes(void)
{
	VmbChannelPacketComplete(&no_packet, NULL, 0);
}

static void fails(void)
{
	VmbChannelPacketFail(&no_packet);
}

static const struct entry {
	const char *name;
	void (*call)(void);
} entries[] = {
	{ "VmbPacketSend", sends },
	{ "VmbPacketSendWithExternalMdl", sends_mdl },
	{ "VmbPacketSendWithExternalPfns", sends_pfns },
	{ "VmbChannelSendSynchronousRequest", requests },
	{ "VmbPacketAllocate", allocates },
	{ "VmbPacketFree", frees },
	{ "VmbChannelPacketComplete", completes },
	{ "VmbChannelPacketFail", fails },
};

KUNIT_ARRAY_PARAM_DESC(entry, entries, name);

static void (*call_with_interrupts_off)(void);

static void calls_with_interrupts_off(void)
{
	unsigned long flags;

	local_irq_save(flags);
	call_with_interrupts_off();
	local_irq_restore(flags);
}

static void interrupts_are_off(struct kunit *test)
{
	const struct entry *entry = test->param_value;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "only lockdep knows");
	/* Each place reports once, and may have in an earlier run of the suite. */
	run_shell(test, "echo 1 >/sys/kernel/debug/clear_warn_once");
	KUNIT_EXPECT_FALSE(test, is_reported(entry->call, "WARNING:"));
	call_with_interrupts_off = entry->call;
	KUNIT_EXPECT_TRUE(test, is_reported(calls_with_interrupts_off,
					    "WARNING:"));
}

static struct kunit_case tx_request_cases[] = {
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(payload_too_large),
	KUNIT_CASE(completion_size_not_in_words),
	KUNIT_CASE(channel_not_open),
	KUNIT_CASE(channel_closed),
	KUNIT_CASE_PARAM(completion_size, completion_gen_params),
	KUNIT_CASE(completion_nobody_wants),
	KUNIT_CASE(request_without_completion),
	KUNIT_CASE(send_fails),
	KUNIT_CASE(failed_send_needs_no_slot),
	KUNIT_CASE(queued_send_fails),
	KUNIT_CASE(timeout_from_now),
	KUNIT_CASE_SLOW(timeout_between_two_ticks),
	KUNIT_CASE(timeout_below_a_tick),
	KUNIT_CASE(timeout_of_zero),
	KUNIT_CASE(timeout_at_a_point_in_time),
	KUNIT_CASE(timeout_in_the_past),
	KUNIT_CASE(timeout_of_an_age),
	KUNIT_CASE(completion_after_the_timeout),
	KUNIT_CASE(nothing_has_no_size),
	KUNIT_CASE(ring_full_and_no_time),
	KUNIT_CASE(ring_full_keeps_the_order),
	KUNIT_CASE(nothing_overtakes_the_queue),
	KUNIT_CASE_SLOW(there_is_room_in_the_end),
	KUNIT_CASE(queued_without_completion),
	KUNIT_CASE(room_asked_for),
	KUNIT_CASE(room_comes_while_asked_for),
	KUNIT_CASE(withdrawn_from_the_queue),
	KUNIT_CASE(withdrawn_with_its_wanted_room),
	KUNIT_CASE(withdrawn_from_among_others),
	KUNIT_CASE(table_size),
	KUNIT_CASE(table_full),
	KUNIT_CASE(slot_freed_by_a_timeout),
	KUNIT_CASE(full_table_is_no_full_ring),
	KUNIT_CASE(ids_differ),
	KUNIT_CASE(bad_ids),
	KUNIT_CASE(id_from_before_the_channel_closed),
	KUNIT_CASE(packets_nobody_is_there_for),
	KUNIT_CASE(packets_from_before_the_start),
	KUNIT_CASE(corrupt_ring),
	KUNIT_CASE(corrupt_ring_refuses_requests),
	KUNIT_CASE(corrupt_ring_is_good_again_after_an_open),
	KUNIT_CASE(disable_ends_requests),
	KUNIT_CASE(rescind_ends_requests),
	KUNIT_CASE_PARAM(interrupts_are_off, entry_gen_params),
	{}
};

struct kunit_suite vmbkmcl_tx_request_suite = {
	.name = "vmbkmcl_tx_request",
	.test_cases = tx_request_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case tx_request_server_cases[] = {
	KUNIT_CASE(request_in_atomic_context),
	KUNIT_CASE(echo_of_every_kind_of_size),
	KUNIT_CASE_SLOW(echo_all_around_the_ring),
	KUNIT_CASE(echo_of_the_largest_packet),
	KUNIT_CASE(echo_cut_to_its_room),
	KUNIT_CASE(server_need_not_complete),
	KUNIT_CASE_SLOW(server_completes_after_the_timeout),
	KUNIT_CASE(server_is_waited_for),
	KUNIT_CASE(server_completes_twice),
	KUNIT_CASE(server_sends_unasked),
	KUNIT_CASE_SLOW(many_threads_through_small_rings),
	KUNIT_CASE_SLOW(server_reads_nothing_for_a_while),
	KUNIT_CASE(disable_ends_requests_to_the_server),
	{}
};

struct kunit_suite vmbkmcl_tx_request_server_suite = {
	.name = "vmbkmcl_tx_request_server",
	.test_cases = tx_request_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_tx_request_server_suite);
