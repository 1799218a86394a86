// SPDX-License-Identifier: GPL-2.0-only
/* The API as a struct of pointers; and the functions that only servers have. */

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include <vmbuskernelmodeclientlibapi.h>

#include "lib/eventually.h"
#include "lib/log.h"
#include "lib/server.h"
#include "suites.h"

#define WAIT	VMBUS_CHANNEL_FORMAT_FLAG_WAIT_FOR_COMPLETION
#define LATEST	KMCL_CLIENT_INTERFACE_VERSION_LATEST
#define PATTERN	0x5e

/* The query */

static NTSTATUS query(void *interface, size_t size, USHORT version)
{
	return vmbkmcl_query_interface(NULL, &KMCL_CLIENT_INTERFACE_TYPE,
				       interface, size, version, NULL);
}

static NTSTATUS server_query(void *interface, size_t size, USHORT version)
{
	return vmbkmcl_query_interface(NULL, &KMCL_SERVER_INTERFACE_TYPE,
				       interface, size, version, NULL);
}

static void let_go(void *interface)
{
	INTERFACE *header = interface;

	header->InterfaceDereference(header->Context);
}

/* One that is given back with the case. */
static void ask(struct kunit *test, void *interface, size_t size,
		USHORT version)
{
	KUNIT_ASSERT_EQ(test, query(interface, size, version), STATUS_SUCCESS);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, let_go,
							interface), 0);
}

static KMCL_CLIENT_INTERFACE_V5 latest;

static void refused(struct kunit *test, NTSTATUS status, NTSTATUS expected)
{
	KUNIT_EXPECT_EQ(test, status, expected);
	KUNIT_EXPECT_NULL(test, memchr_inv(&latest, PATTERN, sizeof(latest)));
}

static void bad_arguments(struct kunit *test)
{
	static const guid_t other = GUID_INIT(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
	guid_t type = KMCL_CLIENT_INTERFACE_TYPE;
	PINTERFACE interface = (PINTERFACE)&latest;
	USHORT size = sizeof(latest);
	unsigned int i;

	memset(&latest, PATTERN, sizeof(latest));
	refused(test,
		vmbkmcl_query_interface(NULL, NULL, interface, size, LATEST,
					NULL),
		STATUS_INVALID_PARAMETER_2);
	refused(test, query(NULL, size, LATEST), STATUS_INVALID_PARAMETER_3);
	refused(test,
		vmbkmcl_query_interface(NULL, &other, interface, size, LATEST,
					NULL),
		STATUS_NOT_SUPPORTED);
	for (i = 0; i < sizeof(type); i++) {
		type.b[i] ^= 1;
		refused(test,
			vmbkmcl_query_interface(NULL, &type, interface, size,
						LATEST, NULL),
			STATUS_NOT_SUPPORTED);
		type.b[i] ^= 1;
	}
	refused(test, query(interface, size, 0), STATUS_REVISION_MISMATCH);
	refused(test, query(interface, size, LATEST + 1),
		STATUS_REVISION_MISMATCH);
	refused(test, query(interface, size, U16_MAX),
		STATUS_REVISION_MISMATCH);
	refused(test, query(interface, 0, LATEST), STATUS_INVALID_BUFFER_SIZE);
	refused(test, query(interface, size + 8, LATEST),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test, query(interface, size - 8, LATEST),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test, query(interface, sizeof(INTERFACE), 1),
		STATUS_INVALID_BUFFER_SIZE);
	/* A later version's struct, of which the earlier one fills a part only. */
	refused(test, query(interface, sizeof(KMCL_CLIENT_INTERFACE_V2), 1),
		STATUS_INVALID_BUFFER_SIZE);

	/* One type's struct is not the other's. */
	refused(test, query(interface, sizeof(KMCL_SERVER_INTERFACE_V1), 1),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test, server_query(interface, size, LATEST),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test, server_query(interface, 360, 1),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test,
		server_query(interface, sizeof(KMCL_SERVER_INTERFACE_V5), 4),
		STATUS_INVALID_BUFFER_SIZE);
	refused(test, server_query(interface, 472, 0),
		STATUS_REVISION_MISMATCH);
	refused(test, server_query(interface, 472, LATEST + 1),
		STATUS_REVISION_MISMATCH);
}

static KMCL_SERVER_INTERFACE_V5 largest;

/* Each pointer there is, and each once; behind them nothing is written. */
static void filled_by(struct kunit *test,
		      NTSTATUS (*ask_for)(void *interface, size_t size,
					  USHORT version),
		      size_t size, USHORT version, USHORT as)
{
	INTERFACE *header = (INTERFACE *)&largest;
	void **pointers = (void **)(header + 1);
	size_t i, j, n = (size - sizeof(*header)) / sizeof(*pointers);

	memset(&largest, PATTERN, sizeof(largest));
	KUNIT_ASSERT_EQ(test, ask_for(header, size, version), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, header->Size, size);
	KUNIT_EXPECT_EQ(test, header->Version, as);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_NOT_NULL(test, pointers[i]);
		for (j = 0; j < i; j++)
			KUNIT_EXPECT_PTR_NE(test, pointers[i], pointers[j]);
	}
	if (size < sizeof(largest))
		KUNIT_EXPECT_NULL(test, memchr_inv((u8 *)&largest + size,
						   PATTERN,
						   sizeof(largest) - size));
	let_go(header);
}

