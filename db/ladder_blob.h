/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ladder of an alert as one BLOB: about 60 bytes and its text a step,
 * where JSON would take four times that, and a row costs what it is long.
 * Little-endian:
 *
 *	u8 version (1)  u8 steps  u64 flow of the finding  packet
 *	steps times: u64 flow  i64 time  u8 mark  u8 dir  u16 client port
 *	    u16 server port  packet  u8 length, name of the kind
 *	    u8 length, text
 *	packet: i64 time  u64 ordinal  u32 file  u32 frame  u32 seq  u32 ack
 *	    u32 len  u16 window  u16 ip id  u8 ttl  u8 TCP flags  u8 dir
 *
 * Kinds go by name: their numbers may change from version to version.
 */
#ifndef STRIPWIRE_LADDER_BLOB_H
#define STRIPWIRE_LADDER_BLOB_H

#include "rules/alert.h"

#define LADDER_PKT_BYTES 43
#define LADDER_STEP_MAX (24 + LADDER_PKT_BYTES + 32 + LADDER_TEXT_MAX)
#define LADDER_BLOB_MAX (10 + LADDER_PKT_BYTES + LADDER_STEPS * LADDER_STEP_MAX)

/* Returns the bytes used of buf. */
size_t ladder_encode(uint8_t buf[LADDER_BLOB_MAX], const struct alert *a);

/* Fills a->steps, a->nsteps, a->finding.flow and .pkt. Any bytes are safe;
 * returns -1 if they are not such a BLOB (what came before the damage is
 * kept). */
int ladder_decode(struct alert *a, const void *blob, size_t len)
    __attribute__((warn_unused_result));

#endif
