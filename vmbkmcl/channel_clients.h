/* SPDX-License-Identifier: GPL-2.0-only */
/* The list of all channels: see channel_clients.c. */
#ifndef _KMCL_CHANNEL_CLIENTS_H
#define _KMCL_CHANNEL_CLIENTS_H

struct kmcl_channel;
struct module;

void kmcl_client_add(struct kmcl_channel *ch);
void kmcl_client_remove(struct kmcl_channel *ch);
void kmcl_clients_abandon(const struct module *mod);
struct kmcl_channel *kmcl_client_pop(const struct module *mod);

#endif /* _KMCL_CHANNEL_CLIENTS_H */
