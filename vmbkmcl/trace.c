// SPDX-License-Identifier: GPL-2.0-only
/* Where the tracepoints' code is made. */

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The tests listen to it. */
EXPORT_TRACEPOINT_SYMBOL_GPL(vmbkmcl_send);
