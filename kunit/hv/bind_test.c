// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which device of hv_vmbus a channel gets, what it gets of the device, and what
 * happens when another driver or client has the device, or gives it back.
 */

#include <linux/delay.h>
#include <linux/io.h>
#include <linux/sizes.h>

#include "../lib/client.h"
#include "../lib/eventually.h"
#include "../lib/failing.h"
#include "../lib/files.h"
#include "../lib/log.h"
#include "../lib/server.h"
#include "../lib/user_memory.h"
#include "hv_device.h"
#include "hv_suites.h"

#define BUS		"/sys/bus/vmbus/"
#define FORGETFUL	"/modules/vmbkmcl_forgetful.ko"
#define IT_IS_ACTIVE	"grep -q active /sys/kernel/debug/vmbkmcl/*/state"
#define DRIVER		"vmbkmcl-" TESTDEV_TYPE_GUID

static struct client *client_of(struct kunit *test, const char *instance)
{
	struct client *client = client_alloc(test);
	guid_t type, unused, guid;

	server_guids(&type, &unused);
	KUNIT_ASSERT_EQ(test, guid_parse(instance, &guid), 0);
	client_set_up(test, client, get_channel(test), &type, &guid);
	return client;
}

static void is_bound_to(struct kunit *test, VMBCHANNEL ch, const char *instance)
{
	guid_t bound, guid;

	KUNIT_ASSERT_EQ(test, guid_parse(instance, &guid), 0);
	VmbChannelGetInterfaceInstance(ch, &bound);
	KUNIT_EXPECT_TRUE(test, guid_equal(&bound, &guid));
}

/* Instances */

static void two_instances(struct kunit *test)
{
	struct client *first = client_of(test, TESTDEV_INSTANCE_GUID);
	struct client *second = client_of(test, TESTDEV_SECOND_GUID);

	/* The device that was offered last is bound first. */
	bring_up(test, second);
	bring_up(test, first);
	is_bound_to(test, first->ch, TESTDEV_INSTANCE_GUID);
	is_bound_to(test, second->ch, TESTDEV_SECOND_GUID);
	ask_the_host(first);
	ask_the_host(second);
	KUNIT_EXPECT_EQ(test, first->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, second->seen, STATUS_SUCCESS);
	VmbChannelDisable(first->ch);
	ask_the_host(second);
	KUNIT_EXPECT_EQ(test, second->seen, STATUS_SUCCESS);
	heard(test, first, UP_DOWN);
	heard(test, second, UP);
}

static void two_channels_of_a_type(struct kunit *test)
{
	struct client *client[3];
	guid_t type, unused, a, b;
	unsigned int i;

	server_guids(&type, &unused);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = client_alloc(test);
		client_set_up(test, client[i], get_channel(test), &type, NULL);
		enable(test, client[i]);
	}
	becomes(test, client[0]->ch, KMCL_ACTIVE);
	becomes(test, client[1]->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, client[2]->ch->state, KMCL_ENABLED);
	VmbChannelGetInterfaceInstance(client[0]->ch, &a);
	VmbChannelGetInterfaceInstance(client[1]->ch, &b);
	KUNIT_EXPECT_FALSE(test, guid_equal(&a, &b));

	VmbChannelDisable(client[1]->ch);
	becomes(test, client[2]->ch, KMCL_ACTIVE);
	VmbChannelGetInterfaceInstance(client[2]->ch, &a);
	KUNIT_EXPECT_TRUE(test, guid_equal(&a, &b));
}

/* Another driver gets the instance that no client asked for, and keeps it. */
static void other_instances_are_declined(struct kunit *test)
{
	struct hv_device *second = device_find(test, TESTDEV_SECOND_GUID);
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);

	bring_up(test, client);
	KUNIT_EXPECT_NULL(test, second->device.driver);
	other_driver_add(test);
	KUNIT_ASSERT_NOT_NULL(test, second->device.driver);
	KUNIT_EXPECT_STREQ(test, second->device.driver->name, OTHER_DRIVER);
	VmbChannelDisable(client->ch);
	KUNIT_ASSERT_NOT_NULL(test, second->device.driver);
	KUNIT_EXPECT_STREQ(test, second->device.driver->name, OTHER_DRIVER);
}

