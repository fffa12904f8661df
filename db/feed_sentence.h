/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What all formats say of an event in the same words: how grave it is, one
 * sentence for people, who the server is.
 */
#ifndef STRIPWIRE_FEED_SENTENCE_H
#define STRIPWIRE_FEED_SENTENCE_H

#include <jansson.h>
#include <stdbool.h>

#include "rules/finding.h"

#define FEED_SENTENCE_MAX 1024

/* Of alerts and incidents their own, SEV_INFO of everything else and of an
 * incident that has ended. */
enum severity feed_severity(const json_t *eve);

/* "STARTTLS stripped: it was offered in 12 sessions before (10.1.0.10:51514 to
 * mx.example.net 10.2.0.20:25, smtp)". Returns buf. */
const char *feed_sentence(char buf[FEED_SENTENCE_MAX], const json_t *eve);

/* In EVE a content rule's alert has the sender as source, which may be the
 * server. */
bool feed_server_is_source(const json_t *eve);

#endif
