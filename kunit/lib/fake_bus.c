// SPDX-License-Identifier: GPL-2.0-only
/*
 * A bus that a test controls.
 *
 * It takes the place of hv_vmbus, behind struct kmcl_bus_ops, to do what no
 * server on a real VMBus can be made to do: refuse a GPADL, leave a request
 * incomplete, fail a post, rescind at a given point, or act as the bus of a
 * confidential VM.
 */

#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "failing.h"
#include "fake_bus.h"
#include "rings.h"

/* Memory that the host may write, by the numbers of its pages. */
struct fake_memory {
	struct list_head node;
	u32 handle;
	unsigned int count;
	struct page *pages[];
};

struct fake_packet {
	struct list_head link;
	struct kmcl_ring_packet wire;
	u8 data[];
};

static const guid_t fake_instance = GUID_INIT(0x11111111, 0x2222, 0x3333,
					      1, 2, 3, 4, 5, 6, 7, 8);

static struct fake_bus *to_fake(struct kmcl_channel *ch)
{
	return container_of(ch->pinned, struct fake_bus, ops);
}

/* Wait as hv_vmbus does: until the host completes the operation, or rescinds. */
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
		kmcl_channel_attach(ch, &bus->ops, bus, &fake_instance);
	return 0;
}

static void fake_unlisten(struct kmcl_channel *ch)
{
}

static void fake_release(struct kmcl_channel *ch, void *endpoint)
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

static int fake_ring_memory(struct kmcl_bus_rings *rings)
{
	if (ring_make(&rings->tx, rings->tx_bytes))
		return -ENOMEM;
	if (ring_make(&rings->rx, rings->rx_bytes)) {
		ring_free(&rings->tx);
		return -ENOMEM;
	}
	return 0;
}

/* Allocations that a case lets fail are the module's, not these. */
static int fake_make_rings(struct fake_bus *bus, struct kmcl_bus_rings *rings)
{
	struct fail_pause pause = fail_put_off();
	int err = fake_ring_memory(rings);

	fail_go_on(&pause);
	if (err)
		return err;
	kmcl_ring_init(&bus->tx_ring, &rings->tx);
	kmcl_ring_init(&bus->rx_ring, &rings->rx);
	return 0;
}

/* The guest has them no more; if it touches them all the same, KASAN tells. */
static void fake_free_rings(struct fake_bus *bus)
{
	struct kmcl_ring_memory tx, rx;

	spin_lock_bh(&bus->lock);
	tx = bus->tx_ring.memory;
	rx = bus->rx_ring.memory;
	WRITE_ONCE(bus->is_open, false);
	spin_unlock_bh(&bus->lock);
	cancel_delayed_work_sync(&bus->reading);
	ring_free(&tx);
	ring_free(&rx);
}

/* The host's end of the outgoing ring */

static void fake_note_packet(struct fake_bus *bus,
			     const struct kmcl_ring_packet *packet)
{
	/* Before it is counted, which is what a case waits for. */
	if (bus->seen)
		bus->seen(bus, packet);
	bus->last_id = packet->id;
	bus->last_len = packet->len;
	memcpy(bus->last_data, packet->data,
	       min_t(u32, packet->len, sizeof(bus->last_data)));
	if (packet->head_len) {
		bus->last_gpa_len = min_t(u32, packet->head_len,
					  sizeof(bus->last_gpa));
		memcpy(bus->last_gpa, packet->head, bus->last_gpa_len);
	}
	if (bus->ring_room && bus->ring_room != INT_MAX)
		bus->ring_room--;
	atomic_inc(packet->type == KMCL_PKT_COMPLETION ? &bus->completions :
							 &bus->sends);
}

/*
 * Bytes that as many of the queued packets take as there is to be room for, and what they
 * leave to completions.
 */
