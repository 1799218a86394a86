/* SPDX-License-Identifier: GPL-2.0-only */
/* Every suite, for main.c to list. */
#ifndef _KUNIT_SUITES_H
#define _KUNIT_SUITES_H

#include <kunit/test.h>

extern struct kunit_suite vmbkmcl_channel_suite;
extern struct kunit_suite vmbkmcl_life_suite;
extern struct kunit_suite vmbkmcl_rescind_suite;
extern struct kunit_suite vmbkmcl_bind_suite;
extern struct kunit_suite vmbkmcl_stress_suite;
extern struct kunit_suite vmbkmcl_mdl_suite;
extern struct kunit_suite vmbkmcl_ring_suite;
extern struct kunit_suite vmbkmcl_packet_suite;
extern struct kunit_suite vmbkmcl_external_suite;
extern struct kunit_suite vmbkmcl_incoming_suite;
extern struct kunit_suite vmbkmcl_pipe_suite;
extern struct kunit_suite vmbkmcl_request_suite;
extern struct kunit_suite vmbkmcl_buffer_suite;
extern struct kunit_suite vmbkmcl_gpadl_suite;
extern struct kunit_suite vmbkmcl_traffic_suite;
extern struct kunit_suite vmbkmcl_flow_suite;
extern struct kunit_suite vmbkmcl_signals_suite;
extern struct kunit_suite vmbkmcl_nomem_suite;
extern struct kunit_suite vmbkmcl_hostile_suite;
extern struct kunit_suite vmbkmcl_gpadl_mdl_suite;
extern struct kunit_suite vmbkmcl_fault_suite;
extern struct kunit_suite vmbkmcl_server_suite;
extern struct kunit_suite vmbkmcl_later_suite;
extern struct kunit_suite vmbkmcl_interface_suite;
extern struct kunit_suite vmbkmcl_subchannel_suite;

#endif /* _KUNIT_SUITES_H */
