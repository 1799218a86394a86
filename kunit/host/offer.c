// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rescinding the offer and making it again. QEMU's VMBus core knows neither, so
 * the two control messages are put into the guest's message slot beside it. Not
 * with hyperv_post_msg() and a route of our own: KVM tells only the newest route
 * to a SINT that the guest has emptied the slot, and QEMU's core would wait for
 * ever for its turn.
 *
 * The channel id stays the same, for QEMU gives a channel one for life. The
 * guest must have let go of it before it sees the new offer; QEMU does not tell
 * when it has, so the time to the new offer starts at the guest's close.
 */
#include "testdev.h"

#include "hw/hyperv/hyperv-proto.h"
#include "hw/core/cpu.h"
#include "qemu/main-loop.h"

#define MAX_NOTICES	8
#define RETRY_MS	1

/* As in QEMU's offers: the low ids are those of VMBus itself. */
#define CONNECTION_ID(relid)	(16 + (relid))

/* One message to the guest, which waits for its time or for the slot. */
struct testdev_notice {
	QTAILQ_ENTRY(testdev_notice) link;
	struct testdev *dev;
	QEMUTimer *timer;
	uint32_t type;
};

static void drop_notice(struct testdev_notice *notice)
{
	QTAILQ_REMOVE(&notice->dev->notices, notice, link);
	timer_free(notice->timer);
	g_free(notice);
}

/*
 * The slot of the processor that Linux talks to the host through. It is memory
 * that QEMU's SynIC device keeps, and the guest sees where it wants it.
 */
struct hyperv_message *message_slot(void)
{
	CPUState *cpu = qemu_get_cpu(TESTDEV_VP);
	g_autofree char *name = g_strdup_printf("synic-%d-msg-page[0]", TESTDEV_VP);
	struct hyperv_message_page *page;
	Object *obj;

	obj = cpu ? object_resolve_path_component(OBJECT(cpu), "synic") : NULL;
	obj = obj ? object_resolve_path_component(obj, name) : NULL;
	if (!obj)
		return NULL;
	page = memory_region_get_ram_ptr(MEMORY_REGION(obj));
	return &page->slot[VMBUS_SINT];
}

/*
 * Puts @msg into the slot and interrupts the guest. Others of QEMU write to the
 * slot under the big lock only, which is held here too; the guest empties it.
 */
int message_post(struct testdev *dev, const struct hyperv_message *msg)
{
	HvSintRoute *route = bus_route(dev);
	struct hyperv_message *slot = message_slot();

	if (!route || !slot)
		return -ENXIO;
	if (qatomic_read(&slot->header.message_type) != HV_MESSAGE_NONE)
		return -EAGAIN;
	memcpy(slot->payload, msg->payload, sizeof(slot->payload));
	slot->header.payload_size = msg->header.payload_size;
	/* The flags stay: someone may be waiting for the slot. */
	smp_wmb();
	qatomic_set(&slot->header.message_type, HV_MESSAGE_VMBUS);
	return hyperv_sint_route_set_sint(route);
}

static void make_rescind(struct testdev *dev, struct hyperv_message *msg)
{
	vmbus_message_rescind_channel_offer rescind = {
		.header.message_type = VMBUS_MSG_RESCIND_CHANNELOFFER,
		.child_relid = chan_relid(vmbus_device_channel(dev->vdev, dev->index)),
	};

	memcpy(msg->payload, &rescind, sizeof(rescind));
	msg->header.payload_size = ROUND_UP(sizeof(rescind), VMBUS_MESSAGE_SIZE_ALIGN);
}

static void make_offer(struct testdev *dev, struct hyperv_message *msg)
{
	VMBusDeviceClass *vdc = VMBUS_DEVICE_GET_CLASS(dev->vdev);
	uint32_t relid = chan_relid(vmbus_device_channel(dev->vdev, dev->index));
	QemuUUID type = qemu_uuid_bswap(vdc->classid);
	QemuUUID instance = qemu_uuid_bswap(dev->vdev->instanceid);
	vmbus_message_offer_channel offer = {
		.header.message_type = VMBUS_MSG_OFFERCHANNEL,
		.channel_flags = vdc->channel_flags,
		.mmio_size_mb = vdc->mmio_size_mb,
		.child_relid = relid,
		.sub_channel_index = dev->index,
		.interrupt_flags = VMBUS_OFFER_INTERRUPT_DEDICATED,
		.connection_id = CONNECTION_ID(relid),
	};

	memcpy(offer.type_uuid, &type, sizeof(type));
	memcpy(offer.instance_uuid, &instance, sizeof(instance));
	memcpy(msg->payload, &offer, sizeof(offer));
	msg->header.payload_size = ROUND_UP(sizeof(offer), VMBUS_MESSAGE_SIZE_ALIGN);
}

