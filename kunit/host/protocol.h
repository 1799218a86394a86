/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the test client in the guest and the server endpoint in QEMU say to
 * each other. Included by both, so it uses nothing but <linux/types.h>.
 *
 * A request is one in-band VMBus packet that asks for a completion; the answer
 * is that packet's completion. Integers are little-endian, as on the ring. The
 * server trusts no field: a request it cannot carry out is answered with a
 * status, whatever its contents.
 *
 * A request may come with a pipe's header before it: 1 and the length of the
 * rest, 32 bits each. From then on, what PUSH sends on that channel has one too.
 */
#ifndef _VMBKMCL_TEST_PROTOCOL_H
#define _VMBKMCL_TEST_PROTOCOL_H

#include <linux/types.h>

/*
 * The type of the server's devices, and their instances: that of the first, which
 * is a device's default, and that of a second one, which has MMIO space.
 */
#define TESTDEV_TYPE_GUID	"7c3d5e10-61a2-4f0b-9a7e-0d5f6b1c2a34"
#define TESTDEV_INSTANCE_GUID	"a8f0c2d4-1e57-4b6c-8d29-3f4e5a6b7c80"
#define TESTDEV_SECOND_GUID	"a8f0c2d4-1e57-4b6c-8d29-3f4e5a6b7c81"
#define TESTDEV_SECOND_MMIO_MB	2

/* A device with one sub-channel, of a type of its own. */
#define TESTDEV_SUBS_TYPE_GUID	"7c3d5e10-61a2-4f0b-9a7e-0d5f6b1c2a36"
#define TESTDEV_SUBS_GUID	"a8f0c2d4-1e57-4b6c-8d29-3f4e5a6b7c82"
#define TESTDEV_SUBS_CHANNELS	2

/* The benchmark's devices that hv_vmbus's own driver is to get. */
#define TESTDEV_RAW_TYPE_GUID	"7c3d5e10-61a2-4f0b-9a7e-0d5f6b1c2a35"

#define TESTDEV_MAGIC		0x4b4d434cu	/* "LCMK" on the wire */
#define TESTDEV_MAX_PAYLOAD	4096u		/* bytes after either header */

struct testdev_pipe_header {
	__u32 type;		/* TESTDEV_PIPE_DATA */
	__u32 len;		/* bytes that follow */
};

#define TESTDEV_PIPE_DATA	1u

enum testdev_op {
	TESTDEV_ECHO		= 1,	/* the payload, unchanged */
	TESTDEV_GPADL_LENGTH	= 2,	/* value = bytes the GPADL describes */
	TESTDEV_GPADL_CRC32	= 3,	/* value = CRC-32 (IEEE) of all of it */
	TESTDEV_GPADL_FILL	= 4,	/* write the pattern of seed over all of it */
	TESTDEV_GPADL_WRITE	= 5,	/* the payload at offset */
	TESTDEV_GPADL_READ	= 6,	/* length bytes from offset, as payload */
	TESTDEV_GPADL_HOLD	= 7,	/* take a reference and keep it */
	TESTDEV_GPADL_RELEASE	= 8,	/* drop the one taken by HOLD */
	TESTDEV_REPORT		= 9,	/* payload = struct testdev_report */
	TESTDEV_DELAY		= 10,	/* answer as ECHO after length ms */
	TESTDEV_RESCIND		= 11,	/* rescind the offer of channel handle after length ms */
	TESTDEV_REOFFER		= 12,	/* offer that again length ms after the next rescind */

	/* Faults, and traffic of the server's own. */
	TESTDEV_FORGE		= 13,	/* length ms later, complete what is not pending (1) */
	TESTDEV_STALL		= 14,	/* read no request for length ms */
	TESTDEV_PUSH		= 15,	/* send length packets to the guest (2) */

	/* The only two that come as a GPA-direct packet. */
	TESTDEV_GPA_DIRECT_CRC32	= 16,	/* value = CRC-32 of the external data */
	TESTDEV_GPA_DIRECT_FILL	= 17,	/* write the pattern of seed over it; value = bytes */

	TESTDEV_TRAFFIC		= 18,	/* length packets each way, at once (3) */
	TESTDEV_TRAFFIC_REPORT	= 19,	/* payload = struct testdev_traffic_report */
	TESTDEV_PACE		= 20,	/* read a few packets, then none for length ms (4) */
	TESTDEV_BENCH		= 21,	/* seed 1: serve as fast as can be, 0: as always (5) */

	/* Faults of the host itself, where it can be told to do wrong (6). */
	TESTDEV_RULE		= 22,	/* payload = struct testdev_rule */
	TESTDEV_LET_GO		= 23,	/* of the messages that are held back */
	TESTDEV_EXPECT		= 24,	/* length violations follow; value = those so far */
	TESTDEV_SCRIBBLE	= 25,	/* write over the GPADL until it is torn down */
	TESTDEV_INVENT		= 26,	/* post the payload, a control message, to the guest */
	TESTDEV_FUZZ		= 27,	/* send length bad packets from seed to channel handle */
	TESTDEV_FUZZ_MESSAGES	= 28,	/* the same with control messages */
	TESTDEV_FUZZ_LEFT	= 29,	/* value = how many are still to be sent */

	TESTDEV_OP_END			/* no operation: behind the last */
};

