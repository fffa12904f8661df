/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What incidents are about, in words: which part each finding plays in a
 * story, how grave the whole is, where the interference may sit, and what an
 * operator can do about it. Pure functions.
 */
#ifndef STRIPWIRE_INCIDENT_STORY_H
#define STRIPWIRE_INCIDENT_STORY_H

#include "rules/alert.h"

struct incident;

/* The likelier of two stories is the later one here. */
enum incident_story {
	STORY_NONE = 0,
	STORY_FAULT, /* the server's own: expired, old, weak */
	STORY_CLEAR, /* mail or passwords in clear, no interference seen */
	STORY_BROKEN, /* TLS handshakes are broken off */
	STORY_STRIPPED, /* STARTTLS is taken away */
	STORY_INTERCEPTED, /* another certificate, a downgrade */
	STORY_INJECTED, /* text or segments of somebody else */
	STORY_COUNT
};

enum incident_stage { /* bits: how far it went */
	STAGE_INTERFERED = 1, /* somebody interfered */
	STAGE_UNPROTECTED = 2, /* the client went on without protection */
	STAGE_EXPOSED = 4 /* credentials or mail could be read */
};

enum incident_place {
	PLACE_UNKNOWN = 0, /* one client and nobody to compare with */
	PLACE_CLIENT, /* near the one client */
	PLACE_NETWORK, /* near the clients: all are of one network */
	PLACE_SERVER, /* near the server, or the server itself */
	PLACE_MIXED, /* some clients of several networks, others not */
	PLACE_NONE /* nobody interfered */
};

enum incident_story story_of(const struct finding *f);
uint8_t story_stage(const struct finding *f); /* enum incident_stage */
bool story_is_interference(enum incident_story s);
const char *story_name(enum incident_story s); /* "stripped" */
enum incident_story story_by_name(const char *name); /* STORY_NONE */

/* The least that stages are worth together (E5: a password after interference
 * is critical). */
uint8_t stages_severity(uint8_t stages);
/* "interfered,unprotected,exposed" */
const char *stages_text(char *buf, size_t cap, uint8_t stages);

/* By whom was met and whom not. */
enum incident_place incident_place(const struct incident *i);

/* Sentences. Return buf. */
#define STORY_TEXT_MAX 400
const char *incident_title(char buf[STORY_TEXT_MAX], const struct incident *i);
const char *incident_where(char buf[STORY_TEXT_MAX], const struct incident *i);
const char *incident_advice(char buf[STORY_TEXT_MAX], const struct incident *i);
/* What one alert adds to a timeline. */
const char *incident_sentence(char *buf, size_t cap, const struct alert *a);

#endif
