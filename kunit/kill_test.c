// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can take a channel's device away, in every place where its client may be: both
 * at random, while another thread uses the channel. lib/client.c checks which callback
 * follows which; KASAN and lockdep check the memory and the locks.
 */

#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "lib/client.h"
#include "suites.h"

static unsigned int kill_seed;
module_param(kill_seed, uint, 0644);
MODULE_PARM_DESC(kill_seed,
		 "Seed of the kill matrix; 0 (the default) takes a new one");

/*
 * KILL_ALL steps take 100 s in a plain guest. In an emulated Hyper-V they take so long that
 * the kernel reports the tasks of KUnit, which wait for the case, as hung.
 */
static unsigned int kill_steps = 1000;
module_param(kill_steps, uint, 0644);
MODULE_PARM_DESC(kill_steps, "Steps of the kill matrix (default 1000)");

/* So many steps meet each callback with each event. */
#define KILL_ALL	10000

/* As long as KUnit lets a case run, with some time to end. */
#define KILL_SECONDS	200

enum kill {
	KILL_UNBIND,
	KILL_RESCIND,
	KILL_REOFFER,
	KILL_SUSPEND,
	KILL_CPU,
	KILLS,
};

static const char * const kill_names[KILLS] = {
	"unbind", "rescind", "re-offer", "suspend", "CPU offline",
};

/* The callbacks, and anywhere else. */
#define PLACES	(ARRAY_SIZE(client_callbacks) + 1)

/**
 * struct killing - what the two threads share
 * @bus: the bus of the channel
 * @client: the client of the channel
 * @steps: steps that are left for both threads
 * @end: when the threads end in any case, in jiffies
 * @seed: seed of the first thread; the other adds 1
 * @count: how often which kill met the client where
 * @most_ms: longest time that a rescind took
 */
struct killing {
	struct fake_bus *bus;
	struct client *client;
	atomic_t steps;
	unsigned long end;
	u32 seed;
	u32 count[KILLS][PLACES];
	s64 most_ms;
};

static bool kill_goes_on(struct killing *k)
{
	return atomic_dec_return(&k->steps) >= 0 && time_before(jiffies, k->end);
}

static u32 pick(struct rnd_state *rnd, u32 end)
{
	return prandom_u32_state(rnd) % end;
}

/* A client that stays in its callback for a moment. */
static void dwell(struct client *client)
{
	complete(&client->entered);
	usleep_range(1000, 3000);
}

static void use_gpadl(VMBCHANNEL ch)
{
	unsigned long page = __get_free_page(GFP_KERNEL);
	UINT32 handle;

	if (!page)
		return;
	if (!VmbChannelCreateGpadlFromBuffer(ch, 0, (void *)page, PAGE_SIZE,
					     &handle))
		VmbChannelDeleteGpadl(ch, handle);
	free_page(page);
}

static void kill_user(void *data)
{
	struct killing *k = data;
	VMBCHANNEL ch = k->client->ch;
	struct rnd_state rnd;

	prandom_seed_state(&rnd, k->seed);
	while (kill_goes_on(k)) {
		switch (pick(&rnd, 12)) {
		case 0:
			VmbChannelDisable(ch);
			break;
		case 1:
			VmbChannelPause(ch);
			break;
		case 2:
			VmbChannelStart(ch);
			break;
		case 3:
			use_gpadl(ch);
			break;
		case 4:
			send_word(ch, VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
				  -10000);
			break;
		case 5:
			VmbChannelGetTargetDeviceObject(ch);
			VmbChannelSetInterruptLatency(ch, pick(&rnd, 2), NULL);
			break;
		default:
			VmbChannelEnable(ch);
		}
		usleep_range(100, 1000);
	}
}

static void kill_by_rescind(struct killing *k)
{
	ktime_t start = ktime_get();
	s64 ms;

	k->bus->present = false;
	fake_bus_rescind_at_once(k->bus);
	ms = ktime_ms_delta(ktime_get(), start);
	k->most_ms = max(k->most_ms, ms);
}

static void kill_device_comes(struct fake_bus *bus)
{
	bus->is_rescinded = false;
	bus->present = true;
	fake_bus_attach(bus->ch, bus, &some_guid);
}