/*
 * REOFFER is asked before the RESCIND it belongs to: afterwards there is no
 * channel to ask on. The time runs from the guest's close of the channel, or
 * from the rescind where the guest had it not open: give the guest time enough
 * to release the channel id as well, QEMU cannot see that. RESCIND may be asked
 * more than once; each sends a rescind. Channel 0 is the device's own, the others are
 * its sub-channels. RELEASE gives back what HOLD took also
 * when the guest has torn that GPADL down meanwhile; every other operation then
 * calls the handle unknown. Closing the channel ends everything that was asked
 * on it, except RESCIND and REOFFER.
 *
 * (1) The completion has no payload. Its transaction id is offset, or, with
 *     TESTDEV_FORGE_RELATIVE as seed, the id of this request plus offset: so 0
 *     with that seed completes this request twice.
 * (2) In-band packets of offset bytes each, byte i of packet n (from 0) being
 *     testdev_pattern(seed + n, i). With TESTDEV_PUSH_COMPLETE as handle each
 *     asks for a completion. One PUSH at a time; it goes on after the answer.
 * (3) Of up to offset bytes each, from seed for the guest's and seed + 1 for the
 *     server's: see traffic.h. The server begins after the answer. Whatever the
 *     guest sends from then on and does not begin with TESTDEV_MAGIC is the next
 *     packet.
 * (4) And so on, from this request's answer until a PACE with length 0. Each time
 *     it reads offset packets, or, where that is 0, all there are.
 * (5) What is no request then, that is, does not begin with TESTDEV_MAGIC, is
 *     answered with its own payload if it asks for a completion, and dropped
 *     otherwise. What PUSH sends is the same each time, and of the completions
 *     only the number is looked at. The value is how often the server was woken
 *     by the guest since the channel was opened.
 * (6) A host that cannot answers TESTDEV_EPROTO. A rule is about another channel than the
 *     one it is asked on, and is forgotten when the guest leaves VMBus. RULE and the FUZZ
 *     operations name a channel by its number on VMBus, the relid.
 */
#define TESTDEV_FORGE_RELATIVE	1u
#define TESTDEV_PUSH_COMPLETE	1u

#define TESTDEV_MAX_DELAY_MS	600000u
#define TESTDEV_MAX_DELAYED	256u	/* DELAY and FORGE waiting at once */
#define TESTDEV_MAX_HELD	64u	/* GPADLs */
#define TESTDEV_MAX_PUSH	65536u	/* packets */
#define TESTDEV_MAX_TRAFFIC	1000000u /* packets each way */

enum testdev_status {
	TESTDEV_OK		= 0,
	TESTDEV_EPROTO		= 1,	/* no such request, or it has a wrong shape */
	TESTDEV_ENOGPADL	= 2,	/* the host does not know this handle */
	TESTDEV_ERANGE		= 3,	/* outside the GPADL, or too much to answer */
	TESTDEV_EFAULT		= 4,	/* guest memory could not be accessed */
	TESTDEV_EBUSY		= 5,	/* already held, or no slot for one more */
};

struct testdev_request {
	__u32 magic;		/* TESTDEV_MAGIC */
	__u32 op;		/* enum testdev_op */
	__u32 handle;		/* GPADL, where the operation needs one; or a channel */
	__u32 seed;		/* of the pattern */
	__u64 offset;		/* bytes into the GPADL */
	__u64 length;		/* bytes; DELAY, RESCIND, REOFFER: milliseconds */
	__u32 payload_len;	/* bytes that follow this header */
	__u32 reserved;		/* 0 */
};

struct testdev_response {
	__u32 magic;		/* TESTDEV_MAGIC */
	__u32 op;		/* as asked */
	__u32 status;		/* enum testdev_status */
	__u32 payload_len;	/* bytes that follow this header */
	__u64 value;
};

enum testdev_action {
	TESTDEV_REFUSE		= 1,	/* answer with the status value */
	TESTDEV_DROP		= 2,
	TESTDEV_HOLD_BACK	= 3,	/* for value ms; 0: until LET_GO */
	TESTDEV_DOUBLE		= 4,
	TESTDEV_SET		= 5,	/* the 32-bit word at offset becomes value */
	TESTDEV_SIZE		= 6,	/* the message becomes value bytes long */
	TESTDEV_RESCIND_NOW	= 7,	/* rescind the channel, then go on */
	TESTDEV_SWAP		= 8,	/* it changes places with the next message */
};

/* What the host does with a control message, once (RULE). */
struct testdev_rule {
	__u32 type;		/* of the message */
	__u32 relid;		/* of the channel that it is about */
	__u32 nth;		/* 1: the next such message */
	__u32 action;		/* enum testdev_action */
	__u32 offset;		/* bytes into the message */
	__u32 value;
};

/* What the server counted since QEMU started (REPORT). */
struct testdev_report {
	__u64 opens;
	__u64 closes;
	__u64 requests;		/* this one among them */
	__u64 bad_requests;	/* answered with a status other than OK */
	__u64 held;		/* GPADLs held by HOLD now */
	__u64 rescinds;
	__u64 reoffers;
	__u64 consumed;		/* packets that asked for no completion: read, not carried out */
	__u64 pushed;		/* packets sent by PUSH */
	__u64 completed;	/* ... of which the guest completed */
	__u64 bad_completions;	/* completions of nothing the server waits for */
	__u64 completion_bytes;	/* payload of the good ones */
};

/* Word @w, that is bytes 8 * @w to 8 * @w + 7, of the pattern of @seed. */
static inline __u64 testdev_pattern_word(__u32 seed, __u64 w)
{
	__u64 x = ((__u64)seed << 32 | 0x9e3779b9u) + w * 0x9e3779b97f4a7c15ull;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

/*
 * Byte @i of the pattern of @seed: splitmix64's finaliser over the eight-byte
 * word the byte lies in, so that a shifted, swapped or stale page never matches.
 */
static inline __u8 testdev_pattern(__u32 seed, __u64 i)
{
	return (__u8)(testdev_pattern_word(seed, i >> 3) >> ((i & 7) * 8));
}

#endif /* _VMBKMCL_TEST_PROTOCOL_H */
