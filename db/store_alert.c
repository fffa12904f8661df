/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Alerts to rows.
 *
 * An alert's key says what it is about, not when or from which copy of a
 * capture it was read: a file that is read again after a kill stores nothing
 * twice, nor does the same traffic in two overlapping captures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db/event_id.h"
#include "db/json_text.h"
#include "db/ladder_blob.h"
#include "db/store_priv.h"

#define TAGS_MAX 512
#define VLAN_TEXT_MAX 16

static int64_t
key_of(const struct store *s, const struct alert *a)
{
	return event_alert_key(a, s->cfg.again ? (uint64_t)s->run : 0);
}

static void
tags_text(char buf[TAGS_MAX], uint32_t tags)
{
	size_t n = 0;

	buf[0] = '\0';
	for (unsigned i = 0; i < 32; i++) {
		const char *name = NULL;
		size_t len;

		if ((tags & 1u << i) != 0)
			name = evidence_tag_name(1u << i);
		if (name == NULL || (len = strlen(name)) + n + 2 > TAGS_MAX)
			continue;
		if (n != 0)
			buf[n++] = ',';
		memcpy(buf + n, name, len + 1);
		n += len;
	}
}

/* To be freed. */
static char *
evidence_json(const struct finding *f)
{
	struct json_text t = {0};

	jt_open(&t, '[');
	for (unsigned i = 0; i < f->nevidence && i < FINDING_EVIDENCE_MAX;
	     i++) {
		jt_open(&t, '[');
		jt_int(&t, f->evidence[i].weight);
		jt_string(&t, f->evidence[i].text);
		jt_close(&t, ']');
	}
	jt_close(&t, ']');
	return jt_take(&t);
}

static void
bind_rule(struct binder *b, const struct alert *a)
{
	bind_int(b, a->gid);
	bind_int(b, a->sid);
	bind_int(b, a->rev);
	bind_text(b, a->msg);
	bind_text(b, a->classtype);
	bind_text(b, a->reference);
}

static int
insert_alert(struct store *s, const struct alert *a, int64_t capture)
{
	const struct finding *f = &a->finding;
	const struct finding_info *info = finding_info((enum finding_id)f->id);
	uint8_t ladder[LADDER_BLOB_MAX];
	char tags[TAGS_MAX], *evidence;
	struct binder b;
	int rc = store_stmt(s, ST_ALERT, &b);

	if (rc != SQLITE_OK)
		return rc;
	evidence = evidence_json(f);
	tags_text(tags, f->tags);
	bind_int(&b, key_of(s, a));
	bind_int(&b, s->run);
	bind_int(&b, capture);
	bind_int(&b, (int64_t)a->flow.public_id);
	bind_int(&b, f->time);
	bind_text(&b, info != NULL ? info->name : "");
	bind_int(&b, a->severity);
	bind_int(&b, f->confidence);
	bind_text(&b, tags);
	bind_int(&b, f->vis);
	bind_rule(&b, a);
	bind_text(&b, f->user);
	bind_text(&b, f->mech);
	bind_text(&b, f->cert_sha256);
	bind_text(&b, f->where);
	bind_text(&b, f->advice);
	bind_text(&b, evidence != NULL ? evidence : "[]");
	bind_blob(&b, ladder, ladder_encode(ladder, a));
	bind_int(&b, a->incident);
	rc = store_step(&b);
	free(evidence);
	return rc;
}

static void
vlan_text(char buf[VLAN_TEXT_MAX], const struct obs_flow *f)
{
	buf[0] = '\0';
	if (f->nvlan == 1)
		snprintf(buf, VLAN_TEXT_MAX, "%u", f->vlan[0]);
	else if (f->nvlan > 1)
		snprintf(buf, VLAN_TEXT_MAX, "%u,%u", f->vlan[0], f->vlan[1]);
}

static int
insert_flow(struct store *s, const struct alert *a)
{
	const struct obs_flow *f = &a->flow;
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], vlan[VLAN_TEXT_MAX];
	struct binder b;
	int rc = store_stmt(s, ST_FLOW, &b);

	if (rc != SQLITE_OK)
		return rc;
	vlan_text(vlan, f);
	bind_int(&b, (int64_t)f->public_id);
	bind_int(&b, s->run);
	bind_int(&b, f->start);
	bind_text(&b, addr_to_text(client, &f->client));
	bind_int(&b, f->client_port);
	bind_text(&b, addr_to_text(server, &f->server));
	bind_int(&b, f->server_port);
	bind_int(&b, f->v6);
	bind_text(&b, vlan);
	bind_text(&b, proto_name((enum proto)a->proto));
	bind_int(&b, a->implicit_tls);
	bind_int(&b, f->client_ttl);
	bind_int(&b, f->server_ttl);
	bind_text(&b, a->server_name);
	return store_step(&b);
}

/* SQLITE_OK with *id 0: known already. */
static int
write_alert(
    struct store *s, const struct alert *a, struct store_file *f, int64_t *id)
{
	int rc = store_begin(s);

	*id = 0;
	if (rc == SQLITE_OK && f != NULL)
		rc = store_file_row(s, f);
	if (rc == SQLITE_OK)
		rc = insert_alert(s, a, f != NULL ? f->id : 0);
	if (rc != SQLITE_OK || sqlite3_changes(s->db) == 0)
		return rc;
	*id = sqlite3_last_insert_rowid(s->db);
	rc = insert_flow(s, a);
	if (rc == SQLITE_OK && s->cfg.nfeeds != 0)
		rc = store_alert_event(s, a, f, *id);
	return rc;
}

static void
count_stored(struct store *s, struct store_file *f, int64_t id)
{
	s->counters.alerts++;
	s->batch_alerts++;
	s->rows += 2;
	if (f == NULL)
		return;
	if (f->alerts++ == 0)
		f->first_alert = id;
	f->alert_batch = s->batch;
}

/* The id under which an alert of this key stands, 0 if there is none. */
static int64_t
known_id(struct store *s, const struct alert *a)
{
	struct binder b;
	int64_t id = 0;

	s->counters.duplicates++;
	if (store_stmt(s, ST_ALERT_ID, &b) != SQLITE_OK)
		return 0;
	bind_int(&b, key_of(s, a));
	if (sqlite3_step(b.st) == SQLITE_ROW)
		id = sqlite3_column_int64(b.st, 0);
	sqlite3_reset(b.st);
	return id;
}

/* A row that was stored by a run that was killed: its incident was not, and
 * the one of now takes its place. Returns id. */
static int64_t
adopt(struct store *s, const struct alert *a, int64_t id)
{
	struct binder b;
	int rc;

	if (id == 0 || a->incident == 0)
		return id;
	if ((rc = store_stmt(s, ST_ALERT_INCIDENT, &b)) == SQLITE_OK) {
		bind_int(&b, a->incident);
		bind_int(&b, id);
		rc = store_step(&b);
	}
	if (rc != SQLITE_OK)
		store_trouble(s, rc);
	return id;
}

int64_t
store_alert(struct store *s, const struct alert *a, const char *file)
{
	struct store_file *f = store_file_find(s, file);
	int64_t id = 0;
	int rc;

	if (f != NULL && f->known)
		return known_id(s, a);
	rc = write_alert(s, a, f, &id);
	if (rc != SQLITE_OK) {
		store_trouble(s, rc);
		s->counters.lost++;
		if (f != NULL)
			f->lost = true;
		return 0;
	}
	if (id == 0)
		id = adopt(s, a, known_id(s, a));
	else
		count_stored(s, f, id);
	store_poll(s);
	return id;
}
