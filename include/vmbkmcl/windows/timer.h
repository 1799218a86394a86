/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers, which can be waited for like an event, and which can queue a DPC. */
#ifndef _VMBKMCL_WINDOWS_TIMER_H
#define _VMBKMCL_WINDOWS_TIMER_H

#include <linux/jiffies.h>
#include <linux/workqueue.h>

#include <vmbkmcl/windows/lock.h>
#include <vmbkmcl/windows/time.h>
#include <vmbkmcl/windows/types.h>
#include <vmbkmcl/windows/wait.h>
#include <vmbkmcl/windows/work.h>

/**
 * struct _KTIMER - timer
 * @Header: signalled when the timer expires
 * @Work: runs when the timer expires
 * @Dpc: DPC to queue when the timer expires, or NULL
 * @Period: milliseconds between further expirations, or 0
 * @Set: the timer will expire. The lock of @Header guards @Dpc, @Period and @Set.
 */
typedef struct _KTIMER {
	DISPATCHER_HEADER Header;
	struct delayed_work Work;
	PKDPC Dpc;
	LONG Period;
	bool Set;
} KTIMER, *PKTIMER, *PRKTIMER;

/*
 * Does nothing if the timer was cancelled or set again since this work was
 * queued.
 */
static inline void kmcl_timer_run(struct work_struct *work)
{
	PKTIMER timer = container_of(to_delayed_work(work), KTIMER, Work);
	PDISPATCHER_HEADER header = &timer->Header;
	PKDPC dpc = NULL;
	unsigned long flags;

	spin_lock_irqsave(&header->Lock, flags);
	if (timer->Set && !delayed_work_pending(&timer->Work)) {
		dpc = timer->Dpc;
		timer->Set = timer->Period > 0;
		if (timer->Set)
			queue_delayed_work(system_highpri_wq, &timer->Work,
					   msecs_to_jiffies(timer->Period));
		header->SignalState = 1;
		kmcl_satisfy_waits(header);
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	if (dpc)
		KeInsertQueueDpc(dpc, NULL, NULL);
}

static inline VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
	kmcl_dispatcher_init(&Timer->Header, Type == NotificationTimer ?
			     KMCL_WAIT_KEEPS : KMCL_WAIT_RESETS, 0);
	INIT_DELAYED_WORK(&Timer->Work, kmcl_timer_run);
	Timer->Dpc = NULL;
	Timer->Period = 0;
	Timer->Set = false;
}

static inline VOID KeInitializeTimer(PKTIMER Timer)
{
	KeInitializeTimerEx(Timer, NotificationTimer);
}

/**
 * KeSetTimerEx() - set a timer
 * @Timer: the timer; it is not signalled afterwards
 * @DueTime: relative or absolute time of the first expiration
 * @Period: milliseconds between further expirations, or 0
 * @Dpc: DPC to queue at each expiration, or %NULL
 *
 * Context: any but hard interrupts.
 * Return: true if the timer was already set.
 *
 * Source: Microsoft's KeSetTimerEx documentation.
 */
static inline BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime,
				   LONG Period, PKDPC Dpc)
{
	unsigned long delay = min_t(unsigned long, MAX_JIFFY_OFFSET,
				    kmcl_timeout_jiffies(&DueTime));
	PDISPATCHER_HEADER header = &Timer->Header;
	unsigned long flags;
	bool before;

	spin_lock_irqsave(&header->Lock, flags);
	before = Timer->Set;
	Timer->Set = true;
	Timer->Dpc = Dpc;
	Timer->Period = Period;
	header->SignalState = 0;
	mod_delayed_work(system_highpri_wq, &Timer->Work, delay);
	spin_unlock_irqrestore(&header->Lock, flags);
	return before;
}

static inline BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime,
				 PKDPC Dpc)
{
	return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

/*
 * Returns whether the timer was set. As on Windows, the DPC may already be queued.
 * Below DISPATCH_LEVEL this also waits for the timer's work, so that the timer can be
 * freed afterwards. At DISPATCH_LEVEL it can not wait.
 */
static inline BOOLEAN KeCancelTimer(PKTIMER Timer)
{
	PDISPATCHER_HEADER header = &Timer->Header;
	unsigned long flags;
	bool before;

	spin_lock_irqsave(&header->Lock, flags);
	before = Timer->Set;
	Timer->Set = false;
	cancel_delayed_work(&Timer->Work);
	spin_unlock_irqrestore(&header->Lock, flags);
	if (KeGetCurrentIrql() < DISPATCH_LEVEL)
		cancel_delayed_work_sync(&Timer->Work);
	return before;
}

static inline BOOLEAN KeReadStateTimer(PKTIMER Timer)
{
	return READ_ONCE(Timer->Header.SignalState) > 0;
}

#endif /* _VMBKMCL_WINDOWS_TIMER_H */