static void filled(struct kunit *test, size_t size, USHORT version, USHORT as)
{
	filled_by(test, query, size, version, as);
}

static void each_version(struct kunit *test)
{
	filled(test, 360, 1, 1);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V1), 1, 1);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V2), 2, 2);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V3), 3, 3);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V4), 4, 4);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V5), 5, 5);
	/* As Microsoft's documentation asks: the first struct of the latest. */
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V1), LATEST, 1);
	filled(test, sizeof(KMCL_CLIENT_INTERFACE_V3), LATEST, 3);
}

static void each_server_version(struct kunit *test)
{
	filled_by(test, server_query, 472, 1, 1);
	filled_by(test, server_query, sizeof(KMCL_SERVER_INTERFACE_V1), 1, 1);
	filled_by(test, server_query, sizeof(KMCL_SERVER_INTERFACE_V5), 5, 5);
	filled_by(test, server_query, sizeof(KMCL_SERVER_INTERFACE_V1), LATEST,
		  1);
}

#define SAME(api, function)	\
	KUNIT_EXPECT_PTR_EQ(test, (api).function, &function)

/*
 * A client that is linked and one that has queried call the same function. Those
 * of the first version are all called, in all_of_them.
 */
static void the_same_functions(struct kunit *test)
{
	ask(test, &latest, sizeof(latest), LATEST);
	SAME(latest, VmbChannelAllocate);
	SAME(latest, VmbPacketSetPointer);
	SAME(latest, VmbChannelPacketGetClientContext);
	SAME(latest, VmbChannelGetTargetDeviceObject);
	SAME(latest, VmbChannelGetParentDeviceObject);
	SAME(latest, VmbChannelInitSetBounceBufferSizes);
	SAME(latest, VmbChannelAllocateBounceBuffer);
	SAME(latest, VmbChannelInitSetMaximumPacketCount);
	SAME(latest, VmbChannelCreateGpadlFromPfnList);
	SAME(latest, VmbChannelInitSetPrimaryChannel);
	SAME(latest, VmbChannelInitialize);
	SAME(latest, VmbChannelSetAllowableDpcCpuUsage);
	SAME(latest, VmbClientChannelInitSetTargetProcessorIndex);
	SAME(latest, VmbSizeofChannel);
	SAME(latest, VmbChannelInitSetInlinePacketContextSize);
	SAME(latest, VmbPacketGetInlinePacketContextPointer);
	SAME(latest, VmbChannelInitSetProcessPacketCallbacksEx);
	SAME(latest, VmbPacketSetCompletionRoutineEx);
}

static void the_same_server_functions(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, server_query(&largest, sizeof(largest), LATEST),
			STATUS_SUCCESS);
	let_go(&largest);
	SAME(largest, VmbChannelAllocate);
	SAME(largest, VmbPacketSetCompletionRoutineEx);
	SAME(largest, VmbChannelMapGpadl);
	SAME(largest, VmbChannelRestoreFromBuffer);
	SAME(largest, VmbChannelSaveBegin);
	SAME(largest, VmbChannelSaveContinue);
	SAME(largest, VmbChannelSaveEnd);
	SAME(largest, VmbChannelUnmapGpadl);
	SAME(largest, VmbConvertVmbusHandleToKernelHandle);
	SAME(largest, VmbPacketRestore);
	SAME(largest, VmbServerChannelInitSetFlags);
	SAME(largest, VmbServerChannelInitSetMmioMegabytes);
	SAME(largest, VmbServerChannelInitSetSaveRestorePacketCallbacks);
	SAME(largest, VmbServerChannelInitSetTargetInterfaceId);
	SAME(largest, VmbServerChannelInitSetTargetVtl);
	SAME(largest, VmbServerChannelInitSetVmbusHandle);
	SAME(largest, VmbServerChannelInitSetSaveRestorePacketCallbacksEx);
}

