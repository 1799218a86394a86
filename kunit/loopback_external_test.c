// SPDX-License-Identifier: GPL-2.0-only
/*
 * External data of a client's packets, in the hands of a server in the same
 * kernel.
 */

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>

#include "../vmbkmcl/rx_packet.h"
#include "lib/log.h"
#include "lib/loopback.h"
#include "lib/mdls.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define BYTES	(3 * PAGE_SIZE)

/**
 * struct writer - a server that writes a pattern to the external data of packets
 * @client: the recorder of its state-change callbacks; first, as the channel's
 *	pointer
 * @status: what VmbChannelPacketGetExternalData() returned last
 * @pending: calls of it that returned STATUS_PENDING
 * @bytes: bytes of external data in the last packet
 * @mdls: MDLs of the last packet
 * @calls: calls of ProcessPacket
 * @flags: what the last one was told
 * @defers: have the packet delivered where the memory can be mapped
 * @keeps: keep the packet in @kept
 * @kept: the packet that was kept
 * @fails: call VmbChannelPacketFail()
 */
struct writer {
	struct client client;
	NTSTATUS status;
	unsigned int pending;
	u32 bytes;
	u32 mdls;
	unsigned int calls;
	u32 flags;
	bool defers;
	bool keeps;
	VMBPACKETCOMPLETION kept;
	bool fails;
};

static void writer_writes(struct writer *writer, PMDL mdl)
{
	writer->bytes = 0;
	writer->mdls = 0;
	for (; mdl; mdl = mdl->Next) {
		void *va = MmGetSystemAddressForMdlSafe(mdl,
							NormalPagePriority);

		fill_pattern(va, MmGetMdlByteCount(mdl), 7, writer->bytes);
		writer->bytes += MmGetMdlByteCount(mdl);
		writer->mdls++;
	}
}

static VOID writer_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			  PVOID buffer, UINT32 length, UINT32 flags)
{
	struct writer *writer = VmbChannelGetPointer(ch);
	PMDL mdl = NULL;

	writer->calls++;
	writer->flags = flags;
	if (writer->defers && in_softirq()) {
		VmbChannelPacketDeferToPassive(packet);
		return;
	}
	writer->status = VmbChannelPacketGetExternalData(packet, 0, &mdl);
	if (writer->status == STATUS_PENDING) {
		writer->pending++;
		return;
	}
	if (NT_SUCCESS(writer->status))
		writer_writes(writer, mdl);
	if (writer->keeps)
		WRITE_ONCE(writer->kept, packet);
	else if (writer->fails)
		VmbChannelPacketFail(packet);
	else
		VmbChannelPacketComplete(packet, &writer->bytes,
					 sizeof(writer->bytes));
}

/* The server of the case, and a client that is connected to it */
struct parties {
	struct writer *writer;
	struct client *client;
	struct outcome outcome;
};

static void get_parties(struct kunit *test, struct parties *parties)
{
	struct writer *writer = kunit_kzalloc(test, sizeof(*writer), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, writer);
	client_init(&writer->client);
	client_set_up_server(test, &writer->client, get_server(test),
			     &loopback_type, &loopback_instance);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(writer->client.ch,
								writer_packet,
								NULL),
			STATUS_SUCCESS);
	parties->writer = writer;
	parties->client = loopback_client(test);
	memset(&parties->outcome, 0, sizeof(parties->outcome));
}

static void connect_parties(struct kunit *test, struct parties *parties)
{
	connect_both(test, parties->client, &parties->writer->client);
}

static void send_mdl(struct kunit *test, struct parties *parties, PMDL mdl)
{
	VMBPACKET packet = packet_of(test, parties->client->ch,
				     &parties->outcome);
	u64 word = 1;

	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), mdl,
					    WAIT), STATUS_SUCCESS);
}

/* Pages next to each other: a server can use them in softirq. */
static void in_the_linear_map(struct kunit *test)
{
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	struct parties parties;

	KUNIT_ASSERT_NOT_NULL(test, va);
	get_parties(test, &parties);
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, va + 100, BYTES - 200));
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.writer->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.writer->flags,
			VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA);
	KUNIT_EXPECT_EQ(test, parties.writer->bytes, BYTES - 200);
	KUNIT_EXPECT_EQ(test, (u32)parties.outcome.data, BYTES - 200);
	KUNIT_EXPECT_TRUE(test, has_pattern(va + 100, BYTES - 200, 7, 0));
	/* And nothing beside it. */
	KUNIT_EXPECT_EQ(test, va[99], 0);
	KUNIT_EXPECT_EQ(test, va[BYTES - 100], 0);
}

