// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, at random: threads that enable, disable, pause and start a
 * channel while its device is rescinded, unbound, suspended and offered again,
 * packets come, are kept and completed, and requests are sent. lib/client.c checks
 * which callback follows which, and that no two run at once; the end of each case
 * checks the rest; KASAN and lockdep check the memory and the locks.
 */

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/moduleparam.h>
#include <linux/path.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "lib/client.h"
#include "lib/files.h"
#include "lib/server.h"
#include "lib/user_memory.h"
#include "suites.h"

#define SERVER_STEPS	300
#define REOFFER_MS	3000	/* the guest has given the offer's channel id back */
#define CONTROLLERS	3
#define DRIVER		"/sys/bus/vmbus/drivers/vmbkmcl-" TESTDEV_TYPE_GUID

static unsigned int stress_seed;
module_param(stress_seed, uint, 0644);
MODULE_PARM_DESC(stress_seed,
		 "Seed of the randomised cases; 0 (the default) takes a new one");

static unsigned int stress_steps = 1000;
module_param(stress_steps, uint, 0644);
MODULE_PARM_DESC(stress_steps,
		 "Steps that the stress of the fake bus takes (default 1000)");

/**
 * struct stress - what the threads share
 * @client: the channel's
 * @bus: its fake bus, or NULL with the server
 * @steps: left to be done by all of them
 * @over: the helpers, which do no steps of their own, may end
 * @threads: numbers them
 * @seed: of the first; each adds its number
 * @rescinds: that the server has promised
 * @patience: until then, in jiffies, the steps go on if it has promised none
 */
struct stress {
	struct client *client;
	struct fake_bus *bus;
	atomic_t steps;
	bool over;
	atomic_t threads;
	u32 seed;
	unsigned int rescinds;
	unsigned long patience;
};

static bool goes_on(struct stress *s)
{
	return atomic_dec_return(&s->steps) >= 0 ||
	       (!READ_ONCE(s->rescinds) && time_before(jiffies, s->patience));
}

static void seed_thread(struct stress *s, struct rnd_state *rnd)
{
	prandom_seed_state(rnd, s->seed + atomic_inc_return(&s->threads));
}

static u32 below(struct rnd_state *rnd, u32 end)
{
	return prandom_u32_state(rnd) % end;
}

/*
 * Not usleep_range(): when a guest arms its timer for many short sleeps, the emulated
 * Hyper-V loses some of the timer's interrupts, and the thread sleeps on.
 */
static void some_time(struct rnd_state *rnd)
{
	if (below(rnd, 4)) {
		udelay(10 + below(rnd, 100));
		cond_resched();
	} else {
		msleep(1);
	}
}

/* What a client's driver does */
static void controller(void *data)
{
	struct stress *s = data;
	VMBCHANNEL ch = s->client->ch;
	struct rnd_state rnd;

	seed_thread(s, &rnd);
	while (goes_on(s)) {
		switch (below(&rnd, 8)) {
		case 0:
			VmbChannelDisable(ch);
			break;
		case 1:
			VmbChannelPause(ch);
			break;
		case 2:
			VmbChannelStart(ch);
			break;
		default:
			VmbChannelEnable(ch);
		}
		msleep(1 + below(&rnd, 15));
	}
}

/* What the host and the administrator do */

static void device_goes(struct fake_bus *bus, bool rescinded)
{
	bus->present = false;
	if (rescinded)
		fake_bus_rescind(bus);
	else
		kmcl_channel_detach(bus->ch, bus);
}

static void device_comes(struct fake_bus *bus)
{
	bus->is_rescinded = false;
	bus->present = true;
	fake_bus_attach(bus->ch, bus, &some_guid);
}

static void fake_device(void *data)
{
	struct stress *s = data;
	struct fake_bus *bus = s->bus;
	struct rnd_state rnd;

	seed_thread(s, &rnd);
	while (goes_on(s)) {
		u32 what = below(&rnd, 4);

		if (what == 0) {
			kmcl_channel_suspend_device(bus->ch, bus);
			some_time(&rnd);
			kmcl_channel_resume_device(bus->ch, bus);
		} else {
			device_goes(bus, what == 1);
			some_time(&rnd);
			device_comes(bus);
		}
		msleep(1 + below(&rnd, 40));
	}
}

