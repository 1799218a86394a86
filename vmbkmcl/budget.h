/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much one poll, or one run of the passive work item, may do.
 *
 * A run that has used up its budget schedules itself again. So a flood of packets,
 * or a completion routine that sends its packet again and again, neither keeps other
 * users of the CPU waiting, nor those who wait for the end of the run, such as
 * VmbChannelPause().
 */
#ifndef _KMCL_BUDGET_H
#define _KMCL_BUDGET_H

#include <linux/compiler.h>
#include <linux/sched/clock.h>
#include <linux/time64.h>
#include <linux/timex.h>
#include <linux/types.h>

#define KMCL_BUDGET_PACKETS	64
#define KMCL_BUDGET_NS		(2 * NSEC_PER_MSEC)
#define KMCL_BUDGET_SHORT	1024	/* bytes */

/*
 * Cycles of get_cycles() between two looks at local_clock(), which takes several times as
 * long. They are some microseconds on x86, and 0.2 ms with the slowest counters of arm64.
 */
#define KMCL_BUDGET_CYCLES	4096

/**
 * struct kmcl_budget - what is left for a run
 * @packets: number of packets
 * @until: time of local_clock() at which the run ends; 0 if it may take any time,
 *	because it can be preempted
 * @looked: get_cycles() when it was last compared with local_clock()
 *
 * Each packet is counted once for each thing that is done with it: when it is read
 * from the ring, when it is given to the client, when it is moved from the queue to
 * the ring, and when its completion routine is called after it was deferred.
 */
struct kmcl_budget {
	unsigned int packets;
	u64 until;
	cycles_t looked;
};

/* For a run that can not be preempted. */
static inline void kmcl_budget_start(struct kmcl_budget *budget)
{
	budget->packets = KMCL_BUDGET_PACKETS;
	budget->until = local_clock() + KMCL_BUDGET_NS;
	budget->looked = get_cycles();
}

/* For a run in a context that may sleep. */
static inline void kmcl_budget_start_untimed(struct kmcl_budget *budget)
{
	budget->packets = KMCL_BUDGET_PACKETS;
	budget->until = 0;
}

static inline bool kmcl_budget_is_spent(const struct kmcl_budget *budget)
{
	return !budget->packets;
}

/*
 * local_clock() may differ a little between two CPUs. A timed run stays on its CPU.
 * get_cycles() is always 0 on a CPU that has no counter.
 */
static inline bool kmcl_budget_time_is_over(struct kmcl_budget *budget)
{
	cycles_t now = get_cycles();

	if (likely(now && now - budget->looked < KMCL_BUDGET_CYCLES))
		return false;
	budget->looked = now;
	return local_clock() >= budget->until;
}

/* Count one packet, after it was handled. If the time is over, nothing is left. */
static inline void kmcl_budget_spend(struct kmcl_budget *budget)
{
	budget->packets--;
	if (budget->until && kmcl_budget_time_is_over(budget))
		budget->packets = 0;
}

/*
 * Count one packet that was only copied. As many short packets as the budget allows
 * take no time that matters, so do not look at the clock for them.
 */
static inline void kmcl_budget_spend_copy(struct kmcl_budget *budget, u32 len)
{
	if (likely(len <= KMCL_BUDGET_SHORT))
		budget->packets--;
	else
		kmcl_budget_spend(budget);
}

#endif /* _KMCL_BUDGET_H */
