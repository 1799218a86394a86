// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every kind of memory, shared with the real server.
 *
 * Each case has the server checksum the memory, and where it may write, fill it;
 * both sides must agree on every byte.
 */

#include <linux/crc32.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/mman.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lib/eventually.h"
#include "lib/fake_bus.h"
#include "lib/files.h"
#include "host/protocol.h"
#include "lib/mdls.h"
#include "lib/owner.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY
#define READ_WRITE	(PROT_READ | PROT_WRITE)
#define ANONYMOUS	(MAP_ANONYMOUS | MAP_PRIVATE)
#define SEED		7

static u32 share(struct kunit *test, struct server *srv, void *addr, u32 bytes,
		 u32 flags)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, flags, addr,
							bytes, &handle),
			STATUS_SUCCESS);
	KUNIT_ASSERT_NE(test, handle, 0);
	KUNIT_EXPECT_EQ(test, server_length(test, srv, handle),
			ALIGN(bytes, KMCL_HV_PAGE_SIZE));
	return handle;
}

static void unshare(struct kunit *test, struct server *srv, u32 handle)
{
	VmbChannelDeleteGpadl(srv->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, srv, handle));
}

static u32 refused(struct kunit *test, struct server *srv, unsigned long addr,
		   u32 bytes, u32 flags)
{
	long pins = pins_held(test);
	s64 locked = pinned_pages(current->mm);
	u32 handle = 0x5eed;
	NTSTATUS status;

	status = VmbChannelCreateGpadlFromBuffer(srv->ch, flags, (void *)addr,
						 bytes, &handle);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), locked);
	return status;
}

static void fill_kernel(void *va, size_t size, u32 seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		((u8 *)va)[i] = testdev_pattern(seed, i);
}

static bool kernel_has_pattern(const void *va, size_t size, u32 seed)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (((const u8 *)va)[i] != testdev_pattern(seed, i))
			return false;
	return true;
}

/* Both directions over kernel memory of @size bytes, whole pages. */
static void exchange_kernel(struct kunit *test, void *va, u32 size)
{
	struct server *srv = server_open(test);
	u32 handle;

	fill_kernel(va, size, 1);
	handle = share(test, srv, va, size, READ_ONLY);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			~crc32_le(~0, va, size));
	unshare(test, srv, handle);

	handle = share(test, srv, va, size, 0);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			~crc32_le(~0, va, size));
	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_TRUE(test, kernel_has_pattern(va, size, SEED));
	unshare(test, srv, handle);
}

/* The same over user memory that may be written. */
static void exchange_user(struct kunit *test, unsigned long addr, size_t size)
{
	struct server *srv = server_open(test);
	long pins = pins_held(test);
	s64 locked = pinned_pages(current->mm);
	u32 handle;

	user_memory_write_pattern(test, addr, size, 1);
	handle = share(test, srv, (void *)addr, size, READ_ONLY);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	unshare(test, srv, handle);

	handle = share(test, srv, (void *)addr, size, 0);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm),
			locked + (size >> PAGE_SHIFT));
	KUNIT_EXPECT_GE(test, pins_held(test),
			pins + (long)(size >> PAGE_SHIFT));
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_TRUE(test, user_memory_has_pattern(addr, size, SEED));
	unshare(test, srv, handle);

	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), locked);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
}

/* Kernel memory */

static void vmalloc_memory(struct kunit *test)
{
	exchange_kernel(test, get_vmalloc(test, 64 * PAGE_SIZE),
			64 * PAGE_SIZE);
}

static void vmalloc_part_of_the_last_page(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = get_vmalloc(test, 3 * PAGE_SIZE);
	u32 handle = share(test, srv, va, 2 * PAGE_SIZE + 1, 0);

	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_TRUE(test, kernel_has_pattern(va, 3 * PAGE_SIZE, SEED));
	unshare(test, srv, handle);
}

static void vmalloc_in_the_middle(struct kunit *test)
{
	void *va = get_vmalloc(test, 8 * PAGE_SIZE);

	exchange_kernel(test, va + 2 * PAGE_SIZE, 4 * PAGE_SIZE);
}

