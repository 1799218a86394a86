// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tests of the host in a plain program: the cases are its guest. They write TAP.
 * Each check of the judge is seen to fail here, by a guest that breaks the rule.
 */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RING_PAGES	4u		/* the header and three of data, each way */
#define RING_LEN	((RING_PAGES - 1) * WIRE_PAGE)
#define RINGS		0x700u		/* the number of their GPADL */
#define BUFFER		0x701u

static struct host host;
static struct channel channel, other, sub;
static unsigned int opened, closed, signalled, rescinded, released, forgotten;
static unsigned int checks_failed;

#define CHECK(condition)						\
	do {								\
		if (!(condition)) {					\
			checks_failed++;				\
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #condition);	\
		}							\
	} while (0)

#define CHECK_EQ(a, b)							\
	do {								\
		unsigned long long left = (a), right = (b);		\
									\
		if (left != right) {					\
			checks_failed++;				\
			printf("# %s:%d: %s is %#llx, not %#llx\n", __FILE__,	\
			       __LINE__, #a, left, right);		\
		}							\
	} while (0)

/* The host finds exactly one violation in what @does, and says @text of it. */
#define VIOLATES(text, does)						\
	do {								\
		uint64_t before = host.count.violations;		\
									\
		does;							\
		CHECK_EQ(host.count.violations - before, 1);		\
		if (!strstr(machine_violation(), text)) {			\
			checks_failed++;				\
			printf("# %s:%d: \"%s\" is not \"%s\"\n", __FILE__,	\
			       __LINE__, machine_violation(), text);		\
		}							\
	} while (0)

static void on_opened(struct channel *ch)
{
	(void)ch;
	opened++;
}

static void on_closed(struct channel *ch)
{
	(void)ch;
	closed++;
}

static void on_signalled(struct channel *ch)
{
	(void)ch;
	signalled++;
}

static void on_rescinded(struct channel *ch)
{
	(void)ch;
	rescinded++;
}

static void on_released(struct channel *ch)
{
	(void)ch;
	released++;
}

static void on_forgotten(struct channel *ch)
{
	(void)ch;
	forgotten++;
}

static const struct channel_callbacks callbacks = {
	.opened = on_opened,
	.closed = on_closed,
	.signalled = on_signalled,
	.rescinded = on_rescinded,
	.released = on_released,
	.forgotten = on_forgotten,
};

/* --- the guest's messages --- */

static uint32_t connection(void)
{
	return host.version >= WIRE_VERSION(5, 0) ? host.connection : WIRE_CONNECTION_OLD;
}

static void send(const void *msg, uint32_t len)
{
	host_message(&host, connection(), msg, len);
}

static void send_words(uint32_t type, unsigned int n, ...)
{
	uint32_t msg[WIRE_MESSAGE_MAX / 4] = { type };
	va_list args;
	unsigned int i;

	va_start(args, n);
	for (i = 0; i < n; i++)
		msg[2 + i] = va_arg(args, uint32_t);
	va_end(args);
	send(msg, 8 + 4 * n);
}

static void contact(uint32_t version)
{
	struct wire_initiate_contact msg = {
		.header.type = WIRE_INITIATE_CONTACT, .version = version,
	};

	host_message(&host, version >= WIRE_VERSION(5, 0) ? WIRE_CONNECTION_NEW :
		     WIRE_CONNECTION_OLD, &msg, sizeof(msg));
}

/* The next message, which is to be of that type. */
static const void *expect(uint32_t type)
{
	static const struct posted nothing;
	const struct posted *posted = machine_fetch();

	CHECK(posted);
	if (!posted)
		return nothing.bytes;
	CHECK_EQ(posted->header.type, type);
	return posted->bytes;
}

static void expect_nothing(void)
{
	CHECK(!machine_fetch());
}

static void send_open(uint32_t relid, uint32_t gpadl, uint32_t vp, uint32_t out_page)
{
	struct wire_open msg = {
		.header.type = WIRE_OPENCHANNEL, .relid = relid, .open_id = relid,
		.ring_gpadl = gpadl, .target_vp = vp, .out_page = out_page,
	};

	send(&msg, sizeof(msg));
}

static uint32_t open_status(void)
{
	return ((const struct wire_open_result *)expect(WIRE_OPENCHANNEL_RESULT))->status;
}

/* As Linux sends it: one range, as many pages as fit each message. */
static void send_gpadl(uint32_t relid, uint32_t id, uint32_t first, uint32_t pages)
{
	uint64_t storage[WIRE_MESSAGE_MAX / 8 + 1] = { 0 };
	struct wire_gpadl_header *header = (void *)storage;
	struct wire_gpadl_body *body = (void *)storage;
	uint32_t i, n = pages < WIRE_HEADER_PFNS ? pages : WIRE_HEADER_PFNS, done;

	header->header.type = WIRE_GPADL_HEADER;
	header->relid = relid;
	header->gpadl = id;
	header->ranges_len = 8 + 8 * pages;
	header->nr_ranges = 1;
	header->bytes = pages * WIRE_PAGE;
	for (i = 0; i < n; i++)
		header->pfn[i] = first + i;
	send(storage, sizeof(*header) + 8 * n);
	for (done = n; done < pages; done += n) {
		n = pages - done < WIRE_BODY_PFNS ? pages - done : WIRE_BODY_PFNS;
		memset(storage, 0, sizeof(storage));
		body->header.type = WIRE_GPADL_BODY;
		body->gpadl = id;
		for (i = 0; i < n; i++)
			body->pfn[i] = first + done + i;
		send(storage, sizeof(*body) + 8 * n);
	}
}

static uint32_t created_status(uint32_t id)
{
	const struct wire_gpadl_created *created = expect(WIRE_GPADL_CREATED);

	CHECK_EQ(created->gpadl, id);
	return created->status;
}

static void send_teardown(uint32_t relid, uint32_t id)
{
	send_words(WIRE_GPADL_TEARDOWN, 2, relid, id);
}

static void expect_torndown(uint32_t id)
{
	CHECK_EQ(((const struct wire_gpadl_torndown *)expect(WIRE_GPADL_TORNDOWN))->gpadl,
		 id);
}

static void connect_at(uint32_t version)
{
	contact(version);
	CHECK_EQ(((const struct wire_version_response *)
		  expect(WIRE_VERSION_RESPONSE))->supported, 1);
	send_words(WIRE_REQUESTOFFERS, 0);
	expect(WIRE_OFFERCHANNEL);
	expect(WIRE_OFFERCHANNEL);
	expect(WIRE_ALLOFFERS_DELIVERED);
	expect_nothing();
}

static void open_channel(void)
{
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES);
	CHECK_EQ(created_status(RINGS), 0);
	send_open(channel.relid, RINGS, 1, RING_PAGES);
	CHECK_EQ(open_status(), 0);
}

