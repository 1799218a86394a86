// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jobs, and how each is measured: blocks of the one side and of the other in
 * turn, the order alternating, so that a machine that grows slower does so for
 * both. How many operations make a block is found out first, once for both.
 */

#include <linux/hyperv.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench.h"

static unsigned int block_ms = 2;
module_param(block_ms, uint, 0644);
MODULE_PARM_DESC(block_ms, "time one block is to take, in ms");

/* Before the server looks again; a burst must be over then. */
#define STALL_MS	40

/* Of blocks as long as this, in ns, there are only so many. */
#define LONG_BLOCK	(10 * NSEC_PER_MSEC)
#define LEAST_BLOCKS	60

#define WARM_BLOCKS	8

#define RING_BYTES	((BENCH_RING_PAGES - 1) * PAGE_SIZE)	/* of data */

#define BURST_BYTES	(BENCH_RING_PAGES * PAGE_SIZE / 2)

/* Enough for a ring to be full most of the time. */
#define FLOOD_BYTES	(BENCH_RING_PAGES * PAGE_SIZE * 8)

enum bench_unit {
	BYTES,		/* of payload */
	EXTERNAL,	/* bytes of external data */
	PAGES,		/* of a GPADL of kernel memory */
	USER_PAGES,	/* of the calling process's */
	OUTSTANDING,	/* requests of 64 bytes, on one channel */
	CHANNELS,	/* with one request of 64 bytes each */
};

static const struct bench_job {
	const char *name;
	enum bench_unit unit;
	u32 outstanding;
	u64 least;	/* operations of a block */
	bool answered;
	bool stalled;
	bool flood;	/* a block is many times what the ring holds */
	bool queued;	/* it is what the ring holds, and @outstanding more */
	u32 patience;	/* so many times the blocks, each so many times as long */
	size_t run;		/* of struct bench_side */
} jobs[] = {
#define RUN(member) .run = offsetof(struct bench_side, member)
	{ "round-trip", BYTES, RUN(round_trip) },
	{ "pipelined", BYTES, BENCH_OUTSTANDING, .least = 256,
	  RUN(pipelined) },
	{ "one-way", BYTES, 1, .flood = true, RUN(one_way) },
	{ "one-way-ahead", BYTES, BENCH_OUTSTANDING, .flood = true,
	  RUN(one_way) },
	{ "queued", BYTES, BENCH_OUTSTANDING, .stalled = true, .queued = true,
	  RUN(one_way) },
	{ "receive", BYTES, .least = 64, RUN(receive) },
	{ "receive-answer", BYTES, .least = 64, .answered = true,
	  RUN(receive) },
	{ "external", EXTERNAL, 8, .least = 16, RUN(pipelined) },
	{ "send-cpu", BYTES, .stalled = true, RUN(send_cpu) },
	{ "request-cpu", BYTES, BENCH_BATCH, RUN(request_cpu) },
	{ "receive-cpu", BYTES, BENCH_BATCH, RUN(receive_cpu) },
	{ "answer-cpu", BYTES, BENCH_BATCH, .answered = true,
	  RUN(receive_cpu) },
	{ "gpadl", PAGES, RUN(gpadl) },
	{ "user-gpadl", USER_PAGES, RUN(user_gpadl) },
	{ "outstanding", OUTSTANDING, RUN(pipelined) },
	{ "channels", CHANNELS, .patience = 4, RUN(pipelined) },
};

typedef int (*bench_fn)(struct bench_run *run);

static bench_fn side_fn(const struct bench_side *side,
			const struct bench_job *job)
{
	return *(bench_fn *)((const u8 *)side + job->run);
}

int bench_ask(const struct bench_side *side, unsigned int i, u32 op, u32 seed,
	      u64 offset, u64 length, u32 handle, u64 *value)
{
	struct testdev_request rq = {
		.magic = TESTDEV_MAGIC,
		.op = op,
		.handle = handle,
		.seed = seed,
		.offset = offset,
		.length = length,
	};

	return side->ask(i, &rq, value);
}

