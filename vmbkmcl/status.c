// SPDX-License-Identifier: GPL-2.0-only
/* From errno, which the module speaks inside, to NTSTATUS, its clients' word. */

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
 * kmcl_host_error - what came of an exchange with the host, as this module says it
 * @err: as hv_vmbus says it, whose words mean something else to a client
 *
 * Context: any.
 * Return: @err when it is 0, -ENOMEM or -ENODEV; -ENOMEM when the host refused because
 * of its limits, which are not the client's; -EIO for everything else.
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

/* An errno without a line is the host's or the kernel's, and has no better name. */
NTSTATUS kmcl_status_of_error(int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kmcl_statuses); i++)
		if (kmcl_statuses[i].err == err)
			return kmcl_statuses[i].status;
	return STATUS_UNSUCCESSFUL;
}
