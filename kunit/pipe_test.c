// SPDX-License-Identifier: GPL-2.0-only
/* Pipe mode: the header that the library adds and removes. */

#include <linux/slab.h>

#include "lib/client.h"
#include "lib/fake_bus.h"
#include "lib/server.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define LARGEST	(sizeof(struct testdev_request) + TESTDEV_MAX_PAYLOAD)

/**
 * struct reader - a client of a pipe, and what it was given last
 * @ch: its channel
 * @messages: given so far
 * @len: bytes of the last one
 * @data: its first bytes
 * @altered: messages that were not the server's pattern
 */
struct reader {
	VMBCHANNEL ch;
	u32 messages;
	u32 len;
	u8 data[64];
	u32 altered;
};

static VOID read_message(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			 PVOID buffer, UINT32 length, UINT32 flags)
{
	struct reader *reader = VmbChannelGetPointer(ch);
	const u8 *bytes = buffer;
	u32 i;

	for (i = 0; i < length; i++)
		if (bytes[i] != testdev_pattern(reader->messages, i))
			break;
	reader->altered += i < length;
	reader->len = length;
	memcpy(reader->data, buffer, min_t(u32, length, sizeof(reader->data)));
	VmbChannelPacketComplete(packet, NULL, 0);
	/* Cases poll for this: write it last. */
	smp_store_release(&reader->messages, reader->messages + 1);
}

/* Allocate it before its channel: KUnit frees in the reverse order. */
static struct reader *reader_alloc(struct kunit *test)
{
	struct reader *reader = kunit_kzalloc(test, sizeof(*reader),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, reader);
	return reader;
}

static void reads(struct kunit *test, struct reader *reader, VMBCHANNEL ch,
		  u32 max)
{
	reader->ch = ch;
	VmbChannelSetPointer(ch, reader);
	VmbChannelInitSetMaximumPacketSize(ch, max);
	VmbChannelInitSetProcessPacketCallbacks(ch, read_message, NULL);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetFlags(ch,
					       VMBUS_CHANNEL_INIT_FLAG_IS_PIPE),
			STATUS_SUCCESS);
}

static struct reader *fake_pipe(struct kunit *test, struct fake_bus **bus)
{
	struct reader *reader = reader_alloc(test);

	*bus = fake_bus_create(test);
	reads(test, reader, (*bus)->ch, 40);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(reader->ch), STATUS_SUCCESS);
	becomes(test, reader->ch, KMCL_ACTIVE);
	return reader;
}

static struct reader *server_pipe(struct kunit *test, u32 max)
{
	struct reader *reader = reader_alloc(test);
	VMBCHANNEL ch = get_channel(test);
	guid_t type, instance;

	reads(test, reader, ch, max);
	server_guids(&type, &instance);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	becomes(test, ch, KMCL_ACTIVE);
	return reader;
}

/* To the host */

static void is_framed(struct kunit *test, const struct fake_bus *bus,
		      const void *data, u32 len)
{
	const __le32 *header = (const void *)bus->last_data;

	KUNIT_EXPECT_EQ(test, bus->last_len, ALIGN(8 + len, 8));
	KUNIT_EXPECT_EQ(test, le32_to_cpu(header[0]), 1);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(header[1]), len);
	KUNIT_EXPECT_EQ(test, memcmp(bus->last_data + 8, data, len), 0);
}

static const char text[] = "forty bytes are the most there may be.";

static void packet_is_framed(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	u32 lengths[] = { 0, 1, 8, sizeof(text) };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		VMBPACKET packet = VmbPacketAllocate(reader->ch);

		KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, (void *)text,
						    lengths[i], NULL, 0),
				STATUS_SUCCESS);
		is_framed(test, bus, text, lengths[i]);
	}
}

/* The caller may reuse its buffer although the packet is queued. */
static void queued_packet_is_framed(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	char buffer[sizeof(text)];

	memcpy(buffer, text, sizeof(text));
	fake_bus_set_room(bus, 0);
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(VmbPacketAllocate(reader->ch), buffer,
				      sizeof(buffer), NULL, 0),
			STATUS_SUCCESS);
	memset(buffer, 0, sizeof(buffer));
	fake_bus_set_room(bus, 1);
	kmcl_poll_schedule(reader->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->sends) == 1);
	is_framed(test, bus, text, sizeof(text));
}

static void gpa_direct_packet_is_framed(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	PFN_NUMBER pfn = 77;

	KUNIT_ASSERT_EQ(test,
			VmbPacketSendWithExternalPfns(VmbPacketAllocate(reader->ch),
						      (void *)text, 5, &pfn, 1,
						      WAIT),
			STATUS_SUCCESS);
	is_framed(test, bus, text, 5);
}

static void request_is_framed(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	LARGE_INTEGER now = {};

	KUNIT_EXPECT_EQ(test,
			VmbChannelSendSynchronousRequest(reader->ch,
							 (void *)text, 11, NULL,
							 0, NULL, NULL, &now),
			STATUS_SUCCESS);
	is_framed(test, bus, text, 11);
}

static void maximum_is_the_messages(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	VMBPACKET packet = VmbPacketAllocate(reader->ch);
	u8 data[48] = {};

	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, 41, NULL, 0),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, data, 40, NULL, 0),
			STATUS_SUCCESS);
}

/* It has no room for a header. */
static void packet_made_before(struct kunit *test)
{
	struct reader *reader = reader_alloc(test);
	struct fake_bus *bus = fake_bus_create(test);
	VMBPACKET packet = VmbPacketAllocate(bus->ch);
	u64 word = 1;

	reads(test, reader, bus->ch, 4096);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, VmbPacketSend(packet, &word, sizeof(word), NULL,
					    0), STATUS_INVALID_PARAMETER_1);
	VmbPacketFree(packet);
}

