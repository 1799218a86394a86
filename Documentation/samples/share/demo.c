// SPDX-License-Identifier: GPL-2.0-only
/*
 * Share four buffers with the server, let it checksum them and write to them,
 * and check with one's own eyes what comes of it.
 *
 * usage: demo [N]
 *	N: flip one byte of buffer N after its checksum was taken. The demo must
 *	fail then: who trusts a test that was never seen failing?
 *
 * Prints what it finds in lines of "gpadl HANDLE: ...". Exit status: 0 when all
 * of it is as it should be.
 */

#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "protocol.h"
#include "share.h"

#define DEVICE	"/dev/vmbkmcl-share"
#define LENGTH	SHARE_MEMORY_SIZE

static const struct kind {
	const char *name;
	bool of_process;	/* else the module's vmalloc memory */
	uint32_t flags;
} kinds[] = {
	{ "vmalloc memory of the module, read-only", false, SHARE_READ_ONLY },
	{ "vmalloc memory of the module, writable", false, 0 },
	{ "memory of this process, read-only", true, SHARE_READ_ONLY },
	{ "memory of this process, writable", true, 0 },
};

static uint32_t crc32_of(const uint8_t *p, size_t n)
{
	uint32_t crc = ~0u;
	int bit;

	for (; n; n--) {
		crc ^= *p++;
		for (bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
	}
	return ~crc;
}

static void fill(uint8_t *p, uint32_t seed)
{
	size_t i;

	for (i = 0; i < LENGTH; i++)
		p[i] = testdev_pattern(seed, i);
}

/* Of the first byte that is not the pattern's; LENGTH when all are. */
static size_t find_difference(const uint8_t *p, uint32_t seed)
{
	size_t i;

	for (i = 0; i < LENGTH && p[i] == testdev_pattern(seed, i); i++)
		;
	return i;
}

static void ask(int fd, unsigned long what, struct share_args *args,
		const char *name)
{
	if (ioctl(fd, what, args))
		err(1, "%s", name);
}

/* The server reads: it must see the very bytes the guest has. */
static bool check_read(int fd, struct share_args *args, uint8_t *p, bool flip)
{
	uint32_t mine = crc32_of(p, LENGTH);
	uint32_t its;

	if (flip)
		p[LENGTH / 2] ^= 1;
	ask(fd, SHARE_CRC32, args, "SHARE_CRC32");
	its = args->value;
	printf("gpadl %#x: crc32 %08x here, the server says %08x: %s\n",
	       args->handle, mine, its, mine == its ? "equal" : "DIFFERENT");
	return mine == its;
}

/* The server writes: the guest must see each byte of it. */
static bool check_write(int fd, struct share_args *args, const uint8_t *p)
{
	size_t good;

	ask(fd, SHARE_FILL, args, "SHARE_FILL");
	good = find_difference(p, args->seed);
	if (good == LENGTH)
		printf("gpadl %#x: the server wrote the pattern of seed %#x: every byte found\n",
		       args->handle, args->seed);
	else
		printf("gpadl %#x: the server wrote the pattern of seed %#x: WRONG at byte %zu\n",
		       args->handle, args->seed, good);
	return good == LENGTH;
}

static bool show(const struct kind *kind, unsigned int number, bool flip)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	struct share_args args = {
		.length = LENGTH,
		.flags = kind->flags,
		.seed = 0x100 + number,
	};
	uint8_t *p;
	bool good;

	if (fd < 0)
		err(1, "%s", DEVICE);
	if (kind->of_process)
		p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		p = mmap(NULL, LENGTH, PROT_READ | PROT_WRITE, MAP_SHARED,
			 fd, 0);
	if (p == MAP_FAILED)
		err(1, "mmap");

	if (kind->of_process)
		args.address = (uintptr_t)p;
	ask(fd, SHARE_CREATE, &args, "SHARE_CREATE");
	ask(fd, SHARE_LENGTH, &args, "SHARE_LENGTH");
	printf("gpadl %#x: %s, %u bytes\n", args.handle, kind->name, LENGTH);
	good = args.value == LENGTH;

	/* Written after the create: the server sees memory, not a copy of it. */
	fill(p, number);
	good = check_read(fd, &args, p, flip) && good;
	if (!(kind->flags & SHARE_READ_ONLY))
		good = check_write(fd, &args, p) && good;

	ask(fd, SHARE_DELETE, &args, "SHARE_DELETE");
	munmap(p, LENGTH);
	close(fd);
	return good;
}

int main(int argc, char **argv)
{
	unsigned int broken = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;
	unsigned int i, bad = 0;

	setlinebuf(stdout);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!show(&kinds[i], i + 1, i + 1 == broken))
			bad++;
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
