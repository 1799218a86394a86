/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of this library that Microsoft's KMCL does not have. */
#ifndef _VMBKMCL_LINUX_H
#define _VMBKMCL_LINUX_H

#include <vmbuskernelmodeclientlibapi.h>

NTSTATUS VmbChannelTryDeleteGpadl(VMBCHANNEL Channel, UINT32 GpadlHandle);

#endif /* _VMBKMCL_LINUX_H */
