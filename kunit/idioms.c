// SPDX-License-Identifier: GPL-2.0-only
/*
 * What Windows clients write, each thing once, to be compiled and not to be run:
 * scripts/compile.sh does so for every kernel and architecture. What it does when it
 * runs is in windows_test.c. The style is Windows'.
 */

#include <ntdef.h>
#include <Wdm.h>
#include <ntstatus.h>
#include <ntddk.h>
#include <wdf.h>
#include <initguid.h>
#include <wdmguid.h>
#include <ntstrsafe.h>
#include <ntintsafe.h>
#include <VmbusKernelModeClientLibApi.h>

#include <linux/module.h>

#define IDIOM_TAG 'modI'

EXTERN_C_START
DECLARE_HANDLE(IDIOM_HANDLE);
EXTERN_C VOID NTAPI IdiomDeclared(_In_ IDIOM_HANDLE Handle);
EXTERN_C_END

const GUID IdiomGuid = { 0x525074dc, 0x8985, 0x46e2,
	{ 0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02 } };
DEFINE_GUID(GUID_IDIOM, 0x525074dc, 0x8985, 0x46e2,
	    0x80, 0x57, 0xa3, 0x07, 0xdc, 0x18, 0xa5, 0x02);
static const UNICODE_STRING IdiomName = RTL_CONSTANT_STRING(L"idiom");
static const ANSI_STRING IdiomAnsiName = RTL_CONSTANT_STRING("idiom");

typedef struct DECLSPEC_ALIGN(16) _IDIOM_PACKET {
	LIST_ENTRY Link;
	SINGLE_LIST_ENTRY Single;
	ULONG Length;
	_Field_size_bytes_(Length) PUCHAR Data;
	_Guarded_by_(Lock) LONG Count;
	UCHAR Header[12];
} IDIOM_PACKET, *PIDIOM_PACKET;

C_ASSERT(FIELD_OFFSET(IDIOM_PACKET, Link) == 0);
C_ASSERT(RTL_FIELD_SIZE(IDIOM_PACKET, Header) == 12);
C_ASSERT(RTL_NUMBER_OF(((PIDIOM_PACKET)0)->Header) == 12);
C_ASSERT(RTL_SIZEOF_THROUGH_FIELD(IDIOM_PACKET, Link) == sizeof(LIST_ENTRY));
C_ASSERT(sizeof(IDIOM_PACKET) % 16 == 0);
C_ASSERT(sizeof(ULONG) == 4 && sizeof(LONG) == 4 && sizeof(ULONGLONG) == 8);
C_ASSERT(sizeof(ULONG_PTR) == sizeof(PVOID) && sizeof(WCHAR) == 2);
C_ASSERT(MAXULONG == 0xffffffff && MAXUSHORT == 0xffff && MAXLONG > 0);
C_ASSERT(BYTES_TO_PAGES(PAGE_SIZE + 1) == 2);
C_ASSERT(ROUND_TO_PAGES(1) == PAGE_SIZE && ALIGN_UP_BY(5, 4) == 8);
C_ASSERT(NT_ERROR(STATUS_NO_MEMORY) && !NT_WARNING(STATUS_NO_MEMORY));
C_ASSERT(NT_WARNING(STATUS_BUFFER_OVERFLOW));
C_ASSERT(NT_INFORMATION(STATUS_OBJECT_NAME_EXISTS));
/* MDL's members have Windows' order. */
C_ASSERT(FIELD_OFFSET(MDL, Next) < FIELD_OFFSET(MDL, Size));
C_ASSERT(FIELD_OFFSET(MDL, Size) < FIELD_OFFSET(MDL, MdlFlags));
C_ASSERT(FIELD_OFFSET(MDL, MdlFlags) < FIELD_OFFSET(MDL, Process));
C_ASSERT(FIELD_OFFSET(MDL, Process) < FIELD_OFFSET(MDL, MappedSystemVa));
C_ASSERT(FIELD_OFFSET(MDL, MappedSystemVa) < FIELD_OFFSET(MDL, StartVa));
C_ASSERT(FIELD_OFFSET(MDL, StartVa) < FIELD_OFFSET(MDL, ByteCount));
C_ASSERT(FIELD_OFFSET(MDL, ByteCount) < FIELD_OFFSET(MDL, ByteOffset));

