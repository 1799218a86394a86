// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jobs as a client of KMCL does them, with what the API offers for each and
 * packet objects that are made once.
 */

#include <linux/completion.h>
#include <linux/wait.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "bench.h"

struct kmcl_op {
	VMBPACKET packet;
	u32 left;
	bool in_flight;
};

struct kmcl_bench {
	VMBCHANNEL ch;
	struct hv_device *hdev;
	struct completion started;
	struct kmcl_op ops[BENCH_OUTSTANDING];
	u32 expected;
	u64 sum;
};

static struct kmcl_bench channels[BENCH_CHANNELS];
static unsigned int nr_open;

/* The block under way. */
static struct {
	struct bench_run *run;
	atomic_t active;
	struct completion done;
	NTSTATUS status;
	wait_queue_head_t wait;
} block;

static int check(NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return 0;
	pr_err("vmbkmcl_bench: status %#x\n", status);
	return -EIO;
}

/* The jobs */

static int kmcl_ask(unsigned int i, const struct testdev_request *rq, u64 *value)
{
	struct testdev_response rsp;
	u32 len = sizeof(rsp);
	int err;

	err = check(VmbChannelSendSynchronousRequest(channels[i].ch,
						     (void *)rq, sizeof(*rq),
						     NULL,
						     VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						     &rsp, &len, NULL));
	if (err)
		return err;
	if (len != sizeof(rsp) || rsp.status)
		return -EPROTO;
	*value = rsp.value;
	return 0;
}

static NTSTATUS request(struct bench_run *run, u32 size, u32 *len)
{
	*len = BENCH_PAYLOAD;
	return VmbChannelSendSynchronousRequest(channels[0].ch, run->payload,
						size, NULL,
						VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						run->reply, len, NULL);
}

static int kmcl_round_trip(struct bench_run *run)
{
	NTSTATUS status = STATUS_SUCCESS;
	u32 i, len = 0;

	bench_start(run);
	for (i = 0; i < run->ops && NT_SUCCESS(status); i++)
		status = request(run, run->size, &len);
	bench_stop(run);
	return check(status) ?: len == run->size ? 0 : -EPROTO;
}

