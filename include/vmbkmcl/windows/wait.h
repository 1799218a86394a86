/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects that a Windows client can wait for: events, semaphores and mutexes.
 * Timers (timer.h) and threads (thread.h) begin with the same
 * DISPATCHER_HEADER.
 *
 * The function that signals an object satisfies the waits for it before it
 * returns, in the order of the waiters. So each KeSetEvent() of a
 * SynchronizationEvent releases one waiter, and a KeClearEvent() directly after
 * the KeSetEvent() of a NotificationEvent does not stop the waiters that were
 * there. A completion of Linux alone can not do this, as its waiters check the
 * state only when they run.
 */
#ifndef _VMBKMCL_WINDOWS_WAIT_H
#define _VMBKMCL_WINDOWS_WAIT_H

#include <linux/bug.h>
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/time.h>
#include <vmbkmcl/windows/types.h>

#define IO_NO_INCREMENT		0	/* Linux does not raise priorities */
#define EVENT_INCREMENT		1
#define SEMAPHORE_INCREMENT	1

#define THREAD_WAIT_OBJECTS	3	/* without wait blocks from the caller */
#define MAXIMUM_WAIT_OBJECTS	64

typedef enum _EVENT_TYPE {
	NotificationEvent,	/* releases all waiters, until it is cleared */
	SynchronizationEvent,	/* releases one waiter */
} EVENT_TYPE;

typedef enum _TIMER_TYPE {
	NotificationTimer,
	SynchronizationTimer,
} TIMER_TYPE;

typedef enum _KWAIT_REASON {
	Executive,
	FreePage,
	PageIn,
	PoolAllocation,
	DelayExecution,
	Suspended,
	UserRequest,
} KWAIT_REASON;

typedef enum _WAIT_TYPE {
	WaitAll,
	WaitAny,
} WAIT_TYPE;

/* How a satisfied wait changes the object. */
enum kmcl_wait_effect {
	KMCL_WAIT_KEEPS,	/* the object stays signalled */
	KMCL_WAIT_RESETS,	/* the object is not signalled any more */
	KMCL_WAIT_COUNTS,	/* the count of the object is decremented */
	KMCL_WAIT_OWNS,		/* the waiter owns the object */
};

/**
 * struct _DISPATCHER_HEADER - header of every object that can be waited for
 * @Lock: guards the other members, and the wait blocks in @Waits
 * @Waits: wait blocks of the waiters, the oldest first
 * @Effect: how a satisfied wait changes the object
 * @SignalState: the object is signalled if this is above 0
 * @Owner: task that owns a mutex
 */
typedef struct _DISPATCHER_HEADER {
	spinlock_t Lock;
	struct list_head Waits;
	enum kmcl_wait_effect Effect;
	LONG SignalState;
	struct task_struct *Owner;
} DISPATCHER_HEADER, *PDISPATCHER_HEADER;

typedef struct _KEVENT {
	DISPATCHER_HEADER Header;
} KEVENT, *PKEVENT, *PRKEVENT;

typedef struct _KSEMAPHORE {
	DISPATCHER_HEADER Header;
	LONG Limit;
} KSEMAPHORE, *PKSEMAPHORE, *PRKSEMAPHORE;

typedef struct _KMUTANT {
	DISPATCHER_HEADER Header;
} KMUTANT, *PKMUTANT, *PRKMUTANT, KMUTEX, *PKMUTEX, *PRKMUTEX;

#define KMCL_WAIT_PENDING	(-1)
#define KMCL_WAIT_TIMED_OUT	(-2)

/**
 * struct kmcl_wait - a task's wait for one of several objects
 * @done: completed when @outcome becomes the number of an object
 * @task: the task that waits
 * @outcome: number of the object that satisfied the wait, or one of the values
 *	above. It changes from %KMCL_WAIT_PENDING once, with cmpxchg(), as the
 *	objects have different locks.
 */
struct kmcl_wait {
	struct completion done;
	struct task_struct *task;
	int outcome;
};

