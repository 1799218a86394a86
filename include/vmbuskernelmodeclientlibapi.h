/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMBus Kernel Mode Client Library for Linux: the API for other modules.
 *
 * This header has the name of the header that Windows drivers include. The
 * functions are documented at their definitions in vmbkmcl/.
 */
#ifndef _VMBUSKERNELMODECLIENTLIBAPI_H
#define _VMBUSKERNELMODECLIENTLIBAPI_H

#include <linux/string.h>

#include <vmbkmcl/mdl.h>
#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/sal.h>
#include <vmbkmcl/server.h>
#include <vmbkmcl/types.h>

/* VmbChannelInitSetFlags(): Flags */
#define VMBUS_CHANNEL_INIT_FLAG_IS_PIPE			0x00000001
#define VMBUS_CHANNEL_INIT_FLAGS			0x00000001

/* VmbPacketSend() and the like, VmbChannelSendSynchronousRequest(): Flags */
#define VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION	0x00000001
#define VMBUS_CHANNEL_FORMAT_FLAG_FORCE_MDL_LENGTH	0x00000002
#define VMBUS_CHANNEL_FORMAT_FLAG_PAGED_BUFFER		0x00000004
#define VMBUS_CHANNEL_FORMAT_FLAGS			0x00000007

/*
 * The ProcessPacket callback: Flags. A host never sends external data to a
 * guest.
 */
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAG_EXTERNAL_DATA	0x00000001
#define VMBUS_CHANNEL_PROCESS_PACKET_FLAGS		0x00000001

/* VmbChannelPacketGetExternalData(): Flags */
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAG_READ_ONLY	0x00000001
#define VMBUS_CHANNEL_PACKET_EXTERNAL_DATA_FLAGS		0x00000001

/* VmbChannelCreateGpadlFromBuffer(), VmbChannelCreateGpadlFromMdl(): Flags */
#define VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY		0x00000001
#define VMBUS_CHANNEL_GPADL_READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define VMBUS_CHANNEL_GPADL_FLAGS			0x00000001

typedef NTSTATUS EVT_VMB_CHANNEL_OPENED(VMBCHANNEL Channel);
typedef VOID EVT_VMB_CHANNEL_CLOSED(VMBCHANNEL Channel);
typedef VOID EVT_VMB_CHANNEL_SUSPEND(VMBCHANNEL Channel);
typedef VOID EVT_VMB_CHANNEL_STARTED(VMBCHANNEL Channel);
typedef VOID EVT_VMB_CHANNEL_POST_STARTED(VMBCHANNEL Channel);
typedef VOID EVT_VMB_CHANNEL_PNP_FAILURE(VMBCHANNEL Channel,
					 NTSTATUS FailureStatus);

/*
 * The host has sent a packet. @Buffer has @BufferLength bytes, a multiple of 8
 * except in a pipe. The client may use @Packet and @Buffer until it calls
 * VmbChannelPacketComplete(), in this callback or later. The callback never
 * runs twice at a time for a channel. It runs in softirq context, unless the
 * client has called VmbChannelSetIncomingProcessingAtPassive().
 */
typedef VOID EVT_VMB_CHANNEL_PROCESS_PACKET(VMBCHANNEL Channel,
					    VMBPACKETCOMPLETION Packet,
					    PVOID Buffer, UINT32 BufferLength,
					    UINT32 Flags);

/* Called after a batch of @PacketCount packets, in the context of ProcessPacket. */
typedef VOID EVT_VMB_CHANNEL_PROCESSING_COMPLETE(VMBCHANNEL Channel,
						 UINT32 PacketCount);

/*
 * @Packet is complete, and the client may use it again. @Status is its outcome.
 * @Buffer has @BufferLength bytes of the server's completion, and is valid
 * until the routine returns.
 */
typedef VOID EVT_VMB_PACKET_COMPLETION_ROUTINE(VMBPACKET Packet,
					       NTSTATUS Status, PVOID Buffer,
					       UINT32 BufferLength);

/* The same three with a context of the client. These prototypes are ours. */
typedef VOID EVT_VMB_CHANNEL_PROCESS_PACKET_EX(VMBCHANNEL Channel,
					       PVOID Context,
					       VMBPACKETCOMPLETION Packet,
					       PVOID Buffer,
					       UINT32 BufferLength,
					       UINT32 Flags);
