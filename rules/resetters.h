/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Devices of the operator's own that end connections by resets: those are as
 * forged as an attacker's, but no news (C7). They write the addresses of the
 * hosts into their packets, so they are known by the MAC address their frames
 * come from, or by how the tool makes its resets.
 */
#ifndef STRIPWIRE_RESETTERS_H
#define STRIPWIRE_RESETTERS_H

#include "decoders/obs.h"

#define RESETTERS_MAX 32

struct resetters {
	uint8_t mac[RESETTERS_MAX][6];
	unsigned nmac;
	uint32_t tools; /* 1 << enum rst_tool */
};

/* who: "00:1b:2c:3d:4e:5f" (or with '-'), or the name of a tool. Returns -1 if
 * it is neither, or one address too many. */
int resetters_add(struct resetters *r, const char *who)
    __attribute__((warn_unused_result));

/* r may be NULL: nobody is. */
bool resetters_include(const struct resetters *r, const struct obs_rst *rst);

#endif
