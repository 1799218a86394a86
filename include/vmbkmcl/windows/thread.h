/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System threads and processors.
 *
 * The handle and the object of a thread are the same structure, which has a
 * reference count. Before a client is unloaded, it waits for the object and
 * drops its reference. ObDereferenceObject() then waits until the thread has
 * left the code of the client.
 */
#ifndef _VMBKMCL_WINDOWS_THREAD_H
#define _VMBKMCL_WINDOWS_THREAD_H

#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/refcount.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <vmbkmcl/ntstatus.h>
#include <vmbkmcl/windows/types.h>
#include <vmbkmcl/windows/wait.h>

typedef ULONG ACCESS_MASK, *PACCESS_MASK;
typedef struct _OBJECT_ATTRIBUTES OBJECT_ATTRIBUTES, *POBJECT_ATTRIBUTES;
typedef struct _CLIENT_ID CLIENT_ID, *PCLIENT_ID;
typedef struct _OBJECT_TYPE *POBJECT_TYPE;
typedef struct _OBJECT_HANDLE_INFORMATION *POBJECT_HANDLE_INFORMATION;
typedef struct _KTHREAD *PKTHREAD, *PETHREAD;

#define STANDARD_RIGHTS_REQUIRED	0x000f0000
#define SYNCHRONIZE			0x00100000
#define THREAD_ALL_ACCESS		0x001fffff

typedef VOID KSTART_ROUTINE(PVOID StartContext);
typedef KSTART_ROUTINE *PKSTART_ROUTINE;

/**
 * struct _KTHREAD - system thread
 * @Header: signalled when the thread has ended
 * @References: reference count: one for the thread, one for each handle and pointer
 * @Task: task of the thread, with a reference
 * @StartRoutine: function that the thread runs
 * @StartContext: argument of @StartRoutine
 */
struct _KTHREAD {
	DISPATCHER_HEADER Header;
	refcount_t References;
	struct task_struct *Task;
	PKSTART_ROUTINE StartRoutine;
	PVOID StartContext;
};

static inline void kmcl_thread_put(PKTHREAD thread)
{
	if (!refcount_dec_and_test(&thread->References))
		return;
	put_task_struct(thread->Task);
	kfree(thread);
}

static inline __noreturn void kmcl_thread_end(PKTHREAD thread)
{
	kmcl_signal(&thread->Header, 1);
	kmcl_thread_put(thread);
	kthread_complete_and_exit(NULL, 0);
}

static inline int kmcl_thread_run(void *arg)
{
	PKTHREAD thread = arg;

	thread->StartRoutine(thread->StartContext);
	kmcl_thread_end(thread);
}

/**
 * PsCreateSystemThread() - start a thread
 * @ThreadHandle: set to the handle of the thread, which ZwClose() closes
 * @DesiredAccess: no effect
 * @ObjectAttributes: must be %NULL
 * @ProcessHandle: must be %NULL
 * @ClientId: must be %NULL
 * @StartRoutine: function that the thread runs; when it returns, the thread ends
 * @StartContext: argument of @StartRoutine
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the thread runs
 * * %STATUS_INVALID_PARAMETER_3 - @ObjectAttributes is not %NULL
 * * %STATUS_INVALID_PARAMETER_4 - @ProcessHandle is not %NULL
 * * %STATUS_INVALID_PARAMETER_5 - @ClientId is not %NULL
 * * %STATUS_INSUFFICIENT_RESOURCES - the thread could not be created
 *
 * Source: Microsoft's PsCreateSystemThread documentation.
 */
static inline NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle,
					    ULONG DesiredAccess,
					    POBJECT_ATTRIBUTES ObjectAttributes,
					    HANDLE ProcessHandle,
					    PCLIENT_ID ClientId,
					    PKSTART_ROUTINE StartRoutine,
					    PVOID StartContext)
{
	struct task_struct *task;
	PKTHREAD thread;

	if (ObjectAttributes)
		return STATUS_INVALID_PARAMETER_3;
	if (ProcessHandle)
		return STATUS_INVALID_PARAMETER_4;
	if (ClientId)
		return STATUS_INVALID_PARAMETER_5;
	thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return STATUS_INSUFFICIENT_RESOURCES;
	kmcl_dispatcher_init(&thread->Header, KMCL_WAIT_KEEPS, 0);
	refcount_set(&thread->References, 2);
	thread->StartRoutine = StartRoutine;
	thread->StartContext = StartContext;
	task = kthread_create(kmcl_thread_run, thread, KBUILD_MODNAME);
	if (IS_ERR(task)) {
		kfree(thread);
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	thread->Task = get_task_struct(task);
	*ThreadHandle = thread;
	wake_up_process(task);
	return STATUS_SUCCESS;
}

/* Get a pointer to the thread of a handle, with a reference. */
static inline NTSTATUS
ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess,
			  POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
			  PVOID *Object,
			  POBJECT_HANDLE_INFORMATION HandleInformation)
{
	PKTHREAD thread = Handle;

	if (!Handle)
		return STATUS_INVALID_HANDLE;
	refcount_inc(&thread->References);
	*Object = thread;
	return STATUS_SUCCESS;
}

/* Threads are the only objects that have references. */
#define PsThreadType		((POBJECT_TYPE *)&(POBJECT_TYPE) { NULL })
#define ObReferenceObject(Object)	\
	refcount_inc(&((PKTHREAD)(Object))->References)

/* May sleep. If the thread has ended, wait until it has left the client's code. */
static inline VOID ObDereferenceObject(PVOID Object)
{
	PKTHREAD thread = Object;

	if (READ_ONCE(thread->Header.SignalState))
		kthread_stop(thread->Task);
	kmcl_thread_put(thread);
}

static inline NTSTATUS ZwClose(HANDLE Handle)
{
	if (!Handle)
		return STATUS_INVALID_HANDLE;
	ObDereferenceObject(Handle);
	return STATUS_SUCCESS;
}

/* Ends the calling thread, which must be one of PsCreateSystemThread(). */
static inline __noreturn NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
	kmcl_thread_end(kthread_data(current));
}

#define KeGetCurrentThread()	((PKTHREAD)kthread_data(current))
#define PsGetCurrentThread()	KeGetCurrentThread()
#define KeSetPriorityThread(Thread, Priority)	((KPRIORITY)0)

/* Processors */

typedef struct _PROCESSOR_NUMBER {
	USHORT Group;
	UCHAR Number;
	UCHAR Reserved;
} PROCESSOR_NUMBER, *PPROCESSOR_NUMBER;

#define ALL_PROCESSOR_GROUPS	0xffff
#define MAXIMUM_PROC_PER_GROUP	64

/* The index of a processor is the number of the CPU. A group has 64 processors. */
static inline ULONG KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
	ULONG cpu = raw_smp_processor_id();

	if (ProcNumber)
		*ProcNumber = (PROCESSOR_NUMBER) {
			.Group = cpu / MAXIMUM_PROC_PER_GROUP,
			.Number = cpu % MAXIMUM_PROC_PER_GROUP,
		};
	return cpu;
}

#define KeGetCurrentProcessorNumber()	KeGetCurrentProcessorNumberEx(NULL)
#define KeGetCurrentProcessorIndex()	KeGetCurrentProcessorNumberEx(NULL)

/* These count the CPUs of all groups. */
static inline ULONG KeQueryActiveProcessorCountEx(USHORT GroupNumber)
{
	return num_online_cpus();
}

static inline ULONG KeQueryMaximumProcessorCountEx(USHORT GroupNumber)
{
	return nr_cpu_ids;
}

#endif /* _VMBKMCL_WINDOWS_THREAD_H */
