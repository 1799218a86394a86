// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMBus device for QEMU that serves protocol.h: the other end of the tests'
 * channels. It is a shared object preloaded into the distribution's own QEMU
 * (build.sh), so nothing of QEMU is built or changed. This file is the device
 * itself: its type, properties, and what opening and closing its channel do.
 */
#include "testdev.h"

#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/module.h"

/*
 * A preloaded object is also loaded into what is not QEMU (a shell or timeout
 * around it). Weak data references let it load there and do nothing.
 */
#pragma weak register_module_init
#pragma weak qdev_prop_string
#pragma weak qdev_prop_uint16
#pragma weak qdev_prop_uint32
#pragma weak qdev_prop_uuid

void testdev_log(struct testdev *dev, const char *fmt, ...)
{
	va_list args;

	fprintf(dev->log, "%s: ", dev->name);
	va_start(args, fmt);
	vfprintf(dev->log, fmt, args);
	va_end(args);
	fputc('\n', dev->log);
	fflush(dev->log);
}

/* Have request_work() run, once more and from the main loop. */
void testdev_wake_itself(struct testdev *dev)
{
	dev->woke_itself = true;
	vmbus_channel_notify_host(dev->chan);
}

struct testdev *testdev_of(VMBusChannel *chan)
{
	struct testdev_device *device = TESTDEV_DEVICE(vmbus_channel_device(chan));

	return &device->channels[vmbus_channel_idx(chan)];
}

/* NULL: the device has not so many channels. */
struct testdev *testdev_sibling(struct testdev *dev, uint32_t index)
{
	struct testdev_device *device = TESTDEV_DEVICE(dev->vdev);

	return index < device->parent_obj.num_channels ? &device->channels[index] : NULL;
}

static bool testdev_open_log(struct testdev_device *device, Error **errp)
{
	const char *path = device->log_path ?: getenv("VMBKMCL_TESTDEV_LOG");

	device->log = stderr;
	if (!path || !*path)
		return true;
	/* Appended to: several devices and runs may share the file. */
	device->log = fopen(path, "ae");
	if (device->log)
		return true;
	error_setg_errno(errp, errno, "cannot write the log %s", path);
	return false;
}

static void testdev_close_log(struct testdev_device *device)
{
	if (device->log != stderr)
		fclose(device->log);
	device->log = NULL;
}

/*
 * What an offer says of the type and the MMIO window, QEMU's VMBus core takes
 * from the class. They are properties here: each device gets its own class.
 */
static void testdev_own_class(struct testdev_device *device)
{
	VMBusDeviceClass *vdc = VMBUS_DEVICE_GET_CLASS(device);

	vdc = g_memdup2(vdc, sizeof(*vdc));
	vdc->classid = device->type;
	vdc->mmio_size_mb = device->mmio_mb;
	OBJECT(device)->class = OBJECT_CLASS(vdc);
}

static char *testdev_name(VMBusDevice *vdev, uint16_t index)
{
	const char *id = DEVICE(vdev)->id;
	g_autofree char *sub = index ? g_strdup_printf(" sub-channel %u", index) :
				       g_strdup("");

	return id ? g_strdup_printf("testdev %s%s", id, sub) :
		    g_strdup_printf("testdev%s", sub);
}

static void testdev_init(struct testdev *dev, struct testdev_device *device, uint16_t index)
{
	dev->vdev = &device->parent_obj;
	dev->index = index;
	dev->name = testdev_name(dev->vdev, index);
	dev->log = device->log;
	QTAILQ_INIT(&dev->held);
	out_init(dev);
	offer_init(dev);
	nudge_init(dev);
}

static void testdev_fini(struct testdev *dev)
{
	nudge_fini(dev);
	offer_fini(dev);
	gpadl_release_all(dev);
	out_fini(dev);
	g_free(dev->name);
}

static void testdev_realize(VMBusDevice *vdev, Error **errp)
{
	struct testdev_device *device = TESTDEV_DEVICE(vdev);
	uint16_t i;

	if (!testdev_layout_init(errp))
		return;
	if (!testdev_open_log(device, errp))
		return;
	testdev_own_class(device);
	device->channels = g_new0(struct testdev, vdev->num_channels);
	for (i = 0; i < vdev->num_channels; i++)
		testdev_init(&device->channels[i], device, i);
	front_init(&device->channels[0], device->vmbus_version, errp);
}

static void testdev_unrealize(VMBusDevice *vdev)
{
	struct testdev_device *device = TESTDEV_DEVICE(vdev);
	uint16_t i;

	for (i = 0; i < vdev->num_channels; i++)
		testdev_fini(&device->channels[i]);
	g_free(device->channels);
	testdev_close_log(device);
}

