/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of detectors, and what they share. Order matters in one way only:
 * a later row sees what earlier rows found on the same observation
 * (detect_has), so that consequences stand behind their causes.
 */
#include "rules/detect.h"

#include <string.h>

#define SERIOUS 50 /* less is a suspicion */
#define ON(kind) DETECT_ON(OBS_##kind)
#define OF(proto) (1u << PROTO_##proto)

const struct detector detectors[] = {
    {.name = "reset", .fn = detect_reset, .kinds = ON(RST)},
    {.name = "conflict", .fn = detect_conflict, .kinds = ON(CONFLICT)},
    {.name = "hijack", .fn = detect_hijack, .kinds = ON(TWO_ANSWERS)},
    {.name = "fin", .fn = detect_fin, .kinds = ON(FIN_UNDONE)},
    {.name = "tls",
	.fn = detect_tls,
	.kinds = ON(TLS_SERVER_HELLO) | ON(TLS_KEY_EXCHANGE) | ON(TLS_ALERT) |
		 ON(TLS_DONE) | ON(FLOW_END),
	.of_tls = true},
    {.name = "stack",
	.fn = detect_stack,
	.kinds = ON(FLOW_END),
	.of_tls = true},
    {.name = "pinned",
	.fn = detect_pinned,
	.kinds = ON(TLS_SERVER_HELLO) | ON(TLS_CERT)},
    {.name = "port",
	.fn = detect_port,
	.kinds = ON(GREETING) | ON(TLS_SERVER_HELLO)},
    {.name = "cert",
	.fn = detect_cert,
	.kinds = ON(TLS_CERT) | ON(TLS_DONE) | ON(TLS_APPDATA) | ON(TLS_ALERT)},
    {.name = "mangled", .fn = detect_mangled, .kinds = ON(CAPS)},
    {.name = "verb",
	.fn = detect_verb,
	.kinds = ON(VERB_UNKNOWN) | ON(CLEAR_USE) | ON(AUTH)},
    {.name = "demanded", .fn = detect_demanded, .kinds = ON(TLS_DEMANDED)},
    {.name = "strip",
	.fn = detect_strip,
	.kinds = ON(CLEAR_USE) | ON(AUTH) | ON(FLOW_END)},
    {.name = "ehlo",
	.fn = detect_ehlo,
	.kinds = ON(CAPS),
	.protos = OF(SMTP),
	.of_helo = true},
    {.name = "capability",
	.fn = detect_capability,
	.kinds = ON(CLEAR_USE) | ON(AUTH)},
    {.name = "old-imap",
	.fn = detect_old_imap,
	.kinds = ON(GREETING) | ON(CAPS),
	.protos = OF(IMAP)},
    {.name = "old-smtp",
	.fn = detect_old_smtp,
	.kinds = ON(CAPS),
	.protos = OF(SMTP),
	.of_helo = true},
    {.name = "refused",
	.fn = detect_refused,
	.kinds = ON(TLS_ANSWERED) | ON(CLEAR_USE) | ON(AUTH)},
    {.name = "ignored",
	.fn = detect_ignored,
	.kinds = ON(CLEAR_USE) | ON(AUTH)},
    {.name = "unlike-before",
	.fn = detect_unlike_before,
	.kinds = ON(CLEAR_USE)},
    {.name = "auth-list",
	.fn = detect_auth_list,
	.kinds = ON(CLEAR_USE) | ON(AUTH)},
    {.name = "new-offer",
	.fn = detect_new_offer,
	.kinds = ON(CAPS) | ON(TLS_CERT)},
    {.name = "injected-text",
	.fn = detect_injected_text,
	.kinds = ON(TEXT_BEFORE_TLS)},
    {.name = "imap",
	.fn = detect_imap,
	.kinds = ON(GREETING) | ON(IMAP_EARLY) | ON(IMAP_UNSOLICITED) |
		 ON(IMAP_CODE),
	.protos = OF(IMAP) | OF(SIEVE)},
    {.name = "aborted",
	.fn = detect_aborted,
	.kinds = ON(TLS_ALERT) | ON(CLEAR_USE) | ON(FLOW_END),
	.of_tls = true},
    {.name = "creds", .fn = detect_creds, .kinds = ON(AUTH)},
    {.name = "plain-mail", .fn = detect_plain_mail, .kinds = ON(MAIL_CONTENT)},
    {.name = "fallback",
	.fn = detect_fallback,
	.kinds =
	    ON(CLEAR_USE) | ON(AUTH) | ON(TLS_ALERT) | ON(RST) | ON(FLOW_END)},
};
const unsigned detector_count = sizeof(detectors) / sizeof(detectors[0]);
_Static_assert(sizeof(detectors) / sizeof(detectors[0]) <= 32,
    "rows are bits of a 32 bit mask");