static u32 fake_room_for_queue(const struct fake_bus *bus, bool *all)
{
	const struct kmcl_tx *tx = &bus->ch->tx;
	const struct list_head *queues[] = { &tx->completions, &tx->queue };
	const struct kmcl_tx_entry *packet;
	u32 keep = bus->ring_room && !list_empty(&tx->queue) ? tx->keep : 0;
	unsigned int i;
	u32 bytes = 0;
	int n = 0;

	for (i = 0; i < ARRAY_SIZE(queues); i++)
		list_for_each_entry(packet, queues[i], link) {
			if (n++ == bus->ring_room)
				return bytes + keep;
			bytes += kmcl_ring_packet_size(packet->wire.head_len,
						       packet->wire.len);
		}
	*all = bus->ring_room;
	return bytes + keep;
}

/*
 * Tell the guest how far the host has read: all of it, unless the guest is to find
 * less room. With the lock of both ends held.
 */
static void fake_show_room(struct fake_bus *bus)
{
	struct kmcl_ring *ring = &bus->tx_ring;
	bool all = false;
	u32 shown = ring->index, room;

	if (bus->ring_room != INT_MAX) {
		room = fake_room_for_queue(bus, &all);
		if (!all)
			shown = (ring->index + room + 8) % ring->memory.size;
	}
	if (bus->fails_sends)
		shown = 4;
	ring->published = ring->index;
	/* As a consumer does: the packets were read before. */
	smp_store_release(&ring->memory.control->read_index, shown);
}

static unsigned int fake_read_packets(struct fake_bus *bus)
{
	struct kmcl_ring_packet packet;
	unsigned int n = 0;

	spin_lock_bh(&bus->lock);
	while (bus->is_open && kmcl_ring_peek(&bus->tx_ring, &packet) > 0) {
		fake_note_packet(bus, &packet);
		kmcl_ring_skip(&bus->tx_ring, &packet);
		n++;
	}
	spin_unlock_bh(&bus->lock);
	return n;
}

/*
 * The guest may send meanwhile. It does not signal a packet that it puts in before it
 * sees that the ones before were read, so the ring is looked at again after that.
 */
void fake_bus_read(struct fake_bus *bus)
{
	unsigned int n;

	do {
		n = fake_read_packets(bus);
		spin_lock_bh(&bus->ch->tx.lock);
		spin_lock(&bus->lock);
		if (bus->is_open)
			fake_show_room(bus);
		spin_unlock(&bus->lock);
		spin_unlock_bh(&bus->ch->tx.lock);
	} while (n);
}
EXPORT_TO_TESTS(fake_bus_read);

/* A guest that sees a ring which is not empty does not signal. */
static void fake_reading(struct work_struct *work)
{
	struct fake_bus *bus = container_of(to_delayed_work(work),
					    struct fake_bus, reading);

	fake_bus_read(bus);
	if (READ_ONCE(bus->is_open) && READ_ONCE(bus->ring_room) != INT_MAX)
		schedule_delayed_work(&bus->reading, 1);
}

void fake_bus_set_room(struct fake_bus *bus, int packets)
{
	spin_lock_bh(&bus->ch->tx.lock);
	spin_lock(&bus->lock);
	WRITE_ONCE(bus->ring_room, packets);
	if (bus->is_open)
		fake_show_room(bus);
	spin_unlock(&bus->lock);
	spin_unlock_bh(&bus->ch->tx.lock);
	if (READ_ONCE(bus->is_open) && packets != INT_MAX)
		schedule_delayed_work(&bus->reading, 1);
}
EXPORT_TO_TESTS(fake_bus_set_room);

void fake_bus_make_room(struct fake_bus *bus, int packets)
{
	lockdep_assert_held(&bus->ch->tx.lock);
	spin_lock(&bus->lock);
	WRITE_ONCE(bus->ring_room, bus->ring_room + packets);
	fake_show_room(bus);
	spin_unlock(&bus->lock);
	schedule_delayed_work(&bus->reading, 1);
}
EXPORT_TO_TESTS(fake_bus_make_room);

u32 fake_bus_wanted_room(const struct fake_bus *bus)
{
	const struct kmcl_ring_control *control = bus->tx_ring.memory.control;

	return READ_ONCE(bus->is_open) ? READ_ONCE(control->pending_send_size) :
					 0;
}
EXPORT_TO_TESTS(fake_bus_wanted_room);

