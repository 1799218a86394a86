// SPDX-License-Identifier: GPL-2.0-only
/*
 * Functions of the client interface that Linux gives no way to carry out.
 *
 * They are there, so that a client of a later interface version compiles and
 * loads, and say so; each comment has the reason.
 */

#include <linux/export.h>

#include <vmbuskernelmodeclientlibapi.h>

/**
 * VmbChannelInitSetBounceBufferSizes() - size the bounce buffers of a channel
 * @channel: a disabled channel
 * @incoming_size: bytes for data from the host
 * @outgoing_size: bytes for data to the host
 *
 * A bounce buffer is for a confidential VM, whose memory the host can not read:
 * external data is copied through it. hv_vmbus exports nothing that makes memory
 * visible to the host apart from a GPADL, and describes external data by page
 * numbers as they are. A client there puts its data in a GPADL instead.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelInitSetBounceBufferSizes(VMBCHANNEL channel,
					    UINT32 incoming_size,
					    UINT32 outgoing_size)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelInitSetBounceBufferSizes);

/**
 * VmbChannelAllocateBounceBuffer() - get memory that the host can read
 * @channel: an open channel
 * @byte_count: bytes wanted
 * @buffer: where its address goes; untouched
 *
 * See VmbChannelInitSetBounceBufferSizes(). A GPADL is such memory.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL channel, UINT32 byte_count,
					PVOID *buffer)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);

/**
 * VmbChannelSetAllowableDpcCpuUsage() - bound what packets cost in DPC context
 * @channel: a channel
 * @percentage: of one CPU's time, 1 to 100
 *
 * Linux has no account of a single source of softirqs. Here the bound is that the
 * ring is read 64 packets at a time, and that the kernel moves softirqs that go
 * on for long to a thread (ksoftirqd), which others take turns with. A client
 * that wants all of its own work in a thread has
 * VmbChannelSetIncomingProcessingAtPassive().
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED.
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelSetAllowableDpcCpuUsage(VMBCHANNEL channel,
					   UINT32 percentage)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSetAllowableDpcCpuUsage);
