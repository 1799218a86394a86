// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs: memory of the guest that the server can map.
 *
 * The rule above all: memory goes back to its owner only when the host is known
 * not to hold it. What this means depends on who can keep the memory meanwhile.
 * Memory that the module holds itself (pins, references) is put in quarantine
 * when the host could not be told, until something proves that the host has let
 * go. Memory that only its owner holds cannot be kept by any quarantine: there
 * the call does not return to the owner before the host has let go.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <vmbkmcl/linux.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"
#include "gpadl.h"
#include "hostwait.h"
#include "mdl_range.h"
#include "memory.h"
#include "status.h"
#include "trace.h"

/* PFNs that the header message has room for; more take further messages. */
#define KMCL_GPADL_HEADER_PFNS	26

/* 10 ms, 20 ms, ..., 1 s: some 5 s in all for 32 bytes of memory to turn up. */
#define KMCL_TEARDOWN_TRIES		10
#define KMCL_TEARDOWN_WAIT_MS		10
#define KMCL_TEARDOWN_WAIT_MAX_MS	1000

/*
 * A device that has so many GPADLs in quarantine gets no more: a client that tries
 * again and again would lose 32 MiB each time.
 */
#define KMCL_QUARANTINE_MAX	8

/* What is known of the host's hold on the memory. */
enum kmcl_gpadl_state {
	KMCL_GPADL_GONE,	/* the host has let go, or was never told */
	KMCL_GPADL_ESTABLISHED,	/* the host has it */
	KMCL_GPADL_TELLING,	/* the teardown is sent, perhaps once more */
	KMCL_GPADL_UNKNOWN,	/* the host may have it and can not be asked */
};

struct kmcl_gpadl {
	struct kmcl_memory memory;
	struct kmcl_bus_gpadl wire;
	enum kmcl_gpadl_state state;
	u32 handle;
	struct hlist_node entry;	/* in its channel's table */
	struct list_head node;		/* in quarantine, or on its way to be freed */
	const void *endpoint;		/* in quarantine: whose end is a proof */
	char owner[KMCL_NAME_MAX];
	const char *reason;
};

static LIST_HEAD(kmcl_quarantine);
static DEFINE_MUTEX(kmcl_quarantine_lock);
/* Woken when GPADLs have left the quarantine. */
static DECLARE_WAIT_QUEUE_HEAD(kmcl_quarantine_left);

static void kmcl_gpadl_quarantine(struct kmcl_channel *ch,
				  struct kmcl_gpadl *gpadl, const char *reason,
				  int err)
{
	gpadl->reason = reason;
	gpadl->endpoint = ch->endpoint;
	strscpy(gpadl->owner, ch->name, sizeof(gpadl->owner));
	mutex_lock(&kmcl_quarantine_lock);
	list_add_tail(&gpadl->node, &kmcl_quarantine);
	mutex_unlock(&kmcl_quarantine_lock);

	ch->gpadl_stats.quarantined++;
	trace_vmbkmcl_gpadl_quarantine(ch, gpadl->handle, gpadl->memory.size,
				       err);
	pr_err("%s: GPADL %#x: %s (%d): %u bytes of %s memory, %s, are kept until the device goes\n",
	       ch->name, gpadl->handle, reason, err, gpadl->memory.size,
	       kmcl_memory_kind_name(&gpadl->memory),
	       kmcl_memory_holder(&gpadl->memory));
}

static unsigned int kmcl_quarantine_count(const void *endpoint)
{
	struct kmcl_gpadl *gpadl;
	unsigned int n = 0;

	mutex_lock(&kmcl_quarantine_lock);
	list_for_each_entry(gpadl, &kmcl_quarantine, node)
		n += gpadl->endpoint == endpoint;
	mutex_unlock(&kmcl_quarantine_lock);
	return n;
}

