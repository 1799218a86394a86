// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fields of the bus, channels and GPADLs. They are private to QEMU's vmbus.c,
 * but QEMU can migrate them: its migration descriptions, which can be reached,
 * name each field with its offset. So nothing is guessed or copied here, and a
 * QEMU that has not these fields is refused.
 */
#include "qemu.h"

#include "hw/core/cpu.h"
#include "hw/hyperv/vmbus-bridge.h"
#include "migration/vmstate.h"
#include "qemu/event_notifier.h"
#include "qapi/error.h"

/* For what is not QEMU, see device.c. */
#pragma weak vmstate_vmbus_dev

/* Of vmbus.c: an offered channel, and a GPADL the guest may use. */
#define OFFER_SENT	2
#define GPADL_ALIVE	1

/* More than any guest here has. */
#define MAX_VPS		64

static struct {
	size_t chan_id;
	size_t chan_offer_state;
	size_t chan_ring_gpadl;
	size_t chan_answer_ring_page;
	size_t chan_target;
	size_t chan_bus;
	size_t chan_route;
	size_t gpadl_id;
	size_t gpadl_num;
	size_t gpadl_seen;
	size_t gpadl_gfns;
	size_t gpadl_state;
	size_t bus_route;
} layout;

static const VMStateField *find_field(const VMStateDescription *vmsd, const char *name)
{
	const VMStateField *field = vmsd ? vmsd->fields : NULL;

	for (; field && field->name; field++)
		if (!strcmp(field->name, name))
			return field;
	return NULL;
}

static const VMStateDescription *find_struct(const VMStateDescription *vmsd,
					     const char *name)
{
	const VMStateField *field = find_field(vmsd, name);

	return field ? field->vmsd : NULL;
}

static bool find_offset(const VMStateDescription *vmsd, const char *name,
			size_t size, size_t *offset)
{
	const VMStateField *field = find_field(vmsd, name);

	if (!field || (size && field->size != size))
		return false;
	*offset = field->offset;
	return true;
}

/* Were the headers this was compiled with those of the running QEMU? */
static bool headers_match(void)
{
	size_t num, channels;

	return find_offset(&vmstate_vmbus_dev, "num_channels", 2, &num) &&
	       find_offset(&vmstate_vmbus_dev, "channels", 0, &channels) &&
	       num == offsetof(VMBusDevice, num_channels) &&
	       channels == offsetof(VMBusDevice, channels);
}

/*
 * A channel's interrupt route is not migrated. It stands behind the bus, and that
 * behind what follows the last field that is.
 */
static bool find_channel_route(const VMStateDescription *chan)
{
	struct not_migrated {
		uint8_t state;
		bool is_open;
		VMBusChannelNotifyCb notify_cb;
		EventNotifier notifier;
		BusState *bus;
		HvSintRoute *route;
	};
	size_t state;

	if (!find_offset(chan, "state", 1, &state))
		return false;
	state = ROUND_DOWN(state, __alignof__(struct not_migrated));
	layout.chan_bus = state + offsetof(struct not_migrated, bus);
	layout.chan_route = state + offsetof(struct not_migrated, route);
	return find_offset(chan, "target_vp", 4, &layout.chan_target);
}

static bool find_channel_fields(void)
{
	const VMStateDescription *chan = find_struct(&vmstate_vmbus_dev, "channels");

	return find_channel_route(chan) &&
	       find_offset(chan, "id", 4, &layout.chan_id) &&
	       find_offset(chan, "offer_state", 1, &layout.chan_offer_state) &&
	       find_offset(chan, "ringbuf_gpadl", 4, &layout.chan_ring_gpadl) &&
	       find_offset(chan, "ringbuf_send_offset", 4, &layout.chan_answer_ring_page);
}

static bool find_gpadl_fields(const VMStateDescription *bus)
{
	const VMStateDescription *gpadl = find_struct(bus, "gpadl_list");

	return find_offset(gpadl, "id", 4, &layout.gpadl_id) &&
	       find_offset(gpadl, "num_gfns", 4, &layout.gpadl_num) &&
	       find_offset(gpadl, "seen_gfns", 4, &layout.gpadl_seen) &&
	       find_offset(gpadl, "gfns", 0, &layout.gpadl_gfns) &&
	       find_offset(gpadl, "state", 1, &layout.gpadl_state);
}

/*
 * The bus's interrupt route is not migrated. It stands with the 32-bit number
 * of a processor between two fields that are.
 */
static bool find_bus_fields(const VMStateDescription *bus)
{
	size_t version, page;

	if (!find_offset(bus, "version", 4, &version) ||
	    !find_offset(bus, "int_page_gpa", 8, &page))
		return false;
	layout.bus_route = page - sizeof(HvSintRoute *);
	return ROUND_UP(version + 8, sizeof(HvSintRoute *)) == layout.bus_route;
}

