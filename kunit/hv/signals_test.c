// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals to the host, compared with those of a driver that sends the same through
 * hv_vmbus alone. hv_vmbus counts the signals of both.
 *
 * A sender signals when it finds the ring empty. How often that happens depends on
 * the speed of sender and server, unless the server reads at intervals: then each
 * sender fills the ring before it is read, and only the protocol counts.
 */

#include <linux/hyperv.h>
#include <linux/slab.h>

#include "../lib/client.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define BURST	1000
#define BYTES	8	/* of payload */
#define TAKES	32	/* bytes of the ring */
#define ROUNDS	3

/**
 * struct pattern - a burst of packets, and how the server takes them
 * @name: of the case
 * @pages: of each ring
 * @pace: the server reads all there is each so many ms; 0: as soon as it can.
 *	That depends on who is slower, and is told, not judged.
 */
struct pattern {
	const char *name;
	u32 pages;
	u32 pace;
};

static const struct pattern patterns[] = {
	{ "burst with room in the ring", 16, 10000 },
	{ "ring filled again and again", 2, 300 },
	{ "server that reads at once", 2, 0 },
};

static void pattern_desc(const struct pattern *pattern, char *desc)
{
	strscpy(desc, pattern->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(pattern, patterns, pattern_desc);

/* The server completes a request before it takes it off the ring. */
static void ring_is_empty(struct kunit *test, struct vmbus_channel *chan)
{
	const struct hv_ring_buffer_info *ring = &chan->outbound;

	ASSERT_EVENTUALLY(test,
			  hv_get_bytes_to_write(ring) == ring->ring_datasize);
}

/* A driver of hv_vmbus's */

struct raw {
	struct vmbus_channel *chan;
	struct completion event;
};

static void raw_event(void *context)
{
	struct raw *raw = context;

	complete(&raw->event);
}

static void raw_close(void *chan)
{
	vmbus_close(chan);
}

static void raw_open(struct kunit *test, struct raw *raw, u32 bytes)
{
	init_completion(&raw->event);
	other_driver_add(test);
	raw->chan->max_pkt_size = 256;
	raw->chan->low_latency = false;
	set_channel_read_mode(raw->chan, HV_CALL_BATCHED);
	KUNIT_ASSERT_EQ(test, vmbus_open(raw->chan, bytes, bytes, NULL, 0,
					 raw_event, raw), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, raw_close,
							raw->chan), 0);
}

static void raw_end(struct kunit *test, struct raw *raw)
{
	kunit_release_action(test, raw_close, raw->chan);
	other_driver_remove(test);
}

/* As hv_sock does: ask for room, try again, and then wait. */
static int raw_send(struct raw *raw, void *data, u32 len, u32 flags)
{
	int err;

	for (;;) {
		err = vmbus_sendpacket(raw->chan, data, len, 1,
				       VM_PKT_DATA_INBAND, flags);
		if (err != -EAGAIN)
			return err;
		reinit_completion(&raw->event);
		set_channel_pending_send_size(raw->chan, TAKES + 8);
		/*
		 * The host sees the request for room before the ring is checked
		 * again.
		 */
		virt_mb();
		err = vmbus_sendpacket(raw->chan, data, len, 1,
				       VM_PKT_DATA_INBAND, flags);
		if (err == -EAGAIN &&
		    !wait_for_completion_timeout(&raw->event, 10 * HZ))
			return -ETIMEDOUT;
		set_channel_pending_send_size(raw->chan, 0);
		if (err != -EAGAIN)
			return err;
	}
}

static void raw_paced(struct kunit *test, struct raw *raw, u32 ms)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_PACE, .length = ms,
	};
	struct testdev_response rsp = {};
	unsigned int tries = 1000;
	u32 len = 0;
	u64 id;

	KUNIT_ASSERT_EQ(test,
			raw_send(raw, &req, sizeof(req),
				 VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED),
			0);
	do {
		msleep(10);
		KUNIT_ASSERT_EQ(test,
				vmbus_recvpacket(raw->chan, &rsp, sizeof(rsp),
						 &len, &id), 0);
	} while (!len && --tries);
	KUNIT_ASSERT_EQ(test, rsp.magic, TESTDEV_MAGIC);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

