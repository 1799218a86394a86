/* SPDX-License-Identifier: GPL-2.0-only */
/* The suites that need hv_vmbus, for main.c to list. */
#ifndef _KUNIT_HV_SUITES_H
#define _KUNIT_HV_SUITES_H

#include <kunit/test.h>

extern struct kunit_suite vmbkmcl_bind_suite;
extern struct kunit_suite vmbkmcl_handover_suite;
extern struct kunit_suite vmbkmcl_server_suite;
extern struct kunit_suite vmbkmcl_hostile_suite;
extern struct kunit_suite vmbkmcl_traffic_suite;
extern struct kunit_suite vmbkmcl_flow_suite;
extern struct kunit_suite vmbkmcl_signals_suite;
extern struct kunit_suite vmbkmcl_move_suite;
extern struct kunit_suite vmbkmcl_rings_suite;
extern struct kunit_suite vmbkmcl_host_fault_suite;
extern struct kunit_suite vmbkmcl_host_fuzz_suite;

#endif /* _KUNIT_HV_SUITES_H */
