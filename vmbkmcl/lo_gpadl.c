// SPDX-License-Identifier: GPL-2.0-only
/*
 * GPADLs between a client and a server in this kernel.
 *
 * A server claims a GPADL of its client to map it. A client that deletes the
 * GPADL waits until the server has given it up. The handles of all clients are
 * different, as those of a host are, and a server finds only those of its own
 * client.
 */

#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "hostwait.h"
#include "lo_gpadl.h"

/* Where hv_vmbus begins, too. */
#define KMCL_LO_FIRST_HANDLE	0xe1e10

/**
 * struct kmcl_lo_gpadl - a GPADL of a client
 * @offer: the client's connection
 * @gpadl: the client's, which exists until kmcl_lo_teardown_gpadl() returns
 * @claimed: the server has mapped it
 * @going: the client deletes it, so the server can not map it any more
 */
struct kmcl_lo_gpadl {
	struct kmcl_lo_offer *offer;
	const struct kmcl_bus_gpadl *gpadl;
	bool claimed;
	bool going;
};

/* By handle. Both members that change are written under kmcl_lo_gpadls_lock. */
static DEFINE_XARRAY_ALLOC1(kmcl_lo_gpadls);
static DEFINE_MUTEX(kmcl_lo_gpadls_lock);
static u32 kmcl_lo_next_handle = KMCL_LO_FIRST_HANDLE;

int kmcl_lo_establish_gpadl(struct kmcl_lo_offer *offer,
			    struct kmcl_bus_gpadl *gpadl)
{
	struct kmcl_lo_gpadl *entry = kzalloc(sizeof(*entry), GFP_KERNEL);
	int err;

	if (!entry)
		return -ENOMEM;
	entry->offer = offer;
	entry->gpadl = gpadl;
	mutex_lock(&kmcl_lo_gpadls_lock);
	err = xa_alloc_cyclic(&kmcl_lo_gpadls, &gpadl->handle, entry,
			      XA_LIMIT(1, U32_MAX), &kmcl_lo_next_handle,
			      GFP_KERNEL);
	mutex_unlock(&kmcl_lo_gpadls_lock);
	if (err < 0) {
		kfree(entry);
		return -ENOMEM;
	}
	return 0;
}

/* Waits until the server has unmapped the GPADL, for as long as that takes. */
void kmcl_lo_teardown_gpadl(struct kmcl_lo_offer *offer,
			    struct kmcl_bus_gpadl *gpadl)
{
	struct kmcl_lo_gpadl *entry;

	mutex_lock(&kmcl_lo_gpadls_lock);
	entry = xa_load(&kmcl_lo_gpadls, gpadl->handle);
	entry->going = true;
	mutex_unlock(&kmcl_lo_gpadls_lock);
	kmcl_hostwait_event(offer->changed, !READ_ONCE(entry->claimed));

	mutex_lock(&kmcl_lo_gpadls_lock);
	xa_erase(&kmcl_lo_gpadls, gpadl->handle);
	mutex_unlock(&kmcl_lo_gpadls_lock);
	kfree(entry);
	gpadl->handle = 0;
}

/* As &kmcl_bus_ops.map_gpadl. */
int kmcl_lo_map_gpadl(struct kmcl_lo_offer *offer, u32 handle, bool write,
		      const struct kmcl_bus_gpadl **gpadl)
{
	struct kmcl_lo_gpadl *entry;
	int err = 0;

	mutex_lock(&kmcl_lo_gpadls_lock);
	entry = xa_load(&kmcl_lo_gpadls, handle);
	if (!entry || entry->offer != offer || entry->going)
		err = -ENOENT;
	else if (entry->claimed)
		err = -EBUSY;
	else if (write && entry->gpadl->read_only)
		err = -EACCES;
	if (!err) {
		*gpadl = entry->gpadl;
		WRITE_ONCE(entry->claimed, true);
	}
	mutex_unlock(&kmcl_lo_gpadls_lock);
	return err;
}

/* The server has mapped the GPADL, so its entry exists. */
void kmcl_lo_unmap_gpadl(struct kmcl_lo_offer *offer, u32 handle)
{
	struct kmcl_lo_gpadl *entry;

	mutex_lock(&kmcl_lo_gpadls_lock);
	entry = xa_load(&kmcl_lo_gpadls, handle);
	WRITE_ONCE(entry->claimed, false);
	mutex_unlock(&kmcl_lo_gpadls_lock);
	wake_up_all(&offer->changed);
}
