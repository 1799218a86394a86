/* SPDX-License-Identifier: GPL-2.0-only */
/* Work items, which run at PASSIVE_LEVEL, and DPCs, which run at DISPATCH_LEVEL. */
#ifndef _VMBKMCL_WINDOWS_WORK_H
#define _VMBKMCL_WINDOWS_WORK_H

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <vmbkmcl/windows/types.h>

typedef enum _WORK_QUEUE_TYPE {
	CriticalWorkQueue,
	DelayedWorkQueue,
	HyperCriticalWorkQueue,
	NormalWorkQueue,
	BackgroundWorkQueue,
} WORK_QUEUE_TYPE;

static inline bool kmcl_queue(struct work_struct *work, WORK_QUEUE_TYPE type)
{
	if (type == CriticalWorkQueue || type == HyperCriticalWorkQueue)
		return queue_work(system_highpri_wq, work);
	return schedule_work(work);
}

typedef VOID IO_WORKITEM_ROUTINE(PDEVICE_OBJECT DeviceObject, PVOID Context);
typedef IO_WORKITEM_ROUTINE *PIO_WORKITEM_ROUTINE;

typedef struct _IO_WORKITEM IO_WORKITEM, *PIO_WORKITEM;
typedef VOID IO_WORKITEM_ROUTINE_EX(PVOID IoObject, PVOID Context,
				    PIO_WORKITEM IoWorkItem);
typedef IO_WORKITEM_ROUTINE_EX *PIO_WORKITEM_ROUTINE_EX;

/**
 * struct _IO_WORKITEM - work item
 * @Work: work item of the kernel
 * @DeviceObject: argument of the routine
 * @Routine: routine to call, or NULL
 * @RoutineEx: routine to call if @Routine is NULL
 * @Context: argument of the routine
 */
struct _IO_WORKITEM {
	struct work_struct Work;
	PDEVICE_OBJECT DeviceObject;
	PIO_WORKITEM_ROUTINE Routine;
	PIO_WORKITEM_ROUTINE_EX RoutineEx;
	PVOID Context;
};

/*
 * The routine may free its work item, so the item is not accessed after the
 * call.
 */
static inline void kmcl_workitem_run(struct work_struct *work)
{
	PIO_WORKITEM item = container_of(work, IO_WORKITEM, Work);

	if (item->Routine)
		item->Routine(item->DeviceObject, item->Context);
	else
		item->RoutineEx(item->DeviceObject, item->Context, item);
}

static inline ULONG IoSizeofWorkItem(void)
{
	return sizeof(IO_WORKITEM);
}

static inline VOID IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
	INIT_WORK(&IoWorkItem->Work, kmcl_workitem_run);
	IoWorkItem->DeviceObject = IoObject;
}

/* Context: any but hard interrupts. Returns NULL without memory. */
static inline PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
	PIO_WORKITEM item = kzalloc(sizeof(*item), GFP_ATOMIC | __GFP_NOWARN);

	if (item)
		IoInitializeWorkItem(DeviceObject, item);
	return item;
}

/*
 * Wait until the routine has returned, unless the routine itself calls this function.
 * The client may be unloaded afterwards. On Windows the device object prevents that
 * until the routine has returned.
 */
static inline VOID IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
	if (current_work() != &IoWorkItem->Work)
		flush_work(&IoWorkItem->Work);
}

/* Context: may sleep if the routine may still run. */
static inline VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
	IoUninitializeWorkItem(IoWorkItem);
	kfree(IoWorkItem);
}

static inline VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem,
				   PIO_WORKITEM_ROUTINE WorkerRoutine,
				   WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	IoWorkItem->Routine = WorkerRoutine;
	IoWorkItem->Context = Context;
	kmcl_queue(&IoWorkItem->Work, QueueType);
}

static inline VOID IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem,
				     PIO_WORKITEM_ROUTINE_EX WorkerRoutine,
				     WORK_QUEUE_TYPE QueueType, PVOID Context)
{
	IoWorkItem->Routine = NULL;
	IoWorkItem->RoutineEx = WorkerRoutine;
	IoWorkItem->Context = Context;
	kmcl_queue(&IoWorkItem->Work, QueueType);
}

/* The older functions */

typedef VOID WORKER_THREAD_ROUTINE(PVOID Parameter);
typedef WORKER_THREAD_ROUTINE *PWORKER_THREAD_ROUTINE;

typedef struct _WORK_QUEUE_ITEM {
	struct work_struct Work;
	PWORKER_THREAD_ROUTINE WorkerRoutine;
	PVOID Parameter;
} WORK_QUEUE_ITEM, *PWORK_QUEUE_ITEM;

static inline void kmcl_queue_item_run(struct work_struct *work)
{
	PWORK_QUEUE_ITEM item = container_of(work, WORK_QUEUE_ITEM, Work);

	item->WorkerRoutine(item->Parameter);
}

static inline VOID ExInitializeWorkItem(PWORK_QUEUE_ITEM Item,
					PWORKER_THREAD_ROUTINE Routine,
					PVOID Context)
{
	INIT_WORK(&Item->Work, kmcl_queue_item_run);
	Item->WorkerRoutine = Routine;
	Item->Parameter = Context;
}

static inline VOID ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem,
				   WORK_QUEUE_TYPE QueueType)
{
	kmcl_queue(&WorkItem->Work, QueueType);
}

/* DPCs */

