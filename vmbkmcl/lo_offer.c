// SPDX-License-Identifier: GPL-2.0-only
/*
 * Offers of servers in this kernel, and which client gets which.
 *
 * A server's channel makes its offer when it is enabled, and a client's channel
 * seeks one. Whichever comes second finds the other. An offer has one client at
 * a time. When that gives the offer back, the next one gets it.
 *
 * A client waits for its server, never the other way round: a server that
 * leaves revokes its offer, tells the client, and goes on. The offer exists
 * until both have released it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "channel.h"
#include "compat.h"
#include "hostwait.h"
#include "lo_offer.h"

/* A client that seeks an offer. */
struct kmcl_lo_seeker {
	struct list_head node;
	struct kmcl_channel *ch;
	guid_t type;
};

static LIST_HEAD(kmcl_lo_offers);
static LIST_HEAD(kmcl_lo_seekers);
/* Guards both lists and the offers. Never held while waiting. */
static DEFINE_MUTEX(kmcl_lo_lock);

/* The bus to name in kmcl_channel_attach(). */
static const struct kmcl_bus_ops *kmcl_lo_ops;

static atomic_t kmcl_lo_next_id = ATOMIC_INIT(1);

static struct kmcl_lo_offer *kmcl_lo_offer_of(struct device *dev)
{
	return container_of(dev, struct kmcl_lo_offer, dev);
}

/* What sysfs shows of an offer */

static ssize_t type_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%pUl\n", &kmcl_lo_offer_of(dev)->type);
}
static DEVICE_ATTR_RO(type);

static ssize_t instance_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%pUl\n", &kmcl_lo_offer_of(dev)->instance);
}
static DEVICE_ATTR_RO(instance);

static struct attribute *kmcl_lo_attrs[] = {
	&dev_attr_type.attr,
	&dev_attr_instance.attr,
	NULL
};
ATTRIBUTE_GROUPS(kmcl_lo);

static void kmcl_lo_free_offer(struct device *dev)
{
	kfree(kmcl_lo_offer_of(dev));
	module_put(THIS_MODULE);
}

static struct class kmcl_lo_class = {
	.name = "vmbkmcl",
	.dev_groups = kmcl_lo_groups,
	.dev_release = kmcl_lo_free_offer,
};

/* Matching */

/* Returns false if the client does not want the offer. */
static bool kmcl_lo_give(struct kmcl_lo_offer *offer,
			 struct kmcl_lo_seeker *seeker)
{
	if (!guid_equal(&seeker->type, &offer->type) ||
	    !kmcl_channel_accepts(seeker->ch, &offer->instance))
		return false;
	get_device(&offer->dev);
	rcu_assign_pointer(offer->client, seeker->ch);
	if (kmcl_channel_attach(seeker->ch, kmcl_lo_ops, offer,
				&offer->instance))
		return true;
	RCU_INIT_POINTER(offer->client, NULL);
	put_device(&offer->dev);
	return false;
}

static void kmcl_lo_match(void)
{
	struct kmcl_lo_seeker *seeker;
	struct kmcl_lo_offer *offer;

	lockdep_assert_held(&kmcl_lo_lock);
	list_for_each_entry(offer, &kmcl_lo_offers, node) {
		if (rcu_access_pointer(offer->client))
			continue;
		list_for_each_entry(seeker, &kmcl_lo_seekers, node)
			if (kmcl_lo_give(offer, seeker))
				break;
	}
}

/* Servers */

static bool kmcl_lo_is_offered(const guid_t *type, const guid_t *instance)
{
	struct kmcl_lo_offer *offer;

	lockdep_assert_held(&kmcl_lo_lock);
	list_for_each_entry(offer, &kmcl_lo_offers, node)
		if (guid_equal(&offer->type, type) &&
		    guid_equal(&offer->instance, instance))
			return true;
	return false;
}

