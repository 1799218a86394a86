/* SPDX-License-Identifier: GPL-2.0-only */
/* A channel's settings: see init.c. */
#ifndef _KMCL_INIT_H
#define _KMCL_INIT_H

#include <linux/types.h>

struct kmcl_channel;

bool kmcl_settings_lock(struct kmcl_channel *ch);
void kmcl_settings_unlock(struct kmcl_channel *ch);

#endif /* _KMCL_INIT_H */
