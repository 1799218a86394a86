// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample client written the Windows way. It shares a ring of buffers with a
 * server by GPADL, and exchanges packets with external data.
 *
 * Nothing in this file is Linux's: it asks for the interface, sets its channel up
 * when its device is added, and agrees with the server in EvtChannelPostStarted.
 * Documentation/samples/linux/ring.c is the same client in Linux's words.
 */

#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

/* What the server understands. A client of another server has its own. */
#include "protocol.h"
#include "ring.h"

#define RING_TAG		'gniR'
#define RING_SLOTS		8
#define RING_SLOT_SIZE		4096
#define RING_SIZE		(RING_SLOTS * RING_SLOT_SIZE)
#define RING_MESSAGE		64	/* bytes in a slot */
#define RING_PACKETS		16
#define RING_EXTERNAL_SIZE	6000	/* bytes of each */
#define RING_EXTERNAL_OFFSET	100	/* not where a page begins */
#define RING_MAX_PACKET		1024

#define RING_SECONDS(s)		(-(s) * 10000000LL)	/* from now */

DEFINE_GUID(GUID_RING_TYPE, 0x7c3d5e10, 0x61a2, 0x4f0b,
	    0x9a, 0x7e, 0x0d, 0x5f, 0x6b, 0x1c, 0x2a, 0x34);
DEFINE_GUID(GUID_RING_INSTANCE, 0xa8f0c2d4, 0x1e57, 0x4b6c,
	    0x8d, 0x29, 0x3f, 0x4e, 0x5a, 0x6b, 0x7c, 0x80);

typedef struct _RING_MESSAGE_PACKET {
	struct testdev_request Header;
	UCHAR Payload[RING_MESSAGE];
} RING_MESSAGE_PACKET, *PRING_MESSAGE_PACKET;

typedef struct _RING_ANSWER {
	struct testdev_response Header;
	UCHAR Payload[RING_MESSAGE];
} RING_ANSWER, *PRING_ANSWER;

typedef struct _RING_DEVICE {
	KMCL_CLIENT_INTERFACE_V1 Vmb;
	VMBCHANNEL Channel;
	PUCHAR Ring;
	BOOLEAN Shared;
	UINT32 GpadlHandle;
	PUCHAR External;
	PMDL ExternalMdl;
	KEVENT Idle;
	LONG volatile Outstanding;
	LONG volatile Wrong;
} RING_DEVICE, *PRING_DEVICE;

static PRING_DEVICE RingDevice;

static EVT_VMB_CHANNEL_OPENED RingEvtChannelOpened;
static EVT_VMB_CHANNEL_POST_STARTED RingEvtChannelPostStarted;
static EVT_VMB_CHANNEL_CLOSED RingEvtChannelClosed;
static EVT_VMB_CHANNEL_PROCESS_PACKET RingEvtChannelProcessPacket;
static EVT_VMB_PACKET_COMPLETION_ROUTINE RingPacketCompletion;

/* One question to the server, and its answer. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS RingAsk(_In_ PRING_DEVICE Device,
			_In_ PRING_MESSAGE_PACKET Packet, _Out_ PRING_ANSWER Answer)
{
	LARGE_INTEGER timeout = { .QuadPart = RING_SECONDS(10) };
	UINT32 size = sizeof(*Answer);
	NTSTATUS status;

	PAGED_CODE();

	Packet->Header.magic = TESTDEV_MAGIC;
	status = Device->Vmb.VmbChannelSendSynchronousRequest(Device->Channel,
							      Packet,
							      sizeof(Packet->Header) +
							      Packet->Header.payload_len,
							      NULL,
							      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
							      Answer, &size,
							      &timeout);
	if (!NT_SUCCESS(status))
		return status;
	/* The server is another machine's program: look before you believe. */
	if (size < sizeof(Answer->Header) ||
	    Answer->Header.magic != TESTDEV_MAGIC ||
	    Answer->Header.op != Packet->Header.op ||
	    Answer->Header.status != TESTDEV_OK)
		return STATUS_INVALID_DEVICE_REQUEST;
	return STATUS_SUCCESS;
}

