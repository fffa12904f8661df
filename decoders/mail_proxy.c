/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PROXY header (HAProxy's proxy-protocol.txt, versions 1 and 2) before
 * everything else of any protocol: the proxy in front of the server says whose
 * connection it passes on. Version 2 begins with bytes that read as four
 * lines; of what follows the addresses are kept, and the rest (TLVs, 64 KiB at
 * most) is passed by, by its length. What it says is told once the protocol is
 * known; on a port that is no mail's it is nobody's business.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "decoders/be.h"
#include "decoders/mail_core.h"

#define V1_WORDS 6 /* PROXY TCP4 source destination port port */
#define V2_HEAD 4 /* bytes behind the signature */
#define V2_IPV4 12
#define V2_IPV6 36

enum proxy_step {
	PROXY_NONE = 0, /* up to 4: lines of the signature seen */
	PROXY_HEAD = 4,
	PROXY_ADDRS,
	PROXY_TLVS,
	PROXY_DONE
};

static bool
parse_addr(struct addr *a, struct slice s, bool v6)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	if (v6)
		return inet_pton(AF_INET6, text, a->b) == 1;
	a->b[10] = a->b[11] = 0xff;
	return inet_pton(AF_INET, text, a->b + 12) == 1;
}

static bool
parse_port(uint16_t *port, struct slice s)
{
	uint64_t n;

	if (slice_number(s, &n) != s.len || s.len == 0 || n > UINT16_MAX)
		return false;
	*port = (uint16_t)n;
	return true;
}

static struct obs_proxy *
head_of(struct mail *m)
{
	struct proxied *p = mail_part(m, PART_PROXY);

	return &p->head;
}

static void
read_v1(struct mail *m, struct slice s)
{
	struct obs_proxy *o = head_of(m);
	struct slice w[V1_WORDS];
	bool v6;

	for (unsigned i = 0; i < V1_WORDS; i++)
		w[i] = slice_word(&s);
	v6 = slice_is(w[1], "TCP6");
	o->version = 1;
	o->known = (v6 || slice_is(w[1], "TCP4")) &&
		   parse_addr(&o->client, w[2], v6) &&
		   parse_addr(&o->server, w[3], v6) &&
		   parse_port(&o->client_port, w[4]) &&
		   parse_port(&o->server_port, w[5]);
}

static void
read_v2(struct obs_proxy *o, struct slice s)
{
	size_t width = s.len == V2_IPV6 ? 16 : 4;
	size_t at = 16 - width;

	if (s.len != V2_IPV4 && s.len != V2_IPV6)
		return;
	if (width == 4) {
		memset(o->client.b + 10, 0xff, 2);
		memset(o->server.b + 10, 0xff, 2);
	}
	memcpy(o->client.b + at, s.p, width);
	memcpy(o->server.b + at, s.p + width, width);
	o->client_port = be16(s.p + 2 * width);
	o->server_port = be16(s.p + 2 * width + 2);
	o->known = 1;
}

static void
done(struct mail *m)
{
	struct proxied *p = mail_part(m, PART_PROXY);

	m->proxy = PROXY_DONE;
	if (!p->head.known)
		memset(&p->head.client, 0,
		    sizeof(p->head) - offsetof(struct obs_proxy, client));
	p->pkt = *mail_now(m);
	if (m->proto != PROTO_UNKNOWN)
		proxy_emit(m);
}

bool
proxy_line(struct mail *m, const struct line *l)
{
	struct slice s = l->text;
	bool v2[] = {s.len == 0, s.len == 0, s.len == 1 && s.p[0] == '\0',
	    slice_is(s, "QUIT") && l->bare_lf};

	if (m->half[DIR_C2S].strange != 0 || m->half[DIR_C2S].spoke)
		return false;
	if (m->proxy == PROXY_NONE && slice_starts(s, "PROXY ")) {
		read_v1(m, s);
		done(m);
		return true;
	}
	if (m->proxy >= PROXY_HEAD || !v2[m->proxy])
		return false;
	m->oddities = 0; /* they belong there */
	if (++m->proxy == PROXY_HEAD)
		mail_keep_begin(m, DIR_C2S, V2_HEAD);
	return true;
}

/* Version and command, family and protocol, length. */
static void
head_end(struct mail *m, struct slice s)
{
	static const struct {
		uint8_t family, size;
	} known[] = {{0x11, V2_IPV4}, {0x21, V2_IPV6}};
	unsigned n = be16(s.p + 2), keep = 0;

	head_of(m)->version = 2;
	for (unsigned i = 0; i < 2; i++)
		if (s.p[0] == 0x21 && s.p[1] == known[i].family &&
		    n >= known[i].size)
			keep = known[i].size;
	m->proxy_left = (uint16_t)(n - keep);
	m->proxy = PROXY_ADDRS;
	if (keep > 0)
		mail_keep_begin(m, DIR_C2S, keep);
	else
		proxy_run_end(m);
}

static void
addrs_end(struct mail *m, struct slice s)
{
	read_v2(head_of(m), s);
	m->proxy = PROXY_TLVS;
	if (m->proxy_left > 0)
		mail_count_begin(m, DIR_C2S, m->proxy_left, false);
	else
		done(m);
}

bool
proxy_is_under_way(const struct mail *m)
{
	return m->proxy >= PROXY_HEAD && m->proxy < PROXY_DONE;
}

void
proxy_run_end(struct mail *m)
{
	struct slice s = line_partial(&m->half[DIR_C2S].line);

	if (m->proxy == PROXY_HEAD && s.len == V2_HEAD)
		head_end(m, s);
	else if (m->proxy == PROXY_ADDRS)
		addrs_end(m, s);
	else
		done(m);
}

void
proxy_emit(struct mail *m)
{
	const struct proxied *told = m->part[PART_PROXY];
	const struct obs_proxy *p;
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN];
	struct obs o;

	if (m->proxy != PROXY_DONE || told == NULL || told->head.version == 0)
		return;
	p = &told->head;
	obs_init(&o, OBS_PROXY);
	o.u.proxy = *p;
	o.pkt = told->pkt;
	strncpy(o.text, "PROXY UNKNOWN", sizeof(o.text) - 1);
	if (p->known)
		(void)snprintf(o.text, sizeof(o.text), "PROXY %s %s %u %u",
		    obs_addr(client, sizeof(client), &p->client),
		    obs_addr(server, sizeof(server), &p->server),
		    p->client_port, p->server_port);
	mail_part_end(m, PART_PROXY);
	mail_emit(m, &o, DIR_C2S);
}
