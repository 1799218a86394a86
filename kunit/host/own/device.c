// SPDX-License-Identifier: GPL-2.0-only
/*
 * The devices: the host, which comes first on QEMU's command line, and those that
 * it offers. They have no bus of QEMU's; vmbus.asl tells the guest of VMBus.
 */
#include "own.h"

#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/module.h"

#if __has_include("sysemu/reset.h")
#include "sysemu/reset.h"
#else	/* QEMU from 10 on */
#include "system/reset.h"
#endif

/*
 * A preloaded object is also loaded into what is not QEMU (a shell or timeout
 * around it). Weak data references let it load there and do nothing.
 */
#pragma weak register_module_init
#pragma weak qdev_prop_string
#pragma weak qdev_prop_uint16
#pragma weak qdev_prop_uint32
#pragma weak qdev_prop_uuid
#pragma weak address_space_memory

#define TYPE_HOST	"vmbkmcl-host"

#define HOST_DEVICE(obj)	OBJECT_CHECK(struct host_device, (obj), TYPE_HOST)
#define TESTDEV_DEVICE(obj)	OBJECT_CHECK(struct testdev_device, (obj), TYPE_TESTDEV)

#define MAX_RESCINDS	8

struct host_device {
	DeviceState parent_obj;
	uint32_t version;
	struct host host;
};

/* A rescind that waits for its time. */
struct rescind {
	QTAILQ_ENTRY(rescind) link;
	struct own_channel *own;
	struct machine_timer *timer;
};

struct own_channel {
	struct testdev dev;
	struct channel ch;
	struct testdev_device *device;
	QEMUBH *work;
	struct packet packet;		/* of the pass that is under way */
	bool stuck;			/* the ring cannot be read any more */

	QTAILQ_HEAD(, rescind) rescinds;
	bool reoffer_armed;
	uint32_t reoffer_ms;
	struct machine_timer *reoffer;
};

struct testdev_device {
	DeviceState parent_obj;

	/* properties */
	QemuUUID instance;
	QemuUUID type;
	uint16_t mmio_mb;
	uint16_t num_channels;
	char *log_path;

	FILE *log;
	struct own_channel *channels;
};

static struct host *the_host;

struct host *own_host(void)
{
	return the_host;
}

static struct own_channel *own_of(struct testdev *dev)
{
	return container_of(dev, struct own_channel, dev);
}

static struct own_channel *own_by(struct channel *ch)
{
	return container_of(ch, struct own_channel, ch);
}

/* --- what the server asks for --- */

uint32_t host_relid(struct testdev *dev)
{
	return own_of(dev)->ch.relid;
}

struct testdev *host_sibling(struct testdev *dev, uint32_t index)
{
	struct testdev_device *device = own_of(dev)->device;

	return index < device->num_channels ? &device->channels[index].dev : NULL;
}

void host_wake(struct testdev *dev)
{
	qemu_bh_schedule(own_of(dev)->work);
}

static void work(void *opaque)
{
	struct own_channel *own = opaque;

	if (own->dev.open)
		request_work(&own->dev);
}

bool host_read_begin(struct testdev *dev)
{
	struct own_channel *own = own_of(dev);

	if (own->stuck)
		return false;
	ring_read_begin(&own->ch.in);
	return true;
}

bool host_read(struct testdev *dev, struct host_packet *packet)
{
	struct own_channel *own = own_of(dev);
	enum ring_status status = ring_read(&own->ch, &own->packet);

	if (status == RING_BROKEN) {
		testdev_log(dev, "request ring out of step at %u: not read any more",
			    own->ch.in.at);
		own->stuck = true;
	}
	if (status != RING_OK)
		return false;
	*packet = (struct host_packet){
		.type = own->packet.type,
		.need_comp = own->packet.asks,
		.refused = own->packet.refused,
		.transaction_id = own->packet.id,
		.msg = own->packet.payload,
		.msglen = own->packet.len,
		.raw = &own->packet,
	};
	return true;
}

bool host_read_end(struct testdev *dev)
{
	struct own_channel *own = own_of(dev);

	return ring_read_end(&own->ch) && !own->stuck;
}

int host_send(struct testdev *dev, uint16_t type, uint64_t id, void *data, uint32_t len,
	      bool need_comp)
{
	switch (ring_write(&own_of(dev)->ch, type, need_comp, id, NULL, 0, data, len)) {
	case RING_OK:
		return 0;
	case RING_FULL:
		return -ENOSPC;
	default:
		return -EINVAL;
	}
}

static void add_piece(void *arg, uint64_t address, uint32_t len)
{
	memory_add(arg, address, len);
}

struct guest_memory *host_packet_memory(struct testdev *dev,
					const struct host_packet *packet)
{
	const struct packet *raw = packet->raw;
	/* Each piece has a page number of its own in there. */
	struct guest_memory *mem = memory_new(&address_space_memory,
					      raw->descriptor_len / sizeof(uint64_t));

	if (judge(own_of(dev)->ch.host, gpa_direct_walk(raw, add_piece, mem),
		  "channel %u: external data that cannot be understood", host_relid(dev)))
		return mem;
	g_free(mem);
	return NULL;
}

