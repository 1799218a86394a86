/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory Descriptor Lists, as the KMCL API's signatures name them. */
#ifndef _VMBKMCL_MDL_H
#define _VMBKMCL_MDL_H

struct _MDL;
typedef struct _MDL MDL, *PMDL;

#endif /* _VMBKMCL_MDL_H */
