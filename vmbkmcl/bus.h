/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The seam between a channel and the bus beneath it.
 *
 * hv_vmbus stands behind it (bus_hv.c); the KUnit module puts a bus of its own
 * there that refuses, withholds and corrupts on command. An operation gets the
 * channel and finds what it needs of the device in channel->endpoint, which it
 * has set itself through kmcl_channel_attach().
 *
 * Offers travel upwards: a bus calls kmcl_channel_attach() when it has a device
 * for a channel that listens, kmcl_sub_offer() when that has a sub-channel,
 * kmcl_channel_detach() or kmcl_channel_lose() when the device goes, and
 * kmcl_poll_schedule() when the ring has news.
 */
#ifndef _KMCL_BUS_H
#define _KMCL_BUS_H

#include <linux/hyperv.h>
#include <linux/types.h>

struct device;
struct kmcl_channel;

/* Behind each packet in a ring: the indices at its time. */
#define KMCL_PACKET_TRAILER	sizeof(u64)

/**
 * struct kmcl_rx_packet - a packet in the incoming ring
 * @type: enum vmbus_packet_type, as far as the host knows it
 * @flags: %VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED, and others
 * @id: the host's transaction, or the one it completes
 * @data: payload; in the ring, where the host can still change it: it is to be
 *	copied once, and only the copy looked at
 * @len: bytes of payload, which are all in the ring
 * @size: bytes of the whole packet, for the bus
 */
struct kmcl_rx_packet {
	u16 type;
	u16 flags;
	u64 id;
	const void *data;
	u32 len;
	u32 size;
};

/**
 * struct kmcl_bus_ops - what a channel needs of its bus
 * @name: of the bus, for debugfs
 * @listen: from now on offer the channel its target device, as soon as there is
 *	one; may call kmcl_channel_attach() before it returns
 * @unlisten: the opposite; no attach after it has returned
 * @release: the channel is done with its endpoint, another one may have it
 * @device: the endpoint, as Linux knows it; no reference is taken
 * @open: make the rings and open the channel. Serialised with @close and the
 *	GPADL operations by the caller, as a rescind wakes only one waiter.
 * @close: close it and give the rings back. On an error the host may not know,
 *	and has the rings and the external data of packets still. The close of a
 *	primary channel closes its sub-channels, too; one of those is asked to close
 *	after that, and tells how it went, or alone, and answers -EBUSY.
 * @mmio_get: take the MMIO space that the open device asks for; @size stays 0
 *	when it asks for none
 * @mmio_put: give it back, after the close
 * @set_low_latency: signal the host at once, or when it next looks
 * @rescinded: the host has taken the offer back: it holds nothing any more
 * @confidential: the host can not read guest memory unless it is decrypted
 * @gpadls_before_close: the protocol wants GPADLs torn down before the close
 * @establish_gpadl: tell the host of a GPADL; blocks until it has answered
 * @teardown_gpadl: take it back; blocks until the host has let go.
 *	&vmbus_gpadl.gpadl_handle still set afterwards, on a channel that is not
 *	rescinded, means that the host was never told.
 * @send: put one packet in the ring, with its transaction id, type and flags as
 *	on the wire; -EAGAIN when that is full. May be called by several at once.
 * @send_external: the same, in-band with external data that @desc describes, and
 *	always with a completion asked for; @desc_size counts its ranges too;
 *	-EOPNOTSUPP for more than one range where the bus can not
 * @want_room: ask the host for a wake-up once that many bytes are free in the
 *	outgoing ring; 0 takes the wish back
 * @rx_peek: look at the oldest packet in the incoming ring: 1, or 0 when there is
 *	none, -EIO when the ring is corrupt
 * @rx_skip: be done with the packet looked at last
 * @rx_done: tell the host how far was read
 * @rx_mask: no more wake-ups, the ring is being read
 * @rx_unmask: wake-ups again; true when packets arrived meanwhile
 */
struct kmcl_bus_ops {
	const char *name;

	int (*listen)(struct kmcl_channel *ch);
	void (*unlisten)(struct kmcl_channel *ch);
	void (*release)(struct kmcl_channel *ch);
	struct device *(*device)(struct kmcl_channel *ch);

	int (*open)(struct kmcl_channel *ch);
	int (*close)(struct kmcl_channel *ch);
	int (*mmio_get)(struct kmcl_channel *ch, u64 *start, u64 *size);
	void (*mmio_put)(struct kmcl_channel *ch, u64 start, u64 size);
	void (*set_low_latency)(struct kmcl_channel *ch, bool low);
	bool (*rescinded)(struct kmcl_channel *ch);
	bool (*confidential)(struct kmcl_channel *ch);
	bool (*gpadls_before_close)(struct kmcl_channel *ch);

	int (*establish_gpadl)(struct kmcl_channel *ch, void *va, u32 size,
			       struct vmbus_gpadl *gpadl);
	int (*teardown_gpadl)(struct kmcl_channel *ch,
			      struct vmbus_gpadl *gpadl);

	int (*send)(struct kmcl_channel *ch, void *data, u32 len, u64 id,
		    enum vmbus_packet_type type, u32 flags);
	int (*send_external)(struct kmcl_channel *ch,
			     struct vmbus_packet_mpb_array *desc, u32 desc_size,
			     void *data, u32 len, u64 id);
	void (*want_room)(struct kmcl_channel *ch, u32 bytes);

	int (*rx_peek)(struct kmcl_channel *ch, struct kmcl_rx_packet *packet);
	void (*rx_skip)(struct kmcl_channel *ch,
			const struct kmcl_rx_packet *packet);
	void (*rx_done)(struct kmcl_channel *ch);
	void (*rx_mask)(struct kmcl_channel *ch);
	bool (*rx_unmask)(struct kmcl_channel *ch);
};

extern const struct kmcl_bus_ops kmcl_hv_bus;

/*
 * Its operations for each packet, so that the calls below are direct ones: indirect
 * ones are expensive (retpolines), and where they lead has to be fetched first.
 */
int kmcl_hv_send(struct kmcl_channel *ch, void *data, u32 len, u64 id,
		 enum vmbus_packet_type type, u32 flags);
int kmcl_hv_send_external(struct kmcl_channel *ch,
			  struct vmbus_packet_mpb_array *desc, u32 desc_size,
			  void *data, u32 len, u64 id);
int kmcl_hv_rx_peek(struct kmcl_channel *ch, struct kmcl_rx_packet *packet);
void kmcl_hv_rx_skip(struct kmcl_channel *ch,
		     const struct kmcl_rx_packet *packet);
void kmcl_hv_rx_done(struct kmcl_channel *ch);
void kmcl_hv_rx_mask(struct kmcl_channel *ch);
bool kmcl_hv_rx_unmask(struct kmcl_channel *ch);

#define kmcl_bus_call(ch, op, ...) \
	(likely((ch)->bus == &kmcl_hv_bus) ? \
	 kmcl_hv_##op(ch, ##__VA_ARGS__) : (ch)->bus->op(ch, ##__VA_ARGS__))

#endif /* _KMCL_BUS_H */
