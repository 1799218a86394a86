// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMBus ring by itself: ring.c at both ends, and another end that writes what it
 * likes. What is right is said here once more, in tables and in words of the wire.
 */

#include <kunit/test.h>
#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "../vmbkmcl/ring.h"
#include "lib/eventually.h"
#include "lib/rings.h"
#include "suites.h"

#define SIZE		((u32)PAGE_SIZE)	/* of a ring's data */
#define DESCRIPTOR	16
#define TRAILER		8

/**
 * struct pipe - a ring, and both its ends
 * @memory: where it is
 * @in: the producer's end
 * @out: the consumer's
 */
struct pipe {
	struct kmcl_ring_memory memory;
	struct kmcl_ring in;
	struct kmcl_ring out;
};

static void free_ring(void *memory)
{
	ring_free(memory);
}

/* An empty ring, whose next packet begins at @index. */
static void starts_at(struct pipe *pipe, u32 index)
{
	struct kmcl_ring_control *control = pipe->memory.control;

	memset(control, 0, sizeof(*control));
	control->features = KMCL_RING_PENDING_SEND_SIZE;
	kmcl_ring_init(&pipe->in, &pipe->memory);
	kmcl_ring_init(&pipe->out, &pipe->memory);
	pipe->in.index = index;
	pipe->in.published = index;
	pipe->out.index = index;
	pipe->out.published = index;
	control->write_index = index;
	control->read_index = index;
}

static struct pipe *get_pipe(struct kunit *test)
{
	struct pipe *pipe = kunit_kzalloc(test, sizeof(*pipe), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pipe);
	KUNIT_ASSERT_EQ(test, ring_make(&pipe->memory, PAGE_SIZE + SIZE), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_ring,
							&pipe->memory), 0);
	starts_at(pipe, 0);
	return pipe;
}

static u8 payload[2 * PAGE_SIZE];

static struct kmcl_ring_packet packet_of_len(u32 len)
{
	return (struct kmcl_ring_packet) {
		.type = KMCL_PKT_INBAND,
		.data = payload,
		.len = len,
	};
}

static int puts_len(struct pipe *pipe, u32 len)
{
	struct kmcl_ring_packet packet = packet_of_len(len);

	return kmcl_ring_put(&pipe->in, &packet, 0);
}

static u32 read_index(const struct pipe *pipe)
{
	return READ_ONCE(pipe->memory.control->read_index);
}

static u32 write_index(const struct pipe *pipe)
{
	return READ_ONCE(pipe->memory.control->write_index);
}

/* From end to end */

static void empty_ring(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet;

	KUNIT_EXPECT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 0);
	KUNIT_EXPECT_FALSE(test, kmcl_ring_publish(&pipe->in));
	KUNIT_EXPECT_FALSE(test, kmcl_ring_release(&pipe->out));
	KUNIT_EXPECT_FALSE(test, kmcl_ring_unmask(&pipe->out));
	KUNIT_EXPECT_EQ(test, write_index(pipe), 0);
	KUNIT_EXPECT_EQ(test, read_index(pipe), 0);
}

/* What is in the ring's memory, byte for byte, when a packet has been put there. */
static void is_on_the_wire(struct kunit *test, const struct pipe *pipe,
			   u32 index, const struct kmcl_ring_packet *packet)
{
	const u8 *at = pipe->memory.data + index;
	u32 len = DESCRIPTOR + packet->head_len + ALIGN(packet->len, 8), i;

	KUNIT_EXPECT_EQ(test, *(u16 *)at, packet->type);
	KUNIT_EXPECT_EQ(test, *(u16 *)(at + 2) * 8,
			DESCRIPTOR + packet->head_len);
	KUNIT_EXPECT_EQ(test, *(u16 *)(at + 4) * 8, len);
	KUNIT_EXPECT_EQ(test, *(u16 *)(at + 6), packet->flags);
	KUNIT_EXPECT_EQ(test, *(u64 *)(at + 8), packet->id);
	at += DESCRIPTOR;
	KUNIT_EXPECT_EQ(test, memcmp(at, packet->head, packet->head_len), 0);
	at += packet->head_len;
	KUNIT_EXPECT_EQ(test, memcmp(at, packet->data, packet->len), 0);
	for (i = packet->len; i < ALIGN(packet->len, 8); i++)
		KUNIT_EXPECT_EQ(test, at[i], 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)(at + ALIGN(packet->len, 8)),
			(u64)index << 32);
}

