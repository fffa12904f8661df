/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Lending of handshake buffers, for the TLS decoder only.
 */
#ifndef STRIPWIRE_TLS_POOL_H
#define STRIPWIRE_TLS_POOL_H

#include "decoders/table_use.h"
#include "decoders/tls_record.h"

/* A buffer of `cap` bytes with the content of buf (NULL: a new one),
 * which goes back. NULL if the pool's limit is reached; then buf stays lent.
 * pool may be NULL: nothing is lent. */
uint8_t *tls_pool_grow(struct tls_pool *p, uint8_t *buf, uint32_t oldcap,
    uint32_t cap) __attribute__((warn_unused_result));
void tls_pool_return(struct tls_pool *p, uint8_t *buf, uint32_t cap);
struct table_use tls_pool_use(const struct tls_pool *p);

#endif
