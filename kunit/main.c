// SPDX-License-Identifier: GPL-2.0-only
/* The KUnit module: its suites run when it is loaded. */

#include <kunit/test.h>
#include <linux/module.h>

#include "../vmbkmcl/compat.h"
#include "suites.h"

kunit_test_suites(&vmbkmcl_channel_suite,
		  &vmbkmcl_life_suite,
		  &vmbkmcl_rescind_suite,
		  &vmbkmcl_bind_suite,
		  &vmbkmcl_stress_suite,
		  &vmbkmcl_mdl_suite,
		  &vmbkmcl_ring_suite,
		  &vmbkmcl_packet_suite,
		  &vmbkmcl_external_suite,
		  &vmbkmcl_incoming_suite,
		  &vmbkmcl_pipe_suite,
		  &vmbkmcl_request_suite,
		  &vmbkmcl_buffer_suite,
		  &vmbkmcl_gpadl_suite,
		  &vmbkmcl_gpadl_mdl_suite,
		  &vmbkmcl_fault_suite,
		  &vmbkmcl_server_suite,
		  &vmbkmcl_hostile_suite,
		  &vmbkmcl_traffic_suite,
		  &vmbkmcl_flow_suite,
		  &vmbkmcl_signals_suite,
		  &vmbkmcl_nomem_suite,
		  &vmbkmcl_later_suite,
		  &vmbkmcl_interface_suite,
		  &vmbkmcl_subchannel_suite);

KMCL_IMPORT_BUS_NS;
MODULE_DESCRIPTION("KUnit tests of vmbkmcl");
MODULE_LICENSE("GPL");