/* Returns an offer that is not in the list yet, or an error. */
static struct kmcl_lo_offer *kmcl_lo_new_offer(struct kmcl_channel *server)
{
	struct kmcl_lo_offer *offer = kzalloc(sizeof(*offer), GFP_KERNEL);
	int err;

	if (!offer)
		return ERR_PTR(-ENOMEM);
	/* Whoever holds a reference of the device keeps the code that frees it. */
	__module_get(THIS_MODULE);
	offer->type = server->set.type;
	offer->instance = server->set.instance;
	INIT_LIST_HEAD(&offer->node);
	init_waitqueue_head(&offer->changed);
	device_initialize(&offer->dev);
	offer->dev.class = &kmcl_lo_class;
	err = dev_set_name(&offer->dev, "loopback-%u",
			   atomic_inc_return(&kmcl_lo_next_id) - 1) ?:
	      device_add(&offer->dev);
	if (err) {
		put_device(&offer->dev);
		return ERR_PTR(err);
	}
	return offer;
}

/**
 * kmcl_lo_make_offer - offer the channel of a server
 * @server: an enabled channel of a server
 *
 * Context: may sleep.
 * Return: 0, -EBUSY if a server offers the same instance already, or -ENOMEM.
 */
int kmcl_lo_make_offer(struct kmcl_channel *server)
{
	struct kmcl_lo_offer *offer = kmcl_lo_new_offer(server);
	bool is_new;

	if (IS_ERR(offer))
		return PTR_ERR(offer);
	mutex_lock(&kmcl_lo_lock);
	is_new = !kmcl_lo_is_offered(&offer->type, &offer->instance);
	if (is_new) {
		rcu_assign_pointer(offer->server, server);
		list_add_tail(&offer->node, &kmcl_lo_offers);
		kmcl_channel_attach_server(server, kmcl_lo_ops, offer);
		kmcl_lo_match();
	}
	mutex_unlock(&kmcl_lo_lock);
	if (is_new)
		return 0;
	device_unregister(&offer->dev);
	return -EBUSY;
}

/* The client that has the offer loses it. */
static void kmcl_lo_lose_offer(struct kmcl_lo_offer *offer)
{
	struct kmcl_channel *client;

	mutex_lock(&kmcl_lo_lock);
	client = rcu_dereference_protected(offer->client,
					   lockdep_is_held(&kmcl_lo_lock));
	if (client)
		kmcl_channel_get(client);
	mutex_unlock(&kmcl_lo_lock);
	if (!client)
		return;
	kmcl_channel_lose(client, offer);
	kmcl_channel_put(client);
}

/* No client gets the offer from here on, and the one that has it loses it. */
void kmcl_lo_revoke_offer(struct kmcl_channel *server)
{
	struct kmcl_lo_offer *offer = server->endpoint;

	mutex_lock(&kmcl_lo_lock);
	list_del_init(&offer->node);
	mutex_unlock(&kmcl_lo_lock);
	kmcl_lo_lose_offer(offer);
}

/*
 * The server has let go of everything that belongs to the client. The client is told
 * again, as its packets with external data can be finished now.
 */
void kmcl_lo_release_offer(struct kmcl_lo_offer *offer)
{
	mutex_lock(&kmcl_lo_lock);
	RCU_INIT_POINTER(offer->server, NULL);
	mutex_unlock(&kmcl_lo_lock);
	wake_up_all(&offer->changed);
	kmcl_lo_lose_offer(offer);
	device_unregister(&offer->dev);
}

/* Clients */

int kmcl_lo_seek_offer(struct kmcl_channel *client)
{
	struct kmcl_lo_seeker *seeker = kmalloc(sizeof(*seeker), GFP_KERNEL);

	if (!seeker)
		return -ENOMEM;
	seeker->ch = client;
	seeker->type = client->set.type;
	mutex_lock(&kmcl_lo_lock);
	/* Exact-instance seekers take precedence over wildcards. */
	if (client->set.has_instance)
		list_add(&seeker->node, &kmcl_lo_seekers);
	else
		list_add_tail(&seeker->node, &kmcl_lo_seekers);
	kmcl_lo_match();
	mutex_unlock(&kmcl_lo_lock);
	return 0;
}

