// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPA-direct packets of MDLs: what the host is told, and how long pages are
 * held.
 */

#include <linux/crc32.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "lib/client.h"
#include "lib/failing.h"
#include "lib/log.h"
#include "lib/mdls.h"
#include "lib/outcome.h"
#include "lib/owner.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define FORCE	VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH
#define PAGED	VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER
#define SEED	11

/* A chain of three MDLs, none of which begins or ends with a page */
#define HEAD	5000
#define MIDDLE	100
#define TAIL	9000
#define ALL	(HEAD + MIDDLE + TAIL)
#define ROOM	(4 * PAGE_SIZE)

/**
 * struct chain - a chain of three MDLs
 * @va: ROOM bytes of memory for each MDL
 * @mdl: each
 * @start: where each begins
 * @len: bytes of each
 */
struct chain {
	void *va[3];
	PMDL mdl[3];
	void *start[3];
	u32 len[3];
};

static struct chain *get_chain(struct kunit *test)
{
	static const u32 lens[] = { HEAD, MIDDLE, TAIL };
	static const u32 offsets[] = { 3000, 4090, 17 };
	struct chain *chain = kunit_kzalloc(test, sizeof(*chain), GFP_KERNEL);
	size_t from = 0;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, chain);
	for (i = 0; i < 3; i++) {
		chain->va[i] = get_vmalloc(test, ROOM);
		memset(chain->va[i], 0xee, ROOM);
		chain->start[i] = chain->va[i] + offsets[i];
		chain->len[i] = lens[i];
		chain->mdl[i] = kernel_mdl(test, chain->start[i], lens[i]);
		fill_pattern(chain->start[i], lens[i], SEED, from);
		from += lens[i];
	}
	chain->mdl[0]->Next = chain->mdl[1];
	chain->mdl[1]->Next = chain->mdl[2];
	return chain;
}

static bool chain_has(const struct chain *chain, u32 seed)
{
	return has_pattern(chain->start[0], HEAD, seed, 0) &&
	       has_pattern(chain->start[1], MIDDLE, seed, HEAD) &&
	       has_pattern(chain->start[2], TAIL, seed, HEAD + MIDDLE);
}

static struct page *first_page(const struct chain *chain)
{
	return vmalloc_to_page(chain->va[0]);
}

static int references(const struct chain *chain)
{
	return page_count(first_page(chain));
}

static void chain_is_free(struct kunit *test, const struct chain *chain)
{
	int i, page;

	for (i = 0; i < 3; i++)
		for (page = 0; page < ROOM / PAGE_SIZE; page++)
			KUNIT_EXPECT_EQ(test,
					page_count(vmalloc_to_page(chain->va[i] +
								   page * PAGE_SIZE)),
					1);
}

/* Packet objects */

static void freed_twice(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct kmcl_packets *packets = &bus->ch->packets;
	VMBPACKET packet = VmbPacketAllocate(bus->ch), other;

	KUNIT_ASSERT_NOT_NULL(test, packet);
	log_record(test);
	VmbPacketFree(packet);
	VmbPacketFree(packet);
	is_logged(test, "a packet that was freed already is not freed");
	KUNIT_EXPECT_EQ(test, packets->count, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&packets->lent), 0);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_INVALID_PARAMETER_1);

	/* Two that are allocated then are two, and each can be sent. */
	packet = VmbPacketAllocate(bus->ch);
	other = VmbPacketAllocate(bus->ch);
	KUNIT_EXPECT_PTR_NE(test, packet, other);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, NULL, 0, NULL, 0),
			STATUS_SUCCESS);
	VmbPacketFree(other);
	EXPECT_EVENTUALLY(test, !atomic_read(&packets->lent));
}

static VMBCHANNEL channel_of_huge_packets;
static VMBPACKET huge_packet;

static void allocates_a_huge_packet(void)
{
	huge_packet = VmbPacketAllocate(channel_of_huge_packets);
}

