// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that writes to all memory that it may have, all the time: to a GPADL from the
 * create until it has completed the teardown, and to what a create that failed half
 * way has told it of until it rescinds the device.
 *
 * Whatever goes wrong: the owner frees the memory as soon as a call tells that it may,
 * and if this module holds the memory, before that. Then nobody else's memory may
 * change. KASAN and the poisoning of free pages look for writes that these cases miss.
 */

#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "lib/fake_bus.h"
#include "lib/job.h"
#include "lib/mdls.h"
#include "lib/user_memory.h"
#include "suites.h"

#define PAGES		30		/* more than the header message has */
#define BYTES		(PAGES * PAGE_SIZE)
#define AROUND		PAGE_SIZE	/* memory of the owner's on either side */
#define ALL		(BYTES + 2 * AROUND)
#define ORDER		5		/* pages of a block for ALL */
#define CANARY		0x5c
#define NOT_YET_MS	100

/* What goes wrong, and how the GPADL ends */

enum end { DELETE, CLOSE, RESCIND };

static const struct way {
	const char *name;
	enum end end;
	int establish_err;
	int teardown_err;
	int teardown_nomem;
	bool old;		/* GPADLs go before the close */
	bool rescind_in_create;
	bool rescind_in_end;
} ways[] = {
	{ "deleted", DELETE },
	{ "deleted at the second try", DELETE, .teardown_nomem = 1 },
	{ "delete not posted", DELETE, .teardown_err = -EAGAIN },
	{ "rescinded in the delete", DELETE, .rescind_in_end = true },
	{ "left at the close", CLOSE },
	{ "left at the close, not posted", CLOSE, .teardown_err = -EAGAIN },
	{ "rescinded in the close", CLOSE, .rescind_in_end = true },
	{ "left at the close of an old host", CLOSE, .old = true },
	{ "left at the close of an old host, not posted", CLOSE, .old = true,
	  .teardown_err = -EAGAIN },
	{ "rescinded", RESCIND },
	{ "refused", DELETE, .establish_err = -EDQUOT },
	{ "no memory for the messages", DELETE, .establish_err = -ENOMEM },
	{ "half sent", DELETE, .establish_err = -EINVAL },
	{ "rescinded in the create", DELETE, .rescind_in_create = true },
};

/* Memory, and how it is shared */

struct story;

struct kind {
	const char *name;
	void (*alloc)(struct story *story);
	void (*free)(struct story *story);
	NTSTATUS (*create)(struct story *story);
};

/**
 * struct story - one kind of memory, shared in one way
 * @test: the case
 * @bus: its bus
 * @kind: the kind of memory
 * @way: what goes wrong
 * @mm: of the owner, for user memory
 * @all: ALL bytes of the owner's; AROUND from its ends is what is shared
 * @freed: the owner has freed @all
 * @cache: for slab memory
 * @mdl: for memory that an MDL describes
 * @status: of the create
 * @handle: of the GPADL
 */
struct story {
	struct kunit *test;
	struct fake_bus *bus;
	const struct kind *kind;
	const struct way *way;
	struct mm_struct *mm;
	void *all;
	bool freed;
	struct kmem_cache *cache;
	PMDL mdl;
	NTSTATUS status;
	u32 handle;
};

static void *shared(const struct story *story)
{
	return story->all + AROUND;
}

static bool is_user(const struct story *story)
{
	return (unsigned long)story->all < TASK_SIZE;
}

static void vmalloc_alloc(struct story *story)
{
	story->all = vmalloc(ALL);
}

static void vmalloc_free(struct story *story)
{
	vfree(story->all);
}

static void compound_alloc(struct story *story)
{
	story->all = (void *)__get_free_pages(GFP_KERNEL | __GFP_COMP, ORDER);
}

static void block_alloc(struct story *story)
{
	story->all = (void *)__get_free_pages(GFP_KERNEL, ORDER);
}

static void block_free(struct story *story)
{
	free_pages((unsigned long)story->all, ORDER);
}

static void slab_alloc(struct story *story)
{
	story->cache = kmem_cache_create("vmbkmcl_scribble", ALL, PAGE_SIZE, 0,
					 NULL);
	if (story->cache)
		story->all = kmem_cache_alloc(story->cache, GFP_KERNEL);
}

static void slab_free(struct story *story)
{
	kmem_cache_free(story->cache, story->all);
	kmem_cache_destroy(story->cache);
}

static void kmalloc_alloc(struct story *story)
{
	story->all = kmalloc(PAGE_SIZE << ORDER, GFP_KERNEL);
}

static void kmalloc_free(struct story *story)
{
	kfree(story->all);
}

static void user_map(struct story *story, struct file *file,
		     unsigned long flags)
{
	unsigned long addr = user_memory_map(story->test, file, ALL,
					     PROT_READ | PROT_WRITE, flags);

	story->mm = current->mm;
	story->all = (void *)addr;
}

