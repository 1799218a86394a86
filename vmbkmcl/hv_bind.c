// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which VMBus device a channel binds to.
 *
 * hv_vmbus matches drivers with device types, while a KMCL channel may name a device
 * instance. So this file registers one hv_driver for each type that a channel listens
 * for, a "target", and pairs the devices and the channels of the type itself. The
 * driver has a name that driver_override can use.
 *
 * A work item takes the devices that are there when a channel begins to listen, and says
 * which driver has the device, if one has it. A device that no channel waits for is
 * declined, so that another driver of the type gets it; hv_vmbus logs that as an error.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hyperv.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "bus.h"
#include "channel.h"
#include "compat.h"
#include "hv_bind.h"
#include "hv_handover.h"

/**
 * struct kmcl_target - a device type that channels listen for
 * @node: in kmcl_targets, under kmcl_targets_lock
 * @listeners: number of channels that listen, under kmcl_targets_lock
 * @binding: @bind is queued or runs, under kmcl_targets_lock. The target stays as long.
 * @bind_again: @bind is queued once more when it ends
 * @driver: the driver that is registered with hv_vmbus for the type
 * @ids: table of @driver: the type, and an empty entry
 * @name: name of @driver: "vmbkmcl-" and the type GUID
 * @lock: guards the lists below and the endpoint of each device
 * @devices: devices of the type that are bound to @driver
 * @channels: channels that listen, as struct kmcl_listener
 * @bind: work item that takes the devices that no driver has
 */
struct kmcl_target {
	struct list_head node;
	unsigned int listeners;
	bool binding;
	bool bind_again;
	struct hv_driver driver;
	struct hv_vmbus_device_id ids[2];
	char name[sizeof("vmbkmcl-") + UUID_STRING_LEN];
	struct mutex lock;
	struct list_head devices;
	struct list_head channels;
	struct delayed_work bind;
};

/* A channel in the list of its target. */
struct kmcl_listener {
	struct list_head node;
	struct kmcl_channel *ch;
	bool told;		/* the log says which driver has the device */
};

/*
 * A device that is bound to the driver of its target. The driver holds a reference until
 * the device is removed, and a channel until it has released the device.
 */
struct kmcl_device {
	struct kref ref;
	struct list_head node;		/* empty once the device is being removed */
	struct kmcl_target *target;
	struct kmcl_hv_endpoint endpoint;
	bool asleep;			/* hibernating: no channel may open it */
};

/* The bus to name in kmcl_channel_attach(). */
static const struct kmcl_bus_ops *kmcl_target_bus;

static LIST_HEAD(kmcl_targets);
/* Guards the list. Held while drivers are registered, so not taken in probe or remove. */
static DEFINE_MUTEX(kmcl_targets_lock);
/* Runs the work items of the module, which is not unloaded before they have ended. */
static struct workqueue_struct *kmcl_target_wq;

void kmcl_target_queue(struct delayed_work *work, unsigned int ms)
{
	queue_delayed_work(kmcl_target_wq, work, msecs_to_jiffies(ms));
}

static void kmcl_device_free(struct kref *ref)
{
	kfree(container_of(ref, struct kmcl_device, ref));
}

static void kmcl_device_put(struct kmcl_device *dev)
{
	kref_put(&dev->ref, kmcl_device_free);
}

static void kmcl_target_offer(struct kmcl_target *target,
			      struct kmcl_device *dev)
{
	struct kmcl_hv_endpoint *endpoint = &dev->endpoint;
	const guid_t *instance = &endpoint->instance;
	struct kmcl_listener *listener;

	list_for_each_entry(listener, &target->channels, node) {
		if (!kmcl_channel_accepts(listener->ch, instance))
			continue;
		endpoint->ch = listener->ch;
		kref_get(&dev->ref);
		if (kmcl_channel_attach(listener->ch, kmcl_target_bus, endpoint,
					instance))
			return;
		endpoint->ch = NULL;
		kmcl_device_put(dev);
	}
}

