// SPDX-License-Identifier: GPL-2.0-only
/*
 * The channel's interrupts move to another CPU while packets go both ways. sysfs
 * allows it from VMBus 4.1 on; from 5.3 on the writer waits for the host's reply.
 */

#include <linux/hyperv.h>

#include "../lib/client.h"
#include "../lib/files.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define MOVES		100
#define BURST		100
#define PUSH_BYTES	64
#define SEED		0x6d6f7665u

/**
 * struct mover - a client whose channel moves
 * @srv: its channel
 * @path: the channel's file for the CPU
 * @asked: packets that the server was asked to send
 * @received: packets that came
 * @wrong: those of them that were not the next one
 * @cpu: where the last one came
 */
struct mover {
	struct server srv;
	char path[96];
	u32 asked;
	u32 received;
	u32 wrong;
	unsigned int cpu;
};

static VOID receive(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		    UINT32 length, UINT32 flags)
{
	struct mover *mover = VmbChannelGetPointer(ch);
	const u64 *word = buffer;

	if (length != PUSH_BYTES ||
	    *word != testdev_pattern_word(SEED + mover->received, 0))
		mover->wrong++;
	mover->cpu = raw_smp_processor_id();
	VmbChannelPacketComplete(packet, NULL, 0);
	/* Cases poll for this: write it last. */
	smp_store_release(&mover->received, mover->received + 1);
}

static void find_path(struct kunit *test, struct mover *mover)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);

	snprintf(mover->path, sizeof(mover->path),
		 "/sys/bus/vmbus/devices/%s/channels/%u/cpu",
		 dev_name(&hdev->device),
		 hdev->channel->offermsg.child_relid);
}

static struct mover *mover_start(struct kunit *test)
{
	struct mover *mover;
	guid_t type, instance;
	VMBCHANNEL ch;

	if (vmbus_proto_version < VERSION_WIN10_V4_1)
		kunit_skip(test, "at VMBus 4.0 a channel cannot be moved");
	KUNIT_ASSERT_GE(test, num_online_cpus(), 2);
	mover = kunit_kzalloc(test, sizeof(*mover), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, mover);
	ch = get_channel(test);
	mover->srv.ch = ch;
	server_guids(&type, &instance);
	VmbChannelSetPointer(ch, mover);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	VmbChannelInitSetMaximumPacketSize(ch, sizeof(struct testdev_request) +
					       TESTDEV_MAX_PAYLOAD);
	VmbChannelInitSetProcessPacketCallbacks(ch, receive, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	find_path(test, mover);
	return mover;
}

static void move(struct kunit *test, struct mover *mover, unsigned int cpu)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", cpu);
	write_text(test, mover->path, text);
}

static void push(struct kunit *test, struct mover *mover, u32 packets)
{
	struct testdev_request req = {
		.op = TESTDEV_PUSH, .seed = SEED + mover->asked,
		.length = packets, .offset = PUSH_BYTES,
	};
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&mover->srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	mover->asked += packets;
}

static void echo(struct kunit *test, struct mover *mover, u64 word)
{
	struct testdev_request req = {
		.op = TESTDEV_ECHO, .payload_len = sizeof(word),
	};
	struct testdev_response rsp = {};
	u64 back = 0;

	KUNIT_ASSERT_EQ(test, server_call(&mover->srv, &req, &word, &rsp, &back,
					  sizeof(back)), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	KUNIT_ASSERT_EQ(test, back, word);
}

static bool all_came(struct mover *mover)
{
	/* The packets that were received are checked after this. */
	return smp_load_acquire(&mover->received) == mover->asked;
}

static void nothing_is_lost(struct kunit *test, struct mover *mover)
{
	EXPECT_EVENTUALLY(test, all_came(mover));
	KUNIT_EXPECT_EQ(test, mover->received, mover->asked);
	KUNIT_EXPECT_EQ(test, mover->wrong, 0);
	KUNIT_EXPECT_EQ(test, mover->srv.ch->rx.dropped, 0);
	KUNIT_EXPECT_EQ(test, mover->srv.ch->tx.bad_ids, 0);
}

static void packets_survive_moves(struct kunit *test)
{
	struct mover *mover = mover_start(test);
	u32 i;

	for (i = 0; i < MOVES; i++) {
		if (all_came(mover))
			push(test, mover, BURST);
		move(test, mover, i % 2);
		echo(test, mover, i);
	}
	nothing_is_lost(test, mover);
	kunit_info(test, "%u moves, %u packets from the server", MOVES,
		   mover->received);
}

/*
 * Packets that the host sends after its reply interrupt the new CPU, and the client
 * is called there. Below 5.3 there is no reply, and the move may still be pending.
 */
static void interrupts_follow(struct kunit *test)
{
	struct mover *mover = mover_start(test);
	unsigned int i;

	if (vmbus_proto_version < VERSION_WIN10_V5_3)
		kunit_skip(test, "below VMBus 5.3 the host does not confirm a move");
	for (i = 0; i < 20; i++) {
		move(test, mover, i % 2);
		push(test, mover, 1);
		ASSERT_EVENTUALLY(test, all_came(mover));
		KUNIT_EXPECT_EQ(test, mover->cpu, i % 2);
	}
	nothing_is_lost(test, mover);
}

static struct kunit_case move_cases[] = {
	KUNIT_CASE_SLOW(packets_survive_moves),
	KUNIT_CASE(interrupts_follow),
	{}
};

struct kunit_suite vmbkmcl_move_suite = {
	.name = "vmbkmcl_move",
	.test_cases = move_cases,
};
