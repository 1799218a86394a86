// SPDX-License-Identifier: GPL-2.0-only
/*
 * External data that only its owner holds: memory that can not be referenced. The
 * owner must not be told that it is free to use while the host may access it.
 */

#include <linux/gfp.h>
#include <linux/slab.h>

#include "lib/client.h"
#include "lib/files.h"
#include "lib/log.h"
#include "lib/mdls.h"
#include "lib/outcome.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define ORDER	1
#define FLOOD	(KMCL_QUOTA_DEFAULT + KMCL_BACKLOG + 10)
#define REQUEST	"request, with external data that only its owner holds,"
#define WARN_MS	"/sys/module/vmbkmcl/parameters/wait_warn_ms"

/* Memory, the last page of which has no reference to take. */
struct owned {
	const char *name;
	void *(*alloc)(void);
	void (*free)(void *va);
	void *va;
};

static void *slab_alloc(void)
{
	return kmalloc(256, GFP_KERNEL);
}

static void slab_free(void *va)
{
	kfree(va);
}

static void *block_alloc(void)
{
	return (void *)__get_free_pages(GFP_KERNEL, ORDER);
}

static void block_free(void *va)
{
	free_pages((unsigned long)va, ORDER);
}

static const struct owned owned_kinds[] = {
	{ "slab", slab_alloc, slab_free },
	{ "non-compound block", block_alloc, block_free },
};

KUNIT_ARRAY_PARAM_DESC(owned, owned_kinds, name);

static void owned_free(void *data)
{
	struct owned *memory = data;

	memory->free(memory->va);
}

static PMDL owned_mdl(struct kunit *test)
{
	struct owned *memory = kunit_kzalloc(test, sizeof(*memory), GFP_KERNEL);
	u32 len;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	*memory = *(const struct owned *)test->param_value;
	memory->va = memory->alloc();
	KUNIT_ASSERT_NOT_NULL(test, memory->va);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, owned_free,
							memory), 0);
	len = memory->alloc == slab_alloc ? 256 : PAGE_SIZE << ORDER;
	return kernel_mdl(test, memory->va, len);
}

/* A request in a thread of its own, whose time is over at once */
struct asker {
	struct fake_bus *bus;
	PMDL mdl;
	NTSTATUS status;
	struct job *job;
};

static NTSTATUS request(VMBCHANNEL ch, PMDL mdl)
{
	LARGE_INTEGER time = { .QuadPart = -1 };
	u64 word = 0;

	return VmbChannelSendSynchronousRequest(ch, &word, sizeof(word), mdl,
						WAIT, NULL, NULL, &time);
}

static void do_request(void *data)
{
	struct asker *asker = data;

	asker->status = request(asker->bus->ch, asker->mdl);
}

/* A case that failed may leave the request in its wait. */
static void asker_end(void *data)
{
	struct asker *asker = data;

	fake_bus_rescind(asker->bus);
	job_end(asker->job);
}

/* The host has got the request, and its time is over. */
static struct asker *asker_start(struct kunit *test, struct fake_bus *bus)
{
	struct asker *asker = kunit_kzalloc(test, sizeof(*asker), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, asker);
	asker->bus = bus;
	asker->mdl = owned_mdl(test);
	asker->job = job_start(test, do_request, asker);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, asker_end, asker),
			0);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(asker->job));
	return asker;
}

static void timed_out_request_is_completed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct asker *asker = asker_start(test, bus);
	char path[80], *text;

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/state",
		 bus->ch->name);
	text = read_text(test, path);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "waiting: " REQUEST),
				  "%s", text);
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, bus->ch->tx.bad_ids, 0);
}

static void timed_out_request_is_closed(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct asker *asker = asker_start(test, bus);
	struct job *disable;

	bus->withhold = true;
	disable = job_start(test, do_disable, bus->ch);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->waiting) == 1);
	KUNIT_EXPECT_FALSE(test, job_done(asker->job));
	fake_bus_let_complete(bus);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_DEVICE_REMOVED);
}

static void timed_out_in_the_queue(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);

	fake_bus_set_room(bus, 0);
	KUNIT_EXPECT_EQ(test, request(bus->ch, owned_mdl(test)),
			STATUS_CANCELLED);
}

static VOID request_in_started(VMBCHANNEL ch)
{
	struct asker *asker = VmbChannelGetPointer(ch);

	asker->status = request(ch, asker->mdl);
}

