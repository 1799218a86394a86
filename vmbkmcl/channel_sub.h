/* SPDX-License-Identifier: GPL-2.0-only */
/* Channels that come and go with another one: see channel_sub.c. */
#ifndef _KMCL_CHANNEL_SUB_H
#define _KMCL_CHANNEL_SUB_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct kmcl_channel;
struct mutex;
struct seq_file;

/* What a primary channel has for its sub-channels. */
enum kmcl_subs_phase {
	KMCL_SUBS_REFUSED,	/* it is not open */
	KMCL_SUBS_ACCEPTED,	/* they may be opened */
	KMCL_SUBS_PARKING,	/* it closes, and waits until they may be closed */
};

/* Where a sub-channel stands in its primary's opening. */
enum kmcl_sub_state {
	KMCL_SUB_OUT,		/* it has no part in it */
	KMCL_SUB_IN,
	KMCL_SUB_PARKED,		/* nothing but the close is left to be done */
};

/**
 * struct kmcl_subs - a channel's relations, under kmcl_subs_lock
 * @primary: what it is a sub-channel of, or NULL; a reference is held
 * @node: in @primary's @list
 * @state: where it stands
 * @list: its sub-channels
 * @phase: what it has for them
 * @in: those of them that are not KMCL_SUB_OUT
 * @nr_active: those that are KMCL_SUB_IN
 */
struct kmcl_subs {
	struct kmcl_channel *primary;
	struct list_head node;
	enum kmcl_sub_state state;

	struct list_head list;
	enum kmcl_subs_phase phase;
	atomic_t in;
	atomic_t nr_active;
};

/* Taken before any kmcl_channel.lock. */
extern struct mutex kmcl_subs_lock;

void kmcl_subs_init(struct kmcl_subs *subs);
void kmcl_subs_forget(struct kmcl_channel *ch);
bool kmcl_subs_call(struct kmcl_channel *ch);
void kmcl_subs_show(struct kmcl_channel *ch, struct seq_file *m);

bool kmcl_sub_join(struct kmcl_channel *ch);
void kmcl_sub_park(struct kmcl_channel *ch);
void kmcl_sub_leave(struct kmcl_channel *ch);
struct kmcl_channel *kmcl_sub_set_primary(struct kmcl_channel *ch,
					  struct kmcl_channel *primary);

#endif /* _KMCL_CHANNEL_SUB_H */
