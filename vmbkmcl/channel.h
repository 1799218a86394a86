/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * struct kmcl_channel, a VMBus channel. channel.c allocates and frees channels,
 * channel_state.c moves a channel from state to state, channel_settings.c sets its
 * settings.
 */
#ifndef _KMCL_CHANNEL_H
#define _KMCL_CHANNEL_H

#include <linux/completion.h>
#include <linux/hashtable.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/lockdep.h>
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
#define KMCL_RING_PAGES_MIN	2	/* a control page and a data page */
#define KMCL_RING_PAGES_MAX	512
#define KMCL_PACKET_SIZE_MAX	(64 * 1024)
#define KMCL_LATENCY_DEFAULT	1000	/* 100 us, in units of 100 ns */
#define KMCL_GPA_DIRECT_SIZE_MAX	(8190 * 4096)	/* as for a GPADL */
#define KMCL_CHAIN_MAX		512	/* MDLs */
#define KMCL_GPADL_BITS		6	/* 64 hash buckets */
#define KMCL_CONTEXT_SIZE_MAX	(64 * 1024)

/* What a client sets with VmbChannelInitSet...() before it enables the channel. */
struct kmcl_settings {
	guid_t type;
	guid_t instance;
	bool has_type;
	bool has_instance;
	u32 server_flags;	/* VMBUS_SERVER_CHANNEL_INIT_FLAG_... */
	bool server_loopback;	/* KMCL_VMBUS_HANDLE_LOOPBACK was set */
	u16 mmio_megabytes;	/* a server's suggestion */
	u16 mmio_megabytes_optional;
	PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	PFN_VMB_CHANNEL_PROCESS_PACKET process_packet;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE processing_complete;
	/* With @context. Either these two are set or the two above. */
	PFN_VMB_CHANNEL_PROCESS_PACKET_EX process_packet_ex;
	PFN_VMB_CHANNEL_PROCESSING_COMPLETE_EX processing_complete_ex;
	void *context;
	bool is_pipe;
	u32 context_size;	/* bytes with each received packet */
	u32 inline_size;	/* bytes in each packet object */
	u32 max_packet_size;	/* bytes of payload */
	u32 max_gpa_direct_size;	/* bytes of a packet's external data */
	u32 max_chain;		/* MDLs of a packet's external data */
	u32 bounce_size;	/* bytes of all bounce buffers */
	u32 rx_pages;
	u32 tx_pages;
	bool has_cpu;
	unsigned int cpu;	/* the host interrupts this CPU, if @has_cpu */
};

/* Counters for debugfs. */
struct kmcl_gpadl_stats {
	u64 created;
	u64 deleted;
	u64 failed;		/* creates that failed at the host */
	u64 unknown_handles;	/* deletes of handles that do not exist */
	u64 leftovers;		/* GPADLs that existed at the close */
	u64 quarantined;
};

