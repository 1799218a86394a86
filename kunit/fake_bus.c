// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus that does what a test says.
 *
 * It stands where hv_vmbus does, behind struct kmcl_bus_ops, for what no server
 * on a real VMBus can be made to do: refuse a GPADL, leave a request without an
 * answer, fail a post, rescind at a given point, be a confidential VM's.
 */

#include <linux/delay.h>
#include <linux/slab.h>

#include "fake_bus.h"

struct fake_packet {
	struct list_head link;
	struct kmcl_rx_packet head;
	u8 data[];
};

static const guid_t fake_instance = GUID_INIT(0x11111111, 0x2222, 0x3333,
					      1, 2, 3, 4, 5, 6, 7, 8);

static struct fake_bus *to_fake(struct kmcl_channel *ch)
{
	return container_of(ch->bus, struct fake_bus, ops);
}

/* The host thinks about it; as in hv_vmbus only an answer or a rescind ends it. */
static void fake_wait(struct fake_bus *bus)
{
	atomic_inc(&bus->waiting);
	wait_event(bus->woken,
		   !READ_ONCE(bus->withhold) || READ_ONCE(bus->is_rescinded));
	atomic_dec(&bus->waiting);
}

static void fake_control_begin(struct fake_bus *bus)
{
	if (atomic_inc_return(&bus->in_control) > 1)
		atomic_inc(&bus->overlaps);
}

static void fake_control_end(struct fake_bus *bus)
{
	atomic_dec(&bus->in_control);
}

static int fake_listen(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->present)
		kmcl_channel_attach(ch, bus, &fake_instance);
	return 0;
}

static void fake_unlisten(struct kmcl_channel *ch)
{
}

static void fake_release(struct kmcl_channel *ch)
{
}

static struct device *fake_device(struct kmcl_channel *ch)
{
	return to_fake(ch)->device;
}

static void fake_add_sub(struct fake_bus *primary, struct fake_bus *sub)
{
	unsigned int i = 0;

	/* It may be there, open for the host alone. */
	while (i < FAKE_SUBS - 1 && primary->open_sub[i] &&
	       primary->open_sub[i] != sub)
		i++;
	primary->open_sub[i] = sub;
}

static void fake_forget_sub(struct fake_bus *primary, struct fake_bus *sub)
{
	unsigned int i;

	for (i = 0; i < FAKE_SUBS; i++)
		if (primary->open_sub[i] == sub)
			primary->open_sub[i] = NULL;
}

/* As hv_vmbus does, before the channel itself; each is a wait on the sub-channel. */
static void fake_close_subs(struct fake_bus *bus)
{
	unsigned int i;

	for (i = 0; i < FAKE_SUBS; i++) {
		if (!bus->open_sub[i])
			continue;
		fake_control_begin(bus->open_sub[i]);
		atomic_inc(&bus->open_sub[i]->closes);
		WRITE_ONCE(bus->open_sub[i]->is_open, false);
		fake_control_end(bus->open_sub[i]);
		bus->open_sub[i] = NULL;
	}
}

static int fake_open(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);
	int err;

	fake_control_begin(bus);
	atomic_inc(&bus->opens);
	fake_wait(bus);
	err = bus->is_rescinded ? -ENODEV : bus->open_err;
	WRITE_ONCE(bus->is_open, !err);
	if (!err && bus->primary)
		fake_add_sub(bus->primary, bus);
	fake_control_end(bus);
	return err;
}

static int fake_close(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->primary)
		return READ_ONCE(bus->is_open) ? -EBUSY : bus->close_err;
	fake_control_begin(bus);
	fake_close_subs(bus);
	atomic_inc(&bus->closes);
	WRITE_ONCE(bus->is_open, false);
	fake_wait(bus);
	fake_control_end(bus);
	return bus->close_err;
}

/* For each use of a ring: there has to be one. */
static struct fake_bus *to_ring(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	if (!READ_ONCE(bus->is_open))
		atomic_inc(&bus->misuses);
	return bus;
}

static int fake_mmio_get(struct kmcl_channel *ch, u64 *start, u64 *size)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->mmio_err)
		return bus->mmio_err;
	*start = bus->mmio_size ? FAKE_MMIO_START : 0;
	*size = bus->mmio_size;
	bus->mmio_held += bus->mmio_size;
	return 0;
}

static void fake_mmio_put(struct kmcl_channel *ch, u64 start, u64 size)
{
	to_fake(ch)->mmio_held -= size;
}

static void fake_set_low_latency(struct kmcl_channel *ch, bool low)
{
	to_fake(ch)->low_latency = low;
}

static bool fake_rescinded(struct kmcl_channel *ch)
{
	return to_fake(ch)->is_rescinded;
}

static bool fake_confidential(struct kmcl_channel *ch)
{
	return to_fake(ch)->is_confidential;
}

static bool fake_gpadls_before_close(struct kmcl_channel *ch)
{
	return to_fake(ch)->is_old;
}

