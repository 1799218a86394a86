#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Make the image of the intermediate host, once, and print its directory, which
# holds `vmlinuz` and `initramfs.cpio`. Where this machine's KVM cannot play a
# Hyper-V host, an emulated AMD machine boots this image. The image has KVM, and
# runs QEMU as the Hyper-V host (see kunit/guest/hypervisor-init).
# usage: host-image.sh

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"

init=$tree/kunit/guest/hypervisor-init
firmware=(bios-256k.bin kvmvapic.bin linuxboot_dma.bin)

make_image() {
	local dir=$1 image=$2
	local root=$dir/root

	mkdir -p "$root"/{bin,dev,proc,sys,tmp,share}
	install /bin/busybox "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	install "$init" "$root/init"
	add_qemu "$root"
	add_kernel "$dir" "$image"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$dir/initramfs.cpio"
	rm -r "$root"
}

add_qemu() {
	local root=$1 qemu file
	qemu=$(command -v qemu-system-x86_64)

	install -D "$qemu" "$root/usr/bin/qemu-system-x86_64"
	for file in $(ldd "$qemu" | grep -o '/[^ ]*'); do
		install -D "$file" "$root$file"
	done
	for file in "${firmware[@]}"; do
		install -D -m 644 "$(first_file /usr/share/{qemu,seabios}/"$file")" \
			"$root/usr/share/qemu/$file"
	done
}

first_file() {
	local file

	for file; do
		[[ ! -e $file ]] || { echo "$file"; return; }
	done
	die "none of these exists: $*"
}

# Not the cloud flavour: it lacks 9p, by which the emulated machine gets its files.
add_kernel() {
	local dir=$1 image=$2 package=$1/package
	local release=${image#linux-image-}

	mkdir "$package"
	unpack_package "$image" "$package" './boot/vmlinuz-*' '*/modules.*' \
		'*/kvm/*' '*/ccp/*' '*/irqbypass.ko*' '*/virtio/*' '*/9p/*' \
		'*/netfs/*' '*/fscache/*'
	mv "$package/boot/vmlinuz-$release" "$dir/vmlinuz"
	mkdir -p "$dir/root/lib"
	mv "$(find "$package" -type d -name modules -path '*lib/modules')" "$dir/root/lib/modules"
	find "$dir/root/lib/modules" -name '*.ko.xz' -exec unxz {} +
	depmod -b "$dir/root" "$release"
	rm -r "$package"
}

image=$(kernel_package amd64)
inputs=$(
	candidate_version "$image"
	installed_version qemu-system-x86
	installed_version busybox-static
	declare -f add_qemu add_kernel
	declare -p firmware
	cat "$init"
)
keyed host-image "$inputs" \
	"making the image of the intermediate host (half a minute, once)" make_image "$image"
