/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VMBus host: what its files share, and what it needs of the machine it runs in.
 * Nothing here knows of QEMU, so test/ can run it in a plain program.
 */
#ifndef _OWN_HOST_H
#define _OWN_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "wire.h"

struct host;
struct channel;

/* --- machine: implemented by ../synic.c for QEMU, and by test/machine.c --- */

struct machine_timer;

/* Put the message in the queue to the processor that the guest chose. */
void machine_post(struct host *host, const void *msg, uint32_t len);
/* How many of them the guest has not taken. */
unsigned int machine_backlog(void);
/* Drop what is queued, and post to that processor from here on. */
bool machine_connect(struct host *host, uint32_t vp);
void machine_disconnect(struct host *host);
/* Also receive what is posted to that connection. */
bool machine_listen(struct host *host, uint32_t connection);
bool machine_has_vp(uint32_t vp);
/* Interrupt the guest for the channel; the bit that says so is its relid. */
void machine_signal(struct channel *ch);
/* The guest signals that connection for the channel: call channel_signalled(). */
bool machine_expect_signals(struct channel *ch);
void machine_ignore_signals(struct channel *ch);
/* A page of the guest's RAM, or NULL. */
void *machine_map(uint64_t pfn);
void machine_unmap(void *page);
bool machine_is_ram(uint64_t pfn);
/* Call @fn once, @ms from now; not any more after a cancel. */
struct machine_timer *machine_after(uint32_t ms, void (*fn)(void *arg), void *arg);
void machine_cancel(struct machine_timer *timer);
void machine_log(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A line of the trace that QEMU's own VMBus would write. */
void machine_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- judge.c --- */

/*
 * What no guest may do. The checks are made on every message and packet. A
 * violation is logged, and run-guest.sh fails the run for it, except for as many
 * as a test announced by judge_expect().
 */
#define judge(host, good, ...) ((good) || (judge_violation(host, __VA_ARGS__), false))

void judge_violation(struct host *host, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void judge_expect(struct host *host, uint64_t violations);

/* --- gpadl.c --- */

enum gpadl_state {
	GPADL_COMING,			/* bodies are missing */
	GPADL_READY,
	GPADL_LEAVING,			/* TORNDOWN is to be sent, or held back */
};

struct gpadl {
	TAILQ_ENTRY(gpadl) link;
	uint32_t relid;
	uint32_t id;
	enum gpadl_state state;
	bool scribble;			/* until it is torn down */
	bool judged;			/* as one that the host writes to */
	uint32_t bytes;
	uint32_t nr;
	uint32_t seen;
	uint64_t pfn[];
};

/* The GPADL, if the host may use its memory now. */
struct gpadl *gpadl_find(struct host *host, uint32_t relid, uint32_t id);
unsigned int gpadl_count(struct host *host, uint32_t relid);
void gpadl_header(struct host *host, const void *msg, uint32_t len);
void gpadl_body(struct host *host, const void *msg, uint32_t len);
void gpadl_teardown(struct host *host, const void *msg, uint32_t len);
/* The channel is gone, and no message tells so; UINT32_MAX: of all channels. */
void gpadl_forget(struct host *host, uint32_t relid);
/* The host is about to write to it: no page may be in it twice. */
void gpadl_judge_writable(struct host *host, struct gpadl *gpadl);
/* TORNDOWN is posted now: the memory is the guest's again. */
void gpadl_torndown(struct host *host, uint32_t relid, uint32_t id);
/* Write over its memory again and again, last when TORNDOWN is posted. */
void gpadl_scribble_on(struct host *host, struct gpadl *gpadl);

/* --- ring.c --- */

struct ring {
	uint8_t **page;			/* the first is the header's; NULL: not mapped */
	uint32_t len;			/* bytes of data */
	uint32_t at;			/* of the reader: what was read up to */
};

struct packet {
	uint16_t type;
	bool asks;			/* for a completion */
	bool refused;			/* it cannot be understood */
	uint64_t id;
	const uint8_t *descriptor;	/* between the header and the payload */
	uint32_t descriptor_len;
	const uint8_t *payload;
	uint32_t len;
};

enum ring_status { RING_OK, RING_EMPTY, RING_FULL, RING_BROKEN };

bool ring_map(struct ring *ring, const uint64_t *pfn, uint32_t pages);
void ring_unmap(struct ring *ring);

/* Tell the guest that it gets the signals for room that it asks for. */
void ring_promise(struct ring *ring);

/*
 * The ring from the guest. A pass reads packets, and gives the room back at its
 * end.
 */
bool ring_has_data(struct ring *ring);
void ring_read_begin(struct ring *ring);
enum ring_status ring_read(struct channel *ch, struct packet *packet);
/* Returns true if packets came that nobody will be signalled for. */
bool ring_read_end(struct channel *ch);

/* The ring to the guest. */
enum ring_status ring_write(struct channel *ch, uint16_t type, bool asks, uint64_t id,
			    const void *descriptor, uint32_t descriptor_len,
			    const void *payload, uint32_t len);
/* The header as it is, and all that belongs to its length. The caller signals. */
enum ring_status ring_write_raw(struct channel *ch, const struct wire_packet *packet,
				const void *body);
uint32_t ring_room(struct ring *ring);

/* --- gpa_direct.c --- */

/*
 * Calls @piece for each part of the packet's external data; false: it is
 * malformed.
 */
bool gpa_direct_walk(const struct packet *packet,
		     void (*piece)(void *arg, uint64_t address, uint32_t len), void *arg);

/* --- channel.c --- */

enum channel_state {
	CHANNEL_WITHHELD,		/* the guest does not know it */
	CHANNEL_OFFERED,
	CHANNEL_OPEN,
	CHANNEL_RESCINDED,		/* the guest has not released it yet */
};

struct channel_callbacks {
	void (*opened)(struct channel *ch);
	void (*closed)(struct channel *ch);
	void (*signalled)(struct channel *ch);
	void (*rescinded)(struct channel *ch);
	void (*released)(struct channel *ch);
	void (*forgotten)(struct channel *ch);
};

struct channel {
	TAILQ_ENTRY(channel) link;
	struct host *host;
	const struct channel_callbacks *callbacks;
	void *server;
	void *machine;

	/* the offer */
	uint8_t type[16];
	uint8_t instance[16];
	uint16_t mmio_mb;
	uint16_t sub_index;
	uint32_t relid;

	enum channel_state state;

	/* while it is open */
	uint32_t target_vp;
	uint32_t ring_gpadl;
	struct ring in;
	struct ring out;
	uint8_t *buffer;		/* of the packet that was read last */
	uint32_t buffer_len;
	uint64_t last_id;		/* of the packet that was read last */
	uint64_t needless;		/* signals for a ring that had nothing new */
};

/* The caller has filled in the offer, apart from the relid. */
bool channel_add(struct host *host, struct channel *ch);
void channel_remove(struct channel *ch);
struct channel *channel_find(struct host *host, uint32_t relid);
uint32_t channel_connection(const struct channel *ch);
void channel_offer(struct channel *ch);
void channel_offer_all(struct host *host);
void channel_rescind(struct channel *ch);
void channel_forget_all(struct host *host);
void channel_signalled(struct channel *ch);
void channel_open_message(struct host *host, const void *msg, uint32_t len);
void channel_close_message(struct host *host, const void *msg, uint32_t len);
void channel_release_message(struct host *host, const void *msg, uint32_t len);
void channel_modify_message(struct host *host, const void *msg, uint32_t len);

/* --- rule.c --- */

enum rule_action {
	RULE_REFUSE	= 1,		/* answer with the status @value */
	RULE_DROP	= 2,
	RULE_HOLD	= 3,		/* for @value ms; 0: until rule_release() */
	RULE_DOUBLE	= 4,
	RULE_SET	= 5,		/* the 32-bit word at @offset becomes @value */
	RULE_SIZE	= 6,		/* the message is @value bytes long */
	RULE_RESCIND	= 7,		/* rescind the channel, then go on */
	RULE_SWAP	= 8,		/* send it after the next message */
	RULE_END
};

/*
 * A fault: what is done with the message of this type, for or from this channel,
 * when it is the nth of them from now on (1: the next). A rule is used once.
 */
struct rule {
	TAILQ_ENTRY(rule) link;
	uint32_t type;
	uint32_t relid;
	uint32_t nth;
	uint32_t action;
	uint32_t offset;
	uint32_t value;
};

bool rule_add(struct host *host, const struct rule *rule);
void rule_clear(struct host *host);
/* How many have not been used yet. */
unsigned int rule_count(struct host *host);
/* The status to answer with: 0 unless a rule refuses. */
uint32_t rule_status(struct host *host, uint32_t type, uint32_t relid);
/* Every message to the guest goes this way; @relid is 0 where it has none. */
void rule_post(struct host *host, uint32_t relid, const void *msg, uint32_t len);
/* Returns true if a rule took the message from the guest. */
bool rule_takes(struct host *host, uint32_t relid, const void *msg, uint32_t len);
/* Let go of every message that is held until then. */
void rule_release(struct host *host);

/* --- fuzz.c --- */

/*
 * Write packets to the channel's ring, or post messages; no more when it is
 * closed.
 */
bool fuzz_start(struct channel *ch, bool messages, uint64_t seed, uint64_t count);
uint64_t fuzz_left(struct host *host);
void fuzz_stop(struct host *host);

/* --- host.c --- */

enum host_state {
	HOST_IDLE,			/* no guest is connected */
	HOST_CONNECTED,
	HOST_OFFERED,			/* it has asked for the offers */
};

struct host_count {
	uint64_t messages;		/* from the guest */
	uint64_t posted;		/* to it */
	uint64_t violations;
	uint64_t scribbled;		/* pages */
};

struct host {
	uint32_t newest;		/* the newest version that a guest may choose */
	uint32_t connection;		/* where a guest of 5.0 and later posts its messages */
	enum host_state state;
	uint32_t version;
	TAILQ_HEAD(, channel) channels;
	TAILQ_HEAD(, gpadl) gpadls;
	TAILQ_HEAD(, rule) rules;
	TAILQ_HEAD(, held) held;	/* messages, see rule.c */
	uint64_t expected;		/* violations that do not count */
	TAILQ_HEAD(, fuzz) fuzzes;
	struct machine_timer *scribbling;
	struct host_count count;
};

void host_init(struct host *host, uint32_t newest);
void host_fini(struct host *host);
/* A message that the guest posted to that connection. */
void host_message(struct host *host, uint32_t connection, const void *msg, uint32_t len);
/* A message that was checked, and held back since. */
void host_dispatch(struct host *host, const void *msg, uint32_t len);
/* The guest is gone, or another one is there. */
void host_forget(struct host *host);

#endif /* _OWN_HOST_H */
