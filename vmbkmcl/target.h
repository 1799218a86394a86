/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VMBus device a channel binds to: see target.c. */
#ifndef _KMCL_TARGET_H
#define _KMCL_TARGET_H

#include <linux/list.h>

struct hv_device;
struct kmcl_channel;
struct vmbus_channel;

/**
 * struct kmcl_hv_endpoint - what a channel is bound to; channel->endpoint
 * @hdev: the device
 * @chan: its channel, or one of its sub-channels
 * @ch: whom it belongs to; NULL: nobody
 * @node: in a list of open ones: see subchannel_hv.c
 */
struct kmcl_hv_endpoint {
	struct hv_device *hdev;
	struct vmbus_channel *chan;
	struct kmcl_channel *ch;
	struct list_head node;
};

int kmcl_target_listen(struct kmcl_channel *ch);
void kmcl_target_unlisten(struct kmcl_channel *ch);
void kmcl_target_release(struct kmcl_channel *ch);
int kmcl_hv_free_rings(struct vmbus_channel *chan);

#endif /* _KMCL_TARGET_H */
