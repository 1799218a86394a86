/* SPDX-License-Identifier: GPL-2.0-only */
/* Which VMBus device a channel binds to: see hv_bind.c. */
#ifndef _KMCL_HV_BIND_H
#define _KMCL_HV_BIND_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct delayed_work;
struct hv_device;
struct kmcl_bus_ops;
struct kmcl_channel;
struct vmbus_channel;

/**
 * struct kmcl_hv_endpoint - a channel of hv_vmbus that one of ours is attached to
 * @hdev: the device; not valid any more once @gone is set
 * @chan: hv_vmbus's channel: the primary channel of @hdev, or a sub-channel. Once @gone
 *	is set, only a sub-channel is valid.
 * @is_open: hv_vmbus and the host have @chan open
 * @gone: the host has rescinded the device, and hv_vmbus frees it. Set under
 *	channel->control; RCU readers of @chan check it first, as hv_vmbus frees a
 *	channel after a grace period.
 * @is_sub: @chan is a sub-channel
 * @cpu: CPU that @chan interrupts unless the client asks for another
 * @ch: the channel of ours that is attached to @chan; NULL while none is
 * @node: in one of the lists of open channels in hv_sub.c
 * @instance: instance GUID of the device
 * @mmio_name: name of the MMIO space in /proc/iomem, which outlives @hdev
 *
 * channel->endpoint of a channel on this bus points here.
 */
struct kmcl_hv_endpoint {
	struct hv_device *hdev;
	struct vmbus_channel *chan;
	bool is_sub;
	bool is_open;
	bool gone;
	u32 cpu;
	struct kmcl_channel *ch;
	struct list_head node;
	guid_t instance;
	char mmio_name[UUID_STRING_LEN + 1];
};

int kmcl_target_init(const struct kmcl_bus_ops *bus);
void kmcl_target_exit(void);
void kmcl_target_queue(struct delayed_work *work, unsigned int ms);
int kmcl_target_listen(struct kmcl_channel *ch);
void kmcl_target_unlisten(struct kmcl_channel *ch);
void kmcl_target_release(struct kmcl_channel *ch,
			 struct kmcl_hv_endpoint *endpoint);

#endif /* _KMCL_HV_BIND_H */
