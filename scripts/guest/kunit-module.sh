#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build KUnit as a module for a stock Debian kernel, which has none, and print the
# directory with kunit.ko and its Module.symvers. The sources are those of the same
# version in linux-source-VERSION.
# usage: kunit-module.sh VERSION KDIR

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

build_kunit() {
	local dir=$1 version=$2 kdir=$3 name objects=

	tar -x -C "$dir" --strip-components=3 --wildcards \
		-f "/usr/src/linux-source-$version.tar.xz" "linux-source-$version/lib/kunit/*.[ch]"
	detach_kunit "$dir"
	# Of the other files, the tests use nothing.
	for name in test resource string-stream assert try-catch attributes device; do
		[[ ! -e $dir/$name.c ]] || objects+=" $name.o"
	done
	printf '%s\n' "obj-m := kunit.o" "kunit-y :=$objects" >"$dir/Kbuild"
	logged "$logs/kunit-module-$version.log" module_make "$kdir" M="$dir" modules
}

# Without CONFIG_KUNIT, a task has no pointer to its test, and a module no list of
# suites. One case runs at a time, so that a variable does. The tests' module runs its
# suites itself (kunit/lib/run_suites.h).
detach_kunit() {
	sed -i -e 's/current->kunit_test/kunit_current/' \
		-e '/^#include "try-catch-impl.h"/a static struct kunit *kunit_current;' \
		-e 's/^#ifdef CONFIG_MODULES$/#if 0/' \
		-e 's/^#if !IS_MODULE(CONFIG_KUNIT)$/#if 0/' \
		-e '/hooks-impl\.h\|kunit_install_hooks()\|kunit_running\|&kunit_hooks/d' \
		-e '/kunit_free_boot_suites();/d' \
		-e '1i #define CONFIG_KUNIT_DEFAULT_ENABLED 1' "$1/test.c"
}

[[ $# == 2 ]] || { usage >&2; exit 2; }
version=$1
kdir=$(cd "$2" && pwd -P)
need_source "$version"
keyed "kunit-module-$version" "$(installed_version "linux-source-$version") $(declare -f detach_kunit)" \
	"building KUnit for the stock kernel $version (a minute, once)" \
	build_kunit "$version" "$kdir"
