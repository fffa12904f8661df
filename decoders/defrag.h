/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fragments put together again (RFC 791 3.2, RFC 8200 4.5), within bounds:
 * DEFRAG_BYTES held in all, DEFRAG_DATAGRAMS at a time, DEFRAG_PIECES each,
 * DEFRAG_SECONDS long; the least recently used datagram goes first. Where
 * fragments overlap, the bytes that came first stay (and it is counted): the
 * hosts differ there, and RFC 5722 forbids it for IPv6. A fragment of IPv4
 * whose end is no multiple of 8 is cut there, as Linux does.
 */
#ifndef STRIPWIRE_DEFRAG_H
#define STRIPWIRE_DEFRAG_H

#include "decoders/ip.h"
#include "decoders/slice.h"
#include "decoders/table_use.h"

#define DEFRAG_PIECES 1024 /* of one datagram; 64 KiB at MTU 576 is 119 */
#define DEFRAG_SECONDS 30 /* Linux's default */
#define DEFRAG_MAX 65535 /* bytes of a datagram's payload */

struct frag {
	struct addr src, dst;
	uint32_t id;
	bool v6;
	uint8_t proto; /* protocol, or first next header in the fragment */
	bool more;
	uint16_t way; /* TTL, and what else is the same on one way */
	uint32_t off, len;
	const uint8_t *data;
	int64_t time;
};

enum defrag_result {
	DEFRAG_HELD,
	DEFRAG_DONE, /* *whole and *proto are set */
	DEFRAG_REFUSED /* empty, beyond 64 KiB, odd length, too many */
};

/* dropped: fragments refused, and held ones that will never be a datagram
 * (evicted or timed out). overlap: fragments that overlapped others in any
 * way but as an exact copy. */
struct defrag_counters {
	uint64_t fragments, reassembled, dropped, overlap;
};

struct defrag;

/* NULL: no memory. */
struct defrag *defrag_new(void);
void defrag_free(struct defrag *d);

/* *whole borrows from d and lives until the next call. *proto is that of the
 * fragment with offset 0. */
enum defrag_result defrag_add(struct defrag *d, const struct frag *f,
    struct slice *whole, uint8_t *proto);

/* Of the last whole one: fragments disagreed (on bytes, on the end, on their
 * way here), so that a host may have put together something else or nothing. */
bool defrag_unsure(const struct defrag *d);

const struct defrag_counters *defrag_counters(const struct defrag *d);
/* Slow: looks at all. */
struct table_use defrag_use(const struct defrag *d);

#endif
