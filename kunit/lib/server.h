/* SPDX-License-Identifier: GPL-2.0-only */
/* The tests' way to the server outside the guest: server.c. */
#ifndef _KUNIT_SERVER_H
#define _KUNIT_SERVER_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "../../vmbkmcl/channel.h"
#include "../host/protocol.h"

/**
 * struct server - an open channel to the server endpoint in QEMU
 * @ch: active
 * @up: completed in EvtChannelPostStarted
 */
struct server {
	VMBCHANNEL ch;
	struct completion up;
};

/* Gives the channel back at the end of the case, whatever came of it. */
struct server *server_open(struct kunit *test);

/* Returns the channel's status; the server's own status is in @rsp. */
NTSTATUS server_call(struct server *srv, const struct testdev_request *req,
		     const void *payload, struct testdev_response *rsp,
		     void *back, u32 room_back);

/*
 * Expect the server to carry out the operation that these fields of a request
 * describe: server_does(test, ch, .op = TESTDEV_STALL, .length = 100). Returns the
 * response's value.
 */
#define server_does(test, ch, ...)					\
	server_must(test, ch, &(struct testdev_request){ __VA_ARGS__ })
u64 server_must(struct kunit *test, VMBCHANNEL ch,
		const struct testdev_request *req);

/* Expect the server to carry these out. */
u32 server_crc32(struct kunit *test, struct server *srv, u32 handle);
u64 server_length(struct kunit *test, struct server *srv, u32 handle);
void server_fill(struct kunit *test, struct server *srv, u32 handle, u32 seed);

/* Does the host know this handle? */
bool server_knows(struct kunit *test, struct server *srv, u32 handle);

/* What the server has counted. */
struct testdev_report server_report(struct kunit *test, VMBCHANNEL ch);

/*
 * The status of an operation that has a time in ms for an argument; TESTDEV_OK: the
 * server has carried it out.
 */
enum testdev_status call_server(struct kunit *test, VMBCHANNEL ch,
				enum testdev_op op, u32 ms);

/* The CPU where the guest reads a completion when the ring is empty otherwise. */
unsigned int server_echo_cpu(struct kunit *test, VMBCHANNEL ch);

void server_guids(guid_t *type, guid_t *instance);

#endif /* _KUNIT_SERVER_H */