/* Takes locks of others (folios), so it is called without any of the module's. */
static void kmcl_gpadl_free(struct kmcl_gpadl *gpadl)
{
	kmcl_memory_release(&gpadl->memory);
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

/* What a client named; with a log line when there is none. */
static struct kmcl_gpadl *kmcl_gpadl_look_up(struct kmcl_channel *ch,
					     u32 handle)
{
	struct kmcl_gpadl *gpadl = kmcl_gpadl_find(ch, handle);

	if (!gpadl) {
		ch->gpadl_stats.unknown_handles++;
		kmcl_warn(ch, "GPADL %#x is not one of this channel's\n",
			  handle);
	}
	return gpadl;
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
		return gpadl->memory.size >> KMCL_HV_PAGE_SHIFT <=
		       KMCL_GPADL_HEADER_PFNS;
	}
}

static int kmcl_gpadl_establish(struct kmcl_channel *ch,
				struct kmcl_gpadl *gpadl)
{
	struct kmcl_hostwait watch;
	int err;

	kmcl_hostwait_start(&watch, ch, "GPADL create", 0);
	gpadl->wire.va = gpadl->memory.va;
	gpadl->wire.size = gpadl->memory.size;
	err = ch->bus->establish_gpadl(ch, &gpadl->wire);
	kmcl_hostwait_stop(&watch);
	if (!err)
		gpadl->handle = gpadl->wire.handle;
	return err;
}

/* A message that was not posted was tried for minutes; memory may turn up soon. */
static bool kmcl_gpadl_gives_up(int err, unsigned int tries)
{
	return err != -ENOMEM || tries == KMCL_TEARDOWN_TRIES;
}

/* A rescind ends the wait between two tries at once: the next one is the last. */
static void kmcl_gpadl_back_off(struct kmcl_channel *ch, unsigned int tries)
{
	unsigned int ms = KMCL_TEARDOWN_WAIT_MS << min(tries - 1, 10U);

	ms = min_t(unsigned int, ms, KMCL_TEARDOWN_WAIT_MAX_MS);
	wait_event_timeout(ch->changed, ch->bus->rescinded(ch),
			   msecs_to_jiffies(ms));
}

/*
 * 0 when the host does not hold the memory any more. It ends without that only if it
 * @may_give_up.
 */
static int kmcl_gpadl_tell(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl,
			   bool may_give_up)
{
	unsigned int tries = 0;
	int err;

	for (;;) {
		err = ch->bus->teardown_gpadl(ch, &gpadl->wire);
		if (!err || ch->bus->rescinded(ch))
			return 0;
		tries++;
		if (may_give_up && kmcl_gpadl_gives_up(err, tries))
			return err;
		kmcl_gpadl_back_off(ch, tries);
	}
}

/*
 * Returns the error of the last try. A teardown that failed is not sent again: a
 * host before protocol 4.0 would not answer it after the close.
 */
static int kmcl_gpadl_teardown(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, bool may_give_up)
{
	struct kmcl_hostwait watch;
	int err = 0;

	lockdep_assert_held(&ch->control);
	if (gpadl->state == KMCL_GPADL_ESTABLISHED) {
		WRITE_ONCE(gpadl->state, KMCL_GPADL_TELLING);
		kmcl_hostwait_start(&watch, ch, "GPADL delete", gpadl->handle);
		err = kmcl_gpadl_tell(ch, gpadl, may_give_up);
		kmcl_hostwait_stop(&watch);
		WRITE_ONCE(gpadl->state, err ? KMCL_GPADL_UNKNOWN :
					       KMCL_GPADL_GONE);
	} else if (gpadl->state == KMCL_GPADL_UNKNOWN) {
		if (ch->bus->rescinded(ch))
			WRITE_ONCE(gpadl->state, KMCL_GPADL_GONE);
		else
			err = -EIO;
	}
	return err;
}

/*
 * Until the host has answered, debugfs shows it. What the host has let go of is
 * added to @gone, to be freed when ch->control is unlocked. Memory that the module
 * holds can be kept, and so the host is given up on at some time; that of others not.
 */
static void kmcl_gpadl_destroy(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, struct list_head *gone)
{
	int err = kmcl_gpadl_teardown(ch, gpadl, gpadl->memory.held);

	kmcl_gpadl_erase(ch, gpadl);
	trace_vmbkmcl_gpadl_delete(ch, gpadl->handle, gpadl->memory.size, err);
	if (gpadl->state == KMCL_GPADL_GONE) {
		ch->gpadl_stats.deleted++;
		list_add_tail(&gpadl->node, gone);
	} else {
		kmcl_gpadl_quarantine(ch, gpadl, "not torn down", err);
	}
}

