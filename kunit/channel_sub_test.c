// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sub-channels: one is open only while its primary is, whatever closes the primary,
 * and the two close in a fixed order. First on the fake bus, then with the server.
 */

#include <linux/crc32.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "lib/client.h"
#include "lib/device.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

/**
 * struct pair - a primary channel and a sub-channel of it
 * @primary: the client of the primary
 * @primary_bus: the bus of the primary
 * @sub: the client of the sub-channel
 * @sub_bus: the bus of the sub-channel
 */
struct pair {
	struct client *primary;
	struct fake_bus *primary_bus;
	struct client *sub;
	struct fake_bus *sub_bus;
};

static struct client *sub_client(struct kunit *test, struct fake_bus *primary,
				 struct fake_bus **bus)
{
	struct client *client = client_alloc(test);

	*bus = fake_bus_create_sub(test, primary);
	client_set_up(test, client, (*bus)->ch, &some_guid, NULL);
	return client;
}

static struct pair *get_pair(struct kunit *test)
{
	struct pair *pair = kunit_kzalloc(test, sizeof(*pair), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, pair);
	pair->primary = fake_client(test, &pair->primary_bus);
	pair->sub = sub_client(test, pair->primary_bus, &pair->sub_bus);
	return pair;
}

static void bring_up_sub(struct kunit *test, struct pair *pair)
{
	enable(test, pair->sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
}

static struct pair *get_open_pair(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	bring_up_sub(test, pair);
	return pair;
}

/* Both channels were opened and closed once, with every callback. */
static void both_went_up_and_down(struct kunit *test, struct pair *pair)
{
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
	heard(test, pair->primary, UP_DOWN);
	heard(test, pair->sub, UP_DOWN);
	KUNIT_EXPECT_FALSE(test, pair->primary_bus->is_open);
	KUNIT_EXPECT_FALSE(test, pair->sub_bus->is_open);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary_bus->overlaps), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->overlaps), 0);
}

/* Settings */

static void primary_bounds(struct kunit *test)
{
	VMBCHANNEL ch = get_channel(test), primary = get_channel(test);
	VMBCHANNEL third = get_channel(test);
	struct pair *pair = get_pair(test);

	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(NULL, primary),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(ch, NULL),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(ch, ch),
			STATUS_INVALID_PARAMETER_2);
	/* Neither channel has a target. Only a sub-channel needs none. */
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch),
			STATUS_INVALID_DEVICE_STATE);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(ch, primary),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(ch), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(ch, third),
			STATUS_INVALID_PARAMETER_1);
	VmbChannelDisable(ch);
	/* A sub-channel cannot be a primary, nor the other way round. */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(third, ch),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(primary, third),
			STATUS_INVALID_PARAMETER_1);
	/* A sub-channel may get another primary. */
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(ch, third),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(primary, third),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, kref_read(&third->ref), 3);
	KUNIT_EXPECT_EQ(test, kref_read(&primary->ref), 1);
	bring_up(test, pair->primary);
	KUNIT_EXPECT_EQ(test,
			VmbChannelInitSetPrimaryChannel(pair->primary->ch, ch),
			STATUS_INVALID_PARAMETER_1);
}

/* Coming */

static void waits_for_an_offer(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	enable(test, pair->sub);
	KUNIT_EXPECT_FALSE(test, fake_bus_offer_sub(pair->sub_bus));
	bring_up(test, pair->primary);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_ENABLED);
	heard(test, pair->sub, "");
	KUNIT_EXPECT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
	heard(test, pair->sub, UP);
	/* It has one. */
	KUNIT_EXPECT_FALSE(test, fake_bus_offer_sub(pair->sub_bus));
}

static void is_disabled_before_an_offer(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	enable(test, pair->sub);
	VmbChannelDisable(pair->sub->ch);
	KUNIT_EXPECT_FALSE(test, fake_bus_offer_sub(pair->sub_bus));
	heard(test, pair->sub, "");
	bring_up_sub(test, pair);
}

static void each_offer_is_for_one(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	struct fake_bus *other_bus;
	struct client *other = sub_client(test, pair->primary_bus, &other_bus);

	bring_up(test, pair->primary);
	enable(test, pair->sub);
	enable(test, other);
	KUNIT_EXPECT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
	KUNIT_EXPECT_EQ(test, other->ch->state, KMCL_ENABLED);
	KUNIT_EXPECT_TRUE(test, fake_bus_offer_sub(other_bus));
	becomes(test, other->ch, KMCL_ACTIVE);
	VmbChannelDisable(pair->primary->ch);
	both_went_up_and_down(test, pair);
	KUNIT_EXPECT_EQ(test, other->ch->state, KMCL_DISABLED);
	heard(test, other, UP_DOWN);
}

static void sub_does_not_open(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	pair->sub_bus->open_err = -ENOMEM;
	enable(test, pair->sub);
	KUNIT_EXPECT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	becomes(test, pair->sub->ch, KMCL_DISABLED);
	heard(test, pair->sub, "PnpFailure");
	pair->sub_bus->open_err = 0;
	bring_up_sub(test, pair);
	heard(test, pair->sub, UP);
	VmbChannelDisable(pair->primary->ch);
	heard(test, pair->sub, DOWN);
}

