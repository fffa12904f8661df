/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An observation goes through a queue (sensor/obs_pack.h) and comes out the
 * same: for the tests of all that makes observations.
 */
#ifndef STRIPWIRE_TESTS_PACKED_H
#define STRIPWIRE_TESTS_PACKED_H

#include <stdlib.h>
#include <string.h>

#include "sensor/obs_pack.h"

/* Its bytes, in a block of exactly their size: so an over-read is seen. */
static inline uint8_t *
packed_bytes(struct obs *o, size_t *len)
{
	struct slice part[OBS_PACK_PARTS];
	unsigned n = obs_pack(o, part);
	size_t at = 0;
	uint8_t *bytes;

	*len = 0;
	for (unsigned i = 0; i < n; i++)
		*len += part[i].len;
	bytes = *len > 0 ? malloc(*len) : NULL;
	if (bytes == NULL)
		abort();
	for (unsigned i = 0; i < n; at += part[i++].len)
		memcpy(bytes + at, part[i].p, part[i].len);
	return bytes;
}

static inline void
packed_tidy_string(char *s, size_t cap)
{
	size_t n = strnlen(s, cap - 1);

	memset(s + n, 0, cap - n);
}

static inline void
packed_tidy_list(uint16_t *list, unsigned n)
{
	for (; n < OBS_TLS_LIST_MAX; n++)
		list[n] = 0;
}

/* What nobody reads is zero. */
static inline void
packed_tidy(struct obs *o)
{
	o->text_len = o->name_len = o->has_gap = 0;
	packed_tidy_string(o->text, sizeof(o->text));
	switch (o->kind) {
	case OBS_GREETING:
		packed_tidy_string(o->u.greeting.host, OBS_NAME_MAX);
		break;
	case OBS_CAPS:
		packed_tidy_string(o->u.caps.name, OBS_NAME_MAX);
		break;
	case OBS_AUTH:
		packed_tidy_string(o->u.auth.user, OBS_NAME_MAX);
		break;
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
		packed_tidy_string(o->u.hello.sni, OBS_NAME_MAX);
		packed_tidy_list(o->u.hello.suites, o->u.hello.nsuites);
		packed_tidy_list(o->u.hello.exts, o->u.hello.nexts);
		break;
	default:
		break;
	}
}

/* Of the text only what stands before its NUL is promised; all else is as it
 * was, byte by byte. */
static inline bool
packed_same(const struct obs *before, const struct obs *after)
{
	size_t text = offsetof(struct obs, text), gap = text + OBS_TEXT_MAX;

	return strcmp(before->text, after->text) == 0 &&
	       memcmp(before, after, text) == 0 &&
	       memcmp((const uint8_t *)before + gap,
		   (const uint8_t *)after + gap, before->size - gap) == 0;
}

/* It comes out as obs_check() would leave it. */
static inline bool
packed_survives(const struct obs *o)
{
	struct obs before, after;
	uint8_t *bytes;
	size_t len;
	bool same;

	memcpy(&before, o, o->size);
	packed_tidy(&before);
	bytes = packed_bytes(&before, &len);
	packed_tidy(&before);
	same = obs_check(&before, before.size);
	memset(&after, 0xa5, sizeof(after));
	same = same && obs_unpack(&after, bytes, len) &&
	       packed_same(&before, &after);
	free(bytes);
	return same;
}

#endif