/*
 * True if a channel can be attached to the device. One that was rescinded, or that the
 * host did not offer again after a hibernation, would only disable the channel.
 */
static bool kmcl_device_is_free(const struct kmcl_device *dev)
{
	const struct vmbus_channel *chan = dev->endpoint.chan;

	return !dev->endpoint.ch && !dev->asleep && !READ_ONCE(chan->rescind) &&
	       chan->offermsg.child_relid != INVALID_RELID;
}

static void kmcl_target_match(struct kmcl_target *target)
{
	struct kmcl_device *dev;

	lockdep_assert_held(&target->lock);
	list_for_each_entry(dev, &target->devices, node)
		if (kmcl_device_is_free(dev))
			kmcl_target_offer(target, dev);
}

/* True if a channel of the target waits for a device of this instance. */
static bool kmcl_target_wants(struct kmcl_target *target, const guid_t *instance)
{
	struct kmcl_listener *listener;
	bool wanted = false;

	mutex_lock(&target->lock);
	list_for_each_entry(listener, &target->channels, node)
		wanted |= kmcl_channel_accepts(listener->ch, instance);
	mutex_unlock(&target->lock);
	return wanted;
}

/*
 * Give the device to a channel. False if none waits for it any more: another device has
 * been faster, or the channel was disabled.
 */
static bool kmcl_target_take(struct kmcl_target *target, struct kmcl_device *dev)
{
	bool taken;

	mutex_lock(&target->lock);
	list_add_tail(&dev->node, &target->devices);
	kmcl_target_match(target);
	taken = dev->endpoint.ch;
	if (!taken)
		list_del_init(&dev->node);
	mutex_unlock(&target->lock);
	return taken;
}

static int kmcl_target_probe(struct hv_device *hdev,
			     const struct hv_vmbus_device_id *id)
{
	struct hv_driver *driver = container_of(hdev->device.driver,
						struct hv_driver, driver);
	struct kmcl_target *target = container_of(driver, struct kmcl_target,
						  driver);
	struct kmcl_device *dev;

	/*
	 * driver_override and new_id bind devices of other types, too, and bind within
	 * the registration. There is no id if the override names another driver.
	 */
	if (!id || !READ_ONCE(driver->id_table) ||
	    !guid_equal(&hdev->dev_type, &target->ids[0].guid) ||
	    !kmcl_target_wants(target, &hdev->dev_instance))
		return -ENODEV;
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	kref_init(&dev->ref);
	dev->target = target;
	dev->endpoint.hdev = hdev;
	dev->endpoint.instance = hdev->dev_instance;
	INIT_LIST_HEAD(&dev->endpoint.node);
	dev->endpoint.chan = hdev->channel;
	dev->endpoint.cpu = kmcl_hv_take_over(hdev->channel);
	hv_set_drvdata(hdev, dev);

	if (!kmcl_target_take(target, dev)) {
		kmcl_hv_hand_back(hdev->channel, dev->endpoint.cpu);
		hv_set_drvdata(hdev, NULL);
		kmcl_device_put(dev);
		return -ENODEV;
	}
	return 0;
}

/* Returns a reference: the client may clean the channel up once the lock is dropped. */
static struct kmcl_channel *kmcl_device_channel(struct kmcl_device *dev)
{
	lockdep_assert_held(&dev->target->lock);
	if (dev->endpoint.ch)
		kmcl_channel_get(dev->endpoint.ch);
	return dev->endpoint.ch;
}

