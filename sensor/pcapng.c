/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	block      type 4 | length 4 | body ... | length 4, again
 *	section    magic 4 | major 2 | minor 2 | section length 8 | options
 *	interface  link type 2 | 0 2 | snap length 4 | options
 *	enhanced   interface 4 | time high 4 | low 4 | held 4 | sent 4 | data
 *	simple     sent 4 | data
 *	obsolete   interface 2 | drops 2 | time high 4 | low 4 | held 4 | sent 4
 *	           | data
 *	option     code 2 | length 2 | value, padded to 4
 *
 * A block's lengths are checked before its body is looked at, so a body is
 * never read past its end and a bad packet costs only itself. When the two
 * lengths of a block differ nothing behind it can be found, and reading ends.
 */
#include "sensor/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/obs.h"

#define NS_PER_S UINT64_C(1000000000)
#define BLOCK_MIN 12
#define BODY 8 /* where it starts */

enum block_type {
	BLOCK_INTERFACE = 1,
	BLOCK_OBSOLETE = 2,
	BLOCK_SIMPLE = 3,
	BLOCK_ENHANCED = 6
};

enum option_code { OPT_END = 0, OPT_TSRESOL = 9, OPT_TSOFFSET = 14 };

struct iface {
	uint16_t linktype;
	uint32_t snaplen; /* 0: none */
	int64_t offset; /* seconds */
	uint64_t mult, div; /* ns = ticks * mult / div, if !binary */
	uint8_t shift; /* ns = ticks * 10^9 >> shift, if binary */
	bool binary;
};

struct pcapng {
	struct input *in;
	bool swapped, in_section;
	uint32_t nifaces, cap;
	struct iface *ifaces;
	uint64_t at;
	int64_t last; /* time of the last packet */
	struct pcapng_counters n;
	char error[96];
};

struct pcapng *
pcapng_new(struct input *in)
{
	struct pcapng *ng = calloc(1, sizeof(*ng));

	if (ng != NULL)
		ng->in = in;
	return ng;
}

void
pcapng_free(struct pcapng *ng)
{
	if (ng == NULL)
		return;
	free(ng->ifaces);
	free(ng);
}

uint64_t
pcapng_at(const struct pcapng *ng)
{
	return ng->at;
}

const char *
pcapng_error(const struct pcapng *ng)
{
	return ng->error;
}

const struct pcapng_counters *
pcapng_counters(const struct pcapng *ng)
{
	return &ng->n;
}

static inline uint16_t
get16(const struct pcapng *ng, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return ng->swapped ? __builtin_bswap16(v) : v;
}

static inline uint32_t
get32(const struct pcapng *ng, const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return ng->swapped ? __builtin_bswap32(v) : v;
}

static uint64_t
get64(const struct pcapng *ng, const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return ng->swapped ? __builtin_bswap64(v) : v;
}

static enum pcapng_result
bad(struct pcapng *ng, const char *what, uint32_t value)
{
	snprintf(ng->error, sizeof(ng->error), "%s %u", what, value);
	return PCAPNG_BAD;
}

static void
bad_packet(struct pcapng *ng)
{
	if (ng->n.bad_packets++ == 0)
		ng->n.first_bad = ng->at;
}

/* Ticks of a second: the top bit says power of two, else of ten. */
static void
set_resolution(struct iface *f, uint8_t v)
{
	f->binary = v & 0x80;
	f->shift = v & 0x7f;
	f->mult = f->div = 1;
	for (unsigned i = f->shift; i < 9; i++)
		f->mult *= 10;
	for (unsigned i = 9; i < f->shift && i < 28; i++)
		f->div *= 10;
}

static void
interface_options(
    struct pcapng *ng, struct iface *f, const uint8_t *p, const uint8_t *end)
{
	while (end - p >= 4) {
		uint16_t code = get16(ng, p);
		size_t len = get16(ng, p + 2), step = 4 + ((len + 3) & ~3u);
		if (code == OPT_END || (size_t)(end - p) < step)
			return;
		if (code == OPT_TSRESOL && len == 1)
			set_resolution(f, p[4]);
		else if (code == OPT_TSOFFSET && len == 8)
			f->offset = (int64_t)get64(ng, p + 4);
		p += step;
	}
}

static bool
room_for_interface(struct pcapng *ng)
{
	if (ng->nifaces < ng->cap)
		return true;
	uint32_t cap = ng->cap == 0 ? 8 : ng->cap * 2;
	if (cap > PCAPNG_IFACES_MAX)
		return false;
	struct iface *p = reallocarray(ng->ifaces, cap, sizeof(*p));
	if (p == NULL)
		return false;
	ng->ifaces = p;
	ng->cap = cap;
	return true;
}

