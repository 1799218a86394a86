#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static checks: Documentation/testing.rst says which. Prints what it ran; what is
# excused, and why, stands in check-excuses. What was clean is checked again when
# it, the check, or the tool has changed.
# usage: check.sh [--all] [PART OF A CHECK'S NAME]
# Those that take many minutes only run with --all, or when they are named.
# shellcheck disable=SC2317 # check() calls the functions it is given

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"

all=
[[ ${1:-} != --all ]] || { all=y; shift; }
only=${1:-}
excuses=$scripts/check/excuses
names=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND…: beside the others; whatever the command prints is a finding
check() {
	local found

	[[ $1 == *"$only"* ]] || return 0
	names+=("$1")
	found=$work/${#names[@]}
	shift
	{
		"$@" || echo "(exit status $?)"
		times >"$found.times"
	} >"$found" 2>&1 &
}

# The same, for one that takes many minutes
long_check() { [[ ! $all && ! $only ]] || check "$@"; }

# What they found, in their order; fails if they found something
findings() {
	local i file failed=0

	for i in "${!names[@]}"; do
		file=$work/$((i + 1))
		if [[ -s $file ]]; then
			printf '%s: FAILED' "${names[i]}"
			failed=1
		else
			printf '%s: clean' "${names[i]}"
		fi
		tr ms '  ' <"$file.times" | awk '
			{ cpu += 60 * ($1 + $3) + $2 + $4 }
			END { printf " (%.0f s of CPU time)\n", cpu }'
		cat "$file"
	done
	return "$failed"
}

sources() { git ls-files --cached --others --exclude-standard "$@"; }

shell_scripts() { sources | xargs grep -lE '^#!/bin/(ba)?sh'; }

# Lines of "FILE:LINE: FINDING", less those that a line of the excuses matches.
unexcused() {
	awk -F '\t' '
		NR == FNR { if (!/^#/) { file[++n] = $1; finding[n] = $2 } next }
		{
			for (i = 1; i <= n; i++)
				if ($0 ~ file[i] && $0 ~ finding[i])
					next
			print
		}' "$excuses" -
}

# found_by COMMAND [ARG…]: what it prints and is not excused; or that it failed
# without a word
found_by() {
	local printed status=0

	printed=$("$@" 2>&1) || status=$?
	[[ $printed ]] || ((!status)) || printed="$1: exit status $status"
	[[ ! $printed ]] || unexcused <<<"$printed"
}

# once COMMAND INPUTS FILE…: what the command finds. If that is nothing, it is not
# run again with the same INPUTS and FILEs, in whatever clone.
once() {
	local command=$1 inputs=$2 clean found
	shift 2

	clean=$cache/clean-$command-$({ echo "$inputs"
		cat "$scripts"/{check,lib/lib}.sh "$excuses"
		sha256sum "$@"; } | hash_of)
	[[ ! -e $clean ]] || return 0
	found=$(found_by "$command")
	if [[ $found ]]; then
		printf '%s\n' "$found"
	else
		touch "$clean"
	fi
}

# each_file COMMAND INPUTS FILE…: what the command finds in the files, whose names
# it reads, in lines that begin with "FILE:". Files without are not looked at again
# with the same INPUTS and excuses.
each_file() {
	local command=$1 inputs=$2 clean
	shift 2

	clean=$cache/clean-$command-$({ echo "$inputs"
		declare -f each_file states found_by unexcused "$command"; } | hash_of)
	touch "$clean"
	states "$@" | sort >"$work/$command.states"
	sort "$clean" | comm -23 "$work/$command.states" - >"$work/$command.new"
	[[ -s $work/$command.new ]] || return 0
	names_of_states <"$work/$command.new" >"$work/$command.files"
	found_by "$command" <"$work/$command.files" | tee "$work/$command.found"
	clean_states "$work/$command".{found,new} >>"$clean"
}

# states FILE…: for each a line of its hash, its name, and what is excused in it
states() {
	sha256sum "$@" | awk -F '\t' '
		NR == FNR { if (!/^#/) { file[++n] = $1; finding[n] = $2 } next }
		{
			name = substr($0, 67)
			for (i = 1; i <= n; i++)
				if (name ~ file[i])
					$0 = $0 "\t" finding[i]
			print
		}' "$excuses" -
}

names_of_states() { sed 's/^.\{66\}//; s/\t.*//'; }

# clean_states FOUND STATES: the states without a finding; none if there is a line
# that belongs to no file
clean_states() {
	awk '
		NR == FNR { sub(/:.*/, ""); found[$0]; next }
		{
			name = substr($0, 67)
			sub(/\t.*/, "", name)
			if (name in found)
				known[name]
			else
				clean[FNR] = $0
		}
		END {
			for (name in found)
				if (!(name in known))
					exit
			for (i in clean)
				print clean[i]
		}' "$@"
}

# By itself each: checkpatch complains of a name in CamelCase only once.
checkpatch() {
	xargs -n 1 "$kdir/scripts/checkpatch.pl" --no-tree --strict --terse \
		--show-types --quiet --file | sed '/^total:/d'
}

# As scripts/coccicheck does it. Two patches need an OCaml compiler: one looks at a
# driver, the other finds what sparse finds as well.
coccinelle() {
	local patch options

	sed G >"$work/groups" # an empty line between files: one at a time
	find "$kdir/scripts/coccinelle" -name '*.cocci' | sort |
		xargs grep -L ':ocaml' | while read -r patch; do
		read -ra options < <(sed -n 's|^//.*Options:||p' "$patch")
		# it does not know the names in a list of functions from variables
		spatch -D report --no-show-diff --very-quiet --cocci-file "$patch" \
			"${options[@]}" --patch "$kdir" -I include -I include/windows \
			-I kunit/host --file-groups "$work/groups" 2>&1 |
			sed '/^warning: line .*: should .* be a metavariable?$/d' ||
			echo "$patch: spatch failed"
	done
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
sparse_build() { module_build sparse "$kdir" "$modules" CF=-Wsparse-error; }

# the analyzer takes the compiler's arguments, and none that are sparse's
clang_build() {
	module_build clang "$clang_kdir" "$modules Documentation/samples/windows/" \
		LLVM=1 CHECKFLAGS= \
		CHECK='clang --analyze -Xclang -analyzer-output=text -Xclang -analyzer-werror'
}

# Units of a module that use each other in a circle
layers() {
	local built

	built=$("$scripts/build-modules.sh" "$kdir" VMBKMCL_KUNIT=y 2>"$work/layers.log") ||
		{ cat "$work/layers.log"; return 1; }
	"$scripts/check/layers" "$built"
}

kernel_doc() {
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
header_orders() {
	local dir=$work/orders log=$logs/check-headers.log headers number=0 header

	mkdir "$dir"
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
	logged "$log" make -C "$kdir" M="$dir" -j"$(nproc)" \
		$(seq -f 'order%g.o' "$number") || return
	grep -E 'warning|error' "$log" || true
}

other_kernels() { logged "$logs/check-kernels.log" "$scripts/compile.sh"; }

shellcheck_scripts() { shell_scripts | xargs shellcheck -x -f gcc; }

spelling() { sources | xargs codespell; }

# REUSE takes debian/copyright for a file that says nothing itself.
licenses() {
	local printed

	sources | xargs grep -L 'SPDX-License-Identifier: ' | sed 's/$/:1: no SPDX line/'
	printed=$(reuse lint 2>&1) || printf '%s\n' "$printed"
}

"$scripts/setup.sh"
need_packages shellcheck sparse codespell reuse
[[ ! $all && ! $only ]] || need_packages coccinelle clang lld llvm
kdir=$("$scripts/guest/guest-kernel.sh")
[[ ! $all && ! $only ]] || clang_kdir=$("$scripts/guest/guest-kernel.sh" --clang)
mkdir -p "$cache"
cd "$tree"
mapfile -t c_files < <(sources '*.c')
mapfile -t h_files < <(sources '*.h')
mapfile -t built < <(sources '*.c' '*.h' '*Kbuild' dkms.conf)
mapfile -t scripts_here < <(shell_scripts)

check 'checkpatch --strict' each_file checkpatch "$kdir" "${c_files[@]}" "${h_files[@]}"
check 'gcc W=1, sparse' once sparse_build "$kdir $(sparse --version)" "${built[@]}"
check '6.1, 6.12 and 7.3, on amd64 and arm64' other_kernels
long_check 'clang W=1, its analyzer' once clang_build "${clang_kdir:-}" "${built[@]}"
# a file's answer depends on what it includes, too
long_check 'coccinelle' each_file coccinelle \
	"$kdir $(spatch --version 2>/dev/null) $(sha256sum "${h_files[@]}")" "${c_files[@]}" "${h_files[@]}"
check 'layers' layers
check 'kernel-doc' found_by kernel_doc
check 'headers in every order' once header_orders "$kdir" "${h_files[@]}"
check 'api-table' "$scripts/check/api-table.py" --check
check 'shellcheck' once shellcheck_scripts "$(shellcheck --version)" "${scripts_here[@]}"
check 'codespell' found_by spelling
check 'SPDX, REUSE' found_by licenses
wait
findings
