# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
# Debian packages: which ones are installed, and how to unpack one without
# installing it. apt finds them by name, on the mirrors that it is configured for.

# as_root COMMAND…
as_root() {
	if ((EUID == 0)); then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		log "'$*' needs root, and there is no sudo: run it as root, then try again"
		return 1
	fi
}

# alone COMMAND…: run one such command at a time. apt gives up when another apt has
# locked its lists, and scripts that run at the same time (checks, a demo) may all
# need packages.
alone() {
	mkdir -p "$cache"
	(
		flock 9
		"$@" 9>&-
	) 9>"$cache/apt.lock"
}

refresh_apt() { alone update_lists; }

# The apt state of another suite (suites.sh) belongs to the user: no root is needed.
update_lists() {
	local root=as_root

	[[ ! ${APT_CONFIG:-} ]] || root=
	logged "$logs/apt-update.log" $root apt-get update
}

# installed_version PACKAGE: fail if the package is not installed
installed_version() {
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
		sed -n 's/^installed //p' | grep . ||
		die "package $1 is not installed: run scripts/setup.sh"
}

# need_packages PACKAGE…: install the missing ones
need_packages() {
	[[ ! $(missing_packages "$@") ]] || alone install_packages "$@"
}

install_packages() {
	local missing

	# Another script may have installed them while this one waited.
	mapfile -t missing < <(missing_packages "$@")
	((${#missing[@]})) || return 0
	log "installing ${missing[*]} (a minute or two, once)"
	update_lists
	logged "$logs/apt-install.log" as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "${missing[@]}"
}

missing_packages() {
	comm -23 <(printf '%s\n' "$@" | sort) \
		<(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
			sed -n 's/^installed //p' | sort)
}

# remembered COMMAND…: print what the command prints. Its output is kept and used
# again until apt's package lists change, because apt takes seconds to answer.
remembered() {
	local memo

	memo=$cache/apt-$({ echo "$@"; apt_state; } | hash_of)
	if [[ ! -s $memo ]]; then
		mkdir -p "$cache"
		"$@" >"$memo.$BASHPID" || { rm "$memo.$BASHPID"; return 1; }
		mv "$memo.$BASHPID" "$memo"
	fi
	cat "$memo"
}

apt_state() { stat -c '%n %Y' "${APT_CONFIG:+${APT_CONFIG%/*}}/var/lib/apt/lists"; }

# candidate_version PACKAGE: the version that apt would install
candidate_version() { remembered find_candidate_version "$@"; }

find_candidate_version() {
	apt-cache policy "$1" | sed -n 's/^  Candidate: //p' | grep -v '(none)'
}

# kernel_package FLAVOUR [VERSION]: the image package of Debian's newest kernel of
# that flavour ("amd64", "cloud-amd64"), or of its newest kernel VERSION ("6.1").
kernel_package() {
	remembered find_kernel_package "$@" && return
	refresh_apt # a new machine has no package lists
	remembered find_kernel_package "$@" || die "apt knows no linux-image ${2:-} $1"
}

find_kernel_package() {
	local flavour=$1 version=${2:-}

	if [[ $version ]]; then
		apt-cache pkgnames "linux-image-$version" |
			grep -E "^linux-image-${version//./\\.}[.+][0-9a-z.+-]*[0-9]-$flavour\$" |
			sort -V | tail -n 1 | grep .
	else
		apt-cache depends "linux-image-$flavour" |
			sed -n 's/^ *Depends: \(linux-image-[0-9]\)/\1/p' | grep -m 1 .
	fi
}

# unpack_package PACKAGE DIR [PATTERN…]: download the package and unpack all its
# files, or only those whose paths ("./usr/…") match a pattern.
unpack_package() {
	local package=$1 dir=$2 debs
	shift 2

	debs=$(mktemp -d)
	fetch_package "$package" "$debs"
	dpkg-deb --fsys-tarfile "$debs"/*.deb | tar -x -C "$dir" --wildcards "$@"
	rm -r "$debs"
}

# fetch_package PACKAGE DIR: download the .deb into the directory
fetch_package() {
	download_package "$@" && return
	refresh_apt # an old list may name files that the mirror has deleted
	download_package "$@" || die "cannot download package $1"
}

download_package() {
	(cd "$2" && logged "$logs/download-$1.log" \
		apt-get -o APT::Sandbox::User=root download "$1")
}
