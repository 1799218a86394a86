// SPDX-License-Identifier: GPL-2.0-only
/*
 * Servers, and their clients in the same kernel: who finds whom, the life of both
 * ends, and packets in both directions.
 */

#include <linux/device.h>
#include <linux/sizes.h>
#include <vmbkmcl/linux.h>

#include "lib/failing.h"
#include "lib/log.h"
#include "lib/loopback.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static const guid_t other_instance = GUID_INIT(0x100bac02, 1, 2, 3, 4, 5, 6, 7,
					       8, 9, 10);

/* A server is offered before or after its client listens. */

static void server_first(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	offer(test, server);
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_ENABLED);
	bring_up(test, client);
	heard(test, client, UP);
	heard(test, server, UP);
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
	heard(test, server, DOWN);
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_ENABLED);
	VmbChannelDisable(server->ch);
	heard(test, server, "");
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_DISABLED);
}

static void client_first(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	enable(test, client);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	offer(test, server);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
	heard(test, server, UP);
}

/* Exact-instance clients take precedence, and a wrong instance is not taken. */
static void instances(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *any = loopback_client(test);
	struct client *exact = client_alloc(test);
	struct client *wrong = client_alloc(test);
	guid_t instance;

	client_set_up(test, exact, get_channel(test), &loopback_type,
		      &loopback_instance);
	client_set_up(test, wrong, get_channel(test), &loopback_type,
		      &other_instance);
	enable(test, wrong);
	enable(test, any);
	enable(test, exact);
	offer(test, server);
	becomes(test, exact->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, any->ch->state, KMCL_ENABLED);
	KUNIT_EXPECT_EQ(test, wrong->ch->state, KMCL_ENABLED);
	VmbChannelGetInterfaceInstance(exact->ch, &instance);
	KUNIT_EXPECT_TRUE(test, guid_equal(&instance, &loopback_instance));
	VmbChannelGetInterfaceInstance(server->ch, &instance);
	KUNIT_EXPECT_TRUE(test, guid_equal(&instance, &loopback_instance));

	/* The next one gets what the first gives back. */
	VmbChannelDisable(exact->ch);
	becomes(test, any->ch, KMCL_ACTIVE);
	heard(test, server, UP_DOWN " " UP);
	KUNIT_EXPECT_EQ(test, wrong->ch->state, KMCL_ENABLED);
}

static void the_same_instance_twice(struct kunit *test)
{
	struct client *first = loopback_server(test);
	struct client *second = loopback_server(test);
	struct client *client = loopback_client(test);

	offer(test, first);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(second->ch), STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_EQ(test, second->ch->state, KMCL_DISABLED);
	bring_up(test, client);
	VmbChannelDisable(first->ch);
	becomes(test, client->ch, KMCL_DISABLED);

	offer(test, second);
	bring_up(test, client);
	ask(test, client, second, 3);
}

static void the_device(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct device *device;

	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(server->ch));
	connect_both(test, client, server);
	device = VmbChannelGetTargetDeviceObject(client->ch);
	KUNIT_ASSERT_NOT_NULL(test, device);
	KUNIT_EXPECT_PTR_EQ(test, device,
			    VmbChannelGetTargetDeviceObject(server->ch));
	KUNIT_EXPECT_STREQ(test, device->class->name, "vmbkmcl");
	KUNIT_EXPECT_TRUE(test, strstarts(dev_name(device), "loopback-"));
	KUNIT_EXPECT_TRUE(test, device_is_registered(device));

	/* Somebody keeps it for longer than both. */
	get_device(device);
	VmbChannelDisable(server->ch);
	KUNIT_EXPECT_FALSE(test, device_is_registered(device));
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, kref_read(&device->kobj.kref), 1);
	put_device(device);
}

/* Settings and statuses of a server */

