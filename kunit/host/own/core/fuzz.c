// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets and control messages that no good host sends. They are made from a
 * seed, so that a run can be repeated. A packet never brings the ring out of
 * step, and a message is of no kind that hv_vmbus has a warning for: each is to
 * be survived without one.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS		1u
#define MESSAGES_AHEAD	16u	/* that the guest has not taken */
#define WORDS		64u	/* of a packet without its header and trailer, at most */
#define ROOM_LEFT	4096u	/* for the server's own packets */

struct fuzz {
	TAILQ_ENTRY(fuzz) link;
	struct channel *ch;
	struct machine_timer *timer;
	bool messages;			/* else packets */
	uint64_t state;
	uint64_t left;
};

static uint64_t next(struct fuzz *fuzz)
{
	uint64_t x = fuzz->state += 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

static uint64_t below(struct fuzz *fuzz, uint64_t end)
{
	return next(fuzz) % end;
}

/* One that the guest waits for, or did, or is near one; a small one, or any. */
static uint64_t some_id(struct fuzz *fuzz)
{
	switch (below(fuzz, 4)) {
	case 0:
		return fuzz->ch->last_id;
	case 1:
		return fuzz->ch->last_id + below(fuzz, 17) - 8;
	case 2:
		return below(fuzz, 1024);
	default:
		return next(fuzz);
	}
}

static uint16_t some_packet_type(struct fuzz *fuzz)
{
	switch (below(fuzz, 8)) {
	case 0 ... 2:
		return WIRE_PACKET_INBAND;
	case 3 ... 4:
		return WIRE_PACKET_COMPLETION;
	case 5:
		return WIRE_PACKET_XFER_PAGES;
	case 6:
		return below(fuzz, 20);
	default:
		return next(fuzz);
	}
}

static enum ring_status write_packet(struct fuzz *fuzz)
{
	const uint32_t header8 = sizeof(struct wire_packet) / 8;
	uint32_t words = below(fuzz, WORDS + 1), i;
	uint64_t body[WORDS];
	struct wire_packet wire = {
		.type = some_packet_type(fuzz),
		.offset8 = header8 + (below(fuzz, 4) ? 0 : below(fuzz, words + 1)),
		.len8 = header8 + words,
		.flags = below(fuzz, 8) ? below(fuzz, 2) : next(fuzz),
		.id = some_id(fuzz),
	};

	for (i = 0; i < words; i++)
		body[i] = below(fuzz, 4) ? next(fuzz) : below(fuzz, 64);
	return ring_write_raw(fuzz->ch, &wire, body);
}

/* All packets that there is room for, and one signal. Returns false at the end. */
static bool write_packets(struct fuzz *fuzz)
{
	if (fuzz->ch->state != CHANNEL_OPEN)
		return false;
	while (fuzz->left && ring_room(&fuzz->ch->out) > ROOM_LEFT) {
		if (write_packet(fuzz) != RING_OK)
			break;
		fuzz->left--;
	}
	machine_signal(fuzz->ch);
	return fuzz->left;
}

static uint32_t some_word(struct fuzz *fuzz)
{
	struct gpadl *gpadl = TAILQ_FIRST(&fuzz->ch->host->gpadls);

	switch (below(fuzz, 8)) {
	case 0:
		return 0;
	case 1:
		return UINT32_MAX;
	case 2:
		return fuzz->ch->relid;
	case 3:
		return gpadl ? gpadl->id : 1;
	case 4:
		return (gpadl ? gpadl->id : 1) + below(fuzz, 9) - 4;
	case 5:
		return below(fuzz, WIRE_RELID_MAX + 1);
	default:
		return next(fuzz);
	}
}

/* Of any length from the least that Linux takes for the type. */
static void post_message(struct fuzz *fuzz)
{
	static const struct {
		uint32_t type;
		uint32_t len;
	} kinds[] = {
		{ WIRE_OPENCHANNEL_RESULT, sizeof(struct wire_open_result) },
		{ WIRE_GPADL_CREATED, sizeof(struct wire_gpadl_created) },
		{ WIRE_GPADL_TORNDOWN, sizeof(struct wire_gpadl_torndown) },
		{ WIRE_MODIFYCHANNEL_RESPONSE, sizeof(struct wire_modify_response) },
		{ WIRE_VERSION_RESPONSE, 16 },
		{ WIRE_ALLOFFERS_DELIVERED, sizeof(struct wire_header) },
		{ WIRE_RESCIND, sizeof(struct wire_relid) },
		{ WIRE_TL_CONNECT_RESULT, sizeof(struct wire_tl_connect_result) },
	};
	uint32_t msg[WIRE_MESSAGE_MAX / 4] = { 0 };
	uint32_t kind = below(fuzz, sizeof(kinds) / sizeof(kinds[0]));
	uint32_t len = kinds[kind].len, i;

	if (!below(fuzz, 4))
		len += below(fuzz, WIRE_MESSAGE_MAX - len + 1);
	for (i = 2; i < WIRE_MESSAGE_MAX / 4; i++)
		msg[i] = some_word(fuzz);
	msg[0] = kinds[kind].type;
	msg[1] = below(fuzz, 4) ? 0 : next(fuzz);
	/* Of a channel that is offered, a rescind would be the end. */
	if (kinds[kind].type == WIRE_RESCIND)
		msg[2] = 1024 + below(fuzz, 1024);
	machine_post(fuzz->ch->host, msg, len);
}

static bool post_messages(struct fuzz *fuzz)
{
	while (fuzz->left && machine_backlog() < MESSAGES_AHEAD) {
		post_message(fuzz);
		fuzz->left--;
	}
	return fuzz->left;
}

static void end(struct fuzz *fuzz)
{
	machine_log("fuzz: channel %u, %llu %s left", fuzz->ch->relid,
		    (unsigned long long)fuzz->left, fuzz->messages ? "messages" : "packets");
	TAILQ_REMOVE(&fuzz->ch->host->fuzzes, fuzz, link);
	free(fuzz);
}

static void step(void *arg)
{
	struct fuzz *fuzz = arg;

	if (fuzz->messages ? post_messages(fuzz) : write_packets(fuzz))
		fuzz->timer = machine_after(STEP_MS, step, fuzz);
	else
		end(fuzz);
}

bool fuzz_start(struct channel *ch, bool messages, uint64_t seed, uint64_t count)
{
	struct fuzz *fuzz = calloc(1, sizeof(*fuzz));

	if (!fuzz)
		return false;
	fuzz->ch = ch;
	fuzz->messages = messages;
	fuzz->state = seed;
	fuzz->left = count;
	TAILQ_INSERT_TAIL(&ch->host->fuzzes, fuzz, link);
	machine_log("fuzz: channel %u, %llu %s from seed %llu", ch->relid,
		    (unsigned long long)count, messages ? "messages" : "packets",
		    (unsigned long long)seed);
	fuzz->timer = machine_after(STEP_MS, step, fuzz);
	return true;
}

uint64_t fuzz_left(struct host *host)
{
	struct fuzz *fuzz;
	uint64_t left = 0;

	TAILQ_FOREACH(fuzz, &host->fuzzes, link)
		left += fuzz->left;
	return left;
}

void fuzz_stop(struct host *host)
{
	struct fuzz *fuzz;

	while ((fuzz = TAILQ_FIRST(&host->fuzzes))) {
		machine_cancel(fuzz->timer);
		end(fuzz);
	}
}
