// SPDX-License-Identifier: GPL-2.0-only
/* Record the kernel's log during a case, with a console. */

#include <linux/console.h>
#include <linux/kmsg_dump.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "eventually.h"
#include "log.h"

static char log_text[64 * 1024];
static size_t log_length;
/* Taken in the printing of whatever context. */
static DEFINE_RAW_SPINLOCK(log_lock);

static void log_write(struct console *console, const char *text,
		      unsigned int count)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&log_lock, flags);
	count = min_t(size_t, count, sizeof(log_text) - 1 - log_length);
	memcpy(log_text + log_length, text, count);
	log_length += count;
	log_text[log_length] = '\0';
	raw_spin_unlock_irqrestore(&log_lock, flags);
}

static struct console log_console = {
	.name = "kmcltest",
	.write = log_write,
	.flags = CON_ENABLED,
	.index = -1,
};

static void log_stop(void *unused)
{
	unregister_console(&log_console);
}

void log_record(struct kunit *test)
{
	log_length = 0;
	log_text[0] = '\0';
	log_console.flags = CON_ENABLED;
	register_console(&log_console);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, log_stop,
							NULL), 0);
}
EXPORT_TO_TESTS(log_record);

bool log_has(const char *text)
{
	unsigned long flags;
	bool has;

	raw_spin_lock_irqsave(&log_lock, flags);
	has = strstr(log_text, text);
	raw_spin_unlock_irqrestore(&log_lock, flags);
	return has;
}
EXPORT_TO_TESTS(log_has);

unsigned int log_count(const char *text)
{
	const char *at = log_text;
	unsigned int count = 0;
	unsigned long flags;

	raw_spin_lock_irqsave(&log_lock, flags);
	while ((at = strstr(at, text))) {
		at++;
		count++;
	}
	raw_spin_unlock_irqrestore(&log_lock, flags);
	return count;
}

void is_logged(struct kunit *test, const char *text)
{
	if (!eventually(log_has(text)))
		KUNIT_FAIL(test, "the log does not say: %s", text);
}
EXPORT_TO_TESTS(is_logged);

/* True if a line behind the place where the iterator is has the text. */
static bool log_goes_on_with(struct kmsg_dump_iter *iter, const char *text)
{
	char line[256];
	bool has = false;
	size_t length;

	while (kmsg_dump_get_line(iter, true, line, sizeof(line) - 1, &length)) {
		line[length] = '\0';
		has |= !!strstr(line, text);
	}
	return has;
}

bool is_reported(void (*call)(void), const char *text)
{
	int level = console_loglevel;
	struct kmsg_dump_iter iter;
	bool reported;

	kmsg_dump_rewind(&iter);
	log_goes_on_with(&iter, text);
	console_loglevel = CONSOLE_LOGLEVEL_SILENT;
	call();
	/* The console skips the report's lines now, not when it may print again. */
	console_lock();
	console_unlock();
	console_loglevel = level;
	reported = log_goes_on_with(&iter, text);
	return reported;
}
