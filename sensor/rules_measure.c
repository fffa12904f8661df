/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules on captures: `rules test` says which fired and what each cost,
 * `rules profile` where the time goes. Nothing is stored, nothing learned
 * beyond the captures at hand. The clock is read around each rule that is
 * looked at, which takes some 50 ns itself.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "rules/engine.h"
#include "rules/rule_buffer.h"
#include "sensor/pipeline.h"
#include "sensor/rules_private.h"

static const char test_help[] =
    "usage: stripwire rules test [options] RULES CAPTURE...\n\n"
    "Reads captures with these rules and says which rules fired, how often,\n"
    "and what each cost. RULES is a file or a folder. Nothing is stored.\n"
    "Options as of stripwire rules check.\n\n"
    "  alerts   what came out, after thresholds\n"
    "  matches  how often it matched\n"
    "  checks   how often it was looked at, behind the search for patterns\n"
    "  cost     in microseconds, all checks together\n\n"
    "exit status: 0 at least one fired; 1 none did, or an input could not be\n"
    "read whole; 2 the rules do not load, or wrong usage\n";

static const char profile_help[] =
    "usage: stripwire rules profile [options] RULES CAPTURE...\n\n"
    "Reads captures with these rules and prints the time that each took,\n"
    "the dearest first, and that of the searches in each buffer.\n"
    "Options as of stripwire rules check.\n";

struct measuring {
	struct rules_options o;
	struct pipeline *p;
	const struct ruleset *set;
	const struct engine_cost *cost;
	const uint64_t *search;
	uint64_t total; /* ns of rules and searches */
};

static void
on_say(void *ctx, enum say what, const char *text)
{
	const struct measuring *m = ctx;

	if (what >= SAY_PROBLEM || (what == SAY_NOTE && !m->o.quiet))
		fprintf(stderr, "%s\n", text);
}

/* ---- numbers ---- */

static uint64_t
average(uint64_t ns, uint64_t n)
{
	return n > 0 ? ns / n : 0;
}

static double
share(const struct measuring *m, uint64_t ns)
{
	return m->total > 0 ? 100.0 * (double)ns / (double)m->total : 0;
}

static json_t *
rule_json(const struct measuring *m, unsigned i)
{
	const struct engine_cost *c = &m->cost[i];
	struct rule_view v;

	ruleset_view(m->set, i, &v);
	return json_pack("{s:I, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:I, "
			 "s:I, s:f}",
	    "sid", (json_int_t)v.sid, "gid", (json_int_t)v.gid, "rev",
	    (json_int_t)v.rev, "msg", v.msg, "alerts", (json_int_t)c->alerts,
	    "matches", (json_int_t)c->matches, "checks", (json_int_t)c->checks,
	    "ns", (json_int_t)c->ns, "max_ns", (json_int_t)c->max_ns, "avg_ns",
	    (json_int_t)average(c->ns, c->checks), "avg_match_ns",
	    (json_int_t)average(c->match_ns, c->matches), "share",
	    share(m, c->ns));
}

static json_t *
searches_json(const struct measuring *m)
{
	json_t *o = json_object();

	for (unsigned b = 0; b < BUF_COUNT; b++)
		if (m->search[b] > 0)
			(void)json_object_set_new(o,
			    b == BUF_LINE ? "any line" : buffer_info(b)->name,
			    json_integer((json_int_t)m->search[b]));
	return o;
}

