/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pcap and pcapng are both read in place, from our input: a frame is where the
 * kernel put it, and is copied nowhere. What the header of a pcap file means
 * libpcap says, which knows all the values that were ever written there; a
 * record is two times and two lengths, and is read here: libpcap's own way of
 * copying it out of a FILE took more time than all that is done with most.
 *
 *	sec 4 | usec or nsec 4 | held 4 | on the wire 4 | (Kuznetzov: 8 more)
 */
#include "sensor/capture_reader.h"

#include <inttypes.h>
#include <pcap.h>
#include <stdio.h>
#include <string.h>

#include "decoders/be.h"
#include "decoders/link.h"
#include "sensor/pcapng.h"

#define PCAP_FILE_HEADER 24
#define PCAP_HEADER_MAX 24 /* of a record */
#define FRAME_SENT_MAX (1u << 20) /* no frame on a wire is longer */
#define PCAP_FRAME_OTHER (128u << 20) /* of links that we do not know */

enum pcap_lengths { /* of old versions: see libpcap, sf-pcap.c */
	LENGTHS_RIGHT,
	LENGTHS_SWAPPED,
	LENGTHS_MAYBE
};

void
reader_init(struct reader *r)
{
	memset(r, 0, sizeof(*r));
	r->near = SIZE_MAX;
	input_init(&r->in);
}

void
reader_fini(struct reader *r)
{
	reader_close(r);
	input_fini(&r->in);
}

void
reader_close(struct reader *r)
{
	pcapng_free(r->ng);
	r->ng = NULL;
	r->near = SIZE_MAX;
	input_close(&r->in);
}

static const char *
plural(uint64_t n)
{
	return n == 1 ? "" : "s";
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

/* How the two lengths lie depends on who wrote the file. */
static enum pcap_lengths
lengths_of(const struct reader *r, const uint8_t *header)
{
	uint16_t major, minor;

	memcpy(&major, header + 4, sizeof(major));
	memcpy(&minor, header + 6, sizeof(minor));
	if (r->swapped) {
		major = __builtin_bswap16(major);
		minor = __builtin_bswap16(minor);
	}
	if (major == 543 || (major == 2 && minor < 3))
		return LENGTHS_SWAPPED;
	return major == 2 && minor == 3 ? LENGTHS_MAYBE : LENGTHS_RIGHT;
}

/* Returns NULL with libpcap's sentence in why. */
static pcap_t *
read_header(const uint8_t *header, char *why)
{
	uint8_t copy[PCAP_FILE_HEADER];
	FILE *f;
	pcap_t *p;

	memcpy(copy, header, sizeof(copy));
	f = fmemopen(copy, sizeof(copy), "r");
	if (f == NULL) {
		snprintf(why, PCAP_ERRBUF_SIZE, "out of memory");
		return NULL;
	}
	p = pcap_fopen_offline_with_tstamp_precision(
	    f, PCAP_TSTAMP_PRECISION_NANO, why);
	if (p == NULL)
		fclose(f);
	return p;
}

static enum reader_open_result
open_pcap(struct reader *r, uint32_t magic)
{
	const uint8_t *header = input_peek(&r->in, PCAP_FILE_HEADER);
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p;

	if (header == NULL)
		return cut_header(r);
	p = read_header(header, why);
	if (p == NULL) {
		snprintf(r->error, sizeof(r->error),
		    "its file header is broken: %.150s", why);
		return READER_FAILED;
	}
	r->linktype = pcap_datalink(p);
	r->snaplen = (uint32_t)pcap_snapshot(p);
	r->swapped = pcap_is_swapped(p);
	pcap_close(p);
	r->header = magic == 0xa1b2cd34 || magic == 0x34cdb2a1 ? 24 : 16;
	r->to_ns = magic == 0xa1b23c4d || magic == 0x4d3cb2a1 ? 1 : 1000;
	r->lengths = (uint8_t)lengths_of(r, header);
	r->frame_max =
	    link_known(r->linktype) ? READER_FRAME_MAX : PCAP_FRAME_OTHER;
	r->rest = 0;
	if (!r->swapped && r->lengths == LENGTHS_RIGHT &&
	    r->frame_max == READER_FRAME_MAX)
		r->near = r->header;
	input_take(&r->in, PCAP_FILE_HEADER);
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
	r->at = 0;
	r->rest = 0;
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
		    in->base + in->tail);
	else if (malformed != NULL)
		snprintf(r->error, sizeof(r->error),
		    "malformed at byte %" PRIu64 ": %.150s", r->at, malformed);
	else
		return READER_END;
	return READER_BROKEN;
}

static inline uint32_t
field(const struct reader *r, const uint8_t *p)
{
	uint32_t v = load32(p);

	return r->swapped ? __builtin_bswap32(v) : v;
}

static inline void
order_lengths(const struct reader *r, uint32_t *held, uint32_t *sent)
{
	uint32_t other = *sent;

	if (r->lengths == LENGTHS_RIGHT ||
	    (r->lengths == LENGTHS_MAYBE && *held <= *sent))
		return;
	*sent = *held;
	*held = other;
}

static enum reader_result
too_long(struct reader *r, uint32_t held)
{
	char why[100];

	snprintf(why, sizeof(why),
	    "invalid packet capture length %" PRIu32
	    ", bigger than maximum of %" PRIu32,
	    held, r->frame_max);
	return ended(r, false, why);
}

static enum reader_result
pcap_frame(struct reader *r, struct packet *pkt)
{
	struct input *in = &r->in;
	uint32_t room = INPUT_PEEK_MAX - PCAP_HEADER_MAX;
	uint32_t held, sent, here;
	const uint8_t *p;

	if (r->rest > 0 && input_skip(in, r->rest) < 0)
		return ended(r, true, NULL);
	r->rest = 0;
	r->at = input_offset(in);
	p = input_peek(in, r->header);
	if (p == NULL)
		return ended(r, input_fill(in, 1) > 0, NULL);
	held = field(r, p + 8);
	sent = field(r, p + 12);
	order_lengths(r, &held, &sent);
	if (held > r->frame_max)
		return too_long(r, held);
	if (held == 0 && !input_has(in, r->header))
		return ended(r, true, NULL);
	here = held < room ? held : room; /* all, of links that we know */
	p = input_peek(in, r->header + here);
	if (p == NULL)
		return ended(r, true, NULL);
	reader_show(r, pkt, p + r->header, here, sent);
	pkt->time = reader_time(r, field(r, p), field(r, p + 4));
	r->rest = held - here;
	input_take(in, r->header + here);
	return READER_PACKET;
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
	if (reader_more(r, pkt))
		return READER_PACKET;
	return r->ng == NULL ? pcap_frame(r, pkt) : pcapng_frame(r, pkt);
}

size_t
reader_record(
    const struct reader *r, const uint8_t *p, size_t left, int64_t *time)
{
	uint32_t held, sent;

	if (left < r->header)
		return 0;
	held = field(r, p + 8);
	sent = field(r, p + 12);
	order_lengths(r, &held, &sent);
	if (held == 0 || held > r->frame_max || held > left - r->header ||
	    sent < held || sent > FRAME_SENT_MAX ||
	    field(r, p + 4) >= 1000000000 / r->to_ns)
		return 0;
	*time = reader_time(r, field(r, p), field(r, p + 4));
	return r->header + held;
}

uint64_t
reader_consumed(const struct reader *r)
{
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
