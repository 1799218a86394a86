// SPDX-License-Identifier: GPL-2.0-only
/*
 * A sample server written the Windows way, for the clients in the other
 * folders. It checksums and fills the buffers that a client shares by GPADL,
 * and the external data of packets.
 *
 * Nothing in this file is Linux's. On Linux the server is offered to the clients in
 * its own kernel; they are the same modules that talk to a server on Hyper-V.
 */

#include <ntddk.h>
#include <wdf.h>
#include <vmbuskernelmodeclientlibapi.h>

/*
 * What a client and its server say to each other. Others have a protocol of
 * their own.
 */
#include "protocol.h"
#include "server.h"

#define SHARE_MAX_PAYLOAD	512	/* bytes behind either header */
#define SHARE_MAX_PACKET	1024
#define SHARE_EXTERNAL_SIZE	65536
#define SHARE_EXTERNAL_CHAIN	16

DEFINE_GUID(GUID_SHARE_TYPE, 0x7c3d5e10, 0x61a2, 0x4f0b,
	    0x9a, 0x7e, 0x0d, 0x5f, 0x6b, 0x1c, 0x2a, 0x34);
DEFINE_GUID(GUID_SHARE_INSTANCE, 0xa8f0c2d4, 0x1e57, 0x4b6c,
	    0x8d, 0x29, 0x3f, 0x4e, 0x5a, 0x6b, 0x7c, 0x80);

typedef struct _SHARE_ANSWER {
	struct testdev_response Header;
	UCHAR Payload[SHARE_MAX_PAYLOAD];
} SHARE_ANSWER, *PSHARE_ANSWER;

static VMBCHANNEL ShareChannel;

static UINT32 ShareCrc32(_In_ UINT32 Crc, _In_ const UCHAR *Data,
			 _In_ UINT32 Length)
{
	UINT32 bit;

	for (; Length; Length--) {
		Crc ^= *Data++;
		for (bit = 0; bit < 8; bit++)
			Crc = Crc >> 1 ^ (Crc & 1 ? 0xedb88320u : 0);
	}
	return Crc;
}

/* @From: where in the pattern the memory begins. */
static VOID ShareFill(_Out_ UCHAR *Data, _In_ UINT32 Length, _In_ UINT32 Seed,
		      _In_ UINT64 From)
{
	UINT32 i;

	for (i = 0; i < Length; i++)
		Data[i] = testdev_pattern(Seed, From + i);
}

/* The client's numbers are checked before they are used. */
static UINT32 ShareCopy(_Inout_ UCHAR *Memory, _In_ UINT32 Size,
			_In_ const struct testdev_request *Request,
			_Inout_ PSHARE_ANSWER Answer)
{
	UINT64 length = Request->op == TESTDEV_GPADL_WRITE ?
			Request->payload_len : Request->length;

	if (length > SHARE_MAX_PAYLOAD || Request->offset > Size ||
	    length > Size - Request->offset)
		return TESTDEV_ERANGE;
	if (Request->op == TESTDEV_GPADL_WRITE) {
		RtlCopyMemory(Memory + Request->offset, Request + 1, length);
	} else {
		RtlCopyMemory(Answer->Payload, Memory + Request->offset,
			      length);
		Answer->Header.payload_len = length;
	}
	Answer->Header.value = length;
	return TESTDEV_OK;
}

/* The client can neither free nor reuse the memory while it is mapped. */
_IRQL_requires_(PASSIVE_LEVEL)
static UINT32 ShareUseMapping(_In_ PMDL Mdl,
			      _In_ const struct testdev_request *Request,
			      _Inout_ PSHARE_ANSWER Answer)
{
	UINT32 size = MmGetMdlByteCount(Mdl);
	UCHAR *memory;

	PAGED_CODE();

	memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
	if (memory == NULL)
		return TESTDEV_EFAULT;
	switch (Request->op) {
	case TESTDEV_GPADL_LENGTH:
		Answer->Header.value = size;
		return TESTDEV_OK;
	case TESTDEV_GPADL_CRC32:
		Answer->Header.value = (UINT32)~ShareCrc32(~0u, memory, size);
		DbgPrint("share_server: gpadl %#x: %u bytes, crc32 %08x\n",
			 Request->handle, size, (UINT32)Answer->Header.value);
		return TESTDEV_OK;
	case TESTDEV_GPADL_FILL:
		ShareFill(memory, size, Request->seed, 0);
		Answer->Header.value = size;
		DbgPrint("share_server: gpadl %#x: %u bytes, filled from seed %#x\n",
			 Request->handle, size, Request->seed);
		return TESTDEV_OK;
	default:
		return ShareCopy(memory, size, Request, Answer);
	}
}