static enum pcapng_result
interface_block(struct pcapng *ng, const uint8_t *b, uint32_t len)
{
	if (len < BLOCK_MIN + 8)
		return bad(ng, "interface block of length", len);
	if (!room_for_interface(ng))
		return bad(ng, "too many interfaces:", ng->nifaces);
	struct iface *f = &ng->ifaces[ng->nifaces++];
	*f = (struct iface){.linktype = get16(ng, b + BODY),
	    .snaplen = get32(ng, b + BODY + 4)};
	set_resolution(f, 6);
	interface_options(ng, f, b + BODY + 8, b + len - 4);
	return PCAPNG_PACKET;
}

/* The length is read in the byte order that the magic tells. */
static enum pcapng_result
section_block(struct pcapng *ng, uint32_t *len)
{
	const uint8_t *b = input_peek(ng->in, BODY + 8);
	static const uint8_t little[4] = {0x4d, 0x3c, 0x2b, 0x1a};
	static const uint8_t big[4] = {0x1a, 0x2b, 0x3c, 0x4d};
	bool host_big = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__;

	if (b == NULL)
		return PCAPNG_CUT;
	if (memcmp(b + BODY, little, 4) == 0)
		ng->swapped = host_big;
	else if (memcmp(b + BODY, big, 4) == 0)
		ng->swapped = !host_big;
	else
		return bad(ng, "byte-order magic", get32(ng, b + BODY));
	if (get16(ng, b + BODY + 4) != 1)
		return bad(ng, "pcapng version", get16(ng, b + BODY + 4));
	*len = get32(ng, b + 4);
	ng->in_section = true;
	ng->nifaces = 0;
	return PCAPNG_PACKET;
}

/* Made to fit into what we can hold. */
static int64_t
nanoseconds(const struct iface *f, uint64_t ticks, bool *fits)
{
	unsigned __int128 ns =
	    f->binary ? (unsigned __int128)ticks * NS_PER_S >> f->shift
		      : (unsigned __int128)ticks * f->mult;

	if (f->div != 1 && !f->binary)
		ns /= f->div;
	/* 2^94 + 2^63 * 2^30 fits with room to spare */
	__int128 t = (__int128)ns + (__int128)f->offset * (int64_t)NS_PER_S;
	*fits = t >= 0 && t <= OBS_TIME_MAX;
	if (*fits)
		return (int64_t)t;
	return t < 0 ? 0 : OBS_TIME_MAX;
}

/* time: interface, high and low words, held, sent; data; room: for data. */
struct packet_block {
	uint32_t iface, high, low, held, sent, room;
	const uint8_t *data;
};

static inline bool
take_packet(struct pcapng *ng, const struct packet_block *b, struct packet *pkt)
{
	if (b->iface >= ng->nifaces || b->held > b->room ||
	    b->held > PCAPNG_PACKET_MAX) {
		bad_packet(ng);
		return false;
	}
	const struct iface *f = &ng->ifaces[b->iface];
	bool fits;

	ng->last = nanoseconds(f, (uint64_t)b->high << 32 | b->low, &fits);
	ng->n.bad_times += !fits;
	pkt->time = ng->last;
	pkt->frame = b->data;
	pkt->caplen = b->held;
	pkt->wirelen = b->sent > b->held ? b->sent : b->held;
	pkt->linktype = f->linktype;
	pkt->interface = b->iface;
	return true;
}

static bool
enhanced_block(
    struct pcapng *ng, const uint8_t *b, uint32_t len, struct packet *pkt)
{
	if (len < BLOCK_MIN + 20) {
		bad_packet(ng);
		return false;
	}
	bool obsolete = get32(ng, b) == BLOCK_OBSOLETE;
	struct packet_block p = {
	    .iface = obsolete ? get16(ng, b + 8) : get32(ng, b + 8),
	    .high = get32(ng, b + 12),
	    .low = get32(ng, b + 16),
	    .held = get32(ng, b + 20),
	    .sent = get32(ng, b + 24),
	    .room = len - BLOCK_MIN - 20,
	    .data = b + 28,
	};
	return take_packet(ng, &p, pkt);
}

size_t
pcapng_block_before(const struct pcapng *ng, const uint8_t *bytes, size_t end)
{
	uint32_t len;

	if (end < BLOCK_MIN)
		return 0;
	len = get32(ng, bytes + end - 4);
	if (len < BLOCK_MIN || len > end || len % 4 != 0 ||
	    get32(ng, bytes + end - len + 4) != len)
		return 0;
	return len;
}

