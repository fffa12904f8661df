/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The whole path over captures: reader, frontend and backend joined end to end.
 * With one worker all of it runs in this process, which is what tests and
 * fuzzers use; with more, packets go to processes of their own (parallel.h).
 * What is worth telling a person goes through on_say; nothing here prints.
 */
#ifndef STRIPWIRE_PIPELINE_H
#define STRIPWIRE_PIPELINE_H

#include "sensor/backend.h"
#include "sensor/frontend.h"

struct pipeline;

struct pipeline_totals {
	uint64_t captures, known_captures, broken_captures;
	uint64_t packets, bytes; /* frame bytes held */
	uint64_t link_other, link_unknown, link_truncated;
	int64_t first, last; /* packet times */
	uint64_t alerts[SEV_CRITICAL + 1];
	uint64_t lost; /* alerts that could not be stored */
	struct ip_counters ip;
	struct tracker_counters tracker;
	struct norm_counters norm;
	struct evidence_counters evidence;
	struct judge_counters judge;
	struct incidents_counters incidents;
	struct mail_counters mail;
	uint64_t observed[OBS_KIND_COUNT];
	uint64_t ends[END_REUSED + 1]; /* connections, by enum end_how */
};

/* Opens rules, trust, store, feed. NULL: a sentence is in err (exit 2). */
struct pipeline *pipeline_new(
    const struct pipeline_config *cfg, char *err, size_t errlen);
void pipeline_free(struct pipeline *p);

/* Reads the input to its end. Returns 0; 1 if some of it could not be read
 * whole or nothing was there (told through on_say). *stop set to non-zero by
 * a signal handler ends the reading early and cleanly. */
int pipeline_read(struct pipeline *p, const char *const *paths, unsigned n,
    const volatile int *stop);

struct engine;
struct engine *pipeline_engine(const struct pipeline *p);
const struct ruleset *pipeline_rules(const struct pipeline *p); /* in force */

void pipeline_totals(const struct pipeline *p, struct pipeline_totals *out);
/* By enum memory_table, with one worker; else the judge's rows. Slow: looks at
 * all flows. */
void pipeline_memory(
    const struct pipeline *p, struct table_use memory[MEM_COUNT]);

#endif
