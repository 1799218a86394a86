/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Rundown protection, which counts references so that a task can wait for the
 * last. Remove locks are the same with other names and return statuses.
 */
#ifndef _VMBKMCL_WINDOWS_RUNDOWN_H
#define _VMBKMCL_WINDOWS_RUNDOWN_H

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/refcount.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/types.h>

/**
 * struct _EX_RUNDOWN_REF - counter of references with a wait for the last
 * @References: number of references, plus one until the rundown begins
 * @Down: the rundown has begun: no new references are given
 * @Released: completed when the last reference is released
 */
typedef struct _EX_RUNDOWN_REF {
	refcount_t References;
	bool Down;
	struct completion Released;
} EX_RUNDOWN_REF, *PEX_RUNDOWN_REF;

static inline VOID ExInitializeRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	refcount_set(&RunRef->References, 1);
	RunRef->Down = false;
	init_completion(&RunRef->Released);
}

#define ExReInitializeRundownProtection(RunRef)	\
	ExInitializeRundownProtection(RunRef)

/*
 * A caller that does not see @Down yet gets a reference only while there are
 * others, and the rundown waits for that reference, too.
 */
static inline BOOLEAN ExAcquireRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	return !READ_ONCE(RunRef->Down) &&
	       refcount_inc_not_zero(&RunRef->References);
}

static inline VOID ExReleaseRundownProtection(PEX_RUNDOWN_REF RunRef)
{
	if (refcount_dec_and_test(&RunRef->References))
		complete_all(&RunRef->Released);
}

static inline BOOLEAN ExAcquireRundownProtectionEx(PEX_RUNDOWN_REF RunRef,
						   ULONG Count)
{
	return !READ_ONCE(RunRef->Down) &&
	       refcount_add_not_zero(Count, &RunRef->References);
}

static inline VOID ExReleaseRundownProtectionEx(PEX_RUNDOWN_REF RunRef,
						ULONG Count)
{
	if (refcount_sub_and_test(Count, &RunRef->References))
		complete_all(&RunRef->Released);
}

/* May sleep. Can be called more than once. */
static inline VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	might_sleep();
	if (!xchg(&RunRef->Down, true))
		ExReleaseRundownProtection(RunRef);
	wait_for_completion(&RunRef->Released);
}

/*
 * Nothing is left to do: new references are refused until the next
 * initialisation.
 */
#define ExRundownCompleted(RunRef)	((void)(RunRef))

typedef struct _IO_REMOVE_LOCK {
	EX_RUNDOWN_REF References;
} IO_REMOVE_LOCK, *PIO_REMOVE_LOCK;

static inline VOID IoInitializeRemoveLock(PIO_REMOVE_LOCK Lock,
					  ULONG AllocateTag,
					  ULONG MaxLockedMinutes,
					  ULONG HighWatermark)
{
	ExInitializeRundownProtection(&Lock->References);
}

static inline NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK RemoveLock,
					   PVOID Tag)
{
	return ExAcquireRundownProtection(&RemoveLock->References) ?
	       STATUS_SUCCESS : STATUS_DELETE_PENDING;
}

static inline VOID IoReleaseRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
	ExReleaseRundownProtection(&RemoveLock->References);
}

/* May sleep. Releases the reference of the caller and waits for all others. */
static inline VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock,
					      PVOID Tag)
{
	WRITE_ONCE(RemoveLock->References.Down, true);
	/*
	 * The reference of the caller, and that of
	 * ExInitializeRundownProtection().
	 */
	ExReleaseRundownProtectionEx(&RemoveLock->References, 2);
	wait_for_completion(&RemoveLock->References.Released);
}

#endif /* _VMBKMCL_WINDOWS_RUNDOWN_H */