static void
print_json(const struct measuring *m, const unsigned *order, bool all)
{
	json_t *list = json_array(), *o;

	for (unsigned i = 0; i < ruleset_count(m->set); i++)
		if (all || m->cost[order[i]].matches > 0)
			(void)json_array_append_new(
			    list, rule_json(m, order[i]));
	o = json_pack("{s:o, s:o, s:i, s:I}", "rules", list, "searches_ns",
	    searches_json(m), "count", (int)ruleset_count(m->set), "total_ns",
	    (json_int_t)m->total);
	(void)json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* ---- order ---- */

static int
by_cost(const void *pa, const void *pb, void *ctx)
{
	const struct measuring *m = ctx;
	unsigned a = *(const unsigned *)pa, b = *(const unsigned *)pb;

	if (m->cost[a].ns != m->cost[b].ns)
		return m->cost[a].ns < m->cost[b].ns ? 1 : -1;
	return a < b ? -1 : a > b;
}

static unsigned *
order_of(struct measuring *m, bool sorted)
{
	unsigned n = ruleset_count(m->set);
	unsigned *order = malloc((n + 1) * sizeof(*order));

	for (unsigned i = 0; order != NULL && i < n; i++)
		order[i] = i;
	if (order != NULL && sorted)
		qsort_r(order, n, sizeof(*order), by_cost, m);
	return order;
}

/* ---- text ---- */

static unsigned
print_fired(const struct measuring *m, const unsigned *order)
{
	unsigned fired = 0;
	struct rule_view v;

	printf("%-9s %7s %8s %8s %9s  %s\n", "sid", "alerts", "matches",
	    "checks", "cost us", "message");
	for (unsigned i = 0; i < ruleset_count(m->set); i++) {
		const struct engine_cost *c = &m->cost[order[i]];

		if (c->matches == 0)
			continue;
		fired++;
		ruleset_view(m->set, order[i], &v);
		printf("%-9u %7" PRIu64 " %8" PRIu64 " %8" PRIu64
		       " %9.1f  %s\n",
		    v.sid, c->alerts, c->matches, c->checks,
		    (double)c->ns / 1000, v.msg);
	}
	printf("%u of %u rules fired\n", fired, ruleset_count(m->set));
	return fired;
}

static void
print_profile(const struct measuring *m, const unsigned *order)
{
	struct rule_view v;

	printf("%-9s %9s %5s %8s %8s %7s %7s %9s  %s\n", "sid", "total us", "%",
	    "checks", "matches", "avg ns", "max ns", "avg match", "message");
	for (unsigned i = 0; i < ruleset_count(m->set); i++) {
		const struct engine_cost *c = &m->cost[order[i]];

		if (c->checks == 0)
			break;
		ruleset_view(m->set, order[i], &v);
		printf("%-9u %9.1f %5.1f %8" PRIu64 " %8" PRIu64 " %7" PRIu64
		       " %7" PRIu64 " %9" PRIu64 "  %s\n",
		    v.sid, (double)c->ns / 1000, share(m, c->ns), c->checks,
		    c->matches, average(c->ns, c->checks), c->max_ns,
		    average(c->match_ns, c->matches), v.msg);
	}
	for (unsigned b = 0; b < BUF_COUNT; b++)
		if (m->search[b] > 0)
			printf("%-9s %9.1f %5.1f  search in %s\n", "-",
			    (double)m->search[b] / 1000, share(m, m->search[b]),
			    b == BUF_LINE ? "all lines" : buffer_info(b)->name);
}

/* ---- running ---- */

static int
read_captures(struct measuring *m, char **words, unsigned n)
{
	const struct config *f = &m->o.config;
	struct pipeline_config cfg = {.rules_path = words[0],
	    .thresholds_path = f->thresholds,
	    .classification_path = f->classification,
	    .vars = f->vars,
	    .trust = (const char *const *)f->trust,
	    .ntrust = f->ntrust,
	    .no_system_trust = !f->system_trust,
	    .resetters = f->resetters,
	    .measure_rules = true,
	    .judged_flows = (uint32_t)f->judged_flows,
	    .servers = (uint32_t)f->history_servers,
	    .pairs = (uint32_t)f->history_pairs,
	    .tls_bytes = f->tls_bytes,
	    .tracker = {.max_flows = (uint32_t)f->flows,
		.max_sessions = (uint32_t)f->sessions,
		.max_pending = f->pending_bytes,
		.reassembly = (enum reassembly)f->reassembly},
	    .on_say = on_say,
	    .ctx = m};
	char err[700];

	if (cfg.thresholds_path != NULL && cfg.thresholds_path[0] == '\0')
		cfg.thresholds_path = NULL;
	if (cfg.classification_path != NULL &&
	    cfg.classification_path[0] == '\0')
		cfg.classification_path = NULL;
	m->p = pipeline_new(&cfg, err, sizeof(err));
	if (m->p == NULL) {
		fprintf(stderr, "stripwire rules: %s\n", err);
		return 2;
	}
	return pipeline_read(m->p, (const char *const *)words + 1, n - 1, NULL);
}

static void
collect(struct measuring *m)
{
	struct engine *e = pipeline_engine(m->p);

	m->set = pipeline_rules(m->p);
	m->cost = engine_costs(e);
	m->search = engine_search_ns(e);
	for (unsigned i = 0; i < ruleset_count(m->set); i++)
		m->total += m->cost[i].ns;
	for (unsigned b = 0; b < BUF_COUNT; b++)
		m->total += m->search[b];
}

static int
report(struct measuring *m, bool profile)
{
	unsigned *order, fired = 1;

	collect(m);
	order = order_of(m, profile);
	if (order == NULL)
		return 2;
	if (m->o.json)
		print_json(m, order, profile);
	else if (profile)
		print_profile(m, order);
	else
		fired = print_fired(m, order);
	free(order);
	return fired > 0 ? 0 : 1;
}

static int
measure(int argc, char **argv, const char *help, bool profile)
{
	struct measuring m = {.p = NULL};
	int told, status = rules_options(&m.o, argc, argv, help);

	if (status == -1 && argc - optind < 2) {
		fputs("stripwire rules: name rules and a capture\n", stderr);
		status = 2;
	}
	if (status == -1) {
		status =
		    read_captures(&m, argv + optind, (unsigned)(argc - optind));
		if (status != 2) {
			told = report(&m, profile);
			status = told != 0 ? told : status;
		}
	}
	if (m.p != NULL)
		pipeline_free(m.p);
	rules_options_fini(&m.o);
	return status;
}

int
rules_test(int argc, char **argv)
{
	return measure(argc, argv, test_help, false);
}

int
rules_profile(int argc, char **argv)
{
	return measure(argc, argv, profile_help, true);
}
