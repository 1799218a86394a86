#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Measure KMCL against the same jobs done by hand with hv_vmbus, in a stock Debian
# guest: see Documentation/performance.rst. Prints a line a job, and writes a table
# and a plot to build/bench/. The exit status says whether the measurement
# succeeded, and with FAIL_ABOVE=1 also whether the limits in kunit/bench/jobs were
# kept.
# usage: bench.sh [JOB…]     (globs; default: all)   from the environment:
#   BLOCKS=60    of each side, for each job       BLOCK_MS=2   time one takes
#   CHANNELS=64  to open on each side             RAW_MODE=0   see raw.c
#   KERNEL=VERSION of the guest's kernel          OUT=DIR      for build/bench
# With PROFILE=1 the emulating QEMU counts instructions by function instead, into
# build/bench/profile.txt. The guest takes six minutes to write out its symbols.

. "$(dirname "$0")/../../scripts/lib/lib.sh"
[[ ${1:-} != -* ]] || { usage >&2; exit 2; }

bench=kunit/bench
out=${OUT:-$tree/build/bench}
channels=${CHANNELS:-64}
dir=$logs/bench

wanted() {
	local job=$1 glob
	shift

	(($#)) || return 0
	for glob; do
		# shellcheck disable=SC2053 # it is a glob
		[[ $job != $glob ]] || return 0
	done
	return 1
}

# jobs_to_do [GLOB…]: print the wanted lines "JOB SIZE" of the table
jobs_to_do() {
	local job size rest

	while read -r job size rest; do
		[[ $job && $job != \#* ]] || continue
		[[ $job != channels ]] || ((size <= channels)) || continue
		! wanted "$job" "$@" || echo "$job $size"
	done <"$tree/$bench/jobs"
}

build_bench() {
	local kernel=$1 work=$2 built module hv_vmbus

	built=$("$scripts/build-modules.sh" "$kernel/KDIR")
	logged "$logs/bench-build.log" make -C "$kernel/KDIR" M="$built/$bench" modules
	for module in vmbkmcl vmbkmcl_hv; do
		strip --strip-debug -o "$work/$module.ko" "$built/$module.ko"
	done
	strip --strip-debug -o "$work/vmbkmcl_bench.ko" "$built/$bench/vmbkmcl_bench.ko"
	hv_vmbus=$(find -L "$kernel/modules" -name 'hv_vmbus.ko*')
	case $hv_vmbus in
	'') ;; # built in
	*.xz) xzcat "$hv_vmbus" >"$work/hv_vmbus.ko" ;;
	*) cp "$hv_vmbus" "$work" ;;
	esac
}

# Print the options for the devices: $channels of each side's type
devices() {
	local type n=0 i

	for type in TESTDEV_TYPE_GUID TESTDEV_RAW_TYPE_GUID; do
		for ((i = 0; i < channels; i++)); do
			printf -- '--device\ntype-guid=%s,instance=%08x-1e57-4b6c-8d29-3f4e5a6b7c80\n' \
				"$(protocol "$type")" $((0xbe000000 + n++))
		done
	done
}

protocol() { sed -n "s/^#define $1[[:space:]]*\"\(.*\)\"\$/\1/p" "$tree/kunit/host/protocol.h"; }

# The command that the guest's init runs. Descriptor 3 leads out of the guest.
guest_command() {
	cat <<-END
		run=/sys/kernel/debug/vmbkmcl-bench/run
		${PROFILE:+echo 1 >/sys/module/rcupdate/parameters/rcu_cpu_stall_suppress}
		insmod /modules/vmbkmcl.ko
		insmod /modules/vmbkmcl_hv.ko
		insmod /modules/vmbkmcl_bench.ko channels=$channels block_ms=${BLOCK_MS:-2} mode=${RAW_MODE:-0} || exit
		cat \$run >&3
		${PROFILE:+grep -i ' t ' /proc/kallsyms | gzip | base64 | sed 's/^/kallsyms: /' >&3}
		while read -r job size; do
			echo "\$job \$size ${BLOCKS:-60}" >\$run || { echo "failed: \$job \$size" >&3; exit 1; }
			cat \$run >&3
		done </jobs
		rmmod vmbkmcl_bench
		rmmod vmbkmcl_hv
		rmmod vmbkmcl
	END
}

run_guest() {
	local kernel=$1 work=$2 file files=() devices profile=()

	for file in "$work"/*.ko; do
		files+=(--file "$file:/modules/${file##*/}")
	done
	mapfile -t devices < <(devices)
	# nowatchdog: writing out the symbols holds a CPU for minutes
	[[ ! ${PROFILE:-} ]] || profile=(
		--plugin "$("$tree/kunit/host/build.sh" profile)"
		--append nowatchdog
	)
	"$scripts/guest/run-guest.sh" --kernel "$kernel/vmlinuz" --logs "$dir" --timeout 1800 \
		--no-trace --memory 768 --cpus 2 --preload "$("$tree/kunit/host/build.sh")" \
		"${profile[@]}" "${devices[@]}" "${files[@]}" --file "$work/jobs:/jobs" \
		--command "$(guest_command)"
}

"$scripts/setup.sh"
kernel=$("$scripts/guest/stock-kernel.sh" ${KERNEL:+--kernel "$KERNEL"})
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build_bench "$kernel" "$work"
jobs_to_do "$@" >"$work/jobs"
[[ -s $work/jobs ]] || die "no such job in $bench/jobs"

mkdir -p "$dir"
log "measuring in $(basename "$(readlink "$kernel/modules")") (about ten minutes for all)"
attended run_guest "$kernel" "$work"
if [[ ${PROFILE:-} ]]; then
	mkdir -p "$out"
	"$tree/$bench/bench-profile.py" "$dir/profile" "$dir/verdict" "$work/jobs" |
		tee "$out/profile.txt"
	exit
fi
"$tree/$bench/bench-report.py" --jobs "$tree/$bench/jobs" --out "$out" \
	${FAIL_ABOVE:+--fail-above} "$dir/verdict"
