/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a feed of the configuration to what db/feed.h takes.
 */
#ifndef STRIPWIRE_FEEDS_CONFIG_H
#define STRIPWIRE_FEEDS_CONFIG_H

#include "db/feed.h"
#include "sensor/config.h"

/* Reads the password file, so it may need the rights of root; err has
 * TRANSPORT_ERROR_MAX bytes. out borrows from f and from host, and is given
 * back with feeds_config_free(), after which no secret is left in memory. */
int feeds_config(struct feed_config *out, const struct config_feed *f,
    const char *host, char *err) __attribute__((warn_unused_result));
void feeds_config_free(struct feed_config *c);

/* The transport of the feed, opened. NULL with a sentence in err. */
struct transport *feeds_open(const struct feed_config *c, char *err);

/* "tls to siem.example.org:6514", for people. */
const char *feeds_where(char *buf, size_t cap, const struct config_feed *f);

#endif
