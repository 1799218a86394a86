/* SPDX-License-Identifier: GPL-2.0-only */
/* A channel on which the host is told to do wrong on another one: director.c. */
#ifndef _KUNIT_DIRECTOR_H
#define _KUNIT_DIRECTOR_H

#include "../lib/client.h"
#include "../lib/server.h"

/* On the server's second device. Skips the case if the host cannot be told to. */
struct client *director_start(struct kunit *test);

/* What happens to the nth message of that type for or from the channel. */
void director_rules(struct kunit *test, struct client *director,
		    const struct testdev_rule *rule);

/* The number of the server's first channel, as VMBus counts channels. */
u32 server_relid(struct kunit *test);

#endif /* _KUNIT_DIRECTOR_H */
