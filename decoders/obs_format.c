/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One line a observation, for logs, -v and the expected results of tests:
 * kind, direction, protocol, phase, then the fields of the kind as name=value
 * in a fixed order, the text of the wire last. Numbers that are 0 and strings
 * that are empty are left out where their absence is what they say.
 */
#include "decoders/obs.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "decoders/sasl.h"

struct out {
	char *p;
	size_t cap, len;
};

__attribute__((format(printf, 2, 3))) static void
put(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->len + 1 >= o->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->p + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	o->len += (size_t)n;
	if (o->len >= o->cap)
		o->len = o->cap - 1;
}

static void
put_flag(struct out *o, const char *name, unsigned on)
{
	if (on != 0)
		put(o, " %s", name);
}

static void
put_num(struct out *o, const char *name, uint64_t v)
{
	if (v != 0)
		put(o, " %s=%" PRIu64, name, v);
}

/* A string in quotes; the '\n' between capabilities shows as '|'. */
static void
put_str(struct out *o, const char *name, const char *s)
{
	if (s[0] == '\0')
		return;
	put(o, " %s=\"", name);
	for (; *s != '\0'; s++)
		put(o, "%c", *s == '\n' ? '|' : *s);
	put(o, "\"");
}

static void
put_hex(struct out *o, const char *name, const uint8_t *p, size_t n)
{
	put(o, " %s=", name);
	for (size_t i = 0; i < n; i++)
		put(o, "%02x", p[i]);
}

static void
put_addr(struct out *o, const struct addr *a, uint16_t port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (memcmp(a->b, mapped, sizeof(mapped)) == 0) {
		put(o, " %u.%u.%u.%u:%u", a->b[12], a->b[13], a->b[14],
		    a->b[15], port);
		return;
	}
	put(o, " ");
	for (unsigned i = 0; i < 16; i += 2)
		put(o, "%s%x", i ? ":" : "[", a->b[i] << 8 | a->b[i + 1]);
	put(o, "]:%u", port);
}

static void
put_names(struct out *o, const char *label, uint32_t bits,
    const char *const *names, unsigned n)
{
	const char *sep = "";

	if (bits == 0)
		return;
	put(o, " %s=", label);
	for (unsigned i = 0; i < n; i++) {
		if ((bits & 1u << i) == 0)
			continue;
		put(o, "%s%s", sep, names[i]);
		sep = ",";
	}
}

