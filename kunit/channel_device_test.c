// SPDX-License-Identifier: GPL-2.0-only
/* Which device a channel gets, and when. */

#include "lib/client.h"
#include "lib/device.h"
#include "lib/files.h"
#include "lib/server.h"
#include "suites.h"

#define DRIVER		"/sys/bus/vmbus/drivers/vmbkmcl-" TESTDEV_TYPE_GUID

/* Devices */

static void device_comes_later(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	guid_t bound;

	bus->present = false;
	enable(test, client);
	msleep(50);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");
	KUNIT_EXPECT_TRUE(test, fake_bus_attach(client->ch, bus,
						&some_guid));
	becomes(test, client->ch, KMCL_ACTIVE);
	VmbChannelGetInterfaceInstance(client->ch, &bound);
	KUNIT_EXPECT_TRUE(test, guid_equal(&bound, &some_guid));
}

static void second_device_not_accepted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_FALSE(test, kmcl_channel_accepts(bus->ch, &some_guid));
	KUNIT_EXPECT_FALSE(test, fake_bus_attach(bus->ch, test,
						 &some_guid));
	KUNIT_EXPECT_PTR_EQ(test, bus->ch->endpoint, (void *)bus);
}

static void offer_and_unlisten(struct kmcl_channel *ch)
{
	struct client *client = VmbChannelGetPointer(ch);

	client->seen = fake_bus_attach(ch, container_of(ch->pinned,
							struct fake_bus, ops),
				       &some_guid);
}

/*
 * VmbChannelEnable() first stops listening, if the channel still listened when it
 * was rescinded. A device that is offered at that moment must not be accepted:
 * the channel would lose it at once.
 */
static void device_comes_while_enable_listens_anew(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->ops.unlisten = offer_and_unlisten;
	bring_up(test, client);
	fake_bus_rescind(bus);
	bus->is_rescinded = false;
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, client->seen, false);
}

static void device_of_another_instance(struct kunit *test)
{
	struct client *client = keep_the_driver(test);

	/* The type's driver has the device, and gives it to the other channel. */
	server_open(test);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");
}

static void any_device_of_the_type(struct kunit *test)
{
	struct client *client = client_alloc(test);
	guid_t type, unused;

	server_guids(&type, &unused);
	client_set_up(test, client, get_channel(test), &type, NULL);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static void device_goes_to_the_next_channel(struct kunit *test)
{
	struct client *first = server_client(test);
	struct client *second = server_client(test);

	bring_up(test, first);
	enable(test, second);
	KUNIT_EXPECT_EQ(test, second->ch->state, KMCL_ENABLED);
	VmbChannelDisable(first->ch);
	becomes(test, second->ch, KMCL_ACTIVE);
}

static struct device *seen_device;

static void see_the_device(struct client *client)
{
	seen_device = VmbChannelGetTargetDeviceObject(client->ch);
}

static void target_device(struct kunit *test)
{
	struct client *client = server_client(test);
	struct device *device = server_device(test, TESTDEV_INSTANCE_GUID);

	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(client->ch));
	client->at = "Opened";
	client->hook = see_the_device;
	bring_up(test, client);
	KUNIT_EXPECT_PTR_EQ(test, seen_device, device);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetTargetDeviceObject(client->ch),
			    device);
	client->at = "Closed";
	seen_device = NULL;
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_PTR_EQ(test, seen_device, device);
	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(client->ch));
	KUNIT_EXPECT_NULL(test, VmbChannelGetTargetDeviceObject(NULL));
}

/* Bind and unbind by hand */

static void unbound(struct kunit *test)
{
	struct client *client = server_client(test);

	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

/* A channel that is enabled after the device was unbound takes the device itself. */
static void taken_after_unbind(struct kunit *test)
{
	struct client *client = server_client(test);

	keep_the_driver(test);
	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);
	bring_up(test, client);
	heard(test, client, UP);
}

/* While no channel waits for the device, another driver may have it. */
static void bind_declined_before_enable(struct kunit *test)
{
	struct client *client = server_client(test);

	keep_the_driver(test);
	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	becomes(test, client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, try_write_text(test, DRIVER "/bind",
					     TESTDEV_INSTANCE_GUID), -ENODEV);
	bring_up(test, client);
}

static struct kunit_case channel_device_cases[] = {
	KUNIT_CASE(device_comes_later),
	KUNIT_CASE(second_device_not_accepted),
	KUNIT_CASE(device_comes_while_enable_listens_anew),
	{}
};

struct kunit_suite vmbkmcl_channel_device_suite = {
	.name = "vmbkmcl_channel_device",
	.test_cases = channel_device_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case channel_device_server_cases[] = {
	KUNIT_CASE(device_of_another_instance),
	KUNIT_CASE(any_device_of_the_type),
	KUNIT_CASE(device_goes_to_the_next_channel),
	KUNIT_CASE_SLOW(unbound),
	KUNIT_CASE_SLOW(taken_after_unbind),
	KUNIT_CASE_SLOW(bind_declined_before_enable),
	KUNIT_CASE(target_device),
	{}
};

struct kunit_suite vmbkmcl_channel_device_server_suite = {
	.name = "vmbkmcl_channel_device_server",
	.test_cases = channel_device_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_device_server_suite);