static void start(void)
{
	connect_at(WIRE_VERSION(5, 3));
	open_channel();
}

/* --- the guest's rings: written apart from ring.c, one word at a time --- */

static struct wire_ring *to_host(void)
{
	return (void *)machine_page(FIRST_PFN);
}

static struct wire_ring *to_guest(void)
{
	return (void *)machine_page(FIRST_PFN + RING_PAGES);
}

static uint64_t *word(struct wire_ring *ring, uint32_t at)
{
	return (uint64_t *)((uint8_t *)ring + WIRE_PAGE + at % RING_LEN);
}

struct forged {
	uint16_t type, offset8, len8, flags;
	uint64_t id;
};

/* Writes the header, words of payload that count up from 1, and the trailer. */
static void put(struct forged packet)
{
	struct wire_ring *ring = to_host();
	uint32_t at = ring->write, i;

	memcpy(word(ring, at), &packet, 8);
	*word(ring, at + 8) = packet.id;
	for (i = 2; i < packet.len8; i++)
		*word(ring, at + 8 * i) = i - 1;
	*word(ring, at + 8 * packet.len8) = (uint64_t)at << 32;
	ring->write = (at + 8 * packet.len8 + 8) % RING_LEN;
}

static const struct forged good = { WIRE_PACKET_INBAND, 2, 4, WIRE_PACKET_ASKS, 99 };

static enum ring_status read_one(struct packet *packet)
{
	enum ring_status status;

	ring_read_begin(&channel.in);
	status = ring_read(&channel, packet);
	ring_read_end(&channel);
	return status;
}

static enum ring_status write_one(uint32_t len)
{
	static const uint8_t zeros[4 * WIRE_PAGE];

	return ring_write(&channel, WIRE_PACKET_INBAND, false, 5, NULL, 0, zeros, len);
}

/* --- cases: the connection --- */

static void versions(void)
{
	static const struct {
		uint32_t version;
		bool supported;
		uint32_t len;
	} tries[] = {
		{ WIRE_VERSION(6, 0), true, 20 }, { WIRE_VERSION(5, 3), true, 16 },
		{ WIRE_VERSION(5, 0), true, 16 }, { WIRE_VERSION(4, 1), true, 16 },
		{ WIRE_VERSION(4, 0), true, 16 }, { WIRE_VERSION(4, 2), false, 16 },
		{ WIRE_VERSION(6, 1), false, 16 }, { 0, false, 16 },
	};
	const struct wire_version_response *response;
	const struct posted *posted;
	unsigned int i;

	for (i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		contact(tries[i].version);
		posted = machine_fetch();
		CHECK(posted);
		response = (const void *)posted->bytes;
		CHECK_EQ(posted->len, tries[i].len);
		CHECK_EQ(response->supported, tries[i].supported);
		CHECK_EQ(response->connection,
			 tries[i].supported && tries[i].version >= WIRE_VERSION(5, 0) ?
			 host.connection : 0);
		CHECK_EQ(host.state, tries[i].supported ? HOST_CONNECTED : HOST_IDLE);
	}
	CHECK_EQ(host.count.violations, 0);
}

static void newest_version(void)
{
	host.newest = WIRE_VERSION(5, 2);
	contact(WIRE_VERSION(5, 3));
	CHECK_EQ(((const struct wire_version_response *)
		  expect(WIRE_VERSION_RESPONSE))->supported, 0);
	contact(WIRE_VERSION(5, 2));
	CHECK_EQ(((const struct wire_version_response *)
		  expect(WIRE_VERSION_RESPONSE))->supported, 1);
}

static void contact_again(void)
{
	start();
	forgotten = 0;
	contact(WIRE_VERSION(5, 3));
	CHECK_EQ(closed, 1);
	CHECK_EQ(forgotten, 3);
	CHECK_EQ(gpadl_count(&host, channel.relid), 0);
	CHECK_EQ(channel.state, CHANNEL_WITHHELD);
	CHECK_EQ(host.count.violations, 0);
}

static void unloads(void)
{
	start();
	send_words(WIRE_UNLOAD, 0);
	expect(WIRE_UNLOAD_RESPONSE);
	CHECK_EQ(closed, 1);
	CHECK_EQ(host.state, HOST_IDLE);
	host.version = WIRE_VERSION(5, 3);
	VIOLATES("without a connection", send_words(WIRE_CLOSECHANNEL, 1, channel.relid));
}

static void offers(void)
{
	const struct wire_offer *offer;

	contact(WIRE_VERSION(5, 3));
	expect(WIRE_VERSION_RESPONSE);
	send_words(WIRE_REQUESTOFFERS, 0);
	offer = expect(WIRE_OFFERCHANNEL);
	CHECK_EQ(offer->relid, channel.relid);
	CHECK_EQ(offer->connection, 0x2000 | channel.relid);
	CHECK_EQ(offer->mmio_mb, 7);
	CHECK_EQ(offer->type[0], 0x11);
	offer = expect(WIRE_OFFERCHANNEL);
	CHECK_EQ(offer->relid, other.relid);
	expect(WIRE_ALLOFFERS_DELIVERED);
	/* not the sub-channel, before somebody asks for it */
	expect_nothing();
	channel_offer(&sub);
	offer = expect(WIRE_OFFERCHANNEL);
	CHECK_EQ(offer->sub_index, 1);
	channel_offer(&sub);
	expect_nothing();
	VIOLATES("offers requested twice", send_words(WIRE_REQUESTOFFERS, 0));
}

static void wrong_messages(void)
{
	uint32_t short_one = WIRE_UNLOAD, padded[2] = { WIRE_UNLOAD, 1 };

	VIOLATES("without a connection", send_words(WIRE_REQUESTOFFERS, 0));
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("a message of 4 bytes", send(&short_one, sizeof(short_one)));
	VIOLATES("a message of type 0", send_words(0, 0));
	VIOLATES("a message of type 6", send_words(WIRE_OPENCHANNEL_RESULT, 3, 0, 0, 0));
	VIOLATES("a message of type 31", send_words(31, 0));
	VIOLATES("a message of type 4294967295", send_words(UINT32_MAX, 0));
	VIOLATES("message 7 has 8 bytes", send_words(WIRE_CLOSECHANNEL, 0));
	VIOLATES("message 7 has 16 bytes", send_words(WIRE_CLOSECHANNEL, 2, 1, 1));
	VIOLATES("message 8 has 12 bytes", send_words(WIRE_GPADL_HEADER, 1, 1));
	VIOLATES("posted to connection 0x1",
		 host_message(&host, WIRE_CONNECTION_OLD,
			      &(struct wire_header){ WIRE_UNLOAD, 0 }, 8));
	VIOLATES("for padding", send(padded, sizeof(padded)));
}

