/* SPDX-License-Identifier: GPL-2.0-only */
/* The server's device as hv_vmbus sees it: hv_device.c. */
#ifndef _KUNIT_HV_DEVICE_H
#define _KUNIT_HV_DEVICE_H

#include <kunit/test.h>
#include <linux/hyperv.h>

#include "../lib/device.h"

/* The driver that has the device of this instance; it stays with the case. */
struct hv_device *device_find(struct kunit *test, const char *instance);
struct hv_driver *device_driver(struct kunit *test, struct hv_device *hdev);

/* Another driver for the server's type, which keeps what it gets. */
#define OTHER_DRIVER	"vmbkmcl-kunit-other"
void other_driver_add(struct kunit *test);
void other_driver_remove(struct kunit *test);

/* The same for cases that know nothing of hv_vmbus. */
extern const struct device_ops hv_device_ops;

#endif /* _KUNIT_HV_DEVICE_H */
