/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder. One line a step: time, arrow, what was sent; the wrong one is
 * pointed at, with the reason in a few words. What only people who know the
 * protocols understand (a reset, a ClientHello) is said in plain words beside.
 */
#include "sensor/show_ladder.h"

#include <string.h>

#include "db/addr_text.h"

#define INDENT TEXT_INDENT
#define TIME_WIDTH 12
#define TEXT_COLUMN (INDENT + TIME_WIDTH + 6)
#define LINE_MAX_BYTES 1024
#define BRIEF INT64_C(100000000) /* ns */
#define JOINED_MAX \
	(FINDING_EVIDENCE_MAX * (FINDING_SENTENCE_MAX + 16)) /* all sentences */

/* Why the marked step is the wrong one. */
static const char *const reasons[FIND_COUNT] = {
    [FIND_STARTTLS_STRIPPED] = "STARTTLS is missing here",
    [FIND_STARTTLS_MANGLED] = "STARTTLS was made unreadable",
    [FIND_STARTTLS_REFUSED] = "encryption refused",
    [FIND_STARTTLS_IGNORED] = "no STARTTLS where it was due",
    [FIND_STARTTLS_COMMAND_INJECTION] = "put in before encryption began",
    [FIND_STARTTLS_RESPONSE_INJECTION] = "put in before encryption began",
    [FIND_TLS_ABORTED_AFTER_STARTTLS] = "encryption was broken off here",
    [FIND_PLAINTEXT_FALLBACK] = "goes on unencrypted",
    [FIND_EHLO_REFUSED] = "refused, so no STARTTLS can be offered",
    [FIND_CAPABILITY_REFUSED] = "refused, so no STARTTLS can be offered",
    [FIND_PROTOCOL_DOWNGRADE] = "an old protocol without encryption",
    [FIND_AUTH_DOWNGRADE] = "only ways that show the password are left",
    [FIND_IMAP_PREAUTH] = "logged in before anybody logged in",
    [FIND_IMAP_DATA_BEFORE_AUTH] = "nobody has logged in yet",
    [FIND_IMAP_UNSOLICITED_REPLY] = "answers a command nobody sent",
    [FIND_IMAP_REFERRAL] = "sends the client elsewhere",
    [FIND_IMAP_ALERT_IN_CLEAR] = "anybody on the path can write this",
    [FIND_TCP_CONTENT_CONFLICT] = "the same bytes, sent in two versions",
    [FIND_HANDSHAKE_HIJACK] = "a second answer to one request",
    [FIND_CERT_SELF_SIGNED] = "it vouches for itself",
    [FIND_CERT_CHANGED] = "not the certificate seen before",
    [FIND_CERT_NAME_MISMATCH] = "it is for another name",
    [FIND_CERT_EXPIRED] = "it is no longer valid",
    [FIND_CERT_NOT_YET_VALID] = "it is not valid yet",
    [FIND_CERT_INCOMPLETE_CHAIN] = "a link of the chain is missing",
    [FIND_CERT_UNTRUSTED] = "issued by an unknown authority",
    [FIND_CERT_WEAK_KEY] = "its key is weak",
    [FIND_CERT_WEAK_SIGNATURE] = "its signature is weak",
    [FIND_CERT_BAD_USAGE] = "not made for a server",
    [FIND_CERT_INTERCEPTOR] = "made by an intercepting product",
    [FIND_CERT_REVOKED] = "its authority has revoked it",
    [FIND_CERT_BAD_ACCEPTED] = "goes on in spite of the certificate",
    [FIND_CERT_REJECTED_BY_CLIENT] = "the client does not trust it",
    [FIND_TLS_OLD_VERSION] = "weak encryption",
    [FIND_TLS_WEAK_CIPHER] = "weak encryption",
    [FIND_TLS_DOWNGRADE] = "weaker encryption than both sides can do",
    [FIND_TLS_FINGERPRINT_CHANGED] = "not the server's usual answer",
    [FIND_PLAINTEXT_CREDENTIALS] = "everybody on the path can read it",
    [FIND_CHALLENGE_RESPONSE_IN_CLEAR] = "everybody on the path can read it",
    [FIND_PLAINTEXT_MAIL] = "everybody on the path can read it",
};

