// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every allocation for packets fails once: the call returns a clean status,
 * changes nothing and blocks nothing. kmemleak finds what was leaked. The cases
 * of GPA-direct packets are in tx_gpa_direct_test.c.
 */

#include <linux/io.h>
#include <linux/slab.h>

#include "lib/client.h"
#include "lib/failing.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/mdls.h"
#include "lib/outcome.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* Run it while the first allocation would fail: it must make none. */
#define needs_no_memory(test, expression)				\
do {									\
	fail_nth(1);							\
	expression;							\
	KUNIT_EXPECT_FALSE_MSG(test, has_failed(), "%s allocates",	\
			       #expression);				\
	fail_nth(0);							\
} while (0)

/* Only a task's allocations fail, so the case runs the tasklet's function. */
static void poll_here(struct kunit *test, struct kmcl_channel *ch)
{
	tasklet_disable(&ch->rx.poll);
	local_bh_disable();
	needs_no_memory(test, ch->rx.poll.callback(&ch->rx.poll));
	local_bh_enable();
	tasklet_enable(&ch->rx.poll);
}

/* The tests' own */

#define WORKS	1200

static void do_nothing(struct work_struct *work)
{
}

/*
 * Debugobjects allocates in the task that queues a work item when its store runs
 * low, as it does here. That must not be the allocation that fails.
 */
static void debugobjects_do_not_count(struct kunit *test)
{
	struct work_struct *works;
	unsigned int i;

	works = kunit_kcalloc(test, WORKS, sizeof(*works), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, works);
	for (i = 0; i < WORKS; i++) {
		INIT_WORK(&works[i], do_nothing);
		if (i >= WORKS - 64)
			needs_no_memory(test, schedule_work(&works[i]));
	}
	for (i = WORKS - 64; i < WORKS; i++)
		flush_work(&works[i]);
}

/* Objects */

static void packet_allocate(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned int nth, failures = 0;
	VMBPACKET packet = NULL;
	bool failed = true;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		fail_nth(nth);
		packet = VmbPacketAllocate(bus->ch);
		failed = has_failed();
		fail_nth(0);
		if (packet)
			break;
		KUNIT_EXPECT_EQ(test, kref_read(&bus->ch->ref), 1);
		KUNIT_EXPECT_EQ(test, atomic_read(&bus->ch->packets.lent), 0);
		failures++;
	}
	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_EXPECT_EQ(test, failures, 1);
	KUNIT_EXPECT_EQ(test, kref_read(&bus->ch->ref), 2);
	needs_no_memory(test, VmbPacketFree(packet));
	KUNIT_EXPECT_EQ(test, kref_read(&bus->ch->ref), 1);

	/* One that was freed is used again. */
	needs_no_memory(test, packet = VmbPacketAllocate(bus->ch));
	KUNIT_EXPECT_NOT_NULL(test, packet);
	VmbPacketFree(packet);
}

/* Sending */

#define SENDS	4

/* Every kind of send. The server takes none for a request. */
static void sends_need_no_memory(struct kunit *test, VMBCHANNEL ch,
				 struct outcome *outcomes)
{
	VMBPACKET plain = packet_of(test, ch, &outcomes[0]);
	VMBPACKET waiting = packet_of(test, ch, &outcomes[1]);
	VMBPACKET pfns = packet_of(test, ch, &outcomes[2]);
	VMBPACKET mdls = packet_of(test, ch, &outcomes[3]);
	void *va = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	PFN_NUMBER pfn;
	NTSTATUS status;
	u64 word = 0;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, va);
	pfn = virt_to_phys(va) / KMCL_HV_PAGE_SIZE;
	mdl = kernel_mdl(test, va, PAGE_SIZE);
	needs_no_memory(test, status = VmbPacketSend(plain, &word, 8, NULL, 0));
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	needs_no_memory(test, status = VmbPacketSend(waiting, &word, 8, NULL,
						     WAIT));
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	needs_no_memory(test,
			status = VmbPacketSendWithExternalPfns(pfns, &word, 8,
							       &pfn, 1, WAIT));
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	needs_no_memory(test,
			status = VmbPacketSendWithExternalMdl(mdls, &word, 8,
							      mdl, 0, 0, WAIT));
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
}

