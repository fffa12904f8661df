/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was seen, wrong or not, to whoever asked for such events: the EVE file,
 * and the feeds through pipeline_config.on_event. A part of the backend.
 */
#ifndef STRIPWIRE_TELLER_H
#define STRIPWIRE_TELLER_H

#include "db/eve_event.h"
#include "db/feed_eve.h"
#include "sensor/backend.h"

struct teller {
	const struct pipeline_config *cfg; /* the backend's */
	struct eve *const *eve; /* where its file is, or NULL */
	struct verify *const *verify;
	const char *(*path)(void *ctx, uint32_t file); /* or NULL */
	void *path_ctx;
	int64_t started; /* ns, monotonic: of this program */
	char id[EVENT_ID_MAX];
	char line[EVE_LINE_MAX];
};

void teller_start(struct teller *t);
/* judge_config.seen; ctx is a struct teller. */
void teller_seen(void *ctx, const struct judge_view *v);
/* Of files (live: NULL) at the time of what was seen last, else now. */
void teller_stats(struct teller *t, const struct backend_totals *n,
    const struct frontend_totals *f, const struct live_counters *live);

#endif
