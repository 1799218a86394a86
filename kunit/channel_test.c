// SPDX-License-Identifier: GPL-2.0-only
/* Channels: to allocate, enable, disable and clean them up. */

#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "lib/client.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "suites.h"

/* Allocating */

static void no_place_for_the_channel(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(NULL, FALSE, NULL),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(NULL, TRUE, NULL),
			STATUS_INVALID_PARAMETER_3);
}

static void parent_is_held(struct kunit *test)
{
	struct device *parent = root_device_register("vmbkmcl-test");
	unsigned int refs;
	VMBCHANNEL ch;

	KUNIT_ASSERT_FALSE(test, IS_ERR(parent));
	refs = kref_read(&parent->kobj.kref);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(parent, FALSE, &ch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), refs + 1);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), refs);
	root_device_unregister(parent);
}

static void no_channel(struct kunit *test)
{
	static WCHAR text[] = L"name";
	UNICODE_STRING name = { .Length = 8, .Buffer = text };
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(NULL, &name),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(NULL, 64),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(NULL, &evt),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(NULL, 2, 2),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(NULL, &some_guid, NULL,
							 NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumExternalData(NULL, 1, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(NULL, NULL,
								NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(NULL),
			STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(NULL);
	VmbChannelCleanup(NULL);
}

/* Parent devices */

static void unregister_root(void *device)
{
	root_device_unregister(device);
}

static struct device *some_device(struct kunit *test)
{
	struct device *device = root_device_register("vmbkmcl-test");

	KUNIT_ASSERT_FALSE(test, IS_ERR(device));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unregister_root,
							device), 0);
	return device;
}

static void parent_device(struct kunit *test)
{
	struct device *parent = some_device(test);
	unsigned int before = kref_read(&parent->kobj.kref);
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(parent, FALSE, &ch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetParentDeviceObject(ch), parent);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), before + 1);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), before);
	KUNIT_EXPECT_NULL(test,
			  VmbChannelGetParentDeviceObject(get_channel(test)));
	KUNIT_EXPECT_NULL(test, VmbChannelGetParentDeviceObject(NULL));
}

/* A channel in the client's memory */

static void parent_of_own_memory(struct kunit *test)
{
	struct device *parent = some_device(test);
	unsigned int before = kref_read(&parent->kobj.kref);
	u32 size = VmbSizeofChannel();
	VMBCHANNEL ch = kunit_kmalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ch);
	KUNIT_ASSERT_EQ(test, VmbChannelInitialize(parent, FALSE, ch, size),
			STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetParentDeviceObject(ch), parent);
	VmbChannelCleanup(ch);
	KUNIT_EXPECT_EQ(test, kref_read(&parent->kobj.kref), before);
}

static void own_memory_arguments(struct kunit *test)
{
	u32 size = VmbSizeofChannel();
	u8 *memory = kunit_kzalloc(test, size + 8, GFP_KERNEL);
	u8 *clean = kunit_kzalloc(test, size + 8, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_NOT_NULL(test, clean);
	KUNIT_EXPECT_EQ(test, VmbChannelInitialize(NULL, FALSE, NULL, size),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitialize(NULL, FALSE,
					     (VMBCHANNEL)(memory + 4), size),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitialize(NULL, FALSE, (VMBCHANNEL)memory,
					     size - 1),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_MEMEQ(test, memory, clean, size + 8);
}

static VMBCHANNEL own_memory(struct kunit *test)
{
	VMBCHANNEL ch = kunit_kmalloc(test, VmbSizeofChannel(), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ch);
	/* VmbChannelInitialize() must not rely on zeroed memory. */
	memset(ch, 0xcc, VmbSizeofChannel());
	return ch;
}

/* Twice in the same memory. Nothing may use the memory in between. */
static void channel_in_own_memory(struct kunit *test)
{
	VMBCHANNEL ch = own_memory(test);
	struct client *client;
	guid_t type, instance;
	unsigned int i;

	server_guids(&type, &instance);
	for (i = 0; i < 2; i++) {
		client = client_alloc(test);
		KUNIT_ASSERT_EQ(test,
				VmbChannelInitialize(NULL, FALSE, ch,
						     VmbSizeofChannel()),
				STATUS_SUCCESS);
		client_set_up(test, client, ch, &type, &instance);
		bring_up(test, client);
		server_echo_cpu(test, ch);
		VmbChannelDisable(ch);
		heard(test, client, UP_DOWN);
		VmbChannelCleanup(ch);
		memset(ch, 0xcc, VmbSizeofChannel());
	}
}

static void do_clean_up(void *ch)
{
	VmbChannelCleanup(ch);
}

/* A packet object refers to the channel, so Cleanup waits for the packet. */
static void own_memory_waits_for_packets(struct kunit *test)
{
	VMBCHANNEL ch = own_memory(test);
	VMBPACKET packet;
	struct job *job;

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitialize(NULL, FALSE, ch,
					     VmbSizeofChannel()),
			STATUS_SUCCESS);
	packet = VmbPacketAllocate(ch);
	job = job_start(test, do_clean_up, ch);
	msleep(300);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	VmbPacketFree(packet);
	job_join(test, job);
	memset(ch, 0xcc, VmbSizeofChannel());
}

/* Up and down */

static void enable_twice(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->present = false;
	enable(test, client);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(client->ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
}

static void enable_an_active_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test, VmbChannelEnable(bus->ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, bus->ch->state, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->opens), 1);
}

