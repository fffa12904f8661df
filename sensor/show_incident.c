/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The timeline, one line a step; the words are those that were stored. */
#include "sensor/show_incident.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "db/addr_text.h"
#include "db/incident_json.h"
#include "db/json_set.h"

#define LINE_MAX_BYTES 1024
#define DAY INT64_C(86400000000000)
#define CLOCK_WIDTH 12
#define TEXT_COLUMN (TEXT_INDENT + CLOCK_WIDTH + 2 + 8 + 2)

const char *
incident_state(char buf[INCIDENT_STATE_MAX], const struct query_incident *row)
{
	if (row->status == TRIAGE_CLOSED)
		snprintf(
		    buf, INCIDENT_STATE_MAX, "closed: %.24s", row->closed_as);
	else
		snprintf(buf, INCIDENT_STATE_MAX, "%s%s",
		    row->ended != 0 ? "ended" : "open",
		    row->status == TRIAGE_ACKNOWLEDGED ? ", acknowledged" : "");
	return buf;
}

const char *
incident_clients(char buf[INCIDENT_WHO_MAX], const struct incident *i)
{
	char addr[ADDR_TEXT_MAX];

	if (i->nclients == 1)
		snprintf(buf, INCIDENT_WHO_MAX, "%s",
		    addr_to_text(addr, &i->client[0]));
	else
		snprintf(buf, INCIDENT_WHO_MAX, "%u%s clients", i->nclients,
		    (i->more & MORE_CLIENTS) != 0 ? " or more" : "");
	return buf;
}

const char *
incident_servers(char buf[INCIDENT_WHO_MAX], const struct incident *i)
{
	char addr[ADDR_TEXT_MAX];

	if (i->nsites <= 1 && i->server_name[0] != '\0')
		snprintf(buf, INCIDENT_WHO_MAX, "%.79s", i->server_name);
	else if (i->nservers == 1)
		snprintf(buf, INCIDENT_WHO_MAX, "%s",
		    addr_to_text(addr, &i->server[0]));
	else
		snprintf(buf, INCIDENT_WHO_MAX, "%u%s servers", i->nservers,
		    (i->more & MORE_SERVERS) != 0 ? " or more" : "");
	return buf;
}

/* ---- for people ---- */

static void
print_title(
    FILE *out, const struct text_style *st, const struct query_incident *row)
{
	const struct incident *i = &row->incident;
	const char *severity = severity_name((enum severity)i->severity);
	unsigned width = st->width != 0 ? st->width : TEXT_WIDTH_PLAIN, used;
	char title[STORY_TEXT_MAX], state[INCIDENT_STATE_MAX], right[96];

	text_clean(title, sizeof(title), row->title, st);
	snprintf(right, sizeof(right), "%s   confidence %u",
	    incident_state(state, row), i->confidence);
	fprintf(out, "incident %lld  %s%s%s  %s%s%s", (long long)row->id,
	    text_on(st, text_severity_colour(i->severity)), severity,
	    text_off(st), text_on(st, COLOUR_BOLD), title, text_off(st));
	used = (unsigned)snprintf(NULL, 0, "incident %lld  %s  ",
		   (long long)row->id, severity) +
	       text_columns(title);
	if (used + 3 + strlen(right) <= width)
		fprintf(out, "%*s%s\n", (int)(width - used - strlen(right)), "",
		    right);
	else
		fprintf(out, "\n%*s%s\n", TEXT_INDENT, "", right);
}

static void
print_who(FILE *out, const struct text_style *st, const struct incident *i)
{
	char clients[INCIDENT_WHO_MAX], servers[INCIDENT_WHO_MAX];
	char addr[ADDR_TEXT_MAX], text[LINE_MAX_BYTES], from[TEXT_TIME_MAX];
	char to[TEXT_TIME_MAX];

	snprintf(text, sizeof(text), "%s  %s  %s%s%s%s  %s",
	    incident_clients(clients, i), text_sign(st, SIGN_RIGHT),
	    incident_servers(servers, i),
	    i->nservers == 1 && i->server_name[0] != '\0' ? " (" : "",
	    i->nservers == 1 && i->server_name[0] != '\0'
		? addr_to_text(addr, &i->server[0])
		: "",
	    i->nservers == 1 && i->server_name[0] != '\0' ? ")" : "",
	    proto_name((enum proto)i->proto));
	fprintf(out, "%*s", TEXT_INDENT, "");
	text_wrap(out, st, TEXT_INDENT, text);
	snprintf(text, sizeof(text), "%s to %s, %u connection%s, %u alert%s",
	    text_time_seconds(from, i->first), text_time_seconds(to, i->last),
	    i->sessions, i->sessions == 1 ? "" : "s", i->alerts,
	    i->alerts == 1 ? "" : "s");
	fprintf(out, "\n%*s", TEXT_INDENT, "");
	text_wrap(out, st, TEXT_INDENT, text);
	fputs("\n\n", out);
}

