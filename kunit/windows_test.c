// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a Windows client's source has around the KMCL API: <vmbkmcl/windows.h>. No
 * device is needed. Documentation/samples/windows/idioms.c uses all of it at least
 * once; here is what it does.
 */

#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include <linux/completion.h>
#include <linux/kthread.h>

#include "lib/eventually.h"
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
	ASSERT_EVENTUALLY(test, waits(object) == WAITERS);
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
	EXPECT_EVENTUALLY(test, atomic_read(&waiters->released) == 1);
	msleep(20);
	KUNIT_EXPECT_EQ(test, atomic_read(&waiters->released), 1);

	preempt_disable();
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	KUNIT_EXPECT_EQ(test, KeSetEvent(event, IO_NO_INCREMENT, FALSE), 0);
	preempt_enable();
	EXPECT_EVENTUALLY(test, atomic_read(&waiters->released) == 3);
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
	EXPECT_EVENTUALLY(test, atomic_read(&waiters->released) == WAITERS);
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
	EXPECT_EVENTUALLY(test, atomic_read(&waiters->timed_out) == WAITERS);
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

static void wait_lasts(struct kunit *test)
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

static struct kunit_case windows_cases[] = {
	KUNIT_CASE(guid_has_linux_bytes),
	KUNIT_CASE(interface_type_has_its_bytes),
	KUNIT_CASE(as_windows_drivers_ask),
	KUNIT_CASE(unicode_string_is_cut),
	KUNIT_CASE(synchronization_event_releases_one),
	KUNIT_CASE(notification_event_releases_all),
	KUNIT_CASE(timeout_leaves_the_line),
	KUNIT_CASE(largest_timeout_is_for_ever),
	KUNIT_CASE(wait_lasts),
	{}
};

struct kunit_suite vmbkmcl_windows_suite = {
	.name = "vmbkmcl_windows",
	.test_cases = windows_cases,
};
