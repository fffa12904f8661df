/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The community id of a flow, version 1: a name for a connection on which
 * sensors of different makers agree, whatever the direction they saw first.
 */
#ifndef STRIPWIRE_COMMUNITY_ID_H
#define STRIPWIRE_COMMUNITY_ID_H

#include "decoders/obs.h"

#define COMMUNITY_ID_MAX 32 /* "1:" and 28 letters */

/* With the seed 0, which is everybody's default. "" if there is no memory for
 * the hash. Returns buf. */
char *community_id(char buf[COMMUNITY_ID_MAX], const struct obs_flow *f);

#endif
