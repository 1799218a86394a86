// SPDX-License-Identifier: GPL-2.0-only
/* GPADLs of MDLs: which MDLs can be shared; the server sees the same bytes. */

#include <linux/crc32.h>
#include <linux/gfp.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../vmbkmcl/gpadl.h"
#include "lib/failing.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "lib/mdls.h"
#include "lib/owner.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define PAGES		4
#define BYTES		(PAGES * PAGE_SIZE)
#define SEED		6

static u32 share(struct kunit *test, VMBCHANNEL ch, PMDL mdl, u32 offset,
		 u32 len, u32 flags)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromMdl(ch, flags, mdl, offset,
						     len, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, handle, 0);
	return handle;
}

static void refused(struct kunit *test, struct fake_bus *bus, PMDL mdl,
		    u32 offset, u32 len, NTSTATUS status)
{
	u32 handle = 0x5eed;

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 0, mdl, offset,
						     len, &handle), status);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
}

/* A chain of two MDLs of whole pages, in the reverse order of their addresses. */
static PMDL two_segments(struct kunit *test, void *va)
{
	PMDL first = kernel_mdl(test, va + 2 * PAGE_SIZE, 2 * PAGE_SIZE);

	first->Next = kernel_mdl(test, va, 2 * PAGE_SIZE);
	return first;
}

static void chain_of_whole_pages(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = two_segments(test, va);
	u32 handle;

	fill_pattern(va + 2 * PAGE_SIZE, 2 * PAGE_SIZE, SEED, 0);
	fill_pattern(va, 2 * PAGE_SIZE, SEED, 2 * PAGE_SIZE);
	handle = share(test, srv->ch, mdl, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle), BYTES);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			~crc32_le(crc32_le(~0, va + 2 * PAGE_SIZE,
					   2 * PAGE_SIZE), va, 2 * PAGE_SIZE));
	server_fill(test, srv, handle, 8);
	KUNIT_EXPECT_TRUE(test, has_pattern(va + 2 * PAGE_SIZE, 2 * PAGE_SIZE,
					    8, 0));
	KUNIT_EXPECT_TRUE(test, has_pattern(va, 2 * PAGE_SIZE, 8,
					    2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 2);
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
}

static void part_of_a_chain(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = two_segments(test, va);
	u32 handle;

	fill_pattern(va, BYTES, SEED, 0);
	/* From the second page of the first MDL into the second MDL. */
	handle = share(test, srv->ch, mdl, PAGE_SIZE, PAGE_SIZE + 1, READ_ONLY);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle),
			PAGE_SIZE + KMCL_HV_PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			~crc32_le(crc32_le(~0, va + 3 * PAGE_SIZE, PAGE_SIZE),
				  va, KMCL_HV_PAGE_SIZE));
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
}

static void user_memory(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct server *srv = server_open(test);
	PMDL mdl = lock_mdl(test, (void *)addr, BYTES, UserMode,
			    IoModifyAccess);
	u32 handle = share(test, srv->ch, mdl, 0, 0, 0);

	server_fill(test, srv, handle, 9);
	KUNIT_EXPECT_TRUE(test, user_memory_has_pattern(addr, BYTES, 9));
	VmbChannelDeleteGpadl(srv->ch, handle);
}

/* Rights */

static PMDL read_locked_file(struct kunit *test, size_t size)
{
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, PROT_READ,
					     MAP_SHARED);

	return lock_mdl(test, (void *)addr, size, UserMode, IoReadAccess);
}

