// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample client: it shares a ring of buffers with a server by GPADL, and
 * exchanges packets with external data.
 *
 * The channel is set up at the bottom, in ring_init(). What happens on it from
 * then on, its callbacks tell: they stand above. It is the same client as
 * Documentation/samples/windows/ring.c, and calls the same functions: here as
 * symbols it links to.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>

/* What the server understands. A client of another server has its own. */
#include "protocol.h"

#define RING_SLOTS		8
#define RING_SLOT_SIZE		SZ_4K
#define RING_SIZE		(RING_SLOTS * RING_SLOT_SIZE)
#define RING_MESSAGE		64	/* bytes in a slot */
#define RING_PACKETS		16
#define RING_EXTERNAL_SIZE	6000	/* bytes of each */
#define RING_EXTERNAL_OFFSET	100	/* not where a page begins */
#define RING_MAX_PACKET		1024

/* Timeouts count in units of 100 ns; below 0 they count from now. */
#define RING_TIMEOUT		(-10 * 10000000LL)

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION

struct ring_request {
	struct testdev_request header;
	u8 payload[RING_MESSAGE];
};

struct ring_answer {
	struct testdev_response header;
	u8 payload[RING_MESSAGE];
};

/**
 * struct ring - all there is
 * @channel: to the server
 * @slots: RING_SIZE bytes that are shared
 * @handle: what the server knows them by
 * @shared: it does
 * @external: pages that packets refer to
 * @mdl: describes @external
 * @outstanding: packets under way, and one for who sends them
 * @idle: none is
 * @wrong: what was not as it should be
 */
static struct ring {
	VMBCHANNEL channel;
	u8 *slots;
	u32 handle;
	bool shared;
	u8 *external;
	PMDL mdl;
	atomic_t outstanding;
	struct completion idle;
	atomic_t wrong;
} ring;

/* Every function of the API that can fail returns an NTSTATUS. */
static int ring_check(const char *what, NTSTATUS status)
{
	if (NT_SUCCESS(status))
		return 0;
	pr_err("%s: status %#x\n", what, status);
	return -EIO;
}

/* One question to the server, and its answer. */
static int ring_ask(struct ring_request *request, struct ring_answer *answer)
{
	LARGE_INTEGER timeout = { .QuadPart = RING_TIMEOUT };
	u32 len = sizeof(*answer);	/* in: room, a multiple of 8; out: used */
	NTSTATUS status;
	int err;

	request->header.magic = TESTDEV_MAGIC;
	status = VmbChannelSendSynchronousRequest(ring.channel, request,
						  sizeof(request->header) +
						  request->header.payload_len,
						  NULL, WAIT, answer, &len,
						  &timeout);
	err = ring_check("request", status);
	if (err)
		return err;
	/* The server is another machine's program: look before you believe. */
	if (len < sizeof(answer->header) ||
	    answer->header.magic != TESTDEV_MAGIC ||
	    answer->header.op != request->header.op ||
	    answer->header.status != TESTDEV_OK)
		return -EPROTO;
	return 0;
}

/* The server has to know the ring, and all of it. */
static int ring_negotiate(void)
{
	struct ring_request request = {
		.header = { .op = TESTDEV_GPADL_LENGTH, .handle = ring.handle },
	};
	struct ring_answer answer;
	int err;

	err = ring_ask(&request, &answer);
	if (err)
		return err;
	return answer.header.value == RING_SIZE ? 0 : -EPROTO;
}

/* What is put in a slot the server finds there, and the other way round. */
static int ring_use_slot(unsigned int i)
{
	struct ring_request request = {
		.header = {
			.op = TESTDEV_GPADL_READ,
			.handle = ring.handle,
			.offset = i * RING_SLOT_SIZE,
			.length = RING_MESSAGE,
		},
	};
	u8 *slot = ring.slots + i * RING_SLOT_SIZE;
	struct ring_answer answer;
	int err;

	memset(slot, 0xa0 + i, RING_MESSAGE);
	err = ring_ask(&request, &answer);
	if (err)
		return err;
	if (memcmp(answer.payload, slot, RING_MESSAGE))
		atomic_inc(&ring.wrong);

	request.header.op = TESTDEV_GPADL_WRITE;
	request.header.payload_len = RING_MESSAGE;
	memset(request.payload, 0x50 + i, RING_MESSAGE);
	err = ring_ask(&request, &answer);
	if (err)
		return err;
	if (memcmp(request.payload, slot, RING_MESSAGE))
		atomic_inc(&ring.wrong);
	return 0;
}

/* In softirq context, once for each packet that was sent. */
static VOID ring_completed(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			   UINT32 len)
{
	struct testdev_response *answer = buffer;

	if (!NT_SUCCESS(status) || len < sizeof(*answer) ||
	    answer->status != TESTDEV_OK || answer->value != RING_EXTERNAL_SIZE)
		atomic_inc(&ring.wrong);
	VmbPacketFree(packet);
	if (atomic_dec_and_test(&ring.outstanding))
		complete(&ring.idle);
}

