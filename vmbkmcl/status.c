// SPDX-License-Identifier: GPL-2.0-only
/*
 * Conversion of errno values, which the module uses internally, to the NTSTATUS
 * values of the API.
 */

#include <linux/kernel.h>
#include <linux/errno.h>

#include "status.h"

static const struct {
	int err;
	NTSTATUS status;
} kmcl_statuses[] = {
	{ -ENOMEM,	STATUS_INSUFFICIENT_RESOURCES },
	{ -EINVAL,	STATUS_INVALID_PARAMETER },
	{ -EFAULT,	STATUS_ACCESS_VIOLATION },
	{ -EACCES,	STATUS_ACCESS_DENIED },
	{ -EPERM,	STATUS_ACCESS_DENIED },
	{ -EDQUOT,	STATUS_QUOTA_EXCEEDED },
	{ -EMSGSIZE,	STATUS_INVALID_BUFFER_SIZE },
	{ -ENOBUFS,	STATUS_BUFFER_OVERFLOW },
	{ -EOPNOTSUPP,	STATUS_NOT_SUPPORTED },
	{ -ENODEV,	STATUS_DEVICE_REMOVED },
	{ -ENOTCONN,	STATUS_INVALID_DEVICE_STATE },
	{ -ENXIO,	STATUS_DEVICE_NOT_CONNECTED },
	{ -EBUSY,	STATUS_DEVICE_BUSY },
	{ -EAGAIN,	STATUS_DEVICE_BUSY },
	{ -ECANCELED,	STATUS_CANCELLED },
	{ -ETIMEDOUT,	STATUS_IO_TIMEOUT },
	{ -EINTR,	STATUS_THREAD_IS_TERMINATING },
	{ -EHWPOISON,	STATUS_IN_PAGE_ERROR },
};

/**
 * kmcl_host_error - convert an error of hv_vmbus to an error of this module
 * @err: 0 or an error from hv_vmbus
 *
 * hv_vmbus returns some errno values whose meaning differs from the one that
 * they have for a client, in kmcl_statuses.
 *
 * Context: any.
 * Return: @err if it is 0, -ENOMEM or -ENODEV; -ENOMEM for -EDQUOT, because a
 * limit of the host is not a limit of the client; -EIO for everything else.
 */
int kmcl_host_error(int err)
{
	switch (err) {
	case 0:
	case -ENOMEM:
	case -ENODEV:
		return err;
	case -EDQUOT:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

/*
 * An errno that is not in the table comes from the host or the kernel. The API
 * has no better status for it than STATUS_UNSUCCESSFUL.
 */
NTSTATUS kmcl_status_of_error(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kmcl_statuses); i++)
		if (kmcl_statuses[i].err == err)
			return kmcl_statuses[i].status;
	return STATUS_UNSUCCESSFUL;
}
