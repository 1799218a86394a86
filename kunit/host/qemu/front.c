// SPDX-License-Identifier: GPL-2.0-only
/*
 * Newer versions of VMBus in front of QEMU's core, which speaks 4.0.
 *
 * From 5.0 on a guest posts INITIATE_CONTACT to connection 4, and all messages after
 * it to the connection that the answer names; QEMU's answer names 0. QEMU's core
 * listens on neither, so both are listened on here. INITIATE_CONTACT is passed on as
 * one for 4.0, MODIFYCHANNEL is carried out here, because the core does not know it,
 * and everything else is passed on as it is. At 4.1 the guest still uses the core's
 * own connection, so this version cannot be had in this way.
 */
#include "qemu.h"

#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/hyperv/hyperv-proto.h"
#include "hw/qdev-core.h"
#include "qapi/error.h"
#include "qemu/thread.h"

typedef uint16_t (*HvMsgHandler)(const struct hyperv_post_message_input *msg, void *data);
int hyperv_set_msg_handler(uint32_t conn_id, HvMsgHandler handler, void *data);
uint16_t hyperv_hcall_post_message(uint64_t param, bool fast);

/* For what is not QEMU, see device.c. */
#pragma weak qemu_mutex_lock_func
#pragma weak error_abort

#define CONNECTION_CONTACT	4
#define CONNECTION_REST		0

#define VERSION(major, minor)	((major) << 16 | (minor))

#define MSG_MODIFYCHANNEL		22
#define MSG_MODIFYCHANNEL_RESPONSE	24

#define STATUS_UNSUCCESSFUL	0xc0000001u

#define RETRY_MS	1
#define MAX_MOVES	16

/*
 * The hypercall's function reads a message from guest memory, so a page is added to
 * it, at an address that is neither RAM nor in the window of mmio.asl.
 */
#define PAGE_GPA	0xc010000000ull

struct modify_channel {
	vmbus_message_header header;
	uint32_t relid;
	uint32_t target_vp;
};

struct modify_channel_response {
	vmbus_message_header header;
	uint32_t relid;
	uint32_t status;
};

static struct {
	struct qemu_channel *ch;	/* the first device's, for its bus and its log */
	uint32_t version;		/* the newest that a guest may choose */
	uint32_t spoken;		/* the one it chose */
	QemuMutex lock;			/* of the page, the version and the queue */
	MemoryRegion region;
	struct hyperv_post_message_input *page;
	GQueue moves;			/* struct modify_channel */
	bool moved;			/* the first of them was carried out ... */
	uint32_t status;		/* ... with this status, and is to be answered */
	QEMUTimer *timer;
} front;

/* To QEMU's core; it queues the message or tells the guest to try again. */
static uint16_t pass_on(const struct hyperv_post_message_input *msg)
{
	*front.page = *msg;
	front.page->connection_id = VMBUS_MESSAGE_CONNECTION_ID;
	return hyperv_hcall_post_message(PAGE_GPA, false);
}

/* A version that is not passed on as 4.0 is one that the core refuses. */
static uint16_t initiate_contact(struct hyperv_post_message_input *msg)
{
	vmbus_message_initiate_contact *contact = (void *)msg->payload;

	if (contact->version_requested > VMBUS_VERSION_CURRENT &&
	    contact->version_requested <= front.version) {
		front.spoken = contact->version_requested;
		contact->version_requested = VMBUS_VERSION_CURRENT;
		/* It is no page at these versions. */
		contact->interrupt_page = 0;
	}
	return pass_on(msg);
}

static uint16_t queue_move(const struct hyperv_post_message_input *msg)
{
	if (g_queue_get_length(&front.moves) == MAX_MOVES)
		return HV_STATUS_INSUFFICIENT_BUFFERS;
	g_queue_push_tail(&front.moves,
			  g_memdup2(msg->payload, sizeof(struct modify_channel)));
	timer_mod(front.timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL));
	return HV_STATUS_SUCCESS;
}

static uint16_t dispatch(struct hyperv_post_message_input *msg)
{
	const vmbus_message_header *header = (const void *)msg->payload;

	if (header->message_type == VMBUS_MSG_INITIATE_CONTACT &&
	    msg->payload_size >= sizeof(vmbus_message_initiate_contact))
		return initiate_contact(msg);
	if (header->message_type == MSG_MODIFYCHANNEL &&
	    msg->payload_size >= sizeof(struct modify_channel))
		return queue_move(msg);
	return pass_on(msg);
}