/* The server writes the pattern of @seed to the external data. */
static int ring_send_external(u32 seed)
{
	struct testdev_request request = {
		.magic = TESTDEV_MAGIC,
		.op = TESTDEV_GPA_DIRECT_FILL,
		.seed = seed,
	};
	VMBPACKET packet = VmbPacketAllocate(ring.channel);
	int err;

	if (!packet)
		return -ENOMEM;
	VmbPacketSetCompletionRoutine(packet, ring_completed);
	atomic_inc(&ring.outstanding);
	err = ring_check("send",
			 VmbPacketSendWithExternalMdl(packet, &request,
						      sizeof(request), ring.mdl,
						      RING_EXTERNAL_OFFSET,
						      RING_EXTERNAL_SIZE, WAIT));
	if (err) {
		atomic_dec(&ring.outstanding);
		VmbPacketFree(packet);
	}
	return err;
}

/* Packets are carried out in the order they were sent in: the last one's stays. */
static void ring_look_at_external(void)
{
	const u8 *data = ring.external + RING_EXTERNAL_OFFSET;
	unsigned int i;

	for (i = 0; i < RING_EXTERNAL_SIZE; i++)
		if (data[i] != testdev_pattern(RING_PACKETS - 1, i)) {
			atomic_inc(&ring.wrong);
			break;
		}
	if (data[-1] || data[RING_EXTERNAL_SIZE])
		atomic_inc(&ring.wrong);
}

static int ring_exchange(void)
{
	unsigned int i;
	int err = 0;

	/* One for this function: nobody is idle before it waits. */
	atomic_set(&ring.outstanding, 1);
	reinit_completion(&ring.idle);
	for (i = 0; i < RING_PACKETS && !err; i++)
		err = ring_send_external(i);
	if (!atomic_dec_and_test(&ring.outstanding) &&
	    !wait_for_completion_timeout(&ring.idle, 20 * HZ))
		return -ETIMEDOUT;
	if (!err)
		ring_look_at_external();
	return err;
}

/* The channel's life. These may sleep, and never run two at a time. */

/* The ring is shared before anything flows. */
static NTSTATUS ring_opened(VMBCHANNEL channel)
{
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromBuffer(channel, 0, ring.slots,
						 RING_SIZE, &ring.handle);
	ring.shared = NT_SUCCESS(status);
	return status;
}

/* Packets flow both ways: time to agree with the server. */
static VOID ring_post_started(VMBCHANNEL channel)
{
	unsigned int i;
	int err;

	err = ring_negotiate();
	for (i = 0; i < RING_SLOTS && !err; i++)
		err = ring_use_slot(i);
	if (!err)
		err = ring_exchange();
	if (err)
		pr_err("failed: %d\n", err);
	else
		pr_info("%u slots, %u packets, %d wrong\n", RING_SLOTS,
			RING_PACKETS, atomic_read(&ring.wrong));
}

static VOID ring_closed(VMBCHANNEL channel)
{
	if (ring.shared)
		VmbChannelDeleteGpadl(channel, ring.handle);
	ring.shared = false;
}

/* What the channel is to be. All of it is said before Enable. */
static int ring_configure(void)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	guid_t type, instance;
	int err;

	err = guid_parse(TESTDEV_TYPE_GUID, &type) ?:
	      guid_parse(TESTDEV_INSTANCE_GUID, &instance);
	if (err)
		return err;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = ring_opened;
	callbacks.EvtChannelPostStarted = ring_post_started;
	callbacks.EvtChannelClosed = ring_closed;

	return ring_check("callbacks",
			  VmbChannelInitSetStateChangeCallbacks(ring.channel,
								&callbacks)) ?:
	       ring_check("packet size",
			  VmbChannelInitSetMaximumPacketSize(ring.channel,
							     RING_MAX_PACKET)) ?:
	       ring_check("external data",
			  VmbChannelInitSetMaximumExternalData(ring.channel,
							       RING_EXTERNAL_SIZE,
							       1)) ?:
	       ring_check("target",
			  VmbClientChannelInitSetTargetPnp(ring.channel, &type,
							   &instance, NULL));
}

static int __init ring_allocate(void)
{
	ring.slots = vzalloc(RING_SIZE);
	if (!ring.slots)
		return -ENOMEM;
	ring.external = vzalloc(2 * SZ_4K);
	if (!ring.external)
		goto free_slots;
	ring.mdl = IoAllocateMdl(ring.external, 2 * SZ_4K, FALSE, FALSE, NULL);
	if (!ring.mdl)
		goto free_external;
	MmBuildMdlForNonPagedPool(ring.mdl);
	return 0;

free_external:
	vfree(ring.external);
free_slots:
	vfree(ring.slots);
	return -ENOMEM;
}

static void ring_free(void)
{
	IoFreeMdl(ring.mdl);
	vfree(ring.external);
	vfree(ring.slots);
}

static int __init ring_init(void)
{
	int err;

	init_completion(&ring.idle);
	err = ring_allocate();
	if (err)
		return err;
	err = ring_check("allocate", VmbChannelAllocate(NULL, FALSE,
							&ring.channel));
	if (err)
		goto free;
	/* Enable returns at once; the callbacks come when the device is there. */
	err = ring_configure() ?:
	      ring_check("enable", VmbChannelEnable(ring.channel));
	if (err)
		goto cleanup;
	return 0;

cleanup:
	VmbChannelCleanup(ring.channel);
free:
	ring_free();
	return err;
}

static void __exit ring_exit(void)
{
	VmbChannelDisable(ring.channel);	/* Suspend and Closed run in here */
	VmbChannelCleanup(ring.channel);
	ring_free();
}

module_init(ring_init);
module_exit(ring_exit);

MODULE_DESCRIPTION("Sample client of vmbkmcl: a ring of buffers, and packets");
MODULE_LICENSE("GPL");
