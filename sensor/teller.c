/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/teller.h"

#include <stdio.h>
#include <time.h>

#include "db/event_id.h"
#include "rules/facts.h"
#include "sensor/capture_live.h"
#include "sensor/frontend.h"

#define NS INT64_C(1000000000)

/* t->line, of n bytes, to whom it is for. */
static void
tell(struct teller *t, enum event_type type, int64_t time, size_t n)
{
	struct event e = {.type = type, .time = time, .eve = t->line};

	if (n == 0)
		return;
	if (*t->eve != NULL && (t->cfg->eve_types & EVENT_BIT(type)) != 0)
		eve_line(*t->eve, t->line, n);
	if (t->cfg->on_event == NULL || (t->cfg->stream & EVENT_BIT(type)) == 0)
		return;
	t->line[n - 1] = '\0';
	e.len = n - 1;
	t->cfg->on_event(t->cfg->ctx, &e, t->id);
}

/* Of a flow there is one event of a kind at a time, but for commands that were
 * answered together; these differ in their observation. */
static const char *
id_of(struct teller *t, const struct eve_seen *s)
{
	char text[80];

	(void)snprintf(text, sizeof(text), "%llu %lld %u",
	    (unsigned long long)s->v->f->who.public_id,
	    (long long)eve_event_time(s), s->v->o->kind);
	return event_text_id(
	    t->id, t->cfg->host, event_type_name(s->type), text);
}

static struct eve_place
place_of(const struct teller *t, const struct obs_flow *who)
{
	struct eve_place at = {.host = t->cfg->host};

	if (who->vantage < t->cfg->ninterfaces)
		at.iface = t->cfg->interfaces[who->vantage];
	if (t->path != NULL)
		at.pcap_file = t->path(t->path_ctx, who->vantage);
	return at;
}

void
teller_seen(void *ctx, const struct judge_view *v)
{
	struct teller *t = ctx;
	unsigned types =
	    eve_events_of(v) & (t->cfg->eve_types | t->cfg->stream);
	struct eve_seen s = {.v = v};
	struct eve_place at;

	if (types == 0)
		return;
	at = place_of(t, &v->f->who);
	if (v->f->tls->has_chain)
		s.chain = verify_lookup(*t->verify, v->f->tls->chain_id);
	for (int type = EVENT_STORED; type < EVENT_TYPES; type++) {
		if ((types & EVENT_BIT(type)) == 0)
			continue;
		s.type = (enum event_type)type;
		at.id = id_of(t, &s);
		tell(t, s.type, eve_event_time(&s),
		    eve_format_event(t->line, sizeof(t->line), &s, &at));
	}
}

static int64_t
clock_ns(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

void
teller_start(struct teller *t)
{
	t->started = clock_ns(CLOCK_MONOTONIC);
}

void
teller_stats(struct teller *t, const struct backend_totals *n,
    const struct frontend_totals *f, const struct live_counters *live)
{
	struct eve_stats s = {.time = n->judge.last,
	    .uptime = (uint64_t)((n->judge.last - n->judge.first) / NS),
	    .captured = live != NULL,
	    .packets = f->packets,
	    .bytes = f->bytes,
	    .tcp = f->ip.tcp,
	    .flows = f->tracker.flows,
	    .rst = f->tracker.rst,
	    .midstream = f->tracker.midstream,
	    .bad_checksums = f->ip.bad_tcp_csum,
	    .holes = f->tracker.holes,
	    .alerts = n->judge.alerts,
	    .alerts_folded = n->judge.folded,
	    .observations = n->judge.observations,
	    .findings = n->judge.findings};

	struct eve_place at = {.host = t->cfg->host};
	char text[32];

	if (live != NULL) {
		s.time = clock_ns(CLOCK_REALTIME);
		s.uptime =
		    (uint64_t)((clock_ns(CLOCK_MONOTONIC) - t->started) / NS);
		s.kernel_packets = live->received;
		s.kernel_drops = live->dropped;
	}
	(void)snprintf(text, sizeof(text), "%lld", (long long)s.time);
	at.id = event_text_id(
	    t->id, t->cfg->host, event_type_name(EVENT_STATS), text);
	tell(t, EVENT_STATS, s.time,
	    eve_format_stats(t->line, sizeof(t->line), &s, &at));
}
