/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What rows of alerts refer to: their connections, and what many of them have
 * in common.
 *
 * Connections are numbered in the order in which they come, so that new rows
 * stand one after the other. Which of them have a row is known from a table of
 * those of late; each place of it says how late began what had to make room
 * there, and only what is not later than that is looked for in the database.
 */
#include <stdio.h>
#include <string.h>

#include "db/store_priv.h"

#define TAGS_MAX 512
#define VLAN_TEXT_MAX 16

/* The first column of the first row; 0: there is none. */
static int
ask(struct binder *b, int64_t *out)
{
	*out = 0;
	if (sqlite3_step(b->st) == SQLITE_ROW)
		*out = sqlite3_column_int64(b->st, 0);
	return sqlite3_reset(b->st);
}

/* ---- flows ---- */

static void
vlan_text(char buf[VLAN_TEXT_MAX], const struct obs_flow *f)
{
	buf[0] = '\0';
	if (f->nvlan == 1)
		snprintf(buf, VLAN_TEXT_MAX, "%u", f->vlan[0]);
	else if (f->nvlan > 1)
		snprintf(buf, VLAN_TEXT_MAX, "%u,%u", f->vlan[0], f->vlan[1]);
}

/* Columns as in the schema. */
static int
add_row(
    struct store *s, enum store_rows which, const struct alert *a, int64_t n)
{
	const struct obs_flow *f = &a->flow;
	char client[ADDR_TEXT_MAX], server[ADDR_TEXT_MAX], vlan[VLAN_TEXT_MAX];
	struct rows *r = s->waiting[which];

	vlan_text(vlan, f);
	rows_int(r, n);
	rows_int(r, (int64_t)f->public_id);
	rows_int(r, s->run);
	rows_int(r, f->start);
	rows_text(r, addr_to_text(client, &f->client));
	rows_int(r, f->client_port);
	rows_text(r, addr_to_text(server, &f->server));
	rows_int(r, f->server_port);
	rows_int(r, f->v6);
	rows_any_text(r, vlan);
	rows_text(r, proto_name((enum proto)a->proto));
	rows_int(r, a->implicit_tls);
	rows_int(r, f->client_ttl);
	rows_int(r, f->server_ttl);
	rows_any_text(r, a->server_name);
	return rows_end(r);
}

/* The number of its row in the database, 0 if there is none. */
static int
standing(struct store *s, const struct obs_flow *f, int64_t *n)
{
	struct binder b;
	int rc = s->flow_hidden ? store_write_flows(s) : SQLITE_OK;

	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_FLOW_N, &b);
	if (rc != SQLITE_OK)
		return rc;
	bind_int(&b, f->start);
	bind_int(&b, (int64_t)f->public_id);
	return ask(&b, n);
}

/* Makes room for f. */
static void
empty_slot(struct store *s, struct store_flow *slot, const struct obs_flow *f)
{
	int64_t gone = slot->gone;

	if (slot->n != 0 && slot->start > gone)
		gone = slot->start;
	if (slot->n >= s->flows_written)
		s->flow_hidden = true;
	*slot = (struct store_flow){
	    .id = f->public_id, .start = f->start, .gone = gone};
}

/* Its row, of which nothing is known in memory: *stands, or a new number. */
static int
find_row(struct store *s, struct store_flow *slot, const struct obs_flow *f,
    bool *stands)
{
	int rc = SQLITE_OK;
	int64_t n = 0;

	empty_slot(s, slot, f);
	if (f->start <= slot->gone || f->start <= s->flows_before)
		rc = standing(s, f, &n);
	*stands = n != 0;
	if (rc == SQLITE_OK)
		slot->n = *stands ? n : s->next_flow++;
	if (f->start > s->newest_flow)
		s->newest_flow = f->start;
	return rc;
}

/* A row that stands would only change with another protocol or name. */
int
store_flow(struct store *s, const struct alert *a, int64_t *n)
{
	const struct obs_flow *f = &a->flow;
	struct store_flow *slot = &s->flows[f->public_id % STORE_FLOWS];
	bool seen =
	    slot->n != 0 && slot->id == f->public_id && slot->start == f->start;
	bool stands = seen;
	uint32_t name = 0;
	int rc = SQLITE_OK;

	if (a->server_name[0] != '\0')
		name = hash32_text(a->server_name);
	if (!seen)
		rc = find_row(s, slot, f, &stands);
	*n = slot->n;
	if (rc != SQLITE_OK || (seen && slot->proto == a->proto &&
				   (name == 0 || name == slot->name)))
		return rc;
	slot->proto = a->proto;
	if (name != 0)
		slot->name = name;
	return add_row(s, stands ? ROWS_FLOWS_CHANGED : ROWS_FLOWS, a, slot->n);
}

