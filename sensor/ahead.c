/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sensor/ahead.h"

#include <string.h>

#include "sensor/conn.h"

#define ETHERNET 1 /* DLT_EN10MB */
#define STEP (AHEAD / 4) /* packets between two steps of the same */
#define LINE 64 /* bytes of a cache line */
#define ETHER_LEN 14

static uint16_t
be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void
set_v4(struct addr *a, const uint8_t *p)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	memcpy(a->b, prefix, sizeof(prefix));
	memcpy(a->b + 12, p, 4);
}

/* Addresses and ports, of what is plain: Ethernet, perhaps with a tag, IPv4 or
 * IPv6, TCP. */
static bool
read_ends(const uint8_t *p, uint32_t len, struct packet *pkt)
{
	uint16_t type;
	uint32_t at = ETHER_LEN, ports;

	if (len < ETHER_LEN + 4 + 40 + 4)
		return false;
	type = be16(p + 12);
	if (type == 0x8100) {
		at += 4;
		type = be16(p + 16);
	}
	p += at;
	if (type == 0x0800 && p[9] == 6) {
		ports = (p[0] & 15u) * 4;
		set_v4(&pkt->src, p + 12);
		set_v4(&pkt->dst, p + 16);
	} else if (type == 0x86dd && p[6] == 6) {
		ports = 40;
		memcpy(pkt->src.b, p + 8, 16);
		memcpy(pkt->dst.b, p + 24, 16);
	} else
		return false;
	if (at + ports + 4 > len)
		return false;
	pkt->sport = be16(p + ports);
	pkt->dport = be16(p + ports + 2);
	return true;
}

static void
fetch(const void *p, size_t len)
{
	for (size_t i = 0; i < len; i += LINE)
		__builtin_prefetch((const char *)p + i, 1);
}

static struct conn *
conn_of(struct flow_table *flows, uint32_t bucket)
{
	uint32_t slot =
	    bucket == FLOW_NONE ? FLOW_NONE : flow_first(flows, bucket);

	return slot == FLOW_NONE ? NULL : flow_at(flows, slot)->conn;
}

/* What was asked for STEP packets ago has come. */
static void
go_on(struct ahead *a, struct flow_table *flows)
{
	uint32_t slot, b = a->bucket[(a->n - STEP) % AHEAD];
	struct conn *c;

	if (b != FLOW_NONE && (slot = flow_first(flows, b)) != FLOW_NONE)
		__builtin_prefetch(flow_at(flows, slot), 1);
	ahead_fetch(conn_of(flows, a->bucket[(a->n - 2 * STEP) % AHEAD]));
	c = conn_of(flows, a->bucket[(a->n - 3 * STEP) % AHEAD]);
	if (c == NULL)
		return;
	if (c->mail != NULL)
		fetch(c->mail, 6 * LINE); /* beyond are rare parts */
	for (int d = 0; d < 2; d++)
		if (c->ev.d[d].window != NULL)
			fetch(c->ev.d[d].window, 2 * LINE);
}

void
ahead_expect(struct ahead *a, struct flow_table *flows, const uint8_t *frame,
    uint32_t len, int linktype)
{
	struct packet pkt;
	struct flow_key key;
	uint32_t bucket = FLOW_NONE;

	if (linktype == ETHERNET && read_ends(frame, len, &pkt)) {
		(void)flow_key_of(&key, &pkt);
		bucket = flow_bucket(flows, &key);
	}
	a->bucket[a->n++ % AHEAD] = bucket;
	if (a->n > AHEAD)
		go_on(a, flows);
}
