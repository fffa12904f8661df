/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of counters. `loud` are those that say that something was not
 * seen or not kept: a person should know without asking.
 */
#include "sensor/counters.h"

#include <inttypes.h>
#include <string.h>

struct counter {
	const char *group, *name; /* in JSON; '_' is a blank for people */
	const char *words; /* behind the number; NULL: for programs only */
	size_t at; /* in struct pipeline_totals */
	bool loud;
};

#define AT(member) offsetof(struct pipeline_totals, member)
#define TUNNEL(kind) AT(ip.tunnel) + (kind) * sizeof(uint64_t)

static const struct counter counters[] = {
    {"not_captured", "holes", "holes", AT(tracker.holes), true},
    {"not_captured", "bytes", "bytes of payload", AT(tracker.hole_bytes), true},
    {"not_captured", "link_cut", "frames cut before the IP header",
	AT(link_truncated), true},
    {"not_captured", "ip_cut", "packets cut in their headers", AT(ip.truncated),
	true},

    {"limits_reached", "flows_evicted", "flows given up for others",
	AT(tracker.evicted), true},
    {"limits_reached", "closed_early", "closed flows not waited for",
	AT(tracker.closed_early), true},
    {"limits_reached", "decoders", "decoders taken from idle flows",
	AT(tracker.sessions_full), true},
    {"limits_reached", "reassembly", "pieces that found no room to wait",
	AT(tracker.pending_full), true},
    {"limits_reached", "windows", "segments not compared",
	AT(evidence.windows_short), true},
    {"limits_reached", "resets_early", "resets judged early",
	AT(evidence.rst_forced), true},
    {"limits_reached", "resets_untold", "resets not told",
	AT(evidence.rst_untold), true},
    {"limits_reached", "conflicts_untold", "conflicts not told",
	AT(evidence.conflicts_untold), true},
    {"limits_reached", "early_evidence", "early signs not kept",
	AT(tracker.early_full), true},
    {"limits_reached", "tls_handshakes", "TLS handshakes not read",
	AT(mail.tls_pool_empty), true},
    {"limits_reached", "judged_flows", "flows judged before their end",
	AT(judge.evicted), true},
    {"limits_reached", "fragments", "fragments dropped", AT(ip.frag_dropped),
	true},
    {"limits_reached", "tunnels", "packets in too many tunnels",
	AT(ip.tunnel_deep), true},
    {"limits_reached", "stuck", "bytes stuck in reassembly", AT(tracker.stuck),
	true},

    {"packets", "ipv4", NULL, AT(ip.v4), false},
    {"packets", "ipv6", NULL, AT(ip.v6), false},
    {"packets", "tcp", NULL, AT(ip.tcp), false},
    {"packets", "not_tcp", NULL, AT(ip.other), false},
    {"packets", "not_ip", NULL, AT(link_other), false},
    {"packets", "unknown_link", "of a link type that is not known",
	AT(link_unknown), false},
    {"packets", "malformed", "malformed", AT(ip.malformed), false},

    {"tunnels", "ip", "in IP", TUNNEL(TUNNEL_IN_IP), false},
    {"tunnels", "gre", "in GRE", TUNNEL(TUNNEL_GRE), false},
    {"tunnels", "erspan", "in ERSPAN", TUNNEL(TUNNEL_ERSPAN), false},
    {"tunnels", "vxlan", "in VXLAN", TUNNEL(TUNNEL_VXLAN), false},
    {"tunnels", "geneve", "in GENEVE", TUNNEL(TUNNEL_GENEVE), false},
    {"tunnels", "etherip", "in EtherIP", TUNNEL(TUNNEL_ETHERIP), false},
    {"tunnels", "mpls", "in MPLS over IP", TUNNEL(TUNNEL_MPLS), false},

    {"fragments", "seen", "seen", AT(ip.fragments), false},
    {"fragments", "whole", "packets put together", AT(ip.reassembled), false},
    {"fragments", "overlapping", "overlapping", AT(ip.frag_overlap), false},

    {"wrong_checksums", "ip", "of IP", AT(ip.bad_ip_csum), false},
    {"wrong_checksums", "tcp", "of TCP", AT(ip.bad_tcp_csum), false},
    {"wrong_checksums", "unfinished", "left to a network card",
	AT(ip.open_tcp_csum), false},
    {"wrong_checksums", "set_aside", "segments not believed",
	AT(tracker.bad_csum_ignored), false},
    {"wrong_checksums", "used", "of these used, for want of others",
	AT(norm.doubt_used), false},

    {"segments", "in_order", NULL, AT(norm.in_order), false},
    {"segments", "reordered", "out of order", AT(norm.reordered), false},
    {"segments", "again", "sent again", AT(norm.retrans), false},
    {"segments", "frames_twice", "seen twice", AT(tracker.dup_frames), false},
    {"segments", "overlaps", "overlapping", AT(norm.overlaps), false},
    {"segments", "held", "held for the other side", AT(norm.held), false},
    {"segments", "forced", "let go without it", AT(norm.forced), false},
    {"segments", "rewound", "put before what was seen", AT(norm.rewound),
	false},
    {"segments", "out_of_window", "outside any window", AT(norm.out_of_window),
	false},
    {"segments", "after_fin", "behind a FIN", AT(norm.after_fin), false},

    {"resets", "seen", "seen", AT(evidence.rst), false},
    {"resets", "groups", NULL, AT(evidence.rst_groups), false},
    {"resets", "stale", "of no number of their flow", AT(evidence.rst_stale),
	false},
    {"resets", "bad_checksum", "with a wrong checksum",
	AT(evidence.rst_bad_csum), false},
    {"resets", "survived", "survived by their flow", AT(tracker.rst_after_data),
	false},
    {"resets", "authorized", NULL, AT(judge.rst_authorised), false},

    {"compared", "bytes", "bytes sent again", AT(evidence.compared), false},
    {"compared", "conflicts", "conflicts", AT(evidence.conflicts), false},
    {"compared", "spoilt", "spoilt on the way", AT(evidence.corrupted), false},
    {"compared", "keep_alives", "keep-alives", AT(evidence.keepalives), false},
    {"compared", "windows", NULL, AT(evidence.windows), false},
    {"compared", "two_answers", "SYNs with two answers",
	AT(evidence.two_answers), false},
    {"compared", "fins_undone", "FINs contradicted", AT(evidence.fins_undone),
	false},

    {"flows", "all", NULL, AT(tracker.flows), false},
    {"flows", "middle", "met in their middle", AT(tracker.midstream), false},
    {"flows", "legs", "on the ports of another one, in another place",
	AT(tracker.legs), false},
    {"flows", "one_way", "seen one way only", AT(tracker.one_way), false},
    {"flows", "timed_out", "timed out", AT(tracker.timed_out), false},
    {"flows", "not_mail", NULL, AT(tracker.not_mail), false},
    {"flows", "early_told", NULL, AT(tracker.early_told), false},
    {"flows", "early_dropped", NULL, AT(tracker.early_dropped), false},

    {"decoders", "lines", NULL, AT(mail.lines), false},
    {"decoders", "overlong_lines", "overlong lines", AT(mail.overlong_lines),
	false},
    {"decoders", "bare_lf", NULL, AT(mail.bare_lf), false},
    {"decoders", "nul_bytes", "NUL bytes", AT(mail.nul_bytes), false},
    {"decoders", "gaps", "gaps", AT(mail.gaps), false},
    {"decoders", "resyncs", "times back in step", AT(mail.resyncs), false},
    {"decoders", "tls_records", NULL, AT(mail.tls_records), false},
    {"decoders", "tls_broken", "broken TLS records", AT(mail.tls_broken),
	false},
};
#define NCOUNTERS (sizeof(counters) / sizeof(counters[0]))

