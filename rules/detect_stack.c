/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D14: in TLS 1.3 the certificate is hidden, and what answers is not what
 * answered before: other TLS (JA3S, with the order of the extensions), another
 * size of its flight and another TCP stack, for clients of the same JA4.
 *
 * Benign look-alikes: a library that was updated, a certificate that was
 * renewed, another route: each changes one or two of the three. Resumption and
 * early data, whose flight is another. Several unlike machines behind one
 * address: all known by the time that much is. A server that was replaced
 * changes everything at once, for all clients and for good: said once,
 * learned when several clients have seen it and none of them what was before.
 *
 * What cannot be seen: an interceptor with the same library, or one behind the
 * server's own TCP (on the server's host).
 */
#include "rules/detect.h"
#include "rules/stacks.h"
#include "rules/weights.h"

static void
add_differences(struct finding *n, const struct known_stack *now,
    const struct known_stack *was)
{
	finding_add(n, W_STACK_JA3S,
	    "its ServerHello has another fingerprint (JA3S) than for the same "
	    "kind of client (JA4) before");
	finding_add(n, W_STACK_FLIGHT,
	    "its flight, which holds the hidden certificate, has %u bytes and "
	    "had %u",
	    now->flight, was->flight);
	if (now->syn != was->syn)
		finding_add(n, W_STACK_TCP,
		    "its TCP offers other options (TTL %u, was %u)", now->ttl,
		    was->ttl);
	else
		finding_add(n, W_STACK_TCP,
		    "it answers from elsewhere: TTL %u, was %u", now->ttl,
		    was->ttl);
}

static void
add_habit(struct finding *n, const struct stack_compared *c)
{
	bool well = c->sessions >= STACK_SESSIONS_MANY;
	char count[32], date[16];

	finding_add(n,
	    well				? PLUS_STACK_WELL_KNOWN
	    : c->sessions >= STACK_SESSIONS_FEW ? PLUS_STACK_KNOWN
						: 0,
	    "nothing of this was seen in %s earlier session%s since %s",
	    detect_count(count, sizeof(count), c->sessions),
	    c->sessions == 1 ? "" : "s",
	    detect_date(date, sizeof(date), c->first));
}

/* A ticket that this server gave is of no use to another. */
static void
add_ticket(
    struct finding *n, const struct facts *f, const struct server_facts *s)
{
	char taken[32], all[32];

	if (!f->tls->brought_ticket || s->tickets_taken == 0 ||
	    s->tickets_refused >= s->tickets_taken)
		return;
	finding_add(n, PLUS_TICKET_REFUSED,
	    "it did not take the client's ticket; %s of %s were taken before",
	    detect_count(taken, sizeof(taken), s->tickets_taken),
	    detect_count(all, sizeof(all),
		(uint64_t)s->tickets_taken + s->tickets_refused));
}

void
detect_stack(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct server_facts *s;
	struct stack_compared known;
	struct known_stack now;
	struct finding *n;

	(void)o;
	if (!stack_of(f, &now) || (s = past_server(c)) == NULL)
		return;
	stack_compare(s, &now, &known);
	if (known.usual == NULL ||
	    (known.is != STACK_OTHER && known.is != STACK_PENDING))
		return;
	n = detect_find(c, FIND_TLS_FINGERPRINT_CHANGED);
	if (n == NULL)
		return;
	detect_at(n, &f->tls->server_hello);
	add_differences(n, &now, known.usual);
	add_habit(n, &known);
	if (known.is == STACK_PENDING && s->stacks[known.at].contradicted) {
		n->tags |= EVT_SELECTIVE;
		finding_add(n, PLUS_STACK_SELECTIVE,
		    "others still get what was there before");
	}
	add_ticket(n, f, s);
	n->quiet = stack_was_told(s, &now, n->confidence);
}
