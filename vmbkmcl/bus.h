/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between a channel and the bus beneath it. No packet data passes the
 * seam, only control operations and signals do: a channel reads and writes its
 * rings itself (ring.c).
 *
 * A channel calls its bus through struct kmcl_bus_ops. An operation gets the
 * channel and finds the device in channel->endpoint, the pointer that the bus
 * passed to kmcl_channel_attach(). A bus calls the functions at the end of this
 * file, and may take references with kmcl_channel_get(). ring.h,
 * kmcl_channel_tx_bytes() and kmcl_channel_rx_bytes() are there for a bus that has
 * the other end of the rings, and kmcl_channel_allocate() for one that makes
 * channels itself. Several buses can be registered at the same time.
 */
#ifndef _KMCL_BUS_H
#define _KMCL_BUS_H

#include <linux/types.h>
#include <linux/uuid.h>

#include "ring.h"

struct device;
struct kmcl_channel;
struct module;
struct page;

/**
 * struct kmcl_bus_rings - the rings of a channel that is being opened
 * @tx_bytes: size that the channel wants for the outgoing ring, with its control page
 * @rx_bytes: size that the channel wants for the incoming ring, with its control page
 * @has_cpu: the channel wants @cpu to be interrupted; false: the bus chooses a CPU
 * @cpu: number of that CPU
 * @tx: set by the bus: where the outgoing ring is until the channel is closed
 * @rx: set by the bus: where the incoming ring is until the channel is closed
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
 * struct kmcl_bus_gpadl - memory that the host can map
 * @handle: the number by which guest and host name the GPADL; 0 while the host does
 *	not have it
 * @size: bytes of memory
 * @va: kernel address of the memory
 * @in_bounce: the memory is a part of a bounce buffer, see struct kmcl_bus_bounce
 * @pages: the guest's own pages of the memory, in order
 * @read_only: the server may map the memory only for reading
 * @decrypted: the host of a confidential VM can read and write @va
 */
struct kmcl_bus_gpadl {
	u32 handle;
	u32 size;
	void *va;
	bool in_bounce;
	struct page **pages;
	bool read_only;
	bool decrypted;
};

/**
 * struct kmcl_bus_bounce - memory that the host can access even in a confidential VM
 * @va: kernel address, page-aligned
 * @size: size in bytes, whole pages
 * @chunks: for the bus alone
 * @count: for the bus alone
 */
struct kmcl_bus_bounce {
	void *va;
	u32 size;
	struct page **chunks;
	u32 count;
};

/* Why a channel signals its other end. */
enum kmcl_signal {
	KMCL_SIGNAL_PACKETS,	/* a ring that was empty has packets now */
	KMCL_SIGNAL_ROOM,	/* a full ring has as much room as was asked for */
};

