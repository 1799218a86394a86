// SPDX-License-Identifier: GPL-2.0-only
/* A channel's settings and its life, on the fake bus and with the server. */

#include <linux/device.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../vmbkmcl/rx_packet.h"
#include "lib/client.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "suites.h"
#include "lib/user_memory.h"

#define DRIVER		"/sys/bus/vmbus/drivers/vmbkmcl-" TESTDEV_TYPE_GUID

/* What a client does in a callback */

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

static enum testdev_status call_server(struct kunit *test, VMBCHANNEL ch,
				       enum testdev_op op, u32 ms)
{
	struct testdev_request req = { .op = op, .length = ms };
	struct testdev_response rsp = {};
	struct server srv = { .ch = ch };

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	return rsp.status;
}

/* Allocating */

static void server_channel(struct kunit *test)
{
	VMBCHANNEL ch = (VMBCHANNEL)0x5eed;

	KUNIT_EXPECT_EQ(test, VmbChannelAllocate(NULL, TRUE, &ch),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_PTR_EQ(test, ch, (VMBCHANNEL)0x5eed);
}

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

/* Settings */

static void settings_hold_still_while_enabled(struct kunit *test)
{
	static WCHAR text[] = L"name";
	UNICODE_STRING name = { .Length = 8, .Buffer = text };
	VMBCHANNEL ch = fake_bus_start(test)->ch;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	struct kmcl_settings before = ch->set;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(ch, &name),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(ch, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumExternalData(ch, 1, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(ch, NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 64),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetRingBufferPageCount(ch, 2, 2),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, &some_guid, NULL,
							 NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_MEMEQ(test, &ch->set, &before, sizeof(before));
}

static void maximum_packet_size(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 1),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 65536),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, 65537),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketSize(ch, U32_MAX),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, ch->set.max_packet_size, 65536);
}

static NTSTATUS set_pages(VMBCHANNEL ch, u32 incoming, u32 outgoing)
{
	return VmbClientChannelInitSetRingBufferPageCount(ch, incoming,
							  outgoing);
}

static void ring_page_count(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, set_pages(ch, 512, 512), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 2, 3), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 0, 4), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 1, 4), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 513, 4), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 4, 0), STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 4, 1), STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 4, U32_MAX),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_pages(ch, 1, 1), STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, ch->set.rx_pages, 2);
	KUNIT_EXPECT_EQ(test, ch->set.tx_pages, 3);
}

static void ring_is_as_large_as_asked(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	u32 counts[] = { 2, 8, 9, 16, 100, 512 };
	unsigned int i;

	VmbChannelInitSetMaximumPacketSize(ch, 64);
	VmbChannelInitSetMaximumExternalData(ch, 4096, 1);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		set_pages(ch, counts[i], counts[i]);
		KUNIT_EXPECT_EQ(test, kmcl_channel_rx_bytes(ch),
				counts[i] * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, kmcl_channel_tx_bytes(ch),
				counts[i] * PAGE_SIZE);
	}
}

/* With descriptor and trailer, and a word that stays free. */
static void ring_has_room_for_two_packets(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	u32 size;

	set_pages(ch, 2, 2);
	for (size = 1; size <= KMCL_PACKET_SIZE_MAX; size += 1 + size / 16) {
		u32 wire = 16 + ALIGN(size, 8) + 8;

		VmbChannelInitSetMaximumPacketSize(ch, size);
		KUNIT_ASSERT_GE_MSG(test, kmcl_channel_rx_bytes(ch),
				    PAGE_SIZE + 2 * wire + 8, "%u bytes", size);
		KUNIT_ASSERT_GE_MSG(test, kmcl_channel_tx_bytes(ch),
				    PAGE_SIZE + 2 * wire + 8, "%u bytes", size);
	}
}

static VOID nothing(VMBCHANNEL ch)
{
}

static void state_change_callbacks(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS good, evt;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&good);
	good.EvtChannelClosed = nothing;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &good),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, NULL),
			STATUS_INVALID_PARAMETER_2);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.Version = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_INVALID_PARAMETER_2);
	evt.Version = 2;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_INVALID_PARAMETER_2);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.Size--;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_INVALID_PARAMETER_2);
	evt.Size += 2;
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_MEMEQ(test, &ch->set.evt, &good, sizeof(good));
}

static void target(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, NULL, &some_guid,
							 NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, &some_guid,
							 &some_guid, NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, &guid_null, NULL,
							 NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, guid_equal(&ch->set.type, &guid_null));
	KUNIT_EXPECT_FALSE(test, ch->set.has_instance);
}

