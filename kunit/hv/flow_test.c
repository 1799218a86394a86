// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flow control: packets wait while the server does not read, until an event of the
 * server's makes the guest send them.
 */

#include <linux/slab.h>

#include "../../vmbkmcl/trace.h"
#include "../../vmbkmcl/budget.h"
#include "../lib/client.h"
#include "../lib/fake_bus.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define LARGEST		1064	/* bytes of payload */
#define RING		4096	/* bytes of data in a ring of two pages */
#define OVERHEAD	24	/* descriptor and trailer of a packet */
#define MOST		3000	/* packets of a case */

struct sender;

struct sent {
	struct sender *sender;
	VMBPACKET packet;
	atomic_t done;
};

/**
 * struct sender - packets sent in order to the server, and what came of them
 * @srv: the channel, with rings of two pages
 * @chan: hv_vmbus's side of it
 * @in_ring: packets that went in the ring
 * @misordered: those of another number than the next one
 * @sent: each packet
 * @count: so many
 * @done: completion routines called
 * @failed: with another status than success
 * @doubled: for a packet that had been completed
 */
struct sender {
	struct server srv;
	struct vmbus_channel *chan;
	u32 in_ring;
	u32 misordered;
	struct sent *sent;
	unsigned int count;
	atomic_t done;
	atomic_t failed;
	atomic_t doubled;
};

/*
 * The payload of a packet that has just been put in the ring. NULL: it is a request,
 * which wants a completion; those are not counted among the packets.
 */
static const u32 *sent_words(const struct kmcl_channel *ch, u32 len)
{
	const struct kmcl_ring *ring = &ch->tx.ring;
	u32 size = kmcl_ring_packet_size(0, len);
	const struct kmcl_descriptor *desc;

	desc = ring->memory.data +
	       (ring->index + ring->memory.size - size) % ring->memory.size;
	return desc->flags ? NULL : (const void *)(desc + 1);
}

/* Called for each packet, with the lock that puts it in the ring. */
static void a_packet_went(void *data, const struct kmcl_channel *ch, u32 type,
			  u64 id, u32 len)
{
	const u32 *words = sent_words(ch, len);
	struct sender *sender = data;

	if (ch != sender->srv.ch || !words)
		return;
	if (len && words[0] != sender->in_ring)
		sender->misordered++;
	WRITE_ONCE(sender->in_ring, sender->in_ring + 1);
}

static void stop_listening(void *sender)
{
	unregister_trace_vmbkmcl_send(a_packet_went, sender);
	tracepoint_synchronize_unregister();
}

static VOID has_gone(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		     UINT32 length)
{
	struct sent *sent = VmbPacketGetPointer(packet);
	struct sender *sender = sent->sender;

	if (atomic_inc_return(&sent->done) > 1)
		atomic_inc(&sender->doubled);
	if (status != STATUS_SUCCESS)
		atomic_inc(&sender->failed);
	/* Cases poll for this: write it last. */
	smp_mb__before_atomic();
	atomic_inc(&sender->done);
}

static void sender_end(void *arg)
{
	struct sender *sender = arg;
	unsigned int i;

	VmbChannelDisable(sender->srv.ch);
	for (i = 0; i < sender->count; i++)
		VmbPacketFree(sender->sent[i].packet);
}

static struct sender *sender_start(struct kunit *test)
{
	struct sender *sender = kunit_kzalloc(test, sizeof(*sender),
					      GFP_KERNEL);
	guid_t type, instance;
	VMBCHANNEL ch;

	KUNIT_ASSERT_NOT_NULL(test, sender);
	sender->sent = kunit_kcalloc(test, MOST, sizeof(*sender->sent),
				     GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, sender->sent);
	ch = get_channel(test);
	sender->srv.ch = ch;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, sender_end,
							sender), 0);
	VmbChannelSetPointer(ch, sender);
	KUNIT_ASSERT_EQ(test,
			register_trace_vmbkmcl_send(a_packet_went, sender), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_listening,
							sender), 0);

	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	VmbClientChannelInitSetRingBufferPageCount(ch, 2, 2);
	VmbChannelInitSetMaximumPacketSize(ch, LARGEST);
	VmbChannelInitSetMaximumExternalData(ch, PAGE_SIZE, 1);
	sender->chan = device_find(test, TESTDEV_INSTANCE_GUID)->channel;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	KUNIT_ASSERT_EQ(test, kmcl_channel_tx_bytes(ch), PAGE_SIZE + RING);
	return sender;
}

