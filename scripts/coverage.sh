#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run all KUnit suites with a module that counts its lines and branches, and report
# which ones ran: a line a file, and build/coverage/index.html to browse. Fails if a
# test fails, or if less than AT_LEAST (95) percent of the lines ran.
# usage: coverage.sh

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"

(($# == 0)) || { usage >&2; exit 2; }
out=$tree/build/coverage
# A branch in a line with one of these macros belongs to the kernel's macro: it is
# taken when the kernel warns, when somebody traces, or when a lock is not free.
# trace.h consists of such macros.
macros='\b(WARN_ON(_ONCE)?|WARN(_ONCE)?|lockdep_\w+|might_sleep|trace_vmbkmcl_\w+|kmcl_warn|\w+_ratelimited)\('

need_packages gcovr rsync
rm -rf "$out"
mkdir -p "$out"
COVERAGE=$out/counts "$scripts/test.sh"
built=$(readlink "$out/counts/tree")
report=(gcovr --root "$built" --filter "$built/vmbkmcl/" --sort-percentage
	--exclude '.*/trace\.h' --object-directory "$("$scripts/guest/guest-kernel.sh")"
	--exclude-branches-by-pattern ".*$macros.*")

# First convert the counts of each guest, then report their sum.
sums=()
for counts in "$out"/counts/[0-9]*; do
	logged "$logs/gcovr.log" "${report[@]}" --json "$counts.json" "$counts"
	sums+=(--add-tracefile "$counts.json")
done
"${report[@]}" "${sums[@]}" --txt --html-details "$out/index.html" \
	--fail-under-line "${AT_LEAST:-95}"
"${report[@]}" "${sums[@]}" --branches --txt
log "to browse: $out/index.html"