static void wrong_version(void)
{
	connect_at(WIRE_VERSION(4, 0));
	VIOLATES("message 22 at version 4.0",
		 send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 0));
}

static void announced(void)
{
	connect_at(WIRE_VERSION(5, 3));
	judge_expect(&host, 1);
	send_words(0, 0);
	CHECK_EQ(host.count.violations, 0);
	VIOLATES("a message of type 0", send_words(0, 0));
}

/* --- cases: channels --- */

static void opens_and_closes(void)
{
	start();
	CHECK_EQ(opened, 1);
	CHECK_EQ(channel.target_vp, 1);
	CHECK_EQ(machine_mapped(), 2 * RING_PAGES);
	send_words(WIRE_CLOSECHANNEL, 1, channel.relid);
	CHECK_EQ(closed, 1);
	CHECK_EQ(machine_mapped(), 0);
	expect_nothing();
	/* again, with the same rings */
	send_open(channel.relid, RINGS, WIRE_NO_VP, RING_PAGES);
	CHECK_EQ(open_status(), 0);
	CHECK_EQ(host.count.violations, 0);
}

static void wrong_opens(void)
{
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("which is not offered", send_open(sub.relid, RINGS, 0, 1));
	VIOLATES("which is not offered", send_open(5, RINGS, 0, 1));
	VIOLATES("which is not there", send_open(channel.relid, RINGS, 0, 1));
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES);
	created_status(RINGS);
	VIOLATES("which is not there", send_open(other.relid, RINGS, 0, 1));
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	VIOLATES("for processor 2", send_open(channel.relid, RINGS, 2, RING_PAGES));
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	/* Rings without room for data are no violation. */
	send_open(channel.relid, RINGS, 0, 0);
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	send_open(channel.relid, RINGS, 0, 1);
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	send_open(channel.relid, RINGS, 0, 2 * RING_PAGES - 1);
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	send_open(channel.relid, RINGS, 0, UINT32_MAX);
	CHECK_EQ(open_status(), WIRE_UNSUCCESSFUL);
	CHECK_EQ(machine_mapped(), 0);
	CHECK_EQ(opened, 0);
	send_open(channel.relid, RINGS, 0, RING_PAGES);
	CHECK_EQ(open_status(), 0);
	VIOLATES("opened twice", send_open(channel.relid, RINGS, 0, RING_PAGES));
	expect_nothing();
}

static void wrong_closes(void)
{
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("which is not open", send_words(WIRE_CLOSECHANNEL, 1, channel.relid));
	VIOLATES("which is not offered", send_words(WIRE_CLOSECHANNEL, 1, sub.relid));
	VIOLATES("which is not rescinded",
		 send_words(WIRE_RELID_RELEASED, 1, channel.relid));
	VIOLATES("which is not offered", send_words(WIRE_RELID_RELEASED, 1, 5));
}

static void rescinds(void)
{
	start();
	send_gpadl(channel.relid, BUFFER, FIRST_PFN + 100, 3);
	created_status(BUFFER);
	channel_rescind(&channel);
	CHECK_EQ(closed, 1);
	CHECK_EQ(rescinded, 1);
	CHECK_EQ(machine_mapped(), 0);
	CHECK(!gpadl_find(&host, channel.relid, BUFFER));
	expect(WIRE_RESCIND);
	/* what the guest sent before it knew */
	send_open(channel.relid, RINGS, 0, RING_PAGES);
	expect_nothing();
	send_gpadl(channel.relid, 0x800, FIRST_PFN, 60);
	CHECK_EQ(created_status(0x800), 0);
	send_teardown(channel.relid, BUFFER);
	expect_torndown(BUFFER);
	send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 0);
	send_words(WIRE_CLOSECHANNEL, 1, channel.relid);
	expect_nothing();
	/* a second time, to confuse it */
	channel_rescind(&channel);
	expect(WIRE_RESCIND);
	CHECK_EQ(closed, 1);
	send_words(WIRE_RELID_RELEASED, 1, channel.relid);
	CHECK_EQ(released, 1);
	CHECK_EQ(host.count.violations, 0);
	VIOLATES("which is not offered", send_open(channel.relid, RINGS, 0, RING_PAGES));
	VIOLATES("which is not offered",
		 send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES));
	VIOLATES("which is not offered", send_teardown(channel.relid, RINGS));
	expect_nothing();
	channel_offer(&channel);
	expect(WIRE_OFFERCHANNEL);
	open_channel();
	CHECK_EQ(opened, 2);
}

static void rescinds_withheld(void)
{
	connect_at(WIRE_VERSION(5, 3));
	channel_rescind(&sub);
	expect(WIRE_RESCIND);
	CHECK_EQ(rescinded, 1);
	CHECK_EQ(sub.state, CHANNEL_WITHHELD);
	channel_offer(&sub);
	expect(WIRE_OFFERCHANNEL);
}

static void moves(void)
{
	const struct wire_modify_response *response;

	start();
	send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 0);
	response = expect(WIRE_MODIFYCHANNEL_RESPONSE);
	CHECK_EQ(response->status, 0);
	CHECK_EQ(response->relid, channel.relid);
	CHECK_EQ(channel.target_vp, 0);
	CHECK_EQ(host.count.violations, 0);
	VIOLATES("moved to processor 2",
		 send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 2));
	CHECK_EQ(((const struct wire_modify_response *)
		  expect(WIRE_MODIFYCHANNEL_RESPONSE))->status, WIRE_UNSUCCESSFUL);
	CHECK_EQ(channel.target_vp, 0);
	VIOLATES("which is not open", send_words(WIRE_MODIFYCHANNEL, 2, other.relid, 0));
	expect(WIRE_MODIFYCHANNEL_RESPONSE);
	VIOLATES("which is not offered", send_words(WIRE_MODIFYCHANNEL, 2, 5, 0));
	expect_nothing();
}

static void moves_unanswered(void)
{
	connect_at(WIRE_VERSION(4, 1));
	open_channel();
	send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 0);
	expect_nothing();
	CHECK_EQ(channel.target_vp, 0);
}

