/* SPDX-License-Identifier: GPL-2.0-only */
/* A client and a server in this kernel: loopback.c. */
#ifndef _KUNIT_LOOPBACK_H
#define _KUNIT_LOOPBACK_H

#include "client.h"
#include "outcome.h"

#define STEP_TIMEOUT	(20 * SECOND)

extern const guid_t loopback_type;
extern const guid_t loopback_instance;

/* Both ends, not enabled yet; cleaned up with the case. */
struct client *loopback_server(struct kunit *test);
struct client *loopback_client(struct kunit *test);

/* Enable the server, and start it. */
void offer(struct kunit *test, struct client *server);

/* Enable and start both, until both are active, and forget the callbacks. */
void connect_both(struct kunit *test, struct client *client,
		  struct client *server);

/* Send one word, and expect the other end to complete it with @answer. */
void ask(struct kunit *test, struct client *from, struct client *to,
	 u64 answer);

#endif /* _KUNIT_LOOPBACK_H */
