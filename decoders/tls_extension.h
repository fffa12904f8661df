/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies of hello extensions to facts (RFC 6066, 6962, 7301, 8446 4.2, 8701). Only
 * those are looked at that somebody judges; all others are known by number.
 */
#ifndef STRIPWIRE_TLS_EXTENSION_H
#define STRIPWIRE_TLS_EXTENSION_H

#include "decoders/obs.h"

enum tls_extension { /* IANA's registry */
	TLS_EXT_SERVER_NAME = 0,
	TLS_EXT_STATUS_REQUEST = 5,
	TLS_EXT_GROUPS = 10,
	TLS_EXT_POINT_FORMATS = 11,
	TLS_EXT_SIGNATURES = 13,
	TLS_EXT_ALPN = 16,
	TLS_EXT_SCT = 18, /* RFC 6962 3.3.1 */
	TLS_EXT_COMPRESS_CERTIFICATE = 27,
	TLS_EXT_TICKET = 35,
	TLS_EXT_PRE_SHARED_KEY = 41,
	TLS_EXT_EARLY_DATA = 42,
	TLS_EXT_VERSIONS = 43,
	TLS_EXT_KEY_SHARE = 51,
	TLS_EXT_ECH = 0xfe0d,
	TLS_EXT_ESNI = 0xffce
};

/* RFC 8701: reserved values that are sent to keep the others honest. */
bool tls_is_grease(uint16_t v);

/* One extension into h. False: its body contradicts itself; what was read
 * before that stays. */
bool tls_read_client_extension(
    uint16_t type, struct slice body, struct obs_hello *h);
bool tls_read_server_extension(
    uint16_t type, struct slice body, struct obs_hello *h);

#endif
