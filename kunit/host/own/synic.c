// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that the host of core/ runs in: QEMU. Messages come in the thread
 * of the guest's processor, and are queued; everything else is done in the main
 * loop.
 */
#include "own.h"

#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/core/cpu.h"
#include "hw/hyperv/hyperv-proto.h"
#include "qapi/error.h"
#include "qemu/event_notifier.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/thread.h"

/* For what is not QEMU, see device.c. */
#pragma weak qemu_mutex_lock_func
#pragma weak qemu_loglevel

/*
 * hw/hyperv/hyperv.h is a header for one target and cannot be included here.
 * These are its functions that QEMU's binary exports.
 */
typedef struct HvSintRoute HvSintRoute;
typedef void (*HvSintMsgCb)(void *data, int status);
typedef uint16_t (*HvMsgHandler)(const struct hyperv_post_message_input *msg, void *data);
bool hyperv_is_synic_enabled(void);
HvSintRoute *hyperv_sint_route_new(uint32_t vp_index, uint32_t sint, HvSintMsgCb cb,
				   void *cb_data);
void hyperv_sint_route_unref(HvSintRoute *route);
int hyperv_sint_route_set_sint(HvSintRoute *route);
int hyperv_post_msg(HvSintRoute *route, struct hyperv_message *msg);
int hyperv_set_event_flag(HvSintRoute *route, unsigned int event);
int hyperv_set_msg_handler(uint32_t conn_id, HvMsgHandler handler, void *data);
int hyperv_set_event_flag_handler(uint32_t conn_id, EventNotifier *notifier);

/* As many as Hyper-V queues; the guest is told to try again then. */
#define MAX_QUEUE	16

#define MAX_VPS		64

/*
 * On an emulated KVM host, one interrupt in some thousands never reaches the
 * guest. So what the guest has not taken for two ticks gets its interrupt again.
 */
#define TICK_MS		10

struct posted {
	uint32_t vp;
	struct hyperv_message msg;
};

/* A channel's way from and to the guest. */
struct line {
	QTAILQ_ENTRY(line) link;
	struct channel *ch;
	EventNotifier notifier;
	bool waits;			/* a signal may not have been taken */
	unsigned int ticks;		/* ... for so many */
	uint32_t vp;			/* that it went to */
};

struct machine_timer {
	QEMUTimer *timer;
	void (*fn)(void *arg);
	void *arg;
};

static struct {
	struct host *host;
	QemuMutex lock;			/* of the queue of messages in */
	GQueue in;			/* struct hyperv_post_message_input */
	GQueue out;			/* struct posted */
	bool in_flight;			/* the first of them is on its way ... */
	bool stale;			/* ... and is not wanted any more */
	QEMUBH *bh;
	uint32_t vp;
	HvSintRoute *routes[MAX_VPS];
	QTAILQ_HEAD(, line) lines;
	QEMUTimer *tick;
	unsigned int message_ticks;
	uint64_t raised_again;

	/* a range of RAM that pages were found in */
	uint64_t ram_start;
	uint64_t ram_end;
	uint8_t *ram;
} synic;

/* --- interrupts --- */

static void delivered(void *opaque, int status);

/*
 * A route is made once: for each new one KVM replaces its whole table of
 * interrupts and waits until nobody uses the old one. It tells only the newest
 * route of a processor that the guest has taken a message, so there is only one
 * for each.
 */
static HvSintRoute *route_to(uint32_t vp)
{
	if (!machine_has_vp(vp))
		return NULL;
	if (!synic.routes[vp])
		synic.routes[vp] = hyperv_sint_route_new(vp, WIRE_SINT, delivered, NULL);
	return synic.routes[vp];
}

bool machine_has_vp(uint32_t vp)
{
	return vp < MAX_VPS && qemu_get_cpu(vp);
}

/*
 * What the guest sees of its SynIC is memory of QEMU's device for it, "msg" or
 * "event".
 */
static void *synic_page(uint32_t vp, const char *which)
{
	CPUState *cpu = qemu_get_cpu(vp);
	g_autofree char *name = g_strdup_printf("synic-%u-%s-page[0]", vp, which);
	Object *obj = cpu ? object_resolve_path_component(OBJECT(cpu), "synic") : NULL;

	obj = obj ? object_resolve_path_component(obj, name) : NULL;
	return obj ? memory_region_get_ram_ptr(MEMORY_REGION(obj)) : NULL;
}

static bool message_waits(void)
{
	struct hyperv_message_page *page = synic_page(synic.vp, "msg");

	return page && qatomic_read(&page->slot[WIRE_SINT].header.message_type) !=
		       HV_MESSAGE_NONE;
}

static bool signal_waits(const struct line *line)
{
	struct hyperv_event_flags_page *page = synic_page(line->vp, "event");

	return page && (qatomic_read(&page->slot[WIRE_SINT].flags[BIT_WORD(line->ch->relid)]) &
			BIT_MASK(line->ch->relid));
}

