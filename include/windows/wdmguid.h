/* SPDX-License-Identifier: GPL-2.0-only */
/* Under the name that Windows clients include. */
#include <vmbkmcl/windows.h>
