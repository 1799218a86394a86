/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The KMCL API as a struct of function pointers, which one query fills in.
 *
 * Windows drivers call KMCL through such a struct. On Linux a client can do so,
 * too, or call the exported functions of the same names.
 */
#ifndef _VMBKMCL_INTERFACE_H
#define _VMBKMCL_INTERFACE_H

#include <vmbuskernelmodeclientlibapi.h>

#include <vmbkmcl/server.h>

/*
 * Types of the interfaces. Microsoft does not publish the values of its types,
 * so these values are ours: {2b1d3c5e-7f60-4a8b-9c0d-6b6d636c0001} and ...0002.
 */
extern const GUID KMCL_CLIENT_INTERFACE_TYPE;
extern const GUID KMCL_SERVER_INTERFACE_TYPE;

#define KMCL_CLIENT_INTERFACE_VERSION_V1	1
#define KMCL_CLIENT_INTERFACE_VERSION_V2	2
#define KMCL_CLIENT_INTERFACE_VERSION_V3	3
#define KMCL_CLIENT_INTERFACE_VERSION_V4	4
#define KMCL_CLIENT_INTERFACE_VERSION_V5	5
#define KMCL_CLIENT_INTERFACE_VERSION_LATEST	KMCL_CLIENT_INTERFACE_VERSION_V5

#define KMCL_SERVER_INTERFACE_VERSION_V1	1
#define KMCL_SERVER_INTERFACE_VERSION_V5	5
#define KMCL_SERVER_INTERFACE_VERSION_LATEST	KMCL_SERVER_INTERFACE_VERSION_V5

typedef VOID FN_INTERFACE_REFERENCE(PVOID Context);
typedef FN_INTERFACE_REFERENCE *PINTERFACE_REFERENCE;
typedef FN_INTERFACE_REFERENCE *PINTERFACE_DEREFERENCE;

/* Header of every interface. Size and Version say which version was filled in. */
#define KMCL_INTERFACE_MEMBERS						\
	USHORT Size;							\
	USHORT Version;							\
	PVOID Context;							\
	PINTERFACE_REFERENCE InterfaceReference;			\
	PINTERFACE_DEREFERENCE InterfaceDereference

typedef struct _INTERFACE {
	KMCL_INTERFACE_MEMBERS;
} INTERFACE, *PINTERFACE;

/* FN_VMB_... is the type of a function, PFN_VMB_... the type of a pointer to it. */
#define KMCL_FN(function, name)						\
	typedef typeof(function) FN_ ## name;				\
	typedef typeof(&(function)) PFN_ ## name