/* Going with the primary */

static struct {
	spinlock_t lock;
	char log[128];
} order;

static void order_notes(VMBCHANNEL ch, const char *what)
{
	spin_lock(&order.lock);
	strlcat(order.log, VmbChannelGetPointer(ch), sizeof(order.log));
	strlcat(order.log, what, sizeof(order.log));
	spin_unlock(&order.lock);
}

static VOID order_suspend(VMBCHANNEL ch)
{
	order_notes(ch, "Suspend ");
}

static VOID order_closed(VMBCHANNEL ch)
{
	order_notes(ch, "Closed ");
}

static void record_order(struct kunit *test, VMBCHANNEL ch, const char *name)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelSuspend = order_suspend;
	evt.EvtChannelClosed = order_closed;
	VmbChannelInitSetStateChangeCallbacks(ch, &evt);
	VmbChannelSetPointer(ch, (void *)name);
}

static void callbacks_in_order(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	spin_lock_init(&order.lock);
	order.log[0] = '\0';
	record_order(test, pair->primary->ch, "primary");
	record_order(test, pair->sub->ch, "sub");
	bring_up(test, pair->primary);
	bring_up_sub(test, pair);
	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_STREQ(test, order.log,
			   "primarySuspend subSuspend subClosed primaryClosed ");
}

static void disable_again_and_again(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	unsigned int i;

	log_record(test);
	for (i = 1; i <= 3; i++) {
		bring_up(test, pair->primary);
		bring_up_sub(test, pair);
		VmbChannelDisable(pair->primary->ch);
		KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->closes), i);
		both_went_up_and_down(test, pair);
	}
	KUNIT_EXPECT_FALSE(test, log_has("the host has it open"));
	KUNIT_EXPECT_FALSE(test, log_has("may not know of the close"));
}

static void primary_is_rescinded(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	fake_bus_rescind(pair->primary_bus);
	both_went_up_and_down(test, pair);
	becomes(test, pair->primary->ch, KMCL_DISABLED);
}

static void primary_sleeps(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	kmcl_channel_suspend_device(pair->primary->ch, pair->primary_bus);
	both_went_up_and_down(test, pair);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ENABLED);
	kmcl_channel_resume_device(pair->primary->ch, pair->primary_bus);
	becomes(test, pair->primary->ch, KMCL_ACTIVE);
	bring_up_sub(test, pair);
}

static void primary_refuses_to_open(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	pair->primary->opened = STATUS_UNSUCCESSFUL;
	pair->primary->at = "Opened";
	pair->primary->hook = wait_to_leave;
	enable(test, pair->primary);
	ASSERT_EVENTUALLY(test, completion_done(&pair->primary->entered));
	bring_up_sub(test, pair);
	complete(&pair->primary->leave);
	becomes(test, pair->primary->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
	heard(test, pair->sub, UP_DOWN);
	heard(test, pair->primary, "Opened PnpFailure");
}

/* The host completes the sub-channel's open only when the primary closes. */
static void while_sub_opens(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	struct job *disable;

	bring_up(test, pair->primary);
	pair->sub_bus->withhold = true;
	enable(test, pair->sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	ASSERT_EVENTUALLY(test, atomic_read(&pair->sub_bus->waiting));
	disable = job_start(test, do_disable, pair->primary->ch);
	EXPECT_EVENTUALLY(test, READ_ONCE(pair->sub->ch->lost));
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary_bus->closes), 0);
	fake_bus_let_complete(pair->sub_bus);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
	heard(test, pair->primary, UP_DOWN);
	heard(test, pair->sub, "Opened Closed");
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->overlaps), 0);
}

struct creation {
	VMBCHANNEL ch;
	void *va;
	u32 handle;
	NTSTATUS status;
};

static void do_create(void *data)
{
	struct creation *creation = data;

	creation->status =
		VmbChannelCreateGpadlFromBuffer(creation->ch, 0, creation->va,
						PAGE_SIZE, &creation->handle);
}

static struct creation *get_creation(struct kunit *test, VMBCHANNEL ch)
{
	struct creation *creation = kunit_kzalloc(test, sizeof(*creation),
						  GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, creation);
	creation->ch = ch;
	creation->va = (void *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, creation->va);
	return creation;
}

/* hv_vmbus wakes only one of two threads that wait on the sub-channel. */
static void while_sub_waits_for_the_host(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);
	struct creation *creation = get_creation(test, pair->sub->ch);
	struct job *create, *disable;

	pair->sub_bus->withhold = true;
	create = job_start(test, do_create, creation);
	ASSERT_EVENTUALLY(test, atomic_read(&pair->sub_bus->waiting));
	disable = job_start(test, do_disable, pair->primary->ch);
	heard(test, pair->sub, UP " Suspend");
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary_bus->closes), 0);
	fake_bus_let_complete(pair->sub_bus);
	job_join(test, create);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, creation->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(pair->sub_bus), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->overlaps), 0);
	heard(test, pair->sub, "Closed");
	free_page((unsigned long)creation->va);
}