static void page_allocator_single(struct kunit *test)
{
	unsigned long va = __get_free_page(GFP_KERNEL);

	KUNIT_ASSERT_NE(test, va, 0);
	exchange_kernel(test, (void *)va, PAGE_SIZE);
	free_page(va);
}

static void page_allocator_compound(struct kunit *test)
{
	unsigned long va = __get_free_pages(GFP_KERNEL | __GFP_COMP, 3);

	KUNIT_ASSERT_NE(test, va, 0);
	exchange_kernel(test, (void *)va, PAGE_SIZE << 3);
	free_pages(va, 3);
}

static void page_allocator_non_compound(struct kunit *test)
{
	unsigned long va = __get_free_pages(GFP_KERNEL, 3);

	KUNIT_ASSERT_NE(test, va, 0);
	exchange_kernel(test, (void *)va, PAGE_SIZE << 3);
	free_pages(va, 3);
}

static void slab_page(struct kunit *test)
{
	void *va = kmalloc(PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_TRUE(test, PAGE_ALIGNED(va));
	KUNIT_ASSERT_TRUE(test, folio_test_slab(virt_to_folio(va)));
	exchange_kernel(test, va, PAGE_SIZE);
	kfree(va);
}

static void kmalloc_beyond_slab(struct kunit *test)
{
	void *va = kmalloc(16 * PAGE_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, va);
	exchange_kernel(test, va, 16 * PAGE_SIZE);
	kfree(va);
}

/* The slab allocator frees memory whatever the page's reference count is. */
static void slab_page_is_not_referenced(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = kmalloc(PAGE_SIZE, GFP_KERNEL);
	struct folio *folio;
	int count;
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	folio = virt_to_folio(va);
	KUNIT_ASSERT_TRUE(test, folio_test_slab(folio));
	count = folio_ref_count(folio);
	handle = share(test, srv, va, PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), count);
	unshare(test, srv, handle);
	KUNIT_EXPECT_EQ(test, folio_ref_count(folio), count);
	kfree(va);
}

static void slab_part_of_a_page(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = kmalloc(PAGE_SIZE, GFP_KERNEL);
	u32 handle = 0x5eed;

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, va,
							PAGE_SIZE - 8, &handle),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	kfree(va);
}

static void block_part_of_the_last_page(struct kunit *test)
{
	static const gfp_t flags[] = { GFP_KERNEL, GFP_KERNEL | __GFP_COMP };
	struct server *srv = server_open(test);
	unsigned int i;
	u32 handle;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		void *va = (void *)__get_free_pages(flags[i], 2);

		KUNIT_ASSERT_NOT_NULL(test, va);
		handle = share(test, srv, va, 2 * PAGE_SIZE + 1, 0);
		unshare(test, srv, handle);
		handle = share(test, srv, va, 1, 0);
		unshare(test, srv, handle);
		free_pages((unsigned long)va, 2);
	}
}

/* Other users have the rest of the page. */
static void page_fragment(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct page_frag_cache cache = {};
	void *mine = page_frag_alloc_align(&cache, 128, GFP_KERNEL, PAGE_SIZE);
	void *other = page_frag_alloc_align(&cache, 64, GFP_KERNEL, 64);
	u32 handle = 0x5eed;

	KUNIT_ASSERT_NOT_NULL(test, mine);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0, mine, 128,
							&handle),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	page_frag_free(mine);
	page_frag_free(other);
}

/* The host may still write after an early free: the pages must not be reused. */
static void vmalloc_freed_early(struct kunit *test)
{
	struct server *srv = server_open(test);
	void *va = vmalloc(4 * PAGE_SIZE);
	struct page *page;
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	page = vmalloc_to_page(va + PAGE_SIZE);
	handle = share(test, srv, va, 4 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	vfree(va);
	EXPECT_EVENTUALLY(test, page_count(page) == 1);

	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_EQ(test, *(u8 *)page_address(page),
			testdev_pattern(SEED, PAGE_SIZE));
	unshare(test, srv, handle);
}

static void page_freed_early(struct kunit *test)
{
	struct server *srv = server_open(test);
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	void *va;
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, page);
	va = page_address(page);
	handle = share(test, srv, va, 2 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 3);
	__free_pages(page, 1);
	KUNIT_EXPECT_EQ(test, page_count(page), 2);
	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_TRUE(test, kernel_has_pattern(va, 2 * PAGE_SIZE, SEED));
	unshare(test, srv, handle);
}

