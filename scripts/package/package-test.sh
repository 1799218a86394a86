#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Build the Debian packages and try them in a chroot of Debian 12 with two kernels:
# the packages install, DKMS builds the module for both kernels, modprobe finds it,
# a client module builds against the installed files, and removing the packages
# leaves the chroot as it was.
# usage: package-test.sh

. "$(dirname "$0")/../lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"

suite=bookworm
packages=(dkms gcc make libc6-dev linux-{image,headers}-{,6.12-}cloud-amd64)
log=$logs/package-test.log

# List the files of the chroot, without those that every installation changes.
inventory() {
	(
		cd "$root"
		as_root find . -xdev \( -path ./proc -o -path ./dev -o -path ./tmp -o \
			-path ./var/log -o -path ./var/cache -o -path ./var/lib/apt -o \
			-path ./var/lib/dpkg \) -prune -o -print | sort
	)
}

step() { printf '%s\n' "$*"; }

run() { logged "$log" in_chroot "$root" -- "$@"; }

# check_kernel RELEASE
check_kernel() {
	local kernel=$1 module resolved

	for module in vmbkmcl_hv vmbkmcl; do
		run modinfo -k "$kernel" "$module"
		for field in version description author license srcversion; do
			grep -q "^$field: *[^ ]" "$log" || die "modinfo of $module for $kernel has no $field"
		done
		grep -q "^vermagic: *$kernel " "$log" || die "$module for $kernel is for another kernel"
	done
	(($(grep -c '^parm:' "$log") >= 2)) || die "modinfo for $kernel lacks parameters"

	run modprobe -n -v -S "$kernel" vmbkmcl
	resolved=$(sed -n 's/^insmod //p' "$log" | xargs -n 1 basename | xargs)
	[[ $resolved =~ ^vmbkmcl\.ko.*\ hv_vmbus.*\ vmbkmcl_hv ]] ||
		die "modprobe for $kernel would load '$resolved'"
	step "modprobe for $kernel would load $resolved"

	run make -C "/lib/modules/$kernel/build" M=/tmp/client \
		KBUILD_EXTRA_SYMBOLS="/var/lib/dkms/vmbkmcl/kernel-$kernel-x86_64/Module.symvers"
	! grep -i warning "$log" || die "a client for $kernel does not build cleanly"
	run make -C "/lib/modules/$kernel/build" M=/tmp/client clean
	step "a module that calls it builds for $kernel"
}

# Write the smallest module that calls the API.
write_client() {
	mkdir -p "$root/tmp/client"
	cat >"$root/tmp/client/Kbuild" <<-'END'
		obj-m := client.o
		ccflags-y := -I/usr/src/vmbkmcl-headers
	END
	cat >"$root/tmp/client/client.c" <<-'END'
		// SPDX-License-Identifier: GPL-2.0-only
		#include <linux/module.h>
		#include <vmbuskernelmodeclientlibapi.h>

		static VMBCHANNEL channel;

		static int __init client_init(void)
		{
			return NT_SUCCESS(VmbChannelAllocate(NULL, FALSE, &channel)) ? 0 : -EIO;
		}

		static void __exit client_exit(void)
		{
			VmbChannelCleanup(channel);
		}

		module_init(client_init);
		module_exit(client_exit);
		MODULE_DESCRIPTION("a client");
		MODULE_LICENSE("GPL");
	END
}

debs=$("$scripts/package/package.sh")
step "the packages build, and lintian finds nothing"
need_packages mmdebstrap
base=$(keyed package-test-chroot "$(suite_sources "$suite"; candidate_version linux-image-cloud-amd64)" \
	"making a chroot with two kernels (about 2 minutes, once)" make_chroot "$suite" "${packages[@]}")

work=$(mktemp -d)
trap 'as_root rm -rf "$work"' EXIT
root=$work/root
as_root cp -a --reflink=auto "$base/root" "$root"
mkdir "$root/tmp/debs"
cp "$debs"/*.deb "$root/tmp/debs"
inventory >"$work/before"
mapfile -t kernels < <(ls "$root/lib/modules")
((${#kernels[@]} == 2)) || die "the chroot has the kernels ${kernels[*]}, not two"

run sh -c 'apt-get install -y --no-install-recommends /tmp/debs/*.deb'
# Installing the package builds for one kernel. DKMS does the following when another
# kernel is installed or booted.
for kernel in "${kernels[@]}"; do
	run dkms autoinstall -k "$kernel"
done
run dkms status vmbkmcl
for kernel in "${kernels[@]}"; do
	grep -q "^vmbkmcl.* $kernel, x86_64: installed" "$log" ||
		die "DKMS did not install it for $kernel:"$'\n'"$(<"$log")"
	step "DKMS built and installed the module for $kernel"
done
write_client
for kernel in "${kernels[@]}"; do
	check_kernel "$kernel"
done

run apt-get purge -y vmbkmcl-dkms vmbkmcl-dev
inventory >"$work/after"
diff "$work/before" "$work/after" || die "removing the packages left a difference"
step "removing the packages leaves nothing"