static void user_alloc(struct story *story)
{
	user_map(story, NULL, MAP_ANONYMOUS | MAP_PRIVATE);
}

static void tmpfs_alloc(struct story *story)
{
	struct file *file = user_memory_file(story->test, "/dev/shm/scribble",
					     ALL);

	user_map(story, file, MAP_SHARED);
}

static void user_free(struct story *story)
{
	vm_munmap((unsigned long)story->all, ALL);
}

static void mdl_alloc(struct story *story)
{
	vmalloc_alloc(story);
	KUNIT_ASSERT_NOT_NULL(story->test, story->all);
	story->mdl = kernel_mdl(story->test, shared(story), BYTES);
}

static void user_mdl_alloc(struct story *story)
{
	user_alloc(story);
	story->mdl = lock_mdl(story->test, shared(story), BYTES, UserMode,
			      IoModifyAccess);
}

static void user_mdl_free(struct story *story)
{
	MmUnlockPages(story->mdl);
	user_free(story);
}

static NTSTATUS create_buffer(struct story *story)
{
	return VmbChannelCreateGpadlFromBuffer(story->bus->ch, 0, shared(story),
					       BYTES, &story->handle);
}

static NTSTATUS create_mdl(struct story *story)
{
	return VmbChannelCreateGpadlFromMdl(story->bus->ch, 0, story->mdl, 0, 0,
					    &story->handle);
}

static NTSTATUS create_pfns(struct story *story)
{
	return VmbChannelCreateGpadlFromPfnList(story->bus->ch, 0,
						MmGetMdlPfnArray(story->mdl),
						BYTES / MDL_PAGE_SIZE,
						&story->handle);
}

static const struct kind kinds[] = {
	{ "vmalloc", vmalloc_alloc, vmalloc_free, create_buffer },
	{ "compound", compound_alloc, block_free, create_buffer },
	{ "block", block_alloc, block_free, create_buffer },
	{ "slab", slab_alloc, slab_free, create_buffer },
	{ "kmalloc", kmalloc_alloc, kmalloc_free, create_buffer },
	{ "user", user_alloc, user_free, create_buffer },
	{ "tmpfs", tmpfs_alloc, user_free, create_buffer },
	{ "MDL", mdl_alloc, vmalloc_free, create_mdl },
	{ "user MDL", user_mdl_alloc, user_mdl_free, create_mdl },
	{ "PFNs", mdl_alloc, vmalloc_free, create_pfns },
};

/* The parameters are all kinds in all ways. */
KUNIT_GENERATOR(story_gen_params, prev, name)
{
	unsigned long n = (unsigned long)prev;

	if (n == ARRAY_SIZE(kinds) * ARRAY_SIZE(ways))
		return NULL;
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s: %s",
		 kinds[n / ARRAY_SIZE(ways)].name,
		 ways[n % ARRAY_SIZE(ways)].name);
	return (void *)(n + 1);
}

/* True if the memory has a page without a reference to take. */
static bool is_owned(const struct story *story)
{
	void *va = shared(story);
	struct page *page;
	unsigned int i;

	if (is_user(story) || is_vmalloc_addr(va))
		return false;
	for (i = 0; i < PAGES; i++) {
		page = virt_to_page(va + i * PAGE_SIZE);
		if (folio_test_slab(page_folio(page)) || !page_count(page))
			return true;
	}
	return false;
}

/* The owner's bytes from @from on are all @value. */
static bool has_only(const struct story *story, size_t from, size_t size,
		     u8 value)
{
	u8 *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	bool same = page;

	for (; same && size; from += PAGE_SIZE, size -= PAGE_SIZE) {
		if (is_user(story))
			same = !copy_from_user(page, (void __user *)story->all +
						     from, PAGE_SIZE);
		else
			memcpy(page, story->all + from, PAGE_SIZE);
		same = same && !memchr_inv(page, value, PAGE_SIZE);
	}
	kfree(page);
	return same;
}

