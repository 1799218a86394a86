/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traffic both ways at once, each packet accounted for: what TRAFFIC of protocol.h
 * makes guest and server send. Included by both.
 *
 * What packet n of a sender is (its size, whether it asks for a completion,
 * whether it has external data) follows from the sender's seed and n, so the
 * other side knows what comes next, and sees it when a packet is lost, doubled or
 * out of order. The packet begins with its number and a checksum of the rest, or
 * with as much of these as it has bytes. Each of its external pages does, too,
 * with 2 * n and 2 * n + 1 as numbers; the server writes the complement of these
 * eight bytes over them. A completion has the eight bytes that its packet would
 * begin with.
 */
#ifndef _VMBKMCL_TEST_TRAFFIC_H
#define _VMBKMCL_TEST_TRAFFIC_H

#include "protocol.h"

#define TESTDEV_TRAFFIC_PAGE	4096u

struct testdev_traffic_plan {
	__u32 size;		/* bytes of payload */
	__u32 pages;		/* of external data; only a guest has any */
	__u32 completed;	/* it asks for a completion */
};

/* Small ones are the most, and there are some of no bytes and of all. */
static inline struct testdev_traffic_plan testdev_traffic_plan(__u32 seed, __u32 n,
							       __u32 max)
{
	__u64 x = testdev_pattern_word(seed, n);
	struct testdev_traffic_plan plan;

	plan.size = ((__u32)(x >> 32) % (max + 1)) >> (x & 7);
	plan.pages = x >> 4 & 15 ? 0 : 1 + (x >> 8 & 1);
	plan.completed = plan.pages || (x >> 9 & 1);
	return plan;
}

/* Word @i of @size bytes, with zeros for what lies behind them. */
static inline __u64 testdev_traffic_word(const void *data, __u32 size, __u32 i)
{
	__u32 left = size - 8 * i;
	__u64 word = 0;

	if (left >= 8)
		__builtin_memcpy(&word, (const __u8 *)data + 8 * i, 8);
	else
		__builtin_memcpy(&word, (const __u8 *)data + 8 * i, left);
	return word;
}

static inline __u64 testdev_traffic_mix(__u64 sum, __u64 word)
{
	sum = (sum ^ word) * 0xff51afd7ed558ccdull;
	return sum ^ sum >> 32;
}

/* What packet @n of these @size bytes begins with. */
static inline __u64 testdev_traffic_head(const void *data, __u32 size, __u32 n)
{
	__u64 sum = testdev_traffic_mix(size, n);
	__u32 i;

	for (i = 1; 8 * i < size; i++)
		sum = testdev_traffic_mix(sum, testdev_traffic_word(data, size, i));
	return sum << 32 | n;
}

/* Write packet @n; there is room for whole words. Returns its head. */
static inline __u64 testdev_traffic_fill(__u64 *data, __u32 size, __u32 seed, __u32 n)
{
	__u32 i;

	for (i = 1; 8 * i < size; i++)
		data[i] = testdev_pattern_word(seed + n, i);
	data[0] = testdev_traffic_head(data, size, n);
	return data[0];
}

enum testdev_traffic_error {
	TESTDEV_TRAFFIC_OK,
	TESTDEV_TRAFFIC_SIZE,		/* not as long as packet n is */
	TESTDEV_TRAFFIC_NUMBER,		/* another packet */
	TESTDEV_TRAFFIC_SUM,		/* altered */
	TESTDEV_TRAFFIC_SHAPE,		/* completion or external data not as planned */
	TESTDEV_TRAFFIC_PAGES,		/* external data altered */
	TESTDEV_TRAFFIC_ANSWER,		/* completion of nothing, or another one's */
};

/* Are these @len bytes of a ring packet @n, which has @size? Tells its head. */
static inline enum testdev_traffic_error
testdev_traffic_check(const void *data, __u32 len, __u32 size, __u32 n, __u64 *head)
{
	__u64 word, wrong;

	if (len != (size + 7) / 8 * 8)
		return TESTDEV_TRAFFIC_SIZE;
	*head = testdev_traffic_head(data, size, n);
	if (!size)
		return TESTDEV_TRAFFIC_OK;
	word = testdev_traffic_word(data, size, 0);
	wrong = word ^ *head;
	if (size < 8)
		wrong &= (1ull << 8 * size) - 1;
	if (!wrong)
		return TESTDEV_TRAFFIC_OK;
	return (__u32)wrong ? TESTDEV_TRAFFIC_NUMBER : TESTDEV_TRAFFIC_SUM;
}

/* What the server has seen and done since TRAFFIC (TRAFFIC_REPORT). */
struct testdev_traffic_report {
	__u64 received;		/* packets of the guest's */
	__u64 received_bytes;
	__u64 received_sum;	/* of their heads, in order */
	__u64 gpa_pages;		/* pages among them */
	__u64 answered;		/* of them, completions it sent */
	__u64 sent;		/* packets to the guest */
	__u64 sent_bytes;
	__u64 sent_sum;
	__u64 asked;		/* of them, those that asked for a completion */
	__u64 completed;	/* ... and got it */
	__u64 errors;
	__u64 first_error;	/* enum testdev_traffic_error ... */
	__u64 first_number;	/* ... and the packet's number */
};

#endif /* _VMBKMCL_TEST_TRAFFIC_H */
