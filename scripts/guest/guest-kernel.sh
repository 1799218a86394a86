#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the kernel that the tests run in, once, and print its directory. That is a
# complete kernel build directory (a KDIR for modules, with the kernel's own tools),
# which has bzImage, vmlinux and System.map at its top.
# With --clang: prepare the same kernel so that clang can build modules for it.
# usage: guest-kernel.sh [--kernel VERSION] [--clang]     (default: 6.12)

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

version=6.12
clang=
config=("$tree"/kunit/config/{base,debug}.config)

# The kernel is built in its source tree. A separate output directory would contain
# absolute paths, and keyed() renames the directory afterwards.
build_kernel() {
	local dir=$1 version=$2
	local out=$logs/guest-kernel-$version

	tar -x -C "$dir" --strip-components=1 -f "/usr/src/linux-source-$version.tar.xz"
	cat "${config[@]}" >"$dir/requested.config"
	logged "$out-config.log" make -C "$dir" KCONFIG_ALLCONFIG=requested.config allnoconfig
	check_config "$dir"
	logged "$out.log" make -C "$dir" -j"$(nproc)" bzImage modules
	cp "$dir/arch/x86/boot/bzImage" "$dir"
	# Delete the kernel's own objects, a gigabyte that nothing needs any more.
	find "$dir" \( -path "$dir/scripts" -o -path "$dir/tools" \) -prune -o \
		-type f \( -name '*.[oa]' -o -name '.*.cmd' \) -exec rm {} +
}

# The configuration depends on the compiler, so clang needs a build directory of its
# own. Headers and tools are enough to compile modules; the exported symbols are the
# same as those of the kernel that gcc built.
prepare_for_clang() {
	local dir=$1 version=$2 symbols=$3
	local source=linux-source-$version out=$logs/guest-kernel-clang-$version

	tar -x -C "$dir" --strip-components=1 --wildcards \
		--exclude="$source/Documentation/*/*" --exclude="$source/arch/[a-w]*/boot" \
		--exclude="$source/"{arch/[a-w]*,drivers,fs,net,sound}'/*.[chS]' \
		-f "/usr/src/$source.tar.xz"
	cat "${config[@]}" >"$dir/requested.config"
	logged "$out-config.log" make -C "$dir" LLVM=1 \
		KCONFIG_ALLCONFIG=requested.config allnoconfig
	check_config "$dir"
	logged "$out.log" make -C "$dir" LLVM=1 -j"$(nproc)" modules_prepare
	cp "$symbols" "$dir"
}

# Kconfig silently drops an option that it does not know or that lacks a dependency.
# Fail then: otherwise the tests would run without a sanitizer, and nobody would see
# it.
check_config() {
	local dropped

	dropped=$(last_words "$1/requested.config" | grep -vxFf "$1/.config" || true)
	[[ -z $dropped ]] || die "these options did not make it into the configuration:" \
		$'\n'"$dropped"
}

# Print the options that are not off. If an option is named twice, the later line
# counts.
last_words() {
	sed -E 's/^# (CONFIG_[^ ]*) is not set$/\1=n/' "$1" | awk -F = '
		/^CONFIG_/ { word[$1] = $0 }
		END { for (name in word) if (word[name] !~ /=n$/) print word[name] }'
}

while (($#)); do
	case $1 in
	--kernel) version=$2; shift 2 ;;
	--clang) clang=y; shift ;;
	*) usage >&2; exit 2 ;;
	esac
done

need_source "$version"
[[ ! -e $tree/kunit/config/$version.config ]] ||
	config+=("$tree/kunit/config/$version.config")
inputs=$(
	installed_version "linux-source-$version"
	gcc --version | head -n 1
	cat "${config[@]}"
)
kernel=$(keyed "guest-kernel-$version" "$inputs" \
	"building the guest kernel $version (about 13 minutes, once)" build_kernel "$version")
[[ $clang ]] || { printf '%s\n' "$kernel"; exit; }
keyed "guest-kernel-clang-$version" "$inputs $(clang --version)" \
	"preparing the guest kernel $version for clang (a minute, once)" \
	prepare_for_clang "$version" "$kernel/Module.symvers"