static void packet_send(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcomes[SENDS] = {};

	sends_need_no_memory(test, bus->ch, outcomes);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), SENDS);
	VmbChannelDisable(bus->ch);
}

static void packet_send_to_a_full_ring(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcomes[SENDS] = {};

	fake_bus_set_room(bus, 0);
	sends_need_no_memory(test, bus->ch, outcomes);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, SENDS);
	fake_bus_set_room(bus, INT_MAX);
	poll_here(test, bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), SENDS);
	VmbChannelDisable(bus->ch);
}

static void packet_send_to_a_pipe(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome outcomes[SENDS] = {};

	VmbChannelInitSetFlags(bus->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	sends_need_no_memory(test, bus->ch, outcomes);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), SENDS);
	VmbChannelDisable(bus->ch);
}

/* hv_vmbus must not allocate either. */
static void packet_send_to_the_server(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct outcome outcomes[SENDS] = {};
	unsigned int i;

	sends_need_no_memory(test, srv->ch, outcomes);
	for (i = 0; i < SENDS; i++)
		outcome_is(test, &outcomes[i], STATUS_SUCCESS);
	VmbChannelDisable(srv->ch);
}

/* Requests */

static NTSTATUS request(VMBCHANNEL ch, u32 flags, s64 timeout)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
	};
	LARGE_INTEGER time = { .QuadPart = timeout };

	return VmbChannelSendSynchronousRequest(ch, &req, sizeof(req), NULL,
						flags, NULL, NULL, &time);
}

static void synchronous_request(struct kunit *test)
{
	struct server *srv = server_open(test);
	NTSTATUS status;

	/* The kernel's own checks of the timer it waits with may want memory. */
	fail_nth(1);
	status = request(srv->ch, WAIT, -10 * SECOND);
	fail_nth(0);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	needs_no_memory(test, status = request(srv->ch, 0, 0));
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
}

/* The pipe header and the payload are one allocation. */
static void synchronous_request_to_a_pipe(struct kunit *test)
{
	struct server *srv = server_open(test);
	unsigned int nth, failures = 0;
	bool failed = true;
	NTSTATUS status;
	u64 sent;

	VmbChannelDisable(srv->ch);
	VmbChannelInitSetFlags(srv->ch, VMBUS_CHANNEL_INIT_FLAG_IS_PIPE);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(srv->ch), STATUS_SUCCESS);
	becomes(test, srv->ch, KMCL_ACTIVE);
	sent = READ_ONCE(srv->ch->tx.sent);
	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		fail_nth(nth);
		status = request(srv->ch, WAIT, -10 * SECOND);
		failed = has_failed();
		fail_nth(0);
		if (status) {
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			failures++;
		} else {
			sent++;
		}
		KUNIT_EXPECT_EQ(test, READ_ONCE(srv->ch->tx.sent), sent);
	}
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_EQ(test, failures, 1);
	KUNIT_EXPECT_EQ(test, request(srv->ch, WAIT, -10 * SECOND),
			STATUS_SUCCESS);
}

/* Packets of the host's */

/**
 * struct keeper - a client that keeps what it is given
 * @bus: beneath
 * @kept: packets
 * @nr_kept: how many
 */
struct keeper {
	struct fake_bus *bus;
	VMBPACKETCOMPLETION kept[4];
	u32 nr_kept;
};

static VOID keep(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		 UINT32 length, UINT32 flags)
{
	struct keeper *keeper = VmbChannelGetPointer(ch);
	u32 i = keeper->nr_kept;

	if (i == ARRAY_SIZE(keeper->kept)) {
		VmbChannelPacketComplete(packet, NULL, 0);
		return;
	}
	keeper->kept[i] = packet;
	/* Cases poll for this: write it last. */
	smp_store_release(&keeper->nr_kept, i + 1);
}

