/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Kafka transport's configuration and what it says about errors;
 * transport_kafka*.c only. */
#ifndef STRIPWIRE_TRANSPORT_KAFKA_H
#define STRIPWIRE_TRANSPORT_KAFKA_H

#include <librdkafka/rdkafka.h>

#include "db/transport_priv.h"

/* All options are librdkafka's to judge, except those that at-least-once and
 * the order depend on, which are refused. No logging. NULL with a sentence,
 * in which no value of a secret option stands. */
rd_kafka_conf_t *kafka_conf(const struct transport_config *c, char *err);

/* One sentence for what librdkafka calls e; text: what it says itself, or "".
 * Returns -1. */
int kafka_error(const struct transport_config *c, rd_kafka_resp_err_t e,
    const char *text, char *err);

#endif
