// SPDX-License-Identifier: GPL-2.0-only
/* Synchronous requests: one packet, and the wait for its completion. */

#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "channel.h"
#include "hot.h"
#include "mdl_range.h"
#include "status.h"
#include "tx.h"
#include "tx_gpa_direct.h"

/* From 1 January 1601 to 1 January 1970, in units of 100 ns. */
#define KMCL_UNIX_EPOCH		116444736000000000LL

/*
 * When the time of a request is over, its caller returns, and struct kmcl_request is
 * gone with the caller's stack. But the host may read and write the external data
 * until it has completed the packet, or the ring is closed. So a second entry, made
 * together with the request, takes its place in the transaction table and holds the
 * pages until then.
 */

/**
 * struct kmcl_request_data - external data of a synchronous request
 * @entry: stands for the request's when nobody waits for that any more
 * @ch: its channel
 * @gpa_direct: the description, which the request's packet uses, too
 * @held: how many of its pages are referenced
 * @pages: those, behind the description
 * @memory: of the description
 */
struct kmcl_request_data {
	struct kmcl_tx_entry entry;
	struct kmcl_channel *ch;
	struct kmcl_gpa_direct_desc gpa_direct;
	u32 held;
	struct page **pages;
	u64 memory[];
};

/* @err: what came of the packet; -ETIMEDOUT: the host may still have the pages. */
static void kmcl_request_data_free(struct kmcl_request_data *data, int err)
{
	u32 i;

	if (err == -ETIMEDOUT)
		kmcl_gpa_direct_kept(data->ch, data->held);
	else
		for (i = 0; i < data->held; i++)
			put_page(data->pages[i]);
	kvfree(data);
}

static void kmcl_request_data_done(struct kmcl_tx_entry *entry, int err,
				   const void *data, u32 len)
{
	kmcl_request_data_free(
		container_of(entry, struct kmcl_request_data, entry), err);
}

/* With the description of a checked extent; NULL without memory. */
static struct kmcl_request_data *
kmcl_request_data_alloc(struct kmcl_channel *ch,
			const struct kmcl_mdl_range *range)
{
	u32 room = kmcl_gpa_direct_room_for(range);
	struct kmcl_request_data *data;

	/* Less than one page for each 8 bytes of the description. */
	data = kvzalloc(sizeof(*data) + room +
				room / sizeof(u64) * sizeof(*data->pages),
			GFP_KERNEL);
	if (!data)
		return NULL;
	kmcl_gpa_direct_init(&data->gpa_direct, data->memory, room);
	/* There is room for it. */
	kmcl_gpa_direct_set_mdl_range(&data->gpa_direct, range);
	data->pages = (void *)data->memory + room;
	data->held = kmcl_gpa_direct_hold(&data->gpa_direct, data->pages);
	data->ch = ch;
	INIT_LIST_HEAD(&data->entry.link);
	data->entry.wire.type = KMCL_PKT_GPA_DIRECT;
	data->entry.wire.flags = KMCL_PKT_FLAG_COMPLETION_REQUESTED;
	data->entry.wire.head = data->gpa_direct.desc;
	data->entry.wire.head_len = data->gpa_direct.size;
	data->entry.done = kmcl_request_data_done;
	return data;
}

/**
 * struct kmcl_request - a request, while its caller waits
 * @entry: what is sent
 * @frame: a copy of its payload, framed; NULL but in a pipe
 * @data: its external data, or NULL; not this request's any more when its
 *	packet has lost its heir
 * @done: completed with all below
 * @err: what came of it
 * @buf: the caller's room for the completion's payload
 * @room: bytes of that
 * @len: bytes written
 */
struct kmcl_request {
	struct kmcl_tx_entry entry;
	void *frame;
	struct kmcl_request_data *data;
	struct completion done;
	int err;
	void *buf;
	u32 room;
	u32 len;
};

static void __kmcl_hot kmcl_request_done(struct kmcl_tx_entry *entry, int err,
					 const void *data, u32 len)
{
	struct kmcl_request *req =
		container_of(entry, struct kmcl_request, entry);

	if (len > req->room) {
		len = req->room;
		if (req->buf && !err)
			err = -ENOBUFS;
	}
	if (req->buf && len)
		memcpy(req->buf, data, len);
	req->len = len;
	req->err = err;
	/* The last touch: the request is on the stack of who is woken here. */
	complete(&req->done);
}