static void raise_again(uint32_t vp)
{
	HvSintRoute *route = route_to(vp);

	synic.raised_again++;
	if (route)
		hyperv_sint_route_set_sint(route);
}

/*
 * True if something waits now; @ticks counts since when, and @vp is interrupted
 * again.
 */
static bool look(bool waits, unsigned int *ticks, uint32_t vp)
{
	if (!waits) {
		*ticks = 0;
		return false;
	}
	/* after 2, 4, 8, ... */
	if (++*ticks >= 2 && !(*ticks & (*ticks - 1)))
		raise_again(vp);
	return true;
}

static void start_tick(void)
{
	if (!timer_pending(synic.tick))
		timer_mod(synic.tick, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + TICK_MS);
}

static void tick(void *opaque)
{
	bool any = look(message_waits(), &synic.message_ticks, synic.vp);
	struct line *line;

	(void)opaque;
	QTAILQ_FOREACH(line, &synic.lines, link) {
		if (!line->waits)
			continue;
		line->waits = look(signal_waits(line), &line->ticks, line->vp);
		any |= line->waits;
	}
	if (any)
		start_tick();
}

/* --- messages --- */

/* The first message goes, when the one before has been taken; see delivered(). */
static void pump(void)
{
	struct posted *posted = g_queue_peek_head(&synic.out);
	HvSintRoute *route;
	int ret;

	if (!posted || synic.in_flight)
		return;
	route = route_to(posted->vp);
	ret = route ? hyperv_post_msg(route, &posted->msg) : -ENXIO;
	if (!ret) {
		synic.in_flight = true;
		start_tick();
	} else if (ret == -EAGAIN) {
		qemu_bh_schedule(synic.bh);
	} else {
		machine_log("a message for the guest was lost: error %d", ret);
		g_free(g_queue_pop_head(&synic.out));
		qemu_bh_schedule(synic.bh);
	}
}

/* -EAGAIN: the slot was occupied, and is not any more. */
static void delivered(void *opaque, int status)
{
	(void)opaque;
	if (status != -EAGAIN || synic.stale) {
		if (status && !synic.stale)
			machine_log("a message for the guest was lost: error %d", status);
		g_free(g_queue_pop_head(&synic.out));
	}
	synic.in_flight = false;
	synic.stale = false;
	qemu_bh_schedule(synic.bh);
}

void machine_post(struct host *host, const void *msg, uint32_t len)
{
	struct posted *posted = g_new0(struct posted, 1);

	(void)host;
	posted->vp = synic.vp;
	posted->msg.header.message_type = HV_MESSAGE_VMBUS;
	posted->msg.header.payload_size = len;
	memcpy(posted->msg.payload, msg, len);
	g_queue_push_tail(&synic.out, posted);
	pump();
}

unsigned int machine_backlog(void)
{
	return g_queue_get_length(&synic.out);
}

/* The one in flight stays first until it is delivered. */
void machine_disconnect(struct host *host)
{
	(void)host;
	while (g_queue_get_length(&synic.out) > synic.in_flight)
		g_free(g_queue_pop_tail(&synic.out));
	synic.stale = synic.in_flight;
	synic.ram_end = 0;
	if (synic.raised_again)
		machine_log("%" PRIu64 " interrupts were raised again", synic.raised_again);
	synic.raised_again = 0;
}

bool machine_connect(struct host *host, uint32_t vp)
{
	machine_disconnect(host);
	synic.vp = vp;
	return route_to(vp);
}

/* In the thread of the guest's processor, without the big lock. */
static uint16_t receive(const struct hyperv_post_message_input *msg, void *data)
{
	bool full;

	(void)data;
	if (msg->message_type != HV_MESSAGE_VMBUS)
		return HV_STATUS_INVALID_HYPERCALL_INPUT;
	qemu_mutex_lock(&synic.lock);
	full = g_queue_get_length(&synic.in) == MAX_QUEUE;
	if (!full)
		g_queue_push_tail(&synic.in, g_memdup2(msg, sizeof(*msg)));
	qemu_mutex_unlock(&synic.lock);
	qemu_bh_schedule(synic.bh);
	return full ? HV_STATUS_INSUFFICIENT_BUFFERS : HV_STATUS_SUCCESS;
}

bool machine_listen(struct host *host, uint32_t connection)
{
	int ret = hyperv_set_msg_handler(connection, receive, host);

	if (ret)
		machine_log("message connection %#x is not to be had: error %d",
			    connection, ret);
	return !ret;
}

static struct hyperv_post_message_input *next_message(void)
{
	struct hyperv_post_message_input *msg;

	qemu_mutex_lock(&synic.lock);
	msg = g_queue_pop_head(&synic.in);
	qemu_mutex_unlock(&synic.lock);
	return msg;
}