static NTSTATUS put(struct kmcl_op *op)
{
	const struct bench_run *run = block.run;

	if (!run->pfns)
		return VmbPacketSend(op->packet, run->payload, run->size, NULL,
				     VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	return VmbPacketSendWithExternalPfns(op->packet, run->payload,
					     BENCH_HEADER, run->pfns,
					     run->size / HV_HYP_PAGE_SIZE,
					     VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
}

static VOID again(VMBPACKET packet, PVOID context, NTSTATUS status,
		  PVOID buffer, UINT32 length)
{
	struct kmcl_op *op = context;

	if (!--op->left) {
		if (atomic_dec_and_test(&block.active))
			complete(&block.done);
		return;
	}
	if (NT_SUCCESS(status))
		status = put(op);
	if (!NT_SUCCESS(status)) {
		block.status = status;
		complete(&block.done);
	}
}

static int kmcl_pipelined(struct bench_run *run)
{
	u32 each = run->outstanding / run->channels, i;
	NTSTATUS status = STATUS_SUCCESS;

	block.run = run;
	block.status = STATUS_SUCCESS;
	atomic_set(&block.active, run->outstanding);
	bench_start(run);
	for (i = 0; i < run->outstanding && NT_SUCCESS(status); i++) {
		struct kmcl_op *op = &channels[i / each].ops[i % each];

		op->left = run->ops / run->outstanding;
		VmbPacketSetCompletionRoutineEx(op->packet, again, op);
		status = put(op);
	}
	if (NT_SUCCESS(status))
		wait_for_completion(&block.done);
	bench_stop(run);
	return check(status) ?: check(block.status);
}

static VOID sent(VMBPACKET packet, PVOID context, NTSTATUS status, PVOID buffer,
		 UINT32 length)
{
	struct kmcl_op *op = context;

	if (!NT_SUCCESS(status))
		block.status = status;
	WRITE_ONCE(op->in_flight, false);
	if (wq_has_sleeper(&block.wait))
		wake_up(&block.wait);
}

static NTSTATUS send_one(struct bench_run *run, struct kmcl_op *op)
{
	if (READ_ONCE(op->in_flight))
		wait_event(block.wait, !READ_ONCE(op->in_flight));
	op->in_flight = true;
	return VmbPacketSend(op->packet, run->payload, run->size, NULL, 0);
}

/* In turn: the first one is the first that is free again. */
static NTSTATUS send_all(struct bench_run *run)
{
	NTSTATUS status = STATUS_SUCCESS;
	u32 i, next = 0;

	for (i = 0; i < run->ops && NT_SUCCESS(status); i++) {
		status = send_one(run, &channels[0].ops[next]);
		if (++next == run->outstanding)
			next = 0;
	}
	return status;
}

static void all_call(PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine)
{
	u32 i;

	block.status = STATUS_SUCCESS;
	for (i = 0; i < BENCH_OUTSTANDING; i++) {
		channels[0].ops[i].in_flight = false;
		VmbPacketSetCompletionRoutineEx(channels[0].ops[i].packet,
						routine, &channels[0].ops[i]);
	}
}

static int kmcl_one_way(struct bench_run *run)
{
	NTSTATUS status;
	u32 len;

	all_call(sent);
	bench_start(run);
	status = send_all(run);
	if (NT_SUCCESS(status))
		status = request(run, BENCH_HEADER, &len);
	bench_stop(run);
	return check(status) ?: check(block.status);
}

static int kmcl_send_cpu(struct bench_run *run)
{
	NTSTATUS status;

	all_call(sent);
	bench_start(run);
	status = send_all(run);
	bench_stop(run);
	return check(status) ?: check(block.status);
}

static VOID process_packet(VMBCHANNEL ch, PVOID context,
			   VMBPACKETCOMPLETION packet, PVOID buffer,
			   UINT32 length, UINT32 flags)
{
	struct kmcl_bench *bench = context;
	bool last = false;

	if (length >= sizeof(u64) && bench->expected) {
		bench->sum += *(u64 *)buffer;
		last = !--bench->expected;
	}
	VmbChannelPacketComplete(packet, NULL, 0);
	if (last)
		complete(&block.done);
}

static int kmcl_receive(struct bench_run *run)
{
	struct testdev_request rq = bench_push(run, run->ops);
	u64 value;
	int err;

	channels[0].expected = run->ops;
	bench_start(run);
	err = kmcl_ask(0, &rq, &value);
	if (!err)
		wait_for_completion(&block.done);
	bench_stop(run);
	return err;
}

/* The poll that waits for the end of this runs in here. */
static int kmcl_drain(struct bench_run *run, u32 bytes)
{
	int err = bench_wait_for_bytes(channels[0].hdev->channel, bytes);

	bench_start(run);
	local_bh_enable();
	if (!err)
		wait_for_completion(&block.done);
	bench_stop(run);
	return err;
}

static int kmcl_request_batch(struct bench_run *run)
{
	struct kmcl_op *ops = channels[0].ops;
	u32 i;

	block.run = run;
	atomic_set(&block.active, BENCH_BATCH);
	for (i = 0; i < BENCH_BATCH; i++) {
		ops[i].left = 1;
		VmbPacketSetCompletionRoutineEx(ops[i].packet, again, &ops[i]);
	}
	local_bh_disable();
	bench_start(run);
	for (i = 0; i < BENCH_BATCH; i++)
		put(&ops[i]);
	bench_stop(run);
	return kmcl_drain(run, bench_bytes(BENCH_BATCH, run->size));
}

static int kmcl_request_cpu(struct bench_run *run)
{
	int err = 0;
	u32 i;

	for (i = 0; i < run->ops && !err; i += BENCH_BATCH)
		err = kmcl_request_batch(run);
	return err;
}

static VOID ignore(VMBPACKET packet, PVOID context, NTSTATUS status,
		   PVOID buffer, UINT32 length)
{
}

static int kmcl_receive_batch(struct bench_run *run)
{
	struct testdev_request rq = bench_push(run, BENCH_BATCH);
	struct kmcl_op *op = &channels[0].ops[0];

	channels[0].expected = BENCH_BATCH;
	VmbPacketSetCompletionRoutineEx(op->packet, ignore, NULL);
	local_bh_disable();
	VmbPacketSend(op->packet, &rq, sizeof(rq), NULL,
		      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	return kmcl_drain(run, bench_bytes(BENCH_BATCH, run->size) +
			  bench_bytes(1, sizeof(struct testdev_response)));
}

static int kmcl_receive_cpu(struct bench_run *run)
{
	int err = 0;
	u32 i;

	for (i = 0; i < run->ops && !err; i += BENCH_BATCH)
		err = kmcl_receive_batch(run);
	return err;
}

static int kmcl_gpadl(struct bench_run *run)
{
	NTSTATUS status = STATUS_SUCCESS;
	u32 i, handle;

	bench_start(run);
	for (i = 0; i < run->ops && NT_SUCCESS(status); i++) {
		status = VmbChannelCreateGpadlFromBuffer(channels[0].ch, 0,
							 run->memory, run->size,
							 &handle);
		if (NT_SUCCESS(status))
			VmbChannelDeleteGpadl(channels[0].ch, handle);
	}
	bench_stop(run);
	return check(status);
}

/* Channels */

static VOID post_started(VMBCHANNEL ch)
{
	struct kmcl_bench *bench = VmbChannelGetPointer(ch);

	complete(&bench->started);
}

static void kmcl_close_channel(struct kmcl_bench *bench)
{
	unsigned int i;

	VmbChannelDisable(bench->ch);
	for (i = 0; i < BENCH_OUTSTANDING; i++)
		VmbPacketFree(bench->ops[i].packet);
	if (bench->hdev)
		put_device(&bench->hdev->device);
	VmbChannelCleanup(bench->ch);
	memset(bench, 0, sizeof(*bench));
}

static int kmcl_configure(struct kmcl_bench *bench)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	VMBCHANNEL ch = bench->ch;
	guid_t type;
	int err;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelPostStarted = post_started;
	err = guid_parse(TESTDEV_TYPE_GUID, &type);
	return err ?:
	       check(VmbChannelInitSetStateChangeCallbacks(ch, &evt)) ?:
	       check(VmbChannelInitSetProcessPacketCallbacksEx(ch,
							       process_packet,
							       NULL, bench)) ?:
	       check(VmbChannelInitSetMaximumPacketSize(ch, BENCH_PAYLOAD)) ?:
	       check(VmbChannelInitSetMaximumExternalData(ch, BENCH_EXTERNAL,
							  1)) ?:
	       check(VmbClientChannelInitSetRingBufferPageCount(ch,
								BENCH_RING_PAGES,
								BENCH_RING_PAGES)) ?:
	       check(VmbClientChannelInitSetTargetPnp(ch, &type, NULL, NULL));
}

static int make_packets(struct kmcl_bench *bench)
{
	unsigned int i;

	for (i = 0; i < BENCH_OUTSTANDING; i++) {
		struct kmcl_op *op = &bench->ops[i];

		op->packet = VmbPacketAllocate(bench->ch);
		if (!op->packet)
			return -ENOMEM;
	}
	return 0;
}

static int kmcl_open_channel(struct kmcl_bench *bench)
{
	guid_t instance;
	int err;

	init_completion(&bench->started);
	err = check(VmbChannelAllocate(NULL, FALSE, &bench->ch));
	if (err)
		return err;
	VmbChannelSetPointer(bench->ch, bench);
	err = kmcl_configure(bench) ?: make_packets(bench) ?:
	      check(VmbChannelEnable(bench->ch));
	if (err)
		goto close;
	err = -ENODEV;
	if (!wait_for_completion_timeout(&bench->started, 30 * HZ))
		goto close;
	VmbChannelGetInterfaceInstance(bench->ch, &instance);
	bench->hdev = raw_find_device(&instance);
	if (!bench->hdev)
		goto close;
	return 0;

close:
	kmcl_close_channel(bench);
	return err;
}

static void kmcl_close(void)
{
	while (nr_open)
		kmcl_close_channel(&channels[--nr_open]);
}

static int kmcl_open(unsigned int count)
{
	int err = 0;

	init_completion(&block.done);
	init_waitqueue_head(&block.wait);
	while (!err && nr_open < count) {
		err = kmcl_open_channel(&channels[nr_open]);
		if (!err)
			nr_open++;
	}
	if (err)
		kmcl_close();
	return err;
}

u32 kmcl_packet_size(void)
{
	return VmbChannelSizeofPacket(channels[0].ch);
}

static struct hv_device *kmcl_device(unsigned int i)
{
	return channels[i].hdev;
}

const struct bench_side bench_kmcl = {
	.name = "kmcl",
	.open = kmcl_open,
	.close = kmcl_close,
	.device = kmcl_device,
	.ask = kmcl_ask,
	.round_trip = kmcl_round_trip,
	.pipelined = kmcl_pipelined,
	.one_way = kmcl_one_way,
	.send_cpu = kmcl_send_cpu,
	.request_cpu = kmcl_request_cpu,
	.receive_cpu = kmcl_receive_cpu,
	.receive = kmcl_receive,
	.gpadl = kmcl_gpadl,
	.user_gpadl = kmcl_gpadl,
};
