/* SPDX-License-Identifier: GPL-2.0-only */
/* What moves a channel from state to state: see life.c. */
#ifndef _KMCL_LIFE_H
#define _KMCL_LIFE_H

#include <linux/types.h>

struct kmcl_channel;

void kmcl_life_init_channel(struct kmcl_channel *ch);
bool kmcl_channel_wish(struct kmcl_channel *ch, bool wanted);
void kmcl_channel_wish_paused(struct kmcl_channel *ch, bool paused);

#endif /* _KMCL_LIFE_H */
