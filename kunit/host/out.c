// SPDX-License-Identifier: GPL-2.0-only
/*
 * What goes to the guest: answers, now or after a delay, and pushed packets.
 * A full ring keeps them queued; the guest's signal that it has read, which
 * QEMU turns into a run of request_work(), sends them on.
 */
#include "testdev.h"

/* So many answers wait for room before no more requests are read. */
#define READY_MAX	32

/* A push leaves the main loop to others after so many packets. */
#define PUSH_BATCH	64

/* Looks for room without a signal this often, should the guest owe one. */
#define RETRY_MS	250

/* Descriptor and trailer of a packet in the ring. */
#define PACKET_OVERHEAD	24

#define PUSH_ID		0x7075736800000000ull

bool out_fits(struct testdev *dev, uint32_t len)
{
	/* One word stays free: a full ring would look empty. */
	return ROUND_UP(len, 8) + PACKET_OVERHEAD + 8 <= dev->answer_ring_len;
}

bool out_is_full(struct testdev *dev)
{
	return dev->nr_ready >= READY_MAX || traffic_is_full(dev);
}

bool out_is_stalled(struct testdev *dev)
{
	return timer_pending(dev->stall_timer);
}

int out_send(struct testdev *dev, uint16_t type, uint64_t id, void *data, uint32_t len,
	     bool need_comp)
{
	int ret = host_send(dev, type, id, data, len, need_comp);

	if (ret == -ENOSPC)
		timer_mod(dev->retry_timer,
			  qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + RETRY_MS);
	else if (ret < 0)
		testdev_log(dev, "packet for the guest lost: error %d", ret);
	return ret;
}

/* Returns false when the rest has to wait for room. */
static bool send_ready(struct testdev *dev)
{
	struct testdev_out *out;

	while ((out = QTAILQ_FIRST(&dev->ready))) {
		if (out_send(dev, VMBUS_PACKET_COMP, out->transaction_id,
			     out->data, out->len, false) == -ENOSPC)
			return false;
		QTAILQ_REMOVE(&dev->ready, out, link);
		dev->nr_ready--;
		g_free(out);
	}
	return true;
}

static bool push_one(struct testdev *dev)
{
	static struct {
		struct testdev_pipe_header header;
		uint64_t data[TESTDEV_MAX_PAYLOAD / 8];
	} msg;
	uint64_t id = PUSH_ID + dev->count.pushed;
	uint32_t seed = dev->push_seed + dev->push_next;
	uint32_t i;
	int ret;

	msg.header = (struct testdev_pipe_header){ TESTDEV_PIPE_DATA, dev->push_len };
	for (i = 0; !dev->bench && i < DIV_ROUND_UP(dev->push_len, 8); i++)
		msg.data[i] = cpu_to_le64(testdev_pattern_word(seed, i));
	if (dev->is_pipe)
		ret = out_send(dev, VMBUS_PACKET_DATA_INBAND, id, &msg,
			       sizeof(msg.header) + dev->push_len, dev->push_complete);
	else
		ret = out_send(dev, VMBUS_PACKET_DATA_INBAND, id, msg.data,
			       dev->push_len, dev->push_complete);
	if (ret == -ENOSPC)
		return false;
	dev->push_left--;
	dev->push_next++;
	if (ret < 0)
		return true;
	dev->count.pushed++;
	if (dev->push_complete && !dev->bench)
		g_hash_table_add(dev->push_pending, g_memdup2(&id, sizeof(id)));
	return true;
}

static void send_pushed(struct testdev *dev)
{
	unsigned int i;

	for (i = 0; dev->push_left; i++) {
		if (i == PUSH_BATCH) {
			host_wake(dev);
			return;
		}
		if (!push_one(dev))
			return;
	}
}

void out_flush(struct testdev *dev)
{
	if (!send_ready(dev))
		return;
	send_pushed(dev);
	traffic_flush(dev);
}

void out_queue(struct testdev *dev, struct testdev_out *out)
{
	QTAILQ_INSERT_TAIL(&dev->ready, out, link);
	dev->nr_ready++;
	send_ready(dev);
}

