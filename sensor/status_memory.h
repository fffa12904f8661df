/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Memory by table, out of the answer of a sensor (status.c): how `stripwire
 * status` shows it.
 */
#ifndef STRIPWIRE_STATUS_MEMORY_H
#define STRIPWIRE_STATUS_MEMORY_H

#include <jansson.h>

/* For people, workers summed up. */
void status_print_memory(const json_t *answer);
/* In Prometheus' text format, each process by itself. */
void status_memory_metrics(const json_t *answer);

#endif
