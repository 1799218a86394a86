/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Packet objects, the API's VMBPACKET: made in tx_packet.c, sent in tx_send.c.
 */
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

/* The value of &kmcl_packet.in_flight in an object that was freed. */
#define KMCL_PACKET_FREED	2

/**
 * struct kmcl_packet_layout - sizes of the parts of a packet object, in bytes
 * @payload: room for the copy of a payload, with the pipe header in pipe mode
 * @gpa_direct: room for the description of external data
 * @inline_context: room for the client's inline context
 * @size: the whole object, including struct kmcl_packet
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
 * @link: in &kmcl_packets.free or &kmcl_packets.completed
 * @ch: the channel the object was made for
 * @magic: %KMCL_PACKET_MAGIC
 * @pointer: the client's, from VmbPacketSetPointer()
 * @routine: completion routine; %NULL if none is set or if @routine_ex is set
 * @routine_ex: completion routine that is called with @context; %NULL if none
 *	is set or if @routine is set
 * @context: the client's argument of @routine_ex
 * @status: status for a deferred call of the completion routine
 * @len: number of bytes in @data for a deferred call of the completion routine
 * @in_flight: 1 from the send until just before the completion routine is
 *	called; %KMCL_PACKET_FREED from VmbPacketFree() on. Whoever sends or frees the
 *	object takes it away from 0 with an atomic exchange.
 * @allocated: made by VmbPacketAllocate(), so VmbPacketFree() frees the object
 * @layout: layout at the time the object was made
 * @gpa_direct: description of external data, located behind the payload in
 *	@data
 * @inline_context: the client's inline context, located behind the description
 *	of external data; %NULL if the channel has none
 * @data: copy of the payload to send, with the pipe header in pipe mode, or of
 *	the payload of a completion
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
 * struct kmcl_packets - the packet objects of a channel
 * @layout: layout of objects that are made with the channel's current settings
 * @lock: guards @free, @count and @completed
 * @free: objects that the client has freed, kept for VmbPacketAllocate()
 * @count: number of objects in @free
 * @lent: number of objects that the client has from VmbPacketAllocate(). Each
 *	of them holds a reference to the channel.
 * @completed: objects whose completion routine is still to be called, by the poll
 *	or by the passive work item
 */
struct kmcl_packets {
	struct kmcl_packet_layout layout;
	spinlock_t lock;
	struct list_head free;
	unsigned int count;
	atomic_t lent;
	struct list_head completed;
};

/*
 * False if the settings of the channel have changed since the object was made.
 */
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
void kmcl_packets_call_routines(struct kmcl_channel *ch, bool may_sleep,
				struct kmcl_budget *budget);

/* True if completion routines are still to be called. */
static inline bool kmcl_packets_have_routines(const struct kmcl_packets *packets)
{
	return !list_empty(&packets->completed);
}

#endif /* _KMCL_TX_PACKET_H */