static struct creation *closing_creation;
static struct fake_bus *closing_bus;

/* The rings are gone by now, so the server no longer uses the GPADL. */
static void delete_when_closed(struct client *client)
{
	client->seen = closing_bus->is_open || closing_bus->primary->is_open ?
		       STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
	VmbChannelDeleteGpadl(client->ch, closing_creation->handle);
}

static void gpadl_is_deleted_after_the_close(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	closing_creation = get_creation(test, pair->sub->ch);
	closing_bus = pair->sub_bus;
	do_create(closing_creation);
	KUNIT_ASSERT_EQ(test, closing_creation->status, STATUS_SUCCESS);
	pair->sub->at = "Closed";
	pair->sub->hook = delete_when_closed;
	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->gpadl_stats.deleted, 1);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->gpadl_stats.leftovers, 0);
	KUNIT_EXPECT_EQ(test, fake_bus_gpadls(pair->sub_bus), 0);
	both_went_up_and_down(test, pair);
	free_page((unsigned long)closing_creation->va);
}

static void packets_of_the_hosts_are_waited_for(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);
	struct job *disable;
	u64 word = 0;

	pair->sub->hold = true;
	fake_bus_deliver_request(pair->sub_bus, 1, &word, sizeof(word));
	ASSERT_EVENTUALLY(test, READ_ONCE(pair->sub->held_count));
	disable = job_start(test, do_disable, pair->primary->ch);
	heard(test, pair->sub, UP " Suspend");
	msleep(50);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary_bus->closes), 0);
	client_completes_all(pair->sub);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->completions), 1);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->delivery.orphaned, 0);
	heard(test, pair->sub, "Closed");
}

/* As on any channel that goes down, requests end before the close. */
static void requests_of_the_clients_end(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);
	struct job *job = job_start(test, do_ask, pair->sub);

	ASSERT_EVENTUALLY(test, atomic_read(&pair->sub_bus->sends));
	VmbChannelDisable(pair->primary->ch);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_DEVICE_REMOVED);
	both_went_up_and_down(test, pair);
}

/* The close of the primary ends a request of the sub-channel's callback. */
static void callback_asks_the_host(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	pair->sub->at = "PostStarted";
	pair->sub->hook = ask_the_host;
	bring_up(test, pair->primary);
	enable(test, pair->sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	ASSERT_EVENTUALLY(test, atomic_read(&pair->sub_bus->sends));
	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_DEVICE_REMOVED);
	both_went_up_and_down(test, pair);
}

static void ask_on_the_primary(struct client *client)
{
	client->seen = send_word(client->ch->subs.primary,
				 VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
				 -20 * SECOND);
}

static struct pair *get_asking_pair(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	pair->sub->at = "PostStarted";
	pair->sub->hook = ask_on_the_primary;
	bring_up(test, pair->primary);
	enable(test, pair->sub);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	ASSERT_EVENTUALLY(test, atomic_read(&pair->primary_bus->sends));
	return pair;
}

/* The request of the callback is one of the primary's. */
static void callback_asks_on_the_primary(struct kunit *test)
{
	struct pair *pair = get_asking_pair(test);

	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_DEVICE_REMOVED);
	both_went_up_and_down(test, pair);
}

/* So it does not end when the sub-channel alone goes down. */
static void alone_while_a_callback_asks_on_the_primary(struct kunit *test)
{
	struct pair *pair = get_asking_pair(test);
	struct job *job = job_start(test, do_disable, pair->sub->ch);

	msleep(100);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	fake_bus_complete(pair->primary_bus, pair->primary_bus->last_id, NULL,
			  0);
	job_join(test, job);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ACTIVE);
}

/* Going alone */

static void sub_goes_alone(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	log_record(test);
	VmbChannelDisable(pair->sub->ch);
	is_logged(test, "the host has it open until channel-");
	heard(test, pair->sub, UP_DOWN);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ACTIVE);
	KUNIT_EXPECT_TRUE(test, pair->sub_bus->is_open);
	KUNIT_EXPECT_EQ(test, send_word(pair->primary->ch, 0, 0),
			STATUS_SUCCESS);
	/* The channel may get the next sub-channel. */
	bring_up_sub(test, pair);
	heard(test, pair->sub, UP);
	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_FALSE(test, pair->sub_bus->is_open);
	heard(test, pair->sub, DOWN);
	KUNIT_EXPECT_FALSE(test, log_has("may not know of the close"));
}

static void sub_is_cleaned_up_alone(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	kunit_release_action(test, fake_bus_free, pair->sub_bus);
	KUNIT_EXPECT_EQ(test, kref_read(&pair->primary->ch->ref), 1);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ACTIVE);
	VmbChannelDisable(pair->primary->ch);
	heard(test, pair->primary, UP_DOWN);
}