/* The server has to know the ring, and all of it. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS RingNegotiate(_In_ PRING_DEVICE Device)
{
	RING_MESSAGE_PACKET packet = { 0 };
	RING_ANSWER answer;
	NTSTATUS status;

	PAGED_CODE();

	packet.Header.op = TESTDEV_GPADL_LENGTH;
	packet.Header.handle = Device->GpadlHandle;
	status = RingAsk(Device, &packet, &answer);
	if (!NT_SUCCESS(status))
		return status;
	return answer.Header.value == RING_SIZE ? STATUS_SUCCESS :
						  STATUS_REVISION_MISMATCH;
}

/* What the client puts in a slot the server finds there, and the other way. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS RingUseSlot(_In_ PRING_DEVICE Device, _In_ UINT32 Slot)
{
	PUCHAR slot = Device->Ring + Slot * RING_SLOT_SIZE;
	RING_MESSAGE_PACKET packet = { 0 };
	RING_ANSWER answer;
	NTSTATUS status;

	PAGED_CODE();

	packet.Header.op = TESTDEV_GPADL_READ;
	packet.Header.handle = Device->GpadlHandle;
	packet.Header.offset = Slot * RING_SLOT_SIZE;
	packet.Header.length = RING_MESSAGE;
	RtlFillMemory(slot, RING_MESSAGE, 0xa0 + Slot);
	status = RingAsk(Device, &packet, &answer);
	if (!NT_SUCCESS(status))
		return status;
	if (!RtlEqualMemory(answer.Payload, slot, RING_MESSAGE))
		InterlockedIncrement(&Device->Wrong);

	packet.Header.op = TESTDEV_GPADL_WRITE;
	packet.Header.payload_len = RING_MESSAGE;
	RtlFillMemory(packet.Payload, RING_MESSAGE, 0x50 + Slot);
	status = RingAsk(Device, &packet, &answer);
	if (!NT_SUCCESS(status))
		return status;
	if (!RtlEqualMemory(packet.Payload, slot, RING_MESSAGE))
		InterlockedIncrement(&Device->Wrong);
	return STATUS_SUCCESS;
}

/* Runs at up to DISPATCH_LEVEL, once for each packet that was sent. */
_Use_decl_annotations_
static VOID RingPacketCompletion(VMBPACKET Packet, NTSTATUS Status,
				 PVOID Buffer, UINT32 BufferLength)
{
	PRING_DEVICE device = RingDevice;
	struct testdev_response *answer = Buffer;

	if (!NT_SUCCESS(Status) || BufferLength < sizeof(*answer) ||
	    answer->status != TESTDEV_OK ||
	    answer->value != RING_EXTERNAL_SIZE)
		InterlockedIncrement(&device->Wrong);
	device->Vmb.VmbPacketFree(Packet);
	if (!InterlockedDecrement(&device->Outstanding))
		KeSetEvent(&device->Idle, IO_NO_INCREMENT, FALSE);
}

