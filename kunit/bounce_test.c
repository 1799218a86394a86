// SPDX-License-Identifier: GPL-2.0-only
/* Bounce buffers: memory that can be shared in a confidential VM. */

#include <linux/string.h>

#include <vmbkmcl/linux.h>

#include "lib/client.h"
#include "lib/mdls.h"
#include "suites.h"

#define BYTES	(4 * PAGE_SIZE)

/* An active channel of a confidential VM, which may have twice BYTES */
static struct fake_bus *start(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	bus->is_confidential = true;
	bus->has_bounce = true;
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetBounceBufferSizes(bus->ch, BYTES,
							   BYTES),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_ASSERT_EQ(test, atomic_read(&fake_bounces), 0);
	return bus;
}

static void *get_bounce(struct kunit *test, struct fake_bus *bus)
{
	void *buffer = NULL;

	KUNIT_ASSERT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, BYTES, &buffer),
			STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, buffer);
	KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(buffer));
	KUNIT_EXPECT_NULL(test, memchr_inv(buffer, 0, BYTES));
	return buffer;
}

static u32 share(struct kunit *test, struct fake_bus *bus, void *va, u32 bytes)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va, bytes,
							&handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_TRUE(test, bus->in_bounce);
	return handle;
}

static void not_shared(struct kunit *test, struct fake_bus *bus, void *va,
		       u32 bytes)
{
	int sent = atomic_read(&bus->establishes);
	u32 handle = 0x5eed;

	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, va, bytes,
							&handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->establishes), sent);
}

static void sizes(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetBounceBufferSizes(NULL, 0, 0),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetBounceBufferSizes(bus->ch, U32_MAX, 1),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, bus->ch->set.bounce_size, 0);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetBounceBufferSizes(bus->ch, BYTES, 0),
			STATUS_INVALID_PARAMETER_1);
}

static void bad_arguments(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = test;

	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(NULL, 1, &buffer),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 0, &buffer),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 8190 * 4096 + 1,
						       &buffer),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelAllocateBounceBuffer(bus->ch, 1, NULL),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(NULL, buffer),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(bus->ch, buffer),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_PTR_EQ(test, buffer, (void *)test);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

static void no_more_than_set(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *first = get_bounce(test, bus), *buffer = test;

	get_bounce(test, bus);
	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 1, &buffer),
			STATUS_QUOTA_EXCEEDED);
	KUNIT_EXPECT_PTR_EQ(test, buffer, (void *)test);
	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(bus->ch, first),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(bus->ch, first),
			STATUS_INVALID_PARAMETER_2);
	get_bounce(test, bus);
}

static void not_by_default(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	void *buffer;

	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 1, &buffer),
			STATUS_QUOTA_EXCEEDED);
}

static void channel_is_not_open(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer;

	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 1, &buffer),
			STATUS_INVALID_DEVICE_STATE);
}

static void older_kernel(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer;

	bus->has_bounce = false;
	KUNIT_EXPECT_EQ(test,
			VmbChannelAllocateBounceBuffer(bus->ch, 1, &buffer),
			STATUS_NOT_SUPPORTED);
}

static void shared_in_whole_and_in_part(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = get_bounce(test, bus);
	u32 whole = share(test, bus, buffer, BYTES);
	u32 part = share(test, bus, buffer + PAGE_SIZE, 2 * PAGE_SIZE);

	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 2);
	VmbChannelDeleteGpadl(bus->ch, whole);
	VmbChannelDeleteGpadl(bus->ch, part);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(bus), 0);
	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(bus->ch, buffer),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

static void nothing_else_is_shared(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	struct fake_bus *other = fake_bus_start(test);
	void *buffer = get_bounce(test, bus);
	u32 handle = 0x5eed;

	not_shared(test, bus, get_vmalloc(test, BYTES), BYTES);
	not_shared(test, bus, buffer + PAGE_SIZE, BYTES);
	not_shared(test, bus, buffer - PAGE_SIZE, BYTES);
	other->is_confidential = true;
	not_shared(test, other, buffer, BYTES);
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromMdl(bus->ch, 0,
						     kernel_mdl(test, buffer,
								BYTES),
						     0, 0, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, handle, 0x5eed);
	VmbChannelFreeBounceBuffer(bus->ch, buffer);
	not_shared(test, bus, buffer, BYTES);
}

static void freed_while_shared(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = get_bounce(test, bus);
	u32 handle = share(test, bus, buffer, BYTES);

	KUNIT_EXPECT_EQ(test, VmbChannelFreeBounceBuffer(bus->ch, buffer),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 1);
	VmbChannelDeleteGpadl(bus->ch, handle);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

/* To free the memory would hide it from a host that still uses it. */
static void kept_in_quarantine(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = get_bounce(test, bus);
	u32 handle = share(test, bus, buffer, BYTES);

	bus->teardown_err = -EAGAIN;
	VmbChannelDeleteGpadl(bus->ch, handle);
	VmbChannelFreeBounceBuffer(bus->ch, buffer);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 1);
	fake_bus_rescind(bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

static void refused_by_the_host(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = get_bounce(test, bus);
	u32 handle;

	bus->establish_err = -EDQUOT;
	KUNIT_EXPECT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(bus->ch, 0, buffer,
							BYTES, &handle),
			STATUS_INSUFFICIENT_RESOURCES);
	VmbChannelFreeBounceBuffer(bus->ch, buffer);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

static void stays_while_the_channel_is_closed(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer = get_bounce(test, bus);

	VmbChannelDisable(bus->ch);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 1);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	becomes(test, bus->ch, KMCL_ACTIVE);
	VmbChannelDeleteGpadl(bus->ch, share(test, bus, buffer, BYTES));
}

static void left_at_the_cleanup(struct kunit *test)
{
	struct fake_bus *bus = start(test);

	share(test, bus, get_bounce(test, bus), BYTES);
	kunit_release_action(test, fake_bus_free, bus);
	KUNIT_EXPECT_EQ(test, atomic_read(&fake_bounces), 0);
}

/* Outside of confidential VMs these are buffers like any other. */
static void ordinary_vm(struct kunit *test)
{
	struct fake_bus *bus = start(test);
	void *buffer;

	bus->is_confidential = false;
	bus->has_bounce = false;
	buffer = get_bounce(test, bus);
	VmbChannelDeleteGpadl(bus->ch, share(test, bus, buffer, BYTES));
}

static struct kunit_case bounce_cases[] = {
	KUNIT_CASE(sizes),
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(no_more_than_set),
	KUNIT_CASE(not_by_default),
	KUNIT_CASE(channel_is_not_open),
	KUNIT_CASE(older_kernel),
	KUNIT_CASE(shared_in_whole_and_in_part),
	KUNIT_CASE(nothing_else_is_shared),
	KUNIT_CASE(freed_while_shared),
	KUNIT_CASE(kept_in_quarantine),
	KUNIT_CASE(refused_by_the_host),
	KUNIT_CASE(stays_while_the_channel_is_closed),
	KUNIT_CASE(left_at_the_cleanup),
	KUNIT_CASE(ordinary_vm),
	{}
};

struct kunit_suite vmbkmcl_bounce_suite = {
	.name = "vmbkmcl_bounce",
	.test_cases = bounce_cases,
};