static void sub_is_rescinded(struct kunit *test)
{
	struct pair *pair = get_open_pair(test);

	log_record(test);
	fake_bus_rescind(pair->sub_bus);
	becomes(test, pair->sub->ch, KMCL_DISABLED);
	heard(test, pair->sub, UP_DOWN);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ACTIVE);
	pair->sub_bus->is_rescinded = false;
	bring_up_sub(test, pair);
	VmbChannelDisable(pair->primary->ch);
	/* After the rescind the host does not have it open. */
	KUNIT_EXPECT_FALSE(test, log_has("the host has it open"));
}

static void primary_is_cleaned_up_first(struct kunit *test)
{
	VMBCHANNEL primary, sub = get_channel(test);

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &primary),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetPrimaryChannel(sub, primary),
			STATUS_SUCCESS);
	VmbChannelCleanup(primary);
	KUNIT_EXPECT_EQ(test, VmbChannelEnable(sub), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, sub->state, KMCL_ENABLED);
	VmbChannelDisable(sub);
}

static void do_cleanup(void *ch)
{
	VmbChannelCleanup(ch);
}

/* Cleanup waits until nothing refers to the channel in the client's memory. */
static void primary_in_the_clients_memory(struct kunit *test)
{
	VMBCHANNEL primary = kunit_kzalloc(test, VmbSizeofChannel(),
					   GFP_KERNEL);
	VMBCHANNEL sub;
	struct job *job;

	KUNIT_ASSERT_NOT_NULL(test, primary);
	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, FALSE, &sub),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitialize(NULL, FALSE, primary,
					     VmbSizeofChannel()),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, VmbChannelInitSetPrimaryChannel(sub, primary),
			STATUS_SUCCESS);
	job = job_start(test, do_cleanup, primary);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	VmbChannelCleanup(sub);
	job_join(test, job);
	memset(primary, 0xcc, VmbSizeofChannel());
}

/* From callbacks */

static VMBCHANNEL called_for;

static void disable_another(struct client *client)
{
	VmbChannelDisable(called_for);
	VmbChannelPause(called_for);
	VmbChannelCleanup(called_for);
	client->seen = VmbChannelEnable(called_for);
}

static void callback_of_sub(struct kunit *test, struct pair *pair,
			    VMBCHANNEL other)
{
	log_record(test);
	called_for = other;
	pair->sub->at = "PostStarted";
	pair->sub->hook = disable_another;
	bring_up_sub(test, pair);
	KUNIT_EXPECT_EQ(test, pair->sub->seen, STATUS_INVALID_DEVICE_STATE);
	is_logged(test, "disable from a callback of its own refused");
	is_logged(test, "pause from a callback of its own refused");
	is_logged(test, "cleanup from a callback of its own refused");
	VmbChannelDisable(pair->primary->ch);
	both_went_up_and_down(test, pair);
}

static void callback_of_sub_for_its_primary(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	callback_of_sub(test, pair, pair->primary->ch);
}

static void callback_of_sub_for_another(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	struct fake_bus *other;

	sub_client(test, pair->primary_bus, &other);
	bring_up(test, pair->primary);
	callback_of_sub(test, pair, other->ch);
}

static void disable_sub(struct client *client)
{
	VmbChannelDisable(called_for);
	client->seen = READ_ONCE(called_for->state) == KMCL_DISABLED ?
		       STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}

/* In each callback, those of the close among them */
static void callback_of_primary_for_sub(struct kunit *test)
{
	static const char * const callbacks[] = { "Suspend", "Closed" };
	struct pair *pair = get_pair(test);
	unsigned int i;

	called_for = pair->sub->ch;
	for (i = 0; i < ARRAY_SIZE(callbacks); i++) {
		bring_up(test, pair->primary);
		bring_up_sub(test, pair);
		pair->primary->at = callbacks[i];
		pair->primary->hook = disable_sub;
		VmbChannelDisable(pair->primary->ch);
		KUNIT_EXPECT_EQ(test, pair->primary->seen, STATUS_SUCCESS);
		pair->primary->hook = NULL;
		both_went_up_and_down(test, pair);
	}
}

static struct pair *negotiating;

/* As a driver does: ask for sub-channels, and wait for them. */
static void negotiate(struct client *client)
{
	client->seen = VmbChannelEnable(negotiating->sub->ch);
	if (!fake_bus_offer_sub(negotiating->sub_bus) ||
	    !eventually(READ_ONCE(negotiating->sub->ch->state) == KMCL_ACTIVE))
		client->seen = STATUS_UNSUCCESSFUL;
}

static void callback_of_primary_brings_sub_up(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	unsigned int i;

	negotiating = pair;
	pair->primary->at = "PostStarted";
	pair->primary->hook = negotiate;
	for (i = 0; i < 2; i++) {
		bring_up(test, pair->primary);
		KUNIT_EXPECT_EQ(test, pair->primary->seen, STATUS_SUCCESS);
		VmbChannelDisable(pair->primary->ch);
		both_went_up_and_down(test, pair);
	}
}

