/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints, in events/vmbkmcl/ of tracefs. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmbkmcl

#if !defined(_KMCL_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KMCL_TRACE_H

#include <linux/tracepoint.h>

#include "channel.h"

/* perf and trace-cmd see the values in the format files, but not the enums. */
#define KMCL_STATE_VALUE(state, name)	TRACE_DEFINE_ENUM(state);
KMCL_STATES(KMCL_STATE_VALUE)
TRACE_DEFINE_ENUM(KMCL_PKT_INBAND);
TRACE_DEFINE_ENUM(KMCL_PKT_GPA_DIRECT);
TRACE_DEFINE_ENUM(KMCL_PKT_COMPLETION);

#define KMCL_STATE_SYMBOL(state, name)	{ state, name },
#define kmcl_show_state(state)						\
	__print_symbolic(state, KMCL_STATES(KMCL_STATE_SYMBOL) { -1, NULL })

#define kmcl_show_packet(type)						\
	__print_symbolic(type,						\
			 { KMCL_PKT_INBAND, "in-band" },		\
			 { KMCL_PKT_GPA_DIRECT, "gpa-direct" },		\
			 { KMCL_PKT_COMPLETION, "completion" })

/*
 * A record has room for all KMCL_NAME_MAX bytes of a channel's name, so that
 * records have a fixed size.
 */
TRACE_EVENT(vmbkmcl_channel_state,
	TP_PROTO(const struct kmcl_channel *ch, int from, int to),
	TP_ARGS(ch, from, to),
	TP_STRUCT__entry(
		__array(char, name, KMCL_NAME_MAX)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		memcpy(__entry->name, ch->name, KMCL_NAME_MAX);
		__entry->from = from;
		__entry->to = to;
	),
	TP_printk("%s %s -> %s", __entry->name,
		  kmcl_show_state(__entry->from), kmcl_show_state(__entry->to))
);

DECLARE_EVENT_CLASS(vmbkmcl_gpadl,
	TP_PROTO(const struct kmcl_channel *ch, u32 handle, u32 size, int err),
	TP_ARGS(ch, handle, size, err),
	TP_STRUCT__entry(
		__array(char, name, KMCL_NAME_MAX)
		__field(u32, handle)
		__field(u32, size)
		__field(int, err)
	),
	TP_fast_assign(
		memcpy(__entry->name, ch->name, KMCL_NAME_MAX);
		__entry->handle = handle;
		__entry->size = size;
		__entry->err = err;
	),
	TP_printk("%s handle %#x size %u err %d", __entry->name,
		  __entry->handle, __entry->size, __entry->err)
);

DEFINE_EVENT(vmbkmcl_gpadl, vmbkmcl_gpadl_create,
	TP_PROTO(const struct kmcl_channel *ch, u32 handle, u32 size, int err),
	TP_ARGS(ch, handle, size, err));

DEFINE_EVENT(vmbkmcl_gpadl, vmbkmcl_gpadl_delete,
	TP_PROTO(const struct kmcl_channel *ch, u32 handle, u32 size, int err),
	TP_ARGS(ch, handle, size, err));

DEFINE_EVENT(vmbkmcl_gpadl, vmbkmcl_gpadl_quarantine,
	TP_PROTO(const struct kmcl_channel *ch, u32 handle, u32 size, int err),
	TP_ARGS(ch, handle, size, err));

DECLARE_EVENT_CLASS(vmbkmcl_packet,
	TP_PROTO(const struct kmcl_channel *ch, u32 type, u64 id, u32 len),
	TP_ARGS(ch, type, id, len),
	TP_STRUCT__entry(
		__array(char, name, KMCL_NAME_MAX)
		__field(u32, type)
		__field(u64, id)
		__field(u32, len)
	),
	TP_fast_assign(
		memcpy(__entry->name, ch->name, KMCL_NAME_MAX);
		__entry->type = type;
		__entry->id = id;
		__entry->len = len;
	),
	TP_printk("%s type %s id %#llx len %u", __entry->name,
		  kmcl_show_packet(__entry->type), __entry->id, __entry->len)
);

/* A packet of any type was written to the outgoing ring. */
DEFINE_EVENT(vmbkmcl_packet, vmbkmcl_send,
	TP_PROTO(const struct kmcl_channel *ch, u32 type, u64 id, u32 len),
	TP_ARGS(ch, type, id, len));

/* A packet of any type was read from the incoming ring. */
DEFINE_EVENT(vmbkmcl_packet, vmbkmcl_receive,
	TP_PROTO(const struct kmcl_channel *ch, u32 type, u64 id, u32 len),
	TP_ARGS(ch, type, id, len));

TRACE_EVENT(vmbkmcl_complete,
	TP_PROTO(const struct kmcl_channel *ch, u64 id, u32 len, bool known),
	TP_ARGS(ch, id, len, known),
	TP_STRUCT__entry(
		__array(char, name, KMCL_NAME_MAX)
		__field(u64, id)
		__field(u32, len)
		__field(bool, known)
	),
	TP_fast_assign(
		memcpy(__entry->name, ch->name, KMCL_NAME_MAX);
		__entry->id = id;
		__entry->len = len;
		__entry->known = known;
	),
	TP_printk("%s id %#llx len %u%s", __entry->name, __entry->id,
		  __entry->len, __entry->known ? "" : " names no packet")
);

#endif /* _KMCL_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
