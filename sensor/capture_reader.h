/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frames of one file, whatever its format: found by its first bytes, read
 * as records (pcap, whose header libpcap explains) or blocks (pcapng).
 */
#ifndef STRIPWIRE_CAPTURE_READER_H
#define STRIPWIRE_CAPTURE_READER_H

#include "decoders/packet.h"
#include "sensor/capture_input.h"

#define READER_ERROR 256

struct pcapng;

struct reader {
	struct input in;
	struct pcapng *ng; /* NULL: it is pcap */
	int linktype; /* of pcap; also what follows */
	uint32_t snaplen, frame_max;
	uint32_t header; /* bytes before each packet */
	uint32_t near_max; /* bytes of a record read by the short way */
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

/* Likewise, if it lies in memory as a whole; then the frames before it live
 * on. Nothing has happened if this returns false. */
bool reader_more(struct reader *r, struct packet *pkt);

/* Bytes of the file that are behind us, compressed ones if it is. */
uint64_t reader_consumed(const struct reader *r);

/* Damage that did not end the reading: 1 and r->error, or 0. */
int reader_damage(struct reader *r);

#endif