const struct finding *
detect_got(const struct detect_ctx *c, enum finding_id id)
{
	for (unsigned i = 0; i < c->nout; i++)
		if (c->out[i].id == id && c->out[i].confidence > 0)
			return &c->out[i];
	return NULL;
}

bool
detect_has(const struct detect_ctx *c, enum finding_id id)
{
	return facts_raised(c->f, id) || detect_got(c, id) != NULL;
}

static uint32_t
odd_tags(uint8_t oddities)
{
	return (oddities & ODD_BARE_LF ? EVT_BARE_LF : 0u) |
	       (oddities & ODD_NUL ? EVT_NUL : 0u) |
	       (oddities & ODD_DOT ? EVT_ODD_DOT : 0u);
}

struct finding *
detect_find_again(struct detect_ctx *c, enum finding_id id)
{
	struct finding *f;

	if (c->nout == DETECT_MAX) {
		c->overflow++;
		return NULL;
	}
	f = &c->out[c->nout++];
	finding_init(f, id, c->o);
	f->vis |= c->f->vis;
	f->tags |= odd_tags(c->f->oddities);
	return f;
}

struct finding *
detect_find(struct detect_ctx *c, enum finding_id id)
{
	return detect_has(c, id) ? NULL : detect_find_again(c, id);
}

void
detect_at(struct finding *f, const struct moment *m)
{
	if (m->time == 0)
		return;
	f->time = m->time;
	if (m->pkt.ordinal != 0)
		f->pkt = m->pkt;
}

bool
finding_is_attack(enum finding_id id)
{
	static const uint64_t attacks =
	    UINT64_C(1) << FIND_STARTTLS_STRIPPED |
	    UINT64_C(1) << FIND_STARTTLS_MANGLED |
	    UINT64_C(1) << FIND_STARTTLS_REFUSED |
	    UINT64_C(1) << FIND_STARTTLS_IGNORED |
	    UINT64_C(1) << FIND_STARTTLS_COMMAND_INJECTION |
	    UINT64_C(1) << FIND_STARTTLS_RESPONSE_INJECTION |
	    UINT64_C(1) << FIND_TLS_ABORTED_AFTER_STARTTLS |
	    UINT64_C(1) << FIND_PLAINTEXT_FALLBACK |
	    UINT64_C(1) << FIND_EHLO_REFUSED |
	    UINT64_C(1) << FIND_CAPABILITY_REFUSED |
	    UINT64_C(1) << FIND_PROTOCOL_DOWNGRADE |
	    UINT64_C(1) << FIND_AUTH_DOWNGRADE |
	    UINT64_C(1) << FIND_IMAP_PREAUTH |
	    UINT64_C(1) << FIND_IMAP_DATA_BEFORE_AUTH |
	    UINT64_C(1) << FIND_IMAP_UNSOLICITED_REPLY |
	    UINT64_C(1) << FIND_RST_INJECTED |
	    UINT64_C(1) << FIND_FIN_INJECTED |
	    UINT64_C(1) << FIND_TCP_CONTENT_CONFLICT |
	    UINT64_C(1) << FIND_HANDSHAKE_HIJACK |
	    UINT64_C(1) << FIND_CERT_CHANGED |
	    UINT64_C(1) << FIND_CERT_INTERCEPTOR |
	    UINT64_C(1) << FIND_TLS_DOWNGRADE |
	    UINT64_C(1) << FIND_TLS_FINGERPRINT_CHANGED;

	return (unsigned)id < FIND_COUNT && (attacks >> id & 1) != 0;
}

bool
finding_is_suspicion(const struct finding *n)
{
	if (n->id == FIND_EHLO_REFUSED && n->confidence < SERIOUS &&
	    (n->tags & EVT_NO_HISTORY) != 0)
		return false;
	if ((n->id == FIND_STARTTLS_IGNORED || n->id == FIND_CERT_CHANGED ||
		n->id == FIND_TLS_FINGERPRINT_CHANGED) &&
	    n->confidence < SERIOUS)
		return false;
	return finding_is_attack((enum finding_id)n->id) &&
	       (n->tags & EVT_STARTTLS_IS_NEW) == 0;
}

void
finding_say_gaps(struct finding *n, const struct facts *f)
{
	static const uint32_t bits[] = {VIS_GAP_C2S, VIS_GAP_S2C};

	for (int d = 0; d < 2; d++) {
		const struct obs_gap *g = &f->rare->gap[d];

		if ((n->vis & bits[d]) == 0 || (n->vis & VIS_ONE_WAY) != 0 ||
		    g->bytes == 0)
			continue;
		finding_add(n, 0,
		    "%u byte%s of the %s not captured, the first of them "
		    "behind %u",
		    g->bytes, g->bytes == 1 ? "" : "s",
		    d == DIR_S2C ? "server" : "client", g->at);
	}
}