static void enable_statuses(struct kunit *test)
{
	VMBCHANNEL ch = get_server(test);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_EQ(test,
			VmbServerChannelInitSetTargetInterfaceId(ch,
								 loopback_type,
								 loopback_instance),
			STATUS_SUCCESS);
	/* It is not said to whom it is offered. */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_ASSERT_EQ(test,
			VmbServerChannelInitSetVmbusHandle(ch,
							   KMCL_VMBUS_HANDLE_LOOPBACK),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			STATUS_INVALID_DEVICE_STATE);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	VmbChannelDisable(ch);
}

/* Each allocation fails once: the offer is made, or there is none of it left. */
static void enable_without_memory(struct kunit *test, struct client *client)
{
	unsigned int nth, failures = 0;
	bool failed = true;
	NTSTATUS status;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		fail_nth(nth);
		status = VmbChannelEnable(client->ch);
		failed = has_failed();
		fail_nth(0);
		VmbChannelDisable(client->ch);
		if (NT_SUCCESS(status))
			continue;
		KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		failures++;
	}
	KUNIT_EXPECT_FALSE(test, failed);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_GT(test, failures, 0);
}

static void no_memory_for_the_server(struct kunit *test)
{
	struct client *server = loopback_server(test);

	enable_without_memory(test, server);
	connect_both(test, loopback_client(test), server);
}

static void setters(struct kunit *test)
{
	const u32 socket = VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER;
	const u32 pipe = VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	const u32 unknown = ~VMBUS_SERVER_CHANNEL_INIT_FLAGS;
	VMBCHANNEL ch = get_server(test);

	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, unknown),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, socket),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, ch->set.server_flags, 0);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, pipe),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, ch->set.is_pipe);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, ch->set.is_pipe);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(ch, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(ch, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(ch, 0, 0),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(ch, 0, 3),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ch->set.mmio_megabytes_optional, 3);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetVmbusHandle(ch, test),
			STATUS_INVALID_PARAMETER_2);
}

/* Each setter with a channel that does not exist, is enabled, or is a client's. */
static void setters_expect(struct kunit *test, VMBCHANNEL ch, NTSTATUS status)
{
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetFlags(ch, 0), status);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetTargetVtl(ch, 0), status);
	KUNIT_EXPECT_EQ(test, VmbServerChannelInitSetMmioMegabytes(ch, 1, 1),
			status);
	KUNIT_EXPECT_EQ(test,
			VmbServerChannelInitSetTargetInterfaceId(ch,
								 loopback_type,
								 loopback_instance),
			status);
	KUNIT_EXPECT_EQ(test,
			VmbServerChannelInitSetVmbusHandle(ch,
							   KMCL_VMBUS_HANDLE_LOOPBACK),
			status);
}

static void setters_of_others(struct kunit *test)
{
	struct client *server = loopback_server(test);

	setters_expect(test, NULL, STATUS_INVALID_PARAMETER_1);
	setters_expect(test, get_channel(test), STATUS_INVALID_DEVICE_REQUEST);
	enable(test, server);
	setters_expect(test, server->ch, STATUS_INVALID_PARAMETER_1);
}

/* The functions of clients, called for a server */
static void functions_of_clients(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	u64 start = 1, size = 1;
	u32 handle = 7;
	PFN_NUMBER pfn = 1;
	MDL mdl = {};

	connect_both(test, client, server);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(server->ch,
							 &loopback_type, NULL,
							 NULL),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(server->ch,
								   2, 2),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(server->ch,
								    0),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetPrimaryChannel(server->ch, client->ch),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetPrimaryChannel(get_channel(test),
							server->ch),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(server->ch, 0,
							(void *)PAGE_SIZE, 1,
							&handle),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(server->ch, 0, &mdl, 0, 0,
						     &handle),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(server->ch, 0, &pfn, 1,
							 &handle),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, handle, 7);
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(server->ch, handle),
			STATUS_INVALID_DEVICE_REQUEST);
	log_record(test);
	VmbChannelDeleteGpadl(server->ch, handle);
	is_logged(test, "delete of a GPADL by a server refused");
	VmbChannelGetMmioSpace(server->ch, &start, &size);
	is_logged(test, "a server has no MMIO space");
	KUNIT_EXPECT_EQ(test, size, 0);
}

