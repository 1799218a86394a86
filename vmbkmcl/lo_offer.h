/* SPDX-License-Identifier: GPL-2.0-only */
/* Offers of servers in this kernel: see lo_offer.c. */
#ifndef _KMCL_LO_OFFER_H
#define _KMCL_LO_OFFER_H

#include <linux/device.h>
#include <linux/list.h>
#include <linux/uuid.h>
#include <linux/wait.h>

#include "bus.h"
#include "lo_ring.h"

/**
 * struct kmcl_lo_offer - the offer of a server, and the connection to its client
 * @dev: device in the class vmbkmcl. Its references are those of this
 *	structure: one of the server, and one of the client that has the offer.
 * @node: in the list of offers; empty after the server has revoked the offer
 * @type: type GUID
 * @instance: instance GUID
 * @server: channel of the server, %NULL after it has released the offer
 * @client: channel of the client that has the offer, or %NULL
 * @answer: what came of the last open: -EINPROGRESS until the server has answered
 * @changed: woken when @server or @answer changes, and when the server has unmapped
 *	a GPADL
 * @to_server: the client's outgoing ring. The client allocates both rings when it
 *	opens the channel, and frees them when the server has closed it.
 * @to_client: the server's outgoing ring
 *
 * kmcl_lo_lock guards @node, @server, @client and @answer. A channel is freed
 * after a grace period, so @server and @client can be used in an RCU read
 * section, too.
 */
struct kmcl_lo_offer {
	struct device dev;
	struct list_head node;
	guid_t type;
	guid_t instance;
	struct kmcl_channel __rcu *server;
	struct kmcl_channel __rcu *client;
	int answer;
	wait_queue_head_t changed;
	struct kmcl_lo_ring to_server;
	struct kmcl_lo_ring to_client;
};

int kmcl_lo_offers_init(const struct kmcl_bus_ops *bus);
void kmcl_lo_offers_exit(void);

int kmcl_lo_make_offer(struct kmcl_channel *server);
void kmcl_lo_revoke_offer(struct kmcl_channel *server);
void kmcl_lo_release_offer(struct kmcl_lo_offer *offer);

int kmcl_lo_seek_offer(struct kmcl_channel *client);
void kmcl_lo_stop_seeking(struct kmcl_channel *client);
void kmcl_lo_give_back(struct kmcl_lo_offer *offer);

int kmcl_lo_connect(struct kmcl_lo_offer *offer);
void kmcl_lo_answer(struct kmcl_lo_offer *offer, int err);
void kmcl_lo_disconnect(struct kmcl_lo_offer *offer);

#endif /* _KMCL_LO_OFFER_H */