/* This runs in the thread of the guest's processor, without the big lock. */
static uint16_t receive(const struct hyperv_post_message_input *in, void *data)
{
	struct hyperv_post_message_input msg = *in;
	uint16_t status;

	(void)data;
	qemu_mutex_lock(&front.lock);
	status = dispatch(&msg);
	qemu_mutex_unlock(&front.lock);
	return status;
}

/* The open channel of that id, among all devices'; NULL: there is none. */
static struct qemu_channel *find_open(uint32_t relid)
{
	BusState *bus = qdev_get_parent_bus(DEVICE(front.ch->vdev));
	struct testdev_device *device;
	BusChild *child;
	uint32_t i;

	QTAILQ_FOREACH(child, &bus->children, sibling) {
		device = (void *)object_dynamic_cast(OBJECT(child->child), TYPE_TESTDEV);
		for (i = 0; device && i < device->parent_obj.num_channels; i++)
			if (device->channels[i].chan &&
			    chan_relid(device->channels[i].chan) == relid)
				return &device->channels[i];
	}
	return NULL;
}

static uint32_t move_channel(const struct modify_channel *move)
{
	struct qemu_channel *ch = find_open(move->relid);
	bool moved = ch && chan_set_target(ch, move->target_vp);

	testdev_log(&(ch ?: front.ch)->dev, "channel %u %s to processor %u", move->relid,
		    moved ? "moved" : "cannot be moved", move->target_vp);
	return moved ? 0 : STATUS_UNSUCCESSFUL;
}

/* False: the slot for messages is occupied. */
static bool answer(const struct modify_channel *move)
{
	struct modify_channel_response response = {
		.header.message_type = MSG_MODIFYCHANNEL_RESPONSE,
		.relid = move->relid,
		.status = front.status,
	};
	struct hyperv_message msg = {
		.header.payload_size = sizeof(response),
	};
	int ret;

	memcpy(msg.payload, &response, sizeof(response));
	ret = message_post(front.ch, &msg);
	if (ret && ret != -EAGAIN)
		testdev_log(&front.ch->dev, "answer to a move lost: error %d", ret);
	return ret != -EAGAIN;
}

/* From 5.3 on a move is answered. Returns false when it cannot be yet. */
static bool carry_out(const struct modify_channel *move)
{
	if (!front.moved)
		front.status = move_channel(move);
	front.moved = true;
	if (front.spoken >= VERSION(5, 3) && !answer(move))
		return false;
	front.moved = false;
	return true;
}

static void carry_out_moves(void *opaque)
{
	struct modify_channel *move;

	(void)opaque;
	qemu_mutex_lock(&front.lock);
	while ((move = g_queue_peek_head(&front.moves)) && carry_out(move))
		g_free(g_queue_pop_head(&front.moves));
	if (move)
		timer_mod(front.timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + RETRY_MS);
	qemu_mutex_unlock(&front.lock);
}

static bool listen_on(uint32_t connection, Error **errp)
{
	int ret = hyperv_set_msg_handler(connection, receive, NULL);

	if (ret)
		error_setg_errno(errp, -ret, "message connection %u is not to be had",
				 connection);
	return !ret;
}

bool front_init(struct qemu_channel *ch, uint32_t version, Error **errp)
{
	if (front.ch || version <= VMBUS_VERSION_CURRENT)
		return true;
	if (version < VERSION(5, 0)) {
		error_setg(errp, "QEMU's VMBus speaks 4.0 or what is newer than 4.1");
		return false;
	}
	front.ch = ch;
	front.version = version;
	qemu_mutex_init(&front.lock);
	g_queue_init(&front.moves);
	front.timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, carry_out_moves, NULL);
	memory_region_init_ram(&front.region, OBJECT(ch->vdev), "vmbkmcl-front",
			       VMBUS_PAGE_SIZE, &error_abort);
	memory_region_add_subregion(get_system_memory(), PAGE_GPA, &front.region);
	front.page = memory_region_get_ram_ptr(&front.region);
	return listen_on(CONNECTION_CONTACT, errp) && listen_on(CONNECTION_REST, errp);
}
