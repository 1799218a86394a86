// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a Windows client's source has around the KMCL API: <vmbkmcl/windows.h>. No
 * device is needed. idioms.c names all of it; here is what it does.
 */

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include <linux/completion.h>
#include <linux/device.h>
#include <linux/kthread.h>

#include "eventually.h"
#include "log.h"
#include "suites.h"

static const GUID guid = {
	0x525074dc, 0x8985, 0x46e2,
	{ 0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02 }
};
DEFINE_GUID(defined_guid, 0x525074dc, 0x8985, 0x46e2,
	    0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02);
static const guid_t linux_guid =
	GUID_INIT(0x525074dc, 0x8985, 0x46e2,
		  0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02);

/* Wrong bytes would be a channel that never finds its device. */
static void guid_has_linux_bytes(struct kunit *test)
{
	KUNIT_EXPECT_MEMEQ(test, &guid, &linux_guid, sizeof(linux_guid));
	KUNIT_EXPECT_MEMEQ(test, &defined_guid, &linux_guid,
			   sizeof(linux_guid));
	KUNIT_EXPECT_TRUE(test, IsEqualGUID(&guid, &defined_guid));
	KUNIT_EXPECT_TRUE(test, InlineIsEqualGUID(&guid, &defined_guid));
	KUNIT_EXPECT_FALSE(test, IsEqualGUID(&guid,
					     &KMCL_CLIENT_INTERFACE_TYPE));
	KUNIT_EXPECT_EQ(test, guid.Data1, 0x525074dc);
	KUNIT_EXPECT_EQ(test, guid.Data4[7], 2);
}

static void interface_type_has_its_bytes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, KMCL_CLIENT_INTERFACE_TYPE.Data1, 0x2b1d3c5e);
	KUNIT_EXPECT_EQ(test, KMCL_CLIENT_INTERFACE_TYPE.Data4[7], 1);
	KUNIT_EXPECT_EQ(test, KMCL_SERVER_INTERFACE_TYPE.Data4[7], 2);
}

static void as_windows_drivers_ask(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 v1;

	KUNIT_ASSERT_EQ(test,
			WdfFdoQueryForInterface(NULL,
						&KMCL_CLIENT_INTERFACE_TYPE,
						(PINTERFACE)&v1, sizeof(v1),
						KMCL_CLIENT_INTERFACE_VERSION_LATEST,
						NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, v1.Version, 1);
	v1.InterfaceDereference(v1.Context);
	KUNIT_ASSERT_EQ(test,
			WdfIoTargetQueryForInterface(NULL,
						     &KMCL_CLIENT_INTERFACE_TYPE,
						     (PINTERFACE)&v1,
						     sizeof(v1),
						     KMCL_CLIENT_INTERFACE_VERSION_V1,
						     NULL),
			STATUS_SUCCESS);
	v1.InterfaceDereference(v1.Context);
}

/* Length has 16 bits: a longer string would become a short one. */
static void unicode_string_is_cut(struct kunit *test)
{
	WCHAR *text = kunit_kmalloc_array(test, 70001, sizeof(*text),
					  GFP_KERNEL);
	UNICODE_STRING string;
	int i;

	KUNIT_ASSERT_NOT_NULL(test, text);
	for (i = 0; i < 70000; i++)
		text[i] = L'x';
	text[70000] = 0;
	RtlInitUnicodeString(&string, text);
	KUNIT_EXPECT_EQ(test, string.Length, 65532);
	KUNIT_EXPECT_EQ(test, string.MaximumLength, 65534);

	text[32767] = 0;
	RtlInitUnicodeString(&string, text);
	KUNIT_EXPECT_EQ(test, string.Length, 65532);
	text[32765] = 0;
	RtlInitUnicodeString(&string, text);
	KUNIT_EXPECT_EQ(test, string.Length, 65530);
	KUNIT_EXPECT_EQ(test, string.MaximumLength, 65532);

	RtlInitUnicodeString(&string, NULL);
	KUNIT_EXPECT_EQ(test, string.MaximumLength, 0);
}

/* Waiting */

#define TIME(units)	(&(LARGE_INTEGER) { .QuadPart = (units) })
#define MILLISECOND	10000LL

static NTSTATUS wait_for(PVOID object, PLARGE_INTEGER timeout)
{
	return KeWaitForSingleObject(object, Executive, KernelMode, FALSE,
				     timeout);
}

#define WAITERS	3

/* Threads that wait for one object each. */
struct waiters {
	PVOID object;
	LARGE_INTEGER timeout;
	atomic_t begun, released, timed_out;
	struct task_struct *task[WAITERS];
};

static int waiter(void *arg)
{
	struct waiters *waiters = arg;
	NTSTATUS status;

	atomic_inc(&waiters->begun);
	status = wait_for(waiters->object, waiters->timeout.QuadPart ?
			  &waiters->timeout : NULL);
	atomic_inc(status == STATUS_TIMEOUT ? &waiters->timed_out :
					      &waiters->released);
	return 0;
}

static unsigned int waits(PDISPATCHER_HEADER header)
{
	struct list_head *entry;
	unsigned int count = 0;

	spin_lock_irq(&header->Lock);
	list_for_each(entry, &header->Waits)
		count++;
	spin_unlock_irq(&header->Lock);
	return count;
}

static void start_waiters(struct kunit *test, struct waiters *waiters,
			  PVOID object, s64 timeout)
{
	int i;

	waiters->object = object;
	waiters->timeout.QuadPart = timeout;
	for (i = 0; i < WAITERS; i++) {
		struct task_struct *task = kthread_create(waiter, waiters,
							  "waiter");

		KUNIT_ASSERT_FALSE(test, IS_ERR(task));
		waiters->task[i] = get_task_struct(task);
		wake_up_process(task);
	}
	KUNIT_ASSERT_TRUE(test, eventually(waits(object) == WAITERS));
}

static void stop_waiters(struct waiters *waiters)
{
	int i;

	for (i = 0; i < WAITERS; i++)
		kthread_stop_put(waiters->task[i]);
}

static struct waiters *new_waiters(struct kunit *test)
{
	struct waiters *waiters = kunit_kzalloc(test, sizeof(*waiters),
						GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, waiters);
	return waiters;
}

/* Each KeSetEvent() counts, also when the waiter before has not run yet. */
static void synchronization_event_releases_one(struct kunit *test)
{
	struct waiters *waiters = new_waiters(test);
	KEVENT *event = kunit_kzalloc(test, sizeof(*event), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, event);
	KeInitializeEvent(event, SynchronizationEvent, FALSE);
	start_waiters(test, waiters, event, 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, waits(&event->Header), WAITERS - 1);
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&waiters->released) == 1));
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&waiters->released), 1);

	preempt_disable();
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&waiters->released) == 3));
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(event), 0);
	stop_waiters(waiters);

	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 1);
	KUNIT_EXPECT_EQ(test, wait_for(event, TIME(0)), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_for(event, TIME(0)), STATUS_TIMEOUT);
}

