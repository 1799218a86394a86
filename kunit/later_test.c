// SPDX-License-Identifier: GPL-2.0-only
/* The functions of the interface versions after the first. */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "lib/client.h"
#include "lib/device.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/outcome.h"
#include "lib/server.h"
#include "suites.h"
#include "lib/user_memory.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

static void send_word_of(struct kunit *test, VMBPACKET packet, u32 flags)
{
	u64 word = 0;

	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &word, sizeof(word), NULL, flags),
			STATUS_SUCCESS);
}

/* Devices */

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

/* As many packets as are to be under way */

static void packet_count_bounds(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(NULL, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bus->ch, 0),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 4097),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 256);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 4096),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 4096);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetMaximumPacketCount(bus->ch, 1),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.count, 4096);
}

#define FEW	3

/* One more than that waits until one of them is complete. */
static void packet_count_is_kept(struct kunit *test, struct fake_bus *bus)
{
	struct outcome notes[FEW + 1] = {};
	u64 word = 77, ids[FEW];
	int before = atomic_read(&bus->sends);
	unsigned int i;

	for (i = 0; i < FEW; i++) {
		send_word_of(test, packet_ex(test, bus->ch, &notes[i]), WAIT);
		ids[i] = bus->last_id;
	}
	send_word_of(test, packet_ex(test, bus->ch, &notes[FEW]), WAIT);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends) - before, FEW);

	fake_bus_complete(bus, ids[0], &word, sizeof(word));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) - before > FEW);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	for (i = 1; i < FEW; i++)
		fake_bus_complete(bus, ids[i], &word, sizeof(word));
	for (i = 0; i <= FEW; i++) {
		outcome_calls(test, &notes[i], 1);
		KUNIT_EXPECT_EQ(test, notes[i].status, STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);
}

static void packet_count(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, FEW),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet_count_is_kept(test, bus);

	/* After some were used, too. */
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, 100),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetMaximumPacketCount(bus->ch, FEW),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet_count_is_kept(test, bus);
}

/* Room in packet objects */

static void inline_context_bounds(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	u32 without = VmbChannelSizeofPacket(bus->ch);
	struct outcome note = {};
	void *room;

	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(NULL, 8),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 65537),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_NULL(test,
			  VmbPacketGetInlinePacketContextPointer(packet_ex(test,
									   bus->ch,
									   &note)));
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 65536),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(bus->ch), without + 65536);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 13),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelSizeofPacket(bus->ch), without + 16);
	room = VmbPacketGetInlinePacketContextPointer(packet_ex(test, bus->ch,
								&note));
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)room, 8));
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 8),
			STATUS_INVALID_PARAMETER_1);
}

/* Nothing else of a packet reaches there, and it is clean in a new one. */
static void inline_context(struct kunit *test)
{
	static PFN_NUMBER pfns[256];
	static u8 payload[4096];
	static const u8 zero[64];
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome note = {};
	VMBPACKET packet;
	u8 *room;

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetInlinePacketContextSize(bus->ch, 64),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	room = VmbPacketGetInlinePacketContextPointer(packet);
	KUNIT_ASSERT_NOT_NULL(test, room);
	KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)room, 8));
	KUNIT_EXPECT_MEMEQ(test, room, zero, sizeof(zero));
	memset(room, 0xa5, 64);

	/* Queued, so copied, with the longest description. */
	fake_bus_set_room(bus, 0);
	memset(payload, 0x5a, sizeof(payload));
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &note);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, payload,
						      sizeof(payload), pfns,
						      ARRAY_SIZE(pfns), WAIT),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 0xa5, 64));
	VmbChannelDisable(bus->ch);
	outcome_calls(test, &note, 1);
	KUNIT_EXPECT_EQ(test, note.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_NULL(test, memchr_inv(room, 0xa5, 64));

	VmbPacketFree(packet);
	packet = VmbPacketAllocate(bus->ch);
	KUNIT_ASSERT_PTR_EQ(test,
			    VmbPacketGetInlinePacketContextPointer(packet),
			    (void *)room);
	KUNIT_EXPECT_MEMEQ(test, room, zero, sizeof(zero));
	VmbPacketFree(packet);
}