static void holds_the_module(struct kunit *test)
{
	INTERFACE *header = (INTERFACE *)&latest;
	struct module *library;
	int before;

	KUNIT_ASSERT_EQ(test, query(header, 360, 1), STATUS_SUCCESS);
	library = header->Context;
	KUNIT_EXPECT_STREQ(test, library->name, "vmbkmcl");
	before = module_refcount(library) - 1;

	header->InterfaceReference(header->Context);
	KUNIT_EXPECT_EQ(test, module_refcount(library), before + 2);
	header->InterfaceDereference(header->Context);
	header->InterfaceDereference(header->Context);
	KUNIT_EXPECT_EQ(test, module_refcount(library), before);

	/* A query that fails holds nothing. */
	query(header, 360, 0);
	query(header, 361, 1);
	KUNIT_EXPECT_EQ(test, module_refcount(library), before);
}

/* All 41 of them, through the struct, with the server at the other end. */

/**
 * struct client - a client that calls all functions through the struct
 * @api: the interface
 * @ch: its channel
 * @up: PostStarted was called
 * @log: of the state-change callbacks, one letter each
 * @events: how many
 * @deferred: packets that were deferred
 * @completed: packets it has completed
 * @failed: packets it has failed
 * @batches: calls of ProcessingComplete
 * @gpa_direct: the status of VmbChannelPacketGetExternalData()
 * @done: completion routines called
 * @status: what the last was told
 * @response: the server's response to it
 */
struct client {
	KMCL_CLIENT_INTERFACE_V1 api;
	VMBCHANNEL ch;
	struct completion up;
	char log[16];
	unsigned int events;
	unsigned int deferred;
	unsigned int completed;
	unsigned int failed;
	unsigned int batches;
	NTSTATUS gpa_direct;
	unsigned int done;
	NTSTATUS status;
	struct testdev_response response;
};

static struct client *client;

static void notes(char event)
{
	if (client->events < sizeof(client->log) - 1)
		client->log[client->events++] = event;
}

static NTSTATUS opened(VMBCHANNEL ch)
{
	notes('O');
	return STATUS_SUCCESS;
}

static VOID started(VMBCHANNEL ch)
{
	notes('S');
}

static VOID post_started(VMBCHANNEL ch)
{
	notes('P');
	complete(&client->up);
}

static VOID suspended(VMBCHANNEL ch)
{
	notes('s');
}

static VOID closed(VMBCHANNEL ch)
{
	notes('C');
}

/* The first is deferred, the third is taken for malformed. */
static VOID process_packet(VMBCHANNEL ch, VMBPACKETCOMPLETION packet,
			   PVOID buffer, UINT32 length, UINT32 flags)
{
	PMDL mdl;

	client->gpa_direct = client->api.VmbChannelPacketGetExternalData(packet,
								       0, &mdl);
	if (!client->deferred) {
		client->deferred++;
		client->api.VmbChannelPacketDeferToPassive(packet);
	} else if (client->completed < 2) {
		client->api.VmbChannelPacketComplete(packet, NULL, 0);
		WRITE_ONCE(client->completed, client->completed + 1);
	} else {
		client->api.VmbChannelPacketFail(packet);
		WRITE_ONCE(client->failed, client->failed + 1);
	}
}

static VOID processed(VMBCHANNEL ch, UINT32 count)
{
	client->batches++;
}

static VOID packet_done(VMBPACKET packet, NTSTATUS status, PVOID buffer,
			UINT32 length)
{
	client->status = status;
	if (length >= sizeof(client->response))
		memcpy(&client->response, buffer, sizeof(client->response));
	WRITE_ONCE(client->done, client->done + 1);
}

