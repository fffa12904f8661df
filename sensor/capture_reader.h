/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frames of one file, whatever its format: found by its first bytes, read
 * as records (pcap, whose header libpcap explains) or blocks (pcapng).
 */
#ifndef STRIPWIRE_CAPTURE_READER_H
#define STRIPWIRE_CAPTURE_READER_H

#include "decoders/be.h"
#include "decoders/packet.h"
#include "sensor/capture_input.h"

#define READER_ERROR 256
#define READER_FRAME_MAX 262144 /* libpcap's cap; more is malformed */

struct pcapng;

struct reader {
	struct input in;
	struct pcapng *ng; /* NULL: it is pcap */
	int linktype; /* of pcap; also what follows */
	uint32_t snaplen, frame_max;
	uint32_t header; /* bytes before each packet */
	size_t near; /* bytes at hand for the short way, SIZE_MAX: not here */
	uint32_t to_ns; /* of a fraction of a second */
	uint32_t rest; /* of the last record, not shown */
	bool swapped; /* written on a machine of the other byte order */
	uint8_t lengths; /* enum pcap_lengths */
	uint64_t at; /* offset of the last record that was begun */
	char error[READER_ERROR];
};

enum reader_open_result {
	READER_OPEN,
	READER_NOT_CAPTURE, /* no capture, or none that we can read */
	READER_FAILED /* cannot be opened or read, or its header is broken */
};

enum reader_result { READER_PACKET = 1, READER_END = 0, READER_BROKEN = -1 };

void reader_init(struct reader *r);
void reader_fini(struct reader *r);

/* On anything but READER_OPEN r->error says why, without the path. */
enum reader_open_result reader_open(struct reader *r, const char *path)
    __attribute__((warn_unused_result));
void reader_close(struct reader *r);

/* Sets time, frame, caplen, wirelen, linktype and interface of pkt, nothing else. On
 * READER_BROKEN r->error says what is wrong and at which byte. The frame lives
 * until the next call. */
enum reader_result reader_next(struct reader *r, struct packet *pkt);

/* The fraction is what the file says: it may be negative, or seconds long. */
static inline int64_t
reader_time(const struct reader *r, uint32_t seconds, uint32_t fraction)
{
	int64_t t = (int64_t)seconds * INT64_C(1000000000) +
		    (int64_t)(int32_t)fraction * r->to_ns;

	return t < 0 ? 0 : t;
}

/* A frame of which this many bytes are at hand. One longer than the file says
 * they are is cut, as libpcap does it. */
static inline void
reader_show(const struct reader *r, struct packet *pkt, const uint8_t *frame,
    uint32_t here, uint32_t sent)
{
	uint32_t shown = here < r->snaplen ? here : r->snaplen;

	pkt->frame = frame;
	pkt->caplen = shown;
	pkt->wirelen = sent > shown ? sent : shown;
	pkt->linktype = r->linktype;
	pkt->interface = 0;
}

/* Likewise, if it is a record as nearly all are: as this machine would write
 * it, of a link type that is known, and in memory as a whole. Then the frames
 * before it live on. Nothing has happened if this returns false. */
static inline bool
reader_more(struct reader *r, struct packet *pkt)
{
	struct input *in = &r->in;
	const uint8_t *p = in->buf + in->head;
	size_t left = in->tail - in->head;
	uint32_t held;

	if (left < r->near)
		return false;
	held = load32(p + 8);
	if (held - 1 >= READER_FRAME_MAX || held > left - r->near ||
	    mapped_lost())
		return false;
	pkt->time = reader_time(r, load32(p), load32(p + 4));
	reader_show(r, pkt, p + r->near, held, load32(p + 12));
	input_take(in, r->near + held);
	return true;
}

/* The length of the pcap record that these bytes begin with, and its time; 0:
 * there is none, or one as is never written. For who looks for the end. */
size_t reader_record(
    const struct reader *r, const uint8_t *p, size_t left, int64_t *time);

/* Bytes of the file that are behind us, compressed ones if it is. */
uint64_t reader_consumed(const struct reader *r);

/* Damage that did not end the reading: 1 and r->error, or 0. */
int reader_damage(struct reader *r);

#endif
