// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets in both directions at once, through the smallest rings. Server and
 * client check every packet as host/traffic.h describes. All cases share one
 * stream, and each waits for a part of it, because KUnit ends a case after 300 s.
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/semaphore.h>
#include <linux/slab.h>

#include "../../vmbkmcl/ring_size.h"
#include "../lib/client.h"
#include "../host/traffic.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* The most for which rings of two pages hold two packets with two pages each. */
#define LARGEST	1952
#define MANY	200000
#define PART	20000

/*
 * The interval at which the server reads its ring, until the last part: it finds
 * the ring full, since to wake an emulated host takes longer than to send a
 * packet. In the last part the server reads whenever it is woken.
 */
#define PACE_MS	5

/* More than the table of those that wait for a completion holds. */
#define SLOTS	(KMCL_TX_SLOTS + 64)

/* Packets of the server's that are completed later, the last one first. */
#define KEPT	16

#define PATIENCE	(20 * HZ)

struct traffic;

/**
 * struct slot - a packet of the client's on its way
 * @traffic: what it belongs to
 * @next: another free one
 * @packet: the object
 * @number: of the packet
 * @plan: what it is
 * @head: what the server completes it with
 * @page: for its external data
 * @page_head: what that begins with
 */
struct slot {
	struct traffic *traffic;
	struct slot *next;
	VMBPACKET packet;
	u32 number;
	struct testdev_traffic_plan plan;
	u64 head;
	u64 *page[2];
	u64 page_head[2];
};

/**
 * struct traffic - a client that takes part in it
 * @srv: its channel
 * @sender: the thread that sends
 * @began: when it did
 * @signals: to the host, until then
 * @seed: of its own packets; the server's have the next one
 * @lock: guards @free
 * @free: slots
 * @credits: how many there are
 * @slots: all of them
 * @data: the packet to be sent
 * @failed: status of the first send that was refused
 * @sent: packets accepted
 * @done: routines called
 * @completed: of them, those of packets the server has completed
 * @gpa_pages: pages sent
 * @bytes: of payload
 * @sum: of their heads, in order
 * @received: packets of the server's
 * @received_bytes: of payload
 * @received_sum: of their heads, in order
 * @kept: those not completed
 * @kept_heads: what they are to be completed with
 * @nr_kept: how many
 * @errors: whatever was not as it should be
 * @first_error: the first: enum testdev_traffic_error
 * @first_number: the packet it was found at
 */
struct traffic {
	struct server srv;
	struct task_struct *sender;
	ktime_t began;
	u64 signals;
	u32 seed;
	spinlock_t lock;
	struct slot *free;
	struct semaphore credits;
	struct slot slots[SLOTS];
	u64 data[LARGEST / 8 + 1];
	NTSTATUS failed;
	u32 sent;
	atomic_t done;
	atomic_t completed;
	u32 gpa_pages;
	u64 bytes;
	u64 sum;
	u32 received;
	u64 received_bytes;
	u64 received_sum;
	VMBPACKETCOMPLETION kept[KEPT];
	u64 kept_heads[KEPT];
	u32 nr_kept;
	atomic_t errors;
	u32 first_error;
	u32 first_number;
};

static void note_error(struct traffic *tr, u32 error, u32 number)
{
	if (atomic_inc_return(&tr->errors) > 1)
		return;
	tr->first_error = error;
	tr->first_number = number;
}

/* To the server */

static struct slot *slot_pop(struct traffic *tr)
{
	struct slot *slot;

	if (down_timeout(&tr->credits, PATIENCE))
		return NULL;
	spin_lock_bh(&tr->lock);
	slot = tr->free;
	tr->free = slot->next;
	spin_unlock_bh(&tr->lock);
	return slot;
}

static void slot_give(struct slot *slot)
{
	struct traffic *tr = slot->traffic;

	spin_lock_bh(&tr->lock);
	slot->next = tr->free;
	tr->free = slot;
	spin_unlock_bh(&tr->lock);
	up(&tr->credits);
}

static bool was_completed_well(const struct slot *slot, NTSTATUS status,
			       const u64 *data, u32 len)
{
	u32 i;

	if (status != STATUS_SUCCESS)
		return false;
	if (!slot->plan.completed)
		return !len;
	for (i = 0; i < slot->plan.pages; i++)
		if (slot->page[i][0] != ~slot->page_head[i])
			return false;
	return len == sizeof(*data) && *data == slot->head;
}