/* A chain of two MDLs, whose pages are anywhere. */
static void chain(struct kunit *test)
{
	u8 *first = get_vmalloc(test, BYTES), *second = get_vmalloc(test, BYTES);
	PMDL mdl = kernel_mdl(test, first + 8, BYTES - 8);
	struct parties parties;
	unsigned int i;

	mdl->Next = kernel_mdl(test, second, BYTES);
	get_parties(test, &parties);
	parties.writer->defers = true;
	connect_parties(test, &parties);
	for (i = 0; i < 200; i++) {
		memset(first, 0, BYTES);
		memset(second, 0, BYTES);
		send_mdl(test, &parties, mdl);
		outcome_is(test, &parties.outcome, STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, parties.writer->mdls, 2);
		KUNIT_EXPECT_EQ(test, parties.writer->bytes, 2 * BYTES - 8);
		KUNIT_ASSERT_TRUE(test, has_pattern(first + 8, BYTES - 8, 7, 0));
		KUNIT_ASSERT_TRUE(test, has_pattern(second, BYTES, 7,
						    BYTES - 8));
	}
}

static void statuses(struct kunit *test)
{
	struct parties parties;
	VMBPACKETCOMPLETION packet;
	PMDL mdl = NULL;

	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, NULL);
	EXPECT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	KUNIT_EXPECT_EQ(test, parties.writer->flags, 0);
	KUNIT_EXPECT_EQ(test, parties.writer->status,
			STATUS_INVALID_DEVICE_REQUEST);
	packet = parties.writer->kept;
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(NULL, 0, &mdl),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(packet, 2, &mdl),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelPacketGetExternalData(packet, 0, NULL),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_NULL(test, mdl);
	VmbChannelPacketComplete(packet, NULL, 0);
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
}

/* The debugging switch: every second packet is delivered twice. */
static void pending(struct kunit *test)
{
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	PMDL mdl = kernel_mdl(test, va, BYTES);
	struct parties parties;
	unsigned int i;

	get_parties(test, &parties);
	parties.writer->client.ch->delivery.external_pending = 2;
	connect_parties(test, &parties);
	for (i = 0; i < 10; i++) {
		send_mdl(test, &parties, mdl);
		outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	}
	KUNIT_EXPECT_EQ(test, parties.writer->pending, 5);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 15);
	KUNIT_EXPECT_TRUE(test, has_pattern(va, BYTES, 7, 0));
}

/* Guarantee 5: the memory stays until the completion, whatever the client does. */
static void kept_by_the_server(struct kunit *test)
{
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	struct parties parties;
	struct job *job;

	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, va, BYTES));
	EXPECT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	job = job_start(test, do_disable, parties.client->ch);
	heard(test, &parties.writer->client, "Suspend");
	msleep(50);
	/* Neither the packet nor the close has ended. */
	outcome_calls(test, &parties.outcome, 0);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	VmbChannelPacketComplete(parties.writer->kept, NULL, 0);
	job_join(test, job);
	outcome_is(test, &parties.outcome, STATUS_DEVICE_REMOVED);
}

/* A page that its owner may free while the case still looks at it */
static struct page *get_page_of_client(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, page);
	get_page(page);
	return page;
}

/* The server writes to the page that it keeps, and gives it back. */
static void use_kept_page(struct kunit *test, struct writer *writer,
			  struct page *page)
{
	PMDL mdl = NULL;

	KUNIT_ASSERT_EQ(test,
			VmbChannelPacketGetExternalData(writer->kept, 0, &mdl),
			STATUS_SUCCESS);
	memset(page_address(page), 0, PAGE_SIZE);
	writer_writes(writer, mdl);
	KUNIT_EXPECT_TRUE(test, has_pattern(page_address(page), PAGE_SIZE, 7,
					    0));
	VmbChannelPacketComplete(writer->kept, NULL, 0);
}

/*
 * The client wants no completion, and frees the page when the packet is in the ring. This
 * breaks the rules; nobody else gets the page before the server has done with it.
 */
