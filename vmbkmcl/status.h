/* SPDX-License-Identifier: GPL-2.0-only */
/* From errno to NTSTATUS: see status.c. */
#ifndef _KMCL_STATUS_H
#define _KMCL_STATUS_H

#include <vmbkmcl/ntstatus.h>

NTSTATUS kmcl_status(int err);

#endif /* _KMCL_STATUS_H */
