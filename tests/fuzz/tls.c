/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The TLS decoder, fed twice: in the pieces that the input gives, and byte by
 * byte. Both must tell the same. Input: runs of
 *
 *	op 1 (bit 0: direction, bit 1: a gap instead), length 2, bytes
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/tls_pool.h"
#include "tests/packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t told; /* hash of all observations */

static void
mix(const void *p, size_t n)
{
	const uint8_t *b = p;

	for (size_t i = 0; i < n; i++)
		told = (told ^ b[i]) * UINT64_C(0x100000001b3);
}

static void
on_obs(void *ctx, struct obs *o)
{
	(void)ctx;
	if (o->size != obs_size(o->kind) || !packed_survives(o))
		abort();
	mix(o, o->size);
}

static void
on_chain(void *ctx, const uint8_t id[32], const struct slice *der, unsigned n)
{
	(void)ctx;
	mix(id, 32);
	for (unsigned i = 0; i < n; i++)
		mix(der[i].p, der[i].len);
}

static void
on_staple(void *ctx, const uint8_t id[32], struct slice response, int64_t time)
{
	(void)ctx;
	mix(id, 32);
	mix(response.p, response.len);
	mix(&time, sizeof(time));
}

static void
feed(struct tls *t, enum dir dir, struct slice s, size_t piece)
{
	struct pkt_ref pkt = {.time = 1};

	while (s.len > 0) {
		size_t n = s.len < piece ? s.len : piece;

		tls_data(t, dir, (struct slice){s.p, n}, &pkt);
		s.p += n;
		s.len -= n;
	}
}

static void
play(struct mail_env *env, const uint8_t *data, size_t size, size_t piece)
{
	struct tls_head head = {.flow = 1};
	struct tls t;

	told = UINT64_C(0xcbf29ce484222325);
	tls_init(&t, env, &head);
	while (size >= 3) {
		enum dir dir = data[0] & 1 ? DIR_S2C : DIR_C2S;
		size_t n = (size_t)data[1] << 8 | data[2];
		bool gap = (data[0] & 2) != 0;

		data += 3;
		size -= 3;
		if (gap) {
			tls_gap(&t, dir, n);
			continue;
		}
		if (n > size)
			n = size;
		feed(&t, dir, (struct slice){data, n}, piece);
		data += n;
		size -= n;
	}
	tls_eof(&t, DIR_C2S);
	tls_fini(&t);
	if (tls_pool_use(env->pool).bytes != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mail_env env = {
	    .sink = {.emit = on_obs, .chain = on_chain, .staple = on_staple}};
	uint64_t whole;

	env.pool = tls_pool_new(1 << 20);
	if (env.pool == NULL)
		abort();
	play(&env, data, size, SIZE_MAX);
	whole = told;
	play(&env, data, size, 1);
	if (told != whole)
		abort();
	tls_pool_free(env.pool);
	return 0;
}