static bool kmcl_gpadl_is_proved(const struct kmcl_gpadl *gpadl)
{
	/* Pairs with kmcl_gpadl_prove(): after this, nobody else touches it. */
	return smp_load_acquire(&gpadl->state) == KMCL_GPADL_GONE;
}

/*
 * A half-sent GPADL of memory that only its owner holds: the create must not return
 * before something proves that the host has let go. Without any lock, as the proof
 * may be the end of this channel.
 */
static void kmcl_gpadl_wait_for_proof(struct kmcl_channel *ch,
				      struct kmcl_gpadl *gpadl)
{
	struct kmcl_hostwait watch;

	kmcl_hostwait_start(&watch, ch, "GPADL create, half sent,", 0);
	wait_event(kmcl_quarantine_left, kmcl_gpadl_is_proved(gpadl));
	kmcl_hostwait_stop(&watch);
}

/* With ch->control held: an establish that failed. */
static void kmcl_gpadl_abandon(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, int err)
{
	if (kmcl_gpadl_never_sent(ch, gpadl, err))
		return;
	gpadl->state = KMCL_GPADL_UNKNOWN;
	kmcl_gpadl_quarantine(ch, gpadl, "half sent", err);
}

/* With ch->control held: may there be a GPADL now? */
static int kmcl_gpadl_allowed(struct kmcl_channel *ch)
{
	if (!ch->connected)
		return -ENOTCONN;
	/*
	 * hv_vmbus would decrypt the mapping that it is given, and not the one the
	 * owner uses; and the contents would be lost.
	 */
	if (ch->bus->confidential(ch))
		return -EOPNOTSUPP;
	if (kmcl_quarantine_count(ch->endpoint) >= KMCL_QUARANTINE_MAX) {
		kmcl_warn(ch, "no more GPADLs: %u are in quarantine, whose host could not be told\n",
			  KMCL_QUARANTINE_MAX);
		return -EIO;
	}
	return 0;
}

static int kmcl_gpadl_connect_locked(struct kmcl_channel *ch,
				     struct kmcl_gpadl *gpadl)
{
	int err = kmcl_gpadl_allowed(ch);

	if (err)
		return err;
	err = kmcl_gpadl_establish(ch, gpadl);
	if (err) {
		kmcl_gpadl_abandon(ch, gpadl, err);
		err = ch->bus->rescinded(ch) ? -ENODEV : kmcl_host_error(err);
		ch->gpadl_stats.failed++;
		kmcl_warn(ch, "GPADL of %u bytes not created: %d\n",
			  gpadl->memory.size, err);
	} else {
		gpadl->state = KMCL_GPADL_ESTABLISHED;
		kmcl_gpadl_insert(ch, gpadl);
		ch->gpadl_stats.created++;
	}
	trace_vmbkmcl_gpadl_create(ch, err ? 0 : gpadl->handle,
				   gpadl->memory.size, err);
	return err;
}

/* Takes over @gpadl, whatever comes of it. */
static int kmcl_gpadl_connect(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl,
			      u32 *handle)
{
	bool gone, half_sent;
	int err;

	mutex_lock(&ch->control);
	err = kmcl_gpadl_connect_locked(ch, gpadl);
	if (!err)
		*handle = gpadl->handle;
	/* Without the lock a delete or a proof may free what exists or is held. */
	gone = gpadl->state == KMCL_GPADL_GONE;
	half_sent = gpadl->state == KMCL_GPADL_UNKNOWN && !gpadl->memory.held;
	mutex_unlock(&ch->control);

	if (half_sent) {
		kmcl_gpadl_wait_for_proof(ch, gpadl);
		err = -ENODEV;
	}
	if (gone || half_sent)
		kmcl_gpadl_free(gpadl);
	return err;
}

