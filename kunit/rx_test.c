// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that the host sends: how many the client is given, in which context, and
 * what it may do with them; on the fake bus and with the server.
 */

#include <linux/kthread.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <vmbkmcl/linux.h>
#include <vmbkmcl/windows/lock.h>

#include "lib/client.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "suites.h"

#define WAIT		VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define POOL		(KMCL_QUOTA_DEFAULT + KMCL_BACKLOG)
#define MANY		1000

/**
 * struct receiver - a client that writes down what it is given
 * @ch: its channel
 * @lock: guards @kept
 * @keep: do not complete packets
 * @defer: defer the packet of this number, when it comes in softirq context; ~0
 *	for all
 * @fail: fail the packet of this number
 * @hook: called in each callback
 * @kept: packets not completed
 * @nr_kept: how many
 * @most_kept: how many at most
 * @calls: ProcessPacket callbacks
 * @next: number of the next packet: each says its own
 * @misordered: packets that came with another one
 * @inside: callbacks running now
 * @overlaps: times that was more than one
 * @in_softirq: callbacks in softirq context, ProcessingComplete among them
 * @in_process: callbacks where one may sleep
 * @batches: ProcessingComplete callbacks
 * @batched: packets they told of
 * @status: what @hook found out
 */
struct receiver {
	VMBCHANNEL ch;
	spinlock_t lock;
	bool keep;
	u32 defer;
	u32 fail;
	void (*hook)(struct receiver *receiver, u32 number);
	VMBPACKETCOMPLETION kept[MANY];
	u32 nr_kept;
	u32 most_kept;
	u32 calls;
	u32 next;
	u32 misordered;
	atomic_t inside;
	u32 overlaps;
	u32 in_softirq;
	u32 in_process;
	u32 batches;
	u32 batched;
	NTSTATUS status;
};

#define NONE	0xfffffff0
#define ALL	0xffffffff

static void enter(struct receiver *receiver)
{
	if (atomic_inc_return(&receiver->inside) > 1)
		receiver->overlaps++;
	if (in_softirq())
		receiver->in_softirq++;
	else
		receiver->in_process++;
}

static bool would_defer(const struct receiver *receiver, u32 number)
{
	return in_softirq() &&
	       (receiver->defer == ALL || receiver->defer == number);
}

static void keep(struct receiver *receiver, VMBPACKETCOMPLETION packet)
{
	spin_lock_bh(&receiver->lock);
	receiver->kept[receiver->nr_kept++] = packet;
	receiver->most_kept = max(receiver->most_kept, receiver->nr_kept);
	spin_unlock_bh(&receiver->lock);
}

static VOID receive(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		    UINT32 length, UINT32 flags)
{
	struct receiver *receiver = VmbChannelGetPointer(ch);
	u32 number = *(u32 *)buffer;

	enter(receiver);
	/* Sleep where the context allows it. */
	if (!in_softirq())
		usleep_range(50, 100);
	if (number != receiver->next)
		receiver->misordered++;
	if (receiver->hook)
		receiver->hook(receiver, number);
	if (would_defer(receiver, number)) {
		VmbChannelPacketDeferToPassive(packet);
	} else {
		receiver->next++;
		if (number == receiver->fail)
			VmbChannelPacketFail(packet);
		else if (receiver->keep)
			keep(receiver, packet);
		else
			VmbChannelPacketComplete(packet, &number,
						 sizeof(number));
	}
	atomic_dec(&receiver->inside);
	/* Cases poll for this: write it last. */
	smp_store_release(&receiver->calls, receiver->calls + 1);
}

static VOID batch(VMBCHANNEL ch, UINT32 count)
{
	struct receiver *receiver = VmbChannelGetPointer(ch);

	enter(receiver);
	receiver->batches++;
	WRITE_ONCE(receiver->batched, receiver->batched + count);
	atomic_dec(&receiver->inside);
}

static VMBPACKETCOMPLETION pop_kept(struct receiver *receiver)
{
	VMBPACKETCOMPLETION packet = NULL;

	spin_lock_bh(&receiver->lock);
	if (receiver->nr_kept)
		packet = receiver->kept[--receiver->nr_kept];
	spin_unlock_bh(&receiver->lock);
	return packet;
}

/* Complete the packet that was kept last; false: none is kept. */
static bool completes_one(struct receiver *receiver)
{
	VMBPACKETCOMPLETION packet = pop_kept(receiver);
	u64 word = 1;

	if (packet)
		VmbChannelPacketComplete(packet, &word, sizeof(word));
	return packet;
}

static void completes_all(void *data)
{
	struct receiver *receiver = data;

	WRITE_ONCE(receiver->keep, false);
	while (completes_one(receiver))
		;
}

/* Allocate it before its channel: KUnit frees in the reverse order. */
static struct receiver *receiver_alloc(struct kunit *test)
{
	struct receiver *receiver = kunit_kzalloc(test, sizeof(*receiver),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, receiver);
	spin_lock_init(&receiver->lock);
	receiver->defer = NONE;
	receiver->fail = NONE;
	return receiver;
}

static void receives_on(struct kunit *test, struct receiver *receiver,
			VMBCHANNEL ch)
{
	receiver->ch = ch;
	VmbChannelSetPointer(ch, receiver);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(ch, receive,
								batch),
			STATUS_SUCCESS);
}

static void comes_up(struct kunit *test, struct receiver *receiver)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, completes_all,
							receiver), 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(receiver->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, READ_ONCE(receiver->ch->state) == KMCL_ACTIVE);
}

static struct receiver *fake_receiver(struct kunit *test, struct fake_bus **bus)
{
	struct receiver *receiver = receiver_alloc(test);

	*bus = fake_bus_create(test);
	receives_on(test, receiver, (*bus)->ch);
	return receiver;
}

/* Packets that ask for a completion, numbered from @first. */
static void host_sends(struct fake_bus *bus, u32 first, u32 count)
{
	u32 i;

	for (i = first; i < first + count; i++)
		fake_bus_deliver_request(bus, i, &i, sizeof(i));
}

/* Exactly so many packets, also a while later */
static void was_given(struct kunit *test, struct receiver *receiver,
		      u32 packets)
{
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->calls) >= packets);
	msleep(50);
	KUNIT_EXPECT_EQ(test, receiver->calls, packets);
	KUNIT_EXPECT_EQ(test, receiver->misordered, 0);
	KUNIT_EXPECT_EQ(test, receiver->overlaps, 0);
}

/* The quota */

static void quota_case(u32 *quota, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *quota);
}

static u32 quotas[] = { 1, 3, 64 };

KUNIT_ARRAY_PARAM(quota, quotas, quota_case);