static const char *
pick(const char *const *names, unsigned n, unsigned i)
{
	return i < n && names[i] != NULL ? names[i] : "?";
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PICK(names, i) pick(names, COUNT(names), i)

static void
put_flow(struct out *o, const struct obs_flow *f)
{
	put_addr(o, &f->client, f->client_port);
	put(o, " ->");
	put_addr(o, &f->server, f->server_port);
	for (unsigned i = 0; i < f->nvlan && i < COUNT(f->vlan); i++)
		put(o, " vlan=%u", f->vlan[i]);
	put_num(o, "client_ttl", f->client_ttl);
	put_num(o, "server_ttl", f->server_ttl);
}

static void
put_end(struct out *o, const struct obs_end *e)
{
	static const char *const how[] = {[END_FIN] = "fin",
	    [END_RST] = "rst",
	    [END_TIMEOUT] = "timeout",
	    [END_EVICTED] = "evicted",
	    [END_INPUT] = "input",
	    [END_REUSED] = "reused"};

	put(o, " how=%s by=%s", PICK(how, e->how),
	    e->closed_by == DIR_S2C ? "server" : "client");
	put_flag(o, "quit", e->quit);
	put(o, " bytes=%" PRIu64 "/%" PRIu64, e->bytes[0], e->bytes[1]);
	put(o, " packets=%" PRIu64 "/%" PRIu64, e->packets[0], e->packets[1]);
	put_num(o, "gap_c2s", e->gap[0]);
	put_num(o, "gap_s2c", e->gap[1]);
	put_num(o, "unacked_c2s", e->unacked[0]);
	put_num(o, "unacked_s2c", e->unacked[1]);
	put_num(o, "bad_csum", e->bad_csum);
	put_num(o, "dup", e->dup);
	put_num(o, "retrans", e->retrans);
}

static void
put_rst(struct out *o, const struct obs_rst *r)
{
	static const char *const tests[] = {"data-after", "behind-data",
	    "seq-change", "ack-change", "syn-race", "blind", "ttl", "unasked",
	    "ip-id", "old-ttl", "after-fin", "answers-ack", "idle",
	    "after-quit", "crossed", "exact", "alive", "same-after", "train",
	    "silent"};
	static const char *const tools[] = {"none", "tcpkill", "libnids-kill",
	    "ips-reject", "rae", "train-1460"};
	static const char *const places[] = {"unknown", "outside", "syn-other",
	    "over", "fin", "sent", "window", "syn-received", "next", "syn"};

	_Static_assert(COUNT(places) == RST_AT_COUNT, "each has a name");
	put_names(o, "tests", r->tests, tests, COUNT(tests));
	put(o, " count=%" PRIu32 " seq_off=%" PRId32, r->count, r->seq_off);
	put(o, " at=%s ttl=%u/%u", phase_name(r->first_phase), r->ttl_rst,
	    r->ttl_base);
	put(o, " place=%s%+" PRId32, PICK(places, r->place), r->place_off);
	if (r->tool != TOOL_NONE)
		put(o, " tool=%s", PICK(tools, r->tool));
	put_num(o, "data_after", r->data_after);
	if (r->has_mac)
		put_hex(o, "mac", r->mac, sizeof(r->mac));
	if (r->odd_mac)
		put_hex(o, "mac_base", r->mac_base, sizeof(r->mac_base));
}

static void
put_conflict(struct out *o, const struct obs_conflict *c)
{
	static const char *const used[] = {"unknown", "first-acked",
	    "first-sum", "first-end", "first-echo", "first-dup", "second-sum",
	    "second-end"};

	put(o, " len=%" PRIu32 " diff=%" PRIu32, c->len, c->diff);
	put_flag(o, "used_first", c->used_first);
	put_flag(o, "acked_between", c->acked_between);
	put_flag(o, "csum_bad", c->csum_bad);
	if (c->used_by != USED_UNKNOWN)
		put(o, " used_by=%s", PICK(used, c->used_by));
	put_flag(o, "hashed", c->hashed);
	put_flag(o, "masked", c->masked);
	put_num(o, "odd_mac", c->odd_mac);
	put_num(o, "odd_ts", c->odd_ts);
	put_str(o, "first", c->first);
	put_str(o, "second", c->second);
}

static void
put_answers(struct out *o, const struct obs_answers *a)
{
	put(o, " ttl=%u", a->first.ttl);
	put_flag(o, "again", a->again);
	put_flag(o, "taken", a->taken);
}

static void
put_fin(struct out *o, const struct obs_fin *f)
{
	put(o, " beyond=%" PRIu32 " ttl=%u", f->beyond, f->data.ttl);
	put_flag(o, "acked", f->acked);
	put_flag(o, "behind", f->behind);
}

static void
put_proxy(struct out *o, const struct obs_proxy *p)
{
	put(o, " v%u", p->version);
	if (!p->known)
		return;
	put_addr(o, &p->client, p->client_port);
	put(o, " ->");
	put_addr(o, &p->server, p->server_port);
}

static void
put_greeting(struct out *o, const struct obs_greeting *g)
{
	static const char *const kinds[] = {[GREETING_OK] = "ok",
	    [GREETING_PREAUTH] = "preauth",
	    [GREETING_REFUSED] = "refused"};

	put(o, " %s", PICK(kinds, g->kind));
	put_num(o, "code", g->code);
	put_flag(o, "has_caps", g->has_caps);
	put_str(o, "host", g->host);
}

static void
put_mechs(struct out *o, uint32_t mechs)
{
	const char *names[MECH_COUNT];

	for (unsigned i = 0; i < MECH_COUNT; i++)
		names[i] = sasl_mech_name((enum sasl_mech)i);
	put_names(o, "mechs", mechs, names, MECH_COUNT);
}

static void
put_caps(struct out *o, const struct obs_caps *c)
{
	static const char *const sources[] = {[CAPS_EHLO] = "ehlo",
	    [CAPS_HELO] = "helo",
	    [CAPS_GREETING] = "greeting",
	    [CAPS_UNTAGGED] = "untagged",
	    [CAPS_CODE] = "code",
	    [CAPS_CAPA] = "capa"};

	put(o, " %s", PICK(sources, c->source));
	put(o, " %s", c->complete ? "complete" : "incomplete");
	put_flag(o, "refused", c->refused);
	put_flag(o, "after_auth", c->after_auth);
	put_num(o, "code", c->code);
	put_flag(o, "starttls", c->starttls);
	put_flag(o, "logindisabled", c->logindisabled);
	put_mechs(o, c->mechs);
	put_str(o, "name", c->name);
	put(o, " n=%u/%u", c->nwords, c->nlines);
	put_str(o, "words", c->words);
}

static void
put_verb(struct out *o, const struct obs_verb *v)
{
	put_str(o, "verb", v->verb);
	put_num(o, "code", v->code);
	put_flag(o, "ok", v->ok);
	put_flag(o, "repeated", v->repeated);
}

static void
put_answer(struct out *o, const struct obs_answer *a)
{
	static const char *const kinds[] = {[ANSWER_POSITIVE] = "positive",
	    [ANSWER_TEMPFAIL] = "tempfail",
	    [ANSWER_PERMFAIL] = "permfail",
	    [ANSWER_INVALID] = "invalid"};

	put(o, " %s", PICK(kinds, a->kind));
	put_flag(o, "in_tls", a->in_tls);
	put_num(o, "code", a->code);
	put_str(o, "verb", a->verb);
	put_flag(o, "hidden", a->hidden);
}

static void
put_inject(struct out *o, const struct obs_inject *i)
{
	put(o, " bytes=%" PRIu32 " lines=%u", i->bytes, i->lines);
	put_flag(o, "before_answer", i->before_answer);
	put_flag(o, "tls_followed", i->tls_followed);
	put_flag(o, "is_tls", i->is_tls);
}

/* The hash is keyed by the process: only whether there is one is shown. */
static void
put_auth(struct out *o, const struct obs_auth *a)
{
	static const char *const outcomes[] = {
	    "unknown", "ok", "failed", "aborted"};

	put(o, " %s", sasl_mech_name((enum sasl_mech)a->mech));
	put(o, " %s", PICK(outcomes, a->outcome));
	put_str(o, "mech", a->mech_name);
	put_str(o, "user", a->user);
	put_flag(o, "secret_sent", a->secret_sent);
	put_flag(o, "response_sent", a->response_sent);
	put_num(o, "secret_len", a->secret_len);
	put_flag(o, "secret_id", a->secret_id != 0);
	put_num(o, "code", a->code);
}

static void
put_content(struct out *o, const struct obs_content *c)
{
	static const char *const how[] = {"plain", "pgp", "smime"};

	put(o, " bytes=%" PRIu64 " %s", c->bytes, PICK(how, c->protected_));
}

static void
put_list(struct out *o, const char *name, const uint16_t *v, unsigned n)
{
	put(o, " %s=", name);
	for (unsigned i = 0; i < n; i++)
		put(o, "%s%04x", i ? "," : "", v[i]);
}

static unsigned
kept(unsigned n, unsigned max)
{
	return n < max ? n : max;
}

static void
put_hello(struct out *o, const struct obs_hello *h)
{
	put(o, " record=%04x legacy=%04x version=%04x", h->record_version,
	    h->legacy_version, h->version);
	if (h->suite != 0)
		put(o, " suite=%04x", h->suite);
	if (h->group != 0)
		put(o, " group=%04x", h->group);
	put_flag(o, "sslv2", h->sslv2);
	put_num(o, "sentinel", h->sentinel);
	put_flag(o, "retry", h->retry);
	put_flag(o, "resumed", h->resumed);
	put_flag(o, "offers_13", h->offers_13);
	put_flag(o, "fallback_scsv", h->fallback_scsv);
	put_flag(o, "ech", h->ech);
	put_flag(o, "early_data", h->early_data);
	put_flag(o, "psk", h->psk);
	put_num(o, "ticket", h->ticket);
	put_flag(o, "grease", h->grease);
	put_num(o, "sid", h->session_id_len);
	if (h->has_sni)
		put(o, " sni=\"%s\"", h->sni);
	if (h->alpn[0] != '\0')
		put(o, " alpn=\"%s\"", h->alpn);
	if (h->ja3[0] != '\0')
		put(o, " ja3=%s", h->ja3);
	if (h->ja4[0] != '\0')
		put(o, " ja4=%s", h->ja4);
	put_list(o, "suites", h->suites, kept(h->nsuites, OBS_TLS_LIST_MAX));
	put_list(o, "exts", h->exts, kept(h->nexts, OBS_TLS_LIST_MAX));
	if (h->ngroups > 0)
		put_list(o, "groups", h->groups,
		    kept(h->ngroups, OBS_TLS_GROUPS_MAX));
	if (h->nshares > 0)
		put_list(o, "shares", h->shares,
		    kept(h->nshares, OBS_TLS_SHARES_MAX));
}

static void
put_cert(struct out *o, const struct obs_cert *c)
{
	put(o, " %s count=%u bytes=%" PRIu32,
	    c->from_server ? "server" : "client", c->count, c->bytes);
	put_hex(o, "chain", c->chain_id, 8);
}

static void
put_done(struct out *o, const struct obs_done *d)
{
	put(o, " version=%04x suite=%04x", d->version, d->suite);
	put_flag(o, "resumed", d->resumed);
	if (d->said != 0)
		put(o, " said=%02x", d->said);
	if (d->flight != 0)
		put(o, " flight=%" PRIu32 "/%u", d->flight, d->flight_records);
}

static void
put_kex(struct out *o, const struct obs_kex *k)
{
	static const char *const how[] = {"?", "dh", "ecdh", "rsa"};

	put(o, " %s bits=%u", PICK(how, k->how), k->bits);
	if (k->group != 0)
		put(o, " group=%04x", k->group);
}

static void
put_flow_kind(struct out *o, const struct obs *b)
{
	switch (b->kind) {
	case OBS_FLOW_OPEN:
		put_flow(o, &b->u.flow_open);
		break;
	case OBS_FLOW_END:
		put_end(o, &b->u.end);
		break;
	case OBS_RST:
		put_rst(o, &b->u.rst);
		break;
	case OBS_CONFLICT:
		put_conflict(o, &b->u.conflict);
		break;
	case OBS_TWO_ANSWERS:
		put_answers(o, &b->u.answers);
		break;
	case OBS_FIN_UNDONE:
		put_fin(o, &b->u.fin);
		break;
	default:
		break;
	}
}

static void
put_tls_kind(struct out *o, const struct obs *b)
{
	switch (b->kind) {
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		put_hello(o, &b->u.hello);
		break;
	case OBS_TLS_CERT:
		put_cert(o, &b->u.cert);
		break;
	case OBS_TLS_ALERT:
		put(o, " level=%u description=%u", b->u.alert.level,
		    b->u.alert.description);
		break;
	case OBS_TLS_DONE:
	case OBS_TLS_APPDATA:
		put_done(o, &b->u.done);
		break;
	case OBS_TLS_KEY_EXCHANGE:
		put_kex(o, &b->u.kex);
		break;
	case OBS_TLS_BROKEN:
		put_verb(o, &b->u.verb);
		break;
	default:
		break;
	}
}

static void
put_mail_kind(struct out *o, const struct obs *b)
{
	switch (b->kind) {
	case OBS_PROXY:
		put_proxy(o, &b->u.proxy);
		break;
	case OBS_GREETING:
		put_greeting(o, &b->u.greeting);
		break;
	case OBS_CAPS:
		put_caps(o, &b->u.caps);
		break;
	case OBS_TLS_ANSWERED:
	case OBS_VERB_UNKNOWN:
	case OBS_TLS_DEMANDED:
		put_answer(o, &b->u.answer);
		break;
	case OBS_TEXT_BEFORE_TLS:
		put_inject(o, &b->u.inject);
		break;
	case OBS_AUTH:
		put_auth(o, &b->u.auth);
		break;
	case OBS_MAIL_CONTENT:
		put_content(o, &b->u.content);
		break;
	default:
		put_verb(o, &b->u.verb);
		break;
	}
}

static void
put_head(struct out *o, const struct obs *b, bool with_time)
{
	static const char *const vis[] = {"midstream", "one-way", "gap-c2s",
	    "gap-s2c", "truncated", "ambiguous", "cut", "overlong"};
	static const char *const odd[] = {"bare-lf", "nul", "dot"};

	if (with_time)
		put(o, "%" PRId64 ".%09" PRId64 " ", b->time / 1000000000,
		    b->time % 1000000000);
	put(o, "%s %s %s %s", obs_kind_name((enum obs_kind)b->kind),
	    b->dir == DIR_S2C ? "s2c" : "c2s", proto_name((enum proto)b->proto),
	    phase_name((enum phase)b->phase));
	put_flag(o, "implicit", b->implicit_tls);
	put_names(o, "vis", b->vis, vis, COUNT(vis));
	put_names(o, "odd", b->oddities, odd, COUNT(odd));
	for (int d = 0; d < 2; d++)
		if (b->gap[d].bytes > 0)
			put(o, " gap-%s=%" PRIu32 "@%" PRIu32,
			    d == DIR_S2C ? "s2c" : "c2s", b->gap[d].bytes,
			    b->gap[d].at);
}

char *
obs_format(char *buf, size_t cap, const struct obs *b, bool with_time)
{
	struct out o = {buf, cap, 0};

	if (cap == 0)
		return buf;
	buf[0] = '\0';
	put_head(&o, b, with_time);
	if (b->kind <= OBS_FIN_UNDONE)
		put_flow_kind(&o, b);
	else if (b->kind >= OBS_TLS_CLIENT_HELLO)
		put_tls_kind(&o, b);
	else
		put_mail_kind(&o, b);
	put_str(&o, "text", b->text);
	return buf;
}
