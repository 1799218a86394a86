// SPDX-License-Identifier: GPL-2.0-only
/*
 * API functions of the client endpoint that can not be supported on Linux.
 *
 * They exist so that a client of a later interface version compiles and loads, and
 * return STATUS_NOT_SUPPORTED. The comment of each function says why.
 */

#include <linux/export.h>

#include <vmbuskernelmodeclientlibapi.h>

/**
 * VmbChannelInitSetBounceBufferSizes() - set the size of bounce buffers
 * @channel: a disabled channel
 * @incoming_size: size of the buffer for data from the host, in bytes
 * @outgoing_size: size of the buffer for data to the host, in bytes
 *
 * External data is copied through bounce buffers in a confidential VM, whose
 * memory the host can not read. hv_vmbus exports no function but the one for
 * GPADLs that makes memory visible to the host, and passes the page numbers of
 * external data on as they are. A client in a confidential VM has to put its
 * data in a GPADL instead.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
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
 * VmbChannelAllocateBounceBuffer() - allocate memory that the host can access
 * @channel: an open channel
 * @byte_count: size in bytes
 * @buffer: would be set to the address of the memory; untouched
 *
 * See VmbChannelInitSetBounceBufferSizes(). A client can use a GPADL instead.
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL channel, UINT32 byte_count,
					PVOID *buffer)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);

/**
 * VmbChannelSetAllowableDpcCpuUsage() - limit CPU time in DPC context
 * @channel: a channel
 * @percentage: share of the time of one CPU, 1 to 100
 *
 * Linux does not account the CPU time of one softirq user. The time is limited
 * in two other ways: the poll reads at most 64 packets from the ring at a time,
 * and the kernel moves softirqs that run for long to a thread (ksoftirqd),
 * which shares the CPU with other tasks. A client that wants all of its packets
 * processed in a thread can call VmbChannelSetIncomingProcessingAtPassive().
 *
 * Context: any.
 * Return: %STATUS_NOT_SUPPORTED, always.
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelSetAllowableDpcCpuUsage(VMBCHANNEL channel,
					   UINT32 percentage)
{
	return STATUS_NOT_SUPPORTED;
}
EXPORT_SYMBOL_GPL(VmbChannelSetAllowableDpcCpuUsage);