static void never_more_than_the_quota(struct kunit *test)
{
	const u32 *quota = test->param_value;
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 i;

	receiver->keep = true;
	VmbChannelSetTransactionQuota(receiver->ch, *quota);
	comes_up(test, receiver);
	host_sends(bus, 0, 200);
	was_given(test, receiver, *quota);
	KUNIT_EXPECT_EQ(test, receiver->nr_kept, *quota);

	/* Each completion lets one more packet in. */
	for (i = 1; i <= 3; i++) {
		completes_one(receiver);
		was_given(test, receiver, *quota + i);
	}
	completes_all(receiver);
	was_given(test, receiver, 200);
	KUNIT_EXPECT_EQ(test, receiver->most_kept, *quota);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 200);
	KUNIT_EXPECT_EQ(test, receiver->batched, 200);
}

static void larger_quota_is_seen_at_a_completion(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->keep = true;
	VmbChannelSetTransactionQuota(receiver->ch, 10);
	comes_up(test, receiver);
	VmbChannelSetTransactionQuota(receiver->ch, 2);
	host_sends(bus, 0, 30);
	was_given(test, receiver, 2);
	VmbChannelSetTransactionQuota(receiver->ch, 5);
	was_given(test, receiver, 2);
	completes_one(receiver);
	was_given(test, receiver, 6);
	/* The channel has memory for ten packets, the quota when it was opened. */
	VmbChannelSetTransactionQuota(receiver->ch, 20);
	completes_one(receiver);
	was_given(test, receiver, 12);
	KUNIT_EXPECT_EQ(test, receiver->most_kept, 10);
}

static void quota_at_the_opening(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->keep = true;
	VmbChannelSetTransactionQuota(receiver->ch, 500);
	comes_up(test, receiver);
	host_sends(bus, 0, 600);
	was_given(test, receiver, 500);
	KUNIT_EXPECT_EQ(test, receiver->nr_kept, 500);
}

static void quota_of_nothing(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	log_record(test);
	VmbChannelSetTransactionQuota(receiver->ch, 0);
	is_logged(test, "a transaction quota of 0 is refused");
	VmbChannelSetTransactionQuota(NULL, 1);
	comes_up(test, receiver);
	host_sends(bus, 0, 3);
	was_given(test, receiver, 3);
}

/* What comes behind the packets that wait */

static VOID completed(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		      UINT32 length)
{
	struct receiver *receiver =
		VmbChannelGetPointer(VmbPacketGetChannel(packet));

	enter(receiver);
	atomic_dec(&receiver->inside);
	WRITE_ONCE(receiver->status, status);
	VmbPacketFree(packet);
}

/* The completion of a packet of ours comes behind all packets of the host's. */
static void sends_and_hears(struct kunit *test, struct receiver *receiver,
			    struct fake_bus *bus)
{
	VMBPACKET packet = VmbPacketAllocate(receiver->ch);
	u64 word = 7;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	WRITE_ONCE(receiver->status, STATUS_PENDING);
	VmbPacketSetCompletionRoutine(packet, completed);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    WAIT), STATUS_SUCCESS);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->status) == STATUS_SUCCESS);
}

static void completions_at_the_quota(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->keep = true;
	VmbChannelSetTransactionQuota(receiver->ch, 2);
	comes_up(test, receiver);
	host_sends(bus, 0, 2 + KMCL_BACKLOG);
	was_given(test, receiver, 2);
	sends_and_hears(test, receiver, bus);
}

static void completions_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	comes_up(test, receiver);
	VmbChannelPause(receiver->ch);
	host_sends(bus, 0, POOL);
	sends_and_hears(test, receiver, bus);
	KUNIT_EXPECT_EQ(test, receiver->calls, 0);
	VmbChannelStart(receiver->ch);
	was_given(test, receiver, POOL);
}

/* No rx packet is free: the ring is not read, and no poll runs. */
static void ring_waits_for_memory(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u64 polls;

	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, POOL + 10);
	was_given(test, receiver, KMCL_QUOTA_DEFAULT);
	KUNIT_EXPECT_FALSE(test, fake_bus_is_empty(bus));
	polls = receiver->ch->rx.polls;
	msleep(1000);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.polls, polls);

	completes_all(receiver);
	was_given(test, receiver, POOL + 10);
	KUNIT_EXPECT_TRUE(test, fake_bus_is_empty(bus));
}

/* The same, with the completions themselves waiting for room. */
static void memory_comes_with_the_completions(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	fake_bus_set_room(bus, 0);
	comes_up(test, receiver);
	host_sends(bus, 0, POOL + 10);
	was_given(test, receiver, POOL);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(receiver->ch);
	was_given(test, receiver, POOL + 10);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == POOL + 10);
}

/* A completion that no packet could carry goes out without payload. */
static void completion_of_ours_too_large(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 most = receiver->ch->set.max_packet_size;
	u8 *data = kunit_kzalloc(test, most + 8, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, 2);
	was_given(test, receiver, 2);
	KUNIT_ASSERT_EQ(test, receiver->nr_kept, 2);

	VmbChannelPacketComplete(receiver->kept[--receiver->nr_kept], data,
				 most + 8);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
	KUNIT_EXPECT_EQ(test, bus->last_len, 0);
	VmbChannelPacketComplete(receiver->kept[--receiver->nr_kept], data,
				 most);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
	KUNIT_EXPECT_EQ(test, bus->last_len, most);
}

#define NOT_DELIVERED	"malformed packets, or larger than"

/* What the client can not be given is answered all the same, if it asks for that. */
static void request_too_large(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 size = receiver->ch->set.max_packet_size + 8;
	u8 *data = kunit_kzalloc(test, size, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	log_record(test);
	comes_up(test, receiver);
	for (i = 1; i <= 3; i++) {
		fake_bus_deliver_request(bus, 0x70 + i, data, size);
		EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == i);
		KUNIT_EXPECT_EQ(test, bus->last_id, 0x70 + i);
		KUNIT_EXPECT_EQ(test, bus->last_len, 0);
	}
	fake_bus_deliver(bus, KMCL_PKT_INBAND, 0x80, data, size);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->ch->rx.dropped) == 4);
	KUNIT_EXPECT_EQ(test, receiver->calls, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 3);
	is_logged(test, NOT_DELIVERED);
	KUNIT_EXPECT_EQ(test, log_count(NOT_DELIVERED), 1);

	/* Those that it can be given are given to it as before. */
	host_sends(bus, 0, 3);
	was_given(test, receiver, 3);

	/* After the next open the line is logged again. */
	VmbChannelDisable(receiver->ch);
	comes_up(test, receiver);
	fake_bus_deliver_request(bus, 1, data, size);
	EXPECT_EVENTUALLY(test, log_count(NOT_DELIVERED) == 2);
}

/* The answers need memory, too, and wait for it in the ring. */
static void requests_too_large_need_memory(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 size = receiver->ch->set.max_packet_size + 8;
	u8 *data = kunit_kzalloc(test, size, GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	fake_bus_set_room(bus, 0);
	comes_up(test, receiver);
	for (i = 0; i < POOL + 10; i++)
		fake_bus_deliver_request(bus, i, data, size);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->ch->rx.dropped) == POOL);
	msleep(50);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, POOL);
	KUNIT_EXPECT_FALSE(test, fake_bus_is_empty(bus));
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(receiver->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == POOL + 10);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, POOL + 10);
}

