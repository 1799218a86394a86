// SPDX-License-Identifier: GPL-2.0-only
/* Instantiates the tracepoints of trace.h. */

#define CREATE_TRACE_POINTS
#include "trace.h"

/* The KUnit tests attach a probe to this tracepoint. */
EXPORT_TRACEPOINT_SYMBOL_GPL(vmbkmcl_send);