static void disable_a_disabled_channel(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	VmbChannelDisable(client->ch);
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void disable_while_it_waits_for_a_device(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->present = false;
	enable(test, client);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "");
	KUNIT_EXPECT_FALSE(test, fake_bus_attach(client->ch, bus,
						 &some_guid));
}

static bool is_there(const char *path)
{
	struct file *file = open_file(path, O_RDONLY, 0);

	if (IS_ERR(file))
		return false;
	fput(file);
	return true;
}

/* A guest of Hyper-V has a bus, so this case is for a machine without it. */
static void enable_without_a_bus(struct kunit *test)
{
	struct client *client = server_client(test);

	if (is_there("/sys/module/vmbkmcl_hv"))
		kunit_skip(test, "vmbkmcl_hv is a bus");
	log_record(test);
	enable(test, client);
	is_logged(test, "no bus is there: the channel waits for one");
	KUNIT_EXPECT_NE(test, client->ch->state, KMCL_DISABLED);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "");
}

static void up_and_down_on_the_fake_bus(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	heard(test, client, UP);
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
}

static void up_and_down_with_the_server(struct kunit *test)
{
	struct client *client = server_client(test);
	guid_t type, instance, bound;

	server_guids(&type, &instance);
	VmbChannelGetInterfaceInstance(client->ch, &bound);
	KUNIT_EXPECT_TRUE(test, guid_is_null(&bound));
	bring_up(test, client);
	heard(test, client, UP);
	VmbChannelGetInterfaceInstance(client->ch, &bound);
	KUNIT_EXPECT_TRUE(test, guid_equal(&bound, &instance));
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
}

static void callbacks_are_optional(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS none;
	struct fake_bus *bus = fake_bus_create(test);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&none);
	VmbChannelInitSetStateChangeCallbacks(bus->ch, &none);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void cleanup_disables(struct kunit *test)
{
	struct client *client = client_alloc(test);
	struct fake_bus *bus = fake_bus_create(test);
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, kmcl_channel_allocate(&bus->ops, NULL, _THIS_IP_,
						    &ch), STATUS_SUCCESS);
	client_set_up(test, client, ch, &some_guid, NULL);
	bring_up(test, client);
	VmbChannelCleanup(ch);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void send_in_started(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = "Started";
	client->hook = send_something;
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
}

static void send_refused_from_suspend_on(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->hook = send_something;
	client->at = "Suspend";
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);

	client->seen = STATUS_PENDING;
	client->at = "Closed";
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* Calls from a callback are refused: they would wait for themselves */

static void try_to_enable(struct client *client)
{
	client->seen = VmbChannelEnable(client->ch);
}

static void try_to_disable(struct client *client)
{
	VmbChannelDisable(client->ch);
}

static void try_to_clean_up(struct client *client)
{
	VmbChannelCleanup(client->ch);
}

KUNIT_ARRAY_PARAM(callback, client_callbacks, client_callback_name);

static void calls_back(struct kunit *test, void (*hook)(struct client *client),
		       NTSTATUS seen)
{
	const char * const *at = test->param_value;
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	client->at = *at;
	client->hook = hook;
	bring_up(test, client);
	VmbChannelDisable(client->ch);
	heard(test, client, UP_DOWN);
	KUNIT_EXPECT_EQ(test, client->seen, seen);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
}

static void enable_in_a_callback(struct kunit *test)
{
	calls_back(test, try_to_enable, STATUS_INVALID_DEVICE_STATE);
}

static void disable_in_a_callback(struct kunit *test)
{
	calls_back(test, try_to_disable, STATUS_PENDING);
}

static void cleanup_in_a_callback(struct kunit *test)
{
	calls_back(test, try_to_clean_up, STATUS_PENDING);
}

/* Functions that Linux cannot provide */

static void unsupported(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, VmbChannelSetAllowableDpcCpuUsage(ch, 50),
			STATUS_NOT_SUPPORTED);
}

static struct kunit_case channel_cases[] = {
	KUNIT_CASE(no_place_for_the_channel),
	KUNIT_CASE(parent_is_held),
	KUNIT_CASE(no_channel),
	KUNIT_CASE(enable_twice),
	KUNIT_CASE(enable_an_active_channel),
	KUNIT_CASE(disable_a_disabled_channel),
	KUNIT_CASE(disable_while_it_waits_for_a_device),
	KUNIT_CASE(enable_without_a_bus),
	KUNIT_CASE(up_and_down_on_the_fake_bus),
	KUNIT_CASE(callbacks_are_optional),
	KUNIT_CASE(cleanup_disables),
	KUNIT_CASE(send_in_started),
	KUNIT_CASE(send_refused_from_suspend_on),
	KUNIT_CASE_PARAM(enable_in_a_callback, callback_gen_params),
	KUNIT_CASE_PARAM(disable_in_a_callback, callback_gen_params),
	KUNIT_CASE_PARAM(cleanup_in_a_callback, callback_gen_params),
	KUNIT_CASE(parent_device),
	KUNIT_CASE(own_memory_arguments),
	KUNIT_CASE(parent_of_own_memory),
	KUNIT_CASE(own_memory_waits_for_packets),
	KUNIT_CASE(unsupported),
	{}
};

struct kunit_suite vmbkmcl_channel_suite = {
	.name = "vmbkmcl_channel",
	.test_cases = channel_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case channel_server_cases[] = {
	KUNIT_CASE(up_and_down_with_the_server),
	KUNIT_CASE(channel_in_own_memory),
	{}
};

struct kunit_suite vmbkmcl_channel_server_suite = {
	.name = "vmbkmcl_channel_server",
	.test_cases = channel_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_server_suite);