static void handle_messages(void *opaque)
{
	struct hyperv_post_message_input *msg;

	(void)opaque;
	while ((msg = next_message())) {
		host_message(synic.host, msg->connection_id & HV_CONNECTION_ID_MASK,
			     msg->payload, msg->payload_size);
		g_free(msg);
	}
	pump();
}

/* --- signals --- */

void machine_signal(struct channel *ch)
{
	HvSintRoute *route = route_to(ch->target_vp);
	struct line *line = ch->machine;

	if (!route)
		return;
	line->vp = ch->target_vp;
	line->waits = true;
	hyperv_set_event_flag(route, ch->relid);
	start_tick();
}

static void guest_signalled(EventNotifier *notifier)
{
	struct line *line = container_of(notifier, struct line, notifier);

	if (event_notifier_test_and_clear(notifier))
		channel_signalled(line->ch);
}

bool machine_expect_signals(struct channel *ch)
{
	struct line *line = g_new0(struct line, 1);

	line->ch = ch;
	if (event_notifier_init(&line->notifier, false))
		goto free_line;
	if (hyperv_set_event_flag_handler(channel_connection(ch), &line->notifier))
		goto cleanup_notifier;
	event_notifier_set_handler(&line->notifier, guest_signalled);
	QTAILQ_INSERT_TAIL(&synic.lines, line, link);
	ch->machine = line;
	return true;

cleanup_notifier:
	event_notifier_cleanup(&line->notifier);
free_line:
	g_free(line);
	return false;
}

void machine_ignore_signals(struct channel *ch)
{
	struct line *line = ch->machine;

	QTAILQ_REMOVE(&synic.lines, line, link);
	hyperv_set_event_flag_handler(channel_connection(ch), NULL);
	event_notifier_set_handler(&line->notifier, NULL);
	event_notifier_cleanup(&line->notifier);
	g_free(line);
	ch->machine = NULL;
}

/* --- memory --- */

/*
 * RAM from this address on. It mostly is one range, and is not taken away while the
 * guest runs, so it need not be looked for again for each page.
 */
static bool find_ram(uint64_t address)
{
	MemoryRegionSection section;
	bool found;

	if (address >= synic.ram_start && address < synic.ram_end)
		return true;
	section = memory_region_find(get_system_memory(), address, UINT64_MAX - address);
	if (!section.mr)
		return false;
	found = section.offset_within_address_space == address &&
		memory_region_is_ram(section.mr) && !section.readonly;
	if (found) {
		synic.ram_start = address;
		synic.ram_end = address + int128_get64(section.size);
		synic.ram = (uint8_t *)memory_region_get_ram_ptr(section.mr) +
			    section.offset_within_region;
	}
	memory_region_unref(section.mr);
	return found;
}

bool machine_is_ram(uint64_t pfn)
{
	return pfn < UINT64_MAX >> WIRE_PAGE_SHIFT && find_ram(pfn << WIRE_PAGE_SHIFT);
}

void *machine_map(uint64_t pfn)
{
	if (!machine_is_ram(pfn))
		return NULL;
	return synic.ram + ((pfn << WIRE_PAGE_SHIFT) - synic.ram_start);
}

void machine_unmap(void *page)
{
	(void)page;
}

/* --- time, and the log --- */

static void timer_fired(void *opaque)
{
	struct machine_timer *timer = opaque;
	void (*fn)(void *arg) = timer->fn;
	void *arg = timer->arg;

	machine_cancel(timer);
	fn(arg);
}

struct machine_timer *machine_after(uint32_t ms, void (*fn)(void *arg), void *arg)
{
	struct machine_timer *timer = g_new0(struct machine_timer, 1);

	timer->fn = fn;
	timer->arg = arg;
	timer->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, timer_fired, timer);
	timer_mod(timer->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
	return timer;
}

void machine_cancel(struct machine_timer *timer)
{
	timer_free(timer->timer);
	g_free(timer);
}

void machine_log(const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "host: ");
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

void machine_trace(const char *fmt, ...)
{
	g_autofree char *line = NULL;
	va_list args;

	if (!qemu_loglevel_mask(LOG_TRACE))
		return;
	va_start(args, fmt);
	line = g_strdup_vprintf(fmt, args);
	va_end(args);
	qemu_log("%s\n", line);
}

bool synic_init(struct host *host, Error **errp)
{
	if (!hyperv_is_synic_enabled()) {
		error_setg(errp, "the guest's processors have no SynIC");
		return false;
	}
	synic.host = host;
	qemu_mutex_init(&synic.lock);
	g_queue_init(&synic.in);
	g_queue_init(&synic.out);
	QTAILQ_INIT(&synic.lines);
	synic.bh = qemu_bh_new(handle_messages, NULL);
	synic.tick = timer_new_ms(QEMU_CLOCK_REALTIME, tick, NULL);
	return true;
}