/* The driver has declined the instance before, as nobody wanted it then. */
static void declined_instance_is_taken_later(struct kunit *test)
{
	struct client *first = client_of(test, TESTDEV_INSTANCE_GUID);
	struct client *second = client_of(test, TESTDEV_SECOND_GUID);

	bring_up(test, first);
	bring_up(test, second);
	is_bound_to(test, second->ch, TESTDEV_SECOND_GUID);
	heard(test, first, UP);
}

/* The channel has a device, so it waits for none. */
static void no_line_for_a_channel_with_a_device(struct kunit *test)
{
	struct client *any = server_client(test);
	guid_t type, unused;

	server_guids(&type, &unused);
	bring_up(test, client_of(test, TESTDEV_INSTANCE_GUID));
	other_driver_add(test);
	other_driver_remove(test);
	log_record(test);
	VmbClientChannelInitSetTargetPnp(any->ch, &type, NULL, NULL);
	bring_up(test, any);
	msleep(300);
	KUNIT_EXPECT_FALSE(test, log_has("the channel waits for it"));
}

static void forget_override(void *test)
{
	write_text(test, BUS "devices/" TESTDEV_INSTANCE_GUID
		   "/driver_override", "\n");
}

/* driver_override binds a device of any type. */
static void device_of_another_type(struct kunit *test)
{
	struct client *client = client_alloc(test);
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];

	snprintf(name, sizeof(name), "vmbkmcl-%pUl", &some_guid);
	client_set_up(test, client, get_channel(test), &some_guid, NULL);
	enable(test, client);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, forget_override,
							test), 0);
	write_text(test, BUS "devices/" TESTDEV_INSTANCE_GUID
		   "/driver_override", name);
	write_text(test, BUS "drivers_probe", TESTDEV_INSTANCE_GUID);
	msleep(500);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");
}

/* A channel that waits for any instance is not given one that is dead. */
static void dead_device_is_not_offered(struct kunit *test)
{
	struct client *second = client_of(test, TESTDEV_SECOND_GUID);
	struct client *first = client_of(test, TESTDEV_INSTANCE_GUID);
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *any = server_client(test);
	guid_t type, unused;

	server_guids(&type, &unused);
	VmbClientChannelInitSetTargetPnp(any->ch, &type, NULL, NULL);
	bring_up(test, second);
	bring_up(test, first);
	enable(test, any);
	KUNIT_EXPECT_EQ(test, hv_device_ops.suspend(test, &hdev->device), 0);
	hv_device_ops.set_missing(&hdev->device, true);
	KUNIT_EXPECT_EQ(test, hv_device_ops.resume(test, &hdev->device), 0);
	becomes(test, first->ch, KMCL_DISABLED);
	msleep(500);
	hv_device_ops.set_missing(&hdev->device, false);
	KUNIT_EXPECT_EQ(test, any->ch->state, KMCL_ENABLED);
	heard(test, any, "");
}

/* Another driver may have use for it. */
static void dead_device_is_declined(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);

	hv_device_ops.set_missing(&hdev->device, true);
	enable(test, client);
	msleep(500);
	KUNIT_EXPECT_NULL(test, hdev->device.driver);
	hv_device_ops.set_missing(&hdev->device, false);
	VmbChannelDisable(client->ch);
	bring_up(test, client);
}

#define LOCKS	200

/*
 * As when another driver's probe, which has the device locked, waits for a thread that
 * disables a channel. The device is dead, so that the work item never binds it.
 */
static void disable_with_the_device_locked(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);
	unsigned int i;

	hv_device_ops.set_missing(&hdev->device, true);
	for (i = 0; i < LOCKS; i++) {
		enable(test, client);
		udelay(5 * i);
		device_lock(&hdev->device);
		VmbChannelDisable(client->ch);
		device_unlock(&hdev->device);
	}
	hv_device_ops.set_missing(&hdev->device, false);
	bring_up(test, client);
}

/* Allocations that fail while the driver takes the device */

/**
 * struct taking - what becomes of the next time that a driver takes a device
 * @block: it is told of that
 * @nth: allocation that fails then; 0: none does
 * @counting: in the task that takes the device, @nth counts down
 * @done: it was tried
 * @failed: the allocation was made, and failed
 */
struct taking {
	struct notifier_block block;
	unsigned int nth;
	bool counting;
	bool done;
	bool failed;
};