/* KASAN looks that it ends where the caller's memory does. */
static void inline_context_in_own_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKET packet;
	u32 size;

	VmbChannelInitSetInlinePacketContextSize(bus->ch, 24);
	size = VmbChannelSizeofPacket(bus->ch);
	packet = kunit_kmalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_ASSERT_EQ(test, VmbPacketInitialize(bus->ch, packet, size),
			STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test,
			    VmbPacketGetInlinePacketContextPointer(packet),
			    (void *)packet + size - 24);
	memset(VmbPacketGetInlinePacketContextPointer(packet), 1, 24);
}

/* Callbacks with a context */

static void completion_routine_ex(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome note = {}, other = {};
	VMBPACKET packet = packet_ex(test, bus->ch, &note);
	u64 word = 0x1234;

	send_word_of(test, packet, WAIT);
	fake_bus_complete(bus, bus->last_id, &word, sizeof(word));
	outcome_calls(test, &note, 1);
	KUNIT_EXPECT_PTR_EQ(test, note.packet, (void *)packet);
	KUNIT_EXPECT_EQ(test, note.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, note.data, 0x1234);
	KUNIT_EXPECT_EQ(test, note.length, sizeof(word));

	/* The one set last is called, of whichever kind. */
	VmbPacketSetPointer(packet, &other);
	VmbPacketSetCompletionRoutine(packet, record_outcome);
	send_word_of(test, packet, 0);
	outcome_calls(test, &other, 1);
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &note);
	send_word_of(test, packet, 0);
	outcome_calls(test, &note, 2);
	outcome_calls(test, &other, 1);

	VmbPacketSetCompletionRoutineEx(packet, NULL, &note);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, NULL, 0),
			STATUS_INVALID_PARAMETER_1);
}

/**
 * struct context - the context of the two callbacks for packets
 * @ch: the channel
 * @calls: ProcessPacket callbacks
 * @data: first word of the last packet
 * @length: bytes of the last packet
 * @batches: ProcessingComplete callbacks
 * @batched: packets that those were for
 */
struct context {
	VMBCHANNEL ch;
	atomic_t calls;
	u64 data;
	u32 length;
	u32 batches;
	u32 batched;
};

static void context_calls(struct kunit *test, struct context *context,
			  int calls)
{
	EXPECT_EVENTUALLY(test, atomic_read(&context->calls) >= calls);
	KUNIT_EXPECT_EQ(test, atomic_read(&context->calls), calls);
}

static VOID packet_with_context(VMBCHANNEL ch, PVOID data,
				VMBPACKETCOMPLETION packet, PVOID buffer,
				UINT32 length, UINT32 flags)
{
	struct context *context = data;

	context->ch = ch;
	context->length = length;
	memcpy(&context->data, buffer, sizeof(context->data));
	VmbChannelPacketComplete(packet, NULL, 0);
	atomic_inc(&context->calls);
}

static VOID processed_with_context(VMBCHANNEL ch, PVOID data, UINT32 count)
{
	struct context *context = data;

	/* The channel that the packets before named. */
	if (context->ch == ch)
		context->batches++;
	context->batched += count;
}

static NTSTATUS set_callbacks_ex(VMBCHANNEL ch, struct context *context)
{
	return VmbChannelInitSetProcessPacketCallbacksEx(ch,
							 packet_with_context,
							 processed_with_context,
							 context);
}

