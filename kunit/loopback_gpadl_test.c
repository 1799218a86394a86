// SPDX-License-Identifier: GPL-2.0-only
/* GPADLs of a client that a server in the same kernel maps. */

#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/slab.h>

#include "lib/failing.h"
#include "lib/log.h"
#include "lib/loopback.h"
#include "lib/mdls.h"
#include "lib/user_memory.h"
#include "suites.h"

#define BYTES		(8 * PAGE_SIZE)
#define READ_ONLY	VMBUS_CHANNEL_GPADL_FLAG_READ_ONLY

/* A client and a server that are connected */
struct ends {
	struct client *client;
	struct client *server;
};

static struct ends get_ends(struct kunit *test)
{
	struct ends ends = { loopback_client(test), loopback_server(test) };

	connect_both(test, ends.client, ends.server);
	return ends;
}

static u32 share(struct kunit *test, struct client *client, u32 flags, void *va)
{
	u32 handle = 0;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromBuffer(client->ch, flags, va,
							BYTES, &handle),
			STATUS_SUCCESS);
	KUNIT_EXPECT_NE(test, handle, 0);
	return handle;
}

static PMDL map(struct kunit *test, struct client *server, u32 flags, u32 handle)
{
	PMDL mdl = NULL;

	KUNIT_ASSERT_EQ(test,
			VmbChannelMapGpadl(server->ch, flags, handle, &mdl),
			STATUS_SUCCESS);
	KUNIT_ASSERT_NOT_NULL(test, mdl);
	return mdl;
}

/* The server reads what the client wrote, and writes what the client then reads. */
static void server_shares(struct kunit *test, const struct ends *ends,
			  u32 handle, void *va)
{
	PMDL mdl = map(test, ends->server, 0, handle);
	void *seen;

	fill_pattern(va, BYTES, 1, 0);
	KUNIT_EXPECT_EQ(test, MmGetMdlByteCount(mdl), BYTES);
	seen = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_TRUE(test, has_pattern(seen, BYTES, 1, 0));
	fill_pattern(seen, BYTES, 2, 0);
	KUNIT_EXPECT_TRUE(test, has_pattern(va, BYTES, 2, 0));
	VmbChannelUnmapGpadl(ends->server->ch, handle);
}

static void memory_of_the_kernel(struct kunit *test)
{
	struct ends ends = get_ends(test);
	void *va[] = {
		get_vmalloc(test, BYTES),
		kunit_kmalloc(test, BYTES, GFP_KERNEL),
	};
	unsigned int i;
	u32 handle;

	for (i = 0; i < ARRAY_SIZE(va); i++) {
		KUNIT_ASSERT_NOT_NULL(test, va[i]);
		handle = share(test, ends.client, 0, va[i]);
		server_shares(test, &ends, handle, va[i]);
		/* Mapped again, after the unmap */
		server_shares(test, &ends, handle, va[i]);
		VmbChannelDeleteGpadl(ends.client->ch, handle);
	}
}

static void memory_of_mdls(struct kunit *test)
{
	struct ends ends = get_ends(test);
	void *va = get_vmalloc(test, BYTES);
	PMDL mdl = kernel_mdl(test, va, BYTES);
	u32 handle;

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromMdl(ends.client->ch, 0, mdl, 0,
						     0, &handle),
			STATUS_SUCCESS);
	server_shares(test, &ends, handle, va);
	VmbChannelDeleteGpadl(ends.client->ch, handle);

	KUNIT_ASSERT_EQ(test,
			VmbChannelCreateGpadlFromPfnList(ends.client->ch, 0,
							 MmGetMdlPfnArray(mdl),
							 BYTES / MDL_PAGE_SIZE,
							 &handle),
			STATUS_SUCCESS);
	server_shares(test, &ends, handle, va);
	VmbChannelDeleteGpadl(ends.client->ch, handle);
}

static void memory_of_a_process(struct kunit *test)
{
	struct ends ends = get_ends(test);
	unsigned long addr;
	void *seen;
	u32 handle;
	PMDL mdl;

	user_memory_use(test);
	addr = user_memory_map(test, NULL, BYTES, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS);
	user_memory_write_pattern(test, addr, BYTES, 3);
	handle = share(test, ends.client, 0, (void *)addr);
	mdl = map(test, ends.server, 0, handle);
	seen = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_TRUE(test, has_pattern(seen, BYTES, 3, 0));
	fill_pattern(seen, BYTES, 4, 0);
	KUNIT_EXPECT_TRUE(test, user_memory_has_pattern(addr, BYTES, 4));
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	VmbChannelDeleteGpadl(ends.client->ch, handle);
}