KMCL_FN(VmbChannelAllocate, VMB_CHANNEL_ALLOCATE);
KMCL_FN(VmbChannelCleanup, VMB_CHANNEL_CLEANUP);
KMCL_FN(VmbChannelCreateGpadlFromBuffer, VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER);
KMCL_FN(VmbChannelCreateGpadlFromMdl, VMB_CHANNEL_CREATE_GPADL_FROM_MDL);
KMCL_FN(VmbChannelDeleteGpadl, VMB_CHANNEL_DELETE_GPADL);
KMCL_FN(VmbChannelDisable, VMB_CHANNEL_DISABLE);
KMCL_FN(VmbChannelEnable, VMB_CHANNEL_ENABLE);
KMCL_FN(VmbChannelGetInterfaceInstance, VMB_CHANNEL_GET_INTERFACE_INSTANCE);
KMCL_FN(VmbChannelGetMmioSpace, VMB_CHANNEL_GET_MMIO_SPACE);
KMCL_FN(VmbChannelGetPointer, VMB_CHANNEL_GET_POINTER);
KMCL_FN(VmbChannelInitSetClientContextSize, VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE);
KMCL_FN(VmbChannelInitSetFlags, VMB_CHANNEL_INIT_SET_FLAGS);
KMCL_FN(VmbChannelInitSetFriendlyName, VMB_CHANNEL_INIT_SET_FRIENDLY_NAME);
KMCL_FN(VmbChannelInitSetMaximumExternalData, VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA);
KMCL_FN(VmbChannelInitSetMaximumPacketSize, VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE);
KMCL_FN(VmbChannelInitSetProcessPacketCallbacks, VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS);
KMCL_FN(VmbChannelInitSetStateChangeCallbacks, VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS);
KMCL_FN(VmbChannelPacketComplete, VMB_CHANNEL_PACKET_COMPLETE);
KMCL_FN(VmbChannelPacketDeferToPassive, VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE);
KMCL_FN(VmbChannelPacketFail, VMB_CHANNEL_PACKET_FAIL);
KMCL_FN(VmbChannelPacketGetExternalData, VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA);
KMCL_FN(VmbChannelPause, VMB_CHANNEL_PAUSE);
KMCL_FN(VmbChannelSendSynchronousRequest, VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST);
KMCL_FN(VmbChannelSetIncomingProcessingAtPassive, VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE);
KMCL_FN(VmbChannelSetInterruptLatency, VMB_CHANNEL_SET_INTERRUPT_LATENCY);
KMCL_FN(VmbChannelSetPointer, VMB_CHANNEL_SET_POINTER);
KMCL_FN(VmbChannelSetTransactionQuota, VMB_CHANNEL_SET_TRANSACTION_QUOTA);
KMCL_FN(VmbChannelSizeofPacket, VMB_CHANNEL_SIZEOF_PACKET);
KMCL_FN(VmbChannelStart, VMB_CHANNEL_START);
KMCL_FN(VmbClientChannelInitSetRingBufferPageCount, VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT);
KMCL_FN(VmbClientChannelInitSetTargetPnp, VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP);
KMCL_FN(VmbPacketAllocate, VMB_PACKET_ALLOCATE);
KMCL_FN(VmbPacketFree, VMB_PACKET_FREE);
KMCL_FN(VmbPacketGetChannel, VMB_PACKET_GET_CHANNEL);
KMCL_FN(VmbPacketGetPointer, VMB_PACKET_GET_POINTER);
KMCL_FN(VmbPacketInitialize, VMB_PACKET_INITIALIZE);
KMCL_FN(VmbPacketSend, VMB_PACKET_SEND);
KMCL_FN(VmbPacketSendWithExternalMdl, VMB_PACKET_SEND_WITH_EXTERNAL_MDL);
KMCL_FN(VmbPacketSendWithExternalPfns, VMB_PACKET_SEND_WITH_EXTERNAL_PFNS);
KMCL_FN(VmbPacketSetCompletionRoutine, VMB_PACKET_SET_COMPLETION_ROUTINE);
KMCL_FN(VmbPacketSetPointer, VMB_PACKET_SET_POINTER);

/* Functions of later versions */
KMCL_FN(VmbChannelPacketGetClientContext, VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT);
KMCL_FN(VmbChannelGetTargetDeviceObject, VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT);
KMCL_FN(VmbChannelGetParentDeviceObject, VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT);
KMCL_FN(VmbChannelInitSetBounceBufferSizes, VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES);
KMCL_FN(VmbChannelAllocateBounceBuffer, VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER);
KMCL_FN(VmbChannelInitSetMaximumPacketCount, VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT);
KMCL_FN(VmbChannelCreateGpadlFromPfnList, VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST);
KMCL_FN(VmbChannelInitSetPrimaryChannel, VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL);
KMCL_FN(VmbSizeofChannel, VMB_SIZEOF_CHANNEL);
KMCL_FN(VmbChannelInitialize, VMB_CHANNEL_INITIALIZE);
KMCL_FN(VmbChannelSetAllowableDpcCpuUsage, VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE);
KMCL_FN(VmbClientChannelInitSetTargetProcessorIndex, VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX);
KMCL_FN(VmbChannelInitSetInlinePacketContextSize, VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE);
KMCL_FN(VmbPacketGetInlinePacketContextPointer, VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER);
KMCL_FN(VmbChannelInitSetProcessPacketCallbacksEx, VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX);
KMCL_FN(VmbPacketSetCompletionRoutineEx, VMB_PACKET_SET_COMPLETION_ROUTINE_EX);

/* Functions of a server */
KMCL_FN(VmbChannelMapGpadl, VMB_CHANNEL_MAP_GPADL);
KMCL_FN(VmbChannelRestoreFromBuffer, VMB_CHANNEL_RESTORE_FROM_BUFFER);
KMCL_FN(VmbChannelSaveBegin, VMB_CHANNEL_SAVE_BEGIN);
KMCL_FN(VmbChannelSaveContinue, VMB_CHANNEL_SAVE_CONTINUE);
KMCL_FN(VmbChannelSaveEnd, VMB_CHANNEL_SAVE_END);
KMCL_FN(VmbChannelUnmapGpadl, VMB_CHANNEL_UNMAP_GPADL);
KMCL_FN(VmbConvertVmbusHandleToKernelHandle, VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE);
KMCL_FN(VmbPacketRestore, VMB_PACKET_RESTORE);
KMCL_FN(VmbServerChannelInitSetFlags, VMB_SERVER_CHANNEL_INIT_SET_FLAGS);
KMCL_FN(VmbServerChannelInitSetMmioMegabytes, VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES);
KMCL_FN(VmbServerChannelInitSetSaveRestorePacketCallbacks, VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS);
KMCL_FN(VmbServerChannelInitSetTargetInterfaceId, VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID);
KMCL_FN(VmbServerChannelInitSetTargetVtl, VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL);
KMCL_FN(VmbServerChannelInitSetVmbusHandle, VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE);
KMCL_FN(VmbServerChannelInitSetSaveRestorePacketCallbacksEx, VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX);

