#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds testdev.so, the server endpoint, for the QEMU that is installed here,
# and prints its path: LD_PRELOAD=$(build.sh) qemu-system-x86_64 ...
# usage: build.sh               the server, and what the variable VMBKMCL_HOST chooses
#                               as its host: QEMU's own VMBus (qemu, the default) or
#                               that of kunit/host/own (own), for which vmbus.aml, an
#                               ACPI table for the guest, is beside the object
#        build.sh profile       instead: the plugin that kunit/bench/bench.sh may use
#
# The headers must be those of exactly that QEMU, the distribution's patches
# among them (they change structures a device embeds): they come from its source
# package, fetched as this machine's own apt configuration says, but with lists
# and caches of its own. Nothing of QEMU is built. Results are kept in
# $VMBKMCL_CACHE (~/.cache/vmbkmcl).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${VMBKMCL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vmbkmcl}/testdev
package=qemu-system-x86

say() { echo "testdev: $*" >&2; }
die() { say "$*"; exit 1; }

need() {
	command -v "$1" >/dev/null || die "$1 is missing: install the package $2"
}

# The machine's package sources, as sources of source packages, below $1.
derive_sources() {
	local etc=$1 list parts file

	mkdir -p "$etc/parts"
	eval "$(apt-config shell list Dir::Etc::sourcelist/f parts Dir::Etc::sourceparts/d)"
	for file in "$list" "$parts"/*.list; do
		[[ -f $file ]] || continue
		sed -nE 's/^[[:space:]]*deb([[:space:]])/deb-src\1/p' "$file" \
			>"$etc/parts/$(basename "$file")"
	done
	for file in "$parts"/*.sources; do
		[[ -f $file ]] || continue
		sed -E 's/^Types:.*/Types: deb-src/I' "$file" >"$etc/parts/$(basename "$file")"
	done
}

# The machine's apt configuration in $1/apt.conf, but for where it keeps things.
# Its hooks are left out: they serve the system's own lists and cache.
derive_apt() {
	local dir=$1

	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	derive_sources "$dir/etc"
	apt-config dump | grep -v -e '-Invoke' >"$dir/apt.conf"
	cat >>"$dir/apt.conf" <<-END
		Dir::Etc::main "/dev/null";
		Dir::Etc::parts "/dev/null";
		Dir::Etc::sourcelist "/dev/null";
		Dir::Etc::sourceparts "$dir/etc/parts";
		Dir::State::lists "$dir/lists";
		Dir::Cache "$dir/cache";
		APT::Sandbox::User "";
		Acquire::Languages "none";
	END
}

