/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a Windows client can wait for: events, semaphores, mutexes; timers (timer.h)
 * and threads (thread.h) are made of the same header.
 *
 * An object that becomes signalled is handed to those who wait for it already, in
 * their order, before the function that signals it returns. So each KeSetEvent() of
 * a SynchronizationEvent releases one waiter, and a KeClearEvent() directly behind
 * the KeSetEvent() of a NotificationEvent takes nothing back. A completion of
 * Linux's can not do that: its waiters find out when they run.
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

#define IO_NO_INCREMENT		0	/* nobody's priority is raised here */
#define EVENT_INCREMENT		1
#define SEMAPHORE_INCREMENT	1

#define THREAD_WAIT_OBJECTS	3	/* without wait blocks of the caller's */
#define MAXIMUM_WAIT_OBJECTS	64

typedef enum _EVENT_TYPE {
	NotificationEvent,	/* lets everybody go, until it is cleared */
	SynchronizationEvent,	/* lets one go */
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

/* What a wait takes from the object that ends it. */
enum kmcl_taking {
	KMCL_TAKE_NOTHING,	/* it stays signalled */
	KMCL_TAKE_ALL,		/* it is not signalled any more */
	KMCL_TAKE_ONE,		/* its count goes down */
	KMCL_TAKE_OWNERSHIP,	/* it belongs to the waiter */
};

/**
 * struct _DISPATCHER_HEADER - what every object that can be waited for begins with
 * @Lock: protects the others, and the outcome of waits in @Waits
 * @Waits: wait blocks, the longest waiting first
 * @Taking: what a wait takes
 * @SignalState: above 0 the object is signalled
 * @Owner: task that a mutex belongs to
 */
typedef struct _DISPATCHER_HEADER {
	spinlock_t Lock;
	struct list_head Waits;
	enum kmcl_taking Taking;
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
 * struct kmcl_wait - a task that waits for one of some objects
 * @done: complete when @outcome is an object's number
 * @task: who waits
 * @outcome: number of the object that ended it, or one of those above. It leaves
 *	%KMCL_WAIT_PENDING once, by cmpxchg(): objects have different locks.
 */
struct kmcl_wait {
	struct completion done;
	struct task_struct *task;
	int outcome;
};

/**
 * struct _KWAIT_BLOCK - a wait in the list of one of its objects
 * @Entry: in the object's list; empty: it is in none
 * @Wait: the wait
 * @Number: the object's among those that are waited for
 */
typedef struct _KWAIT_BLOCK {
	struct list_head Entry;
	struct kmcl_wait *Wait;
	int Number;
} KWAIT_BLOCK, *PKWAIT_BLOCK, *PRKWAIT_BLOCK;

static inline void kmcl_dispatcher_init(PDISPATCHER_HEADER header,
					enum kmcl_taking taking, LONG state)
{
	spin_lock_init(&header->Lock);
	INIT_LIST_HEAD(&header->Waits);
	header->Taking = taking;
	header->SignalState = state;
	header->Owner = NULL;
}

/* End a wait; false: it has ended otherwise. */
static inline bool kmcl_wait_end(struct kmcl_wait *wait, int outcome)
{
	return cmpxchg(&wait->outcome, KMCL_WAIT_PENDING, outcome) ==
	       KMCL_WAIT_PENDING;
}

/* A mutex is there for its owner, too. */
static inline bool kmcl_can_take(const DISPATCHER_HEADER *header,
				 const struct task_struct *task)
{
	return header->SignalState > 0 || header->Owner == task;
}

static inline void kmcl_take(PDISPATCHER_HEADER header,
			     struct task_struct *task)
{
	switch (header->Taking) {
	case KMCL_TAKE_NOTHING:
		break;
	case KMCL_TAKE_ALL:
		header->SignalState = 0;
		break;
	case KMCL_TAKE_OWNERSHIP:
		header->Owner = task;
		fallthrough;
	case KMCL_TAKE_ONE:
		header->SignalState--;
		break;
	}
}

/* Hand a signalled object to its waiters. Called with its lock held. */
static inline void kmcl_hand_out(PDISPATCHER_HEADER header)
{
	KWAIT_BLOCK *block, *next;

	list_for_each_entry_safe(block, next, &header->Waits, Entry) {
		if (header->SignalState <= 0)
			return;
		list_del_init(&block->Entry);
		if (!kmcl_wait_end(block->Wait, block->Number))
			continue;
		kmcl_take(header, block->Wait->task);
		complete(&block->Wait->done);
	}
}

/* Returns the state before. */
static inline LONG kmcl_signal(PDISPATCHER_HEADER header, LONG state)
{
	unsigned long flags;
	LONG before;

	spin_lock_irqsave(&header->Lock, flags);
	before = header->SignalState;
	header->SignalState = state;
	kmcl_hand_out(header);
	spin_unlock_irqrestore(&header->Lock, flags);
	return before;
}

/* Take the object, or stand in its line. Returns false when the wait is over. */
static inline bool kmcl_wait_enter(PDISPATCHER_HEADER header,
				   PKWAIT_BLOCK block)
{
	struct kmcl_wait *wait = block->Wait;
	unsigned long flags;
	bool waits = true;

	spin_lock_irqsave(&header->Lock, flags);
	if (!kmcl_can_take(header, wait->task)) {
		list_add_tail(&block->Entry, &header->Waits);
	} else {
		if (kmcl_wait_end(wait, block->Number))
			kmcl_take(header, wait->task);
		waits = false;
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	return waits;
}

/* Behind it no function of the object's touches the block or the wait. */
static inline void kmcl_wait_leave(PDISPATCHER_HEADER header,
				   PKWAIT_BLOCK block)
{
	unsigned long flags;

	spin_lock_irqsave(&header->Lock, flags);
	list_del_init(&block->Entry);
	spin_unlock_irqrestore(&header->Lock, flags);
}

/*
 * A thread of the client's may wait for its next work as long as it likes. Anybody
 * else who waits for ever is reported by the hung task detector.
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

/* With a timeout of 0 it may be called where one may not sleep. */
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
 * KeWaitForMultipleObjects() - wait for one of some objects
 * @Count: how many there are
 * @Object: the objects
 * @WaitType: must be %WaitAny
 * @WaitReason: no effect
 * @WaitMode: no effect
 * @Alertable: no effect, as there are no alerts here
 * @Timeout: NULL waits for ever, 0 not at all; relative or absolute
 * @WaitBlockArray: room for @Count blocks; needed above %THREAD_WAIT_OBJECTS
 *
 * Context: may sleep; with a timeout of 0 any but hard interrupts.
 * Return: %STATUS_WAIT_0 and the number of the object that ended the wait;
 * %STATUS_TIMEOUT; %STATUS_INVALID_PARAMETER_1 for no object, or too many;
 * %STATUS_NOT_SUPPORTED for %WaitAll; %STATUS_INVALID_PARAMETER_8 without blocks.
 * Source: Microsoft's KeWaitForMultipleObjects documentation; where that has a bug
 * check there is a status.
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
 * Return: %STATUS_SUCCESS or %STATUS_TIMEOUT.
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
			     KMCL_TAKE_NOTHING : KMCL_TAKE_ALL, !!State);
}

/* Returns the state before: not 0 for a signalled event. */
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
	kmcl_dispatcher_init(&Semaphore->Header, KMCL_TAKE_ONE, Count);
	Semaphore->Limit = Limit;
}

/*
 * Returns the count before. One that would exceed the limit, which is an exception
 * on Windows, changes nothing and is warned of.
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
		kmcl_hand_out(header);
	}
	spin_unlock_irqrestore(&header->Lock, flags);
	WARN_ON_ONCE(exceeds);
	return before;
}

static inline LONG KeReadStateSemaphore(PRKSEMAPHORE Semaphore)
{
	return READ_ONCE(Semaphore->Header.SignalState);
}

/* Mutexes: their owner may take them again. */

static inline VOID KeInitializeMutex(PRKMUTEX Mutex, ULONG Level)
{
	kmcl_dispatcher_init(&Mutex->Header, KMCL_TAKE_OWNERSHIP, 1);
}

/*
 * Returns the state before, which is 0 when the mutex is free now. A caller that
 * does not own it, which is an exception on Windows, changes nothing and is warned
 * of.
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
		kmcl_hand_out(header);
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