/*
 * The order is the documented one, which a client that was compiled elsewhere
 * relies on. Each version begins with all members of the version before, so
 * that a pointer to it can be used as a pointer to the version before.
 */
#define KMCL_CLIENT_INTERFACE_V1_MEMBERS				\
	KMCL_INTERFACE_MEMBERS;						\
	PFN_VMB_CHANNEL_ALLOCATE VmbChannelAllocate;			\
	PFN_VMB_CHANNEL_CLEANUP VmbChannelCleanup;			\
	PFN_VMB_CHANNEL_CREATE_GPADL_FROM_BUFFER			\
		VmbChannelCreateGpadlFromBuffer;			\
	PFN_VMB_CHANNEL_CREATE_GPADL_FROM_MDL				\
		VmbChannelCreateGpadlFromMdl;				\
	PFN_VMB_CHANNEL_DELETE_GPADL VmbChannelDeleteGpadl;		\
	PFN_VMB_CHANNEL_DISABLE VmbChannelDisable;			\
	PFN_VMB_CHANNEL_ENABLE VmbChannelEnable;			\
	PFN_VMB_CHANNEL_GET_INTERFACE_INSTANCE				\
		VmbChannelGetInterfaceInstance;				\
	PFN_VMB_CHANNEL_GET_MMIO_SPACE VmbChannelGetMmioSpace;		\
	PFN_VMB_CHANNEL_GET_POINTER VmbChannelGetPointer;		\
	PFN_VMB_CHANNEL_INIT_SET_CLIENT_CONTEXT_SIZE			\
		VmbChannelInitSetClientContextSize;			\
	PFN_VMB_CHANNEL_INIT_SET_FLAGS VmbChannelInitSetFlags;		\
	PFN_VMB_CHANNEL_INIT_SET_FRIENDLY_NAME				\
		VmbChannelInitSetFriendlyName;				\
	PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_EXTERNAL_DATA			\
		VmbChannelInitSetMaximumExternalData;			\
	PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_SIZE			\
		VmbChannelInitSetMaximumPacketSize;			\
	PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS		\
		VmbChannelInitSetProcessPacketCallbacks;		\
	PFN_VMB_CHANNEL_INIT_SET_STATE_CHANGE_CALLBACKS			\
		VmbChannelInitSetStateChangeCallbacks;			\
	PFN_VMB_CHANNEL_PACKET_COMPLETE VmbChannelPacketComplete;	\
	PFN_VMB_CHANNEL_PACKET_DEFER_TO_PASSIVE				\
		VmbChannelPacketDeferToPassive;				\
	PFN_VMB_CHANNEL_PACKET_FAIL VmbChannelPacketFail;		\
	PFN_VMB_CHANNEL_PACKET_GET_EXTERNAL_DATA			\
		VmbChannelPacketGetExternalData;			\
	PFN_VMB_CHANNEL_PAUSE VmbChannelPause;				\
	PFN_VMB_CHANNEL_SEND_SYNCHRONOUS_REQUEST			\
		VmbChannelSendSynchronousRequest;			\
	PFN_VMB_CHANNEL_SET_INCOMING_PROCESSING_AT_PASSIVE		\
		VmbChannelSetIncomingProcessingAtPassive;		\
	PFN_VMB_CHANNEL_SET_INTERRUPT_LATENCY				\
		VmbChannelSetInterruptLatency;				\
	PFN_VMB_CHANNEL_SET_POINTER VmbChannelSetPointer;		\
	PFN_VMB_CHANNEL_SET_TRANSACTION_QUOTA				\
		VmbChannelSetTransactionQuota;				\
	PFN_VMB_CHANNEL_SIZEOF_PACKET VmbChannelSizeofPacket;		\
	PFN_VMB_CHANNEL_START VmbChannelStart;				\
	PFN_VMB_CLIENT_CHANNEL_INIT_SET_RING_BUFFER_PAGE_COUNT		\
		VmbClientChannelInitSetRingBufferPageCount;		\
	PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PNP			\
		VmbClientChannelInitSetTargetPnp;			\
	PFN_VMB_PACKET_ALLOCATE VmbPacketAllocate;			\
	PFN_VMB_PACKET_FREE VmbPacketFree;				\
	PFN_VMB_PACKET_GET_CHANNEL VmbPacketGetChannel;			\
	PFN_VMB_PACKET_GET_POINTER VmbPacketGetPointer;			\
	PFN_VMB_PACKET_INITIALIZE VmbPacketInitialize;			\
	PFN_VMB_PACKET_SEND VmbPacketSend;				\
	PFN_VMB_PACKET_SEND_WITH_EXTERNAL_MDL				\
		VmbPacketSendWithExternalMdl;				\
	PFN_VMB_PACKET_SEND_WITH_EXTERNAL_PFNS				\
		VmbPacketSendWithExternalPfns;				\
	PFN_VMB_PACKET_SET_COMPLETION_ROUTINE				\
		VmbPacketSetCompletionRoutine;				\
	PFN_VMB_PACKET_SET_POINTER VmbPacketSetPointer

