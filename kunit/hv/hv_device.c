// SPDX-License-Identifier: GPL-2.0-only
/* The server's device as hv_vmbus sees it, and a driver that takes it away. */

#include <linux/hyperv.h>
#include <linux/module.h>

#include "../../vmbkmcl/compat.h"
#include "../lib/server.h"
#include "hv_device.h"

static struct hv_vmbus_device_id other_ids[2];

static int other_probe(struct hv_device *hdev,
		       const struct hv_vmbus_device_id *id)
{
	return 0;
}

static void other_remove_device(struct hv_device *hdev)
{
}
KMCL_HV_REMOVE(other_remove)

static struct hv_driver other_driver = {
	.name = OTHER_DRIVER,
	.id_table = other_ids,
	.probe = other_probe,
	.remove = other_remove,
};

static void other_driver_end(void *unused)
{
	vmbus_driver_unregister(&other_driver);
}

static void other_driver_start(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, vmbus_driver_register(&other_driver), 0);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, other_driver_end,
							NULL), 0);
}

void other_driver_add(struct kunit *test)
{
	guid_t instance;

	server_guids(&other_ids[0].guid, &instance);
	other_driver_start(test);
}

void other_driver_remove(struct kunit *test)
{
	kunit_release_action(test, other_driver_end, NULL);
}

static void device_put(void *hdev)
{
	put_device(&((struct hv_device *)hdev)->device);
}

/* hv_vmbus exports no way to its bus but a registered driver. */
struct hv_device *device_find(struct kunit *test, const char *instance)
{
	struct hv_device *hdev;
	struct device *device;

	memset(&other_ids[0].guid, 0xee, sizeof(other_ids[0].guid));
	other_driver_start(test);
	device = bus_find_device_by_name(other_driver.driver.bus, NULL,
					 instance);
	other_driver_remove(test);
	KUNIT_ASSERT_NOT_NULL(test, device);
	hdev = container_of(device, struct hv_device, device);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, device_put, hdev),
			0);
	return hdev;
}

struct hv_driver *device_driver(struct kunit *test, struct hv_device *hdev)
{
	KUNIT_ASSERT_NOT_NULL(test, hdev->device.driver);
	return container_of(hdev->device.driver, struct hv_driver, driver);
}

static struct device *hv_find(struct kunit *test, const char *instance)
{
	return &device_find(test, instance)->device;
}

static int hv_suspend(struct kunit *test, struct device *device)
{
	struct hv_device *hdev = device_to_hv_device(device);
	struct hv_driver *driver = device_driver(test, hdev);

	KUNIT_ASSERT_NOT_NULL(test, driver->suspend);
	return driver->suspend(hdev);
}

static int hv_resume(struct kunit *test, struct device *device)
{
	struct hv_device *hdev = device_to_hv_device(device);
	struct hv_driver *driver = device_driver(test, hdev);

	KUNIT_ASSERT_NOT_NULL(test, driver->resume);
	return driver->resume(hdev);
}

/* As hv_vmbus leaves one that the host did not offer again. */
static void hv_set_missing(struct device *device, bool missing)
{
	struct vmbus_channel *channel = device_to_hv_device(device)->channel;
	static u32 relid;

	if (missing)
		relid = channel->offermsg.child_relid;
	channel->offermsg.child_relid = missing ? INVALID_RELID : relid;
}

static bool hv_rescind_sub(struct device *device, bool is_over)
{
	struct vmbus_channel *primary = device_to_hv_device(device)->channel;
	struct vmbus_channel *sub;

	sub = list_first_entry_or_null(&primary->sc_list, struct vmbus_channel,
				       sc_list);
	if (!sub)
		return false;
	sub->rescind = true;
	if (is_over)
		complete_all(&sub->rescind_event);
	return true;
}

const struct device_ops hv_device_ops = {
	.find = hv_find,
	.suspend = hv_suspend,
	.resume = hv_resume,
	.set_missing = hv_set_missing,
	.rescind_sub = hv_rescind_sub,
};
