// SPDX-License-Identifier: GPL-2.0-only
/* A machine for the host that is nothing but memory, a queue and a clock. */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_POSTED	4096u

struct machine_timer {
	TAILQ_ENTRY(machine_timer) link;
	uint64_t due;
	void (*fn)(void *arg);
	void *arg;
};

static uint8_t ram[NR_PAGES][WIRE_PAGE] __attribute__((aligned(4096)));
static struct posted queue[MAX_POSTED];
static unsigned int nr_posted, nr_fetched, nr_signals, nr_mapped;
static uint64_t now;
static TAILQ_HEAD(, machine_timer) timers = TAILQ_HEAD_INITIALIZER(timers);
static char violation[512];

void machine_reset(void)
{
	memset(ram, 0, sizeof(ram));
	nr_posted = 0;
	nr_fetched = 0;
	nr_signals = 0;
	violation[0] = 0;
}

void machine_post(struct host *host, const void *msg, uint32_t len)
{
	struct posted *posted;

	(void)host;
	if (nr_fetched == nr_posted) {
		nr_fetched = 0;
		nr_posted = 0;
	}
	if (nr_posted == MAX_POSTED)
		abort();
	posted = &queue[nr_posted++];
	memset(posted, 0, sizeof(*posted));
	posted->len = len;
	memcpy(posted->bytes, msg, len);
}

const struct posted *machine_fetch(void)
{
	return nr_fetched < nr_posted ? &queue[nr_fetched++] : NULL;
}

unsigned int machine_backlog(void)
{
	return nr_posted - nr_fetched;
}

bool machine_connect(struct host *host, uint32_t vp)
{
	machine_disconnect(host);
	return machine_has_vp(vp);
}

void machine_disconnect(struct host *host)
{
	(void)host;
	nr_fetched = nr_posted;
}

bool machine_listen(struct host *host, uint32_t connection)
{
	(void)host;
	(void)connection;
	return true;
}

bool machine_has_vp(uint32_t vp)
{
	return vp < NR_VPS;
}

void machine_signal(struct channel *ch)
{
	(void)ch;
	nr_signals++;
}

unsigned int machine_signals(void)
{
	return nr_signals;
}

bool machine_expect_signals(struct channel *ch)
{
	(void)ch;
	return true;
}

void machine_ignore_signals(struct channel *ch)
{
	(void)ch;
}

bool machine_is_ram(uint64_t pfn)
{
	return pfn >= FIRST_PFN && pfn < FIRST_PFN + NR_PAGES;
}

uint8_t *machine_page(uint64_t pfn)
{
	return machine_is_ram(pfn) ? ram[pfn - FIRST_PFN] : NULL;
}

void *machine_map(uint64_t pfn)
{
	if (machine_is_ram(pfn))
		nr_mapped++;
	return machine_page(pfn);
}

void machine_unmap(void *page)
{
	(void)page;
	nr_mapped--;
}

unsigned int machine_mapped(void)
{
	return nr_mapped;
}

struct machine_timer *machine_after(uint32_t ms, void (*fn)(void *arg), void *arg)
{
	struct machine_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		abort();
	timer->due = now + ms;
	timer->fn = fn;
	timer->arg = arg;
	TAILQ_INSERT_TAIL(&timers, timer, link);
	return timer;
}

void machine_cancel(struct machine_timer *timer)
{
	TAILQ_REMOVE(&timers, timer, link);
	free(timer);
}

static struct machine_timer *next_due(void)
{
	struct machine_timer *timer, *next = NULL;

	TAILQ_FOREACH(timer, &timers, link)
		if (timer->due <= now && (!next || timer->due < next->due))
			next = timer;
	return next;
}

void machine_pass(uint32_t ms)
{
	struct machine_timer *timer;
	void (*fn)(void *arg);
	void *arg;

	for (; ms; ms--) {
		now++;
		while ((timer = next_due())) {
			fn = timer->fn;
			arg = timer->arg;
			machine_cancel(timer);
			fn(arg);
		}
	}
}

unsigned int machine_timers(void)
{
	struct machine_timer *timer;
	unsigned int n = 0;

	TAILQ_FOREACH(timer, &timers, link)
		n++;
	return n;
}

void machine_log(const char *fmt, ...)
{
	char line[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (strstr(line, "VIOLATION"))
		strcpy(violation, line);
}

void machine_trace(const char *fmt, ...)
{
	(void)fmt;
}

const char *machine_violation(void)
{
	return violation;
}
