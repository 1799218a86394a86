/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's own VMBus as the server's host: what the files of this directory share. */
#ifndef _QEMU_QEMU_H
#define _QEMU_QEMU_H

#include "../testdev.h"

#include "hw/hyperv/vmbus.h"

#define TESTDEV_DEVICE(obj)	OBJECT_CHECK(struct testdev_device, (obj), TYPE_TESTDEV)

/* Linux connects to VMBus through this virtual processor. */
#define TESTDEV_VP	0

/*
 * hw/hyperv/hyperv.h is a header for one target and cannot be included here.
 * These are its functions that QEMU's binary exports.
 */
typedef struct HvSintRoute HvSintRoute;
typedef void (*HvSintMsgCb)(void *data, int status);
HvSintRoute *hyperv_sint_route_new(uint32_t vp_index, uint32_t sint, HvSintMsgCb cb,
				   void *cb_data);
void hyperv_sint_route_ref(HvSintRoute *route);
void hyperv_sint_route_unref(HvSintRoute *route);
int hyperv_sint_route_set_sint(HvSintRoute *route);
int hyperv_set_event_flag(HvSintRoute *route, unsigned int event);

struct testdev_notice;

struct qemu_channel {
	struct testdev dev;
	VMBusDevice *vdev;

	/* while the channel is open */
	VMBusChannel *chan;
	uint64_t *request_ring;		/* its page frames: the header, then data */
	uint32_t request_ring_len;	/* bytes for data */
	bool refuse_next;		/* the next packet was made readable */
	bool out_of_step;		/* the request ring cannot be read any more */
	bool woke_itself;		/* the next notification is the device's own */

	/* a pass over the request ring: packets.c */
	VMBusChanReq *packet;
	uint32_t pass_from;		/* where it began to read ... */
	unsigned int pass_packets;	/* ... and how many it has read */
	bool pass_had_data;
	bool pass_stuck;		/* it read nothing */

	/* rescind and re-offer: offer.c */
	QTAILQ_HEAD(, testdev_notice) notices;
	QEMUBH *reset_bh;
	bool rescinded;
	bool reoffer_armed;
	uint32_t reoffer_ms;

	/* lost interrupts: nudge.c */
	QEMUTimer *nudge_timer;
	bool message_waited;
};

struct testdev_device {
	VMBusDevice parent_obj;

	/* properties */
	QemuUUID type;
	uint16_t mmio_mb;
	uint16_t num_channels;
	uint32_t vmbus_version;
	char *log_path;

	FILE *log;
	struct qemu_channel *channels;
};

static inline struct qemu_channel *channel_of(struct testdev *dev)
{
	return container_of(dev, struct qemu_channel, dev);
}

/* packets.c */
void packets_work(VMBusChannel *chan);

/* device.c */
struct qemu_channel *channel_by(VMBusChannel *chan);

/* layout.c: fields of structures private to QEMU's vmbus.c */
bool testdev_layout_init(Error **errp);
uint32_t chan_relid(VMBusChannel *chan);
uint32_t chan_ring_gpadl(VMBusChannel *chan);
uint32_t chan_answer_ring_page(VMBusChannel *chan);
bool chan_is_offered(VMBusChannel *chan);
void chan_withhold(VMBusChannel *chan);
HvSintRoute *chan_route(struct qemu_channel *ch);
bool chan_set_target(struct qemu_channel *ch, uint32_t vp);
bool gpadl_is_alive(VMBusGpadl *gpadl, uint32_t handle);
const uint64_t *gpadl_gfns(VMBusGpadl *gpadl);
HvSintRoute *bus_route(struct qemu_channel *ch);

/* front.c */
bool front_init(struct qemu_channel *ch, uint32_t version, Error **errp);

/* nudge.c */
void nudge_init(struct qemu_channel *ch);
void nudge_fini(struct qemu_channel *ch);

/* offer.c */
void offer_init(struct qemu_channel *ch);
struct hyperv_message *message_slot(void);
int message_post(struct qemu_channel *ch, const struct hyperv_message *msg);
void offer_fini(struct qemu_channel *ch);
void offer_channel_closed(struct qemu_channel *ch);
void offer_device_reset(struct qemu_channel *ch);

#endif /* _QEMU_QEMU_H */