/* The life of a server */

/* It is opened paused. */
static void not_started(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};
	VMBPACKET packet;
	u64 word = 0;

	enable(test, server);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_PAUSED);
	heard(test, server, "Opened");

	packet = packet_of(test, client->ch, &outcome);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    WAIT), STATUS_SUCCESS);
	msleep(50);
	outcome_calls(test, &outcome, 0);
	VmbChannelStart(server->ch);
	heard(test, server, "Started PostStarted");
	outcome_is(test, &outcome, STATUS_SUCCESS);

	VmbChannelPause(server->ch);
	heard(test, server, "Suspend");
	VmbChannelDisable(client->ch);
	heard(test, server, "Closed");
}

static void start_too_early(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	log_record(test);
	VmbChannelStart(server->ch);
	is_logged(test, "start of a server that is not enabled refused");
	enable(test, server);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_PAUSED);
}

/* The wish to be active outlives the client, and ends with the disable. */
static void client_comes_again(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	unsigned int i;

	offer(test, server);
	for (i = 0; i < 3; i++) {
		bring_up(test, client);
		ask(test, client, server, i);
		VmbChannelDisable(client->ch);
		heard(test, client, UP_DOWN);
		heard(test, server, UP_DOWN);
	}
	VmbChannelDisable(server->ch);
	enable(test, server);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_PAUSED);
	heard(test, server, "Opened");
}

static void server_leaves(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	connect_both(test, client, server);
	VmbChannelDisable(server->ch);
	heard(test, server, DOWN);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, DOWN);
	/* Nobody offers it any more. */
	enable(test, client);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	offer(test, server);
	becomes(test, client->ch, KMCL_ACTIVE);
	ask(test, client, server, 1);
}

/* A client that does not come to an end holds no server. */
static void server_leaves_a_stuck_client(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	client->hook = wait_to_leave;
	client->at = "Suspend";
	connect_both(test, client, server);
	VmbChannelDisable(server->ch);
	wait_for_completion(&client->entered);
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_DISABLED);
	/* Offered anew while the client still has the old offer. */
	offer(test, server);
	client->hook = NULL;
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, DOWN);
	bring_up(test, client);
	ask(test, client, server, 1);
}

/* EvtChannelOpened of the server fails. */
static void server_refuses(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	server->opened = STATUS_UNSUCCESSFUL;
	offer(test, server);
	enable(test, client);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_UNSUCCESSFUL);
	heard(test, client, "PnpFailure");
	heard(test, server, "Opened");
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_ENABLED);

	/* The recorder expects a close after each open. */
	server->phase = CLIENT_CLOSED;
	server->opened = STATUS_SUCCESS;
	bring_up(test, client);
	ask(test, client, server, 1);
}

/* Corrupt the ring in which the client sends to the server. */
static void corrupt_ring(struct client *client, struct client *server)
{
	WRITE_ONCE(client->ch->tx.ring.memory.control->write_index, 4);
	kmcl_poll_schedule(server->ch);
}

/* The client writes nonsense to its outgoing ring, which is the server's incoming one. */
static void client_corrupts_its_ring(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	connect_both(test, client, server);
	corrupt_ring(client, server);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, DOWN);
	becomes(test, server->ch, KMCL_ENABLED);
	heard(test, server, DOWN);
	/* The channel is offered still. */
	bring_up(test, client);
	ask(test, client, server, 1);
}