static void freed_early_by_the_client(struct kunit *test)
{
	struct page *page = get_page_of_client(test);
	struct parties parties;
	VMBPACKET packet;
	u64 word = 1;

	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	packet = packet_of(test, parties.client->ch, &parties.outcome);
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, sizeof(word),
				      kernel_mdl(test, page_address(page),
						 PAGE_SIZE), 0),
			STATUS_SUCCESS);
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	__free_page(page);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	use_kept_page(test, parties.writer, page);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

/* A request of a client, whose memory is one page */
struct requester {
	VMBCHANNEL ch;
	PMDL mdl;
	struct page *page;
	NTSTATUS status;
};

static void do_request_and_free(void *data)
{
	struct requester *requester = data;
	u64 word = 1;

	requester->status =
		VmbChannelSendSynchronousRequest(requester->ch, &word,
						 sizeof(word), requester->mdl,
						 WAIT, NULL, NULL, NULL);
	__free_page(requester->page);
}

/*
 * The client disables its channel, which ends its request, and frees the memory, while the
 * server has the packet.
 */
static void freed_by_a_client_that_leaves(struct kunit *test)
{
	struct requester requester = { .page = get_page_of_client(test) };
	struct job *request, *disable;
	struct page *page = requester.page;
	struct parties parties;

	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	requester.ch = parties.client->ch;
	requester.mdl = kernel_mdl(test, page_address(page), PAGE_SIZE);
	request = job_start(test, do_request_and_free, &requester);
	EXPECT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	disable = job_start(test, do_disable, requester.ch);
	job_join(test, request);
	KUNIT_EXPECT_EQ(test, requester.status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	/* That of the case, of the request's successor, and of the server's end. */
	KUNIT_EXPECT_EQ(test, page_count(page), 3);
	use_kept_page(test, parties.writer, page);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

/* The references are also dropped for packets that a server never got. */
static void not_delivered(struct kunit *test)
{
	struct page *page = get_page_of_client(test);
	struct parties parties;

	get_parties(test, &parties);
	enable(test, &parties.writer->client);
	bring_up(test, parties.client);
	becomes(test, parties.writer->client.ch, KMCL_PAUSED);
	send_mdl(test, &parties, kernel_mdl(test, page_address(page),
					    PAGE_SIZE));
	EXPECT_EVENTUALLY(test, page_count(page) == 3);
	VmbChannelDisable(parties.client->ch);
	outcome_is(test, &parties.outcome, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	__free_page(page);
	put_page(page);
}

/* A client may check that nobody else has its memory when it is told. */
static void given_back_before_the_completion(struct kunit *test)
{
	struct page *page = get_page_of_client(test);
	struct parties parties;

	get_parties(test, &parties);
	parties.outcome.page = page;
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, page_address(page),
					    PAGE_SIZE));
	ASSERT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	KUNIT_EXPECT_EQ(test, page_count(page), 3);
	VmbChannelPacketComplete(parties.writer->kept, NULL, 0);
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.outcome.page_refs, 2);
	__free_page(page);
	put_page(page);
}

/* A page that can be referenced beside one that can not. */
static void held_in_part(struct kunit *test)
{
	struct page *page = get_page_of_client(test);
	u8 *slab = kunit_kzalloc(test, 100, GFP_KERNEL);
	struct parties parties;
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, slab);
	mdl = kernel_mdl(test, slab, 100);
	mdl->Next = kernel_mdl(test, page_address(page), PAGE_SIZE);
	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, mdl);
	ASSERT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	KUNIT_EXPECT_EQ(test, parties.writer->mdls, 2);
	KUNIT_EXPECT_EQ(test, page_count(page), 3);
	VmbChannelPacketComplete(parties.writer->kept, NULL, 0);
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	__free_page(page);
	put_page(page);
}

/* The server's module goes, and nobody completes the packet that it had. */
static void kept_by_a_server_that_is_gone(struct kunit *test)
{
	struct page *page = get_page_of_client(test);
	struct parties parties;

	get_parties(test, &parties);
	parties.writer->keeps = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, page_address(page),
					    PAGE_SIZE));
	ASSERT_EVENTUALLY(test, READ_ONCE(parties.writer->kept));
	/* As kmcl_channel_abandon() begins; the case cleans the channel up itself. */
	WRITE_ONCE(parties.writer->client.ch->abandoned, true);
	VmbChannelDisable(parties.writer->client.ch);
	outcome_is(test, &parties.outcome, STATUS_DEVICE_REMOVED);
	becomes(test, parties.client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	__free_page(page);
	put_page(page);
}

