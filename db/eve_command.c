/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "db/eve_command.h"

#include <string.h>

#include "db/json_set.h"
#include "decoders/sasl.h"
#include "rules/facts.h"
#include "rules/visibility.h"

bool
eve_is_command(const struct judge_view *v)
{
	if (v->f->proto != PROTO_IMAP && v->f->proto != PROTO_POP3)
		return false;
	return v->o->kind == OBS_CAPS || v->o->kind == OBS_TLS_ANSWERED ||
	       v->o->kind == OBS_AUTH || v->o->kind == OBS_QUIT;
}

/* The mechanism and the user, as far as they were said. */
static void
set_login(json_t *request, const struct obs_auth *a, bool pop3)
{
	json_t *args = json_array();
	const char *command = pop3 ? "AUTH" : "AUTHENTICATE";

	if (a->mech == MECH_IMAP_LOGIN)
		command = "LOGIN";
	else if (a->mech == MECH_USERPASS)
		command = "USER";
	else if (a->mech == MECH_APOP)
		command = "APOP";
	else
		(void)json_array_append_new(args, json_text(a->mech_name));
	if (a->user[0] != '\0')
		(void)json_array_append_new(args, json_text(a->user));
	json_set_text(request, "command", command);
	(void)json_object_set_new(request, "args", args);
}

static json_t *
request(const struct judge_view *v, bool pop3)
{
	json_t *o = json_object();

	switch (v->o->kind) {
	case OBS_AUTH:
		set_login(o, &v->o->u.auth, pop3);
		return o;
	case OBS_CAPS:
		json_set_text(o, "command", pop3 ? "CAPA" : "CAPABILITY");
		break;
	case OBS_TLS_ANSWERED:
		json_set_text(o, "command", pop3 ? "STLS" : "STARTTLS");
		break;
	default:
		json_set_text(o, "command", pop3 ? "QUIT" : "LOGOUT");
		break;
	}
	(void)json_object_set_new(o, "args", json_array());
	return o;
}

/* 1 yes, 0 no, -1 nobody knows. */
static int
succeeded(const struct obs *o)
{
	switch (o->kind) {
	case OBS_CAPS:
		return !o->u.caps.refused;
	case OBS_TLS_ANSWERED:
		return o->u.answer.kind == ANSWER_POSITIVE;
	case OBS_AUTH:
		return o->u.auth.outcome == AUTH_OK	   ? 1
		       : o->u.auth.outcome == AUTH_UNKNOWN ? -1
							   : 0;
	default:
		return o->u.verb.ok;
	}
}

json_t *
eve_command(const struct judge_view *v)
{
	bool pop3 = v->f->proto == PROTO_POP3;
	json_t *o = json_object(), *response;
	int ok = succeeded(v->o);

	(void)json_object_set_new(o, "request", request(v, pop3));
	if (ok == -1)
		return o;
	response = json_object();
	(void)json_object_set_new(response, "success", json_boolean(ok));
	json_set_text(response, "status", ok ? "OK" : pop3 ? "ERR" : "NO");
	if (v->o->kind == OBS_CAPS)
		(void)json_object_set_new(
		    response, "data", json_lines(v->o->u.caps.words));
	(void)json_object_set_new(o, "response", response);
	return o;
}

json_t *
eve_command_own(const struct judge_view *v)
{
	static const char *const outcomes[] = {[AUTH_OK] = "accepted",
	    [AUTH_FAILED] = "refused",
	    [AUTH_ABORTED] = "aborted"};
	const struct obs_auth *a = &v->o->u.auth;
	char vis[VIS_WORDS_MAX];
	json_t *o = json_object();

	json_set_text(o, "visibility", vis_format(vis, sizeof(vis), v->f->vis));
	json_set_text(o, "server_name", v->f->greeting->host);
	if (v->o->kind != OBS_AUTH)
		return o;
	json_set_text(o, "mechanism", a->mech_name);
	json_set_text(o, "user", a->user);
	if (a->outcome != AUTH_UNKNOWN && a->outcome <= AUTH_ABORTED)
		json_set_text(o, "auth", outcomes[a->outcome]);
	return o;
}
