/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From packet references and masked text back to packets.
 *
 * Several steps of a ladder may lie in one packet (a greeting that is also a
 * list): their texts follow each other. A step's text may be longer than the
 * packet that completed it, when a line came in several segments: then the
 * rebuilt packet starts earlier, so that it ends where the real one ended. A
 * mask that is longer than what it hides is shortened instead.
 */
#include "db/evidence_pcap.h"

#include <string.h>

#include "db/addr_text.h"
#include "decoders/be.h"

#define PACKETS_MAX (LADDER_STEPS + 1)
#define PAYLOAD_MAX (LADDER_STEPS * (LADDER_TEXT_MAX + 4))
#define MAGIC_NS 0xa1b23c4d
#define LINKTYPE_RAW 101
#define SNAPLEN 65535
#define IP4_HEADER 20
#define IP6_HEADER 40
#define TCP_HEADER 20
#define IP_MAX 65535

struct evidence_packet {
	struct pkt_ref ref;
	uint16_t client_port, server_port;
	size_t len; /* of payload */
	char payload[PAYLOAD_MAX];
};

struct evidence_set {
	unsigned n;
	struct evidence_packet packets[PACKETS_MAX];
};

/* ---- what goes in ---- */

/* Is the text of this kind of step what stood on the wire? */
static bool
kind_has_text(uint16_t kind)
{
	return kind >= OBS_GREETING && kind <= OBS_QUIT;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes \xNN, \r and \n for the bytes they stand for; see obs_set_text(). */
static char
unescape(const char **s)
{
	const char *p = *s;
	int hi, lo;

	*s += 1;
	if (p[0] != '\\' || p[1] == '\0')
		return p[0];
	*s += 1;
	if (p[1] == 'r')
		return '\r';
	if (p[1] == 'n')
		return '\n';
	if (p[1] == 'x' && (hi = hex_digit(p[2])) != -1 &&
	    (lo = hex_digit(p[3])) != -1) {
		*s += 2;
		return (char)(hi << 4 | lo);
	}
	*s -= 1;
	return p[0];
}

/* A capability list is shortened with an ellipsis: three dots in ASCII. */
static void
add_text(struct evidence_packet *p, const char *text)
{
	while (*text != '\0' && p->len + 5 < PAYLOAD_MAX) {
		if (strncmp(text, "\u2026", 3) == 0) {
			memcpy(p->payload + p->len, "...", 3);
			p->len += 3;
			text += 3;
			continue;
		}
		p->payload[p->len++] = unescape(&text);
	}
	if (p->len > 0 && p->payload[p->len - 1] == '\n')
		return;
	p->payload[p->len++] = '\r';
	p->payload[p->len++] = '\n';
}

/* Makes room for it in order of time; NULL if it is there already. */
static struct evidence_packet *
add_packet(struct evidence_set *set, const struct pkt_ref *ref)
{
	unsigned i = set->n;

	for (unsigned k = 0; k < set->n; k++)
		if (set->packets[k].ref.ordinal == ref->ordinal)
			return &set->packets[k];
	while (
	    i > 0 && (set->packets[i - 1].ref.time > ref->time ||
			 (set->packets[i - 1].ref.time == ref->time &&
			     set->packets[i - 1].ref.ordinal > ref->ordinal)))
		i--;
	memmove(&set->packets[i + 1], &set->packets[i],
	    (set->n - i) * sizeof(set->packets[0]));
	set->n++;
	memset(&set->packets[i], 0, sizeof(set->packets[i]));
	set->packets[i].ref = *ref;
	return &set->packets[i];
}

static void
gather(struct evidence_set *set, const struct alert *a)
{
	struct evidence_packet *p;

	set->n = 0;
	for (unsigned i = 0; i < a->nsteps && i < LADDER_STEPS; i++) {
		const struct step *s = &a->steps[i];

		if (s->pkt.ordinal == 0)
			continue;
		p = add_packet(set, &s->pkt);
		p->client_port = s->client_port;
		p->server_port = s->server_port;
		if (kind_has_text(s->kind) && s->text[0] != '\0' &&
		    s->pkt.len != 0 && s->pkt.dir == s->dir)
			add_text(p, s->text);
	}
	if (a->finding.pkt.ordinal != 0)
		(void)add_packet(set, &a->finding.pkt);
}

/* Takes `excess` bytes, as far as they go, out of the masks. */
static void
shorten_masks(struct evidence_packet *p, size_t excess)
{
	static const char mask[] = OBS_MASK;
	char *at = p->payload;
	size_t cut;

	while (
	    excess > 0 && (at = memmem(at, p->len - (size_t)(at - p->payload),
			       mask, sizeof(mask) - 1)) != NULL) {
		cut = excess < sizeof(mask) - 1 ? excess : sizeof(mask) - 1;
		memmove(at, at + cut, p->len - (size_t)(at - p->payload) - cut);
		p->len -= cut;
		excess -= cut;
	}
}

static void
settle_length(struct evidence_packet *p)
{
	if (p->len > p->ref.len)
		shorten_masks(p, p->len - p->ref.len);
	if (p->len <= p->ref.len)
		return;
	p->ref.seq -= (uint32_t)(p->len - p->ref.len);
	p->ref.len = (uint32_t)p->len;
}

/* ---- what comes out ---- */

/* RFC 1071 */
static uint32_t
sum(uint32_t acc, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i + 1 < n; i += 2)
		acc += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n % 2 != 0)
		acc += (uint32_t)(p[n - 1] << 8);
	return acc;
}

