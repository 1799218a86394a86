#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot the guest with the tests N times, JOBS at once, and count how often the tests
# passed, the tests failed, and the platform failed. The logs of the runs that did
# not pass are kept.
# usage: soak.sh N [JOBS (2)] [demo | SUITE…]
# With "demo" the guest is that of the demo, with a stock kernel. A run takes half
# the time then.

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/tests.sh"

runs=${1:?usage: soak.sh N [JOBS] [demo | SUITE…]}
jobs=${2:-2}
shift $(($# > 2 ? 2 : $#))
mkdir -p "$logs"
dir=$(mktemp -d "$logs/soak-XXXXXX")

# one RUN [demo | SUITE…]: boot one guest, and print "RUN OUTCOME SECONDS"
one() {
	local run=$1 status=0 outcome start=$SECONDS guest
	shift

	if [[ ${1:-} == demo ]]; then
		guest=("$scripts/demo.sh")
	else
		guest=("${tests_guest[@]}" --logs "$dir/$run"
			--command "$(tests_command "$@")")
	fi
	attended "${guest[@]}" >"$dir/$run.log" 2>&1 || status=$?
	case $status in
	0) outcome=passed; rm -rf "${dir:?}/$run" "$dir/$run.log" ;;
	3) outcome=platform ;;
	*) outcome=failed ;;
	esac
	printf '%5d  %-9s %5d s\n' "$run" "$outcome" $((SECONDS - start)) | tee -a "$dir/table"
}

count() { grep -c " $1 " "$dir/table" || true; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[[ ${1:-} == demo ]] || prepare_tests "$work"

trap 'kill $(jobs -p) 2>/dev/null; exit 143' INT TERM
: >"$dir/table"
for ((run = 1; run <= runs; run++)); do
	((run <= jobs)) || wait -n
	one "$run" "$@" &
done
wait

passed=$(count passed)
echo "logs of what did not pass: $dir"
echo "$passed passed, $(count failed) failed, $(count platform) platform failures"
((passed == runs))
