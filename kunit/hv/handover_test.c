// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device changes drivers: a plain driver, which relies on the defaults of hv_vmbus,
 * and a KMCL channel have it in turn. Neither may find what the other left.
 */

#include <linux/hyperv.h>
#include <linux/interrupt.h>

#include "../../vmbkmcl/compat.h"
#include "../lib/client.h"
#include "../lib/files.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define ECHO_BYTES	64
#define RING_BYTES	(16 * PAGE_SIZE)

/**
 * struct plain - a driver that opens the device and sends one request
 * @leaves: leave a rescind callback behind, as uio_hv_generic does
 * @stays_open: leave the channel open, as uio_hv_generic does if its file is open
 * @chan: the device's channel
 * @err: result of vmbus_open()
 * @hardirq: the callback ran in a hard interrupt
 * @bytes: length of the packet that came, with its descriptor
 * @came: it came
 * @called: calls of the callback that was left behind
 */
static struct plain {
	bool leaves;
	bool stays_open;
	struct vmbus_channel *chan;
	int err;
	bool hardirq;
	u32 bytes;
	struct completion came;
	atomic_t called;
} plain;

static void plain_event(void *context)
{
	struct vmpacket_descriptor *desc = hv_pkt_iter_first(plain.chan);

	if (!desc)
		return;
	plain.hardirq = in_hardirq();
	plain.bytes = desc->len8 << 3;
	hv_pkt_iter_next(plain.chan, desc);
	complete(&plain.came);
}

static void plain_rescinded(struct vmbus_channel *chan)
{
	atomic_inc(&plain.called);
}

static int plain_probe(struct hv_device *hdev,
		       const struct hv_vmbus_device_id *id)
{
	guid_t wanted;

	if (guid_parse(TESTDEV_INSTANCE_GUID, &wanted) ||
	    !guid_equal(&hdev->dev_instance, &wanted))
		return 0;
	plain.chan = hdev->channel;
	if (plain.leaves)
		vmbus_set_chn_rescind_callback(hdev->channel, plain_rescinded);
	plain.err = vmbus_open(hdev->channel, RING_BYTES, RING_BYTES, NULL, 0,
			       plain_event, NULL);
	return 0;
}

static void plain_remove_device(struct hv_device *hdev)
{
	if (hdev->channel == plain.chan && !plain.err && !plain.stays_open)
		vmbus_close(hdev->channel);
}
KMCL_HV_REMOVE(plain_remove)

static struct hv_vmbus_device_id plain_ids[2];

static struct hv_driver plain_driver = {
	.name = "vmbkmcl-kunit-plain",
	.id_table = plain_ids,
	.probe = plain_probe,
	.remove = plain_remove,
};

static void plain_end(void *unused)
{
	vmbus_driver_unregister(&plain_driver);
}

static void plain_start(struct kunit *test, bool leaves)
{
	guid_t instance;

	server_guids(&plain_ids[0].guid, &instance);
	plain = (struct plain) { .leaves = leaves, .err = -ENODEV };
	init_completion(&plain.came);
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&plain_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, plain_end, NULL),
			0);
	KUNIT_ASSERT_EQ(test, plain.err, 0);
}

static void plain_stop(struct kunit *test)
{
	kunit_release_action(test, plain_end, NULL);
}

/* The server's response is whole, and comes where it does by default. */
static void plain_driver_works(struct kunit *test)
{
	struct {
		struct testdev_request req;
		u8 payload[ECHO_BYTES];
	} __packed echo = {
		.req = { .magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
			 .payload_len = ECHO_BYTES },
	};

	plain_start(test, false);
	KUNIT_ASSERT_EQ(test,
			vmbus_sendpacket(plain.chan, &echo, sizeof(echo), 1,
					 VM_PKT_DATA_INBAND,
					 VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED),
			0);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&plain.came, 10 * HZ),
			0);
	KUNIT_EXPECT_FALSE(test, plain.hardirq);
	KUNIT_EXPECT_EQ(test, plain.bytes,
			sizeof(struct vmpacket_descriptor) +
			sizeof(struct testdev_response) + ECHO_BYTES);
	plain_stop(test);
}

static void a_plain_driver_before_and_after(struct kunit *test)
{
	struct client *client = server_client(test);

	plain_driver_works(test);
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	plain_driver_works(test);
}