static void flags(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 2),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, U32_MAX),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetFlags(ch,
					       VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, ch->set.is_pipe);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 2),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_TRUE(test, ch->set.is_pipe);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFlags(ch, 0), STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, ch->set.is_pipe);
}

static void client_context_size(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, ch->set.context_size, 0);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(ch, 65536),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(ch, 65537),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(ch, U32_MAX),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, ch->set.context_size, 65536);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetClientContextSize(ch, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ch->set.context_size, 0);
}

static NTSTATUS set_external(VMBCHANNEL ch, u32 size, u32 chain)
{
	return VmbChannelInitSetMaximumExternalData(ch, size, chain);
}

static void maximum_external_data(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	u32 most = 8190 * 4096, rx = kmcl_channel_rx_bytes(ch);

	KUNIT_EXPECT_EQ(test, ch->set.max_gpa_direct_size, SZ_1M);
	KUNIT_EXPECT_EQ(test, ch->set.max_chain, 16);
	KUNIT_EXPECT_EQ(test, set_external(ch, 1, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_external(ch, most, 512), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_external(ch, 0, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_external(ch, most + 1, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_external(ch, 1, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_external(ch, 1, 513),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_external(ch, 0, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, ch->set.max_gpa_direct_size, most);
	KUNIT_EXPECT_EQ(test, ch->set.max_chain, 512);

	/* Two such packets fit, and only to the host does any go. */
	KUNIT_EXPECT_GT(test, kmcl_channel_tx_bytes(ch), 2 * 8190 * 8);
	KUNIT_EXPECT_EQ(test, kmcl_channel_rx_bytes(ch), rx);
}

static VOID drop_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
			UINT32 length, UINT32 flags)
{
	VmbChannelPacketComplete(packet, NULL, 0);
}

static VOID count_batch(VMBCHANNEL ch, UINT32 packets)
{
	struct client *client = VmbChannelGetPointer(ch);

	client->packets += packets;
}

static NTSTATUS set_process(VMBCHANNEL ch,
			    PFN_VMB_CHANNEL_PROCESS_PACKET process,
			    PFN_VMB_CHANNEL_PROCESSING_COMPLETE complete)
{
	return VmbChannelInitSetProcessPacketCallbacks(ch, process, complete);
}

static void process_packet_callbacks(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, set_process(ch, NULL, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_process(ch, drop_packet, count_batch),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_process(ch, NULL, count_batch),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_PTR_EQ(test, ch->set.process_packet, &drop_packet);
	KUNIT_EXPECT_PTR_EQ(test, ch->set.processing_complete, &count_batch);
	KUNIT_EXPECT_EQ(test, set_process(ch, drop_packet, NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, ch->set.processing_complete);
}

static void processing_complete_counts(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	unsigned int i;

	set_process(client->ch, drop_packet, count_batch);
	bring_up(test, client);
	for (i = 0; i < 100; i++)
		fake_bus_deliver_request(bus, i, &i, sizeof(i));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 100);
	KUNIT_EXPECT_EQ(test, client->packets, 100);
}

static void packets_without_a_callback(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u64 word = 0;

	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(bus->ch->rx.dropped));
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->completions), 0);
}

static VOID use_context(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
			UINT32 length, UINT32 flags)
{
	u8 *context = VmbChannelPacketGetClientContext(packet);
	struct client *client = VmbChannelGetPointer(ch);

	/* KASAN would not see it run into the next packet, the data would. */
	if (context)
		memset(context, 0xcc, ch->set.context_size);
	client->held[client->packets] = packet;
	client->tags[client->packets] = *(u8 *)buffer;
	WRITE_ONCE(client->packets, client->packets + 1);
}

static void client_context(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	unsigned int i;

	set_process(client->ch, use_context, NULL);
	VmbChannelInitSetClientContextSize(client->ch, 100);
	VmbChannelInitSetMaximumPacketSize(client->ch, 16);
	bring_up(test, client);
	for (i = 0; i < KMCL_QUOTA_DEFAULT; i++)
		fake_bus_deliver_request(bus, i, &i, sizeof(i));
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(client->packets) == KMCL_QUOTA_DEFAULT);
	KUNIT_ASSERT_EQ(test, client->packets, KMCL_QUOTA_DEFAULT);
	for (i = 0; i < KMCL_QUOTA_DEFAULT; i++) {
		u8 *context = VmbChannelPacketGetClientContext(client->held[i]);

		KUNIT_EXPECT_EQ(test, client->tags[i], i);
		KUNIT_EXPECT_EQ(test, client->held[i]->data[0], i);
		KUNIT_EXPECT_EQ(test, context[0], 0xcc);
		KUNIT_EXPECT_EQ(test, context[99], 0xcc);
		VmbChannelPacketComplete(client->held[i], NULL, 0);
	}
}

static VOID look_for_context(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			     PVOID buffer, UINT32 length, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(ch);

	client->seen = !!VmbChannelPacketGetClientContext(packet);
	VmbChannelPacketComplete(packet, NULL, 0);
}

static void no_client_context(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	u64 word = 0;

	set_process(client->ch, look_for_context, NULL);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 1, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions));
	KUNIT_EXPECT_EQ(test, client->seen, 0);
}

