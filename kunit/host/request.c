// SPDX-License-Identifier: GPL-2.0-only
/*
 * Requests: reading the ring, and each operation of protocol.h. Everything in a
 * packet comes from the guest, so each field is checked before it is used.
 */
#include "testdev.h"

#include "traffic.h"

/* After so many passes others of QEMU's main loop get their turn. */
#define MAX_PASSES	64

/* A packet's length is in words: up to seven bytes behind it are padding. */
#define PACKET_ALIGN	8

struct call {
	struct testdev *dev;
	const struct host_packet *packet;
	struct testdev_request rq;
	const uint8_t *payload;		/* rq.payload_len bytes */

	/* the answer */
	struct testdev_out *out;
	uint64_t value;
	uint32_t payload_len;
	bool delayed;
};

static uint8_t *answer_payload(struct call *call)
{
	return call->out->data + sizeof(struct testdev_response);
}

static bool answer_fits(struct call *call, uint64_t payload_len)
{
	return payload_len <= TESTDEV_MAX_PAYLOAD &&
	       out_fits(call->dev, sizeof(struct testdev_response) + payload_len);
}

static enum testdev_status op_echo(struct call *call)
{
	if (!answer_fits(call, call->rq.payload_len))
		return TESTDEV_ERANGE;
	call->payload_len = call->rq.payload_len;
	memcpy(answer_payload(call), call->payload, call->payload_len);
	return TESTDEV_OK;
}

static enum testdev_status op_delay(struct call *call)
{
	if (call->rq.length > TESTDEV_MAX_DELAY_MS)
		return TESTDEV_ERANGE;
	if (call->dev->nr_delayed == TESTDEV_MAX_DELAYED)
		return TESTDEV_EBUSY;
	call->delayed = true;
	return op_echo(call);
}

static enum testdev_status op_gpadl_length(struct call *call)
{
	enum testdev_status status;
	struct guest_memory *mem;

	status = gpadl_memory(call->dev, call->rq.handle, false, &mem);
	if (status)
		return status;
	call->value = mem->size;
	testdev_log(call->dev, "gpadl 0x%x: %" PRIu64 " bytes", call->rq.handle, mem->size);
	g_free(mem);
	return TESTDEV_OK;
}

static enum testdev_status op_gpadl_crc32(struct call *call)
{
	enum testdev_status status;
	struct guest_memory *mem;
	uint32_t crc;