int bench_wait_for_bytes(struct vmbus_channel *chan, u32 bytes)
{
	u64 end = ktime_get_ns() + 5 * NSEC_PER_SEC;

	while (hv_get_bytes_to_read(&chan->inbound) < bytes) {
		if (ktime_get_ns() > end)
			return -ETIMEDOUT;
		cpu_relax();
	}
	return 0;
}

/* What a run works on */

static int run_pages(struct bench_run *run, u32 pages, bool user)
{
	unsigned long addr;

	run->size = pages * PAGE_SIZE;
	if (!user) {
		run->memory = vzalloc(run->size);
		return run->memory ? 0 : -ENOMEM;
	}
	addr = vm_mmap(NULL, 0, run->size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, 0);
	if (IS_ERR_VALUE(addr))
		return (int)addr;
	run->memory = (void *)addr;
	return 0;
}

static int run_pfns(struct bench_run *run)
{
	u32 i, count = run->size / PAGE_SIZE;
	u8 *memory = vzalloc(run->size);

	if (!memory)
		return -ENOMEM;
	run->memory = memory;
	run->pfns = kvcalloc(count, sizeof(*run->pfns), GFP_KERNEL);
	if (!run->pfns)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		run->pfns[i] = vmalloc_to_pfn(memory + i * PAGE_SIZE);
	return 0;
}

static void run_free(struct bench_run *run, const struct bench_job *job)
{
	if (job->unit == USER_PAGES && run->memory)
		vm_munmap((unsigned long)run->memory, run->size);
	else
		vfree(run->memory);
	kvfree(run->pfns);
	kfree(run->payload);
	kfree(run->reply);
}

static int run_init(struct bench_run *run, const struct bench_job *job, u32 size)
{
	run->size = 64;
	run->channels = 1;
	run->outstanding = job->outstanding ?: 1;
	run->answered = job->answered;
	run->payload = kmalloc(BENCH_PAYLOAD, GFP_KERNEL);
	run->reply = kmalloc(BENCH_PAYLOAD, GFP_KERNEL);
	if (!run->payload || !run->reply)
		return -ENOMEM;
	memset(run->payload, BENCH_FILLER, BENCH_PAYLOAD);
	switch (job->unit) {
	case BYTES:
		run->size = size;
		return size % 8 || size > BENCH_PAYLOAD ? -EINVAL : 0;
	case EXTERNAL:
		run->size = size;
		return size % PAGE_SIZE || size > BENCH_EXTERNAL ? -EINVAL :
								   run_pfns(run);
	case PAGES:
	case USER_PAGES:
		return run_pages(run, size, job->unit == USER_PAGES);
	case OUTSTANDING:
		run->outstanding = size;
		return size > BENCH_OUTSTANDING ? -EINVAL : 0;
	case CHANNELS:
		run->channels = size;
		run->outstanding = size;
		return size > BENCH_CHANNELS ? -EINVAL : 0;
	}
	return -EINVAL;
}

/* Running it */

/* The server reads nothing for a while, and has read what came before. */
static int stall(const struct bench_side *side)
{
	struct hv_ring_buffer_info *ring;
	u64 value, end;
	int err;

	err = bench_ask(side, 0, TESTDEV_STALL, 0, 0, STALL_MS, 0, &value);
	if (err)
		return err;
	ring = &side->device(0)->channel->outbound;
	end = ktime_get_ns() + NSEC_PER_SEC;
	/* Its answer goes before it says how far it has read. */
	while (hv_get_bytes_to_write(ring) < BURST_BYTES) {
		if (ktime_get_ns() > end)
			return -ETIMEDOUT;
		cond_resched();
	}
	return 0;
}

static void mark_ops(const struct bench_run *run)
{
	u32 i;

	for (i = 0; i < run->ops; i++) {
		if (run->kmcl)
			profile_mark(PROFILE_OP + 1);
		else
			profile_mark(PROFILE_OP);
	}
}

/* All of it is counted, but only what the job starts and stops is timed. */
static int run_block(const struct bench_side *side, const struct bench_job *job,
		     struct bench_run *run)
{
	int err = job->stalled ? stall(side) : 0;