static void pointer(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(ch));
	VmbChannelSetPointer(ch, test);
	KUNIT_EXPECT_PTR_EQ(test, VmbChannelGetPointer(ch), test);
	VmbChannelSetPointer(ch, NULL);
	KUNIT_EXPECT_NULL(test, VmbChannelGetPointer(ch));
}

/* Names */

static NTSTATUS set_name(VMBCHANNEL ch, WCHAR *text, USHORT length)
{
	UNICODE_STRING name = {
		.Length = length, .MaximumLength = length, .Buffer = text,
	};

	return VmbChannelInitSetFriendlyName(ch, &name);
}

static void is_named(struct kunit *test, VMBCHANNEL ch, const char *name)
{
	char full[KMCL_NAME_MAX];

	snprintf(full, sizeof(full), "%s-%u", name, ch->id);
	KUNIT_EXPECT_STREQ(test, ch->name, full);
}

static void named_by_default(struct kunit *test)
{
	is_named(test, get_channel(test), "channel");
}

static void friendly_name(struct kunit *test)
{
	static WCHAR text[] = L"SCSI.0-a and more";
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, set_name(ch, text, 16), STATUS_SUCCESS);
	is_named(test, ch, "SCSI.0-a");
}

static void friendly_name_of_one_character(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	WCHAR text[] = { 'x' };

	KUNIT_EXPECT_EQ(test, set_name(ch, text, 2), STATUS_SUCCESS);
	is_named(test, ch, "x");
}

static void friendly_name_that_is_long(struct kunit *test)
{
	static WCHAR text[] = L"abcdefghijklmnopqrstuvwxyz";
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, set_name(ch, text, 52), STATUS_SUCCESS);
	is_named(test, ch, "abcdefghijklmnopqrst");
	KUNIT_EXPECT_EQ(test, set_name(ch, text, 40), STATUS_SUCCESS);
	is_named(test, ch, "abcdefghijklmnopqrst");
}

static void friendly_name_that_is_no_file_name(struct kunit *test)
{
	WCHAR text[] = { '/', 0xe9, ' ', 'b', 0, '\n', 0xd83d, 0xde00, 0x161 };
	VMBCHANNEL ch = get_channel(test);

	KUNIT_EXPECT_EQ(test, set_name(ch, text, sizeof(text)), STATUS_SUCCESS);
	is_named(test, ch, "___b_____");
}

static void friendly_name_that_is_none(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	WCHAR text[] = { 'a', 'b' };

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(ch, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_name(ch, NULL, 2),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_name(ch, text, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_name(ch, text, 3),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetFriendlyName(NULL, NULL),
			STATUS_INVALID_PARAMETER_1);
	is_named(test, ch, "channel");
}

static void friendly_name_of_two_channels(struct kunit *test)
{
	VMBCHANNEL one = get_channel(test), two = get_channel(test);
	WCHAR text[] = { 'a', 'b' };

	KUNIT_EXPECT_EQ(test, set_name(one, text, 4), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_name(two, text, 4), STATUS_SUCCESS);
	KUNIT_EXPECT_STRNEQ(test, one->name, two->name);
}

static void debugfs_knows_the_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	WCHAR text[] = { 'd', 'b', 'g' };
	char path[80];

	KUNIT_ASSERT_EQ(test, set_name(bus->ch, text, 6), STATUS_SUCCESS);
	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/dbg-%u/state",
		 bus->ch->id);
	KUNIT_EXPECT_NOT_NULL(test, strstr(read_text(test, path),
					   "state: disabled\n"));
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_NOT_NULL(test, strstr(read_text(test, path),
					   "state: active\n"));
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
	heard(test, client, LIFE);
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
	log_watch(test);
	enable(test, client);
	is_logged(test, "no bus is there: the channel waits for one");
	KUNIT_EXPECT_NE(test, client->ch->state, KMCL_DISABLED);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "");
}

