#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot a Linux guest of a Hyper-V host (QEMU's), run a command in it, and give
# its verdict.
# usage: run-guest.sh --kernel BZIMAGE --command SHELL-TEXT [OPTION…]
#   --file SRC:DST    a file to add to the guest (repeat)
#   --preload FILE    a shared object for QEMU: the tests' VMBus device
#   --device ARGS     one such device, with these properties (repeat):
#                     "-device vmbkmcl-testdev,ARGS"; ARGS may be empty
#   --acpi-table FILE an ACPI table for the guest
#   --init FILE       the guest's init        (default: kunit/guest/init)
#   --memory MIB      (512)    --cpus N       (2)
#   --timeout SECONDS (900)    --append TEXT  for the kernel's command line
#   --plugin FILE     for the QEMU that emulates; it writes DIR/profile
#   --plain           no Hyper-V host: any machine of QEMU's, with /dev/kvm if a guest
#                     runs there, else emulated
#   --no-trace        no host.log: QEMU has less to do
#   --logs DIR        (a new directory under build/logs)
# In DIR afterwards: verdict (what the guest wrote to its second serial port),
# console.log, host.log (what the Hyper-V host saw), qemu.log, hypervisor.log.
# Exit status: 0 passed; 1 failed, or no verdict, or the guest's kernel reported
# something; 3 the platform failed, which says nothing about what was tested.
# From the environment: VMBKMCL_VMBUS=VERSION, the newest version of VMBus that the
# tests' device lets a guest choose (default: 6.0). A guest chooses the newest that it
# knows. Where the variable is set, a guest that chose another version has failed.
# Where /dev/kvm can be a Hyper-V host (and without VMBKMCL_NESTED=1) the host runs
# directly, otherwise the same one in an emulated machine.

. "$(dirname "$0")/../lib/lib.sh"

kernel=
command=
init=$tree/kunit/guest/init
preload=
table=
plugin=
memory=512
cpus=2
cpu=
plain=
timeout=900
append=
vmbus=${VMBKMCL_VMBUS:-6.0}
trace=(-trace "enable=vmbus_*" -D out/host.log)
dir=
files=()
devices=()

while (($#)); do
	case $1 in
	--kernel) kernel=$2 ;;
	--command) command=$2 ;;
	--init) init=$2 ;;
	--preload) preload=$2 ;;
	--acpi-table) table=$2 ;;
	--plugin) plugin=$2 ;;
	--memory) memory=$2 ;;
	--cpus) cpus=$2 ;;
	--timeout) timeout=$2 ;;
	--append) append=$2 ;;
	--logs) dir=$2 ;;
	--file) files+=("$2") ;;
	--plain) plain=y; trace=(); shift; continue ;;
	--no-trace) trace=(); shift; continue ;;
	--device) devices+=("-device" "vmbkmcl-testdev${2:+,$2}") ;;
	*) usage >&2; exit 2 ;;
	esac
	shift 2
done
[[ $kernel && $command ]] || { usage >&2; exit 2; }
[[ $vmbus =~ ^[0-9]\.[0-9]$ ]] || die "VMBKMCL_VMBUS=$vmbus is no version of VMBus"

if [[ ! $dir ]]; then
	mkdir -p "$logs"
	dir=$(mktemp -d "$logs/guest-XXXXXX")
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
rm -f "$dir"/{verdict,console.log,host.log,qemu.log,hypervisor.log,status,profile}
work=$(mktemp -d)
machine=
trap cleanup EXIT
trap 'log interrupted; exit 130' INT TERM

cleanup() {
	[[ ! $machine ]] || kill "$machine" 2>/dev/null || true
	rm -rf "$work"
}

# QEMU as a Hyper-V host.
# kvm=off: else the guest finds KVM's signature before Hyper-V's.
# hv-frequencies: a busy machine fails the guest's calibration of its timers.
# hv-stimer-direct: else timers share a message slot with VMBus, and KVM and
# QEMU fill it without a lock: one's message is lost, and a CPU's tick with it.
# hv-avic: no automatic EOI. With it, a timer interrupt was once delivered inside
# the handler of its own vector, with interrupts off (cause not proven).
hyperv=(
	-accel kvm -machine "q35,hpet=off"
	-cpu "host,kvm=off,hv-relaxed,hv-vpindex,hv-runtime,hv-time,hv-synic,hv-stimer,hv-stimer-direct,hv-vapic,hv-frequencies,hv-avic"
)

