/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats, for feed_format.c: one function each. */
#ifndef STRIPWIRE_FEED_PRIVATE_H
#define STRIPWIRE_FEED_PRIVATE_H

#include <jansson.h>

#include "db/feed_format.h"
#include "db/feed_text.h"

#define FEED_VENDOR "Stripwire"
#define FEED_PRODUCT "Stripwire"

/* A new object; NULL: no memory. */
json_t *feed_ecs(const json_t *eve);
json_t *feed_ocsf(const json_t *eve);
/* What follows the header of syslog, if there is one. */
void feed_cef(struct text_out *o, const json_t *eve);
void feed_rfc5424(struct text_out *o, const json_t *eve);
/* HEADER of RFC 5424 and the space behind it. */
void feed_header(
    struct text_out *o, const json_t *eve, const struct feed_identity *me);

#endif
