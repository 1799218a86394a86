#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the kernel that the tests run in, once, and print the directory: a
# complete kernel build directory (a KDIR for modules, and the kernel's own
# tools), with bzImage, vmlinux and System.map at its top.
# usage: guest-kernel.sh [--kernel VERSION]

. "$(dirname "$0")/lib.sh"
. "$scripts/packages.sh"

version=6.12
config=("$tree"/kunit/config/{base,debug}.config)

# Built in its source tree: a separate output directory would hold absolute
# paths, which the rename at the end would break.
build_kernel() {
	local dir=$1 version=$2
	local out=$logs/guest-kernel-$version

	tar -x -C "$dir" --strip-components=1 -f "/usr/src/linux-source-$version.tar.xz"
	cat "${config[@]}" >"$dir/requested.config"
	logged "$out-config.log" make -C "$dir" KCONFIG_ALLCONFIG=requested.config allnoconfig
	check_config "$dir"
	logged "$out.log" make -C "$dir" -j"$(nproc)" bzImage modules
	cp "$dir/arch/x86/boot/bzImage" "$dir"
	# objects of the kernel itself: a gigabyte that nothing needs any more
	find "$dir" \( -path "$dir/scripts" -o -path "$dir/tools" \) -prune -o \
		-type f \( -name '*.[oa]' -o -name '.*.cmd' \) -exec rm {} +
}

# Kconfig drops what it does not know or what lacks a dependency; a test that
# silently runs without its sanitizer is worse than a failure here.
check_config() {
	local dropped

	dropped=$(grep '^CONFIG_' "$1/requested.config" | grep -vxFf "$1/.config" || true)
	[[ -z $dropped ]] || die "these options did not make it into the configuration:" \
		$'\n'"$dropped"
}

while (($#)); do
	case $1 in
	--kernel) version=$2; shift 2 ;;
	*) usage >&2; exit 2 ;;
	esac
done

inputs=$(
	installed_version "linux-source-$version"
	gcc --version | head -n 1
	cat "${config[@]}"
)
keyed "guest-kernel-$version" "$inputs" \
	"building the guest kernel $version (about 8 minutes, once)" build_kernel "$version"
