// SPDX-License-Identifier: GPL-2.0-only
/* Synchronous requests: send one packet and wait for its completion. */

#include <linux/bottom_half.h>
#include <linux/completion.h>
#include <linux/export.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "channel.h"
#include "hostwait.h"
#include "hot.h"
#include "mdl_range.h"
#include "status.h"
#include "tx.h"
#include "tx_gpa_direct.h"

/* From 1 January 1601 to 1 January 1970, in units of 100 ns. */
#define KMCL_UNIX_EPOCH		116444736000000000LL

/*
 * When a request times out, its caller returns, and struct kmcl_request on the
 * caller's stack is gone. But the host may access the external data until it
 * has completed the packet or the ring is closed. Therefore a second entry is
 * allocated together with the request: the successor. The successor takes over
 * the slot of the request in the transaction table, and holds references to the
 * pages until then.
 *
 * Pages that can not be referenced (slab memory, the pages of a non-compound block
 * after the first) are kept only by their owner, who may free them when the request
 * returns. A request with such a page has no successor. It does not return before
 * the host has completed the packet, the ring is closed, or the device is rescinded.
 * The ring is not closed while a state-change callback of the channel runs, so in such
 * a callback only the host ends the request.
 */

/**
 * struct kmcl_request_data - external data of a synchronous request
 * @entry: the successor of the request's entry
 * @ch: the channel
 * @gpa_direct: the description of the external data, also used by the packet of
 *	the request
 * @held: number of pages in @pages
 * @all_held: false if there are more pages, which only their owner holds
 * @pages: the pages that are referenced; the array is behind the description
 * @memory: memory of the description and of @pages
 */
struct kmcl_request_data {
	struct kmcl_tx_entry entry;
	struct kmcl_channel *ch;
	struct kmcl_gpa_direct_desc gpa_direct;
	u32 held;
	bool all_held;
	struct page **pages;
	u64 memory[];
};

/*
 * @err: result of the packet. With -ETIMEDOUT (not the request's own timeout,
 * which is -ECANCELED) the host may not know that the ring is closed, so the
 * references are never dropped.
 */
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
	struct kmcl_request_data *held;

	held = container_of(entry, struct kmcl_request_data, entry);
	kmcl_request_data_free(held, err);
}