static void process_packet_ex(struct kunit *test)
{
	struct client *client;
	struct fake_bus *bus;
	struct context context = {};
	u64 word = 0xfeed;

	client = fake_client(test, &bus);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(client->ch, &context),
			STATUS_SUCCESS);
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, set_callbacks_ex(client->ch, &context),
			STATUS_INVALID_PARAMETER_1);
	fake_bus_deliver_request(bus, 5, &word, sizeof(word));
	context_calls(test, &context, 1);
	KUNIT_EXPECT_PTR_EQ(test, context.ch, client->ch);
	KUNIT_EXPECT_EQ(test, context.data, 0xfeed);
	KUNIT_EXPECT_EQ(test, context.length, sizeof(word));
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	EXPECT_EVENTUALLY(test, READ_ONCE(context.batched) == 1);
	KUNIT_EXPECT_EQ(test, context.batches, 1);
	KUNIT_EXPECT_EQ(test, client->packets, 0);
	VmbChannelDisable(client->ch);

	/* The ones set last are called, of whichever kind. */
	client_takes(test, client, client->ch, &some_guid, NULL);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 6, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 1);
	context_calls(test, &context, 1);
	KUNIT_EXPECT_EQ(test, context.batches, 1);
	VmbChannelDisable(client->ch);

	/* Also none. */
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(client->ch,
								  NULL, NULL,
								  &context),
			STATUS_SUCCESS);
	bring_up(test, client);
	fake_bus_deliver_request(bus, 7, &word, sizeof(word));
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->rx.dropped));
	KUNIT_EXPECT_EQ(test, client->packets, 1);
	context_calls(test, &context, 1);
}

static void process_packet_ex_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct context context;

	KUNIT_EXPECT_EQ(test, set_callbacks_ex(NULL, &context),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(bus->ch, NULL,
								  processed_with_context,
								  &context),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, bus->ch->set.processing_complete_ex);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacksEx(bus->ch, NULL,
								  NULL, NULL),
			STATUS_SUCCESS);
}

/* A GPADL of pages by their numbers */

static void free_pages_of(void *page)
{
	free_page((unsigned long)page);
}

/* Neither neighbours nor in order. */
static void some_pages(struct kunit *test, u8 **pages, PFN_NUMBER *pfns,
		       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		pages[i] = (u8 *)get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		KUNIT_ASSERT_EQ(test,
				kunit_add_action_or_reset(test, free_pages_of,
							  pages[i]), 0);
	}
	swap(pages[0], pages[n - 1]);
	for (i = 0; i < n; i++)
		pfns[i] = page_to_pfn(virt_to_page(pages[i]));
}

#define PFNS	5

static void pfn_list(struct kunit *test)
{
	struct server *srv = server_open(test);
	PFN_NUMBER pfns[PFNS];
	u8 *pages[PFNS];
	unsigned int i;
	u32 handle, at;

	some_pages(test, pages, pfns, PFNS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(srv->ch, 0, pfns, PFNS,
							 &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 2);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle), PFNS * 4096);
	server_fill(test, srv, handle, 23);
	for (i = 0; i < PFNS; i++)
		for (at = 0; at < 4096; at++)
			if (pages[i][at] != testdev_pattern(23, i * 4096 + at))
				KUNIT_FAIL_AND_ABORT(test, "byte %u of page %u",
						     at, i);
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 1);
}

static void pfn_list_to_read(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PFN_NUMBER pfns[2];
	u8 *pages[2];
	char path[80];
	u32 handle;

	some_pages(test, pages, pfns, 2);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch,
							 VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
							 pfns, 2, &handle),
			STATUS_SUCCESS);
	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/gpadls",
		 bus->ch->name);
	KUNIT_EXPECT_NOT_NULL(test, strstr(read_text(test, path),
					   "8192 bytes MDL read-only"));
	VmbChannelDeleteGpadl(bus->ch, handle);
}

static void pfn_list_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	static PFN_NUMBER many[8191];
	u32 handle = 0x5eed;
	PFN_NUMBER pfns[2];
	u8 *pages[2];

	some_pages(test, pages, pfns, 2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(NULL, 0, pfns, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 2, pfns, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, NULL, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 0,
							 &handle),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 2,
							 NULL),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, many,
							 ARRAY_SIZE(many),
							 &handle),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns,
							 U32_MAX, &handle),
			STATUS_INVALID_BUFFER_SIZE);
	/* A page there is not, behind one there is. */
	pfns[1] = ~0UL >> PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 2,
							 &handle),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 1);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 1,
							 &handle),
			STATUS_INVALID_DEVICE_STATE);
}

/* Which CPU */

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