void fake_bus_fail_sends(struct fake_bus *bus, bool fail)
{
	WRITE_ONCE(bus->fails_sends, fail);
	fake_bus_set_room(bus, bus->ring_room);
}

/* The host's end of the incoming ring */

static bool fake_put(struct fake_bus *bus, const struct kmcl_ring_packet *packet)
{
	if (!bus->is_open || kmcl_ring_put(&bus->rx_ring, packet, 0))
		return false;
	kmcl_ring_publish(&bus->rx_ring);
	return true;
}

/* The guest signals when there is room for the next one. With the lock held. */
static void fake_ask_for_room(struct fake_bus *bus)
{
	const struct fake_packet *next;
	u32 wanted = 0;

	next = list_first_entry_or_null(&bus->rx, struct fake_packet, link);
	if (next)
		wanted = kmcl_ring_packet_size(next->wire.head_len,
					       next->wire.len);
	else if (bus->endless)
		wanted = kmcl_ring_packet_size(0, sizeof(u64));
	kmcl_ring_want_room(&bus->rx_ring, wanted);
}

/* Put in what had no room before, or more of the same. With the lock held. */
static void fake_refill(struct fake_bus *bus)
{
	static const u64 word;
	const struct kmcl_ring_packet again = {
		.type = KMCL_PKT_COMPLETION,
		.id = 1,
		.data = &word,
		.len = sizeof(word),
	};
	struct fake_packet *packet, *next;

	list_for_each_entry_safe(packet, next, &bus->rx, link) {
		if (!fake_put(bus, &packet->wire))
			break;
		list_del(&packet->link);
		kfree(packet);
	}
	while (bus->endless && fake_put(bus, &again))
		;
	if (bus->is_open)
		fake_ask_for_room(bus);
}

static void fake_signal(struct kmcl_channel *ch, enum kmcl_signal why)
{
	struct fake_bus *bus = to_fake(ch);

	if (why == KMCL_SIGNAL_PACKETS) {
		fake_bus_read(bus);
		return;
	}
	spin_lock_bh(&bus->lock);
	fake_refill(bus);
	spin_unlock_bh(&bus->lock);
	kmcl_poll_schedule(ch);
}

static void fake_ring_full(struct kmcl_channel *ch, bool first)
{
}

void fake_bus_corrupt(struct fake_bus *bus, bool corrupt)
{
	struct kmcl_ring *ring = &bus->rx_ring;

	WRITE_ONCE(bus->corrupt, corrupt);
	spin_lock_bh(&bus->lock);
	if (bus->is_open)
		/* As a producer does: the packets are there before the index. */
		smp_store_release(&ring->memory.control->write_index,
				  corrupt ? U32_MAX : ring->index);
	spin_unlock_bh(&bus->lock);
}

static int fake_open(struct kmcl_channel *ch, struct kmcl_bus_rings *rings)
{
	struct fake_bus *bus = to_fake(ch);
	int err;

	fake_control_begin(bus);
	atomic_inc(&bus->opens);
	fake_wait(bus);
	err = bus->is_rescinded ? -ENODEV : bus->open_err;
	if (!err)
		err = fake_make_rings(bus, rings);
	if (err)
		goto end;
	WRITE_ONCE(bus->is_open, true);
	fake_bus_set_room(bus, bus->ring_room);
	fake_bus_corrupt(bus, bus->corrupt);
	spin_lock_bh(&bus->lock);
	fake_refill(bus);
	spin_unlock_bh(&bus->lock);
	if (bus->primary)
		fake_add_sub(bus->primary, bus);
end:
	fake_control_end(bus);
	return err;
}

/* A sub-channel goes with the device. */
static bool fake_rescinded(struct kmcl_channel *ch)
{
	const struct fake_bus *bus = to_fake(ch);

	return READ_ONCE(bus->is_rescinded) ||
	       (bus->primary && READ_ONCE(bus->primary->is_rescinded));
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
		fake_free_rings(bus->open_sub[i]);
		fake_control_end(bus->open_sub[i]);
		bus->open_sub[i] = NULL;
	}
}

