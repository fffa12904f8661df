/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * stripwire feed: the feeds of the configuration, how far they are, whether
 * one works, and history sent again.
 *
 *	cmd_feed.c		options, the list
 *	cmd_feed_test.c		one event, step by step
 *	cmd_feed_replay.c	history again
 */
#ifndef STRIPWIRE_CMD_FEED_H
#define STRIPWIRE_CMD_FEED_H

#include <limits.h>

#include "sensor/feeds_config.h"
#include "sensor/sandbox.h"

struct feed_options {
	struct config config;
	char host[HOST_NAME_MAX + 1]; /* the sensor's name */
	const char *name; /* of the feed; NULL: none was named */
	int64_t since, until; /* ns */
	bool json;
};

int cmd_feed(int argc, char **argv);

/* An exit status: 0 it is there, 1 it is not, or nobody knows, 2 it could not
 * be tried. */
int feed_test(struct feed_options *o);
/* 0: all of it went; 1: not all, which is said; 2: it could not begin. */
int feed_replay(struct feed_options *o);
/* What waits, and then the end; for a sensor that does not run. */
int feed_send(struct feed_options *o);

/* The feed of that name; NULL: there is none, which is said. */
const struct config_feed *feed_find(const struct feed_options *o);
/* Configuration and transport, opened, and then the user that the sensor's
 * feeds run as: a file that is made here must be writable for them. NULL: said
 * in err (TRANSPORT_ERROR_MAX). */
struct transport *feed_prepare(const struct feed_options *o,
    const struct config_feed *f, struct feed_config *c, char *err);

#endif
