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