static struct keeper *keeper_alloc(struct kunit *test)
{
	struct keeper *keeper = kunit_kzalloc(test, sizeof(*keeper),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, keeper);
	keeper->bus = fake_bus_create(test);
	VmbChannelSetPointer(keeper->bus->ch, keeper);
	VmbChannelInitSetProcessPacketCallbacks(keeper->bus->ch, keep, NULL);
	return keeper;
}

static void packet_complete(struct kunit *test)
{
	struct keeper *keeper = keeper_alloc(test);
	struct fake_bus *bus = keeper->bus;
	u64 word = 0;
	bool all;
	u32 i;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	for (i = 0; i < ARRAY_SIZE(keeper->kept); i++)
		fake_bus_deliver_request(bus, i + 1, &word, sizeof(word));
	/* Each packet is stored before it is counted. */
	all = eventually(smp_load_acquire(&keeper->nr_kept) == i);
	KUNIT_ASSERT_TRUE(test, all);
	needs_no_memory(test, VmbChannelPacketComplete(keeper->kept[0], &word,
						       sizeof(word)));
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);

	/* A completion that has to wait for room needs none either. */
	fake_bus_set_room(bus, 0);
	needs_no_memory(test, VmbChannelPacketComplete(keeper->kept[1], &word,
						       sizeof(word)));
	needs_no_memory(test, VmbChannelPacketComplete(keeper->kept[2], NULL,
						       0));
	KUNIT_EXPECT_EQ(test, bus->ch->tx.queued, 2);
	fake_bus_set_room(bus, INT_MAX);
	poll_here(test, bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 3);
	needs_no_memory(test, VmbChannelPacketFail(keeper->kept[3]));
}

/* In softirq context the first packet is deferred, the others are completed. */
static VOID defer_the_first(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			    PVOID buffer, UINT32 length, UINT32 flags)
{
	if (*(u64 *)buffer || ch->delivery.sleeps)
		VmbChannelPacketComplete(packet, buffer, length);
	else
		VmbChannelPacketDeferToPassive(packet);
}

static void poll_and_deferral(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	u64 i;

	VmbChannelInitSetProcessPacketCallbacks(bus->ch, defer_the_first, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);

	tasklet_disable(&bus->ch->rx.poll);
	for (i = 0; i < 4; i++)
		fake_bus_deliver_request(bus, i + 1, &i, sizeof(i));
	poll_here(test, bus->ch);
	KUNIT_EXPECT_EQ(test, bus->ch->delivery.deferrals, 1);
	tasklet_enable(&bus->ch->rx.poll);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 4);
}

/* Settings */

static void settings_while_active(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	needs_no_memory(test, VmbChannelSetTransactionQuota(bus->ch, 1000));
	needs_no_memory(test,
			VmbChannelSetIncomingProcessingAtPassive(bus->ch, 1));
	needs_no_memory(test,
			VmbChannelSetIncomingProcessingAtPassive(bus->ch, 0));
}

/* The only setting that allocates; a large table is not needed in one piece. */
static void maximum_packet_count(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct kmcl_tx *tx = &bus->ch->tx;
	struct kmcl_tx_slot *slots = tx->slots;
	NTSTATUS status;

	fail_nth(1);
	status = VmbChannelInitSetMaximumPacketCount(bus->ch, 8);
	fail_nth(0);
	KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_PTR_EQ(test, tx->slots, slots);
	KUNIT_EXPECT_EQ(test, tx->count, KMCL_TX_SLOTS);

	fail_nth(1);
	status = VmbChannelInitSetMaximumPacketCount(bus->ch, 4096);
	fail_nth(0);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tx->count, 4096);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, send_word(bus->ch, 0, 0), STATUS_SUCCESS);
}

/* Opening */

/**
 * struct opening - a channel that comes up without some of its memory
 * @work: what its work item does
 * @nth: allocation that fails when it runs next; 0: none does
 * @failed: one did
 * @no_slabs: none that the task-filter is for succeeds
 * @told: what the PnP failure callback was told
 */
struct opening {
	work_func_t work;
	unsigned int nth;
	bool failed;
	bool no_slabs;
	NTSTATUS told;
};

