/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Clocks and timeouts. Windows has times in units of 100 ns, and counts the
 * time of day from 1 January 1601 UTC.
 */
#ifndef _VMBKMCL_WINDOWS_TIME_H
#define _VMBKMCL_WINDOWS_TIME_H

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/types.h>

#define KMCL_UNITS_PER_SECOND	10000000ULL
#define KMCL_UNITS_TO_1970	(11644473600ULL * KMCL_UNITS_PER_SECOND)

static inline VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
	CurrentTime->QuadPart = ktime_get_real_ns() / 100 + KMCL_UNITS_TO_1970;
}

static inline VOID KeQuerySystemTimePrecise(PLARGE_INTEGER CurrentTime)
{
	KeQuerySystemTime(CurrentTime);
}

/* Time since the boot, without the time that the machine was suspended. */
static inline ULONGLONG KeQueryInterruptTime(void)
{
	return ktime_get_ns() / 100;
}

static inline LARGE_INTEGER
KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
	LARGE_INTEGER now = { .QuadPart = ktime_get_ns() / 100 };

	if (PerformanceFrequency)
		PerformanceFrequency->QuadPart = KMCL_UNITS_PER_SECOND;
	return now;
}

static inline VOID KeQueryTickCount(PLARGE_INTEGER TickCount)
{
	TickCount->QuadPart = get_jiffies_64();
}

/* Units of 100 ns in a tick. */
static inline ULONG KeQueryTimeIncrement(void)
{
	return KMCL_UNITS_PER_SECOND / HZ;
}

static inline VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
	udelay(MicroSeconds);
}

/* Units of 100 ns until a timeout, 0 if the timeout is over. */
static inline u64 kmcl_units_left(const LARGE_INTEGER *timeout)
{
	LARGE_INTEGER now;

	if (timeout->QuadPart <= 0)
		return -(u64)timeout->QuadPart;
	KeQuerySystemTime(&now);
	return timeout->QuadPart > now.QuadPart ?
	       timeout->QuadPart - now.QuadPart : 0;
}

/*
 * Convert to jiffies, rounded up. A time that is too long for jiffies becomes
 * MAX_SCHEDULE_TIMEOUT, for instance the longest relative timeout, which means
 * "for ever".
 */
static inline unsigned long kmcl_units_to_jiffies(u64 units)
{
	if (!units)
		return 0;
	if (units >= U64_MAX / 100)
		return MAX_SCHEDULE_TIMEOUT;
	return min_t(u64, nsecs_to_jiffies64(units * 100) + 1,
		     MAX_SCHEDULE_TIMEOUT);
}

/* NULL is a timeout that never ends. */
static inline unsigned long kmcl_timeout_jiffies(const LARGE_INTEGER *timeout)
{
	return timeout ? kmcl_units_to_jiffies(kmcl_units_left(timeout)) :
			 MAX_SCHEDULE_TIMEOUT;
}

/* Nothing ends the delay early, as Linux has no alerts. */
static inline NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode,
					      BOOLEAN Alertable,
					      PLARGE_INTEGER Interval)
{
	might_sleep();
	schedule_timeout_uninterruptible(kmcl_timeout_jiffies(Interval));
	return STATUS_SUCCESS;
}

#endif /* _VMBKMCL_WINDOWS_TIME_H */
