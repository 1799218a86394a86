/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet objects: see vmbpacket.c. */
#ifndef _KMCL_VMBPACKET_H
#define _KMCL_VMBPACKET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct kmcl_channel;

/**
 * struct kmcl_object_layout - what an object has room for, in bytes
 * @payload: framed in a pipe
 * @external: description of external data
 * @inline_context: the client's own
 * @size: of all, with what every object has
 */
struct kmcl_object_layout {
	u32 payload;
	u32 external;
	u32 inline_context;
	u32 size;
};

/**
 * struct kmcl_objects - packet objects that no client has
 * @layout: of those made with the channel's settings
 * @lock: guards what follows but @lent and @busy
 * @free: freed ones, to be allocated again
 * @count: how many those are
 * @lent: those clients have from VmbPacketAllocate(); each holds the channel
 * @completed: ones whose completion routine is still to be called
 * @busy: 1 while somebody calls them, one after the other
 */
struct kmcl_objects {
	struct kmcl_object_layout layout;
	spinlock_t lock;
	struct list_head free;
	unsigned int count;
	atomic_t lent;
	struct list_head completed;
	atomic_t busy;
};

void kmcl_objects_init(struct kmcl_channel *ch);
void kmcl_objects_lay_out(struct kmcl_channel *ch);
void kmcl_objects_free(struct kmcl_channel *ch);
void kmcl_objects_abandon(struct kmcl_channel *ch);
void kmcl_objects_complete(struct kmcl_channel *ch, bool may_sleep);

#endif /* _KMCL_VMBPACKET_H */
