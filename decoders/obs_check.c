/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An observation that came from another process is made safe to use: its size
 * is that of its kind, what is used as an index lies in its table, and every
 * string ends. What it says is the sender's business.
 */
#include <string.h>

#include "decoders/obs.h"

#define CLOSE(s) (s)[sizeof(s) - 1] = '\0'
#define CAP(field, count)       \
	if ((field) >= (count)) \
	(field) = 0

/* A time or a span of time that no packet can have is the nearest it can. */
static void
check_time(int64_t *t)
{
	if (*t < 0)
		*t = 0;
	if (*t > OBS_TIME_MAX)
		*t = OBS_TIME_MAX;
}

static void
check_hello(struct obs_hello *h)
{
	CLOSE(h->sni);
	CLOSE(h->alpn);
	CLOSE(h->ja3);
	CLOSE(h->ja4);
}

static void
check_flow(struct obs *o)
{
	switch (o->kind) {
	case OBS_FLOW_OPEN:
		CAP(o->u.flow_open.nvlan, 3);
		check_time(&o->u.flow_open.start);
		break;
	case OBS_FLOW_END:
		CAP(o->u.end.how, END_REUSED + 1);
		CAP(o->u.end.closed_by, 2);
		check_time(&o->u.end.last);
		break;
	case OBS_RST:
		CAP(o->u.rst.place, RST_AT_COUNT);
		CAP(o->u.rst.tool, TOOL_TRAIN_1460 + 1);
		CAP(o->u.rst.first_phase, PHASE_CLOSING + 1);
		check_time(&o->u.rst.idle);
		check_time(&o->u.rst.next.time);
		break;
	case OBS_CONFLICT:
		CAP(o->u.conflict.used_by, USED_SECOND_END + 1);
		CLOSE(o->u.conflict.first);
		CLOSE(o->u.conflict.second);
		check_time(&o->u.conflict.other.time);
		break;
	case OBS_TWO_ANSWERS:
		check_time(&o->u.answers.first.time);
		break;
	case OBS_FIN_UNDONE:
		check_time(&o->u.fin.data.time);
		break;
	default:
		break;
	}
}

static void
check_dialogue(struct obs *o)
{
	switch (o->kind) {
	case OBS_GREETING:
		CLOSE(o->u.greeting.host);
		break;
	case OBS_CAPS:
		CLOSE(o->u.caps.name);
		break;
	case OBS_TLS_ASKED:
	case OBS_CLEAR_USE:
	case OBS_IMAP_EARLY:
	case OBS_IMAP_UNSOLICITED:
	case OBS_IMAP_CODE:
	case OBS_QUIT:
	case OBS_TLS_BROKEN:
		CLOSE(o->u.verb.verb);
		break;
	case OBS_TLS_ANSWERED:
	case OBS_VERB_UNKNOWN:
	case OBS_TLS_DEMANDED:
		CLOSE(o->u.answer.verb);
		break;
	case OBS_AUTH:
		CLOSE(o->u.auth.mech_name);
		CLOSE(o->u.auth.user);
		CAP(o->u.auth.mech, 32);
		CAP(o->u.auth.outcome, AUTH_ABORTED + 1);
		check_time(&o->u.auth.secret_pkt.time);
		break;
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		check_hello(&o->u.hello);
		break;
	default:
		break;
	}
}

static bool
check_caps_size(struct obs *o)
{
	size_t head = offsetof(struct obs, u.caps.words);

	if (o->size <= head || o->size > obs_size(OBS_CAPS))
		return false;
	o->u.caps.words[o->size - head - 1] = '\0';
	return true;
}

/* A line is as long as what it holds. */
static bool
check_size(struct obs *o)
{
	struct obs_line *l = &o->u.line;
	size_t head = offsetof(struct obs, u.line.bytes);

	if (o->kind == OBS_CAPS)
		return check_caps_size(o);
	if (o->kind != OBS_LINE)
		return o->size == obs_size((enum obs_kind)o->kind);
	if (o->size < head || o->size > obs_size(OBS_LINE) ||
	    l->len >= OBS_LINE_MAX || head + l->len + 1 > o->size)
		return false;
	CAP(l->what, LINE_WHAT_COUNT);
	l->bytes[l->len] = '\0';
	return true;
}

bool
obs_check(struct obs *o, size_t len)
{
	if (len < offsetof(struct obs, u) || o->kind == OBS_NONE ||
	    o->kind >= OBS_KIND_COUNT || o->size != len || !check_size(o))
		return false;
	CLOSE(o->text);
	CAP(o->dir, 2);
	CAP(o->proto, PROTO_COUNT);
	CAP(o->phase, PHASE_CLOSING + 1);
	CAP(o->pkt.dir, 2);
	check_time(&o->time);
	check_time(&o->pkt.time);
	check_flow(o);
	check_dialogue(o);
	return true;
}
