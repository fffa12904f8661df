/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the fuzz targets of the mail decoders share. The input is a dialogue:
 *
 *	f8	the client speaks	f9	the server speaks
 *	fa n	n bytes are missing	fb	this direction closes
 *
 * and all other bytes are what is said. It is run whole and byte by byte; the
 * observations must be the same, and each must keep the promises of obs.h.
 */
#ifndef STRIPWIRE_MAIL_FUZZ_H
#define STRIPWIRE_MAIL_FUZZ_H

#include <stdlib.h>
#include <string.h>

#include "decoders/mail.h"
#include "decoders/siphash.h"
#include "decoders/tls_record.h"
#include "tests/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_CLIENT = 0xf8, FUZZ_SERVER, FUZZ_GAP, FUZZ_EOF };

struct fuzz_run {
	uint64_t hash; /* of all observations, in order */
	unsigned count;
};

static const uint8_t fuzz_key[SIPHASH_KEY] = {1, 2, 3};

/* Printable, ended, and nothing but zero behind the end is not promised. */
static void
fuzz_check_string(const char *s, size_t cap)
{
	size_t n = strnlen(s, cap);

	if (n == cap)
		abort();
	for (size_t i = 0; i < n; i++)
		if (s[i] != '\n' && (s[i] < 0x20 || s[i] > 0x7e))
			abort();
}

static size_t
fuzz_size(const struct obs *o)
{
	if (o->kind == OBS_CAPS)
		return offsetof(struct obs, u.caps.words) +
		       strnlen(o->u.caps.words, OBS_WORDS_MAX) + 1;
	return obs_size((enum obs_kind)o->kind);
}

static void
fuzz_check(const struct obs *o)
{
	char line[16384];

	if (o->kind == OBS_NONE || o->kind >= OBS_KIND_COUNT ||
	    o->size != fuzz_size(o) || o->dir > 1 || o->proto >= PROTO_COUNT ||
	    o->phase > PHASE_CLOSING || !packed_survives(o))
		abort();
	fuzz_check_string(o->text, sizeof(o->text));
	if (o->kind == OBS_CAPS) {
		fuzz_check_string(o->u.caps.words, OBS_WORDS_MAX);
		fuzz_check_string(o->u.caps.name, OBS_NAME_MAX);
	}
	if (o->kind == OBS_AUTH) {
		fuzz_check_string(o->u.auth.user, OBS_NAME_MAX);
		fuzz_check_string(o->u.auth.mech_name, OBS_VERB_MAX);
		if (o->u.auth.secret_sent != (o->u.auth.secret_id != 0))
			abort();
	}
	(void)obs_format(line, sizeof(line), o, true);
}

static void
fuzz_emit(void *ctx, struct obs *o)
{
	struct fuzz_run *r = ctx;
	struct slice s = {(const uint8_t *)o, o->size};

	fuzz_check(o);
	r->hash = r->hash * 31 + siphash(fuzz_key, s);
	r->count++;
}

static void
fuzz_chain(void *ctx, const uint8_t id[32], const struct slice *der, unsigned n)
{
	struct fuzz_run *r = ctx;

	r->hash = r->hash * 31 + id[0] + n + (n > 0 ? der[0].len : 0);
}

/* Bytes up to the next mark, or one. A copy of exact size lets the sanitizer
 * see every byte read too many. */
static size_t
fuzz_feed(struct mail *m, enum dir dir, struct slice s, bool bytewise,
    const struct pkt_ref *pkt)
{
	size_t n = 1;
	struct mail_state before = {0}, state = {0};
	uint8_t *copy;
	unsigned fed;

	while (!bytewise && n < s.len &&
	       (s.p[n] < FUZZ_CLIENT || s.p[n] > FUZZ_EOF))
		n++;
	copy = malloc(n);
	memcpy(copy, s.p, n);
	mail_state(m, &before);
	fed = mail_data(m, dir, (struct slice){copy, n}, pkt);
	free(copy);
	(void)mail_wants(m, dir);
	mail_state(m, &state);
	if ((fed & MAIL_CHANGED) == 0 &&
	    memcmp(&before, &state, sizeof(state)) != 0)
		abort();
	if (((fed & MAIL_PUBLIC) != 0) != mail_text_is_public(m, dir))
		abort();
	return n;
}

static void
fuzz_eof(struct mail *m, enum dir dir, const struct pkt_ref *pkt)
{
	struct mail_state before = {0}, state = {0};

	mail_state(m, &before);
	if (mail_eof(m, dir, pkt))
		return;
	mail_state(m, &state);
	if (memcmp(&before, &state, sizeof(state)) != 0)
		abort();
}

static void
fuzz_dialog(struct mail *m, struct slice s, bool bytewise)
{
	struct pkt_ref pkt = {.time = 1000, .ordinal = 1};
	enum dir dir = DIR_C2S;
	size_t n;

	for (; s.len > 0; s.p += n, s.len -= n) {
		n = 1;
		if (s.p[0] == FUZZ_CLIENT)
			dir = DIR_C2S;
		else if (s.p[0] == FUZZ_SERVER)
			dir = DIR_S2C;
		else if (s.p[0] == FUZZ_EOF)
			fuzz_eof(m, dir, &pkt);
		else if (s.p[0] == FUZZ_GAP && s.len > 1)
			mail_gap(m, dir, s.p[n++], &pkt);
		else
			n = fuzz_feed(m, dir, s, bytewise, &pkt);
	}
	mail_end(m, 2000);
	mail_end(m, 3000);
}

static struct fuzz_run
fuzz_run(struct slice s, struct mail_flow flow, bool bytewise)
{
	struct fuzz_run r = {0, 0};
	struct mail_env env = {
	    .sink = {.emit = fuzz_emit, .chain = fuzz_chain, .ctx = &r}};
	struct mail *m = malloc(mail_size());

	env.pool = tls_pool_new(1 << 18);
	mail_init(m, &env, &flow);
	fuzz_dialog(m, s, bytewise);
	free(m);
	tls_pool_free(env.pool);
	return r;
}

static void
fuzz_both_ways(const uint8_t *data, size_t size, uint16_t port, uint32_t vis)
{
	struct mail_flow flow = {7, 40000, port, vis};
	struct slice s = {data, size};
	struct fuzz_run a = fuzz_run(s, flow, false);
	struct fuzz_run b = fuzz_run(s, flow, true);

	if (a.hash != b.hash || a.count != b.count)
		abort();
}

#endif
