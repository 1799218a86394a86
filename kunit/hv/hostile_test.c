// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile host: the cases write to the rings of the real bus what such a host
 * would write there. QEMU cannot be made to do it. What the server can do wrong
 * is in the other suites: completions that come twice, late, or too large.
 */

#include <linux/hyperv.h>
#include <linux/slab.h>

#include "../lib/client.h"
#include "../lib/server.h"
#include "hv_device.h"
#include "hv_suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

#define HEAD		(sizeof(struct vmpacket_descriptor) / 8)	/* words */
#define TRAILER		8
#define LARGEST		256	/* bytes of payload that the client expects */

/* Where the write index is put: so many bytes on, or exactly there. */
#define EXACTLY		0x80000000

/**
 * struct forgery - what the host writes in the guest's ring
 * @name: of the case
 * @type: of the packet, as are the next two
 * @offset8: words to its payload
 * @len8: words of it without its trailer
 * @write: where the write index is afterwards
 * @corrupt: times the ring is found corrupt
 * @dropped: packets dropped
 * @received: packets read
 */
struct forgery {
	const char *name;
	u16 type;
	u16 offset8;
	u16 len8;
	u32 write;
	u32 corrupt;
	u32 dropped;
	u32 received;
};

#define INBAND	KMCL_PKT_INBAND

static const struct forgery forgeries[] = {
	/* A good one, to see that the others are not found corrupt for the way
	 * they are written.
	 */
	{ "nothing wrong", INBAND, HEAD, HEAD + 1, 32, 0, 0, 1 },

	{ "write index at the end", INBAND, HEAD, HEAD, EXACTLY | 61440, 1 },
	{ "write index behind it", INBAND, HEAD, HEAD, EXACTLY | 61448, 1 },
	{ "write index of all bits", INBAND, HEAD, HEAD, 0xffffffff, 1 },
	{ "write index within a header", INBAND, HEAD, HEAD, 8, 1 },
	{ "write index before a trailer", INBAND, HEAD, HEAD, 16, 1 },
	{ "write index between words", INBAND, HEAD, HEAD, 25, 1 },
	{ "write index behind a packet", INBAND, HEAD, HEAD, 32, 1, 0, 1 },

	{ "no length", INBAND, HEAD, 0, 32, 1 },
	{ "length within a header", INBAND, HEAD, 1, 32, 1 },
	{ "length of more than there is", INBAND, HEAD, 4, 32, 1 },
	{ "length into the trailer", INBAND, HEAD, 4, 39, 1 },
	{ "length of all bits", INBAND, HEAD, 0xffff, 4096, 1 },
	{ "no offset", INBAND, 0, 3, 32, 1 },
	{ "offset within a header", INBAND, 1, 3, 32, 1 },
	{ "offset behind the packet", INBAND, 4, 3, 32, 1 },
	{ "offset of all bits", INBAND, 0xffff, 3, 32, 1 },
	{ "offset and length of all bits", INBAND, 0xffff, 0xffff, 32, 1 },
	{ "no payload behind a long head", INBAND, 500, 500, 4008, 0, 0, 1 },

	{ "packet too large", INBAND, HEAD, 500, 4008, 0, 1, 1 },
	{ "packet a word too large", INBAND, HEAD, HEAD + LARGEST / 8 + 1,
	  16 + LARGEST + 8 + 8, 0, 1, 1 },
	{ "packet as large as may be", INBAND, HEAD, HEAD + LARGEST / 8,
	  16 + LARGEST + 8, 0, 0, 1 },
	{ "type of no packet", 0, HEAD, HEAD, 24, 0, 1, 1 },
	{ "type of a guest's packet", KMCL_PKT_GPA_DIRECT, HEAD, HEAD,
	  24, 0, 1, 1 },
	{ "type of all bits", 0xffff, HEAD, HEAD, 24, 0, 1, 1 },
};

