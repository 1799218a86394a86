// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounce buffers: memory that the host can access, even in a confidential VM.
 *
 * The host can not read the memory of a confidential VM, and memory that is made
 * visible to it loses its contents. So a client allocates memory that is visible
 * from the beginning, copies its data there and back ("bounces" it), and creates
 * GPADLs of that memory.
 *
 * A bounce buffer belongs to the client until the client frees it, or until the
 * channel is cleaned up. Each GPADL in it holds a reference, also in quarantine: to
 * free the memory means to hide it from the host, which must have released it.
 */

#include <linux/export.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>

#include <vmbkmcl/linux.h>

#include "bus.h"
#include "channel.h"
#include "gpadl.h"
#include "gpadl_bounce.h"
#include "status.h"

/**
 * struct kmcl_bounce - a bounce buffer
 * @ref: references: one of the client, one of each GPADL in the buffer
 * @node: in &kmcl_channel.bounces, under &kmcl_channel.control
 * @bus: the bus that has allocated the memory; it is not unloaded meanwhile
 * @memory: the memory
 */
struct kmcl_bounce {
	struct kref ref;
	struct list_head node;
	const struct kmcl_bus_ops *bus;
	struct kmcl_bus_bounce memory;
};

static void kmcl_bounce_free(struct kref *ref)
{
	struct kmcl_bounce *bounce = container_of(ref, struct kmcl_bounce, ref);
	struct module *owner = bounce->bus->owner;

	bounce->bus->free_bounce(&bounce->memory);
	module_put(owner);
	kfree(bounce);
}

/* @bounce may be NULL. May sleep. */
void kmcl_bounce_put(struct kmcl_bounce *bounce)
{
	if (bounce)
		kref_put(&bounce->ref, kmcl_bounce_free);
}

static bool kmcl_bounce_contains(const struct kmcl_bounce *bounce,
				 const void *va, u32 bytes)
{
	size_t skip = va - bounce->memory.va;

	return bytes && va >= bounce->memory.va && skip < bounce->memory.size &&
	       bytes <= bounce->memory.size - skip;
}

/*
 * The bounce buffer of the channel that has all of the memory, or NULL. The caller
 * takes a reference before it unlocks ch->control, if it needs one.
 */
struct kmcl_bounce *kmcl_bounce_find(struct kmcl_channel *ch, const void *va,
				     u32 bytes)
{
	struct kmcl_bounce *bounce;

	lockdep_assert_held(&ch->control);
	list_for_each_entry(bounce, &ch->bounces, node)
		if (kmcl_bounce_contains(bounce, va, bytes))
			return bounce;
	return NULL;
}

struct kmcl_bounce *kmcl_bounce_get(struct kmcl_bounce *bounce)
{
	if (bounce)
		kref_get(&bounce->ref);
	return bounce;
}

/* Free what the client has left. The channel is disabled and has no GPADLs. */
void kmcl_bounces_free(struct kmcl_channel *ch)
{
	struct kmcl_bounce *bounce, *next;

	list_for_each_entry_safe(bounce, next, &ch->bounces, node) {
		list_del(&bounce->node);
		kmcl_bounce_put(bounce);
	}
}

static u64 kmcl_bounces_size(const struct kmcl_channel *ch)
{
	const struct kmcl_bounce *bounce;
	u64 size = 0;

	list_for_each_entry(bounce, &ch->bounces, node)
		size += bounce->memory.size;
	return size;
}

static int kmcl_bounce_alloc_locked(struct kmcl_channel *ch,
				    struct kmcl_bounce *bounce)
{
	int err;

	lockdep_assert_held(&ch->control);
	if (!ch->connected)
		return -ENOTCONN;
	if (kmcl_bounces_size(ch) + bounce->memory.size > ch->set.bounce_size)
		return -EDQUOT;
	err = ch->bus->alloc_bounce(ch, &bounce->memory);
	if (err)
		return err;
	bounce->bus = ch->bus;
	__module_get(bounce->bus->owner);
	list_add_tail(&bounce->node, &ch->bounces);
	return 0;
}

