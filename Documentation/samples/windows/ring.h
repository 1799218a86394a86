/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's two entries: what a driver framework calls on Windows. */
#ifndef _RING_H
#define _RING_H

#include <ntddk.h>
#include <wdf.h>

NTSTATUS RingEvtDeviceAdd(_In_opt_ WDFDEVICE Device);
VOID RingEvtDeviceRemove(VOID);

#endif /* _RING_H */