/* @range has passed kmcl_mdl_range_check(). Returns NULL without memory. */
static struct kmcl_request_data *
kmcl_request_data_alloc(struct kmcl_channel *ch,
			const struct kmcl_mdl_range *range, gfp_t gfp)
{
	u32 room = kmcl_gpa_direct_room_for(range);
	struct kmcl_request_data *data;

	/*
	 * There are fewer pages than words of 8 bytes in the description, so
	 * this array of pages is large enough.
	 */
	data = kvzalloc(sizeof(*data) + room +
				room / sizeof(u64) * sizeof(*data->pages),
			gfp);
	if (!data)
		return NULL;
	kmcl_gpa_direct_init(&data->gpa_direct, data->memory, room);
	/* Can not fail: kmcl_gpa_direct_room_for() has computed the room. */
	kmcl_gpa_direct_set_mdl_range(&data->gpa_direct, range);
	data->pages = (void *)data->memory + room;
	data->all_held = kmcl_gpa_direct_hold(&data->gpa_direct, data->pages,
					      &data->held);
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
 * struct kmcl_request - a synchronous request, on the stack of its caller
 * @entry: what is sent
 * @frame: copy of the payload with the pipe header; %NULL if the channel is not
 *	a pipe
 * @data: external data, or %NULL. Belongs to the request as long as
 *	@entry.successor is set, and always if there is no successor.
 * @has_successor: @data became the successor of @entry
 * @done: completed after the fields below are set
 * @err: result of the packet
 * @buf: the caller's buffer for the payload of the completion
 * @room: size of @buf in bytes
 * @len: number of bytes written to @buf
 */
struct kmcl_request {
	struct kmcl_tx_entry entry;
	void *frame;
	struct kmcl_request_data *data;
	bool has_successor;
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
	/*
	 * Do not touch the request after this: it is on the stack of the task
	 * that is woken here.
	 */
	complete(&req->done);
}

static s64 kmcl_now_100ns(void)
{
	return div_s64(ktime_get_real_ns(), 100) + KMCL_UNIX_EPOCH;
}

/*
 * Convert a timeout to the time when it ends. KTIME_MAX means no timeout, or a
 * timeout beyond the range of ktime_t.
 */
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

/*
 * True if neither the sender's timeout nor kmcl_tx_cancel() ends the request once it is
 * in the ring.
 */
static bool kmcl_request_is_bound(const struct kmcl_request *req)
{
	return req->data && !req->has_successor;
}

static void kmcl_request_wait_done(struct kmcl_request *req)
{
	wait_for_completion_state(&req->done, kmcl_request_is_bound(req) ?
					      KMCL_HOSTWAIT_STATE :
					      TASK_UNINTERRUPTIBLE);
}

/*
 * Wait until the request is done or @deadline is reached. True if it is done.
 *
 * wait_for_completion_timeout() may return early, because jiffies can run ahead
 * of the clock. Only the clock decides that the time is over.
 */
static bool kmcl_request_is_done(struct kmcl_request *req, ktime_t deadline)
{
	s64 left;

	if (deadline == KTIME_MAX) {
		kmcl_request_wait_done(req);
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
	/*
	 * The packet may still be queued although it fits by now: the ring may
	 * have less room than the host was asked for. Try once more.
	 */
	if (!kmcl_tx_entry_wants_completion(&req->entry) &&
	    kmcl_tx_send_queued(ch, &req->entry))
		return 0;
	if (kmcl_tx_withdraw(ch, &req->entry))
		return -ECANCELED;
	/*
	 * The request is on this stack and must stay until done() has returned. It has
	 * been called or is about to be called, unless the request is bound.
	 */
	kmcl_request_wait_done(req);
	return req->err;
}

/* Named from the start: whoever disables the channel meanwhile may wait for this, too. */
static int kmcl_request_wait_bound(struct kmcl_channel *ch,
				   struct kmcl_request *req,
				   const LARGE_INTEGER *timeout)
{
	struct kmcl_hostwait wait;
	int err;

	kmcl_hostwait_start(&wait, ch,
			    "request, with external data that only its owner holds,",
			    0);
	err = kmcl_request_wait(ch, req, timeout);
	kmcl_hostwait_stop(&wait);
	return err;
}

static bool kmcl_request_frame(struct kmcl_request *req, gfp_t gfp)
{
	struct kmcl_ring_packet *wire = &req->entry.wire;

	req->frame = kmalloc(wire->len + sizeof(struct kmcl_pipe_header), gfp);
	if (!req->frame)
		return false;
	wire->len = kmcl_pipe_frame(req->frame, wire->data, wire->len);
	wire->data = req->frame;
	return true;
}

static bool kmcl_request_refer(struct kmcl_request *req,
			       struct kmcl_channel *ch,
			       const struct kmcl_mdl_range *range, gfp_t gfp)
{
	req->data = kmcl_request_data_alloc(ch, range, gfp);
	if (!req->data)
		return false;
	req->entry.wire.type = KMCL_PKT_GPA_DIRECT;
	req->entry.wire.head = req->data->entry.wire.head;
	req->entry.wire.head_len = req->data->entry.wire.head_len;
	req->has_successor = req->data->all_held;
	if (req->has_successor)
		req->entry.successor = &req->data->entry;
	return true;
}

static void kmcl_request_free(struct kmcl_request *req, int err)
{
	if (req->data && (req->entry.successor || !req->has_successor))
		kmcl_request_data_free(req->data, err);
	kfree(req->frame);
}

/**
 * VmbChannelSendSynchronousRequest() - send a packet and wait for its completion
 * @channel: a channel from EvtChannelOpened on
 * @buffer: the payload. May be %NULL only if @buffer_size is 0.
 * @buffer_size: length of @buffer in bytes, at most the channel's maximum
 *	packet size
 * @external_data_mdl: %NULL, or a chain of MDLs with page numbers, whose whole
 *	memory is the packet's external data. The server reads and writes it. If
 *	the request times out or the channel is closed first, the server may
 *	still access the memory until it has completed the packet or the ring is
 *	closed. Until then the library holds references to the pages, so that
 *	they are not reused whatever the caller does. Their contents may change.
 *	If a page can not be referenced (slab memory, and the pages of a
 *	non-compound block after the first), this function returns only when the
 *	server has completed the packet, the ring is closed or the device is
 *	rescinded, whatever @timeout is; the log names a wait of more than a few
 *	seconds. The ring is not closed while a state-change callback of the channel
 *	or of a sub-channel of it runs. So VmbChannelDisable() does not end a request
 *	with such memory that is sent in such a callback, but waits for it: use
 *	vmalloc memory, single pages or compound blocks there.
 *	For external data without %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION see
 *	VmbPacketSend().
 * @flags: %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, or 0 to return as
 *	soon as the packet is in the ring. The other flags have no effect.
 * @completion_buffer: buffer for the payload of the completion. May be %NULL if
 *	its size is 0 or @completion_buffer_size is %NULL.
 * @completion_buffer_size: in: size of @completion_buffer in bytes, a multiple
 *	of 8. Out: number of bytes written, which is 0 if no completion has arrived.
 *	Not changed if an argument is refused. VMBus counts payloads in units of 8 bytes.
 * @timeout: in units of 100 ns. %NULL waits forever. 0 does not wait for room
 *	in the ring. A negative value is relative to now, a positive value is an
 *	absolute time.
 *
 * Context: may sleep. With a @timeout of 0 and without
 * %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION also softirq, with interrupts
 * enabled.
 * Return:
 * * %STATUS_SUCCESS - the packet was completed or, without
 *   %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION, is in the ring
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @buffer is %NULL, and @buffer_size is not 0
 * * %STATUS_INVALID_PARAMETER_3 - @buffer_size is more than the maximum packet
 *   size
 * * %STATUS_INVALID_PARAMETER_4 - as for VmbPacketSend()
 * * %STATUS_INVALID_PARAMETER_5 - as for VmbPacketSend(); or @channel is a
 *   server's, and @flags has %VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
 * * %STATUS_INVALID_PARAMETER_8 - @channel is a server's, and @timeout is not 0
 * * %STATUS_INVALID_PARAMETER_6 - @completion_buffer is %NULL, and its size is
 *   not 0
 * * %STATUS_INVALID_PARAMETER - the size of @completion_buffer is not a
 *   multiple of 8
 * * %STATUS_INVALID_BUFFER_SIZE - as for VmbPacketSend()
 * * %STATUS_INVALID_DEVICE_STATE - the channel is not open
 * * %STATUS_INSUFFICIENT_RESOURCES - there is no memory. Only in a pipe or with
 *   external data.
 * * %STATUS_BUFFER_OVERFLOW - the ring is full and @timeout is 0, or the
 *   payload of the completion was larger than its buffer or than the maximum
 *   packet size, and was cut
 * * %STATUS_CANCELLED - the time was over before the packet was completed
 * * %STATUS_DEVICE_REMOVED - the channel is going down, or was closed or had its
 *   incoming ring found corrupt before the packet was completed
 * * %STATUS_UNSUCCESSFUL - the host has written an invalid index to the ring
 *
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
			.is_request = true,
			.done = kmcl_request_done,
		},
		.buf = completion_buffer,
	};
	struct kmcl_mdl_range range = { .mdl = external_data_mdl };
	gfp_t gfp = (wait || may_queue ? GFP_KERNEL : GFP_ATOMIC) |
		    __GFP_NOWARN;
	bool bound = false;
	int err = 0;

	kmcl_assert_interrupts_on();
	if (wait || may_queue)
		might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!buffer && buffer_size)
		return STATUS_INVALID_PARAMETER_2;
	if (buffer_size > ch->set.max_packet_size)
		return STATUS_INVALID_PARAMETER_3;
	if (external_data_mdl && ch->is_server)
		return STATUS_INVALID_PARAMETER_4;
	if (flags & ~VMBUS_CHANNEL_FORMAT_FLAGS || (wait && ch->is_server))
		return STATUS_INVALID_PARAMETER_5;
	if (may_queue && ch->is_server)
		return STATUS_INVALID_PARAMETER_8;
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

	err = -ENOMEM;
	if (ch->set.is_pipe && !kmcl_request_frame(&req, gfp))
		goto free;
	if (external_data_mdl && !kmcl_request_refer(&req, ch, &range, gfp))
		goto free;
	init_completion(&req.done);
	/* The wait names the channel, which may be cleaned up once the request is done. */
	bound = kmcl_request_is_bound(&req);
	if (bound)
		kmcl_channel_get(ch);
	local_bh_disable();
	err = kmcl_tx_submit(ch, &req.entry, may_queue ? KMCL_TX_IF_OPEN :
							  KMCL_TX_NEVER);
	local_bh_enable();
	if (err < 0)
		goto free;
	if (err == KMCL_TX_SENT)
		err = 0;
	else if (bound)
		err = kmcl_request_wait_bound(ch, &req, timeout);
	else
		err = kmcl_request_wait(ch, &req, timeout);
free:
	if (bound)
		kmcl_channel_put(ch);
	if (completion_buffer_size)
		*completion_buffer_size = req.len;
	kmcl_request_free(&req, err);
	return kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelSendSynchronousRequest);