static uint64_t
value(const struct pipeline_totals *t, const struct counter *c)
{
	uint64_t v;

	memcpy(&v, (const char *)t + c->at, sizeof(v));
	return v;
}

static void
put_title(FILE *out, const char *group)
{
	for (; *group != '\0'; group++)
		fputc(*group == '_' ? ' ' : *group, out);
	fputs(": ", out);
}

void
counters_print(FILE *out, const struct pipeline_totals *t, bool all)
{
	const char *group = NULL;

	for (size_t i = 0; i < NCOUNTERS; i++) {
		const struct counter *c = &counters[i];
		uint64_t v = value(t, c);

		if (v == 0 || c->words == NULL || (!c->loud && !all))
			continue;
		if (group != NULL && strcmp(group, c->group) == 0) {
			fputs(", ", out);
		} else {
			if (group != NULL)
				fputc('\n', out);
			put_title(out, c->group);
		}
		group = c->group;
		fprintf(out, "%" PRIu64 " %s", v, c->words);
	}
	if (group != NULL)
		fputc('\n', out);
}

json_t *
counters_json(const struct pipeline_totals *t)
{
	json_t *all = json_object();

	for (size_t i = 0; i < NCOUNTERS; i++) {
		const struct counter *c = &counters[i];
		json_t *group = json_object_get(all, c->group);

		if (group == NULL) {
			json_object_set_new(all, c->group, json_object());
			group = json_object_get(all, c->group);
		}
		json_object_set_new(
		    group, c->name, json_integer((json_int_t)value(t, c)));
	}
	return all;
}
