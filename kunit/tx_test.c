// SPDX-License-Identifier: GPL-2.0-only
/* Packet objects, and sending with them, on the fake bus and to the server. */

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "lib/client.h"
#include "lib/device.h"
#include "lib/log.h"
#include "lib/outcome.h"
#include "lib/ring_record.h"
#include "lib/server.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define UNREAD		(KMCL_TX_SLOTS + 44)
#define MANY	1000

/* Packet objects */

static void packet_of_a_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKET packet = VmbPacketAllocate(bus->ch);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetChannel(packet), bus->ch);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(packet));
	VmbPacketSetPointer(packet, test);
	KUNIT_EXPECT_PTR_EQ(test, VmbPacketGetPointer(packet), (void *)test);
	VmbPacketFree(packet);
	VmbPacketFree(NULL);
	KUNIT_EXPECT_NULL(test, VmbPacketAllocate(NULL));
}

static void freed_packet_is_used_again(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKET first = VmbPacketAllocate(bus->ch), again;

	VmbPacketSetPointer(first, test);
	VmbPacketFree(first);
	again = VmbPacketAllocate(bus->ch);
	KUNIT_EXPECT_PTR_EQ(test, again, first);
	KUNIT_EXPECT_NULL(test, VmbPacketGetPointer(again));
	VmbPacketFree(again);

	/* Unless the settings ask for a larger one. */
	VmbChannelInitSetMaximumPacketSize(bus->ch, 65536);
	again = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, again);
	memset((u8 *)again + VmbChannelSizeofPacket(bus->ch) - 8, 0, 8);
	VmbPacketFree(again);
}

static void many_packets(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	static VMBPACKET packets[200];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(packets); i++)
		packets[i] = VmbPacketAllocate(bus->ch);
	for (i = 0; i < ARRAY_SIZE(packets); i++)
		VmbPacketFree(packets[i]);
	KUNIT_EXPECT_EQ(test, bus->ch->packets.count, 64);
}

/* KASAN would report a use after free. */
static void packet_outlives_its_channel(struct kunit *test)
{
	VMBPACKET packet;
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch),
			STATUS_SUCCESS);
	packet = VmbPacketAllocate(ch);
	VmbChannelCleanup(ch);
	rcu_barrier();
	VmbPacketFree(packet);
}

/* A packet of the same size, but with less room for the payload. */
static void packet_of_other_settings(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome outcome = {};
	static u8 payload[4104];
	VMBPACKET packet;
	u32 size;

	VmbChannelInitSetInlinePacketContextSize(bus->ch, 16);
	size = VmbChannelSizeofPacket(bus->ch);
	packet = packet_of(test, bus->ch, &outcome);
	VmbChannelInitSetInlinePacketContextSize(bus->ch, 8);
	VmbChannelInitSetMaximumPacketSize(bus->ch, sizeof(payload));
	KUNIT_ASSERT_EQ(test, VmbChannelSizeofPacket(bus->ch), size);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, payload, sizeof(payload), NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);

	/* With the settings of its allocation the packet can be sent again. */
	VmbChannelDisable(bus->ch);
	VmbChannelInitSetInlinePacketContextSize(bus->ch, 16);
	VmbChannelInitSetMaximumPacketSize(bus->ch, 4096);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, payload, 4096, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

static void packet_in_the_callers_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u32 size = VmbChannelSizeofPacket(bus->ch);
	VMBPACKET packet = kunit_kzalloc(test, size, GFP_KERNEL);
	struct outcome outcome = {};
	u64 word = 1;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(NULL), 0);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(NULL, packet, size),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(bus->ch, NULL, size),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbPacketInitialize(bus->ch, (void *)packet + 4, size),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(bus->ch, packet, size - 1),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketInitialize(bus->ch, packet, size),
			STATUS_SUCCESS);

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	VmbPacketSetCompletionRoutine(packet, record_outcome);
	VmbPacketSetPointer(packet, &outcome);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);

	log_record(test);
	VmbPacketFree(packet);
	is_logged(test, "a packet that was not allocated is not freed");
}

static void default_routine_frees(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	VMBPACKET packet = VmbPacketAllocate(bus->ch);
	u64 word = 1;

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->packets.count, 1);
}

/* Sending */

static void sent_without_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 1;

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, outcome.length, 0);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 2);
}

static void sent_with_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 0x1234;

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_DEVICE_BUSY);
	log_record(test);
	VmbPacketFree(packet);
	is_logged(test, "a packet that was sent and is not complete");
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, outcome.length, 8);
	KUNIT_EXPECT_EQ(test, outcome.data, 0x1234);

	/* A second completion belongs to no packet. */
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->tx.bad_ids));
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
}

