/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "rules/pair_rest.h"

#include <string.h>

#include "decoders/pack.h"
#include "rules/history.h"

#define WORDS (sizeof(struct pair_facts) / 8)
#define NAME_MAX_LEN sizeof(((struct pair_facts *)NULL)->ehlo_name)
#define ROOM (PACK_BYTES_ROOM(WORDS) + PACK_TEXT_HEAD + NAME_MAX_LEN)

_Static_assert(sizeof(struct pair_facts) % 8 == 0, "words");

static struct slice
name_of(const struct pair_facts *p)
{
	return (struct slice){(const uint8_t *)p->ehlo_name,
	    strnlen(p->ehlo_name, sizeof(p->ehlo_name) - 1)};
}

/* All but the name; most have had one session. */
static void
take_image(struct pair_facts *to, const struct pair_facts *p)
{
	*to = *p;
	memset(to->ehlo_name, 0, sizeof(to->ehlo_name));
	to->last = pack_less(p->last, p->first);
}

static size_t
pack(uint8_t *dst, const void *facts, const void *as)
{
	const struct pair_facts *p = facts, *like = as;
	struct pair_facts mine, its;
	uint8_t *out = dst;

	take_image(&mine, p);
	take_image(&its, like);
	out += pack_bytes(out, &mine, &its, WORDS);
	return (size_t)(pack_text(out, name_of(p), name_of(like)) - dst);
}

static void
unpack(void *facts, const uint8_t *src, const void *as)
{
	const struct pair_facts *like = as;
	struct pair_facts *p = facts, its;
	uint8_t *room = (uint8_t *)p->ehlo_name;
	struct slice name;
	size_t n;

	take_image(&its, like);
	n = unpack_bytes(p, &its, WORDS, src);
	p->last = pack_more(p->last, p->first);
	(void)unpack_text(&room, src + n, name_of(like), &name);
}

static bool
may_rest(const void *facts)
{
	return !((const struct pair_facts *)facts)->key.of_network;
}

const struct table_packing pair_packing = {may_rest, pack, unpack, ROOM};
