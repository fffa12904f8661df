/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole path over captures, printed as one line for each mail connection
 * with the number of observations of each kind, and one for each alert:
 *
 *	flow CLIENT PORT SERVER PORT end=fin quit=1 vis=0 auth=1 ...
 *	alert CLIENT PORT SERVER PORT NAME SEVERITY CONFIDENCE sentence; ...
 *	hello CLIENT PORT SERVER PORT ja3=... ja4=...   (with --hellos)
 *	hello CLIENT PORT SERVER PORT ja3s=...
 *	tls CLIENT PORT SERVER PORT ...   (with --tls: as obs_format() has it)
 *	obs CLIENT PORT SERVER PORT ...   (with --obs: every observation)
 *
 * The counters of the tracker follow. With --rest each connection is put to
 * sleep after each of its packets, which must change nothing; --rest=NS after
 * so long without one. For tests that know what was sent.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sensor/conn_rest.h"
#include "sensor/pipeline.h"

#define FLOWS 65536 /* numbers of open ones never lie further apart here */

struct watched {
	uint64_t number;
	struct obs_flow who;
	uint32_t count[OBS_KIND_COUNT];
	uint32_t auth_ok;
};

static struct watched *flows;
static bool hellos, tls, all;

static const char *const end_names[] = {
    "none", "fin", "rst", "timeout", "evicted", "input", "reused"};

static const struct {
	const char *name;
	enum obs_kind kind;
} shown[] = {
    {"greeting", OBS_GREETING},
    {"caps", OBS_CAPS},
    {"use", OBS_CLEAR_USE},
    {"auth", OBS_AUTH},
    {"content", OBS_MAIL_CONTENT},
    {"asked", OBS_TLS_ASKED},
    {"answered", OBS_TLS_ANSWERED},
    {"client_hello", OBS_TLS_CLIENT_HELLO},
    {"server_hello", OBS_TLS_SERVER_HELLO},
    {"tls_done", OBS_TLS_DONE},
    {"tls_broken", OBS_TLS_BROKEN},
    {"rst", OBS_RST},
    {"conflict", OBS_CONFLICT},
    {"answers", OBS_TWO_ANSWERS},
    {"fin", OBS_FIN_UNDONE},
};

static void
print_who(const char *what, const struct obs_flow *f)
{
	char a[INET6_ADDRSTRLEN], b[INET6_ADDRSTRLEN];
	int family = f->v6 ? AF_INET6 : AF_INET;
	unsigned at = f->v6 ? 0 : 12;

	inet_ntop(family, f->client.b + at, a, sizeof(a));
	inet_ntop(family, f->server.b + at, b, sizeof(b));
	printf("%s %s %u %s %u", what, a, f->client_port, b, f->server_port);
}

