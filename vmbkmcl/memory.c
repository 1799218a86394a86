// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that stays in place while the host uses it.
 *
 * Memory that the host may write must not be used for anything else until the
 * host has released it, whatever its owner does meanwhile. User memory is
 * pinned, charged to its address space and mapped into the kernel. Pages of
 * vmalloc and of the page allocator are referenced, so that they are not given
 * to another user if the owner frees them too early. Slab memory can not be
 * referenced: then &kmcl_memory.held is not set, the owner has to keep the
 * memory, and must not learn that it is free before the host has released it.
 */

#include <linux/bitmap.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "memory.h"
#include "memory_page.h"
#include "wire.h"

const char *kmcl_memory_kind_name(const struct kmcl_memory *mem)
{
	static const char * const kinds[] = {
		[KMCL_MEMORY_USER]	= "user",
		[KMCL_MEMORY_VMALLOC]	= "vmalloc",
		[KMCL_MEMORY_LINEAR]	= "linear",
		[KMCL_MEMORY_MDL]	= "MDL",
	};

	return kinds[mem->kind];
}

/* Text for the log: does this module or the owner keep the memory? */
const char *kmcl_memory_holder(const struct kmcl_memory *mem)
{
	return mem->held ? "held by vmbkmcl" : "held by its owner";
}

/* User memory */

/*
 * True if the part of the mapping below @end reaches beyond the end of its file. An
 * access there is a bus error.
 */
static bool kmcl_vma_ends_before(const struct vm_area_struct *vma,
				 unsigned long end)
{
	const struct inode *inode = vma->vm_file ? file_inode(vma->vm_file) :
						   NULL;
	loff_t last;

	if (!inode || !S_ISREG(inode->i_mode))
		return false;
	last = ((loff_t)vma->vm_pgoff << PAGE_SHIFT) +
	       (min(end, vma->vm_end) - vma->vm_start);
	return last > round_up(i_size_read(inode), PAGE_SIZE);
}

/* Why a mapping can not be pinned; 0 if the reason is not known. */
static int kmcl_vma_explain(const struct vm_area_struct *vma, unsigned long end,
			    bool write)
{
	if (write && !(vma->vm_flags & VM_WRITE))
		return -EACCES;
	if (!(vma->vm_flags & VM_READ) && !write)
		return -EFAULT;
	if (vma->vm_flags & (VM_IO | VM_PFNMAP))
		return -EOPNOTSUPP;
	if (kmcl_vma_ends_before(vma, end))
		return -EFAULT;
	/*
	 * The kernel refuses to pin secret memory, and to pin a shared writable
	 * mapping of a file for long.
	 */
	return vma->vm_file ? -EOPNOTSUPP : 0;
}

/*
 * Find out why memory could not be pinned, as pin_user_pages() returns -EFAULT for
 * every reason. If the reasons differ, missing memory and missing rights take
 * precedence over memory that can not be pinned (-EOPNOTSUPP).
 */
static int kmcl_user_explain(unsigned long start, unsigned long end,
			     bool write)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	int err = 0, this = 0;

	mmap_read_lock(mm);
	while (start < end && (!this || this == -EOPNOTSUPP)) {
		vma = find_vma(mm, start);
		this = -EFAULT;
		if (vma && vma->vm_start <= start) {
			this = kmcl_vma_explain(vma, end, write);
			start = vma->vm_end;
		}
		err = this ?: err;
	}
	mmap_read_unlock(mm);
	return err ?: -EFAULT;
}

static bool kmcl_user_written_back(struct page **pages, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (kmcl_page_is_written_back(pages[i]))
			return true;
	return false;
}

/*
 * True for a private mapping that is writable or can be made so (VM_MAYWRITE). A
 * later write of the owner can give the owner a copy of the page, while the host keeps
 * the old page; see kmcl_user_pin_some().
 */
