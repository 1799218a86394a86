/* SPDX-License-Identifier: GPL-2.0-only */
/* Clients that go and leave their channels: see client.c. */
#ifndef _KMCL_CLIENT_H
#define _KMCL_CLIENT_H

struct kmcl_channel;

int kmcl_clients_init(void);
void kmcl_clients_exit(void);

void kmcl_client_add(struct kmcl_channel *ch);
void kmcl_client_remove(struct kmcl_channel *ch);

#endif /* _KMCL_CLIENT_H */
