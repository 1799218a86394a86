// SPDX-License-Identifier: GPL-2.0-only
/*
 * The benchmark's module: writing "JOB SIZE BLOCKS" to debugfs's
 * vmbkmcl-bench/run runs it, in the writer's context and with its memory;
 * reading that file gives what came of the last one.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "bench.h"

static unsigned int channels = 1;
module_param(channels, uint, 0444);
MODULE_PARM_DESC(channels, "channels to open on each side");

/* The channels' interrupts come to the first. */
static unsigned int cpu;
module_param(cpu, uint, 0644);
MODULE_PARM_DESC(cpu, "CPU to run on");

static DEFINE_MUTEX(bench_lock);
static struct dentry *bench_dir;
static char bench_text[65536];
static struct seq_file bench_out = {
	.buf = bench_text,
	.size = sizeof(bench_text),
};

static unsigned long bench_memory[2];	/* bytes a channel takes */

static int bench_run_here(const char *name, u32 size, u32 blocks)
{
	cpumask_var_t old;
	int err;

	if (!alloc_cpumask_var(&old, GFP_KERNEL))
		return -ENOMEM;
	cpumask_copy(old, current->cpus_ptr);
	err = set_cpus_allowed_ptr(current, cpumask_of(cpu));
	if (!err) {
		err = bench_job(name, size, blocks, &bench_out);
		if (!err && seq_has_overflowed(&bench_out))
			err = -EOVERFLOW;
		set_cpus_allowed_ptr(current, old);
	}
	free_cpumask_var(old);
	return err;
}

static ssize_t bench_write(struct file *file, const char __user *text,
			   size_t len, loff_t *pos)
{
	char line[64] = {}, name[32];
	u32 size, blocks;
	int err;

	if (len >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, text, len))
		return -EFAULT;
	if (sscanf(line, "%31s %u %u", name, &size, &blocks) != 3)
		return -EINVAL;
	mutex_lock(&bench_lock);
	bench_out.count = 0;
	err = bench_run_here(name, size, blocks);
	mutex_unlock(&bench_lock);
	return err ?: len;
}

static ssize_t bench_read(struct file *file, char __user *text, size_t len,
			  loff_t *pos)
{
	return simple_read_from_buffer(text, len, pos, bench_text,
				       bench_out.count);
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.write = bench_write,
	.read = bench_read,
};

static unsigned long free_memory(void)
{
	struct sysinfo info;

	si_meminfo(&info);
	return info.freeram * PAGE_SIZE;
}

/* From here on the server echoes. */
static int bench_mode(const struct bench_side *side)
{
	unsigned int i;
	u64 value;
	int err = 0;

	for (i = 0; i < channels && !err; i++)
		err = bench_ask(side, i, TESTDEV_BENCH, 1, 0, 0, 0, &value);
	return err;
}

static int bench_open(const struct bench_side *side, unsigned int number)
{
	unsigned long before = free_memory();
	int err = side->open(channels);

	if (err)
		return err;
	bench_memory[number] = (before - free_memory()) / channels;
	err = bench_mode(side);
	if (err)
		side->close();
	return err;
}

/* What is compared, is it the same? */
static int bench_compare(void)
{
	struct vmbus_channel *raw = bench_raw.device(0)->channel;
	struct vmbus_channel *kmcl = bench_kmcl.device(0)->channel;

	if (raw->ringbuffer_pagecount == kmcl->ringbuffer_pagecount &&
	    raw->ringbuffer_send_offset == kmcl->ringbuffer_send_offset &&
	    raw->target_cpu == kmcl->target_cpu)
		return 0;
	pr_err("the channels differ: rings %u+%u and %u+%u pages, CPU %u and %u\n",
	       raw->ringbuffer_send_offset, raw->ringbuffer_pagecount,
	       kmcl->ringbuffer_send_offset, kmcl->ringbuffer_pagecount,
	       raw->target_cpu, kmcl->target_cpu);
	return -EINVAL;
}

static int __init bench_init(void)
{
	int err;

	if (!channels || channels > BENCH_CHANNELS)
		return -EINVAL;
	err = allocs_init();
	if (err)
		return err;
	err = bench_open(&bench_raw, 0);
	if (err)
		return err;
	err = bench_open(&bench_kmcl, 1);
	if (err)
		goto close_raw;
	err = bench_compare();
	if (err)
		goto close_kmcl;
	bench_dir = debugfs_create_dir("vmbkmcl-bench", NULL);
	debugfs_create_file("run", 0600, bench_dir, NULL, &bench_fops);
	seq_printf(&bench_out, "memory: channels=%u raw_bytes=%lu kmcl_bytes=%lu packets=%u packet_bytes=%u\n",
		   channels, bench_memory[0], bench_memory[1],
		   BENCH_OUTSTANDING, kmcl_packet_size());
	return 0;

close_kmcl:
	bench_kmcl.close();
close_raw:
	bench_raw.close();
	return err;
}

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
	bench_kmcl.close();
	bench_raw.close();
	allocs_exit();
}

module_init(bench_init);
module_exit(bench_exit);

MODULE_DESCRIPTION("Benchmark of vmbkmcl against hv_vmbus by hand");
MODULE_LICENSE("GPL");