/* KeSetEvent() releases all, also when the event is cleared before they run. */
static void notification_event_releases_all(struct kunit *test)
{
	struct waiters *waiters = new_waiters(test);
	KEVENT *event = kunit_kzalloc(test, sizeof(*event), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, event);
	KeInitializeEvent(event, NotificationEvent, FALSE);
	start_waiters(test, waiters, event, 0);
	preempt_disable();
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, KeResetEvent(event), 1);
	preempt_enable();
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&waiters->released) == WAITERS));
	stop_waiters(waiters);

	KUNIT_EXPECT_EQ(test, wait_for(event, TIME(0)), STATUS_TIMEOUT);
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, wait_for(event, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_for(event, TIME(0)), STATUS_SUCCESS);
	KeClearEvent(event);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(event), 0);
}

/* A waiter whose time is over leaves the line, and takes no signal with it. */
static void timeout_leaves_the_line(struct kunit *test)
{
	struct waiters *waiters = new_waiters(test);
	KEVENT *event = kunit_kzalloc(test, sizeof(*event), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, event);
	KeInitializeEvent(event, SynchronizationEvent, FALSE);
	start_waiters(test, waiters, event, -200 * MILLISECOND);
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&waiters->timed_out) == WAITERS));
	stop_waiters(waiters);
	KUNIT_EXPECT_EQ(test, waits(&event->Header), 0);
	KeSetEvent(event, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(event), 1);
}

/* A timeout that 64 bits of nanoseconds do not hold lasts for ever. */
static void largest_timeout_is_for_ever(struct kunit *test)
{
	static const s64 forever[] = { S64_MIN, S64_MIN + 1, -(S64_MAX / 2) };
	LARGE_INTEGER now;
	int i;

	for (i = 0; i < ARRAY_SIZE(forever); i++)
		KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(forever[i])),
				MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(S64_MAX)),
			MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(NULL), MAX_SCHEDULE_TIMEOUT);
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(0)), 0);
	/* a point in time that is over */
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(1)), 0);
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(-1)), 1);
	KUNIT_EXPECT_EQ(test, kmcl_timeout_jiffies(TIME(-1000 * MILLISECOND)),
			HZ + 1);
	KeQuerySystemTime(&now);
	now.QuadPart += 10000 * MILLISECOND;
	KUNIT_EXPECT_LE(test, kmcl_timeout_jiffies(&now), 10 * HZ + 1);
	KUNIT_EXPECT_GE(test, kmcl_timeout_jiffies(&now), 5 * HZ);
}

static void wait_takes_its_time(struct kunit *test)
{
	unsigned long start = jiffies;
	LARGE_INTEGER then;
	KEVENT event;

	KeInitializeEvent(&event, NotificationEvent, FALSE);
	KUNIT_EXPECT_EQ(test, wait_for(&event, TIME(-50 * MILLISECOND)),
			STATUS_TIMEOUT);
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(50));

	start = jiffies;
	KeQuerySystemTime(&then);
	then.QuadPart += 50 * MILLISECOND;
	KUNIT_EXPECT_EQ(test, wait_for(&event, &then), STATUS_TIMEOUT);
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(50) - 1);

	start = jiffies;
	KUNIT_EXPECT_EQ(test, KeDelayExecutionThread(KernelMode, FALSE,
						     TIME(-50 * MILLISECOND)),
			STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, jiffies - start, msecs_to_jiffies(50));
}

static void semaphore_counts(struct kunit *test)
{
	KSEMAPHORE semaphore;

	KeInitializeSemaphore(&semaphore, 1, 3);
	KUNIT_EXPECT_EQ(test, wait_for(&semaphore, TIME(0)), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_for(&semaphore, TIME(0)), STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 2, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeReleaseSemaphore(&semaphore, 0, 1, FALSE), 2);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&semaphore), 3);
}

static void semaphore_releases_as_many(struct kunit *test)
{
	struct waiters *waiters = new_waiters(test);
	KSEMAPHORE *semaphore = kunit_kzalloc(test, sizeof(*semaphore),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, semaphore);
	KeInitializeSemaphore(semaphore, 0, 10);
	start_waiters(test, waiters, semaphore, 0);
	KeReleaseSemaphore(semaphore, IO_NO_INCREMENT, 2, FALSE);
	KUNIT_EXPECT_EQ(test, waits(&semaphore->Header), WAITERS - 2);
	KeReleaseSemaphore(semaphore, IO_NO_INCREMENT, 2, FALSE);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(semaphore), 1);
	stop_waiters(waiters);
	KUNIT_EXPECT_EQ(test, atomic_read(&waiters->released), WAITERS);
}

/* Its owner may take it again, and gives it back as often; nobody else gets it. */
static void mutex_has_one_owner(struct kunit *test)
{
	struct waiters *waiters = new_waiters(test);
	KMUTEX *mutex = kunit_kzalloc(test, sizeof(*mutex), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, mutex);
	KeInitializeMutex(mutex, 0);
	KUNIT_EXPECT_EQ(test, wait_for(mutex, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_for(mutex, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(mutex), -1);
	start_waiters(test, waiters, mutex, -50 * MILLISECOND);
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&waiters->timed_out) == WAITERS));
	stop_waiters(waiters);
	KUNIT_EXPECT_EQ(test, KeReleaseMutex(mutex, FALSE), -1);
	KUNIT_EXPECT_EQ(test, KeReleaseMutex(mutex, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateMutex(mutex), 1);
}

