/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Captures read by several processes: one that reads, workers that follow the
 * connections, a verifier, and this process, which judges. The one that reads
 * takes packets apart as far as TCP and hands them out; it alone may open files,
 * and knows nothing of mail. Every pair of hosts is one worker's; fragments go to
 * all, and the one whose they are keeps them.
 *
 * What the workers say is put in the order in which one worker would have said
 * it (see ring_key), so the alerts are the same for any number of them.
 */
#ifndef STRIPWIRE_PARALLEL_H
#define STRIPWIRE_PARALLEL_H

#include "sensor/backend.h"
#include "sensor/frontend.h"

struct parallel;

struct parallel_input {
	const char *const *paths;
	unsigned n;
	const volatile int *stop; /* or NULL */
};

/* Starts the verifier: *verifier is its socket, for backend_new(), which owns
 * it. NULL with a sentence in err. */
struct parallel *parallel_new(
    const struct pipeline_config *cfg, int *verifier, char *err, size_t errlen);
void parallel_free(struct parallel *p);

/* As pipeline_read(). Once. */
int parallel_read(
    struct parallel *p, struct backend *b, const struct parallel_input *in);
/* For pipeline_config.lines; lives as long as p. */
uint8_t *parallel_lines(const struct parallel *p);
void parallel_totals(const struct parallel *p, struct frontend_totals *out);

#endif