/* The client hears of it although the server has not completed a packet of the client's. */
static void server_with_a_packet_fails(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};
	u64 word = 0;

	server->hold = true;
	connect_both(test, client, server);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet_of(test, client->ch, &outcome),
					    &word, sizeof(word), NULL, WAIT),
			STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, kmcl_delivery_held(&server->ch->delivery) == 1);
	corrupt_ring(client, server);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->lost));
	KUNIT_EXPECT_GT(test, server->ch->state, KMCL_ENABLED);
	client_completes_all(server);
	becomes(test, client->ch, KMCL_DISABLED);
	becomes(test, server->ch, KMCL_ENABLED);
	KUNIT_EXPECT_EQ(test, outcome.status, STATUS_DEVICE_REMOVED);
}

/*
 * The client leaves while its server fails: what the server tells is not for the next
 * client, which gets the offer at that moment.
 */
static void next_client_of_a_server_that_fails(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *clients[] = {
		loopback_client(test), loopback_client(test),
	};
	unsigned int i;

	connect_both(test, clients[0], server);
	for (i = 0; i < 50; i++) {
		struct client *client = clients[i % 2];
		struct client *next = clients[(i + 1) % 2];

		enable(test, next);
		corrupt_ring(client, server);
		udelay(20 * i);
		VmbChannelDisable(client->ch);
		becomes(test, next->ch, KMCL_ACTIVE);
		ask(test, next, server, i);
	}
}

/* A server whose packets would not fit in the ring that the client made. */
static void server_needs_larger_rings(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetMaximumPacketSize(server->ch, SZ_64K),
			STATUS_SUCCESS);
	log_record(test);
	offer(test, server);
	enable(test, client);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, "PnpFailure");
	is_logged(test, "do not fit in the client's incoming ring");
	heard(test, server, "");

	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(client->ch,
								   64, 2),
			STATUS_SUCCESS);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_ACTIVE);
}

static void set_max_packet(struct kunit *test, struct client *end, u32 size)
{
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetMaximumPacketSize(end->ch, size),
			STATUS_SUCCESS);
}

/* The rings have to hold two of the server's largest packets. */
static void largest_packet_of_a_server(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	u32 size = SZ_64K / 2 - 32;
	struct outcome *outcome;
	unsigned int i;
	void *data;

	outcome = kunit_kzalloc(test, sizeof(*outcome), GFP_KERNEL);
	data = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcome);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(client->ch,
								   17, 17),
			STATUS_SUCCESS);
	set_max_packet(test, client, size);
	set_max_packet(test, server, size + 1);
	offer(test, server);
	enable(test, client);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, "PnpFailure");
	heard(test, server, "");

	VmbChannelDisable(server->ch);
	set_max_packet(test, server, size);
	connect_both(test, client, server);
	KUNIT_EXPECT_EQ(test, client->ch->rx.ring.memory.size, SZ_64K);
	/* The second one can not be sent before the first one was read. */
	for (i = 0; i < 2; i++)
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(packet_of(test, server->ch,
							outcome),
					      data, size, NULL, WAIT),
				STATUS_SUCCESS);
	outcome_calls(test, outcome, 2);
	KUNIT_EXPECT_EQ(test, outcome->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->packets, 2);
}

/* The client's close waits for the packets that the server holds. */
static void close_waits_for_the_server(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};
	VMBPACKET packet;
	struct job *job;
	u64 word = 0;

	server->hold = true;
	connect_both(test, client, server);
	packet = packet_of(test, client->ch, &outcome);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    WAIT), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(server->held_count));
	job = job_start(test, do_disable, client->ch);
	heard(test, server, "Suspend");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	KUNIT_EXPECT_NE(test, client->ch->state, KMCL_DISABLED);
	client_completes_all(server);
	job_join(test, job);
	heard(test, server, "Closed");
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
}

/* Guarantee 4: after a pause the server holds no packet, and gets none. */
static void pause_waits_for_the_server(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};
	VMBPACKET packet;
	struct job *job;
	u64 word = 0;

	server->hold = true;
	connect_both(test, client, server);
	packet = packet_of(test, client->ch, &outcome);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    WAIT), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(server->held_count));
	job = job_start(test, do_pause, server->ch);
	heard(test, server, "Suspend");
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	client_completes_all(server);
	job_join(test, job);
	outcome_is(test, &outcome, STATUS_SUCCESS);

	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    WAIT), STATUS_SUCCESS);
	msleep(50);
	KUNIT_EXPECT_EQ(test, server->packets, 1);
	VmbChannelStart(server->ch);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/* Packets */