/* NULL says so to the client. The kernel's log says nothing about it. */
static void no_memory_for_a_packet(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	u32 size = bus->ch->packets.layout.size;

	/* More than the kernel has in one piece */
	bus->ch->packets.layout.size = SZ_16M;
	channel_of_huge_packets = bus->ch;
	KUNIT_EXPECT_FALSE(test, is_reported(allocates_a_huge_packet,
					     "WARNING:"));
	bus->ch->packets.layout.size = size;
	KUNIT_EXPECT_NULL(test, huge_packet);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->ch->packets.lent), 0);
}

/* Packets */

static NTSTATUS send_part(VMBPACKET packet, PMDL mdl, u32 offset, u32 len,
			  u32 flags)
{
	u64 word = 0;

	return VmbPacketSendWithExternalMdl(packet, &word, sizeof(word), mdl,
					    offset, len, flags);
}

static NTSTATUS request(VMBCHANNEL ch, PMDL mdl, u32 flags, s64 timeout)
{
	LARGE_INTEGER time = { .QuadPart = timeout };
	u64 word = 0;

	return VmbChannelSendSynchronousRequest(ch, &word, sizeof(word), mdl,
						flags, NULL, NULL, &time);
}

static u32 slots_in_use(struct fake_bus *bus)
{
	u32 i, in_use = 0;

	for (i = 0; i < KMCL_TX_SLOTS; i++)
		in_use += !!bus->ch->tx.slots[i].entry;
	return in_use;
}

/* Copy all bytes that the last GPA-direct packet on the bus describes. */
static u32 described(struct fake_bus *bus, u8 *bytes, u32 room)
{
	struct kmcl_gpa_direct *desc = (void *)bus->last_gpa;
	struct kmcl_gpa_range *range = (void *)desc->ranges;
	u32 done = 0, i, n;

	for (i = 0; i < desc->range_count; i++) {
		u32 pos = range->offset, end = pos + range->len;

		for (; pos < end && done < room; pos += n, done += n) {
			u64 pfn = range->pfn[pos / 4096];

			n = min3(4096 - pos % 4096, end - pos, room - done);
			memcpy(bytes + done, phys_to_virt(pfn * 4096 +
							  pos % 4096), n);
		}
		range = (void *)&range->pfn[DIV_ROUND_UP(end, 4096)];
	}
	return (void *)range - (void *)desc == bus->last_gpa_len ? done : 0;
}

struct part {
	u32 offset;
	u32 len;
	u32 bytes;
	u32 ranges;
	u32 flags;
};

static void part_case(struct part *part, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bytes from %u, flags %#x",
		 part->len, part->offset, part->flags);
}

static struct part parts[] = {
	{ 0, 0, ALL, 3 },
	{ 0, ALL, ALL, 3, PAGED },
	{ 0, 1, 1, 1 },
	{ 1, HEAD - 1, HEAD - 1, 1 },
	{ 4999, 2, 2, 2 },
	{ 1096, 0, ALL - 1096, 3 },
	{ 1095, 3000, 3000, 1 },
	{ HEAD, 0, MIDDLE + TAIL, 2 },
	{ HEAD, MIDDLE, MIDDLE, 1 },
	{ HEAD + MIDDLE - 1, TAIL, TAIL, 2 },
	{ ALL - 1, 0, 1, 1 },
	{ ALL - 1, 1, 1, 1 },
	{ 0, HEAD, HEAD, 1, FORCE },
	{ 100, 200, 200, 1, FORCE },
};

KUNIT_ARRAY_PARAM(parts, parts, part_case);

static void part_of_a_chain(struct kunit *test)
{
	const struct part *part = test->param_value;
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	struct kmcl_gpa_direct *desc = (void *)bus->last_gpa;
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);

	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], part->offset,
					part->len, WAIT | part->flags),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, desc->range_count, part->ranges);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), part->bytes);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, part->bytes, SEED,
					    part->offset));
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	chain_is_free(test, chain);
}

