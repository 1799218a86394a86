// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jobs as a driver of hv_vmbus does them by hand: what KMCL is measured
 * against. It is meant to be the fastest driver that hv_vmbus's exported
 * functions allow and that could be used for real, so it keeps what no driver
 * can do without: it believes no transaction id, it loses nothing when a ring is
 * full, and it does its work in softirq context.
 *
 * - Reading: HV_CALL_ISR, masked with hv_begin_read() and read in a tasklet, as
 *   netvsc does with NAPI. mode=1 takes HV_CALL_BATCHED instead, where hv_vmbus
 *   has the tasklet and masks, as storvsc does. Reading in the interrupt itself
 *   would save the tasklet, but no driver can take its locks there, or leave
 *   interrupts off for as long as a host likes to send.
 * - hv_pkt_iter_first() copies each packet out of the ring, and nothing that is
 *   exported does not. Packets are used in that copy: there is no second one.
 * - Transaction ids are indices into a table. hv_vmbus's requestor does the same
 *   under one more lock for each packet sent and one for each completed.
 * - Sending: vmbus_sendpacket(), and vmbus_sendpacket_mpb_desc() for external
 *   data with the descriptor prepared; each locks the ring, copies once, and
 *   signals when the ring was empty. No write without a signal is exported.
 *   vmbus_sendpacket_pagebuffer() is limited to 32 pages and gone from newer
 *   kernels.
 * - Room in a full ring: pending_send_sz, as hv_sock does. Polling for it would
 *   burn the CPU that the host may need.
 */

#include <linux/completion.h>
#include <linux/hyperv.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "bench.h"
#include "../../vmbkmcl/compat.h"

#define RAW_SLOTS	BENCH_OUTSTANDING
#define RAW_BUDGET	64

/* Completions of the server's packets that may wait for room. */
#define RAW_COMPLETIONS	1024

static int mode;
module_param(mode, int, 0444);
MODULE_PARM_DESC(mode, "how the raw driver reads: 0 own tasklet, 1 hv_vmbus's");

union raw_desc {
	struct vmbus_packet_mpb_array head;
	u8 room[sizeof(struct vmbus_packet_mpb_array) +
		BENCH_EXTERNAL / HV_HYP_PAGE_SIZE * sizeof(u64)];
};

/* A request on its way; its index + 1 is the transaction id. */
struct raw_slot {
	bool in_flight;
	u32 left;
	void (*done)(struct raw_slot *slot, const void *data, u32 len);
	struct raw *raw;
	struct raw_slot *stuck;
	union raw_desc desc;
};

struct raw {
	struct hv_device *hdev;
	struct vmbus_channel *chan;
	struct tasklet_struct poll;
	struct raw_slot *slots;

	/* one request that is waited for */
	struct completion done;
	void *reply;
	u32 reply_len;

	/* a full ring: only the poll touches the first two */
	struct raw_slot *stuck;
	struct {
		u64 ids[RAW_COMPLETIONS];
		u32 head, tail;
	} completions;
	bool waiting;
	struct completion room;

	/* receiving */
	u32 expected;
	u64 sum;
};

static struct raw raws[BENCH_CHANNELS];
static unsigned int nr_devices, nr_open;

/* The block under way. */
static struct {
	struct bench_run *run;
	atomic_t active;
	struct completion done;
	int err;
} block;

/* Reading */

static struct raw_slot *raw_free_slot(struct raw *raw, u64 id)
{
	struct raw_slot *slot;

	if (!id || id > RAW_SLOTS)
		return NULL;
	slot = &raw->slots[id - 1];
	if (!slot->in_flight)
		return NULL;
	slot->in_flight = false;
	return slot;
}

static void raw_complete(struct raw *raw, u64 id)
{
	if (raw->completions.head == raw->completions.tail &&
	    !vmbus_sendpacket(raw->chan, NULL, 0, id, VM_PKT_COMP, 0))
		return;
	raw->completions.ids[raw->completions.head++ % RAW_COMPLETIONS] = id;
}

