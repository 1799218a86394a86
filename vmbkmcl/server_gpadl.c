// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping the GPADLs of a client.
 *
 * The mapping of a GPADL is an MDL of the client's own pages. The bus keeps the
 * pages for the server until the GPADL is unmapped: so long the client's delete
 * waits.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/export.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "bus.h"
#include "channel.h"
#include "mdl_pages.h"
#include "server_gpadl.h"
#include "status.h"

/* In &kmcl_channel.mappings. The MDL, with its page numbers, is the last member. */
struct kmcl_mapping {
	struct list_head node;
	u32 handle;
	MDL mdl;
};

/* Number of a page of 4 KiB; the guest's own pages may be larger. */
static PFN_NUMBER kmcl_gpadl_pfn(const struct kmcl_bus_gpadl *gpadl, u32 i)
{
	const unsigned int shift = PAGE_SHIFT - MDL_PAGE_SHIFT;

	return (page_to_pfn(gpadl->pages[i >> shift]) << shift) +
	       (i & ((1U << shift) - 1));
}

static struct kmcl_mapping *kmcl_mapping_alloc(u32 handle,
					       const struct kmcl_bus_gpadl *gpadl)
{
	size_t head = offsetof(struct kmcl_mapping, mdl);
	struct kmcl_mapping *mapping;
	PPFN_NUMBER pfns;
	u32 i;

	mapping = kvmalloc(head + MmSizeOfMdl(NULL, gpadl->size), GFP_KERNEL);
	if (!mapping)
		return NULL;
	mapping->handle = handle;
	MmInitializeMdl(&mapping->mdl, NULL, gpadl->size);
	mapping->mdl.MdlFlags |= MDL_PARTIAL;
	/*
	 * Pages that were pinned for reading may belong to a file, or to
	 * everybody.
	 */
	if (!gpadl->read_only)
		mapping->mdl.MdlFlags |= MDL_WRITE_OPERATION;
	pfns = MmGetMdlPfnArray(&mapping->mdl);
	for (i = 0; i < kmcl_mdl_pages(&mapping->mdl); i++)
		pfns[i] = kmcl_gpadl_pfn(gpadl, i);
	return mapping;
}

static int kmcl_server_map(struct kmcl_channel *ch, u32 handle, bool write,
			   PMDL *mdl)
{
	const struct kmcl_bus_gpadl *gpadl;
	struct kmcl_mapping *mapping;
	int err;

	lockdep_assert_held(&ch->control);
	if (!ch->connected)
		return -ENOTCONN;
	err = ch->bus->map_gpadl(ch, handle, write, &gpadl);
	if (err)
		return err;
	mapping = kmcl_mapping_alloc(handle, gpadl);
	if (!mapping) {
		ch->bus->unmap_gpadl(ch, handle);
		return -ENOMEM;
	}
	list_add_tail(&mapping->node, &ch->mappings);
	*mdl = &mapping->mdl;
	return 0;
}

/**
 * VmbChannelMapGpadl() - map a GPADL of the client
 * @channel: an open server channel: from EvtChannelOpened until EvtChannelClosed
 * @flags: 0, or %VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY if the server will only read
 * @gpadl_handle: handle of the GPADL, as the client got it
 * @mdl: set to an MDL of the GPADL's pages, which belongs to the library until
 *	VmbChannelUnmapGpadl(); untouched on failure. The MDL has no address:
 *	MmGetSystemAddressForMdlSafe() or MmMapLockedPagesSpecifyCache() maps the
 *	memory. That mapping is read-only if the client has created the GPADL with
 *	%VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY, and writable otherwise, whatever @flags
 *	say.
 *
 * The server can map a GPADL as soon as the client's create has returned. The pages
 * stay until the server unmaps the GPADL, and the client's delete waits for that.
 *
 * Context: may sleep.
 * Return:
 * * %STATUS_SUCCESS - the GPADL is mapped
 * * %STATUS_INVALID_PARAMETER_1 - @channel is %NULL
 * * %STATUS_INVALID_PARAMETER_2 - @flags has unknown flags
 * * %STATUS_INVALID_PARAMETER_3 - the client has no such GPADL, or deletes it
 * * %STATUS_INVALID_PARAMETER_4 - @mdl is %NULL
 * * %STATUS_INVALID_DEVICE_REQUEST - @channel is a client's
 * * %STATUS_INVALID_DEVICE_STATE - the channel is not open
 * * %STATUS_ACCESS_DENIED - the GPADL is read-only, and @flags does not say so
 * * %STATUS_DEVICE_BUSY - the GPADL is mapped already
 * * %STATUS_INSUFFICIENT_RESOURCES - there is not enough memory
 *
 * Source: Microsoft's VmbChannelMapGpadl documentation; the statuses are ours, and
 * that a mapping of a read-only GPADL is read-only.
 */
