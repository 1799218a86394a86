/* SPDX-License-Identifier: GPL-2.0-only */
/* Between errno and NTSTATUS: see status.c. */
#ifndef _KMCL_STATUS_H
#define _KMCL_STATUS_H

#include <vmbkmcl/ntstatus.h>

NTSTATUS kmcl_status(int err);
int kmcl_errno(NTSTATUS status);

#endif /* _KMCL_STATUS_H */
