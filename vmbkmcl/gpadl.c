// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs: memory of the guest that the server can map.
 *
 * The rule above all: memory goes back to its owner only when the host is known
 * not to hold it. Where that is not known the memory is put in quarantine, for
 * good, and the log says so.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "buffer.h"
#include "channel.h"
#include "extent.h"
#include "gpadl.h"
#include "status.h"
#include "trace.h"
#include "watch.h"

/* PFNs that the header message has room for; more take further messages. */
#define KMCL_GPADL_HEADER_PFNS	26

/* 10 ms, 20 ms, ...: some 10 s in all for 32 bytes of memory to turn up. */
#define KMCL_TEARDOWN_RETRIES	10
#define KMCL_TEARDOWN_WAIT_MS	10

struct kmcl_gpadl {
	struct kmcl_buffer buffer;
	struct kmcl_bus_gpadl wire;	/* handle 0: the host is done with it */
	u32 handle;
	struct hlist_node entry;	/* in its channel's table */
	struct list_head node;		/* in quarantine, or on its way to be freed */
	char owner[KMCL_NAME_MAX];
	const char *reason;
};

static LIST_HEAD(kmcl_quarantine);
static DEFINE_MUTEX(kmcl_quarantine_lock);

static void kmcl_gpadl_quarantine(struct kmcl_channel *ch,
				  struct kmcl_gpadl *gpadl, const char *reason,
				  int err)
{
	gpadl->reason = reason;
	strscpy(gpadl->owner, ch->name, sizeof(gpadl->owner));
	mutex_lock(&kmcl_quarantine_lock);
	list_add_tail(&gpadl->node, &kmcl_quarantine);
	mutex_unlock(&kmcl_quarantine_lock);

	ch->gpadl_stats.quarantined++;
	trace_vmbkmcl_gpadl_quarantine(ch, gpadl->handle, gpadl->buffer.size,
				       err);
	pr_err("%s: GPADL %#x: %s (%d): %u bytes of %s memory are kept for good\n",
	       ch->name, gpadl->handle, reason, err, gpadl->buffer.size,
	       kmcl_buffer_kind(&gpadl->buffer));
}

/* Takes locks of others (folios), so it is called without any of the module's. */
static void kmcl_gpadl_free(struct kmcl_gpadl *gpadl)
{
	kmcl_buffer_release(&gpadl->buffer);
	kfree(gpadl);
}

static void kmcl_gpadl_free_all(struct list_head *gone)
{
	struct kmcl_gpadl *gpadl, *next;

	list_for_each_entry_safe(gpadl, next, gone, node)
		kmcl_gpadl_free(gpadl);
}

/*
 * A channel's table. It changes with ch->control held, which a blocked delete
 * holds, too; so the lock is for those who only look.
 */

static void kmcl_gpadl_insert(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl)
{
	spin_lock(&ch->gpadls_lock);
	hash_add(ch->gpadls, &gpadl->entry, gpadl->handle);
	spin_unlock(&ch->gpadls_lock);
}

static void kmcl_gpadl_erase(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl)
{
	spin_lock(&ch->gpadls_lock);
	hash_del(&gpadl->entry);
	spin_unlock(&ch->gpadls_lock);
}

static struct kmcl_gpadl *kmcl_gpadl_find(struct kmcl_channel *ch, u32 handle)
{
	struct kmcl_gpadl *gpadl;

	hash_for_each_possible(ch->gpadls, gpadl, entry, handle)
		if (gpadl->handle == handle)
			return gpadl;
	return NULL;
}

/* Which of the outcomes of an establish that failed leave the host nothing. */
static bool kmcl_gpadl_never_sent(struct kmcl_channel *ch,
				  const struct kmcl_gpadl *gpadl, int err)
{
	if (ch->bus->rescinded(ch))
		return true;
	switch (err) {
	case -ENOMEM:	/* while the messages were made */
	case -EDQUOT:	/* the host's answer */
	case -ENODEV:	/* rescinded */
		return true;
	default:
		/* A message was not posted; was it the first? */
		return gpadl->buffer.size >> KMCL_HV_PAGE_SHIFT <=
		       KMCL_GPADL_HEADER_PFNS;
	}
}

