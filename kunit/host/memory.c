// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory that lies in pieces. The addresses come from the guest: each
 * access is checked by QEMU, and one that fails is TESTDEV_EFAULT.
 */
#include "testdev.h"

#include <zlib.h>

/* How much is copied at once. */
#define CHUNK	VMBUS_PAGE_SIZE

/* With room for so many pieces. */
struct guest_memory *memory_new(AddressSpace *as, size_t nr)
{
	struct guest_memory *mem = g_malloc0(sizeof(*mem) + nr * sizeof(mem->piece[0]));

	mem->as = as;
	return mem;
}

void memory_add(struct guest_memory *mem, uint64_t addr, uint64_t len)
{
	mem->piece[mem->nr].addr = addr;
	mem->piece[mem->nr++].len = len;
	mem->size += len;
}

/* Copies between @buf and a range the caller has checked to lie inside. */
static enum testdev_status memory_copy(const struct guest_memory *mem, uint64_t offset,
				       void *buf, uint64_t len, DMADirection dir)
{
	const struct guest_piece *piece = mem->piece;
	uint64_t n;

	for (; len && offset >= piece->len; piece++)
		offset -= piece->len;
	for (; len; piece++) {
		n = MIN(len, piece->len - offset);
		if (dma_memory_rw(mem->as, piece->addr + offset, buf, n, dir,
				  MEMTXATTRS_UNSPECIFIED) != MEMTX_OK)
			return TESTDEV_EFAULT;
		buf = (uint8_t *)buf + n;
		len -= n;
		offset = 0;
	}
	return TESTDEV_OK;
}

static bool in_range(const struct guest_memory *mem, uint64_t offset, uint64_t len)
{
	return offset <= mem->size && len <= mem->size - offset;
}

enum testdev_status memory_read(const struct guest_memory *mem, uint64_t offset,
				void *buf, uint64_t len)
{
	if (!in_range(mem, offset, len))
		return TESTDEV_ERANGE;
	return memory_copy(mem, offset, buf, len, DMA_DIRECTION_TO_DEVICE);
}

enum testdev_status memory_write(const struct guest_memory *mem, uint64_t offset,
				 const void *buf, uint64_t len)
{
	if (!in_range(mem, offset, len))
		return TESTDEV_ERANGE;
	return memory_copy(mem, offset, (void *)buf, len, DMA_DIRECTION_FROM_DEVICE);
}

/* One pass over the pieces, a chunk of each at a time: linear in their number. */
enum testdev_status memory_crc32(const struct guest_memory *mem, uint32_t *crc)
{
	uint8_t buf[CHUNK];
	uint64_t done, n;
	size_t i;

	*crc = crc32(0, NULL, 0);
	for (i = 0; i < mem->nr; i++) {
		for (done = 0; done < mem->piece[i].len; done += n) {
			n = MIN(mem->piece[i].len - done, CHUNK);
			if (dma_memory_read(mem->as, mem->piece[i].addr + done, buf, n,
					    MEMTXATTRS_UNSPECIFIED) != MEMTX_OK)
				return TESTDEV_EFAULT;
			*crc = crc32(*crc, buf, n);
		}
	}
	return TESTDEV_OK;
}

/* Pieces of external data begin anywhere, also inside a word of the pattern. */
static void pattern_fill(uint8_t *buf, uint64_t n, uint32_t seed, uint64_t offset)
{
	uint64_t i = 0, word;

	for (; i < n && (offset + i) % 8; i++)
		buf[i] = testdev_pattern(seed, offset + i);
	for (; n - i >= 8; i += 8) {
		word = cpu_to_le64(testdev_pattern_word(seed, (offset + i) / 8));
		memcpy(buf + i, &word, 8);
	}
	for (; i < n; i++)
		buf[i] = testdev_pattern(seed, offset + i);
}

enum testdev_status memory_fill(const struct guest_memory *mem, uint32_t seed)
{
	uint64_t done, n, offset = 0;
	uint8_t buf[CHUNK];
	size_t i;

	for (i = 0; i < mem->nr; i++) {
		for (done = 0; done < mem->piece[i].len; done += n, offset += n) {
			n = MIN(mem->piece[i].len - done, CHUNK);
			pattern_fill(buf, n, seed, offset);
			if (dma_memory_write(mem->as, mem->piece[i].addr + done, buf, n,
					     MEMTXATTRS_UNSPECIFIED) != MEMTX_OK)
				return TESTDEV_EFAULT;
		}
	}
	return TESTDEV_OK;
}
