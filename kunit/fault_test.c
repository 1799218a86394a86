// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs on a host or a kernel in trouble.
 *
 * No server on a real VMBus can be made to fail in most of these ways: such cases
 * run on the fake bus. The cases of failing allocations run on the real bus, so
 * that the allocations of hv_vmbus fail, too.
 */

#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <vmbkmcl/linux.h>

#include "lib/failing.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/job.h"
#include "lib/log.h"
#include "lib/mdls.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define SOME_PAGES	4		/* all in the header message */
#define MANY_PAGES	64		/* header and bodies */

#define PARAMETERS	"/sys/module/vmbkmcl/parameters"

static u32 create(struct kunit *test, struct fake_bus *bus, void *va,
		  unsigned int pages)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							pages * PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	return handle;
}

static NTSTATUS create_fails(struct kunit *test, struct fake_bus *bus, void *va,
			     unsigned int pages)
{
	u32 handle = 0x5eed;
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
						 pages * PAGE_SIZE, &handle);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_TRUE(test, hash_empty(bus->ch->gpadls));
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.failed, 1);
	return status;
}

static bool is_held(void *va)
{
	return page_count(vmalloc_to_page(va)) > 1;
}

static bool in_quarantine(struct kunit *test, struct fake_bus *bus)
{
	const char *text = read_text(test,
				     "/sys/kernel/debug/vmbkmcl/quarantine");

	return strstr(text, bus->ch->name);
}

/* A create or delete that may block, so it runs in a thread of its own */
struct call {
	struct fake_bus *bus;
	void *va;
	unsigned int pages;
	u32 handle;
	NTSTATUS status;
	struct job *job;
};

static void call_create(void *data)
{
	struct call *call = data;

	call->status = VmbChannelCreateGpadlFromBuffer(call->bus->ch, 0,
						       call->va,
						       call->pages * PAGE_SIZE,
						       &call->handle);
}

static void call_delete(void *data)
{
	struct call *call = data;

	VmbChannelDeleteGpadl(call->bus->ch, call->handle);
}

static void call_rescind(void *data)
{
	struct call *call = data;

	fake_bus_rescind(call->bus);
}

/* A case that failed may leave the call blocked. */
static void call_finish(void *data)
{
	struct call *call = data;

	call->bus->teardown_err = 0;
	fake_bus_let_complete(call->bus);
	job_end(call->job);
}

static struct call *call_start_pages(struct kunit *test, struct fake_bus *bus,
				     void (*fn)(void *data), void *va,
				     unsigned int pages, u32 handle)
{
	struct call *call = kunit_kzalloc(test, sizeof(*call), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, call);
	call->bus = bus;
	call->va = va;
	call->pages = pages;
	call->handle = handle;
	call->job = job_start(test, fn, call);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, call_finish,
							call), 0);
	return call;
}

static struct call *call_start(struct kunit *test, struct fake_bus *bus,
			       void (*fn)(void *data), void *va, u32 handle)
{
	return call_start_pages(test, bus, fn, va, 1, handle);
}

/* Creates that fail */

static void create_refused(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, MANY_PAGES * PAGE_SIZE);

	bus->establish_err = -EDQUOT;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, MANY_PAGES),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_FALSE(test, is_held(va));
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

static void refused_create_gives_user_memory_back(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, MANY_PAGES * PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);
	long pins = pins_held(test);

	bus->establish_err = -EDQUOT;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, (void *)addr, MANY_PAGES),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
}

/* A GPADL of one message: if it was not posted, the host knows nothing of it. */
static void header_not_posted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);

	bus->establish_err = -EAGAIN;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, SOME_PAGES),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* Of several messages some may have been posted: the host may use those pages. */
static void body_not_posted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(MANY_PAGES * PAGE_SIZE);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, va);
	page = vmalloc_to_page(va);
	bus->establish_err = -EINVAL;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, MANY_PAGES),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	KUNIT_EXPECT_TRUE(test, in_quarantine(test, bus));
	vfree(va);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);
}

static void body_not_posted_on_a_rescinded_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, MANY_PAGES * PAGE_SIZE);

	bus->establish_err = -EINVAL;
	bus->is_rescinded = true;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, MANY_PAGES),
			STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* A GPADL of one message that the host has, and that can not be torn down. */
static void create_left_at_the_host(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);

	bus->establish_err = -EUCLEAN;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, SOME_PAGES),
			STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_TRUE(test, is_held(va));
	KUNIT_EXPECT_TRUE(test, in_quarantine(test, bus));
	fake_bus_rescind(bus);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* What hv_vmbus returns when the host fails a create, and an open */
