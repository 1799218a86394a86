#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Run the static checks, which Documentation/testing.rst lists, and print each with
# what it finds. Fails if one finds something that check/excuses does not excuse. A
# clean check is run again when something that it reads has changed, or its tool.
# usage: check.sh [--all] [PART OF A CHECK'S NAME]
# The checks that take many minutes run only with --all, or if the part names them.

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"

all=
[[ ${1:-} != --all ]] || { all=y; shift; }
only=${1:-}
clang_kdir=

"$scripts/setup.sh"
need_packages shellcheck sparse codespell reuse
kdir=$("$scripts/guest/guest-kernel.sh")
if [[ $all || ($only && "clang coccinelle" == *$only*) ]]; then
	need_packages coccinelle clang lld llvm
	clang_kdir=$("$scripts/guest/guest-kernel.sh" --clang)
fi

cd "$tree"
mkdir -p build "$logs"
exec {lock}>build/check.lock
flock "$lock"
unset MAKEFLAGS # of the make that calls this
make -s -k --output-sync -j"$(nproc)" -f scripts/check/checks.mk \
	all="$all" only="$only" kdir="$kdir" clang_kdir="$clang_kdir"