/* In this module's words, where hv_vmbus's mean something else to a caller. */
static int kmcl_gpadl_error(struct kmcl_channel *ch, int err)
{
	if (ch->bus->rescinded(ch))
		return -ENODEV;
	switch (err) {
	case -ENOMEM:
	case -ENODEV:
		return err;
	case -EDQUOT:	/* the host's limits, not the caller's */
		return -ENOMEM;
	default:	/* a message could not be posted */
		return -EIO;
	}
}

static int kmcl_gpadl_establish(struct kmcl_channel *ch,
				struct kmcl_gpadl *gpadl)
{
	struct kmcl_watch watch;
	int err;

	kmcl_watch_start(&watch, ch, "GPADL create", 0);
	gpadl->wire.va = gpadl->buffer.va;
	gpadl->wire.size = gpadl->buffer.size;
	err = ch->bus->establish_gpadl(ch, &gpadl->wire);
	kmcl_watch_stop(&watch);
	if (!err)
		gpadl->handle = gpadl->wire.handle;
	return err;
}

/* 0 when the host does not hold the memory any more. */
static int kmcl_gpadl_teardown(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl)
{
	struct kmcl_watch watch;
	unsigned int i;
	int err;

	if (!gpadl->wire.handle)
		return 0;

	kmcl_watch_start(&watch, ch, "GPADL delete", gpadl->handle);
	for (i = 0; i < KMCL_TEARDOWN_RETRIES; i++) {
		err = ch->bus->teardown_gpadl(ch, &gpadl->wire);
		if (err != -ENOMEM || !gpadl->wire.handle)
			break;
		msleep(KMCL_TEARDOWN_WAIT_MS << i);
	}
	kmcl_watch_stop(&watch);

	/* hv_vmbus may say 0 although the message was never posted. */
	if (gpadl->wire.handle && !ch->bus->rescinded(ch))
		return err ?: -EIO;
	gpadl->wire.handle = 0;
	return 0;
}

/*
 * With ch->control held; @gpadl is in no table any more. What the host has let go of
 * is added to @gone, to be freed when the lock is dropped.
 */
static void kmcl_gpadl_destroy(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, struct list_head *gone)
{
	int err = kmcl_gpadl_teardown(ch, gpadl);

	lockdep_assert_held(&ch->control);
	trace_vmbkmcl_gpadl_delete(ch, gpadl->handle, gpadl->buffer.size, err);
	if (err) {
		kmcl_gpadl_quarantine(ch, gpadl, "not torn down", err);
	} else if (gpadl->wire.decrypted) {
		kmcl_gpadl_quarantine(ch, gpadl, "not encrypted again", -EIO);
	} else {
		ch->gpadl_stats.deleted++;
		list_add_tail(&gpadl->node, gone);
	}
}

/* An establish that failed: give the memory back by @gone, or keep it. */
static void kmcl_gpadl_abandon(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, int err,
			       struct list_head *gone)
{
	if (!kmcl_gpadl_never_sent(ch, gpadl, err))
		kmcl_gpadl_quarantine(ch, gpadl, "half sent", err);
	else if (gpadl->wire.decrypted)
		kmcl_gpadl_quarantine(ch, gpadl, "not encrypted again", err);
	else
		list_add_tail(&gpadl->node, gone);
}

