// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmbkmcl_query_interface(), which returns the API as a struct of function
 * pointers.
 */

#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/string.h>

#include <vmbkmcl/interface.h>

const GUID KMCL_CLIENT_INTERFACE_TYPE =
	GUID_INIT(0x2b1d3c5e, 0x7f60, 0x4a8b,
		  0x9c, 0x0d, 0x6b, 0x6d, 0x63, 0x6c, 0x00, 0x01);
EXPORT_SYMBOL_GPL(KMCL_CLIENT_INTERFACE_TYPE);

const GUID KMCL_SERVER_INTERFACE_TYPE =
	GUID_INIT(0x2b1d3c5e, 0x7f60, 0x4a8b,
		  0x9c, 0x0d, 0x6b, 0x6d, 0x63, 0x6c, 0x00, 0x02);
EXPORT_SYMBOL_GPL(KMCL_SERVER_INTERFACE_TYPE);

/*
 * The layout of the interfaces is fixed: a client that was compiled against
 * Microsoft's documentation finds each pointer at its documented offset.
 */
#ifdef CONFIG_64BIT
#define KMCL_NTH(n, function)						\
	static_assert(offsetof(KMCL_CLIENT_INTERFACE_V5, function) ==	\
		      32 + (n) * 8)

static_assert(sizeof(INTERFACE) == 32);
static_assert(sizeof(KMCL_CLIENT_INTERFACE_V1) == 360);
KMCL_NTH(0, VmbChannelAllocate);
KMCL_NTH(1, VmbChannelCleanup);
KMCL_NTH(2, VmbChannelCreateGpadlFromBuffer);
KMCL_NTH(3, VmbChannelCreateGpadlFromMdl);
KMCL_NTH(4, VmbChannelDeleteGpadl);
KMCL_NTH(5, VmbChannelDisable);
KMCL_NTH(6, VmbChannelEnable);
KMCL_NTH(7, VmbChannelGetInterfaceInstance);
KMCL_NTH(8, VmbChannelGetMmioSpace);
KMCL_NTH(9, VmbChannelGetPointer);
KMCL_NTH(10, VmbChannelInitSetClientContextSize);
KMCL_NTH(11, VmbChannelInitSetFlags);
KMCL_NTH(12, VmbChannelInitSetFriendlyName);
KMCL_NTH(13, VmbChannelInitSetMaximumExternalData);
KMCL_NTH(14, VmbChannelInitSetMaximumPacketSize);
KMCL_NTH(15, VmbChannelInitSetProcessPacketCallbacks);
KMCL_NTH(16, VmbChannelInitSetStateChangeCallbacks);
KMCL_NTH(17, VmbChannelPacketComplete);
KMCL_NTH(18, VmbChannelPacketDeferToPassive);
KMCL_NTH(19, VmbChannelPacketFail);
KMCL_NTH(20, VmbChannelPacketGetExternalData);
KMCL_NTH(21, VmbChannelPause);
KMCL_NTH(22, VmbChannelSendSynchronousRequest);
KMCL_NTH(23, VmbChannelSetIncomingProcessingAtPassive);
KMCL_NTH(24, VmbChannelSetInterruptLatency);
KMCL_NTH(25, VmbChannelSetPointer);
KMCL_NTH(26, VmbChannelSetTransactionQuota);
KMCL_NTH(27, VmbChannelSizeofPacket);
KMCL_NTH(28, VmbChannelStart);
KMCL_NTH(29, VmbClientChannelInitSetRingBufferPageCount);
KMCL_NTH(30, VmbClientChannelInitSetTargetPnp);
KMCL_NTH(31, VmbPacketAllocate);
KMCL_NTH(32, VmbPacketFree);
KMCL_NTH(33, VmbPacketGetChannel);
KMCL_NTH(34, VmbPacketGetPointer);
KMCL_NTH(35, VmbPacketInitialize);
KMCL_NTH(36, VmbPacketSend);
KMCL_NTH(37, VmbPacketSendWithExternalMdl);
KMCL_NTH(38, VmbPacketSendWithExternalPfns);
KMCL_NTH(39, VmbPacketSetCompletionRoutine);
KMCL_NTH(40, VmbPacketSetPointer);
KMCL_NTH(41, VmbChannelPacketGetClientContext);
KMCL_NTH(42, VmbChannelGetTargetDeviceObject);
KMCL_NTH(43, VmbChannelGetParentDeviceObject);
KMCL_NTH(44, VmbChannelInitSetBounceBufferSizes);
KMCL_NTH(45, VmbChannelAllocateBounceBuffer);
KMCL_NTH(46, VmbChannelInitSetMaximumPacketCount);
KMCL_NTH(47, VmbChannelCreateGpadlFromPfnList);
KMCL_NTH(48, VmbChannelInitSetPrimaryChannel);
KMCL_NTH(49, VmbChannelInitialize);
KMCL_NTH(50, VmbChannelSetAllowableDpcCpuUsage);
KMCL_NTH(51, VmbClientChannelInitSetTargetProcessorIndex);
KMCL_NTH(52, VmbSizeofChannel);
KMCL_NTH(53, VmbChannelInitSetInlinePacketContextSize);
KMCL_NTH(54, VmbPacketGetInlinePacketContextPointer);
KMCL_NTH(55, VmbChannelInitSetProcessPacketCallbacksEx);
KMCL_NTH(56, VmbPacketSetCompletionRoutineEx);