static void arrives(struct kunit *test, struct pipe *pipe,
		    const struct kmcl_ring_packet *sent)
{
	struct kmcl_ring_packet packet;

	KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 1);
	KUNIT_EXPECT_EQ(test, packet.type, sent->type);
	KUNIT_EXPECT_EQ(test, packet.flags, sent->flags);
	KUNIT_EXPECT_EQ(test, packet.id, sent->id);
	KUNIT_EXPECT_EQ(test, packet.head_len, sent->head_len);
	KUNIT_EXPECT_EQ(test, memcmp(packet.head, sent->head, sent->head_len), 0);
	KUNIT_EXPECT_EQ(test, packet.len, ALIGN(sent->len, 8));
	KUNIT_EXPECT_EQ(test, memcmp(packet.data, sent->data, sent->len), 0);
	kmcl_ring_skip(&pipe->out, &packet);
}

/* Wherever a packet begins, and so wherever it wraps. */
static void every_offset(struct kunit *test)
{
	static const u32 lengths[] = { 0, 1, 7, 8, 9, 100 };
	struct pipe *pipe = get_pipe(test);
	u64 head[3] = { 1, 2, 3 };
	struct kmcl_ring_packet sent = {
		.type = KMCL_PKT_GPA_DIRECT,
		.flags = KMCL_PKT_FLAG_COMPLETION_REQUESTED,
		.id = 0x0123456789abcdef,
		.head = head,
		.data = payload,
	};
	u32 index, i;

	get_random_bytes(payload, sizeof(payload));
	for (index = 0; index < SIZE; index += 8) {
		for (i = 0; i < ARRAY_SIZE(lengths); i++) {
			sent.head_len = i % 2 ? sizeof(head) : 0;
			sent.len = lengths[i];
			starts_at(pipe, index);
			/* The ring is not clean, as in life. */
			memset(pipe->memory.data, 0xee, SIZE);
			KUNIT_ASSERT_EQ(test, kmcl_ring_put(&pipe->in, &sent, 0), 0);
			is_on_the_wire(test, pipe, index, &sent);
			KUNIT_ASSERT_TRUE(test, kmcl_ring_publish(&pipe->in));
			KUNIT_ASSERT_EQ(test, write_index(pipe),
					(index + kmcl_ring_packet_size(sent.head_len,
								       sent.len)) %
					SIZE);
			arrives(test, pipe, &sent);
			kmcl_ring_release(&pipe->out);
			KUNIT_ASSERT_EQ(test, read_index(pipe),
					write_index(pipe));
		}
	}
}

/* A packet may take all but one word: a ring that is full would look empty. */
static void filled_to_the_byte(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	u32 most = SIZE - 8 - DESCRIPTOR - TRAILER, index;
	struct kmcl_ring_packet packet = packet_of_len(most);

	for (index = 0; index < SIZE; index += 8) {
		starts_at(pipe, index);
		KUNIT_ASSERT_EQ(test, puts_len(pipe, most + 1), -EAGAIN);
		KUNIT_ASSERT_EQ(test, puts_len(pipe, most), 0);
		KUNIT_ASSERT_EQ(test, puts_len(pipe, 0), -EAGAIN);
		kmcl_ring_publish(&pipe->in);
		arrives(test, pipe, &packet);
		/* The room is the producer's when it is told so. */
		KUNIT_ASSERT_EQ(test, puts_len(pipe, 0), -EAGAIN);
		kmcl_ring_release(&pipe->out);
		KUNIT_ASSERT_EQ(test, puts_len(pipe, most), 0);
	}
}

/* The same packet by packet, of the smallest. */
static void filled_with_many(struct kunit *test)
{
	u32 fit = (SIZE - 8) / (DESCRIPTOR + TRAILER), n = 0;
	struct kmcl_ring_packet packet;
	struct pipe *pipe = get_pipe(test);

	while (!puts_len(pipe, 0))
		n++;
	KUNIT_EXPECT_EQ(test, n, fit);
	KUNIT_EXPECT_TRUE(test, kmcl_ring_publish(&pipe->in));
	for (n = 0; kmcl_ring_peek(&pipe->out, &packet) > 0; n++)
		kmcl_ring_skip(&pipe->out, &packet);
	KUNIT_EXPECT_EQ(test, n, fit);
}

