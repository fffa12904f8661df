/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the processes of a sensor hold in memory, by table, for `stripwire
 * status`. Each process has a row for each table; those that it does not have
 * stay empty. The rows and the process' own size (its resident set) differ by
 * what is no table: program and libraries, stacks, and what the heap loses to
 * alignment.
 */
#ifndef STRIPWIRE_MEMORY_H
#define STRIPWIRE_MEMORY_H

#include "decoders/table_use.h"

enum memory_table {
	/* of a worker */
	MEM_FLOWS = 0, /* all connections, with their timers */
	MEM_CONNECTIONS, /* those that may be mail */
	MEM_DECODERS, /* those that are */
	MEM_EARLY, /* evidence noted before a flow was known to be mail */
	MEM_EVIDENCE, /* windows of payload held against what comes again */
	MEM_RESETS, /* that wait, and conflicts that do */
	MEM_REASSEMBLY, /* segments that wait; entries: flows that have some */
	MEM_STREAMS, /* of libnids */
	MEM_TLS, /* handshakes in progress */
	MEM_FRAGMENTS,
	MEM_CAPTURE, /* the kernel's buffers, mapped */
	/* of worker and judge both, the same memory */
	MEM_QUEUE,
	/* of judge and feeds both, likewise */
	MEM_EVENTS,
	/* of the judge */
	MEM_JUDGED, /* connections */
	MEM_PAIRS, /* what happened between two hosts lately */
	MEM_SERVERS, /* history */
	MEM_HISTORY_PAIRS,
	MEM_PINS,
	MEM_UNDO, /* of learning; none while live */
	MEM_INCIDENTS,
	MEM_LIMITS, /* thresholds and xbits of rules */
	MEM_VERDICTS, /* on certificate chains; of the verifier as well */
	MEM_CERTIFICATES, /* seen, not written yet */
	MEM_DATABASE, /* SQLite's heap */
	/* of the verifier */
	MEM_TRUST, /* the trust store; entries: intermediates remembered */
	/* of all */
	MEM_HEAP_FREE, /* given back, and kept by malloc() for later */
	MEM_COUNT
};

const char *memory_name(enum memory_table t);
/* Bytes that this process has from malloc() now. */
uint64_t memory_heap(void);
struct table_use memory_heap_free(void);

#endif