#define KMCL_SERVER_NTH(n, function)					\
	static_assert(offsetof(KMCL_SERVER_INTERFACE_V1, function) ==	\
		      360 + (n) * 8)

static_assert(sizeof(KMCL_SERVER_INTERFACE_V1) == 472);
KMCL_SERVER_NTH(0, VmbChannelMapGpadl);
KMCL_SERVER_NTH(1, VmbChannelRestoreFromBuffer);
KMCL_SERVER_NTH(2, VmbChannelSaveBegin);
KMCL_SERVER_NTH(3, VmbChannelSaveContinue);
KMCL_SERVER_NTH(4, VmbChannelSaveEnd);
KMCL_SERVER_NTH(5, VmbChannelUnmapGpadl);
KMCL_SERVER_NTH(6, VmbConvertVmbusHandleToKernelHandle);
KMCL_SERVER_NTH(7, VmbPacketRestore);
KMCL_SERVER_NTH(8, VmbServerChannelInitSetFlags);
KMCL_SERVER_NTH(9, VmbServerChannelInitSetMmioMegabytes);
KMCL_SERVER_NTH(10, VmbServerChannelInitSetSaveRestorePacketCallbacks);
KMCL_SERVER_NTH(11, VmbServerChannelInitSetTargetInterfaceId);
KMCL_SERVER_NTH(12, VmbServerChannelInitSetTargetVtl);
KMCL_SERVER_NTH(13, VmbServerChannelInitSetVmbusHandle);
#endif

