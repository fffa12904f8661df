/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One feed: events out of the database, in order, through one transport. It
 * belongs to one thread, and takes the time from its caller.
 *
 * Its cursor says up to where all events have arrived. With a transport that
 * knows (MEMORY_CERTAIN) that is what the transport says; with one that does
 * not (MEMORY_NONE) the cursor stays behind by the window `resend`, plus what
 * may be sent until a break is noticed (TRANSPORT_GONE_TIMES timeouts); with
 * datagrams what is sent counts as arrived. After each break, of the
 * connection or of this process, sending goes on at the cursor: at least once,
 * and what comes twice has the same stripwire.event_id.
 *
 * Events that go past the database wait in a bounded queue (feed_offer).
 */
#ifndef STRIPWIRE_FEED_H
#define STRIPWIRE_FEED_H

#include "db/feed_format.h"
#include "db/outbox.h"
#include "db/transport.h"

#define FEED_BACKOFF_MIN 1000 /* ms, doubled up to: */
#define FEED_BACKOFF_MAX 60000
#define FEED_IDLE_MS 200 /* between looks for new events */
#define FEED_SAVE_MS 1000 /* between writes of the cursor */

struct feed_config { /* strings outlive the feed */
	const char *name;
	enum feed_format format;
	unsigned events; /* 1 << enum event_type */
	struct feed_identity me;
	struct transport_config transport;
	uint64_t resend_bytes; /* MEMORY_NONE; 0 in either: nothing */
	int64_t resend_ms; /* before a break; that it takes time to notice one
			    * is the feed's to care for */
	size_t queue_bytes; /* of events that go past the database */
};

enum feed_state {
	FEED_STARTING = 0, /* has not been connected yet */
	FEED_UP,
	FEED_DOWN /* the receiver is away, or refuses: tried again */
};

struct feed_status {
	uint32_t state; /* enum feed_state */
	int64_t since; /* ms, the caller's clock: in this state */
	uint64_t waiting; /* events stored and not passed */
	int64_t lag_ms; /* since when the oldest of them waits */
	uint64_t sent, again, failed, dropped, expired; /* as in table feeds */
	uint64_t breaks; /* times it went down */
	char error[TRANSPORT_ERROR_MAX]; /* the last, "" none */
	int64_t error_at; /* ns, wall clock */
};

struct feed_clock {
	int64_t ms; /* does not step */
	int64_t wall; /* ns since the epoch */
};

struct feed_env {
	const struct transport_ops *ops;
	struct transport *transport; /* opened; the feed's from then on */
	const struct outbox_source *source; /* outbox_source, or another */
	void *from; /* its outbox; the feed's from then on */
	/* one line at each change of state; bad: something does not work */
	void (*say)(void *ctx, bool bad, const char *text);
	void *ctx;
};

struct feed;

/* NULL with a sentence in err: no memory, or the database cannot be read; then
 * env keeps what it holds. */
struct feed *feed_new(const struct feed_config *c, const struct feed_env *env,
    char *err, size_t errlen);
void feed_free(struct feed *f); /* disconnects; NULL is nothing */

/* Does some work, which may take the transport's timeout. Returns for how many
 * ms there is nothing to do. */
int feed_step(struct feed *f, const struct feed_clock *now);
/* The end is near: waits at most wait_ms for what is on its way, and keeps the
 * cursor. */
void feed_finish(struct feed *f, const struct feed_clock *now, int wait_ms);
/* SIGHUP: at the next step the file is opened anew. From any thread. */
void feed_reopen(struct feed *f);
/* From any thread. False: there is no room, it is dropped and counted. */
bool feed_offer(struct feed *f, const struct event *e, const char *id);
void feed_get_status(
    struct feed *f, const struct feed_clock *now, struct feed_status *out);
const char *feed_state_name(enum feed_state s); /* "up", "down", "starting" */

#endif