static VOID overwritten(VMBPACKET packet, PVOID context, NTSTATUS status,
			PVOID buffer, UINT32 length)
{
	fake_bus_overwrite(context);
	record_outcome(packet, status, buffer, length);
}

/* The host cannot change what a completion routine reads. */
static void overwritten_while_read(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 0x1234;

	VmbPacketSetCompletionRoutineEx(packet, overwritten, bus);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_SUCCESS);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, outcome.length, 8);
	KUNIT_EXPECT_EQ(test, outcome.data, 0x1234);
}

static void arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	static u8 data[4104];
	PFN_NUMBER pfns[2] = { 1, 2 };

	KUNIT_EXPECT_EQ(test, VmbPacketSend(NULL, data, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, 4097, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, U32_MAX, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, 8, NULL, 8),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(NULL, data, 8, pfns, 2,
						      WAIT),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, NULL, 8, pfns, 2,
						      WAIT),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 4097, pfns,
						      2, WAIT),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, NULL, 2,
						      WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, pfns, 0,
						      WAIT),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, pfns,
						      257, WAIT),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, pfns,
						      U32_MAX, WAIT),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, pfns, 2,
						      0),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, data, 8, pfns, 2,
						      WAIT | 8),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, 4096, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

static struct outcome *send_many(struct kunit *test, VMBCHANNEL ch,
				 unsigned int count, u32 flags)
{
	struct outcome *outcomes = kunit_kcalloc(test, count, sizeof(*outcomes),
						 GFP_KERNEL);
	static atomic_t next;
	unsigned int i;
	u64 word;

	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	atomic_set(&next, 0);
	for (i = 0; i < count; i++) {
		VMBPACKET packet = packet_of(test, ch, &outcomes[i]);

		outcomes[i].next = &next;
		word = i;
		KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word),
						    NULL, flags),
				STATUS_SUCCESS);
		/* The packet has its own copy, or is in the ring. */
		word = U64_MAX;
	}
	return outcomes;
}

static void outcomes_are(struct kunit *test, struct outcome *outcomes,
			 unsigned int count, NTSTATUS status, bool ordered)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		outcome_is(test, &outcomes[i], status);
		if (ordered)
			KUNIT_ASSERT_EQ(test, outcomes[i].order, i);
	}
}

static void channel_disabled(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 0;

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
}

/* A packet is queued until the channel has a ring. */
static void queued_until_opened(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct outcome *outcomes;
	unsigned int i;

	bus->present = false;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	outcomes = send_many(test, bus->ch, 100, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcomes[0].calls), 0);
	KUNIT_ASSERT_TRUE(test, fake_bus_attach(bus->ch, bus, &some_guid));
	becomes(test, bus->ch, KMCL_ACTIVE);
	outcomes_are(test, outcomes, 100, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, rec->count, 100);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, rec->words[i], i);
}

/* The device does not come. */
static void queued_until_disabled(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome *outcomes;
	unsigned int i;

	bus->present = false;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	outcomes = send_many(test, bus->ch, 10, WAIT);
	VmbChannelDisable(bus->ch);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&outcomes[i].calls), 1);
	outcomes_are(test, outcomes, 10, STATUS_DEVICE_REMOVED, true);
}

/* The open fails. */
static void queued_until_the_open_fails(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome *outcomes;

	bus->present = false;
	bus->open_err = -EINVAL;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	outcomes = send_many(test, bus->ch, 10, 0);
	KUNIT_ASSERT_TRUE(test, fake_bus_attach(bus->ch, bus, &some_guid));
	becomes(test, bus->ch, KMCL_DISABLED);
	outcomes_are(test, outcomes, 10, STATUS_DEVICE_REMOVED, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* A suspended channel is opened again when its device is resumed. */
static void queued_until_resumed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome *outcomes;

	kmcl_channel_suspend_device(bus->ch, bus);
	outcomes = send_many(test, bus->ch, 10, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcomes[0].calls), 0);
	kmcl_channel_resume_device(bus->ch, bus);
	outcomes_are(test, outcomes, 10, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 10);
}

static VMBPACKET sent_when_closed;

static VOID send_when_closed(VMBCHANNEL ch)
{
	u64 word = 0;

	/* Nobody is told of a failure, so the routine is never called then. */
	VmbPacketSend(sent_when_closed, &word, sizeof(word), NULL, 0);
}

static void queued_when_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	struct outcome outcome = {};

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelClosed = send_when_closed;
	VmbChannelInitSetStateChangeCallbacks(bus->ch, &evt);
	sent_when_closed = packet_of(test, bus->ch, &outcome);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 1);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
}