static void locked_for_reading(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PMDL whole = read_locked_file(test, BYTES);
	PMDL part = get_mdl(test, MmGetMdlVirtualAddress(whole), BYTES);
	PMDL chain = kernel_mdl(test, get_vmalloc(test, PAGE_SIZE), PAGE_SIZE);
	void *va;

	refused(test, bus, whole, 0, 0, STATUS_ACCESS_DENIED);
	IoBuildPartialMdl(whole, part,
			  MmGetMdlVirtualAddress(whole) + PAGE_SIZE, PAGE_SIZE);
	refused(test, bus, part, 0, 0, STATUS_ACCESS_DENIED);
	chain->Next = part;
	refused(test, bus, chain, 0, 0, STATUS_ACCESS_DENIED);

	/* Nor through the kernel's mapping of it, which is read-only. */
	va = MmGetSystemAddressForMdlSafe(whole, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, va);
	refused(test, bus, kernel_mdl(test, va, BYTES), 0, 0,
		STATUS_ACCESS_DENIED);

	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, chain, 0, 0,
					     READ_ONLY));
	/* What is not a part of the GPADL does not matter. */
	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, chain, 0, PAGE_SIZE,
					     0));
}

static void owner_is_gone(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct owner *owner = owner_start(test, NULL);
	u32 handle;

	KUNIT_ASSERT_EQ(test, owner->status, STATUS_SUCCESS);
	handle = share(test, srv->ch, owner->mdl, 0, 0, 0);
	owner_kill(test, owner);
	server_fill(test, srv, handle, 10);
	KUNIT_EXPECT_TRUE(test,
			  has_pattern(MmGetSystemAddressForMdlSafe(owner->mdl,
								   0),
				      OWNER_BYTES, 10, 0));
	VmbChannelDeleteGpadl(srv->ch, handle);
	MmUnlockPages(owner->mdl);
	IoFreeMdl(owner->mdl);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), 0);
}

/* The client breaks the contract, but no page is reused all the same. */
static void given_away_early(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = (void *)__get_free_page(GFP_KERNEL);
	struct page *page = virt_to_page(va);
	u32 handle = share(test, bus->ch, kernel_mdl(test, va, PAGE_SIZE), 0, 0,
			   0);

	get_page(page);
	free_page((unsigned long)va);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
	put_page(page);
}

static void not_torn_down(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);
	u32 handle = share(test, bus->ch, two_segments(test, va), 0, 0, 0);
	const char *text;

	bus->teardown_err = -EAGAIN;
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.quarantined, 1);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 2);
	text = read_text(test, "/sys/kernel/debug/vmbkmcl/quarantine");
	KUNIT_EXPECT_NOT_NULL(test, strstr(text, "bytes MDL writable"));
}

static void refused_by_the_host(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);
	u32 handle = 0x5eed;

	bus->establish_err = -EDQUOT;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 0,
						     two_segments(test, va), 0,
						     0,
						     &handle),
			STATUS_INSUFFICIENT_RESOURCES);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
}

static void left_at_the_close(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);

	share(test, bus->ch, two_segments(test, va), 0, 0, 0);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, bus->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
}

static void bad_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = two_segments(test, va);
	u32 handle = 0x5eed;

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(NULL, 0, mdl, 0, 0,
						     &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 2, mdl, 0, 0,
						     &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 0, mdl, 0, 0,
						     NULL),
			STATUS_INVALID_PARAMETER_6);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	refused(test, bus, NULL, 0, 0, STATUS_INVALID_PARAMETER_3);
	refused(test, bus, get_mdl(test, va, BYTES), 0, 0,
		STATUS_INVALID_PARAMETER_3);
	refused(test, bus, mdl, BYTES, 0, STATUS_INVALID_PARAMETER_4);
	refused(test, bus, mdl, U32_MAX, U32_MAX, STATUS_INVALID_PARAMETER_4);
	refused(test, bus, mdl, 0, BYTES + 1, STATUS_INVALID_PARAMETER_5);
	refused(test, bus, mdl, PAGE_SIZE, U32_MAX, STATUS_INVALID_PARAMETER_5);
	/* A chain that is a circle */
	mdl->Next->Next = mdl;
	refused(test, bus, mdl, 0, 0, STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);

	VmbChannelDisable(bus->ch);
	refused(test, bus, mdl, 0, 1, STATUS_INVALID_DEVICE_STATE);
}

