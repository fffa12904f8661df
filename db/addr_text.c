/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses as text and back.
 */
#include "db/addr_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool
addr_is_v4(const struct addr *a)
{
	return memcmp(a->b, mapped, sizeof(mapped)) == 0;
}

char *
addr_to_text(char buf[ADDR_TEXT_MAX], const struct addr *a)
{
	const char *s;

	if (addr_is_v4(a))
		s = inet_ntop(AF_INET, a->b + 12, buf, ADDR_TEXT_MAX);
	else
		s = inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
	if (s == NULL)
		buf[0] = '\0';
	return buf;
}

char *
endpoint_to_text(
    char buf[ENDPOINT_TEXT_MAX], const struct addr *a, uint16_t port)
{
	char addr[ADDR_TEXT_MAX];

	addr_to_text(addr, a);
	snprintf(buf, ENDPOINT_TEXT_MAX, addr_is_v4(a) ? "%s:%u" : "[%s]:%u",
	    addr, port);
	return buf;
}

int
addr_from_text(struct addr *a, const char *text)
{
	if (inet_pton(AF_INET, text, a->b + 12) == 1) {
		memcpy(a->b, mapped, sizeof(mapped));
		return 0;
	}
	return inet_pton(AF_INET6, text, a->b) == 1 ? 0 : -1;
}