static void delay_is_over(void *opaque)
{
	struct testdev_out *out = opaque;
	struct testdev *dev = out->dev;

	QTAILQ_REMOVE(&dev->delayed, out, link);
	dev->nr_delayed--;
	timer_free(out->timer);
	out_queue(dev, out);
}

bool out_delay(struct testdev *dev, struct testdev_out *out, uint32_t ms)
{
	if (dev->nr_delayed == TESTDEV_MAX_DELAYED)
		return false;
	out->dev = dev;
	out->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, delay_is_over, out);
	QTAILQ_INSERT_TAIL(&dev->delayed, out, link);
	dev->nr_delayed++;
	timer_mod(out->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
	return true;
}

/* Both timers do nothing but let the device look at its rings. */
static void look_again(void *opaque)
{
	struct testdev *dev = opaque;

	host_wake(dev);
}

void out_stall(struct testdev *dev, uint32_t ms)
{
	timer_mod(dev->stall_timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
}

/* One packet was read; after the last of the pace's, a stall. */
void out_has_read(struct testdev *dev)
{
	if (!dev->pace_ms || !dev->pace_packets || --dev->pace_left)
		return;
	dev->pace_left = dev->pace_packets;
	out_stall(dev, dev->pace_ms);
}

/* All were read that there were. */
void out_has_read_all(struct testdev *dev)
{
	if (dev->pace_ms && !dev->pace_packets)
		out_stall(dev, dev->pace_ms);
}

void out_pace(struct testdev *dev, uint32_t ms, uint32_t packets)
{
	dev->pace_ms = ms;
	dev->pace_packets = packets;
	/* The request itself is one. */
	dev->pace_left = packets + 1;
}

enum testdev_status out_push(struct testdev *dev, const struct testdev_request *rq)
{
	bool complete = rq->handle == TESTDEV_PUSH_COMPLETE;

	if (rq->handle && !complete)
		return TESTDEV_EPROTO;
	if (!rq->length || rq->length > TESTDEV_MAX_PUSH ||
	    rq->offset > TESTDEV_MAX_PAYLOAD ||
	    !out_fits(dev, sizeof(struct testdev_pipe_header) + rq->offset))
		return TESTDEV_ERANGE;
	if (dev->push_left || (complete && g_hash_table_size(dev->push_pending) +
			       rq->length > TESTDEV_MAX_PUSH))
		return TESTDEV_EBUSY;
	dev->push_left = rq->length;
	dev->push_next = 0;
	dev->push_seed = rq->seed;
	dev->push_len = rq->offset;
	dev->push_complete = complete;
	return TESTDEV_OK;
}

void out_completed(struct testdev *dev, uint64_t id, uint32_t len)
{
	if (!dev->bench && !g_hash_table_remove(dev->push_pending, &id)) {
		dev->count.bad_completions++;
		return;
	}
	dev->count.completed++;
	dev->count.completion_bytes += len;
}

void out_drop_all(struct testdev *dev)
{
	struct testdev_out *out, *next;

	QTAILQ_FOREACH_SAFE(out, &dev->ready, link, next) {
		QTAILQ_REMOVE(&dev->ready, out, link);
		g_free(out);
	}
	dev->nr_ready = 0;
	QTAILQ_FOREACH_SAFE(out, &dev->delayed, link, next) {
		QTAILQ_REMOVE(&dev->delayed, out, link);
		timer_free(out->timer);
		g_free(out);
	}
	dev->nr_delayed = 0;
	timer_del(dev->retry_timer);
	timer_del(dev->stall_timer);
	dev->pace_ms = 0;
	dev->push_left = 0;
	g_hash_table_remove_all(dev->push_pending);
	traffic_stop(dev);
}

void out_init(struct testdev *dev)
{
	QTAILQ_INIT(&dev->ready);
	QTAILQ_INIT(&dev->delayed);
	dev->retry_timer = timer_new_ms(QEMU_CLOCK_REALTIME, look_again, dev);
	dev->stall_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, look_again, dev);
	dev->push_pending = g_hash_table_new_full(g_int64_hash, g_int64_equal,
						  g_free, NULL);
}

void out_fini(struct testdev *dev)
{
	out_drop_all(dev);
	timer_free(dev->retry_timer);
	timer_free(dev->stall_timer);
	g_hash_table_destroy(dev->push_pending);
}
