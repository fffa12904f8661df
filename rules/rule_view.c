/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a rule means, in words.
 */
#include "rules/rule_view.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ruleset.h"
#include "rules/visibility.h"

void
ruleset_view(const struct ruleset *set, unsigned i, struct rule_view *out)
{
	static const char *const actions[] = {
	    [RULE_ALERT] = "alert", [RULE_PASS] = "pass", [RULE_LOG] = "log"};
	static const char *const protos[] = {
	    "", "tcp", "tls", "mail", "smtp", "imap", "pop3", "managesieve"};
	const struct rule *r = &set->rules[i];

	*out = (struct rule_view){.sid = r->sid,
	    .gid = r->gid,
	    .rev = r->rev,
	    .action = actions[r->action],
	    .proto = protos[r->proto],
	    .severity = r->severity,
	    .noalert = r->noalert,
	    .by_content = r->nlooks > 0,
	    .msg = r->msg,
	    .classtype = r->classtype,
	    .category = r->category,
	    .reference = r->reference,
	    .metadata = r->metadata,
	    .file = set->files[r->file],
	    .line = r->line,
	    .source = r->source};
}

int
ruleset_find(const struct ruleset *set, uint32_t gid, uint32_t sid)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->rules[i].sid == sid &&
		    (gid == 0 || set->rules[i].gid == gid))
			return (int)i;
	return -1;
}

const char *
ruleset_finding(const struct ruleset *set, unsigned i, unsigned n)
{
	const struct rule *r = &set->rules[i];

	for (unsigned id = FIND_NONE + 1; id < FIND_COUNT; id++)
		if ((r->findings[id / 64] >> (id % 64) & 1) != 0 && n-- == 0)
			return finding_info((enum finding_id)id)->name;
	return NULL;
}

const char *
ruleset_buffer(const struct ruleset *set, unsigned i, unsigned n)
{
	const struct rule *r = &set->rules[i];
	const char *name;

	if (n >= r->nlooks)
		return NULL;
	name = buffer_info((enum rule_buffer)r->looks[n].buffer)->name;
	return name[0] != '\0' ? name : "any line";
}

/* ---- sentences ---- */

static void
say_findings(FILE *f, const struct ruleset *set, unsigned i)
{
	const struct rule *r = &set->rules[i];
	const char *name;

	fprintf(f, "selects\t");
	if (r->any_finding)
		fprintf(f, "every finding");
	for (unsigned n = 0; (name = ruleset_finding(set, i, n)) != NULL; n++)
		fprintf(f, "%s%s", n == 0 ? "finding " : " or ", name);
	if (r->conf_min > 0 || r->conf_max < 100)
		fprintf(f, ", with a confidence of %u to %u", r->conf_min,
		    r->conf_max);
	fputc('\n', f);
	for (unsigned b = 0; b < 32; b++) {
		name = evidence_tag_name(UINT32_C(1) << b);
		if (r->tags_need >> b & 1)
			fprintf(f, "evidence\tmust rest on %s\n", name);
		if (r->tags_not >> b & 1)
			fprintf(f, "evidence\tmust not rest on %s\n", name);
	}
}

static void
say_bytes(FILE *f, const struct check *c)
{
	bool hex = false;

	fputc('"', f);
	for (unsigned i = 0; i < c->len; i++) {
		bool plain = isprint(c->bytes[i]) && c->bytes[i] != '|';

		if (plain == hex) {
			fputc('|', f);
			hex = !plain;
		} else if (hex) {
			fputc(' ', f);
		}
		fprintf(f, plain ? "%c" : "%02x", c->bytes[i]);
	}
	fprintf(f, hex ? "|\"" : "\"");
}

static void
say_content(FILE *f, const struct check *c)
{
	fputs(c->negated ? "without " : "", f);
	say_bytes(f, c);
	if (c->nocase)
		fprintf(f, " in any case");
	if (c->starts)
		fprintf(f, " at its start");
	if (c->ends)
		fprintf(f, " at its end");
	if (c->has_offset)
		fprintf(f, " behind its first %d bytes", c->offset);
	if (c->has_depth)
		fprintf(f, " within %d bytes", c->depth);
	if (c->has_distance)
		fprintf(
		    f, " at least %d bytes behind the one before", c->distance);
	if (c->has_within)
		fprintf(f, " within %d bytes behind the one before", c->within);
}