/* The host may want its packet completed before it completes one of ours. */
static void completion_overtakes_what_waits_for_a_slot(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u64 word = 7;
	unsigned int i;

	comes_up(test, receiver);
	for (i = 0; i < KMCL_TX_SLOTS + 1; i++)
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(VmbPacketAllocate(receiver->ch),
					      &word, sizeof(word), NULL, WAIT),
				STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), KMCL_TX_SLOTS);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
}

/*
 * Each time the ring has room for one, and for the completion that a packet leaves room
 * for: neither kind waits for the other.
 */
static void completions_and_packets_take_turns(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	int i;

	receiver->keep = true;
	VmbChannelInitSetMaximumPacketSize(receiver->ch, sizeof(u64));
	comes_up(test, receiver);
	host_sends(bus, 0, 20);
	was_given(test, receiver, 20);
	fake_bus_set_room(bus, 0);
	for (i = 0; i < 20; i++)
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(VmbPacketAllocate(receiver->ch),
					      NULL, 0, NULL, 0),
				STATUS_SUCCESS);
	completes_all(receiver);
	for (i = 1; i <= 20; i++) {
		fake_bus_set_room(bus, 1);
		kmcl_poll_schedule(receiver->ch);
		EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == i);
		EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == i - 1);
	}
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(receiver->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 20);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 20);
}

/* Contexts */

static void softirq_context(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	comes_up(test, receiver);
	host_sends(bus, 0, 10);
	was_given(test, receiver, 10);
	sends_and_hears(test, receiver, bus);
	KUNIT_EXPECT_EQ(test, receiver->in_process, 0);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 10 + receiver->batches + 1);
	KUNIT_EXPECT_EQ(test, receiver->batched, 10);
}

static void passive_context(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	comes_up(test, receiver);
	host_sends(bus, 0, 300);
	was_given(test, receiver, 300);
	sends_and_hears(test, receiver, bus);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 0);
	KUNIT_EXPECT_EQ(test, receiver->in_process,
			300 + receiver->batches + 1);
	KUNIT_EXPECT_EQ(test, receiver->batched, 300);
	KUNIT_EXPECT_GE(test, receiver->batches, 300 / 64);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 300);
}

static VOID send_it_again(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			  UINT32 length)
{
	if (!NT_SUCCESS(status) ||
	    VmbPacketSend(packet, NULL, 0, NULL, 0) != STATUS_SUCCESS)
		VmbPacketFree(packet);
}

/* A routine that sends its packet again and again does not keep the work item. */
static void passive_context_with_an_endless_chain(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	VMBPACKET packet;
	ktime_t begin;

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	comes_up(test, receiver);
	packet = VmbPacketAllocate(receiver->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutine(packet, send_it_again);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) > 1000);
	host_sends(bus, 0, 100);
	was_given(test, receiver, 100);
	begin = ktime_get();
	VmbChannelPause(receiver->ch);
	KUNIT_EXPECT_LT(test, ktime_ms_delta(ktime_get(), begin), 1000);
}

/* A packet that wants no completion: its routine may sleep as well. */
static void passive_context_without_completion(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	VMBPACKET packet;

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	comes_up(test, receiver);
	packet = VmbPacketAllocate(receiver->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	receiver->status = STATUS_PENDING;
	VmbPacketSetCompletionRoutine(packet, completed);
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
	local_bh_enable();
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->status) == STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 0);
	KUNIT_EXPECT_EQ(test, receiver->in_process, 1);
}

/* Packets in flight at the close: each routine has run when Disable returns. */
static void passive_completions_at_the_close(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 i;

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	comes_up(test, receiver);
	for (i = 0; i < 100; i++) {
		VMBPACKET packet = VmbPacketAllocate(receiver->ch);

		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutine(packet, completed);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL,
						    WAIT), STATUS_SUCCESS);
	}
	VmbChannelDisable(receiver->ch);
	KUNIT_EXPECT_EQ(test, receiver->in_process, 100);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 0);
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_DEVICE_REMOVED);
}

/* The same with external data, which waits for the close. */
static void passive_gpa_direct_at_the_close(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	PFN_NUMBER pfn = 1;
	u32 i;

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	comes_up(test, receiver);
	for (i = 0; i < 100; i++) {
		VMBPACKET packet = VmbPacketAllocate(receiver->ch);

		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutine(packet, completed);
		KUNIT_EXPECT_EQ(test,
				VmbPacketSendWithExternalPfns(packet, NULL, 0,
							      &pfn, 1, WAIT),
				STATUS_SUCCESS);
	}
	VmbChannelDisable(receiver->ch);
	KUNIT_EXPECT_EQ(test, receiver->in_process, 100);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 0);
}

static void context_changes_under_way(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 i;

	comes_up(test, receiver);
	for (i = 0; i < MANY; i += 10) {
		VmbChannelSetIncomingProcessingAtPassive(receiver->ch,
							 i / 10 & 1);
		host_sends(bus, i, 10);
		if (i % 70 == 0)
			usleep_range(100, 2000);
	}
	was_given(test, receiver, MANY);
	KUNIT_EXPECT_GT(test, receiver->in_softirq, 0);
	KUNIT_EXPECT_GT(test, receiver->in_process, 0);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->batched) == MANY);
}

/* Deferring */

static void one_is_deferred(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->defer = 3;
	comes_up(test, receiver);
	host_sends(bus, 0, 10);
	/* The deferred packet is delivered twice. */
	was_given(test, receiver, 11);
	KUNIT_EXPECT_EQ(test, receiver->next, 10);
	KUNIT_EXPECT_EQ(test, receiver->batched, 10);
	KUNIT_EXPECT_EQ(test, receiver->ch->delivery.deferrals, 1);
	KUNIT_EXPECT_EQ(test, receiver->ch->delivery.delivered, 10);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 10);
	/* The packet and its ProcessingComplete */
	KUNIT_EXPECT_EQ(test, receiver->in_process, 2);
}

static void all_are_deferred(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->defer = ALL;
	comes_up(test, receiver);
	host_sends(bus, 0, 200);
	was_given(test, receiver, 400);
	KUNIT_EXPECT_EQ(test, receiver->next, 200);
	KUNIT_EXPECT_EQ(test, receiver->ch->delivery.deferrals, 200);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 200);
}

static void defers_again(struct receiver *receiver, u32 number)
{
	if (!in_softirq())
		VmbChannelPacketDeferToPassive(receiver->ch->delivery.current_packet);
}

static void deferred_where_it_may_sleep(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	log_record(test);
	receiver->defer = 0;
	receiver->hook = defers_again;
	comes_up(test, receiver);
	host_sends(bus, 0, 2);
	was_given(test, receiver, 3);
	is_logged(test, "a packet is deferred only in its callback");
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
}

static void deferred_outside_its_callback(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	log_record(test);
	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	VmbChannelPacketDeferToPassive(receiver->kept[0]);
	is_logged(test, "a packet is deferred only in its callback");
	was_given(test, receiver, 1);
	completes_all(receiver);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
}

