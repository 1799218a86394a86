/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory of VMBus rings, as hv_vmbus makes it: rings.c. */
#ifndef _KUNIT_RINGS_H
#define _KUNIT_RINGS_H

#include <linux/types.h>

#include "../../vmbkmcl/ring.h"

/* @bytes: of the control page and the data, whole pages. Empty; -ENOMEM without. */
int ring_make(struct kmcl_ring_memory *memory, u32 bytes);
void ring_free(const struct kmcl_ring_memory *memory);

#endif /* _KUNIT_RINGS_H */
