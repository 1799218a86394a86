#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the Debian packages from the sources that git tracks or could track, check
# them with lintian, and print their directory.
# usage: package.sh

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"

out=$tree/build/deb
log=$logs/package.log

# Build from a copy: debian/rules leaves files where it runs.
export_sources() {
	git -C "$tree" ls-files --cached --others --exclude-standard |
		rsync -a --files-from=- "$tree/" "$1/"
}

build_packages() { (cd "$1" && dpkg-buildpackage --no-sign); }

need_packages debhelper dh-dkms lintian
rm -rf "$out"
mkdir -p "$out"
export_sources "$out/vmbkmcl"
log "building the packages (a few seconds)"
logged "$log" build_packages "$out/vmbkmcl"
rm -r "$out/vmbkmcl"
logged "$logs/lintian.log" lintian --display-info --pedantic --allow-root \
	--fail-on error,warning,info,pedantic,override "$out"/*.changes
printf '%s\n' "$out"