static s64 kmcl_now_100ns(void)
{
	return div_s64(ktime_get_real_ns(), 100) + KMCL_UNIX_EPOCH;
}

/* The end of a timeout; KTIME_MAX for one beyond what the clock can count. */
static ktime_t kmcl_deadline(const LARGE_INTEGER *timeout)
{
	s64 ticks;

	if (!timeout || timeout->QuadPart == S64_MIN)
		return KTIME_MAX;
	ticks = timeout->QuadPart;
	if (ticks > 0)
		ticks = max_t(s64, ticks - kmcl_now_100ns(), 0);
	else
		ticks = -ticks;
	if (ticks > KTIME_MAX / 100)
		return KTIME_MAX;
	return ktime_add_safe(ktime_get(), ticks * 100);
}

/* Jiffies run ahead of the clock at times: only the clock says it is over. */
static bool kmcl_request_is_done(struct kmcl_request *req, ktime_t deadline)
{
	s64 left;

	if (deadline == KTIME_MAX) {
		wait_for_completion(&req->done);
		return true;
	}
	while ((left = ktime_to_ns(ktime_sub(deadline, ktime_get()))) > 0)
		if (wait_for_completion_timeout(&req->done,
						nsecs_to_jiffies(left) + 1))
			return true;
	return try_wait_for_completion(&req->done);
}

static int kmcl_request_wait(struct kmcl_channel *ch, struct kmcl_request *req,
			     const LARGE_INTEGER *timeout)
{
	if (kmcl_request_is_done(req, kmcl_deadline(timeout)))
		return req->err;
	/* Less room than the host was asked for may do. */
	if (!kmcl_tx_entry_waits(&req->entry))
		kmcl_tx_flush(ch);
	if (kmcl_tx_withdraw(ch, &req->entry))
		return -ECANCELED;
	/* Somebody else is completing it right now, and will not be long. */
	wait_for_completion(&req->done);
	return req->err;
}

static bool kmcl_request_frame(struct kmcl_request *req, bool may_sleep)
{
	struct kmcl_ring_packet *wire = &req->entry.wire;

	req->frame = kmalloc(wire->len + sizeof(struct kmcl_pipe_header),
			     may_sleep ? GFP_KERNEL : GFP_ATOMIC);
	if (!req->frame)
		return false;
	wire->len = kmcl_pipe_frame(req->frame, wire->data, wire->len);
	wire->data = req->frame;
	return true;
}

static bool kmcl_request_refer(struct kmcl_request *req,
			       struct kmcl_channel *ch,
			       const struct kmcl_mdl_range *range)
{
	req->data = kmcl_request_data_alloc(ch, range);
	if (!req->data)
		return false;
	req->entry.wire.type = KMCL_PKT_GPA_DIRECT;
	req->entry.wire.head = req->data->entry.wire.head;
	req->entry.wire.head_len = req->data->entry.wire.head_len;
	req->entry.successor = &req->data->entry;
	return true;
}

static void kmcl_request_free(struct kmcl_request *req, int err)
{
	if (req->entry.successor)
		kmcl_request_data_free(req->data, err);
	kfree(req->frame);
}

