// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that the machine beneath loses.
 *
 * On an emulated KVM host, one interrupt in some thousands never reaches the
 * guest, although its message lies in the guest's slot, and the guest waits for
 * ever. So a message that has lain there for two ticks gets its interrupt again,
 * and the log says so. A message the guest does not want to take stays where it
 * is: nothing is delivered here that was not there already.
 */
#include "testdev.h"

#include "hw/hyperv/hyperv-proto.h"

#define TICK_MS	1000

static bool message_waits(void)
{
	struct hyperv_message *slot = message_slot();

	return slot && qatomic_read(&slot->header.message_type) != HV_MESSAGE_NONE;
}

static void nudge_tick(void *opaque)
{
	struct testdev *dev = opaque;
	HvSintRoute *route = bus_route(dev);
	bool waits = route && message_waits();

	if (waits && dev->message_waited) {
		testdev_log(dev, "a message was not taken: interrupt raised again");
		hyperv_sint_route_set_sint(route);
	}
	dev->message_waited = waits;
	timer_mod(dev->nudge_timer,
		  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + TICK_MS);
}

void nudge_init(struct testdev *dev)
{
	dev->nudge_timer = timer_new_ms(QEMU_CLOCK_REALTIME, nudge_tick, dev);
	timer_mod(dev->nudge_timer,
		  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + TICK_MS);
}

void nudge_fini(struct testdev *dev)
{
	timer_free(dev->nudge_timer);
}
