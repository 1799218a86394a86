/* SPDX-License-Identifier: GPL-2.0-only */
/* GPADLs of a channel: see gpadl.c. */
#ifndef _KMCL_GPADL_H
#define _KMCL_GPADL_H

#include <linux/types.h>

/*
 * Most pages of 4 KiB in one GPADL. The header message has a u16 for the size
 * of the range, which has 8 bytes and 8 more for each PFN. hv_vmbus does not
 * check the limit.
 */
#define KMCL_GPADL_MAX_PAGES	8190

struct kmcl_channel;
struct seq_file;

void kmcl_gpadl_init(struct kmcl_channel *ch);
void kmcl_gpadl_lock_for_close(struct kmcl_channel *ch);
void kmcl_gpadl_disconnect_all(struct kmcl_channel *ch);
void kmcl_gpadl_delete_leftovers(struct kmcl_channel *ch);
void kmcl_gpadl_show(struct kmcl_channel *ch, struct seq_file *m);
void kmcl_quarantine_show(struct seq_file *m);
void kmcl_quarantine_abandon(void);

#endif /* _KMCL_GPADL_H */