/* Takes over @gpadl, whatever comes of it. */
static int kmcl_gpadl_connect(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl,
			      u32 *handle)
{
	u32 size = gpadl->buffer.size;
	LIST_HEAD(gone);
	int err;

	mutex_lock(&ch->control);
	if (!ch->connected) {
		err = -ENOTCONN;
		list_add_tail(&gpadl->node, &gone);
		goto unlock;
	}
	err = kmcl_gpadl_establish(ch, gpadl);
	if (err) {
		kmcl_gpadl_abandon(ch, gpadl, err, &gone);
		err = kmcl_gpadl_error(ch, err);
		goto count;
	}
	kmcl_gpadl_insert(ch, gpadl);
	*handle = gpadl->handle;
count:
	if (err) {
		ch->gpadl_stats.failed++;
		kmcl_warn(ch, "GPADL of %u bytes not created: %d\n", size, err);
	} else {
		ch->gpadl_stats.created++;
	}
	trace_vmbkmcl_gpadl_create(ch, err ? 0 : *handle, size, err);
unlock:
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
	return err;
}

/*
 * 1: it is connected, and in a confidential VM. Asked before anything is held;
 * looked at again before anything is sent.
 *
 * There hv_vmbus decrypts one mapping of the memory, which loses the contents and
 * leaves other mappings reading cipher text; it encrypts it again at the delete,
 * whatever other GPADL has it; and it asks for the physical address of a vmalloc
 * address on TDX. So no GPADL is made there.
 */
static int kmcl_gpadl_confidential(struct kmcl_channel *ch)
{
	int confidential = -ENOTCONN;

	mutex_lock(&ch->control);
	if (ch->connected)
		confidential = ch->bus->confidential(ch);
	mutex_unlock(&ch->control);
	return confidential;
}

static int kmcl_gpadl_create(struct kmcl_channel *ch, void *addr, u32 bytes,
			     bool read_only, u32 *handle)
{
	int confidential = kmcl_gpadl_confidential(ch);
	struct kmcl_gpadl *gpadl;
	int err;

	if (confidential < 0)
		return confidential;
	if (confidential)
		return -EOPNOTSUPP;
	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL);
	if (!gpadl)
		return -ENOMEM;
	err = kmcl_buffer_hold(&gpadl->buffer, addr, bytes, read_only);
	if (err) {
		kfree(gpadl);
		return err;
	}
	return kmcl_gpadl_connect(ch, gpadl, handle);
}

/**
 * VmbChannelCreateGpadlFromBuffer() - let the server map a buffer
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: %VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY when the server will only read.
 *	This is advice, not protection: VMBus has no read-only GPADL, so the host
 *	is trusted to keep to it. Here it decides how the memory is pinned and
 *	mapped, and that the pages are not marked dirty afterwards.
 * @buffer: page-aligned start of the memory. Either an address of the calling
 *	process, which is pinned, mapped and charged to its RLIMIT_MEMLOCK until
 *	the GPADL is deleted, even when the process is gone; or vmalloc, page
 *	allocator or slab memory. Kernel pages are referenced, so that freeing
 *	them early does no harm. Slab memory and the pages of a non-compound
 *	block after the first can not be: the caller keeps them until the delete.
 * @byte_count: bytes, at most 8190 pages of 4 KiB; rounded up to whole pages,
 *	where the rest of the last page is part of the same allocation
 * @gpadl_handle: where the handle for the server goes; untouched on failure
 *
 * When it returns, the server can map the memory. Creates and deletes of one
 * channel take turns.
 *
 * Context: may sleep, as long as the host takes to answer; the log names a wait
 * of more than a few seconds. For user memory the owning process's context.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, _2 for
 * unknown flags, _3 for a buffer that is NULL, unaligned or on the stack, _4 for
 * a length of 0 or one that wraps around, _5 without @gpadl_handle;
 * %STATUS_INVALID_DEVICE_STATE when the channel is not open;
 * %STATUS_INVALID_BUFFER_SIZE for more than 8190 pages or a part of a slab page;
 * %STATUS_ACCESS_VIOLATION where nothing is mapped, or for a user address
 * without a process; %STATUS_ACCESS_DENIED for a writable GPADL over memory the
 * process may only read, and for the kernel's or a module's image;
 * %STATUS_NOT_SUPPORTED for user memory that can not be pinned for long (shared
 * mappings of files on disk), and for all memory in a confidential VM; %STATUS_QUOTA_EXCEEDED
 * over RLIMIT_MEMLOCK; %STATUS_INSUFFICIENT_RESOURCES without memory, or when
 * the host refuses; %STATUS_DEVICE_REMOVED when the device goes meanwhile;
 * %STATUS_UNSUCCESSFUL when the host could not be told.
 * Source: Microsoft's FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER documentation;
 * limits and alignment are those of hv_vmbus, the statuses ours.
 */
