/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The API functions of a server endpoint: see vmbkmcl/server*.c.
 *
 * A server is offered to the clients in its own kernel. The functions that save
 * and restore a channel, and VmbConvertVmbusHandleToKernelHandle(), exist so
 * that code that calls them can be compiled and loaded. They return
 * STATUS_NOT_SUPPORTED.
 */
#ifndef _VMBKMCL_SERVER_H
#define _VMBKMCL_SERVER_H

#include <vmbkmcl/mdl.h>
#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/types.h>

/* VmbServerChannelInitSetFlags(): Flags */
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER			0x00000001
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_ENUMERATE_DEVICE_INTERFACE	0x00000002
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_OFFER_AS_PIPE			0x00000004
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_FORCE_NEW_CHANNEL		0x00000008
#define VMBUS_SERVER_CHANNEL_INIT_FLAG_TLNPI_PROVIDER_OFFER		0x00000010
#define VMBUS_SERVER_CHANNEL_INIT_FLAGS					0x0000001f

/* VmbServerChannelInitSetVmbusHandle(): the clients in this kernel; ours */
#define KMCL_VMBUS_HANDLE_LOOPBACK	((HANDLE)(~0UL))

#define VMBUS_SERVER_CHANNEL_INIT_MAXIMUM_OFFER_DATA	120	/* bytes */

/*
 * Callbacks that save and restore a packet. They are not called, as channels can not be
 * saved. By Microsoft's contract, a save callback whose @SaveBufSize is too small sets
 * @BytesNeeded and fails, and is called again with a larger buffer. The prototypes of the
 * Ex variants, which have a context of the server, are ours.
 */
typedef NTSTATUS EVT_VMB_CHANNEL_SAVE_PACKET(VMBCHANNEL Channel,
					     VMBPACKET Packet, PVOID SaveBuf,
					     UINT32 SaveBufSize,
					     PUINT32 BytesNeeded);
typedef NTSTATUS EVT_VMB_CHANNEL_RESTORE_PACKET(VMBCHANNEL Channel,
						PVOID LibBuf, UINT32 LibBufSize,
						PVOID SaveBuf,
						UINT32 SaveBufSize);
typedef NTSTATUS EVT_VMB_CHANNEL_SAVE_PACKET_EX(VMBCHANNEL Channel,
						PVOID Context, VMBPACKET Packet,
						PVOID SaveBuf,
						UINT32 SaveBufSize,
						PUINT32 BytesNeeded);
typedef NTSTATUS EVT_VMB_CHANNEL_RESTORE_PACKET_EX(VMBCHANNEL Channel,
						   PVOID Context, PVOID LibBuf,
						   UINT32 LibBufSize,
						   PVOID SaveBuf,
						   UINT32 SaveBufSize);

typedef EVT_VMB_CHANNEL_SAVE_PACKET *PFN_VMB_CHANNEL_SAVE_PACKET;
typedef EVT_VMB_CHANNEL_RESTORE_PACKET *PFN_VMB_CHANNEL_RESTORE_PACKET;
typedef EVT_VMB_CHANNEL_SAVE_PACKET_EX *PFN_VMB_CHANNEL_SAVE_PACKET_EX;
typedef EVT_VMB_CHANNEL_RESTORE_PACKET_EX *PFN_VMB_CHANNEL_RESTORE_PACKET_EX;

NTSTATUS VmbChannelMapGpadl(VMBCHANNEL Channel, UINT32 Flags,
			    UINT32 GpadlHandle, PMDL *Mdl);
VOID VmbChannelUnmapGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle);
NTSTATUS VmbChannelSaveBegin(VMBCHANNEL Channel);
NTSTATUS VmbChannelSaveContinue(VMBCHANNEL Channel, PVOID SaveBuffer,
				ULONG SaveBufferSize, PULONG BytesFilled,
				PULONG BytesRequired);
VOID VmbChannelSaveEnd(VMBCHANNEL Channel);
NTSTATUS VmbChannelRestoreFromBuffer(VMBCHANNEL Channel, PVOID Buffer,
				     ULONG BufferSize);
NTSTATUS VmbPacketRestore(VMBPACKET PacketObject, PVOID Buffer,
			  ULONG BufferSize);
NTSTATUS VmbConvertVmbusHandleToKernelHandle(HANDLE VmbusHandle,
					     PHANDLE KernelHandle);
NTSTATUS VmbServerChannelInitSetFlags(VMBCHANNEL Channel, UINT32 Flags);
NTSTATUS VmbServerChannelInitSetMmioMegabytes(VMBCHANNEL Channel,
					      UINT16 MmioMegabytes,
					      UINT16 MmioMegabytesOptional);
NTSTATUS VmbServerChannelInitSetSaveRestorePacketCallbacks(VMBCHANNEL Channel,
							   PFN_VMB_CHANNEL_SAVE_PACKET
							   SavePacketCallback,
							   PFN_VMB_CHANNEL_RESTORE_PACKET
							   RestorePacketCallback);
NTSTATUS VmbServerChannelInitSetSaveRestorePacketCallbacksEx(VMBCHANNEL Channel,
							     PFN_VMB_CHANNEL_SAVE_PACKET_EX
							     SavePacketCallback,
							     PFN_VMB_CHANNEL_RESTORE_PACKET_EX
							     RestorePacketCallback,
							     PVOID Context);
NTSTATUS VmbServerChannelInitSetTargetInterfaceId(VMBCHANNEL Channel,
						  GUID InterfaceType,
						  GUID InterfaceInstance);
NTSTATUS VmbServerChannelInitSetTargetVtl(VMBCHANNEL Channel, UINT8 TargetVtl);
NTSTATUS VmbServerChannelInitSetVmbusHandle(VMBCHANNEL Channel,
					    HANDLE VmbusHandle);

#endif /* _VMBKMCL_SERVER_H */
