// SPDX-License-Identifier: GPL-2.0-only
/* Creating and deleting GPADLs: arguments, limits, lifetime, many of them. */

#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/rcupdate.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../vmbkmcl/gpadl.h"
#include "host/protocol.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/mdls.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

/* Bad input: a status, and nothing else happens */

static NTSTATUS refused(struct kunit *test, struct fake_bus *bus, u32 flags,
			unsigned long addr, u32 bytes)
{
	int sent = atomic_read(&bus->establishes);
	long pins = pins_held(test);
	u32 handle = 0x5eed;
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromBuffer(bus->ch, flags, (void *)addr,
						 bytes, &handle);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), sent);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	return status;
}

static void no_channel(struct kunit *test)
{
	unsigned long va = (unsigned long)get_vmalloc(test, PAGE_SIZE);
	u32 handle = 0x5eed;

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(NULL, 0, (void *)va,
							PAGE_SIZE, &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	VmbChannelDeleteGpadl(NULL, 1);
}

static void unknown_flags(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long va = (unsigned long)get_vmalloc(test, PAGE_SIZE);
	u32 flag;

	for (flag = 2; flag; flag <<= 1)
		KUNIT_EXPECT_EQ(test, refused(test, bus, flag, va, PAGE_SIZE),
				STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, refused(test, bus, ~0, va, PAGE_SIZE),
			STATUS_INVALID_PARAMETER_2);
}

static void null_buffer(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, 0, PAGE_SIZE),
			STATUS_INVALID_PARAMETER_3);
}

static void unaligned_buffer(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long va = (unsigned long)get_vmalloc(test, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, va + 1, PAGE_SIZE),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, va + 2048, PAGE_SIZE),
			STATUS_INVALID_PARAMETER_3);
}

static void zero_length(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test,
			refused(test, bus, 0,
				(unsigned long)get_vmalloc(test, PAGE_SIZE), 0),
			STATUS_INVALID_PARAMETER_4);
}

static void length_that_wraps(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test,
			refused(test, bus, 0, 0UL - PAGE_SIZE, 2 * PAGE_SIZE),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, 0UL - PAGE_SIZE, U32_MAX),
			STATUS_INVALID_PARAMETER_4);
}

static void the_very_last_page(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, 0UL - PAGE_SIZE, PAGE_SIZE),
			STATUS_ACCESS_VIOLATION);
}

static void no_place_for_the_handle(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long va = (unsigned long)get_vmalloc(test, PAGE_SIZE);

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, (void *)va,
							PAGE_SIZE, NULL),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
}

/* One page more would wrap the u16 length in the header message. */
static void more_pages_than_a_gpadl_has(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	u32 most = KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE;
	void *memory = get_vmalloc(test, most + KMCL_HV_PAGE_SIZE);
	unsigned long va = (unsigned long)memory;

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, va, most + 1),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test,
			refused(test, bus, 0, va, most + KMCL_HV_PAGE_SIZE),
			STATUS_INVALID_BUFFER_SIZE);
}

static void unmapped_kernel_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, va);
	vfree(va);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, VMALLOC_END + 1 - PAGE_SIZE,
				      PAGE_SIZE), STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, PAGE_OFFSET + (1UL << 45),
				      PAGE_SIZE), STATUS_ACCESS_VIOLATION);
}

/* The guard page behind an allocation is a hole. */
static void vmalloc_past_its_end(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long va = (unsigned long)get_vmalloc(test, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, va, 2 * PAGE_SIZE + 1),
			STATUS_ACCESS_VIOLATION);
}

static void stack_memory(struct kunit *test)
{
	unsigned long stack = (unsigned long)task_stack_page(current);
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, stack, PAGE_SIZE),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, refused(test, bus, READ_ONLY,
				      stack + THREAD_SIZE - PAGE_SIZE,
				      PAGE_SIZE), STATUS_INVALID_PARAMETER_3);
}

static int sleep_until(void *end)
{
	wait_for_completion(end);
	return 0;
}

static void stack_mdl_is_refused(struct kunit *test, struct fake_bus *bus,
				 void *stack)
{
	u32 handle = 0x5eed;

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 0,
						     kernel_mdl(test, stack,
								PAGE_SIZE),
						     0, 0, &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
}