#define REMOVAL_WAIT	"/sys/module/vmbkmcl/parameters/removal_wait_ms"

static void removes_late(void *test)
{
	write_text(test, REMOVAL_WAIT, "5000");
}

/* A device that goes does not wait long for packets that the client holds. */
static void remove_early(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, removes_late,
							test), 0);
	write_text(test, REMOVAL_WAIT, "100");
}

/* The packet outlives its channel: KASAN would report a use after free. */
static void deferred_after_its_channel(struct kunit *test)
{
	struct receiver *receiver = receiver_alloc(test);
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKETCOMPLETION packet;
	VMBCHANNEL ch;

	log_record(test);
	remove_early(test);
	KUNIT_ASSERT_EQ(test, kmcl_channel_allocate(&bus->ops, NULL, _THIS_IP_,
						    &ch), STATUS_SUCCESS);
	VmbClientChannelInitSetTargetPnp(ch, &some_guid, NULL, NULL);
	receives_on(test, receiver, ch);
	swap(bus->ch, ch);
	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	packet = pop_kept(receiver);
	fake_bus_rescind(bus);
	swap(bus->ch, ch);
	VmbChannelCleanup(ch);
	rcu_barrier();
	VmbChannelPacketDeferToPassive(packet);
	is_logged(test, "a packet is deferred only in its callback");
	VmbChannelPacketComplete(packet, NULL, 0);
}

/* Both calls of one packet: what tells them apart, and what the first can leave. */
static u64 told[2];

static void tells_the_calls_apart(struct receiver *receiver, u32 number)
{
	VMBPACKETCOMPLETION packet = receiver->ch->delivery.current_packet;
	u64 *context = VmbChannelPacketGetClientContext(packet);

	if (KeGetCurrentIrql() == DISPATCH_LEVEL) {
		told[0]++;
		*context = 0x1000 + number;
	} else if (*context == 0x1000 + number) {
		told[1]++;
	}
}

static void second_call_is_told_from_the_first(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	KUNIT_ASSERT_EQ(test, VmbChannelInitSetClientContextSize(receiver->ch, 8),
			STATUS_SUCCESS);
	memset(told, 0, sizeof(told));
	receiver->hook = tells_the_calls_apart;
	receiver->defer = ALL;
	comes_up(test, receiver);
	host_sends(bus, 0, 100);
	was_given(test, receiver, 200);
	KUNIT_EXPECT_EQ(test, told[0], 100);
	KUNIT_EXPECT_EQ(test, told[1], 100);
}

/* Still waiting for its second callback when the channel is paused and closed. */
static void pauses(struct receiver *receiver, u32 number)
{
	WRITE_ONCE(receiver->ch->delivery.on, false);
}

static void deferred_at_the_close(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	receiver->defer = 0;
	receiver->hook = pauses;
	comes_up(test, receiver);
	host_sends(bus, 0, 3);
	was_given(test, receiver, 1);
	VmbChannelDisable(receiver->ch);
	KUNIT_EXPECT_EQ(test, receiver->calls, 1);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, 3);

	/* Nothing of the packet is left. */
	receiver->hook = NULL;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 3);
}

/* Malformed, and external data */

static void packet_is_malformed(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	log_record(test);
	receiver->fail = 2;
	comes_up(test, receiver);
	host_sends(bus, 0, 10);
	was_given(test, receiver, 3);
	is_logged(test, "finds a packet malformed: it is given no more");
	host_sends(bus, 10, POOL);
	sends_and_hears(test, receiver, bus);
	KUNIT_EXPECT_EQ(test, receiver->calls, 3);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
	VmbChannelDisable(receiver->ch);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, 7 + POOL);

	/* After the next open packets are delivered again. */
	receiver->next = 0;
	receiver->fail = NONE;
	comes_up(test, receiver);
	host_sends(bus, 0, 2);
	was_given(test, receiver, 5);
}

static void no_gpa_direct(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	PMDL mdl = (void *)1;

	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(NULL, 0, &mdl),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetExternalData(receiver->kept[0], 2,
							&mdl),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetExternalData(receiver->kept[0], 0,
							NULL),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetExternalData(receiver->kept[0], 1,
							&mdl),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_PTR_EQ(test, mdl, (void *)1);
}

/* Transfer pages */

#define SET		0x1234
#define BUFFER		SZ_64K
#define MOST_RANGES	((4096 - 8) / 8)	/* with a payload of a word */

/* A struct kmcl_xfer_pages with room for ranges */
struct ranges {
	u16 set;
	u16 unused;
	u32 count;
	struct kmcl_xfer_range range[MOST_RANGES + 1];
};

/* The host has written @count ranges; it says that there are @says. */
static void host_transfers(struct fake_bus *bus, u32 number,
			   struct ranges *ranges, u32 says, u32 count)
{
	ranges->set = SET;
	ranges->count = says;
	fake_bus_deliver_with_head(bus, KMCL_PKT_XFER_PAGES, number, ranges,
				   offsetof(struct ranges, range[count]),
				   &number, sizeof(number));
}

static struct ranges *ranges_alloc(struct kunit *test)
{
	struct ranges *ranges = kunit_kzalloc(test, sizeof(*ranges), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ranges);
	return ranges;
}

static void range_counts_desc(const u32 *count, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u", *count);
}

static const u32 range_counts[] = { 0, 1, 3, MOST_RANGES };

KUNIT_ARRAY_PARAM(range_count, range_counts, range_counts_desc);

static void transfer_pages(struct kunit *test)
{
	const u32 *count = test->param_value;
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	struct ranges *ranges = ranges_alloc(test);
	PCVMB_TRANSFER_PAGE_RANGE got = NULL;
	UINT32 nr = ~0, i;
	UINT16 set = 0;

	for (i = 0; i < *count; i++) {
		ranges->range[i].offset = 64 * i;
		ranges->range[i].len = 33 + i % 31;
	}
	receiver->keep = true;
	comes_up(test, receiver);
	host_transfers(bus, 0, ranges, *count, *count);
	host_sends(bus, 1, 1);
	was_given(test, receiver, 2);

	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(receiver->kept[0],
							 BUFFER, &set, &got,
							 &nr),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set, SET);
	KUNIT_ASSERT_EQ(test, nr, *count);
	KUNIT_ASSERT_NOT_NULL(test, got);
	KUNIT_EXPECT_MEMEQ(test, got, ranges->range, nr * sizeof(*got));

	/* A packet without ranges in the same memory has none later. */
	completes_all(receiver);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 2);
	receiver->keep = true;
	host_sends(bus, 2, POOL);
	was_given(test, receiver, 2 + KMCL_QUOTA_DEFAULT);
	for (i = 0; i < receiver->nr_kept; i++)
		KUNIT_EXPECT_EQ(test,
				VmbChannelPacketGetTransferPages(receiver->kept[i],
								 BUFFER, &set,
								 &got, &nr),
				STATUS_INVALID_DEVICE_REQUEST);
}