NTSTATUS VmbChannelMapGpadl(VMBCHANNEL channel, UINT32 flags,
			    UINT32 gpadl_handle, PMDL *mdl)
{
	bool write = !(flags & VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY);
	struct kmcl_channel *ch = channel;
	int err;

	might_sleep();
	if (!ch)
		return STATUS_INVALID_PARAMETER_1;
	if (!ch->is_server)
		return STATUS_INVALID_DEVICE_REQUEST;
	if (flags & ~VMBUS_CHANNEL_GPADL_FLAGS)
		return STATUS_INVALID_PARAMETER_2;
	if (!mdl)
		return STATUS_INVALID_PARAMETER_4;

	mutex_lock(&ch->control);
	err = kmcl_server_map(ch, gpadl_handle, write, mdl);
	mutex_unlock(&ch->control);
	return err == -ENOENT ? STATUS_INVALID_PARAMETER_3 : kmcl_status(err);
}
EXPORT_SYMBOL_GPL(VmbChannelMapGpadl);

/* The memory is the client's again when this returns. */
static void kmcl_server_unmap(struct kmcl_channel *ch,
			      struct kmcl_mapping *mapping)
{
	lockdep_assert_held(&ch->control);
	kmcl_mdl_unmap(&mapping->mdl);
	list_del(&mapping->node);
	ch->bus->unmap_gpadl(ch, mapping->handle);
	kvfree(mapping);
}

static struct kmcl_mapping *kmcl_server_find_mapping(struct kmcl_channel *ch,
						     u32 handle)
{
	struct kmcl_mapping *mapping;

	list_for_each_entry(mapping, &ch->mappings, node)
		if (mapping->handle == handle)
			return mapping;
	kmcl_warn(ch, "GPADL %#x is not mapped\n", handle);
	return NULL;
}

/**
 * VmbChannelUnmapGpadl() - unmap a GPADL of the client
 * @channel: a server channel, until EvtChannelClosed has returned
 * @gpadl_handle: handle of the GPADL that was mapped
 *
 * The MDL of VmbChannelMapGpadl() is freed, and unmapped if it was mapped. The
 * server must not access the memory any more. A GPADL that is still mapped when
 * EvtChannelClosed has returned is unmapped then, with a log line. A handle
 * that is not mapped, and a channel of a client, cause a log line and nothing
 * else.
 *
 * Context: may sleep.
 *
 * Source: Microsoft's VmbChannelUnmapGpadl documentation.
 */
VOID VmbChannelUnmapGpadl(VMBCHANNEL channel, UINT32 gpadl_handle)
{
	struct kmcl_channel *ch = channel;
	struct kmcl_mapping *mapping;

	might_sleep();
	if (!ch)
		return;
	if (!ch->is_server) {
		kmcl_warn(ch, "unmap of a GPADL by a client refused\n");
		return;
	}
	mutex_lock(&ch->control);
	mapping = kmcl_server_find_mapping(ch, gpadl_handle);
	if (mapping)
		kmcl_server_unmap(ch, mapping);
	mutex_unlock(&ch->control);
}
EXPORT_SYMBOL_GPL(VmbChannelUnmapGpadl);

/* Unmap what the server should have unmapped in EvtChannelClosed. */
void kmcl_server_unmap_leftovers(struct kmcl_channel *ch)
{
	struct kmcl_mapping *mapping, *next;

	mutex_lock(&ch->control);
	list_for_each_entry_safe(mapping, next, &ch->mappings, node) {
		kmcl_warn_always(ch, "GPADL %#x left mapped by the server, unmapped for it\n",
				 mapping->handle);
		kmcl_server_unmap(ch, mapping);
	}
	mutex_unlock(&ch->control);
}