	run->ns = 0;
	run->kmcl = side == &bench_kmcl;
	err = err ?: side_fn(side, job)(run);
	mark_ops(run);
	return err;
}

static u32 patience(const struct bench_job *job)
{
	return job->patience ?: 1;
}

static u32 whole(const struct bench_job *job, const struct bench_run *run,
		 u64 ops)
{
	if (job->queued)
		return ops;
	return max_t(u32, rounddown(ops, run->outstanding), run->outstanding);
}

static u64 least_ops(const struct bench_job *job, const struct bench_run *run)
{
	if (job->queued)
		return (RING_BYTES - 1) / bench_bytes(1, run->size) +
		       run->outstanding;
	if (job->flood)
		return FLOOD_BYTES / bench_bytes(1, run->size);
	return job->least;
}

static u64 most_ops(const struct bench_job *job, const struct bench_run *run)
{
	if (job->queued)
		return least_ops(job, run);
	if (job->stalled)
		return BURST_BYTES / bench_bytes(1, run->size);
	if (job->run == offsetof(struct bench_side, receive))
		return TESTDEV_MAX_PUSH;
	return U32_MAX;
}

/*
 * Both sides warm up with it. The fastest block counts: others may have been
 * interrupted.
 */
static int find_ops(const struct bench_side *const *sides,
		    const struct bench_job *job, struct bench_run *run)
{
	u64 want = block_ms * NSEC_PER_MSEC * patience(job);
	u64 least = least_ops(job, run);
	u64 most = most_ops(job, run);
	u64 best = U64_MAX;		/* ns for one */
	unsigned int i;
	int err;

	run->ops = whole(job, run, least);
	for (i = 0; i < WARM_BLOCKS; i++) {
		err = run_block(sides[i % 2], job, run);
		if (err)
			return err;
		best = min(best, div_u64(run->ns, run->ops) + 1);
		if (i % 2)
			run->ops = whole(job, run, clamp(div64_u64(want, best),
							 least, most));
	}
	return 0;
}

struct bench_block {
	u64 ns;
	u64 signals;
};

/* What came of a side; all but @wakeups and @allocs is of timed blocks alone. */
struct bench_outcome {
	struct bench_block *blocks;
	u64 needless;	/* signals that hv_vmbus had no reason for */
	u64 wakeups;
	u64 allocs;
};

static u64 signals(const struct bench_side *side, const struct bench_run *run)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < run->channels; i++)
		sum += side->device(i)->channel->sig_events;
	return sum;
}

/* Those for a packet in an empty ring, and for room in one that was full. */
static u64 needed(const struct bench_side *side, const struct bench_run *run)
{
	u64 sum = 0;
	u32 i;

	for (i = 0; i < run->channels; i++) {
		const struct vmbus_channel *chan = side->device(i)->channel;

		sum += chan->intr_out_empty + chan->intr_in_full;
	}
	return sum;
}

/*
 * Only the second time counts: what a block finds, a server that is awake or asleep,
 * caches, translated code, is then what its own side left, whichever came before.
 */
static int run_twice(const struct bench_side *side, const struct bench_job *job,
		     struct bench_run *run, struct bench_outcome *outcome, u32 i)
{
	struct bench_block *block = &outcome->blocks[i];
	int err = run_block(side, job, run);
	u64 before = signals(side, run);
	u64 needed_before = needed(side, run);

	err = err ?: run_block(side, job, run);
	block->ns = run->ns;
	block->signals = signals(side, run) - before;
	outcome->needless += block->signals -
			     (needed(side, run) - needed_before);
	return err;
}

/* How often the server was woken; the asking is a wake-up, too. */
static int add_wakeups(const struct bench_side *side, const struct bench_run *run,
		       s64 factor, u64 *sum)
{
	u64 value;
	int err = 0;
	u32 i;

	for (i = 0; i < run->channels && !err; i++) {
		err = bench_ask(side, i, TESTDEV_BENCH, 1, 0, 0, 0, &value);
		*sum += factor * (s64)value;
	}
	return err;
}

