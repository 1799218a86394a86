// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server as the benchmark wants it: an echo that does nothing else, so that
 * what is measured is the way there and back.
 */
#define _GNU_SOURCE	/* SCHED_BATCH */
#include "testdev.h"

#include <sched.h>

/*
 * Where the guest shares a CPU with it, this thread would preempt the guest whenever
 * it is woken, read one packet, find no more, and sleep until the next signal. As a
 * batch task it waits for its turn, by which there is more to read: as where it has
 * a CPU of its own.
 */
void bench_begin(struct testdev *dev)
{
	struct sched_param none = { 0 };

	if (sched_setscheduler(0, SCHED_BATCH, &none))
		testdev_log(dev, "the server is no batch task: %s",
			    strerror(errno));
}

void bench_serve(struct testdev *dev, const struct host_packet *packet)
{
	struct testdev_out *out = g_new(struct testdev_out, 1);

	out->transaction_id = packet->transaction_id;
	out->len = MIN(packet->msglen, sizeof(out->data));
	if (!out_fits(dev, out->len))
		out->len = 0;
	memcpy(out->data, packet->msg, out->len);
	out_queue(dev, out);
}
