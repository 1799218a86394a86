#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the KUnit suites of the packet path in plain QEMU guests with Debian's own
# PREEMPT_RT kernels, where a spinlock may sleep. Builds what is missing. Ends with "N
# passed, N failed" for each kernel. The exit status is that of run-guest.sh.
# usage: test-rt.sh [SUITE…]
# From the environment: KERNEL=VERSION, one of the kernels (default: all that Debian has)

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/tests.sh"

[[ ${1:-} != -* ]] || { usage >&2; exit 2; }
(($#)) || set -- vmbkmcl_{ring,tx,tx_routine,tx_request,tx_gpa_direct,rx,pipe,channel_state,rescind,stress}

# test_on KERNEL SUITE…
test_on() {
	local dir status=0 KERNEL=$1
	shift

	dir=$(mktemp -d "$logs/test-rt-$KERNEL-XXXXXX")
	rm -rf "${work:?}"/*
	prepare_rt_tests "$work"
	run_tests "$dir" "$(tests_command "$@")" || status=$?
	parse_results "$dir"
	"$scripts/guest/ktap-report.py" "$dir" || ((status)) || status=1
	return "$status"
}

mkdir -p "$logs"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
status=0
for kernel in "${rt_kernels[@]}"; do
	[[ ${KERNEL:-$kernel} == "$kernel" ]] || continue
	log "running the packet suites on the stock PREEMPT_RT kernel $kernel"
	test_on "$kernel" "$@" || status=$?
done
exit "$status"
