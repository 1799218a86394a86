/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Annotations that a Windows client writes at its own copies of the API's
 * signatures. They are for a checker that is not here, and say nothing.
 */
#ifndef _VMBKMCL_SAL_H
#define _VMBKMCL_SAL_H

#define _In_
#define _In_opt_
#define _In_range_(low, high)
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_bytes_(bytes)
#define _In_reads_bytes_opt_(bytes)
#define _Out_
#define _Out_opt_
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_bytes_(bytes)
#define _Out_writes_bytes_opt_(bytes)
#define _Out_writes_bytes_to_(bytes, used)
#define _Out_writes_bytes_to_opt_(bytes, used)
#define _Outptr_
#define _Inout_
#define _Inout_opt_
#define _Must_inspect_result_
#define _Success_(condition)
#define _Use_decl_annotations_
#define _Function_class_(name)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_same_
#define _When_(condition, annotation)
#define _At_(target, annotation)
#define _Pre_satisfies_(condition)
#define __drv_aliasesMem
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)

#endif /* _VMBKMCL_SAL_H */
