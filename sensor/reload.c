/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the operator writes, at the start and at SIGHUP: configuration, rules
 * and what goes with them, intercepting products, trust store. The supervisor
 * reads and loads all of it first; with a mistake in any of it nothing changes.
 * The texts go to the judge, which can open no files, in one bundle (bundle.h),
 * and count when it answers that they do. Until then, and for processes that
 * are replaced meanwhile, what was before is in force.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "decoders/utf8.h"
#include "sensor/log.h"
#include "sensor/notify.h"
#include "sensor/policy.h"
#include "sensor/supervise.h"

/* ---- what is wrong ---- */

/* The first line of it is shown by `status`. */
static void
mistake(void *ctx, const char *text)
{
	struct supervisor *s = ctx;
	struct reloads *r = &s->reloads;
	char line[RELOAD_TEXT];
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '\n')
		len--;
	log_line(LOG_LEVEL_ERROR, "%.*s", (int)len, text);
	(void)snprintf(
	    line, sizeof(line), "%.*s", (int)strcspn(text, "\n"), text);
	if (r->mistakes < RELOAD_SHOWN)
		(void)utf8_copy(r->shown[r->mistakes], RELOAD_TEXT, line);
	r->mistakes++;
}

static void
on_policy(void *ctx, enum policy_say how, const char *text)
{
	if (how == POLICY_PROBLEM) /* the judge tells the rest */
		mistake(ctx, text);
}

static void
on_product(void *ctx, const struct rule_error *e)
{
	char buf[700];

	mistake(ctx, rule_error_format(buf, sizeof(buf), e));
}

/* ---- reading ---- */

static void
forget(struct in_force *f)
{
	bundle_free(f->texts);
	verifier_free(f->trust);
	interceptors_free(f->products);
	memset(f, 0, sizeof(*f));
}

static void
check_rules(
    struct supervisor *s, struct bundle *u, const struct pipeline_config *p)
{
	const struct rule_reader reader = bundle_recorder(u);
	const struct policy_config pc = {
	    .files = {.rules = p->rules_path,
		.thresholds = p->thresholds_path,
		.classification = p->classification_path,
		.vars = p->vars,
		.reader = &reader},
	    .say = on_policy,
	    .ctx = s};
	char err[600];

	if (bundle_set_path(u, BUNDLE_RULES, p->rules_path) == -1 ||
	    bundle_set_path(u, BUNDLE_THRESHOLDS, p->thresholds_path) == -1 ||
	    bundle_set_path(u, BUNDLE_CLASSIFICATION, p->classification_path) ==
		-1)
		mistake(s, "rules: the path of a file is too long");
	else if (!policy_check(&pc, err, sizeof(err)) && err[0] != '\0')
		mistake(s, err);
}

static void
load_trust(
    struct supervisor *s, struct in_force *f, const struct pipeline_config *p)
{
	const struct rule_reader now = {rule_file_read_now, NULL};
	const struct rule_sources src = {.path = p->interceptors_path,
	    .reader = &now,
	    .on_error = on_product,
	    .ctx = s};
	char err[600] = "";
	int sys = 0;

	if (src.path != NULL)
		f->products = interceptors_load(&src, &sys, err, sizeof(err));
	if (sys == -1)
		mistake(s, err);
	f->trust = verifier_new(
	    p->trust, p->ntrust, p->no_system_trust, err, sizeof(err));
	if (f->trust == NULL)
		mistake(s, err);
	else
		verifier_use_interceptors(f->trust, f->products);
}

/* All mistakes are told in one run. -1: there were some. */
static int
gather(struct supervisor *s, struct in_force *f,
    const struct pipeline_config *p, struct slice config)
{
	f->texts = bundle_new();
	if (f->texts == NULL || bundle_set_config(f->texts, config) == -1) {
		mistake(s, "out of memory for the rules");
	} else {
		check_rules(s, f->texts, p);
		load_trust(s, f, p);
	}
	if (s->reloads.mistakes == 0)
		return 0;
	forget(f);
	return -1;
}

int
reload_first(struct supervisor *s)
{
	s->reloads.loaded_at = time(NULL);
	return gather(s, &s->in_force, s->cfg->cfg, (struct slice){NULL, 0});
}

void
reload_fini(struct supervisor *s)
{
	forget(&s->in_force);
	forget(&s->next);
}

/* ---- SIGHUP ---- */