static unsigned
fold(uint32_t acc)
{
	while (acc >> 16 != 0)
		acc = (acc & 0xffff) + (acc >> 16);
	return ~acc & 0xffff;
}

static void
build_ip4(uint8_t *h, const struct pkt_ref *r, const struct addr *src,
    const struct addr *dst)
{
	memset(h, 0, IP4_HEADER);
	h[0] = 0x45;
	be16_put(h + 2, IP4_HEADER + TCP_HEADER + r->len);
	be16_put(h + 4, r->ip_id);
	h[8] = r->ttl;
	h[9] = 6;
	memcpy(h + 12, src->b + 12, 4);
	memcpy(h + 16, dst->b + 12, 4);
	be16_put(h + 10, fold(sum(0, h, IP4_HEADER)));
}

static void
build_ip6(uint8_t *h, const struct pkt_ref *r, const struct addr *src,
    const struct addr *dst)
{
	memset(h, 0, IP6_HEADER);
	h[0] = 0x60;
	be16_put(h + 4, TCP_HEADER + r->len);
	h[6] = 6;
	h[7] = r->ttl;
	memcpy(h + 8, src->b, 16);
	memcpy(h + 24, dst->b, 16);
}

/* The sum of the pseudo header; unknown payload counts as zeros. */
static uint32_t
pseudo_sum(const uint8_t *ip, bool v6, uint32_t len)
{
	uint32_t acc = v6 ? sum(0, ip + 8, 32) : sum(0, ip + 12, 8);

	return acc + 6 + TCP_HEADER + (len & 0xffff) + (len >> 16);
}

static void
build_tcp(
    uint8_t *h, const struct evidence_packet *p, unsigned sport, unsigned dport)
{
	memset(h, 0, TCP_HEADER);
	be16_put(h, sport);
	be16_put(h + 2, dport);
	be32_put(h + 4, p->ref.seq);
	be32_put(h + 8, p->ref.ack);
	h[12] = TCP_HEADER / 4 << 4;
	h[13] = p->ref.tcp_flags;
	be16_put(h + 14, p->ref.window);
}

static size_t
build_packet(uint8_t *out, struct evidence_packet *p, const struct obs_flow *f)
{
	bool c2s = p->ref.dir == DIR_C2S;
	bool v6 = !addr_is_v4(&f->client) || !addr_is_v4(&f->server);
	const struct addr *src = c2s ? &f->client : &f->server;
	const struct addr *dst = c2s ? &f->server : &f->client;
	unsigned client = p->client_port ? p->client_port : f->client_port;
	unsigned server = p->server_port ? p->server_port : f->server_port;
	size_t ip = v6 ? IP6_HEADER : IP4_HEADER;
	uint8_t *tcp = out + ip;
	uint32_t acc;

	if (p->ref.len > IP_MAX - IP6_HEADER - TCP_HEADER)
		p->ref.len = IP_MAX - IP6_HEADER - TCP_HEADER;
	(v6 ? build_ip6 : build_ip4)(out, &p->ref, src, dst);
	build_tcp(tcp, p, c2s ? client : server, c2s ? server : client);
	memcpy(tcp + TCP_HEADER, p->payload, p->len);
	acc = pseudo_sum(out, v6, p->ref.len);
	be16_put(tcp + 16, fold(sum(acc, tcp, TCP_HEADER + p->len)));
	return ip + TCP_HEADER + p->len;
}

static int
write_packet(FILE *out, struct evidence_packet *p, const struct obs_flow *f)
{
	uint8_t bytes[IP6_HEADER + TCP_HEADER + PAYLOAD_MAX];
	int64_t ns = p->ref.time % 1000000000, s = p->ref.time / 1000000000;
	uint32_t head[4];
	size_t n;

	settle_length(p);
	n = build_packet(bytes, p, f);
	head[0] = (uint32_t)(ns < 0 ? s - 1 : s);
	head[1] = (uint32_t)(ns < 0 ? ns + 1000000000 : ns);
	head[2] = (uint32_t)n;
	head[3] = (uint32_t)(n - p->len + p->ref.len);
	return fwrite(head, sizeof(head), 1, out) == 1 &&
		       fwrite(bytes, n, 1, out) == 1
		   ? 0
		   : -1;
}

int
evidence_pcap_write(FILE *out, const struct alert *a)
{
	/* magic, version 2.4 as two halves, zone, accuracy, snaplen, link */
	const uint16_t version[2] = {2, 4};
	uint32_t head[6] = {MAGIC_NS, 0, 0, 0, SNAPLEN, LINKTYPE_RAW};
	struct evidence_set set;

	memcpy(&head[1], version, sizeof(version));
	gather(&set, a);
	if (fwrite(head, sizeof(head), 1, out) != 1)
		return -1;
	for (unsigned i = 0; i < set.n; i++)
		if (write_packet(out, &set.packets[i], &a->flow) == -1)
			return -1;
	return fflush(out) == 0 ? (int)set.n : -1;
}
