// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs by handle: their memory, and references kept on the guest's request.
 */
#include "testdev.h"

struct testdev_held {
	QTAILQ_ENTRY(testdev_held) link;
	uint32_t handle;
	void *gpadl;
};

/*
 * No reference is kept: the memory is used before the main loop comes to the message
 * that could tear the GPADL down.
 */
enum testdev_status gpadl_memory(struct testdev *dev, uint32_t handle, bool write,
				 struct guest_memory **mem)
{
	*mem = host_gpadl_memory(dev, handle, write);
	return *mem ? TESTDEV_OK : TESTDEV_ENOGPADL;
}

static struct testdev_held *find_held(struct testdev *dev, uint32_t handle)
{
	struct testdev_held *held;

	QTAILQ_FOREACH(held, &dev->held, link)
		if (held->handle == handle)
			return held;
	return NULL;
}

enum testdev_status gpadl_hold(struct testdev *dev, uint32_t handle)
{
	struct testdev_held *held;
	void *gpadl;

	if (find_held(dev, handle) || dev->count.held == TESTDEV_MAX_HELD)
		return TESTDEV_EBUSY;
	gpadl = host_gpadl_get(dev, handle);
	if (!gpadl)
		return TESTDEV_ENOGPADL;
	held = g_new0(struct testdev_held, 1);
	held->handle = handle;
	held->gpadl = gpadl;
	QTAILQ_INSERT_TAIL(&dev->held, held, link);
	dev->count.held++;
	return TESTDEV_OK;
}

static void put_held(struct testdev *dev, struct testdev_held *held)
{
	QTAILQ_REMOVE(&dev->held, held, link);
	dev->count.held--;
	host_gpadl_put(dev, held->gpadl);
	g_free(held);
}

enum testdev_status gpadl_release(struct testdev *dev, uint32_t handle)
{
	struct testdev_held *held = find_held(dev, handle);

	if (!held)
		return TESTDEV_ENOGPADL;
	put_held(dev, held);
	return TESTDEV_OK;
}

void gpadl_release_all(struct testdev *dev)
{
	struct testdev_held *held, *next;

	QTAILQ_FOREACH_SAFE(held, &dev->held, link, next)
		put_held(dev, held);
}