static void bus_refuses(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 0;

	fake_bus_fail_sends(bus, true);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
	fake_bus_fail_sends(bus, false);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/* A host that does not read */
static void signal_nobody(struct kmcl_channel *ch, enum kmcl_signal why)
{
}

#define WORD_BYTES	32	/* of a packet with one word, in the ring */

/* Fill the ring with packets of one word; returns the bytes that stay free. */
static u32 fill_ring(struct kunit *test, struct fake_bus *bus)
{
	const struct kmcl_ring *ring = &bus->ch->tx.ring;
	u32 size = ring->memory.size, used;
	NTSTATUS status;
	unsigned int n;

	for (n = 0; n <= size / WORD_BYTES; n++) {
		status = send_word(bus->ch, 0, 0);
		if (!NT_SUCCESS(status))
			break;
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_BUFFER_OVERFLOW);
	used = ring->index - READ_ONCE(ring->memory.control->read_index);
	KUNIT_EXPECT_EQ(test, used, n * WORD_BYTES);
	return size - used;
}

/* The largest completion, of one word here, fits in a ring that the client has filled. */
static void room_is_kept_for_a_completion(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	u64 word = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetMaximumPacketSize(client->ch,
							   sizeof(word)),
			STATUS_SUCCESS);
	bus->ops.signal = signal_nobody;
	client->completion_size = sizeof(word);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, fill_ring(test, bus), 2 * WORD_BYTES);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 1);
	VmbChannelPause(client->ch);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 0);
	fake_bus_read(bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
}

/* A client that gets no packets sends no completions. */
static void no_room_is_kept_without_packets_of_the_host(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	bus->ops.signal = signal_nobody;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, fill_ring(test, bus), WORD_BYTES);
}

static void full_ring_queues_in_order(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct outcome *outcomes;
	unsigned int i;

	fake_bus_set_room(bus, 3);
	outcomes = send_many(test, bus->ch, 100, 0);
	KUNIT_EXPECT_EQ(test, rec->count, 3);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 97);
	KUNIT_EXPECT_GT(test, fake_bus_wanted_room(bus), 0);
	for (i = 4; i <= 100; i += 8) {
		fake_bus_set_room(bus, 8);
		kmcl_poll_schedule(bus->ch);
		EXPECT_EVENTUALLY(test,
				  READ_ONCE(rec->count) == min(i + 7, 100U));
	}
	outcomes_are(test, outcomes, 100, STATUS_SUCCESS, true);
	for (i = 0; i < 100; i++)
		KUNIT_ASSERT_EQ(test, rec->words[i], i);
	KUNIT_EXPECT_EQ(test, fake_bus_wanted_room(bus), 0);
}

/* The host makes room and signals between the second check and the queueing. */
static struct fake_bus *racing;
static unsigned int checks;

static void signal_elsewhere(struct work_struct *work)
{
	kmcl_poll_schedule(racing->ch);
}
static DECLARE_WORK(signalling, signal_elsewhere);

static void full_and_then_not(struct kmcl_channel *ch, bool first)
{
	u64 polls = READ_ONCE(ch->rx.polls);
	unsigned int ms;

	if (++checks != 2)
		return;
	fake_bus_make_room(racing, 100);
	schedule_work_on(cpumask_any_but(cpu_online_mask, smp_processor_id()),
			 &signalling);
	for (ms = 0; ms < 1000 && READ_ONCE(ch->rx.polls) == polls; ms++)
		mdelay(1);
	mdelay(5);
}

static void room_before_it_is_queued(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	racing = bus;
	checks = 0;
	bus->ops.ring_full = full_and_then_not;
	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
	flush_work(&signalling);
	KUNIT_EXPECT_EQ(test, checks, 2);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 1);
	/* The outcome is on the stack. */
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/* A packet is sent at once if none is queued, or else behind the queue. */
static void sent_behind_the_queue(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome *first, *behind, *last;
	struct kmcl_tx *tx = &bus->ch->tx;

	first = send_many(test, bus->ch, 1, 0);
	outcomes_are(test, first, 1, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, tx->sent, 1);

	fake_bus_set_room(bus, 0);
	behind = send_many(test, bus->ch, 2, 0);
	/* There is room again, but these are to go first. */
	fake_bus_set_room(bus, INT_MAX);
	last = send_many(test, bus->ch, 1, 0);
	KUNIT_EXPECT_EQ(test, tx->queued, 3);
	KUNIT_EXPECT_EQ(test, tx->sent, 1);
	kmcl_poll_schedule(bus->ch);
	outcomes_are(test, behind, 2, STATUS_SUCCESS, true);
	outcomes_are(test, last, 1, STATUS_SUCCESS, false);
	KUNIT_EXPECT_EQ(test, last->order, 2);
	KUNIT_EXPECT_EQ(test, tx->sent, 4);
	KUNIT_EXPECT_EQ(test, tx->queued, 3);

	/* The queue is empty again when the routine of its last one is called. */
	last = send_many(test, bus->ch, 1, 0);
	outcomes_are(test, last, 1, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, tx->queued, 3);
	last = send_many(test, bus->ch, 1, WAIT);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcomes_are(test, last, 1, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 6);
}

