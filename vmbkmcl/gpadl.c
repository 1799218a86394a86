// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs: memory of the guest that the server can map.
 *
 * The most important rule: memory is returned to its owner only when the host is
 * known to have released it. There are two cases if the host could not be told to
 * release it:
 *
 * - Memory that the module holds with pins or references is put in quarantine. It is
 *   freed when the host rescinds the device, which proves that the host has released
 *   the memory.
 * - Memory that only its owner holds (&kmcl_memory.held is not set) can not be kept
 *   by a quarantine. The API function does not return to the owner before the host
 *   has released the memory.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/kmemleak.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include <vmbkmcl/linux.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"
#include "gpadl.h"
#include "gpadl_bounce.h"
#include "hostwait.h"
#include "mdl_range.h"
#include "memory.h"
#include "status.h"
#include "trace.h"

/*
 * Waits between the tries of a teardown that failed for want of memory: 10 ms,
 * 20 ms, ..., 1 s, in all about 3 s.
 */
#define KMCL_TEARDOWN_TRIES		10
#define KMCL_TEARDOWN_WAIT_MS		10
#define KMCL_TEARDOWN_WAIT_MAX_MS	1000

/*
 * Most GPADLs of one device in quarantine. Beyond that, creates fail: a client that
 * tries again and again would lose up to 32 MiB each time.
 */
#define KMCL_QUARANTINE_MAX	8

/* What is known about the host's use of the memory. */
enum kmcl_gpadl_state {
	KMCL_GPADL_GONE,	/* the host released it, or never had it */
	KMCL_GPADL_ESTABLISHED,	/* the host may map it */
	KMCL_GPADL_TEARDOWN_SENT, /* the host has not replied yet */
	KMCL_GPADL_UNKNOWN,	/* the host may map it and can not be told */
};

/*
 * &kmcl_channel.control guards all members, or kmcl_quarantine_lock for a GPADL in the
 * quarantine. @state can be read without a lock.
 */
struct kmcl_gpadl {
	struct kmcl_memory memory;
	struct kmcl_bounce *bounce;	/* the memory is in this buffer; or NULL */
	struct kmcl_bus_gpadl wire;
	enum kmcl_gpadl_state state;
	u32 handle;
	struct hlist_node entry;	/* in &kmcl_channel.gpadls */
	struct list_head node;		/* in the quarantine, or to be freed */
	/* In quarantine: */
	const void *endpoint;		/* device whose rescind is waited for */
	struct module *bus;		/* tells of the rescind, so it is not unloaded */
	char owner[KMCL_NAME_MAX];	/* name of the channel */
	const char *reason;
};

static LIST_HEAD(kmcl_quarantine);
static DEFINE_MUTEX(kmcl_quarantine_lock);
/* Woken after GPADLs have left the quarantine. */
static DECLARE_WAIT_QUEUE_HEAD(kmcl_quarantine_left);

static void kmcl_gpadl_quarantine_locked(struct kmcl_channel *ch,
					 struct kmcl_gpadl *gpadl,
					 const char *reason, int err)
{
	lockdep_assert_held(&kmcl_quarantine_lock);
	gpadl->reason = reason;
	gpadl->endpoint = ch->endpoint;
	gpadl->bus = ch->bus->owner;
	__module_get(gpadl->bus);
	strscpy(gpadl->owner, ch->name, sizeof(gpadl->owner));
	list_add_tail(&gpadl->node, &kmcl_quarantine);

	ch->gpadl_stats.quarantined++;
	trace_vmbkmcl_gpadl_quarantine(ch, gpadl->handle, gpadl->memory.size,
				       err);
	kmcl_err(ch, "GPADL %#x: %s (%d): %u bytes of %s memory, %s, are kept until the device goes\n",
		 gpadl->handle, reason, err, gpadl->memory.size,
		 kmcl_memory_kind_name(&gpadl->memory),
		 kmcl_memory_holder(&gpadl->memory));
}

/*
 * Put the GPADL in quarantine, or return false if the host has rescinded the device
 * meanwhile. The bus of a sub-channel tells of the rescind without ch->control. So the
 * question is asked under kmcl_quarantine_lock: if the answer is no,
 * kmcl_gpadl_device_gone() comes later and finds the GPADL. It frees memory that the
 * module holds, so the caller must not access a GPADL that is in quarantine.
 */