#define KMCL_CLIENT_INTERFACE_V2_MEMBERS				\
	KMCL_CLIENT_INTERFACE_V1_MEMBERS;				\
	PFN_VMB_CHANNEL_PACKET_GET_CLIENT_CONTEXT			\
		VmbChannelPacketGetClientContext;			\
	PFN_VMB_CHANNEL_GET_TARGET_DEVICE_OBJECT			\
		VmbChannelGetTargetDeviceObject;			\
	PFN_VMB_CHANNEL_GET_PARENT_DEVICE_OBJECT			\
		VmbChannelGetParentDeviceObject

#define KMCL_CLIENT_INTERFACE_V3_MEMBERS				\
	KMCL_CLIENT_INTERFACE_V2_MEMBERS;				\
	PFN_VMB_CHANNEL_INIT_SET_BOUNCE_BUFFER_SIZES			\
		VmbChannelInitSetBounceBufferSizes;			\
	PFN_VMB_CHANNEL_ALLOCATE_BOUNCE_BUFFER				\
		VmbChannelAllocateBounceBuffer

#define KMCL_CLIENT_INTERFACE_V4_MEMBERS				\
	KMCL_CLIENT_INTERFACE_V3_MEMBERS;				\
	PFN_VMB_CHANNEL_INIT_SET_MAXIMUM_PACKET_COUNT			\
		VmbChannelInitSetMaximumPacketCount;			\
	PFN_VMB_CHANNEL_CREATE_GPADL_FROM_PFN_LIST			\
		VmbChannelCreateGpadlFromPfnList

#define KMCL_CLIENT_INTERFACE_V5_MEMBERS				\
	KMCL_CLIENT_INTERFACE_V4_MEMBERS;				\
	PFN_VMB_CHANNEL_INIT_SET_PRIMARY_CHANNEL			\
		VmbChannelInitSetPrimaryChannel;			\
	PFN_VMB_CHANNEL_INITIALIZE VmbChannelInitialize;		\
	PFN_VMB_CHANNEL_SET_ALLOWABLE_DPC_CPU_USAGE			\
		VmbChannelSetAllowableDpcCpuUsage;			\
	PFN_VMB_CLIENT_CHANNEL_INIT_SET_TARGET_PROCESSOR_INDEX		\
		VmbClientChannelInitSetTargetProcessorIndex;		\
	PFN_VMB_SIZEOF_CHANNEL VmbSizeofChannel;			\
	PFN_VMB_CHANNEL_INIT_SET_INLINE_PACKET_CONTEXT_SIZE		\
		VmbChannelInitSetInlinePacketContextSize;		\
	PFN_VMB_PACKET_GET_INLINE_PACKET_CONTEXT_POINTER		\
		VmbPacketGetInlinePacketContextPointer;			\
	PFN_VMB_CHANNEL_INIT_SET_PROCESS_PACKET_CALLBACKS_EX		\
		VmbChannelInitSetProcessPacketCallbacksEx;		\
	PFN_VMB_PACKET_SET_COMPLETION_ROUTINE_EX			\
		VmbPacketSetCompletionRoutineEx

