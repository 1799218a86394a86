/* SPDX-License-Identifier: GPL-2.0-only */
/* GPADLs between two ends in this kernel: see lo_gpadl.c. */
#ifndef _KMCL_LO_GPADL_H
#define _KMCL_LO_GPADL_H

#include "bus.h"
#include "lo_offer.h"

int kmcl_lo_establish_gpadl(struct kmcl_lo_offer *offer,
			    struct kmcl_bus_gpadl *gpadl);
void kmcl_lo_teardown_gpadl(struct kmcl_lo_offer *offer,
			    struct kmcl_bus_gpadl *gpadl);
int kmcl_lo_map_gpadl(struct kmcl_lo_offer *offer, u32 handle, bool write,
		      const struct kmcl_bus_gpadl **gpadl);
void kmcl_lo_unmap_gpadl(struct kmcl_lo_offer *offer, u32 handle);

#endif /* _KMCL_LO_GPADL_H */
