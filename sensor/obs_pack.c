/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is left out of a kind are holes: the unused ends of its name and lists.
 * Between them bytes are copied as they are.
 */
#include "sensor/obs_pack.h"

#include <stdatomic.h>
#include <string.h>

#define HOLES 3 /* of a kind, at most */
#define TEXT offsetof(struct obs, text)
#define GAP offsetof(struct obs, gap)
#define MEMBER offsetof(struct obs, u)

struct hole { /* of a name, or of a list of 16-bit numbers */
	uint16_t at, end; /* places in struct obs */
	uint16_t count; /* where the list's length stands; 0: it is a name */
};

#define PLACE(f) (uint16_t) offsetof(struct obs, u.f)
#define END(f) (uint16_t)(PLACE(f) + sizeof(((struct obs *)0)->u.f))
#define NAME(f)                     \
	{                           \
		PLACE(f), END(f), 0 \
	}
#define LIST(f, n)                         \
	{                                  \
		PLACE(f), END(f), PLACE(n) \
	}
#define HELLO                                                       \
	{                                                           \
		NAME(hello.sni), LIST(hello.suites, hello.nsuites), \
		    LIST(hello.exts, hello.nexts)                   \
	}

/* In their order; the length of a list stands before an earlier hole. */
static const struct hole holes[OBS_KIND_COUNT][HOLES + 1] = {
    [OBS_GREETING] = {NAME(greeting.host)},
    [OBS_CAPS] = {NAME(caps.name)},
    [OBS_AUTH] = {NAME(auth.user)},
    [OBS_TLS_CLIENT_HELLO] = HELLO,
    [OBS_TLS_SERVER_HELLO] = HELLO,
};

_Static_assert(OBS_TEXT_MAX > UINT8_MAX && OBS_NAME_MAX > UINT8_MAX,
    "lengths fit in a byte, and a NUL behind them");
_Static_assert(GAP + sizeof(((struct obs *)0)->gap) == MEMBER,
    "gap and member are one piece");
_Static_assert(PLACE(hello.nsuites) < PLACE(hello.sni) &&
		   PLACE(hello.nexts) < PLACE(hello.sni),
    "lengths of lists come first");

static size_t
list_bytes(const struct obs *o, const struct hole *h)
{
	size_t room = (size_t)(h->end - h->at), bytes;
	uint16_t n;

	memcpy(&n, (const uint8_t *)o + h->count, sizeof(n));
	bytes = n * sizeof(n);
	return bytes < room ? bytes : room;
}

/* ---- the writer ---- */

static uint8_t
string_bytes(const char *s)
{
	return s[0] == '\0' ? 0 : (uint8_t)strnlen(s, UINT8_MAX);
}

unsigned
obs_pack(struct obs *o, struct slice part[OBS_PACK_PARTS])
{
	const uint8_t *p = (const uint8_t *)o;
	size_t from, used;
	unsigned n = 1;

	o->has_gap = (o->gap[0].bytes | o->gap[0].at | o->gap[1].bytes |
			 o->gap[1].at) != 0;
	from = o->has_gap ? GAP : MEMBER;
	o->text_len = string_bytes(o->text);
	part[0] = (struct slice){p, TEXT + o->text_len};
	for (const struct hole *h = holes[o->kind]; h->end != 0; h++) {
		if (h->count == 0)
			o->name_len = string_bytes((const char *)p + h->at);
		used = h->count == 0 ? o->name_len : list_bytes(o, h);
		part[n++] = (struct slice){p + from, h->at + used - from};
		from = h->end;
	}
	if (o->size > from)
		part[n++] = (struct slice){p + from, o->size - from};
	return n;
}

/* ---- the reader ---- */

/* The next n bytes go to this place. */
static inline bool
take(struct obs *o, size_t place, size_t n, struct slice *s)
{
	if (n > s->len)
		return false;
	if (n > 0)
		memcpy((uint8_t *)o + place, s->p, n);
	s->p += n;
	s->len -= n;
	return true;
}

static bool
take_member(struct obs *o, size_t from, struct slice *s)
{
	for (const struct hole *h = holes[o->kind]; h->end != 0; h++) {
		size_t used = h->count == 0 ? o->name_len : list_bytes(o, h);

		if (!take(o, from, h->at + used - from, s))
			return false;
		memset((uint8_t *)o + h->at + used, 0, h->end - h->at - used);
		from = h->end;
	}
	return from + s->len == o->size && take(o, from, s->len, s);
}

bool
obs_unpack(struct obs *o, const uint8_t *bytes, size_t len)
{
	size_t from = GAP;
	struct slice s;

	if (len < TEXT)
		return false;
	memcpy(o, bytes, TEXT);
	s = (struct slice){bytes + TEXT, len - TEXT};
	atomic_signal_fence(memory_order_seq_cst); /* from here on it is *o */
	if (o->kind >= OBS_KIND_COUNT || o->size > sizeof(*o) ||
	    !take(o, TEXT, o->text_len, &s))
		return false;
	o->text[o->text_len] = '\0';
	if (!o->has_gap) {
		memset(o->gap, 0, sizeof(o->gap));
		from = MEMBER;
	}
	if (!take_member(o, from, &s))
		return false;
	o->text_len = o->name_len = o->has_gap = 0;
	return obs_check(o, o->size);
}
