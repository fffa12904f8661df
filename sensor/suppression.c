/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One means for each kind of finding; a line in threshold.config for all
 * others. */
#include "sensor/suppression.h"

#include <string.h>

#include "db/addr_text.h"
#include "db/query.h"
#include "rules/incident_story.h"

#define LINE_MAX_BYTES 512

struct offer {
	FILE *out;
	bool causes; /* only what began it: the rest follows from that */
	unsigned n;
	char told[SUPPRESSIONS_TOLD][LINE_MAX_BYTES];
};

struct server {
	char addr[ADDR_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];
};

static void
accept_change(char *line, const struct server *s)
{
	snprintf(line, LINE_MAX_BYTES,
	    "the server really stopped offering STARTTLS:\n"
	    "    stripwire history ack %s",
	    s->endpoint);
}

static void
accept_device(char *line)
{
	snprintf(line, LINE_MAX_BYTES,
	    "a device of your own sends such resets; in stripwire.conf:\n"
	    "    authorized_resetters: [the MAC address its frames come from]");
}

static void
accept_interceptor(char *line, const struct server *s)
{
	snprintf(line, LINE_MAX_BYTES,
	    "the intercepting product is your own:\n"
	    "    stripwire history pin %s interceptor=allowed",
	    s->endpoint);
}

static void
accept_certificate(char *line, const struct server *s, const struct finding *f)
{
	snprintf(line, LINE_MAX_BYTES,
	    "the certificate is the server's own:\n"
	    "    stripwire history pin %s key=%s",
	    s->endpoint, f->cert_sha256);
}

static void
suppress(char *line, const struct server *s, const struct alert *a)
{
	snprintf(line, LINE_MAX_BYTES,
	    "silence rule %u for this server; in threshold.config:\n"
	    "    suppress gen_id %u, sig_id %u, track by_dst, ip %s",
	    a->sid, a->gid, a->sid, s->addr);
}

static void
choose(char *line, const struct alert *a)
{
	const struct finding *f = &a->finding;
	struct server s;

	(void)addr_to_text(s.addr, &a->flow.server);
	(void)endpoint_to_text(
	    s.endpoint, &a->flow.server, a->flow.server_port);
	switch ((enum finding_id)f->id) {
	case FIND_STARTTLS_STRIPPED:
		accept_change(line, &s);
		return;
	case FIND_RST_INJECTED:
	case FIND_FIN_INJECTED:
		accept_device(line);
		return;
	case FIND_CERT_INTERCEPTOR:
		accept_interceptor(line, &s);
		return;
	case FIND_CERT_SELF_SIGNED:
	case FIND_CERT_CHANGED:
	case FIND_CERT_NAME_MISMATCH:
	case FIND_CERT_UNTRUSTED:
		if (f->cert_sha256[0] != '\0') {
			accept_certificate(line, &s, f);
			return;
		}
		break;
	default:
		break;
	}
	suppress(line, &s, a);
}

static int
offer_row(void *ctx, const struct query_row *row)
{
	struct offer *o = ctx;
	char line[LINE_MAX_BYTES];

	if (o->causes &&
	    (story_stage(&row->alert.finding) & STAGE_INTERFERED) == 0)
		return 0;
	choose(line, &row->alert);
	for (unsigned i = 0; i < o->n; i++)
		if (strcmp(o->told[i], line) == 0)
			return 0;
	if (o->n == SUPPRESSIONS_TOLD)
		return 1;
	if (o->n == 0)
		fputs("so that it is not raised again, if that is true:\n",
		    o->out);
	fprintf(o->out, "  %s\n", line);
	memcpy(o->told[o->n++], line, sizeof(line));
	return 0;
}

static int
offer_all(struct offer *o, struct query *q, enum triage_kind kind, int64_t id,
    char *err, size_t errlen)
{
	struct query_filter f;

	query_filter_init(&f);
	f.min_severity = SEV_LOW;
	if (kind == TRIAGE_ALERT)
		f.id = id;
	else
		f.incident = id;
	return query_each(q, &f, offer_row, o, err, errlen) == -1 ? -1 : 0;
}

int
suppression_offer(FILE *out, const char *db, enum triage_kind kind,
    const int64_t *ids, unsigned n, char *err, size_t errlen)
{
	static struct offer o;
	struct query *q = query_open(db, err, errlen);
	int rc = q != NULL ? 0 : -1;

	memset(&o, 0, sizeof(o));
	o.out = out;
	o.causes = kind == TRIAGE_INCIDENT;
	for (unsigned i = 0; rc == 0 && i < n; i++)
		rc = offer_all(&o, q, kind, ids[i], err, errlen);
	o.causes = false;
	for (unsigned i = 0; rc == 0 && o.n == 0 && i < n; i++)
		rc = offer_all(&o, q, kind, ids[i], err, errlen);
	query_close(q);
	return rc;
}
