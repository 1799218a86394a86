/* SPDX-License-Identifier: GPL-2.0-only */
/* The bus of hv_vmbus: see bus_hv.c. */
#ifndef _KMCL_BUS_HV_H
#define _KMCL_BUS_HV_H

#include "bus.h"

extern const struct kmcl_bus_ops kmcl_hv_bus;

#endif /* _KMCL_BUS_HV_H */