	status = gpadl_memory(call->dev, call->rq.handle, false, &mem);
	if (status)
		return status;
	status = memory_crc32(mem, &crc);
	if (status)
		goto free_memory;
	call->value = crc;
	testdev_log(call->dev, "gpadl 0x%x: %" PRIu64 " bytes, crc32 %08x",
		    call->rq.handle, mem->size, crc);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_gpadl_fill(struct call *call)
{
	enum testdev_status status;
	struct guest_memory *mem;

	status = gpadl_memory(call->dev, call->rq.handle, true, &mem);
	if (status)
		return status;
	status = memory_fill(mem, call->rq.seed);
	if (status)
		goto free_memory;
	testdev_log(call->dev, "gpadl 0x%x: %" PRIu64 " bytes, filled from seed 0x%x",
		    call->rq.handle, mem->size, call->rq.seed);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_gpadl_write(struct call *call)
{
	enum testdev_status status;
	struct guest_memory *mem;

	status = gpadl_memory(call->dev, call->rq.handle, true, &mem);
	if (status)
		return status;
	status = memory_write(mem, call->rq.offset, call->payload, call->rq.payload_len);
	if (status)
		goto free_memory;
	testdev_log(call->dev, "gpadl 0x%x: wrote %u bytes at %" PRIu64,
		    call->rq.handle, call->rq.payload_len, (uint64_t)call->rq.offset);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_gpadl_read(struct call *call)
{
	enum testdev_status status;
	struct guest_memory *mem;

	status = gpadl_memory(call->dev, call->rq.handle, false, &mem);
	if (status)
		return status;
	status = TESTDEV_ERANGE;
	if (!answer_fits(call, call->rq.length))
		goto free_memory;
	status = memory_read(mem, call->rq.offset, answer_payload(call), call->rq.length);
	if (status)
		goto free_memory;
	call->payload_len = call->rq.length;
	testdev_log(call->dev, "gpadl 0x%x: read %u bytes at %" PRIu64,
		    call->rq.handle, call->payload_len, (uint64_t)call->rq.offset);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_gpadl_hold(struct call *call)
{
	enum testdev_status status = gpadl_hold(call->dev, call->rq.handle);

	if (!status)
		testdev_log(call->dev, "gpadl 0x%x: held", call->rq.handle);
	return status;
}

static enum testdev_status op_gpadl_release(struct call *call)
{
	enum testdev_status status = gpadl_release(call->dev, call->rq.handle);

	if (!status)
		testdev_log(call->dev, "gpadl 0x%x: released", call->rq.handle);
	return status;
}

static enum testdev_status op_report(struct call *call)
{
	const struct testdev_report *count = &call->dev->count;

	if (!answer_fits(call, sizeof(*count)))
		return TESTDEV_ERANGE;
	call->payload_len = sizeof(*count);
	memcpy(answer_payload(call), count, sizeof(*count));
	return TESTDEV_OK;
}

static enum testdev_status op_rescind(struct call *call)
{
	struct testdev *dev = host_sibling(call->dev, call->rq.handle);

	if (!dev || call->rq.length > TESTDEV_MAX_DELAY_MS)
		return TESTDEV_ERANGE;
	return host_rescind(dev, call->rq.length);
}

static enum testdev_status op_reoffer(struct call *call)
{
	struct testdev *dev = host_sibling(call->dev, call->rq.handle);

	if (!dev || call->rq.length > TESTDEV_MAX_DELAY_MS)
		return TESTDEV_ERANGE;
	host_reoffer(dev, call->rq.length);
	return TESTDEV_OK;
}

static enum testdev_status op_forge(struct call *call)
{
	struct testdev_out *out;

	if (call->rq.seed && call->rq.seed != TESTDEV_FORGE_RELATIVE)
		return TESTDEV_EPROTO;
	if (call->rq.length > TESTDEV_MAX_DELAY_MS)
		return TESTDEV_ERANGE;
	out = g_new0(struct testdev_out, 1);
	out->transaction_id = call->rq.offset;
	if (call->rq.seed == TESTDEV_FORGE_RELATIVE)
		out->transaction_id += call->packet->transaction_id;
	/* Delayed also where length is 0: the answer goes first. */
	if (out_delay(call->dev, out, call->rq.length))
		return TESTDEV_OK;
	g_free(out);
	return TESTDEV_EBUSY;
}

static enum testdev_status op_stall(struct call *call)
{
	if (call->rq.length > TESTDEV_MAX_DELAY_MS)
		return TESTDEV_ERANGE;
	out_stall(call->dev, call->rq.length);
	return TESTDEV_OK;
}

static enum testdev_status op_pace(struct call *call)
{
	if (call->rq.length > TESTDEV_MAX_DELAY_MS || call->rq.offset > UINT16_MAX)
		return TESTDEV_ERANGE;
	out_pace(call->dev, call->rq.length, call->rq.offset);
	return TESTDEV_OK;
}

static enum testdev_status op_push(struct call *call)
{
	return out_push(call->dev, &call->rq);
}

static enum testdev_status op_traffic(struct call *call)
{
	return traffic_start(call->dev, &call->rq);
}

static enum testdev_status op_traffic_report(struct call *call)
{
	if (!answer_fits(call, sizeof(struct testdev_traffic_report)))
		return TESTDEV_ERANGE;
	call->payload_len = sizeof(struct testdev_traffic_report);
	return traffic_report(call->dev, answer_payload(call));
}

static enum testdev_status op_gpa_direct_crc32(struct call *call)
{
	struct guest_memory *mem = host_packet_memory(call->dev, call->packet);
	enum testdev_status status;
	uint32_t crc;

	if (!mem)
		return TESTDEV_EPROTO;
	status = memory_crc32(mem, &crc);
	if (status)
		goto free_memory;
	call->value = crc;
	testdev_log(call->dev, "external data: %" PRIu64 " bytes, crc32 %08x",
		    mem->size, crc);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_gpa_direct_fill(struct call *call)
{
	struct guest_memory *mem = host_packet_memory(call->dev, call->packet);
	enum testdev_status status;

	if (!mem)
		return TESTDEV_EPROTO;
	status = memory_fill(mem, call->rq.seed);
	if (status)
		goto free_memory;
	call->value = mem->size;
	testdev_log(call->dev, "external data: %" PRIu64 " bytes, filled from seed 0x%x",
		    mem->size, call->rq.seed);
free_memory:
	g_free(mem);
	return status;
}

static enum testdev_status op_bench(struct call *call)
{
	if (call->rq.seed > 1)
		return TESTDEV_EPROTO;
	if (call->rq.seed && !call->dev->bench)
		bench_begin(call->dev);
	call->dev->bench = call->rq.seed;
	call->value = call->dev->wakeups;
	return TESTDEV_OK;
}

static enum testdev_status op_fault(struct call *call)
{
	return host_fault(call->dev, &call->rq, call->payload, &call->value);
}

static const struct operation {
	enum testdev_status (*run)(struct call *call);
	uint16_t packet_type;
} operations[] = {
	[TESTDEV_ECHO]		= { op_echo, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_LENGTH]	= { op_gpadl_length, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_CRC32]	= { op_gpadl_crc32, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_FILL]	= { op_gpadl_fill, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_WRITE]	= { op_gpadl_write, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_READ]	= { op_gpadl_read, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_HOLD]	= { op_gpadl_hold, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPADL_RELEASE]	= { op_gpadl_release, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_REPORT]	= { op_report, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_DELAY]		= { op_delay, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_RESCIND]	= { op_rescind, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_REOFFER]	= { op_reoffer, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_FORGE]		= { op_forge, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_STALL]		= { op_stall, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_PUSH]		= { op_push, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_GPA_DIRECT_CRC32] = {
		op_gpa_direct_crc32, VMBUS_PACKET_DATA_USING_GPA_DIRECT
	},
	[TESTDEV_GPA_DIRECT_FILL] = {
		op_gpa_direct_fill, VMBUS_PACKET_DATA_USING_GPA_DIRECT
	},
	[TESTDEV_TRAFFIC]	= { op_traffic, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_TRAFFIC_REPORT] = { op_traffic_report, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_PACE]		= { op_pace, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_BENCH]		= { op_bench, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_RULE]		= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_LET_GO]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_EXPECT]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_SCRIBBLE]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_INVENT]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_FUZZ]		= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_FUZZ_MESSAGES]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
	[TESTDEV_FUZZ_LEFT]	= { op_fault, VMBUS_PACKET_DATA_INBAND },
};