static NTSTATUS wait_any(ULONG count, PVOID *objects, PLARGE_INTEGER timeout)
{
	return KeWaitForMultipleObjects(count, objects, WaitAny, Executive,
					KernelMode, FALSE, timeout, NULL);
}

/* The wait takes from the object that ends it, and from no other. */
static void one_of_several_ends_a_wait(struct kunit *test)
{
	KEVENT first, second;
	KSEMAPHORE third;
	PVOID objects[] = { &first, &second, &third, &first };

	KeInitializeEvent(&first, SynchronizationEvent, FALSE);
	KeInitializeEvent(&second, SynchronizationEvent, FALSE);
	KeInitializeSemaphore(&third, 2, 2);
	KUNIT_EXPECT_EQ(test, wait_any(3, objects, NULL), STATUS_WAIT_2);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&third), 1);
	KeSetEvent(&second, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, wait_any(3, objects, NULL), STATUS_WAIT_1);
	KUNIT_EXPECT_EQ(test, KeReadStateEvent(&second), 0);
	KUNIT_EXPECT_EQ(test, KeReadStateSemaphore(&third), 1);
	KUNIT_EXPECT_EQ(test, wait_any(2, objects, TIME(-10 * MILLISECOND)),
			STATUS_TIMEOUT);
	KUNIT_EXPECT_EQ(test, waits(&first.Header), 0);
	KUNIT_EXPECT_EQ(test, waits(&second.Header), 0);

	KUNIT_EXPECT_EQ(test, wait_any(0, objects, NULL),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, wait_any(4, objects, NULL),
			STATUS_INVALID_PARAMETER_8);
	KUNIT_EXPECT_EQ(test,
			KeWaitForMultipleObjects(2, objects, WaitAll, Executive,
						 KernelMode, FALSE, NULL, NULL),
			STATUS_NOT_SUPPORTED);
}

/* Timers */

static KDEFERRED_ROUTINE count_dpc;

static VOID count_dpc(PKDPC Dpc, PVOID Context, PVOID Argument1,
		      PVOID Argument2)
{
	atomic_t *count = Context;

	if (KeGetCurrentIrql() == DISPATCH_LEVEL)
		atomic_add(Argument1 ? (long)Argument1 : 1, count);
}

static void timer_signals_and_calls(struct kunit *test)
{
	LARGE_INTEGER due = { .QuadPart = -20 * MILLISECOND };
	atomic_t count = ATOMIC_INIT(0);
	KTIMER timer;
	KDPC dpc;

	KeInitializeDpc(&dpc, count_dpc, &count);
	KeInitializeTimerEx(&timer, SynchronizationTimer);
	KUNIT_EXPECT_FALSE(test, KeSetTimer(&timer, due, &dpc));
	KUNIT_EXPECT_FALSE(test, KeReadStateTimer(&timer));
	KUNIT_EXPECT_EQ(test, wait_for(&timer, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_FALSE(test, KeReadStateTimer(&timer));
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&count) == 1));
	KUNIT_EXPECT_FALSE(test, KeCancelTimer(&timer));

	due.QuadPart = -10000 * MILLISECOND;
	KUNIT_EXPECT_FALSE(test, KeSetTimer(&timer, due, &dpc));
	KUNIT_EXPECT_TRUE(test, KeSetTimer(&timer, due, &dpc));
	KUNIT_EXPECT_TRUE(test, KeCancelTimer(&timer));
	KUNIT_EXPECT_FALSE(test, KeCancelTimer(&timer));
	KUNIT_EXPECT_EQ(test, wait_for(&timer, TIME(-20 * MILLISECOND)),
			STATUS_TIMEOUT);

	due.QuadPart = -1;
	KeSetTimerEx(&timer, due, 10, &dpc);
	KUNIT_EXPECT_TRUE(test, eventually(atomic_read(&count) >= 4));
	KUNIT_EXPECT_TRUE(test, KeCancelTimer(&timer));
	KeFlushQueuedDpcs();
	KeRemoveQueueDpcEx(&dpc, TRUE);
}

/* Work for later */

static void dpc_is_queued_once(struct kunit *test)
{
	atomic_t count = ATOMIC_INIT(0);
	KDPC dpc;

	KeInitializeDpc(&dpc, count_dpc, &count);
	local_bh_disable();
	KUNIT_EXPECT_TRUE(test, KeInsertQueueDpc(&dpc, (PVOID)5, NULL));
	KUNIT_EXPECT_FALSE(test, KeInsertQueueDpc(&dpc, (PVOID)7, NULL));
	local_bh_enable();
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_EQ(test, atomic_read(&count), 5);

	local_bh_disable();
	KUNIT_EXPECT_TRUE(test, KeInsertQueueDpc(&dpc, NULL, NULL));
	KUNIT_EXPECT_TRUE(test, KeRemoveQueueDpc(&dpc));
	local_bh_enable();
	KeFlushQueuedDpcs();
	KUNIT_EXPECT_FALSE(test, KeRemoveQueueDpcEx(&dpc, TRUE));
	KUNIT_EXPECT_EQ(test, atomic_read(&count), 5);
}

struct worked {
	KEVENT done;
	KIRQL irql;
	PDEVICE_OBJECT device;
	PIO_WORKITEM item;
};

static VOID work(PDEVICE_OBJECT device, PVOID context)
{
	struct worked *worked = context;

	worked->irql = KeGetCurrentIrql();
	worked->device = device;
	if (worked->item)
		IoFreeWorkItem(worked->item);
	KeSetEvent(&worked->done, IO_NO_INCREMENT, FALSE);
}

static VOID work_ex(PVOID object, PVOID context, PIO_WORKITEM item)
{
	work(object, context);
}

static VOID old_work(PVOID context)
{
	work(NULL, context);
}