/* Up to the end of the page in which the first MDL ends, and no byte more */
static void forced_length(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	struct kmcl_gpa_direct *desc = (void *)bus->last_gpa;
	struct kmcl_gpa_range *range = (void *)desc->ranges;
	u32 most = 2 * 4096 - 3000;

	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, most,
					WAIT | FORCE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, desc->range_count, 1);
	KUNIT_EXPECT_EQ(test, range->offset, 3000);
	KUNIT_EXPECT_EQ(test, range->len, most);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);

	/* Beginning behind the MDL's end. */
	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], most - 1, 1,
					WAIT | FORCE), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, range->offset, 4095);
	KUNIT_EXPECT_EQ(test, range->pfn[0],
			MmGetMdlPfnArray(chain->mdl[0])[1]);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);

	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 0, most + 1,
					WAIT | FORCE),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 1, U32_MAX,
					WAIT | FORCE),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 0, 0,
					WAIT | FORCE),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], most, 1,
					WAIT | FORCE),
			STATUS_INVALID_PARAMETER_5);
	chain_is_free(test, chain);
}

/* The offset in the MDL and the offset of the MDL in its first page exceed 32 bits. */
static void end_of_the_largest_mdl(struct kunit *test)
{
	static const u32 flags[] = { WAIT, WAIT | FORCE };
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	struct kmcl_gpa_direct *desc = (void *)bus->last_gpa;
	struct kmcl_gpa_range *range = (void *)desc->ranges;
	void *va = (void *)4095;
	PMDL mdl = get_vmalloc(test, MmSizeOfMdl(va, U32_MAX));
	unsigned int i;

	MmInitializeMdl(mdl, va, U32_MAX);
	mdl->MdlFlags |= MDL_PARTIAL;
	memset(MmGetMdlPfnArray(mdl), 0, mdl->Size - sizeof(*mdl));
	MmGetMdlPfnArray(mdl)[0] = 1;
	MmGetMdlPfnArray(mdl)[0x100000] = 2;
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		KUNIT_ASSERT_EQ(test, send_part(packet, mdl, U32_MAX - 9, 9,
						flags[i]), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, desc->range_count, 1);
		KUNIT_EXPECT_EQ(test, range->pfn[0], 2);
		KUNIT_EXPECT_EQ(test, range->offset, 4095 - 10);
		KUNIT_EXPECT_EQ(test, range->len, 9);
		fake_bus_complete(bus, bus->last_id, NULL, 0);
		outcome_is(test, &outcome, STATUS_SUCCESS);
	}
}

static void refused(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	PMDL mdl = chain->mdl[0];
	PMDL unbuilt = get_mdl(test, chain->va[0], 100);
	PMDL empty = get_mdl(test, chain->va[0], 0);
	u64 word = 0;

	empty->MdlFlags = MDL_SOURCE_IS_NONPAGED_POOL;
	KUNIT_EXPECT_EQ(test, send_part(NULL, mdl, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalMdl(packet, NULL, 8, mdl, 0, 0,
						     WAIT),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSendWithExternalMdl(packet, &word, 4097, mdl, 0,
						     0, WAIT),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, send_part(packet, NULL, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, NULL, 0, 8, WAIT | FORCE),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, unbuilt, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, unbuilt, 0, 8, WAIT | FORCE),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, empty, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, ALL, 0, WAIT),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, U32_MAX, 1, WAIT),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, ALL + 1, WAIT),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 1, U32_MAX, WAIT),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, 0),
			STATUS_INVALID_PARAMETER_7);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, WAIT | 8),
			STATUS_INVALID_PARAMETER_7);

	/* An MDL without PFNs does not matter when the send ends before it. */
	chain->mdl[1]->Next = unbuilt;
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, HEAD + MIDDLE + 1,
					WAIT), STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
	chain_is_free(test, chain);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, HEAD + MIDDLE, WAIT),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, HEAD, WAIT),
			STATUS_DEVICE_BUSY);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	chain_is_free(test, chain);
}

static void limits(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	PMDL mdl = chain->mdl[0];
	VMBPACKET packet;
	u64 word = 0;

	VmbChannelInitSetMaximumExternalData(bus->ch, ALL - 1, 2);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	packet = packet_of(test, bus->ch, &outcome);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, HEAD + MIDDLE + 1,
					WAIT), STATUS_INVALID_PARAMETER_4);
	/* A chain that is a circle */
	chain->mdl[1]->Next = mdl;
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, WAIT),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &word, 8, mdl, WAIT),
			STATUS_INVALID_PARAMETER_4);

	/* First one byte too many, then not */
	chain->mdl[1]->Next = NULL;
	mdl = kernel_mdl(test, chain->va[2] + 1, ALL);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, 0, WAIT),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 0, ALL, WAIT | FORCE),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, 8, mdl, WAIT),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
	chain_is_free(test, chain);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl, 1, 0, WAIT),
			STATUS_SUCCESS);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/* As many MDLs as allowed, each over two pages: this fills all the room. */
