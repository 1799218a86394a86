// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin of the QEMU that emulates: counts the instructions that kernels execute
 * between the marks of a benchmark, by the block of code they are in. Exact, where an
 * emulated machine has no performance counters to sample.
 *
 * At the end of each job it writes "job RAW KMCL", the operations of each side, and
 * for each block "ADDRESS INSTRUCTIONS RAW KMCL": how long it is, and how often each
 * side ran it. The emulated machine has one CPU, so nothing here is locked.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <glib.h>
#include <qemu/qemu-plugin.h>

#include "marks.h"

#define KERNEL	0xffffffff80000000

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

struct block {
	uint64_t address;
	uint64_t instructions;
	uint64_t runs;		/* QEMU counts here */
	uint64_t before;
	uint64_t timed[2];
};

static GHashTable *table;	/* of blocks, by address and instructions */
static GPtrArray *blocks;	/* the same */
static uint64_t ops[2];
static FILE *out;

static guint block_hash(gconstpointer key)
{
	const struct block *block = key;

	return block->address ^ block->instructions << 24;
}

static gboolean block_equal(gconstpointer a, gconstpointer b)
{
	const struct block *one = a, *other = b;

	return one->address == other->address &&
	       one->instructions == other->instructions;
}

/* Code is translated more than once. */
static struct block *find_block(uint64_t address, uint64_t instructions)
{
	struct block key = { .address = address, .instructions = instructions };
	struct block *block = g_hash_table_lookup(table, &key);

	if (!block) {
		block = g_new(struct block, 1);
		*block = key;
		g_hash_table_add(table, block);
		g_ptr_array_add(blocks, block);
	}
	return block;
}

static void start(void)
{
	guint i;

	for (i = 0; i < blocks->len; i++) {
		struct block *block = g_ptr_array_index(blocks, i);

		block->before = block->runs;
	}
}

static void stop(unsigned int side)
{
	guint i;

	for (i = 0; i < blocks->len; i++) {
		struct block *block = g_ptr_array_index(blocks, i);

		block->timed[side] += block->runs - block->before;
		block->before = block->runs;
	}
}

static void end(void)
{
	guint i;

	fprintf(out, "job %" PRIu64 " %" PRIu64 "\n", ops[0], ops[1]);
	for (i = 0; i < blocks->len; i++) {
		struct block *block = g_ptr_array_index(blocks, i);

		if (block->timed[0] || block->timed[1])
			fprintf(out, "%" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
				block->address, block->instructions,
				block->timed[0], block->timed[1]);
		block->timed[0] = 0;
		block->timed[1] = 0;
	}
	ops[0] = 0;
	ops[1] = 0;
	fflush(out);
}

static void marked(unsigned int cpu, void *userdata)
{
	unsigned int mark = GPOINTER_TO_UINT(userdata), side = mark & 1;

	(void)cpu;
	switch (mark & ~1) {
	case PROFILE_START:
		start();
		break;
	case PROFILE_STOP:
		stop(side);
		break;
	case PROFILE_OP:
		ops[side]++;
		break;
	case PROFILE_END:
		end();
		break;
	}
}

static void look_for_mark(struct qemu_plugin_insn *insn)
{
	static const uint8_t nopl[] = { 0x0f, 0x1f, 0x80 };
	const uint8_t *bytes = qemu_plugin_insn_data(insn);
	uint32_t mark;

	if (qemu_plugin_insn_size(insn) != sizeof(nopl) + sizeof(mark) ||
	    memcmp(bytes, nopl, sizeof(nopl)))
		return;
	memcpy(&mark, bytes + sizeof(nopl), sizeof(mark));
	if ((mark & ~0xffu) == PROFILE_MARK)
		qemu_plugin_register_vcpu_insn_exec_cb(insn, marked,
						       QEMU_PLUGIN_CB_NO_REGS,
						       GUINT_TO_POINTER(mark & 0xff));
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	if (address < KERNEL)
		return;
	for (i = 0; i < n; i++)
		look_for_mark(qemu_plugin_tb_get_insn(tb, i));
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &find_block(address, n)->runs, 1);
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
					   const qemu_info_t *info, int argc,
					   char **argv)
{
	(void)info;
	if (argc != 1 || !g_str_has_prefix(argv[0], "out="))
		return -1;
	out = fopen(argv[0] + strlen("out="), "w");
	if (!out)
		return -1;
	table = g_hash_table_new(block_hash, block_equal);
	blocks = g_ptr_array_new();
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