/* Asked before anything is held, and once more before anything is sent. */
static int kmcl_gpadl_may_create(struct kmcl_channel *ch)
{
	int err;

	mutex_lock(&ch->control);
	err = kmcl_gpadl_allowed(ch);
	mutex_unlock(&ch->control);
	return err;
}

static int kmcl_gpadl_create(struct kmcl_channel *ch, void *addr, u32 bytes,
			     bool read_only, u32 *handle)
{
	struct kmcl_gpadl *gpadl;
	int err;

	err = kmcl_gpadl_may_create(ch);
	if (err)
		return err;
	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL_ACCOUNT);
	if (!gpadl)
		return -ENOMEM;
	err = kmcl_memory_hold(&gpadl->memory, addr, bytes, read_only);
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
 *	block after the first can not be: the caller keeps them until the delete
 *	has returned, which for such memory is only when the host has let go.
 * @byte_count: bytes, at most 8190 pages of 4 KiB; whole pages, or for vmalloc memory
 *	and blocks of the page allocator rounded up to them
 * @gpadl_handle: where the handle for the server goes; untouched on failure
 *
 * When it returns, the server can map the memory. Creates and deletes of one
 * channel take turns. A create of which the host got only a part keeps the memory
 * in quarantine; where the memory cannot be referenced, this does not return before
 * the device is gone, and the log names the wait.
 *
 * Context: may sleep, as long as the host takes to answer; the log names a wait
 * of more than a few seconds. For user memory the owning process's context.
 * Return: %STATUS_SUCCESS; %STATUS_INVALID_PARAMETER_1 without a channel, _2 for
 * unknown flags, _3 for a buffer that is NULL, unaligned or on a task's stack, _4 for
 * a length of 0 or one that wraps around, _5 without @gpadl_handle;
 * %STATUS_INVALID_DEVICE_STATE when the channel is not open;
 * %STATUS_INVALID_BUFFER_SIZE for more than 8190 pages or a part of a page whose
 * rest may be somebody else's; %STATUS_ACCESS_VIOLATION where nothing is mapped,
 * or for a user address without a process; %STATUS_ACCESS_DENIED for a writable
 * GPADL over memory that the process, or the kernel at that address, may only
 * read, and for the kernel's or a module's image; %STATUS_NOT_SUPPORTED for user
 * memory that can not be pinned for long (shared mappings of files on disk,
 * devices, secret memory), and for all memory in a confidential VM;
 * %STATUS_THREAD_IS_TERMINATING for a process that is killed meanwhile;
 * %STATUS_IN_PAGE_ERROR for a page that the hardware reported;
 * %STATUS_QUOTA_EXCEEDED over RLIMIT_MEMLOCK; %STATUS_INSUFFICIENT_RESOURCES
 * without memory, or when the host refuses; %STATUS_DEVICE_REMOVED when the
 * device goes meanwhile; %STATUS_UNSUCCESSFUL when the host could not be told, or
 * could not be so often that eight GPADLs of the device are in quarantine.
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
				 struct kmcl_mdl_range *range, bool read_only,
				 u32 *handle)
{
	struct kmcl_gpadl *gpadl;
	int err;

	err = kmcl_gpadl_may_create(ch);
	if (err)
		return err;
	err = kmcl_mdl_range_check(range,
				   KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE,
				   KMCL_CHAIN_MAX);
	if (err)
		return err;

	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL_ACCOUNT);
	if (!gpadl)
		return -ENOMEM;
	err = kmcl_memory_hold_mdl_range(&gpadl->memory, range, read_only);
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
 * %STATUS_INVALID_BUFFER_SIZE for more than 8190 pages or a part of a page whose
 * rest may be somebody else's; %STATUS_ACCESS_DENIED for a writable GPADL over
 * memory that was locked for reading or may only be read, and for pages that are
 * not the page allocator's, as the kernel's image and MMIO; %STATUS_NOT_SUPPORTED
 * for user memory that can not be pinned for long, and in a confidential VM;
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
	struct kmcl_mdl_range range = {
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

	err = kmcl_gpadl_create_mdl(channel, &range,
				    flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    gpadl_handle);
	return kmcl_mdl_range_status(err, 3);
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
	struct kmcl_mdl_range range = {};
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
		       GFP_KERNEL_ACCOUNT);
	if (!mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmInitializeMdl(mdl, NULL, pfn_count * MDL_PAGE_SIZE);
	memcpy(MmGetMdlPfnArray(mdl), pfns, pfn_count * sizeof(*pfns));
	/* That the pages may be written is the caller's word. */
	mdl->MdlFlags |= MDL_PARTIAL | MDL_WRITE_OPERATION;
	range.mdl = mdl;
	err = kmcl_gpadl_create_mdl(channel, &range,
				    flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY,
				    gpadl_handle);
	kvfree(mdl);
	return kmcl_mdl_range_status(err == -ERANGE ? -EINVAL : err, 3);
}
EXPORT_SYMBOL_GPL(VmbChannelCreateGpadlFromPfnList);