static void kmcl_target_remove_device(struct hv_device *hdev)
{
	struct kmcl_device *dev = hv_get_drvdata(hdev);
	struct kmcl_target *target = dev->target;
	struct kmcl_channel *ch;

	mutex_lock(&target->lock);
	list_del_init(&dev->node);
	ch = kmcl_device_channel(dev);
	mutex_unlock(&target->lock);

	if (ch) {
		kmcl_channel_detach(ch, &dev->endpoint);
		kmcl_channel_put(ch);
	}
	/* kmcl_target_notify() tells when an unbound device is rescinded. */
	if (READ_ONCE(hdev->channel->rescind))
		kmcl_gpadl_device_gone(&dev->endpoint);
	else
		kmcl_gpadl_device_unbound(&dev->endpoint, hdev);
	kmcl_hv_hand_back(hdev->channel, dev->endpoint.cpu);
	hv_set_drvdata(hdev, NULL);
	kmcl_device_put(dev);
}
KMCL_HV_REMOVE(kmcl_target_remove)

/*
 * A VM can hibernate only if every driver has suspend() and resume(). VMBus is
 * disconnected between the two; then the host offers the same device with another
 * relid.
 */
static int kmcl_target_suspend(struct hv_device *hdev)
{
	struct kmcl_device *dev = hv_get_drvdata(hdev);
	struct kmcl_channel *ch;

	mutex_lock(&dev->target->lock);
	dev->asleep = true;
	ch = kmcl_device_channel(dev);
	mutex_unlock(&dev->target->lock);

	if (ch) {
		kmcl_channel_suspend_device(ch, &dev->endpoint);
		kmcl_channel_put(ch);
	}
	return 0;
}

static int kmcl_target_resume(struct hv_device *hdev)
{
	struct kmcl_device *dev = hv_get_drvdata(hdev);
	struct kmcl_target *target = dev->target;

	mutex_lock(&target->lock);
	dev->asleep = false;
	if (dev->endpoint.ch)
		kmcl_channel_resume_device(dev->endpoint.ch, &dev->endpoint);
	else
		kmcl_target_match(target);
	mutex_unlock(&target->lock);
	return 0;
}

/*
 * hv_vmbus removes a device when the host has rescinded it, or after VMBus was
 * unloaded. Either way the host has released the GPADLs of a device that was unbound
 * before.
 */
static int kmcl_target_notify(struct notifier_block *block, unsigned long event,
			      void *device)
{
	if (event == BUS_NOTIFY_REMOVED_DEVICE)
		kmcl_gpadl_device_gone(container_of(device, struct hv_device,
						    device));
	return NOTIFY_DONE;
}

static struct notifier_block kmcl_target_notifier = {
	.notifier_call = kmcl_target_notify,
};

/* The bus of the driver model that @kmcl_target_notifier is registered with, or NULL. */
static typeof(((struct device_driver *)NULL)->bus) kmcl_vmbus;

/*
 * A registered driver is the only way to get at hv_vmbus's bus of the driver model.
 * Without the notifier, GPADLs of unbound devices are kept for good, which is safe.
 */
static void kmcl_target_watch_devices(struct kmcl_target *target)
{
	lockdep_assert_held(&kmcl_targets_lock);
	if (kmcl_vmbus)
		return;
	if (bus_register_notifier(target->driver.driver.bus,
				  &kmcl_target_notifier))
		pr_warn("the removal of devices is not seen\n");
	else
		kmcl_vmbus = target->driver.driver.bus;
}

static bool kmcl_device_fits(const struct hv_device *hdev,
			     const struct kmcl_settings *set)
{
	return guid_equal(&hdev->dev_type, &set->type) &&
	       (!set->has_instance ||
		guid_equal(&hdev->dev_instance, &set->instance));
}

/*
 * Log which driver has the device that the channel waits for, and how to give the
 * device to the channel: the driver keeps it otherwise.
 */