/*
 * The client waits in a callback for a packet that its server, which is paused, has not
 * seen. Once the server is gone, the memory is the client's.
 */
static void in_the_ring_of_a_server_that_leaves(struct kunit *test)
{
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	PMDL mdl = kernel_mdl(test, va, BYTES);
	struct parties parties;
	struct client *client;

	get_parties(test, &parties);
	client = parties.client;
	client->at = "PostStarted";
	client->hook = wait_to_leave;
	enable(test, &parties.writer->client);
	enable(test, client);
	wait_for_external_data(test, client, mdl);
	VmbChannelDisable(parties.writer->client.ch);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->ch->state) == KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 0);
	heard(test, client, UP_DOWN);
}

/* A packet that the server fails is unmapped, too, and gets no completion. */
static void failed_by_the_server(struct kunit *test)
{
	u8 *va = get_vmalloc(test, BYTES);
	struct parties parties;

	get_parties(test, &parties);
	parties.writer->defers = true;
	parties.writer->fails = true;
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, va, BYTES));
	EXPECT_EVENTUALLY(test, has_pattern(va, BYTES, 7, 0));
	EXPECT_EVENTUALLY(test,
			  !kmcl_delivery_held(&parties.writer->client.ch->delivery));
	outcome_calls(test, &parties.outcome, 0);
	VmbChannelDisable(parties.client->ch);
	outcome_is(test, &parties.outcome, STATUS_DEVICE_REMOVED);
}

/* More than the server takes: the client gets an empty completion. */
static void too_much(struct kunit *test)
{
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	struct parties parties;

	get_parties(test, &parties);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetMaximumExternalData(parties.writer->client.ch,
							     BYTES - 1, 1),
			STATUS_SUCCESS);
	connect_parties(test, &parties);
	log_record(test);
	send_mdl(test, &parties, kernel_mdl(test, va, BYTES));
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.outcome.length, 0);
	is_logged(test, "malformed external data");
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 0);
	KUNIT_EXPECT_EQ(test, parties.writer->client.ch->rx.dropped, 1);
	send_mdl(test, &parties, kernel_mdl(test, va, BYTES - 1));
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.writer->bytes, BYTES - 1);
}

/* A server of a pipe takes no external data. */
static void none_in_a_pipe(struct kunit *test)
{
	const u32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
			  VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE;
	u8 *va = kunit_kzalloc(test, BYTES, GFP_KERNEL);
	struct parties parties;

	get_parties(test, &parties);
	KUNIT_ASSERT_EQ(test,
			VmbServerChannelInitSetFlags(parties.writer->client.ch,
						     flags),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetFlags(parties.client->ch,
					       VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
	connect_parties(test, &parties);
	send_mdl(test, &parties, kernel_mdl(test, va, BYTES));
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.outcome.length, 0);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 0);
	send_mdl(test, &parties, NULL);
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 1);
}

/* Hostile descriptions, written raw to the ring */

#define PFNS	4

/* A description with room for PFNS pages */
struct raw {
	u32 reserved;
	u32 count;
	u32 len;
	u32 offset;
	u64 pfns[PFNS];
};

/**
 * struct hostile - a description that a server must not believe
 * @name: what is wrong
 * @count: number of ranges
 * @len: length of the first one
 * @offset: its offset
 * @pfn: 0: that of a good page
 * @size: bytes of the description in the packet
 */
struct hostile {
	const char *name;
	u32 count;
	u32 len;
	u32 offset;
	u64 pfn;
	u32 size;
};

