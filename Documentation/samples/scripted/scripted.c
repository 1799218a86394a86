// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server for the test of a client, in the client's own kernel.
 *
 * What a host does rarely, it does when the test says so: it refuses the client, keeps
 * packets, does not read the ring, and rescinds the device. It completes the packets that
 * it keeps when its channel is suspended. So neither a rescind nor the close of the client
 * waits for the test.
 */

#include <linux/string.h>

#include "scripted.h"

static void scripted_complete(struct scripted *server,
			      const struct scripted_packet *packet)
{
	u64 answer[SCRIPTED_ANSWER_MAX / sizeof(u64)];
	u32 len = 0;

	if (server->answer)
		len = server->answer(server, packet->data, packet->len, answer);
	VmbChannelPacketComplete(packet->packet, answer, len);
}

static VOID scripted_process_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
				    PVOID buffer, UINT32 length, UINT32 flags)
{
	struct scripted_packet new = {
		.packet = packet,
		.data = buffer,
		.len = length,
	};
	struct scripted *server = VmbChannelGetPointer(ch);
	bool hold;

	spin_lock(&server->lock);
	server->packets++;
	hold = server->hold && server->nr_held < SCRIPTED_HELD_MAX;
	if (hold)
		server->held[server->nr_held++] = new;
	spin_unlock(&server->lock);
	if (!hold)
		scripted_complete(server, &new);
}

static NTSTATUS scripted_opened(VMBCHANNEL ch)
{
	struct scripted *server = VmbChannelGetPointer(ch);

	return READ_ONCE(server->opened);
}

static VOID scripted_suspend(VMBCHANNEL ch)
{
	while (scripted_complete_one(VmbChannelGetPointer(ch)))
		;
}

static NTSTATUS scripted_set_up(struct scripted *server, const guid_t *type,
				const guid_t *instance)
{
	const u32 flags = VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	VMBCHANNEL ch = server->ch;
	NTSTATUS status;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = scripted_opened;
	callbacks.EvtChannelSuspend = scripted_suspend;
	VmbChannelSetPointer(ch, server);
	VmbChannelSetIncomingProcessingAtPassive(ch, TRUE);
	status = VmbServerChannelInitSetTargetInterfaceId(ch, *type, *instance);
	if (NT_SUCCESS(status))
		status = VmbServerChannelInitSetFlags(ch, flags);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetStateChangeCallbacks(ch, &callbacks);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetProcessPacketCallbacks(ch,
								 scripted_process_packet,
								 NULL);
	return status;
}

/**
 * scripted_offer - offer a device to the clients in this kernel
 * @server: zeroed memory, of which the test may have set the first members
 * @type: type GUID of the device
 * @instance: instance GUID of the device
 *
 * Settings such as VmbChannelInitSetMaximumPacketSize() can be changed between
 * scripted_rescind() and scripted_offer_again().
 *
 * Return: the status. On a failure nothing has to be undone.
 */
NTSTATUS scripted_offer(struct scripted *server, const guid_t *type,
			const guid_t *instance)
{
	NTSTATUS status;

	spin_lock_init(&server->lock);
	status = VmbChannelAllocate(NULL, TRUE, &server->ch);
	if (!NT_SUCCESS(status))
		return status;
	status = scripted_set_up(server, type, instance);
	if (NT_SUCCESS(status))
		status = scripted_offer_again(server);
	if (!NT_SUCCESS(status))
		VmbChannelCleanup(server->ch);
	return status;
}

/* Rescind the device, and free the channel. */
void scripted_end(struct scripted *server)
{
	scripted_rescind(server);
	VmbChannelCleanup(server->ch);
}

/* The client loses its device. It need not have gone when this function returns. */
void scripted_rescind(struct scripted *server)
{
	VmbChannelDisable(server->ch);
}

/* Offer the device again. Call it after scripted_rescind(). */
NTSTATUS scripted_offer_again(struct scripted *server)
{
	NTSTATUS status = VmbChannelEnable(server->ch);

	if (NT_SUCCESS(status))
		VmbChannelStart(server->ch);
	return status;
}

/* Keep the packets that the client sends from here on, or stop that. */
void scripted_hold(struct scripted *server, bool hold)
{
	spin_lock(&server->lock);
	server->hold = hold;
	spin_unlock(&server->lock);
}

/* Complete the oldest packet that is kept. Returns false if there is none. */
bool scripted_complete_one(struct scripted *server)
{
	struct scripted_packet oldest;
	bool found;

	spin_lock(&server->lock);
	found = server->nr_held;
	if (found) {
		oldest = server->held[0];
		server->nr_held--;
		memmove(server->held, server->held + 1,
			server->nr_held * sizeof(oldest));
	}
	spin_unlock(&server->lock);
	if (found)
		scripted_complete(server, &oldest);
	return found;
}

/*
 * Take no packets. About 64 are still read from the ring; then it fills up. Packets that
 * are kept are completed first.
 */
void scripted_stall(struct scripted *server)
{
	VmbChannelPause(server->ch);
}

/* Take packets again. */
void scripted_go_on(struct scripted *server)
{
	VmbChannelStart(server->ch);
}

/*
 * Send the client a packet that it need not complete. Returns STATUS_BUFFER_OVERFLOW if
 * the client's ring is full.
 */
NTSTATUS scripted_send(struct scripted *server, void *data, u32 len)
{
	LARGE_INTEGER now = {};

	return VmbChannelSendSynchronousRequest(server->ch, data, len, NULL, 0,
						NULL, NULL, &now);
}
