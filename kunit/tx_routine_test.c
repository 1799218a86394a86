// SPDX-License-Identifier: GPL-2.0-only
/*
 * In whose call the completion routines of packets run, and how many of them run before
 * others get a turn.
 */

#include <linux/bottom_half.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#include "../vmbkmcl/budget.h"
#include "lib/client.h"
#include "lib/outcome.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define CHAIN		10000
#define FOR_EVER	UINT_MAX

/**
 * struct chain - packets that are sent from the completion routine of the one before
 * @bus: where the first one is sent
 * @packet: the only packet, if @packets is %NULL
 * @packets: the packets, each of a channel of its own
 * @left: number of packets to send
 * @calls: number of calls of the routine
 * @depth: calls that are running
 * @deepest: the highest value of @depth
 * @polls: polls of the channel when the routine was called last
 * @in_poll: calls since the number of polls has changed
 * @most: the highest value of @in_poll
 * @busy_ms: time that each call takes
 */
struct chain {
	struct fake_bus *bus;
	VMBPACKET packet;
	VMBPACKET *packets;
	unsigned int left;
	unsigned int calls;
	unsigned int depth;
	unsigned int deepest;
	u64 polls;
	unsigned int in_poll;
	unsigned int most;
	unsigned int busy_ms;
};

static void chain_count(struct chain *chain)
{
	u64 polls = chain->bus->ch->rx.polls;

	chain->in_poll = polls == chain->polls ? chain->in_poll + 1 : 1;
	chain->polls = polls;
	chain->most = max(chain->most, chain->in_poll);
	chain->deepest = max(chain->deepest, chain->depth);
	/* Pairs with chain_calls(): the other members are written before. */
	smp_store_release(&chain->calls, chain->calls + 1);
}

static unsigned int chain_calls(const struct chain *chain)
{
	/* Pairs with chain_count(). */
	return smp_load_acquire(&chain->calls);
}

static VOID send_the_next(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			  UINT32 length)
{
	struct chain *chain = VmbPacketGetPointer(packet);
	u64 word = 0;

	chain->depth++;
	chain_count(chain);
	if (chain->busy_ms)
		mdelay(chain->busy_ms);
	if (NT_SUCCESS(status) && READ_ONCE(chain->left)) {
		WRITE_ONCE(chain->left, chain->left - 1);
		if (chain->packets)
			packet = chain->packets[chain->left];
		VmbPacketSend(packet, &word, sizeof(word), NULL, 0);
	}
	chain->depth--;
}

static void chain_end(void *arg)
{
	struct chain *chain = arg;

	VmbChannelDisable(chain->bus->ch);
	VmbPacketFree(chain->packet);
}

static struct chain *chain_of(struct kunit *test, unsigned int left)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, chain);
	chain->bus = bus;
	chain->left = left;
	chain->packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, chain->packet);
	VmbPacketSetCompletionRoutine(chain->packet, send_the_next);
	VmbPacketSetPointer(chain->packet, chain);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, chain_end, chain),
			0);
	return chain;
}

static void chain_begin(struct kunit *test, struct chain *chain)
{
	KUNIT_ASSERT_EQ(test, VmbPacketSend(chain->packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
}

/* The stack does not grow with the packets, and the send calls its own routine only. */
static void routine_that_sends_again(struct kunit *test)
{
	struct chain *chain = chain_of(test, CHAIN);
	unsigned int calls;

	/* The poll can not run on this CPU before the calls are counted. */
	local_bh_disable();
	chain_begin(test, chain);
	calls = chain->calls;
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, calls, 1);
	EXPECT_EVENTUALLY(test, chain_calls(chain) == CHAIN + 1);
	KUNIT_EXPECT_EQ(test, chain->deepest, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&chain->bus->sends), CHAIN + 1);
}

/* The first routine is called in the send, so the count of the first poll is not exact. */
static void poll_calls_as_many_as_its_budget(struct kunit *test)
{
	struct chain *chain = chain_of(test, CHAIN);

	chain_begin(test, chain);
	EXPECT_EVENTUALLY(test, chain_calls(chain) == CHAIN + 1);
	KUNIT_EXPECT_GT(test, chain->most, 1);
	KUNIT_EXPECT_LE(test, chain->most, KMCL_BUDGET_PACKETS + 1);
}

static void poll_calls_as_long_as_its_budget(struct kunit *test)
{
	struct chain *chain = chain_of(test, 50);

	chain->busy_ms = 1;
	chain_begin(test, chain);
	EXPECT_EVENTUALLY(test, chain_calls(chain) == 51);
	/*
	 * 2 ms, and the packet that was begun before. In a guest without a stable TSC,
	 * local_clock() is a tick behind at most.
	 */
	KUNIT_EXPECT_LE(test, chain->most, 3 + jiffies_to_msecs(1));
}