static void stack_of_another_task(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	DECLARE_COMPLETION_ONSTACK(end);
	struct task_struct *task;

	task = kthread_create(sleep_until, &end, "vmbkmcl-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	get_task_struct(task);
	wake_up_process(task);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0,
				      (unsigned long)task_stack_page(task),
				      PAGE_SIZE), STATUS_INVALID_PARAMETER_3);
	stack_mdl_is_refused(test, bus, task_stack_page(task));
	complete(&end);
	kthread_stop_put(task);
}

/* Freed as one block, of a size that the lists of a CPU do not keep. */
static NTSTATUS shares_a_freed_page(struct kunit *test, struct fake_bus *bus)
{
	unsigned int order = PAGE_ALLOC_COSTLY_ORDER + 2;
	struct page *block = alloc_pages(GFP_KERNEL, order);
	UINT32 handle = 0;
	NTSTATUS status;
	unsigned long va;

	KUNIT_ASSERT_NOT_NULL(test, block);
	va = (unsigned long)page_address(block) + 4 * PAGE_SIZE;
	__free_pages(block, order);
	status = VmbChannelCreateGpadlFromBuffer(bus->ch, 0, (void *)va,
						 PAGE_SIZE, &handle);
	if (NT_SUCCESS(status))
		VmbChannelDeleteGpadl(bus->ch, handle);
	return status;
}

/* Others allocate as well: the page may be in use again, but not for ever. */
static void free_page_of_the_allocator(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	NTSTATUS status;
	int tries = 20;

	do
		status = shares_a_freed_page(test, bus);
	while (NT_SUCCESS(status) && --tries);
	KUNIT_EXPECT_EQ(test, status, STATUS_ACCESS_DENIED);
}

static void code_and_constants(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long kernel = (unsigned long)&vfree & PAGE_MASK;
	unsigned long module = (unsigned long)&stack_memory & PAGE_MASK;
	unsigned long alias = (unsigned long)__va(__pa_symbol(kernel));

	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, kernel, PAGE_SIZE),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, alias, PAGE_SIZE),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, module, PAGE_SIZE),
			STATUS_ACCESS_DENIED);
}

static void user_address_without_a_process(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	KUNIT_ASSERT_NULL(test, current->mm);
	KUNIT_EXPECT_EQ(test, refused(test, bus, 0, 0x10000, PAGE_SIZE),
			STATUS_ACCESS_VIOLATION);
}

static void channel_never_opened(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test,
			refused(test, bus, 0,
				(unsigned long)get_vmalloc(test, PAGE_SIZE),
				PAGE_SIZE), STATUS_INVALID_DEVICE_STATE);
}

static void channel_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			refused(test, bus, 0,
				(unsigned long)get_vmalloc(test, PAGE_SIZE),
				PAGE_SIZE), STATUS_INVALID_DEVICE_STATE);
}

/* Sizes */

/* Around the borders between messages: 26 PFNs in the first, 28 in the others. */
static const u32 page_counts[] = {
	1, 2, 25, 26, 27, 53, 54, 55, 82, 83, 256, 4096, 8189, 8190,
};

static void page_count_name(const u32 *pages, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%u pages", *pages);
}

KUNIT_ARRAY_PARAM(page_count, page_counts, page_count_name);

static void every_size(struct kunit *test)
{
	u32 bytes = *(const u32 *)test->param_value * KMCL_HV_PAGE_SIZE;
	u8 *va = get_vmalloc(test, bytes);
	struct server *srv = server_open(test);
	u32 handle, i, wrong = 0;

	for (i = 0; i < bytes; i += 64)
		va[i] = testdev_pattern(bytes, i);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va, bytes,
							&handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle), bytes);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			~crc32_le(~0, va, bytes));
	server_fill(test, srv, handle, 3);
	for (i = 0; i < bytes; i += 61)
		wrong += va[i] != testdev_pattern(3, i);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
}

/* Lifetime */

static void many_at_once(struct kunit *test)
{
	struct server *srv = server_open(test);
	u8 *va = get_vmalloc(test, 64 * PAGE_SIZE);
	u32 handles[64];
	unsigned int i;

	for (i = 0; i < 64; i++) {
		memset(va + i * PAGE_SIZE, i, PAGE_SIZE);
		KUNIT_ASSERT_EQ(test,
				VmbChannelCreateGpadlFromBuffer(srv->ch, 0,
								va + i * PAGE_SIZE,
								PAGE_SIZE,
								&handles[i]),
				STATUS_SUCCESS);
	}
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handles[i]),
				~crc32_le(~0, va + i * PAGE_SIZE, PAGE_SIZE));
	for (i = 0; i < 64; i++)
		VmbChannelDeleteGpadl(srv->ch, handles[(i * 37) % 64]);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.deleted, 64);
	KUNIT_EXPECT_TRUE(test, hash_empty(srv->ch->gpadls));
}

