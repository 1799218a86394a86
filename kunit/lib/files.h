/* SPDX-License-Identifier: GPL-2.0-only */
/* The guest's files, for kernel threads: files.c. */
#ifndef _KUNIT_FILES_H
#define _KUNIT_FILES_H

#include <kunit/test.h>
#include <linux/types.h>

struct file;

/* As filp_open(), with an absolute path. */
struct file *open_file(const char *path, int flags, umode_t mode);

/* Have the guest's shell run it, and see it succeed. */
void run_shell(struct kunit *test, const char *script);

/* Text of a small file, e.g. in debugfs; freed with the case. */
char *read_text(struct kunit *test, const char *path);
void write_text(struct kunit *test, const char *path, const char *text);
/* Returns the number of bytes that the file has taken, or a negative error. */
ssize_t try_write_text(struct kunit *test, const char *path, const char *text);

#endif /* _KUNIT_FILES_H */