/* Anything at any time */

#define RANDOM_STEPS	60

static void random_primary(void *data)
{
	struct pair *pair = data;
	unsigned int i;

	for (i = 0; i < RANDOM_STEPS; i++) {
		VmbChannelEnable(pair->primary->ch);
		usleep_range(0, 4000);
		if (get_random_u8() & 1)
			VmbChannelDisable(pair->primary->ch);
		else
			kmcl_channel_detach(pair->primary->ch,
					    pair->primary_bus);
	}
}

static void random_sub(void *data)
{
	struct pair *pair = data;
	unsigned int i;

	for (i = 0; i < RANDOM_STEPS; i++) {
		VmbChannelEnable(pair->sub->ch);
		usleep_range(0, 4000);
		if (get_random_u8() & 1)
			VmbChannelDisable(pair->sub->ch);
		else
			kmcl_channel_detach(pair->sub->ch, pair->sub_bus);
	}
}

static void random_offers(void *data)
{
	struct pair *pair = data;
	unsigned int i;

	for (i = 0; i < 2 * RANDOM_STEPS; i++) {
		fake_bus_offer_sub(pair->sub_bus);
		usleep_range(0, 4000);
	}
}

/* A slow machine may need several rounds until the sub-channel was open once. */
static void random_steps(struct kunit *test)
{
	static void (* const run[])(void *data) = {
		random_primary, random_sub, random_offers,
	};
	struct pair *pair = get_pair(test);
	struct job *job[ARRAY_SIZE(run)];
	unsigned int i, rounds = 0;

	do {
		for (i = 0; i < ARRAY_SIZE(run); i++)
			job[i] = job_start(test, run[i], pair);
		for (i = 0; i < ARRAY_SIZE(run); i++)
			job_join(test, job[i]);
	} while (!atomic_read(&pair->sub_bus->opens) && ++rounds < 20);
	VmbChannelDisable(pair->primary->ch);
	VmbChannelDisable(pair->sub->ch);
	KUNIT_EXPECT_EQ(test, pair->primary->offences, 0);
	KUNIT_EXPECT_EQ(test, pair->sub->offences, 0);
	KUNIT_EXPECT_GT(test, atomic_read(&pair->sub_bus->opens), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary->ch->subs.nr_in), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->primary->ch->subs.nr_active),
			0);
	KUNIT_EXPECT_EQ(test, atomic_read(&pair->sub_bus->overlaps), 0);
}

/* With the server */

/* The server's numbers of them */
#define PRIMARY		0
#define SUB		1
/* Wait until the guest has released the relid of the offer. */
#define OFFER_MS	1000
#define OFFER_DEVICE_MS	3000

static struct pair *get_server_pair(struct kunit *test)
{
	struct pair *pair = kunit_kzalloc(test, sizeof(*pair), GFP_KERNEL);
	guid_t type, instance;

	KUNIT_ASSERT_NOT_NULL(test, pair);
	KUNIT_ASSERT_EQ(test, guid_parse(TESTDEV_SUBS_TYPE_GUID, &type), 0);
	KUNIT_ASSERT_EQ(test, guid_parse(TESTDEV_SUBS_GUID, &instance), 0);
	pair->primary = client_alloc(test);
	pair->sub = client_alloc(test);
	client_set_up(test, pair->primary, get_channel(test), &type, &instance);
	client_set_up(test, pair->sub, get_channel(test), &some_guid, NULL);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetPrimaryChannel(pair->sub->ch,
							pair->primary->ch),
			STATUS_SUCCESS);
	return pair;
}

/* It is offered again, as the server says, also when it has not been before. */
static void server_offers_sub(struct kunit *test, struct pair *pair)
{
	server_does(test, pair->primary->ch, .op = TESTDEV_REOFFER,
		    .handle = SUB, .length = OFFER_MS);
	server_does(test, pair->primary->ch, .op = TESTDEV_RESCIND,
		    .handle = SUB);
}

static void bring_up_server_sub(struct kunit *test, struct pair *pair)
{
	enable(test, pair->sub);
	server_offers_sub(test, pair);
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
	heard(test, pair->sub, UP);
}

static struct pair *get_open_server_pair(struct kunit *test)
{
	struct pair *pair = get_server_pair(test);

	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	return pair;
}

static void server_echoes(struct kunit *test, VMBCHANNEL ch)
{
	static const char text[] = "by way of a channel";
	struct testdev_request req = {
		.op = TESTDEV_ECHO, .payload_len = sizeof(text),
	};
	struct server srv = { .ch = ch };
	struct testdev_response rsp = {};
	char back[sizeof(text)] = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, text, &rsp, back,
					  sizeof(back)), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, rsp.status, TESTDEV_OK);
	KUNIT_EXPECT_STREQ(test, back, text);
}

static void server_has_opens(struct kunit *test, VMBCHANNEL ch,
			     struct testdev_report *report)
{
	struct testdev_request req = { .op = TESTDEV_REPORT };
	struct server srv = { .ch = ch };
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, NULL, &rsp, report,
					  sizeof(*report)), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

