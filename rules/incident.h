/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Incidents: alerts that tell one story. A reset forged during the handshake,
 * the plaintext that follows and the password in it are three alerts and one
 * incident, which says what happened in order, how grave it is, where the
 * interference may sit, and what to do.
 *
 * An alert of at least medium severity joins an open incident, or opens one;
 * what is less grave only joins. It joins
 *   - what is open between the same two hosts (the server also by a name that
 *     history knows it by, the client also by its network if history has met
 *     that network here), within `window`;
 *   - what is open at the same server for other clients, or at other servers
 *     for the same client, if it is the same story, within `window`;
 *   - within `repeat`, what it repeats: a finding that the incident holds, at
 *     the same server.
 * Ports do not matter: TLS that breaks on 993 and a password on 143 are one
 * story. An incident that was quiet for `repeat` ends.
 *
 * Of one finding an incident passes on the first `fold_after` alerts (of each
 * capture, where there are captures), and then those that bring news: another user, client or server (up to
 * INCIDENT_HOSTS of each), a higher severity. The rest is counted in it.
 *
 * Time is packet time, and nothing here is random: the same alerts give the
 * same incidents. Bounded: INCIDENTS_MAX are open at a time, about 12 KiB
 * each; of more, the one quiet for longest ends.
 */
#ifndef STRIPWIRE_INCIDENT_H
#define STRIPWIRE_INCIDENT_H

#include "decoders/table_use.h"
#include "rules/alert.h"
#include "rules/facts.h"
#include "rules/history.h"
#include "rules/incident_story.h"

#define INCIDENTS_MAX 1024
#define INCIDENT_HOSTS 64 /* clients, users told apart */
#define INCIDENT_SERVERS 16
#define INCIDENT_NETWORKS 8 /* more are "several" as well */
#define INCIDENT_STEPS 24 /* of the timeline: the first 8 and the last 16 */
#define INCIDENT_STEPS_FIRST 8
#define INCIDENT_TEXT_MAX 200
#define INCIDENT_WINDOW_S 600
#define INCIDENT_REPEAT_S 86400
#define INCIDENT_FOLD 20

enum incident_state { INCIDENT_OPEN = 0, INCIDENT_ENDED };

enum incident_event {
	INCIDENT_NOTHING = 0,
	INCIDENT_OPENED,
	INCIDENT_WORSE, /* its severity grew */
	INCIDENT_CLOSED /* quiet for long, no room, or the operator's word */
};

/* Alerts that say the same of the same two hosts are one step. Its sentence
 * stands apart: steps are searched and moved with each alert. */
struct incident_step {
	int64_t first, last; /* ns */
	uint32_t count;
	uint16_t finding; /* enum finding_id; FIND_NONE: what was before */
	uint8_t severity;
	uint8_t pad;
	struct addr client, server;
	uint16_t port; /* of the server */
	uint16_t client_port; /* of the first */
};

struct incident_count { /* of one finding */
	uint32_t alerts; /* all */
	uint32_t folded; /* of them counted only */
	uint32_t raised; /* passed on since the capture began */
	uint8_t severity; /* the highest passed on */
	uint8_t pad[3];
	int64_t first, last;
};

struct incident {
	int64_t id;
	int64_t first, last; /* ns: of the alerts that count (not info) */
	uint8_t state; /* enum incident_state */
	uint8_t severity; /* enum severity; may be higher than any alert's */
	uint8_t confidence; /* the highest of its alerts */
	uint8_t story; /* enum incident_story */
	uint8_t stages; /* bits, enum incident_stage */
	uint8_t place; /* enum incident_place */
	uint8_t proto; /* enum proto of the first alert */
	uint8_t end_reason; /* enum incident_end, once ended */
	int64_t exposed; /* last time that something was exposed, 0 never */
	uint32_t sessions; /* connections that an alert of it is about */
	uint32_t alerts, folded;
	/* who; `more` says of whom there were others for whom there was no
	 * room */
	uint32_t nclients, nservers, nusers;
	uint32_t nnetworks; /* of the clients */
	uint32_t nsteps, steps_out; /* left out between the two parts */
	uint32_t nsites; /* servers, all addresses of one name being one */
	uint32_t name; /* hash of the server's known name, 0 none */
	uint8_t more; /* bits, enum incident_more */
	uint8_t pad[3];
	/* what each alert is held against first, side by side in memory */
	struct addr server[INCIDENT_SERVERS];
	uint32_t network[INCIDENT_NETWORKS]; /* hashes */
	uint32_t user[INCIDENT_HOSTS]; /* hashes */
	/* of the clients and of the steps, which are looked at where one is
	 * the same; see incident_hash_all() */
	uint32_t client_hash[INCIDENT_HOSTS];
	uint32_t step_hash[INCIDENT_STEPS];
	struct addr client[INCIDENT_HOSTS];
	char server_name[OBS_NAME_MAX]; /* as in the alert, "" */
	/* other clients that had TLS at the same servers meanwhile */
	uint32_t fine; /* such sessions */
	uint32_t nfine;
	uint32_t fine_client[INCIDENT_HOSTS]; /* hashes */
	/* nsteps of them, as they came, and their order in time */
	uint8_t order[INCIDENT_STEPS];
	struct incident_step step[INCIDENT_STEPS];
	char sentence[INCIDENT_STEPS][INCIDENT_TEXT_MAX];
	struct incident_count count[FIND_COUNT];
};