/* Of both sides, with @factor -1 before and 1 after what is counted. */
static int count_wakeups(const struct bench_side *const *sides,
			 const struct bench_run *run, s64 factor,
			 struct bench_outcome *outcome)
{
	unsigned int s;
	int err = 0;

	for (s = 0; s < 2 && !err; s++) {
		err = add_wakeups(sides[s], run, factor, &outcome[s].wakeups);
		if (factor > 0)
			outcome[s].wakeups -= run->channels;
	}
	return err;
}

/* A pair of blocks more, which is not timed: looking costs time. */
static int count_allocs(const struct bench_side *const *sides,
			const struct bench_job *job, struct bench_run *run,
			struct bench_outcome *outcome)
{
	unsigned int s;
	int err = 0;

	for (s = 0; s < 2 && !err; s++) {
		err = allocs_begin();
		if (err)
			break;
		err = run_block(sides[s], job, run);
		outcome[s].allocs = allocs_end();
	}
	return err;
}

/* Long blocks are few, but never fewer than the least. */
static u32 how_many(const struct bench_job *job, const struct bench_run *run,
		    u32 blocks)
{
	if (job->patience)
		return blocks * job->patience;
	return run->ns > LONG_BLOCK ? min_t(u32, blocks, LEAST_BLOCKS) : blocks;
}

static int measure(const struct bench_side *const *sides,
		   const struct bench_job *job, struct bench_run *run,
		   u32 blocks, struct bench_outcome *outcome)
{
	int err = count_wakeups(sides, run, -1, outcome);
	unsigned int i, s;

	for (i = 0; i < 2 * blocks && !err; i++) {
		/* raw kmcl, kmcl raw, raw kmcl, … */
		s = (i ^ i >> 1) & 1;
		err = run_twice(sides[s], job, run, &outcome[s], i / 2);
	}
	err = err ?: count_wakeups(sides, run, 1, outcome);
	return err ?: count_allocs(sides, job, run, outcome);
}

static void show(struct seq_file *out, const struct bench_side *side,
		 const struct bench_job *job, u32 size,
		 const struct bench_run *run, u32 blocks,
		 const struct bench_outcome *outcome)
{
	unsigned int i;

	seq_printf(out, "blocks: %s %u %s ops=%u wakeups=%llu allocs=%llu needless=%llu ns:signals=",
		   job->name, size, side->name, run->ops, outcome->wakeups,
		   outcome->allocs, outcome->needless);
	for (i = 0; i < blocks; i++)
		seq_printf(out, "%llu:%llu%c", outcome->blocks[i].ns,
			   outcome->blocks[i].signals,
			   i + 1 < blocks ? ',' : '\n');
}

static int run_job(const struct bench_job *job, u32 size, u32 blocks,
		   struct bench_run *run, struct seq_file *out)
{
	const struct bench_side *const sides[] = { &bench_raw, &bench_kmcl };
	struct bench_outcome outcome[2] = {};
	unsigned int s;
	int err = find_ops(sides, job, run);

	blocks = how_many(job, run, blocks);
	for (s = 0; s < 2 && !err; s++) {
		outcome[s].blocks = kvcalloc(blocks, sizeof(struct bench_block),
					     GFP_KERNEL);
		if (!outcome[s].blocks)
			err = -ENOMEM;
	}
	err = err ?: measure(sides, job, run, blocks, outcome);
	for (s = 0; s < 2; s++) {
		if (!err)
			show(out, sides[s], job, size, run, blocks, &outcome[s]);
		kvfree(outcome[s].blocks);
	}
	return err;
}

int bench_job(const char *name, u32 size, u32 blocks, struct seq_file *out)
{
	const struct bench_job *job = NULL;
	struct bench_run run = {};
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		if (!strcmp(jobs[i].name, name))
			job = &jobs[i];
	if (!job || !size || !blocks)
		return -EINVAL;
	err = run_init(&run, job, size) ?: run_job(job, size, blocks, &run, out);
	profile_mark(PROFILE_END);
	run_free(&run, job);
	return err;
}
