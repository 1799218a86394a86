#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Boot a Linux guest of a Hyper-V host, which QEMU plays, run a command in the
# guest, and report its verdict.
# usage: run-guest.sh --kernel BZIMAGE --command SHELL-TEXT [OPTION…]
#   --file SRC:DST    a file to add to the guest (repeat)
#   --preload FILE    a shared object for QEMU: the tests' VMBus device
#   --device ARGS     add such a device, with these properties (repeat):
#                     "-device vmbkmcl-testdev,ARGS"; ARGS may be empty
#   --acpi-table FILE an ACPI table for the guest
#   --init FILE       the guest's init        (default: kunit/guest/init)
#   --memory MIB      (512)    --cpus N       (2)
#   --timeout SECONDS (900)    --append TEXT  for the kernel's command line
#   --plugin FILE     a plugin for the emulating QEMU; it writes DIR/profile
#   --plain           no Hyper-V host: a plain QEMU machine, with /dev/kvm if a
#                     guest is seen to run with it, otherwise emulated
#   --no-trace        write no host.log, which costs QEMU time
#   --logs DIR        (a new directory under build/logs)
# Files in DIR afterwards: verdict (what the guest wrote to its second serial port),
# console.log, host.log (the trace of the Hyper-V host), qemu.log, hypervisor.log.
# Exit status: 0 passed; 1 failed, or no verdict, or the guest's kernel reported an
# error; 3 the platform failed, which says nothing about what was tested.
# From the environment: VMBKMCL_VMBUS=VERSION, the newest version of VMBus that the
# tests' device lets a guest choose (default: 6.0). A guest chooses the newest one
# that it knows. If the variable is set, a guest that chose another one has failed.
# VMBKMCL_HOST=own: the host is the one of kunit/host/own, which checks what the guest
# does. A guest that breaks a rule of VMBus has failed. Otherwise it is QEMU's VMBus.
# The host runs directly if this machine's /dev/kvm can play a Hyper-V host and
# VMBKMCL_NESTED=1 is not set. Otherwise the same host runs in an emulated machine.

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
host=${VMBKMCL_HOST:-qemu}
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
[[ $host == qemu || $host == own ]] || die "VMBKMCL_HOST is qemu or own"
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
# kvm=off: otherwise the guest finds KVM's signature before Hyper-V's.
# hv-frequencies: on a busy machine the guest fails to calibrate its timers.
# hv-stimer-direct: otherwise timers and VMBus share a message slot, which KVM and
# QEMU fill without a common lock. A message gets lost, and a CPU's tick with it.
# hv-avic: no automatic EOI. With automatic EOI, a timer interrupt was once
# delivered inside the handler of its own vector, with interrupts off (the cause is
# not proven).
hyperv=(
	-accel kvm -machine "q35,hpet=off"
	-cpu "host,kvm=off,hv-relaxed,hv-vpindex,hv-runtime,hv-time,hv-synic,hv-stimer,hv-stimer-direct,hv-vapic,hv-frequencies,hv-avic"
)

# QEMU without Hyper-V. Each CPU of the guest is a thread of its own.
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

# On some machines /dev/kvm starts a guest and runs nothing of it, or no more than the
# kernel's 16-bit code, which may write to the console. So use KVM only if the kernel
# proper writes to its console.
try_kvm() {
	local dir=$1 kernel=$2

	echo tcg >"$dir/accel"
	[[ -w /dev/kvm ]] || return 0
	(timeout --kill-after=1 5 qemu-system-x86_64 -accel kvm -cpu host -m 256 \
		-nodefaults -display none -no-reboot -serial "file:$dir/console.log" \
		-kernel "$kernel" -append "console=ttyS0 earlyprintk=ttyS0 panic=-1" ||
		true) >"$dir/qemu.log" 2>&1
	! grep -q 'Linux version' "$dir/console.log" || echo kvm >"$dir/accel"
}

