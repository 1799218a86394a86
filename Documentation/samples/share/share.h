/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * What a process asks of /dev/vmbkmcl-share.
 *
 * Each open file has SHARE_MEMORY_SIZE bytes of the module's own memory, which
 * mmap() shows, and can share one buffer at a time: some of that memory or some
 * of the process's.
 */
#ifndef _VMBKMCL_SHARE_H
#define _VMBKMCL_SHARE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SHARE_MEMORY_SIZE	(1024 * 1024)

#define SHARE_READ_ONLY		1	/* the server will only read */

/**
 * struct share_args - argument of every ioctl
 * @address: CREATE: page-aligned start of the caller's memory, or 0 for the
 *	module's
 * @length: CREATE: bytes
 * @flags: CREATE: 0 or %SHARE_READ_ONLY
 * @handle: CREATE: out, what the server knows the buffer by
 * @seed: FILL: which pattern the server writes
 * @value: LENGTH, CRC32: out, the server's answer
 */
struct share_args {
	__u64 address;
	__u32 length;
	__u32 flags;
	__u32 handle;
	__u32 seed;
	__u64 value;
};

#define SHARE_CREATE	_IOWR('V', 0, struct share_args) /* share a buffer */
#define SHARE_LENGTH	_IOWR('V', 1, struct share_args) /* how much is it? */
#define SHARE_CRC32	_IOWR('V', 2, struct share_args) /* checksum it */
#define SHARE_FILL	_IOWR('V', 3, struct share_args) /* write all of it */
#define SHARE_DELETE	_IOWR('V', 4, struct share_args) /* take it back */

#endif /* _VMBKMCL_SHARE_H */
