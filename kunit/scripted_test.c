// SPDX-License-Identifier: GPL-2.0-only
/* The sample of a server that does what a test tells it, as a client's test uses it. */

#include <linux/slab.h>

#include "../Documentation/samples/scripted/scripted.h"
#include "lib/client.h"
#include "lib/loopback.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

/* The test's protocol: the answer is the word of the request, plus one. */
static u32 add_one(struct scripted *server, const void *data, u32 len,
		   void *answer)
{
	if (len != sizeof(u64))
		return 0;
	*(u64 *)answer = *(const u64 *)data + 1;
	return sizeof(u64);
}

static void end_script(void *server)
{
	scripted_end(server);
}

static struct scripted *get_script(struct kunit *test)
{
	struct scripted *server = kunit_kzalloc(test, sizeof(*server),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, server);
	server->answer = add_one;
	KUNIT_ASSERT_EQ(test, scripted_offer(server, &loopback_type,
					     &loopback_instance),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, end_script,
							server), 0);
	return server;
}

/* What the client under test does: returns the answer, or 0 and a status. */
static u64 client_asks(VMBCHANNEL ch, u64 word, s64 timeout, NTSTATUS *status)
{
	LARGE_INTEGER time = { .QuadPart = timeout };
	u32 size = sizeof(u64);
	u64 answer = 0;

	*status = VmbChannelSendSynchronousRequest(ch, &word, sizeof(word), NULL,
						   WAIT, &answer, &size, &time);
	return answer;
}

static void answers(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	NTSTATUS status;

	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, client_asks(client->ch, 6, -SECOND, &status), 7);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server->packets, 1);
}

static void answers_nothing(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	NTSTATUS status;

	server->answer = NULL;
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, client_asks(client->ch, 6, -SECOND, &status), 0);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
}

/* The client gives up, and the completion comes after that. */
static void answers_late(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	NTSTATUS status;

	bring_up(test, client);
	scripted_hold(server, true);
	client_asks(client->ch, 1, -SECOND / 20, &status);
	KUNIT_EXPECT_EQ(test, status, STATUS_CANCELLED);
	scripted_hold(server, false);
	KUNIT_EXPECT_TRUE(test, scripted_complete_one(server));
	KUNIT_EXPECT_FALSE(test, scripted_complete_one(server));
	KUNIT_EXPECT_EQ(test, client_asks(client->ch, 2, -SECOND, &status), 3);
	EXPECT_EVENTUALLY(test, client->ch->tx.bad_ids == 1);
}

/* Neither end waits for the packet that the server keeps. */
static void rescinds_with_a_packet(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	struct job *job;

	bring_up(test, client);
	scripted_hold(server, true);
	job = job_start(test, do_ask, client);
	ASSERT_EVENTUALLY(test, READ_ONCE(server->nr_held) == 1);
	scripted_rescind(server);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, UP_DOWN);

	KUNIT_ASSERT_EQ(test, scripted_offer_again(server), STATUS_SUCCESS);
	scripted_hold(server, false);
	bring_up(test, client);
	heard(test, client, UP);
}

static void client_leaves_a_packet(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	struct job *job;

	bring_up(test, client);
	scripted_hold(server, true);
	job = job_start(test, do_ask, client);
	ASSERT_EVENTUALLY(test, READ_ONCE(server->nr_held) == 1);
	VmbChannelDisable(client->ch);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, server->nr_held, 0);
}

static void refuses(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);

	WRITE_ONCE(server->opened, STATUS_UNSUCCESSFUL);
	enable(test, client);
	becomes(test, client->ch, KMCL_DISABLED);
	heard(test, client, "PnpFailure");
	WRITE_ONCE(server->opened, STATUS_SUCCESS);
	bring_up(test, client);
	heard(test, client, UP);
}

/* The client's ring fills up, and is read again. */
static void stalls(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	NTSTATUS status = STATUS_SUCCESS;
	unsigned int sent = 0;

	bring_up(test, client);
	scripted_stall(server);
	while (sent < 100000 && NT_SUCCESS(status)) {
		status = send_word(client->ch, 0, 0);
		sent += NT_SUCCESS(status);
	}
	KUNIT_EXPECT_EQ(test, status, STATUS_BUFFER_OVERFLOW);
	scripted_go_on(server);
	EXPECT_EVENTUALLY(test, READ_ONCE(server->packets) == sent);
	KUNIT_EXPECT_EQ(test, client_asks(client->ch, 1, -SECOND, &status), 2);
}

static void sends(struct kunit *test)
{
	struct scripted *server = get_script(test);
	struct client *client = loopback_client(test);
	u64 word = 0x5a;

	bring_up(test, client);
	EXPECT_EVENTUALLY(test, server->ch->state == KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, scripted_send(server, &word, sizeof(word)),
			STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->packets) == 1);
	KUNIT_EXPECT_EQ(test, client->tags[0], 0x5a);
}

/* An instance that is offered already: nothing is left of the second offer. */
static void offers_twice(struct kunit *test)
{
	struct scripted *second = kunit_kzalloc(test, sizeof(*second),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, second);
	get_script(test);
	KUNIT_EXPECT_EQ(test, scripted_offer(second, &loopback_type,
					     &loopback_instance),
			STATUS_DEVICE_BUSY);
}

static struct kunit_case scripted_cases[] = {
	KUNIT_CASE(answers),
	KUNIT_CASE(answers_nothing),
	KUNIT_CASE(answers_late),
	KUNIT_CASE(rescinds_with_a_packet),
	KUNIT_CASE(client_leaves_a_packet),
	KUNIT_CASE(refuses),
	KUNIT_CASE(stalls),
	KUNIT_CASE(sends),
	KUNIT_CASE(offers_twice),
	{}
};

struct kunit_suite vmbkmcl_scripted_suite = {
	.name = "vmbkmcl_scripted",
	.test_cases = scripted_cases,
};
