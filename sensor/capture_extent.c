/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a pcapng file is found backwards: each block ends with its length.
 * A pcap file has no such thing. There a place near its end is looked for from
 * which record follows record to the very last byte: a chance hit soon runs into
 * the true ones, or into nonsense.
 */
#include "sensor/capture_extent.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "decoders/ip.h"
#include "decoders/link.h"
#include "decoders/siphash.h"
#include "sensor/pcapng.h"

#define TAIL_BYTES (256u << 10)
#define FILE_HEADER 24 /* of pcap */
#define RECORDS_MAX 65536 /* that are looked at for the end, false ones too */
#define SAMPLE 1024 /* packets */
#define SPOKE 3 /* packets, of one that counts */

/* ---- its end ---- */

struct tail {
	uint8_t *bytes;
	size_t len;
	bool whole; /* all of the file */
};

static bool
read_tail(struct tail *t, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = -1;

	*t = (struct tail){.bytes = malloc(TAIL_BYTES)};
	if (fd != -1 && t->bytes != NULL && fstat(fd, &st) == 0 &&
	    S_ISREG(st.st_mode)) {
		t->whole = st.st_size <= (off_t)TAIL_BYTES;
		got = pread(fd, t->bytes, TAIL_BYTES,
		    t->whole ? 0 : st.st_size - (off_t)TAIL_BYTES);
	}
	if (fd != -1)
		(void)close(fd);
	t->len = got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* From there on record behind record, to the end. */
static bool
records_to_end(const struct reader *r, const struct tail *t, size_t at,
    int64_t *time, unsigned *budget)
{
	size_t len;
	unsigned n = 0;

	for (; at < t->len; at += len, n++) {
		if (*budget == 0)
			return false;
		--*budget;
		len = reader_record(r, t->bytes + at, t->len - at, time);
		if (len == 0)
			return false;
	}
	return n > 1;
}

static bool
pcap_end(const struct reader *r, const struct tail *t, int64_t *time)
{
	size_t at = t->whole ? FILE_HEADER : 0;
	unsigned budget = RECORDS_MAX;

	for (; at < t->len && budget > 0; at++) {
		if (records_to_end(r, t, at, time, &budget))
			return true;
		if (t->whole)
			return false;
	}
	return false;
}

static bool
pcapng_end(const struct reader *r, const struct tail *t, int64_t *time)
{
	size_t at = t->len, len;

	while (at > 0) {
		len = pcapng_block_before(r->ng, t->bytes, at);
		if (len == 0)
			return false;
		at -= len;
		if (pcapng_block_time(r->ng, t->bytes + at, len, time))
			return true;
	}
	return false;
}

static bool
find_end(const struct reader *r, const char *path, int64_t *time)
{
	struct tail t;
	bool found = false;

	if (r->in.gzip)
		return false;
	if (read_tail(&t, path))
		found = r->ng != NULL ? pcapng_end(r, &t, time)
				      : pcap_end(r, &t, time);
	free(t.bytes);
	return found;
}

/* ---- its directions ---- */

struct seen { /* a connection of the sample */
	struct addr a, b; /* who sent its first packet */
	uint16_t aport, bport;
	uint8_t from[2]; /* packets, by which of them */
};

struct sample {
	struct seen seen[EXTENT_CONNS];
	unsigned n;
};

static bool
same_addr(const struct addr *a, const struct addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static void
count_tcp(struct sample *s, const struct packet *pkt)
{
	struct seen *c = NULL;
	bool back = false;

	for (unsigned i = 0; i < s->n && c == NULL; i++) {
		struct seen *k = &s->seen[i];
		bool there = k->aport == pkt->sport && k->bport == pkt->dport &&
			     same_addr(&k->a, &pkt->src) &&
			     same_addr(&k->b, &pkt->dst);

		back = k->bport == pkt->sport && k->aport == pkt->dport &&
		       same_addr(&k->b, &pkt->src) &&
		       same_addr(&k->a, &pkt->dst);
		if (there || back)
			c = k;
	}
	if (c == NULL && s->n < EXTENT_CONNS) {
		c = &s->seen[s->n++];
		*c = (struct seen){.a = pkt->src,
		    .b = pkt->dst,
		    .aport = pkt->sport,
		    .bport = pkt->dport};
		back = false;
	}
	if (c != NULL && c->from[back] < UINT8_MAX)
		c->from[back]++;
}

/* Three of four that have said something. */
static bool
most_answer(const struct sample *s)
{
	unsigned all = 0, both = 0;

	for (unsigned i = 0; i < s->n; i++) {
		const struct seen *c = &s->seen[i];

		all += c->from[0] + c->from[1] >= SPOKE;
		both += c->from[0] + c->from[1] >= SPOKE && c->from[0] > 0 &&
			c->from[1] > 0;
	}
	return both > 0 && both >= all - all / 4;
}

static void
take_sample(struct sample *s, struct reader *r, struct packet *pkt)
{
	struct ip_ctx *ip = ip_new();

	for (unsigned i = 0; ip != NULL && i < SAMPLE; i++) {
		if (link_decode(pkt) == LINK_IP && ip_decode(ip, pkt) == IP_TCP)
			count_tcp(s, pkt);
		memset(pkt, 0, sizeof(*pkt));
		if (reader_next(r, pkt) != READER_PACKET)
			break;
	}
	if (ip != NULL)
		ip_free(ip);
}

static uint64_t
end_hash(const struct addr *a, uint16_t port)
{
	static const uint8_t no_key[SIPHASH_KEY];
	uint8_t bytes[sizeof(*a) + sizeof(port)];

	memcpy(bytes, a, sizeof(*a));
	memcpy(bytes + sizeof(*a), &port, sizeof(port));
	return siphash(no_key, (struct slice){bytes, sizeof(bytes)});
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* The same in both directions. Who makes two of them equal keeps captures
 * together that need not be. */
static void
keep_conns(struct extent *e, const struct sample *s)
{
	for (unsigned i = 0; i < s->n; i++) {
		const struct seen *c = &s->seen[i];

		e->conn[i] =
		    end_hash(&c->a, c->aport) + end_hash(&c->b, c->bport);
	}
	e->nconns = s->n;
	qsort(e->conn, e->nconns, sizeof(e->conn[0]), by_value);
}

static void
look_at_conns(struct extent *e, struct reader *r, struct packet *pkt)
{
	struct sample *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		take_sample(s, r, pkt);
		keep_conns(e, s);
		e->two_way = most_answer(s);
	}
	free(s);
}

static bool
share_conns(const struct extent *a, const struct extent *b)
{
	unsigned i = 0, k = 0;

	while (i < a->nconns && k < b->nconns) {
		if (a->conn[i] == b->conn[k])
			return true;
		if (a->conn[i] < b->conn[k])
			i++;
		else
			k++;
	}
	return false;
}

/* ---- both ---- */

void
extent_of(struct extent *e, struct reader *r, const char *path)
{
	struct packet pkt = {0};

	*e = (struct extent){0};
	if (reader_open(r, path) == READER_OPEN &&
	    reader_next(r, &pkt) == READER_PACKET) {
		e->first = pkt.time;
		e->known = find_end(r, path, &e->last);
		if (e->known)
			look_at_conns(e, r, &pkt);
	}
	reader_close(r);
}

bool
extent_is_apart(const struct extent *a, const struct extent *b)
{
	if (!a->known || !b->known || a->last < a->first || b->last < b->first)
		return false;
	if (b->first > a->last)
		return b->first - a->last > EXTENT_GAP;
	if (a->first > b->last)
		return a->first - b->last > EXTENT_GAP;
	return a->two_way && b->two_way && a->last > a->first &&
	       b->first - a->first <= (a->last - a->first) / 2 &&
	       !share_conns(a, b);
}
