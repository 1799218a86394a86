# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The KUnit tests in guests: how to build them, deal them to guests, and read their
# results. Source this file after lib.sh.

. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

# prepare_tests DIR: build the tests for the kernel KERNEL into the directory, which
# must exist as long as guests are started. Sets
#   kdir         the build directory of the guest's kernel
#   tests_guest  the command that boots a guest with the tests; add --logs DIR and
#                --command "$(tests_command [SUITE…])"
#   counting     with COVERAGE, the directory in which the module that counts its
#                lines was built
prepare_tests() {
	local dir=$1 device sample second third

	build_tests
	use_vmbus_of "${KERNEL:-6.12}"
	device=$("$tree/kunit/host/build.sh")
	take_modules "$dir" vmbkmcl vmbkmcl_hv vmbkmcl_kunit vmbkmcl_kunit_hv \
		vmbkmcl_forgetful
	for sample in windows linux; do
		logged "$logs/sample-$sample.log" make -C "$kdir" \
			M="$built/Documentation/samples/$sample" modules
		strip --strip-debug -o "$dir/ring_$sample.ko" \
			"$built/Documentation/samples/$sample/ring_$sample.ko"
		files+=(--file "$dir/ring_$sample.ko:/modules/ring_$sample.ko")
	done
	logged "$logs/iasl.log" iasl -p "$dir/mmio" "$tree/kunit/host/mmio.asl"
	second=instance=$(protocol TESTDEV_SECOND_GUID)
	second+=,mmio-mb=$(protocol TESTDEV_SECOND_MMIO_MB)
	third=type-guid=$(protocol TESTDEV_SUBS_TYPE_GUID)
	third+=,instance=$(protocol TESTDEV_SUBS_GUID)
	third+=,channels=$(protocol TESTDEV_SUBS_CHANNELS)
	tests_guest=("$scripts/guest/run-guest.sh" --kernel "$kdir/bzImage" --timeout 1800
		--preload "$device" --device "" --device "$second" --device "$third"
		--acpi-table "$dir/mmio.aml"
		--append "kunit.autorun=1 ${FUZZ_SEED:+fuzz_seed=$FUZZ_SEED} ${FUZZ_PACKETS:+fuzz_packets=$FUZZ_PACKETS} ${FUZZ_MESSAGES:+fuzz_messages=$FUZZ_MESSAGES}"
		--file "$tree/kunit/guest/run-kunit:/run-kunit"
		--file "$tree/kunit/guest/run-samples:/run-samples" "${files[@]}")
}

