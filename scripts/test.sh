#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the KUnit suites in a Hyper-V guest whose host has the tests' own VMBus
# device. Builds what is missing. With suite names (globs) it runs only those.
# Ends with "N passed, N failed"; exit status as run-guest.sh's.
# usage: test.sh [--logs DIR] [SUITE…]

. "$(dirname "$0")/lib.sh"
. "$scripts/tests.sh"

dir=$logs/test
if [[ ${1:-} == --logs ]]; then
	dir=$(realpath "$2") # the kernel's parser changes the directory
	shift 2
fi
[[ ${1:-} != -* ]] || { usage >&2; exit 2; }

# What the guest wrote, judged by the kernel's own parser. Its verdict line is
# no KTAP. A guest that died has written nothing: that is no case at all.
report() {
	grep -av '^verdict: ' "$dir/verdict" >"$dir/ktap" 2>/dev/null || true
	python3 "$kdir/tools/testing/kunit/kunit.py" parse --json="$dir/results.json" \
		"$dir/ktap" >"$dir/kunit.log" 2>&1 || true
	if [[ -s $dir/ktap && -s $dir/results.json ]]; then
		"$scripts/ktap-report.py" "$dir/results.json" "$dir/ktap"
	else
		echo "0 passed, 1 failed"
		return 1
	fi
}

mkdir -p "$dir"
rm -f "$dir"/{ktap,results.json,kunit.log}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prepare_tests "$work"

log "running the tests in a guest (about six minutes for all of them)"
status=0
attended "${tests_guest[@]}" --logs "$dir" \
	--command "$(tests_command "$@")" || status=$?
# Interrupts that kunit/host/nudge.c had to raise again: the platform's fault, but
# whoever looks at a run should know.
lost=$(grep -c 'interrupt raised again' "$dir/qemu.log" 2>/dev/null || true)
((${lost:-0} == 0)) || log "the platform lost $lost interrupts, and they were raised again"
report || ((status)) || status=1
exit "$status"
