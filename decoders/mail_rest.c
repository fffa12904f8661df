/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A decoder that rests, in a quarter of its memory or less. */
#include "decoders/mail_core.h"
#include "decoders/pack.h"

#define WORDS (sizeof(struct mail) / 8)

_Static_assert(sizeof(struct mail) % 8 == 0, "words");
_Static_assert(PACK_BYTES_ROOM(WORDS) <= MAIL_PACKED_MAX, "room");

bool
mail_may_rest(const struct mail *m)
{
	return m->pkt == NULL && m->half[0].nheld == 0 && m->half[1].nheld == 0;
}

void
mail_like(struct mail *like, const struct mail *m)
{
	*like = *m;
	like->env = NULL;
	like->last_pkt.time -= m->time; /* mostly the same */
}

size_t
mail_pack(uint8_t *dst, const struct mail *m, const struct mail *like)
{
	struct mail mine;

	mail_like(&mine, m);
	return pack_bytes(dst, &mine, like, WORDS);
}

void
mail_unpack(struct mail *m, struct mail_env *env, const struct mail *like,
    const uint8_t *src)
{
	(void)unpack_bytes(m, like, WORDS, src);
	m->env = env;
	m->last_pkt.time += m->time;
}