/* Behind a pipe's header there is the message, and its length is exact. */
static void unframe(struct testdev *dev, const uint8_t **msg, uint32_t *len)
{
	struct testdev_pipe_header header;

	if (*len < sizeof(header))
		return;
	memcpy(&header, *msg, sizeof(header));
	if (header.type != TESTDEV_PIPE_DATA || header.len > *len - sizeof(header))
		return;
	*msg += sizeof(header);
	*len = header.len;
	dev->is_pipe = true;
}

/* The header is copied: what lies in the packet is not aligned for certain. */
static bool parse(struct call *call)
{
	const uint8_t *msg = call->packet->msg;
	uint32_t len = call->packet->msglen;
	struct testdev_request *rq = &call->rq;
	uint32_t room;

	unframe(call->dev, &msg, &len);
	memcpy(rq, msg, MIN(len, sizeof(*rq)));
	if (len < sizeof(*rq))
		return false;
	if (rq->magic != TESTDEV_MAGIC || rq->reserved)
		return false;
	room = len - sizeof(*rq);
	if (rq->payload_len > TESTDEV_MAX_PAYLOAD || rq->payload_len > room ||
	    room - rq->payload_len >= PACKET_ALIGN)
		return false;
	call->payload = msg + sizeof(*rq);
	return true;
}