NTSTATUS VmbChannelCreateGpadlFromBuffer(VMBCHANNEL channel, UINT32 flags,
					 PVOID buffer, UINT32 byte_count,
					 PUINT32 gpadl_handle)
{
	unsigned long start = (unsigned long)buffer;
	int err;

	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!buffer || !PAGE_ALIGNED(buffer))
		return STATUS_INVALID_PARAMETER_3;
	if (!byte_count || start + byte_count - 1 < start)
		return STATUS_INVALID_PARAMETER_4;
	if (!gpadl_handle)
		return STATUS_INVALID_PARAMETER_5;
	if (byte_count > KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE)
		return STATUS_INVALID_BUFFER_SIZE;

	err = kmcl_gpadl_create(channel, buffer, byte_count,
				flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				gpadl_handle);
	return err == -EINVAL ? STATUS_INVALID_PARAMETER_3 : kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromBuffer);

static int kmcl_gpadl_create_mdl(struct kmcl_channel *ch,
				 struct kmcl_extent *extent, bool read_only,
				 u32 *handle)
{
	int confidential = kmcl_gpadl_confidential(ch);
	struct kmcl_gpadl *gpadl;
	int err;

	if (confidential < 0)
		return confidential;
	if (confidential)
		return -EOPNOTSUPP;
	err = kmcl_extent_check(extent, KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE,
				KMCL_CHAIN_MAX);
	if (err)
		return err;

	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL);
	if (!gpadl)
		return -ENOMEM;
	err = kmcl_buffer_hold_extent(&gpadl->buffer, extent, read_only);
	if (err) {
		kfree(gpadl);
		return err;
	}
	return kmcl_gpadl_connect(ch, gpadl, handle);
}

/**
 * VmbChannelCreateGpadlFromMdl() - let the server map what MDLs describe
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: as for VmbChannelCreateGpadlFromBuffer()
 * @mdl: a chain of at most 512 MDLs with page numbers, the caller's again when
 *	this returns; their memory is kept by its owner until the delete. It is
 *	referenced all the same, where it can be.
 * @start_offset_within_mdl: bytes of the chain's memory before the GPADL, which has
 *	to begin with a page
 * @data_length_within_mdl: bytes, at most 8190 pages of 4 KiB; 0 for all to the end
 *	of the chain. Rounded up to whole pages.
 * @gpadl_handle: where the handle for the server goes; untouched on failure
 *
 * VMBus describes whole pages from offset 0, so every piece begins with a page
 * (of the guest's own size), and every one but the last ends with one.
 *
 * Context: may sleep, as VmbChannelCreateGpadlFromBuffer(); any process.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, _2 for
 * unknown flags, _3 when there is no MDL, one without page numbers, too many, no
 * byte in them, or a piece that does not begin or end with a page, _4 for a start
 * behind the memory or within a page, _5 for an end behind the memory, _6 without
 * @gpadl_handle; %STATUS_INVALID_DEVICE_STATE when the channel is not open;
 * %STATUS_INVALID_BUFFER_SIZE for more than 8190 pages or a part of a slab page;
 * %STATUS_ACCESS_DENIED for pages that are not the page allocator's, as the
 * kernel's image and MMIO; %STATUS_NOT_SUPPORTED in a confidential VM;
 * %STATUS_INSUFFICIENT_RESOURCES without memory, or when the host refuses;
 * %STATUS_DEVICE_REMOVED when the device goes meanwhile; %STATUS_UNSUCCESSFUL when
 * the host could not be told.
 * Source: Microsoft's VmbChannelCreateGpadlFromMdl documentation; limits and
 * alignment are those of hv_vmbus, the statuses ours.
 */
