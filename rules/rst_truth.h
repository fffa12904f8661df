/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the receiver of a reset does with it. A reset ends a connection or not
 * by where its number lies for its receiver, and by which rule the receiver
 * goes: an alert that says so tells the operator which hosts the attack works
 * against. One table (rst_truth.c, with its sources), four kinds of stacks.
 */
#ifndef STRIPWIRE_RST_TRUTH_H
#define STRIPWIRE_RST_TRUTH_H

#include "decoders/obs.h"

enum tcp_stack {
	STACK_RFC793 = 0, /* any number in the window */
	STACK_RFC5961, /* the next number alone; RFC 9293 has taken it over */
	STACK_LINUX, /* since 3.6 */
	STACK_WINDOWS,
	STACK_COUNT
};

enum rst_fate { /* of the connection */
	FATE_UNDOCUMENTED = 0,
	FATE_DEAD,
	FATE_CHALLENGE, /* an ACK asks the sender whether it meant it; lives */
	FATE_IGNORED,
	FATE_ASKS_AGAIN, /* the SYN is sent again before it gives up */
	FATE_DEAD_IF_LATE, /* if what was sent beyond had not arrived yet */
	FATE_OVER, /* there was nothing left to end */
	FATE_UNKNOWN, /* too little of the receiver was seen */
	FATE_COUNT
};

enum rst_fate rst_truth(enum rst_place place, enum tcp_stack stack);

/* "what the client does: RFC 793 stacks obey; ... (in its window, 1000 too
 * high)". Fits in FINDING_SENTENCE_MAX. Returns buf. */
char *rst_truth_say(
    char *buf, size_t cap, const struct obs_rst *r, const char *receiver);

#endif