/* Further functions of a server: see vmbkmcl/server.h. */
#define KMCL_SERVER_ONLY_METHODS_MEMBERS				\
	PFN_VMB_CHANNEL_MAP_GPADL VmbChannelMapGpadl;			\
	PFN_VMB_CHANNEL_RESTORE_FROM_BUFFER				\
		VmbChannelRestoreFromBuffer;				\
	PFN_VMB_CHANNEL_SAVE_BEGIN VmbChannelSaveBegin;			\
	PFN_VMB_CHANNEL_SAVE_CONTINUE VmbChannelSaveContinue;		\
	PFN_VMB_CHANNEL_SAVE_END VmbChannelSaveEnd;			\
	PFN_VMB_CHANNEL_UNMAP_GPADL VmbChannelUnmapGpadl;		\
	PFN_VMB_CONVERT_VMBUS_HANDLE_TO_KERNEL_HANDLE			\
		VmbConvertVmbusHandleToKernelHandle;			\
	PFN_VMB_PACKET_RESTORE VmbPacketRestore;			\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_FLAGS				\
		VmbServerChannelInitSetFlags;				\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_MMIO_MEGABYTES			\
		VmbServerChannelInitSetMmioMegabytes;			\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS	\
		VmbServerChannelInitSetSaveRestorePacketCallbacks;	\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_INTERFACE_ID		\
		VmbServerChannelInitSetTargetInterfaceId;		\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_TARGET_VTL			\
		VmbServerChannelInitSetTargetVtl;			\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_VMBUS_HANDLE			\
		VmbServerChannelInitSetVmbusHandle

#define KMCL_SERVER_ONLY_METHODS_V5_MEMBERS				\
	KMCL_SERVER_ONLY_METHODS_MEMBERS;				\
	PFN_VMB_SERVER_CHANNEL_INIT_SET_SAVE_RESTORE_PACKET_CALLBACKS_EX \
		VmbServerChannelInitSetSaveRestorePacketCallbacksEx

typedef struct _KMCL_CLIENT_INTERFACE_V1 {
	KMCL_CLIENT_INTERFACE_V1_MEMBERS;
} KMCL_CLIENT_INTERFACE_V1, *PKMCL_CLIENT_INTERFACE_V1;

typedef struct _KMCL_CLIENT_INTERFACE_V2 {
	KMCL_CLIENT_INTERFACE_V2_MEMBERS;
} KMCL_CLIENT_INTERFACE_V2, *PKMCL_CLIENT_INTERFACE_V2;

typedef struct _KMCL_CLIENT_INTERFACE_V3 {
	KMCL_CLIENT_INTERFACE_V3_MEMBERS;
} KMCL_CLIENT_INTERFACE_V3, *PKMCL_CLIENT_INTERFACE_V3;

typedef struct _KMCL_CLIENT_INTERFACE_V4 {
	KMCL_CLIENT_INTERFACE_V4_MEMBERS;
} KMCL_CLIENT_INTERFACE_V4, *PKMCL_CLIENT_INTERFACE_V4;

typedef struct _KMCL_CLIENT_INTERFACE_V5 {
	KMCL_CLIENT_INTERFACE_V5_MEMBERS;
} KMCL_CLIENT_INTERFACE_V5, *PKMCL_CLIENT_INTERFACE_V5;

typedef KMCL_CLIENT_INTERFACE_V5 KMCL_CLIENT_INTERFACE, *PKMCL_CLIENT_INTERFACE;

typedef struct _KMCL_SERVER_ONLY_METHODS {
	KMCL_SERVER_ONLY_METHODS_MEMBERS;
} KMCL_SERVER_ONLY_METHODS, *PKMCL_SERVER_ONLY_METHODS;

typedef struct _KMCL_SERVER_ONLY_METHODS_V5 {
	KMCL_SERVER_ONLY_METHODS_V5_MEMBERS;
} KMCL_SERVER_ONLY_METHODS_V5, *PKMCL_SERVER_ONLY_METHODS_V5;

/* The client interface of the same version, then the methods of the server. */
typedef struct _KMCL_SERVER_INTERFACE_V1 {
	KMCL_CLIENT_INTERFACE_V1_MEMBERS;
	KMCL_SERVER_ONLY_METHODS_MEMBERS;
} KMCL_SERVER_INTERFACE_V1, *PKMCL_SERVER_INTERFACE_V1;

typedef struct _KMCL_SERVER_INTERFACE_V5 {
	KMCL_CLIENT_INTERFACE_V5_MEMBERS;
	KMCL_SERVER_ONLY_METHODS_V5_MEMBERS;
} KMCL_SERVER_INTERFACE_V5, *PKMCL_SERVER_INTERFACE_V5;

typedef KMCL_SERVER_INTERFACE_V5 KMCL_SERVER_INTERFACE, *PKMCL_SERVER_INTERFACE;

/* Fills in an interface, see vmbkmcl/api_interface.c */
NTSTATUS vmbkmcl_query_interface(struct device *device, const guid_t *type,
				 PINTERFACE interface, USHORT size,
				 USHORT version, PVOID specific);

#endif /* _VMBKMCL_INTERFACE_H */