/* Free the slot first: the case ends when the last packet is counted. */
static VOID sent(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length)
{
	struct slot *slot = VmbPacketGetPointer(packet);
	struct traffic *tr = slot->traffic;

	if (!was_completed_well(slot, status, buffer, length))
		note_error(tr, TESTDEV_TRAFFIC_ANSWER, slot->number);
	if (slot->plan.completed)
		atomic_inc(&tr->completed);
	slot_give(slot);
	atomic_inc(&tr->done);
}

static NTSTATUS slot_send(struct slot *slot, u64 *data)
{
	struct testdev_traffic_plan *plan = &slot->plan;
	PFN_NUMBER pfns[2];
	u32 i;

	if (!plan->pages)
		return VmbPacketSend(slot->packet, data, plan->size, NULL,
				     plan->completed ? WAIT : 0);
	for (i = 0; i < plan->pages; i++) {
		slot->page_head[i] =
			testdev_traffic_fill(slot->page[i],
					     TESTDEV_TRAFFIC_PAGE,
					     slot->traffic->seed,
					     2 * slot->number + i);
		pfns[i] = PHYS_PFN(virt_to_phys(slot->page[i]));
	}
	return VmbPacketSendWithExternalPfns(slot->packet, data, plan->size,
					     pfns, plan->pages, WAIT);
}

/* In a thread of its own. */
static int send_all(void *arg)
{
	struct traffic *tr = arg;
	struct slot *slot;
	u32 n;

	for (n = 0; n < MANY; n++) {
		slot = slot_pop(tr);
		if (!slot)
			return 0;
		slot->number = n;
		slot->plan = testdev_traffic_plan(tr->seed, n, LARGEST);
		slot->head = testdev_traffic_fill(tr->data, slot->plan.size,
						  tr->seed, n);
		tr->gpa_pages += slot->plan.pages;
		tr->bytes += slot->plan.size;
		tr->sum = testdev_traffic_mix(tr->sum, slot->head);
		tr->failed = slot_send(slot, tr->data);
		if (tr->failed)
			return 0;
		/* The buffer is the sender's again. */
		memset(tr->data, 0xff, slot->plan.size);
		WRITE_ONCE(tr->sent, n + 1);
		cond_resched();
	}
	return 0;
}

/* From the server */

static void complete_kept(struct traffic *tr)
{
	while (tr->nr_kept) {
		tr->nr_kept--;
		VmbChannelPacketComplete(tr->kept[tr->nr_kept],
					 &tr->kept_heads[tr->nr_kept],
					 sizeof(u64));
	}
}

static bool keep(struct traffic *tr, VMBPACKETCOMPLETION packet, u64 head)
{
	if (tr->received % 4 || tr->nr_kept == KEPT)
		return false;
	tr->kept[tr->nr_kept] = packet;
	tr->kept_heads[tr->nr_kept++] = head;
	return true;
}

static VOID receive(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		    UINT32 length, UINT32 flags)
{
	struct traffic *tr = VmbChannelGetPointer(ch);
	u32 n = tr->received;
	struct testdev_traffic_plan plan = testdev_traffic_plan(tr->seed + 1, n,
								LARGEST);
	u64 head = 0;
	u32 error;

	error = testdev_traffic_check(buffer, length, plan.size, n, &head);
	if (error)
		note_error(tr, error, n);
	tr->received_bytes += plan.size;
	tr->received_sum = testdev_traffic_mix(tr->received_sum, head);
	if (!keep(tr, packet, head))
		VmbChannelPacketComplete(packet, &head, sizeof(head));
	/* Cases poll for this: write it last. */
	smp_store_release(&tr->received, n + 1);
	if (tr->nr_kept == KEPT || n + 1 == MANY)
		complete_kept(tr);
}

/* All of it */

static struct traffic *traffic;

static void traffic_end(void)
{
	struct traffic *tr = traffic;
	unsigned int i, j;

	traffic = NULL;
	if (!tr)
		return;
	/* The sender's next packet is refused. */
	VmbChannelDisable(tr->srv.ch);
	if (tr->sender)
		kthread_stop_put(tr->sender);
	for (i = 0; i < SLOTS; i++) {
		VmbPacketFree(tr->slots[i].packet);
		for (j = 0; j < 2; j++)
			free_page((unsigned long)tr->slots[i].page[j]);
	}
	VmbChannelCleanup(tr->srv.ch);
	kvfree(tr);
}

