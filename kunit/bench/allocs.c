// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocations, counted by the kernel's own tracepoints: each slab object and
 * each block of pages, whoever asked for it.
 */

#include <linux/atomic.h>
#include <linux/tracepoint.h>

#include "bench.h"

static const char * const names[] = {
	"kmalloc", "kmalloc_node",
	"kmem_cache_alloc", "kmem_cache_alloc_node",
	"mm_page_alloc",
};

static struct tracepoint *points[ARRAY_SIZE(names)];
static atomic64_t count;

/* What a tracepoint passes further is of no interest, and differs. */
static void allocs_probe(void *data)
{
	atomic64_inc(&count);
}

static void allocs_match(struct tracepoint *point, void *unused)
{
	int i = match_string(names, ARRAY_SIZE(names), point->name);

	if (i >= 0)
		points[i] = point;
}

int allocs_init(void)
{
	unsigned int i, found = 0;

	for_each_kernel_tracepoint(allocs_match, NULL);
	for (i = 0; i < ARRAY_SIZE(points); i++)
		found += !!points[i];
	/* Kernels differ in the *_node ones only. */
	return found >= 3 ? 0 : -ENOENT;
}

void allocs_exit(void)
{
	tracepoint_synchronize_unregister();
}

int allocs_begin(void)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(points); i++) {
		if (!points[i])
			continue;
		err = tracepoint_probe_register(points[i], allocs_probe, NULL);
		if (err)
			goto unregister;
	}
	atomic64_set(&count, 0);
	return 0;

unregister:
	while (i--)
		if (points[i])
			tracepoint_probe_unregister(points[i], allocs_probe,
						    NULL);
	return err;
}

u64 allocs_end(void)
{
	u64 allocs = atomic64_read(&count);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(points); i++)
		if (points[i])
			tracepoint_probe_unregister(points[i], allocs_probe,
						    NULL);
	return allocs;
}