# QEMU as no Hyper-V host. A CPU of its own for each of the guest's.
plain_machine() {
	local accel

	accel=$(keyed kvm "$(</proc/sys/kernel/random/boot_id)" \
		"looking whether KVM runs a guest here (5 seconds at most, once a boot)" \
		try_kvm "$kernel")/accel
	if [[ $(<"$accel") == kvm ]]; then
		machine_options=(-accel kvm -cpu host)
	else
		machine_options=(-accel "tcg,thread=multi" -cpu "max,-la57")
	fi
	words="$append"
}

# There are machines whose /dev/kvm starts a guest and never runs an instruction of
# it. So a guest's kernel is to say something.
try_kvm() {
	local dir=$1 kernel=$2

	echo tcg >"$dir/accel"
	[[ -w /dev/kvm ]] || return 0
	(timeout --kill-after=1 5 qemu-system-x86_64 -accel kvm -cpu host -m 256 \
		-nodefaults -display none -no-reboot -serial "file:$dir/console.log" \
		-kernel "$kernel" -append "console=ttyS0 earlyprintk=ttyS0 panic=-1" ||
		true) >"$dir/qemu.log" 2>&1
	[[ ! -s $dir/console.log ]] || echo kvm >"$dir/accel"
}

# With VMBus, and the tests' devices
hyperv_machine() {
	machine_options=("${hyperv[@]}"
		${preload:+-global "vmbkmcl-testdev.vmbus-version=$((${vmbus%.*} << 16 | ${vmbus#*.}))"}
		-device vmbus-bridge "${devices[@]}")
	words="noxsave devices=$((${#devices[@]} / 2)) $append"
}

# What the Hyper-V host's machine gets: the guest, and a script that runs QEMU.
# noxsave: emulated KVM hosts hand out a confusing XSAVE state.
prepare_host() {
	local arguments machine_options words

	if [[ $plain ]]; then
		plain_machine
	else
		hyperv_machine
	fi

	mkdir "$work/in"
	cp "$kernel" "$work/in/kernel"
	[[ ! $preload ]] || cp "$preload" "$work/in/preload.so"
	[[ ! $table ]] || cp "$table" "$work/in/table.aml"
	printf '%s\n' "$command" >"$work/command"
	"$scripts/guest/guest-image.sh" "$work/in/initramfs" --init "$init" \
		"$work/command:/command" "${files[@]}"

	arguments=(
		"${machine_options[@]}"
		-smp "$cpus" -m "$memory" -nodefaults -display none -no-reboot
		-serial file:out/console.log -serial file:out/verdict
		${table:+-acpitable file=in/table.aml}
		"${trace[@]}"
		-kernel in/kernel -initrd in/initramfs
		-append "console=ttyS0 panic=-1 nokaslr mitigations=off $words"
	)
	cat >"$work/in/host.sh" <<-END
		echo started >out/status
		${preload:+LD_PRELOAD=\$PWD/in/preload.so} qemu-system-x86_64 ${arguments[@]@Q} >out/qemu.log 2>&1
		echo "exited \$?" >out/status
	END
}

run_directly() {
	ln -s "$dir" "$work/out"
	cd "$work" || exit
	exec timeout --kill-after=10 "$timeout" sh in/host.sh
}

# The CPUs that may be used, in any order.
allowed_cpus() {
	local list range

	list=$(taskset -cp $BASHPID)
	for range in $(tr , ' ' <<<"${list##*: }"); do
		seq "${range%-*}" "${range#*-}"
	done | shuf
}

# Sets cpu: one without another such machine on it, if there is one, until this
# script ends.
take_cpu() {
	local lock

	mkdir -p "$cache"
	for cpu in $(allowed_cpus); do
		exec {lock}>"$cache/cpu-$cpu.lock"
		! flock -n "$lock" || return 0
		exec {lock}>&-
	done
}

