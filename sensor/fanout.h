/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which worker sees a packet: a hash of the two addresses that does not depend
 * on who sent, of the innermost packet where a tunnel carries one. Ports are
 * left out, so that the fragments of a datagram stay together; both directions
 * of a connection always do.
 *
 * The kernel's own hashes would not do: of VXLAN they take the outer ports,
 * which differ by direction, and of fragments they have no ports.
 */
#ifndef STRIPWIRE_FANOUT_H
#define STRIPWIRE_FANOUT_H

#include <linux/filter.h>
#include <stddef.h>

#include "decoders/packet.h"

#define FANOUT_PROGRAM_MAX 640 /* instructions */

/* Writes the program for PACKET_FANOUT_CBPF: it returns a number below
 * `workers`, so that a member that joins for a moment changes nothing.
 * Returns its length. */
size_t fanout_program(
    struct sock_filter prog[FANOUT_PROGRAM_MAX], unsigned workers);

/* The same choice, made here. */
unsigned fanout_worker(
    const struct addr *src, const struct addr *dst, unsigned workers);
/* Likewise where a process hands out: without a division, which would take
 * longer than all the rest. */
unsigned fanout_reader(
    const struct addr *src, const struct addr *dst, unsigned workers);

/* Joins the socket to group `id`, with that program. -1: errno. */
int fanout_join(int fd, unsigned id, unsigned workers)
    __attribute__((warn_unused_result));

#endif
