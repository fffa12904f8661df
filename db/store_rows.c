/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts and blobs stand one after the other; a cell says where. */
#include "db/store_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CELLS 1024
#define FIRST_BYTES 32768

struct cell {
	int64_t v; /* the integer, or where its bytes begin */
	uint32_t len;
	uint32_t type; /* SQLITE_INTEGER .. SQLITE_NULL */
};

struct rows {
	unsigned columns;
	unsigned n; /* whole rows */
	size_t cells, cell_room; /* those of the row that is begun too */
	size_t used, room; /* of bytes */
	struct cell *cell;
	char *bytes;
	bool failed; /* in the row that is begun */
};

struct table { /* as SQLite sees it */
	sqlite3_vtab base;
	const struct rows *r;
};

struct cursor {
	sqlite3_vtab_cursor base;
	const struct cell *at, *end;
};

/* ---- in ---- */

/* Room for n more of size each; false: no memory. */
static bool
grow(void **p, size_t *room, size_t need, size_t first, size_t size)
{
	size_t want = *room == 0 ? first : *room;
	void *q;

	while (want < need)
		want *= 2;
	if (want == *room)
		return true;
	if ((q = realloc(*p, want * size)) == NULL)
		return false;
	*p = q;
	*room = want;
	return true;
}

static bool
more_cells(struct rows *r)
{
	return grow((void **)&r->cell, &r->cell_room, r->cells + 1, FIRST_CELLS,
	    sizeof(*r->cell));
}

static inline void
add(struct rows *r, uint32_t type, int64_t v, size_t len)
{
	if (r->failed || (r->cells == r->cell_room && !more_cells(r))) {
		r->failed = true;
		return;
	}
	r->cell[r->cells++] = (struct cell){v, (uint32_t)len, type};
}

char *
rows_place(struct rows *r, size_t max)
{
	if ((r->bytes == NULL || r->room - r->used < max) &&
	    !grow(
		(void **)&r->bytes, &r->room, r->used + max, FIRST_BYTES, 1)) {
		r->failed = true;
		return NULL;
	}
	return r->bytes + r->used;
}

static inline void
add_placed(struct rows *r, uint32_t type, size_t n)
{
	add(r, type, (int64_t)r->used, n);
	r->used += n;
}

static inline void
add_bytes(struct rows *r, uint32_t type, const void *p, size_t n)
{
	char *to = n <= UINT32_MAX ? rows_place(r, n) : NULL;

	if (to == NULL) {
		r->failed = true;
		return;
	}
	if (n != 0)
		memcpy(to, p, n);
	add_placed(r, type, n);
}

void
rows_text_placed(struct rows *r, size_t n)
{
	add_placed(r, SQLITE_TEXT, n);
}

void
rows_blob_placed(struct rows *r, size_t n)
{
	add_placed(r, SQLITE_BLOB, n);
}

void
rows_null(struct rows *r)
{
	add(r, SQLITE_NULL, 0, 0);
}

void
rows_int(struct rows *r, int64_t v)
{
	add(r, SQLITE_INTEGER, v, 0);
}

void
rows_text(struct rows *r, const char *s)
{
	add_bytes(r, SQLITE_TEXT, s, strlen(s));
}

void
rows_any_text(struct rows *r, const char *s)
{
	if (*s != '\0')
		rows_text(r, s);
	else
		rows_null(r);
}

void
rows_blob(struct rows *r, const void *p, size_t n)
{
	add_bytes(r, SQLITE_BLOB, p, n);
}

int
rows_end(struct rows *r)
{
	size_t whole = (size_t)r->n * r->columns;
	bool ok = !r->failed && r->cells == whole + r->columns;

	r->failed = false;
	if (!ok) {
		r->cells = whole;
		return SQLITE_NOMEM;
	}
	r->n++;
	return SQLITE_OK;
}

unsigned
rows_count(const struct rows *r)
{
	return r->n;
}

int64_t
rows_first_int(const struct rows *r)
{
	return r->cell[0].v;
}

size_t
rows_bytes(const struct rows *r)
{
	return r->used + r->cells * sizeof(*r->cell);
}

size_t
rows_room(const struct rows *r)
{
	return sizeof(*r) + r->room + r->cell_room * sizeof(*r->cell);
}

