/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of this library that Microsoft's KMCL does not have. */
#ifndef _VMBKMCL_LINUX_H
#define _VMBKMCL_LINUX_H

#include <vmbuskernelmodeclientlibapi.h>

/* A range of the buffer that a transfer page set stands for */
typedef struct _VMB_TRANSFER_PAGE_RANGE {
	UINT32 ByteCount;
	UINT32 ByteOffset;
} VMB_TRANSFER_PAGE_RANGE, *PVMB_TRANSFER_PAGE_RANGE;
typedef const VMB_TRANSFER_PAGE_RANGE *PCVMB_TRANSFER_PAGE_RANGE;

NTSTATUS VmbChannelTryDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle);
NTSTATUS VmbChannelFreeBounceBuffer(VMBCHANNEL Channel, PVOID Buffer);
NTSTATUS VmbChannelPacketGetTransferPages(VMBPACKETCOMPLETION PacketCompletion,
					  UINT32 BufferSize, PUINT16 PageSet,
					  PCVMB_TRANSFER_PAGE_RANGE *Ranges,
					  PUINT32 RangeCount);

#endif /* _VMBKMCL_LINUX_H */
