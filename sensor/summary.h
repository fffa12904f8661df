/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The closing words of `stripwire read`: what was found (the gravest first,
 * at most SUMMARY_ROWS of them), what was read, what to do next; or the same
 * as one JSON object.
 */
#ifndef STRIPWIRE_SUMMARY_H
#define STRIPWIRE_SUMMARY_H

#include <stdio.h>

#include "sensor/pipeline.h"

#define SUMMARY_ROWS 50

struct summary;

struct summary_end {
	const struct pipeline *pipeline;
	int status; /* of pipeline_read() */
	bool stopped, json, quiet, verbose;
	const char *db_path; /* NULL: none */
	const char *stats_path; /* what --json says goes there too, or NULL */
	int fail_on; /* enum severity or -1 */
};

struct summary *summary_new(FILE *out); /* NULL: no memory */
void summary_free(struct summary *s);
void summary_alert(struct summary *s, const struct alert *a, int64_t id);
/* Prints, and returns the exit status of the command. */
int summary_end(struct summary *s, const struct summary_end *e);

#endif
