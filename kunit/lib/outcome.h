/* SPDX-License-Identifier: GPL-2.0-only */
/* What the completion routines of packet objects are told: outcome.c. */
#ifndef _KUNIT_OUTCOME_H
#define _KUNIT_OUTCOME_H

#include <kunit/test.h>
#include <vmbuskernelmodeclientlibapi.h>

/**
 * struct outcome - what the completion routine of a packet was told
 * @calls: how often the routine was called
 * @packet: the packet, in the last call
 * @status: in the last call
 * @data: first word of the completion
 * @length: bytes of the completion
 * @cpu: where the routine ran
 * @softirq: the routine ran in softirq context, or with bottom halves off
 * @next: counts the routines of several packets; may be NULL
 * @order: how many of those that share @next were called before
 * @page: may be NULL
 * @page_refs: references to @page while the routine ran
 */
struct outcome {
	atomic_t calls;
	VMBPACKET packet;
	NTSTATUS status;
	u64 data;
	u32 length;
	unsigned int cpu;
	bool softirq;
	atomic_t *next;
	unsigned int order;
	struct page *page;
	int page_refs;
};

/*
 * Completion routines. The first takes the outcome from the packet's pointer, the
 * second from its context. Without an outcome they do nothing.
 */
VOID record_outcome(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		    UINT32 length);
VOID record_outcome_ex(VMBPACKET packet, PVOID context, NTSTATUS status,
		       PVOID buffer, UINT32 length);

/* A packet that has one of these routines; freed with the case. */
VMBPACKET packet_of(struct kunit *test, VMBCHANNEL ch, struct outcome *outcome);
VMBPACKET packet_ex(struct kunit *test, VMBCHANNEL ch, struct outcome *outcome);

/* The routine was called once, with bottom halves off; then forget the call. */
void outcome_is(struct kunit *test, struct outcome *outcome, NTSTATUS status);

/* So many calls, and no more. */
void outcome_calls(struct kunit *test, struct outcome *outcome, int calls);

#endif /* _KUNIT_OUTCOME_H */
