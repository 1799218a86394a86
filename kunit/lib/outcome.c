// SPDX-License-Identifier: GPL-2.0-only
/* What the completion routines of packet objects are told. */

#include <linux/mm.h>
#include <linux/preempt.h>

#include "eventually.h"
#include "outcome.h"

VOID record_outcome_ex(VMBPACKET packet, PVOID context, NTSTATUS status,
		       PVOID buffer, UINT32 length)
{
	struct outcome *outcome = context;

	if (!outcome)
		return;
	outcome->packet = packet;
	outcome->status = status;
	outcome->length = length;
	outcome->cpu = raw_smp_processor_id();
	outcome->softirq = in_softirq();
	if (length >= sizeof(outcome->data))
		memcpy(&outcome->data, buffer, sizeof(outcome->data));
	if (outcome->page)
		outcome->page_refs = page_count(outcome->page);
	if (outcome->next)
		outcome->order = atomic_inc_return(outcome->next) - 1;
	/* Cases poll for this: it comes last, and orders what was written before. */
	atomic_inc_return(&outcome->calls);
}

VOID record_outcome(VMBPACKET packet, NTSTATUS status, PVOID buffer,
		    UINT32 length)
{
	record_outcome_ex(packet, VmbPacketGetPointer(packet), status, buffer,
			  length);
}

/*
 * When a case fails, its packet may still be in flight, and the outcome on its stack
 * is gone.
 */
static void free_packet(void *packet)
{
	VmbPacketSetPointer(packet, NULL);
	VmbPacketSetCompletionRoutine(packet, record_outcome);
	VmbChannelDisable(VmbPacketGetChannel(packet));
	VmbPacketFree(packet);
}

static VMBPACKET get_packet(struct kunit *test, VMBCHANNEL ch)
{
	VMBPACKET packet = VmbPacketAllocate(ch);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_packet,
							packet), 0);
	return packet;
}

VMBPACKET packet_of(struct kunit *test, VMBCHANNEL ch, struct outcome *outcome)
{
	VMBPACKET packet = get_packet(test, ch);

	VmbPacketSetCompletionRoutine(packet, record_outcome);
	VmbPacketSetPointer(packet, outcome);
	return packet;
}
EXPORT_TO_TESTS(packet_of);

VMBPACKET packet_ex(struct kunit *test, VMBCHANNEL ch, struct outcome *outcome)
{
	VMBPACKET packet = get_packet(test, ch);

	VmbPacketSetCompletionRoutineEx(packet, record_outcome_ex, outcome);
	return packet;
}

/* Asserted: a packet that does not complete may be the first of a thousand. */
void outcome_is(struct kunit *test, struct outcome *outcome, NTSTATUS status)
{
	ASSERT_EVENTUALLY(test, atomic_read(&outcome->calls));
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome->calls), 1);
	KUNIT_EXPECT_EQ(test, outcome->status, status);
	KUNIT_EXPECT_TRUE(test, outcome->softirq);
	atomic_set(&outcome->calls, 0);
}

void outcome_calls(struct kunit *test, struct outcome *outcome, int calls)
{
	EXPECT_EVENTUALLY(test, atomic_read(&outcome->calls) >= calls);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome->calls), calls);
}