static void longer_than_can_be_told(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);

	KUNIT_EXPECT_EQ(test, puts_len(pipe, 8 * 0xffff - DESCRIPTOR), -EAGAIN);
	KUNIT_EXPECT_EQ(test, puts_len(pipe, 8 * 0xffff - DESCRIPTOR + 1),
			-EMSGSIZE);
	KUNIT_EXPECT_EQ(test, pipe->in.index, 0);
}

static void published_together(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet;
	unsigned int i;

	for (i = 0; i < 64; i++)
		KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
	KUNIT_EXPECT_EQ(test, write_index(pipe), 0);
	KUNIT_EXPECT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 0);
	KUNIT_EXPECT_TRUE(test, kmcl_ring_publish(&pipe->in));
	KUNIT_EXPECT_EQ(test, write_index(pipe), 64 * 32);
	KUNIT_EXPECT_FALSE(test, kmcl_ring_publish(&pipe->in));
	for (i = 0; i < 64; i++) {
		KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 1);
		kmcl_ring_skip(&pipe->out, &packet);
	}
	KUNIT_EXPECT_EQ(test, read_index(pipe), 0);
	kmcl_ring_release(&pipe->out);
	KUNIT_EXPECT_EQ(test, read_index(pipe), 64 * 32);
}

/* Signals to the consumer */

static const struct publishing {
	const char *name;
	u32 mask;
	u32 unread;	/* packets that the consumer has not read yet */
	bool signal;
} publishings[] = {
	{ "all was read", 0, 0, true },
	{ "one was not", 0, 1, false },
	{ "the consumer reads", 1, 0, false },
	{ "it reads, and has some left", 1, 1, false },
	{ "any bit of the mask", 0x80000000, 0, false },
};

KUNIT_ARRAY_PARAM_DESC(publishing, publishings, name);

static void signal_of_a_publish(struct kunit *test)
{
	const struct publishing *now = test->param_value;
	struct pipe *pipe = get_pipe(test);
	u32 index, i;

	for (index = 0; index < SIZE; index += 8) {
		starts_at(pipe, index);
		for (i = 0; i < now->unread; i++)
			KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
		kmcl_ring_publish(&pipe->in);
		pipe->memory.control->interrupt_mask = now->mask;
		KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
		KUNIT_ASSERT_EQ(test, kmcl_ring_publish(&pipe->in),
				now->signal);
	}
}

static void mask(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);

	kmcl_ring_mask(&pipe->out);
	KUNIT_EXPECT_EQ(test, pipe->memory.control->interrupt_mask, 1);
	KUNIT_EXPECT_EQ(test, puts_len(pipe, 8), 0);
	KUNIT_EXPECT_FALSE(test, kmcl_ring_publish(&pipe->in));
	/* There was no signal, so it has to be seen here. */
	KUNIT_EXPECT_TRUE(test, kmcl_ring_unmask(&pipe->out));
	KUNIT_EXPECT_EQ(test, pipe->memory.control->interrupt_mask, 0);
}

/* What is skipped and not yet released has been read: nothing more came. */
static void unmask_before_the_release(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet;

	KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
	kmcl_ring_publish(&pipe->in);
	KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 1);
	kmcl_ring_skip(&pipe->out, &packet);
	KUNIT_EXPECT_FALSE(test, kmcl_ring_unmask(&pipe->out));
	kmcl_ring_release(&pipe->out);
	/* The index in the control page is for the other end, which may change it. */
	pipe->memory.control->read_index = 0;
	KUNIT_EXPECT_FALSE(test, kmcl_ring_unmask(&pipe->out));
}

/* Signals to the producer */

static const struct releasing {
	const char *name;
	u32 wanted;	/* bytes of room that the producer wants */
	u32 room;	/* bytes that there are before the release */
	u32 read;	/* bytes that it frees */
	u32 features;	/* that the producer names */
	bool signal;
} releasings[] = {
	{ "nothing wanted", 0, 32, 32, 1, false },
	{ "from less to more", 64, 32, 64, 1, true },
	{ "from less to as much", 64, 32, 32, 1, false },
	{ "from as much to more", 64, 64, 32, 1, true },
	{ "there was more before", 64, 96, 32, 1, false },
	{ "still less", 256, 32, 64, 1, false },
	{ "a word more", 56, 32, 32, 1, true },
	{ "a full ring is drained", 64, 32, SIZE - 64, 1, true },
	{ "a producer that looks for room itself", 64, 32, 64, 0, false },
	{ "a producer with all features but this", 64, 32, 64, ~1, false },
	{ "a producer with all features", 64, 32, 64, ~0, true },
	{ "more than there can be", U32_MAX, 32, 64, 1, false },
};