static int see_taking(struct notifier_block *block, unsigned long event,
		      void *device)
{
	struct taking *taking = container_of(block, struct taking, block);

	if (event == BUS_NOTIFY_BIND_DRIVER && taking->nth) {
		fail_nth(taking->nth);
		taking->nth = 0;
		taking->counting = true;
	} else if (taking->counting && (event == BUS_NOTIFY_BOUND_DRIVER ||
					event == BUS_NOTIFY_DRIVER_NOT_BOUND)) {
		taking->failed = has_failed();
		fail_nth(0);
		taking->counting = false;
		WRITE_ONCE(taking->done, true);
	}
	return NOTIFY_DONE;
}

static bool has_settled(struct client *client)
{
	enum kmcl_state state = READ_ONCE(client->ch->state);

	return state == KMCL_ACTIVE || state == KMCL_DISABLED;
}

/*
 * The channel gets the device later. If the driver core has bound it and then takes it
 * away again, the channel is disabled, as after an unbind.
 */
static void taken_when_there_is_memory(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);
	struct taking taking = { .block.notifier_call = see_taking };
	unsigned int nth, failures = 0;

	KUNIT_ASSERT_EQ(test, bus_register_notifier(hdev->device.bus,
						    &taking.block), 0);
	taking.failed = true;
	for (nth = 1; taking.failed && nth < MOST_ALLOCATIONS; nth++) {
		taking.failed = false;
		taking.done = false;
		taking.nth = nth;
		if (VmbChannelEnable(client->ch))
			break;
		if (!eventually(READ_ONCE(taking.done)) ||
		    !eventually(has_settled(client)))
			break;
		failures += taking.failed;
		VmbChannelDisable(client->ch);
	}
	bus_unregister_notifier(hdev->device.bus, &taking.block);
	kunit_info(test, "%u allocations fail", failures);
	KUNIT_EXPECT_FALSE(test, taking.failed);
	KUNIT_EXPECT_TRUE(test, taking.done);
	if (IS_ENABLED(CONFIG_FAULT_INJECTION))
		KUNIT_EXPECT_GE(test, failures, 2);
	VmbChannelDisable(client->ch);
	enable(test, client);
	becomes(test, client->ch, KMCL_ACTIVE);
}

/* Another driver */

/* The command that the log names works as it stands. */
static void device_of_another_driver(struct kunit *test)
{
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);

	log_record(test);
	other_driver_add(test);
	enable(test, client);
	is_logged(test, "device " TESTDEV_INSTANCE_GUID
		  " belongs to the driver " OTHER_DRIVER);
	is_logged(test, "in /sys/bus/vmbus: echo " DRIVER " > devices/"
		  TESTDEV_INSTANCE_GUID "/driver_override; echo "
		  TESTDEV_INSTANCE_GUID " > drivers/" OTHER_DRIVER
		  "/unbind; echo " TESTDEV_INSTANCE_GUID " > drivers_probe");
	KUNIT_EXPECT_FALSE(test, log_has("device " TESTDEV_SECOND_GUID));
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");

	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, forget_override,
							test), 0);
	run_shell(test, "cd /sys/bus/vmbus; echo " DRIVER " > devices/"
		  TESTDEV_INSTANCE_GUID "/driver_override; echo "
		  TESTDEV_INSTANCE_GUID " > drivers/" OTHER_DRIVER
		  "/unbind; echo " TESTDEV_INSTANCE_GUID " > drivers_probe");
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
}

/* The module's work item may be just trying, and be faster. */
static void bind_by_hand(struct kunit *test, const char *instance)
{
	ssize_t written = try_write_text(test, BUS "drivers/" DRIVER "/bind",
					 instance);

	if (written != -EBUSY)
		KUNIT_EXPECT_EQ(test, written, strlen(instance));
}

static void device_that_another_driver_lets_go(struct kunit *test)
{
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);

	other_driver_add(test);
	enable(test, client);
	other_driver_remove(test);
	bind_by_hand(test, TESTDEV_INSTANCE_GUID);
	becomes(test, client->ch, KMCL_ACTIVE);
}

/* The client has all the time it wants: nothing is opened inside probe. */
static void probe_does_not_wait_for_the_client(struct kunit *test)
{
	struct client *client = client_of(test, TESTDEV_INSTANCE_GUID);

	client->at = "Opened";
	client->hook = wait_to_leave;
	other_driver_add(test);
	enable(test, client);
	other_driver_remove(test);
	bind_by_hand(test, TESTDEV_INSTANCE_GUID);
	EXPECT_EVENTUALLY(test, completion_done(&client->entered));
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_OPENED);
	heard(test, client, "Opened");
	complete(&client->leave);
	becomes(test, client->ch, KMCL_ACTIVE);
}

/* Clients */

