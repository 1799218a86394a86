// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of the host itself: control messages that it refuses, holds back, drops or
 * doubles, and rescinds in the middle of something. The host of kunit/host/own does
 * this on command; QEMU's cannot, and the cases are skipped.
 */

#include <linux/delay.h>
#include <linux/hyperv.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../lib/files.h"
#include "../lib/mdls.h"
#include "director.h"
#include "hv_device.h"
#include "hv_suites.h"

#define REFUSED		0xc0000001
#define REOFFER_MS	200
#define HOLD_MS		300
#define SOON_MS		100

#define BUFFER_SIZE	SZ_1M		/* a header and nine bodies */

#define SEED		0x6661756cu
#define SCRIBBLED	1000		/* GPADLs */

/**
 * struct victim - a client whose host does wrong
 * @client: of the server's first device
 * @director: on its second device, where the faults are asked for
 * @relid: of the client's channel
 * @buffer: to share
 * @handle: of the GPADL
 * @status: of its creation
 */
struct victim {
	struct client *client;
	struct client *director;
	u32 relid;
	void *buffer;
	u32 handle;
	NTSTATUS status;
};

static void host_does(struct kunit *test, struct victim *victim, u32 type, u32 nth,
		      enum testdev_action action, u32 value)
{
	struct testdev_rule rule = {
		.type = type, .relid = victim->relid, .nth = nth, .action = action,
		.value = value,
	};

	director_rules(test, victim->director, &rule);
}

/* The channel is not enabled yet. */
static struct victim *victim_get(struct kunit *test)
{
	struct victim *victim = kunit_kzalloc(test, sizeof(*victim), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, victim);
	victim->director = director_start(test);
	victim->client = server_client(test);
	victim->buffer = get_vmalloc(test, BUFFER_SIZE);
	victim->relid = server_relid(test);
	return victim;
}

static struct victim *victim_start(struct kunit *test)
{
	struct victim *victim = victim_get(test);

	bring_up(test, victim->client);
	heard(test, victim->client, UP);
	return victim;
}