static u32 free_in_ring(const struct sender *sender)
{
	return hv_get_bytes_to_write(&sender->chan->outbound);
}

/* The server completes a request before it takes it off the ring. */
static void ring_is_empty(struct kunit *test, const struct sender *sender)
{
	ASSERT_EVENTUALLY(test, free_in_ring(sender) == RING);
}

static void stall_or_pace(struct kunit *test, struct sender *sender,
			  enum testdev_op op, u64 length, u64 offset)
{
	server_does(test, sender->srv.ch, .op = op, .length = length,
		    .offset = offset);
	ring_is_empty(test, sender);
}

static u64 server_consumed(struct kunit *test, struct sender *sender)
{
	struct testdev_request req = { .op = TESTDEV_REPORT };
	struct testdev_report report = {};
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&sender->srv, &req, NULL, &rsp,
					  &report, sizeof(report)),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	return report.consumed;
}

static VMBPACKET is_to_be_sent(struct kunit *test, struct sender *sender)
{
	VMBPACKET packet = VmbPacketAllocate(sender->srv.ch);
	struct sent *sent;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_ASSERT_LT(test, sender->count, MOST);
	sent = &sender->sent[sender->count++];
	sent->sender = sender;
	sent->packet = packet;
	VmbPacketSetCompletionRoutine(packet, has_gone);
	VmbPacketSetPointer(packet, sent);
	return packet;
}

/* A packet that takes @bytes of the ring. */
static void sends(struct kunit *test, struct sender *sender, u32 bytes)
{
	static u32 data[RING / sizeof(u32)];
	VMBPACKET packet;

	data[0] = sender->count;
	packet = is_to_be_sent(test, sender);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, data, bytes - OVERHEAD,
					    NULL, 0), STATUS_SUCCESS);
}

static void all_went(struct kunit *test, struct sender *sender)
{
	EXPECT_EVENTUALLY(test, atomic_read(&sender->done) == sender->count);
	KUNIT_EXPECT_EQ(test, atomic_read(&sender->done), sender->count);
	KUNIT_EXPECT_EQ(test, atomic_read(&sender->failed), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&sender->doubled), 0);
	KUNIT_EXPECT_EQ(test, sender->in_ring, sender->count);
	KUNIT_EXPECT_EQ(test, sender->misordered, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&sender->srv.ch->tx.queue));
}

/* The server has read all there were, since it said @consumed. */
static void all_arrived(struct kunit *test, struct sender *sender, u64 consumed)
{
	KUNIT_EXPECT_EQ(test, server_consumed(test, sender) - consumed,
			sender->count);
}

static u32 wanted_room(const struct sender *sender)
{
	return READ_ONCE(sender->chan->outbound.ring_buffer->pending_send_sz);
}

/* Counters that stand still on an idle channel, and the host's events */
struct activity {
	u64 polls;
	u64 attempts;	/* to put a packet in the ring */
	u64 signals;
	u64 events;
};

static struct activity activity_of(const struct sender *sender)
{
	const struct kmcl_tx *tx = &sender->srv.ch->tx;
	struct activity now = {
		.polls = READ_ONCE(sender->srv.ch->rx.polls),
		.attempts = READ_ONCE(tx->sent) + READ_ONCE(tx->ring_full),
		.signals = READ_ONCE(sender->chan->sig_events),
	};

	/* Each comes before the poll it causes. */
	smp_rmb();
	now.events = READ_ONCE(sender->chan->interrupts);
	return now;
}

static void is_quiet(struct kunit *test, struct sender *sender,
		     unsigned int ms)
{
	struct activity before = activity_of(sender), after;

	msleep(ms);
	after = activity_of(sender);
	KUNIT_EXPECT_EQ(test, after.polls, before.polls);
	KUNIT_EXPECT_EQ(test, after.attempts, before.attempts);
	KUNIT_EXPECT_EQ(test, after.signals, before.signals);
}