/**
 * VmbChannelDeleteGpadl() - take a buffer back from the server
 * @channel: the channel it was created on, until EvtChannelClosed has returned
 * @gpadl_handle: from VmbChannelCreateGpadlFromBuffer() or
 *	VmbChannelCreateGpadlFromMdl()
 *
 * When it returns the host has let go of the memory, or the module keeps it: if
 * the host could not be told, memory that is pinned or referenced is put in
 * quarantine until the device goes, and the log and debugfs name it. For memory
 * that only its owner holds this tries again until the host is told or the device
 * goes. An unknown handle, or one deleted before, is named in the log and changes
 * nothing.
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
	gpadl = kmcl_gpadl_look_up(ch, gpadl_handle);
	if (gpadl)
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);

/* With ch->control held. A GPADL that the host was not told of stays what it is. */
static int kmcl_gpadl_try_destroy(struct kmcl_channel *ch,
				  struct kmcl_gpadl *gpadl,
				  struct list_head *gone)
{
	enum kmcl_gpadl_state was = gpadl->state;
	int err = kmcl_gpadl_teardown(ch, gpadl, true);

	if (err)
		WRITE_ONCE(gpadl->state, was);
	else
		kmcl_gpadl_destroy(ch, gpadl, gone);
	return err;
}

/**
 * VmbChannelTryDeleteGpadl() - take a buffer back from the server, or say why not
 * @channel: the channel it was created on, until EvtChannelClosed has returned
 * @gpadl_handle: of a GPADL of the channel
 *
 * VmbChannelDeleteGpadl() for a client that would rather know. On a failure the GPADL
 * is what it was, the memory has to be kept, and this can be called again; what is
 * left at the close is deleted as with VmbChannelDeleteGpadl().
 *
 * Context: may sleep, as long as the server has the GPADL mapped; the log names
 * a wait of more than a few seconds. Any process.
 * Return: %STATUS_SUCCESS: the host has let go; %STATUS_INVALID_PARAMETER_1 without a
 * channel; %STATUS_INVALID_PARAMETER_2 for a handle that is none of the channel's;
 * %STATUS_INSUFFICIENT_RESOURCES without memory; %STATUS_UNSUCCESSFUL when the host
 * could not be told.
 * Source: this library's own; KMCL's delete returns nothing.
 */
NTSTATUS VmbChannelTryDeleteGpadl(VMBCHANNEL channel, UINT32 gpadl_handle)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;
	struct kmcl_channel *ch = channel;
	struct kmcl_gpadl *gpadl;
	LIST_HEAD(gone);

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;

	mutex_lock(&ch->control);
	gpadl = kmcl_gpadl_look_up(ch, gpadl_handle);
	if (gpadl)
		status = kmcl_status(kmcl_host_error(kmcl_gpadl_try_destroy(ch,
									    gpadl,
									    &gone)));
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelTryDeleteGpadl);

/* The GPADL that a teardown was sent for, as one at most is; 0 when there is none. */
static u32 kmcl_gpadl_in_teardown(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;
	u32 handle = 0;

	spin_lock(&ch->gpadls_lock);
	hash_for_each(ch->gpadls, bucket, gpadl, entry)
		if (READ_ONCE(gpadl->state) == KMCL_GPADL_TELLING)
			handle = gpadl->handle;
	spin_unlock(&ch->gpadls_lock);
	return handle;
}

