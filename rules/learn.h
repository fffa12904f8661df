/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a flow teaches the history of its server and of the pair.
 */
#ifndef STRIPWIRE_LEARN_H
#define STRIPWIRE_LEARN_H

#include "rules/facts.h"
#include "rules/history.h"

enum lesson { LESSON_NONE = 0, LESSON_TAUGHT, LESSON_PARTIAL };

void learn_server_key(struct server_key *k, const struct facts *f);
void learn_pair_key(struct pair_key *k, const struct facts *f);

/*
 * Teaches what the flow showed. PARTIAL: it was not seen whole, or showed
 * nothing; nothing was learned. The caller has seen to it that the flow is
 * free of suspicion, and asks once a flow, when all that can be seen has been
 * seen: the first encrypted data of the client, QUIT, or the end.
 */
enum lesson learn_flow(struct history *h, const struct facts *f, int64_t now);

/* These two fell back to plaintext: that is kept beside what they did before,
 * so that pairs with which TLS never works become known. */
void learn_fallback(struct history *h, const struct facts *f, int64_t now);

#endif
