/* SPDX-License-Identifier: GPL-2.0-only */
/* Cleanup of channels whose module is unloaded: see channel_clients_exit.c. */
#ifndef _KMCL_CHANNEL_CLIENTS_EXIT_H
#define _KMCL_CHANNEL_CLIENTS_EXIT_H

int kmcl_clients_init(void);
void kmcl_clients_exit(void);

#endif /* _KMCL_CHANNEL_CLIENTS_EXIT_H */
