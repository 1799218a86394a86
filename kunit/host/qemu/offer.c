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
#include "qemu.h"

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
	struct qemu_channel *ch;
	QEMUTimer *timer;
	uint32_t type;
};

static void drop_notice(struct testdev_notice *notice)
{
	QTAILQ_REMOVE(&notice->ch->notices, notice, link);
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
int message_post(struct qemu_channel *ch, const struct hyperv_message *msg)
{
	HvSintRoute *route = bus_route(ch);
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

static void make_rescind(struct qemu_channel *ch, struct hyperv_message *msg)
{
	vmbus_message_rescind_channel_offer rescind = {
		.header.message_type = VMBUS_MSG_RESCIND_CHANNELOFFER,
		.child_relid = chan_relid(vmbus_device_channel(ch->vdev, ch->dev.index)),
	};

	memcpy(msg->payload, &rescind, sizeof(rescind));
	msg->header.payload_size = ROUND_UP(sizeof(rescind), VMBUS_MESSAGE_SIZE_ALIGN);
}

static void make_offer(struct qemu_channel *ch, struct hyperv_message *msg)
{
	VMBusDeviceClass *vdc = VMBUS_DEVICE_GET_CLASS(ch->vdev);
	uint32_t relid = chan_relid(vmbus_device_channel(ch->vdev, ch->dev.index));
	QemuUUID type = qemu_uuid_bswap(vdc->classid);
	QemuUUID instance = qemu_uuid_bswap(ch->vdev->instanceid);
	vmbus_message_offer_channel offer = {
		.header.message_type = VMBUS_MSG_OFFERCHANNEL,
		.channel_flags = vdc->channel_flags,
		.mmio_size_mb = vdc->mmio_size_mb,
		.child_relid = relid,
		.sub_channel_index = ch->dev.index,
		.interrupt_flags = VMBUS_OFFER_INTERRUPT_DEDICATED,
		.connection_id = CONNECTION_ID(relid),
	};

	memcpy(offer.type_uuid, &type, sizeof(type));
	memcpy(offer.instance_uuid, &instance, sizeof(instance));
	memcpy(msg->payload, &offer, sizeof(offer));
	msg->header.payload_size = ROUND_UP(sizeof(offer), VMBUS_MESSAGE_SIZE_ALIGN);
}

static void post_notice(void *opaque);

static enum testdev_status add_notice(struct qemu_channel *ch, uint32_t type, uint32_t ms)
{
	struct testdev_notice *notice;
	unsigned int n = 0;

	QTAILQ_FOREACH(notice, &ch->notices, link)
		n++;
	if (n == MAX_NOTICES)
		return TESTDEV_EBUSY;
	notice = g_new0(struct testdev_notice, 1);
	notice->ch = ch;
	notice->type = type;
	notice->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, post_notice, notice);
	QTAILQ_INSERT_TAIL(&ch->notices, notice, link);
	timer_mod(notice->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
	return TESTDEV_OK;
}

/* The guest has neither the offer nor an open channel: the next offer may come. */
static void maybe_reoffer(struct qemu_channel *ch)
{
	if (!ch->rescinded || !ch->reoffer_armed || ch->chan)
		return;
	if (add_notice(ch, VMBUS_MSG_OFFERCHANNEL, ch->reoffer_ms) == TESTDEV_OK)
		ch->reoffer_armed = false;
}

static void rescind_delivered(struct qemu_channel *ch)
{
	ch->dev.count.rescinds++;
	ch->rescinded = true;
	testdev_log(&ch->dev, "offer rescinded");
	maybe_reoffer(ch);
}

static void offer_delivered(struct qemu_channel *ch)
{
	ch->dev.count.reoffers++;
	ch->rescinded = false;
	testdev_log(&ch->dev, "offered again");
}

static void post_notice(void *opaque)
{
	struct testdev_notice *notice = opaque;
	struct qemu_channel *ch = notice->ch;
	uint32_t type = notice->type;
	struct hyperv_message msg = {};
	int ret;

	if (type == VMBUS_MSG_RESCIND_CHANNELOFFER)
		make_rescind(ch, &msg);
	else
		make_offer(ch, &msg);
	ret = message_post(ch, &msg);
	if (ret == -EAGAIN) {
		timer_mod(notice->timer,
			  qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + RETRY_MS);
		return;
	}
	drop_notice(notice);
	if (ret)
		testdev_log(&ch->dev, "message %u for the guest lost: error %d", type, ret);
	else if (type == VMBUS_MSG_RESCIND_CHANNELOFFER)
		rescind_delivered(ch);
	else
		offer_delivered(ch);
}

enum testdev_status host_rescind(struct testdev *dev, uint32_t ms)
{
	return add_notice(channel_of(dev), VMBUS_MSG_RESCIND_CHANNELOFFER, ms);
}

void host_reoffer(struct testdev *dev, uint32_t ms)
{
	struct qemu_channel *ch = channel_of(dev);

	ch->reoffer_armed = true;
	ch->reoffer_ms = ms;
}

void offer_channel_closed(struct qemu_channel *ch)
{
	maybe_reoffer(ch);
}

static void forget(struct qemu_channel *ch)
{
	struct testdev_notice *notice, *next;

	QTAILQ_FOREACH_SAFE(notice, &ch->notices, link, next)
		drop_notice(notice);
	ch->rescinded = false;
	ch->reoffer_armed = false;
}

/*
 * The device is reset whenever its channel closes, and when the guest leaves
 * VMBus or is reset itself. Only the latter takes the offer back, but does so
 * after it has reset the devices: look at it a little later.
 */
static void after_reset(void *opaque)
{
	struct qemu_channel *ch = opaque;
	VMBusChannel *chan = vmbus_device_channel(ch->vdev, ch->dev.index);

	if (chan_is_offered(chan))
		return;
	forget(ch);
	/*
	 * A sub-channel is offered when it is asked for, as Hyper-V does. Linux may
	 * see one from the start before it has made the device: in hv_vmbus that is
	 * a NULL pointer.
	 */
	if (ch->dev.index)
		chan_withhold(chan);
}

void offer_device_reset(struct qemu_channel *ch)
{
	qemu_bh_schedule(ch->reset_bh);
}

void offer_init(struct qemu_channel *ch)
{
	QTAILQ_INIT(&ch->notices);
	ch->reset_bh = qemu_bh_new(after_reset, ch);
}

void offer_fini(struct qemu_channel *ch)
{
	forget(ch);
	qemu_bh_delete(ch->reset_bh);
}