KUNIT_ARRAY_PARAM_DESC(releasing, releasings, name);

static void signal_of_a_release(struct kunit *test)
{
	const struct releasing *now = test->param_value;
	struct kmcl_ring_packet packet;
	struct pipe *pipe = get_pipe(test);
	u32 index, done;

	for (index = 0; index < SIZE; index += 8) {
		starts_at(pipe, index);
		for (done = 0; done < SIZE - now->room; done += 32)
			KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
		kmcl_ring_publish(&pipe->in);
		kmcl_ring_want_room(&pipe->in, now->wanted);
		pipe->memory.control->features = now->features;
		for (done = 0; done < now->read; done += 32) {
			KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out,
							     &packet), 1);
			kmcl_ring_skip(&pipe->out, &packet);
		}
		KUNIT_ASSERT_EQ(test, kmcl_ring_release(&pipe->out),
				now->signal);
		KUNIT_ASSERT_FALSE(test, kmcl_ring_release(&pipe->out));
	}
}

/* A hostile producer */

static const u32 lies[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 100, 511, 512, 513, 0x7fff, 0xffff,
};

/* By the words of the wire: whole words, all of it in what is filled. */
static bool is_packet(u32 filled, u32 offset8, u32 len8)
{
	return filled % 8 == 0 && offset8 >= DESCRIPTOR / 8 &&
	       offset8 <= len8 && 8 * len8 + TRAILER <= filled;
}

static void is_judged(struct kunit *test, struct pipe *pipe, u32 index,
		      u32 filled, u32 offset8, u32 len8)
{
	u16 *desc = pipe->memory.data + index;
	struct kmcl_ring_packet packet;
	int seen;

	starts_at(pipe, index);
	desc[1] = offset8;
	desc[2] = len8;
	pipe->memory.control->write_index = (index + filled) % SIZE;
	seen = kmcl_ring_peek(&pipe->out, &packet);
	if (!filled) {
		KUNIT_ASSERT_EQ(test, seen, 0);
	} else if (!is_packet(filled, offset8, len8)) {
		KUNIT_ASSERT_EQ(test, seen, -EIO);
	} else {
		KUNIT_ASSERT_EQ(test, seen, 1);
		KUNIT_ASSERT_EQ(test, packet.head_len,
				8 * offset8 - DESCRIPTOR);
		KUNIT_ASSERT_EQ(test, packet.len, 8 * (len8 - offset8));
		KUNIT_ASSERT_PTR_EQ(test, packet.data,
				    (const void *)desc + 8 * offset8);
		kmcl_ring_skip(&pipe->out, &packet);
		KUNIT_ASSERT_EQ(test, pipe->out.index,
				(index + 8 * len8 + TRAILER) % SIZE);
	}
}

static void hostile_lengths(struct kunit *test)
{
	static const u32 filled[] = {
		0, 1, 7, 8, 16, 17, 23, 24, 25, 31, 32, 40, 64, 136, 137, 1000,
		SIZE - 8, SIZE - 7, SIZE - 1,
	};
	static const u32 begin[] = { 0, 8, 2048, SIZE - 24, SIZE - 8 };
	struct pipe *pipe = get_pipe(test);
	unsigned int i, j, k, l;

	for (i = 0; i < ARRAY_SIZE(begin); i++)
		for (j = 0; j < ARRAY_SIZE(filled); j++)
			for (k = 0; k < ARRAY_SIZE(lies); k++)
				for (l = 0; l < ARRAY_SIZE(lies); l++)
					is_judged(test, pipe, begin[i],
						  filled[j], lies[k], lies[l]);
}

static const u32 no_indices[] = {
	1, 2, 4, 7, 12, SIZE - 4, SIZE - 1, SIZE, SIZE + 8, 2 * SIZE,
	0x7fffffff, 0x80000000, 0xfffffff8, 0xffffffff,
};

static void hostile_write_index(struct kunit *test)
{
	struct kmcl_ring_packet packet;
	struct pipe *pipe = get_pipe(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_indices); i++) {
		starts_at(pipe, 64);
		pipe->memory.control->write_index = no_indices[i];
		KUNIT_EXPECT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), -EIO);
		KUNIT_EXPECT_EQ(test, pipe->out.index, 64);
	}
}

