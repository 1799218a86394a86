/* SPDX-License-Identifier: GPL-2.0-only */
/* Record the kernel's log during a case: log.c. */
#ifndef _KUNIT_LOG_H
#define _KUNIT_LOG_H

#include <kunit/test.h>

/* Record from here to the end of the case. */
void log_record(struct kunit *test);

/* Expect this text in the log; waits, because another thread writes it. */
void is_logged(struct kunit *test, const char *text);

bool log_has(const char *text);

/* How often the log has the text. */
unsigned int log_count(const char *text);

/*
 * Does the call make the kernel report something, with this text in its first line? The
 * report does not reach the console, where it would fail the run.
 */
bool is_reported(void (*call)(void), const char *text);

#endif /* _KUNIT_LOG_H */