static void forgery_desc(const struct forgery *forgery, char *desc)
{
	strscpy(desc, forgery->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(forgery, forgeries, forgery_desc);

/**
 * struct victim - a client of the server
 * @srv: its channel
 * @chan: hv_vmbus's side of it
 * @given: packets it was given
 */
struct victim {
	struct server srv;
	struct vmbus_channel *chan;
	u32 given;
};

static VOID receive(VMBCHANNEL ch, VMBPACKETCOMPLETION packet, PVOID buffer,
		    UINT32 length, UINT32 flags)
{
	struct victim *victim = VmbChannelGetPointer(ch);

	WRITE_ONCE(victim->given, victim->given + 1);
	VmbChannelPacketComplete(packet, buffer, length);
}

static void comes_up(struct kunit *test, struct victim *victim)
{
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(victim->srv.ch), STATUS_SUCCESS);
	becomes(test, victim->srv.ch, KMCL_ACTIVE);
}

static struct victim *victim_start(struct kunit *test)
{
	struct victim *victim = kunit_kzalloc(test, sizeof(*victim),
					      GFP_KERNEL);
	VMBCHANNEL ch = get_channel(test);
	guid_t type, instance;

	KUNIT_ASSERT_NOT_NULL(test, victim);
	victim->srv.ch = ch;
	server_guids(&type, &instance);
	VmbChannelSetPointer(ch, victim);
	VmbClientChannelInitSetTargetPnp(ch, &type, &instance, NULL);
	VmbChannelInitSetMaximumPacketSize(ch, LARGEST);
	VmbChannelInitSetProcessPacketCallbacks(ch, receive, NULL);
	victim->chan = device_find(test, TESTDEV_INSTANCE_GUID)->channel;
	comes_up(test, victim);
	return victim;
}

static NTSTATUS echo(struct victim *victim)
{
	struct testdev_request req = { .op = TESTDEV_ECHO };
	struct testdev_response rsp = {};
	NTSTATUS status = server_call(&victim->srv, &req, NULL, &rsp, NULL, 0);

	/*
	 * The poll counts the completion at its end, after it has woken this
	 * thread.
	 */
	tasklet_unlock_wait(&victim->srv.ch->rx.poll);
	return status ?: rsp.status ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

/* The ring is idle: only this function writes packets to it. */
static void host_writes(struct victim *victim, u16 type, u16 offset8, u16 len8,
			u64 id, u32 to)
{
	struct hv_ring_buffer_info *info = &victim->chan->inbound;
	struct hv_ring_buffer *ring = info->ring_buffer;
	u32 index = ring->write_index;
	struct vmpacket_descriptor *desc = (void *)(ring->buffer + index);

	memset(desc, 0, 64);
	desc->type = type;
	desc->offset8 = offset8;
	desc->len8 = len8;
	desc->trans_id = id;
	if (to & EXACTLY)
		index = to == 0xffffffff ? to : to & ~EXACTLY;
	else
		index = (index + to) % info->ring_datasize;
	/* As a host does: the packet is there before its index. */
	virt_store_release(&ring->write_index, index);
	kmcl_poll_schedule(victim->srv.ch);
}

/* After the next open the channel works, whatever happened to the ring. */
static void is_well_again(struct kunit *test, struct victim *victim)
{
	struct kmcl_channel *ch = victim->srv.ch;
	u64 corrupt = ch->rx.corrupt, dropped = ch->rx.dropped;
	u64 bad_ids = ch->tx.bad_ids;

	VmbChannelDisable(ch);
	KUNIT_EXPECT_EQ(test, ch->state, KMCL_DISABLED);
	comes_up(test, victim);
	KUNIT_EXPECT_FALSE(test, ch->rx.failed);
	KUNIT_EXPECT_EQ(test, echo(victim), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ch->rx.corrupt, corrupt);
	KUNIT_EXPECT_EQ(test, ch->rx.dropped, dropped);
	KUNIT_EXPECT_EQ(test, ch->tx.bad_ids, bad_ids);
}

static void forged_packet(struct kunit *test)
{
	const struct forgery *forgery = test->param_value;
	struct victim *victim = victim_start(test);
	struct kmcl_channel *ch = victim->srv.ch;
	u64 received, polls;

	KUNIT_ASSERT_EQ(test, victim->chan->inbound.ring_datasize, 61440);
	KUNIT_ASSERT_EQ(test, echo(victim), STATUS_SUCCESS);
	received = ch->rx.received;
	polls = ch->rx.polls;
	host_writes(victim, forgery->type, forgery->offset8, forgery->len8, 0,
		    forgery->write);
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->rx.polls) > polls);
	/* The log line may take its time, and what was read is given after it. */
	EXPECT_EVENTUALLY(test, READ_ONCE(victim->given) ==
				forgery->received - forgery->dropped);
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->rx.corrupt) == forgery->corrupt);
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->rx.dropped) == forgery->dropped);
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->rx.received) - received ==
				forgery->received);
	msleep(50);
	KUNIT_EXPECT_EQ(test, ch->rx.corrupt, forgery->corrupt);
	KUNIT_EXPECT_EQ(test, ch->rx.dropped, forgery->dropped);
	KUNIT_EXPECT_EQ(test, ch->rx.received - received, forgery->received);
	KUNIT_EXPECT_EQ(test, victim->given,
			forgery->received - forgery->dropped);
	KUNIT_EXPECT_EQ(test, ch->tx.bad_ids, 0);

	/* A corrupt ring is not read again: the channel is closed. */
	polls = ch->rx.polls;
	msleep(100);
	KUNIT_EXPECT_EQ(test, ch->rx.polls, polls);
	if (forgery->corrupt)
		EXPECT_EVENTUALLY(test, READ_ONCE(ch->state) == KMCL_DISABLED);
	is_well_again(test, victim);
}

