// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel's states: every callback in its order, pausing and starting, packets
 * that the client keeps, rescinds at every point, suspend and resume.
 */

#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lib/client.h"
#include "lib/device.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

/* Packets a channel can have taken from its ring at one time. */
#define POOL		(KMCL_QUOTA_DEFAULT + KMCL_BACKLOG)

#define PARAMETERS	"/sys/module/vmbkmcl/parameters/"

/* Parameters, set back at the end of the case */

static void reset_parameters(void *test)
{
	write_text(test, PARAMETERS "wait_warn_ms", "5000");
	write_text(test, PARAMETERS "removal_wait_ms", "5000");
}

static void set_parameter(struct kunit *test, const char *path,
			  const char *value)
{
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, reset_parameters,
							test), 0);
	write_text(test, path, value);
}

static void warn_early(struct kunit *test)
{
	set_parameter(test, PARAMETERS "wait_warn_ms", "100");
}

static void remove_early(struct kunit *test)
{
	set_parameter(test, PARAMETERS "removal_wait_ms", "300");
}

/* One packet of the host's that asks for a completion; @tag is all it holds. */
static void host_sends(struct fake_bus *bus, u64 tag)
{
	fake_bus_deliver_request(bus, tag, &tag, sizeof(tag));
}

static void host_sends_many(struct fake_bus *bus, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		host_sends(bus, i);
}

static void client_has(struct kunit *test, struct client *client,
		       unsigned int packets)
{
	EXPECT_EVENTUALLY(test, READ_ONCE(client->held_count) == packets);
	KUNIT_ASSERT_EQ(test, client->held_count, packets);
}

static void client_was_given(struct kunit *test, struct client *client,
			     unsigned int packets)
{
	unsigned int i;

	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == packets);
	KUNIT_ASSERT_EQ(test, client->packets, packets);
	for (i = 0; i < packets; i++)
		KUNIT_ASSERT_EQ(test, client->tags[i], (u8)i);
}

static void give_back_what_is_held(void *client)
{
	client_completes_all(client);
}

/* An active client that holds so many packets of the host's. */
static struct client *holder(struct kunit *test, struct fake_bus **bus,
			     unsigned int packets)
{
	struct client *client = fake_client(test, bus);

	client->hold = true;
	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, give_back_what_is_held,
						  client), 0);
	bring_up(test, client);
	host_sends_many(*bus, packets);
	client_has(test, client, packets);
	return client;
}

/* A client that waits in this callback until client->leave is completed. */
static struct client *waits_in(struct kunit *test, struct fake_bus **bus,
			       const char *callback)
{
	struct client *client = fake_client(test, bus);

	client->at = callback;
	client->hook = wait_to_leave;
	return client;
}

static void has_entered(struct kunit *test, struct client *client)
{
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
}

/* Pause and start */

static void pause_and_start(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	heard(test, client, UP);
	VmbChannelPause(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_PAUSED);
	heard(test, client, "Suspend");
	VmbChannelStart(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ACTIVE);
	heard(test, client, "Started PostStarted");
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->opens), 1);
}

static void pause_and_start_with_the_server(struct kunit *test)
{
	struct client *client = server_client(test);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	KUNIT_EXPECT_EQ(test, send_word(client->ch, 0, 0), STATUS_SUCCESS);
	VmbChannelStart(client->ch);
	VmbChannelDisable(client->ch);
	heard(test, client, UP " Suspend Started PostStarted " DOWN);
}

static void pause_while_disabled(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	VmbChannelPause(client->ch);
	enable(test, client);
	becomes(test, client->ch, KMCL_PAUSED);
	heard(test, client, "Opened");
	VmbChannelStart(client->ch);
	heard(test, client, "Started PostStarted");
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
}

static void pause_and_start_while_disabled(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	VmbChannelPause(client->ch);
	VmbChannelStart(client->ch);
	bring_up(test, client);
	heard(test, client, UP);
}

static void pause_before_the_device_comes(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->present = false;
	enable(test, client);
	VmbChannelPause(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	KUNIT_EXPECT_TRUE(test, fake_bus_attach(client->ch, bus,
						&some_guid));
	becomes(test, client->ch, KMCL_PAUSED);
	heard(test, client, "Opened");
}

static void pause_twice_start_twice(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelStart(client->ch);
	VmbChannelPause(client->ch);
	VmbChannelPause(client->ch);
	VmbChannelStart(client->ch);
	VmbChannelStart(client->ch);
	heard(test, client, UP " Suspend Started PostStarted");
}

/* There is no second Suspend. */
static void disable_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	VmbChannelDisable(client->ch);
	heard(test, client, UP " Suspend Closed");
}

