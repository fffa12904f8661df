/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/memory.h"

#include <malloc.h>

const char *
memory_name(enum memory_table t)
{
	static const char *const name[MEM_COUNT] = {[MEM_FLOWS] = "flows",
	    [MEM_CONNECTIONS] = "connections",
	    [MEM_DECODERS] = "decoders",
	    [MEM_EARLY] = "early_evidence",
	    [MEM_EVIDENCE] = "evidence",
	    [MEM_RESETS] = "resets",
	    [MEM_REASSEMBLY] = "reassembly",
	    [MEM_STREAMS] = "libnids",
	    [MEM_TLS] = "tls_handshakes",
	    [MEM_FRAGMENTS] = "fragments",
	    [MEM_CAPTURE] = "capture",
	    [MEM_QUEUE] = "queue",
	    [MEM_EVENTS] = "events",
	    [MEM_JUDGED] = "judged_flows",
	    [MEM_PAIRS] = "recent_pairs",
	    [MEM_SERVERS] = "history_servers",
	    [MEM_HISTORY_PAIRS] = "history_pairs",
	    [MEM_PINS] = "pins",
	    [MEM_UNDO] = "undo",
	    [MEM_INCIDENTS] = "incidents",
	    [MEM_LIMITS] = "rule_limits",
	    [MEM_VERDICTS] = "verdicts",
	    [MEM_CERTIFICATES] = "certificates",
	    [MEM_DATABASE] = "database",
	    [MEM_TRUST] = "trust_store",
	    [MEM_HEAP_FREE] = "heap_free"};

	return name[t];
}

uint64_t
memory_heap(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

struct table_use
memory_heap_free(void)
{
	struct mallinfo2 m = mallinfo2();

	return (struct table_use){.entries = m.ordblks, .bytes = m.fordblks};
}
