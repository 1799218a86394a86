/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Microsoft's documentation spells the name so. On Windows both are the same
 * file.
 */
#include <vmbuskernelmodeclientlibapi.h>
