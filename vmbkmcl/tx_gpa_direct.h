/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptions of a packet's external data: see tx_gpa_direct.c. */
#ifndef _KMCL_TX_GPA_DIRECT_H
#define _KMCL_TX_GPA_DIRECT_H

#include <linux/types.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "wire.h"

struct kmcl_channel;
struct kmcl_extent;
struct kmcl_settings;
struct page;

/**
 * struct kmcl_external - room for a description, and what is in it
 * @desc: as it goes into the ring
 * @room: bytes there is memory for
 * @size: bytes in use
 */
struct kmcl_external {
	struct kmcl_gpa_direct *desc;
	u32 room;
	u32 size;
};

u32 kmcl_external_room(const struct kmcl_settings *set);
u32 kmcl_external_room_for(const struct kmcl_extent *extent);
void kmcl_external_init(struct kmcl_external *ext, void *memory, u32 room);
int kmcl_external_set_pfns(struct kmcl_external *ext, const PFN_NUMBER *pfns,
			   u32 count);
int kmcl_external_set_extent(struct kmcl_external *ext,
			     const struct kmcl_extent *extent);
u32 kmcl_external_hold(const struct kmcl_external *ext, struct page **pages);
void kmcl_external_kept(struct kmcl_channel *ch, u32 pages);

#endif /* _KMCL_TX_GPA_DIRECT_H */
