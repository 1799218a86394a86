#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Compile with W=1 against Debian's headers of each supported kernel: for amd64 the
# module and its tests, for arm64 the module, with 4K and with 64K pages. Prints the
# findings, and fails if there are any. A target that compiled cleanly is not
# compiled again until something changes.
# usage: compile.sh [KERNEL…]
# shellcheck disable=SC2317 # keyed() and logged() call the functions they are given

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"

[[ ${1:-} != -* ]] || { usage >&2; exit 2; }
(($#)) || set -- "${kernels[@]}"
targets=(amd64 arm64 arm64-64k)

# Debian has no kernel with 64K pages. Change the configuration in the headers of
# its kernel with 4K pages.
give_64k_pages() {
	sed -i -E \
		-e 's/CONFIG_ARM64_4K_PAGES/CONFIG_ARM64_64K_PAGES/' \
		-e 's/PAGE_SIZE_4KB/PAGE_SIZE_64KB/' \
		-e 's/(CONFIG_(ARM64_)?PAGE_SHIFT) .*/\1 16/' \
		-e 's/(CONFIG_ARM64_CONT_(PTE|PMD)_SHIFT) .*/\1 5/' \
		-e 's/(CONFIG_PGTABLE_LEVELS) .*/\1 3/' \
		-e 's/(CONFIG_ARCH_FORCE_MAX_ORDER) .*/\1 13/' \
		-e 's/(CONFIG_PAGE_BLOCK_MAX_ORDER) .*/\1 13/' \
		-e '/CONFIG_(ARM64_LPA2|PAGE_SIZE_LESS_THAN_64KB) /d' \
		"$1/include/generated/autoconf.h"
}

unpack_target() {
	local dir=$1 kernel=$2 release=$3 target=$4

	unpack_headers "$dir" "$kernel" "$release"
	[[ $target != *-64k ]] || give_64k_pages "$dir/KDIR"
}

# headers KERNEL TARGET: print the kernel build directory
headers() (
	kernel=$1 target=$2 arch=${2%-64k}

	use_suite_of "$kernel" "$arch"
	image=$(kernel_package "$arch" "$kernel")
	release=${image#linux-image-}
	dir=$(keyed "headers-$release${target#"$arch"}" \
		"$(candidate_version "$image"; declare -f unpack_headers give_64k_pages)" \
		"fetching the headers of $kernel for $target (a few seconds, once)" \
		unpack_target "$kernel" "$release" "$target")
	echo "$dir/KDIR"
)

# The copy is in the cache, so that a new clone compiles only what differs. Deleted
# files are deleted there, too, or the compiler would still find them.
copy_sources() {
	mkdir -p "$1"
	rsync -rlpc --delete --exclude='*.mod.c' --exclude=/{build,.git} \
		--include='*/' --include='*.[ch]' --include=Kbuild --include=dkms.conf \
		--exclude='*' "$tree/" "$1/"
}

# Debian's kernels have no KUnit. Treat the functions that its headers declare as if
# the kernel exported them.
kunit_symbols() {
	grep -rhoE '\b_*kunit_\w+' "$1"/../linux-headers-*-common/include/kunit |
		sort -u | sed 's/.*/0x00000000\t&\tkunit\tEXPORT_SYMBOL_GPL\t/'
}

# build KDIR TARGET DIR: compile. Warnings are errors: a file with a warning gets no
# object, so the next run compiles it again and shows the warning again.
build() {
	local kdir=$1 target=$2 dir=$3 variables

	if [[ $target == amd64 ]]; then
		kunit_symbols "$kdir" >"$dir/kunit.symvers"
		variables=(VMBKMCL_IDIOMS=y VMBKMCL_KUNIT=y KBUILD_EXTRA_SYMBOLS="$dir/kunit.symvers"
			KCFLAGS="-Werror -DCONFIG_KUNIT=1")
	else
		variables=(VMBKMCL_IDIOMS=y CROSS_COMPILE=aarch64-linux-gnu- KCFLAGS=-Werror)
	fi
	module_make "$kdir" M="$dir" W=1 "${variables[@]}" -j"$(nproc)" modules
}

# state_of KDIR DIR: a hash of everything that the result of the build depends on
state_of() {
	{
		echo "$1"
		declare -f build kunit_symbols
		cd "$2"
		find . \( -name '*.[ch]' ! -name '*.mod.c' -o -name '*Kbuild' \) -print0 |
			sort -z | xargs -0 sha256sum
	} | hash_of
}

# compile KERNEL TARGET
compile() {
	local kdir dir=$cache/compile-$1-$2

	kdir=$(headers "$1" "$2")
	(
		flock 9
		compile_changed "$kdir" "$2" "$dir" "$logs/compile-$1-$2.log" 9>&-
	) 9>"$dir.lock"
}

compile_changed() {
	local kdir=$1 target=$2 dir=$3 log=$4 state

	copy_sources "$dir"
	state=$(state_of "$kdir" "$dir")
	[[ $(cat "$dir/clean" 2>/dev/null) != "$state" ]] || return 0
	log "${dir##*/}: compiling (a minute or two; less when little changed)"
	logged "$log" build "$kdir" "$target" "$dir" || return
	if grep -i warning "$log"; then
		rm -rf "$dir" # modpost does not repeat its warnings
		return 1
	fi
	echo "$state" >"$dir/clean"
}

need_packages gcc-aarch64-linux-gnu
failed=0
for kernel; do
	for target in "${targets[@]}"; do
		verdict="no warning"
		compile "$kernel" "$target" || { verdict=FAILED; failed=1; }
		printf '%-5s %-10s %s\n' "$kernel" "$target" "$verdict"
	done
done
exit "$failed"
