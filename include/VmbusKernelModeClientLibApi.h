/* SPDX-License-Identifier: GPL-2.0-only */
/* Under the spelling of its documentation: on Windows both are the same file. */
#include <vmbuskernelmodeclientlibapi.h>