static int kmcl_target_name_driver(struct device *device, void *data)
{
	struct hv_device *hdev = container_of(device, struct hv_device, device);
	struct kmcl_listener *listener = data;
	struct kmcl_channel *ch = listener->ch;
	const char *name = dev_name(device);
	const char *driver = NULL;

	if (!kmcl_device_fits(hdev, &ch->set) ||
	    !kmcl_channel_accepts(ch, &hdev->dev_instance))
		return 0;
	if (!device_trylock(device)) {
		listener->told = false;
		return 0;
	}
	if (device->driver && device->driver->owner != THIS_MODULE)
		driver = device->driver->name;
	if (driver) {
		pr_info("%s: device %s belongs to the driver %s, the channel waits for it\n",
			ch->name, name, driver);
		pr_info("%s: to have it, in /sys/bus/vmbus: echo vmbkmcl-%pUl > devices/%s/driver_override; echo %s > drivers/%s/unbind; echo %s > drivers_probe\n",
			ch->name, &ch->set.type, name, name, driver, name);
	}
	device_unlock(device);
	return 0;
}

static void kmcl_target_name_drivers(struct kmcl_target *target)
{
	struct kmcl_listener *listener;

	mutex_lock(&target->lock);
	list_for_each_entry(listener, &target->channels, node) {
		if (listener->told)
			continue;
		listener->told = true;
		bus_for_each_dev(target->driver.driver.bus, NULL, listener,
				 kmcl_target_name_driver);
		/* The device was locked: look again. */
		if (!listener->told)
			WRITE_ONCE(target->bind_again, true);
	}
	mutex_unlock(&target->lock);
}

#define KMCL_BIND_AGAIN_MS	100

/*
 * Have the work item take devices. It may wait for the probe of another driver, which may
 * wait for a thread that holds kmcl_targets_lock: nobody waits for it under a lock.
 */
static void kmcl_target_start_binding(struct kmcl_target *target)
{
	lockdep_assert_held(&kmcl_targets_lock);
	if (target->binding) {
		WRITE_ONCE(target->bind_again, true);
		return;
	}
	target->binding = true;
	kmcl_target_queue(&target->bind, 0);
}

/* False if the work item runs. It calls kmcl_target_stop_binding() then. */
static bool kmcl_target_cancel_binding(struct kmcl_target *target)
{
	lockdep_assert_held(&kmcl_targets_lock);
	/* It queues itself with the lock held, so it does not run while it is queued. */
	if (target->binding && cancel_delayed_work(&target->bind))
		target->binding = false;
	return !target->binding;
}

static void kmcl_target_free(struct kmcl_target *target)
{
	lockdep_assert_held(&kmcl_targets_lock);
	list_del(&target->node);
	vmbus_driver_unregister(&target->driver);
	kfree(target);
}

static struct hv_device *kmcl_target_first_device(struct kmcl_target *target)
{
	struct hv_device *hdev = NULL;
	struct kmcl_device *dev;

	mutex_lock(&target->lock);
	dev = list_first_entry_or_null(&target->devices, struct kmcl_device,
				       node);
	if (dev) {
		hdev = dev->endpoint.hdev;
		get_device(&hdev->device);
	}
	mutex_unlock(&target->lock);
	return hdev;
}

/*
 * The driver stays until the work item ends, but it keeps no device: another driver may
 * be registered now. It takes none either, as nobody listens.
 */
static void kmcl_target_unbind(struct kmcl_target *target)
{
	struct hv_device *hdev;

	lockdep_assert_held(&kmcl_targets_lock);
	while ((hdev = kmcl_target_first_device(target))) {
		device_release_driver(&hdev->device);
		put_device(&hdev->device);
	}
}

/* Called by the work item at its end. Nobody may be left who listens. */
static void kmcl_target_stop_binding(struct kmcl_target *target)
{
	mutex_lock(&kmcl_targets_lock);
	target->binding = target->listeners && READ_ONCE(target->bind_again);
	if (target->binding)
		kmcl_target_queue(&target->bind, KMCL_BIND_AGAIN_MS);
	else if (!target->listeners)
		kmcl_target_free(target);
	mutex_unlock(&kmcl_targets_lock);
}

/*
 * Take the device if no driver has it and a channel waits for it. A device that is being
 * bound or unbound now is left for the next time, so that the others need not wait. The
 * device is also tried again if memory was short, or if the driver core puts all probes
 * off, as it does while the system suspends.
 */
