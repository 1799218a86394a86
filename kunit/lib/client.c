// SPDX-License-Identifier: GPL-2.0-only
/*
 * A client that records its callbacks.
 *
 * It knows which callback may follow which, and counts those that came at the wrong
 * time or while another one ran.
 */

#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "client.h"
#include "server.h"

const guid_t some_guid = GUID_INIT(0x0badcafe, 0x1234, 0x5678,
				   8, 7, 6, 5, 4, 3, 2, 1);
EXPORT_TO_TESTS(some_guid);

/* The phase to which each callback leads, and those in which it may come */
static const struct {
	const char *callback;
	unsigned int from;
	enum client_phase to;
} client_steps[] = {
	{ "Opened", BIT(CLIENT_CLOSED), CLIENT_OPENED },
	{ "Started", BIT(CLIENT_OPENED) | BIT(CLIENT_SUSPENDED),
	  CLIENT_STARTED },
	{ "PostStarted", BIT(CLIENT_STARTED), CLIENT_STARTED },
	{ "Suspend", BIT(CLIENT_STARTED), CLIENT_SUSPENDED },
	{ "Closed", BIT(CLIENT_OPENED) | BIT(CLIENT_SUSPENDED), CLIENT_CLOSED },
	/* After EvtChannelOpened has failed, or the bus has. */
	{ "PnpFailure", BIT(CLIENT_OPENED) | BIT(CLIENT_CLOSED),
	  CLIENT_CLOSED },
};

static void client_notes(struct client *client, const char *callback)
{
	unsigned int i;

	spin_lock_bh(&client->lock);
	if (client->log[0])
		strlcat(client->log, " ", sizeof(client->log));
	strlcat(client->log, callback, sizeof(client->log));
	for (i = 0; strcmp(client_steps[i].callback, callback); i++)
		;
	if (!(client_steps[i].from & BIT(client->phase)))
		client->offences++;
	client->phase = client_steps[i].to;
	spin_unlock_bh(&client->lock);
}

/* Sleeps, to give another callback the time to run at once with this one. */
static struct client *client_called(VMBCHANNEL ch, const char *callback)
{
	struct client *client = VmbChannelGetPointer(ch);

	if (atomic_inc_return(&client->inside) > 1)
		client->offences++;
	client_notes(client, callback);
	if (client->hook && !strcmp(callback, client->at))
		client->hook(client);
	usleep_range(100, 200);
	atomic_dec(&client->inside);
	return client;
}

static NTSTATUS client_opened(VMBCHANNEL ch)
{
	return client_called(ch, "Opened")->opened;
}

static VOID client_started(VMBCHANNEL ch)
{
	client_called(ch, "Started");
}

static VOID client_post_started(VMBCHANNEL ch)
{
	client_called(ch, "PostStarted");
}

static VOID client_suspend(VMBCHANNEL ch)
{
	client_called(ch, "Suspend");
}

static VOID client_closed(VMBCHANNEL ch)
{
	client_called(ch, "Closed");
}

static VOID client_pnp_failure(VMBCHANNEL ch, NTSTATUS status)
{
	struct client *client = VmbChannelGetPointer(ch);

	client->failure = status;
	client_called(ch, "PnpFailure");
}

static void client_complete(struct client *client, VMBPACKETCOMPLETION packet)
{
	VmbChannelPacketComplete(packet, &client->completion,
				 client->completion_size);
}

static VOID client_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			  PVOID buffer, UINT32 length, UINT32 flags)
{
	struct client *client = VmbChannelGetPointer(ch);
	bool keep;

	if (atomic_inc_return(&client->inside_packet) > 1)
		client->offences++;
	spin_lock(&client->lock);
	if (client->phase != CLIENT_STARTED)
		client->offences++;
	if (client->packets < ARRAY_SIZE(client->tags))
		client->tags[client->packets] = length ? *(u8 *)buffer : 0;
	client->packets++;
	keep = client->hold && client->held_count < ARRAY_SIZE(client->held);
	if (keep)
		client->held[client->held_count++] = packet;
	spin_unlock(&client->lock);
	atomic_dec(&client->inside_packet);
	if (!keep)
		client_complete(client, packet);
}

