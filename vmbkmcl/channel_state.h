/* SPDX-License-Identifier: GPL-2.0-only */
/* The states of a channel. channel_state.c moves it from one to the next. */
#ifndef _KMCL_CHANNEL_STATE_H
#define _KMCL_CHANNEL_STATE_H

#include <linux/types.h>

struct kmcl_channel;

/*
 * In the order a channel goes through them. From KMCL_OPENED to KMCL_ACTIVE there
 * is a ring; from KMCL_STARTED on the client is given packets.
 *
 * disabled:	the client may change settings
 * enabled:	the channel waits for an offer
 * opened:	the ring is there
 * pausing:	the Suspend callback runs, packets come back
 * paused:	the channel is open and quiet
 * started:	the Started and PostStarted callbacks run
 * active:	packets go both ways
 * closed:	the ring is gone, the Closed callback runs
 */
#define KMCL_STATES(state)			\
	state(KMCL_DISABLED, "disabled")	\
	state(KMCL_ENABLED, "enabled")		\
	state(KMCL_OPENED, "opened")		\
	state(KMCL_PAUSING, "pausing")		\
	state(KMCL_PAUSED, "paused")		\
	state(KMCL_STARTED, "started")		\
	state(KMCL_ACTIVE, "active")		\
	state(KMCL_CLOSED, "closed")

#define KMCL_STATE_ENUM(state, name)	state,
enum kmcl_state {
	KMCL_STATES(KMCL_STATE_ENUM)
};

#define KMCL_STATE_NAME(state, name)	[state] = name,
static inline const char *kmcl_state_name(enum kmcl_state state)
{
	static const char * const names[] = { KMCL_STATES(KMCL_STATE_NAME) };

	return names[state];
}

void kmcl_channel_state_init(struct kmcl_channel *ch);
bool kmcl_channel_request(struct kmcl_channel *ch, bool wanted);
void kmcl_channel_request_paused(struct kmcl_channel *ch, bool paused);

#endif /* _KMCL_CHANNEL_STATE_H */