static void transfer_pages_arguments(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	struct ranges *ranges = ranges_alloc(test);
	PCVMB_TRANSFER_PAGE_RANGE got;
	VMBPACKETCOMPLETION packet;
	UINT16 set;
	UINT32 nr;

	receiver->keep = true;
	comes_up(test, receiver);
	host_transfers(bus, 0, ranges, 1, 1);
	was_given(test, receiver, 1);
	packet = receiver->kept[0];
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(NULL, BUFFER, &set,
							 &got, &nr),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(packet, BUFFER, NULL,
							 &got, &nr),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(packet, BUFFER, &set,
							 NULL, &nr),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(packet, BUFFER, &set,
							 &got, NULL),
			STATUS_INVALID_PARAMETER_5);
}

/* Ranges, the last of three in a packet, beside the end of the buffer */
static const struct beside {
	const char *name;
	struct kmcl_xfer_range range;
	NTSTATUS status;
} besides[] = {
	{ "all of it", { .offset = 0, .len = BUFFER }, STATUS_SUCCESS },
	{ "its last byte", { .offset = BUFFER - 1, .len = 1 }, STATUS_SUCCESS },
	{ "nothing, at its end", { .offset = BUFFER, .len = 0 },
	  STATUS_SUCCESS },
	{ "a byte behind it", { .offset = BUFFER, .len = 1 },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "a byte too long", { .offset = 1, .len = BUFFER },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "longer than it", { .offset = 0, .len = BUFFER + 1 },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "wraps to its start", { .offset = U32_MAX, .len = 2 },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "wraps by its length", { .offset = 8, .len = U32_MAX - 4 },
	  STATUS_INVALID_BUFFER_SIZE },
	{ "nothing, far behind it", { .offset = U32_MAX, .len = 0 },
	  STATUS_INVALID_BUFFER_SIZE },
};

KUNIT_ARRAY_PARAM_DESC(beside, besides, name);

static void transfer_pages_beside_the_buffer(struct kunit *test)
{
	const struct beside *beside = test->param_value;
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	struct ranges *ranges = ranges_alloc(test);
	PCVMB_TRANSFER_PAGE_RANGE got = NULL;
	UINT16 set = 0;
	UINT32 nr = 77;

	ranges->range[2] = beside->range;
	receiver->keep = true;
	comes_up(test, receiver);
	host_transfers(bus, 0, ranges, 3, 3);
	was_given(test, receiver, 1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelPacketGetTransferPages(receiver->kept[0],
							 BUFFER, &set, &got,
							 &nr),
			beside->status);
	KUNIT_EXPECT_EQ(test, set, SET);
	KUNIT_EXPECT_EQ(test, nr, beside->status ? 77 : 3);
	KUNIT_EXPECT_EQ(test, !got, !!beside->status);
}

/* What is not in the packet, or has no room, is not delivered, and is answered. */
static const struct bad_transfer {
	const char *name;
	u32 says;
	u32 count;
} bad_transfers[] = {
	{ "one more than there is", 4, 3 },
	{ "one of none", 1, 0 },
	{ "as many as a word holds", U32_MAX, 3 },
	{ "a multiplication overflows", 0x20000001, 1 },
	{ "no room beside the payload", MOST_RANGES + 1, MOST_RANGES + 1 },
};

KUNIT_ARRAY_PARAM_DESC(bad_transfer, bad_transfers, name);

static void malformed_transfer_pages(struct kunit *test)
{
	const struct bad_transfer *bad = test->param_value;
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	struct ranges *ranges = ranges_alloc(test);

	log_record(test);
	comes_up(test, receiver);
	host_transfers(bus, 5, ranges, bad->says, bad->count);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	KUNIT_EXPECT_EQ(test, bus->last_id, 5);
	KUNIT_EXPECT_EQ(test, bus->last_len, 0);
	is_logged(test, NOT_DELIVERED);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	KUNIT_EXPECT_FALSE(test, receiver->ch->rx.failed);
}

/* Without the header that says how many there are */
static void transfer_pages_without_a_header(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u32 number = 0;

	comes_up(test, receiver);
	fake_bus_deliver_with_head(bus, KMCL_PKT_XFER_PAGES, 5, NULL, 0,
				   &number, sizeof(number));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	KUNIT_EXPECT_EQ(test, receiver->calls, 0);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, 1);
}

/* A ring that makes no sense */

static void corrupt_ring(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	VMBPACKET packet;
	u32 i;

	VmbChannelSetTransactionQuota(receiver->ch, 1);
	receiver->keep = true;
	comes_up(test, receiver);
	host_sends(bus, 0, 10);
	was_given(test, receiver, 1);
	receiver->status = STATUS_PENDING;
	for (i = 0; i < 2; i++) {
		packet = VmbPacketAllocate(receiver->ch);
		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutine(packet, completed);
		/* One in flight, and one that waits. */
		fake_bus_set_room(bus, !i);
		KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &i, sizeof(i),
						    NULL, WAIT),
				STATUS_SUCCESS);
	}
	fake_bus_corrupt(bus, true);
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(receiver->ch);
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(receiver->status) == STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);

	/* The close waits for the packet that the client has: it is still completed. */
	packet = VmbPacketAllocate(receiver->ch);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_DEVICE_REMOVED);
	VmbPacketFree(packet);
	EXPECT_EVENTUALLY(test, !READ_ONCE(receiver->ch->delivery.on));
	completes_all(receiver);
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(receiver->ch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
	KUNIT_EXPECT_EQ(test, receiver->calls, 1);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.dropped, 9);

	fake_bus_corrupt(bus, false);
	receiver->next = 0;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 2);
}

/* A client that only receives hears of it as of a device that goes. */

static void is_down_and_comes_up(struct kunit *test, struct client *client,
				 struct fake_bus *bus)
{
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, client->ch->rx.corrupt, 1);
	KUNIT_EXPECT_FALSE(test, client->ch->rx.failed);

	/* As after a rescind, the next enable opens the channel. */
	fake_bus_corrupt(bus, false);
	bring_up(test, client);
	heard(test, client, UP);
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
}

static void corrupt_ring_takes_the_channel_down(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	log_record(test);
	bring_up(test, client);
	heard(test, client, UP);
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(client->ch);
	heard(test, client, DOWN " PnpFailure");
	is_logged(test, "corrupt incoming ring: the channel is closed");
	is_logged(test, "the incoming ring failed: status 0xc0000001");
	is_down_and_comes_up(test, client, bus);
}

static void corrupt_ring_of_a_paused_channel(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	heard(test, client, UP " Suspend");
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(client->ch);
	heard(test, client, "Closed PnpFailure");
	VmbChannelStart(client->ch);
	is_down_and_comes_up(test, client, bus);
}

/* As when a device goes: what the client does not complete is not waited for long. */
static void corrupt_ring_and_packets_of_the_client(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	u64 word = 1;

	remove_early(test);
	client->hold = true;
	bring_up(test, client);
	heard(test, client, UP);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->held_count) == 1);
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(client->ch);
	heard(test, client, DOWN " PnpFailure");
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 1);
	client_completes_all(client);
	client->hold = false;
	is_down_and_comes_up(test, client, bus);
}