/**
 * struct _KWAIT_BLOCK - entry of a wait in the list of one of its objects
 * @Entry: entry in the list of the object, or an empty list
 * @Wait: the wait
 * @Number: number of the object in the wait
 */
typedef struct _KWAIT_BLOCK {
	struct list_head Entry;
	struct kmcl_wait *Wait;
	int Number;
} KWAIT_BLOCK, *PKWAIT_BLOCK, *PRKWAIT_BLOCK;

static inline void kmcl_dispatcher_init(PDISPATCHER_HEADER header,
					enum kmcl_wait_effect effect, LONG state)
{
	spin_lock_init(&header->Lock);
	INIT_LIST_HEAD(&header->Waits);
	header->Effect = effect;
	header->SignalState = state;
	header->Owner = NULL;
}

/* End a wait. Returns false if it has already ended. */
static inline bool kmcl_wait_end(struct kmcl_wait *wait, int outcome)
{
	return cmpxchg(&wait->outcome, KMCL_WAIT_PENDING, outcome) ==
	       KMCL_WAIT_PENDING;
}

/* The owner of a mutex can acquire it again. */
static inline bool kmcl_is_signalled(const DISPATCHER_HEADER *header,
				     const struct task_struct *task)
{
	return header->SignalState > 0 || header->Owner == task;
}

static inline void kmcl_satisfy(PDISPATCHER_HEADER header,
				struct task_struct *task)
{
	switch (header->Effect) {
	case KMCL_WAIT_KEEPS:
		break;
	case KMCL_WAIT_RESETS:
		header->SignalState = 0;
		break;
	case KMCL_WAIT_OWNS:
		header->Owner = task;
		fallthrough;
	case KMCL_WAIT_COUNTS:
		header->SignalState--;
		break;
	}
}

/* Satisfy waits while the object is signalled. The caller holds the lock. */
static inline void kmcl_satisfy_waits(PDISPATCHER_HEADER header)
{
	KWAIT_BLOCK *block, *next;

	list_for_each_entry_safe(block, next, &header->Waits, Entry) {
		if (header->SignalState <= 0)
			return;
		list_del_init(&block->Entry);
		if (!kmcl_wait_end(block->Wait, block->Number))
			continue;
		kmcl_satisfy(header, block->Wait->task);
		complete(&block->Wait->done);
	}
}

/* Set the state and satisfy waits. Returns the state before. */
static inline LONG kmcl_signal(PDISPATCHER_HEADER header, LONG state)
{
	unsigned long flags;
	LONG before;

	spin_lock_irqsave(&header->Lock, flags);
	before = header->SignalState;
	header->SignalState = state;
	kmcl_satisfy_waits(header);
	spin_unlock_irqrestore(&header->Lock, flags);
	return before;
}

/*
 * Add the wait to the list of the object. Returns false if the wait has ended
 * instead.
 */