void kmcl_lo_stop_seeking(struct kmcl_channel *client)
{
	struct kmcl_lo_seeker *seeker;

	mutex_lock(&kmcl_lo_lock);
	list_for_each_entry(seeker, &kmcl_lo_seekers, node) {
		if (seeker->ch != client)
			continue;
		list_del(&seeker->node);
		kfree(seeker);
		break;
	}
	mutex_unlock(&kmcl_lo_lock);
}

/* The client has closed the channel: the next one gets the offer. */
void kmcl_lo_give_back(struct kmcl_lo_offer *offer)
{
	mutex_lock(&kmcl_lo_lock);
	RCU_INIT_POINTER(offer->client, NULL);
	kmcl_lo_match();
	mutex_unlock(&kmcl_lo_lock);
	put_device(&offer->dev);
}

/* The connection between the two */

/* Returns a reference of the server's channel, or NULL if the server has gone. */
static struct kmcl_channel *kmcl_lo_get_server(struct kmcl_lo_offer *offer)
{
	struct kmcl_channel *server;

	lockdep_assert_held(&kmcl_lo_lock);
	server = rcu_dereference_protected(offer->server,
					   lockdep_is_held(&kmcl_lo_lock));
	if (server)
		kmcl_channel_get(server);
	return server;
}

static bool kmcl_lo_is_answered(const struct kmcl_lo_offer *offer)
{
	return READ_ONCE(offer->answer) != -EINPROGRESS ||
	       !rcu_access_pointer(offer->server);
}

/**
 * kmcl_lo_connect - have the server open its end
 * @offer: offer of the client that calls, with both rings
 *
 * Context: may sleep, until the server's EvtChannelOpened has returned.
 * Return: 0; -ENODEV if the server has gone; -ECONNREFUSED if it did not open. The
 * server does not access the rings after an error.
 */
int kmcl_lo_connect(struct kmcl_lo_offer *offer)
{
	struct kmcl_channel *server;
	int err;

	mutex_lock(&kmcl_lo_lock);
	server = kmcl_lo_get_server(offer);
	WRITE_ONCE(offer->answer, -EINPROGRESS);
	mutex_unlock(&kmcl_lo_lock);
	if (!server)
		return -ENODEV;
	kmcl_channel_resume_device(server, offer);
	kmcl_hostwait_event(offer->changed, kmcl_lo_is_answered(offer));
	kmcl_channel_put(server);
	err = READ_ONCE(offer->answer);
	return err == -EINPROGRESS ? -ENODEV : err;
}

/*
 * The server tells what came of its open, or that it has failed later. Nobody waits in the
 * latter case, and the client would not hear of it.
 */
void kmcl_lo_answer(struct kmcl_lo_offer *offer, int err)
{
	bool was_open;

	mutex_lock(&kmcl_lo_lock);
	was_open = !offer->answer;
	WRITE_ONCE(offer->answer, err);
	mutex_unlock(&kmcl_lo_lock);
	wake_up_all(&offer->changed);
	if (was_open && err)
		kmcl_lo_lose_offer(offer);
}

/* Returns when the server does not access the rings any more. */
void kmcl_lo_disconnect(struct kmcl_lo_offer *offer)
{
	struct kmcl_channel *server;

	mutex_lock(&kmcl_lo_lock);
	server = kmcl_lo_get_server(offer);
	mutex_unlock(&kmcl_lo_lock);
	if (!server)
		return;
	kmcl_channel_close_server(server, offer);
	kmcl_channel_put(server);
}

int kmcl_lo_offers_init(const struct kmcl_bus_ops *bus)
{
	kmcl_lo_ops = bus;
	return class_register(&kmcl_lo_class);
}

void kmcl_lo_offers_exit(void)
{
	class_unregister(&kmcl_lo_class);
}