bool client_completes_one(struct client *client)
{
	VMBPACKETCOMPLETION packet = NULL;

	spin_lock_bh(&client->lock);
	if (client->held_count) {
		packet = client->held[0];
		memmove(client->held, client->held + 1,
			--client->held_count * sizeof(packet));
	}
	spin_unlock_bh(&client->lock);
	if (packet)
		client_complete(client, packet);
	return packet;
}

void client_completes_all(struct client *client)
{
	client->hold = false;
	while (client_completes_one(client))
		;
}

void client_init(struct client *client)
{
	spin_lock_init(&client->lock);
	client->seen = STATUS_PENDING;
	init_completion(&client->entered);
	init_completion(&client->leave);
}

struct client *client_alloc(struct kunit *test)
{
	struct client *client = kunit_kzalloc(test, sizeof(*client),
					      GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, client);
	client_init(client);
	return client;
}
EXPORT_TO_TESTS(client_alloc);

static void client_set_callbacks(struct kunit *test, struct client *client,
				 VMBCHANNEL ch)
{
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;

	client->ch = ch;
	VmbChannelSetPointer(ch, client);
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelOpened = client_opened;
	evt.EvtChannelClosed = client_closed;
	evt.EvtChannelSuspend = client_suspend;
	evt.EvtChannelStarted = client_started;
	evt.EvtChannelPostStarted = client_post_started;
	KUNIT_ASSERT_EQ(test, VmbChannelInitSetStateChangeCallbacks(ch, &evt),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbChannelInitSetProcessPacketCallbacks(ch,
								client_packet,
								NULL),
			STATUS_SUCCESS);
}

void client_set_up(struct kunit *test, struct client *client, VMBCHANNEL ch,
		   const guid_t *type, const guid_t *instance)
{
	client_set_callbacks(test, client, ch);
	KUNIT_ASSERT_EQ(test,
			VmbClientChannelInitSetTargetPnp(ch, type, instance,
							 client_pnp_failure),
			STATUS_SUCCESS);
}
EXPORT_TO_TESTS(client_set_up);

void client_set_up_server(struct kunit *test, struct client *client,
			  VMBCHANNEL ch, const guid_t *type,
			  const guid_t *instance)
{
	client_set_callbacks(test, client, ch);
	KUNIT_ASSERT_EQ(test,
			VmbServerChannelInitSetTargetInterfaceId(ch, *type,
								 *instance),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test,
			VmbServerChannelInitSetFlags(ch,
						     VMBUS_SERVER_CHANNEL_INIT_FLAG_LOOPBACK_OFFER),
			STATUS_SUCCESS);
}

struct client *fake_client(struct kunit *test, struct fake_bus **bus)
{
	struct client *client = client_alloc(test);

	*bus = fake_bus_create(test);
	client_set_up(test, client, (*bus)->ch, &some_guid, NULL);
	return client;
}
EXPORT_TO_TESTS(fake_client);

void channel_clean_up(void *ch)
{
	VmbChannelDisable(ch);
	VmbChannelCleanup(ch);
}

static VMBCHANNEL get_endpoint(struct kunit *test, bool is_server)
{
	VMBCHANNEL ch;

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, is_server, &ch),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test,
							channel_clean_up, ch), 0);
	return ch;
}

VMBCHANNEL get_channel(struct kunit *test)
{
	return get_endpoint(test, false);
}
EXPORT_TO_TESTS(get_channel);

VMBCHANNEL get_server(struct kunit *test)
{
	return get_endpoint(test, true);
}