/* Each channel carries its own packets. */
static void packets_with_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct testdev_report sub, primary;
	guid_t bound, instance;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, guid_parse(TESTDEV_SUBS_GUID, &instance), 0);
	VmbChannelGetInterfaceInstance(pair->sub->ch, &bound);
	KUNIT_EXPECT_TRUE(test, guid_equal(&bound, &instance));
	KUNIT_EXPECT_PTR_EQ(test,
			    VmbChannelGetTargetDeviceObject(pair->sub->ch),
			    VmbChannelGetTargetDeviceObject(pair->primary->ch));

	server_has_opens(test, pair->sub->ch, &sub);
	server_has_opens(test, pair->primary->ch, &primary);
	for (i = 0; i < 50; i++)
		server_echoes(test, pair->sub->ch);
	KUNIT_EXPECT_EQ(test, sub.opens, sub.closes + 1);
	i = sub.requests;
	server_has_opens(test, pair->sub->ch, &sub);
	KUNIT_EXPECT_EQ(test, sub.requests, i + 51);
	i = primary.requests;
	server_has_opens(test, pair->primary->ch, &primary);
	KUNIT_EXPECT_EQ(test, primary.requests, i + 1);
	VmbChannelDisable(pair->primary->ch);
	heard(test, pair->sub, DOWN);
	heard(test, pair->primary, UP_DOWN);
}

#define PAGES	40

static void gpadl_with_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct server srv = { .ch = pair->sub->ch };
	u8 *va = vmalloc(PAGES * PAGE_SIZE);
	u32 handle, i;

	KUNIT_ASSERT_NOT_NULL(test, va);
	get_random_bytes(va, PAGES * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(pair->sub->ch, 0, va,
							PAGES * PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_crc32(test, &srv, handle),
			crc32_le(~0, va, PAGES * PAGE_SIZE) ^ ~0);
	server_fill(test, &srv, handle, 7);
	for (i = 0; i < PAGES * PAGE_SIZE; i += 997)
		KUNIT_ASSERT_EQ(test, va[i], testdev_pattern(7, i));
	VmbChannelDeleteGpadl(pair->sub->ch, handle);
	KUNIT_EXPECT_FALSE(test, server_knows(test, &srv, handle));

	/* A GPADL that is left is torn down after the close of both. */
	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(pair->sub->ch, 0, va,
							PAGES * PAGE_SIZE,
							&handle),
			STATUS_SUCCESS);
	VmbChannelDisable(pair->primary->ch);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->gpadl_stats.leftovers, 1);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->gpadl_stats.quarantined, 0);
	vfree(va);
}

static void again_with_the_server(struct kunit *test)
{
	struct pair *pair = get_server_pair(test);
	unsigned int i;

	for (i = 0; i < 5; i++) {
		bring_up(test, pair->primary);
		bring_up_server_sub(test, pair);
		server_echoes(test, pair->sub->ch);
		VmbChannelDisable(pair->primary->ch);
		KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
		heard(test, pair->sub, DOWN);
		heard(test, pair->primary, UP_DOWN);
	}
}

static void alone_with_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct testdev_report before, after;

	server_has_opens(test, pair->sub->ch, &before);
	VmbChannelDisable(pair->sub->ch);
	heard(test, pair->sub, DOWN);
	server_echoes(test, pair->primary->ch);
	/*
	 * The host has it open: its interrupts must not reach the closed
	 * channel.
	 */
	VmbChannelDisable(pair->primary->ch);
	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	server_has_opens(test, pair->sub->ch, &after);
	KUNIT_EXPECT_EQ(test, after.opens, before.opens + 1);
	KUNIT_EXPECT_EQ(test, after.closes, before.closes + 1);
}

/* The server sends many packets to a channel that is closed. */
static void alone_while_the_server_sends(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct testdev_request push = {
		.op = TESTDEV_PUSH, .length = 2000, .offset = 64,
	};
	struct server srv = { .ch = pair->sub->ch };
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, &push, NULL, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
	VmbChannelDisable(pair->sub->ch);
	server_echoes(test, pair->primary->ch);
	kunit_release_action(test, channel_clean_up, pair->sub->ch);
	server_echoes(test, pair->primary->ch);
	VmbChannelDisable(pair->primary->ch);
	heard(test, pair->primary, UP_DOWN);
}

static void rescinded_by_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);

	server_does(test, pair->primary->ch, .op = TESTDEV_RESCIND,
		    .handle = SUB);
	becomes(test, pair->sub->ch, KMCL_DISABLED);
	heard(test, pair->sub, DOWN);
	server_echoes(test, pair->primary->ch);
	VmbChannelDisable(pair->primary->ch);
	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	server_echoes(test, pair->sub->ch);
}

