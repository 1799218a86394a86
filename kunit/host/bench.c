// SPDX-License-Identifier: GPL-2.0-only
/*
 * The server as the benchmark wants it: an echo that does nothing else, so that
 * what is measured is the way there and back.
 */
#include "testdev.h"

void bench_serve(struct testdev *dev, VMBusChanReq *packet)
{
	struct testdev_out *out = g_new(struct testdev_out, 1);

	out->transaction_id = packet->transaction_id;
	out->len = MIN(packet->msglen, sizeof(out->data));
	if (!out_fits(dev, out->len))
		out->len = 0;
	memcpy(out->data, packet->msg, out->len);
	out_queue(dev, out);
}