static struct gpadl *find_gpadl(struct testdev *dev, uint32_t handle)
{
	struct own_channel *own = own_of(dev);

	return gpadl_find(own->ch.host, own->ch.relid, handle);
}

struct guest_memory *host_gpadl_memory(struct testdev *dev, uint32_t handle, bool write)
{
	struct gpadl *gpadl = find_gpadl(dev, handle);
	struct guest_memory *mem;
	uint32_t i;

	if (!gpadl)
		return NULL;
	if (write)
		gpadl_judge_writable(own_host(), gpadl);
	mem = memory_new(&address_space_memory, gpadl->nr);
	for (i = 0; i < gpadl->nr; i++)
		memory_add(mem, gpadl->pfn[i] << VMBUS_PAGE_SHIFT, VMBUS_PAGE_SIZE);
	return mem;
}

/* The table keeps no references: what was torn down is gone from it. */
void *host_gpadl_get(struct testdev *dev, uint32_t handle)
{
	return find_gpadl(dev, handle);
}

void host_gpadl_put(struct testdev *dev, void *gpadl)
{
	(void)dev;
	(void)gpadl;
}

static void drop_rescind(struct rescind *rescind)
{
	QTAILQ_REMOVE(&rescind->own->rescinds, rescind, link);
	g_free(rescind);
}

static void rescind_now(void *arg)
{
	struct rescind *rescind = arg;
	struct own_channel *own = rescind->own;

	drop_rescind(rescind);
	channel_rescind(&own->ch);
}

enum testdev_status host_rescind(struct testdev *dev, uint32_t ms)
{
	struct own_channel *own = own_of(dev);
	struct rescind *rescind;
	unsigned int n = 0;

	QTAILQ_FOREACH(rescind, &own->rescinds, link)
		n++;
	if (n == MAX_RESCINDS)
		return TESTDEV_EBUSY;
	rescind = g_new0(struct rescind, 1);
	rescind->own = own;
	rescind->timer = machine_after(ms, rescind_now, rescind);
	QTAILQ_INSERT_TAIL(&own->rescinds, rescind, link);
	return TESTDEV_OK;
}

void host_reoffer(struct testdev *dev, uint32_t ms)
{
	struct own_channel *own = own_of(dev);

	own->reoffer_armed = true;
	own->reoffer_ms = ms;
}

/* --- what the host tells --- */

static void opened(struct channel *ch)
{
	struct own_channel *own = own_by(ch);

	own->stuck = false;
	ch->needless = 0;
	testdev_opened(&own->dev, ch->in.len, ch->out.len);
}

static void closed(struct channel *ch)
{
	struct own_channel *own = own_by(ch);

	qemu_bh_cancel(own->work);
	testdev_log(&own->dev, "%" PRIu64 " signals, %" PRIu64 " of them for an empty ring",
		    own->dev.wakeups, ch->needless);
	testdev_closed(&own->dev);
}

static void signalled(struct channel *ch)
{
	struct own_channel *own = own_by(ch);

	own->dev.wakeups++;
	request_work(&own->dev);
}

static void offer_again(void *arg)
{
	struct own_channel *own = arg;

	own->reoffer = NULL;
	channel_offer(&own->ch);
	own->dev.count.reoffers++;
	testdev_log(&own->dev, "offered again");
}

/* The guest does not know the channel any more: the next offer may come. */
static void maybe_reoffer(struct own_channel *own)
{
	if (!own->reoffer_armed || own->ch.state != CHANNEL_WITHHELD)
		return;
	own->reoffer_armed = false;
	own->reoffer = machine_after(own->reoffer_ms, offer_again, own);
}

static void rescinded(struct channel *ch)
{
	struct own_channel *own = own_by(ch);

	own->dev.count.rescinds++;
	testdev_log(&own->dev, "offer rescinded");
	maybe_reoffer(own);
}

static void released(struct channel *ch)
{
	maybe_reoffer(own_by(ch));
}

static void forgotten(struct channel *ch)
{
	struct own_channel *own = own_by(ch);
	struct rescind *rescind, *next;

	QTAILQ_FOREACH_SAFE(rescind, &own->rescinds, link, next) {
		machine_cancel(rescind->timer);
		drop_rescind(rescind);
	}
	if (own->reoffer)
		machine_cancel(own->reoffer);
	own->reoffer = NULL;
	own->reoffer_armed = false;
}

static const struct channel_callbacks callbacks = {
	.opened = opened,
	.closed = closed,
	.signalled = signalled,
	.rescinded = rescinded,
	.released = released,
	.forgotten = forgotten,
};

/* --- the devices --- */

/* The wire has a GUID as Windows keeps it in memory. */
static void put_guid(uint8_t *to, QemuUUID uuid)
{
	uuid = qemu_uuid_bswap(uuid);
	memcpy(to, &uuid, sizeof(uuid));
}