static void pause_during_post_started(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = waits_in(test, &bus, "PostStarted");
	struct job *pause;

	enable(test, client);
	has_entered(test, client);
	pause = job_start(test, do_pause, client->ch);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, job_done(pause));
	complete(&client->leave);
	job_join(test, pause);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_PAUSED);
	heard(test, client, UP " Suspend");
}

static void start_overrules_pause(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = waits_in(test, &bus, "Suspend");
	struct job *pause, *start;

	bring_up(test, client);
	pause = job_start(test, do_pause, client->ch);
	has_entered(test, client);
	start = job_start(test, do_start, client->ch);
	job_join(test, pause);
	client->hook = NULL;
	complete(&client->leave);
	job_join(test, start);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ACTIVE);
	heard(test, client, UP " Suspend Started PostStarted");
}

/* Start waits for PostStarted, which waits for the host. */
static void disable_ends_a_start(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *start;

	VmbChannelPause(client->ch);
	enable(test, client);
	becomes(test, client->ch, KMCL_PAUSED);
	client->at = "PostStarted";
	client->hook = ask_the_host;
	start = job_start(test, do_start, client->ch);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	VmbChannelDisable(client->ch);
	job_join(test, start);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	heard(test, client, UP_DOWN);
}

KUNIT_ARRAY_PARAM(callback, client_callbacks, client_callback_name);

static void try_to_pause(struct client *client)
{
	VmbChannelPause(client->ch);
}

static void try_to_start(struct client *client)
{
	VmbChannelStart(client->ch);
}

static void calls_back(struct kunit *test, void (*hook)(struct client *client),
		       const char *line)
{
	const char * const *at = test->param_value;
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	log_record(test);
	client->at = *at;
	client->hook = hook;
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	is_logged(test, line);
}

static void pause_in_a_callback(struct kunit *test)
{
	calls_back(test, try_to_pause,
		   "pause from a callback of its own refused");
}

static void start_in_a_callback(struct kunit *test)
{
	calls_back(test, try_to_start,
		   "start from a callback of its own refused");
}

static void send_and_wait_for_room(struct client *client)
{
	u64 word = 1;

	client->seen = VmbChannelSendSynchronousRequest(client->ch, &word,
							sizeof(word), NULL, 0,
							NULL, NULL, NULL);
}

/* The poll runs before the callback, so a completion arrives in it. */
static void wait_in_opened(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "Opened";
	client->hook = ask_the_host;
	enable(test, client);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 1);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_OPENED);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	becomes(test, client->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

/* No completion is needed, but the poll, which sends the packet when there is room. */
static void wait_for_room_in_opened(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "Opened";
	client->hook = send_and_wait_for_room;
	bus->ring_room = 0;
	enable(test, client);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->tx.nr_queued) == 1);
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(client->ch);
	becomes(test, client->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

static void no_channel_to_pause(struct kunit *test)
{
	VmbChannelPause(NULL);
	VmbChannelStart(NULL);
}

/* Packets that the client has */

static void packets_come_in_order(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	host_sends_many(bus, 200);
	client_was_given(test, client, 200);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 200);
}

static void no_packet_before_started(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = waits_in(test, &bus, "Started");

	enable(test, client);
	has_entered(test, client);
	host_sends_many(bus, 3);
	msleep(100);
	KUNIT_EXPECT_EQ(test, client->packets, 0);
	complete(&client->leave);
	client_was_given(test, client, 3);
}

static void no_packet_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	host_sends_many(bus, 5);
	msleep(100);
	KUNIT_EXPECT_EQ(test, client->packets, 0);
	VmbChannelStart(client->ch);
	client_was_given(test, client, 5);
}

/* Packets that no memory is left for stay in the ring, and none is lost. */
static void flood_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	host_sends_many(bus, 2 * POOL + 7);
	msleep(100);
	VmbChannelStart(client->ch);
	client_was_given(test, client, 2 * POOL + 7);
}

static void send_while_paused(struct kunit *test)
{
	struct client *client = server_client(test);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

static void pause_waits_for_packets(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 2);
	struct job *pause = job_start(test, do_pause, client->ch);

	heard(test, client, UP " Suspend");
	msleep(100);
	KUNIT_EXPECT_FALSE(test, job_done(pause));
	client_completes_one(client);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(pause));
	client_completes_one(client);
	job_join(test, pause);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_PAUSED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
}

static void disable_waits_for_packets(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 2);
	struct job *disable;

	log_record(test);
	warn_early(test);
	disable = job_start(test, do_disable, client->ch);
	is_logged(test, "completion of 2 packets by fake_bus_create [vmbkmcl_kunit]");
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	heard(test, client, UP " Suspend");
	client_completes_one(client);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	client_completes_one(client);
	job_join(test, disable);
	heard(test, client, "Closed");
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
}

