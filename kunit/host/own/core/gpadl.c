// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of GPADLs. Its numbers are checked against the messages that bring
 * them: bodies only for a GPADL that needs them, each as long as it can be, and
 * as many pages as were announced.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

#define RANGE_HEAD	8u	/* bytes and offset */

#define SCRIBBLE_MS	2u

static struct gpadl *find(struct host *host, uint32_t id)
{
	struct gpadl *gpadl;

	TAILQ_FOREACH(gpadl, &host->gpadls, link)
		if (gpadl->id == id)
			return gpadl;
	return NULL;
}

struct gpadl *gpadl_find(struct host *host, uint32_t relid, uint32_t id)
{
	struct gpadl *gpadl = find(host, id);

	return gpadl && gpadl->relid == relid && gpadl->state == GPADL_READY ? gpadl : NULL;
}

unsigned int gpadl_count(struct host *host, uint32_t relid)
{
	struct gpadl *gpadl;
	unsigned int n = 0;

	TAILQ_FOREACH(gpadl, &host->gpadls, link)
		n += gpadl->relid == relid;
	return n;
}

static void drop(struct host *host, struct gpadl *gpadl)
{
	TAILQ_REMOVE(&host->gpadls, gpadl, link);
	free(gpadl);
}

void gpadl_forget(struct host *host, uint32_t relid)
{
	struct gpadl *gpadl, *next;

	for (gpadl = TAILQ_FIRST(&host->gpadls); gpadl; gpadl = next) {
		next = TAILQ_NEXT(gpadl, link);
		if (relid == UINT32_MAX || gpadl->relid == relid)
			drop(host, gpadl);
	}
}

static void answer(struct host *host, uint32_t relid, uint32_t id, uint32_t status)
{
	struct wire_gpadl_created created = {
		.header.type = WIRE_GPADL_CREATED,
		.relid = relid,
		.gpadl = id,
		.status = status,
	};

	if (!status)
		machine_trace("vmbus_gpadl_created gpadl #%u", id);
	rule_post(host, relid, &created, sizeof(created));
}

static bool all_ram(const struct gpadl *gpadl)
{
	uint32_t i;

	for (i = 0; i < gpadl->nr; i++)
		if (!machine_is_ram(gpadl->pfn[i]))
			return false;
	return true;
}

/* Appends the pages that the message has; returns how many it has room for. */
static void append(struct host *host, struct gpadl *gpadl, const void *pfn, uint32_t bytes,
		   uint32_t most)
{
	uint32_t left = gpadl->nr - gpadl->seen, n = bytes / sizeof(uint64_t);
	uint32_t due = left < most ? left : most;

	/*
	 * A message may be padded to its greatest size; a host stops where it
	 * is told.
	 */
	judge(host, n == due && !(bytes % sizeof(uint64_t)),
	      "gpadl 0x%x: %u bytes of page numbers instead of %u", gpadl->id, bytes,
	      due * (uint32_t)sizeof(uint64_t));
	if (n > left)
		n = left;
	memcpy(gpadl->pfn + gpadl->seen, pfn, n * sizeof(uint64_t));
	gpadl->seen += n;
}

static void finish(struct host *host, struct gpadl *gpadl)
{
	uint32_t status, relid = gpadl->relid, id = gpadl->id;

	if (gpadl->seen < gpadl->nr)
		return;
	status = rule_status(host, WIRE_GPADL_CREATED, relid);
	if (!judge(host, all_ram(gpadl), "gpadl 0x%x: not all of it is RAM", id))
		status = WIRE_UNEXPECTED;
	if (status)
		drop(host, gpadl);
	else
		gpadl->state = GPADL_READY;
	answer(host, relid, id, status);
}

static bool check_header(struct host *host, const struct wire_gpadl_header *header)
{
	uint32_t pages = header->ranges_len / sizeof(uint64_t) - 1;

	return judge(host, header->gpadl && !find(host, header->gpadl),
		     "gpadl 0x%x: the number is zero or in use", header->gpadl) &&
	       judge(host, header->nr_ranges == 1, "gpadl 0x%x: %u ranges", header->gpadl,
		     header->nr_ranges) &&
	       judge(host, header->ranges_len > RANGE_HEAD &&
		     !(header->ranges_len % sizeof(uint64_t)),
		     "gpadl 0x%x: ranges of %u bytes", header->gpadl, header->ranges_len) &&
	       judge(host, !header->offset && header->bytes == pages * WIRE_PAGE,
		     "gpadl 0x%x: %u bytes from %u of %u pages", header->gpadl,
		     header->bytes, header->offset, pages);
}

