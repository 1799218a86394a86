/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that the host can access, even in a confidential VM: see gpadl_bounce.c. */
#ifndef _KMCL_GPADL_BOUNCE_H
#define _KMCL_GPADL_BOUNCE_H

#include <linux/types.h>

struct kmcl_bounce;
struct kmcl_channel;

struct kmcl_bounce *kmcl_bounce_find(struct kmcl_channel *ch, const void *va,
				     u32 bytes);
struct kmcl_bounce *kmcl_bounce_get(struct kmcl_bounce *bounce);
void kmcl_bounce_put(struct kmcl_bounce *bounce);
void kmcl_bounces_free(struct kmcl_channel *ch);

#endif /* _KMCL_GPADL_BOUNCE_H */