static inline bool kmcl_wait_enter(PDISPATCHER_HEADER header,
				   PKWAIT_BLOCK block)
{
	struct kmcl_wait *wait = block->Wait;
	unsigned long flags;
	bool waits = true;

	spin_lock_irqsave(&header->Lock, flags);
	if (!kmcl_is_signalled(header, wait->task)) {
		list_add_tail(&block->Entry, &header->Waits);
	} else {
		if (kmcl_wait_end(wait, block->Number))
			kmcl_satisfy(header, wait->task);
		waits = false;
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	return waits;
}

/* After this, no function for the object accesses the block or the wait. */
static inline void kmcl_wait_leave(PDISPATCHER_HEADER header,
				   PKWAIT_BLOCK block)
{
	unsigned long flags;

	spin_lock_irqsave(&header->Lock, flags);
	list_del_init(&block->Entry);
	spin_unlock_irqrestore(&header->Lock, flags);
}

/*
 * A thread of a client may wait for work without a limit, so it sleeps in
 * TASK_IDLE. The hung task detector reports all other tasks that wait for too
 * long.
 */
static inline void kmcl_wait_sleep(struct kmcl_wait *wait,
				   unsigned long jiffies_left)
{
	bool thread = (current->flags & (PF_KTHREAD | PF_WQ_WORKER)) ==
		      PF_KTHREAD;

	if (!jiffies_left)
		return;
	if (thread && jiffies_left == MAX_SCHEDULE_TIMEOUT)
		wait_for_completion_state(&wait->done, TASK_IDLE);
	else
		wait_for_completion_timeout(&wait->done, jiffies_left);
}

/* May sleep, unless the timeout is 0. */
static inline NTSTATUS kmcl_wait_any(ULONG count, PVOID *objects,
				     PLARGE_INTEGER timeout,
				     PKWAIT_BLOCK blocks)
{
	unsigned long jiffies_left = kmcl_timeout_jiffies(timeout);
	struct kmcl_wait wait = {
		.task = current,
		.outcome = KMCL_WAIT_PENDING,
	};
	ULONG entered;

	init_completion(&wait.done);
	for (entered = 0; entered < count; entered++) {
		blocks[entered] = (KWAIT_BLOCK) {
			.Entry = LIST_HEAD_INIT(blocks[entered].Entry),
			.Wait = &wait,
			.Number = entered,
		};
		if (!kmcl_wait_enter(objects[entered], &blocks[entered]))
			break;
	}
	if (entered == count)
		kmcl_wait_sleep(&wait, jiffies_left);
	kmcl_wait_end(&wait, KMCL_WAIT_TIMED_OUT);
	while (entered--)
		kmcl_wait_leave(objects[entered], &blocks[entered]);
	return wait.outcome < 0 ? STATUS_TIMEOUT : STATUS_WAIT_0 + wait.outcome;
}

/**
 * KeWaitForMultipleObjects() - wait for one of several objects
 * @Count: number of objects
 * @Object: array of the objects
 * @WaitType: must be %WaitAny
 * @WaitReason: no effect
 * @WaitMode: no effect
 * @Alertable: no effect, as Linux has no alerts
 * @Timeout: relative or absolute timeout; 0: do not wait; %NULL: wait without a
 *	limit
 * @WaitBlockArray: array of @Count blocks; may be %NULL if @Count is
 *	%THREAD_WAIT_OBJECTS or less
 *
 * Context: may sleep; with a timeout of 0 any but hard interrupts.
 * Return:
 * * %STATUS_WAIT_0 plus the number of the object - the object satisfied the wait
 * * %STATUS_TIMEOUT - the timeout is over
 * * %STATUS_INVALID_PARAMETER_1 - @Count is 0 or more than %MAXIMUM_WAIT_OBJECTS
 * * %STATUS_NOT_SUPPORTED - @WaitType is not %WaitAny
 * * %STATUS_INVALID_PARAMETER_8 - @WaitBlockArray is %NULL and needed
 *
 * Source: Microsoft's KeWaitForMultipleObjects documentation. The statuses for
 * errors are bug checks on Windows.
 */
static inline NTSTATUS KeWaitForMultipleObjects(ULONG Count, PVOID Object[],
						WAIT_TYPE WaitType,
						KWAIT_REASON WaitReason,
						KPROCESSOR_MODE WaitMode,
						BOOLEAN Alertable,
						PLARGE_INTEGER Timeout,
						PKWAIT_BLOCK WaitBlockArray)
{
	KWAIT_BLOCK own[THREAD_WAIT_OBJECTS];

	if (!Count || Count > MAXIMUM_WAIT_OBJECTS)
		return STATUS_INVALID_PARAMETER_1;
	if (WaitType != WaitAny)
		return STATUS_NOT_SUPPORTED;
	if (!WaitBlockArray && Count > THREAD_WAIT_OBJECTS)
		return STATUS_INVALID_PARAMETER_8;
	return kmcl_wait_any(Count, Object, Timeout, WaitBlockArray ?: own);
}

/**
 * KeWaitForSingleObject() - wait for an object
 * @Object: an event, a semaphore, a mutex, a timer or a thread
 * @WaitReason: no effect
 * @WaitMode: no effect
 * @Alertable: no effect
 * @Timeout: as for KeWaitForMultipleObjects()
 *
 * Context: may sleep; with a timeout of 0 any but hard interrupts.
 * Return: %STATUS_SUCCESS, or %STATUS_TIMEOUT if the timeout is over.
 *
 * Source: Microsoft's KeWaitForSingleObject documentation.
 */
static inline NTSTATUS KeWaitForSingleObject(PVOID Object,
					     KWAIT_REASON WaitReason,
					     KPROCESSOR_MODE WaitMode,
					     BOOLEAN Alertable,
					     PLARGE_INTEGER Timeout)
{
	KWAIT_BLOCK block;

	return kmcl_wait_any(1, &Object, Timeout, &block);
}

#define KeWaitForMutexObject	KeWaitForSingleObject

/* Events */

static inline VOID KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type,
				     BOOLEAN State)
{
	kmcl_dispatcher_init(&Event->Header, Type == NotificationEvent ?
			     KMCL_WAIT_KEEPS : KMCL_WAIT_RESETS, !!State);
}