/* In the task that brings the channel up: allocations fail for a task. */
static void work_without(struct work_struct *work)
{
	struct kmcl_channel *ch = container_of(work, struct kmcl_channel, work);
	struct opening *opening = VmbChannelGetPointer(ch);
	unsigned int nth = opening->nth;

	WRITE_ONCE(opening->nth, 0);
	fail_nth(nth);
	fail_by_filter(opening->no_slabs);
	opening->work(work);
	fail_by_filter(false);
	if (nth)
		opening->failed = has_failed();
	fail_nth(0);
}

static VOID told(VMBCHANNEL ch, NTSTATUS status)
{
	struct opening *opening = VmbChannelGetPointer(ch);

	opening->told = status;
}

static void work_restored(void *data)
{
	VMBCHANNEL ch = data;
	struct opening *opening = VmbChannelGetPointer(ch);

	VmbChannelDisable(ch);
	flush_work(&ch->work);
	ch->work.func = opening->work;
}

/*
 * Its work item is another until the end of the case: the kernel knows an item
 * that runs by its function, too, and would run it twice at once.
 */
static struct opening *opening_of(struct kunit *test, VMBCHANNEL ch)
{
	struct opening *opening = kunit_kzalloc(test, sizeof(*opening),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, opening);
	opening->work = ch->work.func;
	VmbChannelSetPointer(ch, opening);
	ch->work.func = work_without;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, work_restored,
							ch), 0);
	return opening;
}

static unsigned int each_fails_in_the_opening(struct kunit *test,
					      VMBCHANNEL ch)
{
	struct opening *opening = opening_of(test, ch);
	unsigned int nth, failures = 0;

	opening->failed = true;
	for (nth = 1; opening->failed && nth < MOST_ALLOCATIONS; nth++) {
		/* What the last Disable has left behind. */
		flush_work(&ch->work);
		opening->told = STATUS_SUCCESS;
		opening->failed = false;
		opening->nth = nth;
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
		/* A work item of the bus may attach the device. */
		EXPECT_EVENTUALLY(test, !READ_ONCE(opening->nth));
		flush_work(&ch->work);
		KUNIT_ASSERT_EQ(test, opening->nth, 0);
		if (ch->state == KMCL_DISABLED) {
			KUNIT_EXPECT_EQ(test, opening->told,
					STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_PTR_EQ(test, ch->delivery.pool, NULL);
			KUNIT_EXPECT_FALSE(test, ch->connected);
			failures++;
		} else {
			KUNIT_EXPECT_EQ(test, ch->state, KMCL_ACTIVE);
			KUNIT_EXPECT_EQ(test, opening->told, STATUS_SUCCESS);
		}
		VmbChannelDisable(ch);
		KUNIT_ASSERT_EQ(test, ch->state, KMCL_DISABLED);
	}
	kunit_info(test, "%u allocations, %u of them cannot be done without",
		   nth - 2, failures);
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	return failures;
}

/* Kernels differ in whether kvmalloc() makes do with less for so little. */
static bool needs_one_segment(size_t size)
{
	void *memory;

	fail_nth(1);
	memory = kvmalloc(size, GFP_KERNEL | __GFP_NOWARN);
	fail_nth(0);
	kvfree(memory);
	return !memory;
}

static void pages_count(void *test)
{
	run_shell(test, "echo 0 >/sys/kernel/debug/fail_page_alloc/min-order");
}

/*
 * Slabs are filled up at any time, with pages of up to order 3, and each such
 * allocation puts the next ones off by one, past the one that was to fail.
 */
static void fillings_do_not_count(struct kunit *test)
{
	run_shell(test, "echo 4 >/sys/kernel/debug/fail_page_alloc/min-order");
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, pages_count, test),
			0);
}

static void opening(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	fillings_do_not_count(test);
	VmbClientChannelInitSetTargetPnp(bus->ch, &some_guid, NULL, told);
	VmbChannelInitSetProcessPacketCallbacks(bus->ch, defer_the_first, NULL);
	/*
	 * The backlog, and a completion's copy; the packets' memory need not be in
	 * one piece.
	 */
	KUNIT_EXPECT_EQ(test, each_fails_in_the_opening(test, bus->ch),
			1 + needs_one_segment(bus->ch->set.max_packet_size));
}

