/* SPDX-License-Identifier: GPL-2.0-only */
/* GPADLs that a server has mapped: see server_gpadl.c. */
#ifndef _KMCL_SERVER_GPADL_H
#define _KMCL_SERVER_GPADL_H

struct kmcl_channel;

void kmcl_server_unmap_leftovers(struct kmcl_channel *ch);

#endif /* _KMCL_SERVER_GPADL_H */
