/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conversations are kept in a table that a newcomer may take a place in: what
 * is asked is a share, and those that are left are a fair sample. One of less
 * than three packets proves nothing: scans are not answered.
 */
#include "sensor/span.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoders/siphash.h"

#define TALKS 65536 /* power of two; 3 MiB */
#define ENOUGH 3 /* packets that prove a side is heard */
#define TWICE_NS (20 * INT64_C(1000000)) /* copies are that close */
#define NO_VLAN 0xffff

#define MOST 50 /* percent: that is how it is */
#define SOME 2 /* that is a fault somewhere */
#define LOST 0.1

struct side {
	uint32_t packets, seq, ack;
	uint16_t vlan, ip_id;
	uint32_t len;
	int64_t time;
};

struct talk {
	uint64_t hash; /* 0: not used */
	struct side side[2]; /* by which address is the lower */
};

struct span {
	struct talk talk[TALKS];
	uint64_t frames, cut;
	uint64_t data, twice; /* segments with bytes, and of them again */
	uint64_t payload; /* bytes */
	uint64_t large; /* segments larger than any MSS allows */
	uint16_t mss; /* the largest that was announced */
};

struct span *
span_new(void)
{
	return calloc(1, sizeof(struct span));
}

void
span_free(struct span *s)
{
	free(s);
}

/* ---- what is seen ---- */

static uint64_t
hash_of(const struct packet *pkt, bool *upper)
{
	static const uint8_t key[SIPHASH_KEY]; /* nothing to gain by aiming */
	uint8_t b[36];
	int order = memcmp(&pkt->src, &pkt->dst, sizeof(pkt->src));
	uint64_t h;

	*upper = order > 0 || (order == 0 && pkt->sport > pkt->dport);
	memcpy(b + (*upper ? 16 : 0), &pkt->src, 16);
	memcpy(b + (*upper ? 0 : 16), &pkt->dst, 16);
	memcpy(b + 32, *upper ? &pkt->dport : &pkt->sport, 2);
	memcpy(b + 34, *upper ? &pkt->sport : &pkt->dport, 2);
	h = siphash(key, (struct slice){b, sizeof(b)});
	return h != 0 ? h : 1;
}

static bool
is_again(const struct side *was, const struct packet *pkt)
{
	return was->packets > 0 && was->seq == pkt->seq &&
	       was->ack == pkt->ack && was->len == pkt->wire_len &&
	       was->ip_id == pkt->ip_id && pkt->time - was->time < TWICE_NS;
}

static void
note_segment(struct span *s, struct side *side, const struct packet *pkt)
{
	if (pkt->wire_len > 0) {
		s->data++;
		s->twice += is_again(side, pkt);
		s->payload += pkt->wire_len;
		s->large += pkt->wire_len > (s->mss > 1460 ? s->mss : 1460);
		side->seq = pkt->seq;
		side->ack = pkt->ack;
		side->len = pkt->wire_len;
		side->ip_id = pkt->ip_id;
		side->time = pkt->time;
	}
	side->packets++;
	side->vlan =
	    pkt->nvlan > 0 ? pkt->vlan[pkt->nvlan - 1] & 0xfff : NO_VLAN;
}

void
span_packet(struct span *s, const struct packet *pkt)
{
	uint64_t hash;
	struct talk *t;
	bool upper;

	s->frames++;
	s->cut += pkt->caplen < pkt->wirelen;
	if (pkt->tcp == NULL)
		return;
	if (pkt->mss > s->mss)
		s->mss = pkt->mss;
	hash = hash_of(pkt, &upper);
	t = &s->talk[hash & (TALKS - 1)];
	if (t->hash != hash) {
		memset(t, 0, sizeof(*t));
		t->hash = hash;
	}
	note_segment(s, &t->side[upper], pkt);
}

/* ---- what it means ---- */

struct heard {
	uint64_t all, one_way, other_vlan;
	uint16_t vlan; /* of all that are one way */
	bool several; /* they are in more than one */
};

static void
count_talk(const struct talk *t, struct heard *h)
{
	const struct side *a = &t->side[0], *b = &t->side[1];
	uint16_t vlan = a->packets > 0 ? a->vlan : b->vlan;

	if (t->hash == 0 || a->packets + b->packets < ENOUGH)
		return;
	h->all++;
	if (a->packets > 0 && b->packets > 0) {
		h->other_vlan += a->vlan != b->vlan;
		return;
	}
	h->several |= h->one_way > 0 && h->vlan != vlan;
	h->vlan = vlan;
	h->one_way++;
}