/* A GPADL has whole pages, so neither chain can be shared. */
static void unaligned_segments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = kernel_mdl(test, va + 100, PAGE_SIZE - 100);

	refused(test, bus, mdl, 0, 0, STATUS_INVALID_PARAMETER_4);
	mdl = two_segments(test, va);
	refused(test, bus, mdl, 1, 0, STATUS_INVALID_PARAMETER_4);
	refused(test, bus, mdl, PAGE_SIZE - 1, 1, STATUS_INVALID_PARAMETER_4);

	/* The second begins within a page. */
	mdl->Next = kernel_mdl(test, va + 8, 8);
	refused(test, bus, mdl, 0, 0, STATUS_INVALID_PARAMETER_3);
	/* The first ends within one. */
	mdl = kernel_mdl(test, va, PAGE_SIZE - 8);
	mdl->Next = kernel_mdl(test, va + PAGE_SIZE, PAGE_SIZE);
	refused(test, bus, mdl, 0, 0, STATUS_INVALID_PARAMETER_3);
	mdl->Next = kernel_mdl(test, va, PAGE_SIZE);
	refused(test, bus, mdl, 0, 0, STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);

	/* But it may end there if that is the end. */
	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, mdl, 0,
					     PAGE_SIZE - 8, 0));
	/* It may start within one MDL of the chain, where a page begins. */
	mdl = kernel_mdl(test, va + 100, BYTES - 100);
	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, mdl,
					     PAGE_SIZE - 100, 0, 0));
}

/* One page, over and over, in one MDL and in many. */
static PMDL many_pages(struct kunit *test, void *va, u32 pages)
{
	PMDL mdl = get_mdl(test, va, pages * PAGE_SIZE);
	PFN_NUMBER pfn = vmalloc_to_pfn(va);
	u32 ratio = PAGE_SIZE / 4096, i;

	mdl->MdlFlags = MDL_PAGES_LOCKED | MDL_WRITE_OPERATION;
	for (i = 0; i < pages * ratio; i++)
		MmGetMdlPfnArray(mdl)[i] = pfn * ratio + i % ratio;
	return mdl;
}

static void too_large(struct kunit *test)
{
	u32 most = KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE / PAGE_SIZE;
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = many_pages(test, va, most);

	mdl->Next = many_pages(test, va, 1);
	refused(test, bus, mdl, 0, 0, STATUS_INVALID_BUFFER_SIZE);
	refused(test, bus, mdl, 0, most * PAGE_SIZE + 1,
		STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, mdl, PAGE_SIZE, 0,
					     0));
	KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
}

static void slab_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	PMDL mdl = kernel_mdl(test, va, PAGE_SIZE);

	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(va));
	if (folio_test_slab(virt_to_folio(va)))
		refused(test, bus, mdl, 0, PAGE_SIZE - 1,
			STATUS_INVALID_BUFFER_SIZE);
	VmbChannelDeleteGpadl(bus->ch, share(test, bus->ch, mdl, 0, 0, 0));
}

static void user_part_of_the_last_page(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, BYTES,
					     PROT_READ | PROT_WRITE,
					     MAP_ANONYMOUS | MAP_PRIVATE);
	struct fake_bus *bus = fake_bus_start(test);

	refused(test, bus, lock_mdl(test, (void *)addr, BYTES, UserMode,
				    IoModifyAccess), 0, PAGE_SIZE + 1,
		STATUS_INVALID_BUFFER_SIZE);
}

