// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which buses a channel listens on: several of them, buses that register after the
 * channel was enabled, and buses that do not take it.
 *
 * The buses of this suite are registered, unlike the fake bus, which is pinned to its
 * channel. A guest of Hyper-V has the bus of hv_vmbus beside them; there is no device
 * on it for the channels here.
 */

#include <linux/module.h>

#include "../vmbkmcl/bus.h"
#include "../vmbkmcl/channel.h"
#include "lib/client.h"
#include "lib/eventually.h"
#include "lib/rings.h"
#include "suites.h"

#define BUSES	5

static const guid_t bus_type = GUID_INIT(0xb05b05b0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
					 10);
static const guid_t bus_instance = GUID_INIT(0xb05b05b0, 2, 2, 3, 4, 5, 6, 7, 8,
					     9, 10);

/**
 * struct test_bus - one bus, with one device at most
 * @registered: with the core
 * @listen_err: what listen() returns
 * @present: it has the device, and offers it
 * @listens: channels that listen on it
 * @asked: calls of listen()
 * @attached: times a channel took the device
 * @tx: the outgoing ring of the device while it is open
 * @rx: the incoming one
 */
struct test_bus {
	bool registered;
	int listen_err;
	bool present;
	int listens;
	int asked;
	int attached;
	struct kmcl_ring_memory tx;
	struct kmcl_ring_memory rx;
};

static struct test_bus buses[BUSES];
static const struct kmcl_bus_ops bus_ops[BUSES];

static struct test_bus *bus_of(struct kmcl_channel *ch)
{
	return &buses[ch->bus - bus_ops];
}

static int bus_listen(struct kmcl_channel *ch, unsigned int i)
{
	struct test_bus *bus = &buses[i];

	bus->asked++;
	if (bus->listen_err)
		return bus->listen_err;
	bus->listens++;
	if (bus->present && kmcl_channel_accepts(ch, &bus_instance))
		bus->attached += kmcl_channel_attach(ch, &bus_ops[i], bus,
						     &bus_instance);
	return 0;
}

static void bus_unlisten(struct kmcl_channel *ch, unsigned int i)
{
	buses[i].listens--;
}

static void bus_release(struct kmcl_channel *ch, void *endpoint)
{
}

static struct device *bus_device(struct kmcl_channel *ch)
{
	return NULL;
}

static int bus_open(struct kmcl_channel *ch, struct kmcl_bus_rings *rings)
{
	struct test_bus *bus = bus_of(ch);

	if (ring_make(&bus->tx, rings->tx_bytes))
		return -ENOMEM;
	if (ring_make(&bus->rx, rings->rx_bytes)) {
		ring_free(&bus->tx);
		return -ENOMEM;
	}
	rings->tx = bus->tx;
	rings->rx = bus->rx;
	return 0;
}

static int bus_close(struct kmcl_channel *ch)
{
	ring_free(&bus_of(ch)->tx);
	ring_free(&bus_of(ch)->rx);
	return 0;
}

static void bus_signal(struct kmcl_channel *ch, enum kmcl_signal why)
{
}

static int bus_mmio_get(struct kmcl_channel *ch, u64 *start, u64 *size)
{
	return 0;
}

static bool bus_no(struct kmcl_channel *ch)
{
	return false;
}

/* listen() is not told which bus it is of: each has functions of its own. */
#define BUS_FUNCTIONS(n)						\
static int bus_listen_##n(struct kmcl_channel *ch)			\
{									\
	return bus_listen(ch, n);					\
}									\
									\
static void bus_unlisten_##n(struct kmcl_channel *ch)			\
{									\
	bus_unlisten(ch, n);						\
}

