# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The tests as a guest gets them. prepare_tests builds what is missing for the kernel
# KERNEL into DIR, which must stay, and sets `kdir`, the guest kernel's build
# directory, and `tests_guest`, the command that boots a guest with the tests in it:
# it takes --logs DIR and --command "$(tests_command [SUITE…])" further. With COVERAGE
# the module counts its lines, and `counting`, the directory it was built in, is set.

prepare_tests() {
	local dir=$1 built device module sample second third files=()
	local variables=(VMBKMCL_KUNIT=y ${COVERAGE:+VMBKMCL_COVERAGE=y})

	"$scripts/setup.sh"
	kdir=$("$scripts/guest-kernel.sh" ${KERNEL:+--kernel "$KERNEL"})
	built=$("$scripts/build-modules.sh" "$kdir" "${variables[@]}")
	counting=${COVERAGE:+$built}
	device=$("$tree/kunit/host/build.sh")
	for module in vmbkmcl vmbkmcl_hv vmbkmcl_kunit vmbkmcl_forgetful; do
		[[ -e $built/$module.ko ]] ||
			die "the build made no $module.ko (log: $logs/${built##*/}.log)"
		# what the guest loads needs no debug information
		strip --strip-debug -o "$dir/$module.ko" "$built/$module.ko"
		files+=(--file "$dir/$module.ko:/modules/$module.ko")
	done
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
	tests_guest=("$scripts/run-guest.sh" --kernel "$kdir/bzImage" --timeout 1800
		--preload "$device" --device "" --device "$second" --device "$third"
		--acpi-table "$dir/mmio.aml" --append kunit.autorun=1
		--file "$tree/kunit/guest/run-kunit:/run-kunit"
		--file "$tree/kunit/guest/run-samples:/run-samples" "${files[@]}")
}

# protocol NAME: its value in the header that the tests and the server share
protocol() {
	sed -n "s/^#define $1[[:space:]]*\"\?\([^\"]*\)\"\?\$/\1/p" \
		"$tree/kunit/host/protocol.h"
}

tests_command() { echo "sh /run-kunit ${*@Q}"; }

# Seconds that a suite takes on two CPUs without KVM; the others, 10 at most.
declare -A suite_seconds=(
	[vmbkmcl_gpadl]=130
	[vmbkmcl_traffic]=110
	[vmbkmcl_subchannel]=45
	[vmbkmcl_hostile]=30
	[vmbkmcl_life]=30
	[vmbkmcl_request]=30
	[vmbkmcl_fault]=25
	[vmbkmcl_flow]=25
	[vmbkmcl_stress]=25
	[vmbkmcl_incoming]=20
	[vmbkmcl_channel]=20
	[vmbkmcl_signals]=20
	[vmbkmcl_packet]=20
	[vmbkmcl_bind]=20
	[vmbkmcl_nomem]=20
	[vmbkmcl_buffer]=15
)

# deal_suites GUESTS: all suites, dealt out to that many guests, each next one to
# the guest with least to do; a command a line.
deal_suites() {
	local guests=$1 suite seconds i least load=() dealt=()

	while read -r seconds suite; do
		least=0
		for ((i = 0; i < guests; i++)); do
			((${load[i]:-0} >= ${load[least]:-0})) || least=$i
		done
		load[least]=$((${load[least]:-0} + seconds))
		dealt[least]+=" $suite"
	done < <(suites_by_time)
	for i in "${!dealt[@]}"; do
		# shellcheck disable=SC2086 # words
		tests_command ${dealt[i]}
	done
}

# With the samples, which run-kunit takes for one more.
suites_by_time() {
	local suite

	{
		sed -n 's/^extern struct kunit_suite \(.*\)_suite;$/\1/p' \
			"$tree/kunit/suites.h"
		echo vmbkmcl_samples
	} |
		while read -r suite; do
			echo "${suite_seconds[$suite]:-5} $suite"
		done | sort -rn
}