static void work_item_runs(struct kunit *test)
{
	static struct device device;
	struct worked worked = { .irql = HIGH_LEVEL };
	PIO_WORKITEM item = IoAllocateWorkItem(&device);
	WORK_QUEUE_ITEM old;

	KUNIT_ASSERT_NOT_NULL(test, item);
	KeInitializeEvent(&worked.done, SynchronizationEvent, FALSE);
	IoQueueWorkItem(item, work, DelayedWorkQueue, &worked);
	wait_for(&worked.done, NULL);
	KUNIT_EXPECT_EQ(test, worked.irql, PASSIVE_LEVEL);
	KUNIT_EXPECT_PTR_EQ(test, worked.device, &device);
	/* one that frees itself */
	worked.item = item;
	IoQueueWorkItemEx(item, work_ex, CriticalWorkQueue, &worked);
	wait_for(&worked.done, NULL);

	worked.item = NULL;
	ExInitializeWorkItem(&old, old_work, &worked);
	ExQueueWorkItem(&old, DelayedWorkQueue);
	wait_for(&worked.done, NULL);
	KUNIT_EXPECT_PTR_EQ(test, worked.device, NULL);
	flush_work(&old.Work);
}

/* IoFreeWorkItem() of another's waits: the routine's last lines are still to come. */
static VOID slow_work(PDEVICE_OBJECT device, PVOID context)
{
	struct worked *worked = context;

	KeSetEvent(&worked->done, IO_NO_INCREMENT, FALSE);
	msleep(50);
	worked->irql = PASSIVE_LEVEL;
}

static void work_item_is_waited_for(struct kunit *test)
{
	struct worked worked = { .irql = HIGH_LEVEL };
	PIO_WORKITEM item = IoAllocateWorkItem(NULL);

	KUNIT_ASSERT_NOT_NULL(test, item);
	KeInitializeEvent(&worked.done, SynchronizationEvent, FALSE);
	IoQueueWorkItem(item, slow_work, DelayedWorkQueue, &worked);
	wait_for(&worked.done, NULL);
	IoFreeWorkItem(item);
	KUNIT_EXPECT_EQ(test, worked.irql, PASSIVE_LEVEL);
}

static VOID thread(PVOID context)
{
	struct worked *worked = context;

	wait_for(&worked->done, NULL);
	worked->irql = KeGetCurrentIrql();
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static void thread_is_waited_for(struct kunit *test)
{
	struct worked worked = { .irql = HIGH_LEVEL };
	HANDLE handle;
	PVOID object;

	KeInitializeEvent(&worked.done, SynchronizationEvent, FALSE);
	KUNIT_ASSERT_EQ(test,
			PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL,
					     NULL, NULL, thread, &worked),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS,
						  *PsThreadType, KernelMode,
						  &object, NULL),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, ZwClose(handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, wait_for(object, TIME(-20 * MILLISECOND)),
			STATUS_TIMEOUT);
	KeSetEvent(&worked.done, IO_NO_INCREMENT, FALSE);
	KUNIT_EXPECT_EQ(test, wait_for(object, NULL), STATUS_SUCCESS);
	ObDereferenceObject(object);
	KUNIT_EXPECT_EQ(test, worked.irql, PASSIVE_LEVEL);

	KUNIT_EXPECT_EQ(test, ZwClose(NULL), STATUS_INVALID_HANDLE);
	KUNIT_EXPECT_EQ(test,
			PsCreateSystemThread(&handle, 0, NULL, &worked, NULL,
					     thread, NULL),
			STATUS_INVALID_PARAMETER_4);
}

/* Locks */

static void spinlock_raises_to_dispatch(struct kunit *test)
{
	KLOCK_QUEUE_HANDLE handle;
	FAST_MUTEX mutex;
	KSPIN_LOCK lock;
	KIRQL irql;

	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);
	KeInitializeSpinLock(&lock);
	KeAcquireSpinLock(&lock, &irql);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	KeReleaseSpinLock(&lock, irql);
	KUNIT_EXPECT_EQ(test, irql, PASSIVE_LEVEL);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	KeAcquireInStackQueuedSpinLock(&lock, &handle);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), DISPATCH_LEVEL);
	KeReleaseInStackQueuedSpinLock(&handle);
	irql = KeAcquireSpinLockRaiseToDpc(&lock);
	KeReleaseSpinLock(&lock, irql);
	KUNIT_EXPECT_EQ(test, KeGetCurrentIrql(), PASSIVE_LEVEL);

	ExInitializeFastMutex(&mutex);
	KUNIT_EXPECT_TRUE(test, ExTryToAcquireFastMutex(&mutex));
	KUNIT_EXPECT_FALSE(test, ExTryToAcquireFastMutex(&mutex));
	ExReleaseFastMutex(&mutex);
	mutex_destroy(&mutex);
}

struct runner {
	EX_RUNDOWN_REF rundown;
	struct completion over;
};

static int runs_down(void *arg)
{
	struct runner *runner = arg;

	ExWaitForRundownProtectionRelease(&runner->rundown);
	complete(&runner->over);
	return 0;
}

static void rundown_waits_for_references(struct kunit *test)
{
	struct runner *runner = kunit_kzalloc(test, sizeof(*runner),
					      GFP_KERNEL);
	struct task_struct *task;

	KUNIT_ASSERT_NOT_NULL(test, runner);
	init_completion(&runner->over);
	ExInitializeRundownProtection(&runner->rundown);
	KUNIT_ASSERT_TRUE(test, ExAcquireRundownProtection(&runner->rundown));
	task = kthread_run(runs_down, runner, "runs_down");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	KUNIT_EXPECT_TRUE(test, eventually(READ_ONCE(runner->rundown.Down)));
	KUNIT_EXPECT_FALSE(test, ExAcquireRundownProtection(&runner->rundown));
	msleep(20);
	KUNIT_EXPECT_FALSE(test, completion_done(&runner->over));
	ExReleaseRundownProtection(&runner->rundown);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&runner->over,
							    10 * HZ) > 0);
	/* a second one has nothing to wait for */
	ExWaitForRundownProtectionRelease(&runner->rundown);
}

