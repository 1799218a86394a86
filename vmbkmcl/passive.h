/* SPDX-License-Identifier: GPL-2.0-only */
/* Calling the client in a context that may sleep: see passive.c. */
#ifndef _KMCL_PASSIVE_H
#define _KMCL_PASSIVE_H

struct kmcl_channel;

void kmcl_passive_init(struct kmcl_channel *ch);

#endif /* _KMCL_PASSIVE_H */