static long users_of_the_module(struct kunit *test)
{
	long users;

	KUNIT_ASSERT_EQ(test,
			kstrtol(strim(read_text(test,
						"/sys/module/vmbkmcl/refcnt")),
				10, &users), 0);
	return users;
}

static void a_channel_holds_the_module(struct kunit *test)
{
	long users = users_of_the_module(test);
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, users_of_the_module(test), users + 1);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, users_of_the_module(test), users);
}

static void cleanup_without_disable_is_logged(struct kunit *test)
{
	VMBCHANNEL ch;
	guid_t type, instance;
	char line[128];

	log_record(test);
	server_guids(&type, &instance);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &ch),
			STATUS_SUCCESS);
	VmbClientChannelInitSetTargetPnp(ch, &type, &some_guid, NULL);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	VmbChannelCleanup(ch);
	snprintf(line, sizeof(line), "not disabled, allocated by %s [", __func__);
	is_logged(test, line);
}

static void client_goes(struct kunit *test, const char *script,
			const char *state)
{
	long users = users_of_the_module(test);
	char line[128];

	log_record(test);
	run_shell(test, script);
	snprintf(line, sizeof(line),
		 "the module vmbkmcl_forgetful is gone and left the channel %s",
		 state);
	is_logged(test, line);
	KUNIT_EXPECT_FALSE(test, log_has("called after it was gone"));
	KUNIT_EXPECT_EQ(test, users_of_the_module(test), users);
	/* The device is free again. */
	bring_up(test, client_of(test, TESTDEV_INSTANCE_GUID));
}

static void client_is_unloaded(struct kunit *test)
{
	client_goes(test, "insmod " FORGETFUL "; until " IT_IS_ACTIVE
		    "; do sleep 0.1; done; rmmod vmbkmcl_forgetful", "active");
}

/* Nothing but its callbacks says whose the channel is. */
static void client_that_ends_its_init_with_the_allocation(struct kunit *test)
{
	client_goes(test, "insmod " FORGETFUL " tail=1; until " IT_IS_ACTIVE
		    "; do sleep 0.1; done; rmmod vmbkmcl_forgetful", "active");
}

static void client_fails_to_load(struct kunit *test)
{
	client_goes(test, "! insmod " FORGETFUL " fail=1", "");
}

/* Rescinds */

/*
 * The host offers the device again while the client is in EvtChannelClosed. hv_vmbus
 * would lose the offer if it had to wait for the client.
 */
static void offered_again_while_the_client_is_slow(struct kunit *test)
{
	struct client *client = server_client(test);

	log_record(test);
	client->at = "Closed";
	client->hook = wait_to_leave;
	bring_up(test, client);
	server_does(test, client->ch, .op = TESTDEV_REOFFER, .length = 500);
	server_does(test, client->ch, .op = TESTDEV_RESCIND, .length = 10);
	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	msleep(4000);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_CLOSED);
	complete(&client->leave);
	becomes(test, client->ch, KMCL_DISABLED);
	client->hook = NULL;
	bring_up(test, client);
	heard(test, client, UP_DOWN " " UP);
	KUNIT_EXPECT_FALSE(test, log_has("WARNING"));
}

/* MMIO space */

static void mmio(struct kunit *test, VMBCHANNEL ch, u64 start, u64 size)
{
	UINT64 address = 1, bytes = 1;

	VmbChannelGetMmioSpace(ch, &address, &bytes);
	KUNIT_EXPECT_EQ(test, address, start);
	KUNIT_EXPECT_EQ(test, bytes, size);
}

static void check_mmio(struct client *client)
{
	UINT64 address, bytes;

	VmbChannelGetMmioSpace(client->ch, &address, &bytes);
	client->seen = bytes;
}

KUNIT_ARRAY_PARAM(callback, client_callbacks, client_callback_name);

static void mmio_in_a_callback(struct kunit *test)
{
	const char * const *at = test->param_value;
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->mmio_size = SZ_1M;
	client->at = *at;
	client->hook = check_mmio;
	mmio(test, client->ch, 0, 0);
	bring_up(test, client);
	mmio(test, client->ch, FAKE_MMIO_START, SZ_1M);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->seen, SZ_1M);
	mmio(test, client->ch, 0, 0);
	KUNIT_EXPECT_EQ(test, bus->mmio_held, 0);
}

