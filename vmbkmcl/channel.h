/* SPDX-License-Identifier: GPL-2.0-only */
/* The channel object: see channel.c, channel_state.c for its states, channel_settings.c for its settings. */
#ifndef _KMCL_CHANNEL_H
#define _KMCL_CHANNEL_H

#include <linux/completion.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "bus.h"
#include "channel_state.h"
#include "channel_sub.h"
#include "pipe.h"
#include "rx.h"
#include "rx_deliver.h"
#include "tx.h"
#include "tx_packet.h"

#define KMCL_NAME_MAX		32	/* bytes, with the terminator */
#define KMCL_RING_PAGES_MIN	2	/* one of them is the control page */
#define KMCL_RING_PAGES_MAX	512
#define KMCL_PACKET_SIZE_MAX	(64 * 1024)
#define KMCL_LATENCY_DEFAULT	1000	/* hv_vmbus: about 100 us */
#define KMCL_GPA_DIRECT_SIZE_MAX	(8190 * 4096)	/* as large as a GPADL */
#define KMCL_CHAIN_MAX		512
#define KMCL_GPADL_BITS		6	/* 64 chains */
#define KMCL_CONTEXT_SIZE_MAX	(64 * 1024)

struct kmcl_settings {
	guid_t type;
	guid_t instance;
	bool has_type;
	bool has_instance;
	PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	PFN_VMB_CHANNEL_PROCESS_PACKET process_packet;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE processing_complete;
	/* The same with @context; if one of these is set, none of those is. */
	PFN_VMB_CHANNEL_PROCESS_PACKET_EX process_packet_ex;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX processing_complete_ex;
	void *context;
	bool is_pipe;
	u32 context_size;	/* bytes on each incoming packet */
	u32 inline_size;	/* bytes on each packet object */
	u32 max_packet_size;	/* bytes of payload */
	u32 max_gpa_direct_size;	/* bytes of a packet's external data */
	u32 max_chain;		/* MDLs they may be in */
	u32 rx_pages;
	u32 tx_pages;
	bool has_cpu;
	unsigned int cpu;	/* for interrupts, with @has_cpu */
};

struct kmcl_gpadl_stats {
	u64 created;
	u64 deleted;
	u64 failed;
	u64 unknown_handles;
	u64 leftovers;
	u64 quarantined;
};

/**
 * struct kmcl_channel - a channel, client endpoint
 * @ref: one for the client, one for each of its packet objects and sub-channels,
 *	one for each device removal or sub-channel offer in progress
 * @free: what the last reference calls
 * @node: in the list of all channels: see channel_clients.c
 * @client: who allocated it: "function [module]"
 * @abandoned: that module is gone; none of its callbacks is called
 * @borrowed: the memory is the client's, see VmbChannelInitialize()
 * @released: with @borrowed, the last reference is gone
 * @id: unique in this module's life
 * @name: for logs, traces and debugfs; unique through @id
 * @parent: device the client named as the parent
 * @pointer: the client's own
 * @set: settings; constant unless the state is KMCL_DISABLED
 * @pinned: the only bus that is asked for its device; NULL: all are
 * @bus: the one that @endpoint is on
 * @endpoint: the bus's device; set while the channel is attached to one
 * @instance: of the device attached last
 * @mmio_start: where the device's MMIO space is
 * @mmio_size: bytes of it; 0 while the channel is closed, or without
 * @latency: of signals to the host, as the client wants it, in units of 100 ns
 * @api: held by Enable, Disable and Cleanup, so that one is over before the next
 * @lock: guards @state, @wanted, @paused, @lost, @asleep, @bus, @endpoint, @latency
 *	and the MMIO space
 * @state: where in its life the channel is; only @work goes forward in it
 * @wanted: the client has enabled the channel
 * @paused: the client wants it quiet; outlives a Disable
 * @lost: the device is going or gone
 * @asleep: the device is away and will be back
 * @listening: buses have been told to look for a device; under @api
 * @buses: a bit for each bus that it listens on; see bus.c
 * @listener: in the list of channels that listen; see bus.c
 * @work: brings the channel up and down; every callback runs here
 * @worker: the task @work runs in, while it does
 * @changed: woken after each change of these, and when the client has completed
 *	the last packet it had
 * @subs: what makes it a sub-channel, or a primary channel of some
 * @control: held around everything that waits for an answer of the host, as a
 *	rescind wakes only one waiter a channel. Guards @gpadls' changes.
 * @connected: open() succeeded and close() was not yet called; under @control
 * @gpadls_lock: guards @gpadls for those without @control
 * @gpadls: struct kmcl_gpadl by handle
 * @gpadl_stats: counters, under @control
 * @tx: sending side
 * @packets: packet objects nobody has, and completed ones
 * @rx: reading side
 * @delivery: what the client is given of it
 * @long_waits: lines of the log so far that named a wait on the host
 * @debugfs: its directory
 * @rcu: frees it
 */
struct kmcl_channel {
	struct kref ref;
	void (*free)(struct kref *ref);
	struct list_head node;
	char *client;
	bool abandoned;
	bool borrowed;
	struct completion released;
	u32 id;
	char name[KMCL_NAME_MAX];
	struct device *parent;
	void *pointer;
	struct kmcl_settings set;

	const struct kmcl_bus_ops *pinned;
	const struct kmcl_bus_ops *bus;
	void *endpoint;
	guid_t instance;
	u64 mmio_start;
	u64 mmio_size;
	u16 latency;

	struct mutex api;
	struct mutex lock;
	enum kmcl_state state;
	bool wanted;
	bool paused;
	bool lost;
	bool asleep;
	bool listening;
	u8 buses;
	struct list_head listener;
	struct work_struct work;
	struct task_struct *worker;
	wait_queue_head_t changed;

	struct kmcl_subs subs;

	struct mutex control;
	bool connected;
	spinlock_t gpadls_lock;
	DECLARE_HASHTABLE(gpadls, KMCL_GPADL_BITS);
	struct kmcl_gpadl_stats gpadl_stats;

	struct kmcl_tx tx;
	struct kmcl_packets packets;
	struct kmcl_rx rx;
	struct kmcl_delivery delivery;

	atomic_t long_waits;
	struct dentry *debugfs;
	struct rcu_head rcu;
};

#define kmcl_info(ch, fmt, ...) \
	pr_info("%s: " fmt, (ch)->name, ##__VA_ARGS__)
#define kmcl_warn(ch, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, (ch)->name, ##__VA_ARGS__)

static inline void kmcl_channel_get(struct kmcl_channel *ch)
{
	kref_get(&ch->ref);
}

static inline void kmcl_channel_put(struct kmcl_channel *ch)
{
	kref_put(&ch->ref, ch->free);
}

/* This is one of the client's callbacks for the channel. */
static inline bool kmcl_channel_runs(const struct kmcl_channel *ch)
{
	return READ_ONCE(ch->worker) == current ||
	       READ_ONCE(ch->delivery.worker) == current;
}

/* Bytes that a pipe adds to each packet's payload. */
static inline u32 kmcl_channel_framing(const struct kmcl_channel *ch)
{
	return ch->set.is_pipe ? sizeof(struct kmcl_pipe_header) : 0;
}

/* In channel.c */
NTSTATUS kmcl_channel_allocate(const struct kmcl_bus_ops *pinned,
			       struct device *parent,
			       unsigned long client, VMBCHANNEL *channel);
void kmcl_channel_abandon(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_H */