/* What the rings' GPADL says; QEMU has checked it before it opens a channel. */
static int testdev_find_rings(struct testdev *dev, VMBusChannel *chan)
{
	uint32_t handle = chan_ring_gpadl(chan);
	uint32_t split = chan_answer_ring_page(chan);
	VMBusGpadl *gpadl = vmbus_get_gpadl(chan, handle);
	uint32_t pages;

	if (!gpadl)
		return -EINVAL;
	pages = vmbus_gpadl_len(gpadl) >> VMBUS_PAGE_SHIFT;
	if (!gpadl_is_alive(gpadl, handle) || split < 2 || pages < split + 2) {
		vmbus_put_gpadl(gpadl);
		return -EINVAL;
	}
	dev->request_ring = g_memdup2(gpadl_gfns(gpadl), split * sizeof(uint64_t));
	dev->request_ring_len = (split - 1) << VMBUS_PAGE_SHIFT;
	dev->answer_ring_len = (pages - split - 1) << VMBUS_PAGE_SHIFT;
	vmbus_put_gpadl(gpadl);
	return 0;
}

static int testdev_open(VMBusChannel *chan)
{
	struct testdev *dev = testdev_of(chan);
	int ret;

	ret = testdev_find_rings(dev, chan);
	if (ret) {
		testdev_log(dev, "channel not opened: bad rings");
		return ret;
	}
	dev->chan = chan;
	dev->refuse_next = false;
	dev->is_pipe = false;
	dev->out_of_step = false;
	dev->bench = false;
	dev->woke_itself = false;
	dev->wakeups = 0;
	dev->count.opens++;
	testdev_log(dev, "channel %u open: rings of %u and %u bytes",
		    chan_relid(chan), dev->request_ring_len, dev->answer_ring_len);
	return 0;
}

static void testdev_close(VMBusChannel *chan)
{
	struct testdev *dev = testdev_of(chan);

	out_drop_all(dev);
	gpadl_release_all(dev);
	g_clear_pointer(&dev->request_ring, g_free);
	dev->chan = NULL;
	dev->count.closes++;
	testdev_log(dev, "channel %u closed: %" PRIu64 " requests so far",
		    chan_relid(chan), (uint64_t)dev->count.requests);
	offer_channel_closed(dev);
}

static void testdev_reset(VMBusDevice *vdev)
{
	struct testdev_device *device = TESTDEV_DEVICE(vdev);
	uint16_t i;

	for (i = 0; i < vdev->num_channels; i++)
		offer_device_reset(&device->channels[i]);
}

static uint16_t testdev_num_channels(VMBusDevice *vdev)
{
	return TESTDEV_DEVICE(vdev)->num_channels;
}

#ifdef DEFINE_PROP_END_OF_LIST	/* QEMU before 10 */
static Property testdev_properties[] = {
#else
static const Property testdev_properties[] = {
#endif
	DEFINE_PROP_UUID_NODEFAULT("instance", struct testdev_device, parent_obj.instanceid),
	DEFINE_PROP_UUID_NODEFAULT("type-guid", struct testdev_device, type),
	DEFINE_PROP_UINT16("mmio-mb", struct testdev_device, mmio_mb, 0),
	DEFINE_PROP_UINT16("channels", struct testdev_device, num_channels, 1),
	/* The newest that a guest may choose; the first device's counts. */
	DEFINE_PROP_UINT32("vmbus-version", struct testdev_device, vmbus_version,
			   VMBUS_VERSION_CURRENT),
	DEFINE_PROP_STRING("log", struct testdev_device, log_path),
#ifdef DEFINE_PROP_END_OF_LIST
	DEFINE_PROP_END_OF_LIST(),
#endif
};

static const VMStateDescription testdev_vmstate = {
	.name = TYPE_TESTDEV,
	.unmigratable = 1,
};

static void testdev_instance_init(Object *obj)
{
	struct testdev_device *device = TESTDEV_DEVICE(obj);

	g_assert_true(!qemu_uuid_parse(TESTDEV_TYPE_GUID, &device->type));
	g_assert_true(!qemu_uuid_parse(TESTDEV_INSTANCE_GUID,
				       &device->parent_obj.instanceid));
}

static void testdev_class_init(ObjectClass *klass, void *data)
{
	DeviceClass *dc = DEVICE_CLASS(klass);
	VMBusDeviceClass *vdc = VMBUS_DEVICE_CLASS(klass);

	(void)data;
	dc->desc = "server endpoint of vmbkmcl's tests";
	dc->vmsd = &testdev_vmstate;
	device_class_set_props(dc, testdev_properties);
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
	vdc->channel_flags = VMBUS_CHANNEL_ENUMERATE_DEVICE_INTERFACE;
	vdc->vmdev_realize = testdev_realize;
	vdc->vmdev_unrealize = testdev_unrealize;
	vdc->vmdev_reset = testdev_reset;
	vdc->num_channels = testdev_num_channels;
	vdc->open_channel = testdev_open;
	vdc->close_channel = testdev_close;
	vdc->chan_notify_cb = request_work;
}

static const TypeInfo testdev_type = {
	.name = TYPE_TESTDEV,
	.parent = TYPE_VMBUS_DEVICE,
	.instance_size = sizeof(struct testdev_device),
	.instance_init = testdev_instance_init,
	.class_init = testdev_class_init,
};

static void testdev_register(void)
{
	type_register_static(&testdev_type);
}

static void __attribute__((constructor)) testdev_load(void)
{
	if (register_module_init)
		register_module_init(testdev_register, MODULE_INIT_QOM);
}