static void disable_ends_a_pause(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 1);
	struct job *pause = job_start(test, do_pause, client->ch);
	struct job *disable;

	heard(test, client, UP " Suspend");
	disable = job_start(test, do_disable, client->ch);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, job_done(pause));
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	client_completes_all(client);
	job_join(test, pause);
	job_join(test, disable);
	heard(test, client, "Closed");
}

static void complete_in_suspend(struct client *client)
{
	client_completes_all(client);
}

static void packets_completed_in_suspend(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 3);

	client->at = "Suspend";
	client->hook = complete_in_suspend;
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 3);
}

/* The packet was queued, for want of room, before the close began. */
static void queued_completions_are_sent_in_time(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 3);
	struct job *disable;

	fake_bus_set_room(bus, 0);
	client_completes_all(client);
	client->at = "Suspend";
	client->hook = wait_to_leave;
	disable = job_start(test, do_disable, client->ch);
	has_entered(test, client);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);
	fake_bus_set_room(bus, 2);
	kmcl_poll_schedule(bus->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 2);
	complete(&client->leave);
	job_join(test, disable);
	heard(test, client, UP_DOWN);

	/* The third completion was not sent, and its memory is free again. */
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 2);
	fake_bus_set_room(bus, INT_MAX);
	client->hook = NULL;
	bring_up(test, client);
	host_sends_many(bus, POOL + 3);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == POOL + 5);
}

static void packet_completed_twice(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 1);
	VMBPACKETCOMPLETION packet = client->held[0];

	log_record(test);
	client_completes_one(client);
	VmbChannelPacketComplete(packet, NULL, 0);
	is_logged(test, "given back that its client did not have");
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
	client->hold = false;
	host_sends(bus, 1);
	client_was_given(test, client, 2);
}

/* A device that goes */

static void rescind_does_not_wait_for_ever(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 3);
	unsigned long start;

	log_record(test);
	remove_early(test);
	client_completes_one(client);
	start = jiffies;
	fake_bus_rescind(bus);
	KUNIT_EXPECT_GE(test, jiffies_to_msecs(jiffies - start), 290);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - start), 3000);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
	is_logged(test, "has not completed 2 packets");
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 2);

	/* To complete a packet after the close has no effect. */
	client_completes_one(client);
	bus->is_rescinded = false;
	bring_up(test, client);
	client_completes_one(client);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 1);
	VmbChannelDisable(client->ch);
}

/* The packet outlives its channel: KASAN would report a use after free. */
static void packet_completed_after_cleanup(struct kunit *test)
{
	struct client *client = client_alloc(test);
	struct fake_bus *bus = fake_bus_create(test);
	VMBCHANNEL ch;

	remove_early(test);
	KUNIT_ASSERT_EQ(test, kmcl_channel_allocate(&bus->ops, NULL, _THIS_IP_,
						    &ch), STATUS_SUCCESS);
	client_set_up(test, client, ch, &some_guid, NULL);
	client->hold = true;
	swap(bus->ch, ch);
	bring_up(test, client);
	host_sends_many(bus, 2);
	client_has(test, client, 2);
	fake_bus_rescind(bus);
	swap(bus->ch, ch);
	VmbChannelCleanup(ch);
	rcu_barrier();
	client_completes_all(client);
	heard(test, client, UP_DOWN);
}

static void rescind_ends_a_disable(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 1);
	struct job *disable;

	remove_early(test);
	disable = job_start(test, do_disable, client->ch);
	heard(test, client, UP " Suspend");
	msleep(500);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	fake_bus_rescind(bus);
	job_join(test, disable);
	heard(test, client, "Closed");
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 1);
}

static void rescind_ends_a_pause(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 1);
	struct job *pause = job_start(test, do_pause, client->ch);

	remove_early(test);
	heard(test, client, UP " Suspend");
	fake_bus_rescind(bus);
	job_join(test, pause);
	heard(test, client, "Closed");
	becomes(test, client->ch, KMCL_DISABLED);
}

static void rescind_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	fake_bus_rescind(bus);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

/* Ported clients pause before they disable: the next opening is not paused. */
static void pause_ends_with_a_disable(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	bring_up(test, client);
	heard(test, client, UP);

	/* Nor is one after a pause that never saw a device. */
	VmbChannelDisable(client->ch);
	bus->present = false;
	enable(test, client);
	VmbChannelPause(client->ch);
	VmbChannelDisable(client->ch);
	bus->present = true;
	heard(test, client, DOWN);
	bring_up(test, client);
	heard(test, client, UP);

	/* A rescind disables, too. */
	VmbChannelPause(client->ch);
	fake_bus_rescind(bus);
	bus->is_rescinded = false;
	heard(test, client, DOWN);
	bring_up(test, client);
}

static void pause_of_a_disabled_channel(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	VmbChannelPause(client->ch);
	enable(test, client);
	becomes(test, client->ch, KMCL_PAUSED);
	heard(test, client, "Opened");
}

