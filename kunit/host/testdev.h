/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The server endpoint's own header: what its files share, and what it and the
 * host that it is built into have to do with each other. protocol.h is what the
 * guest sees of it.
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

/* Guest page frame numbers on VMBus count pages of this size, always. */
#define VMBUS_PAGE_SHIFT	12
#define VMBUS_PAGE_SIZE		(1u << VMBUS_PAGE_SHIFT)

struct testdev_out;
struct testdev_held;
struct testdev_traffic;

/*
 * One channel, and all that is served on it. The host has it within its own
 * channel.
 */
struct testdev {
	uint16_t index;			/* 0: the device's own, else a sub-channel */
	char *name;			/* begins every line of the log */
	FILE *log;
	struct testdev_report count;

	/* while the channel is open */
	bool open;
	uint32_t answer_ring_len;	/* bytes for data */
	bool is_pipe;			/* the guest's requests have a pipe's header */
	bool bench;			/* BENCH: bench.c */
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
};

/* testdev.c: what the host tells the server */
void testdev_log(struct testdev *dev, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
FILE *testdev_open_log(const char *path, Error **errp);
void testdev_close_log(FILE *log);
void testdev_init(struct testdev *dev, const char *id, uint16_t index, FILE *log);
void testdev_fini(struct testdev *dev);
void testdev_opened(struct testdev *dev, uint32_t request_ring_len,
		    uint32_t answer_ring_len);
void testdev_closed(struct testdev *dev);

/*
 * What the server asks of the host. There are two: qemu/ is QEMU's own VMBus, and
 * own/ is one that was written for these tests.
 */
struct host_packet {
	uint16_t type;
	bool need_comp;
	bool refused;			/* it cannot be understood, but completed */
	uint64_t transaction_id;
	const uint8_t *msg;
	uint32_t msglen;
	const void *raw;		/* the host's own */
};

uint32_t host_relid(struct testdev *dev);
/* NULL: the device has not so many channels. */
struct testdev *host_sibling(struct testdev *dev, uint32_t index);
/* Have request_work() run, once more and from the main loop. */
void host_wake(struct testdev *dev);
/*
 * A pass over the requests: each packet is valid until the next one is read, and
 * the guest sees the room at the end. host_read_end() returns true if more may be
 * there for which no signal comes.
 */
bool host_read_begin(struct testdev *dev);
bool host_read(struct testdev *dev, struct host_packet *packet);
bool host_read_end(struct testdev *dev);
/* Returns 0 or -ENOSPC, or another error that waiting does not mend. */
int host_send(struct testdev *dev, uint16_t type, uint64_t id, void *data, uint32_t len,
	      bool need_comp);
/*
 * NULL: there is no such GPADL, or the packet has no such data. @write: to
 * write to it.
 */
struct guest_memory *host_gpadl_memory(struct testdev *dev, uint32_t handle, bool write);
struct guest_memory *host_packet_memory(struct testdev *dev,
					const struct host_packet *packet);
/* A reference that lasts also when the guest tears the GPADL down. */
void *host_gpadl_get(struct testdev *dev, uint32_t handle);
void host_gpadl_put(struct testdev *dev, void *gpadl);
enum testdev_status host_rescind(struct testdev *dev, uint32_t ms);
void host_reoffer(struct testdev *dev, uint32_t ms);
/* One of the operations that are faults of the host itself. */
enum testdev_status host_fault(struct testdev *dev, const struct testdev_request *rq,
			       const uint8_t *payload, uint64_t *value);

/* memory.c: guest memory in pieces, from a GPADL or from external data */
struct guest_memory {
	AddressSpace *as;
	uint64_t size;
	size_t nr;			/* of pieces that were added */
	struct guest_piece {
		uint64_t addr;
		uint64_t len;
	} piece[];
};

struct guest_memory *memory_new(AddressSpace *as, size_t nr);
void memory_add(struct guest_memory *mem, uint64_t addr, uint64_t len);
enum testdev_status memory_crc32(const struct guest_memory *mem, uint32_t *crc);
enum testdev_status memory_fill(const struct guest_memory *mem, uint32_t seed);
enum testdev_status memory_read(const struct guest_memory *mem, uint64_t offset,
				void *buf, uint64_t len);
enum testdev_status memory_write(const struct guest_memory *mem, uint64_t offset,
				 const void *buf, uint64_t len);

/* gpadl.c */
enum testdev_status gpadl_memory(struct testdev *dev, uint32_t handle, bool write,
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
int out_send(struct testdev *dev, uint16_t type, uint64_t id, void *data, uint32_t len,
	     bool need_comp);
void out_drop_all(struct testdev *dev);

/* traffic.c */
enum testdev_status traffic_start(struct testdev *dev, const struct testdev_request *rq);
enum testdev_status traffic_report(struct testdev *dev, void *to);
bool traffic_takes(struct testdev *dev, const struct host_packet *packet);
bool traffic_completed(struct testdev *dev, const struct host_packet *packet);
bool traffic_is_full(struct testdev *dev);
void traffic_flush(struct testdev *dev);
void traffic_stop(struct testdev *dev);

/* bench.c */
void bench_begin(struct testdev *dev);
void bench_serve(struct testdev *dev, const struct host_packet *packet);

/* request.c */
void request_work(struct testdev *dev);

#endif /* _VMBKMCL_TESTDEV_H */
