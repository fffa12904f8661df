/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts that rest. Of most flows a greeting and a list are known and the rest
 * is zero, so only the parts of which something is known are looked at, and of
 * long texts no more than there is of them: the memory of one flow is cold
 * when its turn comes, and each line of it costs. What ends with a text is
 * short and hardly has a word that is zero: it is copied as it is.
 */
#include "rules/facts.h"

#include <stddef.h>
#include <string.h>

#include "decoders/pack.h"

struct area { /* of struct facts */
	uint16_t at, end;
	uint16_t text; /* it ends with this text; 0: it does not */
	uint8_t part; /* of enum facts_part; 0: there is something always */
};

#define AT(m) offsetof(struct facts, m)
#define END(m) (AT(m) + sizeof(((struct facts *)NULL)->m))

static const struct area areas[] = {
    {0, AT(greeting), 0, 0},
    {AT(greeting), END(greeting), AT(greeting.host), FACTS_GREETING},
    {AT(caps), AT(caps.words), AT(caps.name), FACTS_CAPS},
    {AT(caps.words), END(caps), AT(caps.words), FACTS_CAPS},
    {AT(tls), END(tls), 0, FACTS_TLS},
    {AT(clear), END(clear), 0, FACTS_CLEAR},
    {AT(auth), END(auth), 0, FACTS_AUTH},
    {AT(rst), END(rst), 0, FACTS_RST},
    {AT(odd), END(odd), 0, FACTS_ODD},
    {AT(proxied), sizeof(struct facts), 0, FACTS_PROXY},
};
#define AREAS (sizeof(areas) / sizeof(areas[0]))

_Static_assert(sizeof(struct facts) % 8 == 0 && AT(caps.words) % 8 == 0 &&
		   AT(proxied) % 8 == 0 && AT(greeting) % 8 == 0,
    "words");
_Static_assert(END(greeting) == AT(caps) && END(caps) == AT(tls) &&
		   END(tls) == AT(clear) && END(clear) == AT(auth) &&
		   END(auth) == AT(rst) && END(rst) == AT(odd) &&
		   END(odd) == AT(proxied),
    "nothing between the parts");
_Static_assert(
    FACTS_PACKED_MAX >= PACK_ROOM(sizeof(struct facts) / 8) + 2 * AREAS,
    "room for all");

/* Words of it that may be other than zero. */
static size_t
words_of(const struct facts *f, const struct area *a)
{
	const char *text = (const char *)f + a->text;
	size_t end = a->end;

	if (a->text != 0)
		end = a->text + strnlen(text, (size_t)(a->end - a->text));
	return (end - a->at + 7) / 8;
}

static bool
is_there(unsigned parts, const struct area *a)
{
	return a->part == 0 || (parts & a->part) != 0;
}

size_t
facts_pack(uint64_t *out, struct facts *f)
{
	unsigned parts = f->parts;
	uint64_t *to = out;

	for (unsigned i = 0; i < AREAS; i++) {
		const struct area *a = &areas[i];
		uint8_t *from = (uint8_t *)f + a->at;
		size_t n;

		if (!is_there(parts, a))
			continue;
		n = words_of(f, a);
		if (a->text != 0) {
			*to++ = n;
			memcpy(to, from, n * 8);
			to += n;
		} else {
			to += pack_words(to, from, n);
		}
		memset(from, 0, n * 8);
	}
	return (size_t)(to - out);
}

size_t
facts_unpack(struct facts *f, const uint64_t *in)
{
	const uint64_t *from = in;

	for (unsigned i = 0; i < AREAS; i++) {
		const struct area *a = &areas[i];
		uint8_t *to = (uint8_t *)f + a->at;
		size_t n = (size_t)(a->end - a->at + 7) / 8;

		if (!is_there(f->parts, a))
			continue;
		if (a->text != 0) {
			n = *from++;
			memcpy(to, from, n * 8);
			from += n;
		} else {
			from += unpack_words(to, n, from);
		}
	}
	return (size_t)(from - in);
}

void
facts_clear(struct facts *f)
{
	unsigned parts = f->parts;

	for (unsigned i = 0; i < AREAS; i++)
		if (is_there(parts, &areas[i]))
			memset((uint8_t *)f + areas[i].at, 0,
			    words_of(f, &areas[i]) * 8);
}
