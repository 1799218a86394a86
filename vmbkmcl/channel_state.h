/* SPDX-License-Identifier: GPL-2.0-only */
/* The states of a channel. channel_state.c moves a channel from state to state. */
#ifndef _KMCL_CHANNEL_STATE_H
#define _KMCL_CHANNEL_STATE_H

#include <linux/types.h>

struct kmcl_channel;

/*
 * The code compares states, so the order of this list matters. It is not their
 * order in time: a channel goes from KMCL_ACTIVE to KMCL_PAUSING, and from
 * KMCL_PAUSED to KMCL_STARTED. From KMCL_OPENED to KMCL_ACTIVE the ring is open,
 * and the client can send unless the channel is going down. In KMCL_STARTED and
 * KMCL_ACTIVE packets may be delivered to the client, and in KMCL_PAUSING until
 * kmcl_delivery_stop() has returned.
 *
 * disabled:	the client may change the settings
 * enabled:	the channel waits for a device, or for its device to be resumed
 * opened:	the ring is open; EvtChannelOpened runs
 * pausing:	EvtChannelSuspend runs; the client completes the packets it holds
 * paused:	the ring is open; no packets are delivered
 * started:	EvtChannelStarted and EvtChannelPostStarted run
 * active:	all callbacks of the start have returned; packets are delivered
 * closed:	the ring is closed; EvtChannelClosed runs
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
void kmcl_channel_request_disable(struct kmcl_channel *ch);
bool kmcl_channel_request_paused(struct kmcl_channel *ch, bool paused);

#endif /* _KMCL_CHANNEL_STATE_H */