static void set_up(struct kunit *test)
{
	static WCHAR text[] = L"interface";
	const UNICODE_STRING name = { sizeof(text) - 2, sizeof(text), text };
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;
	VMB_CHANNEL_STATE_CHANGE_CALLBACKS evt;
	guid_t type, instance;

	server_guids(&type, &instance);
	KUNIT_ASSERT_EQ(test, api->VmbChannelAllocate(NULL, FALSE, &client->ch),
			STATUS_SUCCESS);
	api->VmbChannelSetPointer(client->ch, client);
	KUNIT_EXPECT_PTR_EQ(test, api->VmbChannelGetPointer(client->ch),
			    (void *)client);

	VMB_CHANNEL_STATE_CHANGE_CALLBACKS_INIT(&evt);
	evt.EvtChannelOpened = opened;
	evt.EvtChannelStarted = started;
	evt.EvtChannelPostStarted = post_started;
	evt.EvtChannelSuspend = suspended;
	evt.EvtChannelClosed = closed;
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetStateChangeCallbacks(client->ch,
								   &evt),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetProcessPacketCallbacks(client->ch,
								     process_packet,
								     processed),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, api->VmbChannelInitSetFlags(client->ch, 0),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetFriendlyName(client->ch, &name),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetMaximumExternalData(client->ch,
								  64 * 1024, 4),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetMaximumPacketSize(client->ch,
								1024),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelInitSetClientContextSize(client->ch, 16),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbClientChannelInitSetRingBufferPageCount(client->ch,
									8, 8),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test,
			api->VmbClientChannelInitSetTargetPnp(client->ch, &type,
							      &instance, NULL),
			STATUS_SUCCESS);
	api->VmbChannelSetTransactionQuota(client->ch, 8);
	api->VmbChannelSetIncomingProcessingAtPassive(client->ch, FALSE);
	KUNIT_EXPECT_TRUE(test, strstarts(client->ch->name, "interface-"));
	KUNIT_EXPECT_EQ(test, client->ch->delivery.quota, 8);
}

static void comes_up(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;
	guid_t type, instance, got;
	u64 address, size = 1;
	u16 latency = 0;

	KUNIT_ASSERT_EQ(test, api->VmbChannelEnable(client->ch),
			STATUS_SUCCESS);
	KUNIT_ASSERT_NE(test,
			wait_for_completion_timeout(&client->up, 30 * HZ), 0);
	server_guids(&type, &instance);
	api->VmbChannelGetInterfaceInstance(client->ch, &got);
	KUNIT_EXPECT_TRUE(test, guid_equal(&got, &instance));
	api->VmbChannelGetMmioSpace(client->ch, &address, &size);
	KUNIT_EXPECT_EQ(test, size, 0);
	KUNIT_EXPECT_EQ(test,
			api->VmbChannelSetInterruptLatency(client->ch, 0,
							   &latency),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, latency, 1000);
}

/* What the server knows of a GPADL: bytes, or -1. */
static s64 server_has(struct kunit *test, u32 handle)
{
	struct testdev_request request = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_GPADL_LENGTH,
		.handle = handle,
	};
	LARGE_INTEGER timeout = { .QuadPart = -300000000 };
	struct testdev_response response;
	u32 size = sizeof(response);

	KUNIT_ASSERT_EQ(test,
			client->api.VmbChannelSendSynchronousRequest(client->ch,
								     &request,
								     sizeof(request),
								     NULL, WAIT,
								     &response,
								     &size,
								     &timeout),
			STATUS_SUCCESS);
	return response.status == TESTDEV_OK ? (s64)response.value : -1;
}