static void raw_packet(struct raw *raw, const struct vmpacket_descriptor *desc)
{
	const void *data = (const u8 *)desc + (desc->offset8 << 3);
	u32 len = (desc->len8 - desc->offset8) << 3;
	struct raw_slot *slot;

	switch (desc->type) {
	case VM_PKT_COMP:
		slot = raw_free_slot(raw, desc->trans_id);
		if (slot)
			slot->done(slot, data, len);
		break;
	case VM_PKT_DATA_INBAND:
		if (len < sizeof(u64) || !raw->expected)
			break;
		raw->sum += *(const u64 *)data;
		if (desc->flags & VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED)
			raw_complete(raw, desc->trans_id);
		if (!--raw->expected)
			complete(&block.done);
		break;
	}
}

/* Asks for a wake-up; the ring is to be tried once more after it. */
static void raw_want_room(struct raw *raw, u32 bytes)
{
	set_channel_pending_send_size(raw->chan, bytes);
	/* The host sees the wish before the ring is looked at again. */
	virt_mb();
}

static int raw_put(struct raw_slot *slot);

static bool raw_flush_some(struct raw *raw)
{
	u64 id;

	while (raw->stuck) {
		if (raw_put(raw->stuck))
			return false;
		raw->stuck = raw->stuck->stuck;
	}
	while (raw->completions.head != raw->completions.tail) {
		id = raw->completions.ids[raw->completions.tail % RAW_COMPLETIONS];
		if (vmbus_sendpacket(raw->chan, NULL, 0, id, VM_PKT_COMP, 0))
			return false;
		raw->completions.tail++;
	}
	return true;
}

static void raw_flush(struct raw *raw)
{
	if (READ_ONCE(raw->waiting)) {
		WRITE_ONCE(raw->waiting, false);
		complete(&raw->room);
	}
	if (!raw->stuck && raw->completions.head == raw->completions.tail)
		return;
	if (!raw_flush_some(raw)) {
		raw_want_room(raw, BENCH_RING_PAGES * PAGE_SIZE / 4);
		if (!raw_flush_some(raw))
			return;
	}
	set_channel_pending_send_size(raw->chan, 0);
}

/* What the server sends is left in the ring while it takes no completions. */
static bool raw_is_full(const struct raw *raw)
{
	return raw->completions.head - raw->completions.tail == RAW_COMPLETIONS;
}

static unsigned int raw_read(struct raw *raw)
{
	const struct vmpacket_descriptor *desc;
	unsigned int n = 0;

	if (raw_is_full(raw))
		return 0;
	desc = hv_pkt_iter_first(raw->chan);
	while (desc) {
		raw_packet(raw, desc);
		if (++n == RAW_BUDGET || raw_is_full(raw)) {
			__hv_pkt_iter_next(raw->chan, desc);
			hv_pkt_iter_close(raw->chan);
			break;
		}
		desc = hv_pkt_iter_next(raw->chan, desc);
	}
	return n;
}

static void raw_poll(struct tasklet_struct *t)
{
	struct raw *raw = container_of(t, struct raw, poll);

	do {
		unsigned int n = raw_read(raw);

		raw_flush(raw);
		if (n == RAW_BUDGET) {
			tasklet_schedule(&raw->poll);
			return;
		}
	} while (hv_end_read(&raw->chan->inbound) && !raw_is_full(raw));
}

static void raw_event(void *context)
{
	struct raw *raw = context;

	hv_begin_read(&raw->chan->inbound);
	tasklet_schedule(&raw->poll);
}

static void raw_event_batched(void *context)
{
	struct raw *raw = context;

	raw_read(raw);
	raw_flush(raw);
}

/* Sending */