static struct heard
listen_to_all(const struct span *s)
{
	struct heard h = {0, 0, 0, NO_VLAN, false};

	for (unsigned i = 0; i < TALKS; i++)
		count_talk(&s->talk[i], &h);
	return h;
}

uint64_t
span_talks(const struct span *s)
{
	return listen_to_all(s).all;
}

static double
percent(uint64_t part, uint64_t all)
{
	return all == 0 ? 0 : 100.0 * (double)part / (double)all;
}

static void __attribute__((format(printf, 3, 4)))
say(struct span_check *c, enum span_grade grade, const char *fmt, ...)
{
	va_list ap;

	c->grade = grade;
	va_start(ap, fmt);
	(void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

typedef unsigned long long ull;

static void
check_packets(
    struct span_check *c, const struct span *s, const struct frontend_totals *t)
{
	uint64_t deaf = t->link_unknown;

	c->name = "packets";
	c->percent = percent(deaf, s->frames);
	if (s->frames == 0) {
		say(c, SPAN_WRONG, "no packet at all was seen");
		c->advice = "is the mirror session on, and this its "
			    "destination?";
	} else if (c->percent > SOME) {
		say(c, SPAN_WRONG,
		    "%llu frames are of a kind that is not "
		    "understood",
		    (ull)deaf);
		c->advice = "mirror plain Ethernet";
	} else if (t->ip.v4 + t->ip.v6 == 0) {
		say(c, SPAN_WRONG, "%llu frames were seen, none with IP in it",
		    (ull)s->frames);
		c->advice = "mirror the ports that the mail servers are at; "
			    "encrypted links (MACsec, IPsec) cannot be read";
	} else {
		say(c, SPAN_OK, "%llu packets, %llu of them TCP",
		    (ull)s->frames, (ull)t->ip.tcp);
	}
}

static void
check_mail(struct span_check *c, const struct frontend_totals *t)
{
	uint64_t mail = 0;

	for (unsigned i = PROTO_UNKNOWN + 1; i < PROTO_COUNT; i++)
		if (i != PROTO_OTHER)
			mail += t->tracker.mail_flows[i];
	c->name = "mail";
	if (mail > 0) {
		say(c, SPAN_OK, "%llu connections of mail", (ull)mail);
		return;
	}
	say(c, SPAN_WRONG, "no mail was seen, in %llu TCP connections",
	    (ull)t->tracker.flows);
	c->advice = "look for longer, or mirror the ports that mail servers, "
		    "clients and the way to the Internet are at";
}

static void
check_directions(struct span_check *c, const struct heard *h)
{
	char where[80] = "";

	c->name = "directions";
	c->percent = percent(h->one_way, h->all);
	if (h->one_way > 0 && !h->several && h->vlan != NO_VLAN)
		(void)snprintf(where, sizeof(where),
		    ", all of these in VLAN %u: the answers may be in another",
		    h->vlan);
	if (c->percent <= SOME) {
		say(c, SPAN_OK, "both directions of %llu connections",
		    (ull)(h->all - h->one_way));
		return;
	}
	say(c, SPAN_WRONG,
	    "%s: %llu of %llu connections were heard from one side only%s",
	    c->percent > MOST ? "one direction only" : "directions are missing",
	    (ull)h->one_way, (ull)h->all, where);
	c->advice = "mirror what is received and what is sent (\"both\"), of "
		    "all ports or VLANs that the traffic may take";
}

static void
check_vlans(struct span_check *c, const struct heard *h)
{
	c->name = "vlans";
	c->percent = percent(h->other_vlan, h->all);
	if (c->percent <= SOME)
		say(c, SPAN_OK, "one VLAN for both directions");
	else
		say(c, SPAN_NOTE,
		    "%llu of %llu connections have another VLAN in each "
		    "direction; they are put together all the same",
		    (ull)h->other_vlan, (ull)h->all);
}

static void
check_twice(struct span_check *c, const struct span *s)
{
	uint64_t once = s->data - s->twice;

	c->name = "twice";
	c->percent = percent(s->twice, once);
	if (c->percent <= SOME) {
		say(c, SPAN_OK, "no packet twice");
		return;
	}
	say(c, c->percent > MOST ? SPAN_WRONG : SPAN_NOTE,
	    "%s twice: %llu copies of %llu segments",
	    c->percent > MOST ? "every packet comes" : "packets come",
	    (ull)s->twice, (ull)once);
	c->advice = "mirror each packet at one place: where it comes in or "
		    "where it goes out, not both";
}

static void
check_cut(struct span_check *c, const struct span *s)
{
	c->name = "cut";
	c->percent = percent(s->cut, s->frames);
	if (s->cut == 0) {
		say(c, SPAN_OK, "no frame is cut");
		return;
	}
	say(c, SPAN_WRONG, "%llu of %llu frames are cut short", (ull)s->cut,
	    (ull)s->frames);
	c->advice = "a capture needs snaplen 65535 (tcpdump -s 0); a switch "
		    "must not truncate what it mirrors";
}

/* What a direction that is missing, or a cut, leaves out is no loss. */
static void
check_loss(struct span_check *c, const struct span *s,
    const struct frontend_totals *t, const struct heard *h)
{
	uint64_t lost = t->tracker.hole_bytes;

	c->name = "loss";
	c->percent = percent(lost, lost + s->payload);
	if (lost == 0) {
		say(c, SPAN_OK, "all bytes that were acknowledged were seen");
		return;
	}
	if (s->cut > 0 || percent(h->one_way, h->all) > SOME) {
		say(c, SPAN_NOTE,
		    "loss cannot be told from what is cut, or "
		    "from a direction that is missing");
		return;
	}
	say(c, c->percent > LOST ? SPAN_WRONG : SPAN_NOTE,
	    "%llu bytes in %llu holes of mail connections were acknowledged "
	    "and never seen",
	    (ull)lost, (ull)t->tracker.holes);
	c->advice = "a mirror port that is slower than what it mirrors drops: "
		    "mirror less, or to a faster port";
}

static void
check_drops(struct span_check *c, const struct live_counters *live)
{
	uint64_t lost = live->dropped + live->if_dropped;

	c->name = "drops";
	c->percent = percent(lost, lost + live->received);
	if (lost == 0) {
		say(c, SPAN_OK, "nothing was dropped on this machine");
		return;
	}
	say(c, c->percent > LOST ? SPAN_WRONG : SPAN_NOTE,
	    "this machine dropped %llu packets, its interface %llu",
	    (ull)live->dropped, (ull)live->if_dropped);
	c->advice = "more workers (-w), a larger run.buffer, larger rings "
		    "(ethtool -G)";
}

static void
check_offload(
    struct span_check *c, const struct span *s, const struct frontend_totals *t)
{
	c->name = "offload";
	c->percent = percent(s->large, s->data);
	if (s->large == 0 && t->ip.open_tcp_csum == 0) {
		say(c, SPAN_OK, "packets are as they were on the wire");
		return;
	}
	say(c, SPAN_NOTE,
	    "%llu segments are larger than the wire carries, %llu have no "
	    "checksum yet: a network card, or this machine, put them together",
	    (ull)s->large, (ull)t->ip.open_tcp_csum);
	c->advice = "ethtool -K IF gro off lro off gso off tso off: TTLs and "
		    "sequence numbers of single packets tell forged ones";
}

static void
check_sums(struct span_check *c, const struct frontend_totals *t)
{
	c->name = "checksums";
	c->percent = percent(t->ip.bad_ip_csum, t->ip.v4);
	if (c->percent <= SOME) {
		say(c, SPAN_OK, "IP checksums are right");
		return;
	}
	say(c, SPAN_NOTE, "%llu of %llu IP headers have a wrong checksum",
	    (ull)t->ip.bad_ip_csum, (ull)t->ip.v4);
	c->advice = "something rewrites packets on their way to the sensor";
}

unsigned
span_judge(const struct span *s, const struct frontend_totals *t,
    const struct live_counters *live, struct span_check out[SPAN_CHECKS])
{
	struct heard h = listen_to_all(s);
	unsigned n = 0;

	memset(out, 0, SPAN_CHECKS * sizeof(*out));
	check_packets(&out[n++], s, t);
	if (s->frames == 0)
		return n; /* of nothing, nothing can be said */
	check_mail(&out[n++], t);
	check_directions(&out[n++], &h);
	check_vlans(&out[n++], &h);
	check_twice(&out[n++], s);
	check_cut(&out[n++], s);
	check_loss(&out[n++], s, t, &h);
	if (live != NULL)
		check_drops(&out[n++], live);
	check_offload(&out[n++], s, t);
	check_sums(&out[n++], t);
	return n;
}