/* Every type once */
static VOID FASTCALL __used
IdiomTypes(CHAR c, PCHAR pc, UCHAR uc, BYTE b, BOOL bo, INT i, UINT u,
	   INT8 i8, INT16 i16, INT32 i32, INT64 i64, DWORD d, ULONG32 u32v,
	   ULONG64 u64v, LONG32 l32, LONG64 l64, LONG_PTR lp, UINT_PTR up,
	   DWORD_PTR dp, PWCHAR pwc, PUINT8 p8, PUINT64 p64, PLONG pl,
	   PUSHORT pus, PBOOLEAN pb, PCSTR pcs, LPCWSTR pcw, PGUID pg,
	   REFGUID rg, ULARGE_INTEGER ul, PHYSICAL_ADDRESS pa,
	   PSINGLE_LIST_ENTRY sl, PSLIST_HEADER sh, PANSI_STRING as,
	   KMCL_CLIENT_INTERFACE *latest, PSIZE_T ps, PCUNICODE_STRING name)
{
	UNREFERENCED_PARAMETER(c);
	ul.QuadPart = ul.u.LowPart + ul.HighPart;
	pa.QuadPart = (LONGLONG)ul.QuadPart;
	*p64 = pa.QuadPart;
	*pg = *rg;
	pg->Data1++;
	pg->Data2 = pg->Data3;
	pg->Data4[0] = 0;
}

FORCEINLINE ULONG IdiomInline(ULONG a)
{
	return a + 1;
}

static __forceinline ULONG IdiomForceInline(ULONG a)
{
	return IdiomInline(a);
}

_Must_inspect_result_
_IRQL_requires_max_(DISPATCH_LEVEL)
_Ret_maybenull_
static PVOID IdiomAnnotated(_In_reads_bytes_(Length) PVOID Buffer,
			    _In_ ULONG Length,
			    _Inout_updates_bytes_(Length) PVOID Other,
			    _Outptr_result_maybenull_ PVOID *Out)
{
	_Analysis_assume_(Length > 0);
	__analysis_assume(Buffer != NULL);
	*Out = Other;
	return Buffer;
}

_IRQL_raises_(DISPATCH_LEVEL)
_Acquires_lock_(*Lock)
static VOID __used IdiomLocks(PKSPIN_LOCK Lock, PFAST_MUTEX Mutex)
{
	KLOCK_QUEUE_HANDLE handle;
	KIRQL irql;

	KeInitializeSpinLock(Lock);
	ExInitializeFastMutex(Mutex);
	KeAcquireSpinLock(Lock, &irql);
	KeReleaseSpinLock(Lock, irql);
	irql = KeAcquireSpinLockRaiseToDpc(Lock);
	KeReleaseSpinLock(Lock, irql);
	KeAcquireSpinLockAtDpcLevel(Lock);
	KeReleaseSpinLockFromDpcLevel(Lock);
	KeAcquireInStackQueuedSpinLock(Lock, &handle);
	KeReleaseInStackQueuedSpinLock(&handle);
	KeAcquireInStackQueuedSpinLockAtDpcLevel(Lock, &handle);
	KeReleaseInStackQueuedSpinLockFromDpcLevel(&handle);
	ExAcquireFastMutex(Mutex);
	ExReleaseFastMutex(Mutex);
	if (ExTryToAcquireFastMutex(Mutex))
		ExReleaseFastMutex(Mutex);
	NT_ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL);
}

static VOID __used IdiomLists(PLIST_ENTRY Head, PSLIST_HEADER SList,
			      PIDIOM_PACKET Packet, PKSPIN_LOCK Lock)
{
	PLIST_ENTRY entry;

	InitializeListHead(Head);
	InitializeSListHead(SList);
	InsertTailList(Head, &Packet->Link);
	while (!IsListEmpty(Head)) {
		entry = RemoveHeadList(Head);
		Packet = CONTAINING_RECORD(entry, IDIOM_PACKET, Link);
	}
	for (entry = Head->Flink; entry != Head; entry = entry->Flink)
		RemoveEntryList(entry);
	ExInterlockedInsertTailList(Head, &Packet->Link, Lock);
	entry = ExInterlockedRemoveHeadList(Head, Lock);
	InterlockedPushEntrySList(SList, &Packet->Single);
	while (InterlockedPopEntrySList(SList) != NULL)
		;
	InterlockedFlushSList(SList);
	DbgPrint("%u\n", ExQueryDepthSList(SList));
}

static VOID __used IdiomInterlocked(PIDIOM_PACKET Packet, LONG64 volatile *Wide,
				    PVOID volatile *Pointer)
{
	InterlockedIncrement(&Packet->Count);
	InterlockedDecrementRelease(&Packet->Count);
	InterlockedExchange(&Packet->Count, 1);
	InterlockedCompareExchange(&Packet->Count, 1, 0);
	InterlockedExchangeAdd(&Packet->Count, 1);
	InterlockedAdd(&Packet->Count, 1);
	InterlockedOr(&Packet->Count, 1);
	InterlockedAnd(&Packet->Count, 1);
	InterlockedXor(&Packet->Count, 1);
	InterlockedBitTestAndSet(&Packet->Count, 3);
	InterlockedBitTestAndReset(&Packet->Count, 3);
	InterlockedIncrement64(Wide);
	InterlockedExchangeAdd64(Wide, 5);
	InterlockedCompareExchange64(Wide, 1, 0);
	InterlockedExchangePointer(Pointer, NULL);
	InterlockedCompareExchangePointer(Pointer, Packet, NULL);
	WriteNoFence(&Packet->Count, ReadNoFence(&Packet->Count));
	WriteRelease(&Packet->Count, ReadAcquire(&Packet->Count));
	WriteNoFence64(Wide, ReadAcquire64(Wide));
	WritePointerRelease(Pointer, ReadPointerAcquire(Pointer));
	Packet->Length = ReadULongNoFence(&Packet->Length);
	MemoryBarrier();
	KeMemoryBarrier();
	YieldProcessor();
}

