/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: the judge, fed with observations as no decoder would make them.
 * The input is a list of records:
 *
 *	0: kind
 *	1: flow (3 bits), direction, protocol (2 bits), implicit TLS
 *	2: time since the one before, in 16 ms; 255: an hour; 254: back a second
 *	3: visibility
 *	4: text and capability list, from the tables below
 *	5: how many bytes of the union follow
 *	6...: these bytes; strings are ended where the contract says so
 *
 * Oracles: every alert is well-formed, and the same input gives the same
 * alerts again, also where each flow rests after each observation.
 */
#include <stdlib.h>
#include <string.h>

#include "rules/facts.h"
#include "rules/judge.h"
#include "rules/ladder.h"

#define RECORD 6
#define RECORDS_MAX 400
#define FLOWS 8
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const texts[] = {"", "220 mx ESMTP", "220 ***2**0*****",
    "* OK IMAP2", "421 bye", "454 no", "[SYS/TEMP]", "STARTTLS"};
static const char *const lists[] = {"STARTTLS\nSIZE", "SIZE", "XXXXXXXX\nSIZE",
    "STARTTLX", "STLS\nTOP", "XXXX\nTOP", "IMAP4rev1\nLOGINDISABLED",
    "IMAP4rev1\nSTARTTLS\nLOGINDISABLED", "IMAP4", "\n\n =\n", "*",
    "FOOBAAR1\nSIZE"};

