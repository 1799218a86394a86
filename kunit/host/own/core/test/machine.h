/* SPDX-License-Identifier: GPL-2.0-only */
/* The machine that the host's tests run it in: machine.c. */
#ifndef _OWN_TEST_MACHINE_H
#define _OWN_TEST_MACHINE_H

#include "../host.h"

/* RAM: pages with the numbers from FIRST_PFN on. */
#define FIRST_PFN	0x100u
#define NR_PAGES	16384u

#define NR_VPS		2u

struct posted {
	uint32_t len;
	union {
		struct wire_header header;
		uint64_t aligned;
		uint8_t bytes[WIRE_MESSAGE_MAX];
	};
};

void machine_reset(void);
/* The oldest message to the guest that was not fetched yet; NULL: there is none. */
const struct posted *machine_fetch(void);
uint8_t *machine_page(uint64_t pfn);
/* Let time pass. */
void machine_pass(uint32_t ms);
unsigned int machine_signals(void);
unsigned int machine_mapped(void);
unsigned int machine_timers(void);
/* The last violation in the log. */
const char *machine_violation(void);

#endif /* _OWN_TEST_MACHINE_H */
