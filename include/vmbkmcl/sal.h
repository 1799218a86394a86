/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Annotations that Windows source code has in declarations of functions. They
 * are for a checker that does not exist on Linux, so they expand to nothing.
 * The exceptions are _Must_inspect_result_ and _Check_return_, which the
 * compiler can check.
 */
#ifndef _VMBKMCL_SAL_H
#define _VMBKMCL_SAL_H

#include <linux/compiler.h>

#define _Must_inspect_result_		__must_check
#define _Check_return_			__must_check

#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _Out_
#define _Out_opt_
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_nullonfailure_
#define _Outref_
#define _COM_Outptr_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_z_
#define _Reserved_
#define _Const_
#define _Null_
#define _Notnull_
#define _Maybenull_
#define _Null_terminated_
#define _Printf_format_string_
#define _Pre_maybenull_
#define _Pre_notnull_
#define _Pre_valid_
#define _Pre_invalid_
#define _Post_invalid_
#define _Post_valid_
#define _Post_maybenull_
#define _Post_notnull_
#define _Post_ptr_invalid_
#define _Points_to_data_
#define _Frees_ptr_
#define _Frees_ptr_opt_
#define _Use_decl_annotations_
#define _Interlocked_operand_
#define _Field_z_
#define _IRQL_requires_same_
#define _IRQL_saves_
#define _IRQL_restores_
#define _Dispatch_type_
#define __drv_aliasesMem
#define __drv_requiresIRQL

#define _In_range_(low, high)
#define _Out_range_(low, high)
#define _Inout_range_(low, high)
#define _Ret_range_(low, high)
#define _Field_range_(low, high)
#define _Deref_out_range_(low, high)
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_z_(count)
#define _In_reads_or_z_(count)
#define _In_reads_bytes_(bytes)
#define _In_reads_bytes_opt_(bytes)
#define _In_reads_to_ptr_(end)
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_z_(count)
#define _Out_writes_opt_z_(count)
#define _Out_writes_to_(count, used)
#define _Out_writes_to_opt_(count, used)
#define _Out_writes_all_(count)
#define _Out_writes_all_opt_(count)
#define _Out_writes_bytes_(bytes)
#define _Out_writes_bytes_opt_(bytes)
#define _Out_writes_bytes_to_(bytes, used)
#define _Out_writes_bytes_to_opt_(bytes, used)
#define _Out_writes_bytes_all_(bytes)
#define _Out_writes_bytes_all_opt_(bytes)
#define _Inout_updates_(count)
#define _Inout_updates_opt_(count)
#define _Inout_updates_z_(count)
#define _Inout_updates_to_(count, used)
#define _Inout_updates_all_(count)
#define _Inout_updates_bytes_(bytes)
#define _Inout_updates_bytes_opt_(bytes)
#define _Inout_updates_bytes_to_(bytes, used)
#define _Inout_updates_bytes_all_(bytes)
#define _Outptr_result_buffer_(count)
#define _Outptr_result_buffer_maybenull_(count)
#define _Outptr_result_bytebuffer_(bytes)
#define _Outptr_result_bytebuffer_maybenull_(bytes)
#define _Outptr_opt_result_bytebuffer_(bytes)
#define _Ret_writes_(count)
#define _Ret_writes_bytes_(bytes)
#define _Ret_writes_maybenull_(count)
#define _Ret_writes_bytes_maybenull_(bytes)
#define _Field_size_(count)
#define _Field_size_opt_(count)
#define _Field_size_part_(count, used)
#define _Field_size_full_(count)
#define _Field_size_bytes_(bytes)
#define _Field_size_bytes_opt_(bytes)
#define _Field_size_bytes_part_(bytes, used)
#define _Field_size_bytes_full_(bytes)
#define _Struct_size_bytes_(bytes)
#define _Pre_readable_size_(count)
#define _Pre_writable_size_(count)
#define _Pre_readable_byte_size_(bytes)
#define _Pre_writable_byte_size_(bytes)
#define _Post_readable_size_(count)
#define _Post_writable_size_(count)
#define _Post_readable_byte_size_(bytes)
#define _Post_writable_byte_size_(bytes)
#define _Writable_bytes_(bytes)
#define _Readable_bytes_(bytes)
#define _Pre_equal_to_(value)
#define _Pre_satisfies_(condition)
#define _Post_satisfies_(condition)
#define _Post_equal_to_(value)
#define _Success_(condition)
#define _On_failure_(annotation)
#define _Always_(annotation)
#define _Return_type_success_(condition)
#define _When_(condition, annotation)
#define _At_(target, annotation)
#define _At_buffer_(target, i, count, annotation)
#define _Group_(annotations)
#define _Function_class_(name)
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_raises_(level)
#define _IRQL_saves_global_(kind, where)
#define _IRQL_restores_global_(kind, where)
#define _IRQL_always_function_min_(level)
#define _IRQL_always_function_max_(level)
#define _Kernel_float_used_
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Acquires_exclusive_lock_(lock)
#define _Releases_exclusive_lock_(lock)
#define _Acquires_shared_lock_(lock)
#define _Releases_shared_lock_(lock)
#define _Acquires_nonreentrant_lock_(lock)
#define _Releases_nonreentrant_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_exclusive_lock_held_(lock)
#define _Requires_shared_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Requires_no_locks_held_
#define _Has_lock_kind_(kind)
#define _Has_lock_level_(level)
#define _Lock_level_order_(a, b)
#define _Guarded_by_(lock)
#define _Write_guarded_by_(lock)
#define _Interlocked_
#define __drv_allocatesMem(kind)
#define __drv_freesMem(kind)
#define __drv_acquiresResource(kind)
#define __drv_releasesResource(kind)
#define __drv_when(condition, annotation)
#define __drv_at(target, annotation)
#define __drv_strictType(type, mode)
#define __drv_strictTypeMatch(mode)
#define __drv_preferredFunction(name, why)
#define __drv_reportError(why)
#define __drv_maxIRQL(level)
#define __drv_minIRQL(level)
#define __drv_dispatchType(kind)

/* Annotations that are statements */
#define _Analysis_assume_(condition)	do { } while (0)
#define __analysis_assume(condition)	do { } while (0)
#define _Analysis_assume_lock_held_(lock)	do { } while (0)
#define _Analysis_assume_lock_not_held_(lock)	do { } while (0)
#define _Analysis_assume_nullterminated_(string)	do { } while (0)

#endif /* _VMBKMCL_SAL_H */
