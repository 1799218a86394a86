// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the rings of a channel that could not be opened, or that is closed, are freed. No
 * server makes hv_vmbus fail half way, so a channel of hv_vmbus is put into the state that
 * such a failure leaves.
 */

#include <linux/gfp.h>
#include <linux/hyperv.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "hv_suites.h"

#define HANDLE	0xe1e10

/* hv_vmbus, for a channel that no host has offered */

static int connect_err;
static int teardown_err;
static unsigned int teardowns;
static struct page *freed;

/* The GPADL with the handle 0 is accepted, or nothing is sent. */
static int rings_connect(struct vmbus_channel *chan,
			 void (*event)(void *context), void *context)
{
	struct vmbus_gpadl *gpadl = &chan->ringbuffer_gpadlhandle;

	gpadl->gpadl_handle = 0;
	if (connect_err)
		return connect_err;
	gpadl->size = chan->ringbuffer_pagecount << PAGE_SHIFT;
	gpadl->buffer = page_address(chan->ringbuffer_page);
	return 0;
}

static int rings_teardown(struct vmbus_channel *chan, struct vmbus_gpadl *gpadl)
{
	teardowns++;
	return teardown_err;
}

static void rings_free(struct vmbus_channel *chan)
{
	freed = chan->ringbuffer_page;
	vmbus_free_ring(chan);
}

#define vmbus_connect_ring	rings_connect
#define vmbus_teardown_gpadl	rings_teardown
#define vmbus_free_ring		rings_free
#include "../../vmbkmcl/hv_rings.c"

static const struct failed_open {
	const char *name;
	int err;
	unsigned int pages;	/* of each ring */
	bool accepted;		/* the host had the GPADL */
	bool torn_down;		/* and has let go of it */
	bool rescinded;
	bool kept;
} failed_opens[] = {
	{ "refused", -EDQUOT, 16, .kept = false },
	{ "no memory for the messages", -ENOMEM, 16, .kept = false },
	{ "rescinded before the header", -ENODEV, 16, .kept = false },
	{ "only message not posted", -EAGAIN, 13, .kept = false },
	{ "a message of several not posted", -EAGAIN, 14, .kept = true },
	{ "the same, of a rescinded channel", -EAGAIN, 14, .rescinded = true,
	  .kept = false },
	{ "open refused, torn down", -EAGAIN, 16, .accepted = true,
	  .torn_down = true, .kept = false },
	{ "open refused, not torn down", -EAGAIN, 16, .accepted = true,
	  .kept = true },
	{ "no memory to open, not torn down", -ENOMEM, 16, .accepted = true,
	  .kept = true },
};

KUNIT_ARRAY_PARAM_DESC(failed_open, failed_opens, name);

/* As __vmbus_open() leaves the channel. */
static void fail_open(struct vmbus_channel *chan, const struct failed_open *how)
{
	struct vmbus_gpadl *gpadl = &chan->ringbuffer_gpadlhandle;

	gpadl->gpadl_handle = 0;
	chan->rescind = how->rescinded;
	if (!how->accepted)
		return;
	gpadl->size = chan->ringbuffer_pagecount << PAGE_SHIFT;
	gpadl->buffer = page_address(chan->ringbuffer_page);
	gpadl->gpadl_handle = how->torn_down ? 0 : HANDLE;
}

/* A channel with two rings of @pages, mapped as hv_vmbus has them. */
static struct vmbus_channel *get_rings(struct kunit *test, unsigned int pages)
{
	u32 bytes = pages * PAGE_SIZE;
	struct vmbus_channel *chan;

	chan = kunit_kzalloc(test, sizeof(*chan), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chan);
	mutex_init(&chan->outbound.ring_buffer_mutex);
	mutex_init(&chan->inbound.ring_buffer_mutex);
	KUNIT_ASSERT_EQ(test, vmbus_alloc_ring(chan, bytes, bytes), 0);
	chan->outbound.ring_buffer = vmap(&chan->ringbuffer_page, 1, VM_MAP,
					  PAGE_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chan->outbound.ring_buffer);
	connect_err = 0;
	teardown_err = 0;
	teardowns = 0;
	freed = NULL;
	return chan;
}

