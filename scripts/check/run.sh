#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run one of the static checks and print what it finds, in lines "FILE:LINE: FINDING"
# where the tool does so; or report what a check has found. checks.mk calls this in
# the tree, with kdir and clang_kdir, the guest kernel's build directories, in the
# environment.
# usage: run.sh CHECK [ARGUMENT]
#        run.sh report CHECK FILE…
# shellcheck disable=SC2154,SC2317 # the environment; the arguments name a function

. "$(dirname "$0")/../lib/lib.sh"

# Make's options are not for the kernel's build.
unset MAKEFLAGS MFLAGS MAKELEVEL

# A file may be deleted that git still tracks.
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
	# it does not know the names in a list of functions from variables
	spatch -D report --no-show-diff --very-quiet --cocci-file "$1" \
		"${options[@]}" --patch "$kdir" -I include -I include/windows \
		-I kunit/host --file-groups "$groups" 2>&1 |
		sed '/^warning: line .*: should .* be a metavariable?$/d' ||
		echo "$1: spatch failed"
	rm "$groups"
}

# module_build NAME KDIR MODULES [VARIABLE=VALUE…]: what a build of vmbkmcl, its tests,
# and the modules in the directories MODULES complains of, and the checker that Kbuild
# starts after the compiler. It takes place in a copy of the sources that stays, so
# that what did not change is not compiled again.
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

# A file with an error has no object, and is compiled and checked again the next
# time. One with a mere warning has: all are, then.
build_modules() {
	local dir=$1 log=$2 kdir=$3 modules=$4 status=0 found
	shift 4

	rsync -rlpc --delete --exclude='*.mod.c' --exclude=/{build,.git} \
		--include='*/' --include='*.[ch]' --include=Kbuild --include=dkms.conf \
		--exclude='*' "$tree/" "$dir/tree/"
	# shellcheck disable=SC2086 # a list
	printf 'obj-m += tree/%s\n' '' $modules >"$dir/Kbuild"
	mkdir -p "$logs"
	# kernel-doc has a check of its own
	make -C "$kdir" M="$dir" VMBKMCL_KUNIT=y W=1e C=1 cmd_checkdoc= "$@" \
		-k -j"$(nproc)" modules >"$log" 2>&1 || status=$?
	found=$(grep -Ei '(warning|error): ' "$log" | sed "s|$dir/tree/||g") || true
	((!status)) || found=${found:-$(tail -n 25 "$log")}
	[[ ! $found ]] || printf '%s\n' "$found" "(all that was said: $log)"
	[[ $found == *[Ww][Aa][Rr][Nn][Ii][Nn][Gg]:* ]] || rm "$dir/unfinished"
}

modules='kunit/bench/ Documentation/samples/share/ Documentation/samples/linux/'

# The Windows sample has pool tags, characters that sparse knows only one by one.
check_sparse() { module_build sparse "$kdir" "$modules" CF=-Wsparse-error; }

# the analyzer takes the compiler's arguments, and none that are sparse's
check_clang() {
	module_build clang "$clang_kdir" "$modules Documentation/samples/windows/" \
		LLVM=1 CHECKFLAGS= \
		CHECK='clang --analyze -Xclang -analyzer-output=text -Xclang -analyzer-werror'
}

check_kernels() { logged "$logs/check-kernels.log" "$scripts/compile.sh"; }

# Units of a module that use each other in a circle
check_layers() {
	local built log=$logs/check-layers.log

	built=$("$scripts/build-modules.sh" "$kdir" VMBKMCL_KUNIT=y 2>"$log") ||
		{ cat "$log"; return 1; }
	"$scripts/check/layers" "$built"
}

check_kernel-doc() {
	sources '*.c' '*.h' | xargs "$kdir/scripts/kernel-doc" -none -Werror
}

# orders DONE LEFT…: each permutation of LEFT behind DONE, one a line
orders() {
	local done=$1 i
	shift

	(($#)) || echo "$done"
	for ((i = 1; i <= $#; i++)); do
		orders "$done ${!i}" "${@:1:i-1}" "${@:i+1}"
	done
}

# A client may include the API anywhere among the kernel's headers that know some
# of its names, and each of the API's headers alone.
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

check_codespell() { sources | xargs codespell; }

# REUSE takes debian/copyright for a file that says nothing itself.
check_licenses() {
	local printed

	sources | xargs grep -L 'SPDX-License-Identifier: ' | sed 's/$/:1: no SPDX line/'
	printed=$(reuse lint 2>&1) || printf '%s\n' "$printed"
}

# What is in these files and is not excused
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

# A check that found something is run again the next time: the machine may have been
# the reason.
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

# What a check prints, or that it failed without a word
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