/*
 * Locks ch->control for the close. A delete holds it for as long as the server has the
 * GPADL mapped, and cannot be cut short: hv_vmbus wakes one waiter only. So the wait
 * is named, with the GPADL that it is for.
 */
void kmcl_gpadl_lock_for_close(struct kmcl_channel *ch)
{
	struct kmcl_hostwait watch;

	if (mutex_trylock(&ch->control))
		return;
	kmcl_hostwait_start(&watch, ch,
			    "close, behind another call's wait on the host,",
			    kmcl_gpadl_in_teardown(ch));
	mutex_lock(&ch->control);
	kmcl_hostwait_stop(&watch);
}

/*
 * Before protocol 4.0 a host can not be told of GPADLs once the channel is
 * closed. The objects stay for the client to delete. With ch->control held.
 */
void kmcl_gpadl_disconnect_all(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;

	hash_for_each(ch->gpadls, bucket, gpadl, entry)
		kmcl_gpadl_teardown(ch, gpadl, gpadl->memory.held);
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
			ch->name, gpadl->handle, gpadl->memory.size);
		ch->gpadl_stats.leftovers++;
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}

/* Something proved that the host has let go. With kmcl_quarantine_lock held. */
static void kmcl_gpadl_prove(struct kmcl_gpadl *gpadl, struct list_head *gone)
{
	pr_info("%s: GPADL %#x: the device is gone: %u bytes are given back\n",
		gpadl->owner, gpadl->handle, gpadl->memory.size);
	list_del(&gpadl->node);
	if (gpadl->memory.held)
		list_add_tail(&gpadl->node, gone);
	/*
	 * Pairs with kmcl_gpadl_wait_for_proof(): that frees one that is not held, so
	 * this comes after all else.
	 */
	smp_store_release(&gpadl->state, KMCL_GPADL_GONE);
}

/**
 * kmcl_gpadl_device_gone - a bus forgets a device
 * @endpoint: what the bus gave to kmcl_channel_attach(); no channel has it any more
 * @rescinded: the host took the device back, and so holds none of its GPADLs
 *
 * A rescind is what the quarantine waits for. After any other end, as an unbind,
 * nothing will tell that the host has let go: the memory stays for good.
 *
 * Context: may sleep.
 */
void kmcl_gpadl_device_gone(const void *endpoint, bool rescinded)
{
	struct kmcl_gpadl *gpadl, *next;
	LIST_HEAD(gone);

	mutex_lock(&kmcl_quarantine_lock);
	list_for_each_entry_safe(gpadl, next, &kmcl_quarantine, node) {
		if (gpadl->endpoint != endpoint)
			continue;
		if (rescinded)
			kmcl_gpadl_prove(gpadl, &gone);
		else
			gpadl->endpoint = NULL;
	}
	mutex_unlock(&kmcl_quarantine_lock);
	wake_up_all(&kmcl_quarantine_left);
	kmcl_gpadl_free_all(&gone);
}
KMCL_EXPORT_TO_BUSES(kmcl_gpadl_device_gone);

static void kmcl_gpadl_show_one(const struct kmcl_gpadl *gpadl,
				struct seq_file *m)
{
	seq_printf(m, "%#x %u bytes %s %s, %s", gpadl->handle,
		   gpadl->memory.size, kmcl_memory_kind_name(&gpadl->memory),
		   gpadl->memory.read_only ? "read-only" : "writable",
		   kmcl_memory_holder(&gpadl->memory));
	if (READ_ONCE(gpadl->state) == KMCL_GPADL_TELLING)
		seq_puts(m, ", teardown sent");
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

void kmcl_gpadl_init(struct kmcl_channel *ch)
{
	spin_lock_init(&ch->gpadls_lock);
	hash_init(ch->gpadls);
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
		       gpadl->handle, gpadl->owner, gpadl->memory.size);
		list_del(&gpadl->node);
		kmemleak_not_leak(gpadl);
	}
}
