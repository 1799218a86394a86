/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pipe mode: each packet carries one message.
 *
 * A header in front of the message has the type of the message and its exact
 * length in bytes, because the length of a packet counts units of 8 bytes. The
 * library adds and removes the header. Completions have no header.
 */
#ifndef _KMCL_PIPE_H
#define _KMCL_PIPE_H

#include <linux/compiler.h>
#include <linux/string.h>
#include <linux/types.h>

#define KMCL_PIPE_DATA	1

struct kmcl_pipe_header {
	__le32 type;
	__le32 len;
};

/*
 * @to has room for the header and @len bytes. Returns the length of both in
 * bytes.
 */
static inline u32 kmcl_pipe_frame(void *to, const void *data, u32 len)
{
	struct kmcl_pipe_header *header = to;

	header->type = cpu_to_le32(KMCL_PIPE_DATA);
	header->len = cpu_to_le32(len);
	memcpy(header + 1, data, len);
	return sizeof(*header) + len;
}

/*
 * Advance @data and @len from the payload of a packet to its message. Returns
 * false, and changes neither, if the header is invalid. The payload is in the
 * ring, where the host can change it, so each field of the header is read only
 * once.
 */
static inline bool kmcl_pipe_unframe(const void **data, u32 *len)
{
	const struct kmcl_pipe_header *in_ring = *data;
	struct kmcl_pipe_header header;

	if (*len < sizeof(header))
		return false;
	header.type = READ_ONCE(in_ring->type);
	header.len = READ_ONCE(in_ring->len);
	if (header.type != cpu_to_le32(KMCL_PIPE_DATA) ||
	    le32_to_cpu(header.len) > *len - sizeof(header))
		return false;
	*data = in_ring + 1;
	*len = le32_to_cpu(header.len);
	return true;
}

#endif /* _KMCL_PIPE_H */