static void
refuse(struct supervisor *s)
{
	s->reloads.pending = false;
	s->reloads.bad = true;
	s->reloads.failed++;
	forget(&s->next);
	log_line(LOG_LEVEL_ERROR,
	    "not reloaded (%u mistake%s): configuration, rules and trust store "
	    "stay as they were",
	    s->reloads.mistakes, s->reloads.mistakes == 1 ? "" : "s");
	feeds_reload(s); /* files were turned over all the same */
	notify_send("READY=1");
}

/* The configuration's text, if there is a file, and what it makes. NULL: said.
 * f is to be freed. */
static const struct pipeline_config *
read_config(struct supervisor *s, struct rule_file *f)
{
	static const struct rule_reader now = {rule_file_read_now, NULL};
	const struct reconfigure *again = s->cfg->again;
	const struct rule_wanted w = {
	    &now, s->cfg->config_path, "the configuration", false};
	const struct pipeline_config *p;
	char err[600];

	memset(f, 0, sizeof(*f));
	if (w.path != NULL && rule_file_open(&w, f, err, sizeof(err)) == -1) {
		mistake(s, err);
		return NULL;
	}
	p = again->prepare(again->ctx,
	    (struct slice){(uint8_t *)f->bytes, f->len}, true, mistake, s);
	if (p == NULL && s->reloads.mistakes == 0)
		mistake(s, "the configuration does not go with the options");
	return p;
}

static int
hand_over(struct supervisor *s)
{
	struct control c = {.what = CONTROL_RELOAD};
	int fd = bundle_to_fd(s->next.texts);
	int rc = fd != -1 ? control_send(s->control, &c, fd) : -1;

	if (rc == -1)
		mistake(s, "the judge cannot be given the rules");
	if (fd != -1)
		(void)close(fd);
	return rc;
}

void
reload_begin(struct supervisor *s)
{
	const struct reconfigure *again = s->cfg->again;
	const struct pipeline_config *p;
	struct rule_file config;

	notify_send("RELOADING=1");
	s->reloads.mistakes = 0;
	s->reloads.tried_at = time(NULL);
	p = read_config(s, &config);
	s->reloads.pending =
	    p != NULL &&
	    gather(s, &s->next, p,
		(struct slice){(uint8_t *)config.bytes, config.len}) == 0 &&
	    hand_over(s) == 0;
	rule_file_fini(&config);
	if (s->reloads.pending)
		return;
	again->drop(again->ctx);
	refuse(s);
}

/* A file that cannot be opened leaves the one before. */
static void
reopen_log(struct supervisor *s)
{
	if (s->cfg->log[0] != '\0' && log_to_file(s->cfg->log) == -1)
		log_line(
		    LOG_LEVEL_ERROR, "%s: %s", s->cfg->log, strerror(errno));
}

void
reload_reopen(struct supervisor *s)
{
	struct control c = {.what = CONTROL_REOPEN};

	reopen_log(s);
	if (s->control != -1)
		(void)control_send(s->control, &c,
		    s->cfg->log[0] != '\0' ? STDERR_FILENO : -1);
}

static void
on_frozen(void *ctx, const char *key)
{
	struct reloads *r = &((struct supervisor *)ctx)->reloads;

	if (r->nfrozen < sizeof(r->frozen) / sizeof(r->frozen[0]))
		r->frozen[r->nfrozen++] = key;
	log_line(
	    LOG_LEVEL_WARN, "%s: changed, which counts after a restart", key);
}

static void
accept_next(struct supervisor *s, unsigned rules)
{
	const struct reconfigure *again = s->cfg->again;
	char log[CONFIG_TEXT_MAX];

	(void)snprintf(log, sizeof(log), "%s", s->cfg->log);
	s->reloads.pending = s->reloads.bad = false;
	s->reloads.loaded++;
	s->reloads.loaded_at = s->reloads.tried_at;
	s->reloads.rules = rules;
	s->reloads.nfrozen = 0;
	again->take(again->ctx, on_frozen, s);
	if (strcmp(log, s->cfg->log) != 0)
		reload_reopen(s);
	forget(&s->in_force);
	s->in_force = s->next;
	memset(&s->next, 0, sizeof(s->next));
	supervise_replace_verifier(s, true);
	feeds_reload(s);
	log_line(LOG_LEVEL_NOTE, "reloaded: %u rules in force", rules);
	notify_send("READY=1");
}

void
reload_answer(struct supervisor *s, const struct control *c)
{
	const struct reconfigure *again = s->cfg->again;

	if (!s->reloads.pending)
		return;
	if (c != NULL && c->what == CONTROL_LOADED) {
		accept_next(s, c->number);
		return;
	}
	mistake(s, c != NULL ? c->text : "the judge died before it answered");
	again->drop(again->ctx);
	refuse(s);
}
