// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KUnit module of the suites that need no server: its suites run when it is
 * loaded. Those with a server, which are in the same files, are for the module of a
 * bus that has one to run (hv/main.c).
 */

#include "../vmbkmcl/compat.h"
#include "lib/run_suites.h"
#include "suites.h"

static int __init tests_init(void)
{
	return 0;
}

run_suites_after(tests_init,
		 &vmbkmcl_bus_suite,
		 &vmbkmcl_channel_suite,
		 &vmbkmcl_channel_settings_suite,
		 &vmbkmcl_channel_device_suite,
		 &vmbkmcl_channel_state_suite,
		 &vmbkmcl_rescind_suite,
		 &vmbkmcl_stress_suite,
		 &vmbkmcl_kill_suite,
		 &vmbkmcl_mdl_suite,
		 &vmbkmcl_ring_suite,
		 &vmbkmcl_tx_suite,
		 &vmbkmcl_tx_gpa_direct_suite,
		 &vmbkmcl_tx_routine_suite,
		 &vmbkmcl_rx_suite,
		 &vmbkmcl_pipe_suite,
		 &vmbkmcl_tx_request_suite,
		 &vmbkmcl_memory_suite,
		 &vmbkmcl_gpadl_suite,
		 &vmbkmcl_gpadl_mdl_suite,
		 &vmbkmcl_fault_suite,
		 &vmbkmcl_owned_suite,
		 &vmbkmcl_scribble_suite,
		 &vmbkmcl_bounce_suite,
		 &vmbkmcl_nomem_suite,
		 &vmbkmcl_interface_suite,
		 &vmbkmcl_channel_sub_suite,
		 &vmbkmcl_windows_suite,
		 &vmbkmcl_loopback_suite,
		 &vmbkmcl_loopback_gpadl_suite,
		 &vmbkmcl_loopback_external_suite,
		 &vmbkmcl_scripted_suite);

KMCL_IMPORT_BUS_NS;
MODULE_DESCRIPTION("KUnit tests of vmbkmcl");
MODULE_LICENSE("GPL");