static void memory_of_nobody(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PMDL mdl = get_mdl(test, (void *)PAGE_SIZE, PAGE_SIZE);
	u32 i;

	mdl->MdlFlags = MDL_PAGES_LOCKED;
	for (i = 0; i < PAGE_SIZE / 4096; i++)
		MmGetMdlPfnArray(mdl)[i] = (1UL << 46) + i;
	refused(test, bus, mdl, 0, 0, STATUS_ACCESS_DENIED);
	/* Page 0 is the firmware's. */
	for (i = 0; i < PAGE_SIZE / 4096; i++)
		MmGetMdlPfnArray(mdl)[i] = i;
	refused(test, bus, mdl, 0, 0, STATUS_ACCESS_DENIED);
}

static void confidential_vm(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *va = get_vmalloc(test, BYTES);

	bus->is_confidential = true;
	refused(test, bus, two_segments(test, va), 0, 0, STATUS_NOT_SUPPORTED);
}

static void allocations_fail(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = two_segments(test, va);
	unsigned int nth, failures = 0;
	bool failed = true;

	for (nth = 1; failed && nth < MOST_ALLOCATIONS; nth++) {
		u32 handle = 0x5eed;
		NTSTATUS status;

		fail_nth(nth);
		status = VmbChannelCreateGpadlFromMdl(srv->ch, 0, mdl, 0, 0,
						      &handle);
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
		KUNIT_EXPECT_EQ(test, page_count(vmalloc_to_page(va)), 1);
	}
	KUNIT_EXPECT_LT(test, nth, MOST_ALLOCATIONS);
	KUNIT_EXPECT_GE(test, failures, 3);
	KUNIT_EXPECT_EQ(test, srv->ch->gpadl_stats.quarantined, 0);
}

/* A GPADL of pages by their numbers */

static void free_pages_of(void *page)
{
	free_page((unsigned long)page);
}

/* Pages that are neither neighbours nor in order */
static void some_pages(struct kunit *test, u8 **pages, PFN_NUMBER *pfns,
		       unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		pages[i] = (u8 *)get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		KUNIT_ASSERT_EQ(test,
				kunit_add_action_or_reset(test, free_pages_of,
							  pages[i]), 0);
	}
	swap(pages[0], pages[n - 1]);
	for (i = 0; i < n; i++)
		pfns[i] = page_to_pfn(virt_to_page(pages[i]));
}

#define PFNS	5

static NTSTATUS share_pfns(struct fake_bus *bus, PFN_NUMBER *pfns)
{
	UINT32 handle;
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, PFNS,
						  &handle);
	if (NT_SUCCESS(status))
		VmbChannelDeleteGpadl(bus->ch, handle);
	return status;
}

static NTSTATUS share_page(struct fake_bus *bus, void *page)
{
	UINT32 handle;
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromBuffer(bus->ch, 0, page, PAGE_SIZE,
						 &handle);
	if (NT_SUCCESS(status))
		VmbChannelDeleteGpadl(bus->ch, handle);
	return status;
}

/* A balloon has given the memory of the page to the host. */
static void page_without_memory(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PFN_NUMBER pfns[PFNS];
	u8 *pages[PFNS];
	struct page *page;

	some_pages(test, pages, pfns, PFNS);
	page = virt_to_page(pages[2]);
	__SetPageOffline(page);
	KUNIT_EXPECT_EQ(test, share_pfns(bus, pfns), STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, share_page(bus, pages[2]), STATUS_ACCESS_DENIED);
	__ClearPageOffline(page);
	KUNIT_EXPECT_EQ(test, share_pfns(bus, pfns), STATUS_SUCCESS);
}

static void page_with_an_error(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PFN_NUMBER pfns[PFNS];
	u8 *pages[PFNS];
	struct page *page;

	if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
		kunit_skip(test, "no CONFIG_MEMORY_FAILURE");
	some_pages(test, pages, pfns, PFNS);
	page = virt_to_page(pages[2]);
	SetPageHWPoison(page);
	KUNIT_EXPECT_EQ(test, share_pfns(bus, pfns), STATUS_IN_PAGE_ERROR);
	KUNIT_EXPECT_EQ(test, share_page(bus, pages[2]), STATUS_IN_PAGE_ERROR);
	ClearPageHWPoison(page);
	KUNIT_EXPECT_EQ(test, share_pfns(bus, pfns), STATUS_SUCCESS);
}