static int raw_put_gpa_direct(struct raw_slot *slot, u64 id)
{
	const struct bench_run *run = block.run;
	struct vmbus_packet_mpb_array *desc = &slot->desc.head;
	u32 pages = run->size / HV_HYP_PAGE_SIZE;
	u64 *pfns = desc->range.pfn_array;

	desc->rangecount = 1;
	desc->range.len = run->size;
	desc->range.offset = 0;
	memcpy(pfns, run->pfns, pages * sizeof(*pfns));
	return vmbus_sendpacket_mpb_desc(slot->raw->chan, desc,
					 sizeof(*desc) + pages * sizeof(*pfns),
					 run->payload, BENCH_HEADER, id);
}

static int raw_put(struct raw_slot *slot)
{
	const struct bench_run *run = block.run;
	struct raw *raw = slot->raw;
	u64 id = slot - raw->slots + 1;
	int err;

	slot->in_flight = true;
	if (run->pfns)
		err = raw_put_gpa_direct(slot, id);
	else
		err = vmbus_sendpacket(raw->chan, run->payload, run->size, id,
				       VM_PKT_DATA_INBAND,
				       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	if (err)
		slot->in_flight = false;
	return err;
}

/* Of a process: wait until so much of the ring is free that it is worth it. */
static int raw_send(struct raw *raw, void *data, u32 size, u64 id, u32 flags)
{
	int err = vmbus_sendpacket(raw->chan, data, size, id,
				   VM_PKT_DATA_INBAND, flags);

	while (err == -EAGAIN) {
		reinit_completion(&raw->room);
		WRITE_ONCE(raw->waiting, true);
		raw_want_room(raw, BENCH_RING_PAGES * PAGE_SIZE / 4);
		err = vmbus_sendpacket(raw->chan, data, size, id,
				       VM_PKT_DATA_INBAND, flags);
		if (err == -EAGAIN) {
			wait_for_completion(&raw->room);
			err = vmbus_sendpacket(raw->chan, data, size, id,
					       VM_PKT_DATA_INBAND, flags);
		}
		WRITE_ONCE(raw->waiting, false);
		set_channel_pending_send_size(raw->chan, 0);
	}
	return err;
}

static void raw_waited_for(struct raw_slot *slot, const void *data, u32 len)
{
	struct raw *raw = slot->raw;

	raw->reply_len = min(len, raw->reply_len);
	memcpy(raw->reply, data, raw->reply_len);
	complete(&raw->done);
}

static int raw_request(struct raw *raw, void *data, u32 size, void *reply,
		       u32 *len)
{
	struct raw_slot *slot = &raw->slots[0];
	int err;

	raw->reply = reply;
	raw->reply_len = *len;
	slot->done = raw_waited_for;
	slot->in_flight = true;
	err = raw_send(raw, data, size, 1,
		       VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	if (err) {
		slot->in_flight = false;
		return err;
	}
	wait_for_completion(&raw->done);
	*len = raw->reply_len;
	return 0;
}

static int raw_ask(unsigned int i, const struct testdev_request *rq, u64 *value)
{
	struct testdev_response rsp;
	u32 len = sizeof(rsp);
	int err = raw_request(&raws[i], (void *)rq, sizeof(*rq), &rsp, &len);

	if (err)
		return err;
	if (len != sizeof(rsp) || rsp.status)
		return -EPROTO;
	*value = rsp.value;
	return 0;
}

/* The jobs */

static int raw_round_trip(struct bench_run *run)
{
	u32 i, len = 0;
	int err = 0;

	bench_start(run);
	for (i = 0; i < run->ops && !err; i++) {
		len = BENCH_PAYLOAD;
		err = raw_request(&raws[0], run->payload, run->size, run->reply,
				  &len);
	}
	bench_stop(run);
	return err ?: len == run->size ? 0 : -EPROTO;
}

static void raw_again(struct raw_slot *slot, const void *data, u32 len)
{
	struct raw *raw = slot->raw;
	int err;

	if (!--slot->left) {
		if (atomic_dec_and_test(&block.active))
			complete(&block.done);
		return;
	}
	err = raw->stuck ? -EAGAIN : raw_put(slot);
	if (err == -EAGAIN) {
		struct raw_slot **tail = &raw->stuck;

		while (*tail)
			tail = &(*tail)->stuck;
		slot->stuck = NULL;
		*tail = slot;
	} else if (err) {
		block.err = err;
		complete(&block.done);
	}
}

static int raw_pipelined(struct bench_run *run)
{
	u32 each = run->outstanding / run->channels, i;
	int err = 0;

	block.run = run;
	block.err = 0;
	atomic_set(&block.active, run->outstanding);
	bench_start(run);
	for (i = 0; i < run->outstanding && !err; i++) {
		struct raw_slot *slot = &raws[i / each].slots[i % each];

		slot->left = run->ops / run->outstanding;
		slot->done = raw_again;
		err = raw_put(slot);
	}
	if (!err)
		wait_for_completion(&block.done);
	bench_stop(run);
	return err ?: block.err;
}

static int raw_one_way(struct bench_run *run)
{
	u32 i, len = BENCH_PAYLOAD;
	int err = 0;

	bench_start(run);
	for (i = 0; i < run->ops && !err; i++)
		err = raw_send(&raws[0], run->payload, run->size, 0, 0);
	err = err ?: raw_request(&raws[0], run->payload, BENCH_HEADER,
				 run->reply, &len);
	bench_stop(run);
	return err;
}

static int raw_send_cpu(struct bench_run *run)
{
	struct vmbus_channel *chan = raws[0].chan;
	int err = 0;
	u32 i;

	bench_start(run);
	for (i = 0; i < run->ops && !err; i++)
		err = vmbus_sendpacket(chan, run->payload, run->size, 0,
				       VM_PKT_DATA_INBAND, 0);
	bench_stop(run);
	return err;
}

static int raw_receive(struct bench_run *run)
{
	struct testdev_request rq = bench_push(run, run->ops);
	u64 value;
	int err;

	raws[0].expected = run->ops;
	bench_start(run);
	err = raw_ask(0, &rq, &value);
	if (!err)
		wait_for_completion(&block.done);
	bench_stop(run);
	return err;
}

/* The poll that waits for the end of this runs in here. */
static int raw_drain(struct bench_run *run, u32 bytes)
{
	int err = bench_wait_for_bytes(raws[0].chan, bytes);

	bench_start(run);
	local_bh_enable();
	if (!err)
		wait_for_completion(&block.done);
	bench_stop(run);
	return err;
}

static int raw_request_batch(struct bench_run *run)
{
	u32 i;

	block.run = run;
	atomic_set(&block.active, BENCH_BATCH);
	for (i = 0; i < BENCH_BATCH; i++) {
		raws[0].slots[i].left = 1;
		raws[0].slots[i].done = raw_again;
	}
	local_bh_disable();
	bench_start(run);
	for (i = 0; i < BENCH_BATCH; i++)
		raw_put(&raws[0].slots[i]);
	bench_stop(run);
	return raw_drain(run, bench_bytes(BENCH_BATCH, run->size));
}

static int raw_request_cpu(struct bench_run *run)
{
	int err = 0;
	u32 i;

	for (i = 0; i < run->ops && !err; i += BENCH_BATCH)
		err = raw_request_batch(run);
	return err;
}

static void raw_ignore(struct raw_slot *slot, const void *data, u32 len)
{
}

static int raw_receive_batch(struct bench_run *run)
{
	struct testdev_request rq = bench_push(run, BENCH_BATCH);
	struct raw *raw = &raws[0];

	raw->expected = BENCH_BATCH;
	raw->slots[0].done = raw_ignore;
	raw->slots[0].in_flight = true;
	local_bh_disable();
	vmbus_sendpacket(raw->chan, &rq, sizeof(rq), 1, VM_PKT_DATA_INBAND,
			 VMBUS_DATA_PACKET_FLAG_COMPLETION_REQUESTED);
	return raw_drain(run, bench_bytes(BENCH_BATCH, run->size) +
			 bench_bytes(1, sizeof(struct testdev_response)));
}

static int raw_receive_cpu(struct bench_run *run)
{
	int err = 0;
	u32 i;

	for (i = 0; i < run->ops && !err; i += BENCH_BATCH)
		err = raw_receive_batch(run);
	return err;
}

/* Devices and channels */

static struct hv_vmbus_device_id raw_ids[2];

static int raw_probe(struct hv_device *hdev,
		     const struct hv_vmbus_device_id *id)
{
	if (nr_devices < BENCH_CHANNELS)
		raws[nr_devices++].hdev = hdev;
	return 0;
}

static void raw_remove_device(struct hv_device *hdev)
{
}
KMCL_HV_REMOVE(raw_remove)

static struct hv_driver raw_driver = {
	.name = "vmbkmcl-bench-raw",
	.id_table = raw_ids,
	.probe = raw_probe,
	.remove = raw_remove,
};

static void raw_close_channel(struct raw *raw)
{
	vmbus_close(raw->chan);
	tasklet_kill(&raw->poll);
	kvfree(raw->slots);
}

/* Everything as kmcl.c's channels have it. */
static int raw_open_channel(struct raw *raw)
{
	struct vmbus_channel *chan = raw->hdev->channel;
	unsigned int i;
	int err;

	raw->slots = kvcalloc(RAW_SLOTS, sizeof(*raw->slots), GFP_KERNEL);
	if (!raw->slots)
		return -ENOMEM;
	for (i = 0; i < RAW_SLOTS; i++)
		raw->slots[i].raw = raw;
	raw->chan = chan;
	init_completion(&raw->done);
	init_completion(&raw->room);
	tasklet_setup(&raw->poll, raw_poll);
	chan->max_pkt_size = BENCH_PAYLOAD + 96;
	if (mode != 1)
		set_channel_read_mode(chan, HV_CALL_ISR);
	err = vmbus_open(chan, BENCH_RING_PAGES * PAGE_SIZE,
			 BENCH_RING_PAGES * PAGE_SIZE, NULL, 0,
			 mode == 1 ? raw_event_batched : raw_event, raw);
	if (err)
		kvfree(raw->slots);
	return err;
}

static void raw_close(void)
{
	while (nr_open)
		raw_close_channel(&raws[--nr_open]);
	vmbus_driver_unregister(&raw_driver);
}

static int raw_open(unsigned int channels)
{
	int err;

	init_completion(&block.done);
	err = guid_parse(TESTDEV_RAW_TYPE_GUID, &raw_ids[0].guid) ?:
	      vmbus_driver_register(&raw_driver);
	if (err)
		return err;
	err = nr_devices < channels ? -ENODEV : 0;
	while (!err && nr_open < channels) {
		err = raw_open_channel(&raws[nr_open]);
		if (!err)
			nr_open++;
	}
	if (err)
		raw_close();
	return err;
}

static int raw_is_device(struct device *device, const void *instance)
{
	return guid_equal(&container_of(device, struct hv_device,
					device)->dev_instance, instance);
}

struct hv_device *raw_find_device(const guid_t *instance)
{
	struct device *device = bus_find_device(raw_driver.driver.bus, NULL,
						instance, raw_is_device);

	return device ? container_of(device, struct hv_device, device) : NULL;
}

struct vmbus_channel *raw_channel(unsigned int i)
{
	return raws[i].chan;
}

static struct hv_device *raw_device(unsigned int i)
{
	return raws[i].hdev;
}

const struct bench_side bench_raw = {
	.name = "raw",
	.open = raw_open,
	.close = raw_close,
	.device = raw_device,
	.ask = raw_ask,
	.round_trip = raw_round_trip,
	.pipelined = raw_pipelined,
	.one_way = raw_one_way,
	.send_cpu = raw_send_cpu,
	.request_cpu = raw_request_cpu,
	.receive_cpu = raw_receive_cpu,
	.receive = raw_receive,
	.gpadl = raw_gpadl,
	.user_gpadl = raw_user_gpadl,
};