_IRQL_requires_(PASSIVE_LEVEL)
static UINT32 ShareUseGpadl(_In_ VMBCHANNEL Channel,
			    _In_ const struct testdev_request *Request,
			    _Inout_ PSHARE_ANSWER Answer)
{
	BOOLEAN writes = Request->op == TESTDEV_GPADL_FILL ||
			 Request->op == TESTDEV_GPADL_WRITE;
	NTSTATUS status;
	UINT32 result;
	PMDL mdl;

	PAGED_CODE();

	status = VmbChannelMapGpadl(Channel, writes ? 0 :
				    VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    Request->handle, &mdl);
	if (status == STATUS_ACCESS_DENIED)
		return TESTDEV_EFAULT;
	if (status == STATUS_DEVICE_BUSY)
		return TESTDEV_EBUSY;
	if (!NT_SUCCESS(status))
		return TESTDEV_ENOGPADL;
	result = ShareUseMapping(mdl, Request, Answer);
	VmbChannelUnmapGpadl(Channel, Request->handle);
	return result;
}

/* The MDLs belong to the library, and are valid until the packet is completed. */
_IRQL_requires_(PASSIVE_LEVEL)
static UINT32 ShareUseExternalData(_In_ PMDL Mdl,
				   _In_ const struct testdev_request *Request,
				   _Inout_ PSHARE_ANSWER Answer)
{
	UINT32 crc = ~0u, done = 0;

	PAGED_CODE();

	for (; Mdl != NULL; Mdl = Mdl->Next) {
		UINT32 size = MmGetMdlByteCount(Mdl);
		UCHAR *memory;

		memory = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
		if (memory == NULL)
			return TESTDEV_EFAULT;
		if (Request->op == TESTDEV_GPA_DIRECT_FILL)
			ShareFill(memory, size, Request->seed, done);
		else
			crc = ShareCrc32(crc, memory, size);
		done += size;
	}
	Answer->Header.value = Request->op == TESTDEV_GPA_DIRECT_FILL ?
			       done : (UINT32)~crc;
	return TESTDEV_OK;
}

static UINT32 ShareEcho(_In_ const struct testdev_request *Request,
			_Inout_ PSHARE_ANSWER Answer)
{
	if (Request->payload_len > SHARE_MAX_PAYLOAD)
		return TESTDEV_ERANGE;
	RtlCopyMemory(Answer->Payload, Request + 1, Request->payload_len);
	Answer->Header.payload_len = Request->payload_len;
	return TESTDEV_OK;
}

_IRQL_requires_(PASSIVE_LEVEL)
static UINT32 ShareServe(_In_ VMBCHANNEL Channel,
			 _In_ const struct testdev_request *Request,
			 _In_opt_ PMDL ExternalData,
			 _Inout_ PSHARE_ANSWER Answer)
{
	PAGED_CODE();

	switch (Request->op) {
	case TESTDEV_ECHO:
		return ShareEcho(Request, Answer);
	case TESTDEV_GPADL_LENGTH:
	case TESTDEV_GPADL_CRC32:
	case TESTDEV_GPADL_FILL:
	case TESTDEV_GPADL_READ:
	case TESTDEV_GPADL_WRITE:
		return ShareUseGpadl(Channel, Request, Answer);
	case TESTDEV_GPA_DIRECT_CRC32:
	case TESTDEV_GPA_DIRECT_FILL:
		if (ExternalData == NULL)
			return TESTDEV_EPROTO;
		return ShareUseExternalData(ExternalData, Request, Answer);
	default:
		return TESTDEV_EPROTO;
	}
}