static const struct host_error {
	int err;
	NTSTATUS status;
} host_errors[] = {
	{ -EDQUOT, STATUS_INSUFFICIENT_RESOURCES },
	{ -ENOMEM, STATUS_INSUFFICIENT_RESOURCES },
	{ -ENODEV, STATUS_DEVICE_REMOVED },
	{ -EAGAIN, STATUS_UNSUCCESSFUL },
	{ -EINVAL, STATUS_UNSUCCESSFUL },
	{ -ENOBUFS, STATUS_UNSUCCESSFUL },
};

static void host_error_name(const struct host_error *error, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%d", error->err);
}

KUNIT_ARRAY_PARAM(host_error, host_errors, host_error_name);

static NTSTATUS not_opened;

static VOID note_not_opened(VMBCHANNEL ch, NTSTATUS status)
{
	WRITE_ONCE(not_opened, status);
}

static void one_status_for_what_the_host_does(struct kunit *test)
{
	static const guid_t type = GUID_INIT(0x77777777, 0x2222, 0x3333,
					     1, 2, 3, 4, 5, 6, 7, 8);
	const struct host_error *error = test->param_value;
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);

	bus->establish_err = error->err;
	KUNIT_EXPECT_EQ(test, create_fails(test, bus, va, SOME_PAGES),
			error->status);

	bus = fake_bus_create(test);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetPnp(bus->ch, &type, NULL,
							 note_not_opened),
			STATUS_SUCCESS);
	bus->open_err = error->err;
	not_opened = STATUS_SUCCESS;
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(not_opened));
	KUNIT_EXPECT_EQ(test, not_opened, error->status);
}

/* Deletes that fail */

static void teardown_not_posted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(SOME_PAGES * PAGE_SIZE);
	struct page *page;
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	page = vmalloc_to_page(va);
	handle = create(test, bus, va, SOME_PAGES);
	bus->teardown_err = -EAGAIN;
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 0);
	KUNIT_EXPECT_TRUE(test, in_quarantine(test, bus));

	/* The host may still write to the pages: they are never freed. */
	vfree(va);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.unknown_handles, 1);
}

#define TRACING	"/sys/kernel/tracing"

/* The trace and debugfs show the pages that are in quarantine. */
static void quarantine_is_told_of(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(SOME_PAGES * PAGE_SIZE);
	char path[80], line[128], *text;
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	handle = create(test, bus, va, SOME_PAGES);
	bus->teardown_err = -EAGAIN;
	run_shell(test, "echo >" TRACING "/trace; echo 1 >" TRACING
			"/events/vmbkmcl/vmbkmcl_gpadl_quarantine/enable");
	VmbChannelDeleteGpadl(bus->ch, handle);
	run_shell(test, "echo 0 >" TRACING
			"/events/vmbkmcl/vmbkmcl_gpadl_quarantine/enable");
	vfree(va);

	snprintf(line, sizeof(line), "vmbkmcl_gpadl_quarantine: %s handle %#x",
		 bus->ch->name, handle);
	text = read_text(test, TRACING "/trace");
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, line), "%s", text);

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/stats",
		 bus->ch->name);
	text = read_text(test, path);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "gpadls_quarantined 1\n"),
				  "%s", text);
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "gpadls_created 1\n"));
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "gpadls_deleted 0\n"));
}

static void teardown_not_posted_on_a_rescinded_channel(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	u32 handle = create(test, bus, va, SOME_PAGES);

	bus->teardown_err = -EAGAIN;
	bus->is_rescinded = true;
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

static void teardown_out_of_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	u32 handle = create(test, bus, va, SOME_PAGES);

	bus->teardown_nomem = 3;
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->teardowns), 4);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

static struct {
	int (*teardown)(struct kmcl_channel *ch, struct kmcl_bus_gpadl *gpadl);
	unsigned long at;
} last_try;

static int teardown_notes_the_time(struct kmcl_channel *ch,
				   struct kmcl_bus_gpadl *gpadl)
{
	last_try.at = jiffies;
	return last_try.teardown(ch, gpadl);
}

static void teardown_out_of_memory_for_good(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(SOME_PAGES * PAGE_SIZE);
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	handle = create(test, bus, va, SOME_PAGES);
	last_try.teardown = bus->ops.teardown_gpadl;
	bus->ops.teardown_gpadl = teardown_notes_the_time;
	bus->teardown_nomem = INT_MAX;
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_LT(test, jiffies_to_msecs(jiffies - last_try.at), 500);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	KUNIT_EXPECT_TRUE(test, is_held(va));
	vfree(va);
}