static void
say_check(FILE *f, const struct check *c)
{
	switch (c->kind) {
	case CHECK_CONTENT:
		say_content(f, c);
		break;
	case CHECK_PCRE:
		fprintf(f, "%sa match of its pcre%s", c->negated ? "no " : "",
		    c->relative ? " behind the one before" : "");
		break;
	case CHECK_BSIZE:
		fprintf(f, "%s%u to %u bytes in all", c->negated ? "not " : "",
		    c->lo, c->hi);
		break;
	default:
		fprintf(f, "%sa byte at %u%s", c->negated ? "not " : "", c->lo,
		    c->relative ? " behind the one before" : "");
		break;
	}
}

static void
say_looks(FILE *f, const struct rule *r)
{
	for (unsigned i = 0; i < r->nlooks; i++) {
		const struct rule_look *k = &r->looks[i];
		const char *name =
		    buffer_info((enum rule_buffer)k->buffer)->name;

		fprintf(
		    f, "looks at\t%s: ", name[0] != '\0' ? name : "each line");
		for (unsigned c = 0; c < k->n; c++) {
			fputs(c == 0 ? "" : ", then ", f);
			say_check(f, &r->checks[k->first + c]);
		}
		fputc('\n', f);
	}
	if (r->nlooks > 1)
		fprintf(f, "looks at\tall of them must hold at one time, each "
			   "for what was seen of it last\n");
}

static void
say_bits(FILE *f, const struct ruleset *set, const struct rule *r)
{
	static const char *const what[] = {[BIT_SET] = "sets",
	    [BIT_UNSET] = "unsets",
	    [BIT_TOGGLE] = "toggles",
	    [BIT_ISSET] = "asks for",
	    [BIT_ISNOTSET] = "asks for the absence of"};
	static const char *const whose[] = {[0] = "of the connection",
	    [TRACK_BY_SRC] = "of the source",
	    [TRACK_BY_DST] = "of the destination",
	    [TRACK_BY_BOTH] = "of the two hosts"};

	for (unsigned i = 0; i < r->nbits; i++) {
		const struct rule_bit *b = &r->bits[i];

		fprintf(f, "bits\t%s %s %s%s\n", what[b->op],
		    set->bits[b->name], whose[b->host],
		    b->or > 0 ? ", or" : "");
		if (b->host != 0 && b->op == BIT_SET)
			fprintf(f, "bits\tfor %u s\n", b->expire);
	}
}

static void
say_limit(FILE *f, const struct rule_limit *l, const char *from)
{
	static const char *const whose[] = {[TRACK_BY_SRC] = "each source",
	    [TRACK_BY_DST] = "each destination",
	    [TRACK_BY_BOTH] = "each pair of hosts",
	    [TRACK_BY_RULE] = "all hosts together"};

	if (l->type == LIMIT_NONE)
		return;
	fprintf(f, "limits\t");
	switch (l->type) {
	case LIMIT_LIMIT:
		fprintf(f, "at most the first %u matches in %u s", l->count,
		    l->seconds);
		break;
	case LIMIT_THRESHOLD:
		fprintf(f, "each %u-th match in %u s", l->count, l->seconds);
		break;
	case LIMIT_BOTH:
		fprintf(f, "once, at match %u in %u s", l->count, l->seconds);
		break;
	case LIMIT_DETECTION:
		fprintf(f, "what comes after %u matches in %u s", l->count,
		    l->seconds);
		break;
	default:
		fprintf(f, "another action after %u matches in %u s, for %u s",
		    l->count, l->seconds, l->timeout);
		break;
	}
	fprintf(f, ", of %s%s\n", whose[l->track], from);
}

static void
say_filters(FILE *f, const struct ruleset *set, const struct rule *r)
{
	for (unsigned i = 0; i < set->nfilters; i++) {
		const struct rule_filter *t = &set->filters[i];
		const char *hosts = t->track == 0 ? "" : ", for some addresses";

		if ((t->gid != 0 && t->gid != r->gid) ||
		    (t->sid != 0 && t->sid != r->sid))
			continue;
		if (t->kind == FILTER_LIMIT)
			say_limit(f, &t->limit, " (threshold.config)");
		else if (t->kind == FILTER_SUPPRESS)
			fprintf(f,
			    "limits\tsuppressed%s (threshold.config, "
			    "line %u)\n",
			    hosts, t->line);
		else
			fprintf(f,
			    "grades\t%s%s (threshold.config, line "
			    "%u)\n",
			    severity_name(t->severity), hosts, t->line);
	}
}