struct rescind_case {
	const char *during;
	bool disable;		/* what makes it come */
	const char *log;
};

static const struct rescind_case rescind_cases[] = {
	{ "Opened", false, "Opened Closed" },
	{ "Started", false, "Opened Started Suspend Closed" },
	{ "PostStarted", false, UP_DOWN },
	{ "Suspend", true, UP_DOWN },
	{ "Closed", true, UP_DOWN },
};

KUNIT_ARRAY_PARAM_DESC(rescind, rescind_cases, during);

static void rescind_during_a_callback(struct kunit *test)
{
	const struct rescind_case *c = test->param_value;
	struct fake_bus *bus;
	struct client *client = waits_in(test, &bus, c->during);
	struct job *disable = NULL, *rescind;

	enable(test, client);
	if (c->disable) {
		becomes(test, client->ch, KMCL_ACTIVE);
		disable = job_start(test, do_disable, client->ch);
	}
	has_entered(test, client);
	rescind = job_start(test, do_rescind, bus);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->lost));
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(rescind));
	complete(&client->leave);
	job_join(test, rescind);
	if (disable)
		job_join(test, disable);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, c->log);
}

static void rescind_during_pnp_failure(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = waits_in(test, &bus, "PnpFailure");
	struct job *rescind;

	client->opened = STATUS_ACCESS_DENIED;
	enable(test, client);
	has_entered(test, client);
	rescind = job_start(test, do_rescind, bus);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->lost));
	complete(&client->leave);
	job_join(test, rescind);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "Opened PnpFailure");
}

static void create_a_gpadl(void *data)
{
	struct client *client = data;
	void *va = vmalloc(PAGE_SIZE);
	u32 handle;

	client->seen = VmbChannelCreateGpadlFromBuffer(client->ch, 0, va,
						       PAGE_SIZE, &handle);
	vfree(va);
}

static void rescind_during_a_gpadl_create(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *create;

	bring_up(test, client);
	bus->withhold = true;
	create = job_start(test, create_a_gpadl, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	fake_bus_rescind(bus);
	job_join(test, create);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	heard(test, client, UP_DOWN);
}

static void rescind_during_a_request(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *request;

	bring_up(test, client);
	request = job_start(test, do_ask, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	fake_bus_rescind(bus);
	job_join(test, request);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	heard(test, client, UP_DOWN);
}

static void offered_again(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	fake_bus_rescind(bus);
	heard(test, client, UP_DOWN);
	bus->is_rescinded = false;
	bus->present = false;
	KUNIT_EXPECT_FALSE(test, fake_bus_attach(client->ch, bus,
						 &some_guid));
	enable(test, client);
	KUNIT_EXPECT_TRUE(test, fake_bus_attach(client->ch, bus,
						&some_guid));
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
}

/* Suspend and resume */

static void put_to_sleep(struct fake_bus *bus)
{
	kmcl_channel_suspend_device(bus->ch, bus);
}

static void wake(struct fake_bus *bus)
{
	kmcl_channel_resume_device(bus->ch, bus);
}

static void sleep_and_wake(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	put_to_sleep(bus);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
	KUNIT_EXPECT_EQ(test, send_word(client->ch, 0, 0),
			STATUS_INVALID_DEVICE_STATE);
	wake(bus);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
	KUNIT_EXPECT_EQ(test, send_word(client->ch, 0, 0), STATUS_SUCCESS);
}

static void sleep_while_paused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	VmbChannelPause(client->ch);
	put_to_sleep(bus);
	heard(test, client, UP_DOWN);
	wake(bus);
	becomes(test, client->ch, KMCL_PAUSED);
	heard(test, client, "Opened");
}

static void sleep_with_everything_outstanding(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = holder(test, &bus, 2);
	struct job *request = job_start(test, do_ask, client);
	u32 handle;
	void *va = vmalloc(PAGE_SIZE);

	remove_early(test);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromBuffer(client->ch, 0, va,
							      PAGE_SIZE,
							      &handle),
			STATUS_SUCCESS);
	vfree(va);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	put_to_sleep(bus);
	job_join(test, request);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, client->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 2);
	heard(test, client, UP_DOWN);
	client_completes_all(client);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);

	wake(bus);
	becomes(test, client->ch, KMCL_ACTIVE);
	host_sends(bus, 2);
	client_was_given(test, client, 3);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
}

static void disable_while_asleep(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	put_to_sleep(bus);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	wake(bus);
	msleep(50);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	bring_up(test, client);
}