static void most_segments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct outcome outcome = {};
	void *va = get_vmalloc(test, 2 * PAGE_SIZE);
	struct page *page;
	VMBPACKET packet;
	PMDL mdl[64];
	int i;

	VmbChannelInitSetMaximumExternalData(bus->ch, 2 * ARRAY_SIZE(mdl),
					     ARRAY_SIZE(mdl));
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	for (i = 0; i < ARRAY_SIZE(mdl); i++) {
		mdl[i] = kernel_mdl(test, va + 4095, 2);
		if (i)
			mdl[i - 1]->Next = mdl[i];
	}
	packet = packet_of(test, bus->ch, &outcome);
	KUNIT_EXPECT_EQ(test, send_part(packet, mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
	bus->close_err = -EIO;
	log_record(test);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_IO_TIMEOUT);
	is_logged(test, "128 pages of external data are kept for good");
	for (i = 0; i < 2; i++) {
		page = vmalloc_to_page(va + i * PAGE_SIZE);
		KUNIT_EXPECT_EQ(test, page_count(page), 1 + ARRAY_SIZE(mdl));
		page_ref_sub(page, ARRAY_SIZE(mdl));
	}
}

static void send_with_mdl(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);
	u64 word = 0;

	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &word, 8, chain->mdl[0],
				      WAIT | 8), STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &word, 8,
				      get_mdl(test, chain->va[0], 8), WAIT),
			STATUS_INVALID_PARAMETER_4);
	/* There is no length to force. */
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, 8, chain->mdl[0],
				      WAIT | FORCE | PAGED), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, ALL, SEED, 0));
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

/*
 * Complete when it is in the ring: the host is told of the memory, and no completion is
 * asked for.
 */
static void send_with_mdl_without_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);
	u64 word = 0;

	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, 8, chain->mdl[0], 0),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, ALL, SEED, 0));
	KUNIT_EXPECT_EQ(test, bus->last_id, 0);
	KUNIT_EXPECT_EQ(test, slots_in_use(bus), 0);

	/* The ring is full: it is queued, and described all the same. */
	fake_bus_set_room(bus, 0);
	memset(bytes, 0, ALL);
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, 8, chain->mdl[0], 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
	fake_bus_set_room(bus, INT_MAX);
	kmcl_poll_schedule(bus->ch);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 2);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	chain_is_free(test, chain);

	/* Not in the ring yet at the close */
	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, 8, chain->mdl[0], 0),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
}

static void request_with_mdl_without_completion(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], 0, -SECOND),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, ALL, SEED, 0));
	KUNIT_EXPECT_EQ(test, bus->last_id, 0);
	KUNIT_EXPECT_EQ(test, slots_in_use(bus), 0);
	chain_is_free(test, chain);

	/* DEBUG_ATOMIC_SLEEP reports a sleep here. */
	local_bh_disable();
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], 0, 0),
			STATUS_SUCCESS);
	local_bh_enable();
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 2);
	chain_is_free(test, chain);

	/* Queued, and taken back from the queue */
	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], 0, -SECOND / 20),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], 0, 0),
			STATUS_BUFFER_OVERFLOW);
	chain_is_free(test, chain);
}

/* How long it is kept */

/* The flags say that the owner keeps the memory, so no page is held. */
static void left_to_its_owner(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	chain_is_free(test, chain);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	chain_is_free(test, chain);
}

static void whole_pages_are_kept_too(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = (void *)__get_free_page(GFP_KERNEL);
	struct page *page = virt_to_page(va);
	/* The second page number is no memory. */
	PFN_NUMBER pfns[] = { PHYS_PFN(virt_to_phys(va)), ~0UL >> PAGE_SHIFT };
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u64 word = 0;

	KUNIT_ASSERT_EQ(test,
			VmbPacketSendWithExternalPfns(packet, &word, 8, pfns, 2,
						      WAIT), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	bus->close_err = -EIO;
	log_record(test);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_IO_TIMEOUT);
	is_logged(test, "1 pages of external data are kept for good");
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	put_page(page);
	free_page((unsigned long)va);
}

