// SPDX-License-Identifier: GPL-2.0-only
/* What the guest does wrong. */
#include "host.h"

#include <stdarg.h>
#include <stdio.h>

void judge_expect(struct host *host, uint64_t violations)
{
	host->expected = violations;
}

void judge_violation(struct host *host, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (host->expected) {
		host->expected--;
		machine_log("violation, as announced: %s", text);
		return;
	}
	host->count.violations++;
	machine_log("VIOLATION: %s", text);
}
