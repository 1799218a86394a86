#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Let the tests' own VMBus host send packets and control messages that no good host
# sends, while a client works. Ends as test.sh does.
# usage: fuzz.sh    from the environment: FUZZ_SEED=N (default: another one each
#                   time), FUZZ_PACKETS=N (100000), FUZZ_MESSAGES=N (10000), and what
#                   test.sh takes

. "$(dirname "$0")/lib/lib.sh"
(($# == 0)) || { usage >&2; exit 2; }

export VMBKMCL_HOST=own
export FUZZ_SEED=${FUZZ_SEED:-$RANDOM}
export FUZZ_PACKETS=${FUZZ_PACKETS:-100000} FUZZ_MESSAGES=${FUZZ_MESSAGES:-10000}
log "FUZZ_SEED=$FUZZ_SEED repeats this run"
exec "$scripts/test.sh" vmbkmcl_host_fuzz
