/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One table of functions for each file transport_*.c. For transport.c, which
 * lists them, and for those files.
 */
#ifndef STRIPWIRE_TRANSPORT_KINDS_H
#define STRIPWIRE_TRANSPORT_KINDS_H

#include "db/transport.h"

extern const struct transport_ops transport_file, transport_unix,
    transport_unix_datagram, transport_udp, transport_tcp, transport_tls,
    transport_kafka;

#endif