static void rescind_ends_the_tries(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	u32 handle = create(test, bus, va, SOME_PAGES);
	struct call *call;

	bus->teardown_nomem = INT_MAX;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->teardowns) >= 3);
	fake_bus_rescind(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_LT(test, atomic_read(&bus->teardowns), 10);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* Slab memory: no reference can be taken, so only its owner keeps it. */

struct owned {
	const char *name;
	void *(*alloc)(void);
	void (*free)(void *va);
	void *va;
};

#define OWNED_ORDER	6		/* header and bodies */
#define OWNED_PAGES	BIT(OWNED_ORDER)

static void *block_alloc(void)
{
	return (void *)__get_free_pages(GFP_KERNEL, OWNED_ORDER);
}

static void block_free(void *va)
{
	free_pages((unsigned long)va, OWNED_ORDER);
}

static struct kmem_cache *owned_cache;

static void *slab_alloc(void)
{
	owned_cache = kmem_cache_create("vmbkmcl_owned", OWNED_PAGES * PAGE_SIZE,
					PAGE_SIZE, 0, NULL);
	return owned_cache ? kmem_cache_alloc(owned_cache, GFP_KERNEL) : NULL;
}

static void slab_free(void *va)
{
	if (va)
		kmem_cache_free(owned_cache, va);
	kmem_cache_destroy(owned_cache);
}

static const struct owned owned_kinds[] = {
	{ "non-compound block", block_alloc, block_free },
	{ "slab", slab_alloc, slab_free },
};

static void owned_name(const struct owned *kind, char *name)
{
	strscpy(name, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(owned, owned_kinds, owned_name);

static void owned_free(void *data)
{
	struct owned *memory = data;

	memory->free(memory->va);
}

static void *get_owned(struct kunit *test)
{
	struct owned *memory = kunit_kzalloc(test, sizeof(*memory), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, memory);
	*memory = *(const struct owned *)test->param_value;
	memory->va = memory->alloc();
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, owned_free,
							memory), 0);
	KUNIT_ASSERT_NOT_NULL(test, memory->va);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(memory->va));
	return memory->va;
}

/* The owner is told by the return of the delete that the memory is free to use. */
static void delete_of_owned_memory_returns_when_told(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	static const char shown[] =
		"%#x %lu bytes linear writable, held by its owner, teardown sent\n";
	char path[80], line[80], *text;
	struct call *call;
	u32 handle;

	handle = create(test, bus, va, OWNED_PAGES);
	bus->teardown_err = -EAGAIN;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->teardowns) >= 3);
	KUNIT_EXPECT_FALSE(test, job_done(call->job));
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 0);

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/gpadls",
		 bus->ch->name);
	snprintf(line, sizeof(line), shown, handle, OWNED_PAGES * PAGE_SIZE);
	text = read_text(test, path);
	KUNIT_EXPECT_STREQ(test, text, line);

	bus->teardown_err = 0;
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_STREQ(test, read_text(test, path), "");
}

