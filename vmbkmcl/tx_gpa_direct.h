/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The description of external data in GPA-direct packets: see tx_gpa_direct.c.
 */
#ifndef _KMCL_TX_GPA_DIRECT_H
#define _KMCL_TX_GPA_DIRECT_H

#include <linux/types.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "wire.h"

struct kmcl_channel;
struct kmcl_mdl_range;
struct kmcl_settings;
struct page;

/**
 * struct kmcl_gpa_direct_desc - a description of external data, and its memory
 * @desc: the description, in the format of the wire
 * @room: size of the memory at @desc in bytes
 * @size: number of bytes of @desc that are in use
 */
struct kmcl_gpa_direct_desc {
	struct kmcl_gpa_direct *desc;
	u32 room;
	u32 size;
};

u32 kmcl_gpa_direct_room(const struct kmcl_settings *set);
u32 kmcl_gpa_direct_room_for(const struct kmcl_mdl_range *mdl_range);
void kmcl_gpa_direct_init(struct kmcl_gpa_direct_desc *gpa, void *memory,
			  u32 room);
int kmcl_gpa_direct_set_pfns(struct kmcl_gpa_direct_desc *gpa,
			     const PFN_NUMBER *pfns, u32 count);
int kmcl_gpa_direct_set_mdl_range(struct kmcl_gpa_direct_desc *gpa,
				  const struct kmcl_mdl_range *mdl_range);
bool kmcl_gpa_direct_hold(const struct kmcl_gpa_direct_desc *gpa,
			  struct page **pages, u32 *held);
bool kmcl_gpa_direct_has_owned(const struct kmcl_gpa_direct *desc);
void kmcl_gpa_direct_kept(struct kmcl_channel *ch, u32 pages);

#endif /* _KMCL_TX_GPA_DIRECT_H */
