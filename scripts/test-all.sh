#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Compile, run the KUnit suites and run the demo for every supported kernel. Ends
# with a table of the results and the times.
# usage: test-all.sh [KERNEL…]

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

[[ ${1:-} != -* ]] || { usage >&2; exit 2; }
(($#)) || set -- "${kernels[@]}"
table=()
failed=0

# timed COLUMN COMMAND…: run the command with its output in a log, and add a cell
# with its result and its time to the row
timed() {
	local column=$1 began=$SECONDS verdict log
	shift

	log=$logs/test-all-$kernel-${column,,}.log
	log "$kernel: $column (log: $log)"
	verdict=passed
	"$@" >"$log" 2>&1 || { verdict=FAILED; failed=1; tail -n 25 "$log" >&2; }
	[[ $column != KUnit ]] ||
		verdict+=", $(grep -E '^[0-9]+ passed, ' "$log" | tail -n 1 || true)"
	row+=("$verdict, $(((SECONDS - began) / 60)) min $(((SECONDS - began) % 60)) s")
}

show() { printf '%-7s | %-22s | %-50s | %-22s\n' "$@"; }

mkdir -p "$logs"
for kernel; do
	row=()
	timed build "$scripts/compile.sh" "$kernel"
	timed KUnit env KERNEL="$kernel" "$scripts/test.sh"
	timed demo env KERNEL="$kernel" "$scripts/demo.sh"
	table+=("$(show "$kernel" "${row[@]}")")
done
show kernel build KUnit demo
printf '%s\n' "${table[@]}"
exit "$failed"
