#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make a guest's initramfs: busybox, an init, and the given files.
# usage: guest-image.sh OUT [--init FILE] [SRC:DST…]

. "$(dirname "$0")/../lib/lib.sh"

out=$1
init=$tree/kunit/guest/init
shift
[[ ${1:-} != --init ]] || { init=$2; shift 2; }

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

mkdir -p "$root"/{bin,dev,proc,sys,tmp,mnt,etc}
install /bin/busybox "$root/bin"
for applet in $(/bin/busybox --list); do
	[[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
done
install "$init" "$root/init"
for file; do
	install -D "${file%%:*}" "$root/${file#*:}"
done
# Not compressed: the guest would take longer to unpack it than compression saves.
(cd "$root" && find . | cpio --quiet -o -H newc) >"$out"