static void the_same_memory_twice(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 first, second;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
							PAGE_SIZE, &first),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, READ_ONLY, va,
							PAGE_SIZE, &second),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, first, second);
	VmbChannelDeleteGpadl(srv->ch, first);
	server_fill(test, srv, second, 9);
	KUNIT_EXPECT_EQ(test, *(u8 *)va, testdev_pattern(9, 0));
	VmbChannelDeleteGpadl(srv->ch, second);
}

/* The host does not complete the teardown of an unknown handle. */
static void unknown_and_deleted_handles(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
							PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	VmbChannelDeleteGpadl(srv->ch, handle + 1);
	VmbChannelDeleteGpadl(srv->ch, 0);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.unknown_handles, 2);
	KUNIT_EXPECT_TRUE(test, server_knows(test, srv, handle));

	VmbChannelDeleteGpadl(srv->ch, handle);
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.unknown_handles, 3);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.deleted, 1);
}

static void handle_of_another_channel(struct kunit *test)
{
	struct fake_bus *mine = fake_bus_start(test);
	struct fake_bus *other = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(mine->ch, 0, va,
							PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	VmbChannelDeleteGpadl(other->ch, handle);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(mine), 1);
	VmbChannelDeleteGpadl(mine->ch, handle);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(mine), 0);
}

static void leftovers_are_deleted_at_close(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, 4 * PAGE_SIZE);
	struct page *page = vmalloc_to_page(va);
	u32 handle;
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_ASSERT_EQ(test,
				VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
								4 * PAGE_SIZE,
								&handle),
				STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(page), 4);
	VmbChannelDisable(srv->ch);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.leftovers, 3);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.deleted, 3);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
}

static VOID delete_in_closed(VMBCHANNEL ch)
{
	u32 *handle = VmbChannelGetPointer(ch);

	VmbChannelDeleteGpadl(ch, *handle);
	*handle = 0;
}

static void client_deletes_in_closed(struct kunit *test)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	struct fake_bus *bus = fake_bus_create(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelClosed = delete_in_closed;
	VmbChannelInitSetStateChangeCallbacks(bus->ch, &evt);
	VmbChannelSetPointer(bus->ch, &handle);
	VmbChannelEnable(bus->ch);
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, handle, 0);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.leftovers, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
}

/* debugfs shows GPADLs while they exist, and not after. */
static void debugfs_shows_them(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, 2 * PAGE_SIZE);
	char path[80], line[80];
	u32 handle;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/gpadls",
		 bus->ch->name);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, READ_ONLY, va,
							2 * PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	snprintf(line, sizeof(line), "%#x 8192 bytes vmalloc read-only, held by vmbkmcl\n",
		 handle);
	KUNIT_EXPECT_STREQ(test, read_text(test, path), line);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_STREQ(test, read_text(test, path), "");
}

#define TRACING	"/sys/kernel/tracing"

static void tracepoints_tell_of_them(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	void *va = get_vmalloc(test, 2 * PAGE_SIZE);
	char created[128], deleted[128], active[128], *trace;
	u32 handle;

	run_shell(test, "echo >" TRACING "/trace; "
			"echo 1 >" TRACING "/events/vmbkmcl/enable");
	VmbChannelEnable(bus->ch);
	ASSERT_EVENTUALLY(test, bus->ch->state == KMCL_ACTIVE);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							2 * PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	VmbChannelDeleteGpadl(bus->ch, handle);
	run_shell(test, "echo 0 >" TRACING "/events/vmbkmcl/enable");

	snprintf(active, sizeof(active),
		 "vmbkmcl_channel_state: %s started -> active", bus->ch->name);
	snprintf(created, sizeof(created),
		 "vmbkmcl_gpadl_create: %s handle %#x size 8192 err 0",
		 bus->ch->name, handle);
	snprintf(deleted, sizeof(deleted),
		 "vmbkmcl_gpadl_delete: %s handle %#x size 8192 err 0",
		 bus->ch->name, handle);
	trace = read_text(test, TRACING "/trace");
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(trace, active), "%s", trace);
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace, created));
	KUNIT_EXPECT_NOT_NULL(test, strstr(trace, deleted));
}

