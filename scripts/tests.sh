# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The tests as a guest gets them. prepare_tests builds what is missing into DIR,
# which must stay, and sets `kdir`, the guest kernel's build directory, and
# `tests_guest`, the command that boots a guest with the tests in it: it takes
# --logs DIR and --command "$(tests_command [SUITE…])" further.

prepare_tests() {
	local dir=$1 built device module second files=()

	"$scripts/setup.sh"
	kdir=$("$scripts/guest-kernel.sh")
	built=$("$scripts/build-modules.sh" "$kdir" VMBKMCL_KUNIT=y)
	device=$("$tree/kunit/host/build.sh")
	for module in vmbkmcl vmbkmcl_kunit vmbkmcl_forgetful; do
		[[ -e $built/$module.ko ]] ||
			die "the build made no $module.ko (log: $logs/${built##*/}.log)"
		# what the guest loads needs no debug information
		strip --strip-debug -o "$dir/$module.ko" "$built/$module.ko"
		files+=(--file "$dir/$module.ko:/modules/$module.ko")
	done
	logged "$logs/iasl.log" iasl -p "$dir/mmio" "$tree/kunit/host/mmio.asl"
	second=instance=$(protocol TESTDEV_SECOND_GUID)
	second+=,mmio-mb=$(protocol TESTDEV_SECOND_MMIO_MB)
	tests_guest=("$scripts/run-guest.sh" --kernel "$kdir/bzImage"
		--preload "$device" --device "" --device "$second"
		--acpi-table "$dir/mmio.aml"
		--file "$tree/kunit/guest/run-kunit:/run-kunit" "${files[@]}")
}

# protocol NAME: its value in the header that the tests and the server share
protocol() {
	sed -n "s/^#define $1[[:space:]]*\"\?\([^\"]*\)\"\?\$/\1/p" \
		"$tree/kunit/host/protocol.h"
}

tests_command() { echo "sh /run-kunit ${*@Q}"; }
