#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run a static check and print its findings; or report the findings in files without
# the excused ones. checks.mk calls this script in the tree, with the guest kernel's
# build directories, kdir and clang_kdir, in the environment.
# usage: run.sh CHECK [ARGUMENT]
#        run.sh report CHECK FILE…
# shellcheck disable=SC2154,SC2317 # the environment; the arguments name a function

. "$(dirname "$0")/../lib/lib.sh"

# Make's options are not for the kernel's build.
unset MAKEFLAGS MFLAGS MAKELEVEL

# git may still track a file that was deleted.
sources() {
	git ls-files --cached --others --exclude-standard "$@" | while read -r file; do
		[[ ! -e $file ]] || printf '%s\n' "$file"
	done
}

check_checkpatch() {
	"$kdir/scripts/checkpatch.pl" --no-tree --strict --terse --show-types --quiet \
		--file "$1" | sed '/^total:/d'
}

# coccinelle PATCH, as scripts/coccicheck does it
check_coccinelle() {
	local options groups

	groups=$(mktemp)
	sources '*.c' '*.h' | sed G >"$groups" # an empty line between files: one at a time
	read -ra options < <(sed -n 's|^//.*Options:||p' "$1")
	# It suspects that the names in a list of functions should be metavariables.
	spatch -D report --no-show-diff --very-quiet --cocci-file "$1" \
		"${options[@]}" --patch "$kdir" -I include -I include/windows \
		-I kunit/host --file-groups "$groups" 2>&1 |
		sed '/^warning: line .*: should .* be a metavariable?$/d' ||
		echo "$1: spatch failed"
	rm "$groups"
}

# module_build NAME KDIR MODULES [VARIABLE=VALUE…]: build vmbkmcl, its tests, and
# the modules in the directories MODULES, and print the complaints of the compiler
# and of the checker that Kbuild runs after it. A copy of the sources stays in the
# cache with the objects, so that only what changed is compiled again.
module_build() {
	local name=$1 dir
	shift

	dir=$cache/build-$name-$({ declare -f module_build build_modules
		printf '%s\n' "$@"; } | hash_of)
	(
		flock 9
		[[ ! -e $dir/unfinished ]] || rm -rf "$dir"
		mkdir -p "$dir/tree"
		touch "$dir/unfinished"
		build_modules "$dir" "$logs/check-$name.log" "$@" 9>&-
	) 9>"$dir.lock"
}

# A file with an error gets no object, so the next run compiles and checks it again.
# A file with a warning gets one. Then `unfinished` stays, and the next run starts
# anew.
build_modules() {
	local dir=$1 log=$2 kdir=$3 modules=$4 status=0 found
	shift 4

	rsync -rlpc --delete --exclude='*.mod.c' --exclude=/{build,.git} \
		--include='*/' --include='*.[ch]' --include=Kbuild --include=dkms.conf \
		--exclude='*' "$tree/" "$dir/tree/"
	# shellcheck disable=SC2086 # a list
	printf 'obj-m += tree/%s\n' '' $modules >"$dir/Kbuild"
	mkdir -p "$logs"
	# cmd_checkdoc=: kernel-doc is another check
	make -C "$kdir" M="$dir" VMBKMCL_KUNIT=y W=1e C=1 cmd_checkdoc= "$@" \
		-k -j"$(nproc)" modules >"$log" 2>&1 || status=$?
	found=$(grep -Ei '(warning|error): ' "$log" | sed "s|$dir/tree/||g") || true
	((!status)) || found=${found:-$(tail -n 25 "$log")}
	[[ ! $found ]] || printf '%s\n' "$found" "(all that was said: $log)"
	[[ $found == *[Ww][Aa][Rr][Nn][Ii][Nn][Gg]:* ]] || rm "$dir/unfinished"
}

modules='kunit/bench/ Documentation/samples/share/ Documentation/samples/linux/'

# Without the Windows sample: sparse does not know the multi-character constants of
# its pool tags.
check_sparse() { module_build sparse "$kdir" "$modules" CF=-Wsparse-error; }

# CHECKFLAGS=: the analyzer does not know the arguments that Kbuild has for sparse.
check_clang() {
	module_build clang "$clang_kdir" "$modules Documentation/samples/windows/" \
		LLVM=1 CHECKFLAGS= \
		CHECK='clang --analyze -Xclang -analyzer-output=text -Xclang -analyzer-werror'
}