static void slabs_are_there(void *test)
{
	run_shell(test, "cd /sys/kernel/debug/failslab; "
		  "echo 0 >probability; echo 1 >times; echo N >task-filter");
}

/*
 * The packets' memory is tried for in several ways, so that one allocation is never
 * missed. Here none succeeds, and it is too much to be had without vmalloc.
 */
static void opening_without_slabs(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMBCHANNEL ch = bus->ch;
	struct opening *opening;

	VmbClientChannelInitSetTargetPnp(ch, &some_guid, NULL, told);
	VmbChannelInitSetProcessPacketCallbacks(ch, defer_the_first, NULL);
	VmbChannelInitSetMaximumPacketSize(ch, SZ_64K);
	opening = opening_of(test, ch);
	opening->no_slabs = true;
	run_shell(test, "cd /sys/kernel/debug/failslab; "
		  "echo Y >task-filter; echo 100 >probability; echo -1 >times");
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, slabs_are_there,
							test), 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	flush_work(&ch->work);
	kunit_release_action(test, slabs_are_there, test);
	KUNIT_EXPECT_EQ(test, opening->told, STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_PTR_EQ(test, ch->delivery.pool, NULL);

	opening->no_slabs = false;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
}

/* The allocations of hv_vmbus are among them. */
static void opening_to_the_server(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, told);
	VmbClientChannelInitSetRingBufferPageCount(ch, 2, 2);
	VmbChannelInitSetMaximumPacketSize(ch, 256);
	VmbChannelInitSetMaximumExternalData(ch, PAGE_SIZE, 1);
	VmbChannelInitSetProcessPacketCallbacks(ch, defer_the_first, NULL);
	KUNIT_EXPECT_GE(test, each_fails_in_the_opening(test, ch), 3);
	KUNIT_EXPECT_EQ(test, request(ch, WAIT, -10 * SECOND), STATUS_SUCCESS);
}

/* Listening for the device: the driver, and what hv_vmbus makes of it. */
static void enable_allocations(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	unsigned int nth, failures = 0;
	guid_t type, instance;
	bool failed = true;
	NTSTATUS status;

	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		fail_nth(nth);
		status = VmbChannelEnable(ch);
		failed = has_failed();
		fail_nth(0);
		if (status) {
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_EQ(test, ch->state, KMCL_DISABLED);
			failures++;
			continue;
		}
		VmbChannelDisable(ch);
		KUNIT_ASSERT_EQ(test, ch->state, KMCL_DISABLED);
	}
	kunit_info(test, "%u allocations, %u of them cannot be done without",
		   nth - 2, failures);
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_GE(test, failures, 2);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
}

static struct kunit_case nomem_cases[] = {
	KUNIT_CASE_SLOW(debugobjects_do_not_count),
	KUNIT_CASE(packet_allocate),
	KUNIT_CASE(packet_send),
	KUNIT_CASE(packet_send_to_a_full_ring),
	KUNIT_CASE(packet_send_to_a_pipe),
	KUNIT_CASE(packet_complete),
	KUNIT_CASE(poll_and_deferral),
	KUNIT_CASE(settings_while_active),
	KUNIT_CASE(maximum_packet_count),
	KUNIT_CASE(opening),
	KUNIT_CASE(opening_without_slabs),
	{}
};

struct kunit_suite vmbkmcl_nomem_suite = {
	.name = "vmbkmcl_nomem",
	.test_cases = nomem_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case nomem_server_cases[] = {
	KUNIT_CASE(packet_send_to_the_server),
	KUNIT_CASE(synchronous_request),
	KUNIT_CASE(synchronous_request_to_a_pipe),
	KUNIT_CASE_SLOW(opening_to_the_server),
	KUNIT_CASE_SLOW(enable_allocations),
	{}
};

struct kunit_suite vmbkmcl_nomem_server_suite = {
	.name = "vmbkmcl_nomem_server",
	.test_cases = nomem_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_nomem_server_suite);