/* No channel has taken the sub-channel, and the bus has not handled the rescind yet. */
static void rescinded_while_the_primary_closes(struct kunit *test)
{
	struct device *device = server_device(test, TESTDEV_SUBS_GUID);
	struct pair *pair = get_server_pair(test);
	struct job *disable;

	log_record(test);
	bring_up(test, pair->primary);
	server_offers_sub(test, pair);
	is_logged(test, "no channel waits yet for a sub-channel");
	KUNIT_EXPECT_TRUE(test, server_device_rescind_sub(device, false));
	disable = job_start(test, do_disable, pair->primary->ch);
	KUNIT_EXPECT_TRUE(test, job_returns(disable));
	if (!job_done(disable))
		server_device_rescind_sub(device, true);
	job_join(test, disable);
	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	server_echoes(test, pair->sub->ch);
}

static void unbound_with_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct device *device = server_device(test, TESTDEV_SUBS_GUID);

	device_release_driver(device);
	/* The channels have released the device, or are about to. */
	becomes(test, pair->primary->ch, KMCL_DISABLED);
	becomes(test, pair->sub->ch, KMCL_DISABLED);
	heard(test, pair->sub, DOWN);
	heard(test, pair->primary, UP_DOWN);
	/* The driver takes the device again when a channel waits for it. */
	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	server_echoes(test, pair->sub->ch);
}

/* hv_vmbus calls the driver in this way before and after hibernation. */
static void suspended_with_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);
	struct device *device = server_device(test, TESTDEV_SUBS_GUID);

	KUNIT_EXPECT_EQ(test, server_device_suspend(test, device), 0);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, pair->primary->ch->state, KMCL_ENABLED);
	heard(test, pair->sub, DOWN);
	heard(test, pair->primary, UP_DOWN);
	KUNIT_EXPECT_EQ(test, server_device_resume(test, device), 0);
	becomes(test, pair->primary->ch, KMCL_ACTIVE);
	bring_up_server_sub(test, pair);
	server_echoes(test, pair->sub->ch);
}

/* Sub-channels first, in the order in which hv_vmbus does it. */
static void both_rescinded_by_the_server(struct kunit *test)
{
	struct pair *pair = get_open_server_pair(test);

	server_does(test, pair->primary->ch, .op = TESTDEV_REOFFER,
		    .handle = PRIMARY, .length = OFFER_DEVICE_MS);
	server_does(test, pair->primary->ch, .op = TESTDEV_RESCIND,
		    .handle = SUB);
	server_does(test, pair->primary->ch, .op = TESTDEV_RESCIND,
		    .handle = PRIMARY);
	becomes(test, pair->primary->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, pair->sub->ch->state, KMCL_DISABLED);
	heard(test, pair->sub, DOWN);
	heard(test, pair->primary, UP_DOWN);
	bring_up(test, pair->primary);
	bring_up_server_sub(test, pair);
	server_echoes(test, pair->sub->ch);
}

/* The host offers a sub-channel once; nobody can take it at that time. */

static void offered_before_the_primary_is_open(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	enable(test, pair->sub);
	fake_bus_keep_sub(pair->sub_bus);
	bring_up(test, pair->primary);
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
	heard(test, pair->sub, UP);
}

static void offered_before_it_is_enabled(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	KUNIT_EXPECT_FALSE(test, fake_bus_offer_sub(pair->sub_bus));
	fake_bus_keep_sub(pair->sub_bus);
	enable(test, pair->sub);
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
	heard(test, pair->sub, UP);
}

static void offered_again_after_a_failed_open(struct kunit *test)
{
	struct pair *pair = get_pair(test);

	bring_up(test, pair->primary);
	pair->sub_bus->open_err = -ENOMEM;
	enable(test, pair->sub);
	KUNIT_EXPECT_TRUE(test, fake_bus_offer_sub(pair->sub_bus));
	heard(test, pair->sub, "PnpFailure");
	becomes(test, pair->sub->ch, KMCL_DISABLED);
	pair->sub_bus->open_err = 0;
	fake_bus_keep_sub(pair->sub_bus);
	enable(test, pair->sub);
	becomes(test, pair->sub->ch, KMCL_ACTIVE);
}

/* The name changes while debugfs is read and the host offers sub-channels. */

#define NAMES		300

static bool naming;

static void name_again_and_again(void *ch)
{
	static WCHAR text[] = { 'k', 'u', 'n', 'i', 't', 0 };
	UNICODE_STRING name = {
		.Length = sizeof(text) - sizeof(WCHAR),
		.MaximumLength = sizeof(text),
		.Buffer = text,
	};
	unsigned int i;

	for (i = 0; i < NAMES; i++)
		VmbChannelInitSetFriendlyName(ch, &name);
	WRITE_ONCE(naming, false);
}

static void offer_again_and_again(void *bus)
{
	while (READ_ONCE(naming)) {
		fake_bus_offer_sub(bus);
		cond_resched();
	}
}

/* The directory may be gone when it is opened. The kernel cannot read it itself. */
static void read_again_and_again(void *test)
{
	while (READ_ONCE(naming))
		run_shell(test,
			  "cat /sys/kernel/debug/vmbkmcl/kunit-*/state >/dev/null 2>&1; true");
}