static void nothing_kept_of_a_refused_send(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	fake_bus_fail_sends(bus, true);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_UNSUCCESSFUL);
	chain_is_free(test, chain);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_INVALID_DEVICE_STATE);
	chain_is_free(test, chain);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
}

/**
 * struct closing - what there was when the ring was closed
 * @close: the bus's own
 * @chain: some memory
 * @references: so many were held of it
 * @outcome: of a packet; may be NULL
 * @calls: of its routine until then
 */
struct closing {
	int (*close)(struct kmcl_channel *ch);
	struct chain *chain;
	int references;
	struct outcome *outcome;
	int calls;
};

static int check_and_close(struct kmcl_channel *ch)
{
	struct closing *closing = VmbChannelGetPointer(ch);

	closing->references = references(closing->chain);
	if (closing->outcome)
		closing->calls = atomic_read(&closing->outcome->calls);
	return closing->close(ch);
}

static struct closing *check_at_close(struct kunit *test, struct fake_bus *bus,
				      struct chain *chain)
{
	struct closing *closing = kunit_kzalloc(test, sizeof(*closing),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, closing);
	closing->close = bus->ops.close;
	closing->chain = chain;
	VmbChannelSetPointer(bus->ch, closing);
	bus->ops.close = check_and_close;
	return closing;
}

/* When the routine is called, the owner may free the memory. */
static void not_complete_before_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct closing *closing = check_at_close(test, bus, chain);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	closing->outcome = &outcome;
	closing->calls = -1;
	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, closing->calls, 0);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
}

/* The close failed: the host may write for ever, so the pages are never freed. */
static void kept_for_good(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = { .page = first_page(chain) };
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, HEAD, WAIT),
			STATUS_SUCCESS);
	bus->close_err = -EIO;
	log_record(test);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_IO_TIMEOUT);
	/* The reference was there when the routine was called. */
	KUNIT_EXPECT_EQ(test, outcome.page_refs, 2);
	KUNIT_EXPECT_EQ(test, references(chain), 2);
	is_logged(test, "2 pages of external data are kept for good");

	/* The failed close does not affect the next opening. */
	bus->close_err = 0;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[1], 0, 0, WAIT),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(chain->va[1])), 1);
}

/* After a rescind the host has no access, whatever the close returns. */
static void not_kept_on_a_rescinded_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);

	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	bus->close_err = -EIO;
	fake_bus_rescind(bus);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
}

static void queued_until_there_is_room(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);

	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	/* The chain is the caller's again. */
	chain->mdl[0]->Next = NULL;
	fake_bus_set_room(bus, 1);
	kmcl_poll_schedule(bus->ch);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, ALL, SEED, 0));
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	chain_is_free(test, chain);

	/* A packet that is not sent at all */
	KUNIT_ASSERT_EQ(test, send_part(packet, chain->mdl[0], 0, 0, WAIT),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 1);
}

/* Synchronous requests */

/**
 * struct asker - a request made in another thread
 * @ch: on this channel
 * @mdl: with this external data
 * @timeout: in units of 100 ns; 0: NULL
 * @status: what came of it
 */
struct asker {
	VMBCHANNEL ch;
	PMDL mdl;
	s64 timeout;
	NTSTATUS status;
};

static void do_request(void *arg)
{
	struct asker *asker = arg;

	asker->status = request(asker->ch, asker->mdl, WAIT, asker->timeout);
}

static void request_refused(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct chain *chain = get_chain(test);

	VmbChannelInitSetMaximumExternalData(bus->ch, ALL - 1, 3);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], 0, 0),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], WAIT | 8, 0),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			request(bus->ch, get_mdl(test, chain->va[0], 1), WAIT,
				0), STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], WAIT, 0),
			STATUS_INVALID_BUFFER_SIZE);
	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
			STATUS_BUFFER_OVERFLOW);
	fake_bus_set_room(bus, 1);
	fake_bus_fail_sends(bus, true);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
			STATUS_INVALID_DEVICE_STATE);
	chain_is_free(test, chain);
}