static void
say_history(FILE *f, const struct rule *r)
{
	static const char *const facts[] = {
	    [HIST_SERVER] = "sessions of the server",
	    [HIST_STARTTLS] = "sessions in which it offered STARTTLS",
	    [HIST_PLAINTEXT] = "sessions in which it did not offer STARTTLS",
	    [HIST_TLS] = "TLS handshakes completed with it",
	    [HIST_TLS_FAILED] = "TLS handshakes with it that failed",
	    [HIST_LOGINDISABLED] = "lists with LOGINDISABLED",
	    [HIST_DAYS] = "days on which it was seen",
	    [HIST_CERTIFICATES] = "keys of the server",
	    [HIST_PAIR] = "sessions of these two hosts",
	    [HIST_PAIR_TLS] = "sessions of these two hosts with TLS",
	    [HIST_PAIR_PLAINTEXT] = "sessions of these two hosts in clear"};

	for (unsigned i = 0; i < r->nhistory; i++) {
		const struct rule_history *h = &r->history[i];

		if (h->negated)
			fprintf(f, "history\tno %s\n", facts[h->fact]);
		else if (h->max == UINT32_MAX)
			fprintf(f, "history\t%u or more %s\n", h->min,
			    facts[h->fact]);
		else
			fprintf(f, "history\t%u to %u %s\n", h->min, h->max,
			    facts[h->fact]);
	}
}

static void
say_incident(FILE *f, const struct rule_incident *in)
{
	if (!in->asked)
		return;
	fprintf(f, "incident\tmust be");
	if (in->want_none)
		fprintf(f, " none");
	if (in->want_new)
		fprintf(f, "%s new", in->want_none ? " or" : "");
	if (in->want_open)
		fprintf(
		    f, "%s open", in->want_none || in->want_new ? " or" : "");
	if (in->has_min)
		fprintf(f, " %s or graver", severity_name(in->min));
	fputc('\n', f);
}

static void
say_visibility(FILE *f, const struct rule *r)
{
	static const char *const states[] = {
	    [RULE_VIS_COMPLETE] = "everything was seen",
	    [RULE_VIS_PARTIAL] = "something was missing"};

	if (r->vis_state != RULE_VIS_ANY)
		fprintf(f, "visibility\t%s\n", states[r->vis_state]);
	for (unsigned b = 0; b < 32; b++) {
		if (r->vis_need >> b & 1)
			fprintf(f, "visibility\twith %s\n",
			    vis_name(UINT32_C(1) << b));
		if (r->vis_not >> b & 1)
			fprintf(f, "visibility\twithout %s\n",
			    vis_name(UINT32_C(1) << b));
	}
}

static void
say_header(FILE *f, const struct rule *r)
{
	size_t n = strcspn(r->source, "(");

	while (n > 0 && (r->source[n - 1] == ' ' || r->source[n - 1] == '\t'))
		n--;
	fprintf(
	    f, "hosts\t%.*s\n", (int)n, r->source + strspn(r->source, " \t"));
	if (r->nlooks == 0)
		return;
	if (r->flow == 0 && r->nlooks > 1 &&
	    r->dirs == (RULE_TO_CLIENT | RULE_TO_SERVER))
		fprintf(f, "hosts\tfrom client to server, as it looks at both "
			   "sides\n");
	else if ((r->flow != 0 ? r->flow : r->dirs) == RULE_TO_CLIENT)
		fprintf(f, "hosts\tfrom the server, who says this, to the "
			   "client\n");
}

static void
say_result(FILE *f, const struct rule *r)
{
	if (r->action == RULE_PASS)
		fprintf(f, "then\t%s\n",
		    r->nlooks > 0 ? "no more is said of the connection"
				  : "no other rule sees the finding");
	else if (r->noalert)
		fprintf(f, "then\tno alert: it only sets its bits\n");
	else
		fprintf(f, "then\t%s, severity %s\n",
		    r->action == RULE_LOG ? "a record" : "an alert",
		    severity_name(r->severity));
	if (r->classtype[0] != '\0')
		fprintf(f, "class\t%s: %s\n", r->classtype, r->category);
	if (r->target != 0)
		fprintf(f, "target\tthe %s\n",
		    r->target == TRACK_BY_SRC ? "source" : "destination");
}

char *
ruleset_explain(const struct ruleset *set, unsigned i)
{
	const struct rule *r = &set->rules[i];
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (f == NULL)
		return NULL;
	if (r->nlooks > 0)
		say_looks(f, r);
	else
		say_findings(f, set, i);
	say_visibility(f, r);
	say_history(f, r);
	say_incident(f, &r->incident);
	say_header(f, r);
	say_bits(f, set, r);
	say_limit(f, &r->detection, "");
	say_limit(f, &r->threshold, "");
	say_filters(f, set, r);
	say_result(f, r);
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