static bool kmcl_vma_copies_on_write(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/*
 * Pin the first of @nr pages, as many as are in one mapping. Returns how many,
 * or an error; never 0.
 */
static int kmcl_user_pin_for_reading(unsigned long start, unsigned int nr,
				     struct page **pages)
{
	unsigned int flags = FOLL_LONGTERM;
	struct vm_area_struct *vma;
	int n = -EFAULT;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	/* FOLL_FORCE does not check VM_READ, so check it here. */
	if (vma && vma->vm_start <= start && vma->vm_flags & VM_READ) {
		nr = min_t(unsigned long, nr,
			   (vma->vm_end - start) >> PAGE_SHIFT);
		if (kmcl_vma_copies_on_write(vma))
			flags |= FOLL_FORCE | FOLL_WRITE;
		n = kmcl_pin_user_pages(start, nr, flags, pages);
	}
	mmap_read_unlock(current->mm);
	return n ?: -EFAULT;
}

/*
 * Pin the first of @nr pages, on any kernel. Returns how many, or an error;
 * never 0. On older kernels a pin for reading does not prevent a later copy on
 * write: after a write the owner would use another page than the host. There a
 * pin for reading makes the copy first, or fails.
 */
static int kmcl_user_pin_some(unsigned long start, unsigned int nr,
			      bool write, struct page **pages)
{
	int n;

	if (!write && kmcl_pin_must_break_cow())
		return kmcl_user_pin_for_reading(start, nr, pages);
	n = pin_user_pages_fast(start, nr, write ? FOLL_LONGTERM | FOLL_WRITE :
						   FOLL_LONGTERM, pages);
	return n ?: -EFAULT;
}

static int kmcl_user_pin(unsigned long start, unsigned int nr, bool write,
			 struct page **pages)
{
	unsigned long end = start + ((unsigned long)nr << PAGE_SHIFT);
	unsigned int done = 0;
	int n;

	while (done < nr) {
		n = kmcl_user_pin_some(start + ((unsigned long)done << PAGE_SHIFT),
				       nr - done, write, pages + done);
		if (n < 0)
			goto unpin;
		done += n;
	}
	n = -EOPNOTSUPP;
	if (write && kmcl_user_written_back(pages, nr))
		goto unpin;
	return 0;

unpin:
	unpin_user_pages(pages, done);
	return n == -EFAULT ? kmcl_user_explain(start, end, write) : n;
}

/*
 * Pin memory that can not be pinned for long, for the time of one packet, as
 * direct I/O does. Pages of files must not be pinned for long, as writeback
 * would miss what the host writes after it.
 */
static int kmcl_user_pin_short(unsigned long start, unsigned int nr, bool write,
			       struct page **pages)
{
	int n = pin_user_pages_fast(start, nr, write ? FOLL_WRITE : 0, pages);

	if (n == nr)
		return 0;
	if (n > 0)
		unpin_user_pages(pages, n);
	return -EOPNOTSUPP;
}

/*
 * Charge the pages to RLIMIT_MEMLOCK. This does not take mmap_lock, as
 * account_locked_vm() would: a process can hold mmap_lock for as long as it
 * likes, and the removal of a device has to undo the charge.
 */
static int kmcl_user_charge(struct mm_struct *mm, unsigned int pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (atomic64_add_return(pages, &mm->pinned_vm) <= limit ||
	    capable(CAP_IPC_LOCK))
		return 0;
	atomic64_sub(pages, &mm->pinned_vm);
	return -EDQUOT;
}

static int kmcl_user_lock(struct kmcl_memory *mem, unsigned long start,
			  bool lasting)
{
	struct mm_struct *mm = current->mm;
	int err;

	if (!mm)
		return -EFAULT;
	err = kmcl_user_charge(mm, mem->nr_pages);
	if (err)
		return err;
	err = kmcl_user_pin(start, mem->nr_pages, !mem->read_only, mem->pages);
	if (err == -EOPNOTSUPP && !lasting) {
		err = kmcl_user_pin_short(start, mem->nr_pages, !mem->read_only,
					  mem->pages);
		mem->pinned_short = true;
	}
	if (err) {
		atomic64_sub(mem->nr_pages, &mm->pinned_vm);
		return err;
	}
	/* The release uses mm->pinned_vm, and may come after the process has ended. */
	mmgrab(mm);
	mem->mm = mm;
	mem->held = true;
	return 0;
}

static void kmcl_user_release(struct kmcl_memory *mem)
{
	vunmap(mem->va);
	unpin_user_pages_dirty_lock(mem->pages, mem->nr_pages, !mem->read_only);
	atomic64_sub(mem->nr_pages, &mem->mm->pinned_vm);
	mmdrop(mem->mm);
}

/* Kernel memory */

static struct page *kmcl_kernel_page(const struct kmcl_memory *mem,
				     unsigned int i)
{
	void *va = mem->va + ((unsigned long)i << PAGE_SHIFT);

	return mem->kind == KMCL_MEMORY_VMALLOC ? vmalloc_to_page(va) :
						  virt_to_page(va);
}

static int kmcl_kernel_find_one(struct kmcl_memory *mem, unsigned int i)
{
	void *va = mem->va + ((unsigned long)i << PAGE_SHIFT);
	struct page *page;
	int err;

	if (mem->kind == KMCL_MEMORY_VMALLOC && kmcl_has_no_page(va))
		return -EPERM;
	page = kmcl_kernel_page(mem, i);
	if (!page)
		return -EFAULT;
	err = kmcl_page_check(page, i ? mem->pages[i - 1] : NULL);
	if (err)
		return err;
	if (!mem->read_only && !kmcl_is_mapped_writable(va))
		return -EACCES;
	mem->pages[i] = page;
	return 0;
}

/* Check all pages, so that a failure has nothing to undo. */
static int kmcl_kernel_find(struct kmcl_memory *mem)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < mem->nr_pages && !err; i++)
		err = kmcl_kernel_find_one(mem, i);
	return err;
}