static void request_completed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct asker asker = {
		.ch = bus->ch, .mdl = chain->mdl[0], .timeout = -20 * SECOND,
	};
	u8 *bytes = kunit_kzalloc(test, ALL, GFP_KERNEL);
	struct job *job = job_start(test, do_request, &asker);

	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	KUNIT_EXPECT_EQ(test, references(chain), 2);
	KUNIT_EXPECT_EQ(test, described(bus, bytes, ALL), ALL);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, ALL, SEED, 0));
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_SUCCESS);
	chain_is_free(test, chain);
}

/* The caller times out and frees its memory, but the host still has it. */
static void completed_late(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(PAGE_SIZE);
	struct page *page;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, va);
	page = vmalloc_to_page(va);
	get_page(page);
	mdl = IoAllocateMdl(va, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_EXPECT_EQ(test, request(bus->ch, mdl, WAIT, -1),
			STATUS_CANCELLED);
	IoFreeMdl(mdl);
	vfree(va);
	/* One reference is this case's, the other the abandoned request's. */
	EXPECT_EVENTUALLY(test, page_count(page) == 2);
	KUNIT_EXPECT_EQ(test, slots_in_use(bus), 1);

	fake_bus_complete(bus, bus->last_id, NULL, 0);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);
	KUNIT_EXPECT_EQ(test, slots_in_use(bus), 0);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);

	/* A second completion has no effect. */
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	EXPECT_EVENTUALLY(test, bus->ch->tx.bad_ids == 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

static void never_completed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct closing *closing = check_at_close(test, bus, chain);

	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], WAIT, 0),
			STATUS_CANCELLED);
	KUNIT_EXPECT_EQ(test, references(chain), 2);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, closing->references, 2);
	chain_is_free(test, chain);
}

static void never_completed_and_not_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);

	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], WAIT, 0),
			STATUS_CANCELLED);
	bus->close_err = -EIO;
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, references(chain), 2);
}

/* The host has not seen the request. */
static void timed_out_in_the_queue(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);

	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[0], WAIT, -10000),
			STATUS_CANCELLED);
	chain_is_free(test, chain);
	KUNIT_EXPECT_EQ(test, slots_in_use(bus), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->sends), 0);
}

/* The request returns before the close, but its pages are held until then. */
static void request_at_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct asker asker = {
		.ch = bus->ch, .mdl = chain->mdl[0], .timeout = -20 * SECOND,
	};
	struct job *asking = job_start(test, do_request, &asker), *closing;

	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	bus->withhold = true;
	closing = job_start(test, do_disable, bus->ch);
	job_join(test, asking);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_DEVICE_REMOVED);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	KUNIT_EXPECT_EQ(test, references(chain), 2);
	fake_bus_let_complete(bus);
	job_join(test, closing);
	chain_is_free(test, chain);
}

static void queued_request_at_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct asker asker = {
		.ch = bus->ch, .mdl = chain->mdl[0], .timeout = -20 * SECOND,
	};
	struct job *job;

	fake_bus_set_room(bus, 0);
	job = job_start(test, do_request, &asker);
	ASSERT_EVENTUALLY(test, READ_ONCE(bus->ch->tx.queued));
	VmbChannelDisable(bus->ch);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
}

static void request_at_a_rescind(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct asker asker = {
		.ch = bus->ch, .mdl = chain->mdl[0], .timeout = -20 * SECOND,
	};
	struct job *job = job_start(test, do_request, &asker);

	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	fake_bus_rescind(bus);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_DEVICE_REMOVED);
	chain_is_free(test, chain);
}

