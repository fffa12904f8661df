/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `read` and `run` have in common: configuration and options become the
 * pipeline's, and the policy files are looked for.
 */
#ifndef STRIPWIRE_SETUP_H
#define STRIPWIRE_SETUP_H

#include <limits.h>

#include "db/store.h"
#include "rules/tls_policy.h"
#include "sensor/backend.h"
#include "sensor/config.h"

struct setup { /* cfg points into it and into the configuration */
	struct pipeline_config cfg;
	struct tls_policy tls;
	struct store_feed feeds[CONFIG_FEEDS_MAX];
	char rules_path[PATH_MAX], interceptors_path[PATH_MAX];
	char host[HOST_NAME_MAX + 1];
};

void setup_from_config(struct setup *s, const struct config *c);
/* Those that c does not name: beside the program, in the install prefix, in the
 * working folder. -1: one is missing, which is said on standard error. */
int setup_find_policy(struct setup *s, const char *command)
    __attribute__((warn_unused_result));

#endif
