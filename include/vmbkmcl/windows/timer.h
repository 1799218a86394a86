/* SPDX-License-Identifier: GPL-2.0-only */
/* Timers. They are waited for as an event is, and queue a DPC. */
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
 * @Header: signalled when its time has come
 * @Work: runs then
 * @Dpc: queued then, or NULL
 * @Period: ms from then on to the next time, or 0
 * @Set: its time has not come, or there is a period. @Header's lock protects this
 *	and the two before
 */
typedef struct _KTIMER {
	DISPATCHER_HEADER Header;
	struct delayed_work Work;
	PKDPC Dpc;
	LONG Period;
	bool Set;
} KTIMER, *PKTIMER, *PRKTIMER;

/* One that was cancelled, or set anew, while this was about to run does nothing. */
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
		kmcl_hand_out(header);
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	if (dpc)
		KeInsertQueueDpc(dpc, NULL, NULL);
}

static inline VOID KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
	kmcl_dispatcher_init(&Timer->Header, Type == NotificationTimer ?
			     KMCL_TAKE_NOTHING : KMCL_TAKE_ALL, 0);
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
 * @Timer: the timer, which is not signalled any more
 * @DueTime: when; relative or absolute
 * @Period: ms from then on to each next time, or 0
 * @Dpc: to be queued then, or NULL
 *
 * Context: any but hard interrupts.
 * Return: whether it was set already.
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
 * Returns whether it was set. The DPC may be queued already, as on Windows.
 * Below DISPATCH_LEVEL it waits for what runs at the timer's time, so that the
 * timer may be freed; at DISPATCH_LEVEL it can not.
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