static void rescind_ends_a_delete_of_owned_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	struct call *call;
	u32 handle;

	handle = create(test, bus, va, OWNED_PAGES);
	bus->teardown_err = -EAGAIN;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->teardowns) >= 3);
	fake_bus_rescind(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

/* Some messages may have been posted: only a rescind ends the host's access. */
static void half_sent_create_of_owned_memory_waits(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	struct call *call;

	bus->establish_err = -EINVAL;
	call = call_start_pages(test, bus, call_create, va, OWNED_PAGES, 0x5eed);
	ASSERT_EVENTUALLY(test, in_quarantine(test, bus));
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(call->job));
	/* The create holds no lock that other calls on the channel need. */
	bus->establish_err = 0;
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, bus->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_FALSE(test, job_done(call->job));

	fake_bus_rescind(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, call->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, call->handle, 0x5eed);
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

/* The device exists without its driver, and the host still has the memory. */
static void half_sent_create_outlasts_an_unbind(struct kunit *test)
{
	static const char device;
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	struct call *call;

	bus->establish_err = -EINVAL;
	call = call_start_pages(test, bus, call_create, va, OWNED_PAGES, 0x5eed);
	ASSERT_EVENTUALLY(test, in_quarantine(test, bus));
	kmcl_channel_detach(bus->ch, bus);
	kmcl_gpadl_device_unbound(bus, &device);
	/* A rescind of another device of the same bus proves nothing. */
	kmcl_gpadl_device_gone(bus);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(call->job));
	KUNIT_EXPECT_TRUE(test, in_quarantine(test, bus));

	kmcl_gpadl_device_gone(&device);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, call->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

/* The host rescinds, and the bus tells of it, between two questions of the core. */
static bool rescinds_meanwhile(struct kmcl_channel *ch)
{
	struct fake_bus *bus = container_of(ch->pinned, struct fake_bus, ops);

	if (!atomic_read(&bus->establishes) || bus->is_rescinded)
		return bus->is_rescinded;
	WRITE_ONCE(bus->is_rescinded, true);
	kmcl_gpadl_device_gone(bus);
	return false;
}

/* The bus of a sub-channel tells of the rescind while a create is under way. */
static void half_sent_create_while_the_bus_tells(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	struct call *call;

	bus->establish_err = -EINVAL;
	bus->ops.rescinded = rescinds_meanwhile;
	call = call_start_pages(test, bus, call_create, va, OWNED_PAGES, 0x5eed);
	if (!job_returns(call->job)) {
		KUNIT_FAIL(test, "the create waits though the host is gone");
		kmcl_gpadl_device_gone(bus);
	}
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, call->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, call->handle, 0x5eed);
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

/* The quarantine */

static void rescind_gives_the_quarantine_back(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *deleted = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	void *half_sent = get_vmalloc(test, MANY_PAGES * PAGE_SIZE);
	u32 handle;

	handle = create(test, bus, deleted, SOME_PAGES);
	bus->teardown_err = -EAGAIN;
	VmbChannelDeleteGpadl(bus->ch, handle);
	bus->establish_err = -EINVAL;
	create_fails(test, bus, half_sent, MANY_PAGES);
	KUNIT_EXPECT_TRUE(test, is_held(deleted));
	KUNIT_EXPECT_TRUE(test, is_held(half_sent));

	fake_bus_rescind(bus);
	KUNIT_EXPECT_FALSE(test, is_held(deleted));
	KUNIT_EXPECT_FALSE(test, is_held(half_sent));
	KUNIT_EXPECT_FALSE(test, in_quarantine(test, bus));
}

/* A limit bounds what a client that retries can lose to the quarantine. */
static void no_more_gpadls_with_many_in_quarantine(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, MANY_PAGES * PAGE_SIZE);
	u32 handle = 0x5eed;
	unsigned int i;

	bus->establish_err = -EINVAL;
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test,
				VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
								MANY_PAGES *
								PAGE_SIZE,
								&handle),
				STATUS_UNSUCCESSFUL);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 8);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 8);
	fake_bus_rescind(bus);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* VmbChannelTryDeleteGpadl() returns why it failed, and the GPADL stays. */
static void delete_that_says_what_came_of_it(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_owned(test);
	u32 handle = create(test, bus, va, OWNED_PAGES);

	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(NULL, handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(bus->ch, handle + 1),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.unknown_handles, 1);
	bus->teardown_err = -EAGAIN;
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(bus->ch, handle),
			STATUS_UNSUCCESSFUL);
	bus->teardown_nomem = INT_MAX;
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(bus->ch, handle),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 0);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 0);

	bus->teardown_err = 0;
	bus->teardown_nomem = 0;
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(bus->ch, handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_EQ(test, VmbChannelTryDeleteGpadl(bus->ch, handle),
			STATUS_INVALID_PARAMETER_2);
}

/* GPADLs that are left at the close go to quarantine in the same way. */
static void leftover_not_torn_down(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = vmalloc(PAGE_SIZE);
	struct page *page;

	KUNIT_ASSERT_NOT_NULL(test, va);
	page = vmalloc_to_page(va);
	create(test, bus, va, 1);
	bus->teardown_err = -EAGAIN;
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	vfree(va);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);
}

/* Before protocol 4.0 the host forgets with the close: it is told before. */
static void old_protocol_tears_down_before_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);

	bus->is_old = true;
	create(test, bus, va, SOME_PAGES);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->teardowns), 1);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* After the close such a host would not complete the teardown. */
static void old_protocol_is_not_told_after_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);

	bus->is_old = true;
	bus->teardown_err = -EAGAIN;
	create(test, bus, va, SOME_PAGES);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->teardowns), 1);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	KUNIT_EXPECT_TRUE(test, is_held(va));
	fake_bus_rescind(bus);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* hv_vmbus counts handles up in 32 bits, so 0 is one of them. */
static void zero_is_a_handle(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle = 0x5eed;

	bus->next_handle = 0;
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, handle, 0);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->teardowns), 1);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
}

/* Confidential VMs */

