// SPDX-License-Identifier: GPL-2.0-only
/*
 * Channels: offered, opened, closed, moved, rescinded, released.
 *
 * A rescind takes effect at once: the host closes the channel and forgets its
 * GPADLs before it tells the guest, since the guest takes its memory back without
 * a teardown. Until the guest has released the channel, messages for it may come
 * from before it knew: an OPENCHANNEL is then ignored, as Hyper-V does.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Low numbers are the ones that get mixed up with others. */
#define FIRST_RELID	21

static bool is_open(const struct channel *ch)
{
	return ch->state == CHANNEL_OPEN;
}

struct channel *channel_find(struct host *host, uint32_t relid)
{
	struct channel *ch;

	TAILQ_FOREACH(ch, &host->channels, link)
		if (ch->relid == relid)
			return ch;
	return NULL;
}

bool channel_add(struct host *host, struct channel *ch)
{
	ch->host = host;
	ch->relid = FIRST_RELID;
	while (channel_find(host, ch->relid))
		ch->relid++;
	if (ch->relid > WIRE_RELID_MAX)
		return false;
	ch->state = CHANNEL_WITHHELD;
	TAILQ_INSERT_TAIL(&host->channels, ch, link);
	return true;
}

/* As Hyper-V makes them: the channel, the SINT, and a virtual trust level of 0. */
uint32_t channel_connection(const struct channel *ch)
{
	return ch->relid | WIRE_SINT << 12;
}

void channel_offer(struct channel *ch)
{
	struct wire_offer offer = {
		.header.type = WIRE_OFFERCHANNEL,
		.flags = WIRE_OFFER_ENUMERATE,
		.mmio_mb = ch->mmio_mb,
		.sub_index = ch->sub_index,
		.relid = ch->relid,
		.dedicated_interrupt = 1,
		.connection = channel_connection(ch),
	};

	if (ch->state != CHANNEL_WITHHELD || ch->host->state != HOST_OFFERED)
		return;
	memcpy(offer.type, ch->type, sizeof(offer.type));
	memcpy(offer.instance, ch->instance, sizeof(offer.instance));
	ch->state = CHANNEL_OFFERED;
	rule_post(ch->host, ch->relid, &offer, sizeof(offer));
}

/*
 * Sub-channels are offered when the server is asked for them, as hosts do. hv_vmbus
 * may otherwise see one before it has made the device.
 */
void channel_offer_all(struct host *host)
{
	struct channel *ch;

	TAILQ_FOREACH(ch, &host->channels, link)
		if (!ch->sub_index)
			channel_offer(ch);
}

static void close_channel(struct channel *ch)
{
	if (!is_open(ch))
		return;
	ch->state = CHANNEL_OFFERED;
	machine_ignore_signals(ch);
	ch->callbacks->closed(ch);
	ring_unmap(&ch->in);
	ring_unmap(&ch->out);
	free(ch->buffer);
	ch->buffer = NULL;
	ch->buffer_len = 0;
}

void channel_rescind(struct channel *ch)
{
	struct wire_relid rescind = {
		.header.type = WIRE_RESCIND,
		.relid = ch->relid,
	};

	close_channel(ch);
	gpadl_forget(ch->host, ch->relid);
	if (ch->state == CHANNEL_OFFERED)
		ch->state = CHANNEL_RESCINDED;
	if (ch->host->state != HOST_IDLE)
		rule_post(ch->host, ch->relid, &rescind, sizeof(rescind));
	ch->callbacks->rescinded(ch);
}

void channel_remove(struct channel *ch)
{
	close_channel(ch);
	TAILQ_REMOVE(&ch->host->channels, ch, link);
}

void channel_forget_all(struct host *host)
{
	struct channel *ch;

	TAILQ_FOREACH(ch, &host->channels, link) {
		close_channel(ch);
		ch->state = CHANNEL_WITHHELD;
		ch->callbacks->forgotten(ch);
	}
}

void channel_signalled(struct channel *ch)
{
	if (!is_open(ch))
		return;
	if (!ring_has_data(&ch->in))
		ch->needless++;
	ch->callbacks->signalled(ch);
}

/* The channel of a message that only makes sense for one that the guest knows. */
static struct channel *known(struct host *host, const char *what, uint32_t relid)
{
	struct channel *ch = channel_find(host, relid);

	if (!judge(host, ch && ch->state != CHANNEL_WITHHELD,
		   "%s of channel %u, which is not offered", what, relid))
		return NULL;
	return ch;
}

