/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The pcapng block reader (draft-ietf-opsawg-pcapng). libpcap reads pcapng
 * too, but refuses a file whose interfaces differ in link type or snap length,
 * which is what `dumpcap -i any -i eth0` and mergecap write.
 *
 * Both byte orders, several sections, several interfaces; enhanced, simple and
 * obsolete packet blocks; all other blocks are skipped whatever their size.
 */
#ifndef STRIPWIRE_PCAPNG_H
#define STRIPWIRE_PCAPNG_H

#include "decoders/packet.h"
#include "sensor/capture_input.h"

#define PCAPNG_MAGIC 0x0a0d0d0au /* the same in both byte orders */
#define PCAPNG_PACKET_MAX (256u << 10) /* libpcap's cap; more is malformed */
#define PCAPNG_IFACES_MAX 65536 /* of one section, 40 bytes each */

enum pcapng_result {
	PCAPNG_PACKET,
	PCAPNG_END,
	PCAPNG_CUT, /* the file ends inside a block */
	PCAPNG_BAD /* nothing behind pcapng_at() can be trusted */
};

struct pcapng_counters {
	uint64_t blocks, skipped;
	uint64_t bad_packets; /* a length or an interface that cannot be */
	uint64_t first_bad; /* offset of the first of them */
	uint64_t bad_times; /* beyond what we can hold, made to fit */
};

struct pcapng;

/* Reads from in, which it borrows. NULL: no memory. */
struct pcapng *pcapng_new(struct input *in);
void pcapng_free(struct pcapng *ng);

/* Sets time, frame, caplen, wirelen, linktype and interface of pkt, nothing else. The
 * frame lives until the next call. A simple packet block has no time: it gets
 * that of the packet before it. */
enum pcapng_result pcapng_next(struct pcapng *ng, struct packet *pkt);

/* For who looks for the end, of interfaces that were met: the length of the
 * block that ends there, 0: none does; and the time of a packet's block. */
size_t pcapng_block_before(
    const struct pcapng *ng, const uint8_t *bytes, size_t end);
bool pcapng_block_time(
    const struct pcapng *ng, const uint8_t *block, size_t len, int64_t *time);

uint64_t pcapng_at(const struct pcapng *ng); /* offset of the last block */
const char *pcapng_error(const struct pcapng *ng); /* of PCAPNG_BAD */
const struct pcapng_counters *pcapng_counters(const struct pcapng *ng);

#endif
