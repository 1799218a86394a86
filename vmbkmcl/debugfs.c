// SPDX-License-Identifier: GPL-2.0-only
/*
 * The directory vmbkmcl/ in debugfs. Each channel has a directory there, with its
 * state, its GPADLs and its statistics. A file lists the GPADLs of all channels that
 * are in quarantine.
 */

#include <linux/debugfs.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "bus.h"
#include "channel.h"
#include "debugfs.h"
#include "gpadl.h"
#include "hostwait.h"

static struct dentry *kmcl_debugfs_root;

/*
 * Guards &kmcl_channel.debugfs. debugfs_remove() waits for readers, so this is held for
 * them, and no file takes it. For the same reason no file takes a lock of a channel that
 * is held for longer than for a look: &kmcl_channel.lock is not taken at all.
 */
static DEFINE_MUTEX(kmcl_debugfs_lock);

/*
 * The module of a bus is freed only after an RCU grace period, so ->bus stays
 * valid in the read section.
 */
static void bus_show(struct kmcl_channel *ch, struct seq_file *m)
{
	const struct kmcl_bus_ops *bus;

	rcu_read_lock();
	bus = READ_ONCE(ch->bus);
	seq_printf(m, "bus: %s\n", bus ? bus->name : "none");
	rcu_read_unlock();
}

static int state_show(struct seq_file *m, void *unused)
{
	struct kmcl_channel *ch = m->private;

	seq_printf(m, "state: %s\n", kmcl_state_name(READ_ONCE(ch->state)));
	seq_printf(m, "client: %s\n", ch->client);
	seq_printf(m, "endpoint: %s\n", ch->is_server ? "server" : "client");
	bus_show(ch, m);
	if (ch->set.mmio_megabytes || ch->set.mmio_megabytes_optional)
		seq_printf(m, "mmio: %u MiB and %u MiB\n",
			   ch->set.mmio_megabytes,
			   ch->set.mmio_megabytes_optional);
	if (ch->set.has_type)
		seq_printf(m, "type: %pUl\n", &ch->set.type);
	kmcl_subs_show(ch, m);
	if (READ_ONCE(ch->endpoint))
		seq_printf(m, "instance: %pUl\n", &ch->instance);
	kmcl_hostwait_show(ch, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int gpadls_show(struct seq_file *m, void *unused)
{
	kmcl_gpadl_show(m->private, m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(gpadls);

static int stats_show(struct seq_file *m, void *unused)
{
	struct kmcl_channel *ch = m->private;
	const struct kmcl_gpadl_stats *gpadl = &ch->gpadl_stats;
	const struct kmcl_tx *tx = &ch->tx;
	const struct kmcl_rx *rx = &ch->rx;
	const struct kmcl_delivery *to = &ch->delivery;

	seq_printf(m, "gpadls_created %llu\n", gpadl->created);
	seq_printf(m, "gpadls_deleted %llu\n", gpadl->deleted);
	seq_printf(m, "gpadls_failed %llu\n", gpadl->failed);
	seq_printf(m, "gpadls_leftover %llu\n", gpadl->leftovers);
	seq_printf(m, "gpadls_quarantined %llu\n", gpadl->quarantined);
	seq_printf(m, "gpadls_unknown_handle %llu\n", gpadl->unknown_handles);
	seq_printf(m, "long_waits %d\n", atomic_read(&ch->long_waits));
	seq_printf(m, "tx_sent %llu\n", tx->sent);
	seq_printf(m, "tx_queued %llu\n", tx->queued);
	seq_printf(m, "tx_ring_full %llu\n", tx->ring_full);
	seq_printf(m, "tx_ids_full %llu\n", tx->ids_full);
	seq_printf(m, "tx_completed %llu\n", tx->completed);
	seq_printf(m, "rx_polls %llu\n", rx->polls);
	seq_printf(m, "rx_packets %llu\n", rx->received);
	seq_printf(m, "rx_delivered %llu\n", to->delivered);
	seq_printf(m, "rx_held %u\n", kmcl_delivery_held(to));
	seq_printf(m, "rx_deferred %llu\n", to->deferrals);
	seq_printf(m, "rx_orphaned %llu\n", to->orphaned);
	seq_printf(m, "rx_dropped %llu\n", rx->dropped);
	seq_printf(m, "rx_bad_ids %llu\n", tx->bad_ids);
	seq_printf(m, "rx_corrupt %llu\n", rx->corrupt);
	seq_printf(m, "rx_failed %u\n", rx->failed);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

static int quarantine_show(struct seq_file *m, void *unused)
{
	kmcl_quarantine_show(m);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(quarantine);

static void kmcl_debugfs_create(struct kmcl_channel *ch)
{
	struct dentry *dir = debugfs_create_dir(ch->name, kmcl_debugfs_root);

	debugfs_create_file("state", 0400, dir, ch, &state_fops);
	debugfs_create_file("gpadls", 0400, dir, ch, &gpadls_fops);
	debugfs_create_file("stats", 0400, dir, ch, &stats_fops);
	if (ch->is_server)
		debugfs_create_u32("external_pending", 0600, dir,
				   &ch->delivery.external_pending);
	ch->debugfs = dir;
}

void kmcl_debugfs_add(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_debugfs_lock);
	kmcl_debugfs_create(ch);
	mutex_unlock(&kmcl_debugfs_lock);
}

/* The channel has another name. No lock of the channel is held, as readers are waited for. */
void kmcl_debugfs_rename(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_debugfs_lock);
	debugfs_remove(ch->debugfs);
	kmcl_debugfs_create(ch);
	mutex_unlock(&kmcl_debugfs_lock);
}

/* This waits for readers, so the channel may be freed afterwards. */
void kmcl_debugfs_remove(struct kmcl_channel *ch)
{
	mutex_lock(&kmcl_debugfs_lock);
	debugfs_remove(ch->debugfs);
	ch->debugfs = NULL;
	mutex_unlock(&kmcl_debugfs_lock);
}

void kmcl_debugfs_init(void)
{
	kmcl_debugfs_root = debugfs_create_dir("vmbkmcl", NULL);
	debugfs_create_file("quarantine", 0400, kmcl_debugfs_root, NULL,
			    &quarantine_fops);
}

void kmcl_debugfs_exit(void)
{
	debugfs_remove(kmcl_debugfs_root);
}
