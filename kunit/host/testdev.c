// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server that serves protocol.h: the other end of the tests' channels. It is
 * a part of a shared object preloaded into the distribution's own QEMU
 * (build.sh), so nothing of QEMU is built or changed. This file is what opening
 * and closing a channel do.
 */
#include "testdev.h"

#include "qapi/error.h"

void testdev_log(struct testdev *dev, const char *fmt, ...)
{
	va_list args;

	fprintf(dev->log, "%s: ", dev->name);
	va_start(args, fmt);
	vfprintf(dev->log, fmt, args);
	va_end(args);
	fputc('\n', dev->log);
	fflush(dev->log);
}

/* NULL: where the environment says, or standard error. */
FILE *testdev_open_log(const char *path, Error **errp)
{
	FILE *log;

	path = path ?: getenv("VMBKMCL_TESTDEV_LOG");
	if (!path || !*path)
		return stderr;
	/* Appended to: several devices and runs may share the file. */
	log = fopen(path, "ae");
	if (!log)
		error_setg_errno(errp, errno, "cannot write the log %s", path);
	return log;
}

void testdev_close_log(FILE *log)
{
	if (log != stderr)
		fclose(log);
}

static char *make_name(const char *id, uint16_t index)
{
	g_autofree char *sub = index ? g_strdup_printf(" sub-channel %u", index) :
				       g_strdup("");

	return id ? g_strdup_printf("testdev %s%s", id, sub) :
		    g_strdup_printf("testdev%s", sub);
}

void testdev_init(struct testdev *dev, const char *id, uint16_t index, FILE *log)
{
	dev->index = index;
	dev->name = make_name(id, index);
	dev->log = log;
	QTAILQ_INIT(&dev->held);
	out_init(dev);
}

void testdev_fini(struct testdev *dev)
{
	gpadl_release_all(dev);
	out_fini(dev);
	g_free(dev->name);
}

void testdev_opened(struct testdev *dev, uint32_t request_ring_len,
		    uint32_t answer_ring_len)
{
	dev->open = true;
	dev->answer_ring_len = answer_ring_len;
	dev->is_pipe = false;
	dev->bench = false;
	dev->wakeups = 0;
	dev->count.opens++;
	testdev_log(dev, "channel %u open: rings of %u and %u bytes", host_relid(dev),
		    request_ring_len, answer_ring_len);
}

void testdev_closed(struct testdev *dev)
{
	out_drop_all(dev);
	gpadl_release_all(dev);
	dev->open = false;
	dev->count.closes++;
	testdev_log(dev, "channel %u closed: %" PRIu64 " requests so far", host_relid(dev),
		    (uint64_t)dev->count.requests);
}