/**
 * struct kmcl_bus_ops - what a channel needs of its bus
 * @name: name of the bus, for debugfs and log lines
 * @owner: module of the bus; the core holds it while a channel listens on the bus
 * @in_kernel: the other ends of the channels are in this kernel, so that the bus is
 *	there on every machine. It is asked last, and does not replace a bus that has
 *	a host.
 * @listen: offer the channel its target device, now or as soon as the device is
 *	there. May call kmcl_channel_attach() before it returns. The channel's bus and
 *	endpoint are not set yet.
 *	An error means that the bus has attached no device and will attach none.
 * @unlisten: offer the channel nothing from now on: no call of kmcl_channel_attach()
 *	comes after this has returned. The channel has no endpoint.
 * @release: the channel does not use the endpoint any more, and has forgotten it: the
 *	argument endpoint was ch->endpoint. The bus may give it to another channel.
 * @forget: the host has rescinded the device, and the bus is about to lose it: close
 *	the channel if it is open, and use the device no more. The channel keeps the
 *	endpoint until @release. Until then @rescinded returns true, @close and
 *	@teardown_gpadl return 0, and @open and @establish_gpadl return -ENODEV. Called
 *	like @close, when nothing accesses the rings of the channel and of its
 *	sub-channels any more. NULL for a bus that does not call
 *	kmcl_channel_detach(), because nothing but the client waits when it rescinds
 *	a device.
 * @match_subs: offer, with kmcl_sub_offer(), the sub-channels that the host has offered
 *	for the channel and that no channel has taken yet. Called when the channel is
 *	open, and in any of its states when a sub-channel of it is enabled. May be NULL.
 * @device: return the struct device of the endpoint, without a reference. Not called
 *	any more when @forget is.
 * @open: allocate the rings and open the channel. The caller never runs @open,
 *	@close, @forget, @mmio_get, @establish_gpadl and @teardown_gpadl of one channel
 *	at the same time, because a rescind wakes only one waiter.
 * @close: close the channel and free its rings. An error means that the host may
 *	not know of the close: it may still use the rings and the external data of
 *	packets. The close of a primary channel closes its sub-channels, too. @close
 *	of a sub-channel returns the result of that close, or -EBUSY while the
 *	primary is open.
 * @signal: make the other end of an open channel look at its rings. Called on several
 *	CPUs at once, in any context but hard interrupts.
 * @ring_full: count, for statistics, that the outgoing ring had no room for a
 *	packet. The argument first is true if it is the first time since a packet
 *	was sent. The caller serialises these calls.
 * @mmio_get: reserve the MMIO space that the open device asks for; leaves @size at 0
 *	when the device asks for none
 * @mmio_put: free that MMIO space, after the close
 * @set_low_latency: choose whether @signal interrupts the host at once, or leaves a
 *	note for the next time that the host looks
 * @rescinded: return whether the host has rescinded the offer; if so, the host holds
 *	no memory of the channel any more
 * @confidential: return whether the host can read guest memory only when that is
 *	decrypted
 * @alloc_bounce: allocate &kmcl_bus_bounce.size bytes of zeroed memory that the host
 *	can access. -EOPNOTSUPP if there is no such memory.
 * @free_bounce: free that memory. No GPADL of it exists. The channel and the device
 *	may be gone.
 * @gpadls_before_close: return whether the protocol wants GPADLs torn down before the
 *	close
 * @establish_gpadl: send the host a GPADL of &kmcl_bus_gpadl.va and size, and wait for
 *	its response. -EUCLEAN: the host has accepted it, but it can not be used, and
 *	may not have been torn down. See kmcl_gpadl_is_unsent() for other errors.
 * @teardown_gpadl: tear the GPADL down and wait until the host has let go of it. On
 *	an error the host still has the memory and the caller may try again
 *	(-ENOMEM: memory was short); an error after a rescind can be ignored.
 * @opened: what came of the open of a server's channel: 0, or an error after the
 *	channel was closed again. Called again with an error if the channel fails later,
 *	before it is closed: then the client loses the device.
 * @revoke: offer the channel of a server to no client from now on, and tell the
 *	client that has it. Does not wait for that client.
 * @map_gpadl: claim a GPADL of the client for the server, so that its memory stays
 *	until @unmap_gpadl. -ENOENT: the client has no such GPADL, or is deleting
 *	it; -EBUSY: it is claimed already; -EACCES: @write, and the GPADL is
 *	read-only.
 * @unmap_gpadl: undo @map_gpadl
 *
 * The last four are for the channels of servers: see kmcl_channel.is_server. Such a
 * channel is pinned to a bus that has them. @listen makes its offer and attaches
 * that with kmcl_channel_attach_server(); -EBUSY: the offer is there already. @open
 * is called when a client opens the offer, and gets the rings of that client.
 */
struct kmcl_bus_ops {
	const char *name;
	struct module *owner;
	bool in_kernel;

	int (*listen)(struct kmcl_channel *ch);
	void (*unlisten)(struct kmcl_channel *ch);
	void (*release)(struct kmcl_channel *ch, void *endpoint);
	void (*forget)(struct kmcl_channel *ch);
	void (*match_subs)(struct kmcl_channel *ch);
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

	int (*alloc_bounce)(struct kmcl_channel *ch,
			    struct kmcl_bus_bounce *bounce);
	void (*free_bounce)(struct kmcl_bus_bounce *bounce);
	int (*establish_gpadl)(struct kmcl_channel *ch,
			       struct kmcl_bus_gpadl *gpadl);
	int (*teardown_gpadl)(struct kmcl_channel *ch,
			      struct kmcl_bus_gpadl *gpadl);

	void (*opened)(struct kmcl_channel *ch, int err);
	void (*revoke)(struct kmcl_channel *ch);
	int (*map_gpadl)(struct kmcl_channel *ch, u32 handle, bool write,
			 const struct kmcl_bus_gpadl **gpadl);
	void (*unmap_gpadl)(struct kmcl_channel *ch, u32 handle);
};

/* Functions that a channel calls: bus.c */
int kmcl_bus_listen(struct kmcl_channel *ch);
void kmcl_bus_unlisten(struct kmcl_channel *ch);

/*
 * Functions that a bus calls
 */

/* To make itself known: bus.c */
int kmcl_bus_register(const struct kmcl_bus_ops *bus);
void kmcl_bus_unregister(const struct kmcl_bus_ops *bus);

/*
 * When a device comes and goes: channel_device.c, channel_detach.c, and
 * channel_primary.c (sub-channels)
 */
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

/* When a server's channel is offered, and when its client closes it: channel_device.c */
void kmcl_channel_attach_server(struct kmcl_channel *ch,
				const struct kmcl_bus_ops *bus, void *endpoint);
void kmcl_channel_close_server(struct kmcl_channel *ch, void *endpoint);

/* When a device is gone: gpadl.c, which may have GPADLs of it in quarantine */
void kmcl_gpadl_device_gone(const void *endpoint);
void kmcl_gpadl_device_unbound(const void *endpoint, const void *device);

/* When the other end has signalled: poll.c */
void kmcl_poll_schedule(struct kmcl_channel *ch);

#endif /* _KMCL_BUS_H */
