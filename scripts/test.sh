#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the KUnit suites in guests of a Hyper-V host that has the tests' own VMBus
# device, in as many guests at once as there are CPUs. Builds what is missing. With
# suite names (globs), runs only those suites, in one guest. Ends with "N passed, N
# failed". The exit status is that of run-guest.sh.
# usage: test.sh [SUITE…]    from the environment: GUESTS=N at once,
#                            KERNEL=VERSION of the guests (default: 6.12),
#                            COVERAGE=DIR for the module's counts: see coverage.sh,
#                            VMBKMCL_VMBUS=VERSION: see run-guest.sh (default:
#                            kernels.sh's)

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/tests.sh"

guests=${GUESTS:-$(nproc)}
[[ ${1:-} != -* ]] || { usage >&2; exit 2; }

# keep_counts LOGS DIR: put what the guest's module counted, and the compiler's
# notes about the same files, into one directory, where gcov looks for both
keep_counts() {
	mkdir -p "$2"
	ln -sfn "$counting" "${2%/*}/tree"
	rsync -rm --include='*/' --include='*.gcno' --exclude='*' "$counting/" "$2/"
	sed -n 's/^gcov: //p' "$1/verdict" | base64 -d |
		tar -xz -C "$2" --strip-components="$(tr -dc / <<<"$counting" | wc -m)" || true
}

# Report how many interrupts the host had to raise again. Their loss is
# the platform's fault, but a reader of the results should know of it.
say_lost() {
	local lost

	lost=$(cat "$dir"/*/qemu.log 2>/dev/null | grep -c 'interrupt raised again' || true)
	((lost == 0)) || log "the platform lost $lost interrupts, and they were raised again"
}

mkdir -p "$logs"
dir=$(mktemp -d "$logs/test-XXXXXX")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prepare_tests "$work"

if (($#)); then
	plan=$(tests_command "$@")
else
	plan=$(deal_suites "$guests")
fi
mapfile -t commands <<<"$plan"

log "running the tests in ${#commands[@]} guest(s) at once (about seven minutes for all of them in two)"
running=()
trap 'kill "${running[@]}" 2>/dev/null; exit 143' INT TERM
for i in "${!commands[@]}"; do
	run_tests "$dir/$((i + 1))" "${commands[i]}" &
	running+=($!)
done

status=0
for i in "${!running[@]}"; do
	this=0
	wait "${running[i]}" || this=$?
	# A failed test (1) takes precedence over a platform failure (3).
	((this == 0 || status == 1)) || status=$this
	parse_results "$dir/$((i + 1))"
	[[ ! ${COVERAGE:-} ]] || keep_counts "$dir/$((i + 1))" "$COVERAGE/$((i + 1))"
done
(($#)) || keep_seconds "$dir"/*/
say_lost
"$scripts/guest/ktap-report.py" "$dir"/*/ || ((status)) || status=1
exit "$status"