static void post_notice(void *opaque);

static enum testdev_status add_notice(struct testdev *dev, uint32_t type, uint32_t ms)
{
	struct testdev_notice *notice;
	unsigned int n = 0;

	QTAILQ_FOREACH(notice, &dev->notices, link)
		n++;
	if (n == MAX_NOTICES)
		return TESTDEV_EBUSY;
	notice = g_new0(struct testdev_notice, 1);
	notice->dev = dev;
	notice->type = type;
	notice->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, post_notice, notice);
	QTAILQ_INSERT_TAIL(&dev->notices, notice, link);
	timer_mod(notice->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
	return TESTDEV_OK;
}

/* The guest has neither the offer nor an open channel: the next offer may come. */
static void maybe_reoffer(struct testdev *dev)
{
	if (!dev->rescinded || !dev->reoffer_armed || dev->chan)
		return;
	if (add_notice(dev, VMBUS_MSG_OFFERCHANNEL, dev->reoffer_ms) == TESTDEV_OK)
		dev->reoffer_armed = false;
}

static void rescind_delivered(struct testdev *dev)
{
	dev->count.rescinds++;
	dev->rescinded = true;
	testdev_log(dev, "offer rescinded");
	maybe_reoffer(dev);
}

static void offer_delivered(struct testdev *dev)
{
	dev->count.reoffers++;
	dev->rescinded = false;
	testdev_log(dev, "offered again");
}

static void post_notice(void *opaque)
{
	struct testdev_notice *notice = opaque;
	struct testdev *dev = notice->dev;
	uint32_t type = notice->type;
	struct hyperv_message msg = {};
	int ret;

	if (type == VMBUS_MSG_RESCIND_CHANNELOFFER)
		make_rescind(dev, &msg);
	else
		make_offer(dev, &msg);
	ret = message_post(dev, &msg);
	if (ret == -EAGAIN) {
		timer_mod(notice->timer,
			  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + RETRY_MS);
		return;
	}
	drop_notice(notice);
	if (ret)
		testdev_log(dev, "message %u for the guest lost: error %d", type, ret);
	else if (type == VMBUS_MSG_RESCIND_CHANNELOFFER)
		rescind_delivered(dev);
	else
		offer_delivered(dev);
}

enum testdev_status offer_rescind(struct testdev *dev, uint32_t ms)
{
	return add_notice(dev, VMBUS_MSG_RESCIND_CHANNELOFFER, ms);
}

void offer_arm_reoffer(struct testdev *dev, uint32_t ms)
{
	dev->reoffer_armed = true;
	dev->reoffer_ms = ms;
}

void offer_channel_closed(struct testdev *dev)
{
	maybe_reoffer(dev);
}

static void forget(struct testdev *dev)
{
	struct testdev_notice *notice, *next;

	QTAILQ_FOREACH_SAFE(notice, &dev->notices, link, next)
		drop_notice(notice);
	dev->rescinded = false;
	dev->reoffer_armed = false;
}

/*
 * The device is reset whenever its channel closes, and when the guest leaves
 * VMBus or is reset itself. Only the latter takes the offer back, but does so
 * after it has reset the devices: look at it a little later.
 */
static void after_reset(void *opaque)
{
	struct testdev *dev = opaque;
	VMBusChannel *chan = vmbus_device_channel(dev->vdev, dev->index);

	if (chan_is_offered(chan))
		return;
	forget(dev);
	/*
	 * A sub-channel is offered when it is asked for, as Hyper-V does. Linux may
	 * see one from the start before it has made the device: in hv_vmbus that is
	 * a NULL pointer.
	 */
	if (dev->index)
		chan_withhold(chan);
}

void offer_device_reset(struct testdev *dev)
{
	qemu_bh_schedule(dev->reset_bh);
}

void offer_init(struct testdev *dev)
{
	QTAILQ_INIT(&dev->notices);
	dev->reset_bh = qemu_bh_new(after_reset, dev);
}

void offer_fini(struct testdev *dev)
{
	forget(dev);
	qemu_bh_delete(dev->reset_bh);
}