/* The close can not begin before the callback returns, but the host is gone. */
static void request_in_a_callback_is_rescinded(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct asker asker = { .bus = bus, .mdl = owned_mdl(test) };
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	struct job *rescind;

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelStarted = request_in_started;
	VmbChannelInitSetStateChangeCallbacks(bus->ch, &evt);
	VmbChannelSetPointer(bus->ch, &asker);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	rescind = job_start(test, do_rescind, bus);
	if (!job_returns(rescind)) {
		KUNIT_FAIL(test, "the removal waits for the callback");
		fake_bus_complete(bus, bus->last_id, NULL, 0);
	}
	job_join(test, rescind);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_DEVICE_REMOVED);
}

static VOID request_without_a_limit(VMBCHANNEL ch)
{
	struct asker *asker = VmbChannelGetPointer(ch);
	u64 word = 0;

	asker->status = VmbChannelSendSynchronousRequest(ch, &word,
							 sizeof(word),
							 asker->mdl, WAIT, NULL,
							 NULL, NULL);
}

/*
 * The close waits for the callback, and the callback for a host that does not answer.
 * debugfs and the log name what has to end.
 */
static void disable_waits_for_a_request_in_a_callback(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_create(test);
	struct asker asker = { .bus = bus, .mdl = owned_mdl(test) };
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	char path[80], line[120], *first, *text;
	struct job *disable;

	first = read_text(test, WARN_MS);
	write_text(test, WARN_MS, "50");
	log_record(test);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelPostStarted = request_without_a_limit;
	VmbChannelInitSetStateChangeCallbacks(bus->ch, &evt);
	VmbChannelSetPointer(bus->ch, &asker);
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->sends));
	disable = job_start(test, do_disable, bus->ch);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->closes), 0);

	snprintf(path, sizeof(path), "/sys/kernel/debug/vmbkmcl/%s/state",
		 bus->ch->name);
	text = read_text(test, path);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "waiting: " REQUEST),
				  "%s", text);
	KUNIT_EXPECT_NOT_NULL_MSG(test, strstr(text, "waiting: disable"),
				  "%s", text);
	snprintf(line, sizeof(line), "%s: " REQUEST " has waited for ",
		 bus->ch->name);
	is_logged(test, line);

	fake_bus_complete(bus, bus->last_id, NULL, 0);
	job_join(test, disable);
	KUNIT_EXPECT_EQ(test, asker.status, STATUS_SUCCESS);
	write_text(test, WARN_MS, first);
}

/* The host may not know of the close: only a rescind ends its access. */
static void close_is_not_posted(struct kunit *test)
{
	struct fake_bus *bus = fake_bus_start(test);
	struct outcome outcome = {};
	VMBPACKET packet = packet_of(test, bus->ch, &outcome);
	struct job *disable;
	u64 word = 0;

	KUNIT_ASSERT_EQ(test,
			VmbPacketSendWithExternalMdl(packet, &word, 8,
						     owned_mdl(test), 0, 0,
						     WAIT), STATUS_SUCCESS);
	bus->close_err = -EIO;
	disable = job_start(test, do_disable, bus->ch);
	ASSERT_EVENTUALLY(test, atomic_read(&bus->closes));
	msleep(200);
	KUNIT_EXPECT_EQ(test, atomic_read(&outcome.calls), 0);
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	fake_bus_rescind(bus);
	job_join(test, disable);
	outcome_is(test, &outcome, STATUS_DEVICE_REMOVED);
}

/* A sub-channel, which the host has open until its primary channel is closed */
static void start_sub(struct kunit *test, struct fake_bus *bus)
{
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(bus->ch), STATUS_SUCCESS);
	KUNIT_ASSERT_TRUE(test, fake_bus_offer_sub(bus));
	ASSERT_EVENTUALLY(test, READ_ONCE(bus->ch->state) == KMCL_ACTIVE);
}

static struct fake_bus *get_open_sub(struct kunit *test,
				     struct fake_bus *primary)
{
	struct fake_bus *bus = fake_bus_create_sub(test, primary);

	start_sub(test, bus);
	return bus;
}

/* The sub-channel is disabled alone, and the request of @asker keeps it. */
static struct job *disable_sub(struct kunit *test, struct asker *asker)
{
	struct job *disable = job_start(test, do_disable, asker->bus->ch);

	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(asker->job));
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	return disable;
}

