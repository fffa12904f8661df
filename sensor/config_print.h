/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The feeds of a configuration, for `stripwire config`. Secrets are not shown.
 */
#ifndef STRIPWIRE_CONFIG_PRINT_H
#define STRIPWIRE_CONFIG_PRINT_H

#include <jansson.h>

#include "sensor/config.h"

/* ---- cmd_config.c ---- */
/* In quotes where YAML would not take it for the text it is. */
void config_print_text(const char *s);
/* In lines of at most 78 columns, each behind indent and '#'. */
void config_print_comment(const char *indent, const char *text);

/* ---- config_print_feeds.c ---- */
void config_feeds_print(const struct config *c); /* as a file has them */
json_t *config_feeds_json(const struct config *c); /* a new reference */
/* Every key of a feed, commented out, with unit, range and default. */
void config_feeds_sample(void);

#endif
