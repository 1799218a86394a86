// SPDX-License-Identifier: GPL-2.0-only
/*
 * A rescind while something else runs: a callback for packets, in a context where
 * it may sleep or not; a send that writes to the ring, or calls its completion
 * routine; and a pause. The client's log shows the order.
 */

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/sched.h>

#include <vmbkmcl/linux.h>

#include "lib/client.h"
#include "lib/mdls.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
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

/*
 * hv_vmbus is not kept waiting: whatever the client does, a rescind returns within
 * MOMENT_MS, and the bus may lose the device then. It takes 100 ms at most, and longer only
 * where KASAN checks each access.
 */

#define MOMENT_MS	(IS_ENABLED(CONFIG_KASAN) ? 300 : 100)

static s64 ms_of(void (*rescind)(void *bus), void *bus)
{
	ktime_t start = ktime_get();

	rescind(bus);
	return ktime_ms_delta(ktime_get(), start);
}

static void do_rescind_at_once(void *bus)
{
	fake_bus_rescind_at_once(bus);
}

static void rescind_takes_a_moment(struct kunit *test, struct fake_bus *bus)
{
	s64 ms = ms_of(do_rescind_at_once, bus);

	KUNIT_EXPECT_LT(test, ms, MOMENT_MS);
	KUNIT_EXPECT_TRUE(test, bus->is_forgotten);
	KUNIT_EXPECT_FALSE(test, bus->is_open);
	/* The client has not been told yet. */
	KUNIT_EXPECT_PTR_EQ(test, bus->ch->endpoint, bus);
	KUNIT_EXPECT_NE(test, bus->ch->state, KMCL_DISABLED);
}

/* Bring the channel to where the client is in its callback, and stays there. */
static struct job *enter_callback(struct kunit *test, struct client *client,
				  const char *at)
{
	bool going = !strcmp(at, "Suspend") || !strcmp(at, "Closed");
	struct job *disable = NULL;

	client->at = at;
	client->hook = wait_to_leave;
	enable(test, client);
	if (going) {
		becomes(test, client->ch, KMCL_ACTIVE);
		disable = job_start(test, do_disable, client->ch);
	}
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	return disable;
}

KUNIT_ARRAY_PARAM(callback, client_callbacks, client_callback_name);

static void at_once_in_a_callback(struct kunit *test)
{
	const char * const *at = test->param_value;
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable = enter_callback(test, client, *at);
	UINT16 was;

	rescind_takes_a_moment(test, bus);
	/* What a client may call there fails, or does nothing. */
	send_word(client->ch, 0, 0);
	VmbChannelSetInterruptLatency(client->ch, 0, &was);
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	if (disable)
		job_join(test, disable);
	KUNIT_EXPECT_EQ(test, client->offences, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);

	/* The host offers the device again. */
	bus->is_rescinded = false;
	bus->is_forgotten = false;
	client->hook = NULL;
	bring_up(test, client);
}

static void at_once_with_a_packet_held(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	u64 word = 0;

	client->hold = true;
	bring_up(test, client);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	ASSERT_EVENTUALLY(test, READ_ONCE(client->held_count) == 1);
	rescind_takes_a_moment(test, bus);
	client_completes_all(client);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);
}

/* The GPADL is the client's until EvtChannelClosed, though the device is gone. */
static void at_once_with_a_gpadl(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *disable;
	UINT32 handle, second;
	void *buffer = (void *)__get_free_page(GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buffer);
	client->at = "Suspend";
	client->hook = wait_to_leave;
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(client->ch, 0,
							      buffer, PAGE_SIZE,
							      &handle),
			STATUS_SUCCESS);
	disable = job_start(test, do_disable, client->ch);
	wait_for_completion_timeout(&client->entered, 10 * HZ);
	rescind_takes_a_moment(test, bus);
	KUNIT_EXPECT_EQ(test, VmbChannelCreateGpadlFromBuffer(client->ch, 0,
							      buffer, PAGE_SIZE,
							      &second),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(client->ch, handle),
			STATUS_SUCCESS);
	complete(&client->leave);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, client->ch->gpadl_stats.leftovers, 0);
	KUNIT_EXPECT_EQ(test, client->ch->gpadl_stats.quarantined, 0);
	free_page((unsigned long)buffer);
}

static VOID sleep_in_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			    PVOID buffer, UINT32 length, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(ch);

	wait_to_leave(client);
	VmbChannelPacketComplete(packet, NULL, 0);
}

