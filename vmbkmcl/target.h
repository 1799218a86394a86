/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VMBus device a channel binds to: see target.c. */
#ifndef _KMCL_TARGET_H
#define _KMCL_TARGET_H

struct kmcl_channel;

int kmcl_target_listen(struct kmcl_channel *ch);
void kmcl_target_unlisten(struct kmcl_channel *ch);
void kmcl_target_release(struct kmcl_channel *ch);
struct hv_device *kmcl_target_device(struct kmcl_channel *ch);

#endif /* _KMCL_TARGET_H */