void
rows_clear(struct rows *r)
{
	r->n = 0;
	r->cells = r->used = 0;
	r->failed = false;
}

/* ---- out ---- */

static int
on_connect(sqlite3 *db, void *ctx, int argc, const char *const *argv,
    sqlite3_vtab **out, char **err)
{
	char sql[16 + 8 * ROWS_COLUMNS_MAX] = "CREATE TABLE x (c0";
	const struct rows *r = ctx;
	size_t n = strlen(sql);
	struct table *t;

	(void)argc, (void)argv, (void)err;
	for (unsigned i = 1; i < r->columns; i++)
		n += (size_t)snprintf(sql + n, sizeof(sql) - n, ", c%u", i);
	snprintf(sql + n, sizeof(sql) - n, ")");
	if ((t = calloc(1, sizeof(*t))) == NULL)
		return SQLITE_NOMEM;
	t->r = r;
	*out = &t->base;
	return sqlite3_declare_vtab(db, sql);
}

static int
on_disconnect(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

static int
on_plan(sqlite3_vtab *t, sqlite3_index_info *plan)
{
	(void)t;
	plan->estimatedCost = 1;
	return SQLITE_OK;
}

static int
on_open(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct cursor *c = calloc(1, sizeof(*c));

	(void)t;
	if (c == NULL)
		return SQLITE_NOMEM;
	*out = &c->base;
	return SQLITE_OK;
}

static int
on_close(sqlite3_vtab_cursor *c)
{
	free(c);
	return SQLITE_OK;
}

static int
on_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
    sqlite3_value **argv)
{
	const struct rows *r = ((struct table *)base->pVtab)->r;
	struct cursor *c = (struct cursor *)base;

	(void)plan, (void)text, (void)argc, (void)argv;
	c->at = r->cell;
	c->end = r->cell + (size_t)r->n * r->columns;
	return SQLITE_OK;
}

static int
on_next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	c->at += ((struct table *)base->pVtab)->r->columns;
	return SQLITE_OK;
}

static int
on_eof(sqlite3_vtab_cursor *base)
{
	const struct cursor *c = (struct cursor *)base;

	return c->at == c->end;
}

static const char *
bytes_of(const sqlite3_vtab_cursor *c, const struct cell *cell)
{
	return ((struct table *)c->pVtab)->r->bytes + cell->v;
}

/* What is given is used before the rows change. */
static int
on_column(sqlite3_vtab_cursor *base, sqlite3_context *to, int column)
{
	const struct cell *c = &((struct cursor *)base)->at[column];

	if (c->type == SQLITE_INTEGER)
		sqlite3_result_int64(to, c->v);
	else if (c->type == SQLITE_TEXT)
		sqlite3_result_text(
		    to, bytes_of(base, c), (int)c->len, SQLITE_STATIC);
	else if (c->type == SQLITE_BLOB)
		sqlite3_result_blob(
		    to, bytes_of(base, c), (int)c->len, SQLITE_STATIC);
	else
		sqlite3_result_null(to);
	return SQLITE_OK;
}

static int
on_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *id)
{
	const struct rows *r = ((struct table *)base->pVtab)->r;
	const struct cursor *c = (struct cursor *)base;

	*id = (c->at - r->cell) / r->columns;
	return SQLITE_OK;
}

static const sqlite3_module module = {/* no xCreate: it is only a name */
    .xConnect = on_connect,
    .xBestIndex = on_plan,
    .xDisconnect = on_disconnect,
    .xOpen = on_open,
    .xClose = on_close,
    .xFilter = on_filter,
    .xNext = on_next,
    .xEof = on_eof,
    .xColumn = on_column,
    .xRowid = on_rowid};

struct rows *
rows_new(sqlite3 *db, const char *name, unsigned columns)
{
	struct rows *r = calloc(1, sizeof(*r));

	if (r == NULL || columns == 0 || columns > ROWS_COLUMNS_MAX) {
		free(r);
		return NULL;
	}
	r->columns = columns;
	if (sqlite3_create_module(db, name, &module, r) == SQLITE_OK)
		return r;
	free(r);
	return NULL;
}

void
rows_free(struct rows *r)
{
	if (r == NULL)
		return;
	free(r->cell);
	free(r->bytes);
	free(r);
}