/* Channels whose routines send on the next one: the stack does not grow with them. */
static void routine_that_sends_elsewhere(struct kunit *test)
{
	struct chain *chain = chain_of(test, 0);
	enum { CHANNELS = 100 };
	struct fake_bus *bus;
	unsigned int i;

	chain->packets = kunit_kcalloc(test, CHANNELS, sizeof(*chain->packets),
				       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chain->packets);
	for (i = 0; i < CHANNELS; i++) {
		bus = fake_bus_start(test);
		chain->packets[i] = VmbPacketAllocate(bus->ch);
		KUNIT_ASSERT_NOT_NULL(test, chain->packets[i]);
		VmbPacketSetCompletionRoutine(chain->packets[i], send_the_next);
		VmbPacketSetPointer(chain->packets[i], chain);
	}
	chain->left = CHANNELS;
	chain_begin(test, chain);
	EXPECT_EVENTUALLY(test, chain_calls(chain) == CHANNELS + 1);
	KUNIT_EXPECT_EQ(test, chain->deepest, 1);
	for (i = 0; i < CHANNELS; i++) {
		VmbChannelDisable(VmbPacketGetChannel(chain->packets[i]));
		VmbPacketFree(chain->packets[i]);
	}
}

/* Neither the poll nor the work item is kept by one packet for ever. */
static void endless_chain_case(struct kunit *test, bool passive)
{
	struct chain *chain = chain_of(test, FOR_EVER);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, chain->bus->ch, &outcome);
	u64 word = 0;
	ktime_t begin;
	s64 ms;

	VmbChannelSetIncomingProcessingAtPassive(chain->bus->ch, passive);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, WAIT),
			STATUS_SUCCESS);
	chain_begin(test, chain);
	EXPECT_EVENTUALLY(test, chain_calls(chain) > 1000);

	/* The completion of another packet is read meanwhile. */
	fake_bus_complete(chain->bus, 1ULL << 32, NULL, 0);
	outcome_calls(test, &outcome, 1);
	begin = ktime_get();
	VmbChannelPause(chain->bus->ch);
	ms = ktime_ms_delta(ktime_get(), begin);
	KUNIT_EXPECT_LT(test, ms, 1000);
	KUNIT_EXPECT_GT(test, chain->left, 0);
}

static void endless_chain(struct kunit *test)
{
	endless_chain_case(test, false);
}

static void endless_chain_at_passive(struct kunit *test)
{
	endless_chain_case(test, true);
}

/**
 * struct contender - a thread in whose calls another thread's routine must not run
 * @packet: sent without a completion
 * @lock: held around the send; may be %NULL
 * @other: the other thread, which sends while the routine of this one runs; may be
 *	%NULL
 * @calls: number of calls of the routine
 * @caller: the task in whose calls the routine must not be called
 * @wrong: number of calls of the routine that came in a call of @caller
 * @go: the thread may send
 * @returned: the send has returned
 */
struct contender {
	VMBPACKET packet;
	spinlock_t *lock;
	struct contender *other;
	atomic_t calls;
	struct task_struct *caller;
	unsigned int wrong;
	bool go;
	bool returned;
};

static VOID let_the_other_send(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			       UINT32 length)
{
	struct contender *c = VmbPacketGetPointer(packet);
	unsigned int ms;

	/* A softirq that interrupts a task does not run in a call of the task. */
	if (current == c->caller && !in_serving_softirq())
		c->wrong++;
	atomic_inc(&c->calls);
	if (!c->other)
		return;
	c->other->caller = current;
	WRITE_ONCE(c->other->go, true);
	for (ms = 0; ms < 5000 && !READ_ONCE(c->other->returned); ms++)
		mdelay(1);
}

static void contender_init(struct kunit *test, struct contender *c,
			   struct fake_bus *bus)
{
	c->packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, c->packet);
	VmbPacketSetCompletionRoutine(c->packet, let_the_other_send);
	VmbPacketSetPointer(c->packet, c);
}

static void contend(void *arg)
{
	struct contender *c = arg;

	while (!READ_ONCE(c->go))
		msleep(1);
	if (c->lock) {
		spin_lock_bh(c->lock);
		VmbPacketSend(c->packet, NULL, 0, NULL, 0);
		spin_unlock_bh(c->lock);
	} else {
		VmbPacketSend(c->packet, NULL, 0, NULL, 0);
	}
	WRITE_ONCE(c->returned, true);
}

/*
 * While the routine of the first thread's packet runs, another thread sends. The first
 * thread holds a lock that the routine of the other one may take, so that routine must not
 * be called in the first thread's send.
 */