/* Completions that belong to no request */

static u64 id_of_nothing(struct kmcl_tx *tx)
{
	return 0;
}

static u64 id_of_a_free_slot(struct kmcl_tx *tx)
{
	return (u64)tx->slots[tx->free].generation << 32 | tx->free;
}

static u64 id_completed_before(struct kmcl_tx *tx)
{
	return (u64)(tx->slots[tx->free].generation - 1) << 32 | tx->free;
}

static u64 id_of_no_slot(struct kmcl_tx *tx)
{
	return 1ULL << 32 | KMCL_TX_SLOTS;
}

static u64 id_of_all_bits(struct kmcl_tx *tx)
{
	return ~0ULL;
}

static const struct bad_id {
	const char *name;
	u64 (*id)(struct kmcl_tx *tx);
} bad_ids[] = {
	{ "zero", id_of_nothing },
	{ "a free slot", id_of_a_free_slot },
	{ "completed before", id_completed_before },
	{ "no slot", id_of_no_slot },
	{ "all bits", id_of_all_bits },
};

static void bad_id_desc(const struct bad_id *bad, char *desc)
{
	strscpy(desc, bad->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(bad_id, bad_ids, bad_id_desc);

static void forged_completion(struct kunit *test)
{
	const struct bad_id *bad = test->param_value;
	struct victim *victim = victim_start(test);
	struct kmcl_channel *ch = victim->srv.ch;
	u64 completed;

	KUNIT_ASSERT_EQ(test, echo(victim), STATUS_SUCCESS);
	completed = ch->tx.completed;
	host_writes(victim, KMCL_PKT_COMPLETION, HEAD, HEAD + 1, bad->id(&ch->tx), 32);
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->tx.bad_ids));
	msleep(50);
	KUNIT_EXPECT_EQ(test, ch->tx.bad_ids, 1);
	KUNIT_EXPECT_EQ(test, ch->tx.completed, completed);
	KUNIT_EXPECT_EQ(test, ch->rx.corrupt, 0);
	is_well_again(test, victim);
}

/* Packets on their way when the ring turns out to be corrupt */

static VOID counted(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		    UINT32 length)
{
	atomic_t *removed = VmbPacketGetPointer(packet);

	if (status == STATUS_DEVICE_REMOVED)
		atomic_inc(removed);
	VmbPacketFree(packet);
}