static void make_slot(struct kunit *test, struct traffic *tr, unsigned int i)
{
	struct slot *slot = &tr->slots[i];
	unsigned int j;

	slot->traffic = tr;
	for (j = 0; j < 2; j++) {
		slot->page[j] = (u64 *)get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, slot->page[j]);
	}
	slot->packet = VmbPacketAllocate(tr->srv.ch);
	KUNIT_ASSERT_NOT_NULL(test, slot->packet);
	VmbPacketSetCompletionRoutine(slot->packet, sent);
	VmbPacketSetPointer(slot->packet, slot);
	slot->next = tr->free;
	tr->free = slot;
}

static struct traffic *traffic_alloc(struct kunit *test)
{
	guid_t type, instance;
	struct traffic *tr;
	unsigned int i;
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch),
			STATUS_SUCCESS);
	tr = kvzalloc(sizeof(*tr), GFP_KERNEL);
	if (!tr)
		VmbChannelCleanup(ch);
	KUNIT_ASSERT_NOT_NULL(test, tr);
	tr->srv.ch = ch;
	traffic = tr;

	spin_lock_init(&tr->lock);
	sema_init(&tr->credits, SLOTS);
	server_guids(&type, &instance);
	VmbChannelSetPointer(ch, tr);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	VmbClientChannelInitSetRingBufferPageCount(ch, 2, 2);
	VmbChannelInitSetMaximumPacketSize(ch, LARGEST);
	VmbChannelInitSetMaximumExternalData(ch, 2 * TESTDEV_TRAFFIC_PAGE, 1);
	VmbChannelInitSetProcessPacketCallbacks(ch, receive, NULL);
	for (i = 0; i < SLOTS; i++)
		make_slot(test, tr, i);
	return tr;
}

static void start_sender(struct kunit *test, struct traffic *tr)
{
	struct task_struct *task = kthread_create(send_all, tr, "kmcl-test");

	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	tr->sender = get_task_struct(task);
	wake_up_process(task);
}

