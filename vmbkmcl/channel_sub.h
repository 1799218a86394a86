/* SPDX-License-Identifier: GPL-2.0-only */
/* Sub-channels of a channel: see channel_sub.c. */
#ifndef _KMCL_CHANNEL_SUB_H
#define _KMCL_CHANNEL_SUB_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct kmcl_channel;
struct mutex;
struct seq_file;

/* What a primary channel does with its sub-channels. */
enum kmcl_subs_phase {
	KMCL_SUBS_REFUSED,	/* not open: sub-channels get no devices */
	KMCL_SUBS_ACCEPTED,	/* open: sub-channels may get devices */
	KMCL_SUBS_PARKING,	/* closing: sub-channels shut down and park */
};

/* What a sub-channel means for the shutdown of its primary channel. */
enum kmcl_sub_state {
	KMCL_SUB_OUT,		/* no device is attached */
	KMCL_SUB_IN,		/* a device is attached */
	KMCL_SUB_PARKED,	/* shut down up to its close */
};

/**
 * struct kmcl_subs - relation of a channel to its primary channel and sub-channels
 * @primary: primary channel, with a reference; NULL if the channel is no
 *	sub-channel
 * @node: entry in the @list of @primary
 * @state: state of the channel as a sub-channel
 * @park_node: entry in the @parked of @primary
 * @severing: kmcl_subs_next_to_sever() has returned the channel since its device was
 *	attached
 * @list: the channel's sub-channels
 * @phase: state of the channel as a primary channel; read with
 *	smp_load_acquire() by a parked sub-channel
 * @parked: the sub-channels that are KMCL_SUB_PARKED
 * @nr_in: number of sub-channels that are not KMCL_SUB_OUT
 * @nr_active: number of sub-channels that are KMCL_SUB_IN
 *
 * kmcl_subs_lock guards all members. The atomic counters change under the lock
 * and are waited for without it. @primary changes only while the channel is
 * disabled, so code that runs for an enabled channel reads it without the lock.
 */
struct kmcl_subs {
	struct kmcl_channel *primary;
	struct list_head node;
	enum kmcl_sub_state state;
	struct list_head park_node;
	bool severing;

	struct list_head list;
	struct list_head parked;
	enum kmcl_subs_phase phase;
	atomic_t nr_in;
	atomic_t nr_active;
};

/* Lock order: this lock before &kmcl_channel.lock. */
extern struct mutex kmcl_subs_lock;

void kmcl_subs_init(struct kmcl_subs *subs);
void kmcl_subs_forget(struct kmcl_channel *ch);
bool kmcl_subs_in_callback(struct kmcl_channel *ch);
void kmcl_subs_show(struct kmcl_channel *ch, struct seq_file *m);

bool kmcl_sub_join(struct kmcl_channel *ch);
bool kmcl_sub_closes_alone(const struct kmcl_channel *ch);
void kmcl_sub_park(struct kmcl_channel *ch);
void kmcl_sub_leave(struct kmcl_channel *ch);
struct kmcl_channel *kmcl_sub_set_primary(struct kmcl_channel *ch,
					  struct kmcl_channel *primary);

#endif /* _KMCL_CHANNEL_SUB_H */