# prepare_quick_tests DIR [SUITE…]: the same for a guest without Hyper-V, which runs the
# suites on the fake bus. Without a suite, the slow cases are left out, and the search
# for memory leaks.
prepare_quick_tests() {
	local dir=$1 words=kunit.autorun=1

	(($# > 1)) || words+=" quick=1 kmemleak=off"
	build_tests
	take_modules "$dir" vmbkmcl vmbkmcl_kunit
	tests_guest=("$scripts/guest/run-guest.sh" --plain --kernel "$kdir/bzImage"
		--append "$words"
		--file "$tree/kunit/guest/run-kunit:/run-kunit" "${files[@]}")
}

# prepare_rt_tests DIR: the same for a guest with Debian's own PREEMPT_RT kernel. The
# kernel has no KUnit, so it gets that as a module. The results are read from the log.
prepare_rt_tests() {
	local dir=$1 stock kunit

	"$scripts/setup.sh"
	stock=$("$scripts/guest/stock-kernel.sh" --kernel "$KERNEL" --flavour rt-amd64)
	kunit=$("$scripts/guest/kunit-module.sh" "$KERNEL" "$stock/KDIR")
	kdir=$("$scripts/guest/guest-kernel.sh") # it has the parser of results
	built=$("$scripts/build-modules.sh" "$stock/KDIR" VMBKMCL_KUNIT=y \
		"KBUILD_EXTRA_SYMBOLS=$kunit/Module.symvers")
	take_modules "$dir" vmbkmcl vmbkmcl_kunit
	tests_guest=("$scripts/guest/run-guest.sh" --plain --kernel "$stock/vmlinuz"
		--append log_buf_len=8M
		--file "$tree/kunit/guest/run-kunit:/run-kunit"
		--file "$kunit/kunit.ko:/modules/kunit.ko" "${files[@]}")
}

# Build the kernel and the modules. Sets kdir, counting, and built: the directory
# with the modules.
build_tests() {
	local variables=(VMBKMCL_KUNIT=y ${COVERAGE:+VMBKMCL_COVERAGE=y})

	"$scripts/setup.sh"
	kdir=$("$scripts/guest/guest-kernel.sh" ${KERNEL:+--kernel "$KERNEL"})
	built=$("$scripts/build-modules.sh" "$kdir" "${variables[@]}")
	counting=${COVERAGE:+$built}
}

# take_modules DIR MODULE…: copy the modules, without debug information, into the
# directory, and set `files` to the options of run-guest.sh that add them to a guest
take_modules() {
	local dir=$1 module
	shift

	files=()
	for module; do
		[[ -e $built/$module.ko ]] ||
			die "the build made no $module.ko (log: $logs/${built##*/}.log)"
		strip --strip-debug -o "$dir/$module.ko" "$built/$module.ko"
		files+=(--file "$dir/$module.ko:/modules/$module.ko")
	done
}

# run_tests LOGS COMMAND: run the command in a guest. A run in which the platform failed
# says nothing, so there is one more: the logs of the first are then in LOGS/platform.
run_tests() {
	local dir=$1 status=0

	attended "${tests_guest[@]}" --logs "$dir" --command "$2" || status=$?
	((status == 3)) || return "$status"
	log "the platform failed, and the guest is run once more"
	mkdir "$dir/platform"
	find "$dir" -maxdepth 1 -type f -exec mv -t "$dir/platform" {} +
	attended "${tests_guest[@]}" --logs "$dir" --command "$2"
}

# parse_results LOGS: let the kernel's own parser read the KTAP that a guest wrote.
# The verdict and the counts of lines are not KTAP. A guest that died may have
# written nothing; ktap-report.py counts that as a failure.
parse_results() {
	grep -avE '^(verdict|gcov): ' "$1/verdict" >"$1/ktap" 2>/dev/null || true
	python3 "$kdir/tools/testing/kunit/kunit.py" parse --json="$1/results.json" \
		"$1/ktap" >"$1/kunit.log" 2>&1 || true
}

# protocol NAME: the value of that macro in the header that tests and server share
protocol() {
	sed -n "s/^#define $1[[:space:]]*\"\?\([^\"]*\)\"\?\$/\1/p" \
		"$tree/kunit/host/protocol.h"
}

tests_command() { echo "sh /run-kunit ${*@Q}"; }

# Lines of "SECONDS SUITE": how long each suite took when all suites last ran
suite_seconds=$cache/suite-seconds

# keep_seconds LOGS…: remember how long each suite took in these guests. KUnit
# writes the begin and the end of each suite to the kernel's log, which has the
# times. A suite that did not end keeps the seconds of an earlier run.
keep_seconds() {
	mkdir -p "$cache"
	cat "$suite_seconds" "${@/%//console.log}" 2>/dev/null | awk '
		/^[0-9]+ [a-z_]+$/ { seconds[$2] = $1 }
		{ gsub(/[][\r]/, "") }
		$2 == "#" && $3 == "Subtest:" { began[$4] = $1 }
		/^ *[0-9.]+ (not )?ok / && $NF in began { seconds[$NF] = int($1 - began[$NF]) + 1 }
		END { for (suite in seconds) print seconds[suite], suite }' \
		>"$suite_seconds.$$" || true # a guest without a log
	mv "$suite_seconds.$$" "$suite_seconds"
}

# deal_suites GUESTS: deal all suites to that many guests, the longest suite first,
# each to the guest that has the least to do. Print a command for each guest, one a
# line.
deal_suites() {
	local guests=$1 suites suite seconds i least load=() dealt=()

	suites=$(suites_by_time) || die "the suites were not found"
	while read -r seconds suite; do
		least=0
		for ((i = 0; i < guests; i++)); do
			((${load[i]:-0} >= ${load[least]:-0})) || least=$i
		done
		load[least]=$((${load[least]:-0} + seconds))
		dealt[least]+=" $suite"
	done <<<"$suites"
	for i in "${!dealt[@]}"; do
		# shellcheck disable=SC2086 # words
		tests_command ${dealt[i]}
	done
}

# Print lines of "SECONDS SUITE", the longest first. run-kunit treats the samples as
# one more suite. A suite that was never timed counts as 10 seconds.
suites_by_time() {
	local suites

	suites=$(sed -n 's/^extern struct kunit_suite \(.*\)_suite;$/\1/p' \
		"$tree"/kunit/{,hv/hv_}suites.h) || return
	join -1 2 -a 2 -e 10 -o 1.1,0 \
		<(sort -k 2b,2 "$suite_seconds" 2>/dev/null) \
		<(sort <<<"$suites"$'\n'vmbkmcl_samples) | sort -rn
}