/* A host that completes no request gets at most as many as there are slots. */
static void table_full_of_abandoned_requests(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	unsigned int i;
	u64 id = 0;

	for (i = 0; i < KMCL_TX_SLOTS; i++) {
		KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
				STATUS_CANCELLED);
		id = bus->last_id;
	}
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, send_word(bus->ch, WAIT, -10000),
			STATUS_CANCELLED);
	fake_bus_complete(bus, id, NULL, 0);
	EXPECT_EVENTUALLY(test, slots_in_use(bus) == KMCL_TX_SLOTS - 1);
	KUNIT_EXPECT_EQ(test, request(bus->ch, chain->mdl[1], WAIT, 0),
			STATUS_CANCELLED);
	VmbChannelDisable(bus->ch);
	chain_is_free(test, chain);
}

/* The server */

static struct testdev_response ask(struct kunit *test, struct server *srv,
				   u32 op, u32 seed, PMDL mdl)
{
	LARGE_INTEGER timeout = { .QuadPart = -20 * SECOND };
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = op, .seed = seed,
	};
	struct testdev_response rsp = {};
	u32 size = sizeof(rsp);

	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(srv->ch, &req,
							 sizeof(req), mdl, WAIT,
							 &rsp, &size, &timeout),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
	return rsp;
}

static u32 pattern_crc32(u32 seed, u32 bytes)
{
	u32 crc = ~0, i;
	u8 byte;

	for (i = 0; i < bytes; i++) {
		byte = testdev_pattern(seed, i);
		crc = crc32_le(crc, &byte, 1);
	}
	return ~crc;
}

static void server_reads_and_writes_a_chain(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct chain *chain = get_chain(test);
	int i;

	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_CRC32, 0,
				  chain->mdl[0]).value,
			pattern_crc32(SEED, ALL));
	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_FILL, 22,
				  chain->mdl[0]).value, ALL);
	KUNIT_EXPECT_TRUE(test, chain_has(chain, 22));
	/* No byte beside the MDLs has changed. */
	for (i = 0; i < 3; i++) {
		u8 *before = chain->start[i] - 1;
		u8 *behind = chain->start[i] + chain->len[i];

		KUNIT_EXPECT_EQ(test, *before, 0xee);
		KUNIT_EXPECT_EQ(test, *behind, 0xee);
	}
	chain_is_free(test, chain);
}

static void server_writes_user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, ROOM,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	u8 *bytes = kunit_kzalloc(test, ROOM, GFP_KERNEL);
	struct server *srv = server_open(test);
	long pins = pins_held(test);
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	user_memory_write_pattern(test, addr, ROOM, 1);
	mdl = lock_mdl(test, (void *)addr + 100, ROOM - 200, UserMode,
		       IoModifyAccess);
	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_FILL, 33,
				  mdl).value, ROOM - 200);
	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_CRC32, 0,
				  mdl).value, pattern_crc32(33, ROOM - 200));
	MmUnlockPages(mdl);
	KUNIT_ASSERT_EQ(test, copy_from_user(bytes, (void __user *)addr, ROOM),
			0);
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes, 100, 1, 0));
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes + 100, ROOM - 200, 33, 0));
	KUNIT_EXPECT_TRUE(test, has_pattern(bytes + ROOM - 100, 100, 1,
					    ROOM - 100));
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
}

static void owner_of_gpa_direct_is_gone(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct owner *owner = owner_start(test, NULL);

	KUNIT_ASSERT_EQ(test, owner->status, STATUS_SUCCESS);
	owner_kill(test, owner);
	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_FILL, 44,
				  owner->mdl).value, OWNER_BYTES);
	KUNIT_EXPECT_EQ(test, ask(test, srv, TESTDEV_GPA_DIRECT_CRC32, 0,
				  owner->mdl).value,
			pattern_crc32(44, OWNER_BYTES));
	MmUnlockPages(owner->mdl);
	IoFreeMdl(owner->mdl);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), 0);
}

/* The server writes after the timeout, and the page is not yet reused. */
static void server_writes_late(struct kunit *test)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_GPA_DIRECT_FILL, .seed = 55,
	};
	struct testdev_request stall = { .op = TESTDEV_STALL, .length = 1000 };
	LARGE_INTEGER timeout = { .QuadPart = -SECOND / 10 };
	struct server *srv = server_open(test);
	struct testdev_response rsp;
	struct page *page;
	void *va;
	PMDL mdl;

	va = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, va);
	page = virt_to_page(va);
	mdl = IoAllocateMdl(va, PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	MmBuildMdlForNonPagedPool(mdl);
	KUNIT_ASSERT_EQ(test, server_call(srv, &stall, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(srv->ch, &req,
							 sizeof(req), mdl, WAIT,
							 NULL, NULL, &timeout),
			STATUS_CANCELLED);
	IoFreeMdl(mdl);
	get_page(page);
	free_page((unsigned long)va);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);
	KUNIT_EXPECT_TRUE(test, has_pattern(page_address(page), PAGE_SIZE, 55,
					    0));
	put_page(page);
}

