/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ServerKeyExchange:
 *
 *	DHE:    prime <1..2^16-1>, generator <..>, public value <..>, signature
 *	ECDHE:  curve type 1 (3: named), group 2, point <1..2^8-1>, signature
 *	RSA:    modulus <1..2^16-1>, exponent <..>, signature
 *	..PSK:  a hint <0..2^16-1> before
 *
 * The suites are IANA's, in runs of neighbours of one kind, sorted.
 */
#include "decoders/tls_kex.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/cursor.h"

#define CURVE_NAMED 3

struct run {
	uint16_t first, last;
	uint8_t kex; /* enum tls_kex */
};

/* clang-format off */
static const struct run runs[] = {
	{0x0003, 0x0003, TLS_KEX_RSA_EXPORT},
	{0x0006, 0x0006, TLS_KEX_RSA_EXPORT},
	{0x0008, 0x0008, TLS_KEX_RSA_EXPORT},
	{0x0011, 0x001b, TLS_KEX_DHE},
	{0x002d, 0x002d, TLS_KEX_DHE_PSK},
	{0x0032, 0x0034, TLS_KEX_DHE},
	{0x0038, 0x003a, TLS_KEX_DHE},
	{0x0040, 0x0040, TLS_KEX_DHE},
	{0x0044, 0x0046, TLS_KEX_DHE},
	{0x0060, 0x0062, TLS_KEX_RSA_EXPORT},
	{0x0063, 0x0063, TLS_KEX_DHE},
	{0x0064, 0x0064, TLS_KEX_RSA_EXPORT},
	{0x0065, 0x0067, TLS_KEX_DHE},
	{0x006a, 0x006d, TLS_KEX_DHE},
	{0x0087, 0x0089, TLS_KEX_DHE},
	{0x008e, 0x0091, TLS_KEX_DHE_PSK},
	{0x0099, 0x009b, TLS_KEX_DHE},
	{0x009e, 0x009f, TLS_KEX_DHE},
	{0x00a2, 0x00a3, TLS_KEX_DHE},
	{0x00a6, 0x00a7, TLS_KEX_DHE},
	{0x00aa, 0x00ab, TLS_KEX_DHE_PSK},
	{0x00b2, 0x00b5, TLS_KEX_DHE_PSK},
	{0x00bd, 0x00bf, TLS_KEX_DHE},
	{0x00c3, 0x00c5, TLS_KEX_DHE},
	{0xc006, 0xc00a, TLS_KEX_ECDHE},
	{0xc010, 0xc019, TLS_KEX_ECDHE},
	{0xc023, 0xc024, TLS_KEX_ECDHE},
	{0xc027, 0xc028, TLS_KEX_ECDHE},
	{0xc02b, 0xc02c, TLS_KEX_ECDHE},
	{0xc02f, 0xc030, TLS_KEX_ECDHE},
	{0xc033, 0xc03b, TLS_KEX_ECDHE_PSK},
	{0xc042, 0xc047, TLS_KEX_DHE},
	{0xc048, 0xc049, TLS_KEX_ECDHE},
	{0xc04c, 0xc04d, TLS_KEX_ECDHE},
	{0xc052, 0xc053, TLS_KEX_DHE},
	{0xc056, 0xc057, TLS_KEX_DHE},
	{0xc05a, 0xc05b, TLS_KEX_DHE},
	{0xc05c, 0xc05d, TLS_KEX_ECDHE},
	{0xc060, 0xc061, TLS_KEX_ECDHE},
	{0xc066, 0xc067, TLS_KEX_DHE_PSK},
	{0xc06c, 0xc06d, TLS_KEX_DHE_PSK},
	{0xc070, 0xc071, TLS_KEX_ECDHE_PSK},
	{0xc072, 0xc073, TLS_KEX_ECDHE},
	{0xc076, 0xc077, TLS_KEX_ECDHE},
	{0xc07c, 0xc07d, TLS_KEX_DHE},
	{0xc080, 0xc081, TLS_KEX_DHE},
	{0xc084, 0xc085, TLS_KEX_DHE},
	{0xc086, 0xc087, TLS_KEX_ECDHE},
	{0xc08a, 0xc08b, TLS_KEX_ECDHE},
	{0xc090, 0xc091, TLS_KEX_DHE_PSK},
	{0xc096, 0xc097, TLS_KEX_DHE_PSK},
	{0xc09a, 0xc09b, TLS_KEX_ECDHE_PSK},
	{0xc09e, 0xc09f, TLS_KEX_DHE},
	{0xc0a2, 0xc0a3, TLS_KEX_DHE},
	{0xc0a6, 0xc0a7, TLS_KEX_DHE_PSK},
	{0xc0aa, 0xc0ab, TLS_KEX_DHE_PSK},
	{0xc0ac, 0xc0af, TLS_KEX_ECDHE},
	{0xcc13, 0xcc14, TLS_KEX_ECDHE},
	{0xcc15, 0xcc15, TLS_KEX_DHE},
	{0xcca8, 0xcca9, TLS_KEX_ECDHE},
	{0xccaa, 0xccaa, TLS_KEX_DHE},
	{0xccac, 0xccac, TLS_KEX_ECDHE_PSK},
	{0xccad, 0xccad, TLS_KEX_DHE_PSK},
	{0xd001, 0xd005, TLS_KEX_ECDHE_PSK},
};
/* clang-format on */

