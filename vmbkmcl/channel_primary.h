/* SPDX-License-Identifier: GPL-2.0-only */
/* The shutdown of sub-channels by their primary channel: see channel_primary.c. */
#ifndef _KMCL_CHANNEL_PRIMARY_H
#define _KMCL_CHANNEL_PRIMARY_H

struct kmcl_channel;

/* channel_state.c calls these in this order: after the open, around the close. */
void kmcl_subs_accept_offers(struct kmcl_channel *ch);
void kmcl_subs_park(struct kmcl_channel *ch);
void kmcl_subs_lock_control(struct kmcl_channel *ch);
void kmcl_subs_unlock_control(struct kmcl_channel *ch);
void kmcl_subs_release(struct kmcl_channel *ch);

/* channel.c calls this when a sub-channel is enabled. */
void kmcl_subs_match(struct kmcl_channel *ch);

/* channel_detach.c calls this. */
struct kmcl_channel *kmcl_subs_next_to_sever(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_PRIMARY_H */