static void lost_while_asleep(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	put_to_sleep(bus);
	fake_bus_rescind(bus);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void open_fails_after_waking(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	put_to_sleep(bus);
	bus->open_err = -ENOMEM;
	wake(bus);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN " PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_INSUFFICIENT_RESOURCES);
}

static void complete_in_a_while(void *bus)
{
	msleep(100);
	fake_bus_let_complete(bus);
}

static void sleep_before_open_completes(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *completes;

	bus->withhold = true;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	completes = job_start(test, complete_in_a_while, bus);
	put_to_sleep(bus);
	job_join(test, completes);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "Opened Closed");
	wake(bus);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
}

struct sleeper {
	struct server srv;
	NTSTATUS status;
	unsigned int ended;
};

static void ask_for_a_minute(void *arg)
{
	struct testdev_request req = { .op = TESTDEV_DELAY, .length = 60000 };
	struct sleeper *sleeper = arg;
	struct testdev_response rsp;

	sleeper->status = server_call(&sleeper->srv, &req, NULL, &rsp, NULL, 0);
	sleeper->ended++;
}

/* hv_vmbus calls the driver in this way before and after hibernation. */
static void suspend_and_resume_with_the_server(struct kunit *test)
{
	struct client *client = server_client(test);
	struct sleeper sleeper = { .srv.ch = client->ch };
	struct device *device;
	struct job *request;
	void *va = vmalloc(PAGE_SIZE);
	u32 handle;

	bring_up(test, client);
	device = server_device(test, TESTDEV_INSTANCE_GUID);
	KUNIT_ASSERT_EQ(test, VmbChannelCreateGpadlFromBuffer(client->ch, 0, va,
							      PAGE_SIZE,
							      &handle),
			STATUS_SUCCESS);
	vfree(va);
	request = job_start(test, ask_for_a_minute, &sleeper);
	ASSERT_EVENTUALLY(test, READ_ONCE(client->ch->tx.sent));

	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	job_join(test, request);
	KUNIT_EXPECT_EQ(test, sleeper.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, sleeper.ended, 1);
	KUNIT_EXPECT_EQ(test, client->ch->gpadl_stats.leftovers, 1);
	heard(test, client, UP_DOWN);

	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

static void server_pushes(struct kunit *test, struct client *client, u64 count)
{
	server_does(test, client->ch, .op = TESTDEV_PUSH, .length = count,
		    .offset = sizeof(u64), .handle = TESTDEV_PUSH_COMPLETE);
}

/* The client holds packets of the server's when the channel goes down. */
static void suspend_with_packets_of_the_server(struct kunit *test)
{
	struct client *client = server_client(test);
	struct device *device;

	KUNIT_ASSERT_EQ(test,
			kunit_add_action_or_reset(test, give_back_what_is_held,
						  client), 0);
	client->hold = true;
	remove_early(test);
	bring_up(test, client);
	server_pushes(test, client, 3);
	client_has(test, client, 3);
	client_completes_one(client);
	device = server_device(test, TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	KUNIT_EXPECT_EQ(test, client->ch->delivery.orphaned, 2);
	heard(test, client, UP_DOWN);

	/*
	 * Completed before and after the resume: neither completion has an
	 * effect.
	 */
	client_completes_one(client);
	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
	client_completes_all(client);
	server_pushes(test, client, 2);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 5);
	KUNIT_EXPECT_EQ(test, client->packets, 5);
	EXPECT_EVENTUALLY(test, !kmcl_delivery_held(&client->ch->delivery));
}

/* A suspended device without a channel must not be opened before its resume. */
static void enable_while_the_device_sleeps(struct kunit *test)
{
	struct client *client = server_client(test);
	struct device *device;

	keep_the_driver(test);
	bring_up(test, client);
	device = server_device(test, TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	enable(test, client);
	msleep(100);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");
	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
}

/* As hv_vmbus leaves a channel that the host did not offer again. */
static void device_is_missing_after_a_resume(struct kunit *test)
{
	struct client *client = server_client(test);
	struct device *device;

	keep_the_driver(test);
	bring_up(test, client);
	device = server_device(test, TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	server_device_set_missing(device, true);
	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN " PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_DEVICE_REMOVED);
	server_device_set_missing(device, false);
	bring_up(test, client);
}

static void close_that_the_host_may_not_know(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	log_record(test);
	bus->close_err = -ENOMEM;
	VmbChannelDisable(client->ch);
	is_logged(test, "the host may not know of the close: error -12");
	heard(test, client, UP_DOWN);
	bus->close_err = 0;
	bring_up(test, client);
}

/* The last call of VmbChannelPause() and VmbChannelStart() decides, at once. */
static void start_and_pause_at_once(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	unsigned int i, paused = 0;

	bring_up(test, client);
	for (i = 0; i < 300; i++) {
		struct job *start = job_start(test, do_start, client->ch);
		struct job *pause = job_start(test, do_pause, client->ch);

		job_join(test, start);
		job_join(test, pause);
		paused += client->ch->paused;
		KUNIT_ASSERT_EQ(test, client->ch->state,
				client->ch->paused ? KMCL_PAUSED : KMCL_ACTIVE);
	}
	KUNIT_EXPECT_GT(test, paused, 0);
}

/* Opening that fails */

static void fail_to_open(struct client *client)
{
	client->opened = STATUS_ACCESS_DENIED;
}

static void leave_a_gpadl(struct client *client)
{
	void *va = vmalloc(PAGE_SIZE);
	u32 handle;

	/* The GPADL holds the page. */
	client->seen = VmbChannelCreateGpadlFromBuffer(client->ch, 0, va,
						       PAGE_SIZE, &handle);
	vfree(va);
	fail_to_open(client);
}

static void opened_fails(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->opened = STATUS_ACCESS_DENIED;
	enable(test, client);
	heard(test, client, "Opened PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_ACCESS_DENIED);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);

	client->opened = STATUS_SUCCESS;
	bring_up(test, client);
	heard(test, client, UP);
}

/* A status that no errno stands for */
static void opened_fails_with_a_status_of_its_own(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->opened = STATUS_REVISION_MISMATCH;
	enable(test, client);
	heard(test, client, "Opened PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_REVISION_MISMATCH);
}

static void opened_fails_with_the_server(struct kunit *test)
{
	struct client *client = server_client(test);

	client->opened = STATUS_ACCESS_DENIED;
	enable(test, client);
	heard(test, client, "Opened PnpFailure");
	becomes(test, client->ch, KMCL_DISABLED);
	client->opened = STATUS_SUCCESS;
	bring_up(test, client);
}

static void opened_fails_and_leaves_a_gpadl(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "Opened";
	client->hook = leave_a_gpadl;
	enable(test, client);
	heard(test, client, "Opened PnpFailure");
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
}

static void open_refused(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->open_err = -ENOMEM;
	enable(test, client);
	heard(test, client, "PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_INSUFFICIENT_RESOURCES);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 0);

	bus->open_err = 0;
	bring_up(test, client);
	heard(test, client, UP);
}

static int no_memory_to_listen(struct kmcl_channel *ch)
{
	return -ENOMEM;
}

static int no_bus_to_listen_to(struct kmcl_channel *ch)
{
	return -ENODEV;
}

static void enable_fails(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	int (*listen)(struct kmcl_channel *ch) = bus->ops.listen;

	bus->ops.listen = no_memory_to_listen;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(client->ch),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	bus->ops.listen = no_bus_to_listen_to;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(client->ch),
			STATUS_DEVICE_NOT_CONNECTED);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_FALSE(test, fake_bus_attach(client->ch, bus,
						 &some_guid));
	bus->ops.listen = listen;
	bring_up(test, client);
	heard(test, client, UP);
}

/* When Disable has returned, the client may be freed: no callback may follow. */
static void disable_waits_for_pnp_failure(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable;

	client->opened = STATUS_ACCESS_DENIED;
	client->at = "PnpFailure";
	client->hook = wait_to_leave;
	enable(test, client);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	disable = job_start(test, do_disable, client->ch);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	complete(&client->leave);
	job_join(test, disable);
	heard(test, client, "Opened PnpFailure");
}

/* Rescinds */

static void rescind_while_active(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	fake_bus_rescind(bus);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);

	bus->is_rescinded = false;
	bring_up(test, client);
	heard(test, client, UP);
}

static void rescind_twice(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	fake_bus_rescind(bus);
	fake_bus_rescind(bus);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void rescind_in_opened(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *rescind;

	client->at = "Opened";
	client->hook = wait_to_leave;
	enable(test, client);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	rescind = job_start(test, do_rescind, bus);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->lost));
	complete(&client->leave);
	job_join(test, rescind);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "Opened Closed");
}

static void rescind_in_post_started(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "PostStarted";
	client->hook = ask_the_host;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	fake_bus_rescind(bus);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

static void disable_in_post_started(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "PostStarted";
	client->hook = ask_the_host;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	heard(test, client, UP_DOWN);
}

static void rescind_during_disable(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable;

	bring_up(test, client);
	bus->withhold = true;
	disable = job_start(test, do_disable, client->ch);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	fake_bus_rescind(bus);
	job_join(test, disable);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void rescind_before_open_completes(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->withhold = true;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	fake_bus_rescind(bus);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, "PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_DEVICE_REMOVED);
}

static void disable_before_open_completes(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable;

	client->at = "Opened";
	client->hook = send_something;
	bus->withhold = true;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	disable = job_start(test, do_disable, client->ch);
	EXPECT_EVENTUALLY(test, !READ_ONCE(client->ch->wanted));
	fake_bus_let_complete(bus);
	job_join(test, disable);
	heard(test, client, "Opened Closed");
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_INVALID_DEVICE_STATE);
}

static void rescinds_race_with_disable(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable;
	unsigned int i;

	for (i = 1; i <= 50; i++) {
		bring_up(test, client);
		disable = job_start(test, do_disable, client->ch);
		usleep_range(10 * i, 10 * i + 10);
		fake_bus_rescind(bus);
		job_join(test, disable);
		heard(test, client, UP_DOWN);
		KUNIT_ASSERT_EQ(test, atomic_read(&bus->closes), i);
		bus->is_rescinded = false;
	}
}

/* The same race while the channel opens: any callback may be the last. */
static void rescinds_race_with_enable(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	unsigned int i;

	for (i = 1; i <= 50; i++) {
		enable(test, client);
		usleep_range(20 * i, 20 * i + 20);
		fake_bus_rescind(bus);
		becomes(test, client->ch, KMCL_DISABLED);
		KUNIT_ASSERT_EQ(test, !!strstr(client->log, "Opened"),
				!!strstr(client->log, "Closed"));
		KUNIT_ASSERT_EQ(test, client->offences, 0);
		client->log[0] = '\0';
		bus->is_rescinded = false;
	}
}

/* The server rescinds, opens and closes */

struct waiting_call {
	struct server srv;
	NTSTATUS status;
};

static void do_waiting_call(void *arg)
{
	struct testdev_request req = { .op = TESTDEV_DELAY, .length = 60000 };
	struct waiting_call *call = arg;
	struct testdev_response rsp;

	call->status = server_call(&call->srv, &req, NULL, &rsp, NULL, 0);
}

static void server_rescinds_and_offers_again(struct kunit *test)
{
	struct client *client = server_client(test);
	struct waiting_call call = { .srv.ch = client->ch };
	struct job *job;

	bring_up(test, client);
	job = job_start(test, do_waiting_call, &call);
	ASSERT_EVENTUALLY(test, READ_ONCE(client->ch->tx.sent));
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_REOFFER,
					  500), TESTDEV_OK);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_RESCIND,
					  100), TESTDEV_OK);
	becomes(test, client->ch, KMCL_DISABLED);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, call.status, STATUS_DEVICE_REMOVED);
	heard(test, client, UP_DOWN);

	/* The channel listens, and the host offers the device again. */
	bring_up(test, client);
	heard(test, client, UP);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static unsigned long free_pages_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

