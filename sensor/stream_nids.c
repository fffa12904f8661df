/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The stream contract on libnids 1.26. libnids never sees the wire: each
 * segment is rebuilt as plain IPv4/TCP with the flow's slot as client address
 * and its generation as client port, and the low 32 bits of the stream offset
 * as sequence number. What that keeps away from it, and why, is in DESIGN
 * section 1. What has to be known of its inside:
 *
 * - a direction accepts what starts before ack + window * scale, where ack is
 *   the last acknowledgement of the receiver; nothing below ack. We offer
 *   65535 << 14 and acknowledge exactly what was delivered.
 * - it drops a direction's whole queue when the sizes of the queued segments
 *   add up to more than 65,535. The size of a segment is its length plus
 *   sk_buff_size, so that with a negative sk_buff_size the sum never gets
 *   there; the cap on pending bytes is the caller's.
 * - a byte count is a signed int: streams are opened anew after 1 GiB.
 * - the expected number is first_data_seq + count. A hole is closed by adding
 *   to count and sending one byte of filler, so that closing it costs the same
 *   whatever its size.
 * - at three quarters of its pool it evicts the oldest stream: we stay below.
 * - its callback must not free streams.
 */
#include "sensor/stream.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nids.h>

#define IP_LEN 20
#define TCP_LEN 20
#define TCP_SYN_LEN 24 /* with a window scale option */
#define PIECE_MAX (65535 - IP_LEN - TCP_LEN)
#define REOPEN_AFTER (1ull << 30)
#define REACK_AFTER (256u << 20)

static const uint8_t server_addr[4] = {255, 255, 255, 255};
#define SERVER_PORT 25

struct entry { /* one open stream */
	struct tcp_stream *tcp; /* libnids' own, NULL until established */
	uint64_t origin[2]; /* offset at which it was opened */
	uint64_t pushed[2]; /* bytes given, skipped ones included */
	uint64_t out[2]; /* offset of the next byte to come out */
	uint64_t acked[2]; /* last acknowledgement given for a direction */
	uint32_t slot, generation;
	bool filling; /* the next byte out is filler */
};

struct stream {
	struct stream_config cfg;
	struct entry *entries; /* dense, count in use */
	uint32_t *place; /* by slot: index into entries + 1, 0 none */
	uint32_t count;
	struct entry *cur; /* whose segment is being fed */
	pcap_t *pcap;
	struct pcap_pkthdr hdr;
	struct stream_counters n;
	uint8_t buf[65536] __attribute__((aligned(8)));
};

static struct stream *the_stream; /* libnids' callbacks carry no context */

static void
on_warning(int type, int err, struct ip *ip, void *data)
{
	(void)type;
	(void)err;
	(void)ip;
	(void)data;
	if (the_stream != NULL)
		the_stream->n.warnings++;
}

static void
deliver(struct entry *e, enum dir dir, const struct half_stream *rcv)
{
	struct stream *s = the_stream;
	struct slice bytes = {
	    (const uint8_t *)rcv->data, (size_t)rcv->count_new};

	e->out[dir] += bytes.len;
	if (e->filling) {
		e->filling = false;
		return;
	}
	s->n.bytes += bytes.len;
	s->cfg.fn(s->cfg.ctx, e->slot, dir, bytes);
}

static void
on_tcp(struct tcp_stream *tcp, void **param)
{
	struct entry *e = the_stream->cur;

	(void)param;
	if (e == NULL)
		return;
	if (tcp->nids_state == NIDS_JUST_EST) {
		tcp->client.collect = 1;
		tcp->server.collect = 1;
		e->tcp = tcp;
	} else if (tcp->nids_state == NIDS_DATA) {
		if (tcp->server.count_new > 0)
			deliver(e, DIR_C2S, &tcp->server);
		else if (tcp->client.count_new > 0)
			deliver(e, DIR_S2C, &tcp->client);
	}
}

static int
init_nids(struct stream *s, char *err, size_t errlen)
{
	static struct nids_chksum_ctl no_checksums = {
	    .netaddr = 0, .mask = 0, .action = NIDS_DONT_CHKSUM};

	s->pcap = pcap_open_dead(DLT_RAW, 65535);
	if (s->pcap == NULL) {
		(void)snprintf(err, errlen, "pcap_open_dead: out of memory");
		return -1;
	}
	nids_params.pcap_desc = s->pcap;
	nids_params.n_tcp_streams = (int)(s->cfg.streams / 3 * 4 + 8);
	nids_params.n_hosts = 1;
	nids_params.scan_num_hosts = 0;
	nids_params.dev_addon = 0;
	nids_params.sk_buff_size = -65536 - 64;
	nids_params.tcp_workarounds = 0;
	nids_params.multiproc = 0;
	nids_params.syslog = on_warning;
	nids_register_chksum_ctl(&no_checksums, 1);
	if (!nids_init()) {
		(void)snprintf(err, errlen, "libnids: %s", nids_errbuf);
		return -1;
	}
	nids_register_tcp(on_tcp);
	return 0;
}

