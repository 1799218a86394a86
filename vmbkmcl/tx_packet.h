/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet objects, which clients send: made in tx_packet.c, sent in tx_send.c. */
#ifndef _KMCL_TX_PACKET_H
#define _KMCL_TX_PACKET_H

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "tx.h"
#include "tx_gpa_direct.h"

struct kmcl_channel;

/* Marks an initialised packet object. */
#define KMCL_PACKET_MAGIC	0x6b6d636c

/**
 * struct kmcl_packet_layout - what an object has room for, in bytes
 * @payload: framed in a pipe
 * @gpa_direct: description of external data
 * @inline_context: the client's own
 * @size: of all, with what every object has
 */
struct kmcl_packet_layout {
	u32 payload;
	u32 gpa_direct;
	u32 inline_context;
	u32 size;
};

/**
 * struct kmcl_packet - a packet object
 * @entry: what is sent
 * @link: in the channel's cache
 * @ch: its channel
 * @magic: %KMCL_PACKET_MAGIC
 * @pointer: the client's own
 * @routine: called when the packet is complete; NULL: none was set
 * @routine_ex: the same with @context; if it is set, @routine is not
 * @context: of @routine_ex
 * @status: what the routine is told, if it is called later
 * @len: bytes of @data that it is given then
 * @in_flight: from a send to its completion
 * @allocated: by VmbPacketAllocate(), and so freed by VmbPacketFree()
 * @layout: as it was made
 * @gpa_direct: description of external data, behind @data
 * @inline_context: the client's room, behind that; NULL: none
 * @data: the copy of a payload, framed in a pipe, or of a completion's
 */
struct kmcl_packet {
	struct kmcl_tx_entry entry;
	struct list_head link;
	struct kmcl_channel *ch;
	u32 magic;
	void *pointer;
	PFN_VMB_PACKET_COMPLETION_ROUTINE routine;
	PFN_VMB_PACKET_COMPLETION_ROUTINE_EX routine_ex;
	void *context;
	NTSTATUS status;
	u32 len;
	atomic_t in_flight;
	bool allocated;
	struct kmcl_packet_layout layout;
	struct kmcl_gpa_direct_desc gpa_direct;
	void *inline_context;
	u64 data[];
};

/**
 * struct kmcl_packets - packet objects that no client has
 * @layout: of those made with the channel's settings
 * @lock: guards what follows but @lent and @completing
 * @free: freed ones, to be allocated again
 * @count: how many those are
 * @lent: those clients have from VmbPacketAllocate(); each holds the channel
 * @completed: ones whose completion routine is still to be called
 * @completing: 1 while somebody calls them, one after the other
 */
struct kmcl_packets {
	struct kmcl_packet_layout layout;
	spinlock_t lock;
	struct list_head free;
	unsigned int count;
	atomic_t lent;
	struct list_head completed;
	atomic_t completing;
};

/* False: the channel had other settings when it was made. */
static inline bool kmcl_packet_fits(const struct kmcl_packet *packet,
				    const struct kmcl_packets *packets)
{
	return !memcmp(&packet->layout, &packets->layout,
		       sizeof(packet->layout));
}

void kmcl_packets_init(struct kmcl_channel *ch);
void kmcl_packets_lay_out(struct kmcl_channel *ch);
void kmcl_packets_free(struct kmcl_channel *ch);
void kmcl_packets_abandon(struct kmcl_channel *ch);
void kmcl_packets_call_routines(struct kmcl_channel *ch, bool may_sleep);

#endif /* _KMCL_TX_PACKET_H */
