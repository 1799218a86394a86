// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the rings of a channel that could not be opened are freed. No server makes
 * hv_vmbus fail half way, so a channel of hv_vmbus is put into the state that such a
 * failure leaves.
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../../vmbkmcl/hv_rings.c"
#include "hv_suites.h"

#define HANDLE	0xe1e10

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

static void rings_after_a_failed_open(struct kunit *test)
{
	const struct failed_open *how = test->param_value;
	u32 bytes = how->pages * PAGE_SIZE;
	struct vmbus_channel *chan;
	struct page *rings;
	int err;

	chan = kunit_kzalloc(test, sizeof(*chan), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chan);
	mutex_init(&chan->outbound.ring_buffer_mutex);
	mutex_init(&chan->inbound.ring_buffer_mutex);
	/* An open before this one was successful. */
	chan->ringbuffer_gpadlhandle.size = 2 * bytes;
	KUNIT_ASSERT_EQ(test, vmbus_alloc_ring(chan, bytes, bytes), 0);
	rings = chan->ringbuffer_page;

	/* Not in the state to be opened: this fails, and sends nothing. */
	chan->state = CHANNEL_OPENED_STATE;
	KUNIT_ASSERT_NE(test, kmcl_hv_connect_rings(chan, NULL, NULL), 0);
	fail_open(chan, how);
	err = kmcl_hv_free_unopened_rings(chan, how->err);
	KUNIT_EXPECT_EQ(test, err, how->kept ? -EIO : 0);
	KUNIT_EXPECT_PTR_EQ(test, chan->ringbuffer_page,
			    how->kept ? rings : NULL);
	if (how->kept)
		__free_pages(rings, get_order(2 * bytes));
}

static struct kunit_case rings_cases[] = {
	KUNIT_CASE_PARAM(rings_after_a_failed_open, failed_open_gen_params),
	{}
};

struct kunit_suite vmbkmcl_rings_suite = {
	.name = "vmbkmcl_rings",
	.test_cases = rings_cases,
};
