// SPDX-License-Identifier: GPL-2.0-only
/*
 * A channel of hv_vmbus changes drivers.
 *
 * struct vmbus_channel is as old as the offer, so a driver finds in it what the driver
 * before left there. hv_vmbus resets only what vmbus_open() was given: at a rescind it
 * calls a callback of a module that may be unloaded, and it opens the ring with the
 * packet size and the read mode of another protocol. So the fields that a driver may set
 * before the open are set to what hv_vmbus allocates a channel with, both before our
 * first use of the channel and after our last one. The file of the rings in sysfs is
 * left out: uio_hv_generic, which shows it, hides it again.
 *
 * The CPU is hv_vmbus's choice at the offer, or an administrator's since then. The one
 * that we have found is restored; what an administrator chooses while we have the channel
 * is not kept.
 */

#include <linux/cpu.h>
#include <linux/hyperv.h>
#include <linux/string.h>

#include "hv_handover.h"
#include "hv_rings.h"

/* VMBUS_CONNECT_CPU of hv_vmbus, which cannot go offline while VMBus is connected. */
#define KMCL_HV_CONNECT_CPU	0

/*
 * The channel is closed. Its requestor, if it has one, was freed by the close of the
 * driver before; the next close would free it a second time.
 */
static void kmcl_hv_reset(struct vmbus_channel *chan)
{
	vmbus_set_chn_rescind_callback(chan, NULL);
	vmbus_set_sc_create_callback(chan, NULL);
	chan->change_target_cpu_callback = NULL;
	chan->next_request_id_callback = NULL;
	chan->request_addr_callback = NULL;
	chan->rqstor_size = 0;
	memset(&chan->requestor, 0, sizeof(chan->requestor));
	/* hv_vmbus takes its own default for 0 when the ring is opened. */
	chan->max_pkt_size = 0;
	chan->low_latency = false;
	set_channel_read_mode(chan, HV_CALL_BATCHED);
	set_per_channel_state(chan, NULL);
}

/**
 * kmcl_hv_take_over - forget what the driver before left on a channel
 * @chan: a channel that no other driver has any more
 *
 * A driver may have left it open: uio_hv_generic does, and frees the rings, if it is
 * unbound while its file is open. hv_vmbus opens a channel only if it is closed. A
 * sub-channel comes closed.
 *
 * Context: may sleep.
 * Return: the CPU that the channel interrupts, for kmcl_hv_hand_back().
 */
u32 kmcl_hv_take_over(struct vmbus_channel *chan)
{
	/* A rescind during the close must not call what the driver left. */
	vmbus_set_chn_rescind_callback(chan, NULL);
	vmbus_set_sc_create_callback(chan, NULL);
	if (!chan->primary_channel && chan->state == CHANNEL_OPENED_STATE &&
	    !vmbus_disconnect_ring(chan))
		kmcl_hv_free_rings(chan);
	kmcl_hv_reset(chan);
	return READ_ONCE(chan->target_cpu);
}

/**
 * kmcl_hv_move_home - have a closed channel interrupt the CPU that it came with
 * @chan: a closed channel
 * @cpu: as returned by kmcl_hv_take_over()
 *
 * hv_vmbus refuses to take a CPU offline that any channel interrupts, open or not. Newer
 * versions move the open channels to another CPU, but not the closed ones. If @cpu went
 * offline meanwhile, the channel interrupts a CPU that never does.
 *
 * Context: may sleep.
 */
void kmcl_hv_move_home(struct vmbus_channel *chan, u32 cpu)
{
	/* A CPU that goes offline keeps cpus_read_lock() out and looks for its channels. */
	cpus_read_lock();
	chan->target_cpu = cpu_online(cpu) ? cpu : KMCL_HV_CONNECT_CPU;
	cpus_read_unlock();
}

/**
 * kmcl_hv_hand_back - leave a channel to the next driver as hv_vmbus made it
 * @chan: a closed channel
 * @cpu: as for kmcl_hv_move_home()
 *
 * Context: may sleep.
 */
void kmcl_hv_hand_back(struct vmbus_channel *chan, u32 cpu)
{
	kmcl_hv_reset(chan);
	kmcl_hv_move_home(chan, cpu);
}
