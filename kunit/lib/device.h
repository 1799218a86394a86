/* SPDX-License-Identifier: GPL-2.0-only */
/* The server's device, for cases that do not depend on its bus: device.c. */
#ifndef _KUNIT_DEVICE_H
#define _KUNIT_DEVICE_H

#include <kunit/test.h>
#include <linux/device.h>

/**
 * struct device_ops - what a bus with a server can do with one of its devices
 * @find: the device of this instance; it stays with the case
 * @suspend: call its driver as before hibernation
 * @resume: call its driver as after hibernation
 * @set_missing: the host did not offer it again after hibernation, or did
 * @rescind_sub: its sub-channel is rescinded, and the bus has begun to handle that, or has
 *	done with it; false: it has none
 */
struct device_ops {
	struct device *(*find)(struct kunit *test, const char *instance);
	int (*suspend)(struct kunit *test, struct device *device);
	int (*resume)(struct kunit *test, struct device *device);
	void (*set_missing)(struct device *device, bool missing);
	bool (*rescind_sub)(struct device *device, bool is_over);
};

/* The module that runs the server's suites says how its bus does it. */
void device_ops_set(const struct device_ops *ops);

struct device *server_device(struct kunit *test, const char *instance);
int server_device_suspend(struct kunit *test, struct device *device);
int server_device_resume(struct kunit *test, struct device *device);
void server_device_set_missing(struct device *device, bool missing);
bool server_device_rescind_sub(struct device *device, bool is_over);

#endif /* _KUNIT_DEVICE_H */