/* Addresses of a PC: in a gap of its memory, behind it, and far behind. */
static const phys_addr_t mmio_places[] = { 0xa0000, 0xfee00000, 0xc000000000 };

static void mmio_place(const phys_addr_t *place, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%pa", place);
}

KUNIT_ARRAY_PARAM(mmio, mmio_places, mmio_place);

static void mmio_is_refused(struct kunit *test)
{
	const phys_addr_t *place = test->param_value;
	struct server *srv = server_open(test);
	void __iomem *mapped = ioremap(*place, PAGE_SIZE);
	unsigned long va = (__force unsigned long)mapped;

	KUNIT_ASSERT_NE(test, va, 0);
	user_memory_use(test);
	KUNIT_EXPECT_EQ(test, refused(test, srv, va, PAGE_SIZE, 0),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, refused(test, srv, va, PAGE_SIZE, READ_ONLY),
			STATUS_ACCESS_DENIED);
	iounmap(mapped);
}

/* User memory */

static void anonymous_memory(struct kunit *test)
{
	size_t size = 64 * PAGE_SIZE;

	exchange_user(test, user_memory_map(test, NULL, size, READ_WRITE,
					    ANONYMOUS), size);
}

/* Memory that was never touched: the pin has to bring the pages in. */
static void anonymous_memory_untouched(struct kunit *test)
{
	struct server *srv = server_open(test);
	unsigned long addr = user_memory_map(test, NULL, 16 * PAGE_SIZE,
					     READ_WRITE, ANONYMOUS);
	u32 handle = share(test, srv, (void *)addr, 16 * PAGE_SIZE, 0);

	server_fill(test, srv, handle, SEED);
	KUNIT_EXPECT_TRUE(test, user_memory_has_pattern(addr, 16 * PAGE_SIZE,
							SEED));
	unshare(test, srv, handle);
}

/* The memory ends within a page: the host would see the rest of that page. */
static void anonymous_memory_part_of_the_last_page(struct kunit *test)
{
	struct server *srv = server_open(test);
	unsigned long addr = user_memory_map(test, NULL, 2 * PAGE_SIZE,
					     READ_WRITE, ANONYMOUS);

	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, PAGE_SIZE + 1, 0),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, 128, READ_ONLY),
			STATUS_INVALID_BUFFER_SIZE);
}

static void transparent_huge_pages(struct kunit *test)
{
	size_t size = 4 * PMD_SIZE;
	unsigned long addr;
	long before;

	write_text(test, "/sys/kernel/mm/transparent_hugepage/enabled",
		   "always");
	before = vm_counter(test, "nr_anon_transparent_hugepages");
	addr = user_memory_map(test, NULL, size, READ_WRITE, ANONYMOUS);
	addr = ALIGN(addr, PMD_SIZE);
	exchange_user(test, addr, 2 * PMD_SIZE);
	KUNIT_EXPECT_GE(test, vm_counter(test, "nr_anon_transparent_hugepages"),
			before + 2);
}

static void hugetlb_pages(struct kunit *test)
{
	struct file *file = open_file("/dev/hugepages/kunit",
				      O_RDWR | O_CREAT, 0600);
	unsigned long addr;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	addr = user_memory_map(test, file, 2 * PMD_SIZE, READ_WRITE,
			       MAP_SHARED);
	fput(file);
	exchange_user(test, addr, 2 * PMD_SIZE);
}

static void shared_tmpfs(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/dev/shm/kunit", size);

	exchange_user(test, user_memory_map(test, file, size, READ_WRITE,
					    MAP_SHARED), size);
}

static void private_file(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);

	exchange_user(test, user_memory_map(test, file, size, READ_WRITE,
					    MAP_PRIVATE), size);
}