static NTSTATUS __used IdiomPool(PNPAGED_LOOKASIDE_LIST List,
				 PLOOKASIDE_LIST_EX Ex)
{
	NTSTATUS status;
	PVOID p;

	p = ExAllocatePool2(POOL_FLAG_NON_PAGED | POOL_FLAG_UNINITIALIZED, 64,
			    IDIOM_TAG);
	if (p == NULL)
		return STATUS_NO_MEMORY;
	ExFreePoolWithTag(p, IDIOM_TAG);
	p = ExAllocatePoolWithTag(NonPagedPoolNx, 64, IDIOM_TAG);
	ExFreePool(p);
	p = ExAllocatePoolZero(NonPagedPoolNx, 64, IDIOM_TAG);
	ExFreePoolWithTag(p, IDIOM_TAG);
	ExInitializeNPagedLookasideList(List, NULL, NULL, 0, 64, IDIOM_TAG, 0);
	p = ExAllocateFromNPagedLookasideList(List);
	ExFreeToNPagedLookasideList(List, p);
	ExDeleteNPagedLookasideList(List);
	status = ExInitializeLookasideListEx(Ex, NULL, NULL, NonPagedPoolNx, 0,
					     64, IDIOM_TAG, 0);
	if (!NT_SUCCESS(status))
		return status;
	p = ExAllocateFromLookasideListEx(Ex);
	ExFreeToLookasideListEx(Ex, p);
	ExDeleteLookasideListEx(Ex);
	return STATUS_SUCCESS;
}

static NTSTATUS __used IdiomWaits(PKEVENT Event, PKMUTEX Mutex,
				  PKSEMAPHORE Semaphore, PKTIMER Timer)
{
	PVOID objects[4] = { Event, Mutex, Semaphore, Timer };
	KWAIT_BLOCK blocks[4];
	LARGE_INTEGER timeout;
	NTSTATUS status;

	timeout.QuadPart = Int32x32To64(1000, -10000);
	KeInitializeEvent(Event, NotificationEvent, FALSE);
	KeInitializeMutex(Mutex, 0);
	KeInitializeSemaphore(Semaphore, 0, MAXLONG);
	KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
	KeResetEvent(Event);
	status = KeWaitForSingleObject(Event, Executive, KernelMode, FALSE,
				       &timeout);
	if (status == STATUS_TIMEOUT)
		return STATUS_IO_TIMEOUT;
	status = KeWaitForMultipleObjects(ARRAYSIZE(objects), objects, WaitAny,
					  Executive, KernelMode, FALSE, NULL,
					  blocks);
	if (status == STATUS_WAIT_1)
		KeReleaseMutex(Mutex, FALSE);
	KeReleaseSemaphore(Semaphore, IO_NO_INCREMENT, 1, FALSE);
	KeDelayExecutionThread(KernelMode, FALSE, &timeout);
	return KeReadStateEvent(Event) ? STATUS_SUCCESS : STATUS_DEVICE_NOT_READY;
}

static IO_WORKITEM_ROUTINE IdiomWorkItem;
static KDEFERRED_ROUTINE IdiomDpc;
static KSTART_ROUTINE IdiomThread;

_Use_decl_annotations_
static VOID IdiomWorkItem(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
	IoFreeWorkItem((PIO_WORKITEM)Context);
}

_Use_decl_annotations_
static VOID IdiomDpc(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2)
{
	KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
}

