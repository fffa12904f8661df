/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libpcap reads from a FILE. A plain file is given to it as one; a pipe, of
 * which the first bytes were looked at already, and gzip come through a cookie
 * over our input. The place of a record is the sum of those before it, which
 * costs nothing; only where libpcap may have thrown bytes away (a record
 * longer than the file's snap length) is the FILE asked.
 */
#include "sensor/capture_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/harden.h"
#include "sensor/pcapng.h"

#define NS_PER_S INT64_C(1000000000)
#define PCAP_FILE_HEADER 24

void
reader_init(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	input_init(&r->in);
}

void
reader_fini(struct reader *r)
{
	reader_close(r);
	input_fini(&r->in);
	if (r->iobuf != NULL)
		explicit_bzero(r->iobuf, INPUT_CHUNK);
	free(r->iobuf);
	r->iobuf = NULL;
}

void
reader_close(struct reader *r)
{
	if (r->pcap != NULL)
		pcap_close(r->pcap); /* and with it the FILE */
	pcapng_free(r->ng);
	r->pcap = NULL;
	r->ng = NULL;
	input_close(&r->in);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

static ssize_t
cookie_read(void *cookie, char *buf, size_t n)
{
	return (ssize_t)input_read(cookie, buf, n);
}

/* Only so that ftello() works. */
static int
cookie_tell(void *cookie, off64_t *at, int whence)
{
	if (whence != SEEK_CUR || *at != 0)
		return -1;
	*at = (off64_t)input_offset(cookie);
	return 0;
}

/* The buffer has to be ours: glibc takes no size without one and reads 4 KiB
 * at a time. Where there is no memory for it, it does so anyway. */
static FILE *
file_of(struct reader *r)
{
	struct input *in = &r->in;
	cookie_io_functions_t io = {.read = cookie_read, .seek = cookie_tell};
	FILE *f;

	if (in->regular && !in->gzip) {
		int fd = fcntl(in->fd, F_DUPFD_CLOEXEC, 3);
		f = fd < 0 ? NULL : fdopen(fd, "r");
		if (f != NULL && fseeko(f, 0, SEEK_SET) < 0) {
			fclose(f);
			return NULL;
		}
	} else {
		f = fopencookie(in, "r", io);
	}
	if (r->iobuf == NULL)
		r->iobuf = malloc(INPUT_CHUNK);
	harden_memory(r->iobuf, INPUT_CHUNK);
	if (f != NULL) {
		(void)setvbuf(f, r->iobuf, _IOFBF, INPUT_CHUNK);
		(void)__fsetlocking(f, FSETLOCKING_BYCALLER);
	}
	return f;
}

/* libpcap says this in its own words, and knows nothing of gzip. */
static enum reader_open_result
cut_header(struct reader *r)
{
	if (r->in.error[0] != '\0')
		snprintf(r->error, sizeof(r->error), "%s", r->in.error);
	else
		snprintf(r->error, sizeof(r->error),
		    "cut at byte %zu, in the middle of its file header",
		    r->in.tail);
	return READER_FAILED;
}

static enum reader_open_result
open_pcap(struct reader *r, uint32_t magic)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	FILE *f;

	if (input_peek(&r->in, PCAP_FILE_HEADER) == NULL)
		return cut_header(r);
	f = file_of(r);
	if (f == NULL) {
		snprintf(r->error, sizeof(r->error), "%s", strerror(errno));
		return READER_FAILED;
	}
	r->pcap = pcap_fopen_offline_with_tstamp_precision(
	    f, PCAP_TSTAMP_PRECISION_NANO, why);
	if (r->pcap == NULL) {
		snprintf(r->error, sizeof(r->error),
		    "its file header is broken: %.150s", why);
		fclose(f);
		return READER_FAILED;
	}
	bool kuznetzov = magic == 0xa1b2cd34 || magic == 0x34cdb2a1;
	r->header = kuznetzov ? 24 : 16;
	r->at = r->end = PCAP_FILE_HEADER;
	r->linktype = pcap_datalink(r->pcap);
	r->snaplen = (uint32_t)pcap_snapshot(r->pcap);
	return READER_OPEN;
}

static enum reader_open_result
open_pcapng(struct reader *r)
{
	r->ng = pcapng_new(&r->in);
	if (r->ng != NULL)
		return READER_OPEN;
	snprintf(r->error, sizeof(r->error), "out of memory");
	return READER_FAILED;
}

static bool
is_pcap(uint32_t magic)
{
	switch (magic) {
	case 0xa1b2c3d4: /* microseconds */
	case 0xd4c3b2a1:
	case 0xa1b23c4d: /* nanoseconds */
	case 0x4d3cb2a1:
	case 0xa1b2cd34: /* Kuznetzov's, with longer record headers */
	case 0x34cdb2a1:
		return true;
	default:
		return false;
	}
}

/* What people hand to a program that reads captures. */
static const char *
other_format(const uint8_t *p, size_t n)
{
	static const struct {
		const char *magic, *name;
		size_t len;
	} known[] = {
	    {"BZh", "compressed with bzip2: unpack it first", 3},
	    {"\xfd"
	     "7zXZ",
		"compressed with xz: unpack it first", 5},
	    {"\x28\xb5\x2f\xfd", "compressed with zstd: unpack it first", 4},
	    {"\x04\x22\x4d\x18", "compressed with lz4: unpack it first", 4},
	    {"PK\x03\x04", "a zip archive: unpack it first", 4},
	    {"snoop", "a snoop file: convert it with editcap", 5},
	    {"GMBU", "a Network Monitor file: convert it with editcap", 4},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n >= known[i].len &&
		    memcmp(p, known[i].magic, known[i].len) == 0)
			return known[i].name;
	return NULL;
}

static enum reader_open_result
not_capture(struct reader *r)
{
	size_t n = input_fill(&r->in, 8);
	const char *other = other_format(r->in.buf + r->in.head, n);

	if (r->in.error[0] != '\0') {
		snprintf(r->error, sizeof(r->error), "%s", r->in.error);
		return READER_FAILED;
	}
	if (n == 0)
		snprintf(r->error, sizeof(r->error), "empty");
	else if (other != NULL)
		snprintf(
		    r->error, sizeof(r->error), "not a capture but %s", other);
	else
		snprintf(r->error, sizeof(r->error),
		    "not a capture (neither pcap nor pcapng)");
	return READER_NOT_CAPTURE;
}

enum reader_open_result
reader_open(struct reader *r, const char *path)
{
	uint32_t magic;

	reader_close(r);
	r->error[0] = '\0';
	r->at = r->end = 0;
	if (input_open(&r->in, path) < 0) {
		snprintf(r->error, sizeof(r->error), "%s", r->in.error);
		return READER_FAILED;
	}
	const uint8_t *p = input_peek(&r->in, sizeof(magic));
	enum reader_open_result result;
	if (p != NULL)
		memcpy(&magic, p, sizeof(magic));
	if (p != NULL && is_pcap(magic))
		result = open_pcap(r, magic);
	else if (p != NULL && magic == PCAPNG_MAGIC)
		result = open_pcapng(r);
	else
		result = not_capture(r);
	if (result != READER_OPEN)
		input_close(&r->in);
	return result;
}

/* Why no further record came. What the input says comes first: it knows. */
static enum reader_result
ended(struct reader *r, bool cut, const char *malformed)
{
	struct input *in = &r->in;

	if (in->error[0] != '\0')
		snprintf(r->error, sizeof(r->error), "%s", in->error);
	else if (cut)
		snprintf(r->error, sizeof(r->error),
		    "cut in the middle of a record: the one that begins at "
		    "byte %" PRIu64 " lacks its end, the %s at byte %" PRIu64,
		    r->at, in->gzip ? "unpacked data ends" : "file ends",
		    r->pcap != NULL ? r->end : in->base + in->tail);
	else if (malformed != NULL)
		snprintf(r->error, sizeof(r->error),
		    "malformed at byte %" PRIu64 ": %.150s", r->at, malformed);
	else
		return READER_END;
	return READER_BROKEN;
}

/* The fraction is what the file says: it may be negative, or seconds long. */
static inline int64_t
time_of(const struct pcap_pkthdr *h)
{
	int64_t t = (int64_t)(uint32_t)h->ts.tv_sec * NS_PER_S + h->ts.tv_usec;

	return t < 0 ? 0 : t;
}

static enum reader_result
pcap_frame(struct reader *r, struct packet *pkt)
{
	struct pcap_pkthdr *h;
	const u_char *frame;

	r->at = r->end;
	int got = pcap_next_ex(r->pcap, &h, &frame);
	if (got == 1) {
		pkt->time = time_of(h);
		pkt->frame = frame;
		pkt->caplen = h->caplen;
		pkt->wirelen = h->len > h->caplen ? h->len : h->caplen;
		pkt->linktype = r->linktype;
		pkt->interface = 0;
		r->end += r->header + h->caplen;
		if (h->caplen == r->snaplen)
			r->end = (uint64_t)ftello(pcap_file(r->pcap));
		return READER_PACKET;
	}
	if (got == PCAP_ERROR_BREAK)
		return ended(r, false, NULL);
	FILE *f = pcap_file(r->pcap);
	if (ferror(f) && r->in.error[0] == '\0')
		snprintf(r->in.error, sizeof(r->in.error),
		    "at byte %" PRIu64 ": %.90s", r->at, pcap_geterr(r->pcap));
	r->end = (uint64_t)ftello(f);
	/* at the end of the file the record is short, elsewhere it is wrong */
	return ended(r, feof(f), pcap_geterr(r->pcap));
}

static enum reader_result
pcapng_frame(struct reader *r, struct packet *pkt)
{
	enum pcapng_result got = pcapng_next(r->ng, pkt);

	if (got == PCAPNG_PACKET)
		return READER_PACKET;
	r->at = pcapng_at(r->ng);
	if (got == PCAPNG_BAD)
		return ended(r, false, pcapng_error(r->ng));
	return ended(r, got == PCAPNG_CUT, NULL);
}

enum reader_result
reader_next(struct reader *r, struct packet *pkt)
{
	return r->pcap != NULL ? pcap_frame(r, pkt) : pcapng_frame(r, pkt);
}

uint64_t
reader_consumed(const struct reader *r)
{
	if (r->pcap != NULL && !r->in.gzip)
		return r->end;
	return input_consumed(&r->in);
}

int
reader_damage(struct reader *r)
{
	if (r->ng == NULL || pcapng_counters(r->ng)->bad_packets == 0)
		return 0;
	const struct pcapng_counters *n = pcapng_counters(r->ng);
	snprintf(r->error, sizeof(r->error),
	    "%" PRIu64 " malformed packet block%s skipped, the first at byte "
	    "%" PRIu64,
	    n->bad_packets, plural(n->bad_packets), n->first_bad);
	return 1;
}