static int
by_suite(const void *key, const void *row)
{
	const uint16_t *suite = key;
	const struct run *r = row;

	return *suite < r->first ? -1 : *suite > r->last;
}

enum tls_kex
tls_suite_kex(uint16_t suite)
{
	const struct run *r = bsearch(&suite, runs,
	    sizeof(runs) / sizeof(runs[0]), sizeof(runs[0]), by_suite);

	return r == NULL ? TLS_KEX_OTHER : (enum tls_kex)r->kex;
}

uint16_t
tls_group_bits(uint16_t group)
{
	/* RFC 8422 5.1.1 from 1 on: sect163k1 to x448 */
	static const uint16_t curves[] = {0, 163, 163, 163, 193, 193, 233, 233,
	    239, 283, 283, 409, 409, 571, 571, 160, 160, 160, 192, 192, 224,
	    224, 256, 256, 384, 521, 256, 384, 512, 255, 448};
	/* RFC 7919: ffdhe2048 to ffdhe8192 */
	static const uint16_t fields[] = {2048, 3072, 4096, 6144, 8192};

	if (group < sizeof(curves) / sizeof(curves[0]))
		return curves[group];
	if (group >= 0x100 &&
	    group < 0x100 + sizeof(fields) / sizeof(fields[0]))
		return fields[group - 0x100];
	return 0;
}

/* Of a number with any zeros before it. */
static uint16_t
bits_of(struct slice number)
{
	size_t bits = 0;
	uint8_t top;

	while (number.len > 0 && number.p[0] == 0) {
		number.p++;
		number.len--;
	}
	if (number.len == 0 || number.len > UINT16_MAX / 8)
		return number.len == 0 ? 0 : UINT16_MAX;
	for (top = number.p[0]; top != 0; top >>= 1)
		bits++;
	return (uint16_t)(bits + 8 * (number.len - 1));
}

/* Three numbers, of which the first is the field's size. */
static void
read_field(struct cursor *c, struct obs_kex *k)
{
	k->how = KEX_DH;
	k->bits = bits_of(cursor_vec16(c));
	(void)cursor_vec16(c);
	(void)cursor_vec16(c);
}

static void
read_curve(struct cursor *c, struct obs_kex *k)
{
	k->how = KEX_ECDH;
	if (cursor_u8(c) != CURVE_NAMED)
		return; /* explicit ones: nobody speaks them */
	k->group = cursor_u16(c);
	k->bits = tls_group_bits(k->group);
	(void)cursor_vec8(c);
}

static void
read_modulus(struct cursor *c, struct obs_kex *k)
{
	k->how = KEX_RSA;
	k->bits = bits_of(cursor_vec16(c));
	(void)cursor_vec16(c);
}

enum tls_read
tls_read_key_exchange(struct slice body, enum tls_kex kex, struct obs_kex *k)
{
	struct cursor c;

	memset(k, 0, sizeof(*k));
	cursor_init(&c, body);
	if (kex == TLS_KEX_DHE_PSK || kex == TLS_KEX_ECDHE_PSK)
		(void)cursor_vec16(&c); /* hint */
	if (kex == TLS_KEX_ECDHE || kex == TLS_KEX_ECDHE_PSK)
		read_curve(&c, k);
	else if (kex == TLS_KEX_RSA_EXPORT)
		read_modulus(&c, k);
	else
		read_field(&c, k);
	return cursor_ok(&c) ? TLS_READ_OK : TLS_READ_BAD;
}