static void
print_step(FILE *out, const struct text_style *st, const struct incident *i,
    unsigned at)
{
	const struct incident_step *s = &i->step[at];
	char clock[TEXT_TIME_MAX], addr[ADDR_TEXT_MAX];
	char text[LINE_MAX_BYTES], last[TEXT_TIME_MAX];
	bool was = s->finding == FIND_NONE;
	int n = 0;

	fprintf(out, "%*s%s  %s%-8s%s  ", TEXT_INDENT, "",
	    text_clock(clock, s->first),
	    text_on(st, was ? COLOUR_DIM : text_severity_colour(s->severity)),
	    was ? "before" : severity_name((enum severity)s->severity),
	    text_off(st));
	if (!was && i->nclients > 1)
		n = snprintf(
		    text, sizeof(text), "%s: ", addr_to_text(addr, &s->client));
	n +=
	    snprintf(text + n, sizeof(text) - (size_t)n, "%s", i->sentence[at]);
	if (s->count > 1)
		snprintf(text + n, sizeof(text) - (size_t)n,
		    " (%u times until %s)", s->count,
		    text_clock(last, s->last));
	text_wrap(out, st, TEXT_COLUMN, text);
	fputc('\n', out);
}

static void
print_timeline(FILE *out, const struct text_style *st, const struct incident *i)
{
	char date[TEXT_TIME_MAX];
	int64_t day = INT64_MIN;

	for (uint32_t n = 0; n < i->nsteps; n++) {
		const struct incident_step *s = &i->step[i->order[n]];

		if (n == INCIDENT_STEPS_FIRST && i->steps_out != 0)
			fprintf(out, "%*s%s %u more\n", TEXT_INDENT, "",
			    text_sign(st, SIGN_SKIPPED), i->steps_out);
		if (s->first / DAY != day) {
			day = s->first / DAY;
			fprintf(out, "%*s%s\n", TEXT_INDENT, "",
			    text_date(date, s->first / 1000000000));
		}
		print_step(out, st, i, i->order[n]);
	}
	fputc('\n', out);
}

static void
print_alerts(
    FILE *out, const struct text_style *st, const struct query_incident *row)
{
	char text[LINE_MAX_BYTES];
	int n;

	if (row->nalerts == 0)
		return;
	n = snprintf(text, sizeof(text),
	    "%lld in the database: stripwire alerts --incident %lld; stripwire "
	    "show %lld",
	    (long long)row->nalerts, (long long)row->id,
	    (long long)row->first_alert);
	if (row->incident.folded != 0)
		snprintf(text + n, sizeof(text) - (size_t)n,
		    "; %u more like them are only counted",
		    row->incident.folded);
	text_label(out, st, "alert", text);
}

void
show_incident(
    FILE *out, const struct text_style *st, const struct query_incident *row)
{
	print_title(out, st, row);
	print_who(out, st, &row->incident);
	print_timeline(out, st, &row->incident);
	text_label(out, st, "where", row->cause);
	text_label(out, st, "next", row->advice);
	print_alerts(out, st, row);
}

void
show_note(FILE *out, const struct text_style *st, const struct query_note *n)
{
	char text[LINE_MAX_BYTES + 2048], when[TEXT_TIME_MAX];

	snprintf(text, sizeof(text), "%s %s: %s%s%s%s%s",
	    text_time_seconds(when, n->time), n->author, n->what,
	    n->closed_as[0] != '\0' ? " as " : "", n->closed_as,
	    n->text[0] != '\0' ? ": " : "", n->text);
	text_label(out, st, "note", text);
}

/* ---- for programs ---- */

int
incident_json_print(FILE *out, const struct query_incident *row)
{
	const struct incident *i = &row->incident;
	char state[INCIDENT_STATE_MAX], stages[64], *detail;
	json_t *o = json_object();
	int rc;

	json_set_number(o, "id", (uint64_t)row->id);
	json_set_text(o, "severity", severity_name((enum severity)i->severity));
	json_set_number(o, "confidence", i->confidence);
	json_set_text(o, "state", incident_state(state, row));
	json_set_text(o, "title", row->title);
	json_set_text(o, "story", story_name((enum incident_story)i->story));
	json_set_text(
	    o, "stages", stages_text(stages, sizeof(stages), i->stages));
	json_set_time(o, "first", i->first);
	json_set_time(o, "last", i->last);
	json_set_number(o, "sessions", i->sessions);
	json_set_number(o, "alerts", i->alerts);
	json_set_number(o, "alerts_folded", i->folded);
	json_set_text(o, "where", row->cause);
	json_set_text(o, "advice", row->advice);
	detail = incident_to_json(i);
	if (detail != NULL)
		(void)json_object_set_new(
		    o, "detail", json_loads(detail, 0, NULL));
	free(detail);
	rc = json_dumpf(o, out, JSON_COMPACT);
	json_decref(o);
	return rc == 0 && fputc('\n', out) != EOF ? 0 : -1;
}