static void shared_file_for_reading(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, READ_WRITE,
					     MAP_SHARED);
	struct server *srv = server_open(test);
	u32 handle = share(test, srv, (void *)addr, size, READ_ONLY);

	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	unshare(test, srv, handle);
}

/* Writeback would miss what the host writes: newer kernels refuse the pin. */
static void shared_file_for_writing(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, READ_WRITE,
					     MAP_SHARED);
	struct server *srv = server_open(test);

	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, size, 0),
			STATUS_NOT_SUPPORTED);
}

static void read_only_mapping(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, PROT_READ,
					     MAP_PRIVATE);
	struct server *srv = server_open(test);
	u32 handle;

	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, size, 0),
			STATUS_ACCESS_DENIED);
	handle = share(test, srv, (void *)addr, size, READ_ONLY);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	unshare(test, srv, handle);
}

/* The server would write to a file that its user may only read. */
static void read_only_kernel_mapping(struct kunit *test)
{
	size_t size = 4 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, PROT_READ,
					     MAP_SHARED);
	PMDL mdl = lock_mdl(test, (void *)addr, size, UserMode, IoReadAccess);
	void *va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	struct server *srv = server_open(test);
	u32 handle;

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, refused(test, srv, (unsigned long)va, size, 0),
			STATUS_ACCESS_DENIED);
	handle = share(test, srv, va, size, READ_ONLY);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	unshare(test, srv, handle);
}

static void mapping_with_a_hole(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, 16 * PAGE_SIZE,
					     READ_WRITE, ANONYMOUS);
	struct server *srv = server_open(test);

	user_memory_write_pattern(test, addr, 16 * PAGE_SIZE, 1);
	vm_munmap(addr + 8 * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, 16 * PAGE_SIZE, 0),
			STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, 16 * PAGE_SIZE,
				      READ_ONLY), STATUS_ACCESS_VIOLATION);
}

static void shared_mapping_past_the_end_of_its_file(struct kunit *test)
{
	struct file *file = user_memory_file(test, "/dev/shm/kunit", PAGE_SIZE);
	unsigned long addr = user_memory_map(test, file, 2 * PAGE_SIZE,
					     READ_WRITE, MAP_SHARED);
	struct server *srv = server_open(test);

	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, 2 * PAGE_SIZE, 0),
			STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr + PAGE_SIZE, PAGE_SIZE,
				      READ_ONLY), STATUS_ACCESS_VIOLATION);
}

/* As remap_pfn_range() maps it: present, but without pages to pin. */
static void mapping_of_a_device(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	struct server *srv = server_open(test);
	struct vm_area_struct *vma;

	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	vm_flags_set(vma, VM_PFNMAP);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, PAGE_SIZE, 0),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, PAGE_SIZE, READ_ONLY),
			STATUS_NOT_SUPPORTED);
	mmap_write_lock(current->mm);
	vm_flags_clear(vma, VM_PFNMAP);
	mmap_write_unlock(current->mm);
}

/* A process that is killed while its pages are brought in. */
static void killed_while_it_pins(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	struct server *srv = server_open(test);
	NTSTATUS status;

	sigaddset(&current->pending.signal, SIGKILL);
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	status = refused(test, srv, addr, PAGE_SIZE, 0);
	sigdelset(&current->pending.signal, SIGKILL);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	KUNIT_EXPECT_EQ(test, status, STATUS_THREAD_IS_TERMINATING);
}

static void inaccessible_mapping(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, PROT_NONE,
					     ANONYMOUS);
	struct server *srv = server_open(test);

	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, PAGE_SIZE, READ_ONLY),
			STATUS_ACCESS_VIOLATION);
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, PAGE_SIZE, 0),
			STATUS_ACCESS_DENIED);
}

static void user_address_past_the_end(struct kunit *test)
{
	struct server *srv = server_open(test);

	user_memory_use(test);
	KUNIT_EXPECT_EQ(test, refused(test, srv, TASK_SIZE - PAGE_SIZE,
				      2 * PAGE_SIZE, 0),
			STATUS_ACCESS_VIOLATION);
}

