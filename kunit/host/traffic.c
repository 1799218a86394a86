// SPDX-License-Identifier: GPL-2.0-only
/*
 * Traffic (traffic.h): checks what the guest sends and sends as much itself. No
 * log line, no memory and no search for a packet: the guest's are told by their
 * order, and what the server waits for by a bit each.
 */
#include "testdev.h"

#include "qemu/bitmap.h"

#include "traffic.h"

/* More than a guest lets wait for completions at one time. */
#define ANSWERS_MAX	1024

/* Others of the main loop get their turn after so many. */
#define BATCH		64

#define PACKET_ID	0x7472616600000000ull

struct answer {
	uint64_t id;
	uint64_t head;
};

struct testdev_traffic {
	uint32_t seed;
	uint32_t count;
	uint32_t max;
	uint32_t next_in;
	uint32_t next_out;
	unsigned long *pending;		/* a bit for each that asked for a completion */
	uint64_t *heads;		/* of those */
	struct answer answers[ANSWERS_MAX];
	unsigned int first_answer;
	unsigned int nr_answers;
	__u64 data[TESTDEV_MAX_PAYLOAD / 8 + 1];
	struct testdev_traffic_report report;
};

static void note_error(struct testdev *dev, enum testdev_traffic_error error, uint32_t n)
{
	struct testdev_traffic_report *report = &dev->traffic->report;

	if (report->errors++)
		return;
	report->first_error = error;
	report->first_number = n;
	testdev_log(dev, "traffic: error %u at packet %u", error, n);
}

static enum testdev_traffic_error check_pages(struct guest_memory *mem, uint32_t n,
					      uint32_t pages)
{
	__u64 page[TESTDEV_TRAFFIC_PAGE / 8], head;
	uint32_t i;

	if (mem->size != pages * sizeof(page))
		return TESTDEV_TRAFFIC_SHAPE;
	for (i = 0; i < pages; i++) {
		if (memory_read(mem, i * sizeof(page), page, sizeof(page)) ||
		    testdev_traffic_check(page, sizeof(page), sizeof(page), 2 * n + i, &head))
			return TESTDEV_TRAFFIC_PAGES;
		head = ~head;
		if (memory_write(mem, i * sizeof(page), &head, sizeof(head)))
			return TESTDEV_TRAFFIC_PAGES;
	}
	return TESTDEV_TRAFFIC_OK;
}

static enum testdev_traffic_error check_packet(struct testdev *dev,
					       const struct host_packet *packet, __u64 *head)
{
	struct testdev_traffic *tr = dev->traffic;
	uint32_t n = tr->next_in;
	struct testdev_traffic_plan plan = testdev_traffic_plan(tr->seed, n, tr->max);
	bool gpa_direct = packet->type == VMBUS_PACKET_DATA_USING_GPA_DIRECT;
	enum testdev_traffic_error error;
	struct guest_memory *mem;

	error = testdev_traffic_check(packet->msg, packet->msglen, plan.size, n, head);
	if (error)
		return error;
	tr->report.received_bytes += plan.size;
	if (packet->need_comp != !!plan.completed || gpa_direct != !!plan.pages)
		return TESTDEV_TRAFFIC_SHAPE;
	if (!plan.pages)
		return TESTDEV_TRAFFIC_OK;
	tr->report.gpa_pages += plan.pages;
	mem = host_packet_memory(dev, packet);
	if (!mem)
		return TESTDEV_TRAFFIC_SHAPE;
	error = check_pages(mem, n, plan.pages);
	g_free(mem);
	return error;
}

static void queue_answer(struct testdev_traffic *tr, uint64_t id, uint64_t head)
{
	unsigned int last = (tr->first_answer + tr->nr_answers++) % ANSWERS_MAX;

	tr->answers[last] = (struct answer) { id, head };
}

/* Does this packet of the guest's belong to it? */
bool traffic_takes(struct testdev *dev, const struct host_packet *packet)
{
	struct testdev_traffic *tr = dev->traffic;
	enum testdev_traffic_error error;
	uint32_t magic = 0;
	__u64 head = 0;

	if (!tr || tr->next_in == tr->count)
		return false;
	/* Requests go on meanwhile; no packet has such a number. */
	memcpy(&magic, packet->msg, MIN(packet->msglen, sizeof(magic)));
	if (magic == TESTDEV_MAGIC)
		return false;
	error = check_packet(dev, packet, &head);
	if (error)
		note_error(dev, error, tr->next_in);
	tr->next_in++;
	tr->report.received++;
	tr->report.received_sum = testdev_traffic_mix(tr->report.received_sum, head);
	if (packet->need_comp)
		queue_answer(tr, packet->transaction_id, head);
	return true;
}