static void remove_lock_ends(struct kunit *test)
{
	IO_REMOVE_LOCK lock;

	IoInitializeRemoveLock(&lock, 'kcoL', 0, 0);
	KUNIT_EXPECT_EQ(test, IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, IoAcquireRemoveLock(&lock, NULL), STATUS_SUCCESS);
	IoReleaseRemoveLock(&lock, NULL);
	IoReleaseRemoveLockAndWait(&lock, NULL);
	KUNIT_EXPECT_EQ(test, IoAcquireRemoveLock(&lock, NULL),
			STATUS_DELETE_PENDING);
}

/* Lists, atomic operations */

struct item {
	LIST_ENTRY link;
	SINGLE_LIST_ENTRY single;
	int number;
};

static int first_number(PLIST_ENTRY head)
{
	PLIST_ENTRY entry = RemoveHeadList(head);

	return entry == head ? -1 :
	       CONTAINING_RECORD(entry, struct item, link)->number;
}

static void list_keeps_its_order(struct kunit *test)
{
	struct item items[4] = { { .number = 0 }, { .number = 1 },
				 { .number = 2 }, { .number = 3 } };
	PLIST_ENTRY entry;
	KSPIN_LOCK lock;
	LIST_ENTRY head;
	int i;

	KeInitializeSpinLock(&lock);
	InitializeListHead(&head);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
	KUNIT_EXPECT_EQ(test, first_number(&head), -1);
	KUNIT_EXPECT_PTR_EQ(test, RemoveTailList(&head), &head);
	InsertTailList(&head, &items[1].link);
	InsertTailList(&head, &items[2].link);
	InsertHeadList(&head, &items[0].link);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedInsertTailList(&head,
							      &items[3].link,
							      &lock),
			    &items[2].link);
	/* an entry that was removed still leads on */
	for (i = 0, entry = head.Flink; entry != &head; entry = entry->Flink)
		KUNIT_EXPECT_EQ(test, RemoveEntryList(entry), ++i == 4);
	KUNIT_EXPECT_EQ(test, i, 4);

	for (i = 0; i < 4; i++)
		InsertTailList(&head, &items[i].link);
	KUNIT_EXPECT_PTR_EQ(test, RemoveTailList(&head), &items[3].link);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&head, &lock),
			    &items[0].link);
	KUNIT_EXPECT_EQ(test, first_number(&head), 1);
	KUNIT_EXPECT_EQ(test, first_number(&head), 2);
	KUNIT_EXPECT_PTR_EQ(test, ExInterlockedRemoveHeadList(&head, &lock),
			    NULL);
}

/* @second has no head of its own: its first entry stands for it. */
static void list_is_appended(struct kunit *test)
{
	struct item items[4] = { { .number = 0 }, { .number = 1 },
				 { .number = 2 }, { .number = 3 } };
	LIST_ENTRY head;
	int i;

	InitializeListHead(&head);
	InsertTailList(&head, &items[0].link);
	InsertTailList(&head, &items[1].link);
	InitializeListHead(&items[2].link);
	InsertTailList(&items[2].link, &items[3].link);
	AppendTailList(&head, &items[2].link);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, first_number(&head), i);
	KUNIT_EXPECT_TRUE(test, IsListEmpty(&head));
}

static void slist_is_a_stack(struct kunit *test)
{
	struct item items[3] = {};
	SLIST_HEADER list;

	InitializeSListHead(&list);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPopEntrySList(&list), NULL);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPushEntrySList(&list,
							    &items[0].single),
			    NULL);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPushEntrySList(&list,
							    &items[1].single),
			    &items[0].single);
	InterlockedPushEntrySList(&list, &items[2].single);
	KUNIT_EXPECT_EQ(test, QueryDepthSList(&list), 3);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedPopEntrySList(&list),
			    &items[2].single);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedFlushSList(&list),
			    &items[1].single);
	KUNIT_EXPECT_EQ(test, QueryDepthSList(&list), 0);
}

static void interlocked_returns_as_documented(struct kunit *test)
{
	LONG volatile a = 5;
	LONG64 volatile b = 1LL << 40;
	PVOID volatile p = NULL;

	KUNIT_EXPECT_EQ(test, InterlockedIncrement(&a), 6);
	KUNIT_EXPECT_EQ(test, InterlockedDecrement(&a), 5);
	KUNIT_EXPECT_EQ(test, InterlockedAdd(&a, 10), 15);
	KUNIT_EXPECT_EQ(test, InterlockedExchangeAdd(&a, 1), 15);
	KUNIT_EXPECT_EQ(test, InterlockedExchange(&a, 12), 16);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&a, 1, 11), 12);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange(&a, 1, 12), 12);
	KUNIT_EXPECT_EQ(test, a, 1);
	KUNIT_EXPECT_EQ(test, InterlockedOr(&a, 6), 1);
	KUNIT_EXPECT_EQ(test, InterlockedAnd(&a, 3), 7);
	KUNIT_EXPECT_EQ(test, InterlockedXor(&a, 1), 3);
	KUNIT_EXPECT_EQ(test, a, 2);
	KUNIT_EXPECT_EQ(test, InterlockedBitTestAndSet(&a, 31), 0);
	KUNIT_EXPECT_EQ(test, InterlockedBitTestAndReset(&a, 31), 1);
	KUNIT_EXPECT_EQ(test, ReadAcquire(&a), 2);

	KUNIT_EXPECT_EQ(test, InterlockedIncrement64(&b), (1LL << 40) + 1);
	KUNIT_EXPECT_EQ(test, InterlockedExchange64(&b, -1), (1LL << 40) + 1);
	KUNIT_EXPECT_EQ(test, InterlockedCompareExchange64(&b, 9, -1), -1);
	KUNIT_EXPECT_EQ(test, ReadNoFence64(&b), 9);

	KUNIT_EXPECT_PTR_EQ(test, InterlockedExchangePointer(&p, test), NULL);
	KUNIT_EXPECT_PTR_EQ(test, InterlockedCompareExchangePointer(&p, NULL,
								    test),
			    (PVOID)test);
	KUNIT_EXPECT_PTR_EQ(test, ReadPointerNoFence(&p), NULL);
}

/* Pools */

static void is_zero(struct kunit *test, const u8 *memory, size_t bytes)
{
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(memory, 0, bytes), NULL);
}