static int fake_establish_gpadl(struct kmcl_channel *ch, void *va, u32 size,
				struct vmbus_gpadl *gpadl)
{
	struct fake_bus *bus = to_fake(ch);
	int err = bus->establish_err;

	fake_control_begin(bus);
	atomic_inc(&bus->establishes);
	gpadl->decrypted = true;
	fake_wait(bus);
	if (bus->is_rescinded)
		err = -ENODEV;
	if (err) {
		gpadl->decrypted = bus->stays_decrypted;
		goto end;
	}
	gpadl->gpadl_handle = bus->next_handle++;
	gpadl->buffer = va;
	gpadl->size = size;
	xa_store(&bus->gpadls, gpadl->gpadl_handle, xa_mk_value(size),
		 GFP_KERNEL | __GFP_NOFAIL);
end:
	fake_control_end(bus);
	return err;
}

static int fake_teardown_gpadl(struct kmcl_channel *ch,
			       struct vmbus_gpadl *gpadl)
{
	struct fake_bus *bus = to_fake(ch);
	int err = 0;

	fake_control_begin(bus);
	atomic_inc(&bus->teardowns);
	if (bus->teardown_nomem) {
		bus->teardown_nomem--;
		err = -ENOMEM;
		goto end;
	}
	fake_wait(bus);
	gpadl->decrypted = bus->stays_decrypted;
	if (bus->is_rescinded)
		goto end;
	/* As hv_vmbus does, say 0 although the message was never posted. */
	if (bus->teardown_err)
		goto end;
	xa_erase(&bus->gpadls, gpadl->gpadl_handle);
	gpadl->gpadl_handle = 0;
end:
	fake_control_end(bus);
	return err;
}

static int fake_send(struct kmcl_channel *ch, void *data, u32 len, u64 id,
		     enum vmbus_packet_type type, u32 flags)
{
	struct fake_bus *bus = to_ring(ch);

	if (bus->send_err)
		return bus->send_err;
	if (!bus->ring_room)
		return -EAGAIN;
	bus->ring_room--;
	bus->last_id = id;
	bus->last_len = len;
	memcpy(bus->last_data, data, min_t(u32, len, sizeof(bus->last_data)));
	atomic_inc(type == VM_PKT_COMP ? &bus->answers : &bus->sends);
	return 0;
}

static int fake_send_external(struct kmcl_channel *ch,
			      struct vmbus_packet_mpb_array *desc,
			      u32 desc_size, void *data, u32 len, u64 id)
{
	struct fake_bus *bus = to_fake(ch);

	bus->last_desc_size = min_t(u32, desc_size, sizeof(bus->last_desc));
	memcpy(bus->last_desc, desc, bus->last_desc_size);
	return fake_send(ch, data, len, id, VM_PKT_DATA_USING_GPA_DIRECT,
			 VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
}

static void fake_want_room(struct kmcl_channel *ch, u32 bytes)
{
	WRITE_ONCE(to_ring(ch)->wanted_room, bytes);
	/* The host sees the wish before the ring is looked at again. */
	smp_mb();
}

static struct fake_packet *fake_rx_oldest(struct fake_bus *bus)
{
	struct fake_packet *packet;

	spin_lock(&bus->rx_lock);
	packet = list_first_entry_or_null(&bus->rx, struct fake_packet, link);
	spin_unlock(&bus->rx_lock);
	return packet;
}

/* The host writes to the ring while its oldest packet is read. */
void fake_bus_overwrite(struct fake_bus *bus)
{
	struct fake_packet *packet = fake_rx_oldest(bus);

	memset(packet->data, 0xee, packet->head.len);
}

static int fake_rx_peek(struct kmcl_channel *ch, struct kmcl_rx_packet *seen)
{
	struct fake_bus *bus = to_ring(ch);
	struct fake_packet *packet;

	if (bus->corrupt)
		return -EIO;
	packet = fake_rx_oldest(bus);
	if (!packet)
		return 0;
	*seen = packet->head;
	return 1;
}

static void fake_rx_skip(struct kmcl_channel *ch,
			 const struct kmcl_rx_packet *seen)
{
	struct fake_bus *bus = to_ring(ch);
	struct fake_packet *packet = fake_rx_oldest(bus);

	if (READ_ONCE(bus->endless))
		return;
	spin_lock(&bus->rx_lock);
	list_del(&packet->link);
	spin_unlock(&bus->rx_lock);
	kfree(packet);
}

static void fake_rx_done(struct kmcl_channel *ch)
{
	to_ring(ch);
}

static void fake_rx_mask(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_ring(ch);

	atomic_inc(&bus->masks);
	bus->masked = true;
}

static bool fake_rx_unmask(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_ring(ch);

	bus->masked = false;
	return !list_empty(&bus->rx);
}

static const struct kmcl_bus_ops fake_ops = {
	.name = "fake",
	.listen = fake_listen,
	.unlisten = fake_unlisten,
	.release = fake_release,
	.device = fake_device,
	.open = fake_open,
	.close = fake_close,
	.mmio_get = fake_mmio_get,
	.mmio_put = fake_mmio_put,
	.set_low_latency = fake_set_low_latency,
	.rescinded = fake_rescinded,
	.confidential = fake_confidential,
	.gpadls_before_close = fake_gpadls_before_close,
	.establish_gpadl = fake_establish_gpadl,
	.teardown_gpadl = fake_teardown_gpadl,
	.send = fake_send,
	.send_external = fake_send_external,
	.want_room = fake_want_room,
	.rx_peek = fake_rx_peek,
	.rx_skip = fake_rx_skip,
	.rx_done = fake_rx_done,
	.rx_mask = fake_rx_mask,
	.rx_unmask = fake_rx_unmask,
};

void fake_bus_free(void *data)
{
	struct fake_bus *bus = data;
	struct fake_packet *packet, *next;

	fake_bus_answer(bus);
	VmbChannelDisable(bus->ch);
	VmbChannelCleanup(bus->ch);
	if (bus->primary)
		fake_forget_sub(bus->primary, bus);
	KUNIT_EXPECT_EQ(bus->test, atomic_read(&bus->misuses), 0);
	list_for_each_entry_safe(packet, next, &bus->rx, link)
		kfree(packet);
	xa_destroy(&bus->gpadls);
	kfree(bus);
}

struct fake_bus *fake_bus_create(struct kunit *test)
{
	static const guid_t type = GUID_INIT(0xaaaaaaaa, 0xbbbb, 0xcccc,
					     8, 7, 6, 5, 4, 3, 2, 1);
	struct fake_bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bus);
	bus->ops = fake_ops;
	bus->test = test;
	bus->present = true;
	bus->ring_room = INT_MAX;
	bus->next_handle = 0xe1e10;
	init_waitqueue_head(&bus->woken);
	xa_init(&bus->gpadls);
	spin_lock_init(&bus->rx_lock);
	INIT_LIST_HEAD(&bus->rx);

	KUNIT_ASSERT_EQ(test,
			kmcl_channel_allocate(&bus->ops, NULL, _THIS_IP_,
					      &bus->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, fake_bus_free,
							bus), 0);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetPnp(bus->ch, &type, NULL,
							 NULL),
			STATUS_SUCCESS);
	return bus;
}