/**
 * struct kmcl_channel - one endpoint of a VMBus channel
 * @ref: references: one of the client, one of each packet object from
 *	VmbPacketAllocate(), one of each sub-channel, and one of each removal,
 *	suspend or sub-channel offer in progress
 * @free: called for the last reference
 * @node: entry in the list of all channels, see channel_clients.c
 * @client: caller of VmbChannelAllocate(), as "function [module]"
 * @abandoned: the client's module is gone: none of its callbacks may be called
 * @is_server: the server's endpoint. "The client" below is its owner. Its device
 *	is its offer, and @asleep means that no client has opened the offer.
 * @borrowed: the client provides the memory, see VmbChannelInitialize()
 * @released: completed for the last reference if @borrowed is set
 * @id: number of the channel, not used again until the module is loaded anew
 * @name: name in logs, traces and debugfs; ends with @id, so that it is unique
 * @parent: device that the client named as the parent, or NULL
 * @pointer: the client's own, see VmbChannelSetPointer()
 * @set: settings
 * @pinned: the only bus to look for the device on, or NULL for all buses
 * @bus: bus of @endpoint, or NULL
 * @endpoint: the bus's device that the channel is attached to, or NULL
 * @target: device that VmbChannelGetTargetDeviceObject() returned, with a reference
 *	until EvtChannelClosed has returned; or NULL
 * @instance: instance GUID of the device attached last
 * @mmio_start: physical address of the device's MMIO space
 * @mmio_size: size of the MMIO space in bytes; 0 while the channel is closed, or if
 *	the device has no MMIO space
 * @latency: latency of signals to the host that the client asked for, in 100 ns
 * @api: serialises VmbChannelEnable(), VmbChannelDisable() and VmbChannelCleanup()
 * @lock: guards the fields marked L, D and S
 * @state: current state of the channel. While a device is attached only @work
 *	changes the state, and so @work reads it without @lock.
 * @wanted: the client has enabled the channel
 * @paused: the client has paused the channel, which ends when it is disabled. The
 *	client may pause a disabled channel for its next opening. A server is paused
 *	whenever it is enabled.
 * @lost: the device is being removed, or is gone
 * @severed: the host has rescinded the device, and the bus has forgotten it; only
 *	@endpoint is left
 * @asleep: the device is suspended and will be resumed
 * @listening: kmcl_bus_listen() succeeded and kmcl_bus_unlisten() was not called
 * @buses: one bit for each bus that the channel listens on
 * @listener: entry in the list of channels that listen
 * @wq: the queue of @work and of the work item of @delivery. A work item may wait for
 *	one of another channel, such as that of a sub-channel, so no two channels share
 *	a queue, whose number of running items is limited.
 * @work: opens and closes the channel; runs every state-change callback
 * @worker: task that runs @work, or NULL
 * @changed: woken when @state, @wanted, @paused, @lost or @asleep changes, when the
 *	channel has dropped its device, when the client has completed the last
 *	packet that it held, when a sub-channel parks or leaves, and when the
 *	primary channel is closed
 * @subs: relation to the primary channel, and to the sub-channels
 * @control: held while anything waits for a reply of the host, as a rescind wakes
 *	only one waiter of a channel
 * @connected: the channel is open for the bus: GPADLs can be created
 * @gpadls_lock: held to change @gpadls, so that it can be read without @control
 * @gpadls: hash table of struct kmcl_gpadl by handle
 * @mappings: struct kmcl_mapping of each GPADL that a server has mapped
 * @gpadl_stats: counters of GPADLs
 * @bounces: bounce buffers of the client, see gpadl_bounce.c
 * @tx: sending side
 * @packets: cached packet objects, and completed ones whose routine must be called
 * @rx: receiving side
 * @delivery: delivery of received packets to the client
 * @long_waits: number of log lines so far about long waits, see hostwait.c
 * @debugfs: the channel's directory in debugfs
 * @rcu: for kfree_rcu()
 *
 * The letters in the comments of the members say who may access them:
 *
 * A: under @api.
 *
 * B: bus.c only, under its kmcl_buses_lock.
 *
 * C: channel_clients.c only, under its kmcl_channels_lock.
 *
 * D: the attached device: written under @lock by channel_device.c. Only @work takes
 *    the device away, and holds @control for that, so @work, the bus's operations,
 *    and code that uses an open ring or holds @control read the member without
 *    @lock; others hold @lock or use READ_ONCE().
 *
 * F: debugfs.c only, under its kmcl_debugfs_lock.
 *
 * G: under @control; debugfs reads the counters without.
 *
 * H: written under @control and @gpadls_lock, read under either.
 *
 * I: constant after initialisation.
 *
 * L: written under @lock; read under @lock, or with READ_ONCE().
 *
 * O: needs no lock of the channel: atomic, accessed with READ_ONCE() and
 *    WRITE_ONCE(), or an object that does its own locking.
 *
 * S: settings: written under @lock while the state is KMCL_DISABLED; constant in
 *    all other states, and read without a lock then.
 *
 * W: written only by @work, which reads the member without a lock. Others follow
 *    the second letter or use READ_ONCE().
 */
