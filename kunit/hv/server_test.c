// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server in QEMU: it completes a request with a status, whatever is wrong with
 * the request, and goes on.
 */

#include <linux/vmalloc.h>

#include "../lib/mdls.h"
#include "../lib/server.h"
#include "hv_suites.h"

#define PAYLOAD		16u

struct raw_request {
	struct testdev_request rq;
	u8 payload[PAYLOAD];
};

/* The first @len bytes of the request and its payload, as they are. */
static u32 status_of(struct kunit *test, struct server *srv,
		     const struct testdev_request *rq, u32 len)
{
	LARGE_INTEGER timeout = { .QuadPart = -30 * 10000000LL };
	struct raw_request raw = { .rq = *rq };
	struct testdev_response rsp = {};
	u32 room = sizeof(rsp);
	NTSTATUS status;

	status = VmbChannelSendSynchronousRequest(srv->ch, &raw, len, NULL,
						  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						  &rsp, &room, &timeout);
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.magic, TESTDEV_MAGIC);
	return rsp.status;
}

static u64 bad_requests(struct kunit *test, struct server *srv)
{
	struct testdev_request req = { .op = TESTDEV_REPORT };
	struct testdev_response rsp = {};
	struct testdev_report report = {};

	KUNIT_ASSERT_EQ(test, server_call(srv, &req, NULL, &rsp, &report,
					  sizeof(report)), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	return report.bad_requests;
}

struct bad_request {
	const char *what;
	struct testdev_request rq;	/* the magic is right unless said */
	u32 len;			/* 0: header and payload */
	u32 status;
};

#define WHOLE	(sizeof(struct testdev_request))

/* No GPADL has this handle: hv_vmbus counts from 0xe1e10. */
#define NO_GPADL	7

static const struct bad_request bad[] = {
	{ "no operation", { .op = 0 }, WHOLE, TESTDEV_EPROTO },
	{ "next operation", { .op = TESTDEV_OP_END }, WHOLE, TESTDEV_EPROTO },
	{ "last operation", { .op = U32_MAX }, WHOLE, TESTDEV_EPROTO },
	{ "wrong magic", { .magic = ~TESTDEV_MAGIC, .op = TESTDEV_ECHO }, WHOLE,
	  TESTDEV_EPROTO },
	{ "reserved field", { .op = TESTDEV_ECHO, .reserved = 1 }, WHOLE,
	  TESTDEV_EPROTO },
	{ "short by a word", { .op = TESTDEV_ECHO }, WHOLE - 8,
	  TESTDEV_EPROTO },
	{ "one word", { .op = TESTDEV_ECHO }, 8, TESTDEV_EPROTO },
	{ "payload missing", { .op = TESTDEV_ECHO, .payload_len = 1 }, WHOLE,
	  TESTDEV_EPROTO },
	{ "payload beyond the packet",
	  { .op = TESTDEV_ECHO, .payload_len = PAYLOAD + 1 }, 0,
	  TESTDEV_EPROTO },
	{ "payload of all bytes there are",
	  { .op = TESTDEV_ECHO, .payload_len = U32_MAX }, 0, TESTDEV_EPROTO },
	{ "bytes behind the payload", { .op = TESTDEV_ECHO, .payload_len = 8 },
	  0, TESTDEV_EPROTO },
	{ "external data missing", { .op = TESTDEV_GPA_DIRECT_CRC32 }, WHOLE,
	  TESTDEV_EPROTO },
	{ "external data missing to fill", { .op = TESTDEV_GPA_DIRECT_FILL },
	  WHOLE, TESTDEV_EPROTO },
	{ "length of no GPADL",
	  { .op = TESTDEV_GPADL_LENGTH, .handle = NO_GPADL }, WHOLE,
	  TESTDEV_ENOGPADL },
	{ "crc of no GPADL",
	  { .op = TESTDEV_GPADL_CRC32, .handle = NO_GPADL }, WHOLE,
	  TESTDEV_ENOGPADL },
	{ "fill no GPADL", { .op = TESTDEV_GPADL_FILL, .handle = NO_GPADL },
	  WHOLE, TESTDEV_ENOGPADL },
	{ "write to no GPADL",
	  { .op = TESTDEV_GPADL_WRITE, .handle = NO_GPADL,
	    .payload_len = PAYLOAD }, 0, TESTDEV_ENOGPADL },
	{ "read no GPADL", { .op = TESTDEV_GPADL_READ, .handle = NO_GPADL },
	  WHOLE, TESTDEV_ENOGPADL },
	{ "hold no GPADL", { .op = TESTDEV_GPADL_HOLD, .handle = NO_GPADL },
	  WHOLE, TESTDEV_ENOGPADL },
	{ "release what is not held",
	  { .op = TESTDEV_GPADL_RELEASE, .handle = NO_GPADL }, WHOLE,
	  TESTDEV_ENOGPADL },
	{ "delay too long",
	  { .op = TESTDEV_DELAY, .length = TESTDEV_MAX_DELAY_MS + 1ULL },
	  WHOLE, TESTDEV_ERANGE },
	{ "stall of an age", { .op = TESTDEV_STALL, .length = U64_MAX }, WHOLE,
	  TESTDEV_ERANGE },
	{ "rescind in an age", { .op = TESTDEV_RESCIND, .length = U64_MAX },
	  WHOLE, TESTDEV_ERANGE },
	{ "offer in an age", { .op = TESTDEV_REOFFER, .length = U64_MAX },
	  WHOLE, TESTDEV_ERANGE },
	{ "forge in an unknown way", { .op = TESTDEV_FORGE, .seed = 2 }, WHOLE,
	  TESTDEV_EPROTO },
	{ "push nothing", { .op = TESTDEV_PUSH }, WHOLE, TESTDEV_ERANGE },
	{ "push too many",
	  { .op = TESTDEV_PUSH, .length = TESTDEV_MAX_PUSH + 1ULL }, WHOLE,
	  TESTDEV_ERANGE },
	{ "push too large",
	  { .op = TESTDEV_PUSH, .length = 1,
	    .offset = TESTDEV_MAX_PAYLOAD + 1ULL }, WHOLE, TESTDEV_ERANGE },
	{ "push in an unknown way",
	  { .op = TESTDEV_PUSH, .length = 1, .handle = 2 }, WHOLE,
	  TESTDEV_EPROTO },
};

KUNIT_ARRAY_PARAM_DESC(bad, bad, what);

static void bad_request_is_completed(struct kunit *test)
{
	const struct bad_request *c = test->param_value;
	struct server *srv = server_open(test);
	u64 before = bad_requests(test, srv);
	struct testdev_request rq = c->rq;

	rq.magic = rq.magic ?: TESTDEV_MAGIC;
	KUNIT_EXPECT_EQ(test,
			status_of(test, srv, &rq,
				  c->len ?: sizeof(struct raw_request)),
			c->status);
	KUNIT_EXPECT_EQ(test, bad_requests(test, srv), before + 1);
}

static void outside_of_a_gpadl(struct kunit *test)
{
	struct testdev_request rq = { .magic = TESTDEV_MAGIC };
	struct server *srv = server_open(test);
	static const u64 offsets[] = {
		PAGE_SIZE - PAYLOAD + 1, PAGE_SIZE, U64_MAX - PAYLOAD + 1,
		U64_MAX,
	};
	void *va = get_vmalloc(test, PAGE_SIZE);
	unsigned int i;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
							PAGE_SIZE, &rq.handle),
			STATUS_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		rq.offset = offsets[i];
		rq.op = TESTDEV_GPADL_READ;
		rq.length = PAYLOAD;
		rq.payload_len = 0;
		KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE),
				TESTDEV_ERANGE);
		rq.op = TESTDEV_GPADL_WRITE;
		rq.payload_len = PAYLOAD;
		KUNIT_EXPECT_EQ(test,
				status_of(test, srv, &rq,
					  sizeof(struct raw_request)),
				TESTDEV_ERANGE);
	}
	/* More than a response may hold, and more than the GPADL has. */
	rq.op = TESTDEV_GPADL_READ;
	rq.payload_len = 0;
	rq.offset = 0;
	rq.length = TESTDEV_MAX_PAYLOAD + 1;
	KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE), TESTDEV_ERANGE);
	rq.length = U64_MAX;
	KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE), TESTDEV_ERANGE);

	rq.op = TESTDEV_GPADL_HOLD;
	KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE), TESTDEV_OK);
	KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE), TESTDEV_EBUSY);
	rq.op = TESTDEV_GPADL_RELEASE;
	KUNIT_EXPECT_EQ(test, status_of(test, srv, &rq, WHOLE), TESTDEV_OK);
	VmbChannelDeleteGpadl(srv->ch, rq.handle);
}

static struct kunit_case server_cases[] = {
	KUNIT_CASE_PARAM(bad_request_is_completed, bad_gen_params),
	KUNIT_CASE(outside_of_a_gpadl),
	{}
};

struct kunit_suite vmbkmcl_server_suite = {
	.name = "vmbkmcl_server",
	.test_cases = server_cases,
};