static bool find_fields(void)
{
	ObjectClass *bridge = object_class_by_name(TYPE_VMBUS_BRIDGE);
	const VMStateDescription *bus;

	if (!bridge)
		return false;
	bus = find_struct(DEVICE_CLASS(bridge)->vmsd, "bus");
	return find_channel_fields() && find_gpadl_fields(bus) && find_bus_fields(bus);
}

bool testdev_layout_init(Error **errp)
{
	if (!headers_match()) {
		error_setg(errp, TYPE_TESTDEV " was compiled with the headers of another QEMU");
		return false;
	}
	if (!find_fields()) {
		error_setg(errp, "this QEMU's VMBus has not the fields that "
			   TYPE_TESTDEV " needs");
		return false;
	}
	return true;
}

#define FIELD(object, offset, type)	(*(type *)((char *)(object) + (offset)))

uint32_t chan_relid(VMBusChannel *chan)
{
	return FIELD(chan, layout.chan_id, uint32_t);
}

uint32_t chan_ring_gpadl(VMBusChannel *chan)
{
	return FIELD(chan, layout.chan_ring_gpadl, uint32_t);
}

uint32_t chan_answer_ring_page(VMBusChannel *chan)
{
	return FIELD(chan, layout.chan_answer_ring_page, uint32_t);
}

bool chan_is_offered(VMBusChannel *chan)
{
	return FIELD(chan, layout.chan_offer_state, uint8_t) == OFFER_SENT;
}

/* QEMU takes it for offered, and so does not offer it. */
void chan_withhold(VMBusChannel *chan)
{
	FIELD(chan, layout.chan_offer_state, uint8_t) = OFFER_SENT;
}

/*
 * QEMU finds also a GPADL that was torn down, for as long as anything refers to
 * it: its memory is the guest's again and must not be touched.
 */
bool gpadl_is_alive(VMBusGpadl *gpadl, uint32_t handle)
{
	uint32_t num = FIELD(gpadl, layout.gpadl_num, uint32_t);

	return FIELD(gpadl, layout.gpadl_id, uint32_t) == handle &&
	       FIELD(gpadl, layout.gpadl_seen, uint32_t) == num &&
	       (uint64_t)num << VMBUS_PAGE_SHIFT == vmbus_gpadl_len(gpadl) &&
	       FIELD(gpadl, layout.gpadl_state, uint8_t) <= GPADL_ALIVE;
}

const uint64_t *gpadl_gfns(VMBusGpadl *gpadl)
{
	return FIELD(gpadl, layout.gpadl_gfns, uint64_t *);
}

/* NULL while no guest is connected to VMBus. */
HvSintRoute *bus_route(struct qemu_channel *ch)
{
	return FIELD(qdev_get_parent_bus(DEVICE(ch->vdev)), layout.bus_route, HvSintRoute *);
}

/*
 * A route to another processor than the one that messages go to. It is made once: for
 * each new route KVM replaces its whole table of interrupts and waits until nobody uses
 * the old one, and meanwhile interrupts were lost. It stays for as long as QEMU runs,
 * which therefore must not reset the guest (run-guest.sh has it end instead).
 */
static HvSintRoute *other_route(uint32_t vp)
{
	static HvSintRoute *routes[MAX_VPS];

	if (vp >= MAX_VPS || !qemu_get_cpu(vp))
		return NULL;
	if (!routes[vp])
		routes[vp] = hyperv_sint_route_new(vp, VMBUS_SINT, NULL, NULL);
	return routes[vp];
}

/*
 * The route to a processor, with a reference: the bus's for the one that messages go to.
 * KVM tells only the newest route of a processor that the guest has taken a message, so
 * there must not be a second one beside the bus's.
 */
static HvSintRoute *route_to(struct qemu_channel *ch, uint32_t vp)
{
	HvSintRoute *route = vp == TESTDEV_VP ? bus_route(ch) : other_route(vp);

	if (route)
		hyperv_sint_route_ref(route);
	return route;
}

/* The route of an open channel: NULL where its structure is not as expected. */
HvSintRoute *chan_route(struct qemu_channel *ch)
{
	if (FIELD(ch->chan, layout.chan_bus, BusState *) !=
	    qdev_get_parent_bus(DEVICE(ch->vdev)))
		return NULL;
	return FIELD(ch->chan, layout.chan_route, HvSintRoute *);
}

/* From here on the open channel's interrupts go to that processor. */
bool chan_set_target(struct qemu_channel *ch, uint32_t vp)
{
	HvSintRoute *from = chan_route(ch), *to;

	if (!from)
		return false;
	to = route_to(ch, vp);
	if (!to)
		return false;
	FIELD(ch->chan, layout.chan_route, HvSintRoute *) = to;
	hyperv_sint_route_unref(from);
	FIELD(ch->chan, layout.chan_target, uint32_t) = vp;
	return true;
}