static void both_directions(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	unsigned int i;

	connect_both(test, client, server);
	for (i = 0; i < 100; i++) {
		ask(test, client, server, i);
		ask(test, server, client, i);
	}
	KUNIT_EXPECT_EQ(test, server->packets, 100);
	KUNIT_EXPECT_EQ(test, client->packets, 100);
}

#define MANY	256

/* More than the ring holds, while nobody reads it: all come, in their order. */
static void full_ring(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome *outcome = kunit_kzalloc(test, sizeof(*outcome),
						GFP_KERNEL);
	u8 *data = kunit_kzalloc(test, 1000, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, outcome);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(client->ch,
								   2, 2),
			STATUS_SUCCESS);
	enable(test, server);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_PAUSED);
	for (i = 0; i < MANY; i++) {
		*data = i;
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(packet_of(test, client->ch,
							outcome),
					      data, 1000, NULL, WAIT),
				STATUS_SUCCESS);
	}
	KUNIT_EXPECT_GT(test, client->ch->tx.ring_full, 0);
	VmbChannelStart(server->ch);
	outcome_calls(test, outcome, MANY);
	KUNIT_ASSERT_EQ(test, server->packets, MANY);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_EQ(test, server->tags[i], (u8)i);
	KUNIT_EXPECT_EQ(test, client->ch->rx.dropped, 0);
	KUNIT_EXPECT_EQ(test, server->ch->rx.dropped, 0);
}

/* Send packets of a server until some of them are queued. */
static void server_fills_its_ring(struct kunit *test, struct client *server,
				  struct outcome *outcomes, u32 flags)
{
	u8 *data = kunit_kzalloc(test, 1000, GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < MANY; i++)
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(packet_of(test, server->ch,
							&outcomes[i]),
					      data, 1000, NULL, flags),
				STATUS_SUCCESS);
	KUNIT_ASSERT_GT(test, server->ch->tx.nr_queued, 0);
}

static const u32 waits[] = { 0, WAIT };

static void wait_name(const u32 *wait, char *desc)
{
	strscpy(desc, *wait ? "with completion" : "without completion",
		KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(wait, waits, wait_name);

/*
 * The client goes while packets of its server are in the ring and queued. Each ends once:
 * with success if it was in the ring and wants no completion.
 */
static void client_leaves_queued_packets(struct kunit *test)
{
	const u32 flags = *(const u32 *)test->param_value;
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome *outcomes;
	unsigned int i, sent = 0;

	outcomes = kunit_kcalloc(test, MANY, sizeof(*outcomes), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(client->ch,
								   2, 2),
			STATUS_SUCCESS);
	connect_both(test, client, server);
	VmbChannelPause(client->ch);
	server_fills_its_ring(test, server, outcomes, flags);
	VmbChannelDisable(client->ch);
	for (i = 0; i < MANY; i++) {
		outcome_calls(test, &outcomes[i], 1);
		sent += outcomes[i].status == STATUS_SUCCESS;
		if (flags || outcomes[i].status != STATUS_SUCCESS)
			KUNIT_EXPECT_EQ(test, outcomes[i].status,
					STATUS_DEVICE_REMOVED);
	}
	KUNIT_EXPECT_EQ(test, sent, flags ? 0 : server->ch->tx.sent);
	KUNIT_EXPECT_LT(test, sent, MANY);
	KUNIT_EXPECT_EQ(test, server->ch->tx.nr_queued, 0);
	KUNIT_EXPECT_EQ(test, server->ch->state, KMCL_ENABLED);
}

static void server_queues(struct kunit *test, struct client *server,
			  struct outcome *outcome)
{
	u64 word = 0;

	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet_of(test, server->ch, outcome),
				      &word, sizeof(word), NULL, WAIT),
			STATUS_SUCCESS);
}

