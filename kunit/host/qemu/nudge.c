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
#include "qemu.h"

#include "hw/hyperv/hyperv-proto.h"

#define TICK_MS	1000

static bool message_waits(void)
{
	struct hyperv_message *slot = message_slot();

	return slot && qatomic_read(&slot->header.message_type) != HV_MESSAGE_NONE;
}

static void nudge_tick(void *opaque)
{
	struct qemu_channel *ch = opaque;
	HvSintRoute *route = bus_route(ch);
	bool waits = route && message_waits();

	if (waits && ch->message_waited) {
		testdev_log(&ch->dev, "a message was not taken: interrupt raised again");
		hyperv_sint_route_set_sint(route);
	}
	ch->message_waited = waits;
	timer_mod(ch->nudge_timer,
		  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + TICK_MS);
}

void nudge_init(struct qemu_channel *ch)
{
	ch->nudge_timer = timer_new_ms(QEMU_CLOCK_REALTIME, nudge_tick, ch);
	timer_mod(ch->nudge_timer,
		  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + TICK_MS);
}

void nudge_fini(struct qemu_channel *ch)
{
	timer_free(ch->nudge_timer);
}