/* The server reads nothing, and the ring is full */

static void nothing_runs_while_the_server_does_not_read(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	struct kmcl_tx *tx = &sender->srv.ch->tx;
	struct activity before, after;
	unsigned int i, fit;

	stall_or_pace(test, sender, TESTDEV_STALL, 9000, 0);
	for (i = 0; i < 300; i++)
		sends(test, sender, 256);
	fit = (RING - 8) / 256;
	KUNIT_EXPECT_EQ(test, atomic_read(&sender->done), fit);
	KUNIT_EXPECT_EQ(test, tx->queued, 300 - fit);
	/* Once before the guest asks for room, and once after. */
	KUNIT_EXPECT_EQ(test, tx->ring_full, 2);
	KUNIT_EXPECT_GT(test, wanted_room(sender), 0);

	is_quiet(test, sender, 5000);
	KUNIT_EXPECT_EQ(test, atomic_read(&sender->done), fit);

	before = activity_of(sender);
	all_went(test, sender);
	after = activity_of(sender);
	/*
	 * The server's events did it. A poll goes on in another one if its budget does not
	 * suffice for the packets that leave the queue, and for their routines.
	 */
	KUNIT_EXPECT_GT(test, after.polls, before.polls);
	KUNIT_EXPECT_LE(test, after.polls - before.polls,
			after.events - before.events +
			DIV_ROUND_UP(2 * (300 - fit), KMCL_BUDGET_PACKETS));
	KUNIT_EXPECT_EQ(test, wanted_room(sender), 0);
	all_arrived(test, sender, consumed);
	is_quiet(test, sender, 500);
}

/* One packet waits. The server empties the ring before it signals. */
static void ring_is_drained_completely(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	struct kmcl_tx *tx = &sender->srv.ch->tx;
	unsigned int i, round;

	for (round = 0; round < 10; round++) {
		u64 queued = tx->queued;
		u64 signals;

		/* The last packet of the round before is on it until it is read. */
		ring_is_empty(test, sender);
		signals = activity_of(sender).signals;
		stall_or_pace(test, sender, TESTDEV_STALL, 400, 0);
		for (i = 0; tx->queued == queued && i < 8; i++)
			sends(test, sender, 512);
		KUNIT_EXPECT_EQ(test, tx->queued, queued + 1);
		all_went(test, sender);
		KUNIT_EXPECT_EQ(test, wanted_room(sender), 0);
		/* To an empty ring went: the request, the first one, the last. */
		KUNIT_EXPECT_EQ(test, activity_of(sender).signals - signals, 3);
	}
	KUNIT_EXPECT_EQ(test, tx->ring_full, 2 * 10);

	for (i = 0; i < 50; i++)
		sends(test, sender, 512);
	all_went(test, sender);
	all_arrived(test, sender, consumed);
}

/* A ring may be filled up to the last eight bytes: more would look empty. */
static void ring_is_filled_to_the_byte(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	struct kmcl_tx *tx = &sender->srv.ch->tx;

	stall_or_pace(test, sender, TESTDEV_STALL, 1000, 0);
	sends(test, sender, 1024);
	sends(test, sender, 1024);
	sends(test, sender, 1024);
	sends(test, sender, 1016);
	KUNIT_EXPECT_EQ(test, free_in_ring(sender), 8);
	KUNIT_EXPECT_EQ(test, tx->queued, 0);
	KUNIT_EXPECT_EQ(test, tx->ring_full, 0);

	/* Not even the smallest packet fits any more. */
	sends(test, sender, OVERHEAD);
	KUNIT_EXPECT_EQ(test, tx->queued, 1);
	KUNIT_EXPECT_EQ(test, wanted_room(sender), RING / 4);
	is_quiet(test, sender, 300);
	all_went(test, sender);
	KUNIT_EXPECT_EQ(test, wanted_room(sender), 0);
	all_arrived(test, sender, consumed);
}

