/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions that run for each packet are placed together in the text section.
 * Other code has evicted caches and TLB entries since the last packet, so the
 * fewer pages this code spans, the fewer misses.
 */
#ifndef _KMCL_HOT_H
#define _KMCL_HOT_H

#include <vmbuskernelmodeclientlibapi.h>

#define __kmcl_hot	__attribute__((__hot__))

/* Functions of the API. The headers of the API do not have the attribute. */
typeof(VmbPacketSend) VmbPacketSend __kmcl_hot;
typeof(VmbPacketSendWithExternalPfns) VmbPacketSendWithExternalPfns __kmcl_hot;
typeof(VmbChannelSendSynchronousRequest)
VmbChannelSendSynchronousRequest __kmcl_hot;
typeof(VmbChannelPacketComplete) VmbChannelPacketComplete __kmcl_hot;

#endif /* _KMCL_HOT_H */