#define BUS(n)								\
	[n] = {								\
		.name = "test " #n,					\
		.owner = THIS_MODULE,					\
		.listen = bus_listen_##n,				\
		.unlisten = bus_unlisten_##n,				\
		.release = bus_release,					\
		.device = bus_device,					\
		.open = bus_open,					\
		.close = bus_close,					\
		.signal = bus_signal,					\
		.mmio_get = bus_mmio_get,				\
		.rescinded = bus_no,					\
		.confidential = bus_no,					\
		.gpadls_before_close = bus_no,				\
	}

BUS_FUNCTIONS(0)
BUS_FUNCTIONS(1)
BUS_FUNCTIONS(2)
BUS_FUNCTIONS(3)
BUS_FUNCTIONS(4)

static const struct kmcl_bus_ops bus_ops[BUSES] = {
	BUS(0), BUS(1), BUS(2), BUS(3), BUS(4),
};

static int bus_add(unsigned int i)
{
	int err = kmcl_bus_register(&bus_ops[i]);

	buses[i].registered = !err;
	return err;
}

static void bus_remove(unsigned int i)
{
	buses[i].registered = false;
	kmcl_bus_unregister(&bus_ops[i]);
}

/* A channel that listens for the device of these buses; not enabled. */
static VMBCHANNEL bus_channel(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, &bus_type, NULL,
							 NULL),
			STATUS_SUCCESS);
	return ch;
}

/*
 * A bus of another module takes every channel, too. The loopback bus, which the core
 * registers first, does not count: it does not replace a bus that has a host.
 */
static bool others_listen(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);
	bool others;

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	others = ch->buses & ~BIT(0);
	VmbChannelDisable(ch);
	return others;
}

static void remove_buses(void *data)
{
	struct kunit *test = data;
	unsigned int i;

	for (i = 0; i < BUSES; i++) {
		KUNIT_EXPECT_EQ(test, buses[i].listens, 0);
		if (buses[i].registered)
			bus_remove(i);
	}
}

/* KUnit undoes the last thing first: remove_buses() comes after all channels. */
static int bus_test_init(struct kunit *test)
{
	memset(buses, 0, sizeof(buses));
	return kunit_add_action_or_reset(test, remove_buses, test);
}

/* A bus that comes after the channel was enabled brings the device. */
static void bus_registers_late(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ch->state, KMCL_ENABLED);
	buses[0].present = true;
	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_EXPECT_EQ(test, buses[0].attached, 1);
	becomes(test, ch, KMCL_ACTIVE);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, buses[0].listens, 0);
}

/* The device is on the second bus: the first one is no obstacle. */
static void bus_is_one_of_several(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);

	buses[1].present = true;
	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_ASSERT_EQ(test, bus_add(1), 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, buses[0].listens, 1);
	KUNIT_EXPECT_EQ(test, buses[1].listens, 1);
	KUNIT_EXPECT_PTR_EQ(test, ch->bus, &bus_ops[1]);
	VmbChannelDisable(ch);
}

/* Both buses have the device: the channel takes one of them. */
static void bus_of_two_with_the_device(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);

	buses[0].present = true;
	buses[1].present = true;
	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_ASSERT_EQ(test, bus_add(1), 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, buses[0].attached + buses[1].attached, 1);
	VmbChannelDisable(ch);
}

/*
 * The first bus has attached its device when the second one fails. That is no reason
 * to take the device away, which would wait for the client's callbacks.
 */
static void bus_fails_after_another_attached(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);

	buses[0].present = true;
	buses[1].listen_err = -ENOMEM;
	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_ASSERT_EQ(test, bus_add(1), 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, buses[0].listens, 1);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, buses[1].asked, 1);
	KUNIT_EXPECT_EQ(test, buses[1].listens, 0);
}

/*
 * No bus takes the channel: Enable says why, and nothing is left behind. Where the bus
 * of hv_vmbus is there, it takes the channel.
 */