/* The mapping is gone in any case, and the next open finds no rings. */
static void rings_are_gone(struct kunit *test, struct vmbus_channel *chan,
			   struct page *rings, bool kept)
{
	KUNIT_EXPECT_PTR_EQ(test, freed, kept ? NULL : rings);
	KUNIT_EXPECT_NULL(test, chan->ringbuffer_page);
	KUNIT_EXPECT_NULL(test, chan->outbound.ring_buffer);
	if (!freed)
		__free_pages(rings, get_order(chan->ringbuffer_pagecount
					      << PAGE_SHIFT));
}

static void rings_after_a_failed_open(struct kunit *test)
{
	const struct failed_open *how = test->param_value;
	struct vmbus_channel *chan = get_rings(test, how->pages);
	struct page *rings = chan->ringbuffer_page;

	/* An open before this one was successful. */
	chan->ringbuffer_gpadlhandle.size = PAGE_SIZE;
	connect_err = -EINVAL;
	KUNIT_ASSERT_NE(test, kmcl_hv_connect_rings(chan, NULL, NULL), 0);
	fail_open(chan, how);
	KUNIT_EXPECT_EQ(test, kmcl_hv_free_unopened_rings(chan, how->err),
			how->kept ? -EIO : 0);
	KUNIT_EXPECT_EQ(test, teardowns, 0);
	rings_are_gone(test, chan, rings, how->kept);
}

static const struct zero_close {
	const char *name;
	bool rescinded;
	int err;		/* of the teardown */
	unsigned int teardowns;
	bool kept;
} zero_closes[] = {
	{ "torn down", .teardowns = 1 },
	{ "not torn down", .err = -ENOMEM, .teardowns = 1, .kept = true },
	{ "rescinded", .rescinded = true },
};

KUNIT_ARRAY_PARAM_DESC(zero_close, zero_closes, name);

/* hv_vmbus has closed the channel, and taken the handle 0 for no GPADL. */
static void rings_with_the_handle_zero(struct kunit *test)
{
	const struct zero_close *how = test->param_value;
	struct vmbus_channel *other = get_rings(test, 16);
	struct vmbus_channel *chan = get_rings(test, 16);
	struct page *rings = chan->ringbuffer_page;

	KUNIT_ASSERT_EQ(test, kmcl_hv_connect_rings(chan, NULL, NULL), 0);
	/* This one had another handle, which hv_vmbus has torn down. */
	KUNIT_EXPECT_EQ(test, kmcl_hv_free_rings(other), 0);
	KUNIT_EXPECT_EQ(test, teardowns, 0);

	freed = NULL;
	chan->rescind = how->rescinded;
	teardown_err = how->err;
	KUNIT_EXPECT_EQ(test, kmcl_hv_free_rings(chan), how->kept ? -EIO : 0);
	KUNIT_EXPECT_EQ(test, teardowns, how->teardowns);
	rings_are_gone(test, chan, rings, how->kept);
	KUNIT_EXPECT_NULL(test, kmcl_hv_zero_chan);
}

static void rings_of_a_close_that_failed(struct kunit *test)
{
	struct vmbus_channel *chan = get_rings(test, 16);
	struct page *rings = chan->ringbuffer_page;

	chan->ringbuffer_gpadlhandle.gpadl_handle = HANDLE;
	KUNIT_EXPECT_EQ(test, kmcl_hv_free_rings(chan), -EIO);
	rings_are_gone(test, chan, rings, true);
}

static struct kunit_case rings_cases[] = {
	KUNIT_CASE_PARAM(rings_after_a_failed_open, failed_open_gen_params),
	KUNIT_CASE_PARAM(rings_with_the_handle_zero, zero_close_gen_params),
	KUNIT_CASE(rings_of_a_close_that_failed),
	{}
};

struct kunit_suite vmbkmcl_rings_suite = {
	.name = "vmbkmcl_rings",
	.test_cases = rings_cases,
};