static bool is_request(const struct host_packet *packet)
{
	const uint32_t magic = TESTDEV_MAGIC;

	return packet->msglen >= sizeof(magic) &&
	       !memcmp(packet->msg, &magic, sizeof(magic));
}

static enum testdev_status carry_out(struct call *call)
{
	const struct operation *op;

	if (call->packet->refused || !parse(call) || call->rq.op >= ARRAY_SIZE(operations))
		return TESTDEV_EPROTO;
	op = &operations[call->rq.op];
	if (!op->run || op->packet_type != call->packet->type)
		return TESTDEV_EPROTO;
	return op->run(call);
}

static void respond(struct call *call, enum testdev_status status)
{
	struct testdev_out *out = call->out;
	struct testdev_response rsp = {
		.magic = TESTDEV_MAGIC,
		.op = call->rq.op,
		.status = status,
		.payload_len = status ? 0 : call->payload_len,
		.value = status ? 0 : call->value,
	};

	memcpy(out->data, &rsp, sizeof(rsp));
	out->len = sizeof(rsp) + rsp.payload_len;
	out->transaction_id = call->packet->transaction_id;
	if (!status && call->delayed && out_delay(call->dev, out, call->rq.length))
		return;
	out_queue(call->dev, out);
}

static void serve(struct testdev *dev, const struct host_packet *packet)
{
	struct call call = {
		.dev = dev,
		.packet = packet,
	};
	enum testdev_status status;

	if (packet->type == VMBUS_PACKET_COMP) {
		if (!traffic_completed(dev, packet))
			out_completed(dev, packet->transaction_id, packet->msglen);
		return;
	}
	if (traffic_takes(dev, packet))
		return;
	if (!packet->need_comp) {
		dev->count.consumed++;
		return;
	}
	if (dev->bench && !is_request(packet)) {
		bench_serve(dev, packet);
		return;
	}
	dev->count.requests++;
	call.out = g_new0(struct testdev_out, 1);
	status = carry_out(&call);
	if (status) {
		dev->count.bad_requests++;
		testdev_log(dev, "request %u refused: status %u, handle 0x%x",
			    call.rq.op, status, call.rq.handle);
	}
	respond(&call, status);
}

static bool may_read(struct testdev *dev)
{
	return !out_is_full(dev) && !out_is_stalled(dev);
}

/* Reads what the ring holds. Returns true if the ring may hold more. */
static bool read_pass(struct testdev *dev)
{
	struct host_packet packet;
	unsigned int n = 0;

	if (!may_read(dev) || !host_read_begin(dev))
		return false;
	while (may_read(dev) && host_read(dev, &packet)) {
		serve(dev, &packet);
		out_has_read(dev);
		n++;
	}
	if (n)
		out_has_read_all(dev);
	return host_read_end(dev) || n;
}

/*
 * The guest signals only a ring that was empty, and what it adds while a pass is
 * under way comes without a signal: read until a pass finds nothing.
 */
void request_work(struct testdev *dev)
{
	unsigned int i;

	for (i = 0; i < MAX_PASSES; i++) {
		out_flush(dev);
		if (!read_pass(dev)) {
			out_flush(dev);
			return;
		}
	}
	host_wake(dev);
}