/* It also decides of a signal, which is then none. */
static void hostile_write_index_at_a_release(struct kunit *test)
{
	struct kmcl_ring_packet packet;
	struct pipe *pipe = get_pipe(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_indices); i++) {
		starts_at(pipe, 64);
		KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
		kmcl_ring_publish(&pipe->in);
		kmcl_ring_want_room(&pipe->in, 1);
		KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 1);
		kmcl_ring_skip(&pipe->out, &packet);
		pipe->memory.control->write_index = no_indices[i];
		KUNIT_EXPECT_FALSE(test, kmcl_ring_release(&pipe->out));
	}
}

/* A hostile consumer */

static void hostile_read_index(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_indices); i++) {
		starts_at(pipe, 64);
		pipe->memory.control->read_index = no_indices[i];
		KUNIT_EXPECT_EQ(test, puts_len(pipe, 8), -EIO);
		KUNIT_EXPECT_EQ(test, pipe->in.index, 64);
		KUNIT_EXPECT_FALSE(test, kmcl_ring_publish(&pipe->in));
	}
}

/* Any index that can be one leaves just that much room. */
static void read_index_says_the_room(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	u32 read, room, len;

	for (read = 0; read < SIZE; read += 8) {
		room = read > 64 ? read - 64 : SIZE - 64 + read;
		starts_at(pipe, 64);
		pipe->memory.control->read_index = read;
		if (room > DESCRIPTOR + TRAILER + 8) {
			len = room - DESCRIPTOR - TRAILER - 8;
			KUNIT_ASSERT_EQ(test, puts_len(pipe, len + 1), -EAGAIN);
			KUNIT_ASSERT_EQ(test, puts_len(pipe, len), 0);
		} else {
			KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), -EAGAIN);
		}
	}
}

/* One's own index is not read back, so it need not be believed. */
static void own_index_is_ones_own(struct kunit *test)
{
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet, sent = packet_of_len(8);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_indices); i++) {
		pipe->memory.control->write_index = no_indices[i];
		KUNIT_ASSERT_EQ(test, kmcl_ring_put(&pipe->in, &sent, 0), 0);
		kmcl_ring_publish(&pipe->in);
		pipe->memory.control->read_index = no_indices[i];
		KUNIT_ASSERT_EQ(test, kmcl_ring_peek(&pipe->out, &packet), 1);
		arrives(test, pipe, &sent);
		kmcl_ring_release(&pipe->out);
		KUNIT_EXPECT_EQ(test, read_index(pipe), write_index(pipe));
	}
}

/* The other end writes all the time: between any two reads of this one. */

/**
 * struct scribbler - a thread that does so
 * @pipe: the ring
 * @rounds: how often it has written
 * @thread: itself
 */
struct scribbler {
	struct pipe *pipe;
	unsigned long rounds;
	struct task_struct *thread;
};

static void stop_scribbling(void *arg)
{
	struct scribbler *scribbler = arg;

	kthread_stop(scribbler->thread);
}

/* It has begun when this returns, and ends with the case. */
static struct scribbler *start_scribbling(struct kunit *test, struct pipe *pipe,
					  int (*scribble)(void *arg))
{
	struct scribbler *scribbler = kunit_kzalloc(test, sizeof(*scribbler),
						    GFP_KERNEL);
	bool begun;

	KUNIT_ASSERT_NOT_NULL(test, scribbler);
	scribbler->pipe = pipe;
	scribbler->thread = kthread_run(scribble, scribbler, "scribble");
	KUNIT_ASSERT_FALSE(test, IS_ERR(scribbler->thread));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_scribbling,
							scribbler), 0);
	begun = eventually(READ_ONCE(scribbler->rounds));
	KUNIT_ASSERT_TRUE(test, begun);
	return scribbler;
}

static void has_written(struct scribbler *scribbler)
{
	WRITE_ONCE(scribbler->rounds, scribbler->rounds + 1);
	cond_resched();
}

/*
 * One packet of 8 bytes, whose head says so and something larger in turn. A reader
 * that takes a length twice finds a packet that is neither.
 */
static int scribble_lengths(void *arg)
{
	struct scribbler *scribbler = arg;
	u16 *head = scribbler->pipe->memory.data;

	while (!kthread_should_stop()) {
		WRITE_ONCE(head[1], scribbler->rounds & 1 ? 2 : 0x1fff);
		WRITE_ONCE(head[2], scribbler->rounds & 2 ? 3 : 0xffff);
		has_written(scribbler);
	}
	return 0;
}

#define LENGTHS	200000

