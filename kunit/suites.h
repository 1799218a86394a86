/* SPDX-License-Identifier: GPL-2.0-only */
/* The suites of vmbkmcl_kunit. */
#ifndef _KUNIT_SUITES_H
#define _KUNIT_SUITES_H

#include <kunit/test.h>

/* On the tests' own bus, for main.c to list */
extern struct kunit_suite vmbkmcl_bus_suite;
extern struct kunit_suite vmbkmcl_channel_suite;
extern struct kunit_suite vmbkmcl_channel_settings_suite;
extern struct kunit_suite vmbkmcl_channel_device_suite;
extern struct kunit_suite vmbkmcl_channel_state_suite;
extern struct kunit_suite vmbkmcl_rescind_suite;
extern struct kunit_suite vmbkmcl_stress_suite;
extern struct kunit_suite vmbkmcl_kill_suite;
extern struct kunit_suite vmbkmcl_mdl_suite;
extern struct kunit_suite vmbkmcl_ring_suite;
extern struct kunit_suite vmbkmcl_tx_suite;
extern struct kunit_suite vmbkmcl_tx_gpa_direct_suite;
extern struct kunit_suite vmbkmcl_tx_routine_suite;
extern struct kunit_suite vmbkmcl_rx_suite;
extern struct kunit_suite vmbkmcl_pipe_suite;
extern struct kunit_suite vmbkmcl_tx_request_suite;
extern struct kunit_suite vmbkmcl_memory_suite;
extern struct kunit_suite vmbkmcl_gpadl_suite;
extern struct kunit_suite vmbkmcl_gpadl_mdl_suite;
extern struct kunit_suite vmbkmcl_fault_suite;
extern struct kunit_suite vmbkmcl_owned_suite;
extern struct kunit_suite vmbkmcl_scribble_suite;
extern struct kunit_suite vmbkmcl_bounce_suite;
extern struct kunit_suite vmbkmcl_nomem_suite;
extern struct kunit_suite vmbkmcl_interface_suite;
extern struct kunit_suite vmbkmcl_channel_sub_suite;
extern struct kunit_suite vmbkmcl_windows_suite;
extern struct kunit_suite vmbkmcl_loopback_suite;
extern struct kunit_suite vmbkmcl_loopback_gpadl_suite;
extern struct kunit_suite vmbkmcl_loopback_external_suite;
extern struct kunit_suite vmbkmcl_scripted_suite;

/* With a server, for the module of a bus that has one */
extern struct kunit_suite vmbkmcl_channel_server_suite;
extern struct kunit_suite vmbkmcl_channel_settings_server_suite;
extern struct kunit_suite vmbkmcl_channel_device_server_suite;
extern struct kunit_suite vmbkmcl_channel_state_server_suite;
extern struct kunit_suite vmbkmcl_stress_server_suite;
extern struct kunit_suite vmbkmcl_tx_server_suite;
extern struct kunit_suite vmbkmcl_tx_gpa_direct_server_suite;
extern struct kunit_suite vmbkmcl_rx_server_suite;
extern struct kunit_suite vmbkmcl_pipe_server_suite;
extern struct kunit_suite vmbkmcl_tx_request_server_suite;
extern struct kunit_suite vmbkmcl_memory_server_suite;
extern struct kunit_suite vmbkmcl_gpadl_server_suite;
extern struct kunit_suite vmbkmcl_gpadl_mdl_server_suite;
extern struct kunit_suite vmbkmcl_fault_server_suite;
extern struct kunit_suite vmbkmcl_nomem_server_suite;
extern struct kunit_suite vmbkmcl_interface_server_suite;
extern struct kunit_suite vmbkmcl_channel_sub_server_suite;

#endif /* _KUNIT_SUITES_H */
