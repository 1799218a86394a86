// SPDX-License-Identifier: GPL-2.0-only
/* The server's device, for cases that do not depend on its bus. */

#include "device.h"

static const struct device_ops *device_ops;

void device_ops_set(const struct device_ops *ops)
{
	device_ops = ops;
}
EXPORT_TO_TESTS(device_ops_set);

struct device *server_device(struct kunit *test, const char *instance)
{
	KUNIT_ASSERT_NOT_NULL(test, device_ops);
	return device_ops->find(test, instance);
}

int server_device_suspend(struct kunit *test, struct device *device)
{
	return device_ops->suspend(test, device);
}

int server_device_resume(struct kunit *test, struct device *device)
{
	return device_ops->resume(test, device);
}

void server_device_set_missing(struct device *device, bool missing)
{
	device_ops->set_missing(device, missing);
}

bool server_device_rescind_sub(struct device *device, bool is_over)
{
	return device_ops->rescind_sub(device, is_over);
}