static int kmcl_bounce_alloc(struct kmcl_channel *ch, u32 bytes, void **va)
{
	struct kmcl_bounce *bounce;
	int err;

	bounce = kzalloc(sizeof(*bounce), GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;
	kref_init(&bounce->ref);
	bounce->memory.size = PAGE_ALIGN(bytes);
	mutex_lock(&ch->control);
	err = kmcl_bounce_alloc_locked(ch, bounce);
	if (!err)
		*va = bounce->memory.va;
	mutex_unlock(&ch->control);
	if (err)
		kfree(bounce);
	return err;
}

/**
 * VmbChannelAllocateBounceBuffer() - allocate memory that the host can access
 * @channel: an open channel: from EvtChannelOpened until EvtChannelClosed
 * @byte_count: size in bytes, which is rounded up to whole pages
 * @buffer: set to the page-aligned address of the memory, which is zeroed; untouched
 *	on failure
 *
 * VmbChannelCreateGpadlFromBuffer() shares the memory, or whole pages of it, with the
 * server. In a confidential VM this is the only memory that can be shared. The host
 * can access the memory at all times, not only while there is a GPADL of it, so put
 * nothing there that the host must not see.
 *
 * The memory stays, also while the channel is closed, until
 * VmbChannelFreeBounceBuffer() or VmbChannelCleanup().
 *
 * Context: may sleep, also until another call on the channel has been completed by
 * the host.
 * Return:
 * * %STATUS_SUCCESS - the memory is allocated
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @byte_count is 0 or more than 8190 pages of 4 KiB
 * * %STATUS_INVALID_PARAMETER_3 - @buffer is %NULL
 * * %STATUS_INVALID_DEVICE_STATE - the channel is not open
 * * %STATUS_QUOTA_EXCEEDED - more than VmbChannelInitSetBounceBufferSizes() allows
 * * %STATUS_NOT_SUPPORTED - the VM is confidential, and this kernel has no such
 *   memory
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
 * Source: the name is Microsoft's, the prototype ours.
 */
NTSTATUS VmbChannelAllocateBounceBuffer(VMBCHANNEL channel, UINT32 byte_count,
					PVOID *buffer)
{
	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	if (!byte_count ||
	    byte_count > KMCL_GPADL_MAX_PAGES * KMCL_HV_PAGE_SIZE)
		return STATUS_INVALID_PARAMETER_2;
	if (!buffer)
		return STATUS_INVALID_PARAMETER_3;
	return kmcl_status(kmcl_bounce_alloc(channel, byte_count, buffer));
}
EXPORT_SYMBOL_GPL(VmbChannelAllocateBounceBuffer);

static struct kmcl_bounce *kmcl_bounce_remove(struct kmcl_channel *ch,
					      const void *va)
{
	struct kmcl_bounce *bounce, *found = NULL;

	mutex_lock(&ch->control);
	list_for_each_entry(bounce, &ch->bounces, node)
		if (bounce->memory.va == va)
			found = bounce;
	if (found)
		list_del(&found->node);
	mutex_unlock(&ch->control);
	return found;
}

/**
 * VmbChannelFreeBounceBuffer() - free a bounce buffer
 * @channel: the channel of the buffer
 * @buffer: address from VmbChannelAllocateBounceBuffer()
 *
 * If there are GPADLs of the buffer, the memory is freed after the last of them.
 *
 * Context: may sleep, also until another call on the channel has been completed by
 * the host.
 * Return:
 * * %STATUS_SUCCESS - the buffer is not the client's any more
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @channel has no bounce buffer at this address
 *
 * Source: this library.
 */
NTSTATUS VmbChannelFreeBounceBuffer(VMBCHANNEL channel, PVOID buffer)
{
	struct kmcl_bounce *bounce;

	might_sleep();
	if (!channel)
		return STATUS_INVALID_PARAMETER_1;
	bounce = kmcl_bounce_remove(channel, buffer);
	if (!bounce)
		return STATUS_INVALID_PARAMETER_2;
	kmcl_bounce_put(bounce);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(VmbChannelFreeBounceBuffer);
