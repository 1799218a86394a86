#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Look in a kernel's console log for reports of errors. Prints the reports, and
# exits with 1 if there are any.
# usage: kernel-reports.sh CONSOLE.LOG

. "$(dirname "$0")/../lib/lib.sh"

reports=(
	'WARNING:' 'BUG:' 'KASAN:' 'KFENCE:' 'UBSAN:' 'Oops' 'Kernel panic'
	'general protection fault' 'double fault' 'stack segment' 'kernel BUG at'
	'INFO: task .* blocked' 'rcu.*stall' 'soft lockup' 'hard LOCKUP'
	'possible (circular|recursive|irq lock inversion)' 'inconsistent lock state'
	'INFO: possible' 'INFO: trying to register' 'INFO: suspicious'
	'suspicious RCU usage' 'DEBUG_LOCKS_WARN_ON' 'Invalid wait context'
	'sleeping function called from invalid context' 'scheduling while atomic'
	'bad unlock balance' 'held lock freed' 'still held' 'ODEBUG:'
	'kmemleak: .* new suspected' 'unreferenced object' 'Bad page state'
	'list_(add|del) corruption' 'refcount_t:' 'Unable to handle'
	'Call Trace:'
)

pattern=$(IFS='|'; echo "${reports[*]}")
! grep -E -A 40 -m 3 --color=never "$pattern" "$1" || exit 1