struct stream *
stream_new(const struct stream_config *cfg, char *err, size_t errlen)
{
	struct stream *s;

	if (the_stream != NULL) {
		(void)snprintf(
		    err, errlen, "libnids serves one tracker per process");
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s == NULL) {
		(void)snprintf(err, errlen, "reassembly: out of memory");
		return NULL;
	}
	s->cfg = *cfg;
	s->entries = calloc(cfg->streams, sizeof(*s->entries));
	s->place = calloc(cfg->capacity, sizeof(*s->place));
	if (s->entries == NULL || s->place == NULL)
		(void)snprintf(err, errlen, "reassembly: out of memory");
	else if (init_nids(s, err, errlen) == 0)
		return the_stream = s;
	stream_free(s);
	return NULL;
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	while (s->entries != NULL && s->place != NULL && s->count > 0)
		stream_close(s, s->entries[s->count - 1].slot);
	if (the_stream == s) {
		nids_unregister_tcp(on_tcp);
		nids_exit();
		nids_params.pcap_desc = NULL;
		the_stream = NULL;
	}
	if (s->pcap != NULL)
		pcap_close(s->pcap);
	free(s->entries);
	free(s->place);
	free(s);
}

/*  0      7 8     15 16            31
 * |0x45    |0       |total length    |  IPv4 without options, RFC 791
 * |0                |don't fragment  |
 * |64      |6       |0 (not checked) |
 * |source                            |
 * |destination                       | */
static void
build_ip(struct stream *s, const struct entry *e, enum dir dir, size_t len)
{
	uint32_t slot = htonl(e->slot);
	uint8_t *h = s->buf;

	memset(h, 0, IP_LEN);
	h[0] = 0x45;
	h[2] = (uint8_t)(len >> 8);
	h[3] = (uint8_t)len;
	h[6] = 0x40;
	h[8] = 64;
	h[9] = IPPROTO_TCP;
	memcpy(h + (dir == DIR_C2S ? 12 : 16), &slot, 4);
	memcpy(h + (dir == DIR_C2S ? 16 : 12), server_addr, 4);
}

static void
build_tcp(struct stream *s, const struct entry *e, enum dir dir, uint8_t flags)
{
	uint8_t *h = s->buf + IP_LEN;
	uint16_t port[2] = {htons((uint16_t)e->generation), htons(SERVER_PORT)};

	memset(h, 0, flags & TCP_SYN ? TCP_SYN_LEN : TCP_LEN);
	memcpy(h, &port[dir == DIR_C2S ? 0 : 1], 2);
	memcpy(h + 2, &port[dir == DIR_C2S ? 1 : 0], 2);
	h[12] = TCP_LEN / 4 << 4;
	h[13] = flags;
	h[14] = h[15] = 0xff; /* window */
	if (flags & TCP_SYN) {
		h[12] = TCP_SYN_LEN / 4 << 4;
		h[20] = 3; /* window scale 14, RFC 7323 */
		h[21] = 3;
		h[22] = 14;
	}
}

struct piece {
	enum dir dir;
	uint8_t flags;
	uint64_t at; /* its number is the low half */
	size_t len; /* payload; it is in the buffer already */
};

static void
feed(struct stream *s, struct entry *e, struct piece p)
{
	size_t header = p.flags & TCP_SYN ? TCP_SYN_LEN : TCP_LEN;
	uint32_t seq = htonl((uint32_t)p.at);
	uint32_t ack = htonl((uint32_t)e->out[!p.dir]);

	build_ip(s, e, p.dir, IP_LEN + header + p.len);
	build_tcp(s, e, p.dir, p.flags);
	memcpy(s->buf + IP_LEN + 4, &seq, 4);
	if (p.flags & TCP_ACK) {
		e->acked[!p.dir] = e->out[!p.dir];
		memcpy(s->buf + IP_LEN + 8, &ack, 4);
	}
	s->hdr.caplen = s->hdr.len = (uint32_t)(IP_LEN + header + p.len);
	s->cur = e;
	nids_pcap_handler(NULL, &s->hdr, s->buf);
	s->cur = NULL;
}