/* Runs at PASSIVE_LEVEL, as ShareConfigureChannel() asks for it. */
_Use_decl_annotations_
static VOID ShareEvtChannelProcessPacket(VMBCHANNEL Channel,
					 VMBPACKETCOMPLETION Packet,
					 PVOID Buffer, UINT32 BufferLength,
					 UINT32 Flags)
{
	struct testdev_request *request = Buffer;
	PMDL externalData = NULL;
	SHARE_ANSWER answer = { 0 };
	NTSTATUS status;

	PAGED_CODE();

	if (BufferLength < sizeof(*request) ||
	    request->magic != TESTDEV_MAGIC ||
	    request->payload_len > BufferLength - sizeof(*request)) {
		/* Not one of our clients: take nothing more from it. */
		VmbChannelPacketFail(Packet);
		return;
	}
	if (Flags & VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA) {
		status = VmbChannelPacketGetExternalData(Packet, 0,
							 &externalData);
		/* This function is called again when the data is there. */
		if (status == STATUS_PENDING)
			return;
		if (!NT_SUCCESS(status))
			externalData = NULL;
	}
	answer.Header.magic = TESTDEV_MAGIC;
	answer.Header.op = request->op;
	answer.Header.status = ShareServe(Channel, request, externalData,
					  &answer);
	VmbChannelPacketComplete(Packet, &answer,
				 sizeof(answer.Header) +
				 answer.Header.payload_len);
}

_Use_decl_annotations_
static NTSTATUS ShareEvtChannelOpened(VMBCHANNEL Channel)
{
	UNREFERENCED_PARAMETER(Channel);
	PAGED_CODE();

	DbgPrint("share_server: a client has come\n");
	return STATUS_SUCCESS;
}

/* Nothing is mapped any more: each request unmaps what it has mapped. */
_Use_decl_annotations_
static VOID ShareEvtChannelClosed(VMBCHANNEL Channel)
{
	UNREFERENCED_PARAMETER(Channel);
	PAGED_CODE();

	DbgPrint("share_server: the client has gone\n");
}

/* Everything is said before the channel is enabled. */
_IRQL_requires_(PASSIVE_LEVEL)
static NTSTATUS ShareConfigureChannel(_In_ VMBCHANNEL Channel)
{
	DECLARE_CONST_UNICODE_STRING(name, L"share-server");
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS callbacks;
	NTSTATUS status;

	PAGED_CODE();

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&callbacks);
	callbacks.EvtChannelOpened = ShareEvtChannelOpened;
	callbacks.EvtChannelClosed = ShareEvtChannelClosed;

	VmbChannelSetIncomingProcessingAtPassive(Channel, TRUE);
	status = VmbServerChannelInitSetTargetInterfaceId(Channel,
							  GUID_SHARE_TYPE,
							  GUID_SHARE_INSTANCE);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetStateChangeCallbacks(Channel,
							       &callbacks);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetProcessPacketCallbacks(Channel,
								 ShareEvtChannelProcessPacket,
								 NULL);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetFriendlyName(Channel, &name);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumPacketSize(Channel,
							    SHARE_MAX_PACKET);
	if (NT_SUCCESS(status))
		status = VmbChannelInitSetMaximumExternalData(Channel,
							      SHARE_EXTERNAL_SIZE,
							      SHARE_EXTERNAL_CHAIN);
	if (NT_SUCCESS(status))
		status = VmbServerChannelInitSetFlags(Channel,
						      VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER |
						      VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE);
	return status;
}

_IRQL_requires_(PASSIVE_LEVEL)
VOID ShareEvtDeviceRemove(VOID)
{
	PAGED_CODE();

	VmbChannelDisable(ShareChannel);
	VmbChannelCleanup(ShareChannel);
}

_IRQL_requires_(PASSIVE_LEVEL)
NTSTATUS ShareEvtDeviceAdd(_In_opt_ WDFDEVICE Device)
{
	NTSTATUS status;

	UNREFERENCED_PARAMETER(Device);
	PAGED_CODE();

	status = VmbChannelAllocate(NULL, TRUE, &ShareChannel);
	if (!NT_SUCCESS(status))
		return status;
	status = ShareConfigureChannel(ShareChannel);
	/* Returns at once: a client may come now, or much later, or never. */
	if (NT_SUCCESS(status))
		status = VmbChannelEnable(ShareChannel);
	if (!NT_SUCCESS(status)) {
		DbgPrint("share_server: not offered: status %#x\n", status);
		VmbChannelCleanup(ShareChannel);
		return status;
	}
	/* A server is paused until it says that it takes packets. */
	VmbChannelStart(ShareChannel);
	return STATUS_SUCCESS;
}