check_kernels() { logged "$logs/check-kernels.log" "$scripts/compile.sh"; }

# Find the units of a module that use each other in a circle.
check_layers() {
	local built log=$logs/check-layers.log

	built=$("$scripts/build-modules.sh" "$kdir" VMBKMCL_KUNIT=y 2>"$log") ||
		{ cat "$log"; return 1; }
	"$scripts/check/layers" "$built"
}

check_kernel-doc() {
	sources '*.c' '*.h' | xargs "$kdir/scripts/kernel-doc" -none -Werror
}

# orders DONE LEFT…: print DONE with each permutation of LEFT after it, one a line
orders() {
	local done=$1 i
	shift

	(($#)) || echo "$done"
	for ((i = 1; i <= $#; i++)); do
		orders "$done ${!i}" "${@:1:i-1}" "${@:i+1}"
	done
}

# A client may include the API before or after the kernel's headers that define some
# of the same names, and may include each of the API's headers alone.
check_headers() {
	local dir log=$logs/check-headers.log headers number=0 header

	dir=$(mktemp -d)
	{
		orders "" linux/acpi.h linux/hyperv.h linux/uuid.h \
			vmbuskernelmodeclientlibapi.h
		cd include
		find . -name '*.h' | sed 's|^\./||; s|^windows/||'
	} >"$dir/orders"
	while read -r headers; do
		number=$((number + 1))
		for header in $headers; do
			echo "#include <$header>"
		done >"$dir/order$number.c"
		echo "obj-m += order$number.o"
	done <"$dir/orders" >"$dir/Kbuild"
	echo "ccflags-y := -I$tree/include -I$tree/include/windows" >>"$dir/Kbuild"
	! logged "$log" make -C "$kdir" M="$dir" -j"$(nproc)" \
		$(seq -f 'order%g.o' "$number") || ! grep -E 'warning|error' "$log"
	rm -r "$dir"
}

check_api-table() { "$scripts/check/api-table.py" --check; }

check_shellcheck() {
	sources | xargs grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck -x -f gcc
}

# The tests of the tests' VMBus host, which need neither QEMU nor a guest
check_host() {
	local core=kunit/host/own/core program

	program=$(mktemp)
	gcc -std=gnu11 -O1 -g -Wall -Wextra -Werror -fsanitize=address,undefined \
		-o "$program" "$core"/*.c "$core"/test/*.c
	"$program" | sed '/^\(TAP\|1\.\.\|ok\|# [0-9]* passed, 0 failed$\)/d'
	rm "$program"
}

check_codespell() { sources | xargs codespell; }

# REUSE uses debian/copyright for a file without a license, so look for SPDX lines
# here.
check_licenses() {
	local printed

	sources | xargs grep -L 'SPDX-License-Identifier: ' | sed 's/$/:1: no SPDX line/'
	printed=$(reuse lint 2>&1) || printf '%s\n' "$printed"
}

# unexcused FILE…: print the findings in these files that no excuse matches
unexcused() {
	awk -F '\t' '
		NR == FNR { if (!/^#/) { file[++n] = $1; finding[n] = $2 } next }
		{
			for (i = 1; i <= n; i++)
				if ($0 ~ file[i] && $0 ~ finding[i])
					next
			print
		}' "$scripts/check/excuses" "$@"
}

# report CHECK FILE…: print the findings, and delete the files with findings, so
# that their checks run again the next time: the cause may have been the machine.
report() {
	local name=$1 found file
	shift

	found=$(unexcused "$@")
	[[ $found ]] || { echo "$name: clean"; return; }
	printf '%s: FAILED\n%s\n' "$name" "$found"
	for file; do
		[[ ! $(unexcused "$file") ]] || rm "$file"
	done
	return 1
}

# found_by CHECK [ARGUMENT]: print the findings, or that the check failed silently
found_by() {
	local name=$1 printed status=0
	shift

	printed=$("check_$name" "$@" 2>&1) || status=$?
	[[ $printed ]] || ((!status)) || printed="$name: exit status $status"
	[[ ! $printed ]] || printf '%s\n' "$printed"
}

mkdir -p "$logs"
if [[ $1 == report ]]; then
	"$@"
else
	found_by "$@"
fi