typedef VOID EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX(VMBCHANNEL Channel,
						    PVOID Context,
						    UINT32 PacketCount);
typedef VOID EVT_VMB_PACKET_COMPLETION_ROUTINE_EX(VMBPACKET Packet,
						  PVOID Context,
						  NTSTATUS Status,
						  PVOID Buffer,
						  UINT32 BufferLength);

typedef EVT_VMB_PACKET_COMPLETION_ROUTINE *PFN_VMB_PACKET_COMPLETION_ROUTINE;
typedef EVT_VMB_PACKET_COMPLETION_ROUTINE_EX *PFN_VMB_PACKET_COMPLETION_ROUTINE_EX;
typedef EVT_VMB_CHANNEL_OPENED *PFN_VMB_CHANNEL_OPENED;
typedef EVT_VMB_CHANNEL_CLOSED *PFN_VMB_CHANNEL_CLOSED;
typedef EVT_VMB_CHANNEL_SUSPEND *PFN_VMB_CHANNEL_SUSPEND;
typedef EVT_VMB_CHANNEL_STARTED *PFN_VMB_CHANNEL_STARTED;
typedef EVT_VMB_CHANNEL_POST_STARTED *PFN_VMB_CHANNEL_POST_STARTED;
typedef EVT_VMB_CHANNEL_PNP_FAILURE *PFN_VMB_CHANNEL_PNP_FAILURE;
typedef EVT_VMB_CHANNEL_PROCESS_PACKET *PFN_VMB_CHANNEL_PROCESS_PACKET;
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE *PFN_VMB_CHANNEL_PROCESSING_COMPLETE;
typedef EVT_VMB_CHANNEL_PROCESS_PACKET_EX *PFN_VMB_CHANNEL_PROCESS_PACKET_EX;
typedef EVT_VMB_CHANNEL_PROCESSING_COMPLETE_EX *PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX;

/**
 * struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS - callbacks for state changes of a
 * channel
 * @Version: 1
 * @Size: size of this structure in bytes
 * @EvtChannelOpened: the ring is open, no packets are delivered yet. GPADLs can be
 *	created from now on. If this returns an error, the channel is closed again.
 * @EvtChannelClosed: the ring is closed. The client must delete the channel's
 *	GPADLs here.
 * @EvtChannelSuspend: no more packets will be delivered
 * @EvtChannelStarted: packets can be sent, but the client must not wait for their
 *	completion here
 * @EvtChannelPostStarted: packets are delivered, and synchronous requests work
 *
 * Each callback is optional. The callbacks are called in a context that may
 * sleep, and never two at a time for a channel. They must not call
 * VmbChannelEnable(), VmbChannelDisable(), VmbChannelStart(), VmbChannelPause()
 * or VmbChannelCleanup() for their channel.
 */
typedef struct _VMB_CHANNEL_STATE_CHANGE_CALLBACKS {
	ULONG Version;
	ULONG Size;
	PFN_VMB_CHANNEL_OPENED EvtChannelOpened;
	PFN_VMB_CHANNEL_CLOSED EvtChannelClosed;
	PFN_VMB_CHANNEL_SUSPEND EvtChannelSuspend;
	PFN_VMB_CHANNEL_STARTED EvtChannelStarted;
	PFN_VMB_CHANNEL_POST_STARTED EvtChannelPostStarted;
} VMB_CHANNEL_STATE_CHANGE_CALLBACKS, *PVMB_CHANNEL_STATE_CHANGE_CALLBACKS;

/**
 * VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT() - initialise the structure
 * @Callbacks: structure of the caller, which has no callbacks afterwards
 */
static inline VOID
VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(PVMB_CHANNEL_STATE_CHANGE_CALLBACKS Callbacks)
{
	memset(Callbacks, 0, sizeof(*Callbacks));
	Callbacks->Version = 1;
	Callbacks->Size = sizeof(*Callbacks);
}

/* Creation and states of a channel (vmbkmcl/channel.c) */
NTSTATUS VmbChannelAllocate(PDEVICE_OBJECT ParentDeviceObject,
			    BOOLEAN IsServer, VMBCHANNEL *Channel);
VOID VmbChannelCleanup(VMBCHANNEL Channel);
NTSTATUS VmbChannelEnable(VMBCHANNEL Channel);
VOID VmbChannelDisable(VMBCHANNEL Channel);
VOID VmbChannelStart(VMBCHANNEL Channel);
VOID VmbChannelPause(VMBCHANNEL Channel);