static void sub_goes_alone_until_completed(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_start(test);
	struct fake_bus *bus = get_open_sub(test, primary);
	struct asker *asker = asker_start(test, bus);
	struct job *disable = disable_sub(test, asker);

	fake_bus_complete(bus, bus->last_id, NULL, 0);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, primary->ch->state, KMCL_ACTIVE);
}

static VOID complete_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			    PVOID buffer, UINT32 length, UINT32 flags)
{
	VmbChannelPacketComplete(packet, NULL, 0);
}

/* More packets than the channel has room for are before the completion in the ring. */
static void sub_goes_alone_in_a_flood(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_start(test);
	struct fake_bus *bus = fake_bus_create_sub(test, primary);
	struct asker *asker;
	struct job *disable;
	u64 word = 0;
	unsigned int i;

	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(bus->ch,
								complete_packet,
								NULL),
			STATUS_SUCCESS);
	start_sub(test, bus);
	asker = asker_start(test, bus);
	disable = disable_sub(test, asker);
	for (i = 0; i < FLOOD; i++)
		fake_bus_deliver(bus, KMCL_PKT_INBAND, i, &word, sizeof(word));
	fake_bus_complete(bus, bus->last_id, NULL, 0);
	KUNIT_EXPECT_TRUE(test, job_returns(disable));
	if (!job_done(disable))
		fake_bus_rescind(primary);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_SUCCESS);
}

static void sub_goes_alone_until_its_primary_does(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_start(test);
	struct fake_bus *bus = get_open_sub(test, primary);
	struct asker *asker = asker_start(test, bus);
	struct job *disable = disable_sub(test, asker);
	struct job *disable_primary;

	primary->withhold = true;
	disable_primary = job_start(test, do_disable, primary->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&primary->waiting) == 1);
	KUNIT_EXPECT_FALSE(test, job_done(asker->job));
	fake_bus_let_complete(primary);
	job_join(test, disable_primary);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_DEVICE_REMOVED);
}

static void sub_goes_alone_until_rescinded(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_start(test);
	struct fake_bus *bus = get_open_sub(test, primary);
	struct asker *asker = asker_start(test, bus);
	struct job *disable = disable_sub(test, asker);

	fake_bus_rescind(primary);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_DEVICE_REMOVED);
}

/* The primary is closed, but the host was not told of the sub-channel's rings. */
static void close_of_sub_is_not_posted(struct kunit *test)
{
	struct fake_bus *primary = fake_bus_start(test);
	struct fake_bus *bus = get_open_sub(test, primary);
	struct asker *asker = asker_start(test, bus);
	struct job *disable;

	bus->close_err = -EIO;
	disable = job_start(test, do_disable, primary->ch);
	EXPECT_EVENTUALLY(test, atomic_read(&bus->closes) == 1);
	msleep(200);
	KUNIT_EXPECT_FALSE(test, job_done(asker->job));
	KUNIT_EXPECT_FALSE(test, job_done(disable));
	fake_bus_rescind(primary);
	job_join(test, disable);
	KUNIT_ASSERT_TRUE(test, job_returns(asker->job));
	KUNIT_EXPECT_EQ(test, asker->status, STATUS_DEVICE_REMOVED);
}

static struct kunit_case owned_cases[] = {
	KUNIT_CASE_PARAM(timed_out_request_is_completed, owned_gen_params),
	KUNIT_CASE_PARAM(timed_out_request_is_closed, owned_gen_params),
	KUNIT_CASE_PARAM(timed_out_in_the_queue, owned_gen_params),
	KUNIT_CASE_PARAM(request_in_a_callback_is_rescinded, owned_gen_params),
	KUNIT_CASE_PARAM(disable_waits_for_a_request_in_a_callback,
			 owned_gen_params),
	KUNIT_CASE_PARAM(close_is_not_posted, owned_gen_params),
	KUNIT_CASE_PARAM(sub_goes_alone_until_completed, owned_gen_params),
	KUNIT_CASE_PARAM(sub_goes_alone_in_a_flood, owned_gen_params),
	KUNIT_CASE_PARAM(sub_goes_alone_until_its_primary_does, owned_gen_params),
	KUNIT_CASE_PARAM(sub_goes_alone_until_rescinded, owned_gen_params),
	KUNIT_CASE_PARAM(close_of_sub_is_not_posted, owned_gen_params),
	{}
};

struct kunit_suite vmbkmcl_owned_suite = {
	.name = "vmbkmcl_owned",
	.test_cases = owned_cases,
};