static void fill(struct story *story)
{
	size_t i;
	u8 *page;

	if (!is_user(story)) {
		memset(story->all, CANARY, ALL);
		return;
	}
	page = kunit_kzalloc(story->test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(story->test, page);
	memset(page, CANARY, PAGE_SIZE);
	for (i = 0; i < ALL; i += PAGE_SIZE)
		KUNIT_ASSERT_EQ(story->test,
				copy_to_user((void __user *)story->all + i,
					     page, PAGE_SIZE), 0);
}

/*
 * True if KASAN forbids all access to the memory after the free, even if this module
 * holds its pages, and would report the writes of the host.
 */
static bool is_poisoned_by_free(const struct story *story)
{
	return IS_ENABLED(CONFIG_KASAN) && story->kind->free == kmalloc_free;
}

static void story_free(struct story *story)
{
	if (story->freed)
		return;
	if (is_poisoned_by_free(story))
		fake_bus_rescind(story->bus);
	KUNIT_EXPECT_TRUE(story->test, has_only(story, 0, AROUND, CANARY));
	KUNIT_EXPECT_TRUE(story->test, has_only(story, AROUND + BYTES, AROUND,
						CANARY));
	story->kind->free(story);
	story->freed = true;
}

static void do_create(void *data)
{
	struct story *story = data;

	if (story->mm)
		kthread_use_mm(story->mm);
	story->status = story->kind->create(story);
	if (story->mm)
		kthread_unuse_mm(story->mm);
}

static void do_end(void *data)
{
	struct story *story = data;

	if (story->way->end == DELETE)
		VmbChannelDeleteGpadl(story->bus->ch, story->handle);
	else if (story->way->end == CLOSE)
		VmbChannelDisable(story->bus->ch);
	else
		fake_bus_rescind(story->bus);
}

/* The call waits for the host, which rescinds the device instead. */
static void rescind_in(struct story *story, struct job *job)
{
	ASSERT_EVENTUALLY(story->test, atomic_read(&story->bus->waiting) == 1);
	KUNIT_EXPECT_FALSE(story->test, job_done(job));
	fake_bus_rescind(story->bus);
}

/* The call must not return, as the owner would then free the memory. */
static void rescind_after(struct story *story, struct job *job)
{
	msleep(NOT_YET_MS);
	KUNIT_EXPECT_FALSE(story->test, job_done(job));
	fake_bus_rescind(story->bus);
}

static void story_create(struct story *story)
{
	const struct way *way = story->way;
	struct fake_bus *bus = story->bus;
	struct job *job;

	bus->establish_err = way->establish_err;
	bus->withhold = way->rescind_in_create;
	job = job_start(story->test, do_create, story);
	if (way->rescind_in_create)
		rescind_in(story, job);
	else if (way->establish_err == -EINVAL && is_owned(story))
		rescind_after(story, job);
	job_join(story->test, job);
	KUNIT_EXPECT_EQ(story->test, NT_SUCCESS(story->status),
			!way->establish_err && !way->rescind_in_create);
}

static void story_end(struct story *story)
{
	const struct way *way = story->way;
	struct fake_bus *bus = story->bus;
	bool owned = is_owned(story);
	struct job *job;

	/* The host does write. */
	KUNIT_EXPECT_TRUE(story->test, has_only(story, AROUND, BYTES,
						FAKE_SCRIBBLE));
	if (!owned && !is_poisoned_by_free(story))
		story_free(story);
	bus->is_old = way->old;
	bus->teardown_err = way->teardown_err;
	bus->teardown_nomem = way->teardown_nomem;
	bus->withhold = way->rescind_in_end;
	job = job_start(story->test, do_end, story);
	if (way->rescind_in_end)
		rescind_in(story, job);
	else if (way->teardown_err && owned)
		rescind_after(story, job);
	job_join(story->test, job);
}

/* Whoever gets the memory next has it alone. */
static void no_other_memory_changes(struct story *story)
{
	struct page *blocks[4 * PAGES];
	unsigned int i, order, changed = 0;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		order = i % PAGES ? 0 : ORDER;
		blocks[i] = alloc_pages(GFP_KERNEL, order);
		if (blocks[i])
			memset(page_address(blocks[i]), CANARY,
			       PAGE_SIZE << order);
	}
	/* Twice: as the host did it before, and as its work item does it now. */
	fake_bus_scribble(story->bus);
	msleep(20);
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		order = i % PAGES ? 0 : ORDER;
		if (!blocks[i])
			continue;
		changed += !!memchr_inv(page_address(blocks[i]), CANARY,
					PAGE_SIZE << order);
		__free_pages(blocks[i], order);
	}
	KUNIT_EXPECT_EQ(story->test, changed, 0);
}

static void host_writes_where_it_may(struct kunit *test)
{
	unsigned long n = (unsigned long)test->param_value - 1;
	struct story *story = kunit_kzalloc(test, sizeof(*story), GFP_KERNEL);
	long pins = pins_held(test);

	KUNIT_ASSERT_NOT_NULL(test, story);
	story->test = test;
	story->kind = &kinds[n / ARRAY_SIZE(ways)];
	story->way = &ways[n % ARRAY_SIZE(ways)];
	story->bus = fake_bus_start(test);
	story->bus->scribbles = true;
	story->kind->alloc(story);
	KUNIT_ASSERT_NOT_NULL(test, story->all);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(story->all));
	fill(story);

	story_create(story);
	if (NT_SUCCESS(story->status))
		story_end(story);
	/* Every call has returned: the memory is the owner's. */
	story_free(story);
	no_other_memory_changes(story);
	fake_bus_rescind(story->bus);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	if (story->mm)
		KUNIT_EXPECT_EQ(test, pinned_pages(story->mm), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&story->bus->overlaps), 0);
}

static struct kunit_case scribble_cases[] = {
	KUNIT_CASE_PARAM_ATTR(host_writes_where_it_may, story_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

struct kunit_suite vmbkmcl_scribble_suite = {
	.name = "vmbkmcl_scribble",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = scribble_cases,
};
