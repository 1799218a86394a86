/* SPDX-License-Identifier: GPL-2.0-only */
/* What a primary channel does for its sub-channels: see channel_primary.c. */
#ifndef _KMCL_CHANNEL_PRIMARY_H
#define _KMCL_CHANNEL_PRIMARY_H

struct kmcl_channel;

/* A primary channel's life calls them in this order. */
void kmcl_subs_accept_offers(struct kmcl_channel *ch);
void kmcl_subs_park(struct kmcl_channel *ch);
void kmcl_subs_release(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_PRIMARY_H */