static u64 raw_signals(struct kunit *test, struct vmbus_channel *chan,
		       const struct pattern *pattern)
{
	struct raw raw = { .chan = chan };
	u64 word = 0, before;
	unsigned int i;

	raw_open(test, &raw, pattern->pages * PAGE_SIZE);
	raw_paced(test, &raw, pattern->pace);
	ring_is_empty(test, chan);
	before = READ_ONCE(chan->sig_events);
	for (i = 0; i < BURST; i++)
		KUNIT_ASSERT_EQ(test, raw_send(&raw, &word, BYTES, 0), 0);
	before = READ_ONCE(chan->sig_events) - before;
	raw_end(test, &raw);
	return before;
}

/* A client */

static VOID counts(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		   UINT32 length)
{
	atomic_t *done = VmbPacketGetPointer(packet);

	VmbPacketFree(packet);
	if (!status)
		atomic_inc(done);
}

static void client_sends(struct kunit *test, VMBCHANNEL ch, atomic_t *done)
{
	VMBPACKET packet = VmbPacketAllocate(ch);
	u64 word = 0;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutine(packet, counts);
	VmbPacketSetPointer(packet, done);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, BYTES, NULL, 0),
			STATUS_SUCCESS);
}

static void client_paced(struct kunit *test, VMBCHANNEL ch, u32 ms)
{
	struct testdev_request req = { .op = TESTDEV_PACE, .length = ms };
	struct server srv = { .ch = ch };
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

static u64 client_signals(struct kunit *test, VMBCHANNEL ch,
			  struct vmbus_channel *chan, u32 pace)
{
	static atomic_t done;
	unsigned int i;
	u64 before;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	client_paced(test, ch, pace);
	ring_is_empty(test, chan);
	atomic_set(&done, 0);
	before = READ_ONCE(chan->sig_events);
	for (i = 0; i < BURST; i++)
		client_sends(test, ch, &done);
	EXPECT_EVENTUALLY(test, atomic_read(&done) == BURST);
	before = READ_ONCE(chan->sig_events) - before;
	VmbChannelDisable(ch);
	return before;
}

static VMBCHANNEL client_channel(struct kunit *test, u32 pages)
{
	VMBCHANNEL ch = get_channel(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	VmbClientChannelInitSetRingBufferPageCount(ch, pages, pages);
	VmbChannelInitSetMaximumPacketSize(ch, 256);
	VmbChannelInitSetMaximumExternalData(ch, PAGE_SIZE, 1);
	return ch;
}

/* The minimum of several rounds: a guest that is delayed signals more often. */
static void no_more_than_a_raw_sender(struct kunit *test)
{
	const struct pattern *pattern = test->param_value;
	VMBCHANNEL ch = client_channel(test, pattern->pages);
	u64 least = U64_MAX, raw_least = U64_MAX, ours, raws;
	struct vmbus_channel *chan;
	unsigned int i;

	chan = device_find(test, TESTDEV_INSTANCE_GUID)->channel;
	for (i = 0; i < ROUNDS; i++) {
		ours = client_signals(test, ch, chan, pattern->pace);
		raws = raw_signals(test, chan, pattern);
		kunit_info(test, "%s: %llu signals for %u packets, raw sender %llu",
			   pattern->name, ours, BURST, raws);
		least = min(least, ours);
		raw_least = min(raw_least, raws);
	}
	KUNIT_EXPECT_GT(test, least, 0);
	if (pattern->pace)
		KUNIT_EXPECT_LE(test, least, raw_least);
}

static struct kunit_case signals_cases[] = {
	KUNIT_CASE_PARAM_ATTR(no_more_than_a_raw_sender, pattern_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

struct kunit_suite vmbkmcl_signals_suite = {
	.name = "vmbkmcl_signals",
	.test_cases = signals_cases,
};
