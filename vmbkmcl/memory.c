// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory held for the host.
 *
 * What the host may write must stay what it is until the host lets go, whatever
 * its owner does meanwhile. User memory is pinned, charged to its address space
 * and mapped here; vmalloc and page-allocator pages are referenced, so that an
 * early free can not hand them to somebody else. Slab memory has no reference to
 * take: such a buffer is its owner's to keep (&kmcl_memory.held), who must not be told
 * that it is free before the host has let go.
 */

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
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

/* Says whether this module or its owner keeps the memory while the host may write it. */
const char *kmcl_memory_holder(const struct kmcl_memory *mem)
{
	return mem->held ? "held by vmbkmcl" : "held by its owner";
}

/* User memory */

/* Behind the end of its file: a touch would be a bus error. */
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

/* What speaks against a pin of a mapping; 0: nothing that could be named. */
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
	/* Secret memory; or shared for writing, whose long-term pins are refused. */
	return vma->vm_file ? -EOPNOTSUPP : 0;
}

/*
 * pin_user_pages() says -EFAULT to everything; the caller deserves to know what it
 * was. That memory is not there, or not the caller's, is more than that it can not be
 * pinned.
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

/* Private, and may become writable: the owner's next write copies a page. */
static bool kmcl_vma_copies_on_write(const struct vm_area_struct *vma)
{
	return (vma->vm_flags & (VM_SHARED | VM_MAYWRITE)) == VM_MAYWRITE;
}

/* The first of @nr pages, as many as are in one mapping; never 0. */
static int kmcl_user_pin_for_reading(unsigned long start, unsigned int nr,
				     struct page **pages)
{
	unsigned int flags = FOLL_LONGTERM;
	struct vm_area_struct *vma;
	int n = -EFAULT;

	mmap_read_lock(current->mm);
	vma = find_vma(current->mm, start);
	/* Force asks for no right to read. */
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
 * The same for all kernels. Where a pin for reading does not keep private memory from
 * being copied at the owner's next write, the copy is made first; and if that cannot
 * be done, there is no other way.
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
 * Pages of files are not pinned for long, as writeback would miss what the host
 * writes all the time. For one packet it is what any direct I/O does.
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
 * Against RLIMIT_MEMLOCK, by itself and without mmap_lock: a process holds that as
 * long as it likes, and the memory is let go in the removal of a device as well.
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
	/* The owner may die before it is let go; its account must not. */
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

/* Of a locked buffer, also one that could not be referenced. */
struct page *kmcl_memory_get_page(const struct kmcl_memory *mem, unsigned int i)
{
	return mem->pages[i] ?: kmcl_kernel_page(mem, i);
}

/* Nothing is held yet. */
static int kmcl_kernel_find_one(struct kmcl_memory *mem, unsigned int i)
{
	void *va = mem->va + ((unsigned long)i << PAGE_SHIFT);
	struct page *page;

	if (mem->kind == KMCL_MEMORY_VMALLOC && kmcl_has_no_page(va))
		return -EPERM;
	page = kmcl_kernel_page(mem, i);
	if (!page)
		return -EFAULT;
	if (!kmcl_page_usable(page, i ? mem->pages[i - 1] : NULL))
		return -EPERM;
	if (!mem->read_only && !kmcl_is_mapped_writable(va))
		return -EACCES;
	mem->pages[i] = page;
	return 0;
}

/* Every page is judged before the first is touched. */
static int kmcl_kernel_find(struct kmcl_memory *mem)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < mem->nr_pages && !err; i++)
		err = kmcl_kernel_find_one(mem, i);
	return err;
}

/**
 * kmcl_memory_reference - hold what can be held of kernel memory
 * @mem: all of whose pages are known
 *
 * A page that cannot be referenced is none of @mem's any more.
 *
 * Context: any.
 */