static bool init_channel(struct testdev_device *device, uint16_t index, Error **errp)
{
	struct own_channel *own = &device->channels[index];

	own->device = device;
	own->ch.callbacks = &callbacks;
	own->ch.mmio_mb = device->mmio_mb;
	own->ch.sub_index = index;
	put_guid(own->ch.type, device->type);
	put_guid(own->ch.instance, device->instance);
	own->work = qemu_bh_new(work, own);
	QTAILQ_INIT(&own->rescinds);
	testdev_init(&own->dev, DEVICE(device)->id, index, device->log);
	if (channel_add(the_host, &own->ch))
		return true;
	error_setg(errp, "no number is left for a channel");
	return false;
}

static void testdev_realize(DeviceState *dev, Error **errp)
{
	struct testdev_device *device = TESTDEV_DEVICE(dev);
	uint16_t i;

	if (!the_host) {
		error_setg(errp, TYPE_TESTDEV " needs a " TYPE_HOST " in front of it");
		return;
	}
	device->log = testdev_open_log(device->log_path, errp);
	if (!device->log)
		return;
	device->channels = g_new0(struct own_channel, device->num_channels);
	for (i = 0; i < device->num_channels; i++)
		if (!init_channel(device, i, errp))
			return;
}

static void forget(void *opaque)
{
	host_forget(opaque);
}

static void host_realize(DeviceState *dev, Error **errp)
{
	struct host_device *device = HOST_DEVICE(dev);

	if (the_host) {
		error_setg(errp, "there is a " TYPE_HOST " already");
		return;
	}
	if (!synic_init(&device->host, errp))
		return;
	the_host = &device->host;
	host_init(the_host, device->version);
	qemu_register_reset(forget, the_host);
}

#ifdef DEFINE_PROP_END_OF_LIST	/* QEMU before 10 */
static Property host_properties[] = {
#else
static const Property host_properties[] = {
#endif
	/* The newest that a guest may choose. */
	DEFINE_PROP_UINT32("version", struct host_device, version, WIRE_VERSION(6, 0)),
#ifdef DEFINE_PROP_END_OF_LIST
	DEFINE_PROP_END_OF_LIST(),
#endif
};

#ifdef DEFINE_PROP_END_OF_LIST
static Property testdev_properties[] = {
#else
static const Property testdev_properties[] = {
#endif
	DEFINE_PROP_UUID_NODEFAULT("instance", struct testdev_device, instance),
	DEFINE_PROP_UUID_NODEFAULT("type-guid", struct testdev_device, type),
	DEFINE_PROP_UINT16("mmio-mb", struct testdev_device, mmio_mb, 0),
	DEFINE_PROP_UINT16("channels", struct testdev_device, num_channels, 1),
	DEFINE_PROP_STRING("log", struct testdev_device, log_path),
#ifdef DEFINE_PROP_END_OF_LIST
	DEFINE_PROP_END_OF_LIST(),
#endif
};

static const VMStateDescription no_migration = {
	.name = TYPE_TESTDEV,
	.unmigratable = 1,
};

static void testdev_instance_init(Object *obj)
{
	struct testdev_device *device = TESTDEV_DEVICE(obj);

	g_assert_true(!qemu_uuid_parse(TESTDEV_TYPE_GUID, &device->type));
	g_assert_true(!qemu_uuid_parse(TESTDEV_INSTANCE_GUID, &device->instance));
}

static void init_class(ObjectClass *klass, const char *desc)
{
	DeviceClass *dc = DEVICE_CLASS(klass);

	dc->desc = desc;
	dc->vmsd = &no_migration;
	dc->hotpluggable = false;
	set_bit(DEVICE_CATEGORY_MISC, dc->categories);
}

static void host_class_init(ObjectClass *klass, void *data)
{
	(void)data;
	init_class(klass, "VMBus host of vmbkmcl's tests");
	DEVICE_CLASS(klass)->realize = host_realize;
	device_class_set_props(DEVICE_CLASS(klass), host_properties);
}

static void testdev_class_init(ObjectClass *klass, void *data)
{
	(void)data;
	init_class(klass, "server endpoint of vmbkmcl's tests");
	DEVICE_CLASS(klass)->realize = testdev_realize;
	device_class_set_props(DEVICE_CLASS(klass), testdev_properties);
}

static const TypeInfo host_type = {
	.name = TYPE_HOST,
	.parent = TYPE_DEVICE,
	.instance_size = sizeof(struct host_device),
	.class_init = host_class_init,
};

static const TypeInfo testdev_type = {
	.name = TYPE_TESTDEV,
	.parent = TYPE_DEVICE,
	.instance_size = sizeof(struct testdev_device),
	.instance_init = testdev_instance_init,
	.class_init = testdev_class_init,
};

static void register_types(void)
{
	type_register_static(&host_type);
	type_register_static(&testdev_type);
}

static void __attribute__((constructor)) own_load(void)
{
	if (register_module_init)
		register_module_init(register_types, MODULE_INIT_QOM);
}