/* Steps that have no words of their own. */
static const char *
kind_words(uint16_t kind)
{
	switch (kind) {
	case OBS_FLOW_OPEN:
		return "the connection is opened";
	case OBS_FLOW_END:
		return "the connection ends";
	case OBS_RST:
		return "RST";
	case OBS_CONFLICT:
		return "the same bytes again, with another content";
	case OBS_TWO_ANSWERS:
		return "SYN/ACK";
	case OBS_FIN_UNDONE:
		return "FIN";
	case OBS_TLS_CLIENT_HELLO:
		return "TLS ClientHello";
	case OBS_TLS_SERVER_HELLO:
		return "TLS ServerHello";
	case OBS_TLS_CERT:
		return "TLS certificate";
	case OBS_TLS_KEY_EXCHANGE:
		return "TLS key exchange";
	case OBS_TLS_ALERT:
		return "TLS alert";
	case OBS_TLS_DONE:
		return "TLS is established";
	case OBS_TLS_APPDATA:
		return "first encrypted data";
	case OBS_TLS_BROKEN:
		return "bytes that are not TLS";
	case OBS_MAIL_CONTENT:
		return "a message in clear";
	default:
		return obs_kind_name((enum obs_kind)kind);
	}
}

/* What the step means, for who does not know the word; "" if it is plain. */
static const char *
kind_gloss(uint16_t kind)
{
	switch (kind) {
	case OBS_RST:
		return "a reset: ends the connection at once";
	case OBS_FIN_UNDONE:
		return "says that nothing more will come";
	case OBS_TLS_CLIENT_HELLO:
		return "the client begins encryption";
	case OBS_TLS_SERVER_HELLO:
		return "the server agrees to encryption";
	case OBS_TLS_ALERT:
		return "breaks encryption off";
	default:
		return "";
	}
}

/* Was this step sent in somebody else's name? */
static bool
is_forged(const struct alert *a, const struct step *s)
{
	if ((s->mark & STEP_WRONG) == 0)
		return false;
	switch (a->finding.id) {
	case FIND_RST_INJECTED:
	case FIND_FIN_INJECTED:
		return true;
	case FIND_PLAINTEXT_FALLBACK:
	case FIND_TLS_ABORTED_AFTER_STARTTLS:
		return s->kind == OBS_RST &&
		       (a->finding.tags & EVT_AFTER_FORGED_RST) != 0;
	default:
		return false;
	}
}

static const char *
reason_for(const struct alert *a, const struct step *s)
{
	const char *r =
	    a->finding.id < FIND_COUNT ? reasons[a->finding.id] : NULL;

	if (is_forged(a, s))
		return s->dir == DIR_S2C ? "not from the server"
					 : "not from the client";
	return r != NULL ? r : "this is what it is about";
}

static const char *
arrow_for(
    const struct text_style *st, const struct alert *a, const struct step *s)
{
	bool right = s->dir == DIR_C2S;

	if (s->kind == OBS_FLOW_END)
		return " "; /* nobody sent that */
	if (is_forged(a, s))
		return text_sign(
		    st, right ? SIGN_FORGED_RIGHT : SIGN_FORGED_LEFT);
	return text_sign(st, right ? SIGN_RIGHT : SIGN_LEFT);
}

/* Appends after ", " or a space; cut if it does not fit. */
static void
append(char *buf, size_t cap, const char *sep, const char *text)
{
	size_t n = strlen(buf);

	if (text[0] != '\0' && n < cap)
		snprintf(buf + n, cap - n, "%s%s", n != 0 ? sep : "", text);
}

/* "TTL 64 where this server has 57": only where it says something. */
static void
append_ttl(char *buf, size_t cap, const struct alert *a, const struct step *s)
{
	bool server = s->dir == DIR_S2C;
	unsigned usual = server ? a->flow.server_ttl : a->flow.client_ttl;
	char text[80];

	if (s->kind != OBS_RST || s->pkt.ordinal == 0 || usual == 0 ||
	    usual == s->pkt.ttl || strcasestr(buf, "ttl ") != NULL)
		return;
	snprintf(text, sizeof(text), "TTL %u where this %s has %u", s->pkt.ttl,
	    server ? "server" : "client", usual);
	append(buf, cap, ", ", text);
}

static void
step_words(char *buf, size_t cap, const struct alert *a, const struct step *s)
{
	const char *gloss = kind_gloss(s->kind);

	snprintf(
	    buf, cap, "%s", s->text[0] != '\0' ? s->text : kind_words(s->kind));
	append_ttl(buf, cap, a, s);
	if (gloss[0] == '\0')
		return;
	append(buf, cap, " (", gloss);
	append(buf, cap, "", ")");
}

/* ---- lines ---- */

/* Short dialogues are told to the microsecond. */
static void
print_when(FILE *out, const struct alert *a, unsigned i)
{
	int64_t first = a->steps[0].time, last = a->steps[a->nsteps - 1].time;
	char when[TEXT_TIME_MAX];

	if (i == 0)
		text_clock(when, first);
	else
		text_delta(when, a->steps[i].time - first,
		    last - first < BRIEF ? 6 : 3);
	fprintf(out, "%*s%*s  ", INDENT, "", TIME_WIDTH, when);
}