static void confidential_vm_refuses_user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);
	long pins = pins_held(test);
	u32 handle = 0x5eed;

	bus->is_confidential = true;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0,
							(void *)addr, PAGE_SIZE,
							&handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
}

/* hv_vmbus would lose the contents, and encrypt what another GPADL shares. */
static void confidential_vm_refuses_kernel_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	u32 handle = 0x5eed;

	bus->is_confidential = true;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							SOME_PAGES * PAGE_SIZE,
							&handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_FALSE(test, is_held(va));
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
}

/* Completions that do not come */

static void delete_blocks_while_mapped(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle = create(test, bus, va, 1);
	struct call *call;

	bus->withhold = true;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(call->job));
	KUNIT_EXPECT_TRUE(test, is_held(va));

	fake_bus_let_complete(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

static void call_disable(void *data)
{
	struct call *call = data;

	VmbChannelDisable(call->bus->ch);
}

/* A server that unmaps only at the close blocks both calls: the log says so. */
static void close_behind_a_delete_is_named(struct kunit *test)
{
	char *first = read_text(test, PARAMETERS "/wait_warn_ms");
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	struct call *delete, *disable;
	char path[80], logged[128], *text;
	u32 handle;

	handle = create(test, bus, va, 1);
	bus->withhold = true;
	delete = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	write_text(test, PARAMETERS "/wait_warn_ms", "50");
	log_record(test);
	snprintf(logged, sizeof(logged),
		 "%s: close, behind another call's wait on the host, (GPADL %#x) has waited for ",
		 bus->ch->name, handle);
	disable = call_start(test, bus, call_disable, NULL, 0);
	is_logged(test, logged);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 0);
	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/state",
		 bus->ch->name);
	snprintf(logged, sizeof(logged),
		 "waiting: close, behind another call's wait on the host, handle %#x for ",
		 handle);
	text = read_text(test, path);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, logged), "%s", text);

	fake_bus_let_complete(bus);
	KUNIT_EXPECT_TRUE(test, job_returns(delete->job));
	KUNIT_EXPECT_TRUE(test, job_returns(disable->job));
	write_text(test, PARAMETERS "/wait_warn_ms", first);
}

/* Only a rescind also ends the wait; no page is held after it. */
static void rescind_ends_a_create(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	struct call *call;

	bus->withhold = true;
	call = call_start(test, bus, call_create, va, 0x5eed);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	fake_bus_rescind(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_EQ(test, call->status, STATUS_DEVICE_REMOVED);
	KUNIT_EXPECT_EQ(test, call->handle, 0x5eed);
	KUNIT_EXPECT_FALSE(test, is_held(va));
	KUNIT_EXPECT_EQ(test, bus->ch->state, KMCL_DISABLED);
}

static void rescind_ends_a_delete(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle = create(test, bus, va, 1);
	struct call *call;

	bus->withhold = true;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	fake_bus_rescind(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* hv_vmbus wakes one waiter, so the others must not wait at the same time. */
static void rescind_with_several_waiters(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct call *calls[4];
	void *va[4];
	int i;

	for (i = 0; i < 4; i++)
		va[i] = get_vmalloc(test, PAGE_SIZE);
	bus->withhold = true;
	for (i = 0; i < 4; i++)
		calls[i] = call_start(test, bus, call_create, va[i], 0x5eed);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	msleep(100);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->waiting), 1);
	fake_bus_rescind(bus);
	for (i = 0; i < 4; i++) {
		KUNIT_ASSERT_TRUE(test, job_returns(calls[i]->job));
		KUNIT_EXPECT_FALSE(test, NT_SUCCESS(calls[i]->status));
		KUNIT_EXPECT_FALSE(test, is_held(va[i]));
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->overlaps), 0);
}

/* The removals of all VMBus devices share one worker; a process must not stop it. */
static void rescind_does_not_wait_for_a_process(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);
	struct call *call;

	create(test, bus, (void *)addr, 1);
	mmap_read_lock(current->mm);
	call = call_start(test, bus, call_rescind, NULL, 0);
	KUNIT_EXPECT_TRUE(test, job_returns(call->job));
	mmap_read_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
}

/*
 * A driver may create and delete in its mmap, fault and close handlers, with its
 * process's mmap_lock held. Lockdep has learned the other order by then, if there is
 * one: the case fails by its report.
 */
static void created_and_deleted_under_mmap_lock(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle;

	VmbChannelDeleteGpadl(bus->ch, create(test, bus, (void *)addr, 1));
	handle = create(test, bus, (void *)addr, 1);
	mmap_write_lock(current->mm);
	VmbChannelDeleteGpadl(bus->ch, create(test, bus, va, 1));
	VmbChannelDeleteGpadl(bus->ch, handle);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 3);
}

