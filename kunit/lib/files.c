// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's files, for kernel threads.
 *
 * Kernel threads of newer kernels have no file system of their own: these functions
 * use that of init.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "files.h"

#define TEXT_MAX	(64 * 1024)

struct file *open_file(const char *path, int flags, umode_t mode)
{
	struct task_struct *init = init_pid_ns.child_reaper;
	struct file *file;
	struct path root;

	task_lock(init);
	get_fs_root(init->fs, &root);
	task_unlock(init);
	file = file_open_root(&root, path, flags | O_LARGEFILE, mode);
	path_put(&root);
	return file;
}

static ssize_t read_file(struct kunit *test, const char *path, char *text)
{
	struct file *file = open_file(path, O_RDONLY, 0);
	loff_t pos = 0;
	ssize_t n;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path,
			       PTR_ERR(file));
	do {
		n = kernel_read(file, text + pos, TEXT_MAX - 1 - pos, &pos);
	} while (n > 0);
	fput(file);
	return n;
}

void run_shell(struct kunit *test, const char *script)
{
	static char *envp[] = { "PATH=/bin", NULL };
	char *argv[] = { "/bin/sh", "-c", (char *)script, NULL };

	KUNIT_ASSERT_EQ_MSG(test, call_usermodehelper(argv[0], argv, envp,
						      UMH_WAIT_PROC), 0,
			    "%s", script);
}
EXPORT_TO_TESTS(run_shell);

/* The kernel can not read every file of procfs and debugfs for itself; a process can. */
static void copy_file(struct kunit *test, const char *path, const char *to)
{
	char script[128];

	snprintf(script, sizeof(script), "cat %s >%s", path, to);
	run_shell(test, script);
}

char *read_text(struct kunit *test, const char *path)
{
	char *text = kunit_kzalloc(test, TEXT_MAX, GFP_KERNEL);
	static const char copy[] = "/tmp/kunit-text";

	KUNIT_ASSERT_NOT_NULL(test, text);
	if (strstarts(path, "/proc/slabinfo") ||
	    strstarts(path, "/sys/kernel/debug/") ||
	    strstarts(path, "/sys/kernel/tracing/")) {
		copy_file(test, path, copy);
		path = copy;
	}
	KUNIT_ASSERT_EQ(test, read_file(test, path, text), 0);
	return text;
}
EXPORT_TO_TESTS(read_text);

ssize_t try_write_text(struct kunit *test, const char *path, const char *text)
{
	struct file *file = open_file(path, O_WRONLY, 0);
	loff_t pos = 0;
	ssize_t written;

	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s: %ld", path,
			       PTR_ERR(file));
	written = kernel_write(file, text, strlen(text), &pos);
	fput(file);
	return written;
}
EXPORT_TO_TESTS(try_write_text);

void write_text(struct kunit *test, const char *path, const char *text)
{
	KUNIT_EXPECT_EQ(test, try_write_text(test, path, text), strlen(text));
}
EXPORT_TO_TESTS(write_text);
