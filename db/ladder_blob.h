/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder of an alert as one BLOB: about 25 bytes and its text a step,
 * where JSON would take ten times that, and a row costs what it is long.
 *
 *	u8 version (3)  u8 steps  v flow of the finding  packet
 *	steps times: u8 bits  u8 mark  [v flow]  z time  [v client port
 *	    v server port]  [packet]  u8 kind  u8 length, text
 *	bits: 1 from the server, 2 another flow than the finding's, 4 ports,
 *	    8 a packet
 *	packet: z time  z ordinal  z file  z frame  u32 seq  u32 ack  v len
 *	    u16 window  u16 ip id  u8 ttl  u8 TCP flags  u8 dir
 *
 * v: 7 bits a byte, the least significant first, the high bit says that more
 * follow (LEB128). z: what it is more than the one before (of a packet's time:
 * than that of the step, of the first: 0), likewise, signs in the lowest bit.
 * u16 and u32: little-endian. Kinds have numbers of their own here, for those of
 * enum obs_kind may change from version to version.
 *
 * Versions before are still read. In version 2 the kind has its name (u8 length,
 * name). So in version 1, which has no bits, all parts, and in place of v and z:
 * i64 times, u64 flow and ordinal, u32 file, frame and len, u16 ports; the order
 * of a step is flow, time, mark, dir, ports, packet.
 */
#ifndef STRIPWIRE_LADDER_BLOB_H
#define STRIPWIRE_LADDER_BLOB_H

#include "rules/alert.h"

#define LADDER_PKT_MAX 50
#define LADDER_STEP_MAX (29 + LADDER_PKT_MAX + 1 + LADDER_TEXT_MAX)
#define LADDER_BLOB_MAX (12 + LADDER_PKT_MAX + LADDER_STEPS * LADDER_STEP_MAX)

/* Returns the bytes used of buf. */
size_t ladder_encode(uint8_t buf[LADDER_BLOB_MAX], const struct alert *a);

/* Fills a->steps, a->nsteps, a->finding.flow and .pkt. Any bytes are safe;
 * returns -1 if they are not such a BLOB (what came before the damage is
 * kept). */
int ladder_decode(struct alert *a, const void *blob, size_t len)
    __attribute__((warn_unused_result));

#endif