struct client *server_client(struct kunit *test)
{
	struct client *client = client_alloc(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	client_set_up(test, client, get_channel(test), &type, &instance);
	return client;
}
EXPORT_TO_TESTS(server_client);

const char * const client_callbacks[5] = {
	"Opened", "Started", "PostStarted", "Suspend", "Closed",
};
EXPORT_TO_TESTS(client_callbacks);

void client_callback_name(const char * const *name, char *desc)
{
	strscpy(desc, *name, KUNIT_PARAM_DESC_SIZE);
}
EXPORT_TO_TESTS(client_callback_name);

struct client *keep_the_driver(struct kunit *test)
{
	struct client *client = client_alloc(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	client_set_up(test, client, get_channel(test), &type, &some_guid);
	enable(test, client);
	return client;
}
EXPORT_TO_TESTS(keep_the_driver);

void becomes(struct kunit *test, VMBCHANNEL ch, enum kmcl_state state)
{
	EXPECT_EVENTUALLY(test, READ_ONCE(ch->state) == state);
	KUNIT_ASSERT_EQ(test, ch->state, state);
}
EXPORT_TO_TESTS(becomes);

void enable(struct kunit *test, struct client *client)
{
	KUNIT_ASSERT_EQ(test, VmbChannelEnable(client->ch), STATUS_SUCCESS);
}
EXPORT_TO_TESTS(enable);

void bring_up(struct kunit *test, struct client *client)
{
	enable(test, client);
	becomes(test, client->ch, KMCL_ACTIVE);
}
EXPORT_TO_TESTS(bring_up);

void heard(struct kunit *test, struct client *client, const char *log)
{
	EXPECT_EVENTUALLY(test, !strcmp(client->log, log));
	KUNIT_EXPECT_STREQ(test, client->log, log);
	KUNIT_EXPECT_EQ(test, client->offences, 0);
	client->log[0] = '\0';
}
EXPORT_TO_TESTS(heard);

NTSTATUS send_word(VMBCHANNEL ch, u32 flags, s64 timeout)
{
	LARGE_INTEGER time = { .QuadPart = timeout };
	u64 word = 0;

	return VmbChannelSendSynchronousRequest(ch, &word, sizeof(word), NULL,
						flags, NULL, NULL, &time);
}

/* Hooks */

void wait_to_leave(struct client *client)
{
	complete(&client->entered);
	wait_for_completion_timeout(&client->leave, 20 * HZ);
}
EXPORT_TO_TESTS(wait_to_leave);

void ask_the_host(struct client *client)
{
	client->seen = send_word(client->ch,
				 VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION,
				 -20 * SECOND);
}
EXPORT_TO_TESTS(ask_the_host);

void send_something(struct client *client)
{
	client->seen = send_word(client->ch, 0, 0);
}

static VOID let_the_client_leave(VMBPACKET packet, NTSTATUS status,
				 PVOID buffer, UINT32 length)
{
	struct client *client = VmbPacketGetPointer(packet);

	client->seen = status;
	complete(&client->leave);
	VmbPacketFree(packet);
}

void wait_for_external_data(struct kunit *test, struct client *client, PMDL mdl)
{
	VMBPACKET packet;

	KUNIT_ASSERT_NE(test, wait_for_completion_timeout(&client->entered,
							  10 * HZ), 0);
	packet = VmbPacketAllocate(client->ch);
	KUNIT_ASSERT_NOT_NULL(test, packet);
	VmbPacketSetCompletionRoutine(packet, let_the_client_leave);
	VmbPacketSetPointer(packet, client);
	KUNIT_EXPECT_EQ(test,
			VmbPacketSend(packet, NULL, 0, mdl,
				      VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION),
			STATUS_SUCCESS);
}

/* Functions for job_start() */

void do_disable(void *ch)
{
	VmbChannelDisable(ch);
}

void do_pause(void *ch)
{
	VmbChannelPause(ch);
}

void do_start(void *ch)
{
	VmbChannelStart(ch);
}

void do_rescind(void *bus)
{
	fake_bus_rescind(bus);
}

void do_ask(void *client)
{
	ask_the_host(client);
}
