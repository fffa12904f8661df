/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link, IP, tunnel and TCP decoding, with the defragmenter kept from packet to packet.
 * Input: one byte chooses the link type, then packets: length (2), bytes that
 * the capture cut (1), seconds since the one before (1), the frame. Frames lie
 * in exactly as much heap as they have bytes. Each goes the short way and the
 * long one.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/ways.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int linktypes[] = {LINK_EN10MB, LINK_RAW_FILE, LINK_NULL,
    LINK_LOOP, LINK_SLL, LINK_SLL2, LINK_PPP, LINK_PPP_ETHER, LINK_C_HDLC,
    LINK_RAW, LINK_IPV4, LINK_IPV6, LINK_PPP_SERIAL, 105};

#define LINKTYPES (sizeof(linktypes) / sizeof(linktypes[0]))
#define HEAD 4

static volatile uint8_t sink;

static void
must(bool true_always)
{
	if (!true_always)
		abort();
}

static void
read_all(const uint8_t *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		sink ^= p[i];
}

static void
one_packet(struct ways *w, struct packet *pkt)
{
	struct packet again = *pkt;

	if (link_decode(&again) == LINK_IP) {
		must(again.ip_caplen > 0 && again.nvlan <= PACKET_VLAN_MAX);
		must(again.ip + again.ip_caplen == again.frame + again.caplen);
	}
	must(ways_agree(w, pkt));
	if (w->link != LINK_IP)
		return;
	must(pkt->outer == NULL || pkt->flags & PKT_TUNNEL);
	must(pkt->outer == NULL || pkt->outer - pkt->frame < pkt->caplen);
	if (pkt->flags & PKT_HAS_MAC)
		read_all(pkt->mac, 12);
	if (w->ip != IP_TCP)
		return;
	must(pkt->len <= pkt->wire_len || pkt->flags & PKT_TRUNCATED);
	must(pkt->len == pkt->wire_len || pkt->flags & PKT_TRUNCATED);
	read_all(pkt->payload, pkt->len);
	again = *pkt;
	ip_check_tcp(w->at_length, pkt);
	ip_check_tcp(w->quick, &again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ways w = {.quick = ip_new(), .at_length = ip_new()};
	struct packet pkt;
	int64_t now = 0;

	must(w.quick != NULL && w.at_length != NULL);
	if (size == 0) {
		ip_free(w.quick);
		ip_free(w.at_length);
		return 0;
	}
	int linktype = linktypes[data[0] % LINKTYPES];
	for (data++, size--; size >= HEAD;) {
		uint32_t len = (uint32_t)data[0] << 8 | data[1];
		uint32_t cut = data[2];
		now += data[3] * INT64_C(1000000000);
		data += HEAD, size -= HEAD;
		if (len > size)
			len = (uint32_t)size;
		uint8_t *frame = malloc(len == 0 ? 1 : len);
		must(frame != NULL);
		memcpy(frame, data, len);
		memset(&pkt, 0, sizeof(pkt)); /* compared as a whole */
		pkt.time = now;
		pkt.frame = frame;
		pkt.caplen = len;
		pkt.wirelen = len + cut;
		pkt.linktype = linktype;
		one_packet(&w, &pkt);
		free(frame);
		data += len, size -= len;
	}
	ip_free(w.quick);
	ip_free(w.at_length);
	return 0;
}
