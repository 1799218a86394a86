/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet object: made and freed in vmbpacket.c, sent in object_send.c. */
#ifndef _KMCL_OBJECT_H
#define _KMCL_OBJECT_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/string.h>

#include "channel.h"
#include "external.h"
#include "packet.h"

/* Marks an initialised packet object. */
#define KMCL_OBJECT_MAGIC	0x6b6d636c

/**
 * struct kmcl_object - a packet object
 * @packet: what is sent
 * @link: in the channel's cache
 * @ch: its channel
 * @magic: %KMCL_OBJECT_MAGIC
 * @pointer: the client's own
 * @routine: called when the packet is complete; NULL: none was set
 * @routine_ex: the same with @context; if it is set, @routine is not
 * @context: of @routine_ex
 * @status: what the routine is told, if it is called later
 * @len: bytes of @data that it is given then
 * @busy: from a send to its completion
 * @allocated: by VmbPacketAllocate(), and so freed by VmbPacketFree()
 * @layout: as it was made
 * @external: description of external data, behind @data
 * @inline_context: the client's room, behind that; NULL: none
 * @data: the copy of a payload, framed in a pipe, or of a completion's
 */
struct kmcl_object {
	struct kmcl_packet packet;
	struct list_head link;
	struct kmcl_channel *ch;
	u32 magic;
	void *pointer;
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine;
	PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine_ex;
	void *context;
	NTSTATUS status;
	u32 len;
	atomic_t busy;
	bool allocated;
	struct kmcl_object_layout layout;
	struct kmcl_external external;
	void *inline_context;
	u64 data[];
};

/* False: the channel had other settings when it was made. */
static inline bool kmcl_object_fits(const struct kmcl_object *object,
				    const struct kmcl_channel *ch)
{
	return !memcmp(&object->layout, &ch->objects.layout,
		       sizeof(object->layout));
}

#endif /* _KMCL_OBJECT_H */