/* The owner's later writes must reach the pages the host reads. */
static void read_only_pin_sees_later_writes(struct kunit *test)
{
	size_t size = 4 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/kunit", size);
	unsigned long addr = user_memory_map(test, file, size, READ_WRITE,
					     MAP_PRIVATE);
	struct server *srv = server_open(test);
	u32 handle = share(test, srv, (void *)addr, size, READ_ONLY);

	user_memory_write_pattern(test, addr, size, SEED);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, size));
	unshare(test, srv, handle);
}

/*
 * A private mapping that may not be written yet, of huge pages of a file: before 6.2
 * there is no pin that the owner's writes do not leave behind.
 */
static void read_only_pin_of_private_huge_pages(struct kunit *test)
{
	struct file *file = open_file("/dev/hugepages/kunit-private",
				      O_RDWR | O_CREAT, 0600);
	struct server *srv = server_open(test);
	struct vm_area_struct *vma;
	unsigned long addr;
	u32 handle = 0;
	NTSTATUS status;

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	/* So that the file is as long. */
	user_memory_write_pattern(test, user_memory_map(test, file, PMD_SIZE,
							READ_WRITE, MAP_SHARED),
				  PAGE_SIZE, 1);
	addr = user_memory_map(test, file, PMD_SIZE, PROT_READ, MAP_PRIVATE);
	fput(file);
	status = VmbChannelCreateGpadlFromBuffer(srv->ch, READ_ONLY,
						 (void *)addr, PAGE_SIZE,
						 &handle);
	if (status == STATUS_NOT_SUPPORTED)
		return;
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	/* As mprotect() does, but for the process's account, so not for long. */
	mmap_write_lock(current->mm);
	vma = find_vma(current->mm, addr);
	vm_flags_set(vma, VM_WRITE);
	mmap_write_unlock(current->mm);
	user_memory_write_pattern(test, addr, PAGE_SIZE, SEED);
	mmap_write_lock(current->mm);
	vm_flags_clear(find_vma(current->mm, addr), VM_WRITE);
	mmap_write_unlock(current->mm);
	KUNIT_EXPECT_EQ(test, server_crc32(test, srv, handle),
			user_memory_crc32(test, addr, PAGE_SIZE));
	unshare(test, srv, handle);
}

/* To share a file for reading must not write to it: that takes blocks of the disk. */
static void sparse_file_for_reading(struct kunit *test)
{
	size_t size = 16 * PAGE_SIZE;
	struct file *file = user_memory_file(test, "/mnt/fs/sparse", 0);
	struct server *srv = server_open(test);
	unsigned long addr;
	u32 handle;

	KUNIT_ASSERT_EQ(test, vfs_truncate(&file->f_path, size), 0);
	KUNIT_ASSERT_EQ(test, file_inode(file)->i_blocks, 0);
	addr = user_memory_map(test, file, size, READ_WRITE, MAP_SHARED);
	handle = share(test, srv, (void *)addr, size, READ_ONLY);
	unshare(test, srv, handle);
	vfs_fsync(file, 0);
	KUNIT_EXPECT_EQ(test, file_inode(file)->i_blocks, 0);
}

/* The pages are dirty: what the host has written must reach the file or swap. */
static void dirtied_where_the_host_may_write(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	struct server *srv = server_open(test);
	struct folio *folio;
	struct page *page;
	u32 handle;

	user_memory_write_pattern(test, addr, PAGE_SIZE, 1);
	KUNIT_ASSERT_EQ(test, get_user_pages_fast(addr, 1, 0, &page), 1);
	folio = page_folio(page);
	handle = share(test, srv, (void *)addr, PAGE_SIZE, READ_ONLY);
	folio_clear_dirty(folio);
	unshare(test, srv, handle);
	KUNIT_EXPECT_FALSE(test, folio_test_dirty(folio));

	handle = share(test, srv, (void *)addr, PAGE_SIZE, 0);
	folio_clear_dirty(folio);
	unshare(test, srv, handle);
	KUNIT_EXPECT_TRUE(test, folio_test_dirty(folio));
	put_page(page);
}