/* A driver whose mappings have a GPADL each, created and deleted in its handlers */
struct driver {
	VMBCHANNEL ch;
	void *page;
	NTSTATUS status;
	u32 handle;
	unsigned int faults;
};

static void driver_create(struct driver *driver)
{
	driver->status = VmbChannelCreateGpadlFromBuffer(driver->ch, 0,
							 driver->page,
							 PAGE_SIZE,
							 &driver->handle);
}

static vm_fault_t driver_fault(struct vm_fault *vmf)
{
	struct driver *driver = vmf->vma->vm_private_data;

	VmbChannelDeleteGpadl(driver->ch, driver->handle);
	driver_create(driver);
	driver->faults++;
	vmf->page = vmalloc_to_page(driver->page);
	get_page(vmf->page);
	return 0;
}

static void driver_close(struct vm_area_struct *vma)
{
	struct driver *driver = vma->vm_private_data;

	VmbChannelDeleteGpadl(driver->ch, driver->handle);
}

static const struct vm_operations_struct driver_vm_ops = {
	.fault = driver_fault,
	.close = driver_close,
};

static int driver_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_private_data = file->private_data;
	vma->vm_ops = &driver_vm_ops;
	driver_create(file->private_data);
	return 0;
}

static const struct file_operations driver_ops = {
	.owner = THIS_MODULE,
	.mmap = driver_mmap,
};

/* As above, with the handlers of a driver. The process shares its memory, too. */
static void created_and_deleted_in_handlers(struct kunit *test)
{
	unsigned long own = user_memory_map(test, NULL, PAGE_SIZE,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE), addr;
	struct fake_bus *bus = fake_bus_start(test);
	struct driver driver = {
		.ch = bus->ch,
		.page = get_vmalloc(test, PAGE_SIZE),
	};
	struct file *file;
	u32 handle;

	handle = create(test, bus, (void *)own, 1);
	file = anon_inode_getfile("[vmbkmcl]", &driver_ops, &driver, O_RDWR);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = vm_mmap(file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
		       0);
	fput(file);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(addr));
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 2);
	KUNIT_EXPECT_EQ(test, clear_user((void __user *)addr, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, driver.faults, 1);
	KUNIT_EXPECT_EQ(test, driver.status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 2);
	VmbChannelDeleteGpadl(bus->ch, handle);
	vm_munmap(addr, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.unknown_handles, 0);
}

static void rescind_twice(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);

	create(test, bus, va, 1);
	fake_bus_rescind(bus);
	fake_bus_rescind(bus);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 1);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

/* debugfs names a wait at once, the log after a while, and then repeatedly. */
static void a_long_wait_is_named(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	u32 handle = create(test, bus, va, 1);
	char path[80], line[80], logged[80], *first, *again, *text;
	struct call *call;

	first = read_text(test, PARAMETERS "/wait_warn_ms");
	again = read_text(test, PARAMETERS "/wait_warn_again_ms");
	write_text(test, PARAMETERS "/wait_warn_ms", "50");
	log_record(test);
	bus->withhold = true;
	call = call_start(test, bus, call_delete, va, handle);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	snprintf(logged, sizeof(logged),
		 "%s: GPADL delete (GPADL %#x) has waited for ", bus->ch->name,
		 handle);
	is_logged(test, logged);
	msleep(500);

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/state",
		 bus->ch->name);
	snprintf(line, sizeof(line), "waiting: GPADL delete handle %#x for ",
		 handle);
	text = read_text(test, path);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, line), "%s", text);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.deleted, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->ch->long_waits), 1);

	fake_bus_let_complete(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	KUNIT_EXPECT_NULL(test, strstr(read_text(test, path), "waiting:"));

	handle = create(test, bus, va, 1);
	write_text(test, PARAMETERS "/wait_warn_again_ms", "50");
	bus->withhold = true;
	call = call_start(test, bus, call_delete, va, handle);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->ch->long_waits) >= 4);
	fake_bus_let_complete(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	write_text(test, PARAMETERS "/wait_warn_ms", first);
	write_text(test, PARAMETERS "/wait_warn_again_ms", again);
}