/**
 * kmcl_memory_reference - take a reference of each page of kernel memory
 * @mem: memory whose pages are all known
 *
 * Pages that can not be referenced are left out of &kmcl_memory.referenced. If
 * there is one, &kmcl_memory.held is not set.
 *
 * Context: any.
 */
void kmcl_memory_reference(struct kmcl_memory *mem)
{
	unsigned int i;

	mem->held = true;
	for (i = 0; i < mem->nr_pages; i++) {
		if (kmcl_page_reference(mem->pages[i]))
			__set_bit(i, mem->referenced);
		else
			mem->held = false;
	}
}

static int kmcl_kernel_lock(struct kmcl_memory *mem)
{
	int err = kmcl_kernel_find(mem);

	if (!err)
		kmcl_memory_reference(mem);
	return err;
}

static void kmcl_kernel_release(struct kmcl_memory *mem)
{
	unsigned int i;

	if (mem->kind == KMCL_MEMORY_MDL)
		vunmap(mem->va);
	for_each_set_bit(i, mem->referenced, mem->nr_pages)
		put_page(mem->pages[i]);
}

/* All kinds */

static bool kmcl_on_stack_of(struct task_struct *task, unsigned long start,
			     unsigned long end)
{
	unsigned long stack = (unsigned long)task_stack_page(task);

	return stack && start < stack + THREAD_SIZE && end > stack;
}

/*
 * True if a part of the memory is on the stack of a task. With CONFIG_VMAP_STACK a
 * stack can not be told from other vmalloc memory by its address, so compare with
 * the stacks of all tasks.
 */
bool kmcl_on_stack(unsigned long start, unsigned long end)
{
	struct task_struct *process, *task;
	bool found = false;

	if (IS_ENABLED(CONFIG_VMAP_STACK) && !is_vmalloc_addr((void *)start))
		return false;
	rcu_read_lock();
	for_each_process_thread(process, task)
		found |= kmcl_on_stack_of(task, start, end);
	rcu_read_unlock();
	return found;
}

