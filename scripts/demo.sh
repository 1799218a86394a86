#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Let a stock Debian guest share four buffers with a server outside of it, and print
# what the guest and the host say of each buffer. The exit status is the verdict, as
# run-guest.sh's; the demo also fails if the host's own log disagrees with the
# guest.
# usage: demo.sh     from the environment: KERNEL=VERSION of the guest's kernel
#                    (default: this Debian's own), BREAK=N to flip one byte of
#                    buffer N behind the server's back: the demo must fail then;
#                    HIBERNATE=1 to let the guest hibernate and share four more;
#                    VMBKMCL_VMBUS=VERSION: see run-guest.sh (default: kernels.sh's)

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"
. "$scripts/lib/demo.sh"
(($# == 0)) || { usage >&2; exit 2; }

buffers=4
[[ ! ${HIBERNATE:-} ]] || buffers=8

# Hibernation takes all of VMBus down and up again. The kernel cannot write the
# image, because there is no swap: it reports an error and resumes at once.
hibernate_command() {
	cat <<-END
		echo disk >/sys/power/state || true
		dmesg | grep 'hibernation: Image created' || exit 1
		until [ -c /dev/vmbkmcl-share ]; do sleep 0.1; done
		/bin/demo >&3 || status=\$?
	END
}

# The command that the guest's init runs. Descriptor 3 leads out of the guest.
guest_command() {
	cat <<-END
		set -e
		insmod /modules/vmbkmcl.ko
		insmod /modules/vmbkmcl_hv.ko
		insmod /modules/share.ko
		for _ in \$(seq 100); do
			[ ! -c /dev/vmbkmcl-share ] || break
			sleep 0.1
		done
		status=0
		/bin/demo ${BREAK:-} >&3 || status=\$?
		${HIBERNATE:+$(hibernate_command)}
		rmmod share
		rmmod vmbkmcl_hv
		rmmod vmbkmcl
		exit \$status
	END
}

run_guest() {
	local kernel=$1 build=$2 device=$3 file files=()

	for file in "$build"/*.ko; do
		files+=(--file "$file:/modules/${file##*/}")
	done
	"$scripts/guest/run-guest.sh" --kernel "$kernel/vmlinuz" --logs "$dir" --timeout 300 \
		--preload "$device" --device "" "${files[@]}" \
		--file "$build/demo:/bin/demo" --command "$(guest_command)"
}

# host_trace GPADL EVENTS: lines of QEMU's own trace, which writes GPADL handles in
# decimal, and may repeat a line
host_trace() { grep -E "^vmbus_gpadl_($2) gpadl #$(($1))( |\$)" "$dir/host.log" | uniq; }

host_lines() {
	host_trace "$1" 'header|created' || true
	cat "$dir/host.log" "$dir/qemu.log" | grep "^testdev: gpadl $1: " || true
	host_trace "$1" torndown || true
}

# check_buffer GPADL: compare the host's log with what the guest says, and print the
# differences
check_buffer() {
	local handle=$1 guest host bytes crc seed

	guest=$(guest_lines "$handle")
	host=$(host_lines "$handle")
	bytes=$(sed -n 's/.* \([0-9]*\) bytes$/\1/p' <<<"$guest")
	crc=$(sed -n 's/^crc32 \([0-9a-f]*\) here.*/\1/p' <<<"$guest")

	grep -q "^vmbus_gpadl_header .* gfns $((bytes / 4096))\$" <<<"$host" ||
		echo "the host was not told of $bytes bytes"
	grep -q " $bytes bytes, crc32 ${crc:-none}\$" <<<"$host" ||
		echo "the host's checksum is not the guest's ${crc:-(which has none)}"
	if [[ $guest == *writable* ]]; then
		seed=$(sed -n 's/.*the pattern of seed \([^:]*\): every byte found$/\1/p' <<<"$guest")
		grep -q " $bytes bytes, filled from seed ${seed:-none}\$" <<<"$host" ||
			echo "what the host wrote was not found"
	fi
	grep -q '^vmbus_gpadl_torndown ' <<<"$host" ||
		echo "the host never let go of it"
}

show_buffer() {
	local number=$1 handle=$2 lines wrong

	lines=$(guest_lines "$handle")
	printf '\n%d. %s\n' "$number" "${lines%%$'\n'*}"
	printf '   the guest says\n'
	tail -n +2 <<<"$lines" | prefix "      gpadl $handle: "
	printf "   the host's log says (#%d is %s)\n" "$handle" "$handle"
	host_lines "$handle" | prefix '      '
	wrong=$(check_buffer "$handle")
	if [[ $wrong ]]; then
		prefix '   WRONG: ' <<<"$wrong"
		return 1
	fi
	printf '   good: both sides agree\n'
}

prepare_demo
device=$("$tree/kunit/host/build.sh")

mkdir -p "$logs"
dir=$(mktemp -d "$logs/demo-XXXXXX")
log "booting $(basename "$(readlink "$kernel/modules")") as the guest of a Hyper-V host (half a minute)"
status=0
run_guest "$kernel" "$build" "$device" || status=$?
((status != 3)) || exit 3 # nothing was demonstrated
account "on both sides" || status=1
((status == 0)) || die -s "$status" "the demo FAILED"