/* What another driver may have set, while the device has no driver. */
static void spoil(struct vmbus_channel *chan)
{
	vmbus_set_chn_rescind_callback(chan, plain_rescinded);
	vmbus_set_sc_create_callback(chan, plain_rescinded);
	set_channel_read_mode(chan, HV_CALL_DIRECT);
	chan->max_pkt_size = 16;
	chan->rqstor_size = 16;
	chan->low_latency = true;
	set_per_channel_state(chan, chan);
}

static void is_as_new(struct kunit *test, struct vmbus_channel *chan)
{
	KUNIT_EXPECT_TRUE(test, !chan->chn_rescind_callback);
	KUNIT_EXPECT_TRUE(test, !chan->sc_creation_callback);
	KUNIT_EXPECT_TRUE(test, !chan->change_target_cpu_callback);
	KUNIT_EXPECT_TRUE(test, !chan->next_request_id_callback);
	KUNIT_EXPECT_TRUE(test, !chan->request_addr_callback);
	KUNIT_EXPECT_EQ(test, chan->callback_mode, HV_CALL_BATCHED);
	KUNIT_EXPECT_EQ(test, chan->max_pkt_size, 0);
	KUNIT_EXPECT_EQ(test, chan->rqstor_size, 0);
	KUNIT_EXPECT_FALSE(test, chan->low_latency);
	KUNIT_EXPECT_NULL(test, get_per_channel_state(chan));
}

static void fields_are_reset(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *client = server_client(test);

	spoil(hdev->channel);
	bring_up(test, client);
	KUNIT_EXPECT_TRUE(test, !hdev->channel->chn_rescind_callback);
	KUNIT_EXPECT_EQ(test, hdev->channel->rqstor_size, 0);
	KUNIT_EXPECT_FALSE(test, hdev->channel->low_latency);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
	VmbChannelDisable(client->ch);
	is_as_new(test, hdev->channel);
}

/* hv_vmbus would call it at the rescind, and leave the channel as it is. */
static void rescind_callback_of_the_driver_before(struct kunit *test)
{
	struct client *client = server_client(test);

	plain_start(test, true);
	plain_stop(test);
	bring_up(test, client);
	server_does(test, client->ch, .op = TESTDEV_REOFFER, .length = 500);
	server_does(test, client->ch, .op = TESTDEV_RESCIND, .length = 10);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, atomic_read(&plain.called), 0);
	heard(test, client, UP_DOWN);
	/* The host offers the device again, for the cases after this one. */
	bring_up(test, client);
}

/* hv_vmbus opens no channel that is open, so the client would not get the device. */
static void channel_that_the_driver_before_left_open(struct kunit *test)
{
	struct client *client = server_client(test);

	plain_start(test, true);
	plain.stays_open = true;
	plain_stop(test);
	bring_up(test, client);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
	VmbChannelDisable(client->ch);
	plain_driver_works(test);
}

static void cpu_goes_off_and_on(struct kunit *test)
{
	run_shell(test, "cd /sys/devices/system/cpu/cpu1; echo 0 >online && echo 1 >online");
}

/* The CPU that a client asked for is nobody's when the client is gone. */
static void cpu_is_given_back(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *client = server_client(test);
	struct client *other = server_client(test);
	u32 home = hdev->channel->target_cpu;

	if (!cpu_online(1) || home == 1)
		kunit_skip(test, "no second CPU");
	keep_the_driver(test);
	cpu_goes_off_and_on(test);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(client->ch,
								    1),
			STATUS_SUCCESS);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, hdev->channel->target_cpu, 1);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, hdev->channel->target_cpu, home);
	cpu_goes_off_and_on(test);
	/* A channel that asks for no CPU does not get that of the one before. */
	bring_up(test, other);
	KUNIT_EXPECT_EQ(test, hdev->channel->target_cpu, home);
}

static struct kunit_case handover_cases[] = {
	KUNIT_CASE(a_plain_driver_before_and_after),
	KUNIT_CASE(fields_are_reset),
	KUNIT_CASE(rescind_callback_of_the_driver_before),
	KUNIT_CASE(channel_that_the_driver_before_left_open),
	KUNIT_CASE(cpu_is_given_back),
	{}
};

struct kunit_suite vmbkmcl_handover_suite = {
	.name = "vmbkmcl_handover",
	.test_cases = handover_cases,
};