/* The rings are half a megabyte: a leak of them exceeds the noise. */
static void opened_twenty_times(struct kunit *test)
{
	struct client *client = server_client(test);
	unsigned long pages = 0;
	struct testdev_report first, last;
	unsigned int i;

	keep_the_driver(test);
	VmbClientChannelInitSetRingBufferPageCount(client->ch, 64, 64);
	for (i = 0; i <= 20; i++) {
		bring_up(test, client);
		last = server_report(test, client->ch);
		VmbChannelDisable(client->ch);
		heard(test, client, UP_DOWN);
		if (!i) {
			first = last;
			pages = free_pages_now();
		}
	}
	KUNIT_EXPECT_EQ(test, last.opens, first.opens + 20);
	KUNIT_EXPECT_EQ(test, last.closes, first.closes + 20);
	KUNIT_EXPECT_GT(test, free_pages_now() + 10 * 128, pages);
}

/* A packet in the queue whose done() takes its time */
struct slow_packet {
	struct kmcl_tx_entry entry;
	struct completion entered;
	bool returned;
};

static void slow_done(struct kmcl_tx_entry *entry, int err, const void *data,
		      u32 len)
{
	struct slow_packet *slow = container_of(entry, struct slow_packet,
						entry);

	complete(&slow->entered);
	mdelay(200);
	WRITE_ONCE(slow->returned, true);
}