static bool kmcl_gpadl_quarantine(struct kmcl_channel *ch,
				  struct kmcl_gpadl *gpadl, const char *reason,
				  int err)
{
	bool rescinded;

	mutex_lock(&kmcl_quarantine_lock);
	rescinded = ch->bus->rescinded(ch);
	if (!rescinded)
		kmcl_gpadl_quarantine_locked(ch, gpadl, reason, err);
	mutex_unlock(&kmcl_quarantine_lock);
	return !rescinded;
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

/* This takes folio locks, so it must be called without a lock of this module. */
static void kmcl_gpadl_free(struct kmcl_gpadl *gpadl)
{
	kmcl_memory_release(&gpadl->memory);
	kmcl_bounce_put(gpadl->bounce);
	kfree(gpadl);
}

/* As kmcl_gpadl_free(), for what kmcl_gpadl_prove_all() has put in @gone. */
void kmcl_gpadl_free_all(struct list_head *gone)
{
	struct kmcl_gpadl *gpadl, *next;

	list_for_each_entry_safe(gpadl, next, gone, node)
		kmcl_gpadl_free(gpadl);
}

/*
 * The hash table of a channel's GPADLs changes under both ch->control and
 * ch->gpadls_lock. A delete may hold ch->control for as long as the host blocks, so
 * readers such as debugfs take only ch->gpadls_lock.
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

/* Find the GPADL of a handle that a client passed. Log a line if there is none. */
static struct kmcl_gpadl *kmcl_gpadl_lookup(struct kmcl_channel *ch,
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

static int kmcl_gpadl_establish(struct kmcl_channel *ch,
				struct kmcl_gpadl *gpadl)
{
	struct kmcl_hostwait wait;
	int err;

	kmcl_hostwait_start(&wait, ch, "GPADL create", 0);
	gpadl->wire.va = gpadl->memory.va;
	gpadl->wire.size = gpadl->memory.size;
	gpadl->wire.in_bounce = gpadl->bounce;
	gpadl->wire.pages = gpadl->memory.pages;
	gpadl->wire.read_only = gpadl->memory.read_only;
	err = ch->bus->establish_gpadl(ch, &gpadl->wire);
	kmcl_hostwait_stop(&wait);
	if (!err)
		gpadl->handle = gpadl->wire.handle;
	return err;
}

/*
 * True if a failed teardown is not tried again. Only a lack of memory is worth
 * another try. hv_vmbus has tried for minutes already to post a message before it
 * fails with another error.
 */
static bool kmcl_gpadl_gives_up(int err, unsigned int tries)
{
	return err != -ENOMEM || tries == KMCL_TEARDOWN_TRIES;
}

/*
 * Wait between two tries. A rescind ends the wait, and then the next try is the
 * last.
 */
static void kmcl_gpadl_back_off(struct kmcl_channel *ch, unsigned int tries)
{
	unsigned int ms = KMCL_TEARDOWN_WAIT_MS << min(tries - 1, 10U);

	ms = min_t(unsigned int, ms, KMCL_TEARDOWN_WAIT_MAX_MS);
	wait_event_timeout(ch->changed, ch->bus->rescinded(ch),
			   msecs_to_jiffies(ms));
}

/*
 * Send the teardown until the host has released the memory, then return 0. Without
 * @may_give_up this is the only way to return.
 */
static int kmcl_gpadl_send_teardown(struct kmcl_channel *ch,
				    struct kmcl_gpadl *gpadl, bool may_give_up)
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
 * Tear the GPADL down, and return the error of the last try. After a failure the state
 * is KMCL_GPADL_UNKNOWN, and a later call does not send the teardown again: a host
 * before protocol 4.0 would not reply to it after the close.
 */
static int kmcl_gpadl_teardown(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, bool may_give_up)
{
	struct kmcl_hostwait wait;
	int err = 0;

	lockdep_assert_held(&ch->control);
	if (gpadl->state == KMCL_GPADL_ESTABLISHED) {
		WRITE_ONCE(gpadl->state, KMCL_GPADL_TEARDOWN_SENT);
		kmcl_hostwait_start(&wait, ch, "GPADL delete", gpadl->handle);
		err = kmcl_gpadl_send_teardown(ch, gpadl, may_give_up);
		kmcl_hostwait_stop(&wait);
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
 * Tear the GPADL down and remove it from the channel. If the host has released
 * the memory, add the GPADL to @gone, which the caller frees after it has
 * unlocked ch->control; otherwise put it in quarantine. Only memory that the
 * module holds can be put in quarantine, so the teardown gives up only on such
 * memory. The GPADL stays in the hash table until the host has replied, so that
 * debugfs shows it.
 */
static void kmcl_gpadl_destroy(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, struct list_head *gone)
{
	int err = kmcl_gpadl_teardown(ch, gpadl, gpadl->memory.held);

	kmcl_gpadl_erase(ch, gpadl);
	trace_vmbkmcl_gpadl_delete(ch, gpadl->handle, gpadl->memory.size, err);
	if (gpadl->state == KMCL_GPADL_GONE ||
	    !kmcl_gpadl_quarantine(ch, gpadl, "not torn down", err)) {
		ch->gpadl_stats.deleted++;
		list_add_tail(&gpadl->node, gone);
	}
}

static bool kmcl_gpadl_is_proved(const struct kmcl_gpadl *gpadl)
{
	/* Pairs with kmcl_gpadl_prove(), whose last access to @gpadl is the store. */
	return smp_load_acquire(&gpadl->state) == KMCL_GPADL_GONE;
}

/*
 * The host may have got a part of this GPADL, and only the owner holds the memory.
 * So the create must not return before the device is rescinded. The caller must not
 * hold ch->control, which the close of this channel needs before the device is gone.
 */
static void kmcl_gpadl_wait_for_proof(struct kmcl_channel *ch,
				      struct kmcl_gpadl *gpadl)
{
	struct kmcl_hostwait wait;

	kmcl_hostwait_start(&wait, ch, "GPADL create, half sent,", 0);
	kmcl_hostwait_event(kmcl_quarantine_left, kmcl_gpadl_is_proved(gpadl));
	kmcl_hostwait_stop(&wait);
}

/*
 * Called after an establish that failed with @err. Returns true if the GPADL is in
 * quarantine.
 */
static bool kmcl_gpadl_abandon(struct kmcl_channel *ch,
			       struct kmcl_gpadl *gpadl, int err)
{
	lockdep_assert_held(&ch->control);
	if (ch->bus->rescinded(ch) ||
	    kmcl_gpadl_is_unsent(gpadl->memory.size, err))
		return false;
	gpadl->state = KMCL_GPADL_UNKNOWN;
	return kmcl_gpadl_quarantine(ch, gpadl, "half sent", err);
}

/*
 * Returns 0 if a GPADL can be created now, or the reason why not. @bounce: the bounce
 * buffer that has the memory, or NULL.
 */
static int kmcl_gpadl_allowed(struct kmcl_channel *ch,
			      const struct kmcl_bounce *bounce)
{
	lockdep_assert_held(&ch->control);
	if (!ch->connected)
		return -ENOTCONN;
	/*
	 * hv_vmbus would make only its own mapping of the memory visible to the
	 * host, not the owner's mapping, and the contents would be lost.
	 */
	if (!bounce && ch->bus->confidential(ch))
		return -EOPNOTSUPP;
	if (kmcl_quarantine_count(ch->endpoint) >= KMCL_QUARANTINE_MAX) {
		kmcl_warn(ch, "no more GPADLs: %u are in quarantine, whose host could not be told\n",
			  KMCL_QUARANTINE_MAX);
		return -EIO;
	}
	return 0;
}

/* @kept: set if the GPADL is in quarantine */
static int kmcl_gpadl_connect_locked(struct kmcl_channel *ch,
				     struct kmcl_gpadl *gpadl, bool *kept)
{
	int err = kmcl_gpadl_allowed(ch, gpadl->bounce);
	u32 size = gpadl->memory.size;

	*kept = false;
	if (err)
		return err;
	err = kmcl_gpadl_establish(ch, gpadl);
	if (err) {
		*kept = kmcl_gpadl_abandon(ch, gpadl, err);
		err = ch->bus->rescinded(ch) ? -ENODEV : kmcl_host_error(err);
		ch->gpadl_stats.failed++;
		kmcl_warn(ch, "GPADL of %u bytes not created: %d\n", size,
			  err);
	} else {
		gpadl->state = KMCL_GPADL_ESTABLISHED;
		kmcl_gpadl_insert(ch, gpadl);
		ch->gpadl_stats.created++;
	}
	trace_vmbkmcl_gpadl_create(ch, err ? 0 : gpadl->handle, size, err);
	return err;
}

/* Create @gpadl at the host. The caller must not access @gpadl afterwards. */
static int kmcl_gpadl_connect(struct kmcl_channel *ch, struct kmcl_gpadl *gpadl,
			      u32 *handle)
{
	/* A rescind frees what is in quarantine, unless only its owner holds it. */
	bool is_owned = !gpadl->memory.held;
	bool kept, waits;
	int err;

	mutex_lock(&ch->control);
	err = kmcl_gpadl_connect_locked(ch, gpadl, &kept);
	/* After the unlock, a delete can free the GPADL. */
	if (!err)
		*handle = gpadl->handle;
	waits = kept && is_owned;
	/* The wait below names the channel, which may be cleaned up meanwhile. */
	if (waits)
		kmcl_channel_get(ch);
	mutex_unlock(&ch->control);

	if (waits) {
		kmcl_gpadl_wait_for_proof(ch, gpadl);
		err = -ENODEV;
		kmcl_channel_put(ch);
	}
	if (waits || (err && !kept))
		kmcl_gpadl_free(gpadl);
	return err;
}

/*
 * Check the channel before the memory is held, so that nothing is pinned or
 * charged in vain. ch->control must not be held while memory is pinned: a page
 * fault can block for as long as a process likes (userfaultfd), and a close
 * needs ch->control. As the result can change meanwhile,
 * kmcl_gpadl_connect_locked() checks again.
 *
 * @bounce: set to the bounce buffer that has the @bytes at @addr, with a reference, or
 *	to NULL.
 */
static int kmcl_gpadl_may_create(struct kmcl_channel *ch, const void *addr,
				 u32 bytes, struct kmcl_bounce **bounce)
{
	int err;

	mutex_lock(&ch->control);
	*bounce = kmcl_bounce_find(ch, addr, bytes);
	err = kmcl_gpadl_allowed(ch, *bounce);
	if (!err)
		kmcl_bounce_get(*bounce);
	mutex_unlock(&ch->control);
	return err;
}

static int kmcl_gpadl_create(struct kmcl_channel *ch, void *addr, u32 bytes,
			     bool read_only, u32 *handle)
{
	struct kmcl_bounce *bounce;
	struct kmcl_gpadl *gpadl;
	int err;

	err = kmcl_gpadl_may_create(ch, addr, bytes, &bounce);
	if (err)
		return err;
	err = -ENOMEM;
	gpadl = kzalloc(sizeof(*gpadl), GFP_KERNEL_ACCOUNT);
	if (!gpadl)
		goto put_bounce;
	gpadl->bounce = bounce;
	err = kmcl_memory_hold(&gpadl->memory, addr, bytes, read_only);
	if (err)
		goto free;
	return kmcl_gpadl_connect(ch, gpadl, handle);

free:
	kfree(gpadl);
put_bounce:
	kmcl_bounce_put(bounce);
	return err;
}

/**
 * VmbChannelCreateGpadlFromBuffer() - let the server map a buffer
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: 0, or %VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY if the server will only
 *	read. The flag does not protect the memory: VMBus has no read-only
 *	GPADL, so the host must be trusted. The memory is then pinned and mapped
 *	read-only, and its pages are not marked dirty afterwards.
 * @buffer: page-aligned start of the memory. An address of the calling process
 *	is pinned, mapped and charged to RLIMIT_MEMLOCK of the process until the
 *	GPADL is deleted, even if the process has ended. A kernel address may be
 *	vmalloc, page allocator or slab memory. Kernel pages are referenced, so
 *	that freeing them early does no harm. Slab memory can not be referenced,
 *	and neither can the pages of a non-compound block after the first: the
 *	caller must keep such memory until the delete returns, and for such
 *	memory the delete returns only when the host has released it.
 * @byte_count: size in bytes, at most 8190 pages of 4 KiB. A multiple of the
 *	page size; other sizes of vmalloc memory and of page allocator blocks
 *	are rounded up.
 * @gpadl_handle: set to the handle for the server; untouched on failure
 *
 * When this function returns, the server can map the memory. Creates and deletes on
 * one channel wait for each other. If the host got only a part of the GPADL, the
 * memory is kept in quarantine; if the memory can not be referenced, this function
 * does not return until the host rescinds the device, and the log names the wait.
 *
 * Context: may sleep, until the host replies; the log names a wait of more than
 * a few seconds. For user memory: in the context of the process that owns it.
 * Return:
 * * %STATUS_SUCCESS - the GPADL exists
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 * * %STATUS_INVALID_PARAMETER_3 - @buffer is %NULL, not page-aligned, or on a
 *   task's stack
 * * %STATUS_INVALID_PARAMETER_4 - @byte_count is 0, or @buffer and @byte_count wrap
 *   around
 * * %STATUS_INVALID_PARAMETER_5 - @gpadl_handle is %NULL
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 * * %STATUS_INVALID_DEVICE_STATE - the channel is not open
 * * %STATUS_INVALID_BUFFER_SIZE - @byte_count is more than 8190 pages of 4 KiB,
 *   or the buffer ends within a page whose other part may belong to somebody
 *   else
 * * %STATUS_ACCESS_VIOLATION - nothing is mapped at a part of the buffer, or
 *   the caller has no process for a user address
 * * %STATUS_ACCESS_DENIED - the GPADL is writable and the process, or the
 *   kernel at that address, may only read the memory; or the memory is the
 *   kernel's or a module's image, or MMIO
 * * %STATUS_NOT_SUPPORTED - the user memory can not be pinned for long (shared
 *   mappings of files on disk, devices, secret memory), or the VM is
 *   confidential and the buffer is no part of one from
 *   VmbChannelAllocateBounceBuffer()
 * * %STATUS_THREAD_IS_TERMINATING - the process was killed meanwhile
 * * %STATUS_IN_PAGE_ERROR - the hardware reported an error of a page
 * * %STATUS_QUOTA_EXCEEDED - RLIMIT_MEMLOCK would be exceeded
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory, or the host
 *   refused
 * * %STATUS_DEVICE_REMOVED - the device was removed meanwhile
 * * %STATUS_UNSUCCESSFUL - the host could not be told, or the device has too
 *   many GPADLs in quarantine
 *
 * Source: Microsoft's FN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER documentation;
 * limits and alignment are those of hv_vmbus, the statuses are ours.
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
	if (channel->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
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
	struct kmcl_bounce *none;
	struct kmcl_gpadl *gpadl;
	int err;

	/* No bounce buffer is found for 0 bytes. */
	err = kmcl_gpadl_may_create(ch, NULL, 0, &none);
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
 * VmbChannelCreateGpadlFromMdl() - let the server map the memory of MDLs
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: as for VmbChannelCreateGpadlFromBuffer()
 * @mdl: chain of at most 512 MDLs with page numbers. The MDLs are the caller's
 *	again when this function returns. The owner of the memory must keep the
 *	memory until the delete returns. Pages are also referenced where that is
 *	possible.
 * @start_offset_within_mdl: offset in bytes of the GPADL in the memory of the
 *	chain. The GPADL must begin at the start of a page.
 * @data_length_within_mdl: size in bytes, at most 8190 pages of 4 KiB, or 0 for
 *	all up to the end of the chain. It is rounded up to whole pages.
 * @gpadl_handle: set to the handle for the server; untouched on failure
 *
 * VMBus describes a GPADL as whole pages. So the part of the GPADL in each MDL
 * begins at the start of a page of the guest's own size, and ends at the end of
 * a page in all MDLs but the last.
 *
 * Context: may sleep, as for VmbChannelCreateGpadlFromBuffer(); in any process.
 * Return:
 * * %STATUS_SUCCESS - the GPADL exists
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 * * %STATUS_INVALID_PARAMETER_3 - @mdl is %NULL, or the chain is too long, has
 *   an MDL without page numbers, describes no byte, has a gap within a page
 *   between two MDLs, or describes the stack of a task
 * * %STATUS_INVALID_PARAMETER_4 - the GPADL begins behind the end of the
 *   memory, or not at the start of a page
 * * %STATUS_INVALID_PARAMETER_5 - the GPADL ends behind the end of the memory
 * * %STATUS_INVALID_PARAMETER_6 - @gpadl_handle is %NULL
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 * * %STATUS_INVALID_DEVICE_STATE - the channel is not open
 * * %STATUS_INVALID_BUFFER_SIZE - the GPADL has more than 8190 pages of 4 KiB,
 *   or it ends within a page whose other part may belong to somebody else
 * * %STATUS_ACCESS_DENIED - the GPADL is writable and the memory was locked for
 *   reading or may only be read; or the pages do not belong to the page
 *   allocator, as those of the kernel's image and MMIO, or a balloon has them
 * * %STATUS_IN_PAGE_ERROR - the hardware reported an error of a page
 * * %STATUS_NOT_SUPPORTED - the user memory can not be pinned for long, or the
 *   VM is confidential
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory, or the host
 *   refused
 * * %STATUS_DEVICE_REMOVED - the device was removed meanwhile
 * * %STATUS_UNSUCCESSFUL - the host could not be told, or the device has too
 *   many GPADLs in quarantine
 *
 * Source: Microsoft's VmbChannelCreateGpadlFromMdl documentation; limits and
 * alignment are those of hv_vmbus, the statuses are ours.
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
	if (channel->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
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
 * VmbChannelCreateGpadlFromPfnList() - let the server map pages given by number
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: as for VmbChannelCreateGpadlFromBuffer()
 * @pfns: array of the numbers of pages of 4 KiB, which is the caller's again
 *	when this function returns. The owner of the pages must keep the pages
 *	until the delete returns. Pages are also referenced where that is
 *	possible. If the guest's own pages are larger, the array has all numbers
 *	of each such page, in order.
 * @pfn_count: number of pages, 1 to 8190
 * @gpadl_handle: set to the handle for the server; untouched on failure
 *
 * Context: may sleep, as for VmbChannelCreateGpadlFromBuffer(); in any process.
 * Return:
 * * %STATUS_SUCCESS - the GPADL exists
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 * * %STATUS_INVALID_PARAMETER_3 - @pfns is %NULL, or has only a part of a
 *   larger page
 * * %STATUS_INVALID_PARAMETER_4 - @pfn_count is 0
 * * %STATUS_INVALID_PARAMETER_5 - @gpadl_handle is %NULL
 * * %STATUS_INVALID_BUFFER_SIZE - @pfn_count is more than 8190
 * * the others that do not name a parameter - as VmbChannelCreateGpadlFromMdl()
 *
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
	if (channel->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
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

	/*
	 * Put the PFNs in an MDL, so that they are checked and held like an
	 * MDL's.
	 */
	mdl = kvmalloc(MmSizeOfMdl(NULL, pfn_count * MDL_PAGE_SIZE),
		       GFP_KERNEL_ACCOUNT);
	if (!mdl)
		return STATUS_INSUFFICIENT_RESOURCES;
	MmInitializeMdl(mdl, NULL, pfn_count * MDL_PAGE_SIZE);
	memcpy(MmGetMdlPfnArray(mdl), pfns, pfn_count * sizeof(*pfns));
	/*
	 * The caller vouches for write access to the pages: nothing here can
	 * check it.
	 */
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
 * @channel: the channel of the GPADL, until EvtChannelClosed has returned
 * @gpadl_handle: handle of a GPADL of @channel
 *
 * When this function returns, the host has released the memory, or the module keeps
 * it: if the host could not be told, memory that the module has pinned or
 * referenced is put in quarantine until the host rescinds the device, and the log
 * and debugfs name it. For memory that only its owner holds, this function tries
 * again until the host is told or has rescinded the device.
 *
 * A handle that does not exist, or is already deleted, and a channel of a server
 * cause a log line and nothing else.
 *
 * Context: may sleep, for as long as the server has the GPADL mapped; the log names
 * a wait of more than a few seconds. In any process.
 *
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
	if (ch->is_server) {
		kmcl_warn(ch, "delete of a GPADL by a server refused\n");
		return;
	}

	mutex_lock(&ch->control);
	gpadl = kmcl_gpadl_lookup(ch, gpadl_handle);
	if (gpadl)
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}
EXPORT_SYMBOL_GPL(VmbChannelDeleteGpadl);

/*
 * Delete the GPADL. If the host could not be told, restore its state, so that another
 * call sends the teardown again.
 */
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
 * @channel: the channel of the GPADL, until EvtChannelClosed has returned
 * @gpadl_handle: handle of a GPADL of @channel
 *
 * Like VmbChannelDeleteGpadl(), for a client that wants to know the result.
 * After a failure the GPADL still exists, the client must keep its memory, and
 * can call this function again. A GPADL that exists at the close is deleted as
 * by VmbChannelDeleteGpadl().
 *
 * Context: may sleep, for as long as the server has the GPADL mapped; the log names
 * a wait of more than a few seconds. In any process.
 * Return:
 * * %STATUS_SUCCESS - the host has released the memory
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @channel has no GPADL with this handle
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a server's
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 * * %STATUS_UNSUCCESSFUL - the host could not be told
 *
 * Source: this library; the delete function of KMCL returns nothing.
 */
NTSTATUS VmbChannelTryDeleteGpadl(VMBCHANNEL channel, UINT32 gpadl_handle)
{
	NTSTATUS status = STATUS_INVALID_PARAMETER_2;
	struct kmcl_channel *ch = channel;
	struct kmcl_gpadl *gpadl;
	LIST_HEAD(gone);
	int err;

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;

	mutex_lock(&ch->control);
	gpadl = kmcl_gpadl_lookup(ch, gpadl_handle);
	if (gpadl) {
		err = kmcl_gpadl_try_destroy(ch, gpadl, &gone);
		status = kmcl_status(kmcl_host_error(err));
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
	return status;
}
EXPORT_SYMBOL_GPL(VmbChannelTryDeleteGpadl);

/*
 * Handle of the GPADL that waits for a teardown, of which there is at most one;
 * or 0.
 */
static u32 kmcl_gpadl_in_teardown(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;
	u32 handle = 0;

	spin_lock(&ch->gpadls_lock);
	hash_for_each(ch->gpadls, bucket, gpadl, entry)
		if (READ_ONCE(gpadl->state) == KMCL_GPADL_TEARDOWN_SENT)
			handle = gpadl->handle;
	spin_unlock(&ch->gpadls_lock);
	return handle;
}

/*
 * Lock ch->control for the close. A delete holds ch->control for as long as the
 * server has the GPADL mapped. The delete can not be interrupted, as hv_vmbus
 * wakes only one waiter. So if the wait takes long, the log names it and the
 * GPADL.
 */
void kmcl_gpadl_lock_for_close(struct kmcl_channel *ch)
{
	struct kmcl_hostwait wait;

	if (mutex_trylock(&ch->control))
		return;
	kmcl_hostwait_start(&wait, ch,
			    "close, behind another call's wait on the host,",
			    kmcl_gpadl_in_teardown(ch));
	mutex_lock(&ch->control);
	kmcl_hostwait_stop(&wait);
}

/*
 * Tear down all GPADLs before the close: a host before protocol 4.0 can not be told
 * after it. The client still has to delete their handles.
 */
void kmcl_gpadl_disconnect_all(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	unsigned int bucket;

	hash_for_each(ch->gpadls, bucket, gpadl, entry)
		kmcl_gpadl_teardown(ch, gpadl, gpadl->memory.held);
}

/* Delete the GPADLs that the client should have deleted in EvtChannelClosed. */
void kmcl_gpadl_delete_leftovers(struct kmcl_channel *ch)
{
	struct kmcl_gpadl *gpadl;
	struct hlist_node *next;
	unsigned int bucket;
	LIST_HEAD(gone);

	mutex_lock(&ch->control);
	hash_for_each_safe(ch->gpadls, bucket, next, gpadl, entry) {
		kmcl_warn_always(ch, "GPADL %#x (%u bytes) left by the client, deleted for it\n",
				 gpadl->handle, gpadl->memory.size);
		ch->gpadl_stats.leftovers++;
		kmcl_gpadl_destroy(ch, gpadl, &gone);
	}
	mutex_unlock(&ch->control);
	kmcl_gpadl_free_all(&gone);
}

/* The host has released the memory. Take the GPADL out of the quarantine. */
static void kmcl_gpadl_prove(struct kmcl_gpadl *gpadl, struct list_head *gone)
{
	lockdep_assert_held(&kmcl_quarantine_lock);
	pr_info("%s: GPADL %#x: the device is gone: %u bytes are given back\n",
		gpadl->owner, gpadl->handle, gpadl->memory.size);
	list_del(&gpadl->node);
	module_put(gpadl->bus);
	if (gpadl->memory.held)
		list_add_tail(&gpadl->node, gone);
	/*
	 * Pairs with kmcl_gpadl_is_proved(). The waiter frees a GPADL that is not
	 * held as soon as it sees this, so this must be the last access.
	 */
	smp_store_release(&gpadl->state, KMCL_GPADL_GONE);
}

/*
 * The host has rescinded the device of @endpoint: take its GPADLs out of the quarantine.
 * Those in @gone are left to kmcl_gpadl_free_all(), as the caller may hold a lock.
 */
void kmcl_gpadl_prove_all(const void *endpoint, struct list_head *gone)
{
	struct kmcl_gpadl *gpadl, *next;

	mutex_lock(&kmcl_quarantine_lock);
	list_for_each_entry_safe(gpadl, next, &kmcl_quarantine, node)
		if (gpadl->endpoint == endpoint)
			kmcl_gpadl_prove(gpadl, gone);
	mutex_unlock(&kmcl_quarantine_lock);
	wake_up_all(&kmcl_quarantine_left);
}

/**
 * kmcl_gpadl_device_gone - tell that the host has rescinded a device
 * @endpoint: as given to kmcl_channel_attach(), or @device of
 *	kmcl_gpadl_device_unbound(). If a channel is attached to it,
 *	the rescinded() operation returns true for the channel.
 *
 * The host has released all GPADLs of the device, so those in quarantine are freed, and
 * a create that waits for that ends. A callback of the client may be in such a create, so
 * a bus that does not call kmcl_channel_detach() must not wait for release() with this.
 *
 * Context: may sleep.
 */
void kmcl_gpadl_device_gone(const void *endpoint)
{
	LIST_HEAD(gone);

	kmcl_gpadl_prove_all(endpoint, &gone);
	kmcl_gpadl_free_all(&gone);
}
KMCL_EXPORT_TO_BUSES(kmcl_gpadl_device_gone);

/**
 * kmcl_gpadl_device_unbound - tell that a bus forgets a device that still exists
 * @endpoint: as given to kmcl_channel_attach(); no channel is attached to it
 *	any more
 * @device: what the bus will call kmcl_gpadl_device_gone() with when the host
 *	rescinds the device
 *
 * The host may still have the GPADLs of the device that are in quarantine, so they
 * stay there.
 *
 * Context: may sleep.
 */
void kmcl_gpadl_device_unbound(const void *endpoint, const void *device)
{
	struct kmcl_gpadl *gpadl;

	mutex_lock(&kmcl_quarantine_lock);
	list_for_each_entry(gpadl, &kmcl_quarantine, node)
		if (gpadl->endpoint == endpoint)
			gpadl->endpoint = device;
	mutex_unlock(&kmcl_quarantine_lock);
}
KMCL_EXPORT_TO_BUSES(kmcl_gpadl_device_unbound);

static void kmcl_gpadl_show_one(const struct kmcl_gpadl *gpadl,
				struct seq_file *m)
{
	seq_printf(m, "%#x %u bytes %s %s, %s", gpadl->handle,
		   gpadl->memory.size, kmcl_memory_kind_name(&gpadl->memory),
		   gpadl->memory.read_only ? "read-only" : "writable",
		   kmcl_memory_holder(&gpadl->memory));
	if (READ_ONCE(gpadl->state) == KMCL_GPADL_TEARDOWN_SENT)
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
	INIT_LIST_HEAD(&ch->bounces);
}

/*
 * A bus with GPADLs in quarantine, and with it this module, can be unloaded only if
 * it is no module itself. Then the list is forgotten, but its memory is not freed:
 * pins, references and charges stay. kmemleak must not report that as a leak.
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
