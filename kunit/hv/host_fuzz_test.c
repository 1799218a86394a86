// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets and control messages that no good host sends, from a seed, while
 * requests are outstanding and GPADLs come and go. Nothing breaks, and at the end
 * each request has had its completion routine called once. See
 * kunit/host/own/core/fuzz.c.
 */

#include <linux/delay.h>
#include <linux/moduleparam.h>
#include <linux/sizes.h>

#include "../lib/mdls.h"
#include "../lib/outcome.h"
#include "director.h"
#include "hv_suites.h"

static unsigned int fuzz_seed = 1;
module_param(fuzz_seed, uint, 0444);
MODULE_PARM_DESC(fuzz_seed, "Seed of what the host sends in vmbkmcl_host_fuzz");

static unsigned int fuzz_packets = 10000;
module_param(fuzz_packets, uint, 0444);
MODULE_PARM_DESC(fuzz_packets, "How many packets");

static unsigned int fuzz_messages = 500;
module_param(fuzz_messages, uint, 0444);
MODULE_PARM_DESC(fuzz_messages, "How many control messages");

#define REQUESTS	32
#define BUFFER_SIZE	SZ_64K
#define POLL_MS		20

/**
 * struct fuzzed - a client and what its host is to send to it
 * @client: of the server's first device
 * @director: on its second device
 * @relid: of the client's channel
 * @outcomes: of requests that the server does not answer by itself
 */
struct fuzzed {
	struct client *client;
	struct client *director;
	u32 relid;
	struct outcome outcomes[REQUESTS];
};

static void request(struct kunit *test, struct fuzzed *fuzzed, struct outcome *outcome)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_DELAY,
		.length = TESTDEV_MAX_DELAY_MS,
	};
	VMBPACKET packet = packet_of(test, fuzzed->client->ch, outcome);

	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &req, sizeof(req), NULL,
					    VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
}

static struct fuzzed *fuzz(struct kunit *test, enum testdev_op op, u32 count)
{
	struct fuzzed *fuzzed = kunit_kzalloc(test, sizeof(*fuzzed), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, fuzzed);
	fuzzed->director = director_start(test);
	fuzzed->client = server_client(test);
	bring_up(test, fuzzed->client);
	fuzzed->relid = server_relid(test);
	for (i = 0; i < REQUESTS; i++)
		request(test, fuzzed, &fuzzed->outcomes[i]);
	kunit_info(test, "seed %u, %u of them", fuzz_seed, count);
	server_does(test, fuzzed->director->ch, .op = op, .handle = fuzzed->relid,
		    .seed = fuzz_seed, .length = count);
	return fuzzed;
}

static bool goes_on(struct kunit *test, struct fuzzed *fuzzed)
{
	return server_does(test, fuzzed->director->ch, .op = TESTDEV_FUZZ_LEFT);
}

/* The channel is as good as before, and each request ended once. */
static void all_is_accounted_for(struct kunit *test, struct fuzzed *fuzzed)
{
	struct client *client = fuzzed->client;
	u32 i;

	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0), TESTDEV_OK);
	VmbChannelDisable(client->ch);
	for (i = 0; i < REQUESTS; i++)
		KUNIT_EXPECT_EQ(test, atomic_read(&fuzzed->outcomes[i].calls), 1);
	heard(test, client, UP_DOWN);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0), TESTDEV_OK);
}

static void bad_packets(struct kunit *test)
{
	struct fuzzed *fuzzed = fuzz(test, TESTDEV_FUZZ, fuzz_packets);
	struct kmcl_channel *ch = fuzzed->client->ch;

	while (goes_on(test, fuzzed))
		msleep(POLL_MS);
	/* The guest has to read what was written last. */
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->rx.received) >= fuzz_packets);
	kunit_info(test, "%llu packets dropped, %llu bad ids, %u for the client",
		   ch->rx.dropped, ch->tx.bad_ids, fuzzed->client->packets);
	all_is_accounted_for(test, fuzzed);
}

/* Any status may come of it, if the answer that the guest takes is a bad one. */
static void bad_messages(struct kunit *test)
{
	struct fuzzed *fuzzed = fuzz(test, TESTDEV_FUZZ_MESSAGES, fuzz_messages);
	void *buffer = get_vmalloc(test, BUFFER_SIZE);
	struct kmcl_channel *ch = fuzzed->client->ch;
	u32 handle, created = 0, failed = 0;

	while (goes_on(test, fuzzed)) {
		if (VmbChannelCreateGpadlFromBuffer(ch, 0, buffer, BUFFER_SIZE, &handle)) {
			failed++;
			continue;
		}
		VmbChannelDeleteGpadl(ch, handle);
		created++;
	}
	kunit_info(test, "%u GPADLs created, %u not", created, failed);
	all_is_accounted_for(test, fuzzed);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(ch, 0, buffer, BUFFER_SIZE,
							      &handle), STATUS_SUCCESS);
	VmbChannelDeleteGpadl(ch, handle);
}

static struct kunit_case host_fuzz_cases[] = {
	KUNIT_CASE_SLOW(bad_packets),
	KUNIT_CASE_SLOW(bad_messages),
	{}
};

struct kunit_suite vmbkmcl_host_fuzz_suite = {
	.name = "vmbkmcl_host_fuzz",
	.test_cases = host_fuzz_cases,
};
