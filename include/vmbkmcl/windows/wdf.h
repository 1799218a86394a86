/* SPDX-License-Identifier: GPL-2.0-only */
/* The two functions of WDF that query an interface. The rest of WDF is missing. */
#ifndef _VMBKMCL_WINDOWS_WDF_H
#define _VMBKMCL_WINDOWS_WDF_H

#include <vmbuskernelmodeclientlibapi.h>
#include <vmbkmcl/windows/types.h>

typedef PDEVICE_OBJECT WDFDEVICE;
typedef PDEVICE_OBJECT WDFIOTARGET;

static inline NTSTATUS WdfFdoQueryForInterface(WDFDEVICE Fdo,
					       LPCGUID InterfaceType,
					       PINTERFACE Interface,
					       USHORT Size, USHORT Version,
					       PVOID InterfaceSpecificData)
{
	return vmbkmcl_query_interface(Fdo, (const guid_t *)InterfaceType,
				       Interface, Size, Version,
				       InterfaceSpecificData);
}

static inline NTSTATUS WdfIoTargetQueryForInterface(WDFIOTARGET IoTarget,
						    LPCGUID InterfaceType,
						    PINTERFACE Interface,
						    USHORT Size, USHORT Version,
						    PVOID InterfaceSpecificData)
{
	return vmbkmcl_query_interface(IoTarget, (const guid_t *)InterfaceType,
				       Interface, Size, Version,
				       InterfaceSpecificData);
}

#endif /* _VMBKMCL_WINDOWS_WDF_H */
