#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Unpack a stock Debian kernel with its headers, without installing anything, and
# print the directory. It holds `vmlinuz`, `modules` (the content of
# lib/modules/RELEASE) and `KDIR`, a link to a kernel build directory for modules.
# usage: stock-kernel.sh [--kernel VERSION] [--flavour NAME]
# The defaults are this Debian's own version, and cloud-amd64.

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

unpack_kernel() {
	local dir=$1 kernel=$2 release=$3 package vmlinuz

	for package in $(parts "linux-image-$release"); do
		unpack_package "$package" "$dir"
	done
	unpack_headers "$dir" "$kernel" "$release"
	ln -s "$(cd "$dir" && echo {,usr/}"lib/modules/$release" | xargs -n 1 | dir_that_exists)" \
		"$dir/modules"
	vmlinuz=boot/vmlinuz-$release
	[[ -e $dir/$vmlinuz ]] || vmlinuz=modules/vmlinuz # in 7.3
	ln -s "$vmlinuz" "$dir/vmlinuz"
}

# Debian 12 has the modules in /lib/modules, Debian 13 in /usr/lib/modules.
dir_that_exists() {
	local path

	while read -r path; do
		[[ ! -d $path/kernel ]] || echo "$path"
	done
}

version=
flavour=cloud-amd64
while (($#)); do
	case $1 in
	--kernel) version=$2; shift 2 ;;
	--flavour) flavour=$2; shift 2 ;;
	*) usage >&2; exit 2 ;;
	esac
done

version=${version:-$(own_kernel)}
use_suite_of "$version"
image=$(kernel_package "$flavour" "$version")
release=${image#linux-image-}
keyed "stock-kernel-$release" "$(candidate_version "$image")" \
	"fetching the stock kernel $image (half a minute, once)" \
	unpack_kernel "$version" "$release"