static void slow_packet_queue(struct kmcl_tx *tx, struct slow_packet *slow)
{
	init_completion(&slow->entered);
	slow->entry.done = slow_done;
	spin_lock_bh(&tx->lock);
	list_add_tail(&slow->entry.link, &tx->queue);
	WRITE_ONCE(tx->nr_queued, tx->nr_queued + 1);
	spin_unlock_bh(&tx->lock);
}

static void do_lose(void *data)
{
	struct fake_bus *bus = data;

	kmcl_channel_lose(bus->ch, bus);
}

/* The owner of a packet may free it, and the channel, once the channel is disabled. */
static void disable_waits_for_the_queue_of_a_lost_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct slow_packet slow = {};
	struct job *lose;

	if (num_online_cpus() < 2)
		kunit_skip(test, "one CPU");
	/* The work item is busy, so it does not take the packet. */
	bus->withhold = true;
	bus->open_err = -EIO;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	KUNIT_EXPECT_EQ(test, bus->ch->state, KMCL_ENABLED);
	slow_packet_queue(&bus->ch->tx, &slow);
	lose = job_start(test, do_lose, bus);
	wait_for_completion(&slow.entered);
	fake_bus_let_complete(bus);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_TRUE(test, READ_ONCE(slow.returned));
	job_join(test, lose);
}