/* A packet that would fill the ring to the last byte waits as well. */
static void packet_fits_to_the_byte(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	struct kmcl_tx *tx = &sender->srv.ch->tx;

	stall_or_pace(test, sender, TESTDEV_STALL, 500, 0);
	sends(test, sender, 1024);
	sends(test, sender, 1024);
	sends(test, sender, 1024);
	KUNIT_EXPECT_EQ(test, free_in_ring(sender), 1024);
	sends(test, sender, 1024);
	KUNIT_EXPECT_EQ(test, tx->queued, 1);
	KUNIT_EXPECT_EQ(test, wanted_room(sender), 1024 + 8);
	all_went(test, sender);
	all_arrived(test, sender, consumed);
}

/* Packet by packet: each makes some room, and not always enough. */
static void server_reads_one_at_a_time(struct kunit *test)
{
	static const u32 sizes[] = { 24, 1088, 512, 64, 1024, 1088, 32, 256 };
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	unsigned int i;

	stall_or_pace(test, sender, TESTDEV_PACE, 2, 1);
	for (i = 0; i < 400; i++)
		sends(test, sender, sizes[i % ARRAY_SIZE(sizes)]);
	all_went(test, sender);
	stall_or_pace(test, sender, TESTDEV_PACE, 0, 0);
	KUNIT_EXPECT_GT(test, sender->srv.ch->tx.queued, 0);
	all_arrived(test, sender, consumed);
	is_quiet(test, sender, 500);
}

/*
 * Wake-ups come all the time, on the one CPU or the other, and find it queueing.
 * On a fast machine it waits for some now and then, lest it be done before.
 */
static void wake_ups_while_the_queue_is_filled(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	u64 polls;

	stall_or_pace(test, sender, TESTDEV_PACE, 20, 0);
	polls = activity_of(sender).polls;
	while (sender->count < MOST && activity_of(sender).polls < polls + 50) {
		sends(test, sender, 512);
		if (sender->count - atomic_read(&sender->done) > 100)
			usleep_range(100, 200);
	}
	KUNIT_EXPECT_GE(test, activity_of(sender).polls, polls + 50);
	all_went(test, sender);
	stall_or_pace(test, sender, TESTDEV_PACE, 0, 0);
	KUNIT_EXPECT_GT(test, sender->srv.ch->tx.queued, 50);
	all_arrived(test, sender, consumed);
}

/* Several at once */

#define LINES	3
#define EACH	700

/* Packets of a line that are queued: those of all are more than the ring holds. */
#define AHEAD	12

/**
 * struct line - one of several threads that send on a channel
 * @sender: the channel
 * @job: the thread
 * @number: of this one
 * @went: packets of it in the ring
 * @misordered: those of another number than the next one
 * @sent: those accepted, each soon enough after the ones before
 */
struct line {
	struct sender *sender;
	struct job *job;
	u32 number;
	u32 went;
	u32 misordered;
	u32 sent;
};

static struct line lines[LINES];

/* Each line's packets come here one after another, or they are out of order. */
static void a_packet_of_a_line_went(void *data, const struct kmcl_channel *ch,
				    u32 type, u64 id, u32 len)
{
	const u32 *words = sent_words(ch, len);
	struct sender *sender = data;
	struct line *line;

	if (ch != sender->srv.ch || !words)
		return;
	line = &lines[words[0]];
	if (words[1] != line->went)
		line->misordered++;
	WRITE_ONCE(line->went, line->went + 1);
}

static void stop_listening_to_lines(void *sender)
{
	unregister_trace_vmbkmcl_send(a_packet_of_a_line_went, sender);
	tracepoint_synchronize_unregister();
}

static void send_a_line(void *arg)
{
	struct line *line = arg;
	struct sent *sent = &line->sender->sent[line->number * EACH];
	u32 data[32] = { line->number };

	for (data[1] = 0; data[1] < EACH; data[1]++) {
		if (VmbPacketSend(sent[data[1]].packet, data, sizeof(data), NULL,
				  0) ||
		    !eventually(data[1] < READ_ONCE(line->went) + AHEAD))
			return;
		WRITE_ONCE(line->sent, data[1] + 1);
	}
}

/*
 * One sender finds the ring full and queues, the queue is flushed, and others send:
 * what a thread sends must not overtake what it sent before.
 */
