#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Static checks: checkpatch --strict, shellcheck, kernel-doc, and a build with
# sparse and W=1. Prints what it ran; what is excused stands in
# checkpatch-excuses.
# usage: check.sh
# shellcheck disable=SC2317 # check() calls the functions it is given

. "$(dirname "$0")/lib.sh"

failed=0

# check NAME COMMAND…: whatever the command prints is a finding
check() {
	local name=$1 found
	shift

	found=$("$@" 2>&1) || found+=$'\n'"(exit status $?)"
	if [[ $found ]]; then
		printf '%s: FAILED\n%s\n' "$name" "$found"
		failed=1
	else
		printf '%s: clean\n' "$name"
	fi
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
	sources '*.c' '*.h' | while read -r file; do
		"$kdir/scripts/checkpatch.pl" --no-tree --strict --terse \
			--show-types --quiet --file "$file" || true
	done | grep -v '^total:' | unexcused || true
}

# sparse prints warnings and fails nothing, so the log is what counts
sparse_build() {
	local dir log=$logs/check-build.log

	dir=$(mktemp -d)
	sources '*.c' '*.h' '*Kbuild' | rsync -a --files-from=- "$tree/" "$dir/"
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

shell_scripts() {
	cd "$tree"
	sources | xargs grep -lE '^#!/bin/(ba)?sh' | xargs shellcheck -x
}

"$scripts/setup.sh"
kdir=$("$scripts/guest-kernel.sh")
check 'checkpatch --strict' checkpatch
check 'sparse, W=1' sparse_build
check 'kernel-doc' kernel_doc
check 'shellcheck' shell_scripts
exit "$failed"