/* Returns the state before, which is not 0 if the event was signalled. */
static inline LONG KeSetEvent(PRKEVENT Event, KPRIORITY Increment,
			      BOOLEAN Wait)
{
	return kmcl_signal(&Event->Header, 1);
}

static inline LONG KeResetEvent(PRKEVENT Event)
{
	return kmcl_signal(&Event->Header, 0);
}

static inline VOID KeClearEvent(PRKEVENT Event)
{
	KeResetEvent(Event);
}

static inline LONG KeReadStateEvent(PRKEVENT Event)
{
	return READ_ONCE(Event->Header.SignalState);
}

/* Semaphores */

static inline VOID KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count,
					 LONG Limit)
{
	kmcl_dispatcher_init(&Semaphore->Header, KMCL_WAIT_COUNTS, Count);
	Semaphore->Limit = Limit;
}

/*
 * Returns the count before. If the count would exceed the limit, which is an
 * exception on Windows, nothing is changed, with a warning.
 */
static inline LONG KeReleaseSemaphore(PRKSEMAPHORE Semaphore,
				      KPRIORITY Increment, LONG Adjustment,
				      BOOLEAN Wait)
{
	PDISPATCHER_HEADER header = &Semaphore->Header;
	unsigned long flags;
	bool exceeds;
	LONG before;

	spin_lock_irqsave(&header->Lock, flags);
	before = header->SignalState;
	exceeds = Adjustment <= 0 || Adjustment > Semaphore->Limit - before;
	if (!exceeds) {
		header->SignalState += Adjustment;
		kmcl_satisfy_waits(header);
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	WARN_ON_ONCE(exceeds);
	return before;
}

static inline LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
	return READ_ONCE(Semaphore->Header.SignalState);
}

/* Mutexes, which their owner can acquire again */

static inline VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
	kmcl_dispatcher_init(&Mutex->Header, KMCL_WAIT_OWNS, 1);
}

/*
 * Returns the state before, which is 0 if the mutex is free now. If the caller
 * does not own the mutex, which is an exception on Windows, nothing is changed,
 * with a warning.
 */
static inline LONG KeReleaseMutex(PRKMUTEX Mutex, BOOLEAN Wait)
{
	PDISPATCHER_HEADER header = &Mutex->Header;
	unsigned long flags;
	bool owned;
	LONG before;

	spin_lock_irqsave(&header->Lock, flags);
	before = header->SignalState;
	owned = header->Owner == current;
	if (owned && ++header->SignalState > 0) {
		header->Owner = NULL;
		kmcl_satisfy_waits(header);
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	WARN_ON_ONCE(!owned);
	return before;
}

static inline LONG KeReadStateMutex(PRKMUTEX Mutex)
{
	return READ_ONCE(Mutex->Header.SignalState);
}

#endif /* _VMBKMCL_WINDOWS_WAIT_H */
