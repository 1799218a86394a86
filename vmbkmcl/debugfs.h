/* SPDX-License-Identifier: GPL-2.0-only */
/* The directory vmbkmcl/ in debugfs: see debugfs.c. */
#ifndef _KMCL_DEBUGFS_H
#define _KMCL_DEBUGFS_H

struct kmcl_channel;

void kmcl_debugfs_init(void);
void kmcl_debugfs_exit(void);
void kmcl_debugfs_add(struct kmcl_channel *ch);
void kmcl_debugfs_rename(struct kmcl_channel *ch);
void kmcl_debugfs_remove(struct kmcl_channel *ch);

#endif /* _KMCL_DEBUGFS_H */