/**
 * struct mapping - where a fake bus is told to find a buffer
 * @establish: the bus's own
 * @writable: a write to the kernel's mapping of it would not fault
 */
struct mapping {
	int (*establish)(struct kmcl_channel *ch, struct kmcl_bus_gpadl *gpadl);
	bool writable;
};

static int check_the_mapping(struct kmcl_channel *ch,
			     struct kmcl_bus_gpadl *gpadl)
{
	struct mapping *mapping = VmbChannelGetPointer(ch);
	unsigned int level;

	mapping->writable = pte_write(*lookup_address((unsigned long)gpadl->va,
						      &level));
	return mapping->establish(ch, gpadl);
}

static bool mapped_writable(struct kunit *test, struct fake_bus *bus,
			    unsigned long addr, u32 flags)
{
	struct mapping *mapping = VmbChannelGetPointer(bus->ch);
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, flags,
							(void *)addr, PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	VmbChannelDeleteGpadl(bus->ch, handle);
	return mapping->writable;
}

/* The kernel's own mapping of memory that is shared for reading is read-only. */
static void mapped_as_it_is_shared(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	struct fake_bus *bus = fake_bus_start(test);
	struct mapping mapping = { .establish = bus->ops.establish_gpadl };

	VmbChannelSetPointer(bus->ch, &mapping);
	bus->ops.establish_gpadl = check_the_mapping;
	KUNIT_EXPECT_FALSE(test, mapped_writable(test, bus, addr, READ_ONLY));
	KUNIT_EXPECT_TRUE(test, mapped_writable(test, bus, addr, 0));
}

/* The kernel's mapping of a page of a process, which has more in the page. */
static void part_of_a_mapped_user_page(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	PMDL mdl = lock_mdl(test, (void *)addr, PAGE_SIZE, UserMode,
			    IoModifyAccess);
	void *va = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	struct fake_bus *bus = fake_bus_start(test);
	u32 handle = 0x5eed;

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va, 128,
							&handle),
			STATUS_INVALID_BUFFER_SIZE);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va,
							PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	VmbChannelDeleteGpadl(bus->ch, handle);
}

static unsigned long start_of_vvar(struct mm_struct *mm)
{
	struct vm_area_struct *vma;
	unsigned long start = 0;

	mmap_read_lock(mm);
	for (vma = find_vma(mm, 0); vma; vma = find_vma(mm, vma->vm_end)) {
		if (!(vma->vm_flags & (VM_IO | VM_PFNMAP)))
			continue;
		start = vma->vm_start;
		break;
	}
	mmap_read_unlock(mm);
	return start;
}

/* Variables of the kernel that each process can read: there is nothing to pin. */
static void mapping_of_vvar(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	unsigned long addr;
	u32 handle = 0x5eed;

	user_memory_use(test);
	addr = start_of_vvar(current->mm);
	if (!addr)
		kunit_skip(test, "the process has no such mapping");
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, READ_ONLY,
							(void *)addr, PAGE_SIZE,
							&handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0,
							(void *)addr, PAGE_SIZE,
							&handle),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
}

/* A tag in the upper bits of a user address does not change what it means. */
static void tagged_address(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, PAGE_SIZE, READ_WRITE,
					     ANONYMOUS);
	struct fake_bus *bus = fake_bus_start(test);
	u32 handle = 0;

	addr = user_memory_tagged(test, addr);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0,
							(void *)addr, PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 1);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, pinned_pages(current->mm), 0);
}

