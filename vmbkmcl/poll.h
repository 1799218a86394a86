/* SPDX-License-Identifier: GPL-2.0-only */
/* Scheduling what runs for a channel: see poll.c. */
#ifndef _KMCL_POLL_H
#define _KMCL_POLL_H

struct kmcl_channel;

/* kmcl_poll_schedule() is declared in bus.h, because buses call it, too. */
void kmcl_channel_kick(struct kmcl_channel *ch);
void kmcl_poll_wait(struct kmcl_channel *ch);
void kmcl_passive_schedule(struct kmcl_channel *ch);

int kmcl_poll_init(struct kmcl_channel *ch);
void kmcl_poll_exit(struct kmcl_channel *ch);

#endif /* _KMCL_POLL_H */
