#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the modules against a kernel build directory. Each kernel and set of
# variables has its own copy of the sources below build/, so that builds do not
# collide. Prints the directory of the copy, which then holds vmbkmcl.ko and, with
# VMBKMCL_KUNIT=y, vmbkmcl_kunit.ko.
# usage: build-modules.sh KDIR [VARIABLE=VALUE…]

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

kdir=$(cd "$1" && pwd)
shift
dir=$tree/build/modules-$(hash_of <<<"$kdir $*")
log=$logs/${dir##*/}.log

copy_sources() {
	rsync -a --delete --exclude-from=- "$tree/" "$dir/" <<-END
		/.git
		/build
		*.o
		*.ko
		*.mod
		*.mod.c
		.*.cmd
		/Module.symvers
		/modules.order
	END
}

mkdir -p "$dir"
exec 9>"$dir.lock"
flock 9
log "building the modules (half a minute; a few seconds when little changed)"
copy_sources
# -g: addresses in a kernel's report can be decoded with the debug information
logged "$log" module_make "$kdir" M="$dir" KCFLAGS=-g -j"$(nproc)" "$@" modules 9>&- >&2
printf '%s\n' "$dir"
