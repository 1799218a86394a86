// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs by hand. hv_vmbus has one way to make them; it wants memory in one
 * piece of kernel addresses, so pages of a process are pinned and mapped first.
 */

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "bench.h"

static int create_and_delete(struct vmbus_channel *chan, void *memory, u32 size)
{
	struct vmbus_gpadl gpadl = {};
	int err = vmbus_establish_gpadl(chan, memory, size, &gpadl);

	return err ?: vmbus_teardown_gpadl(chan, &gpadl);
}

int raw_gpadl(struct bench_run *run)
{
	struct vmbus_channel *chan = raw_channel(0);
	int err = 0;
	u32 i;

	bench_start(run);
	for (i = 0; i < run->ops && !err; i++)
		err = create_and_delete(chan, run->memory, run->size);
	bench_stop(run);
	return err;
}

static int user_create_and_delete(struct vmbus_channel *chan,
				  unsigned long user, u32 size)
{
	int count = size / PAGE_SIZE, pinned, err = -ENOMEM;
	struct page **pages;
	void *memory;

	pages = kvmalloc_array(count, sizeof(*pages), GFP_KERNEL);
	if (!pages)
		return -ENOMEM;
	pinned = pin_user_pages_fast(user, count, FOLL_WRITE | FOLL_LONGTERM,
				     pages);
	if (pinned != count) {
		if (pinned < 0)
			err = pinned;
		goto unpin;
	}
	memory = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	if (!memory)
		goto unpin;
	err = create_and_delete(chan, memory, size);
	vunmap(memory);
unpin:
	if (pinned > 0)
		unpin_user_pages_dirty_lock(pages, pinned, true);
	kvfree(pages);
	return err;
}

int raw_user_gpadl(struct bench_run *run)
{
	struct vmbus_channel *chan = raw_channel(0);
	int err = 0;
	u32 i;

	bench_start(run);
	for (i = 0; i < run->ops && !err; i++)
		err = user_create_and_delete(chan, (unsigned long)run->memory,
					     run->size);
	bench_stop(run);
	return err;
}