/* Settings of a disabled channel (vmbkmcl/channel_settings.c) */
NTSTATUS VmbChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags);
NTSTATUS VmbChannelInitSetFriendlyName(VMBCHANNEL Channel,
				       PCUNICODE_STRING Name);
NTSTATUS VmbChannelInitSetMaximumExternalData(VMBCHANNEL Channel,
					      UINT32 DataSize,
					      UINT32 ChainLength);
NTSTATUS VmbChannelInitSetMaximumPacketSize(VMBCHANNEL Channel,
					    UINT32 PacketSize);
NTSTATUS VmbChannelInitSetClientContextSize(VMBCHANNEL Channel,
					    UINT32 ContextSize);
NTSTATUS VmbChannelInitSetProcessPacketCallbacks(VMBCHANNEL Channel,
						 PFN_VMB_CHANNEL_PROCESS_PACKET
						 ProcessPacketCallback,
						 PFN_VMB_CHANNEL_PROCESSING_COMPLETE
						 ProcessingCompleteCallback);
NTSTATUS VmbChannelInitSetStateChangeCallbacks(VMBCHANNEL Channel,
					       PVMB_CHANNEL_STATE_CHANGE_CALLBACKS
					       StateChangeCallbacks);
NTSTATUS VmbClientChannelInitSetRingBufferPageCount(VMBCHANNEL Channel,
						    UINT32 IncomingPageCount,
						    UINT32 OutgoingPageCount);
NTSTATUS VmbClientChannelInitSetTargetPnp(VMBCHANNEL Channel,
					  LPCGUID InterfaceType,
					  LPCGUID InterfaceInstance,
					  PFN_VMB_CHANNEL_PNP_FAILURE
					  PnpFailureCallback);

/* Values of a channel (vmbkmcl/channel_settings.c, vmbkmcl/channel_mmio.c) */
VOID VmbChannelGetInterfaceInstance(VMBCHANNEL Channel,
				    LPGUID InterfaceInstance);
VOID VmbChannelGetMmioSpace(VMBCHANNEL Channel, UINT64 *MmioAddress,
			    UINT64 *MmioSize);
NTSTATUS VmbChannelSetInterruptLatency(VMBCHANNEL Channel, UINT16 Latency,
				       PUINT16 OriginalLatency);
PVOID VmbChannelGetPointer(VMBCHANNEL Channel);
VOID VmbChannelSetPointer(VMBCHANNEL Channel, PVOID Pointer);

/* Memory shared with the server (vmbkmcl/gpadl.c) */
NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL Channel, UINT32 Flags,
					 PVOID Buffer, UINT32 ByteCount,
					 PUINT32 GpadlHandle);
NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL Channel, UINT32 Flags,
				      PMDL Mdl, UINT32 StartOffsetWithinMdl,
				      UINT32 DataLengthWithinMdl,
				      PUINT32 GpadlHandle);
VOID VmbChannelDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle);

/* Packets to the host (vmbkmcl/tx_request.c) */
NTSTATUS VmbChannelSendSynchronousRequest(VMBCHANNEL Channel, PVOID Buffer,
					  UINT32 BufferSize,
					  PMDL ExternalDataMdl, UINT32 Flags,
					  PVOID CompletionBuffer,
					  PUINT32 CompletionBufferSize,
					  PLARGE_INTEGER Timeout);

/* Packet objects (vmbkmcl/tx_packet.c, vmbkmcl/tx_send.c) */
UINT32 VmbChannelSizeofPacket(VMBCHANNEL Channel);
VMBPACKET VmbPacketAllocate(VMBCHANNEL Channel);
NTSTATUS VmbPacketInitialize(VMBCHANNEL Channel, VMBPACKET Buffer,
			     UINT32 ByteCount);
VOID VmbPacketFree(VMBPACKET Packet);
VOID VmbPacketSetCompletionRoutine(VMBPACKET Packet,
				   PFN_VMB_PACKET_COMPLETION_ROUTINE
				   CompletionRoutine);
VOID VmbPacketSetPointer(VMBPACKET Packet, PVOID Pointer);
PVOID VmbPacketGetPointer(VMBPACKET Packet);
VMBCHANNEL VmbPacketGetChannel(VMBPACKET Packet);
NTSTATUS VmbPacketSend(VMBPACKET Packet, PVOID Buffer, UINT32 BufferLength,
		       PMDL ExternalDataMdl, UINT32 Flags);
