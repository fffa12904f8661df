/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The supervisor of a live sensor: opens captures, starts workers, verifier
 * and judge, hands them what they may have, and replaces what dies or hangs.
 * It parses nothing that came from the wire.
 *
 *	supervise.c	the life of the sensor: start, watch, end
 *	watch.c		what hangs, what is lost
 *	child.c		one process: fork, what it keeps, what it may
 *	feeds_child.c	the process of the feeds: likewise, and when it is
 *			started, told to reopen, ended
 *	reload.c	rules, configuration, trust store: at the start, at SIGHUP
 *	crash.c		the packet that a worker died of
 *	status.c	the answer to `stripwire status`
 */
#ifndef STRIPWIRE_SUPERVISE_H
#define STRIPWIRE_SUPERVISE_H

#include <sys/types.h>

#include "rules/interceptors.h"
#include "sensor/bundle.h"
#include "sensor/feeds_process.h"
#include "sensor/judge_process.h"
#include "sensor/sandbox.h"
#include "sensor/verifier_process.h"
#include "sensor/worker.h"

#define QUEUE_BYTES (8u << 20) /* a worker's; 2,000 observations at least */
#define EVENTS_BYTES (8u << 20) /* of the judge's to the feeds */

struct supervise_config {
	const struct pipeline_config *cfg;
	struct live_config live; /* interface and workers are set from these: */
	const char *interface[INTERFACES_MAX];
	unsigned ninterfaces, workers;
	const char *user; /* "": stripwire or nobody */
	const char *socket, *log, *crash_folder;
	bool whole_packets, verbose;
	const struct config *config; /* for the feeds */
	const char *config_path; /* NULL: none */
	const struct reconfigure *again; /* SIGHUP; log changes with it */
	bool feeds_changed; /* set by again->take() */
};

/* What was checked, and what processes that start or are replaced get: not what
 * lies on the disk by then. */
struct in_force {
	struct bundle *texts;
	struct verifier *trust;
	struct interceptors *products;
};

#define RELOAD_SHOWN 8 /* mistakes, in `status` */
#define RELOAD_TEXT 300

struct reloads {
	uint64_t loaded, failed; /* how often */
	int64_t tried_at, loaded_at; /* s since the epoch */
	unsigned rules; /* in force */
	bool pending; /* the judge has not answered yet */
	bool bad; /* the last one */
	unsigned mistakes; /* of the last one; the first of them: */
	char shown[RELOAD_SHOWN][RELOAD_TEXT];
	const char *frozen[RELOAD_SHOWN * 2]; /* keys that wait for a restart */
	unsigned nfrozen;
};

enum role { ROLE_WORKER, ROLE_VERIFIER, ROLE_JUDGE, ROLE_FEEDS };

struct child {
	enum role role;
	unsigned number; /* of the worker */
	unsigned epoch; /* started so many times before */
	pid_t pid; /* 0: not running */
	int64_t started; /* ms */
	uint64_t beat; /* last seen, and then: */
	int64_t beat_at, beat_cpu; /* ms; of the clock, of its own time */
	struct live *live[INTERFACES_MAX];
	struct board *board;
	struct ring *ring;
};

struct supervisor {
	struct supervise_config *cfg;
	struct sandbox sandbox; /* user, folders */
	unsigned nworkers;
	struct child worker[WORKERS_MAX], verifier, judge, feeds;
	struct judge_board *judged;
	struct verifier_board *verified;
	struct feeds_board *feeds_board;
	struct ring *events; /* from the judge to the feeds */
	uint8_t secret_key[16]; /* of all workers */
	int control; /* to the judge */
	int feeds_control; /* to the feeds, -1 none */
	int feeds_end; /* of that pair, for the process that begins */
	int verifier_end; /* of the pair, for the judge that comes next */
	int signals; /* signalfd */
	int listener; /* `stripwire status` */
	int64_t started; /* s since the epoch */
	uint64_t restarts, hangs, crashes;
	struct live_counters gone; /* of workers that died */
	struct crash *crash;
	bool ready, ending, failed; /* ready: the judge is */
	bool was_ready; /* from then on trouble of a judge is no end */
	bool reload; /* asked for by SIGHUP, to be done */
	struct in_force in_force, next; /* next: while it is pending */
	struct reloads reloads;
	char judge_death[160]; /* of the last one, to be told to the next */
	char judge_trouble[512]; /* why it cannot work, as said */
	int64_t judge_pause; /* ms before the next one is tried */
	bool feeds_restart; /* it was told to end, for another to begin */
	uint64_t feeds_folder[CONFIG_FEEDS_MAX]; /* inodes; 0: missing */
	int64_t feeds_looked; /* ms: at them */
};

/* Returns an exit status. */
int supervise(struct supervise_config *cfg);
int64_t supervise_now(void); /* ms, of a clock that does not step */
/* Into the log, and to the judge as a finding about the sensor. */
void supervise_tell(struct supervisor *s, enum finding_id id, const char *text);

/* ---- watch.c ---- */
/* Kills what hangs, tells of loss; several times a second. */
void watch(struct supervisor *s, int64_t now);

/* The verifier with another trust store, or in the place of one that died. */
void supervise_replace_verifier(struct supervisor *s, bool other_trust);

/* ---- reload.c ---- */
/* At the start. -1: what is wrong is in the log. */
int reload_first(struct supervisor *s);
/* Reads all of it anew, and hands to the judge what loads. */
void reload_begin(struct supervisor *s);
/* The log and the feed, under their names: they may have been moved away. */
void reload_reopen(struct supervisor *s);
/* The judge's answer; or it died before it gave one (c is NULL). */
void reload_answer(struct supervisor *s, const struct control *c);
void reload_fini(struct supervisor *s);

/* ---- child.c ---- */
/* Forks. -1: it could not, which is said. */
int child_start(struct supervisor *s, struct child *c);
const char *child_name(const struct child *c, char buf[24]);

/* The end of a start that failed: says it, returns the exit status. */
int child_failed(const char *err);
/* The process ends when its parent does; SIGTERM sets *child_stopped. */
void child_end_with_parent(pid_t parent, int sig);
extern volatile int child_stopped;

/* ---- feeds_child.c ---- */
int feeds_child_main(struct supervisor *s, pid_t parent);
/* Starts it if there are feeds and it is not there; several times a second. */
void feeds_look(struct supervisor *s, int64_t now);
/* It is gone; status as wait(2) has it. */
void feeds_died(struct supervisor *s, const char *how, int status);
void feeds_reopen(struct supervisor *s); /* SIGHUP: its files, and the log */
void feeds_reload(struct supervisor *s); /* another configuration holds */

/* ---- crash.c ---- */
struct crash *crash_new(const char *folder, bool whole); /* NULL: memory */
void crash_free(struct crash *c);
void crash_init_board(struct crash *c, struct board *b);
/* A worker died: its packet is saved and remembered; one that killed before is
 * skipped from now on, by all. Says in text what is known of it. */
void crash_note(struct crash *c, struct supervisor *s, struct board *b,
    char *text, size_t textlen);

/* ---- status.c ---- */
int status_listen(const char *path, char *err, size_t errlen);
void status_answer(struct supervisor *s);

#endif
