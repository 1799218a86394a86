// SPDX-License-Identifier: GPL-2.0-only
/* A client and a server in this kernel, which both record their callbacks. */

#include "loopback.h"

const guid_t loopback_type = GUID_INIT(0x100bac00, 1, 2, 3, 4, 5, 6, 7, 8, 9,
				       10);
const guid_t loopback_instance = GUID_INIT(0x100bac01, 1, 2, 3, 4, 5, 6, 7, 8,
					   9, 10);

struct client *loopback_server(struct kunit *test)
{
	struct client *server = client_alloc(test);

	client_set_up_server(test, server, get_server(test), &loopback_type,
			     &loopback_instance);
	return server;
}

struct client *loopback_client(struct kunit *test)
{
	struct client *client = client_alloc(test);

	client_set_up(test, client, get_channel(test), &loopback_type, NULL);
	return client;
}

void offer(struct kunit *test, struct client *server)
{
	enable(test, server);
	VmbChannelStart(server->ch);
}

void connect_both(struct kunit *test, struct client *client,
		  struct client *server)
{
	offer(test, server);
	bring_up(test, client);
	becomes(test, server->ch, KMCL_ACTIVE);
	heard(test, client, UP);
	heard(test, server, UP);
}

void ask(struct kunit *test, struct client *from, struct client *to, u64 answer)
{
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, from->ch, &outcome);
	u64 word = 5;

	to->completion = answer;
	to->completion_size = sizeof(to->completion);
	KUNIT_ASSERT_EQ(test,
			VmbPacketSend(packet, &word, sizeof(word), NULL,
				      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	outcome_is(test, &outcome, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, outcome.length, sizeof(answer));
	KUNIT_EXPECT_EQ(test, outcome.data, answer);
}
