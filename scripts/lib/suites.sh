# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# Debian suites other than this machine's: apt states and chroots for them, from the
# mirrors that this machine's apt uses. Source this file after packages.sh.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror LABEL: the mirror from which this machine's apt gets the archive of that
# label ("Debian", "Debian-Security")
mirror() {
	remembered find_mirror "$1" && return
	refresh_apt
	remembered find_mirror "$1"
}

find_mirror() {
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' \
		'Created-By: Packages' | sed -n "s|^Debian $1 ||p" | grep -m 1 .
}

# suite_sources SUITE: print the lines of its sources.list
suite_sources() {
	local release=${1%-backports} debian security

	debian=$(mirror Debian) || die "apt's configuration names no mirror of Debian"
	printf "deb $debian %s main\n" "$release" "$release-updates"
	[[ $1 == "$release" ]] || printf "deb $debian %s main\n" "$1"
	! security=$(mirror Debian-Security) ||
		printf "deb $security %s main\n" "$release-security"
}

# use_suite SUITE [ARCH]: from here on, apt in this shell and its children works on
# that suite and that architecture, with a state of its own. PACKAGE:ARCH still
# finds packages of this machine's architecture.
use_suite() {
	local suite=$1 own arch dir

	own=$(dpkg --print-architecture)
	arch=${2:-$own}

	# Find the mirrors now: they come from this machine's apt state.
	suite_sources "$suite" >/dev/null
	dir=$cache/apt-$suite-$arch
	mkdir -p "$dir"/{etc/apt/preferences.d,var/{lib/{apt/lists/partial,dpkg},cache/apt/archives/partial}}
	suite_sources "$suite" | sed "s|^deb |&[signed-by=$keyring] |" >"$dir/etc/apt/sources.list"
	: >>"$dir/var/lib/dpkg/status"
	cat >"$dir/apt.conf.$$" <<-END
		Dir "$dir";
		Dir::State::status "$dir/var/lib/dpkg/status";
		Dir::Etc::Main "/etc/apt/apt.conf";
		Dir::Etc::Parts "/etc/apt/apt.conf.d";
		APT::Architecture "$arch";
		APT::Architectures { "$arch"; "$own"; };
	END
	mv "$dir/apt.conf.$$" "$dir/apt.conf"
	export APT_CONFIG=$dir/apt.conf
}

# make_chroot DIR SUITE PACKAGE…: make the chroot DIR/root with these packages. Its
# kernels get no initramfs.
make_chroot() {
	local dir=$1 suite=$2
	shift 2

	need_packages mmdebstrap
	suite_sources "$suite" >"$dir/sources.list"
	logged "$logs/chroot-$suite.log" as_root env INITRD=No mmdebstrap \
		--variant=apt --include="$(IFS=, && echo "$*")" \
		"$suite" "$dir/root" "$dir/sources.list"
}

# in_chroot ROOT [DIRECTORY…] -- COMMAND…: run the command as root in the chroot, in
# its own mount and PID namespaces. The directories have the same paths inside.
in_chroot() {
	local root=$1 directories=()
	shift

	while [[ $1 != -- ]]; do
		directories+=("$1")
		shift
	done
	shift
	# shellcheck disable=SC2016 # the inner shell expands it
	as_root unshare --mount --pid --fork bash -c '
		set -e
		root=$1 count=$2
		shift 2
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		for ((; count; count--)); do
			mkdir -p "$root$1"
			mount --bind "$1" "$root$1"
			shift
		done
		exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
		' in_chroot "$root" "${#directories[@]}" "${directories[@]}" "$@"
}
