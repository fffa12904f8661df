/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An alert: a rule selected a finding and graded it. Flat: what the store and
 * the feeds need is all here, including the ladder (the steps of the dialogue
 * that a person needs to understand it).
 */
#ifndef STRIPWIRE_ALERT_H
#define STRIPWIRE_ALERT_H

#include "rules/finding.h"

#define LADDER_STEPS 20 /* the first 8 and the last 12 are kept */
#define LADDER_TEXT_MAX 120 /* bytes shown of a step */

enum step_mark {
	STEP_NONE = 0,
	STEP_WRONG = 1, /* this one is what the finding is about */
	STEP_SKIPPED = 2, /* steps were left out before this one */
	STEP_OTHER_FLOW = 4 /* belongs to a later connection of the pair */
};

struct step {
	uint64_t flow;
	int64_t time;
	uint16_t kind; /* enum obs_kind */
	uint8_t mark; /* enum step_mark */
	uint8_t dir;
	/* of its connection, where that is not the alert's own; 0: the same */
	uint16_t client_port, server_port;
	struct pkt_ref pkt;
	char text[LADDER_TEXT_MAX]; /* masked; also e.g. "RST" */
};

struct alert_tls { /* of the handshake, as far as it was seen by then */
	uint16_t version, suite; /* chosen, 0: not seen */
	uint8_t resumed;
	char sni[OBS_NAME_MAX]; /* "": none */
	char ja3[OBS_JA3_MAX], ja3s[OBS_JA3_MAX], ja4[OBS_JA4_MAX];
};

struct alert {
	struct finding finding;
	/* the rule */
	uint32_t sid, gid, rev;
	uint8_t severity; /* enum severity */
	char msg[160];
	char classtype[64];
	char reference[160]; /* "url,example.org/x\n..." */
	char metadata[256]; /* "key value\n..." */
	/* who */
	struct obs_flow flow;
	uint8_t proto; /* enum proto */
	uint8_t implicit_tls;
	char server_name[OBS_NAME_MAX]; /* greeting or SNI, "" */
	struct alert_tls tls;
	/* the incident it belongs to (incident.h), 0 none */
	int64_t incident;
	uint8_t incident_severity; /* as it is with this alert */
	uint8_t incident_new; /* this one opened it */
	/* how it looked */
	uint8_t nsteps;
	struct step steps[LADDER_STEPS];
};

struct alert_sink {
	void (*alert)(void *ctx, const struct alert *a);
	void *ctx;
};

#endif