/* --- cases: GPADLs --- */

static void gpadls(void)
{
	static const uint32_t sizes[] = { 1, 26, 27, 54, 55, 8190 };
	struct gpadl *gpadl;
	unsigned int i;

	connect_at(WIRE_VERSION(5, 3));
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		send_gpadl(channel.relid, BUFFER, FIRST_PFN + 9, sizes[i]);
		CHECK_EQ(created_status(BUFFER), 0);
		gpadl = gpadl_find(&host, channel.relid, BUFFER);
		CHECK(gpadl);
		CHECK(!gpadl_find(&host, other.relid, BUFFER));
		CHECK_EQ(gpadl->nr, sizes[i]);
		CHECK_EQ(gpadl->bytes, sizes[i] * WIRE_PAGE);
		CHECK_EQ(gpadl->pfn[0], FIRST_PFN + 9);
		CHECK_EQ(gpadl->pfn[sizes[i] - 1], FIRST_PFN + 8 + sizes[i]);
		send_teardown(channel.relid, BUFFER);
		expect_torndown(BUFFER);
		CHECK(!gpadl_find(&host, channel.relid, BUFFER));
	}
	CHECK_EQ(host.count.violations, 0);
}

/* A header with these numbers, and as many pages as fit it. */
static void send_header(uint32_t id, uint32_t ranges_len, uint32_t nr_ranges,
			uint32_t bytes, uint32_t offset, uint32_t pages)
{
	uint64_t storage[WIRE_MESSAGE_MAX / 8 + 1] = { 0 };
	struct wire_gpadl_header *header = (void *)storage;
	uint32_t i;

	header->header.type = WIRE_GPADL_HEADER;
	header->relid = channel.relid;
	header->gpadl = id;
	header->ranges_len = ranges_len;
	header->nr_ranges = nr_ranges;
	header->bytes = bytes;
	header->offset = offset;
	for (i = 0; i < pages; i++)
		header->pfn[i] = FIRST_PFN + i;
	send(storage, sizeof(*header) + 8 * pages);
}

static void send_body(uint32_t id, uint32_t pages)
{
	uint64_t storage[WIRE_MESSAGE_MAX / 8] = { 0 };
	struct wire_gpadl_body *body = (void *)storage;
	uint32_t i;

	body->header.type = WIRE_GPADL_BODY;
	body->gpadl = id;
	for (i = 0; i < pages; i++)
		body->pfn[i] = FIRST_PFN + i;
	send(storage, sizeof(*body) + 8 * pages);
}

