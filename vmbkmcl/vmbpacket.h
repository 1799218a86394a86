/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet objects: see vmbpacket.c. */
#ifndef _KMCL_VMBPACKET_H
#define _KMCL_VMBPACKET_H

#include <linux/list.h>
#include <linux/spinlock.h>

struct kmcl_channel;

/**
 * struct kmcl_cache - packet objects that no client has
 * @lock: guards all of it
 * @free: freed ones, to be allocated again
 * @count: how many those are
 * @completed: ones whose completion routine is still to be called
 * @completing: somebody is calling them, one after the other
 */
struct kmcl_cache {
	spinlock_t lock;
	struct list_head free;
	unsigned int count;
	struct list_head completed;
	bool completing;
};

void kmcl_cache_init(struct kmcl_cache *cache);
void kmcl_cache_empty(struct kmcl_channel *ch);

#endif /* _KMCL_VMBPACKET_H */
