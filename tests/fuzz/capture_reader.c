/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Fuzz target: records of a pcap file, read in place. Oracles are the
 * sanitizers, and libpcap, which must see the same frames in the same file.
 */
#include <pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decoders/link.h"
#include "decoders/obs.h"
#include "sensor/capture_extent.h"

#define NS INT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Seconds have no sign (draft-ietf-opsawg-pcap), which libpcap gives them; the
 * fraction has one, which it takes away where it turns bytes round. */
static int64_t
time_of(const struct reader *r, const struct pcap_pkthdr *h)
{
	int32_t fraction = (int32_t)(h->ts.tv_usec / (int64_t)r->to_ns);
	int64_t t = (int64_t)(uint32_t)h->ts.tv_sec * NS +
		    (int64_t)fraction * (int64_t)r->to_ns;

	return t < 0 ? 0 : t;
}

static void
compare(struct reader *r, pcap_t *p)
{
	struct pcap_pkthdr *h;
	const u_char *bytes;
	struct packet pkt;

	while (reader_next(r, &pkt) == READER_PACKET) {
		must(pcap_next_ex(p, &h, &bytes) == 1);
		must(pkt.caplen == h->caplen);
		must(memcmp(pkt.frame, bytes, h->caplen) == 0);
		must(pkt.time == time_of(r, h));
		must(pkt.wirelen == (h->len > h->caplen ? h->len : h->caplen));
	}
	must(pcap_next_ex(p, &h, &bytes) != 1);
}

/* What libpcap is not asked about. */
static void
exhaust(struct reader *r)
{
	struct packet pkt;
	uint8_t *copy;

	while (reader_next(r, &pkt) == READER_PACKET) {
		copy = malloc(pkt.caplen + 1);
		must(copy != NULL);
		memcpy(copy, pkt.frame, pkt.caplen);
		free(copy);
	}
}

static void
read_all(struct reader *r, const char *path)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p;

	if (r->ng != NULL || r->in.gzip || !link_known(r->linktype)) {
		exhaust(r);
		return;
	}
	p = pcap_open_offline_with_tstamp_precision(
	    path, PCAP_TSTAMP_PRECISION_NANO, why);
	must(p != NULL);
	compare(r, p);
	pcap_close(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", 0);
	struct extent e;
	struct reader r;
	char path[64];

	must(fd != -1 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader_init(&r);
	if (reader_open(&r, path) == READER_OPEN)
		read_all(&r, path);
	extent_of(&e, &r, path);
	must(!e.known || e.last <= OBS_TIME_MAX);
	reader_fini(&r);
	(void)close(fd);
	return 0;
}