struct fake_bus *fake_bus_create_sub(struct kunit *test,
				     struct fake_bus *primary)
{
	struct fake_bus *bus = fake_bus_create(test);

	bus->primary = primary;
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetPrimaryChannel(bus->ch, primary->ch),
			STATUS_SUCCESS);
	return bus;
}

bool fake_bus_offer_sub(struct fake_bus *bus)
{
	struct kmcl_channel *owner;

	return kmcl_sub_offer(bus->primary->ch, bus, &fake_instance, &owner);
}

struct fake_bus *fake_bus_start(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, eventually(bus->ch->state == KMCL_ACTIVE));
	return bus;
}

/* Let everything that waits for the host go on, and wait no more. */
void fake_bus_answer(struct fake_bus *bus)
{
	WRITE_ONCE(bus->withhold, false);
	wake_up_all(&bus->woken);
}

/* As hv_vmbus: one waiter is woken, then the device is removed. */
void fake_bus_rescind(struct fake_bus *bus)
{
	WRITE_ONCE(bus->is_rescinded, true);
	wake_up(&bus->woken);
	kmcl_channel_detach(bus->ch, bus);
}

static void deliver(struct fake_bus *bus, u16 type, u16 flags, u64 id,
		    const void *data, u32 len)
{
	struct fake_packet *packet;

	packet = kzalloc(sizeof(*packet) + ALIGN(len, 8), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(bus->test, packet);
	packet->head.type = type;
	packet->head.flags = flags;
	packet->head.id = id;
	packet->head.data = packet->data;
	packet->head.len = ALIGN(len, 8);
	memcpy(packet->data, data, len);

	spin_lock_bh(&bus->rx_lock);
	list_add_tail(&packet->link, &bus->rx);
	spin_unlock_bh(&bus->rx_lock);
	kmcl_poll_schedule(bus->ch);
}

void fake_bus_deliver(struct fake_bus *bus, u16 type, u64 id, const void *data,
		      u32 len)
{
	deliver(bus, type, 0, id, data, len);
}

void fake_bus_deliver_request(struct fake_bus *bus, u64 id, const void *data,
			      u32 len)
{
	deliver(bus, VM_PKT_DATA_INBAND,
		VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, id, data, len);
}

unsigned int fake_bus_gpadls(struct fake_bus *bus)
{
	unsigned int n = 0;
	unsigned long handle;
	void *entry;

	xa_for_each(&bus->gpadls, handle, entry)
		n++;
	return n;
}