/* This time the log names it once. */
static void a_long_wait_is_named_once(struct kunit *test)
{
	char *first = read_text(test, PARAMETERS "/wait_warn_ms");
	char *again = read_text(test, PARAMETERS "/wait_warn_again_ms");
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, PAGE_SIZE);
	struct call *call;

	write_text(test, PARAMETERS "/wait_warn_ms", "50");
	write_text(test, PARAMETERS "/wait_warn_again_ms", "0");
	bus->withhold = true;
	call = call_start(test, bus, call_create, va, 0);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->ch->long_waits));
	msleep(500);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->ch->long_waits), 1);
	fake_bus_let_complete(bus);
	KUNIT_ASSERT_TRUE(test, job_returns(call->job));
	write_text(test, PARAMETERS "/wait_warn_ms", first);
	write_text(test, PARAMETERS "/wait_warn_again_ms", again);
}

/* Only the one of two waits that is long enough is named. */
static void named_at_its_own_time(struct kunit *test)
{
	static const char *const after_ms[2][2] = { { "60000", "50" },
						    { "500", "60000" } };
	char *first = read_text(test, PARAMETERS "/wait_warn_ms");
	struct fake_bus *bus[2];
	struct call *call[2];
	unsigned int n, i;
	void *va;

	for (n = 0; n < 2; n++) {
		for (i = 0; i < 2; i++) {
			bus[i] = fake_bus_start(test);
			va = get_vmalloc(test, PAGE_SIZE);
			write_text(test, PARAMETERS "/wait_warn_ms",
				   after_ms[n][i]);
			bus[i]->withhold = true;
			call[i] = call_start(test, bus[i], call_create, va, 0);
			ASSERT_EVENTUALLY(test, atomic_read(&bus[i]->waiting));
		}
		EXPECT_EVENTUALLY(test, atomic_read(&bus[!n]->ch->long_waits));
		KUNIT_EXPECT_EQ(test, atomic_read(&bus[n]->ch->long_waits), 0);
		for (i = 0; i < 2; i++) {
			fake_bus_let_complete(bus[i]);
			KUNIT_ASSERT_TRUE(test, job_returns(call[i]->job));
		}
	}
	write_text(test, PARAMETERS "/wait_warn_ms", first);
}

/* Allocations that fail */

/* Every allocation fails once; the call must fail cleanly or do without it. */
static void fail_each_allocation(struct kunit *test, void *addr, u32 bytes)
{
	struct server *srv = server_open(test);
	unsigned int nth, failures = 0;
	long pins = pins_held(test);
	NTSTATUS status;
	bool failed;
	u32 handle;

	for (nth = 1; nth < MOST_ALLOCATIONS; nth++) {
		handle = 0x5eed;
		fail_nth(nth);
		status = VmbChannelCreateGpadlFromBuffer(srv->ch, 0, addr,
							 bytes, &handle);
		failed = has_failed();
		fail_nth(0);
		if (NT_SUCCESS(status)) {
			VmbChannelDeleteGpadl(srv->ch, handle);
		} else {
			KUNIT_EXPECT_TRUE(test, failed);
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_EQ(test, handle, 0x5eed);
			failures++;
		}
		KUNIT_EXPECT_EQ(test, pins_held(test), pins);
		KUNIT_EXPECT_TRUE(test, hash_empty(srv->ch->gpadls));
		if (!failed)
			break;
	}
	kunit_info(test, "%u allocations, %u of them cannot be done without",
		   nth - 1, failures);
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_GE(test, failures, 3);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.quarantined, 0);
}

static void each_allocation_fails_for_vmalloc_memory(struct kunit *test)
{
	void *va = get_vmalloc(test, MANY_PAGES * PAGE_SIZE);

	fail_each_allocation(test, va, MANY_PAGES * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, is_held(va));
}

static void each_allocation_fails_for_user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, MANY_PAGES * PAGE_SIZE,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);

	/* The pages are present: only the module's allocations fail. */
	user_memory_write_pattern(test, addr, MANY_PAGES * PAGE_SIZE, 1);
	fail_each_allocation(test, (void *)addr, MANY_PAGES * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
}

/* The delete's one allocation is hv_vmbus's; it is tried again. */
static void each_allocation_fails_in_delete(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, SOME_PAGES * PAGE_SIZE);
	unsigned int nth;
	bool failed = true;
	u32 handle;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		KUNIT_ASSERT_EQ(test,
				VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
								PAGE_SIZE,
								&handle),
				STATUS_SUCCESS);
		fail_nth(nth);
		VmbChannelDeleteGpadl(srv->ch, handle);
		failed = has_failed();
		fail_nth(0);
		KUNIT_EXPECT_FALSE(test, is_held(va));
		KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
	}
	KUNIT_EXPECT_GT(test, nth, 2);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.quarantined, 0);
}