int
store_write_flows(struct store *s)
{
	int rc = store_append_rows(s, ROWS_FLOWS, ST_FLOWS_NEXT, &s->last_flow);

	if (rc == SQLITE_OK)
		rc = store_write_rows(s, ROWS_FLOWS_CHANGED);
	s->flows_written = s->next_flow;
	s->flow_hidden = false;
	return rc;
}

void
store_flows_forget(struct store *s)
{
	memset(s->flows, 0, sizeof(s->flows));
	s->flows_before = s->newest_flow;
	s->last_flow = STORE_LAST_UNKNOWN;
	s->flow_hidden = rows_count(s->waiting[ROWS_FLOWS]) != 0;
}

/* ---- kinds ---- */

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

static bool
is_kind(const struct store_kind *k, const struct alert *a)
{
	return k->sid == a->sid && k->gid == a->gid && k->rev == a->rev &&
	       k->finding == a->finding.id && k->severity == a->severity &&
	       k->tags == a->finding.tags && strcmp(k->msg, a->msg) == 0 &&
	       strcmp(k->classtype, a->classtype) == 0 &&
	       strcmp(k->reference, a->reference) == 0;
}

/* Columns as in both statements. */
static int
bind_kind(struct store *s, enum store_stmt which, const struct alert *a,
    const char *tags, struct binder *b)
{
	const struct finding_info *info =
	    finding_info((enum finding_id)a->finding.id);
	int rc = store_stmt(s, which, b);

	if (rc != SQLITE_OK)
		return rc;
	bind_int(b, a->sid);
	bind_int(b, a->gid);
	bind_int(b, a->rev);
	bind_text(b, info != NULL ? info->name : "");
	bind_int(b, a->severity);
	bind_text(b, tags);
	bind_text(b, a->msg);
	bind_text(b, a->classtype);
	bind_text(b, a->reference);
	return SQLITE_OK;
}

/* The row in the database, which is made if there is none. */
static int
kind_row(struct store *s, const struct alert *a, int64_t *id)
{
	char tags[TAGS_MAX];
	struct binder b;
	int rc;

	tags_text(tags, a->finding.tags);
	rc = bind_kind(s, ST_KIND_ID, a, tags, &b);
	if (rc == SQLITE_OK)
		rc = ask(&b, id);
	if (rc != SQLITE_OK || *id != 0)
		return rc;
	if ((rc = bind_kind(s, ST_KIND, a, tags, &b)) == SQLITE_OK)
		rc = store_step(&b);
	if (rc == SQLITE_OK)
		*id = sqlite3_last_insert_rowid(s->db);
	return rc;
}

int
store_kind(struct store *s, const struct alert *a, int64_t *id)
{
	uint32_t hash =
	    ((a->sid ^ a->finding.tags * 31u) * 7u + a->severity) * 2654435761u;
	struct store_kind *k = &s->kinds[hash >> 16 & (STORE_KINDS - 1)];
	int rc;

	if (k->id == 0 || !is_kind(k, a)) {
		k->id = 0;
		if ((rc = kind_row(s, a, id)) != SQLITE_OK)
			return rc;
		*k = (struct store_kind){*id, a->gid, a->sid, a->rev,
		    a->finding.tags, a->finding.id, a->severity, "", "", ""};
		memcpy(k->msg, a->msg, sizeof(k->msg));
		memcpy(k->classtype, a->classtype, sizeof(k->classtype));
		memcpy(k->reference, a->reference, sizeof(k->reference));
	}
	*id = k->id;
	return SQLITE_OK;
}

void
store_kinds_forget(struct store *s)
{
	memset(s->kinds, 0, sizeof(s->kinds));
}

/* ---- opening ---- */

/* What the last writer left: the next number, and how late flows began. */
int
store_flows_open(struct store *s)
{
	struct binder b;
	int rc = store_stmt(s, ST_LAST_FLOW, &b);

	if (rc == SQLITE_OK)
		rc = ask(&b, &s->next_flow);
	s->last_flow = s->next_flow;
	s->flows_written = ++s->next_flow;
	if (rc == SQLITE_OK)
		rc = store_stmt(s, ST_NEWEST_FLOW, &b);
	if (rc == SQLITE_OK)
		rc = ask(&b, &s->newest_flow);
	s->flows_before = s->newest_flow;
	return rc;
}