static void several_senders(struct kunit *test)
{
	struct sender *sender = sender_start(test);
	u64 consumed = server_consumed(test, sender);
	struct kmcl_tx *tx = &sender->srv.ch->tx;
	u64 sent = READ_ONCE(tx->sent);
	u32 i, requests = 0;

	for (i = 0; i < LINES * EACH; i++)
		is_to_be_sent(test, sender);
	kunit_release_action(test, stop_listening, sender);
	KUNIT_ASSERT_EQ(test,
			register_trace_vmbkmcl_send(a_packet_of_a_line_went,
						    sender), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							stop_listening_to_lines,
							sender), 0);
	stall_or_pace(test, sender, TESTDEV_PACE, 5, 0);
	for (i = 0; i < LINES; i++) {
		lines[i] = (struct line) { .sender = sender, .number = i };
		lines[i].job = job_start(test, send_a_line, &lines[i]);
	}
	/* Requests go between the others. */
	for (i = 0; i < LINES; i++) {
		while (!job_done(lines[i].job)) {
			server_consumed(test, sender);
			requests++;
		}
		job_join(test, lines[i].job);
		KUNIT_EXPECT_EQ(test, lines[i].sent, EACH);
	}
	ASSERT_EVENTUALLY(test, atomic_read(&sender->done) == sender->count);
	for (i = 0; i < LINES; i++) {
		sender->in_ring += lines[i].went;
		sender->misordered += lines[i].misordered;
	}
	all_went(test, sender);
	stall_or_pace(test, sender, TESTDEV_PACE, 0, 0);
	kunit_info(test, "%llu queued, %u requests", tx->queued, requests);
	KUNIT_EXPECT_GT(test, tx->queued, 0);
	/* The two TESTDEV_PACE requests are counted, too. */
	KUNIT_EXPECT_EQ(test, READ_ONCE(tx->sent) - sent,
			sender->count + requests + 2);
	all_arrived(test, sender, consumed);
}

/* The same where nothing else is waited for: room for one packet, again and again. */

#define FAKE_PACKETS	2000

/**
 * struct fake_ring - a fake bus's ring with room for one packet
 * @test: the case
 * @bus: the bus
 * @next: number of the packet that is to come
 * @misordered: others
 * @woken: wake-ups
 * @maker: the thread that makes room
 * @stop: it may go
 */
struct fake_ring {
	struct kunit *test;
	struct fake_bus *bus;
	u32 next;
	u32 misordered;
	u32 woken;
	struct job *maker;
	bool stop;
};

static void comes_in_order(struct fake_bus *bus,
			   const struct kmcl_ring_packet *packet)
{
	struct fake_ring *ring = VmbChannelGetPointer(bus->ch);

	if (*(u32 *)packet->data != ring->next)
		ring->misordered++;
	WRITE_ONCE(ring->next, ring->next + 1);
}

/* A host signals once, and only if the guest has asked for room. */
static void make_room(void *arg)
{
	struct fake_ring *ring = arg;
	struct fake_bus *bus = ring->bus;

	while (!READ_ONCE(ring->stop)) {
		fake_bus_read(bus);
		if (!READ_ONCE(bus->ring_room)) {
			fake_bus_set_room(bus, 1);
			/* The room first: pairs with kmcl_ring_want_room(). */
			smp_mb();
			if (fake_bus_wanted_room(bus)) {
				ring->woken++;
				/* The poll follows at once, as on an interrupt. */
				local_bh_disable();
				kmcl_poll_schedule(bus->ch);
				local_bh_enable();
			}
		}
		cond_resched();
	}
}

static void stop_making_room(void *arg)
{
	struct fake_ring *ring = arg;

	WRITE_ONCE(ring->stop, true);
	job_join(ring->test, ring->maker);
}