/* Behind the step if there is room, else below it. */
static void
print_mark(
    FILE *out, const struct text_style *st, unsigned column, const char *reason)
{
	unsigned width = st->width != 0 ? st->width : TEXT_WIDTH_PLAIN;
	const char *sign = text_sign(st, SIGN_WRONG);

	if (column + 4 + text_columns(sign) + strlen(reason) <= width)
		fprintf(out, "   %s %s\n", sign, reason);
	else
		fprintf(out, "\n%*s%s %s\n", TEXT_COLUMN, "", sign, reason);
}

static void
print_step(
    FILE *out, const struct text_style *st, const struct alert *a, unsigned i)
{
	const struct step *s = &a->steps[i];
	const char *arrow = arrow_for(st, a, s);
	char words[LINE_MAX_BYTES];
	bool wrong = (s->mark & STEP_WRONG) != 0;
	bool more = wrong && i + 1 < a->nsteps &&
		    (a->steps[i + 1].mark & STEP_WRONG) != 0;
	unsigned column;

	step_words(words, sizeof(words), a, s);
	fputs(wrong ? text_on(st, COLOUR_RED) : "", out);
	print_when(out, a, i);
	fprintf(out, "%s%*s", arrow, 4 - (int)text_columns(arrow), "");
	column = text_wrap(out, st, TEXT_COLUMN, words);
	if (wrong && !more)
		print_mark(out, st, column, reason_for(a, s));
	else
		fputc('\n', out);
	fputs(wrong ? text_off(st) : "", out);
}

/* Between steps: what was left out, and where another connection begins. */
static void
print_break(
    FILE *out, const struct text_style *st, const struct alert *a, unsigned i)
{
	const struct step *s = &a->steps[i];

	if ((s->mark & STEP_SKIPPED) != 0)
		fprintf(out, "%*s%s%*ssteps left out\n",
		    INDENT + TIME_WIDTH + 2, "", text_sign(st, SIGN_SKIPPED), 3,
		    "");
	if ((s->mark & STEP_OTHER_FLOW) == 0 ||
	    (i > 0 && a->steps[i - 1].flow == s->flow))
		return;
	fprintf(out, "%*sin another connection of the two", TEXT_COLUMN, "");
	if (s->client_port != 0)
		fprintf(out, " (client port %u)", s->client_port);
	if (s->server_port != 0 && s->server_port != a->flow.server_port)
		fprintf(out, ", to port %u", s->server_port);
	fputs(":\n", out);
}

static void
print_legend(FILE *out, const struct text_style *st, const struct alert *a)
{
	bool right = false, left = false;

	for (unsigned i = 0; i < a->nsteps; i++) {
		if (!is_forged(a, &a->steps[i]))
			continue;
		right |= a->steps[i].dir == DIR_C2S;
		left |= a->steps[i].dir == DIR_S2C;
	}
	fprintf(out, "\n%*s%s%s from the client, %s from the server", INDENT,
	    "", text_on(st, COLOUR_DIM), text_sign(st, SIGN_RIGHT),
	    text_sign(st, SIGN_LEFT));
	if (right)
		fprintf(out, ", %s in the client's name",
		    text_sign(st, SIGN_FORGED_RIGHT));
	if (left)
		fprintf(out, ", %s in the server's name",
		    text_sign(st, SIGN_FORGED_LEFT));
	fprintf(out, "%s\n", text_off(st));
}

static void
print_steps(FILE *out, const struct text_style *st, const struct alert *a)
{
	for (unsigned i = 0; i < a->nsteps; i++) {
		print_break(out, st, a, i);
		print_step(out, st, a, i);
	}
	if (a->nsteps != 0)
		print_legend(out, st, a);
	else
		fprintf(out, "%*sno steps were kept of this one\n", INDENT, "");
}

static void
print_why(FILE *out, const struct text_style *st, const struct finding *f)
{
	char all[JOINED_MAX] = "", one[FINDING_SENTENCE_MAX + 16], sep[8];

	snprintf(sep, sizeof(sep), " %s ", text_sign(st, SIGN_DOT));
	for (unsigned i = 0; i < f->nevidence; i++) {
		const struct evidence *e = &f->evidence[i];

		if (e->weight != 0)
			snprintf(
			    one, sizeof(one), "%s %+d", e->text, e->weight);
		else
			snprintf(one, sizeof(one), "%s", e->text);
		append(all, sizeof(all), sep, one);
	}
	text_label(out, st, "why", all);
}

static void
print_who(FILE *out, const struct text_style *st, const struct finding *f)
{
	char text[LINE_MAX_BYTES] = "";

	if (f->user[0] != '\0')
		snprintf(text, sizeof(text), "user %s", f->user);
	if (f->mech[0] != '\0') {
		append(text, sizeof(text), ", ", "mechanism ");
		append(text, sizeof(text), "", f->mech);
	}
	text_label(out, st, "login", text);
}