/* The same for a completion. */
bool traffic_completed(struct testdev *dev, const struct host_packet *packet)
{
	struct testdev_traffic *tr = dev->traffic;
	uint64_t n = packet->transaction_id - PACKET_ID;
	uint64_t head;

	if (!tr || n >= tr->count)
		return false;
	if (packet->msglen != sizeof(head) || !test_and_clear_bit(n, tr->pending) ||
	    memcmp(packet->msg, &tr->heads[n], sizeof(head)))
		note_error(dev, TESTDEV_TRAFFIC_ANSWER, n);
	else
		tr->report.completed++;
	return true;
}

bool traffic_is_full(struct testdev *dev)
{
	return dev->traffic && dev->traffic->nr_answers == ANSWERS_MAX;
}

/* Both return false when the rest has to wait for room. */
static bool send_answers(struct testdev *dev, struct testdev_traffic *tr)
{
	struct answer *answer;

	for (; tr->nr_answers; tr->nr_answers--) {
		answer = &tr->answers[tr->first_answer];
		if (out_send(dev, VMBUS_PACKET_COMP, answer->id, &answer->head,
			     sizeof(answer->head), false) == -ENOSPC)
			return false;
		tr->first_answer = (tr->first_answer + 1) % ANSWERS_MAX;
		tr->report.answered++;
	}
	return true;
}

static bool send_one(struct testdev *dev, struct testdev_traffic *tr)
{
	uint32_t n = tr->next_out, seed = tr->seed + 1;
	struct testdev_traffic_plan plan = testdev_traffic_plan(seed, n, tr->max);
	__u64 head = testdev_traffic_fill(tr->data, plan.size, seed, n);

	/* It may be completed before this returns. */
	tr->heads[n] = head;
	if (out_send(dev, VMBUS_PACKET_DATA_INBAND, PACKET_ID + n, tr->data, plan.size,
		     plan.completed) == -ENOSPC)
		return false;
	if (plan.completed) {
		set_bit(n, tr->pending);
		tr->report.asked++;
	}
	tr->next_out++;
	tr->report.sent++;
	tr->report.sent_bytes += plan.size;
	tr->report.sent_sum = testdev_traffic_mix(tr->report.sent_sum, head);
	return true;
}

void traffic_flush(struct testdev *dev)
{
	struct testdev_traffic *tr = dev->traffic;
	unsigned int i;

	if (!tr || !send_answers(dev, tr))
		return;
	for (i = 0; tr->next_out < tr->count; i++) {
		if (i == BATCH) {
			host_wake(dev);
			return;
		}
		if (!send_one(dev, tr))
			return;
	}
}

enum testdev_status traffic_start(struct testdev *dev, const struct testdev_request *rq)
{
	struct testdev_traffic *tr = dev->traffic;

	if (!rq->length || rq->length > TESTDEV_MAX_TRAFFIC ||
	    rq->offset > TESTDEV_MAX_PAYLOAD || !out_fits(dev, rq->offset))
		return TESTDEV_ERANGE;
	if (tr && (tr->next_in < tr->count || tr->next_out < tr->count))
		return TESTDEV_EBUSY;
	traffic_stop(dev);
	tr = g_new0(struct testdev_traffic, 1);
	tr->seed = rq->seed;
	tr->count = rq->length;
	tr->max = rq->offset;
	tr->pending = bitmap_new(tr->count);
	tr->heads = g_new0(uint64_t, tr->count);
	dev->traffic = tr;
	testdev_log(dev, "traffic: %u packets of up to %u bytes each way", tr->count, tr->max);
	return TESTDEV_OK;
}

enum testdev_status traffic_report(struct testdev *dev, void *to)
{
	const struct testdev_traffic_report *report;

	if (!dev->traffic)
		return TESTDEV_EPROTO;
	report = &dev->traffic->report;
	memcpy(to, report, sizeof(*report));
	testdev_log(dev, "traffic: %" PRIu64 " packets received, %" PRIu64 " answered, %" PRIu64
		    " sent, %" PRIu64 " of %" PRIu64 " completed, %" PRIu64 " errors",
		    (uint64_t)report->received, (uint64_t)report->answered,
		    (uint64_t)report->sent, (uint64_t)report->completed,
		    (uint64_t)report->asked, (uint64_t)report->errors);
	return TESTDEV_OK;
}

void traffic_stop(struct testdev *dev)
{
	struct testdev_traffic *tr = dev->traffic;

	dev->traffic = NULL;
	if (!tr)
		return;
	g_free(tr->pending);
	g_free(tr->heads);
	g_free(tr);
}
