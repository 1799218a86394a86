/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * References that someone can wait for the end of: rundown protection, and remove
 * locks, which are the same and count in statuses.
 */
#ifndef _VMBKMCL_WINDOWS_RUNDOWN_H
#define _VMBKMCL_WINDOWS_RUNDOWN_H

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/refcount.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/types.h>

/**
 * struct _EX_RUNDOWN_REF - references to something, until it is run down
 * @References: how many, and one until it is run down
 * @Down: no more are given
 * @Released: complete when the last one is back
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

/* A caller that sees @Down too late has its reference before the last is back. */
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

/* May sleep. A second call waits for the same. */
static inline VOID ExWaitForRundownProtectionRelease(PEX_RUNDOWN_REF RunRef)
{
	might_sleep();
	if (!xchg(&RunRef->Down, true))
		ExReleaseRundownProtection(RunRef);
	wait_for_completion(&RunRef->Released);
}

/* Everything was waited for: references are refused until it is initialised. */
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

/* May sleep. Gives back the caller's reference, and waits for the others. */
static inline VOID IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock,
					      PVOID Tag)
{
	WRITE_ONCE(RemoveLock->References.Down, true);
	/* the caller's, and the one that stands for not being removed */
	ExReleaseRundownProtectionEx(&RemoveLock->References, 2);
	wait_for_completion(&RemoveLock->References.Released);
}

#endif /* _VMBKMCL_WINDOWS_RUNDOWN_H */