static void
print_cert(FILE *out, const struct text_style *st, const struct query_row *row)
{
	char text[LINE_MAX_BYTES], from[TEXT_TIME_MAX], to[TEXT_TIME_MAX];

	if (row->cert_subject[0] != '\0') {
		text_date(from, row->cert_from);
		text_date(to, row->cert_to);
		snprintf(text, sizeof(text),
		    "%s, issued by %s, valid from %s to %s", row->cert_subject,
		    row->cert_issuer, from, to);
		text_label(out, st, "cert", text);
	}
	if (row->alert.finding.cert_sha256[0] == '\0')
		return;
	snprintf(
	    text, sizeof(text), "SHA-256 %s", row->alert.finding.cert_sha256);
	text_label(out, st, row->cert_subject[0] != '\0' ? "" : "cert", text);
}

static void
print_source(
    FILE *out, const struct text_style *st, const struct query_row *row)
{
	const struct alert *a = &row->alert;
	char text[LINE_MAX_BYTES];

	snprintf(
	    text, sizeof(text), "%u:%u:%u %s", a->gid, a->sid, a->rev, a->msg);
	text_label(out, st, "rule", text);
	if (row->capture[0] == '\0')
		return;
	snprintf(text, sizeof(text), "%s", row->capture);
	if (a->finding.pkt.frame_no != 0)
		snprintf(text, sizeof(text), "%s, packet %u", row->capture,
		    a->finding.pkt.frame_no);
	text_label(out, st, "file", text);
}

/* ---- the top ---- */

static void
print_title(FILE *out, const struct text_style *st, const struct query_row *row)
{
	const struct alert *a = &row->alert;
	const char *severity = severity_name((enum severity)a->severity);
	const struct finding_info *info =
	    finding_info((enum finding_id)a->finding.id);
	unsigned width = st->width != 0 ? st->width : TEXT_WIDTH_PLAIN;
	char left[LINE_MAX_BYTES], right[TEXT_TIME_MAX + 32];
	char when[TEXT_TIME_MAX], title[256];
	unsigned used;

	text_clean(title, sizeof(title),
	    a->finding.id != FIND_NONE ? info->title : row->finding, st);
	snprintf(left, sizeof(left), "#%lld  %s%s%s  %s%s%s",
	    (long long)row->id, text_on(st, text_severity_colour(a->severity)),
	    severity, text_off(st), text_on(st, COLOUR_BOLD), title,
	    text_off(st));
	snprintf(right, sizeof(right), "%s   confidence %u",
	    text_time(when, a->finding.time), a->finding.confidence);
	used = (unsigned)snprintf(
		   NULL, 0, "#%lld  %s  ", (long long)row->id, severity) +
	       text_columns(title);
	if (used + 3 + strlen(right) <= width)
		fprintf(out, "%s%*s%s\n", left,
		    (int)(width - used - strlen(right)), "", right);
	else
		fprintf(out, "%s\n%*s%s\n", left, INDENT, "", right);
}

static void
print_parties(
    FILE *out, const struct text_style *st, const struct query_row *row)
{
	const struct alert *a = &row->alert;
	char client[ENDPOINT_TEXT_MAX], server[ENDPOINT_TEXT_MAX];
	char vis[256], text[LINE_MAX_BYTES], incident[40] = "";

	if (a->incident != 0)
		snprintf(incident, sizeof(incident), "   incident %lld",
		    (long long)a->incident);
	endpoint_to_text(client, &a->flow.client, a->flow.client_port);
	endpoint_to_text(server, &a->flow.server, a->flow.server_port);
	snprintf(text, sizeof(text), "%s  %s  %s%s%s   %s%s   %s%s", client,
	    text_sign(st, SIGN_RIGHT), server,
	    a->server_name[0] != '\0' ? " " : "", a->server_name,
	    proto_name((enum proto)a->proto),
	    a->implicit_tls ? " over TLS" : "",
	    text_visibility(vis, sizeof(vis), a->finding.vis), incident);
	fprintf(out, "%*s", INDENT, "");
	text_wrap(out, st, INDENT, text);
	fputc('\n', out);
}

void
show_ladder(FILE *out, const struct text_style *st, const struct query_row *row)
{
	const struct finding *f = &row->alert.finding;
	const struct finding_info *info = finding_info((enum finding_id)f->id);

	print_title(out, st, row);
	print_parties(out, st, row);
	fputc('\n', out);
	print_steps(out, st, &row->alert);
	fputc('\n', out);
	print_why(out, st, f);
	print_who(out, st, f);
	text_label(
	    out, st, "where", f->where[0] != '\0' ? f->where : info->where);
	text_label(
	    out, st, "next", f->advice[0] != '\0' ? f->advice : info->advice);
	print_cert(out, st, row);
	print_source(out, st, row);
}