static void life_on_the_fake_bus(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	heard(test, client, UP);
	VmbChannelDisable(client->ch);
	heard(test, client, DOWN);
}

static void life_with_the_server(struct kunit *test)
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
	client_takes(test, client, ch, &some_guid, NULL);
	bring_up(test, client);
	VmbChannelCleanup(ch);
	heard(test, client, LIFE);
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

/* From a callback: refused, and nobody waits for itself */

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
	heard(test, client, LIFE);
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

/* Opening that fails */

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

/* One that no errno stands for. */
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

/* A disabled channel's client may be gone: no callback comes any more. */
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

static void second_device_not_taken(struct kunit *test)
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
 * Enable drops what it listened to before a rescind. What is offered by then
 * would be taken away again at once.
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

	/* The device is bound to the type's driver and goes to its own. */
	server_open(test);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	heard(test, client, "");
}

static void any_device_of_the_type(struct kunit *test)
{
	struct client *client = client_alloc(test);
	guid_t type, unused;

	server_guids(&type, &unused);
	client_takes(test, client, get_channel(test), &type, NULL);
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

/* Rescinds */

static void rescind_while_active(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bring_up(test, client);
	fake_bus_rescind(bus);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, LIFE);

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
	heard(test, client, LIFE);
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
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, LIFE);
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
	heard(test, client, LIFE);
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
	heard(test, client, LIFE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
}

static void rescind_before_open_is_answered(struct kunit *test)
{
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);

	bus->withhold = true;
	enable(test, client);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting));
	fake_bus_rescind(bus);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, "PnpFailure");
	KUNIT_EXPECT_EQ(test, client->failure, STATUS_DEVICE_REMOVED);
}

static void disable_before_open_is_answered(struct kunit *test)
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
	fake_bus_answer(bus);
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
		heard(test, client, LIFE);
		KUNIT_ASSERT_EQ(test, atomic_read(&bus->closes), i);
		bus->is_rescinded = false;
	}
}

/* The same race while the channel comes up: how far it gets is open. */
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

/* The server */

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
	heard(test, client, LIFE);

	/* It listens, and the offer comes. */
	bring_up(test, client);
	heard(test, client, UP);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static void unbound(struct kunit *test)
{
	struct client *client = server_client(test);

	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	heard(test, client, LIFE);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static void bound_after_enable(struct kunit *test)
{
	struct client *client = server_client(test);

	keep_the_driver(test);
	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	heard(test, client, LIFE);
	enable(test, client);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_ENABLED);
	write_text(test, DRIVER "/bind", TESTDEV_INSTANCE_GUID);
	becomes(test, client->ch, KMCL_ACTIVE);
	heard(test, client, UP);
}

