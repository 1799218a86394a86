/* SPDX-License-Identifier: GPL-2.0-only */
/* A client that records its callbacks: client.c. */
#ifndef _KUNIT_CLIENT_H
#define _KUNIT_CLIENT_H

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/spinlock.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "eventually.h"
#include "fake_bus.h"
#include "job.h"

#define UP		"Opened Started PostStarted"
#define DOWN		"Suspend Closed"
#define UP_DOWN		UP " " DOWN

#define SECOND		10000000LL	/* in units of 100 ns */

/* The channel's state as the callbacks tell it */
enum client_phase {
	CLIENT_CLOSED,
	CLIENT_OPENED,
	CLIENT_STARTED,
	CLIENT_SUSPENDED,
};

/**
 * struct client - a client that records every callback
 * @ch: the channel
 * @lock: guards @log, @phase and @held
 * @log: names of the callbacks, in the order they came
 * @phase: the channel's state, from the callbacks so far
 * @offences: callbacks that do not follow from @phase, or came while another ran
 * @inside: state-change callbacks running now
 * @inside_packet: ProcessPacket callbacks running now
 * @opened: what EvtChannelOpened returns
 * @failure: what the PnP failure callback was told
 * @at: the callback in which to run @hook
 * @hook: may be NULL
 * @seen: the result of @hook, or of the packet that it waits for
 * @entered: @hook has begun to wait
 * @leave: ends that wait
 * @hold: keep packets instead of completing them
 * @held: the packets that are kept
 * @held_count: how many
 * @packets: given to the client so far
 * @tags: the first byte of each of the first of them
 * @completion: what to complete packets with
 * @completion_size: bytes of @completion
 */
struct client {
	VMBCHANNEL ch;
	spinlock_t lock;
	char log[256];
	enum client_phase phase;
	unsigned int offences;
	atomic_t inside;
	atomic_t inside_packet;
	NTSTATUS opened;
	NTSTATUS failure;
	const char *at;
	void (*hook)(struct client *client);
	NTSTATUS seen;
	struct completion entered;
	struct completion leave;
	bool hold;
	VMBPACKETCOMPLETION held[KMCL_QUOTA_DEFAULT];
	unsigned int held_count;
	unsigned int packets;
	u8 tags[512];
	u64 completion;
	u32 completion_size;
};

/* Allocate a client without a channel; it is freed with the case. */
struct client *client_alloc(struct kunit *test);

/* The same for one in zeroed memory of the case. */
void client_init(struct client *client);

/* Set the client's callbacks on a channel, and the channel's target. */
void client_set_up(struct kunit *test, struct client *client, VMBCHANNEL ch,
		   const guid_t *type, const guid_t *instance);

/* The same for a server, which offers this instance in this kernel. */
void client_set_up_server(struct kunit *test, struct client *client,
			  VMBCHANNEL ch, const guid_t *type,
			  const guid_t *instance);

/* A channel without settings; it is cleaned up with the case. */
VMBCHANNEL get_channel(struct kunit *test);
VMBCHANNEL get_server(struct kunit *test);

/* The action that does so, for a case that needs it earlier. */
void channel_clean_up(void *ch);

/* A client on a bus of its own, and one of the server's. */
struct client *fake_client(struct kunit *test, struct fake_bus **bus);
struct client *server_client(struct kunit *test);

/* A client that gets no device, but keeps the driver of the server's type. */
struct client *keep_the_driver(struct kunit *test);

/* The state-change callbacks' names, for KUNIT_ARRAY_PARAM(). */
extern const char * const client_callbacks[5];
void client_callback_name(const char * const *name, char *desc);

void enable(struct kunit *test, struct client *client);
void becomes(struct kunit *test, VMBCHANNEL ch, enum kmcl_state state);
void bring_up(struct kunit *test, struct client *client);

/* Expect these callbacks since the last call of heard(), and no others. */
void heard(struct kunit *test, struct client *client, const char *log);

/* Complete the oldest packet that the client keeps; false: it has none. */
bool client_completes_one(struct client *client);
void client_completes_all(struct client *client);

/* Send a request of one word. */
NTSTATUS send_word(VMBCHANNEL ch, u32 flags, s64 timeout);

/* Hooks */
void wait_to_leave(struct client *client);
void ask_the_host(struct client *client);
void send_something(struct client *client);

/*
 * The hook wait_to_leave() waits until the host has completed a packet with this external
 * data, whose status is in @seen then.
 */
void wait_for_external_data(struct kunit *test, struct client *client, PMDL mdl);

/* For job_start(); the argument is a channel, a fake bus or a client. */
void do_disable(void *ch);
void do_pause(void *ch);
void do_start(void *ch);
void do_rescind(void *bus);
void do_ask(void *client);

extern const guid_t some_guid;

#endif /* _KUNIT_CLIENT_H */