static void
print_flow(const struct watched *w, const struct obs *o)
{
	const struct obs_end *e = &o->u.end;

	print_who("flow", &w->who);
	printf(" end=%s closed_by=%u quit=%u vis=%u proto=%s auth_ok=%u "
	       "bytes_c2s=%" PRIu64 " bytes_s2c=%" PRIu64 " gap_c2s=%" PRIu64
	       " gap_s2c=%" PRIu64,
	    end_names[e->how], e->closed_by, e->quit, o->vis,
	    proto_name((enum proto)o->proto), w->auth_ok, e->bytes[0],
	    e->bytes[1], e->gap[0], e->gap[1]);
	for (unsigned i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		printf(" %s=%u", shown[i].name, w->count[shown[i].kind]);
	putchar('\n');
}

static void
print_hello(const struct watched *w, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;

	print_who("hello", &w->who);
	if (o->dir == DIR_C2S)
		printf(" ja3=%s ja4=%s\n", h->ja3, h->ja4);
	else
		printf(" ja3s=%s\n", h->ja3);
}

static void
print_obs(const char *what, const struct watched *w, const struct obs *o)
{
	char line[8192];

	print_who(what, &w->who);
	printf(" %s\n", obs_format(line, sizeof(line), o, false));
}

static void
on_obs(void *ctx, const struct obs *o)
{
	struct watched *w = &flows[o->flow % FLOWS];

	(void)ctx;
	if (o->kind == OBS_FLOW_OPEN) {
		memset(w, 0, sizeof(*w));
		w->number = o->flow;
		w->who = o->u.flow_open;
	}
	if (w->number != o->flow)
		return;
	w->count[o->kind]++;
	if (o->kind == OBS_AUTH && o->u.auth.outcome == AUTH_OK)
		w->auth_ok++;
	if (hellos && (o->kind == OBS_TLS_CLIENT_HELLO ||
			  o->kind == OBS_TLS_SERVER_HELLO))
		print_hello(w, o);
	if (tls && o->kind >= OBS_TLS_CLIENT_HELLO && o->kind < OBS_KIND_COUNT)
		print_obs("tls", w, o);
	if (all)
		print_obs("obs", w, o);
	if (o->kind == OBS_FLOW_END)
		print_flow(w, o);
}

static void
on_alert(void *ctx, const struct alert *a, int64_t id)
{
	(void)ctx;
	(void)id;
	print_who("alert", &a->flow);
	printf(" %s %s %u", finding_info(a->finding.id)->name,
	    severity_name(a->severity), a->finding.confidence);
	for (unsigned i = 0; i < a->finding.nevidence; i++)
		printf("; %s", a->finding.evidence[i].text);
	putchar('\n');
}

static void
on_say(void *ctx, enum say what, const char *text)
{
	(void)ctx;
	if (what != SAY_DETAIL)
		fprintf(stderr, "observe: %s\n", text);
}

static void
print_counters(const struct pipeline *p)
{
	struct pipeline_totals t;
	struct rusage ru;

	pipeline_totals(p, &t);
	getrusage(RUSAGE_SELF, &ru);
	printf("total packets=%" PRIu64 " flows=%" PRIu64 " holes=%" PRIu64
	       " hole_bytes=%" PRIu64 " reordered=%" PRIu64 " retrans=%" PRIu64
	       " dup_frames=%" PRIu64 " evicted=%" PRIu64
	       " pending_full=%" PRIu64 " out_of_window=%" PRIu64
	       " midstream=%" PRIu64 " stuck=%" PRIu64 " messages=%" PRIu64
	       " message_bytes=%" PRIu64 " peak_kib=%ld\n",
	    t.packets, t.tracker.flows, t.tracker.holes, t.tracker.hole_bytes,
	    t.tracker.reordered, t.tracker.retrans, t.tracker.dup_frames,
	    t.tracker.evicted, t.tracker.pending_full, t.tracker.out_of_window,
	    t.tracker.midstream, t.tracker.stuck, t.mail.messages,
	    t.mail.body_bytes, ru.ru_maxrss);
}

int
main(int argc, char **argv)
{
	struct pipeline_config cfg = {.rules_path = "sensor.rules",
	    .no_system_trust = true,
	    .on_say = on_say,
	    .on_alert = on_alert,
	    .on_obs = on_obs};
	struct pipeline *p;
	char err[512];
	int first = 1, status;

	tracker_config_default(&cfg.tracker);
	for (; first < argc && argv[first][0] == '-'; first++)
		if (strcmp(argv[first], "--always") == 0)
			cfg.tracker.reassembly = REASSEMBLY_ALWAYS;
		else if (strcmp(argv[first], "--hellos") == 0)
			hellos = true;
		else if (strcmp(argv[first], "--tls") == 0)
			tls = true;
		else if (strcmp(argv[first], "--obs") == 0)
			all = true;
		else if (strcmp(argv[first], "--rest") == 0)
			cfg.tracker.rest_after = cfg.judged_rest = REST_ALWAYS;
		else if (strncmp(argv[first], "--rest=", 7) == 0)
			cfg.tracker.rest_after = cfg.judged_rest =
			    atoll(argv[first] + 7);
		else
			argc = first;
	if (argc <= first) {
		fputs("usage: observe [--always] [--rest[=NS]] [--hellos] "
		      "[--tls] "
		      "[--obs] CAPTURE...\n",
		    stderr);
		return 2;
	}
	flows = calloc(FLOWS, sizeof(*flows));
	p = flows == NULL ? NULL : pipeline_new(&cfg, err, sizeof(err));
	if (p == NULL) {
		fprintf(stderr, "observe: %s\n",
		    flows == NULL ? "out of memory" : err);
		return 2;
	}
	status = pipeline_read(p, (const char *const *)argv + first,
	    (unsigned)(argc - first), NULL);
	print_counters(p);
	pipeline_free(p);
	free(flows);
	return status;
}