static int fake_close(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->primary)
		return READ_ONCE(bus->is_open) ? -EBUSY : bus->close_err;
	if (!bus->is_open)
		return 0;
	fake_control_begin(bus);
	fake_close_subs(bus);
	atomic_inc(&bus->closes);
	fake_free_rings(bus);
	fake_wait(bus);
	fake_control_end(bus);
	return bus->close_err;
}

static void fake_forget(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	KUNIT_EXPECT_TRUE(bus->test, fake_rescinded(ch));
	if (!bus->primary)
		fake_close(ch);
	WRITE_ONCE(bus->is_forgotten, true);
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

static bool fake_confidential(struct kmcl_channel *ch)
{
	return to_fake(ch)->is_confidential;
}

atomic_t fake_bounces;

static int fake_alloc_bounce(struct kmcl_channel *ch,
			     struct kmcl_bus_bounce *bounce)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->is_confidential && !bus->has_bounce)
		return -EOPNOTSUPP;
	bounce->va = vzalloc(bounce->size);
	if (!bounce->va)
		return -ENOMEM;
	atomic_inc(&fake_bounces);
	return 0;
}

static void fake_free_bounce(struct kmcl_bus_bounce *bounce)
{
	vfree(bounce->va);
	atomic_dec(&fake_bounces);
}

static bool fake_gpadls_before_close(struct kmcl_channel *ch)
{
	return to_fake(ch)->is_old;
}

/* The host's writes */

void fake_bus_scribble(struct fake_bus *bus)
{
	struct fake_memory *memory;
	unsigned int i;

	spin_lock_bh(&bus->lock);
	list_for_each_entry(memory, &bus->scribbled, node)
		for (i = 0; i < memory->count; i++)
			memset(page_address(memory->pages[i]), FAKE_SCRIBBLE,
			       PAGE_SIZE);
	spin_unlock_bh(&bus->lock);
}

static void fake_scribbling(struct work_struct *work)
{
	struct fake_bus *bus = container_of(to_delayed_work(work),
					    struct fake_bus, scribbling);

	fake_bus_scribble(bus);
	schedule_delayed_work(&bus->scribbling, 1);
}

/* The host gets the memory, as far as hv_vmbus has told it of the pages. */
static void fake_scribble_on(struct fake_bus *bus,
			     const struct kmcl_bus_gpadl *gpadl, u32 handle)
{
	unsigned int count = gpadl->size / PAGE_SIZE, i;
	struct fake_memory *memory;
	void *va = gpadl->va;

	if (!bus->scribbles)
		return;
	memory = kmalloc(struct_size(memory, pages, count),
			 GFP_KERNEL | __GFP_NOFAIL);
	memory->handle = handle;
	memory->count = count;
	for (i = 0; i < count; i++, va += PAGE_SIZE)
		memory->pages[i] = is_vmalloc_addr(va) ? vmalloc_to_page(va) :
							 virt_to_page(va);
	spin_lock_bh(&bus->lock);
	if (bus->is_rescinded)
		kfree(memory);
	else
		list_add_tail(&memory->node, &bus->scribbled);
	spin_unlock_bh(&bus->lock);
	fake_bus_scribble(bus);
	schedule_delayed_work(&bus->scribbling, 1);
}

/* The host lets go of one GPADL, or of all with a @handle of 0. */
static void fake_scribble_off(struct fake_bus *bus, u32 handle)
{
	struct fake_memory *memory, *next;

	lockdep_assert_held(&bus->lock);
	list_for_each_entry_safe(memory, next, &bus->scribbled, node) {
		if (handle && memory->handle != handle)
			continue;
		list_del(&memory->node);
		kfree(memory);
	}
}

/* True if hv_vmbus had sent the host a part of the GPADL when it failed. */
static bool fake_is_half_sent(const struct kmcl_bus_gpadl *gpadl, int err)
{
	return err != -EDQUOT && err != -ENOMEM && err != -ENODEV &&
	       gpadl->size / KMCL_HV_PAGE_SIZE > 26;
}

static int fake_establish_gpadl(struct kmcl_channel *ch,
				struct kmcl_bus_gpadl *gpadl)
{
	struct fake_bus *bus = to_fake(ch);
	int err = bus->establish_err;

