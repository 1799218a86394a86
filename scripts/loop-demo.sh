#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Let a client share buffers with a server in the same kernel, a stock Debian guest of
# plain QEMU, and print what both ends say of each buffer. Needs no Hyper-V, no KVM and
# no root. The client is the module of "make demo". The exit status is the verdict, as
# run-guest.sh's; the demo also fails if the two ends disagree.
# usage: loop-demo.sh     from the environment: KERNEL=VERSION of the guest's kernel
#                    (default: this Debian's own), BREAK=N to flip one byte of
#                    buffer N behind the server's back: the demo must fail then

. "$(dirname "$0")/lib/lib.sh"
. "$scripts/lib/packages.sh"
. "$scripts/lib/suites.sh"
. "$scripts/lib/kernels.sh"
. "$scripts/lib/demo.sh"
(($# == 0)) || { usage >&2; exit 2; }

buffers=8

# The command that the guest's init runs. Descriptor 3 leads out of the guest. Each end
# comes first once, and leaves first once.
guest_command() {
	cat <<-END
		set -e
		share() {
			for _ in \$(seq 100); do
				[ ! -c /dev/vmbkmcl-share ] || break
				sleep 0.1
			done
			/bin/demo \$1 >&3 || status=\$?
		}
		status=0
		insmod /modules/vmbkmcl.ko
		insmod /modules/share_server.ko
		insmod /modules/share.ko
		share ${BREAK:-}
		rmmod share
		rmmod share_server
		insmod /modules/share.ko
		insmod /modules/share_server.ko
		share
		rmmod share_server
		rmmod share
		rmmod vmbkmcl
		dmesg | sed -n 's/.*share_server: /server: /p' >&3
		exit \$status
	END
}

run_guest() {
	local module files=()

	for module in vmbkmcl share share_server; do
		files+=(--file "$build/$module.ko:/modules/$module.ko")
	done
	"$scripts/guest/run-guest.sh" --plain --kernel "$kernel/vmlinuz" --logs "$dir" \
		--timeout 300 "${files[@]}" --file "$build/demo:/bin/demo" \
		--command "$(guest_command)"
}

server_lines() { sed -n "s/^server: gpadl $1: //p" "$dir/verdict"; }

# check_buffer GPADL: compare what the server says with what the client says, and print
# the differences
check_buffer() {
	local handle=$1 client server bytes crc seed

	client=$(guest_lines "$handle")
	server=$(server_lines "$handle")
	bytes=$(sed -n 's/.* \([0-9]*\) bytes$/\1/p' <<<"$client")
	crc=$(sed -n 's/^crc32 \([0-9a-f]*\) here.*/\1/p' <<<"$client")

	grep -q "^$bytes bytes, crc32 ${crc:-none}\$" <<<"$server" ||
		echo "the server's checksum is not the client's ${crc:-(which has none)}"
	if [[ $client == *writable* ]]; then
		seed=$(sed -n 's/.*the pattern of seed \([^:]*\): every byte found$/\1/p' <<<"$client")
		grep -q "^$bytes bytes, filled from seed ${seed:-none}\$" <<<"$server" ||
			echo "what the server wrote was not found"
	fi
}

show_buffer() {
	local number=$1 handle=$2 lines wrong

	lines=$(guest_lines "$handle")
	printf '\n%d. %s\n' "$number" "${lines%%$'\n'*}"
	tail -n +2 <<<"$lines" | prefix "   client: gpadl $handle: "
	server_lines "$handle" | prefix "   server: gpadl $handle: "
	wrong=$(check_buffer "$handle")
	if [[ $wrong ]]; then
		prefix '   WRONG: ' <<<"$wrong"
		return 1
	fi
	printf '   good: both ends agree\n'
}

prepare_demo

mkdir -p "$logs"
dir=$(mktemp -d "$logs/loop-demo-XXXXXX")
log "booting $(basename "$(readlink "$kernel/modules")") in plain QEMU (a few seconds)"
status=0
run_guest || status=$?
((status != 3)) || exit 3 # nothing was demonstrated
account "at both ends" || status=1
((status == 0)) || die -s "$status" "the demo FAILED"