void kmcl_memory_reference(struct kmcl_memory *mem)
{
	unsigned int i;

	mem->held = true;
	for (i = 0; i < mem->nr_pages; i++) {
		mem->pages[i] = kmcl_page_reference(mem->pages[i]);
		if (!mem->pages[i])
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
	for (i = 0; i < mem->nr_pages; i++)
		if (mem->pages[i])
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
 * Stacks are vmalloc memory as any other (with CONFIG_VMAP_STACK), so each task is
 * asked for its own.
 */
static bool kmcl_on_stack(unsigned long start, unsigned long end)
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

/* hv_vmbus takes anything but vmalloc for linear, also a module's memory. */
bool kmcl_in_module(unsigned long start, unsigned long end)
{
#ifdef MODULES_VADDR
	return start < MODULES_END && end > MODULES_VADDR;
#else
	return false;
#endif
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

static int kmcl_memory_fill(struct kmcl_memory *mem, void *addr, u32 bytes,
			    bool read_only, bool lasting)
{
	unsigned long start = (unsigned long)addr & PAGE_MASK;
	unsigned long end = (unsigned long)addr + bytes;
	int err;

	memset(mem, 0, sizeof(*mem));
	err = kmcl_classify(addr, end, &mem->kind);
	if (err)
		return err;
	mem->read_only = read_only;
	mem->nr_pages = DIV_ROUND_UP(end - start, PAGE_SIZE);
	mem->pages = kvcalloc(mem->nr_pages, sizeof(*mem->pages),
			      GFP_KERNEL_ACCOUNT);
	if (!mem->pages)
		return -ENOMEM;

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
 * kmcl_memory_lock - keep the pages of some memory for packets
 * @mem: filled in, without an address for user memory; kmcl_memory_release()
 *	undoes it
 * @addr: user address of the calling process, or kernel address
 * @bytes: above 0, not wrapping around
 * @read_only: nobody will write through it: enough that the memory is readable
 *
 * User memory that cannot be pinned for long is pinned all the same: see
 * &kmcl_memory.pinned_short.
 *
 * Context: may sleep.
 * Return: as kmcl_memory_hold().
 */
int kmcl_memory_lock(struct kmcl_memory *mem, void *addr, u32 bytes,
		     bool read_only)
{
	return kmcl_memory_fill(mem, addr, bytes, read_only, false);
}

/* References of this buffer's to the pages that @folio has. */
static unsigned int kmcl_memory_refs(const struct kmcl_memory *mem,
				     const struct folio *folio)
{
	unsigned int i, refs = 0;

	for (i = 0; i < mem->nr_pages; i++)
		refs += mem->pages[i] && page_folio(mem->pages[i]) == folio;
	return refs;
}

/*
 * The host sees all of the last page: is the rest of it the owner's, too? An area of
 * vmalloc's has its pages to itself. What else a process has in a page is not known.
 */
static bool kmcl_memory_owns_last_page(const struct kmcl_memory *mem)
{
	struct page *last = kmcl_memory_get_page(mem, mem->nr_pages - 1);
	struct folio *folio = page_folio(last);

	if (mem->kind == KMCL_MEMORY_USER)
		return false;
	if (mem->kind == KMCL_MEMORY_VMALLOC)
		return !folio_test_slab(folio);
	return kmcl_page_has_one_owner(last, kmcl_memory_refs(mem, folio));
}

/**
 * kmcl_memory_hold - keep memory in place for the host
 * @mem: filled in; kmcl_memory_release() undoes it
 * @addr: user address of the calling process, or kernel address; page-aligned
 * @bytes: above 0, not wrapping around; rounded up to whole Hyper-V pages where
 *	the rest of the last page is the owner's too
 * @read_only: the host will only read: enough that the memory is readable
 *
 * Context: may sleep.
 * Return: 0. -EINVAL for stack memory, -EPERM for the kernel's or a module's
 * image and for MMIO, -EFAULT where nothing is mapped, -EACCES for memory that
 * may not be written, -EDQUOT over RLIMIT_MEMLOCK, -EMSGSIZE for a part of a
 * page whose rest may be somebody else's, -EOPNOTSUPP for memory that can not be
 * pinned, -EINTR for a process that is killed meanwhile, -EHWPOISON, -ENOMEM.
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
 * kmcl_memory_release - let the memory go: the host has
 * @mem: from kmcl_memory_hold() and the like, or kmcl_memory_lock()
 *
 * Context: may sleep; any process.
 */
void kmcl_memory_release(struct kmcl_memory *mem)
{
	if (mem->kind == KMCL_MEMORY_USER)
		kmcl_user_release(mem);
	else
		kmcl_kernel_release(mem);
	kvfree(mem->pages);
}
