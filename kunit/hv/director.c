// SPDX-License-Identifier: GPL-2.0-only
/* A channel on which the host is told to do wrong on another one. */

#include <linux/hyperv.h>

#include "director.h"
#include "hv_device.h"

struct client *director_start(struct kunit *test)
{
	struct client *director = client_alloc(test);
	guid_t type, instance;

	server_guids(&type, &instance);
	KUNIT_ASSERT_EQ(test, guid_parse(TESTDEV_SECOND_GUID, &instance), 0);
	client_set_up(test, director, get_channel(test), &type, &instance);
	bring_up(test, director);
	if (call_server(test, director->ch, TESTDEV_EXPECT, 0) != TESTDEV_OK)
		kunit_skip(test, "this host cannot be told to do wrong");
	return director;
}

void director_rules(struct kunit *test, struct client *director,
		    const struct testdev_rule *rule)
{
	struct server srv = { .ch = director->ch };
	struct testdev_request req = {
		.op = TESTDEV_RULE, .payload_len = sizeof(*rule),
	};
	struct testdev_response rsp = {};

	KUNIT_ASSERT_EQ(test, server_call(&srv, &req, rule, &rsp, NULL, 0),
			STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, rsp.status, TESTDEV_OK);
}

u32 server_relid(struct kunit *test)
{
	struct hv_device *hdev = device_find(test, TESTDEV_INSTANCE_GUID);

	return hdev->channel->offermsg.child_relid;
}