NTSTATUS VmbChannelCreateGpadlFromMdl(VMBCHANNEL channel, UINT32 flags,
				      PMDL mdl, UINT32 start_offset_within_mdl,
				      UINT32 data_length_within_mdl,
				      PUINT32 gpadl_handle)
{
	struct kmcl_extent extent = {
		.mdl = mdl,
		.skip = start_offset_within_mdl,
		.len = data_length_within_mdl,
	};
	int err;

	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!mdl)
		return STATUS_INVALID_PARAMETER_3;
	if (!gpadl_handle)
		return STATUS_INVALID_PARAMETER_6;

	err = kmcl_gpadl_create_mdl(channel, &extent,
				    flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    gpadl_handle);
	return kmcl_extent_status(err, 3);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromMdl);

/**
 * VmbChannelCreateGpadlFromPfnList() - let the server map pages by their numbers
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: as for VmbChannelCreateGpadlFromBuffer()
 * @pfns: numbers of pages of 4 KiB, the array is the caller's again when this
 *	returns; the pages are kept by their owner until the delete, and referenced
 *	where they can be. Where the guest's own pages are larger, each of those is
 *	named by all of its numbers, in order.
 * @pfn_count: how many, 1 to 8190
 * @gpadl_handle: where the handle for the server goes; untouched on failure
 *
 * Context: may sleep, as VmbChannelCreateGpadlFromBuffer(); any process.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, _2 for
 * unknown flags, _3 without @pfns, or where they are parts of larger pages, _4
 * without a page, _5 without @gpadl_handle; %STATUS_INVALID_BUFFER_SIZE for too
 * many; otherwise as VmbChannelCreateGpadlFromMdl().
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelCreateGpadlFromPfnList(VMBCHANNEL channel, UINT32 flags,
					  PPFN_NUMBER pfns, UINT32 pfn_count,
					  PUINT32 gpadl_handle)
{
	struct kmcl_extent extent = {};
	PMDL mdl;
	int err;

	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!pfns)
		return STATUS_INVALID_PARAMETER_3;
	if (!pfn_count)
		return STATUS_INVALID_PARAMETER_4;
	if (!gpadl_handle)
		return STATUS_INVALID_PARAMETER_5;
	if (pfn_count > KMCL_GPADL_MAX_PAGES)
		return STATUS_INVALID_BUFFER_SIZE;

	/* They are what an MDL of whole pages has behind it. */
	mdl = kvmalloc(MmSizeOfMdl(NULL, pfn_count * MDL_PAGE_SIZE),
		       GFP_KERNEL);
	if (!mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmInitializeMdl(mdl, NULL, pfn_count * MDL_PAGE_SIZE);
	memcpy(MmGetMdlPfnArray(mdl), pfns, pfn_count * sizeof(*pfns));
	mdl->MdlFlags |= MDL_PARTIAL;
	extent.mdl = mdl;
	err = kmcl_gpadl_create_mdl(channel, &extent,
				    flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    gpadl_handle);
	kvfree(mdl);
	return kmcl_extent_status(err == -ERANGE ? -EINVAL : err, 3);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromPfnList);

