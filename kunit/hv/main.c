// SPDX-License-Identifier: GPL-2.0-only
/*
 * The KUnit module of the suites that need hv_vmbus: those of its own, and those of
 * vmbkmcl_kunit that need a server at the other end of the channel, which is in QEMU.
 */

#include "../../vmbkmcl/compat.h"
#include "../lib/run_suites.h"
#include "../suites.h"
#include "hv_device.h"
#include "hv_suites.h"

static int __init hv_tests_init(void)
{
	device_ops_set(&hv_device_ops);
	return 0;
}

run_suites_after(hv_tests_init,
		 &vmbkmcl_channel_server_suite,
		 &vmbkmcl_channel_settings_server_suite,
		 &vmbkmcl_channel_device_server_suite,
		 &vmbkmcl_channel_state_server_suite,
		 &vmbkmcl_stress_server_suite,
		 &vmbkmcl_tx_server_suite,
		 &vmbkmcl_tx_gpa_direct_server_suite,
		 &vmbkmcl_rx_server_suite,
		 &vmbkmcl_pipe_server_suite,
		 &vmbkmcl_tx_request_server_suite,
		 &vmbkmcl_memory_server_suite,
		 &vmbkmcl_gpadl_server_suite,
		 &vmbkmcl_gpadl_mdl_server_suite,
		 &vmbkmcl_fault_server_suite,
		 &vmbkmcl_nomem_server_suite,
		 &vmbkmcl_interface_server_suite,
		 &vmbkmcl_channel_sub_server_suite,
		 &vmbkmcl_bind_suite,
		 &vmbkmcl_handover_suite,
		 &vmbkmcl_server_suite,
		 &vmbkmcl_hostile_suite,
		 &vmbkmcl_traffic_suite,
		 &vmbkmcl_flow_suite,
		 &vmbkmcl_signals_suite,
		 &vmbkmcl_move_suite,
		 &vmbkmcl_rings_suite,
		 &vmbkmcl_host_fault_suite,
		 &vmbkmcl_host_fuzz_suite);

KMCL_IMPORT_BUS_NS;
IMPORT_TESTS_NS;
MODULE_DESCRIPTION("KUnit tests of vmbkmcl with hv_vmbus and a server");
MODULE_LICENSE("GPL");