static void mmio_of_a_device_without(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	UINT64 one = 1;

	mmio(test, bus->ch, 0, 0);
	VmbChannelGetMmioSpace(NULL, &one, &one);
	VmbChannelGetMmioSpace(bus->ch, NULL, &one);
	VmbChannelGetMmioSpace(bus->ch, &one, NULL);
	KUNIT_EXPECT_EQ(test, one, 1);
}

static void mmio_all_in_use(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	log_record(test);
	bus->mmio_size = SZ_1M;
	bus->mmio_err = -ENXIO;
	bring_up(test, client);
	mmio(test, client->ch, 0, 0);
	is_logged(test, "no MMIO space");
}

/* Addresses that the firmware gave VMBus: kunit/host/mmio.asl. */
static void mmio_of_the_second_device(struct kunit *test)
{
	struct client *client = client_of(test, TESTDEV_SECOND_GUID);
	UINT64 address, bytes;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		bring_up(test, client);
		VmbChannelGetMmioSpace(client->ch, &address, &bytes);
		KUNIT_EXPECT_EQ(test, bytes,
				TESTDEV_SECOND_MMIO_MB * SZ_1M);
		KUNIT_EXPECT_GE(test, address, 0xC000000000ULL);
		KUNIT_EXPECT_LE(test, address + bytes, 0xC004000000ULL);
		KUNIT_EXPECT_NOT_NULL(test, strstr(read_text(test,
							     "/proc/iomem"),
						   TESTDEV_SECOND_GUID));
		VmbChannelDisable(client->ch);
		KUNIT_EXPECT_NULL(test, strstr(read_text(test, "/proc/iomem"),
					       TESTDEV_SECOND_GUID));
	}
}

/* Interrupt latency */

static void interrupt_latency(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	UINT16 was = 1;

	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(NULL, 0, &was),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(client->ch, 0, &was),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, was, 1);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(client->ch, 0, &was),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, was, 1000);
	KUNIT_EXPECT_TRUE(test, bus->low_latency);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(client->ch, 7, &was),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, was, 0);
	KUNIT_EXPECT_FALSE(test, bus->low_latency);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(client->ch, 0, NULL),
			STATUS_SUCCESS);

	/* Each opening begins anew. */
	VmbChannelDisable(client->ch);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, VmbChannelSetInterruptLatency(client->ch, 5, &was),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, was, 1000);
}

static void interrupt_latency_of_the_server(struct kunit *test)
{
	struct client *client = server_client(test);
	struct hv_device *hdev;

	bring_up(test, client);
	hdev = device_find(test, TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_FALSE(test, hdev->channel->low_latency);
	VmbChannelSetInterruptLatency(client->ch, 0, NULL);
	KUNIT_EXPECT_TRUE(test, hdev->channel->low_latency);
	VmbChannelDisable(client->ch);
	bring_up(test, client);
	KUNIT_EXPECT_FALSE(test, hdev->channel->low_latency);
}

/* Rings */

/* No allocation of that size succeeds in physically contiguous memory. */
static void rings_fail(struct kunit *test, struct client *client)
{
	log_record(test);
	run_shell(test, "cd /sys/kernel/debug/fail_page_alloc; "
		  "echo 7 >min-order; echo 100 >probability; echo -1 >times");
	enable(test, client);
	heard(test, client, "PnpFailure");
	run_shell(test, "cd /sys/kernel/debug/fail_page_alloc; "
		  "echo 0 >probability; echo 1 >times; echo 0 >min-order");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_INSUFFICIENT_RESOURCES);
	becomes(test, client->ch, KMCL_DISABLED);
}

static void rings_too_large(struct kunit *test)
{
	struct client *client = server_client(test);

	VmbClientChannelInitSetRingBufferPageCount(client->ch, 512, 512);
	rings_fail(test, client);
	is_logged(test, "no memory for rings of 4096 KiB in one piece");
	is_logged(test, "VmbClientChannelInitSetRingBufferPageCount(), 256 + 256 for instance");
	VmbClientChannelInitSetRingBufferPageCount(client->ch, 64, 64);
	bring_up(test, client);
}

/* Fewer pages would not help: the largest packet asks for more than these. */
static void rings_too_large_for_their_packets(struct kunit *test)
{
	struct client *client = server_client(test);

	VmbClientChannelInitSetRingBufferPageCount(client->ch, 2, 2);
	VmbChannelInitSetMaximumPacketSize(client->ch, SZ_64K);
	rings_fail(test, client);
	is_logged(test, "no memory for rings of 276 KiB in one piece: they are");
	is_logged(test, "for the largest packet, see VmbChannelInitSetMaximumPacketSize()");
	bring_up(test, client);
}

