# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The kernels that are supported, and what of Debian has them and builds for them.
# Source it after suites.sh.

kernels=(6.1 6.12 7.3)

# a machine of another suite takes the last
declare -A kernel_suites=(
	[6.1]="bookworm"
	[6.12]="bookworm trixie"
	[7.3]="trixie-backports"
)

# the version of VMBus that each is tested at by default: the newest that it knows, but
# for 6.1 the one of an older host
declare -A kernel_vmbus=(
	[6.1]=5.2
	[6.12]=5.3
	[7.3]=6.0
)

own_suite=$(. /etc/os-release && echo "$VERSION_CODENAME")

# suite_of KERNEL
suite_of() {
	local suite

	[[ ${kernel_suites[$1]:-} ]] || die "kernel $1 is none of ${kernels[*]}"
	for suite in ${kernel_suites[$1]}; do
		[[ $suite != "$own_suite" ]] || break
	done
	echo "$suite"
}

# the kernel that this machine's Debian comes with
own_kernel() {
	local kernel

	for kernel in "${kernels[@]}"; do
		[[ $(suite_of "$kernel") != "$own_suite" ]] || { echo "$kernel"; return; }
	done
	die "no kernel of ${kernels[*]} is in $own_suite"
}

# use_suite_of KERNEL [ARCH]: apt answers for them from here on
use_suite_of() {
	local suite own

	suite=$(suite_of "$1")
	own=$(dpkg --print-architecture)
	[[ $suite:${2:-$own} == "$own_suite:$own" ]] || use_suite "$suite" "${2:-$own}"
}

# use_vmbus_of KERNEL: the host speaks this version, unless another one is asked for
use_vmbus_of() {
	export VMBKMCL_VMBUS=${VMBKMCL_VMBUS:-${kernel_vmbus[$1]}}
}

# need_source KERNEL: have /usr/src/linux-source-KERNEL.tar.xz
need_source() {
	local package=linux-source-$1 suite dir

	[[ $(missing_packages "$package") ]] || return 0
	suite=$(suite_of "$1")
	if [[ $suite == "$own_suite" ]]; then
		need_packages "$package"
		return
	fi
	log "installing $package of $suite (half a minute, once)"
	dir=$(mktemp -d)
	(use_suite "$suite" && fetch_package "$package" "$dir")
	alone logged "$logs/apt-install.log" as_root dpkg --install "$dir"/*.deb
	rm -r "$dir"
}

# parts PACKAGE: it, and what else of the kernel's it needs
parts() {
	echo "$1"
	apt-cache depends "$1" |
		sed -nE 's/^ *Depends: (linux-(binary|modules|headers|kbuild)-)/\1/p'
}

# unpack_headers DIR KERNEL RELEASE: Debian's headers for it, with what they need, and
# DIR/KDIR, a link to the kernel build directory among them. The programs in there are
# this machine's, whatever the architecture.
unpack_headers() {
	local dir=$1 kernel=$2 headers=linux-headers-$3 package own

	own=$(dpkg --print-architecture)
	for package in $(parts "$headers"); do
		[[ $package != linux-kbuild-* ]] || package+=:$own
		unpack_package "$package" "$dir"
	done
	ln -s "usr/src/$headers" "$dir/KDIR"
	relocate_headers "$dir" "$headers"
	name_toolchain "$kernel" "$dir/KDIR"
}

# The headers name each other by absolute paths. Paths relative to the Makefile
# that includes them work wherever the directory is, and after its rename.
relocate_headers() {
	local dir=$1 headers=$2 link

	sed -i "s|/usr/src/|\$(dir \$(lastword \$(MAKEFILE_LIST)))../|" \
		"$dir/usr/src/$headers/Makefile"
	while read -r link; do
		ln -sfnr "$dir$(readlink "$link")" "$link"
	done < <(find "$dir/usr/src" "$dir"/usr/lib/linux-kbuild-* -type l -lname '/*')
}

# name_toolchain KERNEL KDIR: modules want the compiler that the kernel was built with.
# Where that is not this machine's, the file `toolchain` names the suite that has it.
name_toolchain() {
	local suite

	suite=$(suite_of "$1")
	[[ ${suite%-backports} == "$own_suite" ]] || echo "${suite%-backports}" >"$2/toolchain"
}

toolchain_packages=(build-essential bc dwarves gcc-aarch64-linux-gnu kmod libelf-dev)

toolchain() {
	keyed "toolchain-$1" "${toolchain_packages[*]}" \
		"making a chroot with the compilers of $1 (about 2 minutes, once)" \
		make_chroot "$1" "${toolchain_packages[@]}"
}

# module_make KDIR ARGUMENT…: make with the compiler that KDIR wants; what is made is
# below this tree or in the cache
module_make() {
	local kdir=$1 root
	shift

	if [[ ! -e $kdir/toolchain ]]; then
		make -C "$kdir" "$@"
		return
	fi
	root=$(toolchain "$(<"$kdir/toolchain")")/root
	in_chroot "$root" "$cache" "$tree" -- setpriv --reuid="$UID" \
		--regid="$(id -g)" --clear-groups make -C "$kdir" "$@"
}