static void at_once_in_a_passive_packet(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	u64 word = 0;

	VmbChannelInitSetProcessPacketCallbacks(client->ch, sleep_in_packet,
						NULL);
	VmbChannelSetIncomingProcessingAtPassive(client->ch, TRUE);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	rescind_takes_a_moment(test, bus);
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

/* The client of a sub-channel does not keep the rescind of the device waiting. */
static void at_once_in_a_callback_of_a_sub(struct kunit *test)
{
	const char * const *at = test->param_value;
	struct fake_bus *bus, *sub_bus;
	struct client *client = fake_client(test, &bus);
	struct client *sub = client_alloc(test);
	struct job *disable = NULL;

	sub_bus = fake_bus_create_sub(test, bus);
	client_set_up(test, sub, sub_bus->ch, &some_guid, NULL);
	bring_up(test, client);
	sub->at = *at;
	sub->hook = wait_to_leave;
	enable(test, sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(sub_bus));
	if (!strcmp(*at, "Suspend") || !strcmp(*at, "Closed")) {
		becomes(test, sub->ch, KMCL_ACTIVE);
		disable = job_start(test, do_disable, client->ch);
	}
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&sub->entered,
							  10 * HZ), 0);
	KUNIT_EXPECT_LT(test, ms_of(do_rescind_at_once, bus), MOMENT_MS);
	KUNIT_EXPECT_FALSE(test, bus->is_open);
	KUNIT_EXPECT_FALSE(test, sub_bus->is_open);
	KUNIT_EXPECT_TRUE(test, sub_bus->is_forgotten);
	complete(&sub->leave);
	becomes(test, sub->ch, KMCL_DISABLED);
	becomes(test, client->ch, KMCL_DISABLED);
	if (disable)
		job_join(test, disable);
	KUNIT_EXPECT_EQ(test, client->offences, 0);
	KUNIT_EXPECT_EQ(test, sub->offences, 0);
	heard(test, client, UP_DOWN);
}

#define OWNED_ORDER	6		/* too much for one message */

/* Memory that has no reference to take. The host may get a part of the GPADL. */
static void create_half_sent(struct client *client)
{
	unsigned long va = __get_free_pages(GFP_KERNEL, OWNED_ORDER);
	UINT32 handle;

	client->seen = VmbChannelCreateGpadlFromBuffer(client->ch, 0, (void *)va,
						       PAGE_SIZE << OWNED_ORDER,
						       &handle);
	free_pages(va, OWNED_ORDER);
}

/* The create ends with the rescind, and the channel releases its device after that. */
static void at_once_in_a_half_sent_create_of_a_sub(struct kunit *test)
{
	struct fake_bus *bus, *sub_bus;
	struct client *client = fake_client(test, &bus);
	struct client *sub = client_alloc(test);

	sub_bus = fake_bus_create_sub(test, bus);
	client_set_up(test, sub, sub_bus->ch, &some_guid, NULL);
	bring_up(test, client);
	sub_bus->establish_err = -EINVAL;
	sub->at = "PostStarted";
	sub->hook = create_half_sent;
	enable(test, sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(sub_bus));
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(sub->ch->gpadl_stats.quarantined) == 1);
	KUNIT_EXPECT_LT(test, ms_of(do_rescind_at_once, bus), MOMENT_MS);
	if (!eventually(READ_ONCE(sub->ch->state) == KMCL_DISABLED)) {
		KUNIT_FAIL(test, "the create waits though the host is gone");
		kmcl_gpadl_device_gone(sub_bus);
	}
	becomes(test, sub->ch, KMCL_DISABLED);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, sub->seen, STATUS_DEVICE_REMOVED);
	heard(test, sub, UP_DOWN);
}

static void do_unbind(void *data)
{
	struct fake_bus *bus = data;

	kmcl_channel_detach(bus->ch, bus);
}

/* The rescind waits for an unbind that is under way, so that must end, too. */
static void at_once_during_an_unbind(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct job *unbind;

	client->at = "Suspend";
	client->hook = wait_to_leave;
	bring_up(test, client);
	unbind = job_start(test, do_unbind, bus);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	msleep(2 * MOMENT_MS);
	KUNIT_EXPECT_FALSE(test, job_done(unbind));
	WRITE_ONCE(bus->is_rescinded, true);
	msleep(MOMENT_MS);
	KUNIT_EXPECT_TRUE(test, job_done(unbind));
	KUNIT_EXPECT_TRUE(test, bus->is_forgotten);
	complete(&client->leave);
	job_join(test, unbind);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
}