static void wrong_headers(void)
{
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("zero or in use", send_header(0, 16, 1, 4096, 0, 1));
	CHECK_EQ(created_status(0), WIRE_UNEXPECTED);
	VIOLATES("0 ranges", send_header(BUFFER, 16, 0, 4096, 0, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("2 ranges", send_header(BUFFER, 16, 2, 4096, 0, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("ranges of 8 bytes", send_header(BUFFER, 8, 1, 0, 0, 0));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("ranges of 20 bytes", send_header(BUFFER, 20, 1, 4096, 0, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("4095 bytes from 0 of 1 pages", send_header(BUFFER, 16, 1, 4095, 0, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("4096 bytes from 8 of 1 pages", send_header(BUFFER, 16, 1, 4096, 8, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	VIOLATES("16 bytes of page numbers instead of 8",
		 send_header(BUFFER, 16, 1, 4096, 0, 2));
	CHECK_EQ(created_status(BUFFER), 0);
	VIOLATES("zero or in use", send_header(BUFFER, 16, 1, 4096, 0, 1));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	CHECK_EQ(gpadl_count(&host, channel.relid), 1);
}

static void page_twice(void)
{
	struct gpadl *gpadl;

	connect_at(WIRE_VERSION(5, 3));
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 26);
	created_status(BUFFER);
	gpadl = gpadl_find(&host, channel.relid, BUFFER);
	gpadl_judge_writable(&host, gpadl);
	CHECK_EQ(host.count.violations, 0);
	gpadl->judged = false;
	gpadl->pfn[20] = gpadl->pfn[3];
	VIOLATES("page 0x103 is in it twice", gpadl_judge_writable(&host, gpadl));
	/* said once */
	gpadl_judge_writable(&host, gpadl);
	CHECK_EQ(host.count.violations, 1);
}

static void not_ram(void)
{
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("not all of it is RAM",
		 send_gpadl(channel.relid, BUFFER, FIRST_PFN + NR_PAGES - 1, 2));
	CHECK_EQ(created_status(BUFFER), WIRE_UNEXPECTED);
	CHECK(!gpadl_find(&host, channel.relid, BUFFER));
}

static void wrong_bodies(void)
{
	connect_at(WIRE_VERSION(5, 3));
	VIOLATES("which needs none", send_body(BUFFER, 1));
	send_header(BUFFER, 8 + 8 * 60, 1, 60 * WIRE_PAGE, 0, 26);
	VIOLATES("96 bytes of page numbers instead of 224", send_body(BUFFER, 12));
	VIOLATES("224 bytes of page numbers instead of 176", send_body(BUFFER, 28));
	CHECK_EQ(created_status(BUFFER), 0);
	VIOLATES("which needs none", send_body(BUFFER, 1));
	expect_nothing();
}

static void wrong_teardowns(void)
{
	start();
	VIOLATES("which has no such", send_teardown(channel.relid, BUFFER));
	VIOLATES("which has no such", send_teardown(other.relid, RINGS));
	VIOLATES("which is not offered", send_teardown(sub.relid, RINGS));
	expect_nothing();
	VIOLATES("while it is open", send_teardown(channel.relid, RINGS));
	expect_torndown(RINGS);
	send_header(BUFFER, 8 + 8 * 60, 1, 60 * WIRE_PAGE, 0, 26);
	VIOLATES("which has no such", send_teardown(channel.relid, BUFFER));
	expect_nothing();
}

static void scribbles(void)
{
	uint8_t *page = machine_page(FIRST_PFN + 100);
	struct gpadl *gpadl;

	connect_at(WIRE_VERSION(5, 3));
	send_gpadl(channel.relid, BUFFER, FIRST_PFN + 100, 2);
	created_status(BUFFER);
	gpadl = gpadl_find(&host, channel.relid, BUFFER);
	gpadl_scribble_on(&host, gpadl);
	CHECK(page[0] && page[2 * WIRE_PAGE - 1]);
	CHECK_EQ(page[2 * WIRE_PAGE], 0);
	page[0] = 0;
	machine_pass(5);
	CHECK(page[0]);
	/* also while TORNDOWN is held back, and last when it is posted */
	rule_add(&host, &(struct rule){
		.type = WIRE_GPADL_TORNDOWN, .relid = channel.relid, .nth = 1,
		.action = RULE_HOLD, .value = 0 });
	send_teardown(channel.relid, BUFFER);
	page[0] = 0;
	machine_pass(5);
	CHECK(page[0]);
	page[0] = 0;
	rule_release(&host);
	expect_torndown(BUFFER);
	CHECK(page[0]);
	page[0] = 0;
	machine_pass(50);
	CHECK_EQ(page[0], 0);
	CHECK_EQ(machine_timers(), 0);
	CHECK_EQ(machine_mapped(), 0);
	/* nor after a rescind, or of another guest */
	send_gpadl(channel.relid, BUFFER, FIRST_PFN + 100, 2);
	created_status(BUFFER);
	gpadl_scribble_on(&host, gpadl_find(&host, channel.relid, BUFFER));
	channel_rescind(&channel);
	page[0] = 0;
	machine_pass(50);
	CHECK_EQ(page[0], 0);
}

/* --- cases: rings --- */

static void reads(void)
{
	struct packet packet;

	start();
	CHECK(!ring_has_data(&channel.in));
	CHECK_EQ(read_one(&packet), RING_EMPTY);
	put(good);
	put((struct forged){ WIRE_PACKET_COMPLETION, 2, 2, 0, 7 });
	CHECK(ring_has_data(&channel.in));
	CHECK_EQ(read_one(&packet), RING_OK);
	CHECK_EQ(packet.type, WIRE_PACKET_INBAND);
	CHECK_EQ(packet.id, 99);
	CHECK(packet.asks && !packet.refused);
	CHECK_EQ(packet.len, 16);
	CHECK_EQ(((const uint64_t *)packet.payload)[1], 2);
	CHECK_EQ(to_host()->read, 40);
	CHECK_EQ(read_one(&packet), RING_OK);
	CHECK_EQ(packet.len, 0);
	CHECK(!packet.asks);
	CHECK_EQ(host.count.violations, 0);
}

static void reads_around_the_end(void)
{
	struct packet packet;
	uint32_t i;

	start();
	for (i = 0; i < 3000; i++) {
		put((struct forged){ WIRE_PACKET_INBAND, 2, 2 + i % 200, 0, i });
		CHECK_EQ(read_one(&packet), RING_OK);
		CHECK_EQ(packet.id, i);
		CHECK_EQ(packet.len, i % 200 * 8);
		if (packet.len)
			CHECK_EQ(((const uint64_t *)packet.payload)[i % 200 - 1], i % 200);
	}
	CHECK_EQ(host.count.violations, 0);
}

static void masks_while_reading(void)
{
	struct packet packet;

	start();
	put(good);
	ring_read_begin(&channel.in);
	CHECK_EQ(to_host()->mask, 1);
	CHECK_EQ(ring_read(&channel, &packet), RING_OK);
	CHECK_EQ(to_host()->read, 0);
	/* It came without a signal. */
	put(good);
	CHECK(ring_read_end(&channel));
	CHECK_EQ(to_host()->mask, 0);
	CHECK_EQ(to_host()->read, 40);
	CHECK_EQ(read_one(&packet), RING_OK);
	ring_read_begin(&channel.in);
	CHECK(!ring_read_end(&channel));
}

static void needless_signals(void)
{
	start();
	channel_signalled(&channel);
	CHECK_EQ(channel.needless, 1);
	put(good);
	channel_signalled(&channel);
	CHECK_EQ(channel.needless, 1);
	CHECK_EQ(signalled, 2);
	send_words(WIRE_CLOSECHANNEL, 1, channel.relid);
	channel_signalled(&channel);
	CHECK_EQ(signalled, 2);
}

/* Signalled when there is more room than was asked for, and not again. */
static void signals_room(void)
{
	struct packet packet;
	uint32_t i, n = 0;

	start();
	while (to_host()->write + 40 < RING_LEN) {
		put(good);
		n++;
	}
	to_host()->pending_send = RING_LEN - to_host()->write + 79;
	for (i = 0; i < n; i++) {
		CHECK_EQ(machine_signals(), i >= 2);
		CHECK_EQ(read_one(&packet), RING_OK);
	}
	CHECK_EQ(machine_signals(), 1);
	/* all in one pass */
	for (i = 0; i < 100; i++)
		put(good);
	to_host()->pending_send = RING_LEN - 8;
	ring_read_begin(&channel.in);
	while (ring_read(&channel, &packet) == RING_OK)
		;
	CHECK_EQ(machine_signals(), 1);
	ring_read_end(&channel);
	CHECK_EQ(machine_signals(), 2);
}

/* The host reads this packet, and finds that it breaks a rule. */
static void read_wrong(struct forged wrong, const char *text, bool refused)
{
	struct packet packet = { 0 };

	put(wrong);
	VIOLATES(text, CHECK_EQ(read_one(&packet), RING_OK));
	CHECK_EQ(packet.refused, refused);
	CHECK_EQ(packet.len, 8);
}

static void wrong_packets(void)
{
	struct packet packet;

	start();
	read_wrong((struct forged){ 6, 2, 3, 2, 0 }, "with the flags 0x2", false);
	read_wrong((struct forged){ 7, 2, 3, 0, 0 }, "a packet of type 7", true);
	read_wrong((struct forged){ 6, 1, 3, 0, 0 }, "payload at 1 of 3", true);
	read_wrong((struct forged){ 6, 4, 3, 0, 0 }, "payload at 4 of 3", true);
	put(good);
	*word(to_host(), to_host()->write - 8) = 1;
	VIOLATES("a trailer of 0x1", CHECK_EQ(read_one(&packet), RING_OK));
}

static void broken_rings(void)
{
	struct packet packet;

	start();
	to_host()->write = RING_LEN;
	VIOLATES("write index of 0x3000", CHECK_EQ(read_one(&packet), RING_BROKEN));
	to_host()->write = UINT32_MAX;
	VIOLATES("write index", CHECK_EQ(read_one(&packet), RING_BROKEN));
	to_host()->write = 12;
	VIOLATES("write index", CHECK_EQ(read_one(&packet), RING_BROKEN));
	CHECK(!ring_has_data(&channel.in));
	to_host()->write = 16;
	VIOLATES("16 bytes are no packet", CHECK_EQ(read_one(&packet), RING_BROKEN));
	to_host()->write = 0;
	put((struct forged){ 6, 2, 4, 0, 0 });
	to_host()->write = 32;
	VIOLATES("4 words in 32 bytes", CHECK_EQ(read_one(&packet), RING_BROKEN));
	to_host()->write = 0;
	put(good);
	((struct forged *)word(to_host(), 0))->len8 = 0xffff;
	to_host()->write = RING_LEN - 8;
	VIOLATES("65535 words", CHECK_EQ(read_one(&packet), RING_BROKEN));
	to_host()->write = 0;
	put((struct forged){ 6, 2, 2, 0, 0 });
	((struct forged *)word(to_host(), 0))->len8 = 1;
	VIOLATES("1 words", CHECK_EQ(read_one(&packet), RING_BROKEN));
	CHECK_EQ(to_host()->read, 0);
}

static void writes(void)
{
	struct wire_ring *ring;
	struct wire_packet *packet;

	start();
	ring = to_guest();
	CHECK_EQ(ring_write(&channel, WIRE_PACKET_COMPLETION, true, 42, "descript", 8,
			    "0123456789", 10), RING_OK);
	packet = (void *)word(ring, 0);
	CHECK_EQ(packet->type, WIRE_PACKET_COMPLETION);
	CHECK_EQ(packet->offset8, 3);
	CHECK_EQ(packet->len8, 5);
	CHECK_EQ(packet->flags, WIRE_PACKET_ASKS);
	CHECK_EQ(packet->id, 42);
	CHECK(!memcmp(word(ring, 16), "descript0123456789\0\0\0\0\0\0", 24));
	CHECK_EQ(*word(ring, 40), 0);
	CHECK_EQ(ring->write, 48);
	CHECK_EQ(machine_signals(), 1);
	/* no signal while it is not empty */
	CHECK_EQ(write_one(0), RING_OK);
	CHECK_EQ(*word(ring, 64), (uint64_t)48 << 32);
	CHECK_EQ(machine_signals(), 1);
	/* nor while the guest does not want any */
	ring->read = ring->write;
	ring->mask = 1;
	CHECK_EQ(write_one(0), RING_OK);
	CHECK_EQ(machine_signals(), 1);
}

static void writes_until_full(void)
{
	struct wire_ring *ring;
	uint32_t n = 0;

	start();
	ring = to_guest();
	while (write_one(100) == RING_OK)
		n++;
	CHECK_EQ(n, (RING_LEN - 8) / 128);
	CHECK_EQ(ring->pending_send, 128);
	ring->read = 128;
	CHECK_EQ(write_one(100), RING_OK);
	CHECK_EQ(ring->pending_send, 0);
	CHECK_EQ(write_one(100), RING_FULL);
	CHECK_EQ(write_one(RING_LEN), RING_FULL);
	CHECK_EQ(machine_signals(), 1);
}

static void writes_to_liars(void)
{
	struct wire_ring *ring;

	start();
	ring = to_guest();
	ring->read = RING_LEN;
	CHECK_EQ(write_one(8), RING_FULL);
	ring->read = 4;
	CHECK_EQ(write_one(8), RING_FULL);
	ring->read = 0;
	ring->write = RING_LEN;
	CHECK_EQ(write_one(8), RING_BROKEN);
	ring->write = UINT32_MAX;
	CHECK_EQ(write_one(8), RING_BROKEN);
	ring->write = 0;
	CHECK_EQ(write_one(8), RING_OK);
}

struct pieces {
	unsigned int n;
	uint64_t address[16];
	uint32_t len[16];
};

static void note_piece(void *arg, uint64_t address, uint32_t len)
{
	struct pieces *pieces = arg;

	pieces->address[pieces->n] = address;
	pieces->len[pieces->n++] = len;
}

static void drop_piece(void *arg, uint64_t address, uint32_t len)
{
	(void)arg;
	(void)address;
	(void)len;
}

static bool walk(struct pieces *pieces, const void *descriptor, uint32_t len)
{
	struct packet packet = { .descriptor = descriptor, .descriptor_len = len };

	pieces->n = 0;
	return gpa_direct_walk(&packet, note_piece, pieces);
}

static void gpa_direct(void)
{
	struct {
		uint32_t reserved, nr, bytes, offset;
		uint64_t pfn[3];
		uint32_t bytes2, offset2;
		uint64_t pfn2[1];
	} d = {
		.nr = 2, .bytes = 8192, .offset = 100, .pfn = { 7, 3, 9 },
		.bytes2 = 4, .offset2 = 4092, .pfn2 = { 1 },
	};
	struct pieces pieces;

	CHECK(walk(&pieces, &d, sizeof(d)));
	CHECK_EQ(pieces.n, 4);
	CHECK_EQ(pieces.address[0], 7 * 4096 + 100);
	CHECK_EQ(pieces.len[0], 3996);
	CHECK_EQ(pieces.len[1], 4096);
	CHECK_EQ(pieces.address[2], 9 * 4096);
	CHECK_EQ(pieces.len[2], 100);
	CHECK_EQ(pieces.address[3], 4096 + 4092);
	CHECK(!walk(&pieces, &d, sizeof(d) - 8));
	CHECK(!walk(&pieces, &d, 4));
	CHECK(!walk(&pieces, &d, 12));
	d.nr = 1;
	CHECK(!walk(&pieces, &d, sizeof(d)));
	d.nr = 0;
	CHECK(!walk(&pieces, &d, sizeof(d)));
	d.nr = UINT32_MAX;
	CHECK(!walk(&pieces, &d, sizeof(d)));
	d.nr = 2;
	d.offset = 4096;
	CHECK(!walk(&pieces, &d, sizeof(d)));
	d.offset = 100;
	d.bytes = UINT32_MAX;
	CHECK(!walk(&pieces, &d, sizeof(d)));
}

/* --- cases: rules --- */

static bool add(uint32_t type, uint32_t nth, uint32_t action, uint32_t offset,
		uint32_t value)
{
	return rule_add(&host, &(struct rule){
		.type = type, .relid = channel.relid, .nth = nth, .action = action,
		.offset = offset, .value = value });
}

static void refuses(void)
{
	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_CREATED, 2, RULE_REFUSE, 0, 0xc0000001);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES);
	CHECK_EQ(created_status(RINGS), 0);
	send_gpadl(other.relid, BUFFER + 1, FIRST_PFN, 1);
	CHECK_EQ(created_status(BUFFER + 1), 0);
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	CHECK_EQ(created_status(BUFFER), 0xc0000001);
	CHECK(!gpadl_find(&host, channel.relid, BUFFER));
	CHECK_EQ(rule_count(&host), 0);
	add(WIRE_OPENCHANNEL_RESULT, 1, RULE_REFUSE, 0, 0xc0000002);
	send_open(channel.relid, RINGS, 0, RING_PAGES);
	CHECK_EQ(open_status(), 0xc0000002);
	CHECK_EQ(opened, 0);
	send_open(channel.relid, RINGS, 0, RING_PAGES);
	CHECK_EQ(open_status(), 0);
	add(WIRE_MODIFYCHANNEL_RESPONSE, 1, RULE_REFUSE, 0, 0xc0000003);
	send_words(WIRE_MODIFYCHANNEL, 2, channel.relid, 1);
	CHECK_EQ(((const struct wire_modify_response *)
		  expect(WIRE_MODIFYCHANNEL_RESPONSE))->status, 0xc0000003);
	CHECK_EQ(channel.target_vp, 0);
	CHECK_EQ(host.count.violations, 0);
}

static void drops_and_doubles(void)
{
	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_CREATED, 1, RULE_DROP, 0, 0);
	add(WIRE_GPADL_CREATED, 2, RULE_DOUBLE, 0, 0);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 1);
	expect_nothing();
	CHECK(gpadl_find(&host, channel.relid, RINGS));
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	created_status(BUFFER);
	created_status(BUFFER);
	expect_nothing();
	/* a message of the guest's */
	add(WIRE_GPADL_TEARDOWN, 1, RULE_DROP, 0, 0);
	send_teardown(channel.relid, BUFFER);
	expect_nothing();
	CHECK(gpadl_find(&host, channel.relid, BUFFER));
}

static void holds(void)
{
	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_TORNDOWN, 1, RULE_HOLD, 0, 50);
	add(WIRE_GPADL_HEADER, 1, RULE_HOLD, 0, 0);
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	expect_nothing();
	CHECK_EQ(gpadl_count(&host, channel.relid), 0);
	rule_release(&host);
	created_status(BUFFER);
	send_teardown(channel.relid, BUFFER);
	machine_pass(49);
	expect_nothing();
	CHECK_EQ(gpadl_count(&host, channel.relid), 1);
	rule_release(&host);
	expect_nothing();
	machine_pass(1);
	expect_torndown(BUFFER);
	CHECK_EQ(gpadl_count(&host, channel.relid), 0);
	CHECK_EQ(machine_timers(), 0);
	/* What is held is forgotten with the connection. */
	add(WIRE_GPADL_CREATED, 1, RULE_HOLD, 0, 50);
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	CHECK_EQ(machine_timers(), 1);
	contact(WIRE_VERSION(5, 3));
	expect(WIRE_VERSION_RESPONSE);
	CHECK_EQ(machine_timers(), 0);
	CHECK_EQ(host.count.violations, 0);
}

static void swaps(void)
{
	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_CREATED, 1, RULE_SWAP, 0, 0);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 1);
	expect_nothing();
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	created_status(BUFFER);
	created_status(RINGS);
	expect_nothing();
}

static void malforms(void)
{
	const struct posted *posted;

	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_CREATED, 1, RULE_SET, offsetof(struct wire_gpadl_created, relid), 77);
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 1);
	CHECK_EQ(((const struct wire_gpadl_created *)expect(WIRE_GPADL_CREATED))->relid, 77);
	add(WIRE_GPADL_CREATED, 1, RULE_SIZE, 0, 12);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 1);
	posted = machine_fetch();
	CHECK_EQ(posted->len, 12);
	add(WIRE_GPADL_TORNDOWN, 1, RULE_SIZE, 0, 240);
	send_teardown(channel.relid, RINGS);
	posted = machine_fetch();
	CHECK_EQ(posted->len, 240);
	CHECK_EQ(posted->bytes[239], 0);
}