/* From a page on it begins with a page, also at DISPATCH_LEVEL. */
static void pool_is_zeroed_and_aligned(struct kunit *test)
{
	static const size_t sizes[] = {
		1, 100, PAGE_SIZE, PAGE_SIZE + 1, 5 * PAGE_SIZE,
	};
	int i, atomic;
	PVOID memory;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (atomic = 0; atomic < 2; atomic++) {
			if (atomic)
				local_bh_disable();
			memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizes[i],
						 'tseT');
			if (atomic)
				local_bh_enable();
			is_zero(test, memory, sizes[i]);
			if (sizes[i] >= PAGE_SIZE)
				KUNIT_EXPECT_EQ(test, offset_in_page(memory), 0);
			ExFreePoolWithTag(memory, 'tseT');
		}
	}
	memory = ExAllocatePoolZero(NonPagedPoolNx, 500, 'tseT');
	is_zero(test, memory, 500);
	ExFreePool(memory);
	memory = ExAllocatePoolWithTag(NonPagedPoolNxCacheAligned, 5, 'tseT');
	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_EQ(test, (unsigned long)memory % SMP_CACHE_BYTES, 0);
	ExFreePool(memory);
	memory = ExAllocatePool2(POOL_FLAG_PAGED | POOL_FLAG_UNINITIALIZED, 0,
				 'tseT');
	KUNIT_ASSERT_NOT_NULL(test, memory);
	memset(memory, 1, 1);
	ExFreePool(memory);
}

static void pool_refuses(struct kunit *test)
{
	KUNIT_EXPECT_PTR_EQ(test, ExAllocatePool2(0, 8, 'tseT'), NULL);
	KUNIT_EXPECT_PTR_EQ(test, ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, 0),
			    NULL);
	KUNIT_EXPECT_PTR_EQ(test,
			    ExAllocatePool2(POOL_FLAG_NON_PAGED_EXECUTE, 8,
					    'tseT'), NULL);
	KUNIT_EXPECT_PTR_EQ(test,
			    ExAllocatePool2(POOL_FLAG_NON_PAGED, SIZE_MAX / 2,
					    'tseT'), NULL);
	local_bh_disable();
	KUNIT_EXPECT_PTR_EQ(test,
			    ExAllocatePool2(POOL_FLAG_NON_PAGED, SIZE_MAX / 2,
					    'tseT'), NULL);
	local_bh_enable();
}

static PVOID own_allocate(POOL_TYPE type, SIZE_T bytes, ULONG tag)
{
	return tag == 'tseT' ? kzalloc(bytes, GFP_KERNEL) : NULL;
}

static VOID own_free(PVOID memory)
{
	kfree(memory);
}

/* Two lists of the same tag and size do not get in each other's way. */
static void lookaside_list_gives_memory(struct kunit *test)
{
	NPAGED_LOOKASIDE_LIST old, own;
	LOOKASIDE_LIST_EX list;
	PVOID a, b;

	KUNIT_ASSERT_EQ(test,
			ExInitializeLookasideListEx(&list, NULL, NULL,
						    NonPagedPoolNx, 0, 200,
						    'tseT', 0),
			STATUS_SUCCESS);
	ExInitializeNPagedLookasideList(&old, NULL, NULL, 0, 200, 'tseT', 0);
	ExInitializeNPagedLookasideList(&own, own_allocate, own_free, 0, 200,
					'tseT', 0);
	a = ExAllocateFromLookasideListEx(&list);
	b = ExAllocateFromNPagedLookasideList(&old);
	KUNIT_EXPECT_NOT_NULL(test, a);
	KUNIT_EXPECT_NOT_NULL(test, b);
	if (a)
		memset(a, 1, 200);
	ExFreeToLookasideListEx(&list, a);
	ExFreeToNPagedLookasideList(&old, b);
	a = ExAllocateFromNPagedLookasideList(&own);
	KUNIT_EXPECT_NOT_NULL(test, a);
	ExFreeToNPagedLookasideList(&own, a);
	ExDeleteNPagedLookasideList(&own);
	ExDeleteNPagedLookasideList(&old);
	ExDeleteLookasideListEx(&list);

	KUNIT_EXPECT_EQ(test,
			ExInitializeLookasideListEx(&list, NULL, NULL,
						    NonPagedPoolNx, 0, 0,
						    'tseT', 0),
			STATUS_INVALID_PARAMETER_6);
}

/* An array of one element stands for many: FORTIFY_SOURCE says nothing of it. */
static void copies_behind_an_array_of_one(struct kunit *test)
{
	static const char text[] = "more than one";
	struct {
		ULONG Length;
		UCHAR Data[ANYSIZE_ARRAY];
	} *record = ExAllocatePoolZero(NonPagedPoolNx, 64, 'tseT');
	size_t bytes = sizeof(text);

	KUNIT_ASSERT_NOT_NULL(test, record);
	OPTIMIZER_HIDE_VAR(bytes);
	RtlCopyMemory(record->Data, text, bytes);
	RtlMoveMemory(record->Data + 1, record->Data, bytes);
	KUNIT_EXPECT_TRUE(test, RtlEqualMemory(record->Data + 1, text, bytes));
	RtlZeroMemory(record->Data, bytes + 1);
	is_zero(test, (u8 *)record, 64);
	ExFreePoolWithTag(record, 'tseT');
}

/* Strings */

#define EXPECT_TEXT(test, expected, ...)				\
do {									\
	char __text[80];						\
									\
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(__text, sizeof(__text), \
						 __VA_ARGS__),		\
			STATUS_SUCCESS);				\
	KUNIT_EXPECT_STREQ(test, (const char *)__text, expected);	\
} while (0)

