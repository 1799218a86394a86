/* SPDX-License-Identifier: GPL-2.0-only */
/* A bus that a test controls, and that counts its calls: fake_bus.c. */
#ifndef _KUNIT_FAKE_BUS_H
#define _KUNIT_FAKE_BUS_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "../../vmbkmcl/bus.h"
#include "../../vmbkmcl/channel.h"
#include "../../vmbkmcl/ring_size.h"
#include "eventually.h"

/* Sub-channels that a fake device may have open */
#define FAKE_SUBS	300

#define FAKE_MMIO_START	0xfe0000000ULL

/* What the host writes */
#define FAKE_SCRIBBLE	0xa5

/**
 * struct fake_bus - one device of a bus that exists in this module only
 * @ops: what the channel calls; leads back here
 * @test: the case it was made for
 * @ch: its channel
 * @device: what the channel is told that its device is
 * @present: offer the device as soon as the channel listens
 * @open_err: what open() is to return
 * @establish_err: what establish_gpadl() is to return
 * @teardown_err: what teardown_gpadl() is to return instead of telling the host
 * @teardown_nomem: how many times it is to return -ENOMEM first
 * @withhold: the host completions no create, delete, open or close until a rescind
 *	or until this is false
 * @is_confidential: as a confidential VM's bus would say
 * @has_bounce: there is memory that the host of a confidential VM can access
 * @in_bounce: the last GPADL was said to be of such memory
 * @is_old: GPADLs go before the close
 * @is_rescinded: the host took the offer back
 * @is_forgotten: the channel was told to use the device no more
 * @mmio_size: bytes of MMIO space the device asks for, at FAKE_MMIO_START
 * @mmio_held: of them, how many the channel has
 * @mmio_err: what mmio_get() is to return
 * @low_latency: the last set_low_latency()
 * @seen: called for each packet of the client's as the host reads it; may be NULL
 * @ring_room: packets the host makes out that the outgoing ring has room for; set by
 *	fake_bus_set_room()
 * @fails_sends: the host's index in the outgoing ring makes no sense; set by
 *	fake_bus_fail_sends()
 * @endless: the incoming ring is full again as soon as packets were read
 * @is_open: there are rings
 * @close_err: what close() is to return
 * @corrupt: the incoming ring makes no sense; set by fake_bus_corrupt()
 * @woken: somebody waits for @withhold
 * @waiting: how many do
 * @in_control: control operations in progress, to see that there is one at most
 * @overlaps: times there were more
 * @opens: open() calls
 * @closes: close() calls
 * @establishes: establish_gpadl() calls
 * @teardowns: teardown_gpadl() calls
 * @sends: packets of the client's read from the ring
 * @completions: completions of the host's packets read from the ring
 * @next_handle: for the next GPADL
 * @gpadls: what the host holds: handle -> size
 * @last_id: transaction id of the last packet
 * @last_data: the first bytes of the last packet
 * @last_len: bytes of it, as the ring counts them: a multiple of 8
 * @last_gpa: describes the external data of the last packet that had some
 * @last_gpa_len: bytes of it
 * @primary: it is a sub-channel's, of this one's channel; NULL: it is not
 * @kept: a sub-channel that the host has offered, and that no channel has taken yet
 * @open_sub: one of those that were opened; they are closed with it
 * @lock: guards the host's ends of the rings, and @rx
 * @tx_ring: the host's end of the ring that it reads
 * @rx_ring: the host's end of the ring that it writes
 * @rx: packets for the guest that @rx_ring had no room for
 * @reading: reads @tx_ring, where the guest may not signal
 * @scribbles: the host writes to all memory that it may have, all the time. Set before
 *	the first create; all GPADLs are writable ones then.
 * @scribbled: the memory that the host may have, under @lock
 * @scribbling: writes to it
 */
struct fake_bus {
	struct kmcl_bus_ops ops;
	struct kunit *test;
	VMBCHANNEL ch;

