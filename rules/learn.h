/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a flow teaches the history of its server and of the pair.
 */
#ifndef STRIPWIRE_LEARN_H
#define STRIPWIRE_LEARN_H

#include "rules/facts.h"
#include "rules/history.h"

enum lesson { LESSON_NONE = 0, LESSON_TAUGHT, LESSON_PARTIAL };

/* What a list before TLS and before login lets a client log in with. */
enum auth_list {
	AUTH_LIST_NONE = 0, /* nothing, or no list seen whole */
	AUTH_LIST_SAFE, /* also with a mechanism that hides the password */
	AUTH_LIST_CLEAR /* only such as show it */
};
enum auth_list learn_auth_list(const struct facts *f);

void learn_server_key(struct server_key *k, const struct facts *f);
void learn_pair_key(struct pair_key *k, const struct facts *f);

/*
 * Teaches what the flow showed. PARTIAL: it was not seen whole, or showed
 * nothing; nothing was learned. The caller has seen to it that the flow is
 * free of suspicion, and asks once a flow, when all that can be seen has been
 * seen: the first encrypted data of the client, QUIT, or the end.
 */
enum lesson learn_flow(struct history *h, const struct facts *f, int64_t now);

/*
 * The list of an ended flow lacks what this server offered before, and the
 * flow taught nothing (it was under suspicion, or not seen whole): kept as a
 * memory of the change, for the server and for the client's network. After 14
 * days and several clients, without an offer to anybody in between, it is
 * accepted as the way things are.
 */
void learn_absence(struct history *h, const struct facts *f, int64_t now);
/* The one alert about all clients of the server has been raised. */
void learn_absence_told(struct history *h, const struct facts *f);

/* Is this client among those of the absence? */
bool absence_has(const struct absence *a, const struct addr *client);

/* These two fell back to plaintext: that is kept beside what they did before,
 * so that pairs with which TLS never works become known. */
void learn_fallback(struct history *h, const struct facts *f, int64_t now);

#endif