bool
pcapng_block_time(
    const struct pcapng *ng, const uint8_t *block, size_t len, int64_t *time)
{
	uint32_t iface;
	bool fits;

	if (get32(ng, block) != BLOCK_ENHANCED || len < BLOCK_MIN + 20)
		return false;
	iface = get32(ng, block + 8);
	if (iface >= ng->nifaces)
		return false;
	*time = nanoseconds(&ng->ifaces[iface],
	    (uint64_t)get32(ng, block + 12) << 32 | get32(ng, block + 16),
	    &fits);
	return fits;
}

static bool
simple_block(
    struct pcapng *ng, const uint8_t *b, uint32_t len, struct packet *pkt)
{
	if (len < BLOCK_MIN + 4 || ng->nifaces == 0 ||
	    len - BLOCK_MIN - 4 > PCAPNG_PACKET_MAX) {
		bad_packet(ng);
		return false;
	}
	const struct iface *f = &ng->ifaces[0];
	uint32_t room = len - BLOCK_MIN - 4, sent = get32(ng, b + 8);
	uint32_t held = sent < room ? sent : room;

	if (f->snaplen != 0 && held > f->snaplen)
		held = f->snaplen;
	pkt->time = ng->last;
	pkt->frame = b + 12;
	pkt->caplen = held;
	pkt->wirelen = sent;
	pkt->linktype = f->linktype;
	pkt->interface = 0;
	return true;
}

static bool
is_packet(uint32_t type)
{
	return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE ||
	       type == BLOCK_OBSOLETE;
}

/* More than we hold at once: nothing that we need can be in it. */
static enum pcapng_result
skip_huge(struct pcapng *ng, uint32_t type, uint32_t len)
{
	const uint8_t *b;

	if (is_packet(type))
		bad_packet(ng);
	else
		ng->n.skipped++;
	if (input_skip(ng->in, len - 4) < 0)
		return PCAPNG_CUT;
	b = input_peek(ng->in, 4);
	if (b == NULL)
		return PCAPNG_CUT;
	if (get32(ng, b) != len)
		return bad(ng, "a block whose second length is", get32(ng, b));
	input_take(ng->in, 4);
	return PCAPNG_PACKET;
}

/* Finds the next whole block. PCAPNG_PACKET here means only that one is
 * there; *body is NULL if it was skipped already. */
static inline enum pcapng_result
next_block(struct pcapng *ng, const uint8_t **block, uint32_t *len)
{
	const uint8_t *b = input_peek(ng->in, BLOCK_MIN);

	*block = NULL;
	ng->at = input_offset(ng->in);
	if (b == NULL)
		return input_fill(ng->in, 1) == 0 ? PCAPNG_END : PCAPNG_CUT;
	uint32_t type = get32(ng, b);
	*len = get32(ng, b + 4);
	if (type == PCAPNG_MAGIC) {
		enum pcapng_result r = section_block(ng, len);
		if (r != PCAPNG_PACKET)
			return r;
	}
	if (*len == 0 && !input_has(ng->in, BLOCK_MIN))
		return PCAPNG_CUT;
	if (!ng->in_section || *len < BLOCK_MIN || *len % 4 != 0)
		return bad(ng, "a block of length", *len);
	ng->n.blocks++;
	if (*len > INPUT_PEEK_MAX)
		return skip_huge(ng, type, *len);
	b = input_peek(ng->in, *len);
	if (b == NULL)
		return PCAPNG_CUT;
	if (get32(ng, b + *len - 4) != *len)
		return bad(ng, "a block whose second length is",
		    get32(ng, b + *len - 4));
	input_take(ng->in, *len);
	*block = b;
	return PCAPNG_PACKET;
}

enum pcapng_result
pcapng_next(struct pcapng *ng, struct packet *pkt)
{
	for (;;) {
		const uint8_t *b;
		uint32_t len;
		enum pcapng_result r = next_block(ng, &b, &len);
		if (r != PCAPNG_PACKET)
			return r;
		uint32_t type = b == NULL ? PCAPNG_MAGIC : get32(ng, b);
		if (type == BLOCK_ENHANCED || type == BLOCK_OBSOLETE) {
			if (enhanced_block(ng, b, len, pkt))
				return PCAPNG_PACKET;
		} else if (type == BLOCK_SIMPLE) {
			if (simple_block(ng, b, len, pkt))
				return PCAPNG_PACKET;
		} else if (type == BLOCK_INTERFACE) {
			r = interface_block(ng, b, len);
			if (r != PCAPNG_PACKET)
				return r;
		} else if (type != PCAPNG_MAGIC) {
			ng->n.skipped++;
		}
	}
}