# A Hyper-V host with VMBus and the tests' devices
# noxsave: the XSAVE state that an emulated KVM host reports confuses the guest.
hyperv_machine() {
	local version=$((${vmbus%.*} << 16 | ${vmbus#*.}))

	machine_options=("${hyperv[@]}")
	if [[ $host == own && $preload ]]; then
		table=${preload%/*}/vmbus.aml
		machine_options+=(-device "vmbkmcl-host,version=$version")
	else
		machine_options+=(
			${preload:+-global "vmbkmcl-testdev.vmbus-version=$version"}
			-device vmbus-bridge)
	fi
	machine_options+=("${devices[@]}")
	words="noxsave devices=$((${#devices[@]} / 2)) $append"
}

# Fill $work/in: the files of the guest, and host.sh, which runs QEMU.
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

# The CPUs that this script may use, in random order
allowed_cpus() {
	local list range

	list=$(taskset -cp $BASHPID)
	for range in $(tr , ' ' <<<"${list##*: }"); do
		seq "${range%-*}" "${range#*-}"
	done | shuf
}

# Set `cpu` to a CPU on which no other such machine runs, if there is one. Its lock
# is held until this script ends.
take_cpu() {
	local lock

	mkdir -p "$cache"
	for cpu in $(allowed_cpus); do
		exec {lock}>"$cache/cpu-$cpu.lock"
		! flock -n "$lock" || return 0
		exec {lock}>&-
	done
}

# la57 and a second CPU both make the emulation unreliable. nowatchdog: on a busy
# machine an emulated CPU may stand still, which the watchdog takes for a hang.
# taskset: QEMU changes the emulated CPU's pending interrupts without its lock when
# that CPU enters or leaves a guest, and the instruction is not atomic. If another
# thread raises an interrupt at that moment, it is lost: the machine was seen halted
# for good with its timer's interrupt in the APIC. On one CPU the threads cannot
# collide so.
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

# A kernel may have KVM without its Hyper-V part. Only QEMU can find out.
has_kvm() {
	[[ -w /dev/kvm && ! ${VMBKMCL_NESTED:-} ]] &&
		echo quit | qemu-system-x86_64 "${hyperv[@]}" -nodefaults \
			-display none -monitor stdio -S >/dev/null 2>&1
}

# The machine runs in the background, so that this script handles a signal at once.
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

# The version of VMBus that the guest's kernel says it chose, or nothing
spoken_vmbus() {
	sed -n 's/.*Vmbus version:\([0-9.]*\).*/\1/p' "$dir/console.log" 2>/dev/null |
		tail -n 1 || true
}

# Whether an interrupt was taken while the guest's CPU had its interrupts off: its entry
# in a stack trace is followed by the flags of what it interrupted, and bit 9 of them is
# clear. No CPU does that, and no software can bring it about. The emulated one does when
# an instruction that crosses a page faults as it is fetched (the cause is not proven).
took_masked_interrupt() {
	awk '/ asm_(sysvec_|common_interrupt)/ { entry = 1 }
		entry && match($0, /EFLAGS: [0-9a-f]+/) {
			if (substr($0, RSTART + RLENGTH - 3, 1) ~ /[014589cd]/)
				found = 1
			entry = 0
		}
		END { exit !found }' "$dir/console.log" 2>/dev/null
}

# Platform failures come first, because they make the run worthless. Then the
# guest's verdict counts, then the reports of its kernel.
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
	! took_masked_interrupt ||
		platform_failure "$dir/hypervisor.log" "a CPU took an interrupt while its interrupts were off"
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
	! grep -a 'VIOLATION' "$dir/qemu.log" >&2 ||
		die "FAIL: the guest broke the above rules of VMBus (logs: $dir)"
	[[ $plain || ! ${VMBKMCL_VMBUS:-} || $spoken == "$vmbus" ]] ||
		die "FAIL: the guest speaks VMBus ${spoken:-(no version)}, not $vmbus (logs: $dir)"
	log "PASS${spoken:+ at VMBus $spoken} (logs: $dir)"
}

prepare_host
run_machine
judge