static atomic_t signals;

static void count_signal(struct kmcl_channel *ch, enum kmcl_signal why)
{
	atomic_inc(&signals);
}

/* The index is written and the host is signalled once for all of the queue. */
static void queue_is_published_together(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	typeof(bus->ops.signal) signal = bus->ops.signal;
	struct outcome *outcomes;

	fake_bus_set_room(bus, 0);
	outcomes = send_many(test, bus->ch, 64, 0);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 64);
	atomic_set(&signals, 0);
	bus->ops.signal = count_signal;
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(bus->ch);
	outcomes_are(test, outcomes, 64, STATUS_SUCCESS, true);
	KUNIT_EXPECT_EQ(test, atomic_read(&signals), 1);
	bus->ops.signal = signal;
	signal(bus->ch, KMCL_SIGNAL_PACKETS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 64);
}

static void full_table_queues_in_order(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct outcome *outcomes;
	unsigned int i;

	outcomes = send_many(test, bus->ch, KMCL_TX_SLOTS + 50, WAIT);
	KUNIT_EXPECT_EQ(test, rec->count, KMCL_TX_SLOTS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 50);
	for (i = 0; i < KMCL_TX_SLOTS + 50; i++) {
		EXPECT_EVENTUALLY(test, READ_ONCE(rec->count) > i);
		fake_bus_complete(bus, rec->ids[i], NULL, 0);
	}
	outcomes_are(test, outcomes, KMCL_TX_SLOTS + 50, STATUS_SUCCESS, true);
	for (i = 0; i < KMCL_TX_SLOTS + 50; i++)
		KUNIT_ASSERT_EQ(test, rec->words[i], i);
}

static void completed_out_of_order(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct ring_record *rec = ring_record_start(test, bus);
	struct outcome *outcomes = send_many(test, bus->ch, 50, WAIT);
	unsigned int i;

	for (i = 0; i < 50; i++) {
		u64 word = 1000 + 49 - i;

		fake_bus_complete(bus, rec->ids[49 - i], &word, sizeof(word));
	}
	outcomes_are(test, outcomes, 50, STATUS_SUCCESS, false);
	for (i = 0; i < 50; i++) {
		KUNIT_ASSERT_EQ(test, outcomes[i].data, 1000 + i);
		KUNIT_ASSERT_EQ(test, outcomes[i].order, 49 - i);
	}
}

/* Each packet is completed once, queued or sent. */
static void close_completes_all(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome *sent, *queued;

	sent = send_many(test, bus->ch, 10, WAIT);
	fake_bus_set_room(bus, 0);
	queued = send_many(test, bus->ch, 10, 0);
	VmbChannelDisable(bus->ch);
	outcomes_are(test, sent, 10, STATUS_DEVICE_REMOVED, false);
	outcomes_are(test, queued, 10, STATUS_DEVICE_REMOVED, false);
}

static DECLARE_COMPLETION(may_return);

static VOID record_and_wait(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			    UINT32 length)
{
	record_outcome(packet, status, buffer, length);
	if (!in_softirq())
		wait_for_completion_timeout(&may_return, 10 * HZ);
}

/*
 * The first routine holds the worker while the client switches to softirq. The poll calls
 * the others meanwhile.
 */
static void routines_no_longer_sleep(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome first = {}, *others;
	VMBPACKET packet = packet_of(test, bus->ch, &first);
	u64 word = 0;

	reinit_completion(&may_return);
	VmbPacketSetCompletionRoutine(packet, record_and_wait);
	VmbChannelSetIncomingProcessingAtPassive(bus->ch, TRUE);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, atomic_read(&first.calls));
	KUNIT_EXPECT_FALSE(test, first.softirq);
	others = send_many(test, bus->ch, 10, 0);
	VmbChannelSetIncomingProcessingAtPassive(bus->ch, FALSE);
	outcomes_are(test, others, 10, STATUS_SUCCESS, true);
	complete(&may_return);
}

/* External data */