static unsigned int fail_each_of_a_channel(struct kunit *test)
{
	unsigned int nth, failures = 0;
	bool failed = true;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		VMBCHANNEL ch = NULL;
		NTSTATUS status;

		fail_nth(nth);
		status = VmbChannelAllocate(NULL, 0, &ch);
		failed = has_failed();
		fail_nth(0);
		if (NT_SUCCESS(status)) {
			VmbChannelCleanup(ch);
		} else {
			KUNIT_EXPECT_EQ(test, status,
					STATUS_INSUFFICIENT_RESOURCES);
			KUNIT_EXPECT_NULL(test, ch);
			failures++;
		}
	}
	return failures;
}

/*
 * KASAN and kmemleak allocate as well, in some calls more than in others: then the
 * nth is not the one after the last, and one is left out.
 */
static void each_allocation_fails_in_channel_allocate(struct kunit *test)
{
	unsigned int failures, rounds = 0;

	do {
		failures = fail_each_of_a_channel(test);
	} while (failures < 2 && ++rounds < 10);
	KUNIT_EXPECT_GE(test, failures, 2);
}

static struct kunit_case fault_cases[] = {
	KUNIT_CASE(create_refused),
	KUNIT_CASE(refused_create_gives_user_memory_back),
	KUNIT_CASE(header_not_posted),
	KUNIT_CASE(body_not_posted),
	KUNIT_CASE(body_not_posted_on_a_rescinded_channel),
	KUNIT_CASE(create_left_at_the_host),
	KUNIT_CASE_PARAM(one_status_for_what_the_host_does,
			 host_error_gen_params),
	KUNIT_CASE(teardown_not_posted),
	KUNIT_CASE(quarantine_is_told_of),
	KUNIT_CASE(teardown_not_posted_on_a_rescinded_channel),
	KUNIT_CASE(teardown_out_of_memory),
	KUNIT_CASE_SLOW(teardown_out_of_memory_for_good),
	KUNIT_CASE(rescind_ends_the_tries),
	KUNIT_CASE_PARAM(delete_of_owned_memory_returns_when_told,
			 owned_gen_params),
	KUNIT_CASE_PARAM(rescind_ends_a_delete_of_owned_memory,
			 owned_gen_params),
	KUNIT_CASE_PARAM(half_sent_create_of_owned_memory_waits,
			 owned_gen_params),
	KUNIT_CASE_PARAM(half_sent_create_outlasts_an_unbind, owned_gen_params),
	KUNIT_CASE_PARAM(half_sent_create_while_the_bus_tells, owned_gen_params),
	KUNIT_CASE_PARAM_ATTR(delete_that_says_what_came_of_it,
			      owned_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE(rescind_gives_the_quarantine_back),
	KUNIT_CASE(no_more_gpadls_with_many_in_quarantine),
	KUNIT_CASE(leftover_not_torn_down),
	KUNIT_CASE(old_protocol_tears_down_before_the_close),
	KUNIT_CASE(old_protocol_is_not_told_after_the_close),
	KUNIT_CASE(zero_is_a_handle),
	KUNIT_CASE(confidential_vm_refuses_user_memory),
	KUNIT_CASE(confidential_vm_refuses_kernel_memory),
	KUNIT_CASE(delete_blocks_while_mapped),
	KUNIT_CASE(close_behind_a_delete_is_named),
	KUNIT_CASE(rescind_ends_a_create),
	KUNIT_CASE(rescind_ends_a_delete),
	KUNIT_CASE(rescind_with_several_waiters),
	KUNIT_CASE(rescind_does_not_wait_for_a_process),
	KUNIT_CASE(created_and_deleted_under_mmap_lock),
	KUNIT_CASE(created_and_deleted_in_handlers),
	KUNIT_CASE(rescind_twice),
	KUNIT_CASE_SLOW(a_long_wait_is_named),
	KUNIT_CASE_SLOW(a_long_wait_is_named_once),
	KUNIT_CASE_SLOW(named_at_its_own_time),
	KUNIT_CASE(each_allocation_fails_in_channel_allocate),
	{}
};

struct kunit_suite vmbkmcl_fault_suite = {
	.name = "vmbkmcl_fault",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = fault_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case fault_server_cases[] = {
	KUNIT_CASE_SLOW(each_allocation_fails_for_vmalloc_memory),
	KUNIT_CASE_SLOW(each_allocation_fails_for_user_memory),
	KUNIT_CASE(each_allocation_fails_in_delete),
	{}
};

struct kunit_suite vmbkmcl_fault_server_suite = {
	.name = "vmbkmcl_fault_server",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = fault_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_fault_server_suite);
