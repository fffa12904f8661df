/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verifier as a process of its own: it holds the trust store it was given
 * and a socket to the judge, and nothing else.
 */
#ifndef STRIPWIRE_VERIFIER_PROCESS_H
#define STRIPWIRE_VERIFIER_PROCESS_H

#include "sensor/memory.h"
#include "sensor/verifier.h"

struct verifier_board { /* shared with the supervisor, for `status` */
	struct table_use memory[MEM_COUNT];
};

/* Answers until the judge has gone. board: NULL if nobody looks. */
void verifier_process_serve(
    struct verifier *v, int fd, struct verifier_board *board);

#endif
