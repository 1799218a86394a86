/* SPDX-License-Identifier: GPL-2.0-only */
/* The host of core/ in QEMU: what the files of this directory share. */
#ifndef _OWN_OWN_H
#define _OWN_OWN_H

#include "../testdev.h"
#include "core/host.h"

/* device.c */
struct host *own_host(void);

/* synic.c: see machine_*() in core/host.h */
bool synic_init(struct host *host, Error **errp);

#endif /* _OWN_OWN_H */
