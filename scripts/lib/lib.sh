# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# What every script here shares: where things are, how they speak, and a cache
# of things that take long to build. Source it first: it sets the shell options.

set -euo pipefail
shopt -s inherit_errexit

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scripts=$tree/scripts
cache=${VMBKMCL_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/vmbkmcl}
logs=$tree/build/logs

log() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

# die [-s STATUS] MESSAGE…
die() {
	local status=1

	[[ $1 != -s ]] || { status=$2; shift 2; }
	log "$*"
	exit "$status"
}

# Print the file's header comment: what a script is and how it is called.
usage() { sed -n '3,/^$/s/^# \?//p' "$0"; }

hash_of() { sha256sum | cut -c1-16; }

# logged FILE COMMAND…: the command's output goes to the file; a failure names
# the file and shows how it ends.
logged() {
	local file=$1 status=0
	shift

	mkdir -p "${file%/*}"
	"$@" >"$file" 2>&1 || status=$?
	((status)) || return 0
	log "'${*:1:4}' failed with status $status; the end of $file:"
	tail -n 25 "$file" >&2
	return "$status"
}

# attended COMMAND…: run it so that a signal to this script ends it as well. (A
# shell that waits for a command in the foreground heeds no signal till its end.)
attended() {
	local child status=0

	"$@" &
	child=$!
	trap 'kill "$child" 2>/dev/null; exit 143' INT TERM
	wait "$child" || status=$?
	trap - INT TERM
	return "$status"
}

# keyed NAME INPUTS STEP FUNCTION [ARG…]: print the cached directory NAME-<hash
# of INPUTS and of the function's text>. If there is none yet, say STEP and let
# `FUNCTION DIR ARG…` fill it. It is built beside and renamed when complete: an
# interrupted build is never taken for a complete one, and of two runs at once
# one builds and the other waits.
keyed() {
	local name=$1 inputs=$2 step=$3 fill=$4 key dir
	shift 4

	key=$({ declare -f "$fill"; printf '%s\n' "$inputs" "$@"; } | hash_of)
	dir=$cache/$name-$key
	[[ -d $dir ]] || build_keyed "$dir" "$step" "$fill" "$@" >&2
	touch "$dir"
	printf '%s\n' "$dir"
}

build_keyed() {
	local dir=$1 step=$2 fill=$3
	shift 3

	mkdir -p "$cache"
	(
		flock 9
		[[ ! -d $dir ]] || exit 0
		log "$step"
		rm -rf "$dir.part"
		mkdir "$dir.part"
		"$fill" "$dir.part" "$@" 9>&-
		mv -T "$dir.part" "$dir"
	) 9>"$dir.lock"
}