/*
 * A callback waits for a packet with external data, which the host may access until it
 * rescinds the device.
 */
static void during_an_unbind_that_waits_for_external_data(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	PMDL mdl = kernel_mdl(test, get_vmalloc(test, PAGE_SIZE), PAGE_SIZE);
	struct job *unbind;

	client->at = "PostStarted";
	client->hook = wait_to_leave;
	enable(test, client);
	wait_for_external_data(test, client, mdl);
	unbind = job_start(test, do_unbind, bus);
	msleep(MOMENT_MS);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_PENDING);
	KUNIT_EXPECT_FALSE(test, job_done(unbind));
	WRITE_ONCE(bus->is_rescinded, true);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	job_join(test, unbind);
	heard(test, client, UP_DOWN);
}

/* What the client was told of the device stays valid until EvtChannelClosed returned. */
static void device_that_the_client_asked_for(struct kunit *test)
{
	struct device *device = root_device_register("vmbkmcl-kunit");
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	unsigned int refs;

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	bus->device = device;
	refs = kref_read(&device->kobj.kref);
	client->at = "Closed";
	client->hook = wait_to_leave;
	bring_up(test, client);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetTargetDeviceObject(client->ch),
			    device);
	VmbChannelGetTargetDeviceObject(client->ch);
	KUNIT_EXPECT_EQ(test, kref_read(&device->kobj.kref), refs + 1);
	rescind_takes_a_moment(test, bus);
	KUNIT_EXPECT_EQ(test, kref_read(&device->kobj.kref), refs + 1);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetTargetDeviceObject(client->ch),
			    device);
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, kref_read(&device->kobj.kref), refs);
	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(client->ch));
	bus->device = NULL;
	root_device_unregister(device);
}

/* After the rescind there is no device to ask for, as it is freed. */
static void device_that_the_client_asks_for_too_late(struct kunit *test)
{
	struct device *device = root_device_register("vmbkmcl-kunit");
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	bus->device = device;
	client->at = "Closed";
	client->hook = wait_to_leave;
	bring_up(test, client);
	rescind_takes_a_moment(test, bus);
	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(client->ch));
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	bus->device = NULL;
	root_device_unregister(device);
}

static struct client *released_by;

/* The bus may free the endpoint now, so nobody can find it in the channel. */
static void release_freed(struct kmcl_channel *ch, void *endpoint)
{
	struct fake_bus *bus = endpoint;

	KUNIT_EXPECT_NULL(bus->test, READ_ONCE(ch->endpoint));
	KUNIT_EXPECT_NULL(bus->test, VmbChannelGetTargetDeviceObject(ch));
	released_by = VmbChannelGetPointer(ch);
}

static void endpoint_is_forgotten_before_its_release(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	released_by = NULL;
	bus->ops.release = release_freed;
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_PTR_EQ(test, released_by, client);
}

static struct kunit_case rescind_cases[] = {
	KUNIT_CASE_PARAM(during_a_packet_callback, packet_gen_params),
	KUNIT_CASE(during_the_signal_of_a_send),
	KUNIT_CASE(during_the_routine_of_a_send),
	KUNIT_CASE(during_the_suspend_of_a_pause),
	KUNIT_CASE_PARAM(at_once_in_a_callback, callback_gen_params),
	KUNIT_CASE(at_once_with_a_packet_held),
	KUNIT_CASE(at_once_with_a_gpadl),
	KUNIT_CASE(at_once_in_a_passive_packet),
	KUNIT_CASE_PARAM(at_once_in_a_callback_of_a_sub, callback_gen_params),
	KUNIT_CASE(at_once_in_a_half_sent_create_of_a_sub),
	KUNIT_CASE(at_once_during_an_unbind),
	KUNIT_CASE(during_an_unbind_that_waits_for_external_data),
	KUNIT_CASE(device_that_the_client_asked_for),
	KUNIT_CASE(device_that_the_client_asks_for_too_late),
	KUNIT_CASE(endpoint_is_forgotten_before_its_release),
	{}
};

struct kunit_suite vmbkmcl_rescind_suite = {
	.name = "vmbkmcl_rescind",
	.test_cases = rescind_cases,
};
