/* SPDX-License-Identifier: GPL-2.0-only */
/* hv_vmbus's sub-channels: see hv_sub.c. */
#ifndef _KMCL_HV_SUB_H
#define _KMCL_HV_SUB_H

struct list_head;
struct kmcl_channel;
struct kmcl_hv_endpoint;

void kmcl_hv_subs_accept_offers(struct kmcl_hv_endpoint *primary);
void kmcl_hv_subs_refuse_offers(struct kmcl_hv_endpoint *primary,
				struct list_head *unused);
void kmcl_hv_subs_free(struct list_head *unused);
void kmcl_hv_match_subs(struct kmcl_channel *ch);
int kmcl_hv_subs_close(struct kmcl_hv_endpoint *primary);

void kmcl_hv_sub_opens(struct kmcl_hv_endpoint *endpoint);
void kmcl_hv_sub_opened(struct kmcl_hv_endpoint *endpoint);
void kmcl_hv_sub_not_opened(struct kmcl_hv_endpoint *endpoint);
int kmcl_hv_sub_close(struct kmcl_hv_endpoint *endpoint);
void kmcl_hv_sub_release(struct kmcl_hv_endpoint *endpoint);

#endif /* _KMCL_HV_SUB_H */