/* Packets that a server sends while it is offered are for the next client. */
static void queued_without_a_client(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};

	offer(test, server);
	server_queues(test, server, &outcome);
	VmbChannelDisable(server->ch);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);

	offer(test, server);
	server_queues(test, server, &outcome);
	outcome_calls(test, &outcome, 0);
	bring_up(test, client);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->packets, 1);
}

/*
 * A server that has failed is offered again before its client has closed. That close comes
 * late, and does not end what the server has sent for the next client.
 */
static void queued_before_a_late_close(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct client *next = loopback_client(test);
	struct outcome outcomes[2] = {};

	connect_both(test, client, server);
	enable(test, next);
	client->hook = wait_to_leave;
	client->at = "Suspend";
	corrupt_ring(client, server);
	wait_for_completion(&client->entered);
	becomes(test, server->ch, KMCL_ENABLED);
	server_queues(test, server, &outcomes[0]);

	/* The close, and the next open, which the hook of the other end holds up. */
	next->hook = wait_to_leave;
	next->at = "Opened";
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	wait_for_completion(&next->entered);
	complete(&next->leave);
	becomes(test, next->ch, KMCL_ACTIVE);
	outcome_is(test, &outcomes[0], STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, next->packets, 1);

	/* Without a next client, the server still may send. */
	corrupt_ring(next, server);
	becomes(test, next->ch, KMCL_DISABLED);
	becomes(test, server->ch, KMCL_ENABLED);
	server_queues(test, server, &outcomes[1]);
	bring_up(test, client);
	outcome_is(test, &outcomes[1], STATUS_SUCCESS);
}

#define LARGE	4000
#define HOARD	200

/* Hold as many packets as there may be, or complete them with a large payload. */
static VOID hoard_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			 PVOID buffer, UINT32 length, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(ch);
	bool hold;

	spin_lock_bh(&client->lock);
	hold = client->hold;
	if (hold)
		client->held[client->held_count++] = packet;
	spin_unlock_bh(&client->lock);
	if (!hold)
		VmbChannelPacketComplete(packet, buffer, length);
}

static void hoard(struct kunit *test, struct client *client)
{
	client->hold = true;
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(client->ch,
								hoard_packet,
								NULL),
			STATUS_SUCCESS);
}

static void hoarder_sends(struct kunit *test, struct client *client,
			  struct outcome *outcome, void *data)
{
	unsigned int i;

	for (i = 0; i < HOARD; i++)
		KUNIT_ASSERT_EQ(test,
				VmbPacketSend(packet_of(test, client->ch,
							outcome),
					      data, LARGE, NULL, WAIT),
				STATUS_SUCCESS);
}

static void hoarder_completes_all(struct client *client, void *data)
{
	unsigned int i;

	spin_lock_bh(&client->lock);
	client->hold = false;
	spin_unlock_bh(&client->lock);
	for (i = 0; i < client->held_count; i++)
		VmbChannelPacketComplete(client->held[i], data, LARGE);
}

/*
 * Both ends have filled the rings with packets of their own, and read no more before
 * they have sent a completion.
 */
static void both_rings_full_of_packets(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome *outcomes;
	void *data;

	outcomes = kunit_kcalloc(test, 2, sizeof(*outcomes), GFP_KERNEL);
	data = kunit_kzalloc(test, LARGE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, outcomes);
	KUNIT_ASSERT_NOT_NULL(test, data);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(client->ch,
								   2, 2),
			STATUS_SUCCESS);
	hoard(test, server);
	hoard(test, client);
	connect_both(test, client, server);
	hoarder_sends(test, server, &outcomes[0], data);
	hoarder_sends(test, client, &outcomes[1], data);
	EXPECT_EVENTUALLY(test, READ_ONCE(server->ch->rx.starved));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->rx.starved));
	KUNIT_EXPECT_GT(test, server->ch->tx.nr_queued, 0);
	KUNIT_EXPECT_GT(test, client->ch->tx.nr_queued, 0);

	hoarder_completes_all(server, data);
	hoarder_completes_all(client, data);
	outcome_calls(test, &outcomes[0], HOARD);
	outcome_calls(test, &outcomes[1], HOARD);
}