	fake_control_begin(bus);
	atomic_inc(&bus->establishes);
	bus->in_bounce = gpadl->in_bounce;
	/* The host has the pages before it answers. */
	if (!err)
		fake_scribble_on(bus, gpadl, bus->next_handle);
	else if (fake_is_half_sent(gpadl, err))
		fake_scribble_on(bus, gpadl, 0);
	fake_wait(bus);
	if (bus->is_rescinded)
		err = -ENODEV;
	if (err)
		goto end;
	gpadl->handle = bus->next_handle++;
	xa_store(&bus->gpadls, gpadl->handle, xa_mk_value(gpadl->size),
		 GFP_KERNEL | __GFP_NOFAIL);
end:
	fake_control_end(bus);
	return err;
}

static int fake_teardown_gpadl(struct kmcl_channel *ch,
			       struct kmcl_bus_gpadl *gpadl)
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
	if (bus->is_rescinded)
		goto end;
	err = bus->teardown_err;
	if (err)
		goto end;
	fake_bus_scribble(bus);
	spin_lock_bh(&bus->lock);
	fake_scribble_off(bus, gpadl->handle);
	spin_unlock_bh(&bus->lock);
	xa_erase(&bus->gpadls, gpadl->handle);
end:
	fake_control_end(bus);
	return err;
}

/* The host writes to the ring while the guest reads its oldest packet. */
void fake_bus_overwrite(struct fake_bus *bus)
{
	struct kmcl_ring_packet packet;

	if (kmcl_ring_peek(&bus->ch->rx.ring, &packet) > 0)
		memset((void *)packet.data, 0xee, packet.len);
}

static void fake_match_subs(struct kmcl_channel *ch)
{
	struct fake_bus *bus = to_fake(ch);

	if (bus->kept && fake_bus_offer_sub(bus->kept))
		bus->kept = NULL;
}

static const struct kmcl_bus_ops fake_ops = {
	.name = "fake",
	.listen = fake_listen,
	.unlisten = fake_unlisten,
	.release = fake_release,
	.forget = fake_forget,
	.match_subs = fake_match_subs,
	.device = fake_device,
	.open = fake_open,
	.close = fake_close,
	.signal = fake_signal,
	.ring_full = fake_ring_full,
	.mmio_get = fake_mmio_get,
	.mmio_put = fake_mmio_put,
	.set_low_latency = fake_set_low_latency,
	.rescinded = fake_rescinded,
	.confidential = fake_confidential,
	.gpadls_before_close = fake_gpadls_before_close,
	.alloc_bounce = fake_alloc_bounce,
	.free_bounce = fake_free_bounce,
	.establish_gpadl = fake_establish_gpadl,
	.teardown_gpadl = fake_teardown_gpadl,
};

/* Stands for devices that are never rescinded. */
static const char unbound;

void fake_bus_free(void *data)
{
	struct fake_bus *bus = data;
	struct fake_packet *packet, *next;

	fake_bus_let_complete(bus);
	VmbChannelDisable(bus->ch);
	VmbChannelCleanup(bus->ch);
	cancel_delayed_work_sync(&bus->scribbling);
	spin_lock_bh(&bus->lock);
	fake_scribble_off(bus, 0);
	spin_unlock_bh(&bus->lock);
	if (bus->primary)
		fake_forget_sub(bus->primary, bus);
	/* A sub-channel's that no primary closed, or what a close failed to. */
	if (bus->is_open)
		fake_free_rings(bus);
	kmcl_gpadl_device_unbound(bus, &unbound);
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
	spin_lock_init(&bus->lock);
	INIT_LIST_HEAD(&bus->rx);
	INIT_DELAYED_WORK(&bus->reading, fake_reading);
	INIT_LIST_HEAD(&bus->scribbled);
	INIT_DELAYED_WORK(&bus->scribbling, fake_scribbling);

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
EXPORT_TO_TESTS(fake_bus_create);

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

/* As hv_vmbus, the host offers it once: the bus keeps it until a channel takes it. */
void fake_bus_keep_sub(struct fake_bus *bus)
{
	bus->primary->kept = bus;
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
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);
	return bus;
}
EXPORT_TO_TESTS(fake_bus_start);

