// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults. A rule picks one message by its type and channel, and says what happens
 * to it. What the host does otherwise is not changed by a rule: a GPADL whose
 * CREATED was dropped is there, and one that is refused is not.
 */
#include "host.h"

#include <stdlib.h>
#include <string.h>

/* A message that a rule holds back. */
struct held {
	TAILQ_ENTRY(held) link;
	struct host *host;
	struct machine_timer *timer;	/* NULL: until something else happens ... */
	bool swapped;			/* ... namely that another message is posted */
	bool from_guest;
	uint32_t relid;
	uint32_t len;
	uint8_t msg[WIRE_MESSAGE_MAX];
};

bool rule_add(struct host *host, const struct rule *rule)
{
	struct rule *copy;

	if (!rule->action || rule->action >= RULE_END || !rule->nth ||
	    rule->type >= WIRE_TYPE_END)
		return false;
	if (rule->action == RULE_SET &&
	    rule->offset > WIRE_MESSAGE_MAX - sizeof(rule->value))
		return false;
	if (rule->action == RULE_SIZE && rule->value > WIRE_MESSAGE_MAX)
		return false;
	copy = malloc(sizeof(*copy));
	if (!copy)
		return false;
	*copy = *rule;
	TAILQ_INSERT_TAIL(&host->rules, copy, link);
	return true;
}

unsigned int rule_count(struct host *host)
{
	struct rule *rule;
	unsigned int n = 0;

	TAILQ_FOREACH(rule, &host->rules, link)
		n++;
	return n;
}

static void drop_held(struct held *held)
{
	TAILQ_REMOVE(&held->host->held, held, link);
	if (held->timer)
		machine_cancel(held->timer);
	free(held);
}

void rule_clear(struct host *host)
{
	struct rule *rule;

	while ((rule = TAILQ_FIRST(&host->rules))) {
		TAILQ_REMOVE(&host->rules, rule, link);
		free(rule);
	}
	while (TAILQ_FIRST(&host->held))
		drop_held(TAILQ_FIRST(&host->held));
}

/*
 * The rule for this message, which the caller frees: no rule is used twice. A
 * refusal is decided before there is a message, so the two kinds are asked for
 * apart.
 */
static struct rule *match(struct host *host, uint32_t type, uint32_t relid, bool refuse)
{
	struct rule *rule, *found = NULL;
	bool refuses;

	TAILQ_FOREACH(rule, &host->rules, link) {
		refuses = rule->action == RULE_REFUSE;
		if (rule->type != type || rule->relid != relid || refuses != refuse)
			continue;
		if (rule->nth > 1)
			rule->nth--;
		else if (!found)
			found = rule;
	}
	if (found)
		TAILQ_REMOVE(&host->rules, found, link);
	return found;
}

uint32_t rule_status(struct host *host, uint32_t type, uint32_t relid)
{
	struct rule *rule = match(host, type, relid, true);
	uint32_t status = rule ? rule->value : 0;

	if (rule)
		machine_log("rule: message %u for channel %u refuses with %#x", type,
			    relid, status);
	free(rule);
	return status;
}

static void post_swapped(struct host *host);

static void post(struct host *host, uint32_t relid, const void *msg, uint32_t len)
{
	const struct wire_gpadl_torndown *torndown = msg;

	if (torndown->header.type == WIRE_GPADL_TORNDOWN && len >= sizeof(*torndown))
		gpadl_torndown(host, relid, torndown->gpadl);
	host->count.posted++;
	machine_post(host, msg, len);
	post_swapped(host);
}

/* Once: what it posts has none behind it. */
static void post_swapped(struct host *host)
{
	struct held *held;

	TAILQ_FOREACH(held, &host->held, link)
		if (held->swapped)
			break;
	if (!held)
		return;
	TAILQ_REMOVE(&host->held, held, link);
	post(host, held->relid, held->msg, held->len);
	free(held);
}

static void let_go(void *arg)
{
	struct held *held = arg;
	struct host *host = held->host;

	TAILQ_REMOVE(&host->held, held, link);
	if (held->from_guest)
		host_dispatch(host, held->msg, held->len);
	else
		post(host, held->relid, held->msg, held->len);
	free(held);
}

void rule_release(struct host *host)
{
	struct held *held;

	/* What is let go may take others with it. */
	do {
		TAILQ_FOREACH(held, &host->held, link)
			if (!held->timer && !held->swapped)
				break;
		if (held)
			let_go(held);
	} while (held);
}

static struct held *hold(struct host *host, const struct rule *rule, const void *msg,
			 uint32_t len)
{
	struct held *held = calloc(1, sizeof(*held));

	if (!held)
		return NULL;
	held->host = host;
	held->relid = rule->relid;
	held->len = len;
	memcpy(held->msg, msg, len);
	held->swapped = rule->action == RULE_SWAP;
	if (rule->action == RULE_HOLD && rule->value)
		held->timer = machine_after(rule->value, let_go, held);
	TAILQ_INSERT_TAIL(&host->held, held, link);
	return held;
}

static void rescind(struct host *host, uint32_t relid)
{
	struct channel *ch = channel_find(host, relid);

	if (ch)
		channel_rescind(ch);
}

/* The message as the rule changes it; it may be read up to its greatest size. */
static void post_by_rule(struct host *host, const struct rule *rule, const void *msg,
			 uint32_t len)
{
	uint8_t copy[WIRE_MESSAGE_MAX] = { 0 };

	memcpy(copy, msg, len);
	switch (rule->action) {
	case RULE_DROP:
		return;
	case RULE_HOLD:
	case RULE_SWAP:
		hold(host, rule, msg, len);
		return;
	case RULE_DOUBLE:
		post(host, rule->relid, copy, len);
		break;
	case RULE_SET:
		memcpy(copy + rule->offset, &rule->value, sizeof(rule->value));
		break;
	case RULE_SIZE:
		len = rule->value;
		break;
	case RULE_RESCIND:
		rescind(host, rule->relid);
		break;
	}
	post(host, rule->relid, copy, len);
}

void rule_post(struct host *host, uint32_t relid, const void *msg, uint32_t len)
{
	uint32_t type = ((const struct wire_header *)msg)->type;
	struct rule *rule = match(host, type, relid, false);

	if (!rule) {
		post(host, relid, msg, len);
		return;
	}
	machine_log("rule: message %u for channel %u, action %u, value %#x", type, relid,
		    rule->action, rule->value);
	post_by_rule(host, rule, msg, len);
	free(rule);
}

bool rule_takes(struct host *host, uint32_t relid, const void *msg, uint32_t len)
{
	uint32_t type = ((const struct wire_header *)msg)->type;
	struct rule *rule = match(host, type, relid, false);
	bool taken = false;
	struct held *held;

	if (!rule)
		return false;
	machine_log("rule: message %u from channel %u, action %u, value %#x", type, relid,
		    rule->action, rule->value);
	if (rule->action == RULE_HOLD) {
		held = hold(host, rule, msg, len);
		if (held)
			held->from_guest = true;
		taken = held;
	} else if (rule->action == RULE_RESCIND) {
		rescind(host, relid);
	} else {
		taken = rule->action == RULE_DROP;
	}
	free(rule);
	return taken;
}
