/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IRQLs, spinlocks and mutexes.
 *
 * A KSPIN_LOCK raises the IRQL to DISPATCH_LEVEL, which corresponds to softirq
 * context. So it disables softirqs. It does not disable interrupts, as
 * functions of the KMCL API must be called with interrupts enabled.
 */
#ifndef _VMBKMCL_WINDOWS_LOCK_H
#define _VMBKMCL_WINDOWS_LOCK_H

#include <linux/bottom_half.h>
#include <linux/irqflags.h>
#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

#include <vmbkmcl/windows/types.h>

#define PASSIVE_LEVEL	0	/* may sleep */
#define LOW_LEVEL	0
#define APC_LEVEL	1	/* may sleep */
#define DISPATCH_LEVEL	2	/* in a softirq, or with a spinlock held */
#define HIGH_LEVEL	15	/* in a hard interrupt; the API must not be called */

/*
 * A kernel without CONFIG_PREEMPT_COUNT does not count Linux spinlocks that are
 * held, so this can not notice them.
 */
static inline KIRQL KeGetCurrentIrql(void)
{
	if (in_hardirq() || in_nmi())
		return HIGH_LEVEL;
	return preempt_count() || in_softirq() || irqs_disabled() ?
	       DISPATCH_LEVEL : PASSIVE_LEVEL;
}

typedef spinlock_t KSPIN_LOCK, *PKSPIN_LOCK;

/*
 * This is a macro, as lockdep makes one lock class for each place of
 * spin_lock_init().
 */
#define KeInitializeSpinLock(SpinLock)	spin_lock_init(SpinLock)

#define KeAcquireSpinLock(SpinLock, OldIrql)				\
do {									\
	*(OldIrql) = KeGetCurrentIrql();				\
	spin_lock_bh(SpinLock);						\
} while (0)

#define KeAcquireSpinLockRaiseToDpc(SpinLock)				\
({									\
	KIRQL __irql = KeGetCurrentIrql();				\
									\
	spin_lock_bh(SpinLock);						\
	__irql;								\
})

#define KeReleaseSpinLock(SpinLock, NewIrql)				\
do {									\
	(void)(NewIrql);						\
	spin_unlock_bh(SpinLock);					\
} while (0)

#define KeAcquireSpinLockAtDpcLevel(SpinLock)	spin_lock(SpinLock)
#define KeReleaseSpinLockFromDpcLevel(SpinLock)	spin_unlock(SpinLock)
#define KeTryToAcquireSpinLockAtDpcLevel(SpinLock)	\
	((BOOLEAN)!!spin_trylock(SpinLock))

/* Spinlocks of Linux are queued spinlocks already. */
typedef struct _KLOCK_QUEUE_HANDLE {
	PKSPIN_LOCK Lock;
	KIRQL OldIrql;
} KLOCK_QUEUE_HANDLE, *PKLOCK_QUEUE_HANDLE;

#define KeAcquireInStackQueuedSpinLock(SpinLock, LockHandle)		\
do {									\
	(LockHandle)->Lock = (SpinLock);				\
	KeAcquireSpinLock(SpinLock, &(LockHandle)->OldIrql);		\
} while (0)

#define KeReleaseInStackQueuedSpinLock(LockHandle)	\
	KeReleaseSpinLock((LockHandle)->Lock, (LockHandle)->OldIrql)

#define KeAcquireInStackQueuedSpinLockAtDpcLevel(SpinLock, LockHandle)	\
do {									\
	(LockHandle)->Lock = (SpinLock);				\
	KeAcquireSpinLockAtDpcLevel(SpinLock);				\
} while (0)

#define KeReleaseInStackQueuedSpinLockFromDpcLevel(LockHandle)	\
	KeReleaseSpinLockFromDpcLevel((LockHandle)->Lock)

typedef struct mutex FAST_MUTEX, *PFAST_MUTEX;
typedef struct mutex KGUARDED_MUTEX, *PKGUARDED_MUTEX;

#define ExInitializeFastMutex(FastMutex)	mutex_init(FastMutex)
#define ExAcquireFastMutex(FastMutex)		mutex_lock(FastMutex)
#define ExReleaseFastMutex(FastMutex)		mutex_unlock(FastMutex)
#define ExAcquireFastMutexUnsafe(FastMutex)	mutex_lock(FastMutex)
#define ExReleaseFastMutexUnsafe(FastMutex)	mutex_unlock(FastMutex)
#define ExTryToAcquireFastMutex(FastMutex)	\
	((BOOLEAN)!!mutex_trylock(FastMutex))

#define KeInitializeGuardedMutex(Mutex)		mutex_init(Mutex)
#define KeAcquireGuardedMutex(Mutex)		mutex_lock(Mutex)
#define KeReleaseGuardedMutex(Mutex)		mutex_unlock(Mutex)
#define KeTryToAcquireGuardedMutex(Mutex)	\
	((BOOLEAN)!!mutex_trylock(Mutex))

/* Linux has no asynchronous procedure calls that would have to be disabled. */
#define KeEnterCriticalRegion()			do { } while (0)
#define KeLeaveCriticalRegion()			do { } while (0)

#endif /* _VMBKMCL_WINDOWS_LOCK_H */