static void statuses(struct kunit *test)
{
	struct ends ends = get_ends(test);
	VMBCHANNEL server = ends.server->ch;
	void *va = get_vmalloc(test, BYTES);
	u32 handle = share(test, ends.client, 0, va);
	PMDL mdl = (PMDL)test;

	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(NULL, 0, handle, &mdl),
			STATUS_INVALID_PARAMETER_1);
	KUNIT_EXPECT_EQ(test,
			VmbChannelMapGpadl(ends.client->ch, 0, handle, &mdl),
			STATUS_INVALID_DEVICE_REQUEST);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(server, 2, handle, &mdl),
			STATUS_INVALID_PARAMETER_2);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(server, 0, 0, &mdl),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(server, 0, handle + 1, &mdl),
			STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(server, 0, handle, NULL),
			STATUS_INVALID_PARAMETER_4);
	KUNIT_EXPECT_PTR_EQ(test, mdl, (PMDL)test);

	log_record(test);
	VmbChannelUnmapGpadl(NULL, handle);
	VmbChannelUnmapGpadl(ends.client->ch, handle);
	is_logged(test, "unmap of a GPADL by a client refused");
	VmbChannelUnmapGpadl(server, handle);
	is_logged(test, "is not mapped");

	VmbChannelDeleteGpadl(ends.client->ch, handle);
	KUNIT_EXPECT_EQ(test, VmbChannelMapGpadl(server, 0, handle, &mdl),
			STATUS_INVALID_PARAMETER_3);
}

/* Guarantee 2: one mapping at a time, whatever it is for. */
static void mapped_twice(struct kunit *test)
{
	struct ends ends = get_ends(test);
	u32 handle = share(test, ends.client, 0, get_vmalloc(test, BYTES));
	PMDL mdl, second = NULL;

	mdl = map(test, ends.server, 0, handle);
	KUNIT_EXPECT_EQ(test,
			VmbChannelMapGpadl(ends.server->ch, 0, handle, &second),
			STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_EQ(test,
			VmbChannelMapGpadl(ends.server->ch, READ_ONLY, handle,
					   &second),
			STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_NULL(test, second);
	KUNIT_EXPECT_TRUE(test, mdl->MdlFlags & MDL_WRITE_OPERATION);
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	map(test, ends.server, READ_ONLY, handle);
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	VmbChannelDeleteGpadl(ends.client->ch, handle);
}

static void no_memory_for_the_mdl(struct kunit *test)
{
	struct ends ends = get_ends(test);
	u32 handle = share(test, ends.client, 0, get_vmalloc(test, BYTES));
	unsigned int nth, failures = 0;
	PMDL mdl = NULL;
	NTSTATUS status;

	for (nth = 1; !mdl && nth < MOST_ALLOCATIONS; nth++) {
		fail_nth(nth);
		status = VmbChannelMapGpadl(ends.server->ch, 0, handle, &mdl);
		fail_nth(0);
		if (mdl)
			break;
		KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		failures++;
	}
	KUNIT_EXPECT_NOT_NULL(test, mdl);
	KUNIT_EXPECT_GT(test, failures, 0);
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	VmbChannelDeleteGpadl(ends.client->ch, handle);
}

#ifdef CONFIG_X86
static bool is_writable(void *va)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)va, &level);

	return pte && pte_write(*pte);
}
#else
#define is_writable(va)	((void)(va), false)
#endif

/* Guarantee 2: a read-only GPADL can not be mapped for writing. */
static void read_only(struct kunit *test)
{
	struct ends ends = get_ends(test);
	void *va = get_vmalloc(test, BYTES), *seen;
	u32 handle = share(test, ends.client, READ_ONLY, va);
	PMDL mdl = NULL;

	fill_pattern(va, BYTES, 1, 0);
	KUNIT_EXPECT_EQ(test,
			VmbChannelMapGpadl(ends.server->ch, 0, handle, &mdl),
			STATUS_ACCESS_DENIED);
	KUNIT_EXPECT_NULL(test, mdl);
	mdl = map(test, ends.server, READ_ONLY, handle);
	seen = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
	KUNIT_ASSERT_NOT_NULL(test, seen);
	KUNIT_EXPECT_TRUE(test, has_pattern(seen, BYTES, 1, 0));
	KUNIT_EXPECT_FALSE(test, is_writable(seen));
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	VmbChannelDeleteGpadl(ends.client->ch, handle);
}

/* A job that deletes a GPADL */
struct delete {
	VMBCHANNEL ch;
	u32 handle;
};

static void do_delete(void *arg)
{
	struct delete *delete = arg;

	VmbChannelDeleteGpadl(delete->ch, delete->handle);
}