static VOID IdiomThread(PVOID Context)
{
	PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS __used IdiomWork(PDEVICE_OBJECT Device, PKDPC Dpc,
				 PKTIMER Timer, PKEVENT Event,
				 WORK_QUEUE_ITEM *Item)
{
	PIO_WORKITEM item = IoAllocateWorkItem(Device);
	LARGE_INTEGER due;
	NTSTATUS status;
	HANDLE handle;
	PVOID thread;

	if (item == NULL)
		return STATUS_INSUFFICIENT_RESOURCES;
	IoQueueWorkItem(item, IdiomWorkItem, DelayedWorkQueue, item);
	ExQueueWorkItem(Item, DelayedWorkQueue);

	KeInitializeDpc(Dpc, IdiomDpc, Event);
	KeInsertQueueDpc(Dpc, NULL, NULL);
	KeInitializeTimer(Timer);
	due.QuadPart = -10000;
	KeSetTimer(Timer, due, Dpc);
	KeSetTimerEx(Timer, due, 100, Dpc);
	KeCancelTimer(Timer);
	KeFlushQueuedDpcs();

	status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL,
				      NULL, IdiomThread, NULL);
	if (!NT_SUCCESS(status))
		return status;
	status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS,
					   *PsThreadType, KernelMode, &thread,
					   NULL);
	ZwClose(handle);
	if (!NT_SUCCESS(status))
		return status;
	KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, NULL);
	ObDereferenceObject(thread);
	return STATUS_SUCCESS;
}

static NTSTATUS __used IdiomRundown(PEX_RUNDOWN_REF Rundown,
				    PIO_REMOVE_LOCK Lock)
{
	NTSTATUS status;

	ExInitializeRundownProtection(Rundown);
	if (!ExAcquireRundownProtection(Rundown))
		return STATUS_DELETE_PENDING;
	ExReleaseRundownProtection(Rundown);
	ExWaitForRundownProtectionRelease(Rundown);
	IoInitializeRemoveLock(Lock, IDIOM_TAG, 0, 0);
	status = IoAcquireRemoveLock(Lock, NULL);
	if (!NT_SUCCESS(status))
		return status;
	IoReleaseRemoveLockAndWait(Lock, NULL);
	return STATUS_SUCCESS;
}

static NTSTATUS __used IdiomStrings(PUNICODE_STRING String, ULONG A, ULONG B)
{
	WCHAR wide[64];
	CHAR narrow[64];
	NTSTATUS status;
	ULONG sum;

	status = RtlULongAdd(A, B, &sum);
	if (NT_SUCCESS(status))
		status = RtlULongMult(A, B, &sum);
	if (NT_SUCCESS(status))
		status = RtlStringCbPrintfW(wide, sizeof(wide), L"%lu %ws %wZ",
					    sum, L"text", String);
	if (NT_SUCCESS(status))
		status = RtlStringCbPrintfA(narrow, sizeof(narrow),
					    "%08lx %I64u", status,
					    (ULONGLONG)sum);
	if (NT_SUCCESS(status))
		status = RtlStringFromGUID(&IdiomGuid, String);
	if (!NT_SUCCESS(status))
		return status;
	RtlFreeUnicodeString(String);
	RtlInitUnicodeString(String, wide);
	RtlSecureZeroMemory(narrow, sizeof(narrow));
	ASSERT(RtlCompareMemory(narrow, narrow, 8) == 8);
	ASSERTMSG("not the same", IsEqualGUID(&IdiomGuid, &GUID_IDIOM));
	NT_VERIFY(InlineIsEqualGUID(&IdiomGuid, &GUID_IDIOM));
	NT_FRE_ASSERT(ARGUMENT_PRESENT(String));
	KdPrint(("%lu of %wZ\n", sum, &IdiomName));
	KdPrintEx((DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "%Z\n",
		   &IdiomAnsiName));
	return UInt32x32To64(A, B) > MAXULONG ? STATUS_INTEGER_OVERFLOW :
						STATUS_SUCCESS;
}

static PVOID __used IdiomMemory(PVOID Buffer, ULONG Length)
{
	PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high, skip = low;
	PVOID other, address;
	PMDL mdl;

	high.QuadPart = -1;
	mdl = MmAllocatePagesForMdlEx(low, high, skip, Length, MmCached,
				      MM_ALLOCATE_FULLY_REQUIRED);
	if (mdl == NULL)
		return IdiomAnnotated(Buffer, Length, NULL, &other);
	address = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority |
						    MdlMappingNoExecute);
	MmGetSystemAddressForMdl(mdl);
	MmPrepareMdlForReuse(mdl);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
	low = MmGetPhysicalAddress(Buffer);
	return address;
}

static VOID __used IdiomTime(VOID)
{
	LARGE_INTEGER now, frequency, counter;
	PROCESSOR_NUMBER processor;

	KeQuerySystemTime(&now);
	counter = KeQueryPerformanceCounter(&frequency);
	KeQueryTickCount(&now);
	KeGetCurrentProcessorNumberEx(&processor);
	KeStallExecutionProcessor(1);
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_INFO_LEVEL, "%I64d %lu %u\n",
		   counter.QuadPart, IdiomForceInline(1), processor.Group);
	if (frequency.QuadPart == 0)
		KeBugCheckEx(0xdeadbeef, 1, 2, 3, 4);
	DbgBreakPoint();
}

MODULE_DESCRIPTION("Idioms of Windows clients of vmbkmcl, to be compiled");
MODULE_LICENSE("GPL");
