#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Unpack a stock Debian cloud kernel with its headers, installing nothing, and
# print the directory: `vmlinuz`, `modules/` (lib/modules/RELEASE's content)
# and `KDIR`, a link to a kernel build directory for modules.
# usage: stock-kernel.sh [--kernel VERSION]     (default: this Debian's own)

. "$(dirname "$0")/lib.sh"
. "$scripts/packages.sh"

unpack_kernel() {
	local dir=$1 image=$2
	local release=${image#linux-image-}
	local headers=linux-headers-$release
	local package

	for package in "$image" $(build_packages "$headers"); do
		unpack_package "$package" "$dir"
	done
	ln -s "boot/vmlinuz-$release" "$dir/vmlinuz"
	ln -s "$(cd "$dir" && echo {,usr/}"lib/modules/$release" | xargs -n 1 | dir_that_exists)" \
		"$dir/modules"
	ln -s "usr/src/$headers" "$dir/KDIR"
	relocate_headers "$dir" "$headers"
}

# Where Debian 12 has /lib/modules, Debian 13 has /usr/lib/modules.
dir_that_exists() {
	local path

	while read -r path; do
		[[ ! -d $path/kernel ]] || echo "$path"
	done
}

# the headers and what else of the kernel's they need: -common, linux-kbuild
build_packages() {
	echo "$1"
	apt-cache depends "$1" | sed -n 's/^ *Depends: \(linux-\(headers\|kbuild\)-\)/\1/p'
}

# The headers name each other by absolute paths. Paths relative to the Makefile
# that includes them work wherever the directory is, and after its rename.
relocate_headers() {
	local dir=$1 headers=$2 link

	sed -i "s|/usr/src/|\$(dir \$(lastword \$(MAKEFILE_LIST)))../|" \
		"$dir/usr/src/$headers/Makefile"
	while read -r link; do
		ln -sfnr "$dir$(readlink "$link")" "$link"
	done < <(find "$dir/usr/src" "$dir"/usr/lib/linux-kbuild-* -type l -lname '/*')
}

version=
while (($#)); do
	case $1 in
	--kernel) version=$2; shift 2 ;;
	*) usage >&2; exit 2 ;;
	esac
done

image=$(kernel_package cloud-amd64 "$version")
keyed "stock-kernel-${image#linux-image-}" "$(candidate_version "$image")" \
	"fetching the stock kernel $image (half a minute, once)" unpack_kernel "$image"
