// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a process, for kernel threads.
 *
 * KUnit runs each case in a kernel thread, which has no user memory. It borrows
 * the address space of the process that loads this module (or that writes to
 * KUnit's run file): suite_init runs there.
 */

#include <linux/crc32.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "files.h"
#include "../host/protocol.h"
#include "user_memory.h"

static struct mm_struct *suite_mm;

int user_memory_suite_init(struct kunit_suite *suite)
{
	if (!current->mm)
		return -EINVAL;
	suite_mm = current->mm;
	mmget(suite_mm);
	return 0;
}

void user_memory_suite_exit(struct kunit_suite *suite)
{
	mmput(suite_mm);
	suite_mm = NULL;
}

/*
 * A case that fails ends its thread at once, and the thread's exit drops the
 * address space it finds as its own: so it gets a reference to drop, and never
 * gives the space back before.
 */
void user_memory_use(struct kunit *test)
{
	KUNIT_ASSERT_NOT_NULL(test, suite_mm);
	if (current->mm)
		return;
	mmget(suite_mm);
	kthread_use_mm(suite_mm);
	mmdrop(suite_mm);
}

struct mapping {
	unsigned long addr;
	size_t size;
};

/* Runs in another thread when the case's own has ended. */
static void unmap(void *data)
{
	struct mapping *map = data;
	bool borrowed = !current->mm;

	if (borrowed)
		kthread_use_mm(suite_mm);
	vm_munmap(map->addr, map->size);
	if (borrowed)
		kthread_unuse_mm(suite_mm);
}

unsigned long user_memory_map(struct kunit *test, struct file *file, size_t size,
			      unsigned long prot, unsigned long flags)
{
	struct mapping *map;

	user_memory_use(test);
	map = kunit_kzalloc(test, sizeof(*map), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, map);
	map->size = size;
	map->addr = vm_mmap(file, 0, size, prot, flags, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(map->addr));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, unmap, map), 0);
	return map->addr;
}

unsigned long user_memory_tagged(struct kunit *test, unsigned long addr)
{
	/* Bits of LAM57 on x86, and of TBI on arm64. */
	unsigned long tagged = addr | (0x2aUL << 57);

	if (untagged_addr(tagged) != addr)
		kunit_skip(test, "addresses of this process have no tags");
	return tagged;
}

static void close_file(void *file)
{
	fput(file);
}

struct file *user_memory_file(struct kunit *test, const char *path, size_t size)
{
	struct file *file;
	loff_t pos = 0;
	u8 *page;

	file = open_file(path, O_RDWR | O_CREAT | O_TRUNC | O_LARGEFILE, 0600);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path,
			       PTR_ERR(file));
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, close_file, file),
			0);
	page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, page);
	while (pos < size) {
		unsigned int i;

		for (i = 0; i < PAGE_SIZE; i++)
			page[i] = testdev_pattern(1, pos + i);
		KUNIT_ASSERT_EQ(test,
				kernel_write(file, page, PAGE_SIZE, &pos),
				PAGE_SIZE);
	}
	return file;
}

void user_memory_write_pattern(struct kunit *test, unsigned long addr,
			       size_t size, u32 seed)
{
	u8 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	size_t done, i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (done = 0; done < size; done += PAGE_SIZE) {
		for (i = 0; i < PAGE_SIZE; i++)
			page[i] = testdev_pattern(seed, done + i);
		KUNIT_ASSERT_EQ(test,
				copy_to_user((void __user *)(addr + done), page,
					     PAGE_SIZE), 0);
	}
	kunit_kfree(test, page);
}

bool user_memory_has_pattern(unsigned long addr, size_t size, u32 seed)
{
	u8 *page = kmalloc(PAGE_SIZE, GFP_KERNEL);
	size_t done, i;
	bool same = page;

	for (done = 0; same && done < size; done += PAGE_SIZE) {
		same = !copy_from_user(page, (void __user *)(addr + done),
				       PAGE_SIZE);
		for (i = 0; same && i < PAGE_SIZE; i++)
			same = page[i] == testdev_pattern(seed, done + i);
	}
	kfree(page);
	return same;
}

u32 user_memory_crc32(struct kunit *test, unsigned long addr, size_t size)
{
	u8 *page = kunit_kzalloc(test, PAGE_SIZE, GFP_KERNEL);
	u32 crc = ~0;
	size_t done;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (done = 0; done < size; done += PAGE_SIZE) {
		KUNIT_ASSERT_EQ(test,
				copy_from_user(page,
					       (void __user *)(addr + done),
					       PAGE_SIZE), 0);
		crc = crc32_le(crc, page, PAGE_SIZE);
	}
	kunit_kfree(test, page);
	return ~crc;
}

long vm_counter(struct kunit *test, const char *name)
{
	char *text, *line;
	long value;

	/* Fold in what each CPU still has to itself. */
	write_text(test, "/proc/sys/vm/stat_refresh", "1");
	text = read_text(test, "/proc/vmstat");
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, strlen(name)) &&
		    line[strlen(name)] == ' ')
			break;
	}
	KUNIT_ASSERT_NOT_NULL_MSG(test, line, "no line %s", name);
	KUNIT_ASSERT_EQ(test, sscanf(line + strlen(name), " %ld", &value), 1);
	kunit_kfree(test, text);
	return value;
}

long pins_held(struct kunit *test)
{
	return vm_counter(test, "nr_foll_pin_acquired") -
	       vm_counter(test, "nr_foll_pin_released");
}