static void routine_under_anothers_lock(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct contender c[2] = {};
	struct job *jobs[2];
	spinlock_t lock;
	unsigned int i;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	spin_lock_init(&lock);
	for (i = 0; i < 2; i++)
		contender_init(test, &c[i], bus);
	c[0].other = &c[1];
	c[0].lock = &lock;
	c[0].go = true;
	for (i = 0; i < 2; i++)
		jobs[i] = job_start(test, contend, &c[i]);
	for (i = 0; i < 2; i++)
		job_end(jobs[i]);
	VmbChannelDisable(bus->ch);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, atomic_read(&c[i].calls), 1);
		KUNIT_EXPECT_EQ(test, c[i].wrong, 0);
		VmbPacketFree(c[i].packet);
	}
}

/* A request that times out leaves the queue, so that packets behind it can be sent. */
static void routine_in_anothers_timeout(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	LARGE_INTEGER timeout = { .QuadPart = -SECOND / 10 };
	struct contender c = { .caller = current };
	u64 word = 0;

	contender_init(test, &c, bus);
	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(c.packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	/* There is room for the packet, but the host does not signal. */
	fake_bus_set_room(bus, 1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(bus->ch, &word, 8, NULL,
							 WAIT, NULL, NULL,
							 &timeout),
			STATUS_CANCELLED);
	EXPECT_EVENTUALLY(test, atomic_read(&c.calls) == 1);
	KUNIT_EXPECT_EQ(test, c.wrong, 0);
	VmbChannelDisable(bus->ch);
	VmbPacketFree(c.packet);
}

/* The client may hold a lock while it disables the channel. */
static void routine_at_a_disable(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct contender sent = { .caller = current }, queued = sent;
	u64 word = 0;

	contender_init(test, &sent, bus);
	contender_init(test, &queued, bus);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(sent.packet, &word, 8, NULL, WAIT),
			STATUS_SUCCESS);
	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(queued.packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&sent.calls), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&queued.calls), 1);
	KUNIT_EXPECT_EQ(test, sent.wrong + queued.wrong, 0);
	VmbPacketFree(sent.packet);
	VmbPacketFree(queued.packet);
}

/* A routine that was deferred for the poll, before the client wanted to sleep in it. */
static void routine_of_a_client_that_turns_passive(struct kunit *test)
{
	struct chain *chain = chain_of(test, 1);

	local_bh_disable();
	chain_begin(test, chain);
	VmbChannelSetIncomingProcessingAtPassive(chain->bus->ch, TRUE);
	local_bh_enable();
	EXPECT_EVENTUALLY(test, chain_calls(chain) == 2);
}

#define LEFT	100

static atomic_t left_calls;

static VOID let_the_client_leave(VMBPACKET packet, NTSTATUS status,
				 PVOID buffer, UINT32 length)
{
	struct client *client = VmbPacketGetPointer(packet);

	mdelay(1);
	if (atomic_inc_return(&left_calls) == LEFT)
		complete(&client->leave);
	VmbPacketFree(packet);
}

/*
 * A rescind stops the poll in the middle of the routines. The client waits for them in
 * a callback.
 */
static void routines_that_the_last_poll_leaves(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	VMBPACKET packet;
	unsigned int i;

	atomic_set(&left_calls, 0);
	client->at = "Suspend";
	client->hook = wait_to_leave;
	bring_up(test, client);
	for (i = 0; i < LEFT; i++) {
		packet = VmbPacketAllocate(client->ch);
		KUNIT_ASSERT_NOT_NULL(test, packet);
		VmbPacketSetCompletionRoutine(packet, let_the_client_leave);
		VmbPacketSetPointer(packet, client);
		KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, WAIT),
				STATUS_SUCCESS);
	}
	fake_bus_rescind_at_once(bus);
	EXPECT_EVENTUALLY(test, atomic_read(&left_calls) == LEFT);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

static struct kunit_case tx_routine_cases[] = {
	KUNIT_CASE_SLOW(routine_that_sends_again),
	KUNIT_CASE_SLOW(poll_calls_as_many_as_its_budget),
	KUNIT_CASE(poll_calls_as_long_as_its_budget),
	KUNIT_CASE_SLOW(routine_that_sends_elsewhere),
	KUNIT_CASE(endless_chain),
	KUNIT_CASE(endless_chain_at_passive),
	KUNIT_CASE(routine_under_anothers_lock),
	KUNIT_CASE(routine_in_anothers_timeout),
	KUNIT_CASE(routine_at_a_disable),
	KUNIT_CASE(routine_of_a_client_that_turns_passive),
	KUNIT_CASE(routines_that_the_last_poll_leaves),
	{}
};

struct kunit_suite vmbkmcl_tx_routine_suite = {
	.name = "vmbkmcl_tx_routine",
	.test_cases = tx_routine_cases,
};