/* Guarantee 1: after the delete the server has nothing mapped, and can not map. */
static void delete_waits(struct kunit *test)
{
	struct ends ends = get_ends(test);
	u32 handle = share(test, ends.client, 0, get_vmalloc(test, BYTES));
	struct delete delete = { ends.client->ch, handle };
	struct job *job;
	PMDL mdl;

	mdl = map(test, ends.server, 0, handle);
	job = job_start(test, do_delete, &delete);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	/* The mapping is good until it is given back. */
	KUNIT_EXPECT_NOT_NULL(test,
			      MmGetSystemAddressForMdlSafe(mdl,
							   NormalPagePriority));
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	job_join(test, job);
}

/* A delete that waits keeps the server from mapping the GPADL once more. */
static void delete_comes_first(struct kunit *test)
{
	struct ends ends = get_ends(test);
	u32 handle = share(test, ends.client, 0, get_vmalloc(test, BYTES));
	struct delete delete = { ends.client->ch, handle };
	NTSTATUS status = STATUS_DEVICE_BUSY;
	struct job *job;
	PMDL mdl;

	map(test, ends.server, 0, handle);
	job = job_start(test, do_delete, &delete);
	/* Once the delete has begun, this is not "mapped already" any more. */
	EXPECT_EVENTUALLY(test,
			  (status = VmbChannelMapGpadl(ends.server->ch, 0,
						       handle, &mdl)) !=
			  STATUS_DEVICE_BUSY);
	KUNIT_EXPECT_EQ(test, status, STATUS_INVALID_PARAMETER_3);
	KUNIT_EXPECT_FALSE(test, job_done(job));
	VmbChannelUnmapGpadl(ends.server->ch, handle);
	job_join(test, job);
}

/* The GPADL of another server's client is unknown. */
static void somebody_elses(struct kunit *test)
{
	static const guid_t instance = GUID_INIT(0x100bac09, 1, 2, 3, 4, 5, 6,
						 7, 8, 9, 10);
	struct ends ends = get_ends(test);
	struct client *server = client_alloc(test);
	struct client *client = client_alloc(test);
	u32 handle;
	PMDL mdl;

	client_set_up_server(test, server, get_server(test), &loopback_type,
			     &instance);
	client_set_up(test, client, get_channel(test), &loopback_type,
		      &instance);
	connect_both(test, client, server);
	handle = share(test, client, 0, get_vmalloc(test, BYTES));
	KUNIT_EXPECT_EQ(test,
			VmbChannelMapGpadl(ends.server->ch, 0, handle, &mdl),
			STATUS_INVALID_PARAMETER_3);
	map(test, server, 0, handle);
	VmbChannelUnmapGpadl(server->ch, handle);
	VmbChannelDeleteGpadl(client->ch, handle);
}

static void try_to_map(struct client *server)
{
	PMDL mdl;

	server->seen = VmbChannelMapGpadl(server->ch, 0, 1, &mdl);
}

/* From EvtChannelOpened on, and not in EvtChannelClosed. */
static void only_while_open(struct kunit *test)
{
	struct client *server = loopback_server(test);
	struct client *client = loopback_client(test);

	server->hook = try_to_map;
	try_to_map(server);
	KUNIT_EXPECT_EQ(test, server->seen, STATUS_INVALID_DEVICE_STATE);
	offer(test, server);
	try_to_map(server);
	KUNIT_EXPECT_EQ(test, server->seen, STATUS_INVALID_DEVICE_STATE);
	server->at = "Opened";
	bring_up(test, client);
	KUNIT_EXPECT_EQ(test, server->seen, STATUS_INVALID_PARAMETER_3);
	server->at = "Closed";
	VmbChannelDisable(client->ch);
	KUNIT_EXPECT_EQ(test, server->seen, STATUS_INVALID_DEVICE_STATE);
}

/* What a server leaves mapped is given back before the client's close returns. */
static void left_mapped(struct kunit *test)
{
	struct ends ends = get_ends(test);
	void *va = get_vmalloc(test, BYTES);
	struct page *page = vmalloc_to_page(va);
	int refs = page_ref_count(page);
	u32 handle = share(test, ends.client, 0, va);

	log_record(test);
	MmGetSystemAddressForMdlSafe(map(test, ends.server, 0, handle),
				     NormalPagePriority);
	VmbChannelDisable(ends.client->ch);
	is_logged(test, "left mapped by the server, unmapped for it");
	is_logged(test, "left by the client, deleted for it");
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
	KUNIT_EXPECT_TRUE(test, list_empty(&ends.server->ch->mappings));
}

static void left_mapped_by_a_server_that_leaves(struct kunit *test)
{
	struct ends ends = get_ends(test);
	void *va = get_vmalloc(test, BYTES);
	struct page *page = vmalloc_to_page(va);
	int refs = page_ref_count(page);
	u32 handle = share(test, ends.client, 0, va);

	map(test, ends.server, 0, handle);
	VmbChannelDisable(ends.server->ch);
	becomes(test, ends.client->ch, KMCL_DISABLED);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), refs);
}