static void kill_one(struct killing *k, enum kill kill)
{
	struct fake_bus *bus = k->bus;

	switch (kill) {
	case KILL_UNBIND:
		bus->present = false;
		kmcl_channel_detach(bus->ch, bus);
		kill_device_comes(bus);
		break;
	case KILL_RESCIND:
		kill_by_rescind(k);
		/* The channel keeps what is left of the device until its end. */
		wait_event(bus->ch->changed,
			   READ_ONCE(bus->ch->endpoint) != bus);
		kill_device_comes(bus);
		break;
	case KILL_REOFFER:
		kill_by_rescind(k);
		kill_device_comes(bus);
		break;
	case KILL_SUSPEND:
		kmcl_channel_suspend_device(bus->ch, bus);
		kmcl_channel_resume_device(bus->ch, bus);
		break;
	case KILL_CPU:
		if (!remove_cpu(1))
			add_cpu(1);
		break;
	default:
		break;
	}
}

/* A CPU takes long to go and to come, so it does so less often. */
static enum kill pick_kill(struct rnd_state *rnd)
{
	return pick(rnd, 50) ? pick(rnd, KILL_CPU) : KILL_CPU;
}

static void killer(void *data)
{
	struct killing *k = data;
	struct client *client = k->client;
	struct rnd_state rnd;
	enum kill kill;
	u32 place;

	prandom_seed_state(&rnd, k->seed + 1);
	while (kill_goes_on(k)) {
		kill = pick_kill(&rnd);
		place = pick(&rnd, PLACES);
		reinit_completion(&client->entered);
		WRITE_ONCE(client->at, place < ARRAY_SIZE(client_callbacks) ?
				       client_callbacks[place] : "");
		if (place < ARRAY_SIZE(client_callbacks) &&
		    !wait_for_completion_timeout(&client->entered,
						 msecs_to_jiffies(50)))
			place = PLACES - 1;
		kill_one(k, kill);
		k->count[kill][place]++;
	}
}

static void kill_report(struct kunit *test, const struct killing *k)
{
	unsigned int i;

	for (i = 0; i < KILLS; i++)
		kunit_info(test, "%s: in Opened %u, Started %u, PostStarted %u, Suspend %u, Closed %u, elsewhere %u\n",
			   kill_names[i], k->count[i][0], k->count[i][1],
			   k->count[i][2], k->count[i][3], k->count[i][4],
			   k->count[i][5]);
	kunit_info(test, "%d steps are left, the longest rescind took %lld ms, %d opens\n",
		   max(atomic_read(&k->steps), 0), k->most_ms,
		   atomic_read(&k->bus->opens));
}

static void kill_matrix(struct kunit *test)
{
	struct killing *k = kunit_kzalloc(test, sizeof(*k), GFP_KERNEL);
	struct job *user, *kills;
	unsigned int i, j;

	KUNIT_ASSERT_NOT_NULL(test, k);
	k->client = fake_client(test, &k->bus);
	k->client->at = "";
	k->client->hook = dwell;
	atomic_set(&k->steps, READ_ONCE(kill_steps));
	k->end = jiffies + KILL_SECONDS * HZ;
	k->seed = kill_seed ?: get_random_u32();
	kunit_info(test, "kill_seed=%u\n", k->seed);
	user = job_start(test, kill_user, k);
	kills = job_start(test, killer, k);
	job_end(user);
	job_end(kills);

	VmbChannelDisable(k->client->ch);
	kill_report(test, k);
	KUNIT_EXPECT_EQ(test, k->client->offences, 0);
	KUNIT_EXPECT_EQ(test, k->client->ch->state, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, k->client->phase, CLIENT_CLOSED);
	KUNIT_EXPECT_EQ(test, atomic_read(&k->bus->overlaps), 0);
	KUNIT_EXPECT_EQ(test, k->client->ch->gpadl_stats.quarantined, 0);
	/* With fewer steps, a rare place may not be met. */
	for (i = 0; kill_steps >= KILL_ALL && i < KILL_CPU; i++)
		for (j = 0; j < PLACES; j++)
			KUNIT_EXPECT_GT(test, k->count[i][j], 0);
}

static struct kunit_case kill_cases[] = {
	KUNIT_CASE_SLOW(kill_matrix),
	{}
};

struct kunit_suite vmbkmcl_kill_suite = {
	.name = "vmbkmcl_kill",
	.test_cases = kill_cases,
};
