/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's log says meanwhile: log.c. */
#ifndef _KUNIT_LOG_H
#define _KUNIT_LOG_H

#include <kunit/test.h>

/* From here to the end of the case. */
void log_record(struct kunit *test);

/* The log has said so since; waits, for it is written by another thread. */
void is_logged(struct kunit *test, const char *text);

bool log_has(const char *text);

#endif /* _KUNIT_LOG_H */
