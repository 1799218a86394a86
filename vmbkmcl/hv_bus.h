/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus of hv_vmbus: see hv_bus.c. */
#ifndef _KMCL_HV_BUS_H
#define _KMCL_HV_BUS_H

#include "bus.h"

extern const struct kmcl_bus_ops kmcl_hv_bus;

#endif /* _KMCL_HV_BUS_H */