/* Allocations that fail */

static void request_without_memory(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct chain *chain = get_chain(test);
	unsigned int nth, failures = 0;
	bool failed = true;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		struct testdev_request req = {
			.magic = TESTDEV_MAGIC, .op = TESTDEV_GPA_DIRECT_CRC32,
		};
		LARGE_INTEGER timeout = { .QuadPart = -20 * SECOND };
		NTSTATUS status;

		fail_nth(nth);
		status = VmbChannelSendSynchronousRequest(srv->ch, &req,
							  sizeof(req),
							  chain->mdl[0], WAIT,
							  NULL, NULL, &timeout);
		failed = has_failed();
		fail_nth(0);
		if (!NT_SUCCESS(status)) {
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			failures++;
		}
		chain_is_free(test, chain);
	}
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_GE(test, failures, 1);
}

/* A send allocates nothing. */
static void packet_without_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct chain *chain = get_chain(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	NTSTATUS status;
	bool failed;

	fail_nth(1);
	status = send_part(packet, chain->mdl[0], 0, 0, WAIT);
	failed = has_failed();
	fail_nth(0);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, failed);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	outcome_is(test, &outcome, STATUS_SUCCESS);
}

static struct kunit_case tx_gpa_direct_cases[] = {
	KUNIT_CASE(freed_twice),
	KUNIT_CASE(no_memory_for_a_packet),
	KUNIT_CASE_PARAM(part_of_a_chain, parts_gen_params),
	KUNIT_CASE(forced_length),
	KUNIT_CASE(end_of_the_largest_mdl),
	KUNIT_CASE(refused),
	KUNIT_CASE(limits),
	KUNIT_CASE(most_segments),
	KUNIT_CASE(send_with_mdl),
	KUNIT_CASE(send_with_mdl_without_completion),
	KUNIT_CASE(request_with_mdl_without_completion),
	KUNIT_CASE(left_to_its_owner),
	KUNIT_CASE(whole_pages_are_kept_too),
	KUNIT_CASE(nothing_kept_of_a_refused_send),
	KUNIT_CASE(not_complete_before_the_close),
	KUNIT_CASE(kept_for_good),
	KUNIT_CASE(not_kept_on_a_rescinded_channel),
	KUNIT_CASE(queued_until_there_is_room),
	KUNIT_CASE(request_refused),
	KUNIT_CASE(request_completed),
	KUNIT_CASE(completed_late),
	KUNIT_CASE(never_completed),
	KUNIT_CASE(never_completed_and_not_closed),
	KUNIT_CASE(timed_out_in_the_queue),
	KUNIT_CASE(request_at_the_close),
	KUNIT_CASE(queued_request_at_the_close),
	KUNIT_CASE(request_at_a_rescind),
	KUNIT_CASE(table_full_of_abandoned_requests),
	KUNIT_CASE(packet_without_memory),
	{}
};

struct kunit_suite vmbkmcl_tx_gpa_direct_suite = {
	.name = "vmbkmcl_tx_gpa_direct",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = tx_gpa_direct_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case tx_gpa_direct_server_cases[] = {
	KUNIT_CASE(server_reads_and_writes_a_chain),
	KUNIT_CASE(server_writes_user_memory),
	KUNIT_CASE(owner_of_gpa_direct_is_gone),
	KUNIT_CASE(server_writes_late),
	KUNIT_CASE(request_without_memory),
	{}
};

struct kunit_suite vmbkmcl_tx_gpa_direct_server_suite = {
	.name = "vmbkmcl_tx_gpa_direct_server",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = tx_gpa_direct_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_tx_gpa_direct_server_suite);