/* The client waits in Pause for the packets that it has, and then for the close. */
static void corrupt_ring_ends_a_pause(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *pause;
	u64 word = 1;

	remove_early(test);
	client->hold = true;
	bring_up(test, client);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->held_count) == 1);
	pause = job_start(test, do_pause, client->ch);
	heard(test, client, UP " Suspend");
	fake_bus_corrupt(bus, true);
	kmcl_poll_schedule(client->ch);
	job_join(test, pause);
	heard(test, client, "Closed PnpFailure");
	client_completes_all(client);
}

/* A callback that may sleep */

static void is_slow(struct receiver *receiver, u32 number)
{
	msleep(500);
}

static void pause_waits_for_a_callback(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	receiver->hook = is_slow;
	comes_up(test, receiver);
	host_sends(bus, 0, 3);
	EXPECT_EVENTUALLY(test, atomic_read(&receiver->inside));
	VmbChannelPause(receiver->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&receiver->inside), 0);
	KUNIT_EXPECT_EQ(test, receiver->calls, 1);
	receiver->hook = NULL;
	VmbChannelStart(receiver->ch);
	was_given(test, receiver, 3);
}

static void disables(struct receiver *receiver, u32 number)
{
	VmbChannelDisable(receiver->ch);
	VmbChannelPause(receiver->ch);
	receiver->status = VmbChannelEnable(receiver->ch);
}

static void disable_in_a_callback(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);

	log_record(test);
	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	receiver->hook = disables;
	comes_up(test, receiver);
	host_sends(bus, 0, 1);
	was_given(test, receiver, 1);
	is_logged(test, "disable from a callback of its own refused");
	is_logged(test, "pause from a callback of its own refused");
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, receiver->ch->state, KMCL_ACTIVE);
}

/* A flood */

static int counts(void *data)
{
	u64 *count = data;

	while (!kthread_should_stop()) {
		WRITE_ONCE(*count, *count + 1);
		cond_resched();
	}
	return 0;
}

/* An endless ring, on the CPU that this thread wants as well. */
static void flood_leaves_the_cpu_to_others(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	struct task_struct *others[2];
	u64 before[2], count[2] = {};
	u64 id = 0, polls;
	int cpu;

	KUNIT_ASSERT_GE(test, num_online_cpus(), 2);
	comes_up(test, receiver);
	for (cpu = 0; cpu < 2; cpu++) {
		others[cpu] = kthread_create(counts, &count[cpu], "counts/%d",
					     cpu);
		KUNIT_ASSERT_FALSE(test, IS_ERR(others[cpu]));
		kthread_bind(others[cpu], cpu);
		wake_up_process(others[cpu]);
	}
	WRITE_ONCE(bus->endless, true);
	fake_bus_complete(bus, 1, &id, sizeof(id));
	msleep(100);
	polls = READ_ONCE(receiver->ch->rx.polls);
	for (cpu = 0; cpu < 2; cpu++)
		before[cpu] = READ_ONCE(count[cpu]);
	msleep(1000);
	KUNIT_EXPECT_GT(test, READ_ONCE(receiver->ch->rx.polls), polls);
	for (cpu = 0; cpu < 2; cpu++)
		KUNIT_EXPECT_GT(test, READ_ONCE(count[cpu]), before[cpu]);
	WRITE_ONCE(bus->endless, false);
	for (cpu = 0; cpu < 2; cpu++)
		kthread_stop(others[cpu]);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->ch->rx.received) ==
				READ_ONCE(receiver->ch->tx.bad_ids));
}

#define PROMISES	1000

/* A host that sends the next packet as soon as the last one was read. */
static void trickle(void *arg)
{
	struct fake_bus *bus = arg;
	struct kmcl_rx *rx = &bus->ch->rx;
	u64 received = READ_ONCE(rx->received);
	unsigned int i;

	for (i = 0; i < PROMISES; i++) {
		fake_bus_complete(bus, 1, NULL, 0);
		while (READ_ONCE(rx->received) <= received + i)
			cond_resched();
	}
}

/* Packets that come one by one, each just in time, are a flood as well. */
static void trickle_leaves_the_cpu_to_others(struct kunit *test)
{
	struct fake_bus *bus;
	struct receiver *receiver = fake_receiver(test, &bus);
	u64 polls;

	comes_up(test, receiver);
	polls = READ_ONCE(receiver->ch->rx.polls);
	job_join(test, job_start(test, trickle, bus));
	KUNIT_EXPECT_EQ(test, READ_ONCE(receiver->ch->rx.received), PROMISES);
	KUNIT_EXPECT_GE(test, READ_ONCE(receiver->ch->rx.polls) - polls,
			PROMISES / 64);
}

/* With the server */

static struct receiver *server_receiver(struct kunit *test, u32 packet_size)
{
	struct receiver *receiver = receiver_alloc(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	receives_on(test, receiver, get_channel(test));
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetPnp(receiver->ch, &type,
							 &instance, NULL),
			STATUS_SUCCESS);
	if (packet_size)
		VmbChannelInitSetMaximumPacketSize(receiver->ch, packet_size);
	return receiver;
}

/* The server sends @count packets of one word to the guest. */
static void server_pushes(struct kunit *test, struct receiver *receiver,
			  u32 count, u32 size, bool complete)
{
	server_does(test, receiver->ch, .op = TESTDEV_PUSH, .length = count,
		    .offset = size,
		    .handle = complete ? TESTDEV_PUSH_COMPLETE : 0);
}

/* The server counts what comes for what it has sent. */
static void server_has_all(struct kunit *test, VMBCHANNEL ch,
			   const struct testdev_report *before, u32 count)
{
	struct testdev_report after;
	int tries = 100;

	do {
		after = server_report(test, ch);
	} while (after.completed - before->completed < count && --tries &&
		 !msleep_interruptible(20));
	KUNIT_EXPECT_EQ(test, after.completed - before->completed, count);
	KUNIT_EXPECT_EQ(test, after.bad_completions, before->bad_completions);
	KUNIT_EXPECT_EQ(test,
			after.completion_bytes - before->completion_bytes,
			count * sizeof(u64));
}

/* The server's packets hold a pattern instead of a number. */
static VOID receive_pattern(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			    PVOID buffer, UINT32 length, UINT32 flags)
{
	struct receiver *receiver = VmbChannelGetPointer(ch);
	u32 number = receiver->next++;

	enter(receiver);
	if (length != sizeof(u64) ||
	    *(u64 *)buffer != testdev_pattern_word(number, 0))
		receiver->misordered++;
	if (receiver->hook)
		receiver->hook(receiver, number);
	if (receiver->keep)
		keep(receiver, packet);
	else
		VmbChannelPacketComplete(packet, buffer, length);
	atomic_dec(&receiver->inside);
	/* Cases poll for this: write it last. */
	smp_store_release(&receiver->calls, receiver->calls + 1);
}