/* The arguments are those that Windows' sizes name, in registers and behind. */
static void format_is_windows_dialect(struct kunit *test)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"name");
	ANSI_STRING ansi = RTL_CONSTANT_STRING("ansi");

	EXPECT_TEXT(test, "4294967295 -1 ffffffff", "%lu %ld %lx",
		    (ULONG)MAXULONG, (LONG)-1, (ULONG)MAXULONG);
	EXPECT_TEXT(test, "0xc0000017", "%#x", STATUS_NO_MEMORY);
	EXPECT_TEXT(test, "c0000017", "%08lx", STATUS_NO_MEMORY);
	EXPECT_TEXT(test, "18446744073709551615 -1", "%I64u %I64d",
		    ~0ULL, -1LL);
	EXPECT_TEXT(test, "ffffffffffffffff 1", "%llx %I32u", ~0ULL, 1);
	EXPECT_TEXT(test, "123456789012", "%Iu", (SIZE_T)123456789012ULL);
	EXPECT_TEXT(test, "123456789012", "%zu", (SIZE_T)123456789012ULL);
	EXPECT_TEXT(test, "255 -1 65535", "%hhu %hd %hu", 0xff, -1, 0xffff);
	EXPECT_TEXT(test, "wide wide wide s", "%ws %ls %S %hs", L"wide",
		    L"wide", L"wide", "s");
	EXPECT_TEXT(test, "name ansi (null)", "%wZ %Z %s", &name, &ansi, NULL);
	EXPECT_TEXT(test, "|  ab|ab  |a|  7|7  |007|", "|%4s|%-4s|%.1s|%3u|%-3u|%03u|",
		    "ab", "ab", "ab", 7, 7, 7);
	EXPECT_TEXT(test, "|  ab|ab  | 7|", "|%*s|%-*s|%*d|", 4, "ab", 4, "ab",
		    2, 7);
	EXPECT_TEXT(test, "+5 100% X 1F 17", "%+d 100%% %c %X %o", 5, 'X',
		    0x1f, 15);
	EXPECT_TEXT(test, "1 2 3 4 5 6 7 8 9 10",
		    "%u %I64u %lu %u %I64u %u %u %u %I64u %lu",
		    1, 2ULL, 3, 4, 5ULL, 6, 7, 8, 9ULL, 10);
	EXPECT_TEXT(test, "end ", "end %");
}

static void format_is_wide(struct kunit *test)
{
	WCHAR text[8];

	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfW(text, sizeof(text), L"%s-%S-%u",
						 L"w", "n", 7),
			STATUS_SUCCESS);
	KUNIT_EXPECT_MEMEQ(test, text, L"w-n-7", 12);
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfW(text, sizeof(text), L"%s",
						 L"12345678"),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_MEMEQ(test, text, L"1234567", 16);
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfW(text, 1, L"x"),
			STATUS_INVALID_PARAMETER);
}

static void text_is_cut(struct kunit *test)
{
	char text[4] = "xxx";
	SIZE_T length;

	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(text, 4, "%s", "12345"),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_STREQ(test, (const char *)text, "123");
	KUNIT_EXPECT_EQ(test, RtlStringCbPrintfA(text, 0, "1"),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, RtlStringCbCopyA(text, 4, "12"), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlStringCbCatA(text, 4, "3"), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlStringCbCatA(text, 4, "4"),
			STATUS_BUFFER_OVERFLOW);
	KUNIT_EXPECT_STREQ(test, (const char *)text, "123");
	KUNIT_EXPECT_EQ(test, RtlStringCbLengthA(text, 4, &length),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, length, 3);
	KUNIT_EXPECT_EQ(test, RtlStringCbLengthA(text, 3, &length),
			STATUS_INVALID_PARAMETER);
}

static void guid_is_written_and_read(struct kunit *test)
{
	static const WCHAR upper[] = L"{525074DC-8985-46E2-8057-A307DC18A502}";
	UNICODE_STRING text;
	GUID read = {};

	KUNIT_ASSERT_EQ(test, RtlStringFromGUID(&guid, &text), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, text.Length, sizeof(upper) - 2);
	KUNIT_EXPECT_MEMEQ(test, text.Buffer, upper, sizeof(upper));
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read), STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, IsEqualGUID(&guid, &read));
	text.Buffer[3] = 'x';
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read),
			STATUS_INVALID_PARAMETER);
	RtlFreeUnicodeString(&text);
	KUNIT_EXPECT_EQ(test, RtlGUIDFromString(&text, &read),
			STATUS_INVALID_PARAMETER);
}

static void counted_strings_compare(struct kunit *test)
{
	UNICODE_STRING a = RTL_CONSTANT_STRING(L"Name"), b, c;
	WCHAR buffer[3] = L"xx";

	RtlInitUnicodeString(&b, L"nAME");
	KUNIT_EXPECT_TRUE(test, RtlEqualUnicodeString(&a, &b, TRUE));
	KUNIT_EXPECT_FALSE(test, RtlEqualUnicodeString(&a, &b, FALSE));
	RtlInitEmptyUnicodeString(&c, buffer, sizeof(buffer));
	RtlCopyUnicodeString(&c, &a);
	KUNIT_EXPECT_EQ(test, c.Length, 6);
	KUNIT_EXPECT_MEMEQ(test, buffer, L"Name", 6);
	RtlCopyUnicodeString(&c, NULL);
	KUNIT_EXPECT_EQ(test, c.Length, 0);
	KUNIT_EXPECT_EQ(test, RtlCompareMemory("abcd", "abxd", 4), 2);
}

static void arithmetic_tells_of_overflow(struct kunit *test)
{
	USHORT narrow;
	ULONG result;
	SIZE_T size;

	KUNIT_EXPECT_EQ(test, RtlULongAdd(MAXULONG - 1, 1, &result),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, result, MAXULONG);
	result = 0;
	KUNIT_EXPECT_EQ(test, RtlULongAdd(MAXULONG, 1, &result),
			STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, result, MAXULONG);
	KUNIT_EXPECT_EQ(test, RtlULongSub(1, 2, &result),
			STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlULongMult(0x10000, 0x10000, &result),
			STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlSizeTMult(0x10000, 0x10000, &size),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlSizeTToULong(size, &result),
			STATUS_INTEGER_OVERFLOW);
	KUNIT_EXPECT_EQ(test, RtlULongToUShort(65535, &narrow), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, RtlULongToUShort(65536, &narrow),
			STATUS_INTEGER_OVERFLOW);
}

/* Memory */