static void name_while_debugfs_is_read(struct kunit *test)
{
	struct pair *pair = get_pair(test);
	struct job *names, *offers, *reads;

	bring_up(test, pair->primary);
	naming = true;
	names = job_start(test, name_again_and_again, pair->sub->ch);
	offers = job_start(test, offer_again_and_again, pair->sub_bus);
	reads = job_start(test, read_again_and_again, test);
	job_join(test, names);
	job_join(test, offers);
	job_join(test, reads);
}

/*
 * Each of them has a work item that waits for the primary, and the primary's for them.
 * A queue runs 256 items at once, or fewer on a machine of several nodes.
 */
#define MANY		300
#define MANY_TIMES	10

static void many_go_up_and_down(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_create(test), **subs;
	struct job *disable;
	unsigned int i, n;

	subs = kunit_kcalloc(test, MANY, sizeof(*subs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, subs);
	for (i = 0; i < MANY; i++)
		subs[i] = fake_bus_create_sub(test, primary);
	for (n = 0; n < MANY_TIMES; n++) {
		KUNIT_ASSERT_EQ(test, VmbChannelEnable(primary->ch),
				STATUS_SUCCESS);
		becomes(test, primary->ch, KMCL_ACTIVE);
		for (i = 0; i < MANY; i++) {
			KUNIT_ASSERT_EQ(test, VmbChannelEnable(subs[i]->ch),
					STATUS_SUCCESS);
			KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(subs[i]));
		}
		for (i = 0; i < MANY; i++)
			becomes(test, subs[i]->ch, KMCL_ACTIVE);
		disable = job_start(test, do_disable, primary->ch);
		job_join(test, disable);
		for (i = 0; i < MANY; i++)
			KUNIT_ASSERT_EQ(test, subs[i]->ch->state,
					KMCL_DISABLED);
	}
}

static struct kunit_case channel_sub_cases[] = {
	KUNIT_CASE(primary_bounds),
	KUNIT_CASE(waits_for_an_offer),
	KUNIT_CASE(is_disabled_before_an_offer),
	KUNIT_CASE(each_offer_is_for_one),
	KUNIT_CASE(sub_does_not_open),
	KUNIT_CASE(callbacks_in_order),
	KUNIT_CASE(disable_again_and_again),
	KUNIT_CASE(primary_is_rescinded),
	KUNIT_CASE(primary_sleeps),
	KUNIT_CASE(primary_refuses_to_open),
	KUNIT_CASE(while_sub_opens),
	KUNIT_CASE(while_sub_waits_for_the_host),
	KUNIT_CASE(gpadl_is_deleted_after_the_close),
	KUNIT_CASE(packets_of_the_hosts_are_waited_for),
	KUNIT_CASE(requests_of_the_clients_end),
	KUNIT_CASE(callback_asks_the_host),
	KUNIT_CASE(callback_asks_on_the_primary),
	KUNIT_CASE(alone_while_a_callback_asks_on_the_primary),
	KUNIT_CASE(sub_goes_alone),
	KUNIT_CASE(sub_is_cleaned_up_alone),
	KUNIT_CASE(sub_is_rescinded),
	KUNIT_CASE(primary_is_cleaned_up_first),
	KUNIT_CASE(primary_in_the_clients_memory),
	KUNIT_CASE(callback_of_sub_for_its_primary),
	KUNIT_CASE(callback_of_sub_for_another),
	KUNIT_CASE(callback_of_primary_for_sub),
	KUNIT_CASE(callback_of_primary_brings_sub_up),
	KUNIT_CASE_SLOW(random_steps),
	KUNIT_CASE(offered_before_the_primary_is_open),
	KUNIT_CASE(offered_before_it_is_enabled),
	KUNIT_CASE(offered_again_after_a_failed_open),
	KUNIT_CASE(name_while_debugfs_is_read),
	KUNIT_CASE_SLOW(many_go_up_and_down),
	{}
};

struct kunit_suite vmbkmcl_channel_sub_suite = {
	.name = "vmbkmcl_channel_sub",
	.test_cases = channel_sub_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case channel_sub_server_cases[] = {
	KUNIT_CASE(packets_with_the_server),
	KUNIT_CASE(gpadl_with_the_server),
	KUNIT_CASE(again_with_the_server),
	KUNIT_CASE(alone_with_the_server),
	KUNIT_CASE(alone_while_the_server_sends),
	KUNIT_CASE(rescinded_by_the_server),
	KUNIT_CASE(rescinded_while_the_primary_closes),
	KUNIT_CASE(unbound_with_the_server),
	KUNIT_CASE(suspended_with_the_server),
	KUNIT_CASE(both_rescinded_by_the_server),
	{}
};

struct kunit_suite vmbkmcl_channel_sub_server_suite = {
	.name = "vmbkmcl_channel_sub_server",
	.test_cases = channel_sub_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_channel_sub_server_suite);
