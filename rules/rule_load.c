/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of rules: one, or all *.rules of a folder in the order of their names;
 * what they include; thresholds and classifications beside them. An include is
 * looked for beside the file that it stands in. What cannot be read is a
 * mistake at the place of the include, and of the whole run where the operator
 * named it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/rule_parse.h"

struct loader {
	struct rule_parser p;
	const struct rule_reader *reader;
	struct {
		uint64_t device, inode;
	} open[RULE_INCLUDE_DEPTH]; /* files under way */
	unsigned depth;
	unsigned nfiles;
	char *err;
	size_t errlen;
};

static bool
is_under_way(const struct loader *o, const struct rule_file *f)
{
	for (unsigned i = 0; i < o->depth; i++)
		if (o->open[i].device == f->device &&
		    o->open[i].inode == f->inode)
			return true;
	return false;
}

/* Takes f over. */
static int
parse_file(struct loader *o, const char *path, struct rule_file *f)
{
	int rc = -1;

	if (is_under_way(o, f)) {
		(void)snprintf(o->err, o->errlen,
		    "it would include itself: %s is being read already", path);
	} else {
		o->open[o->depth].device = f->device;
		o->open[o->depth++].inode = f->inode;
		rule_parse_text(
		    &o->p, path, (struct slice){(uint8_t *)f->bytes, f->len});
		o->depth--;
		rc = 0;
	}
	rule_file_fini(f);
	return rc;
}

static int
open_rules(
    struct loader *o, const char *path, bool or_folder, struct rule_file *f)
{
	const struct rule_wanted w = {o->reader, path, "rules", or_folder};

	if (o->nfiles++ < RULE_FILES_MAX)
		return rule_file_open(&w, f, o->err, o->errlen);
	(void)snprintf(o->err, o->errlen,
	    "cannot read rules from %s: more than %u files", path,
	    RULE_FILES_MAX);
	return -1;
}

static int
load_path(struct loader *o, const char *path)
{
	struct rule_file f, folder;
	int rc = 0;

	if (open_rules(o, path, true, &folder) == -1)
		return -1;
	if (!folder.folder)
		return parse_file(o, path, &folder);
	for (const char *p = folder.bytes;
	     rc == 0 && p < folder.bytes + folder.len; p += strlen(p) + 1) {
		rc = open_rules(o, p, false, &f);
		if (rc == 0)
			rc = parse_file(o, p, &f);
	}
	rule_file_fini(&folder);
	return rc;
}

/* ---- include ---- */

/* The rest of the line, without quotes; false if there is nothing. */
static bool
included_name(struct lex *l, char name[PATH_MAX])
{
	struct lex_word w = {l->rule + l->at, l->len - l->at, l->at};

	w = lex_trim(w);
	if (w.len >= 2 && w.p[0] == '"' && w.p[w.len - 1] == '"') {
		w.p++;
		w.len -= 2;
	}
	if (w.len == 0 || w.len >= PATH_MAX)
		return false;
	memcpy(name, w.p, w.len);
	name[w.len] = '\0';
	return true;
}

/* Beside the file that includes it, unless it begins with '/'. */
static void
beside(char out[PATH_MAX], const char *file, const char *name)
{
	const char *slash = strrchr(file, '/');

	if (name[0] == '/' || slash == NULL)
		(void)snprintf(out, PATH_MAX, "%.*s", PATH_MAX - 1, name);
	else
		(void)snprintf(out, PATH_MAX, "%.*s%.1024s",
		    (int)(slash - file) + 1, file, name);
}

static void
include(struct rule_parser *p, struct lex *l, void *ctx)
{
	struct loader *o = ctx;
	char name[PATH_MAX], path[PATH_MAX], why[PATH_MAX + 200];
	char *err = o->err;
	size_t errlen = o->errlen, at = l->at;

	if (!included_name(l, name)) {
		lex_error(l, at, "include wants the path of a file");
		return;
	}
	beside(path, l->file, name);
	if (o->depth == RULE_INCLUDE_DEPTH) {
		lex_error(l, at, "includes are nested more than %u deep",
		    RULE_INCLUDE_DEPTH);
		return;
	}
	p->errors = l->errors;
	o->err = why;
	o->errlen = sizeof(why);
	if (load_path(o, path) == -1) {
		l->errors = p->errors;
		lex_error(l, at, "%s", why);
		p->errors = l->errors;
	}
	o->err = err;
	o->errlen = errlen;
}

/* ---- what goes with them ---- */

static int
load_classes(
    struct loader *o, const struct rule_sources *s, struct rule_classes **out)
{
	const struct rule_wanted w = {
	    o->reader, s->classification, "classifications", false};
	struct rule_file f;

	if (w.path == NULL)
		return 0;
	if (rule_file_open(&w, &f, o->err, o->errlen) == -1)
		return -1;
	*out = rule_classes_parse(w.path,
	    (struct slice){(uint8_t *)f.bytes, f.len}, s->on_error, s->ctx);
	o->p.errors += *out == NULL;
	o->p.classes = *out;
	rule_file_fini(&f);
	return 0;
}

static int
load_filters(struct loader *o, const struct rule_sources *s)
{
	const struct rule_wanted w = {
	    o->reader, s->thresholds, "thresholds", false};
	struct rule_file f;

	if (w.path == NULL)
		return 0;
	if (rule_file_open(&w, &f, o->err, o->errlen) == -1)
		return -1;
	rule_filters_text(
	    &o->p, w.path, (struct slice){(uint8_t *)f.bytes, f.len});
	rule_file_fini(&f);
	return 0;
}

/* With mistakes, or if it does not fit, there is no set. */
static struct ruleset *
finish(
    struct rule_parser *p, bool check_only, int *sys, char *err, size_t errlen)
{
	rule_parser_fini(p);
	if (*sys == 0 && p->errors == 0 && !p->stopped) {
		if (check_only || ruleset_index(p->set, err, errlen) == 0)
			return p->set;
		*sys = -1;
	}
	ruleset_free(p->set);
	return NULL;
}

struct ruleset *
ruleset_load(const struct rule_sources *s, int *sys, char *err, size_t errlen)
{
	struct loader o = {.p = {.vars = s->vars,
			       .on_error = s->on_error,
			       .ctx = s->ctx,
			       .include = include},
	    .reader = s->reader,
	    .err = err,
	    .errlen = errlen};
	struct rule_classes *classes = NULL;

	*sys = -1;
	o.p.include_ctx = &o;
	o.p.set = calloc(1, sizeof(*o.p.set));
	if (o.p.set == NULL) {
		(void)snprintf(err, errlen, "out of memory for rules");
		return NULL;
	}
	if (load_classes(&o, s, &classes) == 0 && load_path(&o, s->path) == 0 &&
	    load_filters(&o, s) == 0)
		*sys = 0;
	rule_classes_free(classes);
	return finish(&o.p, s->check_only, sys, err, errlen);
}

struct ruleset *
ruleset_parse(const char *name, const char *text, const struct rule_vars *vars,
    rule_error_fn *on_error, void *ctx)
{
	struct slice s = {(const uint8_t *)text, strlen(text)};
	struct rule_parser p = {.vars = vars, .on_error = on_error, .ctx = ctx};
	char err[256] = "";
	int sys = 0;

	p.set = calloc(1, sizeof(*p.set));
	if (p.set == NULL)
		return NULL;
	rule_parse_text(&p, name, s);
	return finish(&p, false, &sys, err, sizeof(err));
}
