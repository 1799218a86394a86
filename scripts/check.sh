#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static checks: checkpatch --strict, shellcheck, kernel-doc, the table of the
# API's functions, the public headers in every order, and a build with sparse and
# W=1. Prints what it ran; what is excused stands in checkpatch-excuses.
# usage: check.sh
# shellcheck disable=SC2317 # check() calls the functions it is given

. "$(dirname "$0")/lib.sh"

names=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check NAME COMMAND…: beside the others; whatever the command prints is a finding
check() {
	local found

	names+=("$1")
	found=$work/${#names[@]}
	shift
	{ "$@" || echo "(exit status $?)"; } >"$found" 2>&1 &
}

# What they found, in their order; fails if they found something
findings() {
	local i failed=0

	for i in "${!names[@]}"; do
		if [[ -s $work/$((i + 1)) ]]; then
			printf '%s: FAILED\n' "${names[i]}"
			cat "$work/$((i + 1))"
			failed=1
		else
			printf '%s: clean\n' "${names[i]}"
		fi
	done
	return "$failed"
}

sources() { git -C "$tree" ls-files --cached --others --exclude-standard "$@"; }

# Lines of "FILE:LINE: FINDING", less those that a line of the excuses matches.
unexcused() {
	awk -F '\t' '
		NR == FNR { if (!/^#/) { file[++n] = $1; finding[n] = $2 } next }
		{
			for (i = 1; i <= n; i++)
				if ($0 ~ file[i] && $0 ~ finding[i])
					next
			print
		}' "$scripts/checkpatch-excuses" -
}

checkpatch() {
	cd "$tree"
	{
		sources '*.c' '*.h' |
			xargs "$kdir/scripts/checkpatch.pl" --no-tree --strict \
				--terse --show-types --quiet --file || true
	} | grep -v '^total:' | unexcused || true
}

# sparse prints warnings and fails nothing, so the log is what counts
sparse_build() {
	local dir log=$logs/check-build.log

	dir=$(mktemp -d)
	sources '*.c' '*.h' '*Kbuild' dkms.conf | rsync -a --files-from=- "$tree/" "$dir/"
	logged "$log" make -C "$kdir" M="$dir" C=2 W=1 VMBKMCL_KUNIT=y \
		-j"$(nproc)" modules
	rm -rf "$dir"
	grep -E 'warning|error' "$log" || true
}

kernel_doc() {
	cd "$tree"
	sources 'vmbkmcl/*.[ch]' 'include/*.h' |
		xargs "$kdir/scripts/kernel-doc" -none -Werror
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
# of its names, and each of the API's headers alone. They are not compiled again
# before one of them changes.
header_orders() {
	local dir log=$logs/check-headers.log headers number=0 header clean

	clean=$cache/headers-$({ echo "$kdir"; declare -f header_orders
		cd "$tree" && sources 'include/*.h' | xargs sha256sum; } | hash_of)
	[[ ! -e $clean ]] || return 0
	dir=$(mktemp -d)
	{
		orders "" linux/acpi.h linux/hyperv.h linux/uuid.h \
			vmbuskernelmodeclientlibapi.h
		cd "$tree/include"
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
	rm -rf "$dir"
	grep -E 'warning|error' "$log" || touch "$clean"
}

shell_scripts() {
	cd "$tree"
	sources | xargs grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck -x
}

"$scripts/setup.sh"
kdir=$("$scripts/guest-kernel.sh")
check 'checkpatch --strict' checkpatch
check 'sparse, W=1' sparse_build
check 'kernel-doc' kernel_doc
check 'headers in every order' header_orders
check 'api-table' "$scripts/api-table.py" --check
check 'shellcheck' shell_scripts
wait
findings