static void lengths_change_at_any_time(struct kunit *test)
{
	u32 read = 0, refused = 0, wrong = 0, i;
	unsigned long end = jiffies + 10 * HZ;
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet;
	struct scribbler *scribbler;
	int err;

	KUNIT_ASSERT_EQ(test, puts_len(pipe, 8), 0);
	kmcl_ring_publish(&pipe->in);
	scribbler = start_scribbling(test, pipe, scribble_lengths);
	/* The other thread may get no time on its CPU for a while. */
	for (i = 0; i < LENGTHS || !read || !refused; i++) {
		err = kmcl_ring_peek(&pipe->out, &packet);
		read += err > 0;
		refused += err == -EIO;
		wrong += err > 0 && (packet.head_len || packet.len != 8);
		if (i % 64 == 0)
			cond_resched();
		if (time_after(jiffies, end))
			break;
	}
	kunit_info(test, "%u packets read, %u refused, %lu writes", read,
		   refused, READ_ONCE(scribbler->rounds));
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_GT(test, read, 0);
	KUNIT_EXPECT_GT(test, refused, 0);
}

static int scribble(void *arg)
{
	struct scribbler *scribbler = arg;
	struct pipe *pipe = scribbler->pipe;
	u32 *control = (u32 *)pipe->memory.control;
	u64 *data = pipe->memory.data;

	while (!kthread_should_stop()) {
		u64 bits = get_random_u64();
		u32 index = bits % SIZE & ~7;

		WRITE_ONCE(control[bits >> 60 & 3],
			   bits >> 58 & 3 ? index : (u32)(bits >> 16));
		/* Mostly heads that may be ones. */
		WRITE_ONCE(data[index / 8],
			   bits >> 56 & 1 ? bits : bits & 0x7f0003000f);
		has_written(scribbler);
	}
	return 0;
}

static bool is_in_the_ring(const struct pipe *pipe, const void *at, u32 len)
{
	return at >= pipe->memory.data && len <= SIZE &&
	       at + len <= pipe->memory.data + 2 * SIZE;
}

#define SCRIBBLES	200000

static void indices_change_at_any_time(struct kunit *test)
{
	u32 outside = 0, read = 0, written = 0, i;
	struct pipe *pipe = get_pipe(test);
	struct kmcl_ring_packet packet;

	start_scribbling(test, pipe, scribble);
	for (i = 0; i < SCRIBBLES; i++) {
		written += !puts_len(pipe, i % 300);
		kmcl_ring_publish(&pipe->in);
		if (kmcl_ring_peek(&pipe->out, &packet) > 0) {
			outside += !is_in_the_ring(pipe, packet.head,
						   packet.head_len) ||
				   !is_in_the_ring(pipe, packet.data,
						   packet.len + TRAILER);
			kmcl_ring_skip(&pipe->out, &packet);
			kmcl_ring_release(&pipe->out);
			read++;
		}
		outside += pipe->in.index >= SIZE || pipe->in.index % 8 ||
			   pipe->out.index >= SIZE || pipe->out.index % 8;
		if (i % 64 == 0)
			cond_resched();
	}
	kunit_info(test, "%u packets written, %u read", written, read);
	KUNIT_EXPECT_EQ(test, outside, 0);
	KUNIT_EXPECT_GT(test, written, 0);
	KUNIT_EXPECT_GT(test, read, 0);
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(empty_ring),
	KUNIT_CASE(every_offset),
	KUNIT_CASE(filled_to_the_byte),
	KUNIT_CASE(filled_with_many),
	KUNIT_CASE(longer_than_can_be_told),
	KUNIT_CASE(published_together),
	KUNIT_CASE_PARAM(signal_of_a_publish, publishing_gen_params),
	KUNIT_CASE(mask),
	KUNIT_CASE(unmask_before_the_release),
	KUNIT_CASE_PARAM(signal_of_a_release, releasing_gen_params),
	KUNIT_CASE(hostile_lengths),
	KUNIT_CASE(hostile_write_index),
	KUNIT_CASE(hostile_write_index_at_a_release),
	KUNIT_CASE(hostile_read_index),
	KUNIT_CASE(read_index_says_the_room),
	KUNIT_CASE(own_index_is_ones_own),
	KUNIT_CASE(lengths_change_at_any_time),
	KUNIT_CASE(indices_change_at_any_time),
	{}
};

struct kunit_suite vmbkmcl_ring_suite = {
	.name = "vmbkmcl_ring",
	.test_cases = ring_cases,
};