static void rescinds_at_a_moment(void)
{
	connect_at(WIRE_VERSION(5, 3));
	add(WIRE_GPADL_HEADER, 1, RULE_RESCIND, 0, 0);
	send_gpadl(channel.relid, BUFFER, FIRST_PFN, 60);
	expect(WIRE_RESCIND);
	CHECK_EQ(created_status(BUFFER), 0);
	send_words(WIRE_RELID_RELEASED, 1, channel.relid);
	channel_offer(&channel);
	expect(WIRE_OFFERCHANNEL);
	add(WIRE_OPENCHANNEL_RESULT, 1, RULE_RESCIND, 0, 0);
	send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES);
	created_status(RINGS);
	send_open(channel.relid, RINGS, 0, RING_PAGES);
	expect(WIRE_RESCIND);
	CHECK_EQ(open_status(), 0);
	CHECK_EQ(channel.state, CHANNEL_RESCINDED);
	CHECK_EQ(closed, 1);
	CHECK_EQ(host.count.violations, 0);
}

static void wrong_rules(void)
{
	CHECK(!add(WIRE_GPADL_CREATED, 1, 0, 0, 0));
	CHECK(!add(WIRE_GPADL_CREATED, 1, RULE_END, 0, 0));
	CHECK(!add(WIRE_GPADL_CREATED, 0, RULE_DROP, 0, 0));
	CHECK(!add(WIRE_TYPE_END, 1, RULE_DROP, 0, 0));
	CHECK(!add(WIRE_GPADL_CREATED, 1, RULE_SET, 237, 0));
	CHECK(!add(WIRE_GPADL_CREATED, 1, RULE_SIZE, 0, 241));
	CHECK_EQ(rule_count(&host), 0);
}

