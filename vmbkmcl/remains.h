/* SPDX-License-Identifier: GPL-2.0-only */
/* What is left of a request that nobody waits for any more: see remains.c. */
#ifndef _KMCL_REMAINS_H
#define _KMCL_REMAINS_H

#include "external.h"
#include "packet.h"

/**
 * struct kmcl_remains - external data of a synchronous request
 * @packet: stands for the request's when nobody waits for that any more
 * @ch: its channel
 * @external: the description, which the request's packet uses, too
 * @held: how many of its pages are referenced
 * @pages: those, behind the description
 * @memory: of the description
 */
struct kmcl_remains {
	struct kmcl_packet packet;
	struct kmcl_channel *ch;
	struct kmcl_external external;
	u32 held;
	struct page **pages;
	u64 memory[];
};

struct kmcl_remains *kmcl_remains_alloc(struct kmcl_channel *ch,
					const struct kmcl_extent *extent);
void kmcl_remains_free(struct kmcl_remains *remains, int err);

#endif /* _KMCL_REMAINS_H */
