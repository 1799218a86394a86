# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The supported kernels, the Debian suites that have them, and the compilers that
# build modules for them. Source this file after suites.sh.

kernels=(6.1 6.12 7.3)

# Those that the packet path is tested with on PREEMPT_RT
rt_kernels=(6.1 6.12)

# The suites that have each kernel. A machine whose own suite is not among them uses
# the last one.
declare -A kernel_suites=(
	[6.1]="bookworm"
	[6.12]="bookworm trixie"
	[7.3]="trixie-backports"
)

# The version of VMBus that each kernel is tested with by default: the newest that
# it knows, except that 6.1 gets the version of an older host.
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

# The kernel of this machine's own Debian suite
own_kernel() {
	local kernel

	for kernel in "${kernels[@]}"; do
		[[ $(suite_of "$kernel") != "$own_suite" ]] || { echo "$kernel"; return; }
	done
	die "no kernel of ${kernels[*]} is in $own_suite"
}

# use_suite_of KERNEL [ARCH]: make apt use the suite of that kernel, and that
# architecture, from here on
use_suite_of() {
	local suite own

	suite=$(suite_of "$1")
	own=$(dpkg --print-architecture)
	[[ $suite:${2:-$own} == "$own_suite:$own" ]] || use_suite "$suite" "${2:-$own}"
}

# use_vmbus_of KERNEL: choose the version of VMBus that the host speaks, unless the
# environment does
use_vmbus_of() {
	export VMBKMCL_VMBUS=${VMBKMCL_VMBUS:-${kernel_vmbus[$1]}}
}

# need_source KERNEL: install /usr/src/linux-source-KERNEL.tar.xz if it is missing
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

# parts PACKAGE: print the package and the kernel packages that it depends on
parts() {
	echo "$1"
	apt-cache depends "$1" |
		sed -nE 's/^ *Depends: (linux-(binary|modules|headers|kbuild)-)/\1/p'
}

# unpack_headers DIR KERNEL RELEASE: unpack Debian's headers of that release and the
# packages that they need. DIR/KDIR becomes a link to the kernel build directory.
# The programs in it are for this machine's architecture, whatever the headers are
# for.
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

# name_toolchain KERNEL KDIR: modules are built with the compiler that built the
# kernel. If this machine's suite does not have that compiler, the file
# KDIR/toolchain names the suite that does.
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

# module_make KDIR ARGUMENT…: run make with the compiler that belongs to KDIR. A
# chroot sees only the tree and the cache, so the modules must be below one of them.
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