# la57 and a second CPU both make the emulation unreliable. The watchdog takes a
# busy machine, on which an emulated CPU stands still, for a host that hangs.
# All on one CPU: where QEMU enters and leaves a guest it changes its CPU's pending
# interrupts without the lock, in one instruction that is not atomic. Another thread
# that raised one just then did so in vain: seen as a machine halted for good with its
# timer's interrupt in the APIC.
run_nested() {
	local image=$1

	exec taskset -c "$cpu" timeout --kill-after=10 "$timeout" qemu-system-x86_64 \
		-accel tcg -cpu "max,-la57" -smp 1 -m 3072 \
		-nodefaults -display none -no-reboot -serial "file:$dir/hypervisor.log" \
		${plugin:+-plugin "file=$plugin,out=$dir/profile"} \
		-kernel "$image/vmlinuz" -initrd "$image/initramfs.cpio" \
		-append "console=ttyS0 panic=-1 mitigations=off quiet nowatchdog" \
		-virtfs "local,path=$work/in,mount_tag=in,security_model=none,readonly=on" \
		-virtfs "local,path=$dir,mount_tag=out,security_model=none"
}

# A kernel may have KVM without its Hyper-V part: only QEMU can tell.
has_kvm() {
	[[ -w /dev/kvm && ! ${VMBKMCL_NESTED:-} ]] &&
		echo quit | qemu-system-x86_64 "${hyperv[@]}" -nodefaults \
			-display none -monitor stdio -S >/dev/null 2>&1
}

# In the background, so that a signal to this script is handled at once.
run_machine() {
	local image=

	if [[ $plain ]]; then
		(run_directly) &
	elif has_kvm; then
		[[ ! $plugin ]] || die "with /dev/kvm nothing is emulated: VMBKMCL_NESTED=1"
		(run_directly) &
	else
		image=$("$scripts/guest/host-image.sh")
		take_cpu
		(run_nested "$image" 2>&1) >"$work/machine.log" &
	fi
	machine=$!
	ended=0
	wait "$machine" || ended=$?
	machine=
}

platform_failure() {
	[[ ! -s $1 ]] || tail -n 15 "$1" >&2
	die -s 3 "PLATFORM FAILURE: $2 (logs: $dir)"
}

failure() {
	tail -n "${2:-15}" "$dir/console.log" >&2 || true
	die "FAIL: $1 (logs: $dir)"
}

# The version that the guest's kernel says it chose, or nothing.
spoken_vmbus() {
	sed -n 's/.*Vmbus version:\([0-9.]*\).*/\1/p' "$dir/console.log" | tail -n 1
}

# First what makes the run worthless, then what the guest says, then what its
# kernel says.
judge() {
	local status verdict spoken

	spoken=$(spoken_vmbus)
	status=$(cat "$dir/status" 2>/dev/null || echo none)
	verdict=$(tail -n 1 "$dir/verdict" 2>/dev/null || true)

	! grep -qE 'Oops|Kernel panic|BUG:|general protection fault|double fault' \
		"$dir/hypervisor.log" 2>/dev/null ||
		platform_failure "$dir/hypervisor.log" "the intermediate host crashed"
	! grep -qE 'KVM internal error|KVM: entry failed|emulation failure' \
		"$dir/qemu.log" 2>/dev/null ||
		platform_failure "$dir/qemu.log" "the intermediate host's KVM failed"
	case $ended:$status in
	*:none) platform_failure "$dir/hypervisor.log" "the Hyper-V host was never started" ;;
	124:started) failure "no verdict within $timeout seconds" ;;
	*:started) platform_failure "$work/machine.log" "the emulated machine died with status $ended" ;;
	0:"exited 0") ;;
	*) platform_failure "$dir/qemu.log" "the Hyper-V host's QEMU $status" ;;
	esac

	case $verdict in
	"verdict: PASS") ;;
	"verdict: FAIL"*) failure "${verdict#verdict: FAIL }" ;;
	*) failure "the guest ended without a verdict" 40 ;;
	esac
	"$scripts/guest/kernel-reports.sh" "$dir/console.log" >&2 ||
		die "FAIL: the guest's kernel reported the above (logs: $dir)"
	[[ $plain || ! ${VMBKMCL_VMBUS:-} || $spoken == "$vmbus" ]] ||
		die "FAIL: the guest speaks VMBus ${spoken:-(no version)}, not $vmbus (logs: $dir)"
	log "PASS${spoken:+ at VMBus $spoken} (logs: $dir)"
}

prepare_host
run_machine
judge