/* --- cases: what no good host sends, and no good guest --- */

/* The guest reads all of it without losing its place. */
static void fuzzes_packets(void)
{
	uint32_t read = 0, packets = 0;
	struct wire_packet packet;

	start();
	CHECK(fuzz_start(&channel, false, 1, 50000));
	while (fuzz_left(&host) && machine_timers()) {
		machine_pass(1);
		while (read != to_guest()->write) {
			memcpy(&packet, word(to_guest(), read), 8);
			CHECK(packet.len8 >= 2 && packet.len8 <= 66);
			CHECK_EQ(*word(to_guest(), read + packet.len8 * 8),
				 (uint64_t)read << 32);
			read = (read + packet.len8 * 8 + 8) % RING_LEN;
			packets++;
		}
		to_guest()->read = read;
	}
	CHECK_EQ(packets, 50000);
	machine_pass(10);
	CHECK_EQ(machine_timers(), 0);
	/* It ends with the channel. */
	CHECK(fuzz_start(&channel, false, 1, 50000));
	send_words(WIRE_CLOSECHANNEL, 1, channel.relid);
	machine_pass(2);
	CHECK_EQ(fuzz_left(&host), 0);
}

static void fuzzes_messages(void)
{
	const struct posted *posted;
	unsigned int n = 0;

	start();
	CHECK(fuzz_start(&channel, true, 1, 1000));
	while (fuzz_left(&host)) {
		machine_pass(1);
		CHECK(machine_backlog() <= 16);
		while ((posted = machine_fetch())) {
			n++;
			CHECK(posted->len <= WIRE_MESSAGE_MAX);
			CHECK(posted->header.type != WIRE_RESCIND ||
			      ((const struct wire_relid *)posted->bytes)->relid >= 1024);
		}
	}
	CHECK_EQ(n, 1000);
	machine_pass(2);
	CHECK(fuzz_start(&channel, true, 1, 1000));
	contact(WIRE_VERSION(5, 3));
	CHECK_EQ(fuzz_left(&host), 0);
}

