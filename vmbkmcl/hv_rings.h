/* SPDX-License-Identifier: GPL-2.0-only */
/* The rings that hv_vmbus allocates: see hv_rings.c. */
#ifndef _KMCL_HV_RINGS_H
#define _KMCL_HV_RINGS_H

#include "ring.h"

struct hv_ring_buffer_info;
struct vmbus_channel;

struct kmcl_ring_memory
kmcl_hv_ring_memory(const struct hv_ring_buffer_info *info);
int kmcl_hv_connect_rings(struct vmbus_channel *chan,
			  void (*event)(void *context), void *context);
void kmcl_hv_keep_rings(struct vmbus_channel *chan);
int kmcl_hv_free_rings(struct vmbus_channel *chan);
int kmcl_hv_free_unopened_rings(struct vmbus_channel *chan, int err);

#endif /* _KMCL_HV_RINGS_H */
