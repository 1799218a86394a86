// SPDX-License-Identifier: GPL-2.0-only
/* What a client sets on a channel before it enables it. */

#include <linux/slab.h>

#include "../vmbkmcl/rx_packet.h"
#include "lib/client.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "suites.h"

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

/* Each with its descriptor and trailer, and one word that stays free. */
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
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_TRUE(test, ch->set.has_instance);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, &some_guid, NULL,
							 NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, guid_equal(&ch->set.type, &some_guid));
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

static NTSTATUS set_gpa_direct(VMBCHANNEL ch, u32 size, u32 chain)
{
	return VmbChannelInitSetMaximumExternalData(ch, size, chain);
}

static void maximum_gpa_direct(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	u32 most = 8190 * 4096, rx = kmcl_channel_rx_bytes(ch);

	KUNIT_EXPECT_EQ(test, ch->set.max_gpa_direct_size, SZ_1M);
	KUNIT_EXPECT_EQ(test, ch->set.max_chain, 16);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, 1, 1), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, most, 512), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, 0, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, most + 1, 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, 1, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, 1, 513),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, set_gpa_direct(ch, 0, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, ch->set.max_gpa_direct_size, most);
	KUNIT_EXPECT_EQ(test, ch->set.max_chain, 512);

	/* Two such packets fit. Only the outgoing ring has room for their PFNs. */
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

	/*
	 * The data shows a write into the next packet, which KASAN would not
	 * see.
	 */
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

static VOID check_context(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
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

	set_process(client->ch, check_context, NULL);
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

/* The target CPU */

static void cpu_bounds(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(NULL, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(bus->ch,
								    nr_cpu_ids),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(bus->ch,
								    U32_MAX),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_FALSE(test, bus->ch->set.has_cpu);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbClientChannelInitSetTargetProcessorIndex(bus->ch, 0),
			STATUS_INVALID_PARAMETER_1);
}

static void target_cpu(struct kunit *test)
{
	struct client *client = server_client(test);
	unsigned int cpu;

	if (num_online_cpus() < 2)
		kunit_skip(test, "there is one CPU only");
	for_each_online_cpu(cpu) {
		KUNIT_ASSERT_EQ(test,
				VmbClientChannelInitSetTargetProcessorIndex(client->ch,
									    cpu),
				STATUS_SUCCESS);
		bring_up(test, client);
		KUNIT_EXPECT_EQ(test, server_echo_cpu(test, client->ch), cpu);
		VmbChannelDisable(client->ch);
	}
}

static void target_cpu_is_offline(struct kunit *test)
{
	struct client *client = server_client(test);

	if (nr_cpu_ids >= CONFIG_NR_CPUS)
		kunit_skip(test, "every CPU that can be is there");
	log_record(test);
	client->ch->set.has_cpu = true;
	client->ch->set.cpu = CONFIG_NR_CPUS - 1;
	bring_up(test, client);
	is_logged(test, "is offline, the channel interrupts CPU");
	server_echo_cpu(test, client->ch);
}

/* The server */

static void smallest_rings(struct kunit *test)
{
	struct client *client = server_client(test);

	VmbChannelInitSetMaximumPacketSize(client->ch, 64);
	set_pages(client->ch, 2, 2);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, call_server(test, client->ch, TESTDEV_ECHO, 0),
			TESTDEV_OK);
}

static struct kunit_case channel_settings_cases[] = {
	KUNIT_CASE(settings_hold_still_while_enabled),
	KUNIT_CASE(maximum_packet_size),
	KUNIT_CASE(ring_page_count),
	KUNIT_CASE(ring_is_as_large_as_asked),
	KUNIT_CASE(ring_has_room_for_two_packets),
	KUNIT_CASE(state_change_callbacks),
	KUNIT_CASE(target),
	KUNIT_CASE(flags),
	KUNIT_CASE(client_context_size),
	KUNIT_CASE(maximum_gpa_direct),
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
	KUNIT_CASE(cpu_bounds),
	{}
};

struct kunit_suite vmbkmcl_channel_settings_suite = {
	.name = "vmbkmcl_channel_settings",
	.test_cases = channel_settings_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case channel_settings_server_cases[] = {
	KUNIT_CASE(smallest_rings),
	KUNIT_CASE(target_cpu),
	KUNIT_CASE(target_cpu_is_offline),
	{}
};

struct kunit_suite vmbkmcl_channel_settings_server_suite = {
	.name = "vmbkmcl_channel_settings_server",
	.test_cases = channel_settings_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_settings_server_suite);