/* hv_vmbus leaves it behind; the host would have it called for a freed channel. */
static void callback_goes_with_a_failed_open(struct kunit *test)
{
	struct client *client = server_client(test);
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);

	/* A device that is dead already would not be attached at all. */
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, hv_device_ops.suspend(test, &hdev->device), 0);
	hdev->channel->rescind = true;
	KUNIT_EXPECT_EQ(test, hv_device_ops.resume(test, &hdev->device), 0);
	heard(test, client, UP_DOWN " PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_TRUE(test, !hdev->channel->onchannel_callback);
	hdev->channel->rescind = false;
	becomes(test, client->ch, KMCL_DISABLED);
	bring_up(test, client);
}

/* Channels of one type come and go while another one lives. */

#define TOGGLES	200

static void toggle(void *ch)
{
	unsigned int i;

	for (i = 0; i < TOGGLES; i++) {
		VmbChannelEnable(ch);
		VmbChannelDisable(ch);
	}
}

static void channels_of_a_type_come_and_go(struct kunit *test)
{
	struct client *client = server_client(test);
	struct job *jobs[4];
	guid_t type, instance;
	unsigned int i;

	server_guids(&type, &instance);
	bring_up(test, client);
	for (i = 0; i < ARRAY_SIZE(jobs); i++) {
		VMBCHANNEL ch = get_channel(test);

		instance.b[0] = 0xe0 + i;
		VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
		jobs[i] = job_start(test, toggle, ch);
	}
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		job_join(test, jobs[i]);
	heard(test, client, UP);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

/* A channel that names the instance precedes one that accepts any. */
static void named_instance_goes_first(struct kunit *test)
{
	struct client *any = server_client(test);
	struct client *named = server_client(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(any->ch, &type, NULL, NULL);
	other_driver_add(test);
	enable(test, any);
	enable(test, named);
	other_driver_remove(test);
	bind_by_hand(test, TESTDEV_INSTANCE_GUID);
	becomes(test, named->ch, KMCL_ACTIVE);
	is_bound_to(test, named->ch, TESTDEV_INSTANCE_GUID);
	/* The other channel gets the other device. */
	bind_by_hand(test, TESTDEV_SECOND_GUID);
	becomes(test, any->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_FALSE(test, guid_equal(&any->ch->instance, &instance));
}

static struct kunit_case bind_cases[] = {
	KUNIT_CASE(two_instances),
	KUNIT_CASE(two_channels_of_a_type),
	KUNIT_CASE(channels_of_a_type_come_and_go),
	KUNIT_CASE(named_instance_goes_first),
	KUNIT_CASE(other_instances_are_declined),
	KUNIT_CASE(declined_instance_is_taken_later),
	KUNIT_CASE(no_line_for_a_channel_with_a_device),
	KUNIT_CASE(device_of_another_type),
	KUNIT_CASE(dead_device_is_not_offered),
	KUNIT_CASE(dead_device_is_declined),
	KUNIT_CASE(disable_with_the_device_locked),
	KUNIT_CASE_SLOW(taken_when_there_is_memory),
	KUNIT_CASE(device_of_another_driver),
	KUNIT_CASE(device_that_another_driver_lets_go),
	KUNIT_CASE(probe_does_not_wait_for_the_client),
	KUNIT_CASE(a_channel_holds_the_module),
	KUNIT_CASE(cleanup_without_disable_is_logged),
	KUNIT_CASE(offered_again_while_the_client_is_slow),
	KUNIT_CASE(client_is_unloaded),
	KUNIT_CASE(client_that_ends_its_init_with_the_allocation),
	KUNIT_CASE(client_fails_to_load),
	KUNIT_CASE_PARAM(mmio_in_a_callback, callback_gen_params),
	KUNIT_CASE(mmio_of_a_device_without),
	KUNIT_CASE(mmio_all_in_use),
	KUNIT_CASE(mmio_of_the_second_device),
	KUNIT_CASE(interrupt_latency),
	KUNIT_CASE(interrupt_latency_of_the_server),
	KUNIT_CASE(rings_too_large),
	KUNIT_CASE(rings_too_large_for_their_packets),
	KUNIT_CASE(callback_goes_with_a_failed_open),
	{}
};

struct kunit_suite vmbkmcl_bind_suite = {
	.name = "vmbkmcl_bind",
	.test_cases = bind_cases,
};
