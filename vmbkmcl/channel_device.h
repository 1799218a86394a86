/* SPDX-License-Identifier: GPL-2.0-only */
/* The device that a channel is attached to: see channel_device.c. */
#ifndef _KMCL_CHANNEL_DEVICE_H
#define _KMCL_CHANNEL_DEVICE_H

struct kmcl_channel;

/* bus.h has the functions that a bus calls. */
void kmcl_channel_drop_device(struct kmcl_channel *ch);
void kmcl_channel_unpin_target(struct kmcl_channel *ch);
void kmcl_channel_stop_rings(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_DEVICE_H */
