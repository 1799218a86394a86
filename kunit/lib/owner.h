/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that shares its memory and can be killed: owner.c. */
#ifndef _KUNIT_OWNER_H
#define _KUNIT_OWNER_H

#include <kunit/test.h>
#include <vmbuskernelmodeclientlibapi.h>

#define OWNER_BYTES	(16 * PAGE_SIZE)

/**
 * struct owner - a process of the guest
 * @task: it; a reference is held
 * @mm: its address space; a reference to the struct is held
 * @status: of its VmbChannelCreateGpadlFromBuffer() or MmProbeAndLockPages()
 * @handle: of OWNER_BYTES of its memory
 * @mdl: of the same
 */
struct owner {
	struct task_struct *task;
	struct mm_struct *mm;
	NTSTATUS status;
	UINT32 handle;
	PMDL mdl;
};

/*
 * Start one and have it create a GPADL, or without a channel lock an MDL; then it
 * waits to be killed.
 */
struct owner *owner_start(struct kunit *test, VMBCHANNEL ch);

/* Kill it, and see it gone. */
void owner_kill(struct kunit *test, struct owner *owner);

#endif /* _KUNIT_OWNER_H */
