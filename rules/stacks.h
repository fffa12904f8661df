/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS 1.3 hides the certificate. What is left to know a server by is how it
 * answers: its JA3S (with the order of its extensions), the size of its flight,
 * and the TCP stack under it. A ServerHello depends on the ClientHello, so all
 * of it is kept by the client's JA4.
 *
 * A new version of a library changes JA3S and flight, a new certificate the
 * flight, another route the TTL: two of the three may change at any time and
 * are learned at once. That all three change together is pending until several
 * clients have seen it and nobody what was there before.
 */
#ifndef STRIPWIRE_STACKS_H
#define STRIPWIRE_STACKS_H

#include "rules/facts.h"
#include "rules/history.h"

/* Fewer sessions say little of what is usual: what differs is one more machine
 * behind the address. */
#define STACK_SESSIONS_FEW 3
#define STACK_SESSIONS_MANY 10

/* How this flow's server answered; false: not in TLS 1.3, resumed, or not seen
 * whole. Asked at the end of the flow. */
bool stack_of(const struct facts *f, struct known_stack *out);

enum stack_is {
	STACK_FIRST = 0, /* nothing is known for such clients */
	STACK_KNOWN, /* as before */
	STACK_VARIED, /* something of it is as before */
	STACK_OTHER, /* nothing is */
	STACK_PENDING /* nothing is as before; lately it was like this */
};

struct stack_compared {
	enum stack_is is;
	unsigned at; /* of STACK_KNOWN and _PENDING: which one */
	const struct known_stack *usual; /* the one seen most; NULL: none */
	uint32_t sessions; /* with such clients, pending ones left out */
	int64_t first; /* ns, of these */
};
void stack_compare(const struct server_facts *s, const struct known_stack *now,
    struct stack_compared *out);

/* Has an alert of that confidence been raised about this change already, be it
 * for other clients? */
bool stack_was_told(const struct server_facts *s, const struct known_stack *now,
    uint8_t confidence);

/* The flow has ended, free of suspicion but for what detect_stack.c found. */
void stack_learn(struct history *h, const struct facts *f, int64_t now);

#endif