/* Kernel threads may lock what they like; a user may not. */
static void over_the_memlock_limit(struct kunit *test)
{
	unsigned long addr = user_memory_map(test, NULL, 16 * PAGE_SIZE,
					     READ_WRITE, ANONYMOUS);
	struct rlimit *limit = &current->signal->rlim[RLIMIT_MEMLOCK];
	struct server *srv = server_open(test);
	unsigned long was = limit->rlim_cur;
	const struct cred *old;
	struct cred *user;
	u32 handle = 0;

	user = prepare_creds();
	KUNIT_ASSERT_NOT_NULL(test, user);
	cap_lower(user->cap_effective, CAP_IPC_LOCK);
	old = override_creds(user);
	limit->rlim_cur = (pinned_pages(current->mm) + 15) << PAGE_SHIFT;
	KUNIT_EXPECT_EQ(test, refused(test, srv, addr, 16 * PAGE_SIZE, 0),
			STATUS_QUOTA_EXCEEDED);
	limit->rlim_cur += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(srv->ch, 0,
							(void *)addr,
							16 * PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	limit->rlim_cur = was;
	revert_creds(old);
	put_cred(user);
	unshare(test, srv, handle);
}

/* A process that dies leaves pins behind that its exit does not wait for. */
static void owner_killed(struct kunit *test)
{
	struct server *srv = server_open(test);
	long pins = pins_held(test);
	struct owner *owner = owner_start(test, srv->ch);
	unsigned int pages = OWNER_BYTES >> PAGE_SHIFT;

	KUNIT_ASSERT_EQ(test, owner->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), pages);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins + pages);
	owner_kill(test, owner);

	KUNIT_EXPECT_EQ(test, server_length(test, srv, owner->handle),
			OWNER_BYTES);
	server_fill(test, srv, owner->handle, SEED);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), pages);
	unshare(test, srv, owner->handle);
	KUNIT_EXPECT_EQ(test, pinned_pages(owner->mm), 0);
	KUNIT_EXPECT_EQ(test, pins_held(test), pins);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(mapped_as_it_is_shared),
	KUNIT_CASE(part_of_a_mapped_user_page),
	KUNIT_CASE(mapping_of_vvar),
	KUNIT_CASE(tagged_address),
	{}
};

struct kunit_suite vmbkmcl_memory_suite = {
	.name = "vmbkmcl_memory",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = memory_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case memory_server_cases[] = {
	KUNIT_CASE(vmalloc_memory),
	KUNIT_CASE(vmalloc_part_of_the_last_page),
	KUNIT_CASE(vmalloc_in_the_middle),
	KUNIT_CASE(page_allocator_single),
	KUNIT_CASE(page_allocator_compound),
	KUNIT_CASE(page_allocator_non_compound),
	KUNIT_CASE(slab_page),
	KUNIT_CASE(kmalloc_beyond_slab),
	KUNIT_CASE(slab_page_is_not_referenced),
	KUNIT_CASE(slab_part_of_a_page),
	KUNIT_CASE(block_part_of_the_last_page),
	KUNIT_CASE(page_fragment),
	KUNIT_CASE(vmalloc_freed_early),
	KUNIT_CASE(page_freed_early),
	KUNIT_CASE_PARAM(mmio_is_refused, mmio_gen_params),
	KUNIT_CASE(anonymous_memory),
	KUNIT_CASE(anonymous_memory_untouched),
	KUNIT_CASE(anonymous_memory_part_of_the_last_page),
	KUNIT_CASE(transparent_huge_pages),
	KUNIT_CASE(hugetlb_pages),
	KUNIT_CASE(shared_tmpfs),
	KUNIT_CASE(private_file),
	KUNIT_CASE(shared_file_for_reading),
	KUNIT_CASE(shared_file_for_writing),
	KUNIT_CASE(read_only_mapping),
	KUNIT_CASE(read_only_kernel_mapping),
	KUNIT_CASE(mapping_with_a_hole),
	KUNIT_CASE(shared_mapping_past_the_end_of_its_file),
	KUNIT_CASE(mapping_of_a_device),
	KUNIT_CASE(killed_while_it_pins),
	KUNIT_CASE(inaccessible_mapping),
	KUNIT_CASE(user_address_past_the_end),
	KUNIT_CASE(read_only_pin_sees_later_writes),
	KUNIT_CASE(read_only_pin_of_private_huge_pages),
	KUNIT_CASE(sparse_file_for_reading),
	KUNIT_CASE(dirtied_where_the_host_may_write),
	KUNIT_CASE(over_the_memlock_limit),
	KUNIT_CASE(owner_killed),
	{}
};

struct kunit_suite vmbkmcl_memory_server_suite = {
	.name = "vmbkmcl_memory_server",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = memory_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_memory_server_suite);