/*
 * True if a part of the memory is a module's. It must be refused: hv_vmbus treats
 * every address that is not vmalloc's as one of the linear mapping.
 */
bool kmcl_in_module(unsigned long start, unsigned long end)
{
#ifdef MODULES_VADDR
	return start < MODULES_END && end > MODULES_VADDR;
#else
	return false;
#endif
}

/**
 * kmcl_memory_untag - remove the tag of a user address
 * @addr: user or kernel address
 *
 * The upper bits of a user address may have a tag, which the processor ignores
 * (LAM on x86, TBI on arm64).
 *
 * Context: the process that owns the user address.
 * Return: a user address without its tag; @addr if it is no user address.
 */
void *kmcl_memory_untag(void *addr)
{
	unsigned long untagged = untagged_addr((unsigned long)addr);

	return untagged < TASK_SIZE ? (void *)untagged : addr;
}

static int kmcl_classify(void *addr, unsigned long end,
			 enum kmcl_memory_kind *kind)
{
	unsigned long start = (unsigned long)addr;
	void *last = (void *)(end - 1);

	if (start < TASK_SIZE) {
		*kind = KMCL_MEMORY_USER;
		return end <= TASK_SIZE ? 0 : -EFAULT;
	}
	if (kmcl_on_stack(start, end))
		return -EINVAL;
	if (kmcl_in_module(start, end))
		return -EPERM;
	if (is_vmalloc_addr(addr)) {
		*kind = KMCL_MEMORY_VMALLOC;
		return is_vmalloc_addr(last) ? 0 : -EFAULT;
	}
	if (virt_addr_valid(addr)) {
		*kind = KMCL_MEMORY_LINEAR;
		return virt_addr_valid(last) ? 0 : -EFAULT;
	}
	return -EFAULT;
}

/**
 * kmcl_memory_alloc_pages - allocate the array of pages
 * @mem: gets an empty array of pages and an empty bitmap of referenced pages
 * @nr_pages: number of pages
 *
 * The array and the bitmap are one allocation: kvfree() of &kmcl_memory.pages frees
 * both.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int kmcl_memory_alloc_pages(struct kmcl_memory *mem, unsigned int nr_pages)
{
	size_t bytes = nr_pages * sizeof(*mem->pages);

	mem->pages = kvzalloc(bytes + BITS_TO_LONGS(nr_pages) * sizeof(long),
			      GFP_KERNEL_ACCOUNT);
	if (!mem->pages)
		return -ENOMEM;
	mem->nr_pages = nr_pages;
	mem->referenced = (unsigned long *)(mem->pages + nr_pages);
	return 0;
}

static int kmcl_memory_fill(struct kmcl_memory *mem, void *addr, u32 bytes,
			    bool read_only, bool lasting)
{
	unsigned long start, end;
	int err;

	addr = kmcl_memory_untag(addr);
	start = (unsigned long)addr & PAGE_MASK;
	end = (unsigned long)addr + bytes;
	memset(mem, 0, sizeof(*mem));
	err = kmcl_classify(addr, end, &mem->kind);
	if (err)
		return err;
	mem->read_only = read_only;
	err = kmcl_memory_alloc_pages(mem,
				      DIV_ROUND_UP(end - start, PAGE_SIZE));
	if (err)
		return err;

	if (mem->kind == KMCL_MEMORY_USER) {
		err = kmcl_user_lock(mem, start, lasting);
	} else {
		mem->va = (void *)start;
		err = kmcl_kernel_lock(mem);
	}
	if (err)
		kvfree(mem->pages);
	return err;
}

/**
 * kmcl_memory_lock - keep memory in place for packets
 * @mem: filled in; kmcl_memory_release() releases it
 * @addr: user address of the calling process, or kernel address
 * @bytes: size, above 0; @addr plus @bytes does not wrap around
 * @read_only: nobody writes the memory through @mem, so it need only be readable
 *
 * User memory that can not be pinned for long is pinned nevertheless, and
 * &kmcl_memory.pinned_short says so. User memory is not mapped.
 *
 * Context: may sleep.
 * Return: as kmcl_memory_hold().
 */
