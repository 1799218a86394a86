/* SPDX-License-Identifier: GPL-2.0-only */
/* GPADLs of a channel: see gpadl.c. */
#ifndef _KMCL_GPADL_H
#define _KMCL_GPADL_H

#include <linux/errno.h>
#include <linux/types.h>

#include "wire.h"

/*
 * Most pages of 4 KiB in one GPADL. The header message has a u16 for the size
 * of the range, which has 8 bytes and 8 more for each PFN. hv_vmbus does not
 * check the limit.
 */
#define KMCL_GPADL_MAX_PAGES	8190

/* PFNs that fit in the header message. More PFNs need further messages. */
#define KMCL_GPADL_HEADER_PFNS	26

struct kmcl_channel;
struct list_head;
struct seq_file;

/*
 * True if the host got none of the memory when hv_vmbus failed with @err to establish
 * a GPADL of @bytes.
 */
static inline bool kmcl_gpadl_is_unsent(u32 bytes, int err)
{
	switch (err) {
	case -ENOMEM:	/* for the messages, before the first is sent */
	case -EDQUOT:	/* the host refused */
	case -ENODEV:	/* the channel was rescinded */
		return true;
	case -EUCLEAN:	/* the bus: the host has it, and may not have let go of it */
		return false;
	default:
		/*
		 * A message was not posted. If there is only one, the host got none
		 * of it. Otherwise it may have got the header.
		 */
		return bytes >> KMCL_HV_PAGE_SHIFT <= KMCL_GPADL_HEADER_PFNS;
	}
}

void kmcl_gpadl_init(struct kmcl_channel *ch);
void kmcl_gpadl_lock_for_close(struct kmcl_channel *ch);
void kmcl_gpadl_disconnect_all(struct kmcl_channel *ch);
void kmcl_gpadl_delete_leftovers(struct kmcl_channel *ch);
void kmcl_gpadl_prove_all(const void *endpoint, struct list_head *gone);
void kmcl_gpadl_free_all(struct list_head *gone);
void kmcl_gpadl_show(struct kmcl_channel *ch, struct seq_file *m);
void kmcl_quarantine_show(struct seq_file *m);
void kmcl_quarantine_abandon(void);

#endif /* _KMCL_GPADL_H */