static void shares_memory(struct kunit *test, void *memory, PMDL mdl)
{
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;
	u32 handle;

	KUNIT_ASSERT_EQ(test,
			api->VmbChannelCreateGpadlFromBuffer(client->ch, 0,
							     memory,
							     2 * PAGE_SIZE,
							     &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_has(test, handle), 2 * PAGE_SIZE);
	api->VmbChannelDeleteGpadl(client->ch, handle);
	KUNIT_EXPECT_EQ(test, server_has(test, handle), -1);

	KUNIT_ASSERT_EQ(test,
			api->VmbChannelCreateGpadlFromMdl(client->ch, 0, mdl, 0,
							  PAGE_SIZE, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, server_has(test, handle), PAGE_SIZE);
	api->VmbChannelDeleteGpadl(client->ch, handle);
}

static void is_done(struct kunit *test, NTSTATUS status, u64 value)
{
	KUNIT_ASSERT_EQ(test, status, STATUS_SUCCESS);
	ASSERT_EVENTUALLY(test, READ_ONCE(client->done));
	KUNIT_EXPECT_EQ(test, client->done, 1);
	KUNIT_EXPECT_EQ(test, client->status, STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, client->response.status, TESTDEV_OK);
	KUNIT_EXPECT_EQ(test, client->response.value, value);
	client->done = 0;
}

static void sends(struct kunit *test, VMBPACKET packet, void *memory, PMDL mdl)
{
	struct testdev_request fill = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_GPA_DIRECT_FILL,
		.seed = 41,
	};
	struct testdev_request echo = {
		.magic = TESTDEV_MAGIC, .op = TESTDEV_ECHO,
	};
	PFN_NUMBER pfn = vmalloc_to_pfn(memory);
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;
	u8 *bytes = memory;

	api->VmbPacketSetCompletionRoutine(packet, packet_done);
	api->VmbPacketSetPointer(packet, client);
	KUNIT_EXPECT_PTR_EQ(test, api->VmbPacketGetPointer(packet),
			    (void *)client);
	KUNIT_EXPECT_PTR_EQ(test, api->VmbPacketGetChannel(packet), client->ch);
	is_done(test,
		api->VmbPacketSend(packet, &echo, sizeof(echo), NULL, WAIT), 0);
	is_done(test,
		api->VmbPacketSendWithExternalPfns(packet, &fill, sizeof(fill),
						   &pfn, 1, WAIT), 4096);
	KUNIT_EXPECT_EQ(test, bytes[4095], testdev_pattern(41, 4095));
	fill.seed++;
	is_done(test,
		api->VmbPacketSendWithExternalMdl(packet, &fill, sizeof(fill),
						  mdl, 100, 5000, WAIT), 5000);
	KUNIT_EXPECT_EQ(test, bytes[99], testdev_pattern(41, 99));
	KUNIT_EXPECT_EQ(test, bytes[100], testdev_pattern(42, 0));
	KUNIT_EXPECT_EQ(test, bytes[5099], testdev_pattern(42, 4999));
}

static void sends_packets(struct kunit *test, void *memory, PMDL mdl)
{
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;
	u32 size = api->VmbChannelSizeofPacket(client->ch);
	VMBPACKET packet = api->VmbPacketAllocate(client->ch);
	VMBPACKET own = kunit_kmalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, packet);
	sends(test, packet, memory, mdl);
	api->VmbPacketFree(packet);

	KUNIT_ASSERT_NOT_NULL(test, own);
	KUNIT_ASSERT_EQ(test, api->VmbPacketInitialize(client->ch, own, size),
			STATUS_SUCCESS);
	sends(test, own, memory, mdl);
}

static void receives_packets(struct kunit *test)
{
	struct testdev_request push = {
		.op = TESTDEV_PUSH, .length = 3, .offset = 64,
		.handle = TESTDEV_PUSH_COMPLETE,
	};
	struct testdev_response response;
	struct server srv = { .ch = client->ch };

	KUNIT_ASSERT_EQ(test,
			server_call(&srv, &push, NULL, &response, NULL, 0),
			STATUS_SUCCESS);
	EXPECT_EVENTUALLY(test, READ_ONCE(client->failed) == 1);
	KUNIT_EXPECT_EQ(test, client->deferred, 1);
	KUNIT_EXPECT_EQ(test, client->completed, 2);
	KUNIT_EXPECT_GT(test, client->batches, 0);
	KUNIT_EXPECT_EQ(test, client->gpa_direct, STATUS_INVALID_DEVICE_REQUEST);
}

static void goes_down(struct kunit *test)
{
	KMCL_CLIENT_INTERFACE_V1 *api = &client->api;

	api->VmbChannelPause(client->ch);
	KUNIT_EXPECT_STREQ(test, client->log, "OSPs");
	api->VmbChannelStart(client->ch);
	KUNIT_EXPECT_STREQ(test, client->log, "OSPsSP");
	api->VmbChannelDisable(client->ch);
	KUNIT_EXPECT_STREQ(test, client->log, "OSPsSPsC");
}

static void clean_up(void *unused)
{
	client->api.VmbChannelDisable(client->ch);
	client->api.VmbChannelCleanup(client->ch);
}

static void free_mdl(void *mdl)
{
	IoFreeMdl(mdl);
}

static void free_memory(void *memory)
{
	vfree(memory);
}