/* Where the server's completion is read, when nothing else is on its way. */
static unsigned int answered_on(struct kunit *test, VMBCHANNEL ch)
{
	struct testdev_request echo = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
	};
	struct outcome note = {};
	VMBPACKET packet = VmbPacketAllocate(ch);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &note);
	msleep(50);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &echo, sizeof(echo), NULL, WAIT),
			STATUS_SUCCESS);
	outcome_calls(test, &note, 1);
	VmbPacketFree(packet);
	return note.cpu;
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
		KUNIT_EXPECT_EQ(test, answered_on(test, client->ch), cpu);
		VmbChannelDisable(client->ch);
	}
}

static void target_cpu_is_offline(struct kunit *test)
{
	struct client *client = server_client(test);

	if (nr_cpu_ids >= CONFIG_NR_CPUS)
		kunit_skip(test, "every CPU that can be is there");
	log_watch(test);
	client->ch->set.has_cpu = true;
	client->ch->set.cpu = CONFIG_NR_CPUS - 1;
	bring_up(test, client);
	is_logged(test, "is offline, the channel interrupts CPU");
	answered_on(test, client->ch);
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
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitialize(NULL, TRUE, (VMBCHANNEL)memory,
					     size),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_MEMEQ(test, memory, clean, size + 8);
}

static VMBCHANNEL own_memory(struct kunit *test)
{
	VMBCHANNEL ch = kunit_kmalloc(test, VmbSizeofChannel(), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ch);
	/* Not what it needs to be at first. */
	memset(ch, 0xcc, VmbSizeofChannel());
	return ch;
}

/* Twice in the same memory, which is nobody else's in between. */
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
		client_takes(test, client, ch, &type, &instance);
		bring_up(test, client);
		answered_on(test, ch);
		VmbChannelDisable(ch);
		heard(test, client, LIFE);
		VmbChannelCleanup(ch);
		memset(ch, 0xcc, VmbSizeofChannel());
	}
}

static void do_clean_up(void *ch)
{
	VmbChannelCleanup(ch);
}

/* A packet object leads to the channel: its memory stays as long. */
static void own_memory_waits_for_objects(struct kunit *test)
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

/* What Linux has no way to do */

static void unsupported(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test);
	void *buffer = test;

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(ch, 4096, 4096),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(ch, 4096, &buffer),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_PTR_EQ(test, buffer, (void *)test);
	KUNIT_EXPECT_EQ(test, VmbChannelSetAllowableDpcCpuUsage(ch, 50),
			STATUS_NOT_SUPPORTED);
}

static struct kunit_case later_cases[] = {
	KUNIT_CASE(parent_device),
	KUNIT_CASE(packet_count_bounds),
	KUNIT_CASE(packet_count),
	KUNIT_CASE(inline_context_bounds),
	KUNIT_CASE(inline_context),
	KUNIT_CASE(inline_context_in_own_memory),
	KUNIT_CASE(completion_routine_ex),
	KUNIT_CASE(process_packet_ex),
	KUNIT_CASE(process_packet_ex_arguments),
	KUNIT_CASE(pfn_list_to_read),
	KUNIT_CASE(pfn_list_arguments),
	KUNIT_CASE(cpu_bounds),
	KUNIT_CASE(own_memory_arguments),
	KUNIT_CASE(parent_of_own_memory),
	KUNIT_CASE(own_memory_waits_for_objects),
	KUNIT_CASE(unsupported),
	{}
};

struct kunit_suite vmbkmcl_later_suite = {
	.name = "vmbkmcl_later",
	.test_cases = later_cases,
};

/* What needs a server at the other end. */
static struct kunit_case later_server_cases[] = {
	KUNIT_CASE(target_device),
	KUNIT_CASE(pfn_list),
	KUNIT_CASE(target_cpu),
	KUNIT_CASE(target_cpu_is_offline),
	KUNIT_CASE(channel_in_own_memory),
	{}
};

struct kunit_suite vmbkmcl_later_server_suite = {
	.name = "vmbkmcl_later_server",
	.test_cases = later_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_later_server_suite);