struct kmcl_channel {
	struct kref ref;				/* O */
	void (*free)(struct kref *ref);			/* I */
	struct list_head node;				/* C */
	char *client;					/* I */
	bool abandoned;					/* O */
	bool is_server;					/* I */
	bool borrowed;					/* I */
	struct completion released;			/* O */
	u32 id;						/* I */
	char name[KMCL_NAME_MAX];			/* S */
	struct device *parent;				/* I */
	void *pointer;					/* O */
	struct kmcl_settings set;			/* S */

	const struct kmcl_bus_ops *pinned;		/* I */
	const struct kmcl_bus_ops *bus;			/* D */
	void *endpoint;					/* D */
	struct device *target;				/* L */
	guid_t instance;				/* D */
	u64 mmio_start;					/* WL */
	u64 mmio_size;					/* WL */
	u16 latency;					/* L */

	struct mutex api;
	struct mutex lock;
	enum kmcl_state state;				/* L */
	bool wanted;					/* L */
	bool paused;					/* L */
	bool lost;					/* L */
	bool severed;					/* L */
	bool asleep;					/* L */
	bool listening;					/* A */
	u8 buses;					/* B */
	struct list_head listener;			/* B */
	struct workqueue_struct *wq;			/* I */
	struct work_struct work;			/* O */
	struct task_struct *worker;			/* W */
	wait_queue_head_t changed;			/* O */

	struct kmcl_subs subs;				/* O */

	struct mutex control;
	bool connected;					/* WG */
	spinlock_t gpadls_lock;
	DECLARE_HASHTABLE(gpadls, KMCL_GPADL_BITS);	/* H */
	struct list_head mappings;			/* G */
	struct kmcl_gpadl_stats gpadl_stats;		/* G */
	struct list_head bounces;			/* G */

	struct kmcl_tx tx;				/* O */
	struct kmcl_packets packets;			/* O */
	struct kmcl_rx rx;				/* O */
	struct kmcl_delivery delivery;			/* O */

	atomic_t long_waits;				/* O */
	struct dentry *debugfs;				/* F */
	struct rcu_head rcu;				/* O */
};

/*
 * Log lines that begin with the channel's name. kmcl_warn() is rate limited, as a
 * client or a host can cause such a line as often as it likes. The others are not:
 * none of those lines may be lost.
 */
#define kmcl_info(ch, fmt, ...) \
	pr_info("%s: " fmt, (ch)->name, ##__VA_ARGS__)
#define kmcl_warn(ch, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, (ch)->name, ##__VA_ARGS__)
#define kmcl_warn_always(ch, fmt, ...) \
	pr_warn("%s: " fmt, (ch)->name, ##__VA_ARGS__)
#define kmcl_err(ch, fmt, ...) \
	pr_err("%s: " fmt, (ch)->name, ##__VA_ARGS__)

static inline void kmcl_channel_get(struct kmcl_channel *ch)
{
	kref_get(&ch->ref);
}

static inline void kmcl_channel_put(struct kmcl_channel *ch)
{
	kref_put(&ch->ref, ch->free);
}

/* True if the calling task is in a work item that runs callbacks of the client. */
static inline bool kmcl_channel_runs(const struct kmcl_channel *ch)
{
	return READ_ONCE(ch->worker) == current ||
	       READ_ONCE(ch->delivery.worker) == current;
}

/* Bytes that a pipe's header adds to the payload of each packet. */
static inline u32 kmcl_channel_framing(const struct kmcl_channel *ch)
{
	return ch->set.is_pipe ? sizeof(struct kmcl_pipe_header) : 0;
}

/*
 * Called first in each function of the API that takes a spinlock, disables bottom
 * halves or wakes a task, and may be called where it can not sleep. The end of such a
 * section runs softirqs and enables interrupts, which would break a caller that has
 * disabled them. A kernel with lockdep reports such a caller; on all others this
 * compiles to nothing.
 */
static inline void kmcl_assert_interrupts_on(void)
{
	lockdep_assert_irqs_enabled();
}

NTSTATUS kmcl_channel_allocate(const struct kmcl_bus_ops *pinned,
			       struct device *parent,
			       unsigned long client, VMBCHANNEL *channel);
void kmcl_channel_abandon(struct kmcl_channel *ch);

#endif /* _KMCL_CHANNEL_H */