static void fake_traffic(void *data)
{
	struct stress *s = data;
	struct rnd_state rnd;
	u64 tag = 0;

	seed_thread(s, &rnd);
	while (!READ_ONCE(s->over)) {
		if (below(&rnd, 3))
			fake_bus_deliver_request(s->bus, tag, &tag,
						 sizeof(tag));
		else
			fake_bus_deliver(s->bus, KMCL_PKT_COMPLETION,
					 READ_ONCE(s->bus->last_id), NULL, 0);
		some_time(&rnd);
	}
}

static void requests(void *data)
{
	struct stress *s = data;
	struct rnd_state rnd;

	seed_thread(s, &rnd);
	while (!READ_ONCE(s->over)) {
		send_word(s->client->ch,
			  VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
			  -100000LL * (1 + below(&rnd, 5)));
		some_time(&rnd);
	}
}

/* What a slow client does with its packets */
static void completer(void *data)
{
	struct stress *s = data;
	struct rnd_state rnd;

	seed_thread(s, &rnd);
	while (!READ_ONCE(s->over)) {
		WRITE_ONCE(s->client->hold, below(&rnd, 4));
		msleep(1 + below(&rnd, 400));
		while (client_completes_one(s->client))
			;
	}
	client_completes_all(s->client);
}

/* Errors are expected: it may be unbound already, or bound. */
static void poke(const char *path, const char *text)
{
	struct file *file = open_file(path, O_WRONLY, 0);
	loff_t pos = 0;

	if (IS_ERR(file))
		return;
	kernel_write(file, text, strlen(text), &pos);
	fput(file);
}

static void set_removal_wait(void *ms)
{
	poke("/sys/module/vmbkmcl/parameters/removal_wait_ms", ms);
}

static void stress_init(struct kunit *test, struct stress *s,
			struct client *client, unsigned int steps)
{
	s->client = client;
	atomic_set(&s->steps, steps);
	s->patience = jiffies;
	s->seed = stress_seed ?: get_random_u32();
	kunit_info(test, "stress_seed=%u\n", s->seed);
}

static void stress_ends(struct kunit *test, struct stress *s)
{
	struct client *client = s->client;

	VmbChannelStart(client->ch);
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, client->offences, 0);
	KUNIT_EXPECT_EQ(test, client->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, client->phase, CLIENT_CLOSED);
	KUNIT_EXPECT_EQ(test, kmcl_delivery_held(&client->ch->delivery), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&client->ch->tx.queue));
}

static void stress_on_the_fake_bus(struct kunit *test)
{
	struct job *jobs[CONTROLLERS + 1], *helpers[3];
	struct fake_bus *bus;
	struct client *client = fake_client(test, &bus);
	struct stress s = { .bus = bus };
	unsigned int i;

	set_removal_wait("5");
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, set_removal_wait,
							"5000"), 0);
	stress_init(test, &s, client, READ_ONCE(stress_steps));
	for (i = 0; i < CONTROLLERS; i++)
		jobs[i] = job_start(test, controller, &s);
	jobs[i] = job_start(test, fake_device, &s);
	helpers[0] = job_start(test, fake_traffic, &s);
	helpers[1] = job_start(test, requests, &s);
	helpers[2] = job_start(test, completer, &s);

	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		job_join(test, jobs[i]);
	WRITE_ONCE(s.over, true);
	for (i = 0; i < ARRAY_SIZE(helpers); i++)
		job_join(test, helpers[i]);
	stress_ends(test, &s);
	KUNIT_EXPECT_EQ(test, atomic_read(&bus->overlaps), 0);
	/* How many there are in a short run depends on the machine. */
	KUNIT_EXPECT_GT(test, atomic_read(&bus->opens),
			min(10u, READ_ONCE(stress_steps) / 50));
	KUNIT_EXPECT_GT(test, client->packets,
			min(10u, READ_ONCE(stress_steps) / 50));
	kunit_info(test, "%d opens, %u packets, %llu orphaned, %llu sent\n",
		   atomic_read(&bus->opens), client->packets,
		   client->ch->delivery.orphaned, READ_ONCE(client->ch->tx.sent));
}

