/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of the Windows kernel that a Windows client uses beside the
 * KMCL API.
 *
 * They are implemented with functions of Linux, in one header for each subject.
 * Documentation/porting.rst says which functions are missing. A client that is
 * written for Linux does not include this header.
 */
#ifndef _VMBKMCL_WINDOWS_H
#define _VMBKMCL_WINDOWS_H

#include <vmbuskernelmodeclientlibapi.h>

#include <vmbkmcl/windows/debug.h>
#include <vmbkmcl/windows/guid.h>
#include <vmbkmcl/windows/interlocked.h>
#include <vmbkmcl/windows/intsafe.h>
#include <vmbkmcl/windows/list.h>
#include <vmbkmcl/windows/lock.h>
#include <vmbkmcl/windows/macros.h>
#include <vmbkmcl/windows/memory.h>
#include <vmbkmcl/windows/pool.h>
#include <vmbkmcl/windows/rundown.h>
#include <vmbkmcl/windows/string.h>
#include <vmbkmcl/windows/thread.h>
#include <vmbkmcl/windows/time.h>
#include <vmbkmcl/windows/timer.h>
#include <vmbkmcl/windows/types.h>
#include <vmbkmcl/windows/wait.h>
#include <vmbkmcl/windows/wdf.h>
#include <vmbkmcl/windows/work.h>

#endif /* _VMBKMCL_WINDOWS_H */