/* The made-up handshake: both sides start at what was delivered. */
static void
feed_handshake(struct stream *s, struct entry *e)
{
	uint64_t c = e->out[DIR_C2S], v = e->out[DIR_S2C];

	e->tcp = NULL;
	for (int d = 0; d < 2; d++)
		e->origin[d] = e->pushed[d] = e->out[d];
	feed(s, e, (struct piece){DIR_C2S, TCP_SYN, c - 1, 0});
	feed(s, e, (struct piece){DIR_S2C, TCP_SYN | TCP_ACK, v - 1, 0});
	feed(s, e, (struct piece){DIR_C2S, TCP_ACK, c, 0});
}

static void
free_tcp(struct entry *e)
{
	if (e->tcp != NULL)
		nids_free_tcp_stream(e->tcp);
	e->tcp = NULL;
}

static struct entry *
find(const struct stream *s, uint32_t slot)
{
	uint32_t i = s->place[slot];

	return i == 0 ? NULL : &s->entries[i - 1];
}

bool
stream_is_open(const struct stream *s, uint32_t slot)
{
	return s->place[slot] != 0;
}

int
stream_open(struct stream *s, uint32_t slot, uint32_t generation,
    const uint64_t next[2])
{
	struct entry *e;

	if (s->place[slot] != 0)
		stream_close(s, slot);
	if (s->count == s->cfg.streams) {
		s->n.refused++;
		return -1;
	}
	e = &s->entries[s->count];
	memset(e, 0, sizeof(*e));
	e->slot = slot;
	e->generation = generation;
	memcpy(e->out, next, sizeof(e->out));
	feed_handshake(s, e);
	if (e->tcp == NULL) {
		s->n.refused++;
		return -1;
	}
	s->place[slot] = ++s->count;
	s->n.opened++;
	return 0;
}

void
stream_close(struct stream *s, uint32_t slot)
{
	struct entry *e = find(s, slot), *last;

	if (e == NULL)
		return;
	free_tcp(e);
	last = &s->entries[--s->count];
	if (e != last) {
		*e = *last;
		s->place[e->slot] = (uint32_t)(e - s->entries) + 1;
	}
	s->place[slot] = 0;
	s->n.closed++;
}

/* Keeps libnids' windows and counts small; only where nothing is pending can
 * the stream be opened anew. */
static void
renew(struct stream *s, struct entry *e, enum dir dir)
{
	bool idle = e->pushed[0] == e->out[0] && e->pushed[1] == e->out[1];

	if (idle && e->out[dir] - e->origin[dir] >= REOPEN_AFTER) {
		free_tcp(e);
		feed_handshake(s, e);
	} else if (e->out[dir] - e->acked[dir] >= REACK_AFTER)
		feed(s, e, (struct piece){!dir, TCP_ACK, e->out[!dir], 0});
}

void
stream_push(struct stream *s, uint32_t slot, enum dir dir, uint64_t at,
    struct slice bytes)
{
	struct entry *e = find(s, slot);

	if (e == NULL || e->tcp == NULL)
		return;
	renew(s, e, dir);
	s->n.segments++;
	while (bytes.len > 0) {
		size_t n = bytes.len < PIECE_MAX ? bytes.len : PIECE_MAX;

		memcpy(s->buf + IP_LEN + TCP_LEN, bytes.p, n);
		e->pushed[dir] += n;
		feed(s, e, (struct piece){dir, TCP_ACK, at, n});
		at += n;
		bytes.p += n;
		bytes.len -= n;
	}
}

void
stream_skip(struct stream *s, uint32_t slot, enum dir dir, uint64_t n)
{
	struct entry *e = find(s, slot);
	struct half_stream *rcv;

	if (e == NULL || e->tcp == NULL || n == 0)
		return;
	renew(s, e, dir);
	rcv = dir == DIR_C2S ? &e->tcp->server : &e->tcp->client;
	e->pushed[dir] += n;
	e->out[dir] += n - 1;
	rcv->count += (int)(n - 1);
	rcv->offset = rcv->count;
	e->filling = true;
	s->buf[IP_LEN + TCP_LEN] = 0;
	feed(s, e, (struct piece){dir, TCP_ACK, e->out[dir], 1});
}

const struct stream_counters *
stream_counters(const struct stream *s)
{
	return &s->n;
}

/* libnids has all its streams from the start, and a table four thirds as large
 * of pointers to them. */
struct table_use
stream_use(const struct stream *s)
{
	uint64_t all = (uint64_t)nids_params.n_tcp_streams;
	uint64_t bytes = s->cfg.streams * sizeof(*s->entries) +
			 s->cfg.capacity * sizeof(*s->place) +
			 all * (sizeof(struct tcp_stream) * 3 / 4 +
				   sizeof(struct tcp_stream *));

	return (struct table_use){.entries = s->count,
	    .max_entries = s->cfg.streams,
	    .bytes = bytes,
	    .max_bytes = bytes};
}