struct run {
	struct judge *j;
	struct history *h;
	int64_t now;
	uint64_t ordinal, hash, alerts;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
must_end(const char *s, size_t cap)
{
	must(memchr(s, '\0', cap) != NULL);
}

static void
hash_step(struct run *r, const struct step *s)
{
	const uint8_t *p = (const uint8_t *)&s->pkt;

	r->hash = r->hash * 31 + (uint64_t)s->time + s->kind + s->dir;
	for (size_t i = 0; i < sizeof(s->pkt); i++)
		r->hash = r->hash * 31 + p[i];
	for (const char *t = s->text; *t != '\0'; t++)
		r->hash = r->hash * 31 + (uint8_t)*t;
}

static void
check_alert(void *ctx, const struct alert *a)
{
	const struct finding *f = &a->finding;
	struct run *r = ctx;

	must(f->id > FIND_NONE && f->id < FIND_COUNT);
	must(f->confidence > 0 && f->confidence <= 100);
	must(f->nevidence <= FINDING_EVIDENCE_MAX);
	must(a->nsteps <= LADDER_STEPS);
	for (unsigned i = 0; i < f->nevidence; i++)
		must_end(f->evidence[i].text, sizeof(f->evidence[i].text));
	for (unsigned i = 0; i < a->nsteps; i++) {
		must_end(a->steps[i].text, sizeof(a->steps[i].text));
		must(i == 0 || a->steps[i - 1].time <= a->steps[i].time);
	}
	must_end(f->user, sizeof(f->user));
	must_end(a->server_name, sizeof(a->server_name));
	r->alerts++;
	r->hash = r->hash * 31 + f->id * 101 + f->confidence + a->nsteps;
	for (unsigned i = 0; i < a->nsteps; i++)
		hash_step(r, &a->steps[i]);
}

/* ---- one observation ---- */

static void
end_string(char *s, size_t cap)
{
	s[cap - 1] = '\0';
}

static void
end_strings(struct obs *o, const uint8_t *rec)
{
	switch (o->kind) {
	case OBS_GREETING:
		end_string(o->u.greeting.host, OBS_NAME_MAX);
		break;
	case OBS_CAPS:
		end_string(o->u.caps.name, OBS_NAME_MAX);
		strcpy(o->u.caps.words, lists[rec[4] % COUNT(lists)]);
		break;
	case OBS_TLS_ANSWERED:
	case OBS_VERB_UNKNOWN:
	case OBS_TLS_DEMANDED:
		end_string(o->u.answer.verb, OBS_VERB_MAX);
		break;
	case OBS_AUTH:
		end_string(o->u.auth.mech_name, OBS_VERB_MAX);
		end_string(o->u.auth.user, OBS_NAME_MAX);
		break;
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		end_string(o->u.hello.sni, OBS_NAME_MAX);
		end_string(o->u.hello.alpn, OBS_VERB_MAX);
		end_string(o->u.hello.ja3, OBS_JA3_MAX);
		end_string(o->u.hello.ja4, OBS_JA4_MAX);
		break;
	case OBS_CONFLICT:
		end_string(o->u.conflict.first, sizeof(o->u.conflict.first));
		end_string(o->u.conflict.second, sizeof(o->u.conflict.second));
		break;
	case OBS_TWO_ANSWERS:
	case OBS_FIN_UNDONE:
		break;
	default:
		end_string(o->u.verb.verb, OBS_VERB_MAX);
	}
}

static int64_t
step_of(uint8_t b)
{
	if (b == 255)
		return INT64_C(3600000000000);
	return b == 254 ? INT64_C(-1000000000) : b * INT64_C(16000000);
}

static void
one(struct run *r, const uint8_t *rec, const uint8_t *body, size_t len)
{
	struct obs o;
	size_t room;

	memset(&o, 0, sizeof(o));
	obs_init(&o, (enum obs_kind)(rec[0] % (OBS_KIND_COUNT + 1)));
	room = o.size - offsetof(struct obs, u);
	memcpy(&o.u, body, len < room ? len : room);
	r->now += step_of(rec[2]);
	o.flow = rec[1] & 7;
	o.dir = rec[1] >> 3 & 1;
	o.proto = (uint8_t)(PROTO_SMTP + (rec[1] >> 4 & 3) % 3);
	o.implicit_tls = rec[1] >> 6 & 1;
	o.vis = rec[3];
	o.time = r->now;
	o.pkt.time = r->now;
	o.pkt.ordinal = rec[4] & 0x80 ? 0 : ++r->ordinal;
	strcpy(o.text, texts[rec[4] % COUNT(texts)]);
	end_strings(&o, rec);
	if (o.kind == OBS_FLOW_OPEN) { /* few hosts, so that they meet */
		memset(&o.u.flow_open.client, 0, 2 * sizeof(struct addr));
		o.u.flow_open.client.b[15] = rec[5] & 1;
		o.u.flow_open.server.b[15] = 7;
		o.u.flow_open.start = r->now;
	}
	judge_obs(r->j, &o);
}

static uint64_t
play(const uint8_t *data, size_t size, const struct ruleset *rules,
    int64_t rest_after)
{
	struct judge_config cfg;
	struct run r;

	memset(&cfg, 0, sizeof(cfg));
	memset(&r, 0, sizeof(r));
	r.now = INT64_C(1795320000000000000);
	r.h = history_new();
	cfg.history = r.h;
	cfg.rules = rules;
	cfg.sink.alert = check_alert;
	cfg.sink.ctx = &r;
	cfg.max_flows = FLOWS - 2;
	cfg.rest_after = rest_after;
	cfg.incidents = incidents_new(&(struct incidents_config){
	    .fold_after = 3, .window = INT64_C(60000000000)});
	r.j = judge_new(&cfg);
	must(r.h != NULL && r.j != NULL && cfg.incidents != NULL);
	for (int n = 0; n < RECORDS_MAX && size >= RECORD; n++) {
		size_t len = data[5] < size - RECORD ? data[5] : size - RECORD;

		one(&r, data, data + RECORD, len);
		data += RECORD + len;
		size -= RECORD + len;
	}
	judge_flush(r.j);
	incidents_drop(cfg.incidents);
	judge_free(r.j);
	incidents_free(cfg.incidents);
	history_free(r.h);
	return r.hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ruleset *rules;

	if (rules == NULL)
		rules = ruleset_parse("fuzz",
		    "alert tcp any any -> any any (msg:\"m\"; severity:medium; "
		    "sid:1;)\n",
		    NULL, NULL, NULL);
	must(rules != NULL);
	must(play(data, size, rules, 0) == play(data, size, rules, -1));
	return 0;
}