/* From the host */

static void host_sends(struct fake_bus *bus, u32 type, u32 says, u32 has)
{
	struct {
		__le32 type;
		__le32 len;
		u8 data[64];
	} msg = { cpu_to_le32(type), cpu_to_le32(says) };

	memcpy(msg.data, text, sizeof(text));
	fake_bus_deliver(bus, KMCL_PKT_INBAND, 0, &msg, has);
}

static void was_given(struct kunit *test, struct reader *reader, u32 messages)
{
	/* The message is written before the count. */
	EXPECT_EVENTUALLY(test, smp_load_acquire(&reader->messages) ==
				messages);
	KUNIT_EXPECT_EQ(test, reader->messages, messages);
}

static void message_has_its_length(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	u32 i;

	for (i = 0; i <= 32; i++) {
		host_sends(bus, 1, i, 8 + i);
		was_given(test, reader, i + 1);
		KUNIT_EXPECT_EQ(test, reader->len, i);
		KUNIT_EXPECT_EQ(test, memcmp(reader->data, text, i), 0);
	}
}

static void malformed_message_is_dropped(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);

	host_sends(bus, 1, 0, 0);
	host_sends(bus, 0, 8, 16);
	host_sends(bus, 2, 8, 16);
	host_sends(bus, 1, 9, 16);
	host_sends(bus, 1, U32_MAX, 16);
	host_sends(bus, 1, U32_MAX - 7, 16);
	host_sends(bus, 1, 48, 56);	/* more than the channel's maximum */
	host_sends(bus, 1, 8, 16);
	was_given(test, reader, 1);
	KUNIT_EXPECT_EQ(test, reader->len, 8);
	KUNIT_EXPECT_EQ(test, reader->ch->rx.dropped, 7);
	KUNIT_EXPECT_EQ(test, reader->ch->rx.received, 8);
}

static void completions_are_not_framed(struct kunit *test)
{
	struct fake_bus *bus;
	struct reader *reader = fake_pipe(test, &bus);
	u64 framed[2] = { 1 | 3ULL << 32, 0 };

	fake_bus_deliver_request(bus, 5, framed, sizeof(framed));
	was_given(test, reader, 1);
	KUNIT_EXPECT_EQ(test, reader->len, 3);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->completions) == 1);
	KUNIT_EXPECT_EQ(test, bus->last_len, 0);
}

/* With the server */

static void server_echoes_messages(struct kunit *test)
{
	struct reader *reader = server_pipe(test, LARGEST);
	u32 lengths[] = { 0, 1, 7, 8, 9, 1000, TESTDEV_MAX_PAYLOAD - 1,
			  TESTDEV_MAX_PAYLOAD };
	struct server srv = { .ch = reader->ch };
	u8 *out = kunit_kzalloc(test, 2 * TESTDEV_MAX_PAYLOAD, GFP_KERNEL);
	u8 *in = out + TESTDEV_MAX_PAYLOAD;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, out);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct testdev_request echo = {
			.op = TESTDEV_ECHO, .payload_len = lengths[i],
		};
		struct testdev_response rsp;

		for (j = 0; j < lengths[i]; j++)
			out[j] = testdev_pattern(i, j);
		KUNIT_EXPECT_EQ(test,
				server_call(&srv, &echo, out, &rsp, in,
					    ALIGN(lengths[i], 8)),
				STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
		KUNIT_EXPECT_EQ(test, rsp.payload_len, lengths[i]);
		KUNIT_EXPECT_EQ(test, memcmp(out, in, lengths[i]), 0);
	}
}

static void server_sends_messages(struct kunit *test)
{
	u32 lengths[] = { 0, 1, 7, 8, 9, 1000, TESTDEV_MAX_PAYLOAD };
	struct reader *reader = server_pipe(test, TESTDEV_MAX_PAYLOAD);
	struct server srv = { .ch = reader->ch };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct testdev_request push = {
			.op = TESTDEV_PUSH, .length = 20, .offset = lengths[i],
		};
		struct testdev_response rsp;

		reader->messages = 0;
		KUNIT_ASSERT_EQ(test,
				server_call(&srv, &push, NULL, &rsp, NULL, 0),
				STATUS_SUCCESS);
		KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
		was_given(test, reader, 20);
		KUNIT_EXPECT_EQ(test, reader->len, lengths[i]);
	}
	KUNIT_EXPECT_EQ(test, reader->altered, 0);
	KUNIT_EXPECT_EQ(test, reader->ch->rx.dropped, 0);
}

static struct kunit_case pipe_cases[] = {
	KUNIT_CASE(packet_is_framed),
	KUNIT_CASE(queued_packet_is_framed),
	KUNIT_CASE(gpa_direct_packet_is_framed),
	KUNIT_CASE(request_is_framed),
	KUNIT_CASE(maximum_is_the_messages),
	KUNIT_CASE(packet_made_before),
	KUNIT_CASE(message_has_its_length),
	KUNIT_CASE(malformed_message_is_dropped),
	KUNIT_CASE(completions_are_not_framed),
	{}
};

struct kunit_suite vmbkmcl_pipe_suite = {
	.name = "vmbkmcl_pipe",
	.test_cases = pipe_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case pipe_server_cases[] = {
	KUNIT_CASE(server_echoes_messages),
	KUNIT_CASE(server_sends_messages),
	{}
};

struct kunit_suite vmbkmcl_pipe_server_suite = {
	.name = "vmbkmcl_pipe_server",
	.test_cases = pipe_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_pipe_server_suite);