static void room_while_the_queue_is_filled(struct kunit *test)
{
	struct fake_ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	struct fake_bus *bus = fake_bus_start(test);
	VMBPACKET packet;
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	ring->test = test;
	ring->bus = bus;
	VmbChannelSetPointer(bus->ch, ring);
	bus->seen = comes_in_order;
	fake_bus_set_room(bus, 0);
	ring->maker = job_start(test, make_room, ring);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, stop_making_room,
							ring), 0);
	for (i = 0; i < FAKE_PACKETS; i++) {
		packet = VmbPacketAllocate(bus->ch);
		KUNIT_ASSERT_NOT_NULL(test, packet);
		KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &i, sizeof(i), NULL,
						    0), STATUS_SUCCESS);
	}
	EXPECT_EVENTUALLY(test, READ_ONCE(ring->next) == FAKE_PACKETS);
	kunit_release_action(test, stop_making_room, ring);
	kunit_info(test, "%llu packets queued, %u wake-ups",
		   bus->ch->tx.queued, ring->woken);
	KUNIT_EXPECT_EQ(test, ring->next, FAKE_PACKETS);
	KUNIT_EXPECT_EQ(test, ring->misordered, 0);
	KUNIT_EXPECT_GT(test, bus->ch->tx.queued, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

/**
 * struct keeper - a client that keeps a packet, on a host that makes little room
 * @kept: the packet
 * @room: packets that the host makes room for the next time that the ring is full
 */
struct keeper {
	VMBPACKETCOMPLETION kept;
	int room;
};

static VOID keep(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		 UINT32 length, UINT32 flags)
{
	struct keeper *keeper = VmbChannelGetPointer(ch);

	/* The case reads the packet after it is stored. */
	smp_store_release(&keeper->kept, packet);
}

static void make_a_little_room(struct kmcl_channel *ch, bool first)
{
	struct fake_bus *bus = container_of(ch->pinned, struct fake_bus, ops);
	struct keeper *keeper = VmbChannelGetPointer(ch);

	if (keeper->room)
		fake_bus_make_room(bus, keeper->room);
	keeper->room = 0;
}

/*
 * It is a completion's turn, and a larger packet waits behind it. The completion finds
 * no room, and then some after all: pending_send_sz must still be the larger packet's
 * size. A host signals when its ring gets that much room, and for a smaller size that has
 * happened before.
 */
static void completion_keeps_the_wanted_room(struct kunit *test)
{
	struct keeper *keeper = kunit_kzalloc(test, sizeof(*keeper),
					      GFP_KERNEL);
	struct fake_bus *bus = fake_bus_create(test);
	u64 data[64] = {};
	VMBPACKET packet;
	u32 wanted;

	KUNIT_ASSERT_NOT_NULL(test, keeper);
	VmbChannelSetPointer(bus->ch, keeper);
	bus->ops.ring_full = make_a_little_room;
	VmbChannelInitSetProcessPacketCallbacks(bus->ch, keep, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	fake_bus_deliver_request(bus, 1, data, sizeof(data[0]));
	/* Pairs with keep(). */
	ASSERT_EVENTUALLY(test, smp_load_acquire(&keeper->kept));

	fake_bus_set_room(bus, 0);
	packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, data, sizeof(data), NULL,
					    0), STATUS_SUCCESS);
	wanted = fake_bus_wanted_room(bus);
	KUNIT_EXPECT_GT(test, wanted, sizeof(data));

	VmbChannelPacketComplete(keeper->kept, data, sizeof(data[0]));
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);
	keeper->room = 1;
	kmcl_poll_schedule(bus->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), wanted);

	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(bus->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 1);
	EXPECT_EVENTUALLY(test, !fake_bus_wanted_room(bus));
}

static struct kunit_case flow_cases[] = {
	KUNIT_CASE_SLOW(nothing_runs_while_the_server_does_not_read),
	KUNIT_CASE_SLOW(ring_is_drained_completely),
	KUNIT_CASE_SLOW(ring_is_filled_to_the_byte),
	KUNIT_CASE(packet_fits_to_the_byte),
	KUNIT_CASE_SLOW(server_reads_one_at_a_time),
	KUNIT_CASE_SLOW(wake_ups_while_the_queue_is_filled),
	KUNIT_CASE_SLOW(several_senders),
	KUNIT_CASE_SLOW(room_while_the_queue_is_filled),
	KUNIT_CASE(completion_keeps_the_wanted_room),
	{}
};

struct kunit_suite vmbkmcl_flow_suite = {
	.name = "vmbkmcl_flow",
	.test_cases = flow_cases,
};
