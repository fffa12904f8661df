/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/secrets.h"

#include <string.h>

const struct secret_seen *
secrets_same(const struct secrets *s, const struct obs *o)
{
	if (o->kind != OBS_AUTH || o->u.auth.secret_id == 0)
		return NULL;
	for (unsigned i = 0; i < SECRETS_MAX; i++)
		if (s->seen[i].id == o->u.auth.secret_id)
			return &s->seen[i];
	return NULL;
}

void
secrets_remember(struct secrets *s, const struct obs *o)
{
	const struct obs_auth *a = &o->u.auth;
	struct secret_seen *to;

	if (a->secret_id == 0 || !a->secret_sent || secrets_same(s, o) != NULL)
		return;
	to = &s->seen[s->next];
	s->next = (s->next + 1) % SECRETS_MAX;
	to->id = a->secret_id;
	to->time = o->time;
	memcpy(to->user, a->user, sizeof(to->user));
}
