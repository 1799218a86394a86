// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs by handle: their memory, and references kept on the guest's request.
 */
#include "testdev.h"

struct testdev_held {
	QTAILQ_ENTRY(testdev_held) link;
	uint32_t handle;
	VMBusGpadl *gpadl;
};

/* The GPADL with a reference, or NULL for a handle that is not the guest's now. */
static VMBusGpadl *gpadl_get(struct testdev *dev, uint32_t handle)
{
	VMBusGpadl *gpadl = vmbus_get_gpadl(dev->chan, handle);

	if (gpadl && !gpadl_is_alive(gpadl, handle)) {
		vmbus_put_gpadl(gpadl);
		return NULL;
	}
	return gpadl;
}

/*
 * The reference is dropped at once: the memory is used before the main loop
 * comes to the message that could tear the GPADL down.
 */
enum testdev_status gpadl_memory(struct testdev *dev, uint32_t handle,
				 struct guest_memory **mem)
{
	VMBusGpadl *gpadl = gpadl_get(dev, handle);
	struct guest_memory *m;
	uint32_t i, pages;

	if (!gpadl)
		return TESTDEV_ENOGPADL;
	pages = vmbus_gpadl_len(gpadl) >> VMBUS_PAGE_SHIFT;
	m = g_malloc0(sizeof(*m) + pages * sizeof(m->piece[0]));
	m->as = dev->vdev->dma_as;
	m->size = vmbus_gpadl_len(gpadl);
	m->nr = pages;
	for (i = 0; i < pages; i++) {
		m->piece[i].addr = gpadl_gfns(gpadl)[i] << VMBUS_PAGE_SHIFT;
		m->piece[i].len = VMBUS_PAGE_SIZE;
	}
	vmbus_put_gpadl(gpadl);
	*mem = m;
	return TESTDEV_OK;
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
	VMBusGpadl *gpadl;

	if (find_held(dev, handle) || dev->count.held == TESTDEV_MAX_HELD)
		return TESTDEV_EBUSY;
	gpadl = gpadl_get(dev, handle);
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
	vmbus_put_gpadl(held->gpadl);
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