static uint64_t random_word(void)
{
	static uint64_t state = 1;

	state = state * 6364136223846793005ull + 1442695040888963407ull;
	return state >> 33;
}

/* Any messages, and anything in the rings: the host goes on, and can be left. */
static void survives_a_bad_guest(void)
{
	uint32_t msg[WIRE_MESSAGE_MAX / 4], i, j;
	struct packet packet;

	for (i = 0; i < 300000; i++) {
		/* Mostly there is a channel to break. */
		if (host.state != HOST_OFFERED) {
			contact(WIRE_VERSION(5, 3));
			send_words(WIRE_REQUESTOFFERS, 0);
		}
		if (channel.state == CHANNEL_OFFERED && !(random_word() % 4)) {
			send_gpadl(channel.relid, RINGS, FIRST_PFN, 2 * RING_PAGES);
			send_open(channel.relid, RINGS, 0, RING_PAGES);
		}
		for (j = 0; j < WIRE_MESSAGE_MAX / 4; j++)
			msg[j] = random_word() % 4 ? random_word() % 64 : random_word();
		msg[0] = random_word() % 26;
		if (random_word() % 2)
			msg[2] = channel.relid;
		if (msg[0] == WIRE_UNLOAD || msg[0] == WIRE_INITIATE_CONTACT)
			msg[0] = random_word() % 64 ? WIRE_GPADL_HEADER : msg[0];
		send(msg, random_word() % 2 ? 4 * (random_word() % 61) : 8 + 4 * (i % 8));
		if (channel.state == CHANNEL_OPEN) {
			*word(to_host(), 8 * random_word()) = random_word() << (i % 2 * 32);
			to_host()->write = random_word() % 8 ? random_word() % RING_LEN & ~7 :
							       random_word();
			to_guest()->read = random_word() % (2 * RING_LEN);
			to_guest()->write = random_word() % (2 * RING_LEN);
			while (read_one(&packet) == RING_OK)
				gpa_direct_walk(&packet, drop_piece, NULL);
			write_one(random_word() % 5000);
		}
		if (!(random_word() % 64))
			channel_rescind(&channel);
		if (channel.state == CHANNEL_RESCINDED && !(random_word() % 4)) {
			send_words(WIRE_RELID_RELEASED, 1, channel.relid);
			channel_offer(&channel);
		}
		while (machine_fetch())
			;
	}
	CHECK(opened > 100);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	{ "versions", versions },
	{ "newest_version", newest_version },
	{ "contact_again", contact_again },
	{ "unloads", unloads },
	{ "offers", offers },
	{ "wrong_messages", wrong_messages },
	{ "wrong_version", wrong_version },
	{ "announced", announced },
	{ "opens_and_closes", opens_and_closes },
	{ "wrong_opens", wrong_opens },
	{ "wrong_closes", wrong_closes },
	{ "rescinds", rescinds },
	{ "rescinds_withheld", rescinds_withheld },
	{ "moves", moves },
	{ "moves_unanswered", moves_unanswered },
	{ "gpadls", gpadls },
	{ "wrong_headers", wrong_headers },
	{ "page_twice", page_twice },
	{ "not_ram", not_ram },
	{ "wrong_bodies", wrong_bodies },
	{ "wrong_teardowns", wrong_teardowns },
	{ "scribbles", scribbles },
	{ "reads", reads },
	{ "reads_around_the_end", reads_around_the_end },
	{ "masks_while_reading", masks_while_reading },
	{ "needless_signals", needless_signals },
	{ "signals_room", signals_room },
	{ "wrong_packets", wrong_packets },
	{ "broken_rings", broken_rings },
	{ "writes", writes },
	{ "writes_until_full", writes_until_full },
	{ "writes_to_liars", writes_to_liars },
	{ "gpa_direct", gpa_direct },
	{ "refuses", refuses },
	{ "drops_and_doubles", drops_and_doubles },
	{ "holds", holds },
	{ "swaps", swaps },
	{ "malforms", malforms },
	{ "rescinds_at_a_moment", rescinds_at_a_moment },
	{ "wrong_rules", wrong_rules },
	{ "fuzzes_packets", fuzzes_packets },
	{ "fuzzes_messages", fuzzes_messages },
	{ "survives_a_bad_guest", survives_a_bad_guest },
};

static void add_channel(struct channel *ch, uint8_t type, uint16_t sub_index)
{
	memset(ch, 0, sizeof(*ch));
	ch->callbacks = &callbacks;
	memset(ch->type, type, sizeof(ch->type));
	memset(ch->instance, type + 1, sizeof(ch->instance));
	ch->mmio_mb = 7;
	ch->sub_index = sub_index;
	CHECK(channel_add(&host, ch));
}

int main(void)
{
	unsigned int i, n = sizeof(cases) / sizeof(cases[0]), failed = 0;

	printf("TAP version 13\n1..%u\n", n);
	for (i = 0; i < n; i++) {
		checks_failed = 0;
		opened = 0;
		closed = 0;
		signalled = 0;
		rescinded = 0;
		released = 0;
		forgotten = 0;
		machine_reset();
		host_init(&host, WIRE_VERSION(6, 0));
		add_channel(&channel, 0x11, 0);
		add_channel(&other, 0x22, 0);
		add_channel(&sub, 0x11, 1);
		cases[i].run();
		host_fini(&host);
		CHECK_EQ(machine_mapped(), 0);
		CHECK_EQ(machine_timers(), 0);
		printf("%sok %u %s\n", checks_failed ? "not " : "", i + 1, cases[i].name);
		failed += !!checks_failed;
	}
	printf("# %u passed, %u failed\n", n - failed, failed);
	return !!failed;
}