static u32 unmapped;

static void unmap_it(struct client *server)
{
	VmbChannelUnmapGpadl(server->ch, unmapped);
}

static void unmapped_in_closed(struct kunit *test)
{
	struct ends ends = get_ends(test);

	unmapped = share(test, ends.client, 0, get_vmalloc(test, BYTES));
	map(test, ends.server, 0, unmapped);
	ends.server->hook = unmap_it;
	ends.server->at = "Closed";
	log_record(test);
	VmbChannelDisable(ends.client->ch);
	is_logged(test, "left by the client, deleted for it");
	KUNIT_EXPECT_FALSE(test, log_has("left mapped by the server"));
}

/**
 * struct mapper - a job that maps and unmaps until it is told to end
 * @ends: the channel
 * @handle: GPADL to map
 * @touches: write to the mapping, which a server may do until EvtChannelClosed
 * @stop: end
 * @mapped: number of times that it has mapped the GPADL
 */
struct mapper {
	struct ends ends;
	u32 handle;
	bool touches;
	bool stop;
	unsigned int mapped;
};

static void do_map(void *arg)
{
	struct mapper *mapper = arg;
	VMBCHANNEL server = mapper->ends.server->ch;
	u8 *va;
	PMDL mdl;

	while (!READ_ONCE(mapper->stop)) {
		u32 handle = READ_ONCE(mapper->handle);

		cond_resched();
		if (VmbChannelMapGpadl(server, 0, handle, &mdl))
			continue;
		if (mapper->touches) {
			va = MmGetSystemAddressForMdlSafe(mdl,
							  NormalPagePriority);
			*va = 1;
		}
		mapper->mapped++;
		VmbChannelUnmapGpadl(server, handle);
	}
}

static void map_while(struct kunit *test, struct mapper *mapper,
		      unsigned int rounds,
		      void (*round)(struct kunit *test, struct mapper *mapper))
{
	struct job *job;
	unsigned int i;

	mapper->ends = get_ends(test);
	job = job_start(test, do_map, mapper);
	for (i = 0; i < rounds; i++)
		round(test, mapper);
	WRITE_ONCE(mapper->stop, true);
	job_join(test, job);
	KUNIT_EXPECT_GT(test, mapper->mapped, 0);
}

static void create_and_delete(struct kunit *test, struct mapper *mapper)
{
	u32 handle = share(test, mapper->ends.client, 0, test->priv);

	WRITE_ONCE(mapper->handle, handle);
	usleep_range(20, 200);
	VmbChannelDeleteGpadl(mapper->ends.client->ch, handle);
}

static void maps_race_with_deletes(struct kunit *test)
{
	struct mapper mapper = { .touches = true };

	test->priv = get_vmalloc(test, BYTES);
	map_while(test, &mapper, 200, create_and_delete);
}

static void create_and_close(struct kunit *test, struct mapper *mapper)
{
	struct client *client = mapper->ends.client;

	WRITE_ONCE(mapper->handle, share(test, client, 0, test->priv));
	usleep_range(20, 200);
	VmbChannelDisable(client->ch);
	bring_up(test, client);
}

static void maps_race_with_closes(struct kunit *test)
{
	struct mapper mapper = {};

	test->priv = get_vmalloc(test, BYTES);
	map_while(test, &mapper, 40, create_and_close);
}

static struct kunit_case loopback_gpadl_cases[] = {
	KUNIT_CASE(memory_of_the_kernel),
	KUNIT_CASE(memory_of_mdls),
	KUNIT_CASE(memory_of_a_process),
	KUNIT_CASE(statuses),
	KUNIT_CASE(mapped_twice),
	KUNIT_CASE(no_memory_for_the_mdl),
	KUNIT_CASE(read_only),
	KUNIT_CASE(delete_waits),
	KUNIT_CASE(delete_comes_first),
	KUNIT_CASE(somebody_elses),
	KUNIT_CASE(only_while_open),
	KUNIT_CASE(left_mapped),
	KUNIT_CASE(left_mapped_by_a_server_that_leaves),
	KUNIT_CASE(unmapped_in_closed),
	KUNIT_CASE_SLOW(maps_race_with_deletes),
	KUNIT_CASE_SLOW(maps_race_with_closes),
	{}
};

struct kunit_suite vmbkmcl_loopback_gpadl_suite = {
	.name = "vmbkmcl_loopback_gpadl",
	.suite_init = user_memory_suite_init,
	.suite_exit = user_memory_suite_exit,
	.test_cases = loopback_gpadl_cases,
};
