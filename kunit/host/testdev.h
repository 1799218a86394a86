/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server endpoint's own header: what its files share. protocol.h is what
 * the guest sees of it.
 */
#ifndef _VMBKMCL_TESTDEV_H
#define _VMBKMCL_TESTDEV_H

/* QEMU demands to be the first header of every file. */
#include "qemu/osdep.h"
#include "qemu/queue.h"
#include "qemu/timer.h"
#include "hw/hyperv/vmbus.h"

#include "protocol.h"

#define TYPE_TESTDEV	"vmbkmcl-testdev"
#define TESTDEV_DEVICE(obj)	OBJECT_CHECK(struct testdev_device, (obj), TYPE_TESTDEV)

/* Guest page frame numbers on VMBus count pages of this size, always. */
#define VMBUS_PAGE_SHIFT	12
#define VMBUS_PAGE_SIZE		(1u << VMBUS_PAGE_SHIFT)

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

struct testdev_out;
struct testdev_held;
struct testdev_notice;
struct testdev_traffic;

/* One channel, and all that is served on it. */
struct testdev {
	VMBusDevice *vdev;
	uint16_t index;			/* 0: the device's own, else a sub-channel */
	char *name;			/* begins every line of the log */
	FILE *log;
	struct testdev_report count;

	/* while the channel is open */
	VMBusChannel *chan;
	uint64_t *request_ring;		/* its page frames: the header, then data */
	uint32_t request_ring_len;	/* bytes for data */
	uint32_t answer_ring_len;
	bool is_pipe;			/* the guest's requests have a pipe's header */
	bool refuse_next;		/* the next packet was made readable */
	bool out_of_step;		/* the request ring cannot be read any more */
	bool bench;			/* BENCH: bench.c */
	bool woke_itself;		/* the next notification is the device's own */
	uint64_t wakeups;		/* by the guest */

	/* to the guest: out.c */
	QTAILQ_HEAD(, testdev_out) ready;
	QTAILQ_HEAD(, testdev_out) delayed;
	unsigned int nr_ready;
	unsigned int nr_delayed;
	QEMUTimer *retry_timer;
	QEMUTimer *stall_timer;
	uint32_t pace_ms;
	uint32_t pace_packets;		/* 0: all there are */
	uint32_t pace_left;
	uint64_t push_left;
	uint64_t push_next;
	uint32_t push_seed;
	uint32_t push_len;
	bool push_complete;
	GHashTable *push_pending;	/* transaction ids of packets not completed */

	/* TRAFFIC: traffic.c; NULL before */
	struct testdev_traffic *traffic;

	/* HOLD: gpadl.c */
	QTAILQ_HEAD(, testdev_held) held;

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
	struct testdev *channels;
};

/* testdev.c */
void testdev_log(struct testdev *dev, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
void testdev_wake_itself(struct testdev *dev);
struct testdev *testdev_of(VMBusChannel *chan);
struct testdev *testdev_sibling(struct testdev *dev, uint32_t index);

/* layout.c: fields of structures private to QEMU's vmbus.c */
bool testdev_layout_init(Error **errp);
uint32_t chan_relid(VMBusChannel *chan);
uint32_t chan_ring_gpadl(VMBusChannel *chan);
uint32_t chan_answer_ring_page(VMBusChannel *chan);
bool chan_is_offered(VMBusChannel *chan);
void chan_withhold(VMBusChannel *chan);
HvSintRoute *chan_route(struct testdev *dev);
bool chan_set_target(struct testdev *dev, uint32_t vp);
bool gpadl_is_alive(VMBusGpadl *gpadl, uint32_t handle);
const uint64_t *gpadl_gfns(VMBusGpadl *gpadl);
HvSintRoute *bus_route(struct testdev *dev);

/* front.c */
bool front_init(struct testdev *dev, uint32_t version, Error **errp);

/* nudge.c */
void nudge_init(struct testdev *dev);
void nudge_fini(struct testdev *dev);

/* memory.c: guest memory in pieces, from a GPADL or from external data */
struct guest_memory {
	AddressSpace *as;
	uint64_t size;
	size_t nr;
	struct guest_piece {
		uint64_t addr;
		uint64_t len;
	} piece[];
};

struct guest_memory *memory_of_sglist(QEMUSGList *sgl);
enum testdev_status memory_crc32(const struct guest_memory *mem, uint32_t *crc);
enum testdev_status memory_fill(const struct guest_memory *mem, uint32_t seed);
enum testdev_status memory_read(const struct guest_memory *mem, uint64_t offset,
				void *buf, uint64_t len);
enum testdev_status memory_write(const struct guest_memory *mem, uint64_t offset,
				 const void *buf, uint64_t len);

/* gpadl.c */
enum testdev_status gpadl_memory(struct testdev *dev, uint32_t handle,
				 struct guest_memory **mem);
enum testdev_status gpadl_hold(struct testdev *dev, uint32_t handle);
enum testdev_status gpadl_release(struct testdev *dev, uint32_t handle);
void gpadl_release_all(struct testdev *dev);

/* out.c: what goes to the guest, and when */
struct testdev_out {
	QTAILQ_ENTRY(testdev_out) link;
	struct testdev *dev;
	QEMUTimer *timer;		/* while delayed */
	uint64_t transaction_id;
	uint32_t len;
	uint8_t data[sizeof(struct testdev_response) + TESTDEV_MAX_PAYLOAD];
};

void out_init(struct testdev *dev);
void out_fini(struct testdev *dev);
bool out_fits(struct testdev *dev, uint32_t len);
bool out_is_full(struct testdev *dev);
bool out_is_stalled(struct testdev *dev);
void out_stall(struct testdev *dev, uint32_t ms);
void out_pace(struct testdev *dev, uint32_t ms, uint32_t packets);
void out_has_read(struct testdev *dev);
void out_has_read_all(struct testdev *dev);
void out_queue(struct testdev *dev, struct testdev_out *out);
bool out_delay(struct testdev *dev, struct testdev_out *out, uint32_t ms);
enum testdev_status out_push(struct testdev *dev, const struct testdev_request *rq);
void out_completed(struct testdev *dev, uint64_t id, uint32_t len);
void out_flush(struct testdev *dev);
ssize_t out_send(struct testdev *dev, uint16_t type, uint64_t id, void *data,
		 uint32_t len, bool need_comp);
void out_drop_all(struct testdev *dev);

/* traffic.c */
enum testdev_status traffic_start(struct testdev *dev, const struct testdev_request *rq);
enum testdev_status traffic_report(struct testdev *dev, void *to);
bool traffic_takes(struct testdev *dev, VMBusChanReq *packet);
bool traffic_completed(struct testdev *dev, VMBusChanReq *packet);
bool traffic_is_full(struct testdev *dev);
void traffic_flush(struct testdev *dev);
void traffic_stop(struct testdev *dev);

/* bench.c */
void bench_begin(struct testdev *dev);
void bench_serve(struct testdev *dev, VMBusChanReq *packet);

/* request.c */
void request_work(VMBusChannel *chan);

/* offer.c */
void offer_init(struct testdev *dev);
struct hyperv_message *message_slot(void);
int message_post(struct testdev *dev, const struct hyperv_message *msg);
void offer_fini(struct testdev *dev);
enum testdev_status offer_rescind(struct testdev *dev, uint32_t ms);
void offer_arm_reoffer(struct testdev *dev, uint32_t ms);
void offer_channel_closed(struct testdev *dev);
void offer_device_reset(struct testdev *dev);

#endif /* _VMBKMCL_TESTDEV_H */
