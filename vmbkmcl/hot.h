/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What runs for each packet stands together in the text. A packet comes after the CPU
 * did something else, and so finds its code in few pages.
 */
#ifndef _KMCL_HOT_H
#define _KMCL_HOT_H

#include <vmbuskernelmodeclientlibapi.h>

#define __kmcl_hot	__attribute__((__hot__))

/* Of the API, whose header says nothing of it. */
typeof(VmbPacketSend) VmbPacketSend __kmcl_hot;
typeof(VmbPacketSendWithExternalPfns) VmbPacketSendWithExternalPfns __kmcl_hot;
typeof(VmbChannelSendSynchronousRequest)
VmbChannelSendSynchronousRequest __kmcl_hot;
typeof(VmbChannelPacketComplete) VmbChannelPacketComplete __kmcl_hot;

#endif /* _KMCL_HOT_H */