static void bound_before_enable(struct kunit *test)
{
	struct client *client = server_client(test);

	keep_the_driver(test);
	bring_up(test, client);
	write_text(test, DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
	write_text(test, DRIVER "/bind", TESTDEV_INSTANCE_GUID);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	bring_up(test, client);
}

static void smallest_rings(struct kunit *test)
{
	struct client *client = server_client(test);

	VmbChannelInitSetMaximumPacketSize(client->ch, 64);
	set_pages(client->ch, 2, 2);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static unsigned long free_pages_now(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram;
}

/* Rings of half a megabyte: leaked ones would stand out of the noise. */
static void opened_twenty_times(struct kunit *test)
{
	struct client *client = server_client(test);
	unsigned long pages = 0;
	struct testdev_report first, last;
	unsigned int i;

	keep_the_driver(test);
	set_pages(client->ch, 64, 64);
	for (i = 0; i <= 20; i++) {
		bring_up(test, client);
		last = server_report(test, client->ch);
		VmbChannelDisable(client->ch);
		heard(test, client, LIFE);
		if (!i) {
			first = last;
			pages = free_pages_now();
		}
	}
	KUNIT_EXPECT_EQ(test, last.opens, first.opens + 20);
	KUNIT_EXPECT_EQ(test, last.closes, first.closes + 20);
	KUNIT_EXPECT_GT(test, free_pages_now() + 10 * 128, pages);
}

static struct kunit_case channel_cases[] = {
	KUNIT_CASE(server_channel),
	KUNIT_CASE(no_place_for_the_channel),
	KUNIT_CASE(parent_is_held),
	KUNIT_CASE(no_channel),
	KUNIT_CASE(settings_hold_still_while_enabled),
	KUNIT_CASE(maximum_packet_size),
	KUNIT_CASE(ring_page_count),
	KUNIT_CASE(ring_is_as_large_as_asked),
	KUNIT_CASE(ring_has_room_for_two_packets),
	KUNIT_CASE(state_change_callbacks),
	KUNIT_CASE(target),
	KUNIT_CASE(flags),
	KUNIT_CASE(client_context_size),
	KUNIT_CASE(maximum_external_data),
	KUNIT_CASE(process_packet_callbacks),
	KUNIT_CASE(processing_complete_counts),
	KUNIT_CASE(packets_without_a_callback),
	KUNIT_CASE(client_context),
	KUNIT_CASE(no_client_context),
	KUNIT_CASE(pointer),
	KUNIT_CASE(named_by_default),
	KUNIT_CASE(friendly_name),
	KUNIT_CASE(friendly_name_of_one_character),
	KUNIT_CASE(friendly_name_that_is_long),
	KUNIT_CASE(friendly_name_that_is_no_file_name),
	KUNIT_CASE(friendly_name_that_is_none),
	KUNIT_CASE(friendly_name_of_two_channels),
	KUNIT_CASE(debugfs_knows_the_channel),
	KUNIT_CASE(enable_twice),
	KUNIT_CASE(enable_an_active_channel),
	KUNIT_CASE(disable_a_disabled_channel),
	KUNIT_CASE(disable_while_it_waits_for_a_device),
	KUNIT_CASE(enable_without_a_bus),
	KUNIT_CASE(life_on_the_fake_bus),
	KUNIT_CASE(callbacks_are_optional),
	KUNIT_CASE(cleanup_disables),
	KUNIT_CASE(send_in_started),
	KUNIT_CASE(send_refused_from_suspend_on),
	KUNIT_CASE_PARAM(enable_in_a_callback, callback_gen_params),
	KUNIT_CASE_PARAM(disable_in_a_callback, callback_gen_params),
	KUNIT_CASE_PARAM(cleanup_in_a_callback, callback_gen_params),
	KUNIT_CASE(opened_fails),
	KUNIT_CASE(opened_fails_with_a_status_of_its_own),
	KUNIT_CASE(opened_fails_and_leaves_a_gpadl),
	KUNIT_CASE(open_refused),
	KUNIT_CASE(enable_fails),
	KUNIT_CASE(disable_waits_for_pnp_failure),
	KUNIT_CASE(device_comes_later),
	KUNIT_CASE(second_device_not_taken),
	KUNIT_CASE(device_comes_while_enable_listens_anew),
	KUNIT_CASE(rescind_while_active),
	KUNIT_CASE(rescind_twice),
	KUNIT_CASE(rescind_in_opened),
	KUNIT_CASE(rescind_in_post_started),
	KUNIT_CASE(disable_in_post_started),
	KUNIT_CASE(rescind_during_disable),
	KUNIT_CASE(rescind_before_open_is_answered),
	KUNIT_CASE(disable_before_open_is_answered),
	KUNIT_CASE_SLOW(rescinds_race_with_disable),
	KUNIT_CASE(rescinds_race_with_enable),
	{}
};

struct kunit_suite vmbkmcl_channel_suite = {
	.name = "vmbkmcl_channel",
	.test_cases = channel_cases,
};

/* What needs a server at the other end. */
static struct kunit_case channel_server_cases[] = {
	KUNIT_CASE(life_with_the_server),
	KUNIT_CASE(opened_fails_with_the_server),
	KUNIT_CASE(device_of_another_instance),
	KUNIT_CASE(any_device_of_the_type),
	KUNIT_CASE(device_goes_to_the_next_channel),
	KUNIT_CASE_SLOW(server_rescinds_and_offers_again),
	KUNIT_CASE_SLOW(unbound),
	KUNIT_CASE_SLOW(bound_after_enable),
	KUNIT_CASE_SLOW(bound_before_enable),
	KUNIT_CASE(smallest_rings),
	KUNIT_CASE_SLOW(opened_twenty_times),
	{}
};

struct kunit_suite vmbkmcl_channel_server_suite = {
	.name = "vmbkmcl_channel_server",
	.test_cases = channel_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_server_suite);
