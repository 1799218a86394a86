/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lists. A LIST_ENTRY has the layout of a list_head, so that the kernel's
 * checks of lists (CONFIG_DEBUG_LIST) work.
 */
#ifndef _VMBKMCL_WINDOWS_LIST_H
#define _VMBKMCL_WINDOWS_LIST_H

#include <linux/build_bug.h>
#include <linux/list.h>
#include <linux/stddef.h>

#include <vmbkmcl/windows/lock.h>
#include <vmbkmcl/windows/types.h>

typedef struct _LIST_ENTRY {
	struct _LIST_ENTRY *Flink;
	struct _LIST_ENTRY *Blink;
} LIST_ENTRY, *PLIST_ENTRY, *PRLIST_ENTRY;

static_assert(sizeof(LIST_ENTRY) == sizeof(struct list_head));
static_assert(offsetof(LIST_ENTRY, Flink) == offsetof(struct list_head, next));
static_assert(offsetof(LIST_ENTRY, Blink) == offsetof(struct list_head, prev));

static inline struct list_head *kmcl_list(PLIST_ENTRY entry)
{
	return (struct list_head *)entry;
}

static inline VOID InitializeListHead(PLIST_ENTRY ListHead)
{
	INIT_LIST_HEAD(kmcl_list(ListHead));
}

static inline BOOLEAN IsListEmpty(const LIST_ENTRY *ListHead)
{
	return ListHead->Flink == ListHead;
}

static inline VOID InsertHeadList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	list_add(kmcl_list(Entry), kmcl_list(ListHead));
}

static inline VOID InsertTailList(PLIST_ENTRY ListHead, PLIST_ENTRY Entry)
{
	list_add_tail(kmcl_list(Entry), kmcl_list(ListHead));
}

/*
 * Returns whether the list is empty now. The pointers of the entry are not
 * changed, as Windows source code may use the Flink of an entry that it has
 * removed.
 */
static inline BOOLEAN RemoveEntryList(PLIST_ENTRY Entry)
{
	PLIST_ENTRY next = Entry->Flink;

	__list_del_entry(kmcl_list(Entry));
	return next->Flink == next;
}

/* Returns the head itself when the list is empty. */
static inline PLIST_ENTRY RemoveHeadList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY entry = ListHead->Flink;

	if (entry != ListHead)
		RemoveEntryList(entry);
	return entry;
}

static inline PLIST_ENTRY RemoveTailList(PLIST_ENTRY ListHead)
{
	PLIST_ENTRY entry = ListHead->Blink;

	if (entry != ListHead)
		RemoveEntryList(entry);
	return entry;
}

/*
 * Append all entries of a list without a head. ListToAppend is the first of
 * them.
 */
static inline VOID AppendTailList(PLIST_ENTRY ListHead,
				  PLIST_ENTRY ListToAppend)
{
	PLIST_ENTRY end = ListToAppend->Blink, tail = ListHead->Blink;

	tail->Flink = ListToAppend;
	ListToAppend->Blink = tail;
	end->Flink = ListHead;
	ListHead->Blink = end;
}

/* Functions that take a lock. They return NULL if the list was empty. */

static inline PLIST_ENTRY ExInterlockedInsertHeadList(PLIST_ENTRY ListHead,
						      PLIST_ENTRY ListEntry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	first = IsListEmpty(ListHead) ? NULL : ListHead->Flink;
	InsertHeadList(ListHead, ListEntry);
	spin_unlock_irqrestore(Lock, flags);
	return first;
}

static inline PLIST_ENTRY ExInterlockedInsertTailList(PLIST_ENTRY ListHead,
						      PLIST_ENTRY ListEntry,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY last;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	last = IsListEmpty(ListHead) ? NULL : ListHead->Blink;
	InsertTailList(ListHead, ListEntry);
	spin_unlock_irqrestore(Lock, flags);
	return last;
}

static inline PLIST_ENTRY ExInterlockedRemoveHeadList(PLIST_ENTRY ListHead,
						      PKSPIN_LOCK Lock)
{
	PLIST_ENTRY entry;
	unsigned long flags;

	spin_lock_irqsave(Lock, flags);
	entry = RemoveHeadList(ListHead);
	spin_unlock_irqrestore(Lock, flags);
	return entry == ListHead ? NULL : entry;
}

/* Singly linked lists without a lock */

typedef struct _SINGLE_LIST_ENTRY {
	struct _SINGLE_LIST_ENTRY *Next;
} SINGLE_LIST_ENTRY, *PSINGLE_LIST_ENTRY, SLIST_ENTRY, *PSLIST_ENTRY;

static inline VOID PushEntryList(PSINGLE_LIST_ENTRY ListHead,
				 PSINGLE_LIST_ENTRY Entry)
{
	Entry->Next = ListHead->Next;
	ListHead->Next = Entry;
}

static inline PSINGLE_LIST_ENTRY PopEntryList(PSINGLE_LIST_ENTRY ListHead)
{
	PSINGLE_LIST_ENTRY first = ListHead->Next;

	if (first)
		ListHead->Next = first->Next;
	return first;
}

/*
 * Singly linked lists that any number of tasks can use. The llist of Linux
 * allows only one consumer at a time, so these lists have a lock.
 */

typedef struct _SLIST_HEADER {
	SINGLE_LIST_ENTRY First;
	USHORT Depth;
	spinlock_t Lock;	/* guards First and Depth */
} SLIST_HEADER, *PSLIST_HEADER;

static inline VOID InitializeSListHead(PSLIST_HEADER ListHead)
{
	ListHead->First.Next = NULL;
	ListHead->Depth = 0;
	spin_lock_init(&ListHead->Lock);
}

#define ExInitializeSListHead(ListHead)	InitializeSListHead(ListHead)

/* Returns the entry that was the first before, or NULL. */
static inline PSLIST_ENTRY InterlockedPushEntrySList(PSLIST_HEADER ListHead,
						     PSLIST_ENTRY ListEntry)
{
	PSLIST_ENTRY before;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	before = ListHead->First.Next;
	PushEntryList(&ListHead->First, ListEntry);
	ListHead->Depth++;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return before;
}

static inline PSLIST_ENTRY InterlockedPopEntrySList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	first = PopEntryList(&ListHead->First);
	if (first)
		ListHead->Depth--;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}

/* Remove all entries. Returns the first of them. */
static inline PSLIST_ENTRY InterlockedFlushSList(PSLIST_HEADER ListHead)
{
	PSLIST_ENTRY first;
	unsigned long flags;

	spin_lock_irqsave(&ListHead->Lock, flags);
	first = ListHead->First.Next;
	ListHead->First.Next = NULL;
	ListHead->Depth = 0;
	spin_unlock_irqrestore(&ListHead->Lock, flags);
	return first;
}

static inline USHORT QueryDepthSList(PSLIST_HEADER ListHead)
{
	return READ_ONCE(ListHead->Depth);
}

#define ExQueryDepthSList(ListHead)	QueryDepthSList(ListHead)

/* These have a lock of the caller as an argument, which is not needed. */
#define ExInterlockedPushEntrySList(ListHead, ListEntry, Lock)	\
	InterlockedPushEntrySList(ListHead, ListEntry)
#define ExInterlockedPopEntrySList(ListHead, Lock)	\
	InterlockedPopEntrySList(ListHead)
#define ExInterlockedFlushSList(ListHead)	InterlockedFlushSList(ListHead)

#endif /* _VMBKMCL_WINDOWS_LIST_H */
