/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark: the same jobs done by a driver of hv_vmbus (raw.c) and by a
 * client of KMCL (kmcl.c), each with channels of its own to the same server.
 */
#ifndef _VMBKMCL_BENCH_H
#define _VMBKMCL_BENCH_H

#include <linux/hyperv.h>
#include <linux/ktime.h>
#include <linux/types.h>

#include <vmbkmcl/types.h>

#include "profile/marks.h"
#include "protocol.h"

#define BENCH_CHANNELS		64
#define BENCH_PAYLOAD		1024u	/* bytes of the largest packet */
#define BENCH_EXTERNAL		(1024u * 1024)
#define BENCH_OUTSTANDING	64u
#define BENCH_RING_PAGES	32u
#define BENCH_BATCH		60u	/* packets that are read at one go */
#define BENCH_HEADER		16u	/* payload of a packet with external data */

/* Whatever a packet holds: no request of the server's. */
#define BENCH_FILLER		0x5a

/**
 * struct bench_run - one block of a job, and what came of it
 * @size: bytes of each packet's payload or external data
 * @ops: how often
 * @channels: over how many
 * @outstanding: requests not completed at any time, a multiple of @channels
 * @answered: the server asks for a completion of what it sends
 * @kmcl: it is KMCL's, not the driver's by hand
 * @pfns: pages of external data; NULL: none
 * @memory: what to make a GPADL of, @size bytes
 * @payload: %BENCH_PAYLOAD bytes to send
 * @reply: as many to receive
 * @start: when the block began
 * @ns: what it took, so far
 */
struct bench_run {
	u32 size;
	u32 ops;
	u32 channels;
	u32 outstanding;
	bool answered;
	bool kmcl;
	PFN_NUMBER *pfns;
	void *memory;
	void *payload;
	void *reply;
	u64 start;
	u64 ns;
};

static inline void bench_start(struct bench_run *run)
{
	if (run->kmcl)
		profile_mark(PROFILE_START + 1);
	else
		profile_mark(PROFILE_START);
	run->start = ktime_get_ns();
}

static inline void bench_stop(struct bench_run *run)
{
	run->ns += ktime_get_ns() - run->start;
	if (run->kmcl)
		profile_mark(PROFILE_STOP + 1);
	else
		profile_mark(PROFILE_STOP);
}

/* Packets of that payload take so much of a ring. */
static inline u32 bench_bytes(u32 packets, u32 size)
{
	return packets * (sizeof(struct vmpacket_descriptor) + size +
			  sizeof(u64));
}

/* While softirqs are off: the server has sent so much. */
int bench_wait_for_bytes(struct vmbus_channel *chan, u32 bytes);

/**
 * struct bench_side - one way to do the jobs
 * @name: of it
 * @open: so many channels
 * @close: them
 * @device: that channel's
 * @ask: a request of protocol.h on a channel, and its answer
 * @round_trip: send, and wait for the completion
 * @pipelined: @outstanding at any time, each sent again when it is complete;
 *	external data when there are @pfns
 * @one_way: without completions, until the server has read all
 * @send_cpu: the same, but the server does not look: no signal, no exit
 * @request_cpu: as @pipelined, without the server's time: the time to send
 *	@outstanding requests, and to read as many completions
 * @receive_cpu: as @receive, without the server's time
 * @receive: what the server sends as fast as it can
 * @gpadl: create and delete; of kernel memory
 * @user_gpadl: of memory of the calling process
 */
struct bench_side {
	const char *name;
	int (*open)(unsigned int channels);
	void (*close)(void);
	struct hv_device *(*device)(unsigned int i);
	int (*ask)(unsigned int i, const struct testdev_request *rq, u64 *value);
	int (*round_trip)(struct bench_run *run);
	int (*pipelined)(struct bench_run *run);
	int (*one_way)(struct bench_run *run);
	int (*send_cpu)(struct bench_run *run);
	int (*request_cpu)(struct bench_run *run);
	int (*receive_cpu)(struct bench_run *run);
	int (*receive)(struct bench_run *run);
	int (*gpadl)(struct bench_run *run);
	int (*user_gpadl)(struct bench_run *run);
};

extern const struct bench_side bench_raw;
extern const struct bench_side bench_kmcl;

/* What has the server send. */
static inline struct testdev_request bench_push(const struct bench_run *run,
						u32 packets)
{
	return (struct testdev_request){
		.magic = TESTDEV_MAGIC,
		.op = TESTDEV_PUSH,
		.handle = run->answered ? TESTDEV_PUSH_COMPLETE : 0,
		.offset = run->size,
		.length = packets,
	};
}

/* raw.c also finds devices: hv_vmbus has no other way to its bus. */
struct hv_device *raw_find_device(const guid_t *instance);
struct vmbus_channel *raw_channel(unsigned int i);

/* Bytes of a packet object. */
u32 kmcl_packet_size(void);

/* raw_gpadl.c */
int raw_gpadl(struct bench_run *run);
int raw_user_gpadl(struct bench_run *run);

/* jobs.c */
struct seq_file;
int bench_job(const char *name, u32 size, u32 blocks, struct seq_file *out);
int bench_ask(const struct bench_side *side, unsigned int i, u32 op, u32 seed,
	      u64 offset, u64 length, u32 handle, u64 *value);

/* allocs.c */
int allocs_init(void);
void allocs_exit(void);
int allocs_begin(void);
u64 allocs_end(void);

#endif /* _VMBKMCL_BENCH_H */