int kmcl_memory_lock(struct kmcl_memory *mem, void *addr, u32 bytes,
		     bool read_only)
{
	return kmcl_memory_fill(mem, addr, bytes, read_only, false);
}

/* Number of references of @folio that @mem holds. */
static unsigned int kmcl_memory_refs(const struct kmcl_memory *mem,
				     const struct folio *folio)
{
	unsigned int i, refs = 0;

	for (i = 0; i < mem->nr_pages; i++)
		refs += test_bit(i, mem->referenced) &&
			page_folio(mem->pages[i]) == folio;
	return refs;
}

/*
 * True if the owner of the memory owns the whole last page, all of which the host
 * can access. A vmalloc area shares its pages with nothing else, unless it is a mapping
 * of other memory. For user memory it is not known what else the process has in the
 * page.
 */
static bool kmcl_memory_owns_last_page(const struct kmcl_memory *mem)
{
	struct page *last = mem->pages[mem->nr_pages - 1];
	struct folio *folio = page_folio(last);

	if (mem->kind == KMCL_MEMORY_USER)
		return false;
	if (mem->kind == KMCL_MEMORY_VMALLOC)
		return !folio_test_slab(folio) && !kmcl_page_is_user(last);
	return kmcl_page_has_one_owner(last, kmcl_memory_refs(mem, folio));
}

/**
 * kmcl_memory_hold - keep memory in place for a GPADL
 * @mem: filled in; kmcl_memory_release() releases it
 * @addr: user address of the calling process, or kernel address; page-aligned
 * @bytes: size, above 0; @addr plus @bytes does not wrap around. The size is
 *	rounded up to whole Hyper-V pages if the owner owns the whole last page.
 * @read_only: the host will only read, so the memory need only be readable
 *
 * Context: may sleep.
 * Return:
 * * %0 - success
 * * %-EINVAL - stack memory
 * * %-EPERM - the kernel's or a module's image, MMIO, or a page that a balloon has
 * * %-EFAULT - nothing is mapped at a part of the memory
 * * %-EACCES - the memory may not be written
 * * %-EDQUOT - RLIMIT_MEMLOCK would be exceeded
 * * %-EMSGSIZE - a part of the last page may belong to somebody else
 * * %-EOPNOTSUPP - the memory can not be pinned
 * * %-EINTR - the process was killed meanwhile
 * * %-EHWPOISON - the hardware reported an error of a page
 * * %-ENOMEM - there is not enough memory
 */
int kmcl_memory_hold(struct kmcl_memory *mem, void *addr, u32 bytes,
		     bool read_only)
{
	int err;

	err = kmcl_memory_fill(mem, addr, bytes, read_only, true);
	if (err)
		return err;
	mem->size = ALIGN(bytes, KMCL_HV_PAGE_SIZE);
	if (mem->size != bytes && !kmcl_memory_owns_last_page(mem)) {
		err = -EMSGSIZE;
		goto release;
	}
	if (!mem->va)
		mem->va = vmap(mem->pages, mem->nr_pages, VM_MAP,
			       mem->read_only ? PAGE_KERNEL_RO : PAGE_KERNEL);
	if (!mem->va) {
		err = -ENOMEM;
		goto release;
	}
	return 0;

release:
	kmcl_memory_release(mem);
	return err;
}

/**
 * kmcl_memory_release - release memory that the host does not use any more
 * @mem: from kmcl_memory_hold(), kmcl_memory_hold_mdl_range() or kmcl_memory_lock()
 *
 * Context: may sleep; in any process.
 */
void kmcl_memory_release(struct kmcl_memory *mem)
{
	if (mem->kind == KMCL_MEMORY_USER)
		kmcl_user_release(mem);
	else
		kmcl_kernel_release(mem);
	kvfree(mem->pages);
}
