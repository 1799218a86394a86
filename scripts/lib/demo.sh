# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
# The guest of the demos: a stock kernel, and the modules and the program that share
# buffers in it. Source this file after kernels.sh.

demo_client=Documentation/samples/share
demo_server=Documentation/samples/windows-server

# Print everything that the build depends on, apart from the kernel.
demo_sources() {
	gcc --version | head -n 1
	(
		cd "$tree" || exit
		find Kbuild dkms.conf include vmbkmcl "$demo_client" "$demo_server" \
			kunit/host/protocol.h -type f \
			\( -name Kbuild -o -name dkms.conf -o -name '*.[ch]' \) ! -name '*.mod.c' -print0 |
			LC_ALL=C sort -z | xargs -0 sha256sum
	)
}

# build_demo_files DIR KERNEL: build what the guests need: the modules, and the program
# that uses them
build_demo_files() {
	local dir=$1 kernel=$2 built module sample hv_vmbus

	built=$("$scripts/build-modules.sh" "$kernel/KDIR")
	for sample in "$demo_client" "$demo_server"; do
		logged "$logs/demo-build.log" module_make "$kernel/KDIR" \
			M="$built/$sample" modules
	done
	for module in vmbkmcl vmbkmcl_hv "$demo_client/share" "$demo_server/share_server"; do
		strip --strip-debug -o "$dir/${module##*/}.ko" "$built/$module.ko"
	done
	logged "$logs/demo-build.log" gcc -static -O2 -Wall -I"$built/kunit/host" \
		-o "$dir/demo" "$built/$demo_client/demo.c"

	hv_vmbus=$(find -L "$kernel/modules" -name 'hv_vmbus.ko*')
	case $hv_vmbus in
	'') ;; # built in
	*.xz) xzcat "$hv_vmbus" >"$dir/hv_vmbus.ko" ;;
	*) cp "$hv_vmbus" "$dir" ;;
	esac
}

# Find the kernel, and build what both demos need. Sets kernel and build.
prepare_demo() {
	"$scripts/setup.sh"
	use_vmbus_of "${KERNEL:-$(own_kernel)}"
	kernel=$("$scripts/guest/stock-kernel.sh" ${KERNEL:+--kernel "$KERNEL"})
	build=$(keyed demo "$(demo_sources)" "building the demo (half a minute, once)" \
		build_demo_files "$kernel")
}

handles() { sed -n 's/^gpadl \(0x[0-9a-f]*\): .* bytes$/\1/p' "$dir/verdict"; }

guest_lines() { sed -n "s/^gpadl $1: //p" "$dir/verdict"; }

prefix() { sed "s/^/$1/"; }

# account WHERE: show each buffer with show_buffer, count those that are good, and fail if
# there are not $buffers of them
account() {
	local handle number=0 good=0

	for handle in $(handles); do
		number=$((number + 1))
		! show_buffer "$number" "$handle" || good=$((good + 1))
	done
	printf '\n%d of %d buffers are as they should be %s (logs: %s)\n' \
		"$good" "$buffers" "$1" "$dir"
	((good == buffers))
}