NTSTATUS VmbPacketSendWithExternalMdl(VMBPACKET Packet, PVOID Buffer,
				      UINT32 BufferLength, PMDL Mdl,
				      UINT32 MdlOffset, UINT32 MdlLength,
				      UINT32 Flags);
NTSTATUS VmbPacketSendWithExternalPfns(VMBPACKET Packet, PVOID Buffer,
				       UINT32 BufferLength, PPFN_NUMBER Pfns,
				       UINT32 PfnLength, UINT32 Flags);

/* Packets from the host (vmbkmcl/rx_deliver.c) */
VOID VmbChannelPacketComplete(VMBPACKETCOMPLETION PacketCompletion,
			      PVOID CompletionBuffer, UINT32 BufferSize);
VOID VmbChannelPacketDeferToPassive(VMBPACKETCOMPLETION PacketCompletion);
VOID VmbChannelPacketFail(VMBPACKETCOMPLETION PacketCompletion);
NTSTATUS VmbChannelPacketGetExternalData(VMBPACKETCOMPLETION PacketCompletion,
					 UINT32 Flags, PMDL *Mdl);
VOID VmbChannelSetTransactionQuota(VMBCHANNEL Channel, UINT32 Quota);
VOID VmbChannelSetIncomingProcessingAtPassive(VMBCHANNEL Channel,
					      BOOLEAN RequirePassive);
PVOID VmbChannelPacketGetClientContext(VMBPACKETCOMPLETION PacketCompletion);

/*
 * Functions of later interface versions, as VmbChannelPacketGetClientContext()
 * above is. The names are Microsoft's, the prototypes are ours. Functions that
 * can not be supported on Linux are in vmbkmcl/api_unsupported.c.
 */
PDEVICE_OBJECT VmbChannelGetTargetDeviceObject(VMBCHANNEL Channel);
PDEVICE_OBJECT VmbChannelGetParentDeviceObject(VMBCHANNEL Channel);
NTSTATUS VmbChannelInitSetBounceBufferSizes(VMBCHANNEL Channel,
					    UINT32 IncomingSize,
					    UINT32 OutgoingSize);
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL Channel, UINT32 ByteCount,
					PVOID *Buffer);
NTSTATUS VmbChannelInitSetMaximumPacketCount(VMBCHANNEL Channel,
					     UINT32 PacketCount);
NTSTATUS VmbChannelCreateGpadlFromPfnList(VMBCHANNEL Channel, UINT32 Flags,
					  PPFN_NUMBER Pfns, UINT32 PfnCount,
					  PUINT32 GpadlHandle);
NTSTATUS VmbChannelInitSetPrimaryChannel(VMBCHANNEL Channel,
					 VMBCHANNEL PrimaryChannel);
UINT32 VmbSizeofChannel(void);
NTSTATUS VmbChannelInitialize(PDEVICE_OBJECT ParentDeviceObject,
			      BOOLEAN IsServer, VMBCHANNEL Channel,
			      UINT32 ByteCount);
NTSTATUS VmbChannelSetAllowableDpcCpuUsage(VMBCHANNEL Channel,
					   UINT32 Percentage);
NTSTATUS VmbClientChannelInitSetTargetProcessorIndex(VMBCHANNEL Channel,
						     UINT32 ProcessorIndex);
NTSTATUS VmbChannelInitSetInlinePacketContextSize(VMBCHANNEL Channel,
						  UINT32 ContextSize);
PVOID VmbPacketGetInlinePacketContextPointer(VMBPACKET Packet);
NTSTATUS VmbChannelInitSetProcessPacketCallbacksEx(VMBCHANNEL Channel,
						   PFN_VMB_CHANNEL_PROCESS_PACKET_EX
						   ProcessPacketCallback,
						   PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX
						   ProcessingCompleteCallback,
						   PVOID Context);
VOID VmbPacketSetCompletionRoutineEx(VMBPACKET Packet,
				     PFN_VMB_PACKET_COMPLETION_ROUTINE_EX
				     CompletionRoutine, PVOID Context);

#include <vmbkmcl/interface.h>

#endif /* _VMBUSKERNELMODECLIENTLIBAPI_H */
