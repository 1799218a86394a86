/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between a channel and the bus beneath it: control only. Packets do not
 * pass here; a channel reads and writes its rings itself (ring.c).
 *
 * Downwards it is struct kmcl_bus_ops. An operation gets the channel, and finds what
 * it needs of the device in channel->endpoint, which is what the bus gave
 * kmcl_channel_attach(). Upwards it is the functions at the end of this file, which
 * are all that a bus calls. Several buses can be registered.
 */
#ifndef _KMCL_BUS_H
#define _KMCL_BUS_H

#include <linux/types.h>
#include <linux/uuid.h>

#include "ring.h"

struct device;
struct kmcl_channel;
struct module;

/**
 * struct kmcl_bus_rings - the rings of a channel that is opened
 * @tx_bytes: asked for: of the outgoing ring with its control page
 * @rx_bytes: asked for: of the incoming one
 * @has_cpu: asked for: @cpu is to be interrupted
 * @cpu: which one
 * @tx: given: where the outgoing ring is, until the channel is closed
 * @rx: given: the incoming one
 */
struct kmcl_bus_rings {
	u32 tx_bytes;
	u32 rx_bytes;
	bool has_cpu;
	unsigned int cpu;
	struct kmcl_ring_memory tx;
	struct kmcl_ring_memory rx;
};

/**
 * struct kmcl_bus_gpadl - memory that the host is told of
 * @handle: the host's name for it; 0: the host does not have it
 * @size: bytes
 * @va: where it is mapped
 * @decrypted: the host can read and write @va also in a confidential VM
 */
struct kmcl_bus_gpadl {
	u32 handle;
	u32 size;
	void *va;
	bool decrypted;
};

/* Why the other end of a channel is signalled. */
enum kmcl_signal {
	KMCL_SIGNAL_PACKETS,	/* there are some in a ring that was empty */
	KMCL_SIGNAL_ROOM,	/* there is as much as it asked for */
};

/**
 * struct kmcl_bus_ops - what a channel needs of its bus
 * @name: of the bus, for debugfs
 * @owner: the bus's module, which stays while a channel listens
 * @listen: from now on offer the channel its target device, as soon as there is
 *	one; may call kmcl_channel_attach() before it returns. The channel's bus and
 *	endpoint are not set.
 * @unlisten: the opposite; no attach after it has returned
 * @release: the channel is done with its endpoint, another one may have it
 * @device: the endpoint, as Linux knows it; no reference is taken
 * @open: make the rings and open the channel. Serialised with @close and the
 *	GPADL operations by the caller, as a rescind wakes only one waiter.
 * @close: close it and give the rings back. On an error the host may not know,
 *	and has the rings and the external data of packets still. The close of a
 *	primary channel closes its sub-channels, too; one of those is asked to close
 *	after that, and tells how it went, or alone, and answers -EBUSY.
 * @signal: tell the other end of an open channel to look at its rings. May be
 *	called by several at once, in any context but hard interrupts.
 * @ring_full: for statistics: the outgoing ring had no room for a packet, for the
 *	first time since one was sent if @first. Serialised by the caller.
 * @mmio_get: take the MMIO space that the open device asks for; @size stays 0
 *	when it asks for none
 * @mmio_put: give it back, after the close
 * @set_low_latency: signal the host at once, or when it next looks
 * @rescinded: the host has taken the offer back: it holds nothing any more
 * @confidential: the host can not read guest memory unless it is decrypted
 * @gpadls_before_close: the protocol wants GPADLs torn down before the close
 * @establish_gpadl: tell the host of a GPADL, whose &kmcl_bus_gpadl.va and size
 *	are given; blocks until it has answered
 * @teardown_gpadl: take it back; blocks until the host has let go: 0. On an error
 *	the host was not told, unless the channel is rescinded; -ENOMEM when memory
 *	was short. May be called again then.
 */
struct kmcl_bus_ops {
	const char *name;
	struct module *owner;

	int (*listen)(struct kmcl_channel *ch);
	void (*unlisten)(struct kmcl_channel *ch);
	void (*release)(struct kmcl_channel *ch);
	struct device *(*device)(struct kmcl_channel *ch);

	int (*open)(struct kmcl_channel *ch, struct kmcl_bus_rings *rings);
	int (*close)(struct kmcl_channel *ch);
	void (*signal)(struct kmcl_channel *ch, enum kmcl_signal why);
	void (*ring_full)(struct kmcl_channel *ch, bool first);
	int (*mmio_get)(struct kmcl_channel *ch, u64 *start, u64 *size);
	void (*mmio_put)(struct kmcl_channel *ch, u64 start, u64 size);
	void (*set_low_latency)(struct kmcl_channel *ch, bool low);
	bool (*rescinded)(struct kmcl_channel *ch);
	bool (*confidential)(struct kmcl_channel *ch);
	bool (*gpadls_before_close)(struct kmcl_channel *ch);

	int (*establish_gpadl)(struct kmcl_channel *ch,
			       struct kmcl_bus_gpadl *gpadl);
	int (*teardown_gpadl)(struct kmcl_channel *ch,
			      struct kmcl_bus_gpadl *gpadl);
};

/* What a channel calls, in bus.c */
int kmcl_bus_listen(struct kmcl_channel *ch);
void kmcl_bus_unlisten(struct kmcl_channel *ch);

/*
 * What a bus calls
 */

/* In bus.c */
int kmcl_bus_register(const struct kmcl_bus_ops *bus);
void kmcl_bus_unregister(const struct kmcl_bus_ops *bus);

/* Its device comes and goes: channel_device.c, and for sub-channels channel_primary.c */
bool kmcl_channel_accepts(struct kmcl_channel *ch, const guid_t *instance);
bool kmcl_channel_attach(struct kmcl_channel *ch,
			 const struct kmcl_bus_ops *bus, void *endpoint,
			 const guid_t *instance);
bool kmcl_sub_offer(struct kmcl_channel *primary, void *endpoint,
		    const guid_t *instance, struct kmcl_channel **owner);
void kmcl_channel_detach(struct kmcl_channel *ch, void *endpoint);
void kmcl_channel_lose(struct kmcl_channel *ch, void *endpoint);
void kmcl_channel_suspend_device(struct kmcl_channel *ch, void *endpoint);
void kmcl_channel_resume_device(struct kmcl_channel *ch, void *endpoint);

/* It forgets a device: gpadl.c, which may have some of that device's in quarantine */
void kmcl_gpadl_device_gone(const void *endpoint, bool rescinded);

/* The other end has signalled: poll.c */
void kmcl_poll_schedule(struct kmcl_channel *ch);

#endif /* _KMCL_BUS_H */