static void gpa_direct_pfns_in_the_ring(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct kmcl_gpa_direct *desc = (void *)bus->last_gpa;
	struct kmcl_gpa_range *range = (void *)desc->ranges;
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	PFN_NUMBER pfns[3] = { 0x111, 0x33333, 0x2222 };
	u64 word = 0;

	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, pfns, 3,
						      WAIT), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->last_gpa_len,
			sizeof(*desc) + struct_size(range, pfn, 3));
	KUNIT_EXPECT_EQ(test, desc->range_count, 1);
	KUNIT_EXPECT_EQ(test, range->offset, 0);
	KUNIT_EXPECT_EQ(test, range->len, 3 * 4096);
	KUNIT_EXPECT_EQ(test, range->pfn[0], 0x111);
	KUNIT_EXPECT_EQ(test, range->pfn[1], 0x33333);
	KUNIT_EXPECT_EQ(test, range->pfn[2], 0x2222);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/**
 * struct closing - whether packets were complete when the ring was closed
 * @close: the bus's own
 * @outcome: of a packet with external data
 * @early: it was complete before
 */
struct closing {
	int (*close)(struct kmcl_channel *ch);
	struct outcome outcome;
	bool early;
};

static int check_and_close(struct kmcl_channel *ch)
{
	struct closing *closing = VmbChannelGetPointer(ch);

	closing->early = atomic_read(&closing->outcome.calls);
	return closing->close(ch);
}

/* The host may write to the pages until the ring is closed. */
static void gpa_direct_until_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct closing closing = { .close = bus->ops.close };
	VMBPACKET packet = packet_of(test, bus->ch, &closing.outcome);
	PFN_NUMBER pfn = 1;
	u64 word = 0;

	VmbChannelSetPointer(bus->ch, &closing);
	bus->ops.close = check_and_close;
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, &pfn, 1,
						      WAIT), STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_FALSE(test, closing.early);
	outcome_is(test, &closing.outcome, STATUS_DEVICE_REMOVED);
}

/* The host may then write for ever: the client is told so. */
static void gpa_direct_and_a_close_not_posted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {}, rescinded = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	PFN_NUMBER pfn = 1;
	u64 word = 0;

	bus->close_err = -EAGAIN;
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, &pfn, 1,
						      WAIT), STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_IO_TIMEOUT);

	/* After a rescind the host has no access. */
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	VmbPacketSetPointer(packet, &rescinded);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, &pfn, 1,
						      WAIT), STATUS_SUCCESS);
	fake_bus_rescind(bus);
	outcome_is(test, &rescinded, STATUS_DEVICE_REMOVED);
}

static void queued_gpa_direct_at_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	PFN_NUMBER pfn = 1;
	u64 word = 0;

	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, &pfn, 1,
						      WAIT), STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* The server */

static VMBPACKET send_request(struct kunit *test, struct server *srv,
			      struct outcome *outcome,
			      struct testdev_request *req, PFN_NUMBER *pfns,
			      u32 count)
{
	VMBPACKET packet = packet_of(test, srv->ch, outcome);

	req->magic = TESTDEV_MAGIC;
	KUNIT_ASSERT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, req, sizeof(*req),
						      pfns, count, WAIT),
			STATUS_SUCCESS);
	return packet;
}

static VOID response(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		     UINT32 length)
{
	struct testdev_response *rsp = VmbPacketGetPointer(packet);

	memcpy(rsp, buffer, min_t(u32, length, sizeof(*rsp)));
	/* Cases poll for this: write it last. */
	smp_store_release(&rsp->magic, TESTDEV_MAGIC);
}

static struct testdev_response ask(struct kunit *test, struct server *srv,
				   struct testdev_request *req,
				   PFN_NUMBER *pfns, u32 count)
{
	VMBPACKET packet = VmbPacketAllocate(srv->ch);
	struct testdev_response rsp = {};

	req->magic = TESTDEV_MAGIC;
	VmbPacketSetCompletionRoutine(packet, response);
	VmbPacketSetPointer(packet, &rsp);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, req, sizeof(*req),
						      pfns, count, WAIT),
			STATUS_SUCCESS);
	/* The routine writes the rest of the response before. */
	EXPECT_EVENTUALLY(test, smp_load_acquire(&rsp.magic));
	VmbPacketFree(packet);
	return rsp;
}

static void pages_case(u32 *pages, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *pages);
}

static u32 page_counts[] = { 1, 2, 16, 255, 256 };

KUNIT_ARRAY_PARAM(pages, page_counts, pages_case);