static void all_of_them(struct kunit *test)
{
	void *memory = vzalloc(2 * PAGE_SIZE);
	PMDL mdl;

	KUNIT_ASSERT_NOT_NULL(test, memory);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_memory,
							memory), 0);
	mdl = IoAllocateMdl(memory, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, free_mdl, mdl),
			0);
	MmBuildMdlForNonPagedPool(mdl);

	client = kunit_kzalloc(test, sizeof(*client), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, client);
	init_completion(&client->up);
	ask(test, &client->api, sizeof(client->api),
	    KMCL_CLIENT_INTERFACE_VERSION_V1);
	set_up(test);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, clean_up, NULL),
			0);
	comes_up(test);
	shares_memory(test, memory, mdl);
	sends_packets(test, memory, mdl);
	receives_packets(test);
	goes_down(test);
}

/* What only servers have */

static EVT_VMB_CHANNEL_SAVE_PACKET save_packet;
static EVT_VMB_CHANNEL_RESTORE_PACKET restore_packet;

/* As a server writes them. */
_Use_decl_annotations_
static NTSTATUS save_packet(_In_ VMBCHANNEL ch, _In_ VMBPACKET packet,
			    _Out_writes_bytes_to_opt_(size, *needed) PVOID buf,
			    _In_ UINT32 size, _Out_ PUINT32 needed)
{
	WARN_ON(1);
	return STATUS_BUFFER_TOO_SMALL;
}

_Use_decl_annotations_
static NTSTATUS restore_packet(_In_ VMBCHANNEL ch,
			       _In_reads_bytes_(lib_size) PVOID lib_buf,
			       _In_range_(1, 65536) UINT32 lib_size,
			       _In_reads_bytes_opt_(size) PVOID buf,
			       _In_ UINT32 size)
{
	WARN_ON(1);
	return STATUS_SUCCESS;
}

/* Functions of servers that are not supported, whatever the endpoint is. */
static void not_supported_for_servers(struct kunit *test)
{
	VMBPACKET packet;
	ULONG filled = 1, required = 2;
	HANDLE handle = test;
	VMBCHANNEL ch;
	u8 buffer[8];

	KUNIT_ASSERT_EQ(test, VmbChannelAllocate(NULL, TRUE, &ch),
			STATUS_SUCCESS);
	packet = VmbPacketAllocate(ch);
	log_record(test);

	KUNIT_EXPECT_EQ(test, VmbChannelSaveBegin(ch), STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbChannelSaveContinue(ch, buffer, sizeof(buffer),
					       &filled, &required),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, filled, 1);
	KUNIT_EXPECT_EQ(test, required, 2);
	VmbChannelSaveEnd(ch);
	is_logged(test, "VmbChannelSaveEnd: channels can not be saved");
	KUNIT_EXPECT_EQ(test,
			VmbChannelRestoreFromBuffer(ch, buffer, sizeof(buffer)),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, VmbPacketRestore(packet, buffer, sizeof(buffer)),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbConvertVmbusHandleToKernelHandle(handle, &handle),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_PTR_EQ(test, handle, (HANDLE)test);
	KUNIT_EXPECT_EQ(test,
			VmbServerChannelInitSetSaveRestorePacketCallbacks(ch,
									  save_packet,
									  restore_packet),
			STATUS_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test,
			VmbServerChannelInitSetSaveRestorePacketCallbacksEx(ch,
									    NULL,
									    NULL,
									    NULL),
			STATUS_NOT_SUPPORTED);

	VmbPacketFree(packet);
	VmbChannelCleanup(ch);
}

static struct kunit_case interface_cases[] = {
	KUNIT_CASE(bad_arguments),
	KUNIT_CASE(each_version),
	KUNIT_CASE(each_server_version),
	KUNIT_CASE(the_same_functions),
	KUNIT_CASE(the_same_server_functions),
	KUNIT_CASE(holds_the_module),
	KUNIT_CASE(not_supported_for_servers),
	{}
};

struct kunit_suite vmbkmcl_interface_suite = {
	.name = "vmbkmcl_interface",
	.test_cases = interface_cases,
};

/* Cases that need a server at the other end */
static struct kunit_case interface_server_cases[] = {
	KUNIT_CASE(all_of_them),
	{}
};

struct kunit_suite vmbkmcl_interface_server_suite = {
	.name = "vmbkmcl_interface_server",
	.test_cases = interface_server_cases,
};
EXPORT_TO_TESTS(vmbkmcl_interface_server_suite);