	struct device *device;
	bool present;
	int open_err;
	int establish_err;
	int teardown_err;
	int teardown_nomem;
	bool withhold;
	bool is_confidential;
	bool has_bounce;
	bool in_bounce;
	bool is_old;
	bool is_rescinded;
	bool is_forgotten;
	u64 mmio_size;
	u64 mmio_held;
	int mmio_err;
	bool low_latency;
	void (*seen)(struct fake_bus *bus,
		     const struct kmcl_ring_packet *packet);
	int ring_room;
	bool fails_sends;
	bool endless;
	bool is_open;
	int close_err;
	bool corrupt;

	wait_queue_head_t woken;
	atomic_t waiting;
	atomic_t in_control;
	atomic_t overlaps;
	atomic_t opens;
	atomic_t closes;
	atomic_t establishes;
	atomic_t teardowns;
	atomic_t sends;
	atomic_t completions;
	u32 next_handle;
	struct xarray gpadls;
	u64 last_id;
	u8 last_data[64];
	u32 last_len;
	u8 last_gpa[512] __aligned(8);
	u32 last_gpa_len;

	struct fake_bus *primary;
	struct fake_bus *kept;
	struct fake_bus *open_sub[FAKE_SUBS];

	spinlock_t lock;
	struct kmcl_ring tx_ring;
	struct kmcl_ring rx_ring;
	struct list_head rx;
	struct delayed_work reading;

	bool scribbles;
	struct list_head scribbled;
	struct delayed_work scribbling;
};

/* Bounce buffers that exist on all of these buses */
extern atomic_t fake_bounces;

/* A bus with its channel, allocated and with a target, both freed with the case. */
struct fake_bus *fake_bus_create(struct kunit *test);

/* The same, enabled and active. */
struct fake_bus *fake_bus_start(struct kunit *test);

/* One for a sub-channel of that bus's channel; not enabled, not offered. */
struct fake_bus *fake_bus_create_sub(struct kunit *test,
				     struct fake_bus *primary);

/* The host offers a sub-channel: true when one of the primary's takes it. */
bool fake_bus_offer_sub(struct fake_bus *bus);

/* The host has offered one: the bus offers it when a channel begins to wait. */
void fake_bus_keep_sub(struct fake_bus *bus);

/* What a bus ends with, for a case that ends it earlier. */
void fake_bus_free(void *bus);

/*
 * From here on the host makes out that the outgoing ring has room for so many
 * packets, the first of those that are queued among them. INT_MAX: it is a ring like
 * any other. The guest is not told.
 */
void fake_bus_set_room(struct fake_bus *bus, int packets);

/* Room for so many more, from where the guest holds its lock: its ring is full. */
void fake_bus_make_room(struct fake_bus *bus, int packets);
u32 fake_bus_wanted_room(const struct fake_bus *bus);

/* The host reads what there is, without a signal. */
void fake_bus_read(struct fake_bus *bus);

/* What the host writes in the control pages makes no sense, or does again. */
void fake_bus_fail_sends(struct fake_bus *bus, bool fail);
void fake_bus_corrupt(struct fake_bus *bus, bool corrupt);

/* The bus offers the channel a device of its own. */
bool fake_bus_attach(VMBCHANNEL ch, void *endpoint, const guid_t *instance);

void fake_bus_let_complete(struct fake_bus *bus);
void fake_bus_rescind(struct fake_bus *bus);
void fake_bus_rescind_at_once(struct fake_bus *bus);
void fake_bus_overwrite(struct fake_bus *bus);
void fake_bus_deliver(struct fake_bus *bus, u16 type, u64 id, const void *data,
		      u32 len);

/* The host completes the request of that transaction id. */
void fake_bus_complete(struct fake_bus *bus, u64 id, const void *data, u32 len);

/* A packet of the host's that asks for a completion. */
void fake_bus_deliver_request(struct fake_bus *bus, u64 id, const void *data,
			      u32 len);

/* The same of any type, with @head_len bytes between the descriptor and the payload. */
void fake_bus_deliver_with_head(struct fake_bus *bus, u16 type, u64 id,
				const void *head, u32 head_len,
				const void *data, u32 len);

/* The guest has read all that was to be delivered. */
bool fake_bus_is_empty(struct fake_bus *bus);
unsigned int fake_bus_gpadls(struct fake_bus *bus);

/* The host has written to all its memory at least once from here on. */
void fake_bus_scribble(struct fake_bus *bus);

#endif /* _KUNIT_FAKE_BUS_H */