static bool map_rings(struct channel *ch, const struct gpadl *gpadl, uint32_t out_page)
{
	if (!out_page || out_page >= gpadl->nr)
		return false;
	if (!ring_map(&ch->in, gpadl->pfn, out_page))
		return false;
	if (!ring_map(&ch->out, gpadl->pfn + out_page, gpadl->nr - out_page)) {
		ring_unmap(&ch->in);
		return false;
	}
	ring_promise(&ch->in);
	return true;
}

static uint32_t open_channel(struct channel *ch, const struct wire_open *open)
{
	struct gpadl *gpadl = gpadl_find(ch->host, ch->relid, open->ring_gpadl);
	uint32_t status;

	if (!judge(ch->host, gpadl, "channel %u opened with gpadl 0x%x, which is not there",
		   ch->relid, open->ring_gpadl) ||
	    !judge(ch->host, open->target_vp == WIRE_NO_VP ||
		   machine_has_vp(open->target_vp), "channel %u opened for processor %u",
		   ch->relid, open->target_vp))
		return WIRE_UNSUCCESSFUL;
	status = rule_status(ch->host, WIRE_OPENCHANNEL_RESULT, ch->relid);
	if (status)
		return status;
	/* A ring without room for data is refused; clients are to survive that. */
	if (!map_rings(ch, gpadl, open->out_page)) {
		machine_log("channel %u not opened: bad rings", ch->relid);
		return WIRE_UNSUCCESSFUL;
	}
	ch->target_vp = open->target_vp;
	ch->ring_gpadl = open->ring_gpadl;
	if (!machine_expect_signals(ch)) {
		ring_unmap(&ch->in);
		ring_unmap(&ch->out);
		return WIRE_UNSUCCESSFUL;
	}
	ch->state = CHANNEL_OPEN;
	ch->callbacks->opened(ch);
	return 0;
}

void channel_open_message(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_open *open = msg;
	struct channel *ch = known(host, "open", open->relid);
	struct wire_open_result result = {
		.header.type = WIRE_OPENCHANNEL_RESULT,
		.relid = open->relid,
		.open_id = open->open_id,
	};

	(void)len;
	if (!ch || ch->state == CHANNEL_RESCINDED)
		return;
	if (!judge(host, !is_open(ch), "channel %u opened twice", ch->relid))
		return;
	result.status = open_channel(ch, open);
	rule_post(host, ch->relid, &result, sizeof(result));
}

/* An open that was refused is not closed; Linux does so for a rescinded channel. */
void channel_close_message(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_relid *message = msg;
	struct channel *ch = known(host, "close", message->relid);

	(void)len;
	if (!ch || ch->state == CHANNEL_RESCINDED)
		return;
	judge(host, is_open(ch), "channel %u closed, which is not open", ch->relid);
	close_channel(ch);
}

void channel_release_message(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_relid *message = msg;
	struct channel *ch = known(host, "release", message->relid);

	(void)len;
	if (!ch || !judge(host, ch->state == CHANNEL_RESCINDED,
			  "channel %u released, which is not rescinded", ch->relid))
		return;
	/* What is left of its GPADLs is forgotten without a message. */
	gpadl_forget(host, ch->relid);
	ch->state = CHANNEL_WITHHELD;
	ch->callbacks->released(ch);
}

void channel_modify_message(struct host *host, const void *msg, uint32_t len)
{
	const struct wire_modify *modify = msg;
	struct channel *ch = known(host, "move", modify->relid);
	struct wire_modify_response response = {
		.header.type = WIRE_MODIFYCHANNEL_RESPONSE,
		.relid = modify->relid,
	};

	(void)len;
	if (!ch || ch->state == CHANNEL_RESCINDED)
		return;
	if (!judge(host, is_open(ch), "channel %u moved, which is not open", ch->relid) ||
	    !judge(host, machine_has_vp(modify->target_vp),
		   "channel %u moved to processor %u", ch->relid, modify->target_vp))
		response.status = WIRE_UNSUCCESSFUL;
	else
		response.status = rule_status(host, WIRE_MODIFYCHANNEL_RESPONSE, ch->relid);
	if (!response.status)
		ch->target_vp = modify->target_vp;
	machine_log("channel %u %s to processor %u", modify->relid,
		    response.status ? "cannot be moved" : "moved", modify->target_vp);
	if (host->version >= WIRE_VERSION(5, 3))
		rule_post(host, ch->relid, &response, sizeof(response));
}
