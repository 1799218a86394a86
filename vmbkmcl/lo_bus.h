/* SPDX-License-Identifier: GPL-2.0-only */
/* The loopback bus: see lo_bus.c. */
#ifndef _KMCL_LO_BUS_H
#define _KMCL_LO_BUS_H

#include "bus.h"

extern const struct kmcl_bus_ops kmcl_lo_bus;

#endif /* _KMCL_LO_BUS_H */