static int kmcl_target_bind_device(struct device *device, void *data)
{
	struct hv_device *hdev = container_of(device, struct hv_device, device);
	struct kmcl_target *target = data;
	bool unbound;
	int err = 0;

	/* The offers of hv_sock are for hv_sock alone: see vmbus_match(). */
	if (!guid_equal(&hdev->dev_type, &target->ids[0].guid) ||
	    is_hvsock_channel(hdev->channel) ||
	    !kmcl_target_wants(target, &hdev->dev_instance))
		return 0;
	if (!device_trylock(device)) {
		WRITE_ONCE(target->bind_again, true);
		return 0;
	}
	unbound = !device->driver;
	device_unlock(device);
	/* If another driver is faster, this fails, and the channel goes on waiting. */
	if (unbound)
		err = device_driver_attach(&target->driver.driver, device);
	if (err)
		dev_dbg(device, "not bound to %s: error %d\n", target->name,
			err);
	if (err == -ENOMEM || err == -EAGAIN)
		WRITE_ONCE(target->bind_again, true);
	return 0;
}

/* In a work item, as no device is bound within VmbChannelEnable(). */
static void kmcl_target_bind(struct work_struct *work)
{
	struct kmcl_target *target = container_of(to_delayed_work(work),
						  struct kmcl_target, bind);

	WRITE_ONCE(target->bind_again, false);
	bus_for_each_dev(target->driver.driver.bus, NULL, target,
			 kmcl_target_bind_device);
	kmcl_target_name_drivers(target);
	kmcl_target_stop_binding(target);
}

static struct kmcl_target *kmcl_target_alloc(const guid_t *type)
{
	struct kmcl_target *target;

	target = kzalloc(sizeof(*target), GFP_KERNEL);
	if (!target)
		return NULL;
	snprintf(target->name, sizeof(target->name), "vmbkmcl-%pUl", type);
	target->ids[0].guid = *type;
	target->driver.name = target->name;
	target->driver.probe = kmcl_target_probe;
	target->driver.remove = kmcl_target_remove;
	target->driver.suspend = kmcl_target_suspend;
	target->driver.resume = kmcl_target_resume;
	/* Or the unregistration would wait for the asynchronous probes of all drivers. */
	target->driver.driver.probe_type = PROBE_FORCE_SYNCHRONOUS;
	mutex_init(&target->lock);
	INIT_LIST_HEAD(&target->devices);
	INIT_LIST_HEAD(&target->channels);
	INIT_DELAYED_WORK(&target->bind, kmcl_target_bind);
	return target;
}

static struct kmcl_target *kmcl_target_find(const guid_t *type)
{
	struct kmcl_target *target;

	list_for_each_entry(target, &kmcl_targets, node)
		if (guid_equal(&target->ids[0].guid, type))
			return target;
	return NULL;
}

static void kmcl_target_add(struct kmcl_target *target,
			    struct kmcl_listener *listener)
{
	mutex_lock(&target->lock);
	/* Exact-instance listeners take precedence over wildcards. */
	if (listener->ch->set.has_instance)
		list_add(&listener->node, &target->channels);
	else
		list_add_tail(&listener->node, &target->channels);
	kmcl_target_match(target);
	mutex_unlock(&target->lock);
}

/*
 * The driver has no table of ids while it is registered, so no device is bound then: a
 * registration may fail after it has bound devices, and a channel that had been given one
 * would still release it afterwards. hv_vmbus reads the table each time it looks for a
 * driver.
 */
static int kmcl_target_create(struct kmcl_listener *listener)
{
	struct kmcl_target *target = kmcl_target_alloc(&listener->ch->set.type);
	int err;

	if (!target)
		return -ENOMEM;
	kmcl_target_add(target, listener);
	err = vmbus_driver_register(&target->driver);
	if (err) {
		kfree(target);
		return err;
	}
	/* hv_vmbus reads the entries through the pointer, and so after it. */
	smp_store_release(&target->driver.id_table, target->ids);
	kmcl_target_watch_devices(target);
	target->listeners = 1;
	list_add(&target->node, &kmcl_targets);
	kmcl_target_start_binding(target);
	return 0;
}

