/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VMBus device a channel binds to: see hv_bind.c. */
#ifndef _KMCL_HV_BIND_H
#define _KMCL_HV_BIND_H

#include <linux/list.h>
#include <linux/types.h>

struct hv_device;
struct kmcl_bus_ops;
struct kmcl_channel;
struct vmbus_channel;

/**
 * struct kmcl_hv_endpoint - what a channel is bound to; channel->endpoint
 * @hdev: the device
 * @chan: its channel, or one of its sub-channels
 * @is_sub: it is a sub-channel
 * @ch: whom it belongs to; NULL: nobody
 * @node: in a list of open ones: see hv_sub.c
 */
struct kmcl_hv_endpoint {
	struct hv_device *hdev;
	struct vmbus_channel *chan;
	bool is_sub;
	struct kmcl_channel *ch;
	struct list_head node;
};

void kmcl_target_init(const struct kmcl_bus_ops *bus);
int kmcl_target_listen(struct kmcl_channel *ch);
void kmcl_target_unlisten(struct kmcl_channel *ch);
void kmcl_target_release(struct kmcl_channel *ch);

#endif /* _KMCL_HV_BIND_H */