/* The server writes the pattern of @Seed to the external data. */
static NTSTATUS RingSendExternal(_In_ PRING_DEVICE Device, _In_ UINT32 Seed)
{
	struct testdev_request request = {
		.magic = TESTDEV_MAGIC,
		.op = TESTDEV_GPA_DIRECT_FILL,
		.seed = Seed,
	};
	VMBPACKET packet;
	NTSTATUS status;

	packet = Device->Vmb.VmbPacketAllocate(Device->Channel);
	if (packet == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	Device->Vmb.VmbPacketSetCompletionRoutine(packet, RingPacketCompletion);
	InterlockedIncrement(&Device->Outstanding);
	status = Device->Vmb.VmbPacketSendWithExternalMdl(packet, &request,
							  sizeof(request),
							  Device->ExternalMdl,
							  RING_EXTERNAL_OFFSET,
							  RING_EXTERNAL_SIZE,
							  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION);
	if (!NT_SUCCESS(status)) {
		InterlockedDecrement(&Device->Outstanding);
		Device->Vmb.VmbPacketFree(packet);
	}
	return status;
}

/* Packets are carried out in the order they were sent in: the last one's stays. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS RingExchange(_In_ PRING_DEVICE Device)
{
	LARGE_INTEGER timeout = { .QuadPart = RING_SECONDS(20) };
	NTSTATUS status = STATUS_SUCCESS;
	UINT32 i;

	PAGED_CODE();

	/* One for this function: the event is not set before it waits. */
	Device->Outstanding = 1;
	KeClearEvent(&Device->Idle);
	for (i = 0; i < RING_PACKETS && NT_SUCCESS(status); i++)
		status = RingSendExternal(Device, i);
	if (InterlockedDecrement(&Device->Outstanding) != 0 &&
	    KeWaitForSingleObject(&Device->Idle, Executive, KernelMode, FALSE,
				  &timeout) != STATUS_SUCCESS)
		return STATUS_IO_TIMEOUT;
	if (!NT_SUCCESS(status))
		return status;

	for (i = 0; i < RING_EXTERNAL_SIZE; i++)
		if (Device->External[RING_EXTERNAL_OFFSET + i] !=
		    testdev_pattern(RING_PACKETS - 1, i)) {
			InterlockedIncrement(&Device->Wrong);
			break;
		}
	if (Device->External[RING_EXTERNAL_OFFSET - 1] != 0 ||
	    Device->External[RING_EXTERNAL_OFFSET + RING_EXTERNAL_SIZE] != 0)
		InterlockedIncrement(&Device->Wrong);
	return STATUS_SUCCESS;
}

/* The ring is shared before anything flows. */
_Use_decl_annotations_
static NTSTATUS RingEvtChannelOpened(VMBCHANNEL Channel)
{
	PRING_DEVICE device = RingDevice;
	NTSTATUS status;

	PAGED_CODE();

	status = device->Vmb.VmbChannelCreateGpadlFromBuffer(Channel, 0,
							     device->Ring,
							     RING_SIZE,
							     &device->GpadlHandle);
	device->Shared = NT_SUCCESS(status);
	return status;
}

/* Packets flow both ways: time to agree with the server. */
_Use_decl_annotations_
static VOID RingEvtChannelPostStarted(VMBCHANNEL Channel)
{
	PRING_DEVICE device = RingDevice;
	NTSTATUS status;
	UINT32 i;

	UNREFERENCED_PARAMETER(Channel);
	PAGED_CODE();

	status = RingNegotiate(device);
	for (i = 0; i < RING_SLOTS && NT_SUCCESS(status); i++)
		status = RingUseSlot(device, i);
	if (NT_SUCCESS(status))
		status = RingExchange(device);
	if (!NT_SUCCESS(status)) {
		DbgPrint("ring_windows: failed: status %#x\n", status);
		return;
	}
	DbgPrint("ring_windows: %u slots, %u packets, %d wrong\n", RING_SLOTS,
		 RING_PACKETS, device->Wrong);
}

_Use_decl_annotations_
static VOID RingEvtChannelClosed(VMBCHANNEL Channel)
{
	PRING_DEVICE device = RingDevice;

	PAGED_CODE();

	if (device->Shared)
		device->Vmb.VmbChannelDeleteGpadl(Channel, device->GpadlHandle);
	device->Shared = FALSE;
}

/* The server sends nothing by itself; what comes all the same is given back. */
_Use_decl_annotations_
static VOID RingEvtChannelProcessPacket(VMBCHANNEL Channel,
					VMBPACKETCOMPLETION Packet,
					PVOID Buffer, UINT32 BufferLength,
					UINT32 Flags)
{
	UNREFERENCED_PARAMETER(Channel);
	UNREFERENCED_PARAMETER(Buffer);
	UNREFERENCED_PARAMETER(BufferLength);
	UNREFERENCED_PARAMETER(Flags);

	RingDevice->Vmb.VmbChannelPacketComplete(Packet, NULL, 0);
}

