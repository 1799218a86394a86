/* SPDX-License-Identifier: GPL-2.0-only */
/* A sample server: see server.c. */
#ifndef _SHARE_SERVER_H
#define _SHARE_SERVER_H

#include <ntddk.h>
#include <wdf.h>

NTSTATUS ShareEvtDeviceAdd(_In_opt_ WDFDEVICE Device);
VOID ShareEvtDeviceRemove(VOID);

#endif /* _SHARE_SERVER_H */