/* The channel may be down, or go down before the completion. */
static bool server_agrees(VMBCHANNEL ch, u32 op, u32 ms)
{
	struct testdev_request req = {
		.magic = TESTDEV_MAGIC, .op = op, .length = ms,
	};
	struct testdev_response rsp = { .status = TESTDEV_EPROTO };
	LARGE_INTEGER timeout = { .QuadPart = -SECOND / 2 };
	u32 len = sizeof(rsp);

	return VmbChannelSendSynchronousRequest(ch, &req, sizeof(req), NULL,
						VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
						&rsp, &len, &timeout) ==
	       STATUS_SUCCESS && rsp.status == TESTDEV_OK;
}

/* Often asked, as the other threads take the channel down again and again. */
static bool server_persuaded(VMBCHANNEL ch, u32 op, u32 ms)
{
	unsigned int i;

	for (i = 0; i < 50; i++) {
		if (server_agrees(ch, op, ms))
			return true;
		msleep(5);
	}
	return false;
}

/* Not asked to rescind unless it is sure to offer the device again. */
static void ask_for_a_rescind(struct stress *s)
{
	VMBCHANNEL ch = s->client->ch;

	if (server_persuaded(ch, TESTDEV_REOFFER, REOFFER_MS) &&
	    server_persuaded(ch, TESTDEV_RESCIND, 0))
		WRITE_ONCE(s->rescinds, s->rescinds + 1);
}

static void server_device(void *data)
{
	struct stress *s = data;
	struct rnd_state rnd;

	seed_thread(s, &rnd);
	while (goes_on(s)) {
		poke(DRIVER "/unbind", TESTDEV_INSTANCE_GUID);
		some_time(&rnd);
		poke(DRIVER "/bind", TESTDEV_INSTANCE_GUID);
		msleep(20);
		if (!s->rescinds || !below(&rnd, 4))
			ask_for_a_rescind(s);
	}
}

static void stress_with_the_server(struct kunit *test)
{
	struct client *client = server_client(test);
	struct client *keeper = client_alloc(test);
	struct stress s = {};
	struct job *jobs[CONTROLLERS + 1], *helper;
	guid_t type, instance;
	unsigned int i;

	/* This channel gets no device, but keeps the type's driver registered. */
	server_guids(&type, &instance);
	client_set_up(test, keeper, get_channel(test), &type, &some_guid);
	enable(test, keeper);

	stress_init(test, &s, client, SERVER_STEPS);
	s.patience = jiffies + 60 * HZ;
	for (i = 0; i < CONTROLLERS; i++)
		jobs[i] = job_start(test, controller, &s);
	jobs[i] = job_start(test, server_device, &s);
	helper = job_start(test, requests, &s);
	for (i = 0; i < ARRAY_SIZE(jobs); i++)
		job_join(test, jobs[i]);
	WRITE_ONCE(s.over, true);
	job_join(test, helper);
	stress_ends(test, &s);
	KUNIT_EXPECT_GT(test, s.rescinds, 0);
	kunit_info(test, "%u rescinds by the server\n", s.rescinds);

	/* The last rescind may have come just now. */
	msleep(REOFFER_MS);
	bring_up(test, client);
	ask_the_host(client);
	KUNIT_EXPECT_EQ(test, client->seen, STATUS_SUCCESS);
}

static struct kunit_case stress_cases[] = {
	KUNIT_CASE(stress_on_the_fake_bus),
	{}
};

struct kunit_suite vmbkmcl_stress_suite = {
	.name = "vmbkmcl_stress",
	.test_cases = stress_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case stress_server_cases[] = {
	KUNIT_CASE_SLOW(stress_with_the_server),
	{}
};

struct kunit_suite vmbkmcl_stress_server_suite = {
	.name = "vmbkmcl_stress_server",
	.test_cases = stress_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_stress_server_suite);