static void pipe(struct kunit *test)
{
	const u32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
			  VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	KUNIT_ASSERT_EQ(test, VmbServerChannelInitSetFlags(server->ch, flags),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetFlags(client->ch,
					       VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	connect_both(test, client, server);
	ask(test, client, server, 1);
	ask(test, server, client, 2);
}

/* What a server may not send */
static void sends_of_a_server(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);
	struct outcome outcome = {};
	LARGE_INTEGER now = {};
	PFN_NUMBER pfn = 1;
	VMBPACKET packet;
	MDL mdl = {};
	u64 word = 0;

	connect_both(test, client, server);
	packet = packet_of(test, server->ch, &outcome);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), &mdl,
					    WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalMdl(packet, &word,
						     sizeof(word), &mdl, 0, 0,
						     WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word,
						      sizeof(word), &pfn, 1,
						      WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(server->ch, &word,
							 sizeof(word), &mdl, 0,
							 NULL, NULL, &now),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(server->ch, &word,
							 sizeof(word), NULL,
							 WAIT, NULL, NULL,
							 &now),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(server->ch, &word,
							 sizeof(word), NULL, 0,
							 NULL, NULL, NULL),
			STATUS_INVALID_PARAMETER_8);
	KUNIT_EXPECT_EQ(test, send_word(server->ch, 0, -SECOND),
			STATUS_INVALID_PARAMETER_8);
	KUNIT_EXPECT_EQ(test, client->packets, 0);
	KUNIT_EXPECT_EQ(test, send_word(server->ch, 0, 0), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 1);
}

/* What the other end does in each callback */

static void leave_in_callback(struct kunit *test, struct client *stuck,
			      struct client *leaver, struct client *server,
			      struct client *client)
{
	struct job *job;

	stuck->hook = wait_to_leave;
	stuck->at = *(const char * const *)test->param_value;
	offer(test, server);
	enable(test, client);
	if (!strcmp(stuck->at, "Suspend") || !strcmp(stuck->at, "Closed")) {
		becomes(test, client->ch, KMCL_ACTIVE);
		becomes(test, server->ch, KMCL_ACTIVE);
		job = job_start(test, do_disable, stuck->ch);
		wait_for_completion(&stuck->entered);
		complete(&stuck->leave);
		VmbChannelDisable(leaver->ch);
		job_join(test, job);
	} else {
		wait_for_completion(&stuck->entered);
		job = job_start(test, do_disable, leaver->ch);
		msleep(20);
		complete(&stuck->leave);
		job_join(test, job);
	}
	KUNIT_EXPECT_EQ(test, stuck->offences, 0);
	KUNIT_EXPECT_EQ(test, leaver->offences, 0);
}

static void client_leaves_in_callback(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	leave_in_callback(test, server, client, server, client);
	EXPECT_EVENTUALLY(test, server->ch->state <= KMCL_ENABLED);
	KUNIT_EXPECT_EQ(test, server->phase, CLIENT_CLOSED);
}

static void server_leaves_in_callback(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	leave_in_callback(test, client, server, server, client);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->phase, CLIENT_CLOSED);
}

struct toggler {
	struct client *client;
	unsigned int rounds;
};

static void do_toggle(void *arg)
{
	struct toggler *toggler = arg;
	unsigned int i;

	for (i = 0; i < toggler->rounds; i++) {
		VmbChannelEnable(toggler->client->ch);
		VmbChannelStart(toggler->client->ch);
		send_word(toggler->client->ch, 0, 0);
		if (i % 3)
			usleep_range(100, 2000);
		VmbChannelDisable(toggler->client->ch);
	}
}