static void server_reads_and_writes_pfns(struct kunit *test)
{
	const u32 *count = test->param_value;
	struct testdev_request sum = { .op = TESTDEV_GPA_DIRECT_CRC32 };
	struct testdev_request fill = {
		.op = TESTDEV_GPA_DIRECT_FILL, .seed = 77 + *count,
	};
	struct server *srv = server_open(test);
	size_t bytes = (size_t)*count * PAGE_SIZE, i;
	struct testdev_response rsp;
	PFN_NUMBER *pfns;
	u8 *va;

	pfns = kunit_kcalloc(test, *count, sizeof(*pfns), GFP_KERNEL);
	va = kvmalloc(bytes, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pfns);
	KUNIT_ASSERT_NOT_NULL(test, va);
	for (i = 0; i < bytes; i++)
		va[i] = testdev_pattern(5, i);
	for (i = 0; i < *count; i++)
		pfns[i] = is_vmalloc_addr(va) ?
			  vmalloc_to_pfn(va + i * PAGE_SIZE) :
			  PHYS_PFN(virt_to_phys(va + i * PAGE_SIZE));

	rsp = ask(test, srv, &sum, pfns, *count);
	KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
	KUNIT_EXPECT_EQ(test, rsp.value, (u32)~crc32_le(~0, va, bytes));

	rsp = ask(test, srv, &fill, pfns, *count);
	KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
	KUNIT_EXPECT_EQ(test, rsp.value, bytes);
	for (i = 0; i < bytes; i++)
		if (va[i] != testdev_pattern(fill.seed, i))
			break;
	KUNIT_EXPECT_EQ(test, i, bytes);
	kvfree(va);
}

/* More than the table holds, the half with external data, to a server that stalls. */
static struct outcome *send_unread(struct kunit *test, struct server *srv,
				   unsigned long page)
{
	struct testdev_request sum = { .op = TESTDEV_GPA_DIRECT_CRC32 };
	PFN_NUMBER pfn = PHYS_PFN(virt_to_phys((void *)page));
	struct outcome *outcomes;
	unsigned int i;

	outcomes = kunit_kcalloc(test, UNREAD, sizeof(*outcomes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	server_does(test, srv->ch, .op = TESTDEV_STALL, .length = 60000);
	for (i = 0; i < UNREAD; i++) {
		if (i & 1)
			send_request(test, srv, &outcomes[i], &sum, &pfn, 1);
		else
			KUNIT_ASSERT_EQ(test,
					VmbPacketSend(packet_of(test, srv->ch,
								&outcomes[i]),
						      &sum, sizeof(sum), NULL,
						      WAIT), STATUS_SUCCESS);
	}
	KUNIT_EXPECT_FALSE(test, list_empty(&srv->ch->tx.queue));
	return outcomes;
}

static void none_was_done(struct kunit *test, struct outcome *outcomes)
{
	unsigned int i;

	for (i = 0; i < UNREAD; i++)
		outcome_is(test, &outcomes[i], STATUS_DEVICE_REMOVED);
}

static void none_comes_again(struct kunit *test, struct outcome *outcomes)
{
	unsigned int i;

	for (i = 0; i < UNREAD; i++)
		KUNIT_ASSERT_EQ(test, atomic_read(&outcomes[i].calls), 0);
}

static void disable_with_a_server_that_stalls(struct kunit *test)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);
	struct server *srv = server_open(test);
	struct outcome *outcomes = send_unread(test, srv, page);

	VmbChannelDisable(srv->ch);
	none_was_done(test, outcomes);
	free_page(page);
}

static void rescind_by_a_server_that_stalls(struct kunit *test)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);
	struct server *srv = server_open(test);
	struct outcome *outcomes;

	server_does(test, srv->ch, .op = TESTDEV_REOFFER, .length = 300);
	server_does(test, srv->ch, .op = TESTDEV_RESCIND, .length = 5000);
	outcomes = send_unread(test, srv, page);
	EXPECT_EVENTUALLY(test, READ_ONCE(srv->ch->state) == KMCL_DISABLED);
	none_was_done(test, outcomes);
	free_page(page);
}

