// SPDX-License-Identifier: GPL-2.0-only
/* The tests' way to the server outside the guest. */

#include <linux/delay.h>
#include <linux/slab.h>

#include "outcome.h"
#include "server.h"

#define SERVER_TIMEOUT_S	30

void server_guids(guid_t *type, guid_t *instance)
{
	WARN_ON(guid_parse(TESTDEV_TYPE_GUID, type));
	WARN_ON(guid_parse(TESTDEV_INSTANCE_GUID, instance));
}
EXPORT_TO_TESTS(server_guids);

static VOID server_post_started(VMBCHANNEL ch)
{
	struct server *srv = VmbChannelGetPointer(ch);

	complete(&srv->up);
}

static void server_close(void *data)
{
	struct server *srv = data;

	VmbChannelDisable(srv->ch);
	VmbChannelCleanup(srv->ch);
	kfree(srv);
}

struct server *server_open(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	guid_t type, instance;
	struct server *srv;
	VMBCHANNEL ch;

	srv = kzalloc(sizeof(*srv), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, srv);
	init_completion(&srv->up);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, 0, &ch), STATUS_SUCCESS);
	srv->ch = ch;
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, server_close,
							srv), 0);

	server_guids(&type, &instance);
	VmbChannelSetPointer(ch, srv);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelPostStarted = server_post_started;
	VmbChannelInitSetStateChangeCallbacks(ch, &evt);
	VmbChannelInitSetMaximumPacketSize(ch, sizeof(struct testdev_request) +
					       TESTDEV_MAX_PAYLOAD);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_ASSERT_NE(test,
			wait_for_completion_timeout(&srv->up,
						    SERVER_TIMEOUT_S * HZ), 0);
	return srv;
}
EXPORT_TO_TESTS(server_open);

NTSTATUS server_call(struct server *srv, const struct testdev_request *req,
		     const void *payload, struct testdev_response *rsp,
		     void *back, u32 room_back)
{
	LARGE_INTEGER timeout = { .QuadPart = -SERVER_TIMEOUT_S * 10000000LL };
	u32 room = ALIGN(sizeof(*rsp) + room_back, 8);
	u8 *out, *in;
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

	out = kmalloc(sizeof(*req) + req->payload_len, GFP_KERNEL);
	in = kzalloc(room, GFP_KERNEL);
	if (!out || !in)
		goto free;
	memcpy(out, req, sizeof(*req));
	((struct testdev_request *)out)->magic = TESTDEV_MAGIC;
	if (payload)
		memcpy(out + sizeof(*req), payload, req->payload_len);

	status = VmbChannelSendSynchronousRequest(srv->ch, out,
						  sizeof(*req) +
						  req->payload_len, NULL,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  in, &room, &timeout);
	memcpy(rsp, in, sizeof(*rsp));
	if (back)
		memcpy(back, in + sizeof(*rsp), room_back);
free:
	kfree(in);
	kfree(out);
	return status;
}
EXPORT_TO_TESTS(server_call);

u64 server_must(struct kunit *test, VMBCHANNEL ch,
		const struct testdev_request *req)
{
	struct server srv = { .ch = ch };
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.magic, TESTDEV_MAGIC);
	KUNIT_ASSERT_EQ(test, rsp.op, req->op);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	return rsp.value;
}
EXPORT_TO_TESTS(server_must);

u32 server_crc32(struct kunit *test, struct server *srv, u32 handle)
{
	return server_does(test, srv->ch, .op = TESTDEV_GPADL_CRC32,
			   .handle = handle);
}

u64 server_length(struct kunit *test, struct server *srv, u32 handle)
{
	return server_does(test, srv->ch, .op = TESTDEV_GPADL_LENGTH,
			   .handle = handle);
}
EXPORT_TO_TESTS(server_length);

void server_fill(struct kunit *test, struct server *srv, u32 handle, u32 seed)
{
	server_does(test, srv->ch, .op = TESTDEV_GPADL_FILL, .handle = handle,
		    .seed = seed);
}

bool server_knows(struct kunit *test, struct server *srv, u32 handle)
{
	struct testdev_request req = {
		.op = TESTDEV_GPADL_LENGTH, .handle = handle,
	};
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	if (rsp.status == TESTDEV_OK)
		return true;
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_ENOGPADL);
	return false;
}

struct testdev_report server_report(struct kunit *test, VMBCHANNEL ch)
{
	struct testdev_request req = { .op = TESTDEV_REPORT };
	struct testdev_report report = {};
	struct testdev_response rsp = {};
	struct server srv = { .ch = ch };

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, NULL, &rsp, &report,
					  sizeof(report)), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	return report;
}

enum testdev_status call_server(struct kunit *test, VMBCHANNEL ch,
				enum testdev_op op, u32 ms)
{
	struct testdev_request req = { .op = op, .length = ms };
	struct testdev_response rsp = {};
	struct server srv = { .ch = ch };

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	return rsp.status;
}
EXPORT_TO_TESTS(call_server);

unsigned int server_echo_cpu(struct kunit *test, VMBCHANNEL ch)
{
	struct testdev_request echo = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
	};
	struct outcome outcome = {};
	VMBPACKET packet = VmbPacketAllocate(ch);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, &outcome);
	msleep(50);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, &echo, sizeof(echo), NULL,
				      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
	outcome_calls(test, &outcome, 1);
	VmbPacketFree(packet);
	return outcome.cpu;
}