/* Both ends come and go as they like. */
static void both_come_and_go(struct kunit *test)
{
	struct toggler togglers[] = {
		{ loopback_server(test), 100 },
		{ loopback_client(test), 100 },
		{ loopback_client(test), 100 },
	};
	struct job *jobs[ARRAY_SIZE(togglers)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		jobs[i] = job_start(test, do_toggle, &togglers[i]);
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		job_join(test, jobs[i]);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		KUNIT_EXPECT_EQ(test, togglers[i].client->offences, 0);
		togglers[i].client->log[0] = '\0';
	}
	connect_both(test, togglers[1].client, togglers[0].client);
	ask(test, togglers[1].client, togglers[0].client, 1);
}

/* Memory of the caller: the cleanup does not wait for the other end. */
static void server_in_memory_of_the_caller(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	struct client *server = client_alloc(test);
	struct client *client = loopback_client(test);
	VMBCHANNEL ch = kunit_kzalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ch);
	KUNIT_ASSERT_EQ(test, VmbChannelInitialize(NULL, TRUE, ch, size),
			STATUS_SUCCESS);
	client_set_up_server(test, server, ch, &loopback_type,
			     &loopback_instance);
	client->hook = wait_to_leave;
	client->at = "Closed";
	connect_both(test, client, server);
	VmbChannelDisable(ch);
	VmbChannelCleanup(ch);
	memset(ch, 0xee, size);
	wait_for_completion(&client->entered);
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
}

KUNIT_ARRAY_PARAM(callback, client_callbacks, client_callback_name);

static struct kunit_case loopback_cases[] = {
	KUNIT_CASE(server_first),
	KUNIT_CASE(client_first),
	KUNIT_CASE(instances),
	KUNIT_CASE(the_same_instance_twice),
	KUNIT_CASE(the_device),
	KUNIT_CASE(enable_statuses),
	KUNIT_CASE_SLOW(no_memory_for_the_server),
	KUNIT_CASE(setters),
	KUNIT_CASE(setters_of_others),
	KUNIT_CASE(functions_of_clients),
	KUNIT_CASE(not_started),
	KUNIT_CASE(start_too_early),
	KUNIT_CASE(client_comes_again),
	KUNIT_CASE(server_leaves),
	KUNIT_CASE(server_leaves_a_stuck_client),
	KUNIT_CASE(server_refuses),
	KUNIT_CASE(client_corrupts_its_ring),
	KUNIT_CASE(server_with_a_packet_fails),
	KUNIT_CASE_SLOW(next_client_of_a_server_that_fails),
	KUNIT_CASE(server_needs_larger_rings),
	KUNIT_CASE(largest_packet_of_a_server),
	KUNIT_CASE(close_waits_for_the_server),
	KUNIT_CASE(pause_waits_for_the_server),
	KUNIT_CASE(both_directions),
	KUNIT_CASE(full_ring),
	KUNIT_CASE_PARAM(client_leaves_queued_packets, wait_gen_params),
	KUNIT_CASE(queued_without_a_client),
	KUNIT_CASE(queued_before_a_late_close),
	KUNIT_CASE(both_rings_full_of_packets),
	KUNIT_CASE(pipe),
	KUNIT_CASE(sends_of_a_server),
	KUNIT_CASE_PARAM(client_leaves_in_callback, callback_gen_params),
	KUNIT_CASE_PARAM(server_leaves_in_callback, callback_gen_params),
	KUNIT_CASE_SLOW(both_come_and_go),
	KUNIT_CASE(server_in_memory_of_the_caller),
	{}
};

struct kunit_suite vmbkmcl_loopback_suite = {
	.name = "vmbkmcl_loopback",
	.test_cases = loopback_cases,
};
