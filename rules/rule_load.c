/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files of rules: one, or all *.rules of a folder in the order of their names;
 * what they include; thresholds and classifications beside them. An include is
 * looked for beside the file that it stands in. What cannot be read is a
 * mistake at the place of the include, and of the whole run where the operator
 * named it.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rules/rule_file.h"
#include "rules/rule_parse.h"

struct loader {
	struct rule_parser p;
	const char *path[RULE_INCLUDE_DEPTH]; /* files under way */
	unsigned depth;
	unsigned nfiles;
	char *err;
	size_t errlen;
};

static int load_path(struct loader *o, const char *path);

static bool
is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool
is_under_way(const struct loader *o, const char *path)
{
	struct stat a, b;

	if (stat(path, &a) == -1)
		return false;
	for (unsigned i = 0; i < o->depth; i++)
		if (stat(o->path[i], &b) == 0 && a.st_dev == b.st_dev &&
		    a.st_ino == b.st_ino)
			return true;
	return false;
}

static int
load_file(struct loader *o, const char *path)
{
	size_t len;
	char *text;

	if (o->nfiles++ == RULE_FILES_MAX) {
		(void)snprintf(o->err, o->errlen,
		    "cannot read rules from %s: more than %u files", path,
		    RULE_FILES_MAX);
		return -1;
	}
	text = rule_file_read(path, "rules", &len, o->err, o->errlen);
	if (text == NULL)
		return -1;
	o->path[o->depth++] = path;
	rule_parse_text(&o->p, path, (struct slice){(uint8_t *)text, len});
	o->depth--;
	free(text);
	return 0;
}

static int
load_folder(struct loader *o, const char *path)
{
	char pattern[PATH_MAX];
	glob_t g;
	int rc = 0;

	(void)snprintf(pattern, sizeof(pattern), "%s/*.rules", path);
	if (glob(pattern, 0, NULL, &g) != 0) {
		(void)snprintf(o->err, o->errlen,
		    "cannot read rules from %s: there is no *.rules in it",
		    path);
		return -1;
	}
	for (size_t i = 0; rc == 0 && i < g.gl_pathc; i++)
		rc = load_file(o, g.gl_pathv[i]);
	globfree(&g);
	return rc;
}

static int
load_path(struct loader *o, const char *path)
{
	return is_folder(path) ? load_folder(o, path) : load_file(o, path);
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
	if (is_under_way(o, path)) {
		lex_error(l, at,
		    "this file is being read already: it would "
		    "include itself");
		return;
	}
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
	size_t len;
	char *text;

	if (s->classification == NULL)
		return 0;
	text = rule_file_read(
	    s->classification, "classifications", &len, o->err, o->errlen);
	if (text == NULL)
		return -1;
	*out = rule_classes_parse(s->classification,
	    (struct slice){(uint8_t *)text, len}, s->on_error, s->ctx);
	o->p.errors += *out == NULL;
	o->p.classes = *out;
	free(text);
	return 0;
}

static int
load_filters(struct loader *o, const struct rule_sources *s)
{
	size_t len;
	char *text;

	if (s->thresholds == NULL)
		return 0;
	text = rule_file_read(
	    s->thresholds, "thresholds", &len, o->err, o->errlen);
	if (text == NULL)
		return -1;
	rule_filters_text(
	    &o->p, s->thresholds, (struct slice){(uint8_t *)text, len});
	free(text);
	return 0;
}

/* With mistakes, or if it does not fit, there is no set. */
static struct ruleset *
finish(struct rule_parser *p, int *sys, char *err, size_t errlen)
{
	rule_parser_fini(p);
	if (*sys == 0 && p->errors == 0 && !p->stopped) {
		if (ruleset_index(p->set, err, errlen) == 0)
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
	return finish(&o.p, sys, err, errlen);
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
	return finish(&p, &sys, err, sizeof(err));
}