# Unpacks the source package $1, version $2, to $3/src.
fetch_source() {
	local name=$1 version=$2 dir=$3 other

	derive_apt "$dir/apt"
	export APT_CONFIG=$dir/apt/apt.conf
	say "fetching the source of $name $version"
	# A foreign source without source packages fails, and does not matter.
	apt-get -q update >"$dir/log" 2>&1 || true
	cd "$dir"
	if ! apt-get -q --only-source --download-only source "$name=$version" >>"$dir/log" 2>&1; then
		other=$(apt-cache showsrc --only-source "$name" 2>>"$dir/log" |
			sed -n 's/^Version: //p' | grep -F -- "${version%-*}-" | sort -V | tail -n 1) ||
			{ cat "$dir/log" >&2; die "no source package of $name $version"; }
		say "$version is gone from the archive, trying $other"
		apt-get -q --only-source --download-only source "$name=$other" >>"$dir/log" 2>&1 ||
			{ cat "$dir/log" >&2; die "cannot fetch $name $other"; }
	fi
	unset APT_CONFIG
	dpkg-source --no-check -x ./*.dsc src >>"$dir/log" 2>&1 ||
		{ cat "$dir/log" >&2; die "cannot unpack the source of $name"; }
	cd "$here"
}

# What configure and meson would leave for a device that no target depends on.
write_config() {
	local dir=$1 name

	for name in POSIX LINUX KVM IOVEC ATOMIC64 INT128; do
		echo "#define CONFIG_$name 1"
	done >"$dir/config-host.h"
	for name in poison target devices; do
		: >"$dir/config-$name.h"
	done
}

# The headers of QEMU $2 (source package $1) in $3.
make_headers() {
	local name=$1 version=$2 headers=$3 tmp

	need apt-get apt
	need dpkg-source dpkg-dev
	need python3 python3
	tmp=$(mktemp -d "$cache/tmp.XXXXXX")
	# shellcheck disable=SC2064	# $tmp is a local, expand it now
	trap "rm -rf '$tmp'" EXIT
	fetch_source "$name" "$version" "$tmp"
	say "generating its headers"
	mkdir -p "$tmp/headers/qapi"
	write_config "$tmp/headers"
	python3 -B "$tmp/src/scripts/qapi-gen.py" -b -o "$tmp/headers/qapi" \
		"$tmp/src/qapi/qapi-schema.json" >&2
	rm -f "$tmp"/headers/qapi/*.c
	mv "$tmp/src/include" "$tmp/headers/include"
	mv "$tmp/headers" "$headers"
	rm -rf "$tmp"
	trap - EXIT
}

# compile HEADERS OUT SOURCE…
compile() {
	local headers=$1 out=$2 flags libs
	shift 2

	need "${CC:-gcc}" gcc
	need pkg-config pkg-config
	pkg-config --exists glib-2.0 zlib || die "install libglib2.0-dev and zlib1g-dev"
	read -ra flags <<<"$(pkg-config --cflags glib-2.0)"
	read -ra libs <<<"$(pkg-config --libs glib-2.0 zlib)"
	say "compiling ${out##*/}"
	mkdir -p "$(dirname "$out")"
	# Lazy binding: the object may also be loaded into what is not QEMU. Hidden: a
	# function of QEMU's with the same name would be called instead.
	"${CC:-gcc}" -std=gnu11 -O2 -g -fPIC -shared -fvisibility=hidden \
		-Wall -Wextra -Werror -Wl,-z,lazy \
		-isystem "$headers" -isystem "$headers/qapi" -isystem "$headers/include" \
		"${flags[@]}" "$@" "${libs[@]}" -o "$out.tmp" >&2
	mv "$out.tmp" "$out"
}

# The same, and the ACPI table that a host without vmbus-bridge needs.
build() {
	need iasl acpica-tools
	mkdir -p "${2%/*}"
	# 6033: "VMBus" is shorter than the ids of ACPI; 3150: it has no resources.
	iasl -vw 6033 -vw 3150 -p "${2%/*}/vmbus" "$here/own/vmbus.asl" >"${2%/*}/iasl.log" 2>&1 ||
		{ cat "${2%/*}/iasl.log" >&2; die "iasl failed"; }
	compile "$@"
}

main() {
	local what=${1:-testdev} name version hash headers so sources

	case $what:${VMBKMCL_HOST:-qemu} in
	testdev:qemu) sources=("$here"/*.c "$here/qemu"/*.c) ;;
	testdev:own) sources=("$here"/*.c "$here/own"/*.c "$here/own/core"/*.c) ;;
	profile:*) sources=("$here/profile"/*.c) ;;
	*) die "VMBKMCL_HOST is qemu or own" ;;
	esac
	read -r name version < <(dpkg-query -W -f '${source:Package} ${source:Version}\n' \
		"$package" 2>/dev/null) || die "$package is not installed"
	hash=$(cat "$here/build.sh" "${sources[@]}" "$here"/*.h "$here"/*/*.h \
		"$here"/own/{core/*.h,vmbus.asl} | sha256sum | cut -c 1-16)
	# LD_PRELOAD is a list with colons between its members.
	headers=$cache/headers-$name-${version//:/_}
	so=$cache/so-${version//:/_}-$hash/$what.so

	if [[ ! -f $so ]]; then
		mkdir -p "$cache"
		exec 9>"$cache/lock"
		flock 9
		[[ -d $headers ]] || make_headers "$name" "$version" "$headers"
		[[ -f $so ]] || build "$headers" "$so" "${sources[@]}"
	fi
	echo "$so"
}

main "$@"