static const struct hostile hostiles[] = {
	{ "no ranges", 0, 100, 0, 0, sizeof(struct raw) },
	{ "too many ranges", U32_MAX, 100, 0, 0, sizeof(struct raw) },
	{ "one range more than there is", 2, PFNS * 4096, 0, 0,
	  sizeof(struct raw) },
	{ "an empty range", 1, 0, 0, 0, sizeof(struct raw) },
	{ "a length that wraps around", 1, U32_MAX, 1, 0, sizeof(struct raw) },
	{ "more pages than in the packet", 1, PFNS * 4096 + 1, 0, 0,
	  sizeof(struct raw) },
	{ "an offset behind the first page", 1, 100, 4096, 0,
	  sizeof(struct raw) },
	{ "an offset that wraps around", 1, 100, U32_MAX, 0,
	  sizeof(struct raw) },
	{ "memory beyond all memory", 1, 100, 0, U64_MAX, sizeof(struct raw) },
	{ "memory beyond the RAM", 1, 100, 0, 1ULL << 38, sizeof(struct raw) },
	{ "no description", 1, 100, 0, 0, 0 },
	{ "half of a range", 1, 100, 0, 0, 8 },
	{ "a range without its page", 1, 100, 0, 0, 16 },
};

static void hostile_name(const struct hostile *hostile, char *desc)
{
	strscpy(desc, hostile->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hostile, hostiles, hostile_name);

/* The client's own ring, past everything that it checks. */
static void put_raw(struct kunit *test, struct client *client,
		    const struct raw *raw, u32 size)
{
	const struct kmcl_ring_packet packet = {
		.type = KMCL_PKT_GPA_DIRECT,
		.head = raw,
		.head_len = size,
		.data = raw,
		.len = 8,
	};
	struct kmcl_tx *tx = &client->ch->tx;

	spin_lock_bh(&tx->lock);
	KUNIT_EXPECT_EQ(test, kmcl_ring_put(&tx->ring, &packet, 0), 0);
	if (kmcl_ring_publish(&tx->ring))
		client->ch->bus->signal(client->ch, KMCL_SIGNAL_PACKETS);
	spin_unlock_bh(&tx->lock);
}

static void hostile_descriptions(struct kunit *test)
{
	const struct hostile *hostile = test->param_value;
	void *va = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	struct raw raw = {
		.count = hostile->count,
		.len = hostile->len,
		.offset = hostile->offset,
	};
	struct parties parties;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, va);
	for (i = 0; i < PFNS; i++)
		raw.pfns[i] = hostile->pfn ?: virt_to_phys(va) >> 12;
	get_parties(test, &parties);
	connect_parties(test, &parties);
	put_raw(test, parties.client, &raw, hostile->size);
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(parties.writer->client.ch->rx.dropped) == 1);
	KUNIT_EXPECT_EQ(test, parties.writer->calls, 0);

	/* The next packet is served. */
	send_mdl(test, &parties, kernel_mdl(test, va, 100));
	outcome_is(test, &parties.outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, parties.writer->bytes, 100);
}

/* A host's packet with such a description: a client takes none. */
static void for_a_client(struct kunit *test)
{
	struct raw raw = { .count = 1, .len = 1 };
	struct parties parties;

	get_parties(test, &parties);
	connect_parties(test, &parties);
	put_raw(test, &parties.writer->client, &raw, sizeof(raw));
	EXPECT_EVENTUALLY(test,
			  READ_ONCE(parties.client->ch->rx.dropped) == 1);
	KUNIT_EXPECT_EQ(test, parties.client->packets, 0);
}

static struct kunit_case loopback_external_cases[] = {
	KUNIT_CASE(in_the_linear_map),
	KUNIT_CASE(chain),
	KUNIT_CASE(statuses),
	KUNIT_CASE(pending),
	KUNIT_CASE(kept_by_the_server),
	KUNIT_CASE(freed_early_by_the_client),
	KUNIT_CASE(freed_by_a_client_that_leaves),
	KUNIT_CASE(not_delivered),
	KUNIT_CASE(given_back_before_the_completion),
	KUNIT_CASE(held_in_part),
	KUNIT_CASE(kept_by_a_server_that_is_gone),
	KUNIT_CASE(in_the_ring_of_a_server_that_leaves),
	KUNIT_CASE(failed_by_the_server),
	KUNIT_CASE(too_much),
	KUNIT_CASE(none_in_a_pipe),
	KUNIT_CASE_PARAM(hostile_descriptions, hostile_gen_params),
	KUNIT_CASE(for_a_client),
	{}
};

struct kunit_suite vmbkmcl_loopback_external_suite = {
	.name = "vmbkmcl_loopback_external",
	.test_cases = loopback_external_cases,
};
