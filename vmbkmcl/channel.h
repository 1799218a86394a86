/* SPDX-License-Identifier: GPL-2.0-only */
/* The channel object: see channel.c, life.c for its states, init.c for its settings. */
#ifndef _KMCL_CHANNEL_H
#define _KMCL_CHANNEL_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "bus.h"
#include "incoming.h"
#include "packet.h"

#define KMCL_NAME_MAX		32	/* bytes, with the terminator */
#define KMCL_RING_PAGES_MIN	2	/* one of them is the control page */
#define KMCL_RING_PAGES_MAX	512
#define KMCL_PACKET_SIZE_MAX	(64 * 1024)

/*
 * In the order a channel goes through them. From KMCL_OPENED on there is a ring;
 * from KMCL_STARTED on it is read.
 */
enum kmcl_state {
	KMCL_DISABLED,		/* the client may change settings */
	KMCL_ENABLED,		/* waiting for an offer */
	KMCL_OPENED,
	KMCL_STARTED,
	KMCL_ACTIVE,
	KMCL_CLOSED,		/* the ring is gone, the Closed callback runs */
};

struct kmcl_settings {
	guid_t type;
	guid_t instance;
	bool has_type;
	bool has_instance;
	PFN_VMB_CHANNEL_PNP_FAILURE pnp_failure;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	u32 max_packet_size;	/* bytes of payload */
	u32 rx_pages;
	u32 tx_pages;
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
 * @ref: one for the client, one for each device removal in progress
 * @node: in the list of all channels
 * @id: unique in this module's life
 * @name: for logs, traces and debugfs; unique through @id
 * @parent: device the client named as the parent
 * @pointer: the client's own
 * @set: settings; constant unless the state is KMCL_DISABLED
 * @bus: what is beneath
 * @endpoint: the bus's device; set while the channel is attached to one
 * @instance: of the device attached last
 * @api: held by Enable, Disable and Cleanup, so that one is over before the next
 * @lock: guards @state, @wanted, @lost, @listening and @endpoint
 * @state: where in its life the channel is; only @work goes forward in it
 * @wanted: the client has enabled the channel
 * @lost: the device is going or gone
 * @listening: the bus has been told to look for a device
 * @work: brings the channel up and down; every callback runs here
 * @worker: the task @work runs in, while it does
 * @changed: woken after each change of @state or @endpoint
 * @control: held around everything that waits for an answer of the host, as a
 *	rescind wakes only one waiter a channel. Guards @gpadls' changes.
 * @connected: open() succeeded and close() was not yet called; under @control
 * @gpadls: handle -> struct kmcl_gpadl
 * @gpadl_stats: counters, under @control
 * @tx: sending side
 * @rx: receiving side
 * @watch_lock: guards @watches
 * @watches: waits on the host in progress
 * @long_waits: of them, how many the log has named so far
 * @debugfs: its directory
 */
struct kmcl_channel {
	struct kref ref;
	struct list_head node;
	u32 id;
	char name[KMCL_NAME_MAX];
	struct device *parent;
	void *pointer;
	struct kmcl_settings set;

	const struct kmcl_bus_ops *bus;
	void *endpoint;
	guid_t instance;

	struct mutex api;
	struct mutex lock;
	enum kmcl_state state;
	bool wanted;
	bool lost;
	bool listening;
	struct work_struct work;
	struct task_struct *worker;
	wait_queue_head_t changed;

	struct mutex control;
	bool connected;
	struct xarray gpadls;
	struct kmcl_gpadl_stats gpadl_stats;

	struct kmcl_tx tx;
	struct kmcl_rx rx;

	spinlock_t watch_lock;
	struct list_head watches;
	atomic_t long_waits;
	struct dentry *debugfs;
};

#define kmcl_info(ch, fmt, ...) \
	pr_info("%s: " fmt, (ch)->name, ##__VA_ARGS__)
#define kmcl_warn(ch, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, (ch)->name, ##__VA_ARGS__)

NTSTATUS kmcl_channel_allocate(const struct kmcl_bus_ops *bus,
			       struct device *parent, VMBCHANNEL *channel);
void kmcl_channel_get(struct kmcl_channel *ch);
void kmcl_channel_put(struct kmcl_channel *ch);

/* What a bus calls */
bool kmcl_channel_wants(struct kmcl_channel *ch, const guid_t *instance);
bool kmcl_channel_attach(struct kmcl_channel *ch, void *endpoint,
			 const guid_t *instance);
void kmcl_channel_detach(struct kmcl_channel *ch, void *endpoint);

u32 kmcl_channel_ring_bytes(u32 pages, u32 max_packet_size);
u32 kmcl_channel_wire_size(const struct kmcl_channel *ch);
const char *kmcl_state_name(enum kmcl_state state);

#endif /* _KMCL_CHANNEL_H */
