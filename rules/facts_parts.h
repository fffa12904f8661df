/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parts of facts: what folds an observation asks for the part it writes to.
 * Private to facts.
 */
#ifndef STRIPWIRE_FACTS_PARTS_H
#define STRIPWIRE_FACTS_PARTS_H

#include "rules/facts.h"

/* The part to write to, made if it is not there. NULL: no memory. */
struct facts_tls *facts_own_tls(struct facts *f, struct blocks *b);
struct facts_clear *facts_own_clear(struct facts *f, struct blocks *b);
struct facts_auth *facts_own_auth(struct facts *f, struct blocks *b);
struct facts_rst *facts_own_rst(struct facts *f, struct blocks *b); /* [2] */
struct facts_odd *facts_own_odd(struct facts *f, struct blocks *b);
struct moment *facts_own_refused(struct facts *f, struct blocks *b);
struct obs_proxy *facts_own_proxied(struct facts *f, struct blocks *b);
struct facts_rare *facts_own_rare(struct facts *f, struct blocks *b);
/* There is none yet. */
struct facts_greeting *facts_own_greeting(
    struct facts *f, struct blocks *b, const char *host);
/* As they are, or with other texts. */
struct facts_caps *facts_own_caps(struct facts *f, struct blocks *b);
struct facts_caps *facts_own_list(
    struct facts *f, struct blocks *b, const char *name, const char *words);
/* Left as it was if there is no memory. */
void facts_set_sni(struct facts_tls *t, struct blocks *b, const char *sni);

#endif