static struct receiver *server_pattern_receiver(struct kunit *test)
{
	struct receiver *receiver = server_receiver(test, 0);

	VmbChannelInitSetProcessPacketCallbacks(receiver->ch, receive_pattern,
						batch);
	return receiver;
}

static void server_sends_a_thousand(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);
	struct testdev_report before;

	comes_up(test, receiver);
	before = server_report(test, receiver->ch);
	server_pushes(test, receiver, MANY, sizeof(u64), true);
	was_given(test, receiver, MANY);
	server_has_all(test, receiver->ch, &before, MANY);
	KUNIT_EXPECT_EQ(test, receiver->in_process, 0);
}

static int completes_in_a_thread(void *data)
{
	struct receiver *receiver = data;

	while (!kthread_should_stop())
		if (!completes_one(receiver))
			usleep_range(100, 300);
	return 0;
}

/* Two other threads complete packets later, and out of order. */
static void server_gets_completions_of_threads(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);
	struct testdev_report before;
	struct task_struct *threads[2];
	unsigned int i;

	receiver->keep = true;
	comes_up(test, receiver);
	before = server_report(test, receiver->ch);
	for (i = 0; i < 2; i++) {
		threads[i] = kthread_run(completes_in_a_thread, receiver,
					 "completes/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(threads[i]));
	}
	server_pushes(test, receiver, MANY, sizeof(u64), true);
	was_given(test, receiver, MANY);
	server_has_all(test, receiver->ch, &before, MANY);
	for (i = 0; i < 2; i++)
		kthread_stop(threads[i]);
	KUNIT_EXPECT_LE(test, receiver->most_kept, KMCL_QUOTA_DEFAULT);
}

static void asks_the_server(struct receiver *receiver, u32 number)
{
	struct testdev_request ask = { .op = TESTDEV_ECHO };
	struct server srv = { .ch = receiver->ch };
	struct testdev_response rsp;
	NTSTATUS status = server_call(&srv, &ask, NULL, &rsp, NULL, 0);

	if (status)
		receiver->status = status;
}

/* A request is waited for in each callback, which holds up only the callbacks. */
static void callbacks_ask_the_server(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);
	struct testdev_report before;

	VmbChannelSetIncomingProcessingAtPassive(receiver->ch, TRUE);
	receiver->hook = asks_the_server;
	comes_up(test, receiver);
	before = server_report(test, receiver->ch);
	server_pushes(test, receiver, 100, sizeof(u64), true);
	was_given(test, receiver, 100);
	server_has_all(test, receiver->ch, &before, 100);
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, receiver->in_softirq, 0);
}

/* What the client waits for lies behind the packets that it has no room for. */
static void server_completes_at_the_quota(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);

	receiver->keep = true;
	comes_up(test, receiver);
	server_pushes(test, receiver, KMCL_QUOTA_DEFAULT + 10, sizeof(u64),
		      true);
	was_given(test, receiver, KMCL_QUOTA_DEFAULT);
	asks_the_server(receiver, 0);
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, receiver->calls, KMCL_QUOTA_DEFAULT);
	completes_all(receiver);
	was_given(test, receiver, KMCL_QUOTA_DEFAULT + 10);
}

static void server_completes_while_paused(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);

	comes_up(test, receiver);
	VmbChannelPause(receiver->ch);
	becomes(test, receiver->ch, KMCL_PAUSED);
	server_pushes(test, receiver, 10, sizeof(u64), true);
	asks_the_server(receiver, 0);
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_SUCCESS);
	was_given(test, receiver, 0);
	VmbChannelStart(receiver->ch);
	was_given(test, receiver, 10);
}

/* At the quota, with the server's ring full behind it, nothing runs. */
static void server_floods_a_client_at_its_quota(struct kunit *test)
{
	struct receiver *receiver = server_pattern_receiver(test);
	u64 polls;

	receiver->keep = true;
	comes_up(test, receiver);
	server_pushes(test, receiver, MANY, sizeof(u64), false);
	was_given(test, receiver, KMCL_QUOTA_DEFAULT);
	polls = receiver->ch->rx.polls;
	msleep(2000);
	KUNIT_EXPECT_EQ(test, receiver->ch->rx.polls, polls);
	completes_all(receiver);
	was_given(test, receiver, MANY);
	KUNIT_EXPECT_EQ(test, receiver->most_kept, KMCL_QUOTA_DEFAULT);
}

/* Packets that are larger than the channel said. */

static void packets_of_the_server_too_large(struct kunit *test)
{
	struct receiver *receiver = server_receiver(test, 256);

	VmbChannelInitSetProcessPacketCallbacks(receiver->ch, receive_pattern,
						batch);
	comes_up(test, receiver);
	server_pushes(test, receiver, 10, 2048, true);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->ch->rx.dropped) == 10);
	server_pushes(test, receiver, 5, sizeof(u64), false);
	was_given(test, receiver, 5);
	KUNIT_EXPECT_FALSE(test, receiver->ch->rx.failed);
}

static VOID cut(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length)
{
	struct receiver *receiver =
		VmbChannelGetPointer(VmbPacketGetChannel(packet));

	receiver->next = length;
	WRITE_ONCE(receiver->status, status);
	VmbPacketFree(packet);
}

static void completion_of_the_server_too_large(struct kunit *test)
{
	struct receiver *receiver = server_receiver(test, 256);
	struct testdev_request read = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_GPADL_READ, .length = 2048,
	};
	struct testdev_report report;
	VMBPACKET packet;
	u32 room;
	void *completion, *page;

	page = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	comes_up(test, receiver);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(receiver->ch, 0, page,
							PAGE_SIZE,
							&read.handle),
			STATUS_SUCCESS);
	packet = VmbPacketAllocate(receiver->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	receiver->status = STATUS_PENDING;
	VmbPacketSetCompletionRoutine(packet, cut);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &read, sizeof(read), NULL,
					    WAIT), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(receiver->status) != STATUS_PENDING);
	KUNIT_EXPECT_EQ(test, receiver->status, STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, receiver->next, 256);

	/* The ring is still in step. */
	report = server_report(test, receiver->ch);
	KUNIT_EXPECT_GT(test, report.requests, 0);

	/* A truncated packet is not delivered, even where there is room for it. */
	room = 4096;
	completion = kunit_kzalloc(test, room, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, completion);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(receiver->ch, &read,
							 sizeof(read), NULL,
							 WAIT, completion,
							 &room,
							 NULL),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, room, 256);
	KUNIT_EXPECT_FALSE(test, receiver->ch->rx.failed);
	KUNIT_EXPECT_EQ(test, receiver->ch->tx.bad_ids, 0);
	VmbChannelDeleteGpadl(receiver->ch, read.handle);
	free_page((unsigned long)page);
}

/* Callbacks with a context */

/**
 * struct context - the context of the two callbacks for packets
 * @ch: the channel
 * @calls: ProcessPacket callbacks
 * @data: first word of the last packet
 * @length: bytes of the last packet
 * @batches: ProcessingComplete callbacks
 * @batched: packets that those were for
 */