/*
 * Again and again: 10,000 cycles, in rounds, as the kernel takes a case of two
 * minutes for a hung one. What the first round leaves behind, once it is warm,
 * is what the last one has to leave. A fifth of them go to the real server; for
 * the others the fake bus completes at once.
 */

#define ROUNDS		20
#define CYCLES		500
#define REAL_CYCLES	100
#define WARM_UP		50

static void cycle(struct kunit *test, VMBCHANNEL ch, void *va, u32 bytes,
		  unsigned int times)
{
	u32 handle;

	while (times--) {
		KUNIT_ASSERT_EQ(test,
				VmbChannelCreateGpadlFromBuffer(ch, 0, va,
								bytes, &handle),
				STATUS_SUCCESS);
		VmbChannelDeleteGpadl(ch, handle);
	}
}

/*
 * Stacks of tasks are vmalloc memory, too: they come and go with the kernel's workers,
 * and each CPU keeps some. By the callers that /proc/vmallocinfo names.
 */
static bool is_stack(const char *area)
{
	static const char * const callers[] = {
		" kernel_clone+", " copy_process+", " dup_task_struct+",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(callers); i++) {
		if (strstr(area, callers[i]))
			return true;
	}
	return false;
}

static long vmalloc_pages(struct kunit *test)
{
	char *areas = read_text(test, "/proc/vmallocinfo");
	long pages = 0, stacks = 0, n;
	const char *area, *found;

	while ((area = strsep(&areas, "\n"))) {
		found = strstr(area, " pages=");
		if (!found || sscanf(found, " pages=%ld", &n) != 1)
			continue;
		if (is_stack(area))
			stacks++;
		else
			pages += n;
	}
	KUNIT_ASSERT_NE_MSG(test, stacks, 0, "who calls for stacks?");
	return pages;
}

struct footprint {
	long pins;
	long pinned;		/* VmPin */
	long locked;		/* VmLck */
	long slab;		/* pages */
	long vmalloc;		/* pages, without stacks */
};

/*
 * Freed, and still there: areas of vmalloc memory until many are purged at once,
 * what RCU frees, and KASAN's quarantine, which goes with the empty slabs. It takes
 * long, so not in each round.
 */
static void settle_memory(struct kunit *test)
{
	vm_unmap_aliases();
	rcu_barrier();
	run_shell(test, "for f in /sys/kernel/slab/*/shrink; do echo 1 >$f; done");
}

static long slab_pages(struct kunit *test, const char *slabinfo,
		       const char *cache)
{
	const char *line = strstr(slabinfo, cache);
	long per_slab, slabs;
	int read;

	KUNIT_ASSERT_NOT_NULL_MSG(test, line, "no cache%s", cache);
	read = sscanf(line, " %*s %*u %*u %*u %*u %ld : tunables %*u %*u %*u : slabdata %*u %ld",
		      &per_slab, &slabs);
	KUNIT_ASSERT_EQ_MSG(test, read, 2, "%.120s", line);
	return per_slab * slabs;
}

/*
 * Kmemleak has an object for each that is allocated, until RCU has freed it, and what
 * it had at its height stays in slabs that are partly used. So do vmalloc's pools.
 */
static long slab_of_others(struct kunit *test)
{
	char *slabinfo = read_text(test, "/proc/slabinfo");

	return slab_pages(test, slabinfo, "\nkmemleak_object ") +
	       slab_pages(test, slabinfo, "\nkmemleak_scan_area ") +
	       slab_pages(test, slabinfo, "\ndebug_objects_cache ") +
	       slab_pages(test, slabinfo, "\nvmap_area ");
}

static struct footprint footprint(struct kunit *test)
{
	return (struct footprint) {
		.pins = pins_held(test),
		.pinned = atomic64_read(&current->mm->pinned_vm),
		.locked = current->mm->locked_vm,
		.slab = vm_counter(test, "nr_slab_unreclaimable") -
			slab_of_others(test),
		.vmalloc = vmalloc_pages(test),
	};
}

