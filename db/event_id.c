/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of events by what they are about. The parts of what is hashed are
 * lines, and none of them holds a newline.
 */
#include "db/event_id.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "decoders/hash.h"

#define TEXT_MAX 512

static uint64_t
hash_bytes(uint64_t h, const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3; /* FNV-1a */
	return h;
}

/* Its eight bytes, the least significant first. Those above the highest that is
 * not 0 are one step: a power of the prime. */
static uint64_t
hash_int(uint64_t h, uint64_t v)
{
	static const uint64_t power[] = {
	    UINT64_C(0x0000000000000001),
	    UINT64_C(0x00000100000001b3),
	    UINT64_C(0x000366000002e329),
	    UINT64_C(0x08a97b0004e7feab),
	    UINT64_C(0x9ffaac085635bc91),
	    UINT64_C(0x0caee32a7d4f6a63),
	    UINT64_C(0xdc966432edf1c639),
	    UINT64_C(0xc5527b8a51d3d2db),
	    UINT64_C(0x1efac7090aef4a21),
	};
	unsigned n = 0;

	for (; v != 0; v >>= 8, n++)
		h = (h ^ (v & 0xff)) * power[1];
	return h * power[8 - n];
}

int64_t
event_alert_key(const struct alert *a, uint64_t salt)
{
	const struct finding *f = &a->finding;
	uint64_t h = 0xcbf29ce484222325;

	h = hash_int(h, salt);
	h = hash_int(h, a->flow.public_id);
	h = hash_int(h, (uint64_t)f->time);
	h = hash_int(h, (uint64_t)a->gid << 32 | a->sid);
	h = hash_int(h, f->id);
	h = hash_bytes(h, f->user, strnlen(f->user, sizeof(f->user)) + 1);
	h = hash_bytes(h, f->mech, strnlen(f->mech, sizeof(f->mech)));
	h ^= h >> 33;
	h *= 0xff51afd7ed558ccd;
	h ^= h >> 33;
	return (int64_t)h;
}

const char *
event_text_id(char out[EVENT_ID_MAX], const char *sensor, const char *kind,
    const char *text)
{
	uint8_t digest[HASH_SHA256_LEN];
	char line[TEXT_MAX];
	int n = snprintf(line, sizeof(line), "%s\n%s\n%s",
	    sensor != NULL ? sensor : "", kind, text);

	if (n < 0 || (size_t)n >= sizeof(line))
		n = sizeof(line) - 1;
	out[0] = '\0';
	if (hash_sha256(
		(struct slice){(const uint8_t *)line, (size_t)n}, digest) == 0)
		hash_hex(out, digest, (EVENT_ID_MAX - 1) / 2);
	return out;
}

const char *
event_alert_id(
    char out[EVENT_ID_MAX], const char *sensor, const struct alert *a)
{
	char text[40];

	(void)snprintf(
	    text, sizeof(text), "%016" PRIx64, (uint64_t)event_alert_key(a, 0));
	return event_text_id(out, sensor, "alert", text);
}

const char *
event_incident_id(char out[EVENT_ID_MAX], const char *sensor,
    const struct incident *i, enum incident_event what)
{
	char text[100];

	(void)snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %d %d",
	    i->id, i->first, (int)what, (int)i->severity);
	return event_text_id(out, sensor, "incident", text);
}
