#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the KUnit suites that use the fake bus, in one plain QEMU guest: no Hyper-V,
# no nesting, no root. Builds what is missing. Leaves out the slow cases and the search
# for memory leaks; with suite names (globs), runs only those suites, and all of that.
# Ends with "N passed, N failed". The exit status is that of run-guest.sh.
# usage: test-quick.sh [SUITE…]
# From the environment: KERNEL=VERSION of the guest (default: 6.12)

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/tests.sh"

[[ ${1:-} != -* ]] || { usage >&2; exit 2; }
mkdir -p "$logs"
dir=$(mktemp -d "$logs/test-quick-XXXXXX")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prepare_quick_tests "$work" "$@"

status=0
run_tests "$dir" "$(tests_command "$@")" || status=$?
parse_results "$dir"
"$scripts/guest/ktap-report.py" "$dir" || ((status)) || status=1
exit "$status"