void gpadl_header(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_gpadl_header *header = msg;
	struct channel *ch = channel_find(host, header->relid);
	struct gpadl *gpadl;
	uint32_t pages;

	if (!judge(host, ch && ch->state != CHANNEL_WITHHELD,
		   "gpadl 0x%x for channel %u, which is not offered", header->gpadl,
		   header->relid))
		return;
	/* The guest may not know yet, and would wait for an answer. */
	if (ch->state == CHANNEL_RESCINDED) {
		answer(host, header->relid, header->gpadl, 0);
		return;
	}
	if (!check_header(host, header)) {
		answer(host, header->relid, header->gpadl, WIRE_UNEXPECTED);
		return;
	}
	pages = header->ranges_len / sizeof(uint64_t) - 1;
	gpadl = calloc(1, sizeof(*gpadl) + pages * sizeof(uint64_t));
	if (!gpadl) {
		answer(host, header->relid, header->gpadl, WIRE_UNSUCCESSFUL);
		return;
	}
	gpadl->relid = header->relid;
	gpadl->id = header->gpadl;
	gpadl->bytes = header->bytes;
	gpadl->nr = pages;
	TAILQ_INSERT_HEAD(&host->gpadls, gpadl, link);
	machine_trace("vmbus_gpadl_header gpadl #%u gfns %u", gpadl->id, pages);
	append(host, gpadl, header->pfn, len - sizeof(*header), WIRE_HEADER_PFNS);
	finish(host, gpadl);
}

/*
 * Nobody waits for an answer to a body; one that comes after a rescind is no
 * error.
 */
static bool may_be_late(struct host *host)
{
	struct channel *ch;

	TAILQ_FOREACH(ch, &host->channels, link)
		if (ch->state == CHANNEL_RESCINDED)
			return true;
	return false;
}

void gpadl_body(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_gpadl_body *body = msg;
	struct gpadl *gpadl = find(host, body->gpadl);

	if (!gpadl || gpadl->state != GPADL_COMING) {
		judge(host, !gpadl && may_be_late(host),
		      "a body for gpadl 0x%x, which needs none", body->gpadl);
		return;
	}
	append(host, gpadl, body->pfn, len - sizeof(*body), WIRE_BODY_PFNS);
	finish(host, gpadl);
}

void gpadl_teardown(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_gpadl_teardown *teardown = msg;
	struct wire_gpadl_torndown torndown = {
		.header.type = WIRE_GPADL_TORNDOWN,
		.gpadl = teardown->gpadl,
	};
	struct channel *ch = channel_find(host, teardown->relid);
	struct gpadl *gpadl = find(host, teardown->gpadl);

	(void)len;
	if (!judge(host, ch && ch->state != CHANNEL_WITHHELD,
		   "gpadl 0x%x torn down for channel %u, which is not offered",
		   teardown->gpadl, teardown->relid))
		return;
	if (ch->state != CHANNEL_RESCINDED) {
		if (!judge(host, gpadl && gpadl->relid == teardown->relid &&
			   gpadl->state == GPADL_READY,
			   "gpadl 0x%x torn down for channel %u, which has no such",
			   teardown->gpadl, teardown->relid))
			return;
		judge(host, ch->state != CHANNEL_OPEN || ch->ring_gpadl != gpadl->id,
		      "the rings of channel %u torn down while it is open", ch->relid);
	}
	machine_trace("vmbus_gpadl_teardown gpadl #%u", teardown->gpadl);
	if (gpadl)
		gpadl->state = GPADL_LEAVING;
	rule_post(host, teardown->relid, &torndown, sizeof(torndown));
}

static int compare_pfns(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

void gpadl_judge_writable(struct host *host, struct gpadl *gpadl)
{
	size_t size = gpadl->nr * sizeof(uint64_t);
	uint64_t *sorted = gpadl->judged ? NULL : malloc(size);
	uint32_t i;

	if (!sorted)
		return;
	gpadl->judged = true;
	memcpy(sorted, gpadl->pfn, size);
	qsort(sorted, gpadl->nr, sizeof(uint64_t), compare_pfns);
	for (i = 1; i < gpadl->nr; i++)
		if (!judge(host, sorted[i] != sorted[i - 1],
			   "gpadl 0x%x: page %#llx is in it twice, and the host writes to it",
			   gpadl->id, (unsigned long long)sorted[i]))
			break;
	free(sorted);
}

/* Other bytes each time, so that no page happens to hold them already. */
static void scribble(struct host *host, const struct gpadl *gpadl)
{
	uint32_t i;
	void *page;

	for (i = 0; i < gpadl->nr; i++) {
		page = machine_map(gpadl->pfn[i]);
		if (!page)
			continue;
		memset(page, 0x80 | host->count.scribbled, WIRE_PAGE);
		machine_unmap(page);
		host->count.scribbled++;
	}
}

static void scribble_again(void *arg)
{
	struct host *host = arg;
	struct gpadl *gpadl;

	host->scribbling = NULL;
	TAILQ_FOREACH(gpadl, &host->gpadls, link) {
		if (!gpadl->scribble)
			continue;
		scribble(host, gpadl);
		if (!host->scribbling)
			host->scribbling = machine_after(SCRIBBLE_MS, scribble_again, host);
	}
}

void gpadl_scribble_on(struct host *host, struct gpadl *gpadl)
{
	gpadl_judge_writable(host, gpadl);
	gpadl->scribble = true;
	scribble(host, gpadl);
	if (!host->scribbling)
		host->scribbling = machine_after(SCRIBBLE_MS, scribble_again, host);
}

void gpadl_torndown(struct host *host, uint32_t relid, uint32_t id)
{
	struct gpadl *gpadl = find(host, id);

	if (!gpadl || gpadl->relid != relid || gpadl->state != GPADL_LEAVING)
		return;
	if (gpadl->scribble)
		scribble(host, gpadl);
	machine_trace("vmbus_gpadl_torndown gpadl #%u", id);
	drop(host, gpadl);
}
