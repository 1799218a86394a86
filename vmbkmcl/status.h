/* SPDX-License-Identifier: GPL-2.0-only */
/* Conversion of errno values to NTSTATUS values: see status.c. */
#ifndef _KMCL_STATUS_H
#define _KMCL_STATUS_H

#include <vmbkmcl/ntstatus.h>

int kmcl_host_error(int err);
NTSTATUS kmcl_status_of_error(int err);

static inline NTSTATUS kmcl_status(int err)
{
	return err ? kmcl_status_of_error(err) : STATUS_SUCCESS;
}

#endif /* _KMCL_STATUS_H */
