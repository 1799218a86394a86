# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
# What all scripts share: the paths, messages, and a cache of what takes long to
# build. Source this file first: it sets the shell options.

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

# Print the header comment of the script: what it does and how to call it.
usage() { sed -n '3,/^$/s/^# \?//p' "$0"; }

hash_of() { sha256sum | cut -c1-16; }

# logged FILE COMMAND…: write the command's output to the file. If the command
# fails, name the file and show its end.
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

# attended COMMAND…: run the command so that a signal to this script ends it, too.
# (A shell handles no signal while it waits for a command in the foreground.)
attended() {
	local child status=0

	"$@" &
	child=$!
	trap 'kill "$child" 2>/dev/null; exit 143' INT TERM
	wait "$child" || status=$?
	trap - INT TERM
	return "$status"
}

# keyed NAME INPUTS STEP FUNCTION [ARG…]: print the cached directory NAME-HASH,
# where HASH is that of the INPUTS, the ARGs and the function's text (without
# comments). If the directory does not exist, print the message STEP and call
# `FUNCTION DIR ARG…` to fill it. FUNCTION fills another directory, which is renamed
# when it is complete, so an interrupted build is never used. If two scripts need
# the directory at once, one builds it and the other one waits.
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