static void pages_are_allocated(struct kunit *test)
{
	PHYSICAL_ADDRESS low = {}, high = { .QuadPart = -1 };
	u8 *address;
	PMDL mdl;

	mdl = MmAllocatePagesForMdlEx(low, high, low, 3 * PAGE_SIZE - 5,
				      MmCached, MM_ALLOCATE_FULLY_REQUIRED);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), 3 * PAGE_SIZE);
	address = MmGetSystemAddressForMdl(mdl);
	is_zero(test, address, 3 * PAGE_SIZE);
	memset(address, 0xa5, 3 * PAGE_SIZE);
	MmPrepareMdlForReuse(mdl);
	KUNIT_EXPECT_EQ(test, mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA, 0);
	address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, address);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(address, 0xa5, 3 * PAGE_SIZE),
			    NULL);
	KUNIT_EXPECT_EQ(test, MmGetPhysicalAddress(address + PAGE_SIZE + 1).QuadPart,
			((u64)MmGetMdlPfnArray(mdl)[PAGE_SIZE / MDL_PAGE_SIZE] <<
			 MDL_PAGE_SHIFT) + 1);
	MmFreePagesFromMdl(mdl);
	KUNIT_EXPECT_PTR_EQ(test, MmGetSystemAddressForMdl(mdl), NULL);
	ExFreePool(mdl);

	high.QuadPart = 0xffff;
	KUNIT_EXPECT_PTR_EQ(test, MmAllocatePagesForMdlEx(low, high, low, 1,
							  MmCached, 0), NULL);
	high.QuadPart = -1;
	KUNIT_EXPECT_PTR_EQ(test, MmAllocatePagesForMdlEx(low, high, low, 0,
							  MmCached, 0), NULL);
	KUNIT_EXPECT_PTR_EQ(test, MmAllocatePagesForMdlEx(low, high, low, 1,
							  MmNonCached, 0), NULL);
}

static void physical_address_of_pool(struct kunit *test)
{
	PVOID memory = kunit_kzalloc(test, 64, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_EXPECT_EQ(test, (u64)MmGetPhysicalAddress(memory).QuadPart,
			(u64)virt_to_phys(memory));
	KUNIT_EXPECT_EQ(test, MmGetPhysicalAddress(NULL).QuadPart, 0);
}

/* Clocks, processors, the log */

static void clocks_run(struct kunit *test)
{
	LARGE_INTEGER time, frequency, start, end;
	PROCESSOR_NUMBER number;

	KeQuerySystemTime(&time);
	KUNIT_EXPECT_EQ(test, (time.QuadPart - 116444736000000000LL) / 10000000,
			ktime_get_real_seconds());
	start = KeQueryPerformanceCounter(&frequency);
	msleep(20);
	end = KeQueryPerformanceCounter(NULL);
	KUNIT_EXPECT_GE(test, (end.QuadPart - start.QuadPart) * 1000,
			20 * frequency.QuadPart);
	KUNIT_EXPECT_LT(test, KeGetCurrentProcessorNumberEx(&number),
			KeQueryMaximumProcessorCountEx(ALL_PROCESSOR_GROUPS));
	KUNIT_EXPECT_EQ(test, KeQueryActiveProcessorCountEx(ALL_PROCESSOR_GROUPS),
			num_online_cpus());
}

static void log_says_it_in_windows_dialect(struct kunit *test)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"windows_test");

	log_watch(test);
	DbgPrint("%wZ says %I64u\n", &name, 1234567890123ULL);
	KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_WARNING_LEVEL, "%Z: %lu\n",
		   &(ANSI_STRING)RTL_CONSTANT_STRING("ansi"), 77));
	is_logged(test, "windows_test says 1234567890123");
	is_logged(test, "ansi: 77");
}

static struct kunit_case windows_cases[] = {
	KUNIT_CASE(guid_has_linux_bytes),
	KUNIT_CASE(interface_type_has_its_bytes),
	KUNIT_CASE(as_windows_drivers_ask),
	KUNIT_CASE(unicode_string_is_cut),
	KUNIT_CASE(synchronization_event_releases_one),
	KUNIT_CASE(notification_event_releases_all),
	KUNIT_CASE(timeout_leaves_the_line),
	KUNIT_CASE(largest_timeout_is_for_ever),
	KUNIT_CASE(wait_takes_its_time),
	KUNIT_CASE(semaphore_counts),
	KUNIT_CASE(semaphore_releases_as_many),
	KUNIT_CASE(mutex_has_one_owner),
	KUNIT_CASE(one_of_several_ends_a_wait),
	KUNIT_CASE(timer_signals_and_calls),
	KUNIT_CASE(dpc_is_queued_once),
	KUNIT_CASE(work_item_runs),
	KUNIT_CASE(work_item_is_waited_for),
	KUNIT_CASE(thread_is_waited_for),
	KUNIT_CASE(spinlock_raises_to_dispatch),
	KUNIT_CASE(rundown_waits_for_references),
	KUNIT_CASE(remove_lock_ends),
	KUNIT_CASE(list_keeps_its_order),
	KUNIT_CASE(list_is_appended),
	KUNIT_CASE(slist_is_a_stack),
	KUNIT_CASE(interlocked_returns_as_documented),
	KUNIT_CASE(pool_is_zeroed_and_aligned),
	KUNIT_CASE(pool_refuses),
	KUNIT_CASE(lookaside_list_gives_memory),
	KUNIT_CASE(copies_behind_an_array_of_one),
	KUNIT_CASE(format_is_windows_dialect),
	KUNIT_CASE(format_is_wide),
	KUNIT_CASE(text_is_cut),
	KUNIT_CASE(guid_is_written_and_read),
	KUNIT_CASE(counted_strings_compare),
	KUNIT_CASE(arithmetic_tells_of_overflow),
	KUNIT_CASE(pages_are_allocated),
	KUNIT_CASE(physical_address_of_pool),
	KUNIT_CASE(clocks_run),
	KUNIT_CASE(log_says_it_in_windows_dialect),
	{}
};

struct kunit_suite vmbkmcl_windows_suite = {
	.name = "vmbkmcl_windows",
	.test_cases = windows_cases,
};