/* Each version begins with all members of the version before. */
#define KMCL_EXTENDS(later, earlier, first)				\
	static_assert(offsetof(KMCL_CLIENT_INTERFACE_ ## later, first) ==	\
		      sizeof(KMCL_CLIENT_INTERFACE_ ## earlier))

KMCL_EXTENDS(V2, V1, VmbChannelPacketGetClientContext);
KMCL_EXTENDS(V3, V2, VmbChannelInitSetBounceBufferSizes);
KMCL_EXTENDS(V4, V3, VmbChannelInitSetMaximumPacketCount);
KMCL_EXTENDS(V5, V4, VmbChannelInitSetPrimaryChannel);

static VOID kmcl_interface_reference(PVOID context)
{
	__module_get(context);
}

static VOID kmcl_interface_dereference(PVOID context)
{
	module_put(context);
}

static const KMCL_CLIENT_INTERFACE_V5 kmcl_interface = {
	.Context = THIS_MODULE,
	.InterfaceReference = kmcl_interface_reference,
	.InterfaceDereference = kmcl_interface_dereference,
	.VmbChannelAllocate = VmbChannelAllocate,
	.VmbChannelCleanup = VmbChannelCleanup,
	.VmbChannelCreateGpadlFromBuffer = VmbChannelCreateGpadlFromBuffer,
	.VmbChannelCreateGpadlFromMdl = VmbChannelCreateGpadlFromMdl,
	.VmbChannelDeleteGpadl = VmbChannelDeleteGpadl,
	.VmbChannelDisable = VmbChannelDisable,
	.VmbChannelEnable = VmbChannelEnable,
	.VmbChannelGetInterfaceInstance = VmbChannelGetInterfaceInstance,
	.VmbChannelGetMmioSpace = VmbChannelGetMmioSpace,
	.VmbChannelGetPointer = VmbChannelGetPointer,
	.VmbChannelInitSetClientContextSize =
		VmbChannelInitSetClientContextSize,
	.VmbChannelInitSetFlags = VmbChannelInitSetFlags,
	.VmbChannelInitSetFriendlyName = VmbChannelInitSetFriendlyName,
	.VmbChannelInitSetMaximumExternalData =
		VmbChannelInitSetMaximumExternalData,
	.VmbChannelInitSetMaximumPacketSize =
		VmbChannelInitSetMaximumPacketSize,
	.VmbChannelInitSetProcessPacketCallbacks =
		VmbChannelInitSetProcessPacketCallbacks,
	.VmbChannelInitSetStateChangeCallbacks =
		VmbChannelInitSetStateChangeCallbacks,
	.VmbChannelPacketComplete = VmbChannelPacketComplete,
	.VmbChannelPacketDeferToPassive = VmbChannelPacketDeferToPassive,
	.VmbChannelPacketFail = VmbChannelPacketFail,
	.VmbChannelPacketGetExternalData = VmbChannelPacketGetExternalData,
	.VmbChannelPause = VmbChannelPause,
	.VmbChannelSendSynchronousRequest = VmbChannelSendSynchronousRequest,
	.VmbChannelSetIncomingProcessingAtPassive =
		VmbChannelSetIncomingProcessingAtPassive,
	.VmbChannelSetInterruptLatency = VmbChannelSetInterruptLatency,
	.VmbChannelSetPointer = VmbChannelSetPointer,
	.VmbChannelSetTransactionQuota = VmbChannelSetTransactionQuota,
	.VmbChannelSizeofPacket = VmbChannelSizeofPacket,
	.VmbChannelStart = VmbChannelStart,
	.VmbClientChannelInitSetRingBufferPageCount =
		VmbClientChannelInitSetRingBufferPageCount,
	.VmbClientChannelInitSetTargetPnp = VmbClientChannelInitSetTargetPnp,
	.VmbPacketAllocate = VmbPacketAllocate,
	.VmbPacketFree = VmbPacketFree,
	.VmbPacketGetChannel = VmbPacketGetChannel,
	.VmbPacketGetPointer = VmbPacketGetPointer,
	.VmbPacketInitialize = VmbPacketInitialize,
	.VmbPacketSend = VmbPacketSend,
	.VmbPacketSendWithExternalMdl = VmbPacketSendWithExternalMdl,
	.VmbPacketSendWithExternalPfns = VmbPacketSendWithExternalPfns,
	.VmbPacketSetCompletionRoutine = VmbPacketSetCompletionRoutine,
	.VmbPacketSetPointer = VmbPacketSetPointer,
	.VmbChannelPacketGetClientContext = VmbChannelPacketGetClientContext,
	.VmbChannelGetTargetDeviceObject = VmbChannelGetTargetDeviceObject,
	.VmbChannelGetParentDeviceObject = VmbChannelGetParentDeviceObject,
	.VmbChannelInitSetBounceBufferSizes =
		VmbChannelInitSetBounceBufferSizes,
	.VmbChannelAllocateBounceBuffer = VmbChannelAllocateBounceBuffer,
	.VmbChannelInitSetMaximumPacketCount =
		VmbChannelInitSetMaximumPacketCount,
	.VmbChannelCreateGpadlFromPfnList = VmbChannelCreateGpadlFromPfnList,
	.VmbChannelInitSetPrimaryChannel = VmbChannelInitSetPrimaryChannel,
	.VmbSizeofChannel = VmbSizeofChannel,
	.VmbChannelInitialize = VmbChannelInitialize,
	.VmbChannelSetAllowableDpcCpuUsage = VmbChannelSetAllowableDpcCpuUsage,
	.VmbClientChannelInitSetTargetProcessorIndex =
		VmbClientChannelInitSetTargetProcessorIndex,
	.VmbChannelInitSetInlinePacketContextSize =
		VmbChannelInitSetInlinePacketContextSize,
	.VmbPacketGetInlinePacketContextPointer =
		VmbPacketGetInlinePacketContextPointer,
	.VmbChannelInitSetProcessPacketCallbacksEx =
		VmbChannelInitSetProcessPacketCallbacksEx,
	.VmbPacketSetCompletionRoutineEx = VmbPacketSetCompletionRoutineEx,
};

static const KMCL_SERVER_ONLY_METHODS_V5 kmcl_server_methods = {
	.VmbChannelMapGpadl = VmbChannelMapGpadl,
	.VmbChannelRestoreFromBuffer = VmbChannelRestoreFromBuffer,
	.VmbChannelSaveBegin = VmbChannelSaveBegin,
	.VmbChannelSaveContinue = VmbChannelSaveContinue,
	.VmbChannelSaveEnd = VmbChannelSaveEnd,
	.VmbChannelUnmapGpadl = VmbChannelUnmapGpadl,
	.VmbConvertVmbusHandleToKernelHandle =
		VmbConvertVmbusHandleToKernelHandle,
	.VmbPacketRestore = VmbPacketRestore,
	.VmbServerChannelInitSetFlags = VmbServerChannelInitSetFlags,
	.VmbServerChannelInitSetMmioMegabytes =
		VmbServerChannelInitSetMmioMegabytes,
	.VmbServerChannelInitSetSaveRestorePacketCallbacks =
		VmbServerChannelInitSetSaveRestorePacketCallbacks,
	.VmbServerChannelInitSetTargetInterfaceId =
		VmbServerChannelInitSetTargetInterfaceId,
	.VmbServerChannelInitSetTargetVtl = VmbServerChannelInitSetTargetVtl,
	.VmbServerChannelInitSetVmbusHandle =
		VmbServerChannelInitSetVmbusHandle,
	.VmbServerChannelInitSetSaveRestorePacketCallbacksEx =
		VmbServerChannelInitSetSaveRestorePacketCallbacksEx,
};

/**
 * struct kmcl_form - contents of one version of an interface
 * @type: type of the interface
 * @version: version of the interface
 * @client: bytes at the start of kmcl_interface that the version has
 * @server: bytes at the start of kmcl_server_methods that follow
 */
struct kmcl_form {
	const GUID *type;
	USHORT version;
	USHORT client;
	USHORT server;
};

#define KMCL_CLIENT_FORM(v) {						\
	.type = &KMCL_CLIENT_INTERFACE_TYPE,				\
	.version = KMCL_CLIENT_INTERFACE_VERSION_ ## v,			\
	.client = sizeof(KMCL_CLIENT_INTERFACE_ ## v),			\
}

#define KMCL_SERVER_FORM(v, methods) {					\
	.type = &KMCL_SERVER_INTERFACE_TYPE,				\
	.version = KMCL_SERVER_INTERFACE_VERSION_ ## v,			\
	.client = sizeof(KMCL_CLIENT_INTERFACE_ ## v),			\
	.server = sizeof(methods),					\
}

static const struct kmcl_form kmcl_forms[] = {
	KMCL_CLIENT_FORM(V1),
	KMCL_CLIENT_FORM(V2),
	KMCL_CLIENT_FORM(V3),
	KMCL_CLIENT_FORM(V4),
	KMCL_CLIENT_FORM(V5),
	KMCL_SERVER_FORM(V1, KMCL_SERVER_ONLY_METHODS),
	KMCL_SERVER_FORM(V5, KMCL_SERVER_ONLY_METHODS_V5),
};

/*
 * Return the struct of @type that is @size bytes long, or NULL if no version up to
 * @version has that size. There is one at most, because no two versions of a type
 * have the same size.
 */
static const struct kmcl_form *kmcl_form_of(const GUID *type, USHORT size,
					    USHORT version)
{
	const struct kmcl_form *form = kmcl_forms;

	for (; form < kmcl_forms + ARRAY_SIZE(kmcl_forms); form++)
		if (guid_equal(form->type, type) && form->version <= version &&
		    form->client + form->server == size)
			return form;
	return NULL;
}

/**
 * vmbkmcl_query_interface() - get the API as a struct of function pointers
 * @device: device of the caller, or %NULL; not used
 * @type: KMCL_CLIENT_INTERFACE_TYPE or KMCL_SERVER_INTERFACE_TYPE
 * @interface: structure to fill in: KMCL_CLIENT_INTERFACE_V1,
 *	KMCL_SERVER_INTERFACE_V1 or one of a later version; untouched on failure
 * @size: size of @interface in bytes. It is the size of the structure of
 *	@version or of an earlier version, and decides which version is filled
 *	in.
 * @version: %KMCL_CLIENT_INTERFACE_VERSION_V1 to
 *	%KMCL_CLIENT_INTERFACE_VERSION_LATEST; the same numbers for a server
 *	interface
 * @specific: not used
 *
 * The arguments are in the order of WdfFdoQueryForInterface(). The interface
 * holds a reference of this module. A client that does not use the interface
 * any more must call its InterfaceDereference, and must call its
 * InterfaceReference before it passes on a copy. A server interface has the
 * functions of the client interface and those of vmbkmcl/server.h. A server is
 * offered to the clients in its own kernel, and can not be saved and restored:
 * those functions return %STATUS_NOT_SUPPORTED.
 *
 * Context: any.
 * Return:
 * * %STATUS_SUCCESS - @interface is filled in
 * * %STATUS_INVALID_PARAMETER_2 - @type is %NULL
 * * %STATUS_INVALID_PARAMETER_3 - @interface is %NULL
 * * %STATUS_NOT_SUPPORTED - @type is unknown
 * * %STATUS_REVISION_MISMATCH - @version is unknown
 * * %STATUS_INVALID_BUFFER_SIZE - no structure of @type up to @version has this
 *   size
 *
 * Source: Microsoft's KMCL_CLIENT_INTERFACE_V1, KMCL_SERVER_ONLY_METHODS and
 * WdfFdoQueryForInterface documentation; the statuses and the values of the
 * types are ours.
 */
NTSTATUS vmbkmcl_query_interface(struct device *device, const guid_t *type,
				 PINTERFACE interface, USHORT size,
				 USHORT version, PVOID specific)
{
	const struct kmcl_form *form;

	if (!type)
		return STATUS_INVALID_PARAMETER_2;
	if (!interface)
		return STATUS_INVALID_PARAMETER_3;
	if (!guid_equal(type, &KMCL_CLIENT_INTERFACE_TYPE) &&
	    !guid_equal(type, &KMCL_SERVER_INTERFACE_TYPE))
		return STATUS_NOT_SUPPORTED;
	if (!version || version > KMCL_CLIENT_INTERFACE_VERSION_LATEST)
		return STATUS_REVISION_MISMATCH;
	form = kmcl_form_of(type, size, version);
	if (!form)
		return STATUS_INVALID_BUFFER_SIZE;

	memcpy(interface, &kmcl_interface, form->client);
	memcpy((void *)interface + form->client, &kmcl_server_methods,
	       form->server);
	interface->Size = size;
	interface->Version = form->version;
	interface->InterfaceReference(interface->Context);
	return STATUS_SUCCESS;
}
EXPORT_SYMBOL_GPL(vmbkmcl_query_interface);
