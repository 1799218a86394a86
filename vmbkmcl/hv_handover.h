/* SPDX-License-Identifier: GPL-2.0-only */
/* A channel of hv_vmbus changes drivers: see hv_handover.c. */
#ifndef _KMCL_HV_HANDOVER_H
#define _KMCL_HV_HANDOVER_H

#include <linux/types.h>

struct vmbus_channel;

u32 kmcl_hv_take_over(struct vmbus_channel *chan);
void kmcl_hv_hand_back(struct vmbus_channel *chan, u32 cpu);
void kmcl_hv_move_home(struct vmbus_channel *chan, u32 cpu);

#endif /* _KMCL_HV_HANDOVER_H */
