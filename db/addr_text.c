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

/* inet_ntop(3) goes through printf, which is felt: addresses are written for
 * each alert, and for all that history knows. */
static void
v4_to_text(char *to, const uint8_t b[4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (b[i] >= 100)
			*to++ = (char)('0' + b[i] / 100);
		if (b[i] >= 10)
			*to++ = (char)('0' + b[i] / 10 % 10);
		*to++ = (char)('0' + b[i] % 10);
		*to++ = i < 3 ? '.' : '\0';
	}
}

char *
addr_to_text(char buf[ADDR_TEXT_MAX], const struct addr *a)
{
	if (addr_is_v4(a))
		v4_to_text(buf, a->b + 12);
	else if (inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX) == NULL)
		buf[0] = '\0';
	return buf;
}

/* The digits of a number, base 11: what is not there comes before all of them.
 * 11 bits. */
static unsigned
byte_place(uint8_t b)
{
	unsigned ones = b % 10 + 1, tens = b / 10 % 10 + 1;

	if (b < 10)
		return ones * 121;
	return b < 100 ? tens * 121 + ones * 11
		       : (b / 100 + 1u) * 121 + tens * 11 + ones;
}

uint64_t
addr_text_place(const struct addr *a)
{
	uint64_t place = 0;

	if (addr_is_v4(a))
		for (unsigned i = 12; i < 16; i++)
			place = place << 11 | byte_place(a->b[i]);
	else
		for (unsigned i = 0; i < 4; i++)
			place = place << 8 | a->b[i];
	return place;
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

char *
client_to_text(char buf[CLIENT_TEXT_MAX], const struct pair_key *k)
{
	addr_to_text(buf, &k->client);
	if (k->of_network)
		strcat(buf, addr_is_v4(&k->client) ? "/24" : "/48");
	return buf;
}

int
client_from_text(struct pair_key *k, const char *text)
{
	size_t len = strcspn(text, "/");
	char addr[ADDR_TEXT_MAX];
	struct pair_key whole;

	if (len >= sizeof(addr))
		return -1;
	memcpy(addr, text, len);
	addr[len] = '\0';
	if (addr_from_text(&k->client, addr) == -1)
		return -1;
	if (text[len] == '\0')
		return 0;
	if (strcmp(text + len, addr_is_v4(&k->client) ? "/24" : "/48") != 0)
		return -1;
	whole = *k;
	pair_key_network(k, &whole);
	return 0;
}
