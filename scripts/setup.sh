#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Install the Debian packages that building, testing and the demo need, if any is
# missing. Works on Debian 12 and 13, and takes no time if all are installed.
# usage: setup.sh

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"

needed=(
	# modules and kernels
	build-essential bc bison flex kmod cpio rsync xz-utils
	libelf-dev libssl-dev dwarves linux-source-6.12
	# guests
	qemu-system-x86 seabios busybox-static
	# the tests' VMBus device, which is compiled against QEMU's source
	dpkg-dev libglib2.0-dev python3
	# the ACPI table that gives the device MMIO space
	acpica-tools
)

need_packages "${needed[@]}"