static void suspend_with_a_server_that_stalls(struct kunit *test)
{
	unsigned long page = get_zeroed_page(GFP_KERNEL);
	struct server *srv = server_open(test);
	struct outcome *outcomes = send_unread(test, srv, page);
	struct device *device;

	device = server_device(test, TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	none_was_done(test, outcomes);
	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	EXPECT_EVENTUALLY(test, READ_ONCE(srv->ch->state) == KMCL_ACTIVE);
	none_comes_again(test, outcomes);
	free_page(page);
}

static VOID echoed(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		   UINT32 length)
{
	struct outcome *outcome = VmbPacketGetPointer(packet);

	if (!outcome)
		return;
	/* The payload follows the response's header. */
	if (length >= sizeof(struct testdev_response) + sizeof(u64))
		memcpy(&outcome->data,
		       buffer + sizeof(struct testdev_response), sizeof(u64));
	outcome->status = status;
	outcome->softirq = in_softirq();
	atomic_inc(&outcome->calls);
}

/* Many more than the ring and the table hold. */
static void server_echoes_a_thousand(struct kunit *test)
{
	struct {
		struct testdev_request req;
		u64 word;
	} echo = { .req = { .magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
			    .payload_len = sizeof(u64) } };
	struct testdev_request stall = { .op = TESTDEV_STALL, .length = 300 };
	struct server *srv = server_open(test);
	struct testdev_response rsp;
	struct outcome *outcomes;
	unsigned int i;

	outcomes = kunit_kcalloc(test, MANY, sizeof(*outcomes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	KUNIT_ASSERT_EQ(test, server_call(srv, &stall, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	for (i = 0; i < MANY; i++) {
		VMBPACKET packet = packet_of(test, srv->ch, &outcomes[i]);

		VmbPacketSetCompletionRoutine(packet, echoed);
		echo.word = i * 3 + 1;
		KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &echo, sizeof(echo),
						    NULL, WAIT),
				STATUS_SUCCESS);
	}
	for (i = 0; i < MANY; i++) {
		outcome_is(test, &outcomes[i], STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, outcomes[i].data, i * 3 + 1);
	}
	KUNIT_EXPECT_GT(test, srv->ch->tx.queued, 0);
	KUNIT_EXPECT_EQ(test, srv->ch->tx.bad_ids, 0);
}

/* How many packets may be in flight */

static void send_word_of(struct kunit *test, VMBPACKET packet, u32 flags)
{
	u64 word = 0;

	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &word, sizeof(word), NULL, flags),
			STATUS_SUCCESS);
}

static void packet_count_bounds(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(NULL, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bus->ch, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 4097),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 256);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 4096),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 4096);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bus->ch, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 4096);
}

#define FEW	3

/* One packet more than that waits until one is complete. */
static void packet_count_is_kept(struct kunit *test, struct fake_bus *bus)
{
	struct outcome notes[FEW + 1] = {};
	u64 word = 77, ids[FEW];
	int before = atomic_read(&bus->sends);
	unsigned int i;

	for (i = 0; i < FEW; i++) {
		send_word_of(test, packet_ex(test, bus->ch, &notes[i]), WAIT);
		ids[i] = bus->last_id;
	}
	send_word_of(test, packet_ex(test, bus->ch, &notes[FEW]), WAIT);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends) - before, FEW);

	fake_bus_complete(bus, ids[0], &word, sizeof(word));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) - before > FEW);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	for (i = 1; i < FEW; i++)
		fake_bus_complete(bus, ids[i], &word, sizeof(word));
	for (i = 0; i <= FEW; i++) {
		outcome_calls(test, &notes[i], 1);
		KUNIT_EXPECT_EQ(test, notes[i].status, STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);
}

static void packet_count(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, FEW),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet_count_is_kept(test, bus);

	/* The setting works also after slots were used. */
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 100),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, FEW),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet_count_is_kept(test, bus);
}

/* Room in packet objects */

static void inline_context_bounds(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	u32 without = VmbChannelSizeofPacket(bus->ch);
	struct outcome note = {};
	void *room;

	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(NULL, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 65537),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_NULL(test,
			  VmbPacketGetInlinePacketContextPointer(packet_ex(test,
									   bus->ch,
									   &note)));
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 65536),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(bus->ch), without + 65536);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 13),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(bus->ch), without + 16);
	room = VmbPacketGetInlinePacketContextPointer(packet_ex(test, bus->ch,
								&note));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)room, 8));
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 8),
			STATUS_INVALID_PARAMETER_1);
}

/* No other part of a packet overlaps the room, and it is zero in a new packet. */
static void inline_context(struct kunit *test)
{
	static PFN_NUMBER pfns[256];
	static u8 payload[4096];
	static const u8 zero[64];
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome note = {};
	VMBPACKET packet;
	u8 *room;

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 64),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	room = VmbPacketGetInlinePacketContextPointer(packet);
	KUNIT_ASSERT_NOT_NULL(test, room);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)room, 8));
	KUNIT_EXPECT_MEMEQ(test, room, zero, sizeof(zero));
	memset(room, 0xa5, 64);

	/* Queued, so copied, with the longest description. */
	fake_bus_set_room(bus, 0);
	memset(payload, 0x5a, sizeof(payload));
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &note);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, payload,
						      sizeof(payload), pfns,
						      ARRAY_SIZE(pfns), WAIT),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 0xa5, 64));
	VmbChannelDisable(bus->ch);
	outcome_calls(test, &note, 1);
	KUNIT_EXPECT_EQ(test, note.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 0xa5, 64));

	VmbPacketFree(packet);
	packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_PTR_EQ(test,
			    VmbPacketGetInlinePacketContextPointer(packet),
			    (void *)room);
	KUNIT_EXPECT_MEMEQ(test, room, zero, sizeof(zero));
	VmbPacketFree(packet);
}