/**
 * VmbChannelDeleteGpadl() - take a buffer back from the server
 * @channel: the channel it was created on, until EvtChannelClosed has returned
 * @gpadl_handle: from VmbChannelCreateGpadlFromBuffer() or
 *	VmbChannelCreateGpadlFromMdl()
 *
 * When it returns the host has let go of the memory, or it has been put in
 * quarantine: if the host could not be told, the memory is kept for good, and
 * the log and debugfs name it. An unknown handle, or one deleted before, is
 * named in the log and changes nothing.
 *
 * Context: may sleep, as long as the server has the GPADL mapped; the log names
 * a wait of more than a few seconds. Any process.
 * Source: Microsoft's FN_VMB_CHANNEL_DELETE_GPADL documentation; the quarantine
 * is ours.
 */
VOID VmbChannelDeleteGpadl(VMBCHANNEL channel, UINT32 gpadl_handle)
{
	struct kmcl_channel *ch = channel;
	struct kmcl_gpadl *gpadl;
	LIST_HEAD(gone);

	might_sleep();
	if (!ch)
		return;

	mutex_lock(&ch->control);
	gpadl = kmcl_gpadl_find(ch, gpadl_handle);
	if (gpadl) {
		kmcl_gpadl_erase(ch, gpadl);
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	} else {
		ch->gpadl_stats.unknown_handles++;
		kmcl_warn(ch, "GPADL %#x is not one of this channel's\n",
			  gpadl_handle);
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);

/*
 * Before protocol 4.0 a host can not be told of GPADLs once the channel is
 * closed. The objects stay for the client to delete. With ch->control held.
 */
void kmcl_gpadl_disconnect_all(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;

	hash_for_each(ch->gpadls, bucket, gpadl, entry)
		kmcl_gpadl_teardown(ch, gpadl);
}

/* What the client should have deleted in EvtChannelClosed. */
void kmcl_gpadl_delete_leftovers(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	struct hlist_node *next;
	unsigned int bucket;
	LIST_HEAD(gone);

	mutex_lock(&ch->control);
	hash_for_each_safe(ch->gpadls, bucket, next, gpadl, entry) {
		pr_warn("%s: GPADL %#x (%u bytes) left by the client, deleted for it\n",
			ch->name, gpadl->handle, gpadl->buffer.size);
		ch->gpadl_stats.leftovers++;
		kmcl_gpadl_erase(ch, gpadl);
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}

static void kmcl_gpadl_show_one(const struct kmcl_gpadl *gpadl,
				struct seq_file *m)
{
	seq_printf(m, "%#x %u bytes %s %s", gpadl->handle, gpadl->buffer.size,
		   kmcl_buffer_kind(&gpadl->buffer),
		   gpadl->buffer.read_only ? "read-only" : "writable");
}

void kmcl_gpadl_show(struct kmcl_channel *ch, struct seq_file *m)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;

	spin_lock(&ch->gpadls_lock);
	hash_for_each(ch->gpadls, bucket, gpadl, entry) {
		kmcl_gpadl_show_one(gpadl, m);
		seq_putc(m, '\n');
	}
	spin_unlock(&ch->gpadls_lock);
}

void kmcl_quarantine_show(struct seq_file *m)
{
	struct kmcl_gpadl *gpadl;

	mutex_lock(&kmcl_quarantine_lock);
	list_for_each_entry(gpadl, &kmcl_quarantine, node) {
		kmcl_gpadl_show_one(gpadl, m);
		seq_printf(m, " of %s: %s\n", gpadl->owner, gpadl->reason);
	}
	mutex_unlock(&kmcl_quarantine_lock);
}

/*
 * At module exit the list goes, its memory does not: pins, references and
 * charges stay. kmemleak is told that this is meant.
 */
void kmcl_quarantine_abandon(void)
{
	struct kmcl_gpadl *gpadl, *next;

	list_for_each_entry_safe(gpadl, next, &kmcl_quarantine, node) {
		pr_err("GPADL %#x of %s: %u bytes stay lost until the next boot\n",
		       gpadl->handle, gpadl->owner, gpadl->buffer.size);
		list_del(&gpadl->node);
		kmemleak_not_leak(gpadl);
	}
}