static void comes_back(struct kunit *test, struct victim *victim)
{
	bring_up(test, victim->client);
	KUNIT_EXPECT_EQ(test, call_server(test, victim->client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

/* When the guest has released the device. */
static void offered_again_later(struct kunit *test, struct victim *victim)
{
	KUNIT_ASSERT_EQ(test, call_server(test, victim->client->ch, TESTDEV_REOFFER,
					  REOFFER_MS), TESTDEV_OK);
}

/* The job waits for the host, and nothing but a rescind ends that. */
static void waits_for_a_rescind(struct kunit *test, struct victim *victim, struct job *job)
{
	msleep(SOON_MS);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	offered_again_later(test, victim);
	KUNIT_EXPECT_EQ(test, call_server(test, victim->client->ch, TESTDEV_RESCIND, 0),
			TESTDEV_OK);
	job_join(test, job);
}

static void create(void *arg)
{
	struct victim *victim = arg;

	victim->status = VmbChannelCreateGpadlFromBuffer(victim->client->ch, 0,
							 victim->buffer, BUFFER_SIZE,
							 &victim->handle);
}

static void delete(void *arg)
{
	struct victim *victim = arg;

	VmbChannelDeleteGpadl(victim->client->ch, victim->handle);
}

static void is_shared(struct kunit *test, struct victim *victim)
{
	struct server srv = { .ch = victim->client->ch };

	KUNIT_ASSERT_EQ(test, victim->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_length(test, &srv, victim->handle), BUFFER_SIZE);
}

static void gpadl_is_refused(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	host_does(test, victim, CHANNELMSG_GPADL_CREATED, 1, TESTDEV_REFUSE, REFUSED);
	create(victim);
	KUNIT_EXPECT_EQ(test, victim->status, STATUS_INSUFFICIENT_RESOURCES);
	create(victim);
	is_shared(test, victim);
	delete(victim);
}

/* A second answer is for nobody. */
static void answers_come_twice(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	host_does(test, victim, CHANNELMSG_GPADL_CREATED, 1, TESTDEV_DOUBLE, 0);
	host_does(test, victim, CHANNELMSG_GPADL_TORNDOWN, 1, TESTDEV_DOUBLE, 0);
	create(victim);
	is_shared(test, victim);
	delete(victim);
	create(victim);
	is_shared(test, victim);
	delete(victim);
}

static void create_is_not_answered(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	host_does(test, victim, CHANNELMSG_GPADL_CREATED, 1, TESTDEV_DROP, 0);
	waits_for_a_rescind(test, victim, job_start(test, create, victim));
	KUNIT_EXPECT_EQ(test, victim->status, STATUS_DEVICE_REMOVED);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	comes_back(test, victim);
}

static void delete_is_not_answered(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	create(victim);
	is_shared(test, victim);
	host_does(test, victim, CHANNELMSG_GPADL_TORNDOWN, 1, TESTDEV_DROP, 0);
	waits_for_a_rescind(test, victim, job_start(test, delete, victim));
	becomes(test, victim->client->ch, KMCL_DISABLED);
	comes_back(test, victim);
}

static void rescinded_between_header_and_body(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	offered_again_later(test, victim);
	host_does(test, victim, CHANNELMSG_GPADL_BODY, 3, TESTDEV_RESCIND_NOW, 0);
	create(victim);
	KUNIT_EXPECT_EQ(test, victim->status, STATUS_DEVICE_REMOVED);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	comes_back(test, victim);
}

static void rescinded_at_teardown(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	create(victim);
	is_shared(test, victim);
	offered_again_later(test, victim);
	host_does(test, victim, CHANNELMSG_GPADL_TEARDOWN, 1, TESTDEV_RESCIND_NOW, 0);
	delete(victim);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	comes_back(test, victim);
}

static void rescinded_before_the_close(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	offered_again_later(test, victim);
	host_does(test, victim, CHANNELMSG_CLOSECHANNEL, 1, TESTDEV_RESCIND_NOW, 0);
	VmbChannelDisable(victim->client->ch);
	heard(test, victim->client, DOWN);
	comes_back(test, victim);
}

static void open_is_refused(struct kunit *test)
{
	struct victim *victim = victim_get(test);

	host_does(test, victim, CHANNELMSG_OPENCHANNEL_RESULT, 1, TESTDEV_REFUSE,
		  REFUSED);
	enable(test, victim->client);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	heard(test, victim->client, "PnpFailure");
	comes_back(test, victim);
}

static void open_is_answered_late(struct kunit *test)
{
	struct victim *victim = victim_get(test);

	host_does(test, victim, CHANNELMSG_OPENCHANNEL_RESULT, 1, TESTDEV_HOLD_BACK,
		  HOLD_MS);
	comes_back(test, victim);
	heard(test, victim->client, UP);
}

/* The rings are refused before there is anything to open. */
static void rings_are_refused(struct kunit *test)
{
	struct victim *victim = victim_get(test);

	host_does(test, victim, CHANNELMSG_GPADL_CREATED, 1, TESTDEV_REFUSE, REFUSED);
	enable(test, victim->client);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	heard(test, victim->client, "PnpFailure");
	comes_back(test, victim);
}

static void rescinded_while_it_opens(struct kunit *test)
{
	struct victim *victim = victim_start(test);

	offered_again_later(test, victim);
	VmbChannelDisable(victim->client->ch);
	heard(test, victim->client, DOWN);
	host_does(test, victim, CHANNELMSG_OPENCHANNEL, 1, TESTDEV_RESCIND_NOW, 0);
	enable(test, victim->client);
	becomes(test, victim->client->ch, KMCL_DISABLED);
	heard(test, victim->client, "PnpFailure");
	comes_back(test, victim);
}

/*
 * The host may write to the memory until it posts TORNDOWN, and does so. Only
 * then does the delete return, and nothing is written any more.
 */
static void host_writes_until_torndown(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	ktime_t before;

	create(victim);
	is_shared(test, victim);
	server_does(test, victim->client->ch, .op = TESTDEV_SCRIBBLE,
		    .handle = victim->handle);
	host_does(test, victim, CHANNELMSG_GPADL_TORNDOWN, 1, TESTDEV_HOLD_BACK, HOLD_MS);
	before = ktime_get();
	delete(victim);
	KUNIT_EXPECT_GE(test, ktime_ms_delta(ktime_get(), before), HOLD_MS);
	fill_pattern(victim->buffer, BUFFER_SIZE, SEED, 0);
	msleep(SOON_MS);
	KUNIT_EXPECT_TRUE(test, has_pattern(victim->buffer, BUFFER_SIZE, SEED, 0));
}

/* Memory that was given back too early is somebody else's, who would notice. */
static void host_writes_to_many_until_torndown(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	struct kmcl_channel *ch = victim->client->ch;
	u32 i, size, handle;
	void *buffer;

	for (i = 0; i < SCRIBBLED; i++) {
		size = PAGE_SIZE << i % 5;
		buffer = i % 2 ? vmalloc(size) : kmalloc(size, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buffer);
		KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromBuffer(ch, 0, buffer, size,
								      &handle),
				STATUS_SUCCESS);
		server_does(test, ch, .op = TESTDEV_SCRIBBLE, .handle = handle);
		VmbChannelDeleteGpadl(ch, handle);
		kvfree(buffer);
	}
}

static void move_is_refused(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	char *command;

	if (vmbus_proto_version < VERSION_WIN10_V5_3)
		kunit_skip(test, "below VMBus 5.3 the host does not confirm a move");
	host_does(test, victim, CHANNELMSG_MODIFYCHANNEL_RESPONSE, 1, TESTDEV_REFUSE,
		  REFUSED);
	command = kunit_kzalloc(test, 512, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, command);
	snprintf(command, 512,
		 "cpu=/sys/bus/vmbus/devices/%s/channels/%u/cpu; to=$((1 - $(cat $cpu))); ! echo $to >$cpu && echo $to >$cpu",
		 dev_name(&hdev->device), victim->relid);
	run_shell(test, command);
	KUNIT_EXPECT_EQ(test, call_server(test, victim->client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static struct kunit_case host_fault_cases[] = {
	KUNIT_CASE(gpadl_is_refused),
	KUNIT_CASE(answers_come_twice),
	KUNIT_CASE(create_is_not_answered),
	KUNIT_CASE(delete_is_not_answered),
	KUNIT_CASE(rescinded_between_header_and_body),
	KUNIT_CASE(rescinded_at_teardown),
	KUNIT_CASE(rescinded_before_the_close),
	KUNIT_CASE(open_is_refused),
	KUNIT_CASE(open_is_answered_late),
	KUNIT_CASE(rings_are_refused),
	KUNIT_CASE(rescinded_while_it_opens),
	KUNIT_CASE(host_writes_until_torndown),
	KUNIT_CASE_SLOW(host_writes_to_many_until_torndown),
	KUNIT_CASE(move_is_refused),
	{}
};

struct kunit_suite vmbkmcl_host_fault_suite = {
	.name = "vmbkmcl_host_fault",
	.test_cases = host_fault_cases,
};
