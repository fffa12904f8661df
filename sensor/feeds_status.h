/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The feeds in the answer to `stripwire status`, and its forms for people and
 * for Prometheus.
 */
#ifndef STRIPWIRE_FEEDS_STATUS_H
#define STRIPWIRE_FEEDS_STATUS_H

#include <jansson.h>

#include "sensor/feeds_process.h"

/* A list, an object for each feed: as its process says, or, where no sensor
 * runs, as the database does. New references. */
json_t *feeds_status_json(const struct config *c, const struct feeds_board *b);
json_t *feeds_rows_json(const struct config *c, struct outbox *o);

/* A table, and a line for each last error; nothing without feeds. */
void feeds_status_print(const json_t *list);
void feeds_status_prometheus(const json_t *list);

#endif
