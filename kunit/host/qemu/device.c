// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server as a device of QEMU's VMBus: its type, properties, and its channels.
 */
#include "qemu.h"

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

uint32_t host_relid(struct testdev *dev)
{
	return chan_relid(vmbus_device_channel(channel_of(dev)->vdev, dev->index));
}

struct testdev *host_sibling(struct testdev *dev, uint32_t index)
{
	struct testdev_device *device = TESTDEV_DEVICE(channel_of(dev)->vdev);

	return index < device->parent_obj.num_channels ? &device->channels[index].dev : NULL;
}

struct qemu_channel *channel_by(VMBusChannel *chan)
{
	struct testdev_device *device = TESTDEV_DEVICE(vmbus_channel_device(chan));

	return &device->channels[vmbus_channel_idx(chan)];
}

/* QEMU's VMBus always does right. */
enum testdev_status host_fault(struct testdev *dev, const struct testdev_request *rq,
			       const uint8_t *payload, uint64_t *value)
{
	(void)dev;
	(void)rq;
	(void)payload;
	(void)value;
	return TESTDEV_EPROTO;
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

static void init_channel(struct testdev_device *device, uint16_t index)
{
	struct qemu_channel *ch = &device->channels[index];

	ch->vdev = &device->parent_obj;
	testdev_init(&ch->dev, DEVICE(device)->id, index, device->log);
	offer_init(ch);
	nudge_init(ch);
}

static void fini_channel(struct qemu_channel *ch)
{
	nudge_fini(ch);
	offer_fini(ch);
	testdev_fini(&ch->dev);
}

static void testdev_realize(VMBusDevice *vdev, Error **errp)
{
	struct testdev_device *device = TESTDEV_DEVICE(vdev);
	uint16_t i;

	if (!testdev_layout_init(errp))
		return;
	device->log = testdev_open_log(device->log_path, errp);
	if (!device->log)
		return;
	testdev_own_class(device);
	device->channels = g_new0(struct qemu_channel, vdev->num_channels);
	for (i = 0; i < vdev->num_channels; i++)
		init_channel(device, i);
	front_init(&device->channels[0], device->vmbus_version, errp);
}

static void testdev_unrealize(VMBusDevice *vdev)
{
	struct testdev_device *device = TESTDEV_DEVICE(vdev);
	uint16_t i;

	for (i = 0; i < vdev->num_channels; i++)
		fini_channel(&device->channels[i]);
	g_free(device->channels);
	testdev_close_log(device->log);
}

/* What the rings' GPADL says; QEMU has checked it before it opens a channel. */
static int find_rings(struct qemu_channel *ch, VMBusChannel *chan, uint32_t *answer_len)
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
	ch->request_ring = g_memdup2(gpadl_gfns(gpadl), split * sizeof(uint64_t));
	ch->request_ring_len = (split - 1) << VMBUS_PAGE_SHIFT;
	*answer_len = (pages - split - 1) << VMBUS_PAGE_SHIFT;
	vmbus_put_gpadl(gpadl);
	return 0;
}

static int testdev_open(VMBusChannel *chan)
{
	struct qemu_channel *ch = channel_by(chan);
	uint32_t answer_len;
	int ret;

	ret = find_rings(ch, chan, &answer_len);
	if (ret) {
		testdev_log(&ch->dev, "channel not opened: bad rings");
		return ret;
	}
	ch->chan = chan;
	ch->refuse_next = false;
	ch->out_of_step = false;
	ch->woke_itself = false;
	testdev_opened(&ch->dev, ch->request_ring_len, answer_len);
	return 0;
}

static void testdev_close(VMBusChannel *chan)
{
	struct qemu_channel *ch = channel_by(chan);

	testdev_closed(&ch->dev);
	g_clear_pointer(&ch->request_ring, g_free);
	ch->chan = NULL;
	offer_channel_closed(ch);
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
	vdc->chan_notify_cb = packets_work;
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