static void sends_a_delay(struct kunit *test, struct victim *victim,
			  atomic_t *removed)
{
	struct testdev_request delay = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_DELAY, .length = 60000,
	};
	VMBPACKET packet = VmbPacketAllocate(victim->srv.ch);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutine(packet, counted);
	VmbPacketSetPointer(packet, removed);
	KUNIT_ASSERT_EQ(test, VmbPacketSend(packet, &delay, sizeof(delay), NULL,
					    WAIT), STATUS_SUCCESS);
}

static void nobody_waits_for_a_corrupt_ring(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	static atomic_t removed;
	unsigned int i;

	atomic_set(&removed, 0);
	for (i = 0; i < KMCL_TX_SLOTS + 10; i++)
		sends_a_delay(test, victim, &removed);
	KUNIT_EXPECT_EQ(test, victim->srv.ch->tx.queued, 10);
	host_writes(victim, INBAND, HEAD, 0, 0, 32);
	EXPECT_EVENTUALLY(test, atomic_read(&removed) == KMCL_TX_SLOTS + 10);
	KUNIT_EXPECT_EQ(test, victim->srv.ch->rx.corrupt, 1);
	is_well_again(test, victim);
	KUNIT_EXPECT_EQ(test, atomic_read(&removed), KMCL_TX_SLOTS + 10);
}

/* The ring to the host: it can write there, too */

static void outgoing_index_out_of_range(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	struct hv_ring_buffer_info *info = &victim->chan->outbound;
	struct hv_ring_buffer *ring = info->ring_buffer;
	u32 read = ring->read_index;
	u64 sent = READ_ONCE(victim->srv.ch->tx.sent);

	WRITE_ONCE(ring->read_index, 0xffffffff);
	KUNIT_EXPECT_EQ(test, echo(victim), STATUS_UNSUCCESSFUL);
	WRITE_ONCE(ring->read_index, info->ring_datasize);
	KUNIT_EXPECT_EQ(test, echo(victim), STATUS_UNSUCCESSFUL);
	WRITE_ONCE(ring->read_index, read + 4);
	KUNIT_EXPECT_EQ(test, echo(victim), STATUS_UNSUCCESSFUL);
	WRITE_ONCE(ring->read_index, read);
	KUNIT_EXPECT_EQ(test, READ_ONCE(victim->srv.ch->tx.sent), sent);

	/* The guest's own index is not read back: it writes over the host's. */
	WRITE_ONCE(ring->write_index, info->ring_datasize);
	KUNIT_EXPECT_EQ(test, echo(victim), STATUS_SUCCESS);
	KUNIT_EXPECT_LT(test, READ_ONCE(ring->write_index), info->ring_datasize);
	is_well_again(test, victim);
}

/* The index changes after a packet was queued, before it is sent. */
static void queued_behind_an_index_out_of_range(struct kunit *test)
{
	struct victim *victim = victim_start(test);
	struct hv_ring_buffer *ring = victim->chan->outbound.ring_buffer;
	u64 word = 0;
	NTSTATUS status;

	/* The host claims that the ring is full. */
	WRITE_ONCE(ring->read_index,
		   (READ_ONCE(ring->write_index) + 8) %
		   victim->chan->outbound.ring_datasize);
	status = VmbPacketSend(VmbPacketAllocate(victim->srv.ch), &word,
			       sizeof(word), NULL, 0);
	KUNIT_EXPECT_EQ(test, status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, victim->srv.ch->tx.queued, 1);
	WRITE_ONCE(ring->read_index, 0xffffffff);
	kmcl_poll_schedule(victim->srv.ch);
	EXPECT_EVENTUALLY(test, list_empty(&victim->srv.ch->tx.queue));
	is_well_again(test, victim);
}

static struct kunit_case hostile_cases[] = {
	KUNIT_CASE_PARAM(forged_packet, forgery_gen_params),
	KUNIT_CASE_PARAM(forged_completion, bad_id_gen_params),
	KUNIT_CASE(nobody_waits_for_a_corrupt_ring),
	KUNIT_CASE(outgoing_index_out_of_range),
	KUNIT_CASE(queued_behind_an_index_out_of_range),
	{}
};

struct kunit_suite vmbkmcl_hostile_suite = {
	.name = "vmbkmcl_hostile",
	.test_cases = hostile_cases,
};
