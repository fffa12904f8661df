/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pieces that EVE objects of several kinds share, as Suricata has them. */
#ifndef STRIPWIRE_EVE_PARTS_H
#define STRIPWIRE_EVE_PARTS_H

#include <jansson.h>

#include "decoders/obs.h"

#define FLOW_ID_MASK ((UINT64_C(1) << 51) - 1) /* exact in a double */

void eve_set_vlan(json_t *o, const struct obs_flow *f);
/* keys: of address and port. */
void eve_set_endpoint(
    json_t *o, const char *const keys[2], const struct addr *a, uint16_t port);
/* {"hash": ...}; left out where there is none. */
void eve_set_hash(json_t *o, const char *key, const char *hash);
/* "TLS 1.2", "TLSv1", "SSLv3" */
const char *eve_tls_version(uint16_t version);

#endif
