/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of transports, and the few words that they have in common. */
#include "db/transport.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "db/transport_priv.h"

static const struct transport_ops *const kinds[TRANSPORT_COUNT] = {
    [TRANSPORT_FILE] = &transport_file,
    [TRANSPORT_UNIX] = &transport_unix,
    [TRANSPORT_UDP] = &transport_udp,
    [TRANSPORT_TCP] = &transport_tcp,
    [TRANSPORT_TLS] = &transport_tls,
    [TRANSPORT_KAFKA] = &transport_kafka,
};

const struct transport_ops *
transport_ops(const struct transport_config *c)
{
	if (c->kind == TRANSPORT_UNIX && c->datagram)
		return &transport_unix_datagram;
	return kinds[c->kind];
}

int
transport_error(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, TRANSPORT_ERROR_MAX, fmt, ap);
	va_end(ap);
	for (char *p = err; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
	return -1;
}

int64_t
transport_now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
