/* SPDX-License-Identifier: GPL-2.0-only */
/* All differences between the supported kernels, 6.1 to 7.3, are in this file. */
#ifndef _KMCL_COMPAT_H
#define _KMCL_COMPAT_H

#include <linux/backing-dev.h>
#include <linux/export.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/timer.h>
#include <linux/version.h>

/*
 * Functions for buses are exported in a namespace that clients do not import. 6.13 made
 * the namespace a string.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define KMCL_EXPORT_TO_BUSES(sym)	EXPORT_SYMBOL_NS_GPL(sym, "VMBKMCL_BUS")
#define KMCL_IMPORT_BUS_NS		MODULE_IMPORT_NS("VMBKMCL_BUS")
#else
#define KMCL_EXPORT_TO_BUSES(sym)	EXPORT_SYMBOL_NS_GPL(sym, VMBKMCL_BUS)
#define KMCL_IMPORT_BUS_NS		MODULE_IMPORT_NS(VMBKMCL_BUS)
#endif

/* Until 6.3 hv_driver.remove returned an int, which hv_vmbus ignored. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define KMCL_HV_REMOVE(name)						\
	static void name(struct hv_device *hdev)			\
	{								\
		name ## _device(hdev);					\
	}
#else
#define KMCL_HV_REMOVE(name)						\
	static int name(struct hv_device *hdev)				\
	{								\
		name ## _device(hdev);					\
		return 0;						\
	}
#endif

/*
 * True before 6.2: a read-only long-term pin of private memory keeps the old page
 * after the next copy-on-write, unless the pin forces the copy first.
 */
static inline bool kmcl_pin_must_break_cow(void)
{
	return LINUX_VERSION_CODE < KERNEL_VERSION(6, 2, 0);
}

/* Called with mmap_lock held for reading. 6.5 removed the argument for the VMAs. */
static inline int kmcl_pin_user_pages(unsigned long start, unsigned int nr,
				      unsigned int flags, struct page **pages)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	return pin_user_pages(start, nr, flags, pages, NULL);
#else
	return pin_user_pages(start, nr, flags, pages);
#endif
}

/*
 * True for a page of a file that is written back: writeback would miss the host's
 * writes. Since 6.5 pin_user_pages() refuses such a page itself for a long-term
 * write pin.
 */
static inline bool kmcl_page_is_written_back(struct page *page)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
	struct address_space *mapping;
	bool written_back;

	if (PageAnon(page))
		return false;
	/* The lock keeps page->mapping: a truncation could free it. */
	lock_page(page);
	mapping = page_mapping(page);
	written_back = mapping && mapping_can_writeback(mapping);
	unlock_page(page);
	return written_back;
#else
	return false;
#endif
}

/* 6.15 renamed del_timer_sync(). */
static inline void kmcl_timer_delete_sync(struct timer_list *timer)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

/* Since 7.0 a confidential VM may have channels that use encrypted memory as it is. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 0, 0)
#define kmcl_channel_uses_plain_memory(chan)	((chan)->co_external_memory)
#else
#define kmcl_channel_uses_plain_memory(chan)	((void)(chan), false)
#endif

/*
 * Newer kernels have memory that the host of a confidential VM can access from the
 * beginning. Kbuild looks for the functions.
 */
#ifdef KMCL_HV_HAS_BUFFERS
#define KMCL_HAS_BOUNCE			true
#define kmcl_establish_bounce_gpadl	vmbus_establish_gpadl_caller_decrypted
#define kmcl_alloc_bounce_buffer	vmbus_alloc_buffer
#define kmcl_free_bounce_buffer		vmbus_free_buffer
#else
#define KMCL_HAS_BOUNCE			false
#define kmcl_establish_bounce_gpadl	vmbus_establish_gpadl
#define kmcl_alloc_bounce_buffer(chan, size, chunks, count) \
	((void)(chan), (void)(chunks), (void)(count), vzalloc(size))
#define kmcl_free_bounce_buffer(va, chunks, count) \
	((void)(chunks), (void)(count), vfree(va))
#endif

#endif /* _KMCL_COMPAT_H */
