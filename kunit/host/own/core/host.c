// SPDX-License-Identifier: GPL-2.0-only
/*
 * The connection: versions, and which message goes where. A message that a host
 * would not understand in this state is a violation, and is dropped.
 */
#include "host.h"

#include <string.h>

/* Any number may be chosen; it is none that a guest could guess. */
#define CONNECTION	0x2f04u

static const uint32_t versions[] = {
	WIRE_VERSION(2, 4), WIRE_VERSION(3, 0), WIRE_VERSION(4, 0),
	WIRE_VERSION(4, 1), WIRE_VERSION(5, 0), WIRE_VERSION(5, 1),
	WIRE_VERSION(5, 2), WIRE_VERSION(5, 3), WIRE_VERSION(6, 0),
};

static bool speaks(const struct host *host, uint32_t version)
{
	size_t i;

	for (i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (versions[i] == version)
			return version <= host->newest;
	return false;
}

void host_forget(struct host *host)
{
	rule_clear(host);
	fuzz_stop(host);
	channel_forget_all(host);
	gpadl_forget(host, UINT32_MAX);
	if (host->scribbling)
		machine_cancel(host->scribbling);
	host->scribbling = NULL;
	host->state = HOST_IDLE;
	host->version = 0;
}

static void initiate_contact(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_initiate_contact *contact = msg;
	struct wire_version_response response = {
		.header.type = WIRE_VERSION_RESPONSE,
	};
	uint32_t size = offsetof(struct wire_version_response, features);
	uint32_t version = contact->version;

	(void)len;
	host_forget(host);
	if (!machine_connect(host, contact->target_vp)) {
		machine_log("there is no processor %u to connect", contact->target_vp);
		return;
	}
	response.supported = speaks(host, version);
	machine_log("version %u.%u %s", version >> 16, version & 0xffff,
		    response.supported ? "accepted" : "refused");
	if (response.supported) {
		host->version = version;
		host->state = HOST_CONNECTED;
		if (version >= WIRE_VERSION(5, 0))
			response.connection = host->connection;
		if (version >= WIRE_VERSION(6, 0))
			size = sizeof(response);
	}
	rule_post(host, 0, &response, size);
}

static void request_offers(struct host *host, const void *msg, uint32_t len)
{
	struct wire_header done = { .type = WIRE_ALLOFFERS_DELIVERED };

	(void)msg;
	(void)len;
	if (!judge(host, host->state == HOST_CONNECTED, "offers requested twice"))
		return;
	host->state = HOST_OFFERED;
	channel_offer_all(host);
	rule_post(host, 0, &done, sizeof(done));
}

static void unload(struct host *host, const void *msg, uint32_t len)
{
	struct wire_header done = { .type = WIRE_UNLOAD_RESPONSE };

	(void)msg;
	(void)len;
	machine_log("unloaded: %llu messages from the guest, %llu to it, %llu violations",
		    (unsigned long long)host->count.messages,
		    (unsigned long long)host->count.posted,
		    (unsigned long long)host->count.violations);
	host_forget(host);
	rule_post(host, 0, &done, sizeof(done));
}

/* There are no sockets here. From 4.1 on the host says so. */
static void tl_connect(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_tl_connect *connect = msg;
	struct wire_tl_connect_result result = {
		.header.type = WIRE_TL_CONNECT_RESULT,
		.status = WIRE_UNSUCCESSFUL,
	};

	(void)len;
	if (host->version < WIRE_VERSION(4, 1))
		return;
	memcpy(result.endpoint, connect->endpoint, sizeof(result.endpoint));
	memcpy(result.service, connect->service, sizeof(result.service));
	rule_post(host, 0, &result, sizeof(result));
}

/**
 * struct handler - what a guest may send
 * @handle: NULL for a type that no guest sends
 * @size: in bytes; of the types with @longer, the least
 * @oldest: version that has it
 * @longer: it may be longer
 */
struct handler {
	void (*handle)(struct host *host, const void *msg, uint32_t len);
	uint32_t size;
	uint32_t oldest;
	bool longer;
};

static const struct handler handlers[WIRE_TYPE_END] = {
	[WIRE_INITIATE_CONTACT] = {
		initiate_contact, sizeof(struct wire_initiate_contact)
	},
	[WIRE_REQUESTOFFERS] = { request_offers, sizeof(struct wire_header) },
	[WIRE_OPENCHANNEL] = { channel_open_message, sizeof(struct wire_open) },
	[WIRE_CLOSECHANNEL] = { channel_close_message, sizeof(struct wire_relid) },
	[WIRE_GPADL_HEADER] = {
		gpadl_header, sizeof(struct wire_gpadl_header), .longer = true
	},
	[WIRE_GPADL_BODY] = {
		gpadl_body, sizeof(struct wire_gpadl_body), .longer = true
	},
	[WIRE_GPADL_TEARDOWN] = { gpadl_teardown, sizeof(struct wire_gpadl_teardown) },
	[WIRE_RELID_RELEASED] = { channel_release_message, sizeof(struct wire_relid) },
	[WIRE_UNLOAD] = { unload, sizeof(struct wire_header) },
	[WIRE_TL_CONNECT] = {
		tl_connect, sizeof(struct wire_tl_connect), .longer = true
	},
	[WIRE_MODIFYCHANNEL] = {
		channel_modify_message, sizeof(struct wire_modify), WIRE_VERSION(4, 1)
	},
};

/* The channel that a message speaks of, or 0. */
static uint32_t relid_of(struct host *host, const void *msg)
{
	const struct wire_header *header = msg;
	const struct wire_gpadl_body *body = msg;
	struct gpadl *gpadl;

	switch (header->type) {
	case WIRE_OPENCHANNEL:
	case WIRE_CLOSECHANNEL:
	case WIRE_GPADL_HEADER:
	case WIRE_GPADL_TEARDOWN:
	case WIRE_RELID_RELEASED:
	case WIRE_MODIFYCHANNEL:
		return ((const struct wire_relid *)msg)->relid;
	case WIRE_GPADL_BODY:
		TAILQ_FOREACH(gpadl, &host->gpadls, link)
			if (gpadl->id == body->gpadl && gpadl->state == GPADL_COMING)
				return gpadl->relid;
		return 0;
	default:
		return 0;
	}
}

/* The guest of a host that speaks to it in a certain way listens in that way. */
static bool check_connection(struct host *host, uint32_t type, uint32_t connection,
			     const void *msg)
{
	const struct wire_initiate_contact *contact = msg;
	uint32_t version = type == WIRE_INITIATE_CONTACT ? contact->version : host->version;
	uint32_t expected = WIRE_CONNECTION_OLD;

	if (version >= WIRE_VERSION(5, 0))
		expected = type == WIRE_INITIATE_CONTACT ? WIRE_CONNECTION_NEW :
							   host->connection;
	return judge(host, connection == expected,
		     "message %u posted to connection %#x instead of %#x", type,
		     connection, expected);
}

void host_message(struct host *host, uint32_t connection, const void *msg, uint32_t len)
{
	const struct wire_header *header = msg;
	const struct handler *handler;
	uint32_t type;

	host->count.messages++;
	if (!judge(host, len >= sizeof(*header), "a message of %u bytes", len))
		return;
	type = header->type;
	handler = type < WIRE_TYPE_END ? &handlers[type] : NULL;
	if (!judge(host, handler && handler->handle, "a message of type %u", type) ||
	    !judge(host, handler->longer ? len >= handler->size : len == handler->size,
		   "message %u has %u bytes", type, len) ||
	    !judge(host, type == WIRE_INITIATE_CONTACT || host->state != HOST_IDLE,
		   "message %u without a connection", type) ||
	    !judge(host, type == WIRE_INITIATE_CONTACT ||
		   host->version >= handler->oldest, "message %u at version %u.%u",
		   type, host->version >> 16, host->version & 0xffff) ||
	    !check_connection(host, type, connection, msg))
		return;
	judge(host, !header->padding, "message %u has %#x for padding", type,
	      header->padding);
	if (!rule_takes(host, relid_of(host, msg), msg, len))
		handler->handle(host, msg, len);
}

void host_dispatch(struct host *host, const void *msg, uint32_t len)
{
	handlers[((const struct wire_header *)msg)->type].handle(host, msg, len);
}

void host_init(struct host *host, uint32_t newest)
{
	memset(host, 0, sizeof(*host));
	host->newest = newest;
	host->connection = CONNECTION;
	TAILQ_INIT(&host->channels);
	TAILQ_INIT(&host->gpadls);
	TAILQ_INIT(&host->rules);
	TAILQ_INIT(&host->held);
	TAILQ_INIT(&host->fuzzes);
	machine_listen(host, WIRE_CONNECTION_OLD);
	machine_listen(host, WIRE_CONNECTION_NEW);
	machine_listen(host, CONNECTION);
}

void host_fini(struct host *host)
{
	host_forget(host);
	machine_disconnect(host);
}