KUNIT_GENERATOR(round_gen_params, prev, name)
{
	unsigned long round = (unsigned long)prev + 1;

	if (round <= ROUNDS)
		snprintf(name, KUNIT_PARAM_DESC_SIZE, "cycles to %lu",
			 round * CYCLES);
	else
		snprintf(name, KUNIT_PARAM_DESC_SIZE, "what they left");
	return round <= ROUNDS + 1 ? (void *)round : NULL;
}

/*
 * Others' slab memory comes and goes meanwhile. A leak of one object a cycle is more
 * than the slack given here; kmemleak looks for smaller ones at the end of the run.
 */
#define SLAB_SLACK	64		/* pages */

static void thousands_of_cycles(struct kunit *test)
{
	static struct footprint before;
	u32 bytes = 4 * PAGE_SIZE;
	unsigned long addr = user_memory_map(test, NULL, bytes,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, bytes);
	unsigned long round = (unsigned long)test->param_value;
	struct footprint after;

	if (round == 1) {
		cycle(test, bus->ch, (void *)addr, bytes, WARM_UP / 2);
		cycle(test, bus->ch, va, bytes, WARM_UP / 2);
		settle_memory(test);
		before = footprint(test);
	}
	if (round > ROUNDS) {
		settle_memory(test);
	} else {
		cycle(test, srv->ch, (void *)addr, bytes, REAL_CYCLES / 2);
		cycle(test, srv->ch, va, bytes, REAL_CYCLES / 2);
		cycle(test, bus->ch, (void *)addr, bytes,
		      (CYCLES - REAL_CYCLES) / 2);
		cycle(test, bus->ch, va, bytes, (CYCLES - REAL_CYCLES) / 2);
	}
	after = footprint(test);

	KUNIT_EXPECT_EQ(test, after.pins, before.pins);
	KUNIT_EXPECT_EQ(test, after.pinned, before.pinned);
	KUNIT_EXPECT_EQ(test, after.locked, before.locked);
	if (round > ROUNDS)
		KUNIT_EXPECT_LE(test, after.slab, before.slab + SLAB_SLACK);
	KUNIT_EXPECT_EQ(test, after.vmalloc, before.vmalloc);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.deleted,
			srv->ch->gpadl_stats.created);
	kunit_info(test, "slab %ld -> %ld pages, vmalloc %ld -> %ld pages",
		   before.slab, after.slab, before.vmalloc, after.vmalloc);
}

static struct kunit_case gpadl_cases[] = {
	KUNIT_CASE(no_channel),
	KUNIT_CASE(unknown_flags),
	KUNIT_CASE(null_buffer),
	KUNIT_CASE(unaligned_buffer),
	KUNIT_CASE(zero_length),
	KUNIT_CASE(length_that_wraps),
	KUNIT_CASE(the_very_last_page),
	KUNIT_CASE(no_place_for_the_handle),
	KUNIT_CASE(more_pages_than_a_gpadl_has),
	KUNIT_CASE(unmapped_kernel_memory),
	KUNIT_CASE(vmalloc_past_its_end),
	KUNIT_CASE(stack_memory),
	KUNIT_CASE(stack_of_another_task),
	KUNIT_CASE(free_page_of_the_allocator),
	KUNIT_CASE(code_and_constants),
	KUNIT_CASE(user_address_without_a_process),
	KUNIT_CASE(channel_never_opened),
	KUNIT_CASE(channel_closed),
	KUNIT_CASE(handle_of_another_channel),
	KUNIT_CASE(client_deletes_in_closed),
	KUNIT_CASE(debugfs_shows_them),
	KUNIT_CASE(tracepoints_tell_of_them),
	{}
};

struct kunit_suite vmbkmcl_gpadl_suite = {
	.name = "vmbkmcl_gpadl",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = gpadl_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case gpadl_server_cases[] = {
	KUNIT_CASE_PARAM(every_size, page_count_gen_params),
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(the_same_memory_twice),
	KUNIT_CASE(unknown_and_deleted_handles),
	KUNIT_CASE(leftovers_are_deleted_at_close),
	KUNIT_CASE_PARAM_ATTR(thousands_of_cycles, round_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

struct kunit_suite vmbkmcl_gpadl_server_suite = {
	.name = "vmbkmcl_gpadl_server",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = gpadl_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_gpadl_server_suite);
