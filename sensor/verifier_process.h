/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verifier as a process of its own: it holds the trust store it was given
 * and a socket to the judge, and nothing else.
 */
#ifndef STRIPWIRE_VERIFIER_PROCESS_H
#define STRIPWIRE_VERIFIER_PROCESS_H

#include "sensor/verifier.h"

/* Answers until the judge has gone. */
void verifier_process_serve(struct verifier *v, int fd);

#endif