bool fake_bus_attach(VMBCHANNEL ch, void *endpoint, const guid_t *instance)
{
	return kmcl_channel_attach(ch, ch->pinned, endpoint, instance);
}

/* Let everything that waits for the host go on, and wait no more. */
void fake_bus_let_complete(struct fake_bus *bus)
{
	WRITE_ONCE(bus->withhold, false);
	wake_up_all(&bus->woken);
}

/* As hv_vmbus: one waiter is woken, then the device is removed. */
void fake_bus_rescind_at_once(struct fake_bus *bus)
{
	fake_bus_scribble(bus);
	spin_lock_bh(&bus->lock);
	fake_scribble_off(bus, 0);
	WRITE_ONCE(bus->is_rescinded, true);
	spin_unlock_bh(&bus->lock);
	wake_up(&bus->woken);
	kmcl_channel_detach(bus->ch, bus);
	kmcl_gpadl_device_gone(bus);
}
EXPORT_TO_TESTS(fake_bus_rescind_at_once);

/* Wait for the client, too: the channel has let go of the device, or has another. */
void fake_bus_rescind(struct fake_bus *bus)
{
	fake_bus_rescind_at_once(bus);
	wait_event(bus->ch->changed, READ_ONCE(bus->ch->endpoint) != bus);
	flush_work(&bus->ch->work);
}

static void deliver_packet(struct fake_bus *bus,
			   const struct kmcl_ring_packet *wire)
{
	struct fake_packet *packet;

	packet = kzalloc(sizeof(*packet) + wire->head_len + wire->len,
			 GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(bus->test, packet);
	packet->wire = *wire;
	packet->wire.head = packet->data;
	packet->wire.data = packet->data + wire->head_len;
	memcpy(packet->data, wire->head, wire->head_len);
	memcpy(packet->data + wire->head_len, wire->data, wire->len);

	spin_lock_bh(&bus->lock);
	list_add_tail(&packet->link, &bus->rx);
	fake_refill(bus);
	spin_unlock_bh(&bus->lock);
	kmcl_poll_schedule(bus->ch);
}

static void deliver(struct fake_bus *bus, u16 type, u16 flags, u64 id,
		    const void *data, u32 len)
{
	const struct kmcl_ring_packet packet = {
		.type = type,
		.flags = flags,
		.id = id,
		.data = data,
		.len = len,
	};

	deliver_packet(bus, &packet);
}

void fake_bus_deliver_with_head(struct fake_bus *bus, u16 type, u64 id,
				const void *head, u32 head_len,
				const void *data, u32 len)
{
	const struct kmcl_ring_packet packet = {
		.type = type,
		.flags = KMCL_PKT_FLAG_COMPLETION_REQUESTED,
		.id = id,
		.head = head,
		.head_len = head_len,
		.data = data,
		.len = len,
	};

	deliver_packet(bus, &packet);
}

void fake_bus_deliver(struct fake_bus *bus, u16 type, u64 id, const void *data,
		      u32 len)
{
	deliver(bus, type, 0, id, data, len);
}

void fake_bus_complete(struct fake_bus *bus, u64 id, const void *data, u32 len)
{
	fake_bus_deliver(bus, KMCL_PKT_COMPLETION, id, data, len);
}

void fake_bus_deliver_request(struct fake_bus *bus, u64 id, const void *data,
			      u32 len)
{
	deliver(bus, KMCL_PKT_INBAND,
		KMCL_PKT_FLAG_COMPLETION_REQUESTED, id, data, len);
}
EXPORT_TO_TESTS(fake_bus_deliver_request);

bool fake_bus_is_empty(struct fake_bus *bus)
{
	struct kmcl_ring *ring = &bus->rx_ring;
	bool empty;

	spin_lock_bh(&bus->lock);
	empty = list_empty(&bus->rx) &&
		READ_ONCE(ring->memory.control->read_index) == ring->index;
	spin_unlock_bh(&bus->lock);
	return empty;
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