static struct kunit_case channel_state_cases[] = {
	KUNIT_CASE(pause_and_start),
	KUNIT_CASE(pause_while_disabled),
	KUNIT_CASE(pause_and_start_while_disabled),
	KUNIT_CASE(pause_before_the_device_comes),
	KUNIT_CASE(pause_twice_start_twice),
	KUNIT_CASE(disable_while_paused),
	KUNIT_CASE(pause_during_post_started),
	KUNIT_CASE(start_overrules_pause),
	KUNIT_CASE(disable_ends_a_start),
	KUNIT_CASE_PARAM(pause_in_a_callback, callback_gen_params),
	KUNIT_CASE_PARAM(start_in_a_callback, callback_gen_params),
	KUNIT_CASE(wait_in_opened),
	KUNIT_CASE(wait_for_room_in_opened),
	KUNIT_CASE(no_channel_to_pause),
	KUNIT_CASE(packets_come_in_order),
	KUNIT_CASE(no_packet_before_started),
	KUNIT_CASE(no_packet_while_paused),
	KUNIT_CASE(flood_while_paused),
	KUNIT_CASE(pause_waits_for_packets),
	KUNIT_CASE(disable_waits_for_packets),
	KUNIT_CASE(disable_ends_a_pause),
	KUNIT_CASE(packets_completed_in_suspend),
	KUNIT_CASE(queued_completions_are_sent_in_time),
	KUNIT_CASE(packet_completed_twice),
	KUNIT_CASE(rescind_does_not_wait_for_ever),
	KUNIT_CASE(packet_completed_after_cleanup),
	KUNIT_CASE(rescind_ends_a_disable),
	KUNIT_CASE(rescind_ends_a_pause),
	KUNIT_CASE(rescind_while_paused),
	KUNIT_CASE(pause_ends_with_a_disable),
	KUNIT_CASE(pause_of_a_disabled_channel),
	KUNIT_CASE_PARAM(rescind_during_a_callback, rescind_gen_params),
	KUNIT_CASE(rescind_during_pnp_failure),
	KUNIT_CASE(rescind_during_a_gpadl_create),
	KUNIT_CASE(rescind_during_a_request),
	KUNIT_CASE(offered_again),
	KUNIT_CASE(sleep_and_wake),
	KUNIT_CASE(sleep_while_paused),
	KUNIT_CASE(sleep_with_everything_outstanding),
	KUNIT_CASE(disable_while_asleep),
	KUNIT_CASE(lost_while_asleep),
	KUNIT_CASE(open_fails_after_waking),
	KUNIT_CASE(sleep_before_open_completes),
	KUNIT_CASE(close_that_the_host_may_not_know),
	KUNIT_CASE_SLOW(start_and_pause_at_once),
	KUNIT_CASE(opened_fails),
	KUNIT_CASE(opened_fails_with_a_status_of_its_own),
	KUNIT_CASE(opened_fails_and_leaves_a_gpadl),
	KUNIT_CASE(open_refused),
	KUNIT_CASE(enable_fails),
	KUNIT_CASE(disable_waits_for_pnp_failure),
	KUNIT_CASE(rescind_while_active),
	KUNIT_CASE(rescind_twice),
	KUNIT_CASE(rescind_in_opened),
	KUNIT_CASE(rescind_in_post_started),
	KUNIT_CASE(disable_in_post_started),
	KUNIT_CASE(rescind_during_disable),
	KUNIT_CASE(rescind_before_open_completes),
	KUNIT_CASE(disable_before_open_completes),
	KUNIT_CASE(disable_waits_for_the_queue_of_a_lost_channel),
	KUNIT_CASE_SLOW(rescinds_race_with_disable),
	KUNIT_CASE(rescinds_race_with_enable),
	{}
};

struct kunit_suite vmbkmcl_channel_state_suite = {
	.name = "vmbkmcl_channel_state",
	.test_cases = channel_state_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case channel_state_server_cases[] = {
	KUNIT_CASE(pause_and_start_with_the_server),
	KUNIT_CASE(send_while_paused),
	KUNIT_CASE(suspend_and_resume_with_the_server),
	KUNIT_CASE(suspend_with_packets_of_the_server),
	KUNIT_CASE(enable_while_the_device_sleeps),
	KUNIT_CASE(device_is_missing_after_a_resume),
	KUNIT_CASE(opened_fails_with_the_server),
	KUNIT_CASE_SLOW(server_rescinds_and_offers_again),
	KUNIT_CASE_SLOW(opened_twenty_times),
	{}
};

struct kunit_suite vmbkmcl_channel_state_server_suite = {
	.name = "vmbkmcl_channel_state_server",
	.test_cases = channel_state_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_state_server_suite);