/**
 * VmbChannelSendSynchronousRequest() - send a packet and wait for its completion
 * @channel: a channel from EvtChannelOpened on; the completion arrives from
 *	EvtChannelPostStarted on
 * @buffer: the payload, the caller's; NULL only with @buffer_size 0
 * @buffer_size: bytes of it, at most the channel's maximum packet size
 * @external_data_mdl: NULL, or memory that the server reads and writes: a chain of
 *	MDLs with page numbers, all of it. When time is over or the channel closes
 *	first, the server may go on with it until it answers or the ring is closed:
 *	the pages that can be referenced are until then, and nobody else gets them,
 *	whatever the caller does. What is in them may change.
 * @flags: %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, or 0 to return as soon
 *	as the packet is in the ring. With external data it must be given. The
 *	other flags have no effect.
 * @completion_buffer: the caller's room for the completion's payload; may be
 *	NULL together with @completion_buffer_size
 * @completion_buffer_size: in: bytes of room, a multiple of 8. Out: bytes
 *	written, on success and when more came than there was room for. VMBus
 *	counts payloads in units of 8 bytes.
 * @timeout: NULL waits for ever, 0 does not wait for room in the ring, below 0
 *	from now and above 0 until then, in units of 100 ns
 *
 * Context: may sleep, except with a @timeout of 0 and without
 * %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION: then also softirq.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1, _2, _3, _4, _5, _6 or
 * %STATUS_INVALID_PARAMETER for that argument, the last for
 * @completion_buffer_size; %STATUS_INVALID_BUFFER_SIZE and %STATUS_NOT_SUPPORTED
 * for external data, as VmbPacketSend(); %STATUS_INVALID_DEVICE_STATE when the
 * channel is not open, or when it would be waited for in EvtChannelOpened, before
 * completions are read; %STATUS_INSUFFICIENT_RESOURCES, in a pipe or with external
 * data only;
 * %STATUS_BUFFER_OVERFLOW when the ring is full and @timeout is 0, or when the
 * completion was cut to the room there was; %STATUS_CANCELLED when time was over
 * first; %STATUS_DEVICE_REMOVED when the channel closed first.
 * Source: Microsoft's VmbChannelSendSynchronousRequest documentation.
 */
NTSTATUS VmbChannelSendSynchronousRequest(VMBCHANNEL channel, PVOID buffer,
					  UINT32 buffer_size,
					  PMDL external_data_mdl, UINT32 flags,
					  PVOID completion_buffer,
					  PUINT32 completion_buffer_size,
					  PLARGE_INTEGER timeout)
{
	bool wait = flags & VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION;
	bool may_queue = !timeout || timeout->QuadPart;
	struct kmcl_channel *ch = channel;
	struct kmcl_request req = {
		.entry = {
			.link = LIST_HEAD_INIT(req.entry.link),
			.wire.type = KMCL_PKT_INBAND,
			.wire.flags = wait ?
				      KMCL_PKT_FLAG_COMPLETION_REQUESTED : 0,
			.wire.data = buffer,
			.wire.len = buffer_size,
			.done = kmcl_request_done,
		},
		.buf = completion_buffer,
	};
	struct kmcl_mdl_range range = { .mdl = external_data_mdl };
	int err = 0;

	if (wait || may_queue)
		might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!buffer && buffer_size)
		return STATUS_INVALID_PARAMETER_2;
	if (buffer_size > ch->set.max_packet_size)
		return STATUS_INVALID_PARAMETER_3;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS || (external_data_mdl && !wait))
		return STATUS_INVALID_PARAMETER_5;
	if (external_data_mdl)
		err = kmcl_mdl_range_check(&range, ch->set.max_gpa_direct_size,
					   ch->set.max_chain);
	if (err)
		return kmcl_mdl_range_status(err, 4);
	if (completion_buffer_size) {
		req.room = *completion_buffer_size;
		if (!completion_buffer && req.room)
			return STATUS_INVALID_PARAMETER_6;
		if (req.room % sizeof(u64))
			return STATUS_INVALID_PARAMETER;
	}

	/* The ring is read when the callback has returned: it would never end. */
	if (wait && READ_ONCE(ch->state) == KMCL_OPENED &&
	    READ_ONCE(ch->worker) == current)
		return STATUS_INVALID_DEVICE_STATE;

	err = -ENOMEM;
	if (ch->set.is_pipe && !kmcl_request_frame(&req, wait || may_queue))
		goto free;
	if (external_data_mdl && !kmcl_request_refer(&req, ch, &range))
		goto free;
	init_completion(&req.done);
	local_bh_disable();
	err = kmcl_tx_submit(ch, &req.entry, may_queue);
	local_bh_enable();
	if (err < 0)
		goto free;
	err = err == KMCL_TX_SENT ? 0 : kmcl_request_wait(ch, &req, timeout);
	if (completion_buffer_size && (!err || err == -ENOBUFS))
		*completion_buffer_size = req.len;
free:
	kmcl_request_free(&req, err);
	return kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelSendSynchronousRequest);