enum incident_more {
	MORE_CLIENTS = 1,
	MORE_SERVERS = 2,
	MORE_USERS = 4,
	MORE_FINE = 8,
	MORE_NETWORKS = 16
};

enum incident_end {
	INCIDENT_END_NONE = 0,
	INCIDENT_END_QUIET,
	INCIDENT_END_FULL, /* another needed the room */
	INCIDENT_END_OPERATOR
};

struct incidents_config {
	/* the number of a new one; NULL: 1, 2, 3 ... */
	int64_t (*new_id)(void *ctx);
	/* after the alert that made it so was passed on; may be NULL */
	void (*event)(
	    void *ctx, const struct incident *i, enum incident_event e);
	void *ctx;
	int64_t window, repeat; /* ns; 0: the defaults above */
	uint32_t fold_after; /* UINT32_MAX: nothing is folded; 0: default */
};

struct incidents_counters {
	uint64_t opened, ended, folded, evicted, open;
};

/* What history knows of the two, and what the judge keeps of the flow. */
struct incident_known {
	const struct server_facts *server; /* or of its name, or NULL */
	/* Whether it knows the client's network there; NULL: it does not.
	 * Asked where that matters only. */
	bool (*knows_network)(void *ctx);
	void *ctx;
	int64_t *of_flow; /* incident of the flow so far, 0 none; updated */
};

struct incidents;

struct incidents *incidents_new(const struct incidents_config *cfg);
void incidents_free(struct incidents *in);
/* Window, repeat and fold_after as in cfg from now on. */
void incidents_configure(
    struct incidents *in, const struct incidents_config *cfg);

/* Before rules are asked: what is open between the two hosts (a->incident,
 * incident_severity; incident_new is 0), so that rules can go by it. */
void incidents_peek(
    struct incidents *in, struct alert *a, const struct incident_known *k);
/* A graded alert: fills a->incident (0: belongs to none), incident_severity
 * and incident_new. false: it is counted, and not to be passed on. */
bool incidents_add(
    struct incidents *in, struct alert *a, const struct incident_known *k);
/* After the alert went out: tells what came of it. */
void incidents_tell(struct incidents *in);
/* A session that had TLS and no fault: says where interference is not. */
void incidents_fine(struct incidents *in, const struct facts *f);
/* Ends those that were quiet for long. Cheap if called often. */
void incidents_advance(struct incidents *in, int64_t now);

/* For db/: what changed since the last keep; loading; ending by hand. As in
 * history.h, what came since mark() can be taken back as a whole. */
void incidents_mark(struct incidents *in);
void incidents_keep(struct incidents *in);
void incidents_drop(struct incidents *in);
void incidents_each_dirty(struct incidents *in,
    void (*fn)(void *ctx, const struct incident *i), void *ctx);
void incidents_each(const struct incidents *in,
    void (*fn)(void *ctx, const struct incident *i), void *ctx);
/* One that is open in the database. -1: no memory. */
int incidents_load(struct incidents *in, const struct incident *i);
/* The operator closed it: what follows is another one. */
void incidents_close(struct incidents *in, int64_t id);

const struct incidents_counters *incidents_counters(struct incidents *in);
struct table_use incidents_use(const struct incidents *in);

#endif