static NTSTATUS RingAllocateMemory(_Inout_ PRING_DEVICE Device)
{
	Device->Ring = ExAllocatePool2(POOL_FLAG_NON_PAGED, RING_SIZE,
				       RING_TAG);
	Device->External = ExAllocatePool2(POOL_FLAG_NON_PAGED,
					   2 * RING_SLOT_SIZE, RING_TAG);
	if (Device->Ring == NULL || Device->External == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	Device->ExternalMdl = IoAllocateMdl(Device->External,
					    2 * RING_SLOT_SIZE, FALSE, FALSE,
					    NULL);
	if (Device->ExternalMdl == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmBuildMdlForNonPagedPool(Device->ExternalMdl);
	return STATUS_SUCCESS;
}

/* Everything is said before the channel is enabled. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS RingConfigureChannel(_In_ PRING_DEVICE Device)
{
	DECLARE_CONST_UNICODE_STRING(name, L"ring");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	VMBCHANNEL channel = Device->Channel;
	NTSTATUS status;

	PAGED_CODE();

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = RingEvtChannelOpened;
	callbacks.EvtChannelPostStarted = RingEvtChannelPostStarted;
	callbacks.EvtChannelClosed = RingEvtChannelClosed;

	status = Device->Vmb.VmbChannelInitSetStateChangeCallbacks(channel,
								   &callbacks);
	if (NT_SUCCESS(status))
		status = Device->Vmb.VmbChannelInitSetProcessPacketCallbacks(channel,
									     RingEvtChannelProcessPacket,
									     NULL);
	if (NT_SUCCESS(status))
		status = Device->Vmb.VmbChannelInitSetFriendlyName(channel,
								   &name);
	if (NT_SUCCESS(status))
		status = Device->Vmb.VmbChannelInitSetMaximumPacketSize(channel,
									RING_MAX_PACKET);
	if (NT_SUCCESS(status))
		status = Device->Vmb.VmbChannelInitSetMaximumExternalData(channel,
									  RING_EXTERNAL_SIZE,
									  1);
	if (NT_SUCCESS(status))
		status = Device->Vmb.VmbClientChannelInitSetTargetPnp(channel,
								      &GUID_RING_TYPE,
								      &GUID_RING_INSTANCE,
								      NULL);
	return status;
}

/* Undoes as much of RingEvtDeviceAdd() as was done. */
_IRQL_requires_(PASSIVE_LEVEL)
VOID RingEvtDeviceRemove(VOID)
{
	PRING_DEVICE device = RingDevice;

	PAGED_CODE();

	if (device->Channel != NULL) {
		device->Vmb.VmbChannelDisable(device->Channel);
		device->Vmb.VmbChannelCleanup(device->Channel);
	}
	if (device->Vmb.InterfaceDereference != NULL)
		device->Vmb.InterfaceDereference(device->Vmb.Context);
	if (device->ExternalMdl != NULL)
		IoFreeMdl(device->ExternalMdl);
	ExFreePoolWithTag(device->External, RING_TAG);
	ExFreePoolWithTag(device->Ring, RING_TAG);
	ExFreePoolWithTag(device, RING_TAG);
	RingDevice = NULL;
}

_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS RingEvtDeviceAdd(_In_opt_ WDFDEVICE Device)
{
	PRING_DEVICE ring;
	NTSTATUS status;

	PAGED_CODE();

	ring = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*ring), RING_TAG);
	if (ring == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	RingDevice = ring;
	KeInitializeEvent(&ring->Idle, NotificationEvent, FALSE);
	status = RingAllocateMemory(ring);
	if (NT_SUCCESS(status))
		status = WdfFdoQueryForInterface(Device,
						 &KMCL_CLIENT_INTERFACE_TYPE,
						 (PINTERFACE)&ring->Vmb,
						 sizeof(ring->Vmb),
						 KMCL_CLIENT_INTERFACE_VERSION_V1,
						 NULL);
	if (NT_SUCCESS(status))
		status = ring->Vmb.VmbChannelAllocate(NULL, FALSE,
						      &ring->Channel);
	if (NT_SUCCESS(status))
		status = RingConfigureChannel(ring);
	/* Returns at once: the callbacks tell how it goes on. */
	if (NT_SUCCESS(status))
		status = ring->Vmb.VmbChannelEnable(ring->Channel);
	if (!NT_SUCCESS(status)) {
		DbgPrint("ring_windows: not added: status %#x\n", status);
		RingEvtDeviceRemove();
	}
	return status;
}
