/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The chain of the certificate message at hand, a copy: the observation that
 * says whose it is comes next, without the bytes.
 */
#ifndef STRIPWIRE_SHOWN_H
#define STRIPWIRE_SHOWN_H

#include "decoders/tls_record.h"
#include "decoders/x509.h"

struct shown {
	uint8_t id[32];
	struct slice der[X509_CHAIN_MAX];
	unsigned n;
	uint8_t bytes[TLS_MESSAGE_MAX];
};

/* As many of the n as there is room for. */
void shown_copy(struct shown *to, const uint8_t chain_id[32],
    const struct slice *der, unsigned n);

#endif
