/* SPDX-License-Identifier: GPL-2.0-only */
/* A channel's settings: see channel_settings.c. */
#ifndef _KMCL_CHANNEL_SETTINGS_H
#define _KMCL_CHANNEL_SETTINGS_H

#include <linux/types.h>

struct kmcl_channel;

bool kmcl_settings_lock(struct kmcl_channel *ch);
void kmcl_settings_unlock(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_SETTINGS_H */
