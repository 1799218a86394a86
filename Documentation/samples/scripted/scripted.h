/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A server for the test of a client, in the client's own kernel: scripted.c. Copy both
 * files into the test's module.
 */
#ifndef _SCRIPTED_H
#define _SCRIPTED_H

#include <linux/spinlock.h>
#include <vmbuskernelmodeclientlibapi.h>

#define SCRIPTED_HELD_MAX	64	/* packets; the default quota of a channel */
#define SCRIPTED_ANSWER_MAX	512	/* bytes */

struct scripted;

/*
 * Write the payload of the completion to @answer, which has SCRIPTED_ANSWER_MAX bytes, and
 * return its length. @data is the payload of the client's packet. May sleep.
 */
typedef u32 (*scripted_answer)(struct scripted *server, const void *data,
			       u32 len, void *answer);

/* A packet that the server has not completed. */
struct scripted_packet {
	VMBPACKETCOMPLETION packet;
	void *data;
	u32 len;
};

/**
 * struct scripted - a server that does what a test tells it
 * @ch: the channel
 * @answer: makes the completions; %NULL: they are empty. Set before scripted_offer().
 * @context: the test's own
 * @opened: what EvtChannelOpened returns: a failure refuses the next client
 * @lock: guards the members that follow
 * @hold: keep packets, instead of completing them at once
 * @held: the packets that are kept, the oldest first
 * @nr_held: number of @held
 * @packets: number of packets that the client has sent so far
 */
struct scripted {
	VMBCHANNEL ch;
	scripted_answer answer;
	void *context;
	NTSTATUS opened;
	spinlock_t lock;	/* guards what follows */
	bool hold;
	struct scripted_packet held[SCRIPTED_HELD_MAX];
	u32 nr_held;
	u32 packets;
};

/* All of these may sleep. */
NTSTATUS scripted_offer(struct scripted *server, const guid_t *type,
			const guid_t *instance);
void scripted_end(struct scripted *server);

void scripted_rescind(struct scripted *server);
NTSTATUS scripted_offer_again(struct scripted *server);

void scripted_hold(struct scripted *server, bool hold);
bool scripted_complete_one(struct scripted *server);

void scripted_stall(struct scripted *server);
void scripted_go_on(struct scripted *server);

NTSTATUS scripted_send(struct scripted *server, void *data, u32 len);

#endif /* _SCRIPTED_H */