static void pace(struct kunit *test, struct traffic *tr, u32 ms)
{
	struct testdev_request req = { .op = TESTDEV_PACE, .length = ms };
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&tr->srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

static void traffic_start(struct kunit *test, struct traffic *tr)
{
	struct testdev_request req = {
		.op = TESTDEV_TRAFFIC, .seed = tr->seed, .length = MANY,
		.offset = LARGEST,
	};
	struct testdev_response rsp;

	KUNIT_ASSERT_EQ(test, server_call(&tr->srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

static struct testdev_traffic_report traffic_report(struct kunit *test,
						    struct traffic *tr)
{
	struct testdev_request req = { .op = TESTDEV_TRAFFIC_REPORT };
	struct testdev_traffic_report report = {};
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&tr->srv, &req, NULL, &rsp, &report,
					  sizeof(report)), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	return report;
}

static u64 progress(struct traffic *tr)
{
	return READ_ONCE(tr->sent) + READ_ONCE(tr->received) +
	       atomic_read(&tr->done);
}

static bool is_through(struct traffic *tr, u32 count)
{
	return READ_ONCE(tr->sent) >= count && READ_ONCE(tr->received) >= count &&
	       atomic_read(&tr->done) >= count;
}

/* Wait without a limit, as long as there is progress. */
static void wait_for(struct kunit *test, struct traffic *tr, u32 count)
{
	unsigned long end = jiffies + PATIENCE;
	u64 before = progress(tr), now;

	while (!is_through(tr, count) && time_before(jiffies, end)) {
		msleep(20);
		now = progress(tr);
		if (now != before)
			end = jiffies + PATIENCE;
		before = now;
	}
	KUNIT_EXPECT_GE(test, tr->sent, count);
	KUNIT_EXPECT_GE(test, atomic_read(&tr->done), count);
	KUNIT_EXPECT_GE(test, tr->received, count);
}

static void report_is_ours(struct kunit *test, struct traffic *tr,
			   const struct testdev_traffic_report *report)
{
	KUNIT_EXPECT_EQ(test, report->errors, 0);
	KUNIT_EXPECT_EQ_MSG(test, report->first_error, 0, "packet %llu",
			    report->first_number);
	KUNIT_EXPECT_EQ(test, report->received, MANY);
	KUNIT_EXPECT_EQ(test, report->received_bytes, tr->bytes);
	KUNIT_EXPECT_EQ(test, report->received_sum, tr->sum);
	KUNIT_EXPECT_EQ(test, report->gpa_pages, tr->gpa_pages);
	KUNIT_EXPECT_EQ(test, report->answered, atomic_read(&tr->completed));
	KUNIT_EXPECT_EQ(test, report->sent, MANY);
	KUNIT_EXPECT_EQ(test, report->sent_bytes, tr->received_bytes);
	KUNIT_EXPECT_EQ(test, report->sent_sum, tr->received_sum);
	KUNIT_EXPECT_EQ(test, report->completed, report->asked);
}

/* Completions are on their way when their packets are done with. */
static struct testdev_traffic_report last_report(struct kunit *test,
						 struct traffic *tr)
{
	struct testdev_traffic_report report;
	int tries = 100;

	do {
		report = traffic_report(test, tr);
	} while (report.completed < report.asked && --tries &&
		 !msleep_interruptible(20));
	return report;
}

static u64 signals(struct kunit *test)
{
	return device_find(test, TESTDEV_INSTANCE_GUID)->channel->sig_events;
}

static void tell_how_it_went(struct kunit *test, struct traffic *tr)
{
	s64 ms = ktime_ms_delta(ktime_get(), tr->began);
	const struct kmcl_tx *tx = &tr->srv.ch->tx;

	kunit_info(test, "%u packets each way in %lld.%03lld s, %lld a second",
		   MANY, ms / 1000, ms % 1000, 2000LL * MANY / max(ms, 1LL));
	kunit_info(test, "%llu and %llu bytes, %u external pages, %llu queued, ring full %llu times, ids %llu times, %llu polls, %llu signals",
		   tr->bytes, tr->received_bytes, tr->gpa_pages, tx->queued,
		   tx->ring_full, tx->ids_full, tr->srv.ch->rx.polls,
		   signals(test) - tr->signals);
}

static void all_at_once_begins(struct kunit *test)
{
	struct traffic *tr = traffic_alloc(test);
	struct kmcl_channel *ch = tr->srv.ch;

	KUNIT_ASSERT_GE(test, num_online_cpus(), 2);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	/* One page of header and one of data each. */
	KUNIT_ASSERT_EQ(test, kmcl_channel_tx_bytes(ch), 2 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, kmcl_channel_rx_bytes(ch), 2 * PAGE_SIZE);

	tr->seed = get_random_u32();
	kunit_info(test, "seed %#x", tr->seed);
	tr->signals = signals(test);
	tr->began = ktime_get();
	pace(test, tr, PACE_MS);
	traffic_start(test, tr);
	start_sender(test, tr);
}

KUNIT_GENERATOR(part_gen_params, prev, name)
{
	unsigned long count = (unsigned long)prev + PART;

	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%lu each way", count);
	return count <= MANY ? (void *)count : NULL;
}

static void all_at_once(struct kunit *test)
{
	u32 count = (unsigned long)test->param_value;

	KUNIT_ASSERT_NOT_NULL(test, traffic);
	if (count == MANY)
		pace(test, traffic, 0);
	wait_for(test, traffic, count);
	/* The others would wait in vain. */
	if (!is_through(traffic, count))
		traffic_end();
}

static void all_at_once_ends(struct kunit *test)
{
	struct testdev_traffic_report report;
	struct traffic *tr = traffic;
	struct kmcl_channel *ch;

	KUNIT_ASSERT_NOT_NULL(test, tr);
	ch = tr->srv.ch;
	tell_how_it_went(test, tr);
	KUNIT_EXPECT_EQ(test, tr->failed, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, tr->sent, MANY);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->done), MANY);
	KUNIT_EXPECT_EQ(test, tr->received, MANY);

	report = last_report(test, tr);
	report_is_ours(test, tr, &report);
	KUNIT_EXPECT_EQ(test, atomic_read(&tr->errors), 0);
	KUNIT_EXPECT_EQ_MSG(test, tr->first_error, 0, "packet %u",
			    tr->first_number);
	KUNIT_EXPECT_EQ(test, ch->rx.dropped, 0);
	KUNIT_EXPECT_EQ(test, ch->tx.bad_ids, 0);
	/* The ring was full, and packets were queued. */
	KUNIT_EXPECT_GT(test, ch->tx.ring_full, 0);
	KUNIT_EXPECT_GT(test, ch->tx.queued, 0);
	traffic_end();
}

/* An assertion that ended a case has left the stream. */
static void traffic_suite_exit(struct kunit_suite *suite)
{
	traffic_end();
}

static struct kunit_case traffic_cases[] = {
	KUNIT_CASE(all_at_once_begins),
	KUNIT_CASE_PARAM_ATTR(all_at_once, part_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(all_at_once_ends),
	{}
};

struct kunit_suite vmbkmcl_traffic_suite = {
	.name = "vmbkmcl_traffic",
	.test_cases = traffic_cases,
	.suite_exit = traffic_suite_exit,
};
