// SPDX-License-Identifier: GPL-2.0-only
/* The faults that a test asks for: from the server's protocol to the host's. */
#include "own.h"

_Static_assert((int)TESTDEV_REFUSE == RULE_REFUSE, "actions");
_Static_assert((int)TESTDEV_SWAP == RULE_SWAP && RULE_SWAP + 1 == RULE_END, "actions");

static enum testdev_status add_rule(struct testdev *dev, const struct testdev_request *rq,
				    const uint8_t *payload)
{
	struct testdev_rule asked;
	struct rule rule;

	if (rq->payload_len != sizeof(asked))
		return TESTDEV_EPROTO;
	memcpy(&asked, payload, sizeof(asked));
	if (asked.relid == host_relid(dev))
		return TESTDEV_ERANGE;
	rule = (struct rule){
		.type = asked.type,
		.relid = asked.relid,
		.nth = asked.nth,
		.action = asked.action,
		.offset = asked.offset,
		.value = asked.value,
	};
	return rule_add(own_host(), &rule) ? TESTDEV_OK : TESTDEV_ERANGE;
}

static enum testdev_status scribble(struct testdev *dev, uint32_t handle)
{
	struct gpadl *gpadl = gpadl_find(own_host(), host_relid(dev), handle);

	if (!gpadl)
		return TESTDEV_ENOGPADL;
	gpadl_scribble_on(own_host(), gpadl);
	return TESTDEV_OK;
}

static enum testdev_status fuzz(struct testdev *dev, const struct testdev_request *rq)
{
	struct channel *ch = channel_find(own_host(), rq->handle);

	if (!ch || ch->relid == host_relid(dev) || ch->state != CHANNEL_OPEN)
		return TESTDEV_ERANGE;
	return fuzz_start(ch, rq->op == TESTDEV_FUZZ_MESSAGES, rq->seed, rq->length) ?
	       TESTDEV_OK : TESTDEV_EBUSY;
}

enum testdev_status host_fault(struct testdev *dev, const struct testdev_request *rq,
			       const uint8_t *payload, uint64_t *value)
{
	struct host *host = own_host();

	switch (rq->op) {
	case TESTDEV_RULE:
		return add_rule(dev, rq, payload);
	case TESTDEV_LET_GO:
		rule_release(host);
		return TESTDEV_OK;
	case TESTDEV_EXPECT:
		*value = host->count.violations;
		judge_expect(host, rq->length);
		return TESTDEV_OK;
	case TESTDEV_SCRIBBLE:
		return scribble(dev, rq->handle);
	case TESTDEV_INVENT:
		if (rq->payload_len > WIRE_MESSAGE_MAX)
			return TESTDEV_ERANGE;
		machine_post(host, payload, rq->payload_len);
		return TESTDEV_OK;
	case TESTDEV_FUZZ:
	case TESTDEV_FUZZ_MESSAGES:
		return fuzz(dev, rq);
	case TESTDEV_FUZZ_LEFT:
		*value = fuzz_left(host);
		return TESTDEV_OK;
	default:
		return TESTDEV_EPROTO;
	}
}