static void bus_fails_alone(struct kunit *test)
{
	static const int errors[] = { -ENODEV, -ENOENT, -EBUSY, -EIO };
	bool others = others_listen(test);
	VMBCHANNEL ch = bus_channel(test);
	unsigned int i;

	buses[0].listen_err = -ENOMEM;
	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			others ? STATUS_SUCCESS :
				 STATUS_INSUFFICIENT_RESOURCES);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, ch->state, KMCL_DISABLED);

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		buses[0].listen_err = errors[i];
		KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
				others ? STATUS_SUCCESS :
					 STATUS_DEVICE_NOT_CONNECTED);
		VmbChannelDisable(ch);
	}

	buses[0].listen_err = 0;
	buses[0].present = true;
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	VmbChannelDisable(ch);
}

/*
 * A bus registers and does not take one of the channels that listen: the bus is
 * there for the others.
 */
static void bus_registers_and_fails_one(struct kunit *test)
{
	VMBCHANNEL first = bus_channel(test);
	VMBCHANNEL second = bus_channel(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(first), STATUS_SUCCESS);
	buses[0].listen_err = -ENOMEM;
	KUNIT_EXPECT_EQ(test, bus_add(0), 0);
	KUNIT_EXPECT_EQ(test, buses[0].asked, 1);

	buses[0].listen_err = 0;
	buses[0].present = true;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(second), STATUS_SUCCESS);
	becomes(test, second, KMCL_ACTIVE);
	VmbChannelDisable(second);

	/* Enabled again, the first one is taken, too. */
	VmbChannelDisable(first);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(first), STATUS_SUCCESS);
	becomes(test, first, KMCL_ACTIVE);
	VmbChannelDisable(first);
}

/* A bus that goes leaves the places of the others as they are. */
static void bus_goes(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);
	unsigned int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test, bus_add(i), 0);
	bus_remove(1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, buses[0].listens, 1);
	KUNIT_EXPECT_EQ(test, buses[1].listens, 0);
	KUNIT_EXPECT_EQ(test, buses[2].listens, 1);
	/* Into the place that is free, while the channel listens on the others. */
	buses[1].present = true;
	KUNIT_ASSERT_EQ(test, bus_add(1), 0);
	becomes(test, ch, KMCL_ACTIVE);
	KUNIT_EXPECT_PTR_EQ(test, ch->bus, &bus_ops[1]);
	VmbChannelDisable(ch);
}

static void bus_is_one_too_many(struct kunit *test)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < BUSES && !err; i++)
		err = bus_add(i);
	KUNIT_EXPECT_EQ(test, err, -ENOSPC);
	KUNIT_EXPECT_GE(test, i, 4);
	bus_remove(0);
	KUNIT_EXPECT_EQ(test, bus_add(i - 1), 0);
}

/* Each channel that listens holds the bus's module, once, and gives it back. */
static void bus_module_is_held(struct kunit *test)
{
	VMBCHANNEL ch = bus_channel(test);
	int before = module_refcount(THIS_MODULE);

	KUNIT_ASSERT_EQ(test, bus_add(0), 0);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before + 1);
	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);

	buses[0].listen_err = -ENOMEM;
	VmbChannelEnable(ch);
	KUNIT_EXPECT_EQ(test, module_refcount(THIS_MODULE), before);
	VmbChannelDisable(ch);
}

static struct kunit_case bus_cases[] = {
	KUNIT_CASE(bus_registers_late),
	KUNIT_CASE(bus_is_one_of_several),
	KUNIT_CASE(bus_of_two_with_the_device),
	KUNIT_CASE(bus_fails_after_another_attached),
	KUNIT_CASE(bus_fails_alone),
	KUNIT_CASE(bus_registers_and_fails_one),
	KUNIT_CASE(bus_goes),
	KUNIT_CASE(bus_is_one_too_many),
	KUNIT_CASE(bus_module_is_held),
	{}
};

struct kunit_suite vmbkmcl_bus_suite = {
	.name = "vmbkmcl_bus",
	.init = bus_test_init,
	.test_cases = bus_cases,
};