struct context {
	VMBCHANNEL ch;
	atomic_t calls;
	u64 data;
	u32 length;
	u32 batches;
	u32 batched;
};

static void context_calls(struct kunit *test, struct context *context,
			  int calls)
{
	EXPECT_EVENTUALLY(test, atomic_read(&context->calls) >= calls);
	KUNIT_EXPECT_EQ(test, atomic_read(&context->calls), calls);
}

static VOID packet_with_context(VMBCHANNEL ch, PVOID data,
				VMBPACKETCOMPLETION packet, PVOID buffer,
				UINT32 length, UINT32 flags)
{
	struct context *context = data;

	context->ch = ch;
	context->length = length;
	memcpy(&context->data, buffer, sizeof(context->data));
	VmbChannelPacketComplete(packet, NULL, 0);
	atomic_inc(&context->calls);
}

static VOID processed_with_context(VMBCHANNEL ch, PVOID data, UINT32 count)
{
	struct context *context = data;

	/* The channel that the packets before named. */
	if (context->ch == ch)
		context->batches++;
	context->batched += count;
}

static NTSTATUS set_callbacks_ex(VMBCHANNEL ch, struct context *context)
{
	return VmbChannelInitSetProcessPacketCallbacksEx(ch,
							 packet_with_context,
							 processed_with_context,
							 context);
}

static void process_packet_ex(struct kunit *test)
{
	struct client *client;
	struct fake_bus *bus;
	struct context context = {};
	u64 word = 0xfeed;

	client = fake_client(test, &bus);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(client->ch, &context),
			STATUS_SUCCESS);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(client->ch, &context),
			STATUS_INVALID_PARAMETER_1);
	fake_bus_deliver_request(bus, 5, &word, sizeof(word));
	context_calls(test, &context, 1);
	KUNIT_EXPECT_PTR_EQ(test, context.ch, client->ch);
	KUNIT_EXPECT_EQ(test, context.data, 0xfeed);
	KUNIT_EXPECT_EQ(test, context.length, sizeof(word));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	EXPECT_EVENTUALLY(test, READ_ONCE(context.batched) == 1);
	KUNIT_EXPECT_EQ(test, context.batches, 1);
	KUNIT_EXPECT_EQ(test, client->packets, 0);
	VmbChannelDisable(client->ch);

	/* The ones set last are called, of whichever kind. */
	client_set_up(test, client, client->ch, &some_guid, NULL);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 6, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 1);
	context_calls(test, &context, 1);
	KUNIT_EXPECT_EQ(test, context.batches, 1);
	VmbChannelDisable(client->ch);

	/* No callback at all */
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(client->ch,
								  NULL, NULL,
								  &context),
			STATUS_SUCCESS);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 7, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->rx.dropped));
	KUNIT_EXPECT_EQ(test, client->packets, 1);
	context_calls(test, &context, 1);
}

static void process_packet_ex_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct context context;

	KUNIT_EXPECT_EQ(test, set_callbacks_ex(NULL, &context),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(bus->ch, NULL,
								  processed_with_context,
								  &context),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, bus->ch->set.processing_complete_ex);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(bus->ch, NULL,
								  NULL, NULL),
			STATUS_SUCCESS);
}

static struct kunit_case rx_cases[] = {
	KUNIT_CASE_PARAM(never_more_than_the_quota, quota_gen_params),
	KUNIT_CASE(larger_quota_is_seen_at_a_completion),
	KUNIT_CASE(quota_at_the_opening),
	KUNIT_CASE(quota_of_nothing),
	KUNIT_CASE(completions_at_the_quota),
	KUNIT_CASE(completions_while_paused),
	KUNIT_CASE_SLOW(ring_waits_for_memory),
	KUNIT_CASE(memory_comes_with_the_completions),
	KUNIT_CASE(completion_of_ours_too_large),
	KUNIT_CASE(request_too_large),
	KUNIT_CASE(requests_too_large_need_memory),
	KUNIT_CASE(completion_overtakes_what_waits_for_a_slot),
	KUNIT_CASE(completions_and_packets_take_turns),
	KUNIT_CASE(softirq_context),
	KUNIT_CASE(passive_context),
	KUNIT_CASE(passive_context_without_completion),
	KUNIT_CASE(passive_context_with_an_endless_chain),
	KUNIT_CASE(passive_completions_at_the_close),
	KUNIT_CASE(passive_gpa_direct_at_the_close),
	KUNIT_CASE_SLOW(context_changes_under_way),
	KUNIT_CASE(one_is_deferred),
	KUNIT_CASE(all_are_deferred),
	KUNIT_CASE(deferred_where_it_may_sleep),
	KUNIT_CASE(deferred_outside_its_callback),
	KUNIT_CASE(deferred_after_its_channel),
	KUNIT_CASE(second_call_is_told_from_the_first),
	KUNIT_CASE(deferred_at_the_close),
	KUNIT_CASE(packet_is_malformed),
	KUNIT_CASE(no_gpa_direct),
	KUNIT_CASE_PARAM(transfer_pages, range_count_gen_params),
	KUNIT_CASE(transfer_pages_arguments),
	KUNIT_CASE_PARAM(transfer_pages_beside_the_buffer, beside_gen_params),
	KUNIT_CASE_PARAM(malformed_transfer_pages, bad_transfer_gen_params),
	KUNIT_CASE(transfer_pages_without_a_header),
	KUNIT_CASE(corrupt_ring),
	KUNIT_CASE(corrupt_ring_takes_the_channel_down),
	KUNIT_CASE(corrupt_ring_of_a_paused_channel),
	KUNIT_CASE(corrupt_ring_and_packets_of_the_client),
	KUNIT_CASE(corrupt_ring_ends_a_pause),
	KUNIT_CASE(pause_waits_for_a_callback),
	KUNIT_CASE(disable_in_a_callback),
	KUNIT_CASE_SLOW(flood_leaves_the_cpu_to_others),
	KUNIT_CASE(trickle_leaves_the_cpu_to_others),
	KUNIT_CASE(process_packet_ex),
	KUNIT_CASE(process_packet_ex_arguments),
	{}
};

struct kunit_suite vmbkmcl_rx_suite = {
	.name = "vmbkmcl_rx",
	.test_cases = rx_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case rx_server_cases[] = {
	KUNIT_CASE(server_sends_a_thousand),
	KUNIT_CASE(server_gets_completions_of_threads),
	KUNIT_CASE(callbacks_ask_the_server),
	KUNIT_CASE(server_completes_at_the_quota),
	KUNIT_CASE(server_completes_while_paused),
	KUNIT_CASE(server_floods_a_client_at_its_quota),
	KUNIT_CASE(packets_of_the_server_too_large),
	KUNIT_CASE(completion_of_the_server_too_large),
	{}
};

struct kunit_suite vmbkmcl_rx_server_suite = {
	.name = "vmbkmcl_rx_server",
	.test_cases = rx_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_rx_server_suite);