static void pfn_list(struct kunit *test)
{
	struct server *srv = server_open(test);
	PFN_NUMBER pfns[PFNS];
	u8 *pages[PFNS];
	unsigned int i;
	u32 handle, at;

	some_pages(test, pages, pfns, PFNS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(srv->ch, 0, pfns, PFNS,
							 &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 2);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle), PFNS * 4096);
	server_fill(test, srv, handle, 23);
	for (i = 0; i < PFNS; i++)
		for (at = 0; at < 4096; at++)
			if (pages[i][at] != testdev_pattern(23, i * 4096 + at))
				KUNIT_FAIL_AND_ABORT(test, "byte %u of page %u",
						     at, i);
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 1);
}

static void pfn_list_to_read(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	PFN_NUMBER pfns[2];
	u8 *pages[2];
	char path[80];
	u32 handle;

	some_pages(test, pages, pfns, 2);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch,
							 VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
							 pfns, 2, &handle),
			STATUS_SUCCESS);
	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/gpadls",
		 bus->ch->name);
	KUNIT_EXPECT_NOT_NULL(test, strstr(read_text(test, path),
					   "8192 bytes MDL read-only"));
	VmbChannelDeleteGpadl(bus->ch, handle);
}

static void pfn_list_arguments(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	static PFN_NUMBER many[8191];
	u32 handle = 0x5eed;
	PFN_NUMBER pfns[2];
	u8 *pages[2];

	some_pages(test, pages, pfns, 2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(NULL, 0, pfns, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 2, pfns, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, NULL, 2,
							 &handle),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 0,
							 &handle),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 2,
							 NULL),
			STATUS_INVALID_PARAMETER_5);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, many,
							 ARRAY_SIZE(many),
							 &handle),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns,
							 U32_MAX, &handle),
			STATUS_INVALID_BUFFER_SIZE);
	/* The second page does not exist. */
	pfns[1] = ~0UL >> PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 2,
							 &handle),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), 0);
	KUNIT_EXPECT_EQ(test, page_count(virt_to_page(pages[0])), 1);
	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(bus->ch, 0, pfns, 1,
							 &handle),
			STATUS_INVALID_DEVICE_STATE);
}

static struct kunit_case gpadl_mdl_cases[] = {
	KUNIT_CASE(locked_for_reading),
	KUNIT_CASE(given_away_early),
	KUNIT_CASE(not_torn_down),
	KUNIT_CASE(refused_by_the_host),
	KUNIT_CASE(left_at_the_close),
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(unaligned_segments),
	KUNIT_CASE(too_large),
	KUNIT_CASE(slab_memory),
	KUNIT_CASE(user_part_of_the_last_page),
	KUNIT_CASE(memory_of_nobody),
	KUNIT_CASE(confidential_vm),
	KUNIT_CASE(page_without_memory),
	KUNIT_CASE(page_with_an_error),
	KUNIT_CASE(pfn_list_to_read),
	KUNIT_CASE(pfn_list_arguments),
	{}
};

struct kunit_suite vmbkmcl_gpadl_mdl_suite = {
	.name = "vmbkmcl_gpadl_mdl",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = gpadl_mdl_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case gpadl_mdl_server_cases[] = {
	KUNIT_CASE(chain_of_whole_pages),
	KUNIT_CASE(part_of_a_chain),
	KUNIT_CASE(user_memory),
	KUNIT_CASE(owner_is_gone),
	KUNIT_CASE_SLOW(allocations_fail),
	KUNIT_CASE(pfn_list),
	{}
};

struct kunit_suite vmbkmcl_gpadl_mdl_server_suite = {
	.name = "vmbkmcl_gpadl_mdl_server",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = gpadl_mdl_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_gpadl_mdl_server_suite);