static int kmcl_target_join(struct kmcl_listener *listener)
{
	struct kmcl_target *target;
	int err = 0;

	mutex_lock(&kmcl_targets_lock);
	target = kmcl_target_find(&listener->ch->set.type);
	if (target) {
		target->listeners++;
		kmcl_target_add(target, listener);
		kmcl_target_start_binding(target);
	} else {
		err = kmcl_target_create(listener);
	}
	mutex_unlock(&kmcl_targets_lock);
	return err;
}

static void kmcl_target_put(struct kmcl_target *target)
{
	mutex_lock(&kmcl_targets_lock);
	if (!--target->listeners) {
		if (kmcl_target_cancel_binding(target))
			kmcl_target_free(target);
		else
			kmcl_target_unbind(target);
	}
	mutex_unlock(&kmcl_targets_lock);
}

/* kmcl_bus_ops.listen: have @ch offered a device of its type, now or later. */
int kmcl_target_listen(struct kmcl_channel *ch)
{
	struct kmcl_listener *listener;
	int err;

	listener = kzalloc(sizeof(*listener), GFP_KERNEL);
	if (!listener)
		return -ENOMEM;
	listener->ch = ch;
	err = kmcl_target_join(listener);
	if (err)
		kfree(listener);
	return err;
}

static bool kmcl_target_forget(struct kmcl_target *target,
			       const struct kmcl_channel *ch)
{
	struct kmcl_listener *listener;
	bool found = false;

	mutex_lock(&target->lock);
	list_for_each_entry(listener, &target->channels, node) {
		if (listener->ch != ch)
			continue;
		list_del(&listener->node);
		kfree(listener);
		found = true;
		break;
	}
	mutex_unlock(&target->lock);
	return found;
}

/* kmcl_bus_ops.unlisten: @ch, which has no device, is offered none from now on. */
void kmcl_target_unlisten(struct kmcl_channel *ch)
{
	struct kmcl_target *target, *found = NULL;

	mutex_lock(&kmcl_targets_lock);
	list_for_each_entry(target, &kmcl_targets, node)
		if (kmcl_target_forget(target, ch)) {
			found = target;
			break;
		}
	mutex_unlock(&kmcl_targets_lock);
	/* The target stays without the lock: kmcl_target_put() gives its count back. */
	if (!WARN_ON_ONCE(!found))
		kmcl_target_put(found);
}

/* kmcl_bus_ops.release: give the device, unless it is gone, to another channel. */
void kmcl_target_release(struct kmcl_channel *ch,
			 struct kmcl_hv_endpoint *endpoint)
{
	struct kmcl_device *dev = container_of(endpoint, struct kmcl_device,
					       endpoint);
	struct kmcl_target *target = dev->target;

	mutex_lock(&target->lock);
	endpoint->ch = NULL;
	if (!list_empty(&dev->node)) {
		if (ch->set.has_cpu)
			kmcl_hv_move_home(endpoint->chan, endpoint->cpu);
		kmcl_target_match(target);
	}
	mutex_unlock(&target->lock);
	kmcl_device_put(dev);
}

/* Called after the bus is unregistered: no channel listens, so nothing is queued again. */
void kmcl_target_exit(void)
{
	destroy_workqueue(kmcl_target_wq);
	if (kmcl_vmbus)
		bus_unregister_notifier(kmcl_vmbus, &kmcl_target_notifier);
}

/* Called before the bus is registered. */
int kmcl_target_init(const struct kmcl_bus_ops *bus)
{
	kmcl_target_bus = bus;
	kmcl_target_wq = alloc_workqueue("vmbkmcl_hv", WQ_UNBOUND, 0);
	return kmcl_target_wq ? 0 : -ENOMEM;
}