/* The room ends with the caller's memory: KASAN would report a byte more. */
static void inline_context_in_own_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKET packet;
	u32 size;

	VmbChannelInitSetInlinePacketContextSize(bus->ch, 24);
	size = VmbChannelSizeofPacket(bus->ch);
	packet = kunit_kmalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(bus->ch, packet, size),
			STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test,
			    VmbPacketGetInlinePacketContextPointer(packet),
			    (void *)packet + size - 24);
	memset(VmbPacketGetInlinePacketContextPointer(packet), 1, 24);
}

/* Completion routines with a context */

static void completion_routine_ex(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome note = {}, other = {};
	VMBPACKET packet = packet_ex(test, bus->ch, &note);
	u64 word = 0x1234;

	send_word_of(test, packet, WAIT);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	outcome_calls(test, &note, 1);
	KUNIT_EXPECT_PTR_EQ(test, note.packet, (void *)packet);
	KUNIT_EXPECT_EQ(test, note.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, note.data, 0x1234);
	KUNIT_EXPECT_EQ(test, note.length, sizeof(word));

	/* The routine that was set last is called, of either kind. */
	VmbPacketSetPointer(packet, &other);
	VmbPacketSetCompletionRoutine(packet, record_outcome);
	send_word_of(test, packet, 0);
	outcome_calls(test, &other, 1);
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &note);
	send_word_of(test, packet, 0);
	outcome_calls(test, &note, 2);
	outcome_calls(test, &other, 1);

	VmbPacketSetCompletionRoutineEx(packet, NULL, &note);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
}

static struct kunit_case tx_cases[] = {
	KUNIT_CASE(packet_of_a_channel),
	KUNIT_CASE(freed_packet_is_used_again),
	KUNIT_CASE(many_packets),
	KUNIT_CASE(packet_outlives_its_channel),
	KUNIT_CASE(packet_of_other_settings),
	KUNIT_CASE(packet_in_the_callers_memory),
	KUNIT_CASE(default_routine_frees),
	KUNIT_CASE(sent_without_completion),
	KUNIT_CASE(sent_with_completion),
	KUNIT_CASE(overwritten_while_read),
	KUNIT_CASE(arguments),
	KUNIT_CASE(channel_disabled),
	KUNIT_CASE(queued_until_opened),
	KUNIT_CASE(queued_until_disabled),
	KUNIT_CASE(queued_until_the_open_fails),
	KUNIT_CASE(queued_until_resumed),
	KUNIT_CASE(queued_when_closed),
	KUNIT_CASE(bus_refuses),
	KUNIT_CASE(room_is_kept_for_a_completion),
	KUNIT_CASE(no_room_is_kept_without_packets_of_the_host),
	KUNIT_CASE(full_ring_queues_in_order),
	KUNIT_CASE(room_before_it_is_queued),
	KUNIT_CASE(sent_behind_the_queue),
	KUNIT_CASE(queue_is_published_together),
	KUNIT_CASE(full_table_queues_in_order),
	KUNIT_CASE(completed_out_of_order),
	KUNIT_CASE(close_completes_all),
	KUNIT_CASE(routines_no_longer_sleep),
	KUNIT_CASE(gpa_direct_pfns_in_the_ring),
	KUNIT_CASE(gpa_direct_until_the_close),
	KUNIT_CASE(gpa_direct_and_a_close_not_posted),
	KUNIT_CASE(queued_gpa_direct_at_the_close),
	KUNIT_CASE(packet_count_bounds),
	KUNIT_CASE(packet_count),
	KUNIT_CASE(inline_context_bounds),
	KUNIT_CASE(inline_context),
	KUNIT_CASE(inline_context_in_own_memory),
	KUNIT_CASE(completion_routine_ex),
	{}
};

struct kunit_suite vmbkmcl_tx_suite = {
	.name = "vmbkmcl_tx",
	.test_cases = tx_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case tx_server_cases[] = {
	KUNIT_CASE_PARAM(server_reads_and_writes_pfns, pages_gen_params),
	KUNIT_CASE(disable_with_a_server_that_stalls),
	KUNIT_CASE(rescind_by_a_server_that_stalls),
	KUNIT_CASE(suspend_with_a_server_that_stalls),
	KUNIT_CASE(server_echoes_a_thousand),
	{}
};

struct kunit_suite vmbkmcl_tx_server_suite = {
	.name = "vmbkmcl_tx_server",
	.test_cases = tx_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_tx_server_suite);
