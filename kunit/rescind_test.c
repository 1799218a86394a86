// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rescind while something else runs: a callback for packets, in a context where
 * it may sleep or not; a send that writes to the ring, or calls its completion
 * routine; and a pause. The client's log shows the order.
 */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/sched.h>

#include "lib/client.h"
#include "suites.h"

#define LOOKS	1000

/* The CPU a callback waits on for what happens on the other one. */
#define CALLBACK_CPU	0
#define RESCIND_CPU	1

static void client_notes(struct client *client, const char *what)
{
	spin_lock_bh(&client->lock);
	strlcat(client->log, " ", sizeof(client->log));
	strlcat(client->log, what, sizeof(client->log));
	spin_unlock_bh(&client->lock);
}

/* Return only when the channel knows of the rescind, and some time later. */
static void stay_a_while(struct client *client)
{
	unsigned int i;

	complete(&client->entered);
	for (i = 0; i < LOOKS && !READ_ONCE(client->ch->lost); i++)
		mdelay(1);
	mdelay(30);
	client->seen = in_softirq() ? STATUS_SUCCESS : STATUS_PENDING;
}

static void packet_called(struct client *client, const char *callback)
{
	client_notes(client, callback);
	if (strcmp(callback, client->at))
		return;
	stay_a_while(client);
	client_notes(client, "returns");
}

static VOID process_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			   PVOID buffer, UINT32 length, UINT32 flags)
{
	packet_called(VmbChannelGetPointer(ch), "ProcessPacket");
	VmbChannelPacketComplete(packet, NULL, 0);
}

static VOID processing_complete(VMBCHANNEL ch, UINT32 packets)
{
	packet_called(VmbChannelGetPointer(ch), "ProcessingComplete");
}

struct packet_case {
	const char *name;
	const char *during;
	bool passive;
	const char *log;
};

#define IN_PACKET	UP " ProcessPacket returns ProcessingComplete " DOWN
#define IN_COMPLETE	UP " ProcessPacket ProcessingComplete returns " DOWN

static const struct packet_case packet_cases[] = {
	{ "ProcessPacket", "ProcessPacket", false, IN_PACKET },
	{ "ProcessPacket, passive", "ProcessPacket", true, IN_PACKET },
	{ "ProcessingComplete", "ProcessingComplete", false, IN_COMPLETE },
	{ "ProcessingComplete, passive", "ProcessingComplete", true,
	  IN_COMPLETE },
};

KUNIT_ARRAY_PARAM_DESC(packet, packet_cases, name);

/**
 * struct going - a device that goes when its client is in a callback
 * @client: the channel's
 * @bus: its fake bus
 */
struct going {
	struct client *client;
	struct fake_bus *bus;
};

/* A softirq that waits keeps its CPU from threads, so this one is on another. */
static void rescind_when_entered(void *data)
{
	struct going *going = data;

	set_cpus_allowed_ptr(current, cpumask_of(RESCIND_CPU));
	wait_for_completion_timeout(&going->client->entered, 10 * HZ);
	fake_bus_rescind(going->bus);
}

static void during_a_packet_callback(struct kunit *test)
{
	const struct packet_case *c = test->param_value;
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct going going = { .client = client, .bus = bus };
	struct job *rescind;
	u64 word = 0;

	if (!cpu_online(RESCIND_CPU))
		kunit_skip(test, "one CPU");
	client->at = c->during;
	VmbChannelInitSetProcessPacketCallbacks(client->ch, process_packet,
						processing_complete);
	VmbChannelSetIncomingProcessingAtPassive(client->ch, c->passive);
	bring_up(test, client);
	rescind = job_start(test, rescind_when_entered, &going);
	set_cpus_allowed_ptr(current, cpumask_of(CALLBACK_CPU));
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	job_join(test, rescind);

	KUNIT_EXPECT_EQ(test, client->seen,
			c->passive ? STATUS_PENDING : STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 0);
	heard(test, client, c->log);
}

static VOID sent(VMBPACKET packet, NTSTATUS status, PVOID buffer, UINT32 length)
{
	packet_called(VmbPacketGetPointer(packet), "Sent");
}

static void signal_slowly(struct kmcl_channel *ch, enum kmcl_signal why)
{
	struct fake_bus *bus = container_of(ch->pinned, struct fake_bus, ops);

	packet_called(VmbChannelGetPointer(ch), "Signals");
	/* Once the channel is closed, a send would use a device that is gone. */
	KUNIT_EXPECT_EQ(bus->test, atomic_read(&bus->closes), 0);
}

/* The poll is idle: only the close itself can wait for the thread that sends. */
static void goes_during_a_send(struct kunit *test, const char *at)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct going going = { .client = client, .bus = bus };
	const char *returns, *closed;
	struct job *rescind;
	VMBPACKET packet;
	u64 word = 0;

	if (!cpu_online(RESCIND_CPU))
		kunit_skip(test, "one CPU");
	client->at = at;
	bus->ops.signal = signal_slowly;
	bring_up(test, client);
	packet = VmbPacketAllocate(client->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutine(packet, sent);
	VmbPacketSetPointer(packet, client);
	rescind = job_start(test, rescind_when_entered, &going);
	set_cpus_allowed_ptr(current, cpumask_of(CALLBACK_CPU));
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_SUCCESS);
	set_cpus_allowed_ptr(current, cpu_possible_mask);
	job_join(test, rescind);
	VmbPacketFree(packet);

	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	/* Suspend may come before or after the callback. */
	returns = strstr(client->log, " returns");
	closed = strstr(client->log, " Closed");
	KUNIT_ASSERT_NOT_NULL(test, returns);
	KUNIT_ASSERT_NOT_NULL(test, closed);
	KUNIT_EXPECT_TRUE_MSG(test, returns < closed, "%s", client->log);
}

static void during_the_signal_of_a_send(struct kunit *test)
{
	goes_during_a_send(test, "Signals");
}

static void during_the_routine_of_a_send(struct kunit *test)
{
	goes_during_a_send(test, "Sent");
}

/* There is no second Suspend, and VmbChannelPause() returns. */
static void during_the_suspend_of_a_pause(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *pause, *rescind;

	client->at = "Suspend";
	client->hook = wait_to_leave;
	bring_up(test, client);
	pause = job_start(test, do_pause, client->ch);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	rescind = job_start(test, do_rescind, bus);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->lost));
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(rescind));
	complete(&client->leave);
	job_join(test, rescind);
	job_join(test, pause);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

static struct kunit_case rescind_cases[] = {
	KUNIT_CASE_PARAM(during_a_packet_callback, packet_gen_params),
	KUNIT_CASE(during_the_signal_of_a_send),
	KUNIT_CASE(during_the_routine_of_a_send),
	KUNIT_CASE(during_the_suspend_of_a_pause),
	{}
};

struct kunit_suite vmbkmcl_rescind_suite = {
	.name = "vmbkmcl_rescind",
	.test_cases = rescind_cases,
};