typedef enum _KDPC_IMPORTANCE {
	LowImportance,
	MediumImportance,
	HighImportance,
	MediumHighImportance,
} KDPC_IMPORTANCE;

typedef struct _KDPC KDPC, *PKDPC, *PRKDPC;
typedef VOID KDEFERRED_ROUTINE(PKDPC Dpc, PVOID DeferredContext,
			       PVOID SystemArgument1, PVOID SystemArgument2);
typedef KDEFERRED_ROUTINE *PKDEFERRED_ROUTINE;

/**
 * struct _KDPC - DPC, a tasklet that is not queued again while it is queued
 * @Tasklet: tasklet of the kernel
 * @Lock: guards @Queued and the arguments
 * @Queued: the routine will be called
 * @DeferredRoutine: the routine
 * @DeferredContext: argument of the routine from KeInitializeDpc()
 * @SystemArgument1: argument of the routine from KeInsertQueueDpc()
 * @SystemArgument2: argument of the routine from KeInsertQueueDpc()
 */
struct _KDPC {
	struct tasklet_struct Tasklet;
	spinlock_t Lock;
	bool Queued;
	PKDEFERRED_ROUTINE DeferredRoutine;
	PVOID DeferredContext;
	PVOID SystemArgument1;
	PVOID SystemArgument2;
};

/* Returns whether the DPC was queued. */
static inline bool kmcl_dpc_dequeue(PRKDPC dpc, PVOID *first, PVOID *second)
{
	unsigned long flags;
	bool queued;

	spin_lock_irqsave(&dpc->Lock, flags);
	queued = dpc->Queued;
	dpc->Queued = false;
	*first = dpc->SystemArgument1;
	*second = dpc->SystemArgument2;
	spin_unlock_irqrestore(&dpc->Lock, flags);
	return queued;
}

static inline void kmcl_dpc_run(struct tasklet_struct *tasklet)
{
	PRKDPC dpc = container_of(tasklet, KDPC, Tasklet);
	PVOID first, second;

	if (kmcl_dpc_dequeue(dpc, &first, &second))
		dpc->DeferredRoutine(dpc, dpc->DeferredContext, first, second);
}

static inline VOID KeInitializeDpc(PRKDPC Dpc,
				   PKDEFERRED_ROUTINE DeferredRoutine,
				   PVOID DeferredContext)
{
	tasklet_setup(&Dpc->Tasklet, kmcl_dpc_run);
	spin_lock_init(&Dpc->Lock);
	Dpc->Queued = false;
	Dpc->DeferredRoutine = DeferredRoutine;
	Dpc->DeferredContext = DeferredContext;
}

/* Returns FALSE, and changes nothing, if the DPC is already queued. */
static inline BOOLEAN KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1,
				       PVOID SystemArgument2)
{
	unsigned long flags;
	bool queued;

	spin_lock_irqsave(&Dpc->Lock, flags);
	queued = Dpc->Queued;
	if (!queued) {
		Dpc->Queued = true;
		Dpc->SystemArgument1 = SystemArgument1;
		Dpc->SystemArgument2 = SystemArgument2;
		tasklet_schedule(&Dpc->Tasklet);
	}
	spin_unlock_irqrestore(&Dpc->Lock, flags);
	return !queued;
}

/* Returns whether the DPC was queued. Does not wait for a routine that runs. */
static inline BOOLEAN KeRemoveQueueDpc(PRKDPC Dpc)
{
	PVOID first, second;

	return kmcl_dpc_dequeue(Dpc, &first, &second);
}

/* With @WaitIfActive this may sleep, and waits for a routine that runs. */
static inline BOOLEAN KeRemoveQueueDpcEx(PRKDPC Dpc, BOOLEAN WaitIfActive)
{
	BOOLEAN queued = KeRemoveQueueDpc(Dpc);

	if (WaitIfActive)
		tasklet_kill(&Dpc->Tasklet);
	return queued;
}

/* No effect: each CPU has one queue of tasklets, without priorities. */
#define KeSetImportanceDpc(Dpc, Importance)	\
	((void)(Dpc), (void)(Importance))

struct kmcl_dpc_flush {
	struct work_struct work;
	struct tasklet_struct tasklet;
	struct completion done;
};

static inline void kmcl_dpc_flushed(struct tasklet_struct *tasklet)
{
	complete(&container_of(tasklet, struct kmcl_dpc_flush, tasklet)->done);
}

static inline void kmcl_dpc_flush_here(struct work_struct *work)
{
	struct kmcl_dpc_flush *flush = container_of(work, struct kmcl_dpc_flush,
						    work);

	tasklet_schedule(&flush->tasklet);
}

/*
 * May sleep. A CPU runs its tasklets in order. So schedule a tasklet on each CPU: when
 * it has run, all tasklets that were queued before have run, too.
 */
static inline VOID KeFlushQueuedDpcs(void)
{
	struct kmcl_dpc_flush flush;
	unsigned int cpu;

	INIT_WORK_ONSTACK(&flush.work, kmcl_dpc_flush_here);
	tasklet_setup(&flush.tasklet, kmcl_dpc_flushed);
	for_each_online_cpu(cpu) {
		init_completion(&flush.done);
		queue_work_on(cpu, system_highpri_wq, &flush.work);
		flush_work(&flush.work);
		wait_for_completion(&flush.done);
		tasklet_kill(&flush.tasklet);
	}
	destroy_work_on_stack(&flush.work);
}

#endif /* _VMBKMCL_WINDOWS_WORK_H */
